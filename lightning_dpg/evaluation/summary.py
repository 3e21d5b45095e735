"""One task in numbers: arms, trivial answers, ratios and comparisons, as in `results.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lightning_dpg.config import Arm
from lightning_dpg.evaluation.arms import ARMS
from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.results import by_persona, floats, plain, ratings_tensor, trait_r
from lightning_dpg.evaluation.statistics import Interval, mean_interval, ratio_interval
from lightning_dpg.evaluation.statistics.comparison import compare_arms
from lightning_dpg.evaluation.statistics.traits import (
    profile_agreement,
    selectivity,
    trait_matrix,
    trait_table,
)
from lightning_dpg.metrics.functional import (
    NORMS,
    Norm,
    persona_deviation,
    scored,
    strangers_deviation,
)
from lightning_dpg.records import Profile, Rating

MAIN: Arm = "dpg"
"""The arm that others are compared with."""
UNTRAINED: tuple[Arm, ...] = tuple(arm for arm, spec in ARMS.items() if spec.source is None)
"""Arms of which the best is the best prompt."""


@dataclass(frozen=True)
class Summary:
    """Puts one task's ratings into numbers.

    Attributes:
        personas: who was asked to speak.
        corpus_mean: mean label of the training samples, the best constant answer.
        resamples: of bootstrap and permutations, over clusters of personas.
        seed: of both.
    """

    personas: Sequence[Persona]
    corpus_mean: Profile
    resamples: int
    seed: int

    @property
    def targets(self) -> Tensor:
        """Prompted profiles, (personas, 5)."""
        return torch.tensor([p.target.scores for p in self.personas])

    def task(self, ratings: Mapping[str, Sequence[Rating]]) -> dict[str, Any]:
        """Everything but quality and second instrument.

        Args:
            ratings: by arm, one rating for each persona.
        """
        measured = {arm: ratings_tensor(rated) for arm, rated in ratings.items()}
        arms = {arm: self.arm(rated) for arm, rated in ratings.items()}
        trivial = self._trivial()
        return {
            "personas": [plain(persona) for persona in self.personas],
            "arms": arms,
            "trivial": {
                **{name: {"psdc": self._psdc(answers)} for name, answers in trivial.items()},
                "shuffled": {"psdc": {n: self._strangers(self.targets, n) for n in NORMS}},
            },
            "ratios": self._ratios({**measured, **trivial}),
            "comparisons": compare_arms(
                self.targets,
                measured,
                MAIN,
                [p.cluster for p in self.personas],
                self.resamples,
                self.seed,
            )
            if MAIN in measured
            else {},
        }

    def arm(self, ratings: Sequence[Rating]) -> dict[str, Any]:
        """What one arm's replies were measured to show."""
        targets, values = self.targets, ratings_tensor(ratings)
        clusters = [p.cluster for p in self.personas]
        languages = {p.language for p in self.personas}
        found = {
            "psdc": self._psdc(values),
            "psdc_shuffled": {"l2": self._strangers(values, "l2")},
            "by_kind": self._groups(values, lambda p: p.kind),
            "traits": trait_table(targets, values, clusters, self.resamples, self.seed),
            **trait_matrix(targets, values),
            "selectivity": selectivity(targets, values, clusters, self.resamples, self.seed),
            "profile_r": profile_agreement(
                targets,
                values,
                torch.tensor(self.corpus_mean.scores),
                clusters,
                self.resamples,
                self.seed,
            ),
            "trait_r": trait_r(targets, values),
            "unscored": int((~scored(values)).sum()),
            "scored": int(scored(values).sum()),
            "measured": by_persona(self.personas, values),
            "reasons": {
                p.id: r.reason for p, r in zip(self.personas, ratings, strict=True) if r.reason
            },
        }
        if len(languages) > 1:
            found["by_language"] = self._groups(values, lambda p: p.language)
        return found

    def _trivial(self) -> dict[str, Tensor]:
        """Answers that read no prompt, (personas, 5) each."""
        targets = self.targets
        return {
            "constant_zero": torch.zeros_like(targets),
            "corpus_mean": torch.tensor(self.corpus_mean.scores).expand_as(targets),
        }

    def _psdc(self, measured: Tensor) -> dict[str, Interval]:
        return {norm: self._deviation(measured, norm) for norm in NORMS}

    def _deviation(self, measured: Tensor, norm: Norm = "l2") -> Interval:
        """Mean deviation of the scored personas from their own targets."""
        return self._mean(persona_deviation(self.targets, measured, norm), measured)

    def _strangers(self, measured: Tensor, norm: Norm) -> Interval:
        """The same from the targets of the others."""
        if len(measured) < 2:
            return Interval(mean=None, low=None, high=None)
        return self._mean(strangers_deviation(self.targets, measured, norm), measured)

    def _mean(self, values: Tensor, measured: Tensor) -> Interval:
        clusters = self._clusters(scored(measured))
        return mean_interval(floats(values), self.resamples, self.seed, clusters)

    def _clusters(self, kept: Tensor) -> list[str]:
        return [p.cluster for p, keep in zip(self.personas, kept.tolist(), strict=True) if keep]

    def _groups(self, measured: Tensor, key: Callable[[Persona], str]) -> dict[str, Any]:
        """P.S.D.C. by kind or language, with what constant zero gets on the same personas."""
        names = [key(persona) for persona in self.personas]
        found: dict[str, Any] = {}
        for name in dict.fromkeys(names):
            rows = torch.tensor([i for i, n in enumerate(names) if n == name])
            part = Summary(
                [self.personas[i] for i in rows.tolist()],
                self.corpus_mean,
                self.resamples,
                self.seed,
            )
            found[name] = {
                "l2": part._deviation(measured[rows]),
                "zero": _zero(part.targets[scored(measured[rows])]),
                "personas": len(rows),
            }
        return found

    def _ratios(self, measured: Mapping[str, Tensor]) -> dict[str, Any]:
        """DPG over the others and over trivial answers, on the personas that both have scored."""
        if MAIN not in measured:
            return {}
        others = {
            "dpg_over_lora_sft": "lora_sft",
            "dpg_over_lora_sft_contrast": "lora_sft_contrast",
            "dpg_over_linear": "linear",
            "dpg_over_best_prompt": self._best_prompt(measured),
            "dpg_over_constant_zero": "constant_zero",
            "dpg_over_corpus_mean": "corpus_mean",
        }
        ratios: dict[str, Any] = {}
        for name, other in others.items():
            if other is not None and other in measured:
                ratios[name] = dict(self._ratio(measured[MAIN], measured[other]))
                if name == "dpg_over_best_prompt":
                    ratios[name]["arm"] = other
        return ratios

    def _best_prompt(self, measured: Mapping[str, Tensor]) -> Arm | None:
        """The untrained arm that deviates least, on the personas that DPG and all of them share.

        Who has a score for fewer than half of the personas is no candidate: those may be the easy
        ones, and all others would be judged on them. None where several share no persona.
        """
        known = {arm: scored(measured[arm]) for arm in UNTRAINED if arm in measured}
        standing = {arm: own for arm, own in known.items() if 2 * own.sum() >= len(own)}
        if len(standing) < 2:
            return next(iter(standing), None)
        shared = torch.stack([scored(measured[MAIN]), *standing.values()]).all(0)
        if not shared.any():
            return None
        targets = self.targets[shared]
        return min(
            standing,
            key=lambda arm: float(persona_deviation(targets, measured[arm][shared]).mean()),
        )

    def _ratio(self, first: Tensor, second: Tensor) -> Interval:
        both = scored(first) & scored(second)
        above, below = (
            floats(persona_deviation(self.targets[both], values[both]))
            for values in (first, second)
        )
        return ratio_interval(above, below, self.resamples, self.seed, self._clusters(both))


def _zero(targets: Tensor) -> float | None:
    """What constant zero gets on these targets; None where there are none."""
    return float(targets.norm(dim=-1).mean()) if len(targets) else None
