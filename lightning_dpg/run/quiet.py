"""What libraries say to developers."""

from __future__ import annotations

import logging
import warnings

import datasets
import torch
import transformers


def quieten(threads: int | None) -> None:
    """Set thread counts, and keep what libraries say to developers from those who only use this."""
    if threads:
        torch.set_num_threads(threads)
    transformers.utils.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()
    datasets.disable_progress_bars()
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*srun.*")
