"""What must hold after everything that was broken, one file each."""
