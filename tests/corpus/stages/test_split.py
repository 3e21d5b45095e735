"""The split of a corpus: that of training with seed 0, for those who load the tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.config import DataConfig
from lightning_dpg.corpus.stages.split import draw_split, split_counts, split_rows
from lightning_dpg.data.samples import Sample, split_samples
from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile

SCORES = [0.0] * 5


def speeches(row: Callable[..., Any], people: int) -> list[Any]:
    """One rated speech each, four characters a work."""
    return [row(f"w{i // 4}/1", f"w{i // 4}/p{i}", reply_scores=SCORES) for i in range(people)]


@pytest.mark.parametrize("by", ["character", "work"])
def test_it_is_the_split_that_training_draws_with_seed_0(
    by: Any, row: Callable[..., Any], kept: Artefacts
) -> None:
    config = DataConfig(split_by=by, validation_fraction=0.15, test_fraction=0.3)
    rows = split_rows(speeches(row, 40), config, kept)
    samples = [
        Sample(r["character"], r["work"], "en", "", Profile((0.0,) * 5), (), r["text"])
        for r in rows
    ]
    for part, found in split_samples(samples, config, seed=0).items():
        assert {s.character for s in found} == {r["character"] for r in rows if r["split"] == part}
    others = [draw_split([r[by] for r in rows], config, seed) for seed in (0, 1, 2)]
    assert others[0] != others[1] != others[2]


def test_it_is_that_of_training_in_several_languages(
    row: Callable[..., Any], kept: Artefacts
) -> None:
    rows = speeches(row, 40)
    rows = [{**r, "language": "zh" if i % 5 == 0 else "en"} for i, r in enumerate(rows)]
    samples = [
        Sample(r["character"], r["work"], r["language"], "", Profile((0.0,) * 5), (), r["text"])
        for r in rows
    ]
    found = {r["character"]: r["split"] for r in split_rows(rows, DataConfig(), kept)}
    expected = split_samples(samples, DataConfig(), seed=0)
    assert found == {s.character: part for part, some in expected.items() for s in some}
    english = split_rows([r for r in rows if r["language"] == "en"], DataConfig(), kept)
    assert all(found[r["character"]] == r["split"] for r in english)


def test_who_has_no_label_takes_nobodys_place(row: Callable[..., Any], kept: Artefacts) -> None:
    rows = speeches(row, 10)
    more = [
        row("w0/2", "w0/unrated"),
        row("w0/2", "w0/dropped", reply_scores=SCORES, dropped="distance: 9.0, 4 is allowed"),
        row("w0/2", ""),
        row("w0/2", "w0/p0"),  # an unrated speech goes with its character
    ]
    result = split_rows([*more, *rows], DataConfig(), kept)
    assert [r["split"] for r in result[4:]] == [
        r["split"] for r in split_rows(rows, DataConfig(), kept)
    ]
    assert [r["split"] for r in result[:3]] == ["", "", ""]
    assert result[3]["split"] == result[4]["split"] != ""
    assert split_counts(result, "character") == {
        "train": {"characters": 7, "speeches": 7},
        "validation": {"characters": 1, "speeches": 1},
        "test": {"characters": 2, "speeches": 2},
    }


def test_too_few_are_all_for_training(row: Callable[..., Any], kept: Artefacts) -> None:
    rows = split_rows(speeches(row, 2), DataConfig(), kept)
    assert [r["split"] for r in rows] == ["train", "train"]
    with pytest.raises(UserError, match="2 characters with samples are too few to hold out 1 for"):
        draw_split(["a", "b"], DataConfig(), 0)
