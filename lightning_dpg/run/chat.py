"""A conversation with a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TextIO

from rich.console import Console

from lightning_dpg.adapters.blend import blended
from lightning_dpg.adapters.cache import adapter_cache
from lightning_dpg.chat.conversation import Conversation, begin, describe
from lightning_dpg.chat.session import Session
from lightning_dpg.chat.talking import LocalTalker
from lightning_dpg.chat.terminal import Terminal
from lightning_dpg.chat.transcript import Transcript, new_path, read_transcript
from lightning_dpg.evaluation.arms import ARMS, voice_of
from lightning_dpg.records import Profile
from lightning_dpg.run.loading import Trained, load_trained

SHOWN = 4
"""Turns of a conversation that goes on which are shown again."""


def chat(
    checkpoint: Path,
    *,
    profile: Profile | None = None,
    description: str | None = None,
    name: str | None = None,
    strength: float | None = None,
    seed: int | None = None,
    temperature: float | None = None,
    max_new_tokens: int | None = None,
    transcript: Path | None = None,
    resume: Path | None = None,
    source: TextIO | None = None,
    console: Console | None = None,
) -> Path | None:
    """Converse until `/quit` or the end of the input.

    What is None is as in the transcript that goes on, else: dials at 0, no description, strength 1,
    seed 0, and decoding as in the run's settings.

    Args:
        checkpoint: who speaks.
        profile: where the dials stand.
        description: of the character.
        name: of the persona.
        strength: of its adapters.
        seed: of the first reply.
        temperature: 0 takes the likeliest token.
        max_new_tokens: longest reply.
        transcript: a new file; None names one by the time, or writes on into `resume`.
        resume: a transcript to go on with.
        source: of the lines; None is standard input.
        console: None is standard output.

    Returns:
        The transcript; None when nothing was said.

    Raises:
        UserError: a transcript that cannot be read or written, a number out of range, and what
            loading raises.
    """
    resumed = read_transcript(resume) if resume else None
    path = resume if resume and transcript is None else new_path(transcript)
    conversation = (resumed or begin()).voiced(
        profile=profile, description=description, name=name, strength=strength
    )
    conversation = replace(conversation, checkpoint=str(checkpoint))
    if seed is not None:
        conversation = replace(conversation, seed=seed)
    if temperature is not None:
        conversation = replace(conversation, temperature=temperature)
    limit = {} if max_new_tokens is None else {"max_new_tokens": max_new_tokens}
    trained = load_trained(checkpoint, limit)
    if temperature is None and resumed is None:
        usual = trained.config.evaluation.temperature
        conversation = replace(conversation, temperature=usual)
    terminal, written = Terminal(source, console), Transcript(path, new=path != resume)
    _greet(terminal, trained, conversation)
    Session(conversation, _talker(trained), terminal, written).run()
    if not written.begun:
        return None
    terminal.note(f"Transcript: {path}")
    return path


def spoken_by(transcript: Path) -> Path:
    """The checkpoint that spoke last in a transcript.

    Raises:
        UserError: no transcript.
    """
    return Path(read_transcript(transcript).checkpoint)


def _talker(trained: Trained) -> LocalTalker:
    return LocalTalker(
        trained.backbone,
        trained.config.evaluation,
        trained.config.data.max_prompt_tokens,
        lambda blend: blended(trained.module, [blend], adapter_cache()),
        voice_of(trained.arm, trained.module).brief,
    )


def _greet(terminal: Terminal, trained: Trained, conversation: Conversation) -> None:
    """Say who is there and what reaches them, and how far a conversation that goes on had come."""
    terminal.note(describe(conversation.blend))
    terminal.note("/help lists the commands. Ctrl-C stops a reply, Ctrl-D leaves.")
    spec = ARMS[trained.arm]
    deaf = {
        "scores (/ocean)": not trained.module.reads_scores,
        "descriptions (/character)": not (
            spec.description_in_prompt or trained.module.reads_description
        ),
    }
    for what, ignored in deaf.items():
        if ignored:
            terminal.note(f"This checkpoint ({spec.title}) does not read {what}.")
    for name, text in conversation.context[-SHOWN:]:
        terminal.note(f"{name}: {text}")
    if conversation.waiting:
        terminal.note("The last line has no reply yet: /again asks for one.")
