"""Injection of adapters into a frozen model: hooks installed once, adapters living in a scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightning_dpg.models.lora import LAYER, Adapters, LoRA, Site


class InjectionError(RuntimeError):
    """Adapters that do not fit the model, its sites or its batch."""


@dataclass(frozen=True)
class Factors:
    """An adapter as the hooks multiply with it, made once for a scope.

    Both lie as the products want them: on a GPU each operation that a hook can spare is a launch,
    and on a CPU the product that adds a transposed B is up to four times as fast for one token a
    sample, because it reads whole rows (`docs/performance.md`).

    Attributes:
        down: Aᵀ, shape (batch, in_features, r), or A of all samples, shape (r, in_features).
        up: scale · Bᵀ, shape (batch or 1, r, out_features), contiguous.
    """

    down: Tensor
    up: Tensor

    @classmethod
    def of(cls, lora: LoRA, dtype: torch.dtype) -> Factors:
        """The factors of an adapter in the precision that the site answers in."""
        a, up = lora.a.to(dtype), (lora.b.mT * lora.scale).to(dtype).contiguous()
        return cls(a[0] if a.shape[0] == 1 else a.mT, up)


class Injection:
    """The hooks in one model, and the adapters that are in force at this moment.

    Use `install` and `injected` instead of building one.
    """

    def __init__(self, model: nn.Module, sites: Sequence[Site]) -> None:
        modules = dict(model.named_modules())
        missing = [site.name for site in sites if site.name not in modules]
        if missing or not sites:
            name = missing[0] if missing else "(no site given)"
            raise InjectionError(f"{type(model).__name__} has no module {name}")
        self.sites = list(sites)
        self._active: dict[str, Factors] | None = None
        self._branches = 1
        # Linear layers, 4-bit ones included, answer in the type of the hidden states.
        self._dtype = next(p.dtype for p in model.parameters() if p.is_floating_point())
        self._autocast = {s.name for s in sites if type(modules[s.name]) is nn.Linear}
        self._handles = [
            modules[site.name].register_forward_hook(self._hook(site.name)) for site in sites
        ]
        first = modules[_layer_of(self.sites[0].name)]
        self._handles.append(first.register_forward_pre_hook(self._branch, with_kwargs=True))

    @property
    def in_use(self) -> bool:
        """Whether a scope is open."""
        return self._active is not None

    def remove(self) -> None:
        """Take the hooks out."""
        for handle in self._handles:
            handle.remove()

    @contextmanager
    def scope(self, adapters: Adapters, branches: int = 1) -> Iterator[None]:
        """Put adapters in force until the block ends, however it ends.

        Args:
            adapters: for every site.
            branches: the batch is repeated so many times at the first layer that has a site; the
                layers below it, which all branches share, run once.

        Raises:
            InjectionError: another scope is open, or the adapters do not fit the sites.
        """
        if self._active is not None:
            raise InjectionError("A scope of adapters is already open: close it first")
        self._check(adapters)
        # Once for the scope, not in each of the hooks that run at every token.
        factors = {n: Factors.of(lora, self._answer(n, lora.a)) for n, lora in adapters.items()}
        try:  # from here on: Ctrl-C between two lines must not leave the scope open
            self._active, self._branches = factors, branches
            yield
        finally:
            self._active, self._branches = None, 1

    def _answer(self, name: str, adapter: Tensor) -> torch.dtype:
        """What a site answers in: under autocast, a layer that is not quantised in its type."""
        device = adapter.device.type
        if name not in self._autocast or not torch.amp.is_autocast_available(device):
            return self._dtype
        on = torch.is_autocast_enabled(device)
        return torch.get_autocast_dtype(device) if on else self._dtype

    def _branch(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """Repeat the hidden states for the branches of the scope."""
        del module
        if self._branches == 1:
            return None
        # Transformers 5.24 says `cache` where earlier versions say `past_key_values`.
        if any(kwargs.get(k) is not None for k in ("attention_mask", "past_key_values", "cache")):
            raise InjectionError(
                "Branches need a plain causal mask and no cache: pad on the right and pass neither "
                "attention_mask nor use_cache"
            )
        return (args[0].repeat(self._branches, 1, 1), *args[1:]), kwargs

    def checkpoint_contexts(
        self,
    ) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        """`context_fn` for `torch.utils.checkpoint` with `use_reentrant=False`.

        The recomputation runs during backward, when the scope of its forward pass may be closed or
        hold another batch: it must see the adapters of its own forward pass.
        """
        return nullcontext(), self._restored(self._active, self._branches)

    @contextmanager
    def _restored(self, factors: dict[str, Factors] | None, branches: int) -> Iterator[None]:
        current = self._active, self._branches
        self._active, self._branches = factors, branches
        try:
            yield
        finally:
            self._active, self._branches = current

    def _check(self, adapters: Adapters) -> None:
        names = {site.name for site in self.sites}
        missing, unknown = sorted(names - set(adapters)), sorted(set(adapters) - names)
        if missing or unknown:
            raise InjectionError(
                f"Adapters must cover exactly the {len(names)} installed sites; "
                f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}"
            )
        for site in self.sites:
            a, b = adapters[site.name].a, adapters[site.name].b
            expected = (site.in_features, site.out_features, a.shape[1])
            if (a.shape[-1], b.shape[-2], b.shape[-1]) != expected:
                raise InjectionError(
                    f"The adapter of {site.name} expected A (batch, r, {site.in_features}) and "
                    f"B (batch, {site.out_features}, r), got {tuple(a.shape)} and {tuple(b.shape)}"
                )

    def _hook(self, name: str):  # type: ignore[no-untyped-def]
        def add_delta(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            del module
            if self._active is None:
                return output
            return _with_delta(inputs[0], output, self._active[name], name)

        return add_delta


def _with_delta(x: Tensor, output: Tensor, factors: Factors, name: str) -> Tensor:
    """`output + scale · B(Ax)`, each sample with its own A and B.

    Without gradients the sum is written over `output`, since a copy would be a third of what the
    adapter reads and writes: an earlier hook that keeps the site's output sees it change.

    Args:
        x: input of the site, (batch, tokens, in_features).
        output: output of the frozen site, (batch, tokens, out_features).
        factors: of its adapter.
        name: of the site, for the error message.

    Raises:
        InjectionError: a batch size that is neither 1 nor that of `x`.
    """
    batch, dtype = x.shape[0], output.dtype
    down, up = _as(factors.down, dtype), _as(factors.up, dtype)
    for samples in (up.shape[0], down.shape[0] if down.dim() == 3 else 1):
        if samples not in (1, batch):
            raise InjectionError(
                f"{name}: adapters for a batch of {samples}, but the model runs a batch of "
                f"{batch}: expand them"
            )
    x = _as(x, dtype)
    low = F.linear(x, down) if down.dim() == 2 else torch.bmm(x, down)
    if up.shape[0] != batch:
        return output + low @ up[0]
    # Autocast rounds `low` and skips `out=`, and compilers take only a contiguous one.
    over = not torch.is_grad_enabled() and low.dtype == dtype and output.is_contiguous()
    return torch.baddbmm(output, low, up, out=output) if over else torch.baddbmm(output, low, up)


def _as(part: Tensor, dtype: torch.dtype) -> Tensor:
    """`part.to(dtype)`, which even where it does nothing takes the time of a call."""
    return part if part.dtype == dtype else part.to(dtype)


def _layer_of(site: str) -> str:
    """Name of the decoder layer that a site belongs to: up to its first number."""
    return site[: match.end()] if (match := LAYER.search(site)) else site


_installed: WeakKeyDictionary[nn.Module, Injection] = WeakKeyDictionary()


def install(model: nn.Module, sites: Sequence[Site]) -> Injection:
    """Put hooks at the sites of a model, once.

    Installing the same sites again gives the injection that is there; other sites replace it.

    Raises:
        InjectionError: a site that the model does not have, no site at all, or other sites while a
            scope is open; what was installed stays.
    """
    present = _installed.get(model)
    if present is not None and present.sites == list(sites):
        return present
    if present is not None and present.in_use:
        raise InjectionError("A scope of adapters is open: close it before installing other sites")
    _installed[model] = Injection(model, sites)
    if present is not None:
        present.remove()
    return _installed[model]


@contextmanager
def injected(model: nn.Module, adapters: Adapters | None, branches: int = 1) -> Iterator[None]:
    """Run the model with the adapters inside a `with` block; None leaves it as it is.

    Args:
        model: with hooks installed.
        adapters: for every site, for the batch that will run (times `branches`).
        branches: see `Injection.scope`.

    Raises:
        InjectionError: nothing is installed, a scope is open, or the adapters do not fit.
    """
    if adapters is None:
        yield
        return
    if model not in _installed:
        raise InjectionError("No hooks are installed in this model: call install(model, sites)")
    with _installed[model].scope(adapters, branches):
        yield
