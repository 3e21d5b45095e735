"""Tests of the readers and of the corpus."""
