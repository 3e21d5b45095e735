"""A labelled corpus on disk: two Arrow tables, the norms of its labels, a card and its README."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import Dataset, Features, Sequence, Value, load_from_disk

from lightning_dpg.corpus.card import as_markdown
from lightning_dpg.errors import UserError
from lightning_dpg.files import put_back, replacing

SCORES = Sequence(Value("float32"))

UTTERANCES = Features(
    {
        "dialogue": Value("string"),
        "work": Value("string"),
        "scene": Value("string"),
        "language": Value("string"),
        "source": Value("string"),
        "position": Value("string"),
        "character": Value("string"),
        "name": Value("string"),
        "text": Value("string"),
        "reply_scores": SCORES,
        "dialogue_scores": SCORES,
        "reason": Value("string"),
        "coherence": Value("float32"),
        "integrity": Value("float32"),
        "distance": Value("float32"),
        "dropped": Value("string"),
        "split": Value("string"),
    }
)
"""One row a speech, in order. `character` is empty for crowds. `reply_scores` rate the speech
alone, `dialogue_scores` all that the character says in the dialogue; both null where there was
insufficient evidence (`reason`), else five scores in the order of `records.TRAITS`. `coherence` and
`integrity` are of the dialogue, 1 to 5, null where nobody judged it. `distance` is how far
`dialogue_scores` lie from the character's centre, in robust standard deviations. `dropped` names
the filter that a label did not pass, and is empty where it may be used; `split` is train,
validation or test (`stages.split`)."""

CHARACTERS = Features(
    {
        "id": Value("string"),
        "name": Value("string"),
        "description": Value("string"),
        "poles": Sequence(Value("int8")),
    }
)


REJECTED = "rejected.jsonl"
CARD = "card.json"
README = "README.md"


@dataclass(frozen=True)
class Corpus:
    """A corpus as stored.

    Attributes:
        utterances: see `UTTERANCES`.
        characters: see `CHARACTERS`.
        card: sources with hashes and licences, languages, assessor, judge, thresholds, counts,
            what was dropped, how the distribution changed, split, identity.
        reference: by language, norms of the instrument that labelled; empty when it has none.
        rejected: records that were left out, each with file, position and reason.
    """

    utterances: Dataset
    characters: Dataset
    card: dict[str, Any]
    reference: dict[str, Any]
    rejected: list[dict[str, str]] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        """Write the corpus; the folder appears at once and complete, or not at all."""
        with replacing(folder) as new:
            _save(self.utterances, new / "utterances")
            _save(self.characters, new / "characters")
            for name, content in (("card", self.card), ("reference", self.reference)):
                text = json.dumps(content, ensure_ascii=False, indent=2)
                (new / f"{name}.json").write_text(text + "\n", encoding="utf-8")
            lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in self.rejected]
            (new / REJECTED).write_text("".join(lines), encoding="utf-8")
            (new / README).write_text(as_markdown(self.card), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Corpus:
        """Read a corpus.

        Raises:
            UserError: the folder is no corpus, or part of it is missing.
        """
        put_back(folder)
        try:
            found = cls(
                load_from_disk(str(folder / "utterances")),
                load_from_disk(str(folder / "characters")),
                json.loads((folder / CARD).read_text(encoding="utf-8")),
                json.loads((folder / "reference.json").read_text(encoding="utf-8")),
                _lines(folder / REJECTED),
            )
        except (OSError, ValueError) as error:
            raise UserError(
                f"{folder} is no complete corpus ({error}): delete it and build it again"
            ) from error
        if lacking := set(UTTERANCES) - set(found.utterances.column_names):
            raise UserError(
                f"{folder} was built by an older version of this package, which had no "
                f"{', '.join(sorted(lacking))}: build it again from its texts"
            )
        return found


def _save(table: Dataset, folder: Path) -> None:
    """Write a table; the same rows give the same bytes."""
    table.save_to_disk(str(folder))
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.arrow")):
        digest.update(path.read_bytes())
    # The library's own fingerprint of a table that was loaded tells where it lay, and when.
    state = folder / "state.json"
    content = json.loads(state.read_text(encoding="utf-8"))
    content["_fingerprint"] = digest.hexdigest()[:16]
    state.write_text(json.dumps(content, indent=2, sort_keys=True), encoding="utf-8")


def is_corpus(folder: Path) -> bool:
    """Whether a folder holds a corpus that was built, not texts to read."""
    put_back(folder)
    return (folder / CARD).is_file() and (folder / "utterances").is_dir()


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
