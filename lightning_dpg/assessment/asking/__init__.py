"""How a language model is asked over a network: nothing of psychology in here."""
