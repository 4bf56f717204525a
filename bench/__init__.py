"""What Bluegreen costs, measured: `python -m bench [NAME…]` prints tables (see `make bench`)."""
