"""The two ends of a conversation: lines that are typed, and what is shown."""

from __future__ import annotations

import io
import re
import sys
from contextlib import suppress
from typing import TextIO

from rich.console import Console
from rich.text import Text

from lightning_dpg.chat.conversation import controls_as

PROMPT = "›"


class Terminal:
    """Reads lines and shows replies: in colours on a terminal, plainly everywhere else.

    Args:
        source: of the lines; None is standard input.
        console: None writes to standard output.
    """

    def __init__(self, source: TextIO | None = None, console: Console | None = None) -> None:
        if source is None:
            _forgive(sys.stdin)
        if console is None:
            _forgive(sys.stdout)
        self._source = source or sys.stdin
        self._console = console or Console()
        self.interactive = self._source is sys.stdin and self._source.isatty()
        if self.interactive:
            _edit_lines()

    def ask(self, who: str) -> str | None:
        """The next line; None when there is no more.

        Args:
            who: speaks, shown before it. A line from a file or a pipe is shown, too: what comes out
                reads as a conversation.
        """
        prompt = f"{who} {PROMPT} "
        if self.interactive:
            try:
                return input(self._hidden_colours(prompt))
            except EOFError:
                self._show("", end="\n")
                return None
        line = self._source.readline()
        if not line:
            return None
        self._show(prompt, "bold cyan")
        self._show(line.strip(), end="\n")
        return line

    def begin(self, name: str) -> None:
        """A reply begins."""
        self._show(f"{name}: ", "bold green")

    def say(self, piece: str) -> None:
        """A piece of a reply."""
        self._show(piece)

    def end(self) -> None:
        """A reply is over."""
        self._show("", end="\n")

    def note(self, text: str) -> None:
        """Tell something about the conversation."""
        self._lines(text, "dim")

    def complain(self, text: str) -> None:
        """Tell what could not be done."""
        self._lines(text, "red")

    def _lines(self, text: str, style: str) -> None:
        for line in text.splitlines():
            self._show(line, style, "\n")

    def _show(self, text: str, style: str = "", end: str = "") -> None:
        # No markup, and nothing that steers a terminal: a model may say anything.
        self._console.print(Text(controls_as("", text), style=style), end=end, soft_wrap=True)

    def _hidden_colours(self, prompt: str) -> str:
        """The prompt in colour, with the marks by which readline knows what takes no room."""
        with self._console.capture() as captured:
            self._show(prompt, "bold cyan")
        return re.sub("(\x1b\\[[0-9;]*m)", "\001\\1\002", captured.get())


def _forgive(stream: TextIO) -> None:
    """Replace what a stream's encoding does not know: one odd letter must not end all."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")


def _edit_lines() -> None:
    """Let `input` edit lines and remember them, where the system can."""
    with suppress(ImportError):
        import readline  # noqa: F401
