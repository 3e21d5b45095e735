"""The model card of an exported adapter, in the format of the Hugging Face hub."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lightning_dpg.adapters.parts import Blend
from lightning_dpg.config import EvaluationConfig
from lightning_dpg.data.prompts import Message
from lightning_dpg.models.checkpoint import Identity
from lightning_dpg.records import TRAITS, is_given

TAG = "lightning_dpg"
"""By this tag a card says who wrote the folder."""


@dataclass(frozen=True)
class Facts:
    """What a card tells beside who speaks.

    Attributes:
        base: `base_model_name_or_path` of the adapter.
        title: of the arm, for people.
        identity: of the checkpoint.
        digest: SHA-256 of the checkpoint's file.
        quantization: of the base in training, `nf4` or `none`.
        dial_fitted: whether scores were calibrated against what was measured.
        rank: of the adapter, without padding.
        padded: with it.
        dtype: of the tensors.
        decoding: settings that replies are sampled with.
        prompt: messages of a chat with an example of what is said.
        scores_in_prompt: whether the prompt states the scores.
        version: of the package that writes.
    """

    base: str
    title: str
    identity: Identity
    digest: str
    quantization: str
    dial_fitted: bool
    rank: int
    padded: int
    dtype: str
    decoding: EvaluationConfig
    prompt: Sequence[Message]
    scores_in_prompt: bool
    version: str


def model_card(blend: Blend, facts: Facts) -> str:
    """The text of `README.md`: YAML for the hub, who speaks, how to load it, where it is from."""
    front = {
        "base_model": facts.base,
        "base_model_relation": "adapter",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["lora", "personality", "big-five", TAG],
    }
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True)
    sections = [
        f"# {_inline(blend.name) or 'A persona'}",
        f"A LoRA adapter that makes `{facts.base}` speak as the persona below. It was generated "
        f"by lightning_dpg ({facts.title}).",
        _who(blend),
        _prompts(facts),
        _loading(facts),
        _base(facts),
        _provenance(facts),
    ]
    return f"---\n{head}---\n\n" + "\n\n".join(sections) + "\n"


def is_ours(card: Path) -> bool:
    """Whether a file is a model card that `model_card` wrote."""
    try:
        _, head, _ = card.read_text(encoding="utf-8").split("---\n", 2)
        front = yaml.safe_load(head)
    except (OSError, ValueError, yaml.YAMLError):
        return False
    return isinstance(front, dict) and TAG in (front.get("tags") or ())


def _who(blend: Blend) -> str:
    rows = [
        f"| {i} | {part.weight:+g} | "
        + " | ".join(f"{score:+g}" for score in part.profile.scores)
        + f" | {_inline(part.description) if is_given(part.description) else '(none)'} |"
        for i, part in enumerate(blend.parts, 1)
    ]
    columns = ["part", "weight", *TRAITS, "description"]
    several = len(blend.parts) > 1
    return "\n".join(
        [
            "## Who speaks",
            "",
            "Big Five scores from -5 to 5."
            + (" The deltas of the parts are multiplied by their weights and summed." * several),
            f"Strength: {blend.strength:g}.",
            "",
            f"| {' | '.join(columns)} |",
            f"|{'---|' * len(columns)}",
            *rows,
        ]
    )


def _prompts(facts: Facts) -> str:
    if facts.scores_in_prompt:
        told = (
            "The prompt states the scores, as in training: without them the adapter does not know "
            "who speaks."
        )
    else:
        told = "The prompt tells nothing about the persona, as in training: the adapter does."
    return (
        f"## Prompts\n\n{told} What is heard stands after the name of who says it, and the "
        "messages below go through the base model's own chat template. Other prompts work, less "
        "like what was measured."
    )


def _loading(facts: Facts) -> str:
    imports, options = ["AutoModelForCausalLM", "AutoTokenizer"], ['dtype="auto"']
    if facts.quantization == "nf4":
        imports.append("BitsAndBytesConfig")
        options.append(
            "quantization_config=BitsAndBytesConfig(\n"
            '    load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,\n'
            '    bnb_4bit_compute_dtype="bfloat16",\n)'
        )
    messages = [{"role": role, "content": text} for role, text in facts.prompt]
    d = facts.decoding
    sampling = (
        f"do_sample=True, temperature={float(d.temperature)}, top_k={d.top_k}, "
        f"top_p={float(d.top_p)}"
        if d.temperature > 0
        else "do_sample=False"
    )
    return f"""## Loading

With PEFT, in the folder of this file, sampling as lightning_dpg does:

```python
from peft import PeftModel
from transformers import {", ".join(imports)}

base = {_code(facts.base)}
tokenizer = AutoTokenizer.from_pretrained(base)
model = AutoModelForCausalLM.from_pretrained(base, {", ".join(options)})
model = PeftModel.from_pretrained(model, ".")
messages = {_code(messages)}
inputs = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
).to(model.device)
reply = model.generate(
    **inputs, max_new_tokens={d.max_new_tokens}, {sampling},
    no_repeat_ngram_size={d.no_repeat_ngram}, repetition_penalty={float(d.repetition_penalty)},
)
print(tokenizer.decode(reply[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))
```

With vLLM:

```
vllm serve {facts.base} --enable-lora --max-lora-rank {facts.padded} --lora-modules persona=FOLDER
```

Rank {facts.rank}{_padding(facts)}, {facts.dtype}. The scale is in B: alpha equals the rank."""


def _code(value: Any) -> str:
    """Strings and lists of them as Python and JSON both write them."""
    return json.dumps(value, ensure_ascii=False, indent=1)


def _padding(facts: Facts) -> str:
    if facts.padded == facts.rank:
        return ""
    return f", with zeros up to {facts.padded}, a rank that servers take"


def _base(facts: Facts) -> str:
    if facts.quantization == "nf4":
        text = (
            "The adapter was made for the base model with its weights in NF4 (4 bits, double "
            "quantisation). On the base model in full precision it loads and works, but what it is "
            "added to differs by the error of the quantisation, so replies differ too, and nothing "
            "was measured there. The quantised base is what was measured: load it as above, or "
            "with `vllm serve --quantization bitsandbytes`."
        )
    else:
        text = "The adapter was made for the base model without quantisation."
    return f"## The base model\n\n{text}"


def _provenance(facts: Facts) -> str:
    identity = facts.identity
    rows = {
        "arm": f"{identity.arm} ({facts.title})",
        "checkpoint, SHA-256": facts.digest,
        "backbone": identity.backbone,
        "corpus": identity.corpus,
        "labels": identity.labels,
        "prompts": identity.prompt,
        "dial": "fitted to measured scores" if facts.dial_fitted else "not fitted",
        "trained with": f"lightning_dpg {identity.version}",
        "exported with": f"lightning_dpg {facts.version}",
    }
    table = "\n".join(f"| {name} | {_inline(str(value))} |" for name, value in rows.items())
    return f"## Provenance\n\n| what | which |\n|---|---|\n{table}"


def _inline(text: str) -> str:
    """A person's text as that of one line of Markdown: none of it is markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!])", r"\\\1", " ".join(text.split()))
