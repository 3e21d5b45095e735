"""Held-out characters take their next turn in their own scenes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lightning_dpg.config import EvaluationConfig
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import Sample
from lightning_dpg.evaluation.personas import held_out_personas
from lightning_dpg.evaluation.tasks.task import Item, Task


def scripted(config: EvaluationConfig, corpus: Corpus, test: Sequence[Sample]) -> Task:
    """What each held-out character heard in the text, and as gold what it said there.

    Characters who never answer anything are left out. The target stays the centre of all scenes,
    those of the gold lines among them: of short texts none would be left, and ratings of single
    lines, of which enough are left, lie on a narrower scale.

    Args:
        config: the most replies of a character.
        corpus: that the held-out samples are of.
        test: the held-out samples.
    """
    scenes: dict[str, list[Sample]] = defaultdict(list)
    for sample in test:
        if any(said.strip() for _, said in sample.context):
            scenes[sample.character].append(sample)
    items = []
    for persona in held_out_personas(corpus, test):
        if own := _spread(scenes[persona.character], config.replies_per_persona):
            language = Counter(sample.language for sample in own).most_common(1)[0][0]
            items.append(
                Item(
                    replace(persona, language=language),
                    tuple(sample.context for sample in own),
                    tuple(sample.reply for sample in own),
                )
            )
    return Task("scripted", "Scripted dialogue", tuple(items))


def _spread(samples: Sequence[Sample], most: int) -> list[Sample]:
    """At most so many of the samples, evenly from the first to the last."""
    places = np.linspace(0, len(samples) - 1, min(most, len(samples))).round()
    return [samples[int(place)] for place in places]
