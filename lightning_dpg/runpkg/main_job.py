"""The only place where everything is put together: settings to report, checkpoint to reply."""

from __future__ import annotations

import importlib.metadata
import json
import logging
import warnings
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import torch
import transformers

from lightning_dpg import __version__
from lightning_dpg.assessment.base import Assessor
from lightning_dpg.assessment.lexicon import LexiconAssessor
from lightning_dpg.assessment.local import LocalAssessor
from lightning_dpg.assessment.reference import Reference
from lightning_dpg.assessment.scripted import ScriptedAssessor
from lightning_dpg.callbacks.tracking import log_results
from lightning_dpg.config import Arm, AssessorSettings, Config, from_dict
from lightning_dpg.corpus.build import build_corpus
from lightning_dpg.corpus.show import summary
from lightning_dpg.corpus.store import Corpus, is_corpus
from lightning_dpg.data.collate import Collate
from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.arms import ARMS, voice_of
from lightning_dpg.evaluation.evaluate import evaluate
from lightning_dpg.evaluation.instruments import Instruments
from lightning_dpg.evaluation.questions import LANGUAGE as QUESTIONS_LANGUAGE
from lightning_dpg.evaluation.replies import Request, generate_replies
from lightning_dpg.models.backbone import CACHE, Backbone, load_backbone
from lightning_dpg.models.checkpoint import read_checkpoint
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.progress import Steps
from lightning_dpg.records import Profile
from lightning_dpg.report.page import write_report
from lightning_dpg.runs import RESULTS, link_latest, open_run, write_atomically
from lightning_dpg.training import MODEL, load_weights, make_datamodule, train_arm

MAX_PROMPT = 1024
"""What a person types is not cut to the length of training prompts."""
PACKAGES = ("torch", "transformers", "bitsandbytes", "lightning", "datasets")


def train(config: Config) -> Path:
    """The main job: corpus, training, evaluation, report; an interrupted run is taken up again.

    Returns:
        The path of the report.
    """
    steps = Steps()
    quieten(config.trainer.threads)
    trained_arms = [arm for arm in config.evaluation.arms if ARMS[arm].source]
    count = 3 + len(trained_arms)
    with steps.step("backbone", f"[1/{count}] Loading {config.backbone.name}"):
        backbone = load_backbone(config.backbone, config.seed)
    with steps.step("corpus", f"[2/{count}] Building and labelling the corpus"):
        labeller = make_assessor(config.assessor.labels, backbone)
        corpus = build_corpus(config.data, labeller, CACHE / "corpora", steps)
    judge = make_assessor(config.assessor.judge, backbone, corpus)
    if isinstance(judge, LocalAssessor) and judge.reference is None:
        with steps.step("norms", "Taking the judge's norms from the corpus"):
            judge.fit(_spoken(corpus))
    # Not before: a model that is missing must not leave an empty run behind.
    run = open_run(config, corpus.card["hash"])
    trained: dict[Arm, PersonalityModule] = {}
    for i, arm in enumerate(trained_arms):
        with steps.step(arm, f"[{3 + i}/{count}] Training {ARMS[arm].title}"):
            trained[arm] = train_arm(arm, config, corpus, backbone, judge, run)
    data = make_datamodule("dpg", config, corpus, backbone)
    with steps.step("evaluation", f"[{count}/{count}] Evaluating and reporting"):
        instruments = _instruments(config, corpus, backbone, judge)
        summary = evaluate(config, corpus, data.split, backbone, instruments, trained, run, steps)
        samples = {part: len(found) for part, found in data.split.items()}
        samples["learned"] = len(data.learned)
        about = _about(config, backbone, corpus, samples, judge)
    results = {**about, "wall_seconds": steps.seconds, **summary}
    write_atomically(run / RESULTS, json.dumps(results, ensure_ascii=False, indent=1) + "\n")
    log_results(config, run)
    report = write_report(run)
    link_latest(run)
    return report


def build(config: Config, out: Path) -> None:
    """Build the corpus of the data's sources, show what it holds, and write it to a new folder.

    Raises:
        UserError: the folder holds something else than a corpus, or what building raises.
    """
    if out.exists() and not (is_corpus(out) or (out.is_dir() and not any(out.iterdir()))):
        raise UserError(
            f"{out} expected a new folder or a corpus, and holds something else (--out)"
        )
    steps = Steps()
    quieten(config.trainer.threads)
    labels = config.assessor.labels
    with steps.step("backbone", f"Loading {config.backbone.name}"):
        backbone = load_backbone(config.backbone, config.seed)
    with steps.step("corpus", "Building and labelling the corpus"):
        corpus = build_corpus(
            config.data, make_assessor(labels, backbone), CACHE / "corpora", steps
        )
    try:
        corpus.save(out)
    except OSError as error:
        raise UserError(f"{out} could not be written: {error.strerror} (--out)") from None
    steps.console.print(summary(corpus))


def generate(
    checkpoint: Path,
    profile: Profile,
    description: str,
    prompt: str,
    seed: int,
    overrides: dict[str, Any],
) -> str:
    """One reply in character from a checkpoint.

    Raises:
        UserError: what reading the checkpoint or loading the backbone raises.
    """
    quieten(None)
    identity, _ = read_checkpoint(checkpoint)
    config = from_dict(identity.config)
    for name, value in overrides.items():
        setattr(config.evaluation, name, value)
    config.backbone.device = "auto"  # a checkpoint is not tied to the machine that trained it
    arm: Arm = identity.arm  # type: ignore[assignment]
    backbone = load_backbone(config.backbone, config.seed)
    collate = Collate(backbone.tokenizer, config.data, ARMS[arm].scores_in_prompt)
    module = PersonalityModule(backbone, config, ARMS[arm].source or "static", collate, 0.0)
    load_weights(module, checkpoint)
    replies = generate_replies(
        backbone,
        [Request(profile, description, (("Someone", prompt),))],
        config.evaluation,
        voice=voice_of(arm, module.eval()),
        max_prompt_tokens=MAX_PROMPT,
        seed=seed,
    )
    return replies[0]


def _instruments(
    config: Config, corpus: Corpus, backbone: Backbone, judge: Assessor
) -> Instruments:
    second = LexiconAssessor(config.assessor.judge.min_words)
    second.fit(_spoken(corpus))
    reader = make_assessor(config.assessor.labels, backbone, corpus)
    if isinstance(reader, LocalAssessor) and isinstance(judge, LocalAssessor):
        reader.reference = judge.reference
    return Instruments(judge, reader, second)


def make_assessor(
    settings: AssessorSettings, backbone: Backbone, corpus: Corpus | None = None
) -> Assessor:
    """The assessor that settings describe; with a corpus, a local one takes over its norms.

    They are those of the language that replies are in.
    """
    if settings.kind == "scripted":
        return ScriptedAssessor(min_words=settings.min_words)
    local = LocalAssessor(
        backbone.model,
        backbone.tokenizer,
        backbone.identity,
        min_words=settings.min_words,
        batch_size=settings.batch_size,
    )
    if corpus and _labelled(corpus, local):
        norms = corpus.reference.get(QUESTIONS_LANGUAGE)
        local.reference = Reference.from_dict(norms) if norms else None
    return local


def _labelled(corpus: Corpus, judge: Assessor) -> bool:
    """Whether this instrument labelled the corpus, however little it was content with."""
    labels, least = str(corpus.card["labels"]), "/min_words="
    return labels.partition(least)[0] == judge.identity.partition(least)[0]


def _spoken(corpus: Corpus) -> list[list[str]]:
    """What each character of a corpus says in the language of the questions, or in any."""
    said: dict[str, list[str]] = defaultdict(list)
    languages = {QUESTIONS_LANGUAGE} & set(corpus.card["languages"]) or corpus.card["languages"]
    for row in corpus.utterances:
        if row["character"] and row["language"] in languages:
            said[row["character"]].append(row["text"])
    return list(said.values())


def quieten(threads: int | None) -> None:
    """Set thread counts, and keep what libraries say to developers from those who only use this."""
    if threads:
        torch.set_num_threads(threads)
    transformers.utils.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()
    datasets.disable_progress_bars()
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*srun.*")


def _about(
    config: Config, backbone: Backbone, corpus: Corpus, samples: dict[str, int], judge: Assessor
) -> dict[str, Any]:
    """What a reader must know to repeat the run."""
    return {
        "experiment": config.name,
        "seed": config.seed,
        "version": __version__,
        "backbone": backbone.identity,
        "labels": corpus.card["labels"],
        "judge": judge.identity,
        "judge_note": _judge_note(judge, corpus),
        "corpus": {
            **{key: corpus.card[key] for key in ("hash", "dialogues", "utterances", "characters")},
            "samples": samples,
        },
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
    }


def _judge_note(judge: Assessor, corpus: Corpus) -> str:
    """What a reader must know about who judges."""
    note = ""
    if isinstance(judge, LocalAssessor):
        note = (
            "The judge reads the same frozen weights as the model under evaluation, without any "
            "adapter. "
        )
        if _labelled(corpus, judge):
            note += "It labelled the corpus, too. "
    return note + (
        "DPG is given a character's description; the prompted model and both LoRA-SFT arms are "
        "given the scores alone, and plain LoRA-SFT is trained on cross-entropy alone."
    )


def checkpoint_of(run: Path, arms: Sequence[Arm] = ("dpg", "lora_sft")) -> Path:
    """The checkpoint of a run that `dpg generate` speaks with: DPG's where there is one."""
    paths = [run / arm / MODEL for arm in arms]
    return next((path for path in paths if path.is_file()), paths[0])
