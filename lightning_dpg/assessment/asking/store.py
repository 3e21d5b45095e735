"""Completions and answers in SQLite: what was paid for stays, whatever ends the process."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning_dpg.assessment.asking.prompt import Answer, Completion, Messages, well_formed
from lightning_dpg.errors import UserError

FORMAT = 1
APPLICATION = 0x64706741
"""Marks the file as ours (`dpgA`), in SQLite's field for that."""
MAGIC = b"SQLite format 3\0"
PATIENCE = 60.0
"""Seconds to wait for another process that writes."""
CHUNK = 500
"""Keys a query; SQLite allows 999 in old versions."""

TABLES = (
    """
    CREATE TABLE completions (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        messages TEXT NOT NULL,
        answer TEXT NOT NULL,
        asked_model TEXT NOT NULL,
        model TEXT NOT NULL,
        version TEXT NOT NULL,
        settings TEXT NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        cost REAL,
        finish TEXT NOT NULL,
        time TEXT NOT NULL
    )
    """,
    "CREATE INDEX completions_by_key ON completions (key)",
    """
    CREATE TABLE answers (
        key TEXT PRIMARY KEY,
        value TEXT,
        reason TEXT NOT NULL,
        final INTEGER NOT NULL
    )
    """,
)
"""`completions`: every paid request, as it arrived, in order. `answers`: one row a key; not final
where the server failed or would not take the request."""


class AnswerStore:
    """All that language models were asked and answered; safe for threads and processes.

    Args:
        path: the file, made with its folder where it does not exist.

    Raises:
        UserError: the file is damaged, is not such a store, or is of a newer format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        with self._guard():
            path.parent.mkdir(parents=True, exist_ok=True)
            _refuse_other_files(path)
            self._db = sqlite3.connect(
                path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
        try:
            with self._guard():
                self._prepare()
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Write everything into the one file and close it."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> AnswerStore:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def answers(self, keys: Sequence[str]) -> dict[str, Answer]:
        """The answers there are for these keys, those that are not final too."""
        found: dict[str, Answer] = {}
        for start in range(0, len(keys), CHUNK):
            part = keys[start : start + CHUNK]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, value, reason, final FROM answers WHERE key IN ({marks})"
            for key, value, reason, final in self._run(query, part):
                known = None if value is None else json.loads(value)
                found[key] = Answer(known, reason, bool(final))
        return found

    def completions(self, key: str) -> list[Completion]:
        """What was paid for under a key, in order of arrival."""
        query = (
            "SELECT answer, model, prompt_tokens, completion_tokens, cost, finish "
            "FROM completions WHERE key = ? ORDER BY id"
        )
        return [Completion(*row) for row in self._run(query, (key,))]

    def add(
        self,
        key: str,
        messages: Messages,
        completion: Completion,
        *,
        model: str,
        version: str,
        settings: dict[str, Any],
    ) -> None:
        """Keep a completion.

        Args:
            key: of the prompt.
            messages: as sent, a second try with the first one's answer.
            completion: what came back.
            model: that was asked for; the one that answered is the completion's.
            version: of the wording.
            settings: temperature and the like.
        """
        self._run(
            "INSERT INTO completions VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key,
                json.dumps(messages, ensure_ascii=False),
                completion.text,
                model,
                completion.model,
                version,
                json.dumps(settings, sort_keys=True),
                completion.prompt_tokens,
                completion.completion_tokens,
                completion.cost,
                completion.finish,
                time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            ),
        )

    def answer(self, key: str, answer: Answer) -> None:
        """Keep an answer; one that is final is never replaced."""
        value = None
        if answer.value is not None:
            value = well_formed(json.dumps(answer.value, ensure_ascii=False))
        self._run(
            "INSERT INTO answers VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
            "value = excluded.value, reason = excluded.reason, final = excluded.final "
            "WHERE final = 0",
            (key, value, well_formed(answer.reason), int(answer.final)),
        )

    def _run(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._lock, self._guard():
            return self._db.execute(query, values).fetchall()

    def _prepare(self) -> None:
        """Check whose file it is and make the tables where it is new."""
        self._db.execute("BEGIN IMMEDIATE")  # one process at a time decides whether it is new
        try:
            self._check()
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        _use_write_ahead_log(self._db)
        # A commit goes to the operating system, which survives this process: kill -9 loses
        # nothing. FULL would also outlast a power cut, at about 5 ms of waiting for the disk a
        # commit, twice an answer, in which no other request is served.
        self._db.execute("PRAGMA synchronous = NORMAL")

    def _check(self) -> None:
        (owner,) = self._db.execute("PRAGMA application_id").fetchone()
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if owner != APPLICATION:
            if owner or version or tables:
                raise UserError(
                    f"{self.path} is an SQLite file of another program, expected a store of "
                    "answers: give another path"
                )
            for statement in TABLES:
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {APPLICATION}")
            self._db.execute(f"PRAGMA user_version = {FORMAT}")
        elif version > FORMAT:
            raise UserError(
                f"{self.path} has format {version} and this version reads {FORMAT}: update "
                "lightning_dpg, or give another path"
            )

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Say what is wrong with the file in place of SQLite's errors."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise UserError(
                f"The store of answers {self.path} cannot be used ({error}): check that its folder "
                "can be written, that its disk has room and that no other program holds it"
            ) from error
        except sqlite3.DatabaseError as error:
            raise UserError(
                f"{self.path} is no store of answers, or is damaged ({error}): put a copy back, or "
                "move it away and run the command again, which pays for its answers again"
            ) from error


def _refuse_other_files(path: Path) -> None:
    """SQLite takes a file of a few bytes for a new database, and would write over it."""
    if path.exists():
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
        if start not in (b"", MAGIC):
            raise sqlite3.DatabaseError("no SQLite file")


def _use_write_ahead_log(db: sqlite3.Connection) -> None:
    """Readers and a writer do not wait for each other.

    SQLite does not wait while another process is switching too; then we do.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
