"""Where adapters go: safe names, nothing of others replaced, complete or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightning_dpg.adapters.folders import folders_for, placed, safe_name
from lightning_dpg.errors import UserError
from tests.adapters.conftest import ANNA, BEN, single


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Anna", "Anna"),
        ("Anna Karenina, at 28", "Anna-Karenina-at-28"),
        ("../../etc/passwd", "etc-passwd"),
        (".hidden", "hidden"),
        ("安娜", "安娜"),
        ("..", ""),
        ("x" * 300, "x" * 160),
    ],
)
def test_names_become_folders_below_out(name: str, folder: str) -> None:
    assert safe_name(name) == folder


def test_one_goes_to_out_and_several_below_it(tmp_path: Path) -> None:
    both = [single(ANNA, "Anna"), single(BEN, "Ben B.")]
    assert folders_for(both[:1], tmp_path / "new") == [tmp_path / "new"]
    assert folders_for(both, tmp_path) == [tmp_path / "Anna", tmp_path / "Ben-B"]


def test_names_that_fall_together_are_all_named(tmp_path: Path) -> None:
    blends = [single(ANNA, n) for n in ("Anna B", "anna-b", "??", "Carl", "CARL")]
    with pytest.raises(UserError) as caught:
        folders_for(blends, tmp_path)
    text = str(caught.value)
    assert "'Anna B' and 'anna-b' would share the folder anna-b" in text
    assert "'??' has no letter" in text and "'Carl' and 'CARL'" in text


@pytest.mark.parametrize("overwrite", [False, True])
def test_nothing_of_others_is_replaced_forced_or_not(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").touch()
    (tmp_path / "file").touch()
    for name in ("letters", "file"):
        with pytest.raises(UserError, match=f"{name} .*not overwritten"):
            folders_for([single(ANNA)], tmp_path / name, overwrite)
    (tmp_path / "empty").mkdir()
    assert folders_for([single(ANNA)], tmp_path / "empty", overwrite)


OURS, OTHERS = "---\ntags: [lora, lightning_dpg]\n---\n", "---\ntags: [lora]\n---\nlightning_dpg"


@pytest.mark.parametrize(
    ("card", "more", "reason"),
    [
        (OURS, "", "give --force"),
        (OURS, "tokenizer.json", "not overwritten"),  # somebody made it their own
        (OTHERS, "", "not overwritten"),
        ("---\ntags: [\n---\n", "", "not overwritten"),
        ("no head", "", "not overwritten"),
    ],
)
def test_adapters_of_ours_alone_are_replaced_and_when_forced_alone(
    tmp_path: Path, card: str, more: str, reason: str
) -> None:
    (tmp_path / "README.md").write_text(card)
    for name in ("adapter_config.json", "adapter_model.safetensors", more):
        if name:
            (tmp_path / name).touch()
    with pytest.raises(UserError, match=reason):
        folders_for([single(ANNA)], tmp_path)
    if reason == "give --force":
        assert folders_for([single(ANNA)], tmp_path, overwrite=True) == [tmp_path]
    else:
        with pytest.raises(UserError, match=reason):
            folders_for([single(ANNA)], tmp_path, overwrite=True)


def test_nobody_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nobody to export"):
        folders_for([], tmp_path)


def test_a_folder_is_there_complete_or_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "anna"
    with pytest.raises(KeyboardInterrupt), placed(target) as new:
        (new / "half").touch()
        raise KeyboardInterrupt
    assert not list(target.parent.iterdir())
    for content in ("first", "second"):
        with placed(target) as new:
            (new / content).touch()
        assert [path.name for path in target.iterdir()] == [content]
    with pytest.raises(ZeroDivisionError), placed(target) as new:
        (new / "third").touch()
        raise ZeroDivisionError
    assert [path.name for path in target.iterdir()] == ["second"]
    assert [path.name for path in target.parent.iterdir()] == ["anna"]


def test_a_link_is_followed_and_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with placed(tmp_path / "link") as new:
        (new / "content").touch()
    assert [path.name for path in (tmp_path / "real").iterdir()] == ["content"]
    assert {path.name for path in tmp_path.iterdir()} == {"real", "link"}
    file = tmp_path / "real" / "content"
    with pytest.raises(UserError, match="another --out"), placed(file / "below"):
        pass


def test_a_table_of_one_has_a_folder_of_its_name(tmp_path: Path) -> None:
    assert folders_for([single(ANNA, name="Anna")], tmp_path, named=True) == [tmp_path / "Anna"]


def test_long_names_fit_a_file_system(tmp_path: Path) -> None:
    (tmp_path / safe_name("\U00020000" * 200)).mkdir()


def test_what_a_killed_overwriting_left_is_asked_for_again(tmp_path: Path) -> None:
    """The old adapter is away and the new one not there: it is still not overwritten unasked."""
    away = tmp_path / ".anna-0123456789ab-old"
    away.mkdir()
    (away / "README.md").write_text(OURS)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (away / name).touch()
    with pytest.raises(UserError, match="give --force"):
        folders_for([single(ANNA)], tmp_path / "anna")
    assert (tmp_path / "anna" / "README.md").read_text() == OURS and not away.exists()
