"""What each stage of a build leaves behind, found again by the digest of what it was given."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightning_dpg.config import fingerprint
from lightning_dpg.files import write_atomically

FORMAT = 4
"""Of stages and corpora: another number builds them anew, from readings and answers as they lie."""
UNFINISHED = ("the server failed", "the server rejected the request", "too long for the model")
"""How reasons begin that another run may find gone: what holds one is not kept."""


class Artefacts:
    """Files of finished work, `STAGE/DIGEST.json`, each complete or not there.

    A digest is taken of all that a stage is given: what it computes from, and its settings. So a
    stage runs again when, and only when, something changed that it depends on.

    Args:
        folder: where they lie; it may be deleted at any time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(
        self,
        stage: str,
        given: Any,
        make: Callable[[], Any],
        reasons: Callable[[Any], Iterable[str]] = lambda _: (),
    ) -> Any:
        """What a stage makes of what it is given: read where it lies, else made and kept.

        Args:
            stage: its name.
            given: plain values, all that the result depends on.
            make: gives plain values for JSON.
            reasons: from these, why something is missing; `UNFINISHED` ones are tried again in
                another run.
        """
        path = self.folder / stage / f"{fingerprint(FORMAT, given)}.json"
        try:
            return json.loads(path.read_bytes())
        except (OSError, ValueError):  # absent, or damaged
            text = json.dumps(make(), indent=1)
        found = json.loads(text)
        if not any(reason.startswith(UNFINISHED) for reason in reasons(found)):
            write_atomically(path, text.encode())
        return found

    def get_array(
        self, stage: str, given: Any, make: Callable[[], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """The same of an array, which outlives `FORMAT`: readings take long."""
        path = self.folder / stage / f"{fingerprint(given)}.npy"
        try:
            found: NDArray[np.float64] = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            found = make()
            file = BytesIO()
            np.save(file, found, allow_pickle=False)
            write_atomically(path, file.getvalue())
        return found
