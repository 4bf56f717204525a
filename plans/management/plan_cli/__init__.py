"""The parts of `manage.py plan`."""
