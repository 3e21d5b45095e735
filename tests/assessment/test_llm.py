"""The assessor that asks a language model, over a stand-in."""

from __future__ import annotations

import math
from typing import Any

import pytest

from lightning_dpg.assessment.asking.prompt import Answer, Prompt
from lightning_dpg.assessment.base import Assessor
from lightning_dpg.assessment.llm import LLMAssessor, combined
from lightning_dpg.config import AssessorSettings
from lightning_dpg.records import TRAITS, Rating
from tests.assessment.rubric.standin import Rule, StandIn, scored

LONG = "I have told you so a hundred times and more."


def assessor(rule: Rule, names: Any = (), **settings: Any) -> tuple[LLMAssessor, StandIn]:
    asker = StandIn(rule)
    given = {"kind": "litellm", "min_words": 3} | settings
    return LLMAssessor(asker, AssessorSettings(**given), names), asker


def by_repeat(*answers: Any) -> Rule:
    return lambda prompt: answers[prompt.sample]


def test_it_is_an_assessor() -> None:
    rater: Assessor = assessor(by_repeat(scored(1, 2, 3, 4, 5)))[0]
    assert rater.rate([]) == []
    assert rater.rate([[LONG]], read=8) == [Rating((1.0, 2.0, 3.0, 4.0, 5.0))]


def test_ratings_keep_the_order_of_persons_and_traits() -> None:
    def rule(prompt: Prompt) -> dict[str, Any]:
        said = prompt.messages[-1][1]
        return scored(*(said.count(f"word{trait}") for trait in range(5)))

    rater, asker = assessor(rule, repeats=3)
    persons = [[" ".join(f"word{i} " * i for i in range(5)), "and more"], ["no"], ["one two word4"]]
    first, short, last = rater.rate(persons)
    assert first.scores == (0, 1, 2, 3, 4)
    assert last.scores == (0, 0, 0, 0, 1)
    assert short == Rating.unscored("insufficient evidence: 1 words, 3 are needed")
    assert [prompt.sample for prompt in asker.asked] == [0, 1, 2] * 2
    assert not any('"no"' in text for text in asker.seen)


def test_passages_are_numbered_in_one_prompt_after_their_context() -> None:
    rater, asker = assessor(by_repeat(scored(0, 0, 0, 0, 0)))
    rater.rate([["One of these.", " ", "Two of these."], [LONG]], contexts=["Who comes?", ""])
    assert len(asker.asked) == 2
    assert '\ncontext: "Who comes?"\n1: "One of these."\n2: "Two of these."\n===' in asker.seen[0]
    assert "context" not in asker.seen[1]


def test_the_median_counts_and_the_spread_is_kept() -> None:
    rater, _ = assessor(
        by_repeat(
            scored(1, None, None, 2, -5), scored(2, 3, None, None, -5), scored(6 - 1, 4, 1, 4, -5)
        ),
        repeats=3,
    )
    (details,) = rater.details([[LONG]])
    assert details.rating.scores == (2, 3.5, None, 3, -5)
    assert details.rating.reason == "insufficient evidence: extraversion"
    assert details.repeats == (
        (1, None, None, 2, -5),
        (2, 3, None, None, -5),
        (5, 4, 1, 4, -5),
    )
    # By hand: 1, 2, 5 lie 5/3, 2/3 and 7/3 from their mean.
    assert details.spread[0] == pytest.approx(math.sqrt((25 + 4 + 49) / 9 / 2))
    assert details.spread[1] == pytest.approx(math.sqrt(0.5))
    assert details.spread[2] is None and details.spread[4] == 0
    assert details.confidence == (0.5,) * 5
    assert rater.rate([[LONG]]) == [details.rating]


def test_half_the_answers_are_not_most() -> None:
    rater, _ = assessor(by_repeat(scored(1, 1, 1, 1, 1), scored(1, 1, 1, None, 1)), repeats=2)
    assert rater.rate([[LONG]])[0].scores == (1, 1, 1, None, 1)


def test_repeats_without_an_answer_are_left_out() -> None:
    rater, _ = assessor(
        by_repeat("refused: no", scored(1, 1, 1, 1, None), scored(3, 3, 3, 3, 3)), repeats=3
    )
    (details,) = rater.details([[LONG]])
    assert details.rating.scores == (2, 2, 2, 2, None)
    assert len(details.repeats) == 2


def test_without_any_answer_a_person_is_unscored_with_the_reason() -> None:
    rater, _ = assessor(by_repeat("refused: no", "HTTP 500"), repeats=2)
    (details,) = rater.details([[LONG]])
    assert details.rating == Rating.unscored("refused: no")
    assert details.repeats == () and details.spread == details.confidence == (None,) * 5
    assert details.evidence == ((),) * 5


def test_evidence_is_kept_once() -> None:
    def rule(prompt: Prompt) -> dict[str, Any]:
        answer = scored(1, 1, 1, 1, 1)
        answer["extraversion"]["evidence"] = ["told you", f"quote {prompt.sample}"]
        answer["extraversion"]["confidence"] = 0.2 + 0.4 * prompt.sample
        return answer

    (details,) = assessor(rule, repeats=2)[0].details([[LONG]])
    assert details.evidence == ((), (), ("told you", "quote 0", "quote 1"), (), ())
    assert details.confidence[2] == pytest.approx(0.4)


@pytest.mark.parametrize("repeats", [1, 2, 3, 7])
def test_progress_counts_passages(repeats: int) -> None:
    told: list[int] = []
    rater, _ = assessor(lambda _: scored(0, 0, 0, 0, 0), repeats=repeats)
    rater.rate([[LONG] * 5, ["no", "no"], [LONG]], advance=told.append)
    assert sum(told) == 8
    assert told[0] == 2 and min(told) >= 0 and len(told) >= min(repeats, 2)


def test_progress_is_complete_where_the_asker_tells_none() -> None:
    told: list[int] = []
    rater, asker = assessor(lambda _: scored(0, 0, 0, 0, 0))
    ask = asker.ask
    asker.ask = lambda prompts, advance=None: ask(prompts)  # type: ignore[method-assign]
    rater.rate([[LONG] * 5], advance=told.append)
    assert sum(told) == 5


def test_names_go_by_order_of_appearance_and_are_forgotten_after_each_person() -> None:
    names = [["Hamlet"], ["Horatio"], ["Ophelia"]]
    rater, asker = assessor(lambda _: scored(0, 0, 0, 0, 0), names)
    rater.rate(
        [["Ophelia asked for HAMLET.", "Ophelia's gone, Horatio."], ["Horatio, is that Hamlet?"]],
        contexts=["Where is Horatio?", ""],
    )
    assert 'context: "Where is Person A?"\n1: "Person B asked for Person C."' in asker.seen[0]
    assert '2: "Person B\'s gone, Person A."' in asker.seen[0]
    assert '1: "Person A, is that Person B?"' in asker.seen[1]
    assert not [m for p in asker.asked for _, m in p.messages for (n,) in names if n in m]


def test_a_speaker_who_is_named_is_told_apart() -> None:
    rater, asker = assessor(lambda _: scored(0, 0, 0, 0, 0), [["Hamlet"], ["Horatio"]])
    rater.details(
        [["This is I, Hamlet, Horatio!"], ["I know Yorick, Hamlet."], [LONG]],
        speakers=[["Hamlet"], ["Yorick"], ["First Clown"]],
    )
    assert "the speaker (Speaker A) on" in asker.seen[0]
    assert '1: "This is I, Speaker A, Person B!"' in asker.seen[0]
    assert '1: "I know Speaker A, Person B."' in asker.seen[1]
    assert "Speaker A" not in asker.seen[2]


def test_the_language_of_the_prompt_is_that_of_the_text() -> None:
    rater, asker = assessor(lambda _: scored(0, 0, 0, 0, 0), [["贾宝玉"]], prompt="vanilla")
    rater.rate(
        [["我昨儿已经告诉宝玉了。"], ["Das habe ich dir schon gesagt."]], contexts=["Hi", "你好"]
    )
    assert [prompt.version for prompt in asker.asked] == ["vanilla-zh-1", "vanilla-en-1"]
    assert "我昨儿已经告诉人物A了。" in asker.seen[0]


def test_the_identity_says_what_changes_ratings() -> None:
    def identity(names: Any = (), **settings: Any) -> str:
        return assessor(lambda _: scored(), names, **settings)[0].identity

    assert identity(repeats=3, min_words=25) == (
        "litellm/openai/gpt-test/temperature=0/knowledge-1/repeats=3/min_words=25"
    )
    known = identity([["Hamlet"], ["Horatio", "H."]])
    assert known == identity([["H.", "Horatio"], ["Hamlet"]])
    others = {identity(), known, identity([["Hamlet"]]), identity(prompt="vanilla")}
    others |= {identity(repeats=2), identity(min_words=4)}
    assert len(others) == 6


def test_traits_are_asked_for_in_other_orders() -> None:
    rater, asker = assessor(lambda _: scored(1, 2, 3, 4, 5), repeats=6)
    assert rater.rate([[LONG]])[0].scores == (1, 2, 3, 4, 5)
    orders = [tuple(prompt.schema["properties"]) for prompt in asker.asked]
    assert orders[0] == TRAITS and len(set(orders)) > 3


def test_an_answer_that_may_still_come_leaves_the_rating_open() -> None:
    value = {t: {"score": 3.0, "confidence": 0.5, "evidence": []} for t in TRAITS}
    failed = Answer(None, "the server failed 6 times: HTTP 500", final=False)
    assert combined([Answer(value, ""), Answer(value, "")]).rating.complete
    rating = combined([Answer(value, ""), failed]).rating
    assert not rating.known and rating.reason.startswith("the server failed")
