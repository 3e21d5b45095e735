"""The card of a corpus: where it is from, what it holds, how it was labelled and filtered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lightning_dpg.assessment.base import count_words
from lightning_dpg.records import TRAITS

NOT_STATED = "not stated"
"""The licence of a text that names none."""
OWN = "Apache-2.0"
"""The licence of the bundled texts, which are the project's."""


def counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How much some speeches are; `kept` are scored and not dropped."""
    scored = [row for row in rows if row["reply_scores"] is not None]
    return {
        "works": len({row["work"] for row in rows}),
        "dialogues": len({row["dialogue"] for row in rows}),
        "characters": len({row["character"] for row in rows} - {""}),
        "utterances": len(rows),
        "unscored": len(rows) - len(scored),
        "kept": sum(not row["dropped"] for row in scored),
        "words": sum(count_words(row["text"]) for row in rows),
    }


def as_markdown(card: Mapping[str, Any]) -> str:
    """The card as the README.md of a dataset."""
    head = ["---", "language:", *(f'- "{code}"' for code in card["languages"])]
    head += [
        f"license: {_licence(card['licences'].values())}",
        "tags:",
        "- personality",
        "- dialogue",
    ]
    blocks = [
        "\n".join([*head, "---"]),
        f"# Dialogue with Big Five labels, corpus {card['hash']}",
        _contents(card),
        "## Sources\n\n" + _sources(card),
        "## Labels\n\n" + _labels(card),
        "## What was dropped\n\n" + _dropped(card),
        "## Split\n\n" + _split(card),
        "## Use\n\n" + USE,
    ]
    return "\n\n".join(blocks) + "\n"


USE = """\
```python
from datasets import load_from_disk

speeches = load_from_disk("utterances")
train = speeches.filter(lambda r: r["split"] == "train" and r["reply_scores"] and not r["dropped"])
```

One row a speech, in order. `reply_scores` rate the speech alone, `dialogue_scores` all that its
character says in the dialogue: openness, conscientiousness, extraversion, agreeableness and
neuroticism, -5 to 5, or null with a `reason`. `distance` is how far the latter lie from the
character's centre, in robust standard deviations. A speech that was `dropped` still stands where it
is said, as what others answer; its label is not to be used."""


def _contents(card: Mapping[str, Any]) -> str:
    return (
        f"{card['works']:,} works, {card['dialogues']:,} dialogues, {card['characters']:,} "
        f"characters, {card['utterances']:,} speeches ({card['words']:,} words) in "
        f"{', '.join(card['languages'])}. {card['kept']:,} speeches have a label to use, "
        f"{card['unscored']:,} have no scores. {card['rejected']:,} records were left out, listed "
        f"in `rejected.jsonl`. Built by lightning_dpg {card['version']}."
    )


def _sources(card: Mapping[str, Any]) -> str:
    rows = [
        (f"`{name}`", card["licences"].get(name, ""), f"`{digest[:12]}`")
        for name, digest in card["files"].items()
    ]
    return markdown_table(("file", "licence", "SHA-256 (begins)"), rows)


def _labels(card: Mapping[str, Any]) -> str:
    judge = card["judge"]
    lines = [f"- Assessor: `{card['labels']}`."]
    if judge is None:
        lines.append("- No judge of dialogues: coherence and integrity were not judged.")
    else:
        missing = sum(judge["unjudged"].values())
        lines.append(f"- Judge of dialogues: `{judge['identity']}`; {missing:,} were not judged.")
        lines += [f"  - {count:,}: {reason}" for reason, count in judge["unjudged"].items()]
    return "\n".join(lines)


def _dropped(card: Mapping[str, Any]) -> str:
    parts = [thresholds(card)]
    if card["dropped"]:
        kinds = [(name, *map(str, of.values())) for name, of in card["dropped"].items()]
        parts.append(markdown_table(("filter", "dialogues", "parts", "speeches"), kinds))
    parts.append(
        f"How the {card['distribution']['before']['parts']:,} rated parts lie: standard deviation "
        "within a character, in points, and share of all variance between characters (ICC(1))."
    )
    parts.append(markdown_table(*distribution_table(card)))
    if "distance" in card["dropped"]:
        parts.append(RISES)
    return "\n\n".join(parts)


RISES = (
    "The share between characters rises whenever far parts go: by itself it says nothing of better "
    "labels."
)


def distribution_table(card: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows by trait: spread within characters and share between them.

    Each before and after parts were dropped for their distance, or once where none was.
    """
    given = card["distribution"]
    changed = given["before"]["parts"] != given["after"]["parts"]
    columns = [(m, w) for m in MEASURES for w in (("before", "after") if changed else ("before",))]

    def cell(measure: str, when: str, trait: int) -> str:
        values = given[when][measure]
        return f"{values[trait]:.2f}" if values else "n/a"

    named = {"before": "{}, before", "after": "after"} if changed else {"before": "{}"}
    head = ["trait", *(named[when].format(measure) for measure, when in columns)]
    return head, [[name, *(cell(*c, i) for c in columns)] for i, name in enumerate(TRAITS)]


MEASURES = ("within", "between")


def thresholds(card: Mapping[str, Any]) -> str:
    """What the filters were told to drop, in words."""
    asked = card["thresholds"]
    said = []
    if card["judge"] is not None:
        said.append(
            f"Dialogues of a coherence below {asked['least_coherence']:g} or an integrity below "
            f"{asked['least_integrity']:g} (1 to 5)."
        )
    if asked["max_distance"] is not None:
        said.append(
            f"Parts of characters in dialogues that lie farther than {asked['max_distance']:g} "
            f"robust standard deviations from the character's centre, where it has "
            f"{asked['least_support']} or more."
        )
    return " ".join(said) or "Nothing was to be dropped."


def _split(card: Mapping[str, Any]) -> str:
    split = card["split"]
    rows = [(part, *map(str, of.values())) for part, of in split["parts"].items()]
    few = "" if len(rows) == 3 else f" Too few {split['by']}s to hold any out."
    table = markdown_table(("part", f"{split['by']}s", "speeches"), rows)
    return f"By {split['by']}, drawn with seed {split['seed']}.{few}\n\n{table}"


def _licence(stated: Iterable[str]) -> str:
    """As dataset cards name it: one for all, or `other`, or `unknown`."""
    found = Counter(stated)
    if set(found) == {OWN}:
        return OWN.lower()
    return "unknown" if set(found) <= {NOT_STATED} else "other"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
