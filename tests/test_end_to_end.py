"""The whole path, from texts to a report, on the tiny backbone; and a run that is killed."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from lightning_dpg import __main__
from lightning_dpg.adapters.parts import Blend, Part
from lightning_dpg.config import Config, load
from lightning_dpg.errors import UserError
from lightning_dpg.metrics.functional import NORMS
from lightning_dpg.records import TRAITS, Profile
from lightning_dpg.run import corpus, evaluation, loading, main_job, reply
from lightning_dpg.runs import latest_run
from tests.conftest import PLAY, SIDECAR

SMALL = [
    "backbone=tiny",
    "hypernetwork=tiny",
    "assessor=scripted",
    "trainer=smoke",
    "trainer.threads=1",
    "data.batch_size=2",
    "lora.rank=2",
    "lora.first_layer=0",
    "evaluation.drawn_profiles=3",
    "evaluation.replies_per_persona=1",
    "evaluation.validation_personas=3",
    "evaluation.validation_replies=1",
    "evaluation.max_new_tokens=12",
    "evaluation.bootstrap=20",
    "evaluation.dose_levels=3",
    "evaluation.fluency_replies=1",
    "calibration.profiles=8",
    "calibration.replies=1",
    "data.held_out_regions=[]",
]
"""Any experiment with this is over in seconds."""
ARMS = {"unadapted", "prompted", "lora_sft", "lora_sft_contrast", "dpg"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder to run in, with a play to learn from."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "ferry.txt").write_text(PLAY, encoding="utf-8")
    (folder / "ferry.characters.yaml").write_text(SIDECAR, encoding="utf-8")
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(corpus, "CACHE", folder / "cache")
        patch.setenv("WANDB_SILENT", "true")
        yield folder
    torch.set_num_threads(threads)


def train(place: Path, experiment: str, *overrides: str) -> tuple[Path, dict[str, Any], Config]:
    """Run an experiment; gives its folder, results and settings."""
    config = load(experiment, overrides)
    report = main_job.train(config)
    folder = latest_run(experiment)
    assert report.resolve() == folder / "report.html"
    text = (folder / "results.json").read_text(encoding="utf-8")

    def refuse(constant: str) -> None:
        raise AssertionError(f"results.json holds {constant}, which is no JSON")

    return folder, json.loads(text, parse_constant=refuse), config


@pytest.fixture(scope="module")
def smoke(place: Path) -> tuple[Path, dict[str, Any], Config]:
    """`make train EXP=smoke`, on its own corpus, with an offline Weights & Biases run."""
    return train(
        place, "smoke", "logging.wandb=offline", "trainer.threads=1", "evaluation.max_new_tokens=16"
    )


def curve(folder: Path, arm: str = "dpg") -> list[dict[str, str]]:
    with (folder / arm / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def check_interval(value: dict[str, Any]) -> None:
    assert value["low"] <= value["mean"] + 1e-6
    assert value["mean"] <= value["high"] + 1e-6


Smoke = tuple[Path, dict[str, Any], Config]


def test_results_hold_every_number(smoke: Smoke) -> None:
    _, results, config = smoke
    assert list(results["tasks"]) == ["questions"] and results["headline"] == "questions"
    task = results["tasks"]["questions"]
    assert set(task["arms"]) == ARMS
    for arm in task["arms"].values():
        for norm in NORMS:
            check_interval(arm["psdc"][norm])
        assert set(arm["trait_r"]) == set(TRAITS)
        assert isinstance(arm["unscored"], int)
        assert arm["scored"] + arm["unscored"] == len(task["personas"])
        assert arm["scored"] > 10
        assert all(-1 <= r <= 1 for r in arm["trait_r"].values())
    for name in ("constant_zero", "corpus_mean", "shuffled"):
        assert task["trivial"][name]["psdc"]["l2"]["mean"] > 0
    others = ("lora_sft", "lora_sft_contrast", "best_prompt", "constant_zero", "corpus_mean")
    for name in others:
        check_interval(task["ratios"][f"dpg_over_{name}"])
    assert set(task["comparisons"]) == ARMS - {"dpg"}
    drawn = [p for p in task["personas"] if p["kind"] == "drawn"]
    assert len(drawn) == config.evaluation.drawn_profiles
    assert len(task["personas"]) > len(drawn)


def test_results_hold_the_studies_of_dpg(smoke: Smoke) -> None:
    folder, results, config = smoke
    for trait in TRAITS:
        dose = results["dose_response"][trait]
        assert dose["doses"] == [-4, 0, 4] and len(dose["measured"]) == 3
        assert len(dose["slopes"]) == len(TRAITS)
    for shown in ("traits", "words"):
        assert results["descriptions"][shown]["replies"] > 0
    for arm in results["tasks"]["questions"]["arms"].values():
        assert arm["quality"]["nll"]["mean"] > 0
        assert arm["second"]["instrument"].startswith("lexicon/")
    for arm in ("lora_sft", "lora_sft_contrast", "dpg"):
        response = json.loads((folder / arm / "response.json").read_text(encoding="utf-8"))
        asked = config.calibration.profiles * config.calibration.rounds
        assert 8 <= len(response["settings"]) == len(response["measured"]) <= asked
        stored = torch.load(folder / arm / "model.ckpt", weights_only=True)["state_dict"]
        assert not torch.equal(stored["dial.matrix"], torch.eye(5))
        assert any(response["described"]) == (arm == "dpg")
        assert bool(stored["dial.described"].any()) == (arm == "dpg")


def test_results_say_what_they_come_from(smoke: Smoke) -> None:
    _, results, config = smoke
    assert results["experiment"] == "smoke"
    assert results["seed"] == config.seed
    assert results["backbone"] == "tiny-random-llama@seed=0/none/float32"
    assert results["labels"].startswith("scripted/")
    assert results["judge"].startswith("scripted/")
    assert results["corpus"]["samples"]["train"] > results["corpus"]["samples"]["test"] > 0
    assert all(seconds > 0 for seconds in results["wall_seconds"].values())


def test_a_run_leaves_its_files(smoke: Smoke) -> None:
    folder, _, config = smoke
    assert (folder / "config.yaml").is_file()
    assert (folder.parent / "latest").resolve() == folder
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert report.lstrip().startswith("<!")
    assert "</html>" in report
    replies = (folder / "replies.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["arm"] for line in replies} == set(config.evaluation.arms)


@pytest.mark.parametrize("arm", ["dpg", "lora_sft"])
def test_the_curves_are_logged(smoke: Smoke, arm: str) -> None:
    folder, _, config = smoke
    rows = curve(folder, arm)
    trained = [row for row in rows if row["train/loss"]]
    assert [int(row["step"]) for row in trained] == list(range(config.trainer.max_steps))
    assert all(math.isfinite(float(row["train/loss"])) for row in trained)
    validated = [row for row in rows if row["val/loss"]]
    assert [int(row["step"]) for row in validated] == [2, 5]
    for row in validated:
        names = ["val/psdc", "val/psdc_const0", "val/unscored", "val/own_preferred"]
        assert all(row[name] for name in [*names, *(f"val/trait_r/{t}" for t in TRAITS)])
    assert any(row["lr-AdamW"] for row in rows)


def test_checkpoints_hold_only_what_was_trained(smoke: Smoke) -> None:
    folder, _, _ = smoke
    for arm in ("dpg", "lora_sft"):
        path = folder / arm / "model.ckpt"
        content = torch.load(path, weights_only=True)
        assert {n.split(".")[0] for n in content["state_dict"]} == {"adapters", "dial"}
        parameters = sum(tensor.numel() for tensor in content["state_dict"].values())
        assert path.stat().st_size < 4 * parameters + 40_000
    backbone = 320 * 64 * 4  # its embeddings alone
    assert (folder / "lora_sft" / "model.ckpt").stat().st_size < backbone


def test_an_offline_run_of_weights_and_biases_is_there(smoke: Smoke) -> None:
    folder, _, _ = smoke
    runs = list((folder / "wandb").glob("offline-run-*"))
    assert len(runs) == 4  # one for each trained arm, one for the closing evaluation
    assert all(list(path.glob("*.wandb")) for path in runs)


def test_a_checkpoint_answers(smoke: Smoke, capsys: pytest.CaptureFixture[str]) -> None:
    del smoke
    sys.argv, before = ["dpg", "generate", "--experiment", "smoke"], sys.argv
    sys.argv += ["--ocean", "-4,-2,3,0,4", "--character", "A captain.", "--prompt", "Who goes?"]
    try:
        for _ in range(2):
            with pytest.raises(SystemExit) as ended:
                __main__.main()
            assert not ended.value.code
    finally:
        sys.argv = before
    first, second = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert first == second  # the same seed says the same


def test_a_checkpoint_answers_as_it_is_asked(smoke: Smoke) -> None:
    folder, _, _ = smoke
    path = loading.checkpoint_of(folder)
    assert path == folder / "dpg" / "model.ckpt"

    def say(seed: int = 0, **overrides: Any) -> str:
        someone = Blend("", (Part(Profile((1.0,) * 5)),))
        return reply.generate(path, [someone], "Who goes?", seed, overrides)[0]

    long = say(max_new_tokens=24)
    assert say(max_new_tokens=24, seed=1) != long
    assert len(say(max_new_tokens=4)) < len(long)
    assert say(temperature=0.0, seed=1) == say(temperature=0.0, seed=2)


def test_a_run_is_evaluated_by_every_task_and_arm(smoke: Smoke) -> None:
    folder, before, _ = smoke
    first = (folder / "results.json").read_bytes()
    settings = ["logging.wandb=disabled", "evaluation.newcomers=4"]
    report = evaluation.evaluate(folder, settings, "everything")
    assert report == folder / "evaluations" / "everything" / "report.html"
    results = json.loads((report.parent / "results.json").read_text(encoding="utf-8"))
    assert set(results["tasks"]) == {"questions", "scripted", "newcomers", "seen"}
    arms = ARMS | {"prompted_description", "prompted_both", "few_shot", "linear"}
    for task in results["tasks"].values():
        assert set(task["arms"]) == arms
    assert set(results["skipped"]) == {"api"}  # no model is named
    assert len(results["dose_response"]["openness"]["backgrounds"]) == 2
    assert (folder / "linear" / "model.ckpt").is_file()  # which the run had not trained
    # What the run had generated and rated stands as it was.
    for arm in ARMS:
        assert (
            results["tasks"]["questions"]["arms"][arm]["measured"]
            == (before["tasks"]["questions"]["arms"][arm]["measured"])
        )
    assert (folder / "results.json").read_bytes() == first


def test_a_finished_run_keeps_the_settings_of_its_training(smoke: Smoke, place: Path) -> None:
    folder, _, _ = smoke
    for override, named in [
        ("trainer.max_steps=3", "trainer"),
        ("assessor.labels.min_words=3", "assessor.labels"),
        ("seed=3", "seed"),
    ]:
        with pytest.raises(UserError, match=rf"^{named} cannot change after training"):
            evaluation.evaluate(folder, [override])
    with pytest.raises(UserError, match="The name of an evaluation is letters"):
        evaluation.evaluate(folder, name="..")
    with pytest.raises(UserError, match=r"Nobody can do any of the tasks none"):
        evaluation.evaluate(folder, ["evaluation.tasks=[]"])
    with pytest.raises(UserError, match="no run but an evaluation of one"):
        evaluation.evaluate(folder / "evaluations" / "everything")
    with pytest.raises(UserError, match=r"is no run: it holds no config\.yaml"):
        evaluation.evaluate(place)
    moved = place / "moved"
    moved.mkdir()
    settings = (folder / "config.yaml").read_text(encoding="utf-8")
    (moved / "config.yaml").write_text(re.sub("corpus [0-9a-f]{4}", "corpus 0000", settings))
    with pytest.raises(UserError, match="was trained on another corpus"):
        evaluation.evaluate(moved)


def test_the_same_command_after_the_end_starts_anew_and_gets_the_same(place: Path) -> None:
    settings = [*SMALL, "logging.wandb=disabled", "data.sources=[ferry.txt]", "data.batch_size=1"]
    one, first, _ = train(place, "lora_sft_smollm2", *settings)
    other, second, _ = train(place, "lora_sft_smollm2", *settings)
    assert one != other
    assert not (one / "wandb").exists()
    for results in (first, second):
        del results["wall_seconds"]
    assert first == second
    assert curve(one, "lora_sft") == curve(other, "lora_sft")
    (other / "report.html").unlink()  # killed at the very end: nothing is done twice
    before = (other / "lora_sft" / "model.ckpt").stat().st_mtime_ns
    again, third, _ = train(place, "lora_sft_smollm2", *settings)
    del third["wall_seconds"]
    assert (again, third) == (other, first)
    assert (other / "lora_sft" / "model.ckpt").stat().st_mtime_ns == before
    assert first["tasks"]["questions"]["ratios"] == {}


def test_the_papers_experiment_runs_with_small_parts(place: Path) -> None:
    """Everything of `dpg_llama7b` but its size: longer prompts, GPU settings replaced."""
    folder, results, config = train(
        place,
        "dpg_llama7b",
        *SMALL,
        "logging.wandb=disabled",
        "trainer.max_steps=2",
        "trainer.validate_every=2",
        "backbone.gradient_checkpointing=true",
    )
    assert config.data.max_reply_tokens == 160
    assert results["backbone"] == "tiny-random-llama@seed=0/none/float32"
    task = results["tasks"]["questions"]
    assert set(task["arms"]) == ARMS
    assert task["ratios"]["dpg_over_lora_sft"]["mean"] > 0
    assert len([row for row in curve(folder) if row["train/loss"]]) == 2


KILLED = [
    *SMALL,
    "logging.wandb=disabled",
    "evaluation.arms=[dpg]",
    "data.sources=[ferry.txt]",
    "trainer.max_steps=40",
    "trainer.checkpoint_every=4",
    "trainer.validate_every=8",
]


def start(folder: Path, *more: str) -> subprocess.Popen[bytes]:
    folder.mkdir(exist_ok=True)
    (folder / "ferry.txt").write_text(PLAY, encoding="utf-8")
    command = [sys.executable, "-m", "lightning_dpg", "train", "dpg_smollm2", *KILLED, *more]
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "DPG_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def kill_after_a_checkpoint(folder: Path, process: subprocess.Popen[bytes], newer: float) -> float:
    """Wait until a checkpoint is written, and a little; then SIGKILL. Gives the file's time."""
    runs = folder / "runs" / "dpg_smollm2"
    end = time.monotonic() + 120
    while not (times := [p.stat().st_mtime for p in runs.glob("*/dpg/last.ckpt")]) or (
        max(times) <= newer
    ):
        assert process.poll() is None, process.stderr.read().decode()  # type: ignore[union-attr]
        assert time.monotonic() < end
        time.sleep(0.01)
    process.kill()
    process.wait()
    return max(p.stat().st_mtime for p in runs.glob("*/dpg/last.ckpt"))


@pytest.mark.slow
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_killed_run_goes_on_to_the_same_curve(tmp_path: Path, accumulate: int) -> None:
    more = f"trainer.accumulate={accumulate}"
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    written = 0.0
    for _ in range(2):
        written = kill_after_a_checkpoint(killed, start(killed, more), written)
    (folder,) = (killed / "runs" / "dpg_smollm2").iterdir()
    assert not (folder / "dpg" / "model.ckpt").exists()
    steps_before = len([row for row in curve(folder) if row["train/loss"]])
    assert 0 < steps_before < 40
    for place in (killed, whole):
        process = start(place, more)
        _, errors = process.communicate()
        assert process.returncode == 0, errors.decode()
    expected = curve(whole / "runs" / "dpg_smollm2" / "latest")
    assert len([row for row in expected if row["train/loss"]]) == 40
    assert len([row for row in expected if row["val/loss"]]) == 5
    assert curve(folder) == expected
    assert len(list(folder.parent.iterdir())) == 2  # one run and the link to it
    one, other = (
        torch.load(place / "dpg" / "model.ckpt", weights_only=True)["state_dict"]
        for place in (folder, whole / "runs" / "dpg_smollm2" / "latest")
    )
    assert all(torch.equal(one[name], other[name]) for name in one | other)
