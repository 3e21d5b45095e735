"""Tests of lightning_dpg.models."""
