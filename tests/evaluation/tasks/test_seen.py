"""Characters of training as a match for those who are held out."""

from __future__ import annotations

from lightning_dpg.config import DataConfig, EvaluationConfig
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import Sample, make_samples
from lightning_dpg.evaluation.personas import character_centers
from lightning_dpg.evaluation.questions import CLOSING
from lightning_dpg.evaluation.tasks.seen import seen

SETTINGS = EvaluationConfig(replies_per_persona=2)


def parts(corpus: Corpus, *test: str) -> dict[str, list[Sample]]:
    samples = make_samples(corpus, DataConfig())
    held_out = [s for s in samples if s.character.removeprefix("ferry/") in test]
    return {"train": [s for s in samples if s not in held_out], "test": held_out}


def test_as_many_of_training_as_are_held_out(corpus: Corpus) -> None:
    task = seen(SETTINGS, corpus, parts(corpus, "anna", "emil"), 0)
    people = {p.id.removeprefix("seen/") for p in task.personas}
    assert (task.name, len(people)) == ("seen", 2)
    assert people <= {"ferry/ben", "ferry/carla", "ferry/dora"}
    centers = character_centers(corpus)
    for item in task.items:
        assert item.persona.kind == "seen"
        assert item.persona.target == centers[item.persona.character]
        assert item.contexts == ((CLOSING[0],), (CLOSING[1],))


def test_all_of_training_where_they_are_fewer(corpus: Corpus) -> None:
    task = seen(SETTINGS, corpus, parts(corpus, "anna", "emil", "dora"), 0)
    assert [p.character for p in task.personas] == ["ferry/ben", "ferry/carla"]


def test_they_are_drawn_by_the_seed(corpus: Corpus) -> None:
    split = parts(corpus, "emil")
    drawn = [seen(SETTINGS, corpus, split, seed).personas[0].character for seed in range(30)]
    assert set(drawn) == {f"ferry/{name}" for name in ("anna", "ben", "carla", "dora")}
    assert drawn[3] == seen(SETTINGS, corpus, split, 3).personas[0].character
