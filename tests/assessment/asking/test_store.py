"""The store: what is kept, one row a key, damaged and foreign files, several processes."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from pathlib import Path

import pytest

from lightning_dpg.assessment.asking.prompt import Answer, Completion
from lightning_dpg.assessment.asking.store import AnswerStore
from lightning_dpg.errors import UserError
from tests.assessment.asking.prompts import prompt

DONE = Completion("{}", "tiny", 3, 4, 0.5, "stop")


def add(store: AnswerStore, key: str, completion: Completion = DONE) -> None:
    store.add(key, (("user", "你好"),), completion, model="m", version="v", settings={})


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    return sqlite3.connect(path).execute(query).fetchall()


def test_what_is_kept_comes_back_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "answers.sqlite"
    with AnswerStore(path) as store:
        add(store, "a")
        add(store, "b")
        add(store, "a", Completion("second", "tiny", 0, 0, None, "length"))
        store.answer("a", Answer({"名": [1, None]}))
        store.answer("b", Answer(None, "refused: no"))
    with AnswerStore(path) as store:
        assert store.completions("a") == [DONE, Completion("second", "tiny", 0, 0, None, "length")]
        assert store.completions("c") == []
        known = store.answers(["a", "b", "c"])
    assert known == {"a": Answer({"名": [1, None]}), "b": Answer(None, "refused: no")}


def test_more_keys_than_a_query_takes(tmp_path: Path) -> None:
    with AnswerStore(tmp_path / "s") as store:
        for i in range(0, 1200, 7):
            store.answer(str(i), Answer({"i": i}))
        known = store.answers([str(i) for i in range(1200)])
    assert known == {str(i): Answer({"i": i}) for i in range(0, 1200, 7)}


def test_one_row_a_key_and_final_stays(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with AnswerStore(path) as store:
        store.answer("a", Answer(None, "the server failed", final=False))
        assert not store.answers(["a"])["a"].final
        store.answer("a", Answer({"score": 1}))
        store.answer("a", Answer({"score": 2}))
        store.answer("a", Answer(None, "the server failed", final=False))
        assert store.answers(["a"]) == {"a": Answer({"score": 1})}
    assert rows(path, "SELECT count(*) FROM answers") == [(1,)]


@pytest.mark.parametrize("content", [b"plain text, long enough to be read as a header" * 9, b"x"])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is no store of answers, or is damaged"):
        AnswerStore(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE answers (mine TEXT)")
    with pytest.raises(UserError, match="SQLite file of another program"):
        AnswerStore(path)


def test_a_newer_format(tmp_path: Path) -> None:
    path = tmp_path / "s"
    AnswerStore(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(UserError, match="has format 99 and this version reads 1"):
        AnswerStore(path)


def test_damage_in_the_middle_is_said_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with AnswerStore(path) as store:
        for i in range(300):
            add(store, str(i))
    whole = bytearray(path.read_bytes())
    whole[4096:] = b"\xff" * (len(whole) - 4096)
    path.write_bytes(whole)
    with AnswerStore(path) as store, pytest.raises(UserError, match="damaged"):
        store.completions("1")


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be used"):
        AnswerStore(tmp_path / "file" / "s")


def test_threads_share_a_store(tmp_path: Path) -> None:
    def fill(key: str) -> None:
        for _ in range(50):
            add(store, key)

    with AnswerStore(tmp_path / "s") as store:
        threads = [threading.Thread(target=fill, args=(str(i),)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [len(store.completions(str(i))) for i in range(4)] == [50] * 4


def write_many(path: Path, name: int) -> None:
    """Runs in a process of its own."""
    with AnswerStore(path) as store:
        for i in range(60):
            add(store, f"{name}-{i}")
            store.answer(f"shared-{i}", Answer({"by": name}))


def test_processes_share_a_store_from_its_first_moment(tmp_path: Path) -> None:
    path = tmp_path / "s"
    context = multiprocessing.get_context("forkserver")
    processes = [context.Process(target=write_many, args=(path, name)) for name in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert rows(path, "SELECT count(*) FROM completions") == [(240,)]
    assert rows(path, "SELECT count(*) FROM answers") == [(60,)]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_the_key_depends_on_all_that_may_change_the_answer() -> None:
    def key(**changed: object) -> str:
        given = vars(prompt("text")) | changed
        return type(prompt("text"))(**given).key("model", 0.0, 100)

    other_order = {name: prompt("").schema[name] for name in reversed(prompt("").schema)}
    keys = {
        key(),
        key(messages=(("user", "text"),)),
        key(schema={}),
        key(schema=other_order),
        key(version="test-2"),
        key(sample=1),
        prompt("text").key("model-2", 0.0, 100),
        prompt("text").key("model", 0.1, 100),
        prompt("text").key("model", 0.0, 101),
    }
    assert len(keys) == 9
    assert key() == key(read=str) == prompt("text").key("model", 0, 100)
