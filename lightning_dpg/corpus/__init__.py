"""From texts to a labelled corpus on disk."""
