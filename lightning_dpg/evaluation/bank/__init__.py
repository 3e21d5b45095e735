"""What was written for the evaluation, in each of its languages: questions and new characters."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from lightning_dpg.errors import UserError

LANGUAGES = ("en", "zh")


@cache
def read_bank(name: str, language: str) -> Any:
    """The content of `questions` or `newcomers`, whose files say how they are laid out.

    Raises:
        UserError: a language in which there is none.
    """
    if language not in LANGUAGES:
        raise UserError(
            f"The evaluation expected a language among {', '.join(LANGUAGES)}, got {language!r} "
            "(evaluation.language)"
        )
    return yaml.safe_load(files(__package__).joinpath(f"{name}.{language}.yaml").read_text("utf-8"))
