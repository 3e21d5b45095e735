"""The words of the prompts: templates and knowledge in English and Chinese."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from lightning_dpg.assessment.base import is_chinese

VERSION = 1
"""Of templates, knowledge and the rule for names: raise it with every change of what is asked."""

Language = Literal["en", "zh"]


def language_of(text: str) -> Language:
    """Chinese where the script is (`is_chinese`); English for all other languages.

    Instructions in English serve texts in any language but Chinese.
    """
    return "zh" if is_chinese(text) else "en"


@cache
def instructions(name: str, language: Language) -> str:
    """The system message `knowledge`, `vanilla` or `dialogue`: the same for every text."""
    return render(name, language, **knowledge(language), data_rule=render("data_rule", language))


def render(name: str, language: Language, **values: Any) -> str:
    """A template filled in. Values go in as they are: text from outside only `quoted`."""
    return _environment().get_template(f"{name}.{language}.j2").render(values)


@cache
def knowledge(language: Language) -> dict[str, Any]:
    """Traits with poles, facets and anchors, confounds, and worked examples."""
    file = files(__package__).joinpath(f"knowledge.{language}.yaml")
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("lightning_dpg", "assessment/rubric"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment
