"""The model card: the hub reads its head, people the rest, and its code runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from lightning_dpg.adapters.blend import blended
from lightning_dpg.adapters.card import Facts, model_card
from lightning_dpg.adapters.parts import Blend
from lightning_dpg.adapters.peft_format import write_adapter
from lightning_dpg.config import Config, EvaluationConfig
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.checkpoint import Identity
from tests.adapters.conftest import ANNA, BEN, Train, single

PAIR = Blend("Anna & *Ben*", (replace(ANNA, weight=0.75), replace(BEN, weight=-0.5)), 1.25)


@pytest.fixture
def facts(config: Config) -> Facts:
    sites = ["model.layers.0.self_attn.q_proj"]
    return Facts(
        base="someone/Some-Model-7B",
        title="DPG",
        identity=Identity.of(
            "dpg", config, "Some-Model@abc/nf4/bfloat16", sites, "judge", "c0ffee"
        ),
        digest="d1" * 32,
        quantization="nf4",
        dial_fitted=True,
        rank=2,
        padded=8,
        dtype="float16",
        decoding=EvaluationConfig(),
        prompt=[("system", "Answer in character."), ("user", 'Someone: "Hello"\nthere?')],
        scores_in_prompt=False,
        version="9.9",
    )


def test_the_hub_reads_the_head(facts: Facts) -> None:
    head = ModelCard(model_card(PAIR, facts)).data.to_dict()
    assert head["base_model"] == "someone/Some-Model-7B"
    assert head["base_model_relation"] == "adapter"
    assert head["library_name"] == "peft"
    assert head["pipeline_tag"] == "text-generation"
    assert "lora" in head["tags"]


def test_people_read_who_speaks_and_where_it_is_from(facts: Facts) -> None:
    text = ModelCard(model_card(PAIR, facts)).text
    assert r"# Anna & \*Ben\*" in text and "Strength: 1.25." in text
    assert f"| 1 | +0.75 | +4 | -2 | +3 | +0 | -4 | {ANNA.description} |" in text
    assert "| 2 | -0.5 | -3 | +5 | -1 | +2 | +1 | (none) |" in text
    for fact in ("d1" * 32, "c0ffee", "judge", "prompt-1", "lightning\\_dpg 9.9", "nf4/bfloat16"):
        assert fact in text
    assert "| dial | fitted to measured scores |" in text
    assert "--max-lora-rank 8" in text and "Rank 2, with zeros up to 8" in text
    assert "NF4" in text and "full precision" in text
    assert "The prompt tells nothing about the persona" in text


def test_other_facts_are_told_otherwise(facts: Facts) -> None:
    other = replace(
        facts, quantization="none", dial_fitted=False, scores_in_prompt=True, rank=8, padded=8
    )
    text = model_card(single(BEN), other)
    assert "not fitted" in text and "without quantisation" in text and "NF4" not in text
    assert "The prompt states the scores" in text and "zeros" not in text
    assert "BitsAndBytes" not in text


def test_descriptions_cannot_write_into_the_card(facts: Facts) -> None:
    evil = replace(BEN, description="x |\n---\n# Title\n```python\nprint(1) <b>[a](b)")
    text = model_card(single(evil), facts)
    assert "\n# Title" not in text and text.count("\n---\n") == 1
    assert r"x \| --- \# Title \`\`\`python print(1) \<b\>\[a\](b)" in text


def test_the_code_for_quantised_models_is_code(facts: Facts) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", model_card(PAIR, facts), re.S)
    compile(code, "card", "exec")
    assert (
        'bnb_4bit_quant_type="nf4"' in code
        and "do_sample=True, temperature=0.8, top_k=50, top_p=1.0" in code
    )


def test_the_code_loads_the_adapter_and_answers(
    train: Train,
    facts: Facts,
    make_backbone: Callable[..., Backbone],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = make_backbone()
    for part in (plain.model, plain.tokenizer):
        part.save_pretrained(tmp_path / "base")
    decoding = EvaluationConfig(temperature=0.0, max_new_tokens=5)
    here = replace(facts, base=str(tmp_path / "base"), quantization="none", decoding=decoding)
    card = model_card(PAIR, here)
    write_adapter(tmp_path / "a", blended(train("dial"), [PAIR]), base=here.base, card=card)
    (code,) = re.findall(r"```python\n(.*?)```", card, re.S)
    monkeypatch.chdir(tmp_path / "a")
    names: dict[str, object] = {}
    exec(code, names)
    assert capsys.readouterr().out.strip() and type(names["model"]).__name__.startswith("PeftModel")
