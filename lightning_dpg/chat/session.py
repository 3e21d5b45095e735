"""A conversation from its first line to its end."""

from __future__ import annotations

import torch

from lightning_dpg.chat.commands import Outcome, is_command, obey
from lightning_dpg.chat.conversation import Conversation, controls_as, label
from lightning_dpg.chat.stream import Reply
from lightning_dpg.chat.talking import Talker
from lightning_dpg.chat.terminal import Terminal
from lightning_dpg.chat.transcript import Transcript
from lightning_dpg.errors import UserError


class Session:
    """Takes lines, answers them and keeps the transcript, until there are no more.

    Args:
        conversation: to begin or go on with.
        talker: answers.
        terminal: where lines come from and replies go.
        transcript: written before each reply and after it.
    """

    def __init__(
        self,
        conversation: Conversation,
        talker: Talker,
        terminal: Terminal,
        transcript: Transcript,
    ) -> None:
        self.conversation = conversation
        self._talker, self._terminal, self._transcript = talker, terminal, transcript
        self._forgets = self._leaves = False

    def run(self) -> Conversation:
        """Converse; gives the conversation as it was at the end.

        Ctrl-C ends a reply, takes back what is being typed, and twice in a row leaves.
        """
        interrupted = False
        while not self._leaves:
            try:
                line = self._terminal.ask(label(self.conversation.blend))
                interrupted = False
                if line is None:
                    break
                self._take(controls_as(" ", line).strip())
            except KeyboardInterrupt:
                self._terminal.end()
                if interrupted or not self._terminal.interactive:
                    break
                interrupted = True
                self._terminal.note("Ctrl-C again, Ctrl-D or /quit leaves.")
            except UserError as error:
                self._terminal.complain(str(error))
        return self.conversation

    def _take(self, line: str) -> None:
        if not line:
            return
        outcome = self._outcome(line)
        self.conversation = outcome.conversation
        self._forgets &= bool(self.conversation.turns)  # a new conversation fits again
        if outcome.note:
            self._terminal.note(outcome.note)
        self._leaves = outcome.leave
        self._keep()
        if outcome.save:
            self._transcript.copy(self.conversation, outcome.save)
            self._terminal.note(f"Saved: {outcome.save}")
        if outcome.speak:
            self._answer()

    def _outcome(self, line: str) -> Outcome:
        if is_command(line):
            return obey(self.conversation, line)
        said = line[1:] if line.startswith("/") else line
        return Outcome(self.conversation.hear(said), speak=True)

    def _answer(self) -> None:
        before = self.conversation
        if not self._forgets and self._talker.forgets(before):
            self._forgets = True
            self._terminal.note("The conversation no longer fits: its oldest turns are not read.")
        self._terminal.begin(before.blend.name)
        try:
            reply = self._talker.reply(before, self._terminal.say)
        except KeyboardInterrupt:  # before the first token, while adapters were made
            reply = Reply("", stopped=True)
        except torch.OutOfMemoryError:
            raise UserError("There was not enough memory for a reply: /reset begins anew") from None
        finally:
            self._terminal.end()
        self.conversation = before.answer(reply.text, reply.stopped)
        self._keep()
        if not reply.text:
            why = "Stopped before a word" if reply.stopped else f"{before.blend.name} said nothing"
            self._terminal.note(f"{why}: /again asks again, /undo takes your line back.")

    def _keep(self) -> None:
        """Write the transcript; a full disk does not end the conversation."""
        try:
            self._transcript.write(self.conversation)
        except UserError as error:
            self._terminal.complain(str(error))
