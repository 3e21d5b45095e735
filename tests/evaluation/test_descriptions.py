"""Whether replies differ by character: known effects, and none."""

from __future__ import annotations

import numpy as np
import pytest

from lightning_dpg.evaluation.descriptions import description_effect
from lightning_dpg.evaluation.personas import Persona, described_personas
from lightning_dpg.records import Profile

Answers = tuple[np.ndarray, list[str], list[str]]


def answered(effect: float, of_question: float = 0.0, characters: int = 6) -> Answers:
    """Eight questions answered by each character, which differ by `effect`."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(characters), 8)
    what = np.tile(np.arange(8), characters)
    points = rng.normal(0, 1, (len(who), 5))
    points += rng.normal(0, effect, (characters, 5))[who]
    points += rng.normal(0, of_question, (8, 5))[what]
    return points, [f"c{i}" for i in who], [f"q{i}" for i in what]


def test_an_effect_is_found_and_none_is_not() -> None:
    some = description_effect(*answered(1.0), 200, 0)
    none = description_effect(*answered(0.0), 200, 0)
    assert some["p"] is not None and none["p"] is not None
    assert some["p"] == pytest.approx(1 / 201)
    assert none["p"] > 0.05
    assert some["explained"] is not None and some["expected"] is not None
    assert some["explained"] > 2 * some["expected"]
    # Groups - 1 over replies - questions: dealt out at will it would be 5 / 47.
    assert some["expected"] == pytest.approx(5 / 40, abs=0.008)


def test_what_questions_do_to_all_hides_nothing() -> None:
    """Replies differ far more by question than by character here."""
    quiet, loud = (description_effect(*answered(0.6, q), 200, 0) for q in (0.0, 30.0))
    assert quiet["p"] == loud["p"] == pytest.approx(1 / 201)
    assert quiet["explained"] == pytest.approx(loud["explained"])


def test_chance_exchanges_replies_within_a_question_alone() -> None:
    """Who answers which question is no effect of a description: here each has its own two."""
    points, who, _ = answered(0.0, characters=4)
    what = [f"{int(c[1]) // 2}/{i % 8}" for i, c in enumerate(who)]
    points += np.array([[50.0 if q[0] == "0" else 0.0] for q in what])
    found = description_effect(points, who, what, 200, 0)
    assert found["p"] is not None and found["p"] > 0.05
    assert found["expected"] == pytest.approx(2 / 16, abs=0.03)  # 3 / 31 at will


def test_what_is_explained_is_a_share_of_the_sum_of_squares() -> None:
    points = np.array([[1.0, 0], [3, 0], [-1, 0], [-3, 0]])
    found = description_effect(points, ["a", "a", "b", "b"], ["q"] * 4, 10, 0)
    assert found["explained"] == pytest.approx(16 / 20)
    assert found["replies"] == 4


def test_too_few_compare_nothing() -> None:
    points, who, what = answered(1.0)
    for few in ([], [0], range(8), range(0, 48, 8)):
        rows = list(few)
        found = description_effect(
            points[rows], [who[i] for i in rows], [what[i] for i in rows], 50, 0
        )
        assert found["p"] is None and found["replies"] == len(rows)


def test_described_personas_stand_at_zero() -> None:
    ada = Persona("held_out/ada", "held_out", "Ada", "Keeps bees.", Profile((1.0,) * 5))
    nobody = Persona("held_out/bo", "held_out", "Bo", "", Profile((2.0,) * 5))
    (found,) = described_personas([ada, nobody])
    assert (found.id, found.kind) == ("described/held_out/ada", "described")
    assert (found.description, found.target) == ("Keeps bees.", Profile((0.0,) * 5))
