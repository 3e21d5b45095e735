"""The closing evaluation: every arm does every task, the judge rates, and all becomes numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.assessment.base import spending
from lightning_dpg.assessment.quality_judge import QualityJudge
from lightning_dpg.config import Arm, Config
from lightning_dpg.evaluation.arms import Speaker
from lightning_dpg.evaluation.instruments import Panel, agreement, by_judge, by_second, rate
from lightning_dpg.evaluation.quality import measure_quality
from lightning_dpg.evaluation.quality.judged import questions
from lightning_dpg.evaluation.speech import Said, records, say
from lightning_dpg.evaluation.studies import studies, study_tasks
from lightning_dpg.evaluation.summary import Summary
from lightning_dpg.evaluation.tasks import Task
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.progress import Advance, Steps
from lightning_dpg.records import Profile, Rating
from lightning_dpg.runs import REPLIES, write_atomically

HEADLINE = "questions"
"""The task of the headline table, where it was done."""


@dataclass(frozen=True)
class Participant:
    """An arm that takes part.

    Attributes:
        speaker: answers.
        source: plain values that tell its answers from those of another: weights, frozen model.
    """

    speaker: Speaker
    source: Mapping[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation is made with.

    Attributes:
        config: settings; `evaluation` of them says what is done.
        tasks: what every arm is asked.
        corpus_mean: mean label of the training samples, the best constant answer.
        backbone: frozen model, which measures fluency.
        panel: instruments by language.
        quality_judge: a language model that judges quality, if any.
        participants: the arms that can speak.
        kept: finished work of the run: replies and ratings are not made twice.
        steps: shows progress.
    """

    config: Config
    tasks: Sequence[Task]
    corpus_mean: Profile
    backbone: Backbone
    panel: Panel
    quality_judge: QualityJudge | None
    participants: Mapping[Arm, Participant]
    kept: Artefacts
    steps: Steps

    def run(self, folder: Path) -> dict[str, Any]:
        """Generate, rate and summarise; all replies go to `replies.jsonl` in the folder.

        Returns:
            Tasks and studies as they stand in `results.json`.
        """
        asked = [(task, arm) for task in self.tasks for arm in self.participants]
        asked += study_tasks(self.config, self.tasks, list(self.participants))
        said = {(task.name, arm): self._say(task, arm) for task, arm in asked}
        lines = [
            json.dumps(record, ensure_ascii=False)
            for task, arm in asked
            for record in records(task, arm, said[task.name, arm])
        ]
        write_atomically(folder / REPLIES, "\n".join(lines) + "\n")
        ratings = self._rate(asked, said)
        with self.steps.step("quality", "Fluency, coherency, consistency"):
            done = {task.name: self._summarise(task, said, ratings) for task in self.tasks}
        return {
            "headline": HEADLINE if HEADLINE in done else self.tasks[0].name,
            "tasks": done,
            **studies(self, asked, said, ratings),
        }

    def _say(self, task: Task, arm: Arm) -> Said:
        participant, title = self.participants[arm], f"{task.name}: {arm}"  # short: 80 columns
        return say(
            task,
            participant.speaker,
            title,
            {"arm": arm, **participant.source},
            self.config,
            self.kept,
            self.steps,
        )

    def _rate(
        self, asked: Sequence[tuple[Task, Arm]], said: Mapping[tuple[str, Arm], Said]
    ) -> dict[tuple[str, Arm], list[Rating]]:
        count = sum(map(len, (replies for s in said.values() for replies in s.values())))
        judge = self.panel(self.config.evaluation.language).judge
        ratings = {}
        with self.steps.bar("Rating replies", count, spending(judge)) as advance:
            for task, arm in asked:
                texts = [said[task.name, arm][p.id] for p in task.personas]
                ratings[task.name, arm] = rate(
                    task.personas, texts, self.panel, by_judge, self.kept, advance
                )
        return ratings

    def _summarise(
        self,
        task: Task,
        said: Mapping[tuple[str, Arm], Said],
        ratings: Mapping[tuple[str, Arm], list[Rating]],
    ) -> dict[str, Any]:
        e = self.config.evaluation
        summary = Summary(task.personas, self.corpus_mean, e.bootstrap, self.config.seed)
        found = summary.task({arm: ratings[task.name, arm] for arm in self.participants})
        for arm in self.participants:
            found["arms"][arm] |= self._beside(task, said[task.name, arm])
        own_scenes = any(item.gold for item in task.items)
        prompts = [] if own_scenes else [context[-1][1] for context in task.items[0].contexts]
        return {"title": task.title, "prompts": prompts, **found, **self._gold(task, summary)}

    def _beside(self, task: Task, said: Said) -> dict[str, Any]:
        """Quality of an arm's replies, and a second opinion on them."""
        personas, e = task.personas, self.config.evaluation
        texts = [said[persona.id] for persona in personas]
        second = rate(personas, texts, self.panel, by_second, self.kept)
        name = self.panel(e.language).second.identity
        with self._judging(task) as advance:
            quality = measure_quality(
                self.backbone,
                task.items,
                texts,
                self.panel,
                self.kept,
                replies=e.fluency_replies,
                max_prompt_tokens=self.config.data.max_prompt_tokens,
                resamples=e.bootstrap,
                seed=self.config.seed,
                judge=self.quality_judge,
                advance=advance,
            )
        return {"quality": quality, "second": agreement(personas, second, name)}

    def _judging(self, task: Task) -> AbstractContextManager[Advance | None]:
        """A bar for the language model that judges quality, where one does."""
        if (judge := self.quality_judge) is None:
            return nullcontext()
        return self.steps.bar("Judging replies", questions(judge, task.items), spending(judge))

    def _gold(self, task: Task, summary: Summary) -> dict[str, Any]:
        """The characters' own lines, rated as replies are: the floor of the noise."""
        items = [item for item in task.items if item.gold]
        if not items:
            return {}
        texts = [list(item.gold) for item in items]
        personas = [item.persona for item in items]
        rated = rate(personas, texts, self.panel, by_judge, self.kept)
        gold = Summary(personas, summary.corpus_mean, summary.resamples, summary.seed).arm(rated)
        said = {item.persona.id: list(item.gold) for item in items}
        part = Task(task.name, task.title, tuple(items))
        return {"references": {"gold": gold | self._beside(part, said)}}
