"""Personas, arms, replies, and what their ratings say."""
