"""The only place where everything is put together: one file for each command."""
