"""lightning_dpg: Dynamic Personality Generation with PyTorch Lightning (arXiv 2404.07084)."""

__version__ = "0.1.0"
