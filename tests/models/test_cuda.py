"""On a GPU: injection, checkpointing and training say there what they say on the CPU."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from lightning_dpg.config import Config
from lightning_dpg.data.samples import Sample
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.injection import injected, install
from lightning_dpg.models.likelihood import reply_nll
from lightning_dpg.models.lora import Adapters, LoRA, find_sites
from tests.models.conftest import Batches, MakeModule, random_adapters, stir, trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

MakeBackbone = Callable[..., Backbone]
BATCH = 3


def tokens() -> Tensor:
    return torch.randint(3, 259, (BATCH, 12), generator=torch.Generator().manual_seed(0))


def moved(adapters: Adapters, device: torch.device) -> dict[str, LoRA]:
    return {n: LoRA(o.a.to(device), o.b.to(device), o.scale) for n, o in adapters.items()}


@torch.no_grad()
def logits(backbone: Backbone, adapters: Adapters | None = None) -> Tensor:
    model, ids = backbone.model, tokens().to(backbone.device)
    if adapters is None:
        return model(input_ids=ids).logits.float().cpu()
    with injected(model, moved(adapters, backbone.device)):
        return model(input_ids=ids).logits.float().cpu()


def test_adapters_of_a_batch_do_the_same_as_on_the_cpu(make_backbone: MakeBackbone) -> None:
    cpu, gpu = make_backbone(), make_backbone(device="cuda")
    sites = find_sites(cpu.model, ["q", "v"])
    adapters = random_adapters(sites, BATCH)
    for backbone in (cpu, gpu):
        install(backbone.model, sites)
    assert gpu.device.type == "cuda"
    frozen, own = logits(gpu), logits(gpu, adapters)
    torch.testing.assert_close(own, logits(cpu, adapters), rtol=1e-4, atol=1e-4)
    assert (own - frozen).abs().amax(dim=(1, 2)).min() > 0.01
    assert torch.equal(logits(gpu), frozen)


def test_each_sample_has_its_own_adapter_in_nf4(make_backbone: MakeBackbone) -> None:
    backbone = make_backbone(device="cuda", quantization="nf4", dtype="bfloat16")
    sites = find_sites(backbone.model, ["q", "v"])
    adapters = random_adapters(sites, BATCH)
    install(backbone.model, sites)
    together, frozen = logits(backbone, adapters), logits(backbone)
    for i in range(BATCH):
        one = {n: LoRA(o.a[i : i + 1], o.b[i : i + 1], o.scale) for n, o in adapters.items()}
        off = (together[i] - logits(backbone, one)[i]).norm()
        assert off < 0.2 * (together[i] - frozen[i]).norm()


@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_checkpointing_takes_the_gradients_of_its_own_scope(
    make_backbone: MakeBackbone, quantization: str
) -> None:
    found: list[Tensor] = []
    for checkpointing in (False, True):
        dtype = "float32" if quantization == "none" else "bfloat16"
        backbone = make_backbone(device="cuda", quantization=quantization, dtype=dtype)
        model, device = backbone.model, backbone.device
        sites = find_sites(model, ["q", "v"])
        injection = install(model, sites)
        if checkpointing:
            model.gradient_checkpointing_enable(
                {"use_reentrant": False, "context_fn": injection.checkpoint_contexts}
            )
            model.train()
        first, other = (moved(random_adapters(sites, BATCH, seed=seed), device) for seed in (0, 1))
        leaf = first[sites[0].name].b.detach().requires_grad_()
        first[sites[0].name] = LoRA(first[sites[0].name].a, leaf, first[sites[0].name].scale)
        ids = tokens().to(device)
        with injected(model, first):
            loss = reply_nll(model, ids, ids)[0].sum()
        with torch.no_grad(), injected(model, other):  # another batch before the backward pass
            model(input_ids=ids)
        loss.backward()
        assert leaf.grad is not None
        found.append(leaf.grad.float())
    assert found[0].any()
    torch.testing.assert_close(found[1], found[0], rtol=2e-2, atol=1e-5)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_gpu_trains_a_hypernetwork_as_the_cpu_does(
    make_module: MakeModule,
    make_backbone: MakeBackbone,
    config: Config,
    samples: list[Sample],
    precision: str,
) -> None:
    config.trainer.learning_rate, config.trainer.warmup_steps = 1e-2, 0
    trained: dict[str, list[Tensor]] = {}
    for device, accelerator in (("cpu", "cpu"), ("cuda", "gpu")):
        module = make_module(on=make_backbone(device=device))
        stir(module)
        before = [p.detach().cpu().clone() for p in module.parameters()]
        trainer(2, precision=precision, accelerator=accelerator).fit(
            module, Batches(module, samples[:6])
        )
        after = [p.detach().cpu() for p in module.parameters()]
        trained[device] = [new - old for new, old in zip(after, before, strict=True)]
    moved_by = torch.cat([step.flatten() for step in trained["cpu"]])
    off = torch.cat([step.flatten() for step in trained["cuda"]]) - moved_by
    assert moved_by.norm() > 0
    assert off.norm() < (0.05 if precision == "32-true" else 0.5) * moved_by.norm()
