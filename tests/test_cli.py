"""The commands: what they print, and what a mistake looks like."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from lightning_dpg import __main__, __version__
from lightning_dpg.config import experiments, from_dict, load

Outcome = tuple[int, str, str]
"""Exit status, standard output, standard error."""
Dpg = Callable[..., Outcome]


@pytest.fixture
def dpg(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Dpg:
    """Runs `dpg …` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["dpg", *arguments])
        with pytest.raises(SystemExit) as ended:
            __main__.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def test_help_lists_the_commands(dpg: Dpg) -> None:
    status, out, _ = dpg("--help")
    assert status == 0
    for command in ("train", "generate", "report", "experiments", "version"):
        assert command in out


@pytest.mark.parametrize("command", ["train", "generate", "report", "experiments", "version"])
def test_every_command_explains_itself(dpg: Dpg, command: str) -> None:
    status, out, _ = dpg(command, "--help")
    assert status == 0
    assert "Usage" in out


def test_print_config_shows_the_resolved_settings_and_stops(dpg: Dpg, tmp_path: Path) -> None:
    status, out, err = dpg("train", "smoke", "--print-config", "trainer.max_steps=3")
    assert (status, err) == (0, "")
    assert from_dict(yaml.safe_load(out)) == load("smoke", ["trainer.max_steps=3"])
    assert list(tmp_path.iterdir()) == []


def test_print_config_may_stand_anywhere(dpg: Dpg) -> None:
    first = dpg("train", "--print-config", "smoke", "backbone=tiny")
    assert first == dpg("train", "smoke", "backbone=tiny", "--print-config")


def test_experiments_are_listed_with_what_they_are(dpg: Dpg) -> None:
    _, out, _ = dpg("experiments")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == experiments()
    assert all(len(line.split()) > 3 for line in lines)


def test_version(dpg: Dpg) -> None:
    assert dpg("version")[:2] == (0, f"{__version__}\n")


SAY = ("--prompt", "Hello?")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "smoke", "trainer.max_stepz=3"), "Did you mean 'trainer.max_steps'?"),
        (("train", "smoke", "lora.rank=0"), "'lora.rank' expected a positive integer, got 0"),
        (("train", "dpg_smolm2"), "There is no experiment 'dpg_smolm2'. Did you mean"),
        (("train", "trainer.max_steps=3"), "There is no experiment 'trainer.max_steps=3'."),
        (("train", "smoke", "data.sources=[nowhere]"), "'nowhere' is neither a file nor a folder"),
        (("generate", "--ocean", "9,0,0,0,0", *SAY), "openness must lie between -5 and 5, got 9"),
        (("generate", "--ocean", "-9,0,0,0,0", *SAY), "between -5 and 5, got -9"),
        (("generate", "--ocean", "4,2", *SAY), "A profile needs 5 scores"),
        (("generate", "--ocean", "0,0,0,0,x", *SAY), "got 'x' in '0,0,0,0,x'"),
        (("generate", "--ocean", "-4,-2,0,0,0", *SAY), "There is no finished run of 'dpg_smollm2'"),
        (
            ("generate", "--ocean", "0,0,0,0,0", *SAY, "--checkpoint", "no/model.ckpt"),
            "There is no checkpoint no/model.ckpt: train first",
        ),
        (("report", "smoke"), "There is no finished run of 'smoke'"),
    ],
)
def test_a_mistake_is_one_message_and_status_2(
    dpg: Dpg, arguments: tuple[str, ...], message: str
) -> None:
    status, _, err = dpg(*arguments)
    assert status == 2
    assert message in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("generate", "--ocean", "0,0,0,0,0"),
        ("generate", "--ocean", "0,0,0,0,0", *SAY, "--temperature", "-1"),
        ("generate", "--ocean", "0,0,0,0,0", *SAY, "--max-new-tokens", "0"),
        ("train", "smoke", "--no-such-option"),
        ("dance",),
    ],
)
def test_misuse_of_the_command_line_is_status_2(dpg: Dpg, arguments: tuple[str, ...]) -> None:
    status, _, err = dpg(*arguments)
    assert status == 2
    assert "Traceback" not in err


def python(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "DPG_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
    )


def test_as_a_process_a_mistake_shows_no_traceback(tmp_path: Path) -> None:
    done = python("-m", "lightning_dpg", "train", "smoke", "sead=1", folder=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    message = "Unknown setting 'sead' (in the command line). Did you mean 'seed'?"
    assert done.stderr.strip() == message


def test_commands_that_need_no_torch_do_not_wait_for_it(tmp_path: Path) -> None:
    code = "import sys, lightning_dpg.__main__; print({'torch', 'transformers'} & set(sys.modules))"
    assert python("-c", code, folder=tmp_path).stdout.strip() == "set()"
