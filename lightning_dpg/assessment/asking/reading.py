"""What to do with the completions that a prompt has so far: take the answer, ask once more, stop.

A pure function of what is stored, so that a run which was killed goes on where it was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lightning_dpg.assessment.asking.prompt import (
    Answer,
    Completion,
    Messages,
    Prompt,
    Unreadable,
)

TURNS = 2
"""The question, and one more try with the model's answer and what is wrong with it."""

MEND = (
    "This answer cannot be used: {problem}. Answer the question above again. "
    "Give only the JSON object that was asked for."
)
TEMPLATE_MARK = re.compile(r"<(?=[|｜])|(?<=[|｜])>")
"""The angle of `<|` and `|>`, and of the full-width like that some models use: chat templates mark
turns with these, and a server must find none in a message."""
EXCERPT = 200
"""Characters of a model's or a server's words that a reason repeats."""
PROBLEM = 500
"""Characters that say what is wrong with an answer, in the message that asks for another."""


def next_step(prompt: Prompt, completions: Sequence[Completion]) -> Answer | Messages:
    """The answer, or the messages to send for the next completion."""
    messages, problem = prompt.messages, ""
    for completion in completions[:TURNS]:
        if completion.finish == "refusal" and prompt.schema is not None:
            return Answer(None, f"refused: {excerpt(completion.text)}")
        if completion.finish == "content_filter":
            return Answer(None, "refused: the provider's filter ended the answer")
        try:
            return Answer(_read(prompt, completion))
        except Unreadable as error:
            problem = str(error).rstrip(".")
        # Some servers refuse an empty message.
        given = unmarked(completion.text) or "(no answer)"
        # The problem may repeat some of the answer, and so of the texts that were judged.
        mend = MEND.format(problem=unmarked(excerpt(problem, PROBLEM)))
        messages = (*messages, ("assistant", given), ("user", mend))
    if len(completions) >= TURNS:
        return Answer(None, f"no valid answer: {problem}")
    return messages


def _read(prompt: Prompt, completion: Completion) -> dict[str, object]:
    if completion.finish == "length" and prompt.schema is not None:
        # Never read: what a cut answer says first may not be what it would have come to.
        raise Unreadable(
            f"it was cut off after {completion.completion_tokens} tokens (max_tokens), "
            "it must be shorter"
        )
    return prompt.read(completion.text)


def unmarked(text: str) -> str:
    """A text in which no mark of a chat template is whole: `<|` becomes `< |`."""
    return TEMPLATE_MARK.sub(lambda found: "< " if found[0] == "<" else " >", text)


def excerpt(text: str, length: int = EXCERPT) -> str:
    """The beginning of somebody's words, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[:length] + "…"
