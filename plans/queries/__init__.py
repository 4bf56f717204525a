"""Every read that a page, a frame, the API or a decision makes."""
