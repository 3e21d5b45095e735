"""Keys of language models that a run needs and the environment lacks."""

from __future__ import annotations

from lightning_dpg.assessment.asking.endpoint import Endpoint
from lightning_dpg.config import ApiConfig, Config


def missing_key(config: Config) -> str:
    """What a run would have to be given, as a sentence; empty where it lacks nothing.

    The arm `api` does not count: without a key that arm alone is left out.
    """
    assessors = config.assessor
    asked = {
        "assessor.labels": (assessors.labels.kind, assessors.labels.api),
        "assessor.judge": (assessors.judge.kind, assessors.judge.api),
        "assessor.dialogues": (assessors.dialogues.kind, assessors.dialogues.api),
        "assessor.quality": (assessors.quality.kind, assessors.quality.api),
    }
    lacking = []
    for place, (kind, api) in asked.items():
        names = _missing(api) if kind == "litellm" else []
        if names:
            lacking.append(f"{place} asks {api.model} and needs {' and '.join(names)}")
    if not lacking:
        return ""
    return f"{'; '.join(lacking)} in the environment, or a server of your own (api.base_url)"


def _missing(api: ApiConfig) -> list[str]:
    """Variables of the environment; a server of one's own may need none and is tried.

    Raises:
        UserError: a model whose name says no provider.
    """
    return Endpoint(api).lacking
