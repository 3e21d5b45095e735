"""One character under several names."""

from __future__ import annotations

from lightning_dpg.corpus.aliases import merge_aliases
from lightning_dpg.corpus.readers.speakers import is_collective, slug
from lightning_dpg.records import Dialogue, Utterance


def scene(*names: str, to: tuple[str, ...] = ()) -> Dialogue:
    utterances = tuple(
        Utterance(
            slug(name),
            name,
            "Well then.",
            collective=is_collective(name),
            addressees=to,
        )
        for name in names
    )
    return Dialogue("work/001", "Work", "", "en", "work.txt", utterances)


def speakers(dialogues: list[Dialogue]) -> list[tuple[str, str]]:
    return [(u.speaker, u.name) for d in dialogues for u in d.utterances]


def test_a_first_name_stands_for_the_full_name() -> None:
    joey = ("joey-tribbiani", "Joey Tribbiani")
    merged = merge_aliases([scene("JOEY", "ROSS", to=("joey",)), scene("Joey Tribbiani")])
    assert speakers(merged) == [joey, ("ross", "ROSS"), joey]
    assert merged[0].utterances[0].addressees == ("joey-tribbiani",)


def test_names_that_could_be_two_people_are_left() -> None:
    for names in (
        ("ANNA", "ANNA BELL", "ANNA ROSE"),
        ("LADY", "LADY MACBETH"),
        ("GUARD", "GUARD 2"),
        ("SMITH", "JOHN SMITH"),
        ("ALL", "ALL THE GIRLS"),
    ):
        assert speakers(merge_aliases([scene(*names)])) == [(slug(n), n) for n in names], names


def test_identifiers_of_the_source_are_believed() -> None:
    given = scene("TOM", "TOM BELL")
    assert merge_aliases([given], by_name=False) == [given]
    assert merge_aliases([given]) != [given]


def test_a_chain_of_notes_is_followed_to_its_end() -> None:
    notes = {"A": ["B"], "B": ["C"], "C": ["D"]}
    assert speakers(merge_aliases([scene("D", "C", "B", "A")], notes)) == [("a", "A")] * 4
    assert speakers(merge_aliases([scene("E", "F")], {"E": ["F"], "F": ["E"]}))  # no endless loop


def test_notes_go_before_the_rule() -> None:
    notes = {"Joseph Senior": ["joey"], "Ross": ["THE DOCTOR"]}
    merged = merge_aliases([scene("JOEY", "Joey Tribbiani", "THE DOCTOR", "ROSS")], notes)
    assert speakers(merged) == [
        ("joseph-senior", "Joseph Senior"),
        ("joey-tribbiani", "Joey Tribbiani"),
        ("ross", "ROSS"),
        ("ross", "ROSS"),
    ]


def test_notes_and_rule_follow_one_another() -> None:
    merged = merge_aliases([scene("Joey", "Joey Tribbiani", "J.")], {"JOEY": ["j."]})
    assert {speaker for speaker, _ in speakers(merged)} == {"joey-tribbiani"}
