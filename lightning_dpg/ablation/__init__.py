"""Ablations: one experiment run with some settings varied, and its cells compared."""
