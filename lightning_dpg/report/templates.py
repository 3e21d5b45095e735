"""Where the pages find their templates, and how they are filled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def template_environment(filters: Mapping[str, Callable[..., Any]]) -> Environment:
    """Text of a model is never markup, and a name that is not given is an error."""
    environment = Environment(
        loader=PackageLoader("lightning_dpg", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment
