"""Real processes are broken while plans run, and a checker says whether anything was lost."""
