"""`dpg chat`: every option is found again in the transcript."""

from __future__ import annotations

from pathlib import Path

from lightning_dpg.chat.transcript import read_transcript
from lightning_dpg.records import Profile
from tests.commands.conftest import Dpg

WHO = ("--ocean", "4,-2,3,0,-4", "--character", "A baker.", "--name", "Mara", "--strength", "0.5")
HOW = ("--seed", "7", "--temperature", "0.25", "--max-new-tokens", "4")


def test_options_arrive_in_the_transcript_and_it_goes_on(
    dpg: Dpg, checkpoint: str, tmp_path: Path
) -> None:
    path = tmp_path / "talk.json"
    where = ("--checkpoint", checkpoint, "--transcript", str(path))
    shown = dpg("chat", *WHO, *HOW, *where, lines="Hello\n/quit\n")
    assert "Mara" in shown and f"Transcript:{path}" in "".join(shown.split())
    said = read_transcript(path)
    question, reply = said.turns
    assert (question.text, reply.name, reply.seed) == ("Hello", "Mara", 7)
    assert (reply.temperature, reply.checkpoint) == (0.25, checkpoint)
    assert len(reply.text) <= 4  # a token of the tiny model is a byte
    assert reply.blend is not None and reply.blend.strength == 0.5
    (part,) = reply.blend.parts
    assert part.profile == Profile((4.0, -2.0, 3.0, 0.0, -4.0)) and part.description == "A baker."

    dpg("chat", "--resume", str(path), "--max-new-tokens", "2", "--name", "Vera", lines="And?\n")
    again = read_transcript(path)
    assert again.turns[:2] == said.turns
    assert [turn.text for turn in again.turns[2:3]] == ["And?"]
    assert (again.turns[3].name, again.turns[3].seed, again.turns[3].temperature) == (
        "Vera",
        8,
        0.25,
    )
