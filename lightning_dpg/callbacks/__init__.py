"""What happens beside training: assessment at validation, provenance in checkpoints."""
