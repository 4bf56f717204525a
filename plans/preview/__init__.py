"""What a new plan would do, before anything of it is stored (X2)."""

from plans.preview.page import of_preview, of_summary

__all__ = ["of_preview", "of_summary"]
