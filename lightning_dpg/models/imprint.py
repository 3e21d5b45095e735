"""The imprint of a description: what each site itself answers to it, added to its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from lightning_dpg.models.lora import LoRA, Site


class Imprint(nn.Module):
    """One rank of each adapter that carries what the site's frozen layer says to the description.

    At a value projection, answers that are all moved by the same vector are what attention gives
    when every head spends a share of itself on one more token: here the description, as its mean.
    So a description that no training saw moves the model towards its own subject, and training has
    one number a site to learn, the share. As an adapter it is B = share · (answer - usual answer),
    (out, 1), and A = usual input / |usual input|², (1, in), which reads 1 on average over the words
    of descriptions.

    Args:
        sites: where adapters go.
        share: at value projections to begin with; all others begin at 0.
    """

    reader: Tensor
    usual_answer: Tensor

    def __init__(self, sites: Sequence[Site], share: float) -> None:
        super().__init__()
        self.sites = list(sites)
        self.inputs = [site.in_features for site in sites]
        self.answers = [site.out_features for site in sites]
        self.share = nn.Parameter(
            torch.tensor([share if site.projection == "v_proj" else 0.0 for site in sites])
        )
        self.register_buffer("reader", torch.zeros(sum(self.inputs)))
        self.register_buffer("usual_answer", torch.zeros(sum(self.answers)))

    def usual(self, heard: Tensor) -> None:
        """Take what is usual from descriptions as the sites hear them.

        Args:
            heard: (texts, width): the inputs of all sites, then their answers.
        """
        inputs, answers = heard.mean(0).split([sum(self.inputs), sum(self.answers)])
        rows = [row / row.square().sum().clamp(min=1e-6) for row in inputs.split(self.inputs)]
        self.reader.copy_(torch.cat(rows))
        self.usual_answer.copy_(answers)

    def forward(
        self, adapters: Mapping[str, LoRA], heard: Tensor, guidance: float = 1.0
    ) -> dict[str, LoRA]:
        """The adapters with one rank more.

        Args:
            adapters: of every site, B with a batch of its own.
            heard: (batch, width), as in `usual`; a row of zeros where there is no description.
            guidance: how many times the learned share.
        """
        known = heard.abs().sum(-1, keepdim=True) > 0
        own = (heard[:, sum(self.inputs) :] - self.usual_answer) * known * guidance
        joined = {}
        for site, share, row, column in zip(
            self.sites,
            self.share,
            self.reader.split(self.inputs),
            own.split(self.answers, dim=1),
            strict=True,
        ):
            lora = adapters[site.name]
            a = torch.cat([lora.a, row.expand(len(lora.a), 1, -1)], dim=1)
            b = torch.cat([lora.b, (share / lora.scale * column)[..., None]], dim=2)
            joined[site.name] = LoRA(a, b, lora.scale)
        return joined
