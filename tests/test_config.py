"""Settings: layers, overrides, and what a mistake is answered with."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lightning_dpg import config as settings
from lightning_dpg.config import Config, fingerprint, from_dict, load, to_yaml
from lightning_dpg.errors import UserError
from lightning_dpg.models.dial import FEWEST

EXPERIMENTS = {
    "dpg_llama7b",
    "dpg_llama8b",
    "dpg_smollm2",
    "dpg_smollm2_long",
    "lora_sft_smollm2",
    "smoke",
}
FRAGMENTS = {
    "assessor": {"api", "local", "scripted"},
    "backbone": {"llama2_7b", "llama31_8b", "smollm2", "tiny"},
    "data": {"bundled"},
    "hypernetwork": {"core", "dial", "full", "tiny"},
    "trainer": {"cpu", "gpu", "smoke"},
}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small house of experiments and fragments of its own."""
    texts = {
        "experiments/first.yaml": """
            base: [data/short, data/late, trainer/quick]
            data: {context_turns: 7}
            """,
        "experiments/second.yaml": "{base: [first], seed: 5, trainer: {max_steps: 9}}",
        "configs/data/short.yaml": "{context_turns: 3, batch_size: 3, min_reply_words: 3}",
        "configs/data/late.yaml": "{context_turns: 4, batch_size: 4}",
        "configs/data/other.yaml": "{batch_size: 5}",
        "configs/trainer/quick.yaml": "{max_steps: 6, warmup_steps: 1}",
        "configs/backbone/tiny.yaml": "{source: random, quantization: none}",
    }
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(settings.loading, "EXPERIMENTS", tmp_path / "experiments")
    monkeypatch.setattr(settings.loading, "FRAGMENTS", tmp_path / "configs")
    return tmp_path


def written(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def refusal(experiment: str, *overrides: str) -> str:
    with pytest.raises(UserError) as caught:
        load(experiment, overrides)
    return str(caught.value)


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from leaves(below, (*path, key))
    else:
        yield path, value


# What comes with the project.


def test_no_file_of_settings_is_forgotten() -> None:
    """A new YAML file is to be entered above: then the tests below read it."""
    assert set(settings.experiments()) == EXPERIMENTS
    found: dict[str, set[str]] = {}
    for path in settings.FRAGMENTS.rglob("*.yaml"):
        found.setdefault(str(path.parent.relative_to(settings.FRAGMENTS)), set()).add(path.stem)
    assert found == FRAGMENTS
    assert set(settings.GROUPS) == set(FRAGMENTS)
    for folder in (settings.FRAGMENTS, settings.EXPERIMENTS):
        assert not [p for p in folder.rglob("*") if p.is_file() and p.suffix != ".yaml"]


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_every_experiment_loads_and_survives_saving(name: str) -> None:
    config = load(name)
    assert config.name == name
    assert from_dict(yaml.safe_load(to_yaml(config))) == config
    assert from_dict(dataclasses.asdict(config)) == config


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group in FRAGMENTS for name in sorted(FRAGMENTS[group])]
)
def test_every_fragment_is_taken_over_whole(group: str, name: str) -> None:
    config = load("smoke", [f"{group}={name}"])
    text = (settings.FRAGMENTS / group / f"{name}.yaml").read_text(encoding="utf-8")
    expected = dataclasses.asdict(Config())[group]
    for path, value in leaves(yaml.safe_load(text)):
        place = expected
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
    assert dataclasses.asdict(config)[group] == expected


# Layers.


def test_layers_lie_in_order(house: Path) -> None:
    data = load("first").data
    assert data.max_reply_tokens == Config().data.max_reply_tokens  # schema alone
    assert data.min_reply_words == 3  # first fragment over the schema
    assert data.batch_size == 4  # second fragment over the first
    assert data.context_turns == 7  # the experiment over its fragments
    assert load("first", ["data.context_turns=1"]).data.context_turns == 1  # overrides over all


def test_an_experiment_builds_on_another(house: Path) -> None:
    config = load("second")
    assert (config.name, config.seed, config.data.context_turns) == ("second", 5, 7)
    assert (config.trainer.max_steps, config.trainer.warmup_steps) == (9, 1)


def test_an_experiment_may_lie_anywhere(house: Path, tmp_path: Path) -> None:
    config = load(written(tmp_path, "{base: [first], seed: 8}"))
    assert (config.name, config.seed, config.data.batch_size) == ("mine", 8, 4)


def test_a_group_override_replaces_the_whole_group(house: Path) -> None:
    data = load("first", ["data=other"]).data
    assert data == dataclasses.replace(Config().data, batch_size=5)


@pytest.mark.parametrize("turn", [1, -1])
def test_overrides_of_a_group_and_in_it_work_in_any_order(house: Path, turn: int) -> None:
    backbone = load("first", ["backbone=tiny", "backbone.dtype=float32"][::turn]).backbone
    assert (backbone.source, backbone.quantization) == ("random", "none")
    assert backbone.dtype == "float32"


def test_the_last_of_two_overrides_counts(house: Path) -> None:
    assert load("first", ["seed=1", "seed=2"]).seed == 2


def test_lists_are_replaced(house: Path) -> None:
    config = load("first", ["lora.projections=[o]", "evaluation.arms=[dpg, unadapted]"])
    assert config.lora.projections == ["o"]
    assert config.evaluation.arms == ["dpg", "unadapted"]


def test_null_is_none(house: Path, tmp_path: Path) -> None:
    path = written(tmp_path, "trainer: {threads: 3}\nbackbone: {revision: main}")
    assert load(path).trainer.threads == 3
    config = load(path, ["trainer.threads=null", "backbone.revision=null"])
    assert config.trainer.threads is None
    assert config.backbone.revision is None


@pytest.mark.parametrize("text", ["data:", "data:\nassessor:\n  labels:\n", "", "# nothing\n"])
def test_an_empty_group_changes_nothing(house: Path, tmp_path: Path, text: str) -> None:
    assert load(written(tmp_path, text)) == dataclasses.replace(Config(), name="mine")


def test_numbers_are_read_as_people_write_them(house: Path) -> None:
    config = load("first", ["trainer.learning_rate=2e-3", "lora.alpha=4", "logging.entity=a=b"])
    assert config.trainer.learning_rate == 0.002
    assert (config.lora.alpha, type(config.lora.alpha)) == (4.0, float)
    assert config.logging.entity == "a=b"


def test_nothing_of_omegaconf_comes_out() -> None:
    def check(value: Any) -> None:
        assert type(value).__module__.split(".")[0] in {"builtins", "lightning_dpg"}
        if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                check(getattr(value, field.name))
        elif isinstance(value, list):
            for item in value:
                check(item)

    for config in (load("dpg_smollm2"), from_dict(dataclasses.asdict(load("smoke")))):
        assert type(config) is Config
        check(config)


# Mistakes.


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.max_stepz=3", "Did you mean 'trainer.max_steps'?"),
        ("max_steps=3", "Did you mean 'trainer.max_steps'?"),
        ("trainer.rank=3", "Did you mean 'lora.rank'?"),
        ("batch_size=3", "Did you mean 'data.batch_size'?"),
        ("backbon.dtype=float32", "Did you mean 'backbone.dtype'?"),
        ("backbone=smolm2", "Did you mean 'smollm2'? Known: llama2_7b, llama31_8b, smollm2, tiny"),
        ("trainer.max_steps=many", "'trainer.max_steps' expected an integer, got 'many'"),
        ("trainer.max_steps=1.5", "'trainer.max_steps' expected an integer, got 1.5"),
        ("trainer.max_steps=null", "'trainer.max_steps' expected an integer, got None"),
        ("trainer.learning_rate=fast", "'trainer.learning_rate' expected a number, got 'fast'"),
        ("backbone.gradient_checkpointing=maybe", "expected true or false, got 'maybe'"),
        ("backbone.dtype=float16", "'backbone.dtype' expected one of auto, bfloat16, float32, got"),
        ("evaluation.arms=[dpg, dog]", "'evaluation.arms' expected list[Literal['unadapted', "),
        ("lora.projections=q", "'lora.projections' expected list[Literal['q', 'k', 'v', 'o']]"),
        ("evaluation=3", "'evaluation' is a group of settings (evaluation.arms, "),
        ("data.batch_size.more=3", "Did you mean 'data.batch_size'?"),
        ("seed", "An override is key=value, got 'seed'"),
        ("name=${nowhere}", "nowhere"),
        ("lora.rank=0", "'lora.rank' expected a positive integer, got 0 (in smoke)"),
        ("trainer.max_steps=-1", "'trainer.max_steps' expected a positive integer, got -1"),
        ("hypernetwork.heads=3", "a multiple of hypernetwork.heads (3), got 16"),
        ("hypernetwork.heads=0", "'hypernetwork.heads' expected a positive integer, got 0"),
        ("data.test_fraction=0.95", "less than 1, got 1.05"),
        (
            "calibration.profiles=7",
            "expected 8 or more, or 0 for none, got 7",
        ),
        ("data.pronounced=0", "'data.pronounced' expected a share above 0 and up to 1, got 0"),
        ("data.pronounced=1.5", "'data.pronounced' expected a share above 0 and up to 1, got 1.5"),
        ("lora.rank=1", "expected 2 or more beside hypernetwork.imprint"),
        ("lora.projections=[]", "'lora.projections' expected at least one of q, k, v, o"),
        ("lora.first_layer=-1", "'lora.first_layer' expected 0 or more, got -1"),
        ("trainer.learning_rate=0", "'trainer.learning_rate' expected a positive number, got 0"),
        ("trainer.learning_rate=.nan", "expected a positive number, got nan"),
    ],
)
def test_a_mistake_is_answered_with_what_would_be_right(override: str, message: str) -> None:
    assert message in refusal("smoke", override)


def test_as_few_profiles_as_a_dial_can_be_fitted_to_are_taken() -> None:
    assert load("smoke", [f"calibration.profiles={FEWEST}"]).calibration.profiles == FEWEST
    assert f"expected {FEWEST} or more" in refusal("smoke", f"calibration.profiles={FEWEST - 1}")


def test_what_is_far_from_everything_gets_no_suggestion() -> None:
    assert "Did you mean" not in refusal("smoke", "qqqqqqqq=1")


def test_all_mistakes_come_in_one_message() -> None:
    lines = refusal("smoke", "seeds=1", "backbone=huge", "lora.rank=x", "nothing").split("\n")
    assert len(lines) == 4
    for part in ("'seeds'", "backbone=huge", "'lora.rank'", "'nothing'"):
        assert sum(part in line for line in lines) == 1
    lines = refusal("smoke", "lora.rank=0", "trainer.log_every=0", "data.test_fraction=2").split(
        "\n"
    )
    assert len(lines) == 3


def test_a_message_says_where_the_mistake_stands(house: Path, tmp_path: Path) -> None:
    (house / "configs/data/late.yaml").write_text("batch_sice: 4")
    message = refusal(written(tmp_path, "{base: [data/late], sead: 1}"), "nam=x")
    assert "Unknown setting 'data.batch_sice' (in configs/data/late.yaml)" in message
    assert "Unknown setting 'sead' (in mine.yaml). Did you mean 'seed'?" in message
    assert "Unknown setting 'nam' (in the command line). Did you mean 'name'?" in message


def test_an_unknown_experiment_lists_those_that_exist() -> None:
    message = refusal("dpg_smolm2")
    assert "There is no experiment 'dpg_smolm2'. Did you mean 'dpg_smollm2'?" in message
    assert f"Experiments: {', '.join(sorted(EXPERIMENTS))}" in message
    assert "There is no experiment 'no/such.yaml'" in refusal("no/such.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not valid YAML"),
        ("- 1\n- 2", "must hold settings (key: value), got list"),
        ("just words", "must hold settings (key: value), got str"),
        ("base: [data/lat]", "base 'data/lat' (in mine.yaml) is neither a fragment"),
        ("base: [data/lat]", "Did you mean 'data/late'?"),
        ("base: [data/lat]", "Known: backbone/tiny, data/late, data/other, data/short"),
        ("base: first", "base (in mine.yaml) expected a list such as [first], got 'first'"),
        ("data: 3", "'data' is a group of settings (data.sources, "),
    ],
)
def test_a_file_that_is_no_experiment(house: Path, tmp_path: Path, text: str, message: str) -> None:
    assert message in refusal(written(tmp_path, text))


def test_a_circle_of_bases_is_a_mistake(house: Path) -> None:
    (house / "experiments/first.yaml").write_text("base: [second]")
    assert "second.yaml is its own base, by way of first.yaml" in refusal("second")


def test_settings_from_a_newer_version_are_refused() -> None:
    stored = dataclasses.asdict(load("smoke"))
    stored["lora"]["flavour"] = "vanilla"
    with pytest.raises(UserError, match=r"Unknown setting 'lora.flavour' \(in the checkpoint\)"):
        from_dict(stored)


# Fingerprints.


def test_a_fingerprint_changes_with_every_setting() -> None:
    plain = dataclasses.asdict(Config())
    prints = {fingerprint(plain)}
    paths = list(leaves(plain))
    for path, value in paths:
        changed = json.loads(json.dumps(plain))
        place = changed
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = [value, "changed"]
        prints.add(fingerprint(changed))
    assert len(prints) == len(paths) + 1 > 50


def test_a_fingerprint_of_a_dataclass_is_that_of_its_values() -> None:
    config = load("smoke")
    text = json.dumps([dataclasses.asdict(config), 3], sort_keys=True)
    assert fingerprint(config, 3) == hashlib.sha256(text.encode()).hexdigest()[:12]
    assert fingerprint(config, 3) != fingerprint(config, 4)


def test_a_fingerprint_is_the_same_in_another_process() -> None:
    code = "from lightning_dpg.config import *; print(fingerprint(load('smoke')))"
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert other.strip() == fingerprint(load("smoke"))
