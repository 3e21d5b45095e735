"""From sources to a corpus on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lightning_dpg.config import Config
from lightning_dpg.corpus.build import build_corpus
from lightning_dpg.corpus.show import summary
from lightning_dpg.corpus.store import Corpus, is_corpus
from lightning_dpg.errors import UserError
from lightning_dpg.models.backbone import CACHE, Backbone, load_backbone
from lightning_dpg.progress import Steps
from lightning_dpg.run.assessors import make_assessor, make_dialogue_judge
from lightning_dpg.run.quiet import quieten


def make_corpus(
    config: Config,
    steps: Steps,
    backbone: Backbone | None = None,
    place: str = "",
    like: Corpus | None = None,
) -> Corpus:
    """The corpus of the data's sources, labelled by who settings name.

    Args:
        config: settings.
        steps: progress.
        backbone: what a local assessor reads; loaded here where it is needed and not given.
        place: of this step among others, for its title.
        like: another corpus, of whose people a local assessor takes the norms, where both are in
            one language: its own would take away what tells the two corpora apart.
    """
    labels, dialogues = config.assessor.labels, config.assessor.dialogues
    if backbone is None and labels.kind == "local":
        with steps.step("backbone", f"Loading {config.backbone.name}"):
            backbone = load_backbone(config.backbone, config.seed)
    judge = make_dialogue_judge(dialogues)
    language = "".join(config.data.languages) if len(config.data.languages) == 1 else ""
    asked = [judge.asker] if judge else ()
    assessor = make_assessor(labels, backbone, like, asked, language)
    with steps.step("corpus", f"{place}Building and labelling the corpus"):
        return build_corpus(config.data, assessor, CACHE / "corpora", steps, judge, dialogues)


def make_test_corpus(
    config: Config, steps: Steps, backbone: Backbone, like: Corpus
) -> Corpus | None:
    """The corpus of `data.test_sources`, whose characters are held out instead, if there is one."""
    if not config.data.test_sources:
        return None
    elsewhere = replace(config, data=replace(config.data, sources=config.data.test_sources))
    return make_corpus(elsewhere, steps, backbone, "To test on: ", like)


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
    corpus = make_corpus(config, steps)
    try:
        corpus.save(out)
    except OSError as error:
        raise UserError(f"{out} could not be written: {error.strerror} (--out)") from None
    steps.console.print(summary(corpus))
