"""A conversation with a persona whose dials can be moved in the middle."""
