"""The frozen backbone, the adapters injected into it and the networks that make them."""
