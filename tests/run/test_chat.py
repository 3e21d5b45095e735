"""A whole conversation with a checkpoint, by a pipe, and one that goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lightning_dpg.adapters.parts import Blend, Part
from lightning_dpg.chat.transcript import read_transcript
from lightning_dpg.config import Config
from lightning_dpg.errors import UserError
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.records import Profile
from lightning_dpg.run.chat import chat, spoken_by
from lightning_dpg.run.reply import generate
from lightning_dpg.training import MODEL
from tests.models.conftest import make_module, stir, trainer

__all__ = ["make_module"]

PROFILE, ANXIOUS = Profile((4.0, -2.0, 3.0, 0.0, -4.0)), Profile((4.0, -2.0, 3.0, 0.0, 5.0))
GREEDY: dict[str, Any] = {"temperature": 0.0, "max_new_tokens": 8}


@pytest.fixture
def make_checkpoint(
    make_module: Any, make_backbone: Callable[..., Backbone], tmp_path: Path
) -> Callable[..., Path]:
    """Saves a module whose weights somebody stirred: what was learned is of no matter here."""

    def make(arm: str = "dpg", source: str = "hypernetwork", stated: bool = False) -> Path:
        module = make_module(source, on=make_backbone(), scores_in_prompt=stated)
        module.identity = replace(module.identity, arm=arm)
        stir(module)
        run = trainer()
        run.strategy.connect(module)
        run.save_checkpoint(tmp_path / MODEL, weights_only=True)
        return tmp_path / MODEL

    return make


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Path, str]]:
    """Types lines to a checkpoint, in an empty folder; gives the transcript and what was shown."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def go(checkpoint: Path, *lines: str, **options: Any) -> tuple[Path, str]:
        shown = StringIO()
        source = StringIO("".join(f"{line}\n" for line in lines))
        path = chat(checkpoint, source=source, console=Console(file=shown), **options)
        assert path is not None
        return path, shown.getvalue()

    return go


def as_generate_says(checkpoint: Path, profile: Profile) -> str:
    return generate(checkpoint, [Blend("", (Part(profile),))], "Hello", 0, GREEDY)[0]


def test_a_conversation_with_a_moved_dial_and_another_day(
    make_checkpoint: Callable[..., Path], talk: Callable[..., tuple[Path, str]]
) -> None:
    checkpoint = make_checkpoint()
    path, shown = talk(
        checkpoint, "Hello", "/ocean n=5", "/quit", profile=PROFILE, name="Mara", **GREEDY
    )
    said = read_transcript(path)
    first = as_generate_says(checkpoint, PROFILE)
    assert said.turns[1].text == first  # as `dpg generate` answers
    assert "Mara O+4 C-2 E+3 A+0 N-4 › Hello\nMara: " in shown
    assert "Mara O+4 C-2 E+3 A+0 N+5 › /quit\n" in shown
    assert path.parent == Path("chats") and f"Transcript: {path}" in shown
    assert spoken_by(path) == checkpoint
    assert said.persona.profile == ANXIOUS and said.seed == 1

    again, shown = talk(checkpoint, "/undo", "Hello", resume=path, max_new_tokens=8)
    assert again == path and "Mara: " in shown.partition("›")[0]  # the last turns are shown
    moved = read_transcript(path)
    assert moved.turns[1].text == as_generate_says(checkpoint, ANXIOUS) != first
    assert (moved.turns[1].seed, moved.turns[1].temperature) == (1, 0.0)
    assert moved.turns[1].blend == said.blend


def test_options_change_what_a_transcript_says(
    make_checkpoint: Callable[..., Path], talk: Callable[..., tuple[Path, str]]
) -> None:
    checkpoint = make_checkpoint()
    old, _ = talk(checkpoint, "Hello", name="Mara", profile=PROFILE, **GREEDY)
    before = old.read_text(encoding="utf-8")
    new, _ = talk(
        checkpoint,
        "/ocean",
        resume=old,
        transcript=Path("new.json"),
        description="A tired captain.",
        seed=7,
        strength=0.5,
    )
    said = read_transcript(new)
    assert (said.blend.name, said.blend.profile, said.blend.strength) == ("Mara", PROFILE, 0.5)
    assert (said.persona.description, said.seed) == ("A tired captain.", 7)
    assert len(said.turns) == 2 and old.read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("arm", "source", "stated", "deaf"),
    [
        ("dpg", "hypernetwork", False, []),
        ("dpg", "hypernetwork", False, ["scores"]),
        ("linear", "linear", False, ["descriptions"]),
        ("lora_sft", "static", True, ["descriptions"]),
    ],
)
def test_what_does_not_reach_a_checkpoint_is_said(
    make_checkpoint: Callable[..., Path],
    talk: Callable[..., tuple[Path, str]],
    config: Config,
    arm: str,
    source: str,
    stated: bool,
    deaf: list[str],
) -> None:
    config.hypernetwork.reads_scores = "scores" not in deaf
    _, shown = talk(make_checkpoint(arm, source, stated), "Hello", **GREEDY)
    heard = {"scores": "scores (/ocean)", "descriptions": "descriptions (/character)"}
    assert [name for name, text in heard.items() if f"does not read {text}" in shown] == deaf


def test_nothing_said_leaves_nothing(make_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    shown = Console(file=StringIO())
    assert chat(make_checkpoint(), source=StringIO("/help\n"), console=shown) is None


def test_an_unanswered_line_is_told_of(
    make_checkpoint: Callable[..., Path], talk: Callable[..., tuple[Path, str]]
) -> None:
    checkpoint = make_checkpoint()
    path, _ = talk(checkpoint, "Hello", **GREEDY)
    content = json.loads(path.read_text(encoding="utf-8"))
    del content[0]["messages"][1]
    path.write_text(json.dumps(content), encoding="utf-8")
    _, shown = talk(checkpoint, "/again", resume=path, **GREEDY)
    assert "/again asks for one" in shown
    assert len(read_transcript(path).turns) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resume": Path("none.json")}, "No such file"),
        ({"transcript": Path(MODEL)}, "there already"),
        ({"strength": float("nan")}, "finite"),
        ({"seed": -1}, "seed must be"),
        ({"temperature": -1.0}, "temperature must be"),
        ({"name": " "}, "A name is"),
    ],
)
def test_a_mistake_is_said_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(MODEL).touch()
    with pytest.raises(UserError) as error:
        chat(Path("none.ckpt"), **options)
    assert message in str(error.value)


def test_a_checkpoint_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no checkpoint"):
        chat(tmp_path / "none.ckpt")
