"""From a model's answer to the object that counts, and to values out of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from lightning_dpg.assessment.asking.prompt import Unreadable
from lightning_dpg.assessment.rubric.lenient import Malformed, find_objects, number
from lightning_dpg.assessment.rubric.quoting import quoted

_FLAGS = {
    **dict.fromkeys(("true", "yes", "1", "是", "真"), True),
    **dict.fromkeys(("false", "no", "0", "否", "假", ""), False),
}

_ECHO = 80
"""Characters of an answer that a message repeats: the answer may repeat the text that was judged,
which must not stand in a message to the model at length, or unquoted."""


def answer_object(
    answer: str, fits: Callable[[dict[str, Any]], bool], material: str, wanted: str
) -> dict[str, Any]:
    """The object of an answer that counts: the last complete outermost one that fits.

    A model may think aloud before it answers, so the last counts. It may also quote: an object that
    stands so in the material that was judged is never the answer.

    Args:
        answer: as the model gave it.
        fits: whether an object's keys are those of an answer.
        material: what was judged, as the model saw it when unquoted.
        wanted: what a right answer looks like, for the message.

    Raises:
        Unreadable: no object, a broken one, or only quoted ones.
    """
    try:
        found = [(value, source) for value, source in find_objects(answer) if fits(value)]
    except Malformed as error:
        raise Unreadable(f"{error}. Answer with {wanted}") from None
    if not found:
        raise Unreadable(f"the answer holds no such object. Answer with {wanted}")
    seen = _squeezed(material)
    own = [value for value, source in found if _squeezed(source) not in seen]
    if not own:
        raise Unreadable(f"the answer repeats what stands in the text. Answer with {wanted}")
    return own[-1]


def plain(key: str) -> str:
    """A key without case, spaces, full-width forms and hyphens."""
    text = unicodedata.normalize("NFKC", key).strip().casefold()
    return text.replace(" ", "_").replace("-", "_")


def with_names(given: dict[str, Any], names: dict[str, str], where: str) -> dict[str, Any]:
    """The fields of an object under their own names; others are left out.

    Args:
        given: as parsed.
        names: from what a key may be called, as `plain` gives it, to its name.
        where: what the object is, for the message.

    Raises:
        Unreadable: a field that comes under two names, or an object under an unknown one: a
            quotation mark that was not escaped can move a field elsewhere.
    """
    result: dict[str, Any] = {}
    for key, value in given.items():
        name = names.get(plain(key))
        if name is None:
            if isinstance(value, dict | list):
                raise Unreadable(f"{where} has an unknown key {_echoed(key)}")
        elif name in result:
            raise Unreadable(f"{where} gives {name} twice")
        else:
            result[name] = value
    return result


def in_range(value: Any, low: float, high: float, where: str) -> float:
    """A number in [low, high], also as a string.

    Raises:
        Unreadable: anything else.
    """
    found = number(value) if isinstance(value, str) else value
    if isinstance(found, int | float) and not isinstance(found, bool) and low <= found <= high:
        return float(found)
    shown = f"{value:g}" if isinstance(value, float) else _echoed(value)
    raise Unreadable(f"{where} must be a whole number from {low:g} to {high:g}, got {shown}")


def flag(value: Any, where: str) -> bool:
    """True or false, also in words; what is missing is false.

    Raises:
        Unreadable: anything else.
    """
    if value is None or isinstance(value, bool):
        return bool(value)
    text = f"{value:g}" if isinstance(value, int | float) else str(value).strip().casefold()
    if text not in _FLAGS:
        raise Unreadable(f"{where} must be true or false, got {_echoed(value)}")
    return _FLAGS[text]


def texts(value: Any) -> list[str]:
    """The texts in a list, or a single one; anything else is left out."""
    listed = value if isinstance(value, list) else [value]
    return [text for text in listed if isinstance(text, str) and text.strip()]


def _echoed(value: Any) -> str:
    """A part of an answer: the beginning of a text, as quoted data; only the kind of an object."""
    if isinstance(value, str):
        return quoted(value if len(value) <= _ECHO else value[:_ECHO] + "…")
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return repr(value)


def _squeezed(text: str) -> str:
    return "".join(text.split())
