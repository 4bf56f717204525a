"""How dates, times and numbers are written, where Django's own answer does not fit."""
