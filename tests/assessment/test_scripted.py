"""The assessor that follows a rule."""

from __future__ import annotations

import hashlib

from lightning_dpg.assessment.scripted import ScriptedAssessor


def test_scores_follow_from_the_text_alone() -> None:
    digest = hashlib.sha256(b"Come in.").digest()
    expected = tuple(digest[i] / 255 * 10 - 5 for i in range(5))
    first, second, third = ScriptedAssessor().rate([["Come in."], ["Go away."], ["Come in."]])
    assert [round(s, 9) for s in first.scores if s is not None] == [round(s, 9) for s in expected]
    assert first == third != second


def test_scores_lie_on_the_scale() -> None:
    scores = [r.scores for r in ScriptedAssessor().rate([[f"word {i}"] for i in range(300)])]
    flat = [score for row in scores for score in row if score is not None]
    assert len(flat) == 1500
    assert -5 <= min(flat) < -4.9
    assert 4.9 < max(flat) <= 5


def test_a_rule_can_be_given() -> None:
    def loud(text: str) -> tuple[float, ...]:
        return (0.0, 0.0, float(text.count("!")), 0.0, 0.0)

    assessor = ScriptedAssessor(loud)
    assert [r.scores[2] for r in assessor.rate([["Go!"], ["Go!", "!"], ["Go"]])] == [1, 2, 0]
    assert assessor.identity == "scripted/loud/min_words=1"


def test_short_texts_are_insufficient_evidence() -> None:
    short, enough = ScriptedAssessor(min_words=3).rate([["Come in"], ["Come", "in now"]])
    assert short.scores == (None,) * 5
    assert short.reason == "insufficient evidence: 2 words, 3 are needed"
    assert enough.complete
    assert enough.reason == ""


def test_progress_is_told() -> None:
    done: list[int] = []
    ScriptedAssessor().rate([["a", "b"], ["c"]], advance=done.append)
    assert sum(done) == 3
