"""From a labelled corpus to batches."""
