"""A matplotlib figure as inline SVG: its colours follow the page, its text is text.

Figures are drawn in the colours of a light page. Here each known colour becomes a CSS variable,
so that the page turns dark or goes to paper without a second set of pictures.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

import matplotlib
from markupsafe import Markup, escape
from matplotlib.figure import Figure

_SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "lightning_dpg", "text.parse_math": False}


def inline_svg(figure: Figure, variables: Mapping[str, str], key: str, title: str) -> Markup:
    """The figure as an `<svg>` element for the middle of an HTML page.

    Args:
        figure: what to draw; its size in inches times 72 becomes the viewBox.
        variables: CSS variable by the colour, as hex, that stands for it in the figure.
        key: unique on the page; identifiers of different figures would collide without it.
        title: what a screen reader says instead of the picture.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context(_SETTINGS):  # type: ignore[arg-type]
        figure.savefig(buffer, format="svg", transparent=True)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"| width="[\d.]+pt"| height="[\d.]+pt"', "", text, count=4)
    text = re.sub(r"font-family: [^;\"]*", "font-family: inherit", text)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r'id="|url\(#|xlink:href="#', lambda match: f"{match[0]}{key}-", text)
    text = re.sub(r"#[0-9a-f]{6}\b", lambda match: _variable(match[0], variables), text)
    head = Markup('<svg role="img" aria-label="{}"').format(escape(title))
    # Safe: every string that entered the figure was escaped by matplotlib's SVG writer.
    return head + Markup(text.removeprefix("<svg"))


def _variable(colour: str, variables: Mapping[str, str]) -> str:
    return f"var({variables[colour]})" if colour in variables else colour
