"""Real processes: the command starts them itself, or torchrun does; and they are killed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.fabric.plugins.environments.lightning import find_free_network_port

from tests.conftest import PLAY
from tests.test_end_to_end import SMALL

pytestmark = pytest.mark.slow

TWO = [
    *SMALL,
    "logging.wandb=disabled",
    "evaluation.arms=[lora_sft,dpg]",
    "data.sources=[ferry.txt]",
    "trainer.devices=2",
]
DPG = [str(Path(sys.executable).with_name("dpg"))]
MODULE = [sys.executable, "-m", "lightning_dpg"]
ENDS = 900.0
"""Seconds: processes that wait for each other for ever would never end by themselves."""


def torchrun() -> list[str]:
    address = f"127.0.0.1:{find_free_network_port()}"
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    return [*launcher, "--rdzv-backend", "c10d", "--rdzv-endpoint", address, "-m", "lightning_dpg"]


def start(folder: Path, program: Sequence[str], *settings: str) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    (folder / "ferry.txt").write_text(PLAY, encoding="utf-8")
    environment = {
        **os.environ,
        "DPG_CACHE": str(folder / "cache"),
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
    }
    return subprocess.Popen(
        [*program, "train", "dpg_smollm2", *TWO, *settings],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, errors = process.communicate(timeout=ENDS)
    finally:
        process.kill()
    return process.returncode, out, errors


def run_of(folder: Path) -> Path:
    return (folder / "runs" / "dpg_smollm2" / "latest").resolve()


def curve(run: Path) -> list[dict[str, str]]:
    with (run / "dpg" / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def weights(run: Path, arm: str = "dpg") -> dict[str, torch.Tensor]:
    stored: dict[str, Any] = torch.load(run / arm / "model.ckpt", weights_only=True)
    return dict(stored["state_dict"])


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one | other)


def test_two_processes_make_one_run_however_they_are_started(tmp_path: Path) -> None:
    """By the console script and by torchrun: one folder, one report, one model."""
    runs = []
    for name, program in (("dpg", DPG), ("torchrun", torchrun())):
        status, out, errors = ended(start(tmp_path / name, program))
        assert status == 0, errors
        assert out.count("Report: ") == 1 and "Traceback" not in errors
        (folder,) = {p.resolve() for p in (tmp_path / name / "runs" / "dpg_smollm2").iterdir()}
        assert (folder / "report.html").is_file()
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        assert set(results["tasks"]["questions"]["arms"]) == {"lora_sft", "dpg"}
        runs.append(folder)
    for arm in ("lora_sft", "dpg"):
        assert same(weights(runs[0], arm), weights(runs[1], arm))


def test_a_mistake_is_told_once(tmp_path: Path) -> None:
    status, _, errors = ended(start(tmp_path, MODULE, "data.sources=[nowhere.txt]"))
    assert status == 2
    assert errors.count("nowhere.txt") == 1 and "Traceback" not in errors
    assert not (tmp_path / "runs").exists()


def children(process: subprocess.Popen[str]) -> list[int]:
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8")
    return [int(pid) for pid in text.split()]


def kill_after_a_checkpoint(folder: Path, process: subprocess.Popen[str]) -> None:
    """SIGKILL to the first process; the other must end by itself."""
    end = time.monotonic() + ENDS
    places = folder / "runs" / "dpg_smollm2"
    while not list(places.glob("*/dpg/last.ckpt")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.01)
    others = children(process)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=ENDS)
    assert len(others) == 1
    while _lives(others[0]):
        assert time.monotonic() < end
        time.sleep(0.1)


def _lives(pid: int) -> bool:
    """Whether a process runs: one that has ended may wait long for somebody to ask how."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return state.rpartition(") ")[2][0] != "Z"


def test_two_processes_that_are_killed_go_on_to_the_same_curve(tmp_path: Path) -> None:
    more = [
        "trainer.strategy=ddp",
        "evaluation.arms=[dpg]",
        "trainer.accumulate=2",
        "trainer.max_steps=40",
        "trainer.checkpoint_every=4",
        "trainer.validate_every=8",
    ]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    kill_after_a_checkpoint(killed, start(killed, MODULE, *more))
    (folder,) = (killed / "runs" / "dpg_smollm2").iterdir()
    assert not (folder / "dpg" / "model.ckpt").exists()
    for place in (killed, whole):
        status, _, errors = ended(start(place, MODULE, *more))
        assert status == 0, errors
    expected = curve(run_of(whole))
    assert [int(row["step"]) for row in expected if row["train/loss"]] == list(range(40))
    assert run_of(killed) == folder
    assert curve(folder) == expected
    assert same(weights(folder), weights(run_of(whole)))
