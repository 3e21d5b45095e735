"""The subtitle reader: who speaks, what is speech, and what comes of broken files."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_dpg.corpus.readers.subtitles import SubtitleReader
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue, Utterance
from tests.corpus.fuzz import FUZZ, broken, check_survives

Rejects = list[tuple[str, str]]

SUBRIP = """\
1
00:00:01,000 --> 00:00:02,000 X1:40 X2:600 Y1:20 Y2:50
{\\an8}<i>ANNA: I went on, and</i>

2
00:00:02,100 --> 00:00:02,900
[a door
slams]

3
00:00:02,500 --> 00:00:04,000
then I &amp; <font color="#ff0000">the
cat</font> slept.

4
00:00:05,000 --> 00:00:06,000
- Nobody said that.
- ANNA (on the phone): Hi (sighs), all!

5
00:00:60,000 --> 00:00:07,000
BEN: This is broken.

6
00:00:09,000 --> 00:00:08,000
BEN: This is backwards.

7
00:00:10,000 --> 00:00:11,000

8
00:00:11,000 --> 00:00:12,000
♪ La la
la lo ♪

9
00:00:12,000 --> 00:00:13,000
BEN: (shrugs)

10
01:01:05,000 --> 01:01:06,500
ALL: How old is she?
42
"""

WEBVTT = """\
WEBVTT - a lamp
Kind: captions
Language: fr-CA

STYLE
::cue { color: red }

NOTE
Nobody speaks this.

intro
00:01.000 --> 00:02.000 align:start line:0
<v.loud.first Anna Lee>I <00:00:01.500>never <c.yellow>said</c>
<v Ben>Hm.</v> Outside. <v.x ALL>- Yes!</v>

NOTE Nor this.

00:02.000 --> 00:03.000
<v Anna Lee>that.

two
00:04.000 --> 00:05.000
<v Ben>(sighs)</v>

00:00:05.000 --> 00:00:06.000
<v Ben O&apos;Hara>Rock &lt;i&gt;
roll</v>
"""


def read(
    tmp_path: Path, text: str | bytes, name: str = "lamp.srt"
) -> tuple[list[Dialogue], Rejects]:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    rejects: Rejects = []
    found = SubtitleReader().read(path, lambda where, why: rejects.append((where, why)))
    return list(found), rejects


def clock(tenths: int) -> str:
    """A time as SubRip writes it."""
    return f"00:{tenths // 600:02}:{tenths // 10 % 60:02},{tenths % 10}00"


def cues(*texts: str, each: int = 10, gap: int = 1) -> str:
    """A SubRip file of cues that last, and lie apart, as many tenths of a second."""
    starts = range(0, len(texts) * (each + gap), each + gap)
    return "\n".join(
        f"{number}\n{clock(start)} --> {clock(start + each)}\n{text}\n"
        for number, (start, text) in enumerate(zip(starts, texts, strict=True), start=1)
    )


def said(tmp_path: Path, *texts: str, gap: int = 1) -> list[tuple[str, str]]:
    """Who says what in these cues, by name."""
    dialogues, _ = read(tmp_path, cues(*texts, gap=gap))
    return [(spoken.name, spoken.text) for scene in dialogues for spoken in scene.utterances]


def test_a_whole_subrip_file(tmp_path: Path) -> None:
    dialogues, rejects = read(tmp_path, SUBRIP)
    first = (
        Utterance("anna", "ANNA", "I went on, and then I & the cat slept.", (), "cue 1, 00:00:01"),
        Utterance("", "", "Nobody said that.", (), "cue 4, 00:00:05"),
        Utterance("anna", "ANNA", "Hi, all!", ("on the phone", "sighs"), "cue 4, 00:00:05"),
    )
    second = (
        Utterance("all", "ALL", "How old is she? 42", (), "cue 10, 01:01:05", collective=True),
    )
    assert dialogues == [
        Dialogue("lamp/001", "lamp", "", "en", "lamp.srt", first),
        Dialogue("lamp/002", "lamp", "", "en", "lamp.srt", second),
    ]
    assert rejects == [
        ("cue 5", "its timing cannot be read, or ends before it starts"),
        ("cue 6", "its timing cannot be read, or ends before it starts"),
        ("cue 7, 00:00:10", "no text"),
        ("cue 9, 00:00:12", "the speech of BEN has no text"),
    ]


def test_a_whole_webvtt_file(tmp_path: Path) -> None:
    (dialogue,), rejects = read(tmp_path, WEBVTT, "lamp.vtt")
    spoken = (
        Utterance("anna-lee", "Anna Lee", "I never said", (), "cue 1, 00:00:01"),
        Utterance("ben", "Ben", "Hm.", (), "cue 1, 00:00:01"),
        Utterance("", "", "Outside.", (), "cue 1, 00:00:01"),
        Utterance("all", "ALL", "Yes!", (), "cue 1, 00:00:01", collective=True),
        Utterance("anna-lee", "Anna Lee", "that.", (), "cue 2, 00:00:02"),
        Utterance("ben-o-hara", "Ben O'Hara", "Rock <i> roll", (), "cue 4, 00:00:05"),
    )
    assert dialogue == Dialogue("lamp/001", "lamp", "", "fr", "lamp.vtt", spoken)
    assert rejects == [("cue 3, 00:00:04", "the speech of Ben has no text")]


@pytest.mark.parametrize("text", [SUBRIP, WEBVTT])
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_and_byte_order_marks_are_no_text(tmp_path: Path, text: str, end: str) -> None:
    other = text.replace("\n", end).encode("utf-8-sig")
    assert read(tmp_path, other) == read(tmp_path, text)


def test_cues_without_numbers(tmp_path: Path) -> None:
    text = "\n".join(line for line in SUBRIP.split("\n") if not line.isdecimal() or line == "42")
    assert read(tmp_path, text) == read(tmp_path, SUBRIP)


def test_a_number_that_is_said_is_no_number_of_a_cue(tmp_path: Path) -> None:
    timing = "00:00:0{}.0 --> 00:00:0{}.9"
    text = "\n".join([timing.format(1, 1), "ANNA: I am", "42", "", timing.format(2, 2), "Oh."])
    (dialogue,), _ = read(tmp_path, text)
    assert [spoken.text for spoken in dialogue.utterances] == ["I am 42", "Oh."]


@pytest.mark.parametrize(
    "timing",
    [
        "00:00:xx --> 00:00:04,000",
        "-->",
        "00:00:01,000 --> 00:00:61,000",
        "-00:00:01,000 --> 00:00:04,000",
        "00:00:01,000 --> 00:00:04,0000",
        "100:00:01,000 --> 100:00:04,000",
    ],
)
@pytest.mark.parametrize("name", ["lamp.srt", "lamp.vtt"])
def test_a_broken_timing_takes_only_its_own_cue(tmp_path: Path, name: str, timing: str) -> None:
    good = "{0}\n00:00:0{0}.000 --> 00:00:0{0}.900\nLine {0}.\n\n"
    text = good.format(1) + f"2\n{timing}\nBroken.\n\n" + good.format(3)
    for before in ("", f"2\n{timing}\nBroken.\n\n"):
        head = "WEBVTT\n\n" if name == "lamp.vtt" else ""
        (dialogue,), rejects = read(tmp_path, head + before + text, name)
        assert [spoken.text for spoken in dialogue.utterances] == ["Line 1.", "Line 3."]
        reason = "its timing cannot be read, or ends before it starts"
        broken = ["cue 1", "cue 3"] if before else ["cue 2"]
        assert rejects == [(where, reason) for where in broken]


def test_a_timing_of_the_other_format_is_read(tmp_path: Path) -> None:
    for text in ("00:01.000 --> 00:02.000\nOh.", "WEBVTT\n\n00:00:01,0 --> 00:00:02,000\nOh."):
        (dialogue,), rejects = read(tmp_path, text)
        assert (dialogue.utterances[0].position, rejects) == ("cue 1, 00:00:01", [])


def test_overlapping_cues_stay_in_order(tmp_path: Path) -> None:
    text = "00:00:01,0 --> 00:00:09,0\nANNA: One.\n\n00:00:02,0 --> 00:00:03,0\nBEN: Two.\n"
    (dialogue,), rejects = read(tmp_path, text)
    assert [spoken.name for spoken in dialogue.utterances] == ["ANNA", "BEN"]
    assert rejects == []


def test_an_endless_cue_is_no_subtitle(tmp_path: Path) -> None:
    _, rejects = read(tmp_path, cues("&#" + "9" * 5000 + ";"))
    assert rejects == [("cue 1, 00:00:00", "more than 4000 characters are no subtitle")]


@pytest.mark.parametrize("text", ["", "Hello.", "WEBVTT", "WEBVTT\n\nNOTE Hello.\n", "1\n\n2\n"])
def test_a_file_without_a_cue(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, text)
    assert str(error.value) == (
        f"{tmp_path / 'lamp.srt'} expected subtitles, each below a timing such as "
        "00:01:05,000 --> 00:01:07,500, got none. Leave the file out of the corpus"
    )


def test_another_encoding_is_left_to_the_registry(tmp_path: Path) -> None:
    with pytest.raises(UnicodeDecodeError):
        read(tmp_path, cues("ÉMILE: Oui.").encode("latin-1"))


def test_most_subtitles_name_nobody(tmp_path: Path) -> None:
    texts = ("Hello.", "- Who is it?\n- Me.", ">> You again.", "I see: nothing.", "I SAID: GO!")
    assert said(tmp_path, *texts) == [
        ("", "Hello."),
        ("", "Who is it?"),
        ("", "Me."),
        ("", "You again."),
        ("", "I see: nothing."),
        ("", "I SAID: GO!"),
    ]
    dialogues, _ = read(tmp_path, cues(*texts))
    assert not any(spoken.collective for spoken in dialogues[0].utterances)


def test_a_label_in_small_letters_must_recur(tmp_path: Path) -> None:
    assert said(tmp_path, "Anna: One.", "Ben: Two.", "Anna: Three.", "so: A.", "so: B.") == [
        ("Anna", "One."),
        ("", "Ben: Two."),
        ("Anna", "Three."),
        ("", "so: A."),
        ("", "so: B."),
    ]


def test_a_word_that_recurs_now_and_then_is_no_label(tmp_path: Path) -> None:
    texts = ["Remember: run.", *["Go on."] * 20, "Remember: hide."]
    assert {name for name, _ in said(tmp_path, *texts)} == {""}
    assert {name for name, _ in said(tmp_path, *texts, "ANNA: Oh.")} == {"", "ANNA"}


def test_in_a_file_of_capitals_labels_must_recur(tmp_path: Path) -> None:
    assert said(tmp_path, "ANNA: ONE.", "LISTEN: GO!", "ANNA: TWO.") == [
        ("ANNA", "ONE."),
        ("", "LISTEN: GO!"),
        ("ANNA", "TWO."),
    ]


def test_a_name_in_brackets_recurs_and_never_stands_alone(tmp_path: Path) -> None:
    texts = ("[Anna] One.", "[ANNA]: Loud.", "- [Anna:] Two.", "[ANNA] Louder.", "[Ben] Once.")
    sounds = ("[SIGHS] Yes.", "[SIGHS] No.", "[Bell] Oh.", "[Bell] Ah.", "[Bell]", "[hm] A.")
    more = ("[hm] B.", "[LAUGHING] C.", "[LAUGHING] D.", "[IN FRENCH] E.", "[IN FRENCH] F.")
    found = said(tmp_path, *texts, *sounds, *more)
    assert [(name, text) for name, text in found if name] == [
        ("Anna", "One."),
        ("ANNA", "Loud."),
        ("Anna", "Two."),
        ("ANNA", "Louder."),
    ]
    assert [
        text for name, text in found if not name
    ] == "Once. Yes. No. Oh. Ah. A. B. C. D. E. F.".split()


def test_a_label_is_no_label_where_a_voice_speaks(tmp_path: Path) -> None:
    texts = ("<v Anna>BEN: No.", "BEN: Yes.", "<v Anna>- [BEN] Oh.\n- Ah.", "<v Anna>Cy: I.")
    assert said(tmp_path, *texts, "Cy: I.") == [
        ("Anna", "BEN: No."),
        ("BEN", "Yes."),
        ("Anna", "Oh. Ah."),
        ("Anna", "Cy: I."),
        ("", "Cy: I."),
    ]


def test_a_voice_without_a_name_is_nobodys(tmp_path: Path) -> None:
    assert said(tmp_path, "<v>One.</v>", "<v >Two.", "<v\tAnna>Three.") == [
        ("", "One."),
        ("", "Two."),
        ("Anna", "Three."),
    ]


@pytest.mark.parametrize(
    ("line", "text", "directions"),
    [
        ("(sighs) Oh.", "Oh.", ("sighs",)),
        ("Oh (waves), dear.", "Oh, dear.", ("waves",)),
        ("Oh.\n[a door\nslams]", "Oh.", ("a door slams",)),
        ("（叹气）Oh.【门】", "Oh.", ("叹气", "门")),
        ("♪ La ♪ Oh.", "Oh.", ("La",)),
        ("Oh.\n♪♪ La ♪ la ♪♪", "Oh.", ("La ♪ la",)),
        ("♪ La la\nla lo ♪\nOh.", "Oh.", ("La la", "la lo")),
        ("{\\an8}Oh, <c.a>d<00:00:00.500>ear</c>&nbsp;me &#60;3.", "Oh, dear me <3.", ()),
        ("-5 degrees.", "-5 degrees.", ()),
    ],
)
def test_what_is_not_speech(
    tmp_path: Path, line: str, text: str, directions: tuple[str, ...]
) -> None:
    (dialogue,), rejects = read(tmp_path, cues(line))
    (spoken,) = dialogue.utterances
    assert (spoken.text, spoken.directions, rejects) == (text, directions, [])


@pytest.mark.parametrize("text", ["(sighs)", "[door slams]", "♪ La la ♪", "- (sighs)\n- [hm]"])
def test_a_cue_of_directions_is_no_speech(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, cues(text)) == ([], [])


@pytest.mark.parametrize("text", ["", "<i></i>", "♪", "...", "- ...\n- ?!"])
def test_a_cue_without_text_is_rejected(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, cues(text)) == ([], [("cue 1, 00:00:00", "no text")])


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("ANNA: I went", "home.", True),
        ("ANNA: I went", "ANNA: home.", True),
        ("ANNA: I went,", "Ben.", False),
        ("ANNA: I went.", "home.", False),
        ("ANNA: “I went.”", "home.", False),
        ("ANNA: I went --", "home.", False),
        ("ANNA: I went…", "home.", False),
        ("ANNA: I went", "- home.", False),
        ("ANNA: I went", "BEN: home.", False),
        ("I went", "home.", True),
        ("I went", "ANNA: home.", False),
        ("<v Anna>I went", "<v Anna>Home", True),
        ("<v Anna>I went", "<v Ben>home", False),
        ("<v Anna>I went</v> home", "<v Ben>.", False),
        ("<v Anna>I went</v> <v Anna>home", "♪", True),
    ],
)
def test_a_sentence_goes_on_in_the_next_cue(
    tmp_path: Path, first: str, second: str, joined: bool
) -> None:
    assert (len(said(tmp_path, first, second)) == 1) is joined


def test_a_sentence_does_not_go_on_after_a_gap(tmp_path: Path) -> None:
    assert len(said(tmp_path, "ANNA: I went", "back", "home.", gap=20)) == 1
    assert len(said(tmp_path, "ANNA: I went", "home.", gap=21)) == 2


def test_a_long_pause_begins_a_new_dialogue(tmp_path: Path) -> None:
    dialogues, _ = read(tmp_path, cues("One.", "Two.", gap=199))
    assert [len(scene.utterances) for scene in dialogues] == [2]
    dialogues, _ = read(tmp_path, cues("One.", "Two.", gap=200))
    assert [(scene.id, len(scene.utterances)) for scene in dialogues] == [
        ("lamp/001", 1),
        ("lamp/002", 1),
    ]


def test_a_second_disc_begins_a_new_dialogue(tmp_path: Path) -> None:
    text = "01:00:00,0 --> 01:00:02,0\nANNA: I went\n\n00:00:01,0 --> 00:00:02,0\nhome.\n"
    assert len(read(tmp_path, text)[0]) == 2


@pytest.mark.parametrize(
    ("name", "work", "language"),
    [
        ("lamp.de.vtt", "lamp", "de"),
        ("lamp.pt-BR.sdh.srt", "lamp", "pt"),
        ("the.lamp.zh.forced.srt", "the.lamp", "zh"),
        ("Dr.No.vtt", "Dr.No", "fr"),
        ("lamp.vtt", "lamp", "fr"),
    ],
)
def test_the_name_of_the_file_tells_the_language(
    tmp_path: Path, name: str, work: str, language: str
) -> None:
    dialogues, _ = read(tmp_path, WEBVTT, name)
    stem = Path(name).stem
    assert (dialogues[0].id, dialogues[0].work, dialogues[0].language) == (
        f"{stem}/001",
        work,
        language,
    )


def test_chinese_subtitles(tmp_path: Path) -> None:
    (dialogue,), _ = read(
        tmp_path, cues("小满：停了\n里面还泡着床单", "周国平：皮带", "小满：断了", "走")
    )
    assert dialogue.language == "zh"
    assert [(spoken.name, spoken.text) for spoken in dialogue.utterances] == [
        ("小满", "停了里面还泡着床单"),
        ("", "周国平：皮带"),
        ("小满", "断了"),
        ("", "走"),
    ]


@pytest.mark.parametrize(
    ("name", "accepted"), [("a.srt", True), ("a.en.VTT", True), ("a.txt", False), ("a.sub", False)]
)
def test_accepts_by_ending(name: str, accepted: bool) -> None:
    assert SubtitleReader().accepts(Path(name), SUBRIP) is accepted


MARKUP = st.sampled_from(
    ["-->", "<v ", "</v>", "<", ">", "{", "}", "[", "]", "(", "♪", "\n\n", "&#", ":", "- ", "7"]
)


def any_cues() -> st.SearchStrategy[bytes]:
    """Whole cues of either format that hold anything at all."""
    texts = st.lists(MARKUP | st.text(max_size=5), max_size=8).map("".join)
    files = st.lists(texts, max_size=5).map(lambda found: cues(*found))
    return st.tuples(st.sampled_from(["", "WEBVTT\n\n"]), files).map("".join).map(str.encode)


@FUZZ
@given(broken(SUBRIP.encode()) | broken(WEBVTT.encode()) | any_cues())
def test_no_broken_file_crashes_the_reader(raw: bytes) -> None:
    check_survives(SubtitleReader(), "lamp.srt", {"lamp.srt": raw})


@pytest.mark.parametrize("piece", ["\n", "<", "{", "<v ", "[", "♪", "-", "x: ", "> ", "\n ", "&#9"])
@pytest.mark.parametrize("head", ["", "WEBVTT\n\n"])
def test_a_cue_of_any_length_costs_no_more_than_its_length(
    tmp_path: Path, head: str, piece: str
) -> None:
    started = time.process_time()
    read(tmp_path, head + cues(f"a{piece * 100_000}b", piece * 1000))
    assert time.process_time() - started < 5
