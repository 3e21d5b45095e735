"""Conversations by a pipe: what is shown, what is kept, and what does not end them."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console

from lightning_dpg.chat.conversation import Conversation
from lightning_dpg.chat.session import Session
from lightning_dpg.chat.stream import Listen, Reply
from lightning_dpg.chat.terminal import Terminal
from lightning_dpg.chat.transcript import Transcript, read_transcript
from tests.chat.conftest import Converse, Parrot


def test_a_conversation_reads_as_one(converse: Converse) -> None:
    end, shown = converse("Hello there, how are you today?\n\n/ocean n=5\n  Well?  \n/quit\nNo\n")
    assert shown == (
        "Mara O+4 C-2 E+3 A+0 N-4 › Hello there, how are you today?\n"
        "Mara: Hello there, how are you today? 3\n"
        "Mara O+4 C-2 E+3 A+0 N-4 › \n"
        "Mara O+4 C-2 E+3 A+0 N-4 › /ocean n=5\n"
        "Mara O+4 C-2 E+3 A+0 N+5\n"
        "Mara O+4 C-2 E+3 A+0 N+5 › Well?\n"
        "Mara: Well? 4\n"
        "Mara O+4 C-2 E+3 A+0 N+5 › /quit\n"
    )
    assert [said.text for said in end.turns][1::2] == [
        "Hello there, how are you today? 3",
        "Well? 4",
    ]


def test_mistakes_do_not_end_it(converse: Converse) -> None:
    end, shown = converse(["/undo", "/ocaen", "/ocean e=9", "//help", "/save", "Hello"])
    assert [text for _, text in end.context] == ["/help", "/help 3", "Hello", "Hello 4"]
    for part in ("Nothing was said", "did you mean /ocean?", "between -5 and 5", "name of a file"):
        assert part in shown


def test_the_end_of_the_input_ends_it(converse: Converse, transcript: Transcript) -> None:
    assert converse("")[0].turns == ()
    assert not transcript.begun
    assert len(converse("no newline")[0].turns) == 2


def test_again_draws_from_another_seed(converse: Converse) -> None:
    end, _ = converse(["Hello", "/again", "/again", "/undo", "/again", "Hi"])
    assert [text for _, text in end.context] == ["Hi", "Hi 6"]


def test_nothing_that_steers_a_terminal_is_shown(converse: Converse) -> None:
    def hostile(listen: Listen) -> Reply:
        text = "\x1b[2J[bold]red[/bold] :smile: \x07\x9b31m"
        listen(text)
        return Reply(text)

    end, shown = converse(["Hel\x1blo\x00", "/name a\x1bb"], Parrot(hostile))
    assert "Mara: [2J[bold]red[/bold] :smile: 31m\n" in shown
    assert not {"\x1b", "\x07", "\x9b", "\x00"} & set(shown)
    assert end.context[0][1] == "Hel lo" and end.blend.name == "a b"


def stop(listen: Listen) -> Reply:
    listen("I was")
    return Reply("I was", stopped=True)


def interrupt(listen: Listen) -> Reply:
    raise KeyboardInterrupt


def exhaust(listen: Listen) -> Reply:
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_a_reply_that_was_stopped_stays(converse: Converse) -> None:
    end, shown = converse(["Hello", "And?"], Parrot(stop))
    assert [(said.text, said.stopped) for said in end.turns[1::2]] == [
        ("I was", True),
        ("And? 4", False),
    ]
    assert "Mara: I was\n" in shown


@pytest.mark.parametrize(
    ("trick", "note"),
    [
        (interrupt, "Stopped before a word"),
        (lambda listen: Reply(""), "Mara said nothing"),
        (exhaust, "not enough memory"),
    ],
)
def test_a_line_without_a_reply_waits(
    converse: Converse, trick: Callable[[Listen], Reply], note: str
) -> None:
    end, shown = converse(["Hello", "/again"], Parrot(trick))
    assert note in shown
    assert [name for name, _ in end.context] == ["Someone", "Mara"]


def test_ctrl_c_at_the_prompt_takes_two_to_leave(
    conversation: Conversation, transcript: Transcript
) -> None:
    typed = ["^C", "Hello", "^C", "^C", "Never read"]

    class Keys(Terminal):
        def ask(self, who: str) -> str | None:
            line = typed.pop(0)
            if line == "^C":
                raise KeyboardInterrupt
            return line

    shown = StringIO()
    terminal = Keys(StringIO(), Console(file=shown))
    terminal.interactive = True
    end = Session(conversation, Parrot(), terminal, transcript).run()
    assert len(end.turns) == 2 and typed == ["Never read"]
    assert shown.getvalue().count("Ctrl-C again") == 2


def test_that_old_turns_are_forgotten_is_said_once(converse: Converse) -> None:
    talker = Parrot()
    talker.room = 2
    _, shown = converse(["One", "Two", "Three", "Four"], talker)
    assert shown.count("oldest turns are not read") == 1
    assert shown.index("oldest turns") > shown.index("Mara: One")


def test_a_kill_loses_nothing(converse: Converse, transcript: Transcript) -> None:
    on_disk: list[int] = []

    def look(listen: Listen) -> Reply:
        on_disk.append(len(read_transcript(transcript.path).turns))
        raise SystemExit  # as a kill: nothing after it runs

    with pytest.raises(SystemExit):
        converse(["Hello", "Well?"], Parrot(lambda listen: Reply("Hm."), look))
    assert on_disk == [3]


def test_the_reply_is_on_disk_before_the_next_prompt(
    conversation: Conversation, transcript: Transcript
) -> None:
    class Killed(Terminal):
        def ask(self, who: str) -> str | None:
            if transcript.begun:
                raise SystemExit
            return "Hello"

    with pytest.raises(SystemExit):
        Session(
            conversation, Parrot(), Killed(StringIO(), Console(file=StringIO())), transcript
        ).run()
    assert read_transcript(transcript.path) == conversation.hear("Hello").answer("Hello 3")


def test_a_moved_dial_is_on_disk_too(converse: Converse, transcript: Transcript) -> None:
    end, _ = converse(["Hello", "/ocean e=1", "/seed 9"])
    assert read_transcript(transcript.path) == end
    assert end.persona.profile.scores[2] == 1 and end.seed == 9


def test_a_transcript_that_cannot_be_written_is_said_and_the_reply_comes(
    converse: Converse, transcript: Transcript, tmp_path: Path
) -> None:
    transcript.path.parent.parent.joinpath("chats").write_text("a file", encoding="utf-8")
    end, shown = converse(["Hello"])
    assert "cannot be written" in shown and "Mara: Hello 3" in shown
    assert len(end.turns) == 2


def test_a_copy_is_saved_where_one_asks(converse: Converse, tmp_path: Path) -> None:
    end, shown = converse(["Hello", f"/save {tmp_path / 'copy.json'}", f"/save {tmp_path}"])
    assert read_transcript(tmp_path / "copy.json") == end
    assert "Saved: " in shown and "is there already" in shown
    assert os.path.isdir(tmp_path)
