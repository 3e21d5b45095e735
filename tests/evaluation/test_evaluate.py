"""The closing evaluation of the frozen arms on the tiny backbone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightning_dpg.assessment.scripted import ScriptedAssessor, digest_scores
from lightning_dpg.config import Config
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import make_samples, split_samples
from lightning_dpg.evaluation.evaluate import REPLIES, evaluate
from lightning_dpg.evaluation.instruments import Instruments
from lightning_dpg.evaluation.questions import CLOSING
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.progress import Steps
from lightning_dpg.records import TRAITS


@pytest.fixture
def run(config: Config, corpus: Corpus, backbone: Backbone, tmp_path: Path) -> Any:
    """Evaluates into tmp_path; gives the results and the lines of the replies."""
    e = config.evaluation
    e.arms, e.drawn_profiles, e.replies_per_persona = ["unadapted", "prompted"], 3, 2
    e.max_new_tokens, e.bootstrap, e.fluency_replies = 12, 20, 2
    config.data.test_fraction = config.data.validation_fraction = 0.2
    split = split_samples(make_samples(corpus, config.data), config.data, 0)

    scripted = ScriptedAssessor()
    instruments = Instruments(scripted, scripted, ScriptedAssessor(min_words=3))

    def go() -> tuple[dict[str, Any], list[dict[str, str]]]:
        found = evaluate(config, corpus, split, backbone, instruments, {}, tmp_path, Steps())
        lines = (tmp_path / REPLIES).read_text(encoding="utf-8").splitlines()
        return found, [json.loads(line) for line in lines]

    return go


def test_the_replies_of_a_persona_are_rated_together(run: Any) -> None:
    found, lines = run()
    assert len(lines) == 2 * 4 * 2  # arms, personas, replies
    people = [p["id"] for p in found["personas"]]
    assert [p.split("/")[0] for p in people] == ["held_out", "drawn", "drawn", "drawn"]
    for arm in ("unadapted", "prompted"):
        for person in people:
            said = [ln["reply"] for ln in lines if ln["arm"] == arm and ln["persona"] == person]
            measured = found["arms"][arm]["measured"][person]
            if measured is None:
                assert found["arms"][arm]["reasons"][person].startswith("insufficient evidence")
            else:
                assert measured == pytest.approx(digest_scores("\n".join(said)), abs=1e-3)
    assert {line["prompt"] for line in lines} <= {text for _, text in CLOSING}


def test_an_interrupted_evaluation_generates_only_what_is_missing(run: Any, tmp_path: Path) -> None:
    first, lines = run()
    kept = [line for line in lines if line["arm"] == "unadapted"]
    for line in kept:
        line["reply"] = f"I said so before, to {line['prompt']}"
    text = "\n".join(json.dumps(line) for line in kept)
    (tmp_path / REPLIES).write_text(text + "\n", encoding="utf-8")
    second, again = run()
    assert [ln for ln in again if ln["arm"] == "unadapted"] == kept
    assert [ln for ln in again if ln["arm"] == "prompted"] == [
        ln for ln in lines if ln["arm"] == "prompted"
    ]
    assert second["arms"]["prompted"] == first["arms"]["prompted"]
    assert second["arms"]["unadapted"]["unscored"] == 0


def test_an_arm_that_is_not_whole_is_generated_again(run: Any, tmp_path: Path) -> None:
    _, lines = run()
    text = "\n".join(json.dumps(line) for line in lines[:-1])
    (tmp_path / REPLIES).write_text(text + "\n", encoding="utf-8")
    assert run()[1] == lines


def test_replies_to_other_questions_are_generated_again(run: Any, tmp_path: Path) -> None:
    _, lines = run()
    stale = [line | {"prompt": "What did an earlier version ask?"} for line in lines]
    text = "\n".join(json.dumps(line) for line in stale)
    (tmp_path / REPLIES).write_text(text + "\n", encoding="utf-8")
    assert run()[1] == lines


def test_each_arm_has_its_fluency_and_a_second_opinion(run: Any) -> None:
    found, lines = run()
    for arm in ("unadapted", "prompted"):
        fluency = found["arms"][arm]["fluency"]
        said = [ln["reply"] for ln in lines if ln["arm"] == arm]
        assert fluency["nll"] > 0 and 0 < fluency["distinct_2"] <= 1
        assert fluency["words"] == pytest.approx(np.mean([len(text.split()) for text in said]))
        second = found["arms"][arm]["second"]
        assert second["instrument"] == "scripted/digest_scores/min_words=3"
        assert set(second["trait_r"]) == set(TRAITS)
    assert "dose_response" not in found  # it is asked of DPG
