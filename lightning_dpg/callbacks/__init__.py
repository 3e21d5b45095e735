"""What happens beside training: assessment at validation, saving and logging for resuming."""
