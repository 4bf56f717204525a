"""The demonstration that `make demo` runs: everything at work on the tenants of a sandbox."""
