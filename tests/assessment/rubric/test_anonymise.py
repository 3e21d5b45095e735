"""Names out of texts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_dpg.assessment.rubric.anonymise import Anonymiser, Pseudonyms
from lightning_dpg.assessment.rubric.wording import Language

HAMLET = [
    ["Hamlet, Prince of Denmark", "HAMLET"],
    ["Horatio"],
    ["King Claudius", "KING"],
    ["Lady Gertrude", "QUEEN", "Gertrude"],
    ["First Clown"],
    ["Ghost"],
]


def apply(text: str, people: list[list[str]], language: Language = "en") -> str:
    return Pseudonyms(Anonymiser(people), language).apply(text)


def test_hamlet_is_not_recognised() -> None:
    text = (
        "HORATIO: Hail to your lordship!\n"
        "Hamlet: Horatio, or I do forget myself. Something is rotten in Denmark.\n"
        "The King is dead; King Claudius drinks. Gertrude is Hamlet’s mother, lady Gertrude.\n"
        "A ghost, the Ghost, haunts HAMLET'S hamlet; ask the First Clown."
    )
    assert apply(text, HAMLET) == (
        "Person A: Hail to your lordship!\n"
        "Person B: Person A, or I do forget myself. Something is rotten in Denmark.\n"
        "The King is dead; Person C drinks. Person D is Person B’s mother, lady Person D.\n"
        "A ghost, the Ghost, haunts Person B'S hamlet; ask the First Clown."
    )


def test_the_target_is_the_speaker() -> None:
    known = Anonymiser(HAMLET)
    names = Pseudonyms(known, "en", known.known(["Hamlet"]))
    assert names.apply("This is I, Hamlet the Dane.") == "This is I, Speaker A the Dane."
    assert names.apply("Horatio knows Hamlet.") == "Person B knows Speaker A."
    chinese = Anonymiser([["林黛玉"], ["贾宝玉"]])
    names = Pseudonyms(chinese, "zh", chinese.known(["林黛玉"]))
    assert names.apply("宝玉不理黛玉。") == "人物B不理说话人A。"


@pytest.mark.parametrize(
    ("people", "text", "expected"),
    [
        # whole words, possessives, case
        (
            ["Ann"],
            "Ann's annals: Annie, ANN and ann.",
            "Person A's annals: Annie, Person A and ann.",
        ),
        (["Ann"], "Ann—Ann-Marie, “Ann”", "Person A—Person A-Marie, “Person A”"),
        (["James"], "James' hat, James's hat", "Person A' hat, Person A's hat"),
        # several words, their parts, titles
        (["Joey Tribbiani"], "Joey, I mean Joey Tribbiani.", "Person A, I mean Person A."),
        (["Mr. Bennet"], "Mr Bennet, MR. BENNET! Oh Mr. Dash", "Person A, Person A! Oh Mr. Dash"),
        (["Mr. Bennet"], "Dear Bennet, dear Mr.", "Dear Person A, dear Mr."),
        (["Jean-Luc Picard"], "Jean-Luc! Captain Picard!", "Person A! Captain Person A!"),
        (["M'Crea"], "Elinor M’Crea left M'Crea.", "Elinor Person A left Person A."),
        (["J. R. Smithson"], "J. R. Smithson saw J. and Smithson", "Person A saw J. and Person A"),
        (["PRINCE HENRY"], "Prince Henry, a prince; the Prince", "Person A, a prince; the Prince"),
        # roles are no names
        (["The Old Woman"], "The Old Woman said so.", "The Old Woman said so."),
        (["2d Soldier"], "2d Soldier and Soldier", "2d Soldier and Soldier"),
        (["Bride's Father"], "The bride's father, Bride's Father", None),
        # names that are words
        (["Will"], "Will you come, Will? I asked WILL.", "Will you come, Person A? I asked WILL."),
        (["Will"], "No.\nWill is here. “Will!”", "No.\nWill is here. “Person A!”"),
        (["Grace Kelly"], "Say grace, Grace. Grace Kelly!", "Say grace, Person A. Person A!"),
        (["Rose"], "Rose, it rose. Rose’s? Rose?", "Person A, it rose. Person A’s? Rose?"),
        (["Hope"], "I hope you, Hope, may hope", "I hope you, Person A, may hope"),
        (["Faust"], "Faust! Fausts Haus, die faust", "Person A! Person A Haus, die faust"),
        # Russian inflection
        (
            ["Анна Петровна"],
            "Анну Петровну и Анной, но не анна и Аннушка",
            "Person A и Person A, но не анна и Аннушка",
        ),
        (["Иванов"], "Иванову, Ивановым; Ивановка", "Person A, Person A; Ивановка"),
        (["Саша"], "Саша, Сашу, Сашей", "Person A, Person A, Person A"),
    ],
)
def test_names(people: list[str], text: str, expected: str | None) -> None:
    assert apply(text, [people]) == (text if expected is None else expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("贾宝玉见了林黛玉，宝玉笑道：", "人物A见了人物B，人物A笑道："),
        ("黛玉便叫紫鹃，紫鹃丫头", "人物A便叫人物B，人物B丫头"),
        ("王夫人和夫人们", "人物A和夫人们"),
        ("约翰·史密斯来了，史密斯先生", "人物A来了，人物A先生"),
        ("宝玉的玉，石头", "人物A的玉，石头"),
        ("找Tom和黛玉", "找人物A和人物B"),
    ],
)
def test_chinese_names(text: str, expected: str) -> None:
    people = [
        ["贾宝玉"],
        ["林黛玉"],
        ["紫鹃"],
        ["王夫人"],
        ["约翰·史密斯"],
        ["玉"],
        ["Tom"],
        ["众人"],
    ]
    assert apply(text, people, "zh") == expected


def test_the_longest_name_goes_first() -> None:
    people = [["Mary"], ["Mary Ann"], ["宝玉"], ["甄宝玉"]]
    assert apply("Mary Ann saw Mary.", people) == "Person A saw Person B."
    assert apply("甄宝玉见宝玉", people, "zh") == "人物A见人物B"


def test_a_shared_surname_is_whoever_of_them_is_present() -> None:
    people = [["Lord Pompion"], ["Lady Pompion"], ["Kate Rocket"]]
    text = "Old Pompion, Kate, Lady Pompion; a Pompion! Lord Pompion: the Pompions"
    assert apply(text, people) == (
        "Old Person A, Person B, Person C; a Person C! Person D: the Person A"
    )
    assert apply("Lord Pompion and Pompion", people) == "Person A and Person A"


def test_labels_go_on_after_z() -> None:
    people = [[f"Name{chr(97 + i // 26)}{chr(97 + i % 26)}"] for i in range(60)]
    text = " ".join(name for (name,) in people)
    labels = re.findall(r"Person ([A-Z]+)", apply(text, people))
    assert labels[:2] == ["A", "B"] and labels[25:28] == ["Z", "AA", "AB"] and labels[52] == "BA"
    assert len(set(labels)) == 60


def test_further_people_come_over_a_base() -> None:
    base = Anonymiser([["Joey Tribbiani", "Joe"], ["Chandler"]])
    more = Anonymiser([["Joey"], ["Phoebe Buffay"], ["Chandler", "Chan"]], base)
    names = Pseudonyms(more, "en")
    text = "Phoebe, Joe, Joey Tribbiani, Chan, Chandler"
    assert names.apply(text) == "Person A, Person B, Person B, Person C, Person C"
    # The base has learned nothing.
    assert Pseudonyms(base, "en").apply("Phoebe, Chan") == "Phoebe, Chan"
    assert more.known(["nobody", "Tribbiani"]) == base.known(["Joe"]) is not None
    assert more.known(["Monica"]) is more.known(["King"]) is None


@settings(deadline=None)
@given(st.text(alphabet="Hamlet 宝玉黛.'’·\n\ud800аИвано-", max_size=40))
def test_no_name_is_left_and_nothing_else_goes(text: str) -> None:
    result = apply(text, [["Hamlet"], ["宝玉"], ["Hal"]])
    word = r"[^\W\u3400-\u9fff_]"
    by_pattern = rf"(?<!{word})(?:Hamlets?|Hals?)(?!{word})|宝玉"
    assert re.sub(r"Person [A-Z]", "", result) == re.sub(by_pattern, "", text)


def test_nobody_known_changes_nothing() -> None:
    for people in ([], [[]], [["", " ", "."]], [["A."]], [["玉"]]):
        assert apply("A. Hamlet, 玉 and I.", people) == "A. Hamlet, 玉 and I."
