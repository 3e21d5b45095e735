"""Broken files: any bytes, and valid files with any pieces cut out, put in or doubled."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from lightning_dpg.corpus.readers import Reader
from lightning_dpg.errors import UserError

PIECES = [b"\n", b"\r\n", b'"', b"'", b"{", b"[", b"]", b"}", b",", b":", b"null", b"-1e999", b"\\"]
PIECES += [b"\xff", b"\xc3", b"\x00", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b'"\\ud83d"', b"[" * 5000]
PIECES += [b" +++$+++ ", b"<u>", b"9" * 5000, "他说：".encode()]

FUZZ = settings(
    max_examples=60,
    deadline=timedelta(seconds=10),
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@st.composite
def mutated(draw: st.DrawFn, valid: bytes) -> bytes:
    raw = bytearray(valid)
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(raw)))
        end = draw(st.integers(start, min(start + 30, len(raw))))
        doubled = bytes(raw[start:end]) * 2
        raw[start:end] = draw(st.sampled_from([*PIECES, b"", doubled]) | st.binary(max_size=4))
    return bytes(raw)


def broken(valid: bytes) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=300) | st.text(max_size=100).map(str.encode) | mutated(valid)


def json_values() -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        ),
        max_leaves=6,
    )


def check_survives(reader: Reader, name: str, files: Mapping[str, bytes]) -> None:
    """Read one of these files: what comes out is whole, and nothing but the allowed escapes."""
    with tempfile.TemporaryDirectory() as folder:
        for other, raw in files.items():
            (Path(folder) / other).write_bytes(raw)
        path = Path(folder) / name
        reader.accepts(path, path.read_text(encoding="utf-8-sig", errors="replace")[:4096])
        rejects: list[tuple[str, str]] = []
        try:
            dialogues = list(reader.read(path, lambda where, why: rejects.append((where, why))))
        except (UserError, UnicodeDecodeError):
            return
    assert len({dialogue.id for dialogue in dialogues}) == len(dialogues)
    assert all(where and why for where, why in rejects)
    for dialogue in dialogues:
        assert dialogue.utterances
        assert dialogue.work
        for spoken in dialogue.utterances:
            assert spoken.text
            assert spoken.position
            stored = [spoken.text, spoken.name, spoken.speaker, *spoken.directions, dialogue.work]
            assert all(text == text.encode().decode() and "\n" not in text for text in stored)
