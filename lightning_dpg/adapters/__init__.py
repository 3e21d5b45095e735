"""Adapters beyond training: blended, kept, and written as files that other programs load."""
