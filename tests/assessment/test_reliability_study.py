"""The study as a whole: assessors whose errors are known, and what is made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from rich.console import Console

from lightning_dpg.assessment.reliability.collecting import PROBE, collect, split
from lightning_dpg.assessment.reliability.study import study
from lightning_dpg.assessment.reliability.subjects import Repeatable, Subject
from lightning_dpg.assessment.scripted import ScriptedAssessor
from lightning_dpg.errors import UserError
from lightning_dpg.progress import Advance, Steps
from lightning_dpg.records import TRAITS, Rating

NOISE = 0.8


class Meter:
    """Reads a person's true scores out of the passages, and errs by a known amount.

    A passage is `person score score score score score`; the reading is the mean over passages.
    """

    def __init__(self, noise: float = 0.0, shift: float = 0.0, silent: str = "") -> None:
        self.rng, self.noise, self.shift, self.silent = (
            np.random.default_rng(5),
            noise,
            shift,
            silent,
        )
        self.contexts: list[str] = []

    @property
    def identity(self) -> str:
        return f"meter/{self.noise:g}"

    def rate(
        self,
        persons: Sequence[Sequence[str]],
        contexts: Sequence[str] | None = None,
        advance: Advance | None = None,
        read: int | None = None,
    ) -> list[Rating]:
        del read
        self.contexts += contexts or []
        if advance:
            advance(sum(map(len, persons)))
        return [self._read(passages) for passages in persons]

    def _read(self, passages: Sequence[str]) -> Rating:
        if self.silent and passages[0].startswith(self.silent):
            return Rating.unscored("insufficient evidence: 3 words, 25 are needed")
        true = np.mean([[float(x) for x in p.split()[1:]] for p in passages], axis=0)
        noise = self.rng.normal(size=len(TRAITS)) * self.noise
        return Rating(tuple(np.clip(true + noise + self.shift, -5, 5).tolist()))


class Moody(Meter):
    """The same, but can be asked again."""

    def repeated(
        self,
        persons: Sequence[Sequence[str]],
        times: int,
        contexts: Sequence[str] | None = None,
        advance: Advance | None = None,
    ) -> list[list[Rating]]:
        runs = [self.rate(persons, contexts, advance) for _ in range(times)]
        return [list(answers) for answers in zip(*runs, strict=True)]


def people(count: int = 40, sets: int = 2, spread: float = 0.0) -> list[Subject]:
    """Persons whose true score is +2 or -2 by trait, with passages that scatter around it."""
    rng = np.random.default_rng(0)
    found = []
    for i in range(count):
        poles = tuple(int(p) for p in rng.choice([-1, 1], size=len(TRAITS)))
        for j in range(sets):
            rows = 2 * np.array(poles) + spread * rng.normal(size=(4, len(TRAITS)))
            passages = tuple(f"p{i:02} " + " ".join(f"{x:.6f}" for x in row) for row in rows)
            found.append(Subject(f"{i}/{j}", passages, poles, context=f"c{i}", person=f"p{i:02}"))
    return found


@pytest.fixture
def steps() -> Steps:
    return Steps(Console(quiet=True))


def test_known_errors_are_found(steps: Steps) -> None:
    """Truth has variance 4, a passage 3²; of four a mean has 3²/4, and a rating adds noise."""
    subjects = people(count=150, sets=2, spread=3.0)
    found = study(
        {"moody": Moody(NOISE), "exact": Meter()},
        subjects,
        repeats=4,
        seed=0,
        steps=steps,
        resamples=20,
    )
    traits = found["assessors"]["moody"]["traits"].values()

    def mean(*path: str) -> float:
        values = []
        for value in traits:
            for key in path:
                value = value[key]
            values.append(value["value"])
        return float(np.mean(values))

    assert mean("repeats", "sd") == pytest.approx(NOISE, abs=0.05)
    of_text = 4 + 9 / 4
    assert mean("repeats", "icc") == pytest.approx(of_text / (of_text + NOISE**2), abs=0.03)
    one = 4 / (of_text + NOISE**2)
    assert mean("sets", "icc") == pytest.approx(one, abs=0.06)
    assert mean("sets", "icc_mean") == pytest.approx(2 * one / (1 + one), abs=0.06)
    half = 4 / (4 + 9 / 2 + NOISE**2)
    assert mean("split_half") == pytest.approx(2 * half / (1 + half), abs=0.06)
    assert 0.9 < mean("auc") < 0.97
    assert mean("pole_difference") == pytest.approx(4, abs=0.2)
    assert abs(mean("mean")) < 0.4
    pair = found["pairs"][0]["traits"]["openness"]
    expected = (of_text / (of_text + NOISE**2)) ** 0.5
    assert pair["r"]["value"] == pytest.approx(expected, abs=0.03)
    assert pair["icc"]["value"] < pair["r"]["value"]


def test_a_deterministic_assessor_is_called_so(steps: Steps) -> None:
    found = study({"exact": Meter()}, people(12), repeats=3, seed=0, steps=steps, resamples=20)
    described = found["assessors"]["exact"]
    assert described["deterministic"] and not described["repeatable"]
    assert described["asked_again"] == {"subjects": PROBE, "times": 2}
    assert all(trait["repeats"] is None for trait in described["traits"].values())


def test_one_that_should_be_and_is_not_is_found_out(steps: Steps) -> None:
    found = study({"noisy": Meter(0.5)}, people(12), repeats=3, seed=0, steps=steps, resamples=20)
    described = found["assessors"]["noisy"]
    assert not described["deterministic"] and not described["repeatable"]
    assert described["traits"]["openness"]["repeats"]["sd"]["value"] > 0.1


@pytest.mark.parametrize(("repeats", "noise"), [(1, 0.5), (3, 0.0)])
def test_no_repeat_sd_of_one_answer_or_of_equal_ones(
    repeats: int, noise: float, steps: Steps
) -> None:
    found = study(
        {"moody": Moody(noise)}, people(8), repeats=repeats, seed=0, steps=steps, resamples=20
    )
    described = found["assessors"]["moody"]
    assert described["deterministic"] == (noise == 0)
    assert described["repeatable"]
    assert described["asked_again"] == {"subjects": 16, "times": repeats}
    assert described["traits"]["openness"]["repeats"] is None


def test_insufficient_evidence_is_counted_by_assessor(steps: Steps) -> None:
    found = study(
        {"shy": Meter(silent="p0"), "exact": Meter()},
        people(12),
        repeats=1,
        seed=0,
        steps=steps,
        resamples=20,
    )
    shy, exact = (found["assessors"][name] for name in ("shy", "exact"))
    assert shy["unscored"] == 20 and exact["unscored"] == 0
    assert shy["unscored_halves"] == 40
    assert shy["reasons"] == {"insufficient evidence: N words, N are needed": 20}
    assert shy["traits"]["openness"]["unscored"] == 20
    assert shy["traits"]["openness"]["mean"]["subjects"] == 4
    assert found["pairs"][0]["traits"]["openness"]["r"]["subjects"] == 4
    silent = [s for s in found["subjects"] if s["scores"]["shy"][0] is None]
    assert len(silent) == 20
    assert all(s["scores"]["exact"][0] is not None for s in silent)


def test_an_assessor_that_never_answers_leaves_no_number(steps: Steps) -> None:
    found = study({"mute": Meter(silent="p")}, people(9), repeats=2, seed=0, steps=steps)
    described = found["assessors"]["mute"]
    assert not described["deterministic"]
    for trait in described["traits"].values():
        numbers = [trait["mean"], trait["auc"], trait["split_half"], trait["sets"]["icc"]]
        assert [number["value"] for number in numbers] == [None] * 4


def test_a_shift_is_bias(steps: Steps) -> None:
    found = study(
        {"high": Meter(shift=1.0), "exact": Meter()},
        people(12),
        repeats=1,
        seed=0,
        steps=steps,
        resamples=20,
    )
    (pair,) = found["pairs"]
    assert pair["assessors"] == ["high", "exact"]
    assert all(t["bias"]["value"] == pytest.approx(1) for t in pair["traits"].values())
    means = [
        found["assessors"][n]["traits"]["openness"]["mean"]["value"] for n in ("high", "exact")
    ]
    assert means[0] - means[1] == pytest.approx(1)


def test_every_pair_is_compared_and_all_of_it_is_json(steps: Steps) -> None:
    assessors = {"a": Meter(), "b": Moody(1.0), "c": ScriptedAssessor()}
    found = study(assessors, people(8), repeats=2, seed=3, steps=steps, resamples=20)
    assert [p["assessors"] for p in found["pairs"]] == [["a", "b"], ["a", "c"], ["b", "c"]]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["settings"] == {
        "subjects": 16,
        "persons": 8,
        "repeats": 2,
        "seed": 3,
        "resamples": 20,
    }
    assert [a["identity"] for a in found["assessors"].values()] == [
        assessor.identity for assessor in assessors.values()
    ]


def test_contexts_go_along_with_subjects_and_halves(steps: Steps) -> None:
    meter = Meter()
    collect("meter", meter, people(3, sets=1), 1, steps)
    own = ["c0", "c1", "c2"]
    assert meter.contexts == [*own, *own, *own, "c0", "c0", "c1", "c1", "c2", "c2"]


def test_scores_repeats_and_halves_are_those_of_their_subjects(steps: Steps) -> None:
    subjects = people(3, sets=1, spread=1.0)
    exact = collect("exact", Moody(), subjects, 2, steps)
    assert exact.repeats == pytest.approx(np.stack([exact.scores] * 2, axis=1))
    for row, subject in enumerate(subjects):
        table = np.array([[float(x) for x in p.split()[1:]] for p in subject.passages])
        assert exact.scores[row] == pytest.approx(table.mean(0))
        assert exact.halves[row, 0] == pytest.approx(table[[0, 2]].mean(0))
        assert exact.halves[row, 1] == pytest.approx(table[[1, 3]].mean(0))


def test_passages_are_dealt_alternately() -> None:
    assert split(("a", "b", "c", "d", "e")) == (["a", "c", "e"], ["b", "d"])
    assert isinstance(Moody(), Repeatable) and not isinstance(Meter(), Repeatable)


@pytest.mark.parametrize("kind", [Meter, Moody])
def test_progress_reaches_the_announced_total(kind: type[Meter]) -> None:
    totals: list[int] = []
    done: list[int] = []

    class Counting(Steps):
        def bar(self, title: str, total: int, spent: object = None):  # type: ignore[no-untyped-def]
            from contextlib import contextmanager

            @contextmanager
            def counted():  # type: ignore[no-untyped-def]
                totals.append(total)
                yield done.append

            return counted()

    collect("x", kind(), people(20), 3, Counting(Console(quiet=True)))
    assert sum(done) == totals[0]


@pytest.mark.parametrize(
    ("names", "subjects", "repeats", "message"),
    [
        ([], people(2), 1, "needs an assessor"),
        (["a"], [], 1, "nobody says enough"),
        (["a"], people(2), 0, "got 0 repeats"),
        (["a"], people(2) + people(1), 1, "'0/0' comes twice"),
    ],
)
def test_bad_input_is_refused(
    names: list[str], subjects: list[Subject], repeats: int, message: str, steps: Steps
) -> None:
    with pytest.raises(UserError, match=message):
        study(dict.fromkeys(names, Meter()), subjects, repeats=repeats, seed=0, steps=steps)
