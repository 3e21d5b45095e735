"""What likelihoods under a model that was not trained say of replies, as pure functions.

Nats and tokens are one value a reply, of any shape that all arguments share; a reply without
tokens has no likelihood and counts for nothing.
"""

from __future__ import annotations

from torch import Tensor


def token_nll(nats: Tensor, tokens: Tensor) -> Tensor:
    """Mean negative log-likelihood a token over all replies, in nats, a scalar.

    Low where a model that reads much finds the words usual: broken grammar and invented words raise
    it. So do rare words, and text that says the same over and over lowers it: read `loops` and
    distinct-n beside it. NaN without tokens.

    Args:
        nats: -log p of each reply after its prompt.
        tokens: how many of each reply.
    """
    _check(nats, tokens)
    return nats.double().sum() / tokens.sum()


def context_gain(alone: Tensor, given: Tensor, tokens: Tensor) -> Tensor:
    """By how much contexts raise the likelihood of their replies, nats a token, a scalar.

    The mean over all tokens of log p(token | context) - log p(token | no context): an estimate of
    how much a reply and what it answers have in common. Above 0 where replies take up what was
    said; at 0 or below where they would fit any other question as well. It sees topics and words
    more than sense: a reply that repeats the question gains, and one that evades it with wit does
    not. NaN without tokens.

    Args:
        alone: -log p of each reply after a prompt that says nothing.
        given: -log p of each reply after what it answers.
        tokens: how many of each reply.
    """
    _check(alone, given, tokens)
    return token_nll(alone.double() - given.double(), tokens)


def _check(*values: Tensor) -> None:
    shapes = [tuple(value.shape) for value in values]
    if len(set(shapes)) > 1:
        raise ValueError(
            f"one value a reply expected in equal shapes, got {' and '.join(map(str, shapes))}"
        )
