"""When no version can be read from what there is."""


class Unreadable(ValueError):
    """There is no version in it; the text says why, in English, as the cause of a bad answer."""
