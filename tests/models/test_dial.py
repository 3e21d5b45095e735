"""The dial: what it is fitted to is what it turns back."""

from __future__ import annotations

import pytest
import torch

from lightning_dpg.models.dial import RIDGE, Dial

SLOPES = torch.tensor(
    [
        [0.5, 0.1, 0.0, 0.2, 0.0],
        [0.1, 0.6, 0.2, 0.0, -0.3],
        [0.0, 0.1, 0.8, 0.0, 0.0],
        [0.2, 0.2, 0.0, 0.9, -0.4],
        [0.0, -0.2, 0.0, -0.2, 0.5],
    ]
)
BIAS = torch.tensor([1.5, 1.0, 0.5, 0.0, -0.5])


def profiles(count: int = 40) -> torch.Tensor:
    return torch.rand(count, 5, generator=torch.Generator().manual_seed(0)) * 10 - 5


def test_it_starts_as_the_identity_within_its_limit() -> None:
    asked = profiles()
    assert torch.equal(Dial(8.0)(asked), asked)
    assert Dial(2.0)(asked).abs().max() == 2.0


def test_the_fit_finds_the_response() -> None:
    dial, settings = Dial(100.0), profiles()
    response = dial.fit(settings, settings @ SLOPES + BIAS)
    torch.testing.assert_close(response[:5], SLOPES, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(response[5], BIAS, rtol=1e-4, atol=1e-4)


def test_a_fitted_dial_gives_what_is_asked_but_for_the_ridge() -> None:
    dial, asked = Dial(100.0), profiles()
    dial.fit(asked, asked @ SLOPES + BIAS)
    before = (asked @ SLOPES + BIAS - asked).square().mean()
    after = (dial(asked) @ SLOPES + BIAS - asked).square().mean()
    assert after < 0.2 * before


@pytest.mark.parametrize("words", [0.0, 1.0])
def test_each_setting_is_the_minimum_of_what_the_docstring_says(words: float) -> None:
    dial, asked, described = Dial(1e6), profiles(3), (torch.arange(40) % 2).float()
    added = torch.tensor([0.5, 0.0, -1.0, 2.0, 0.0])
    dial.fit(profiles(), profiles() @ SLOPES + BIAS + described[:, None] * added, described)

    def cost(x: torch.Tensor) -> torch.Tensor:
        away = (x @ SLOPES + BIAS + words * added - asked).square().sum(1)
        return away + RIDGE * (x - asked).square().sum(1)

    found = dial(asked, torch.full((3,), words))
    least = cost(found)
    for seed in range(20):
        step = 0.1 * torch.randn(3, 5, generator=torch.Generator().manual_seed(seed))
        assert (cost(found + step) > least).all()


def test_a_dial_that_moves_nothing_is_hardly_turned() -> None:
    dead = SLOPES.clone()
    dead[2] = dead[:, 2] = 0
    dial, asked = Dial(100.0), profiles()
    dial.fit(asked, asked @ dead)
    torch.testing.assert_close(dial(asked)[:, 2], asked[:, 2], rtol=1e-3, atol=1e-3)


def test_what_a_description_adds_is_taken_off_where_there_is_one() -> None:
    added = torch.tensor([0.5, 0.0, -1.0, 2.0, 0.0])
    dial, asked, described = Dial(100.0), profiles(), (torch.arange(40) % 2).float()

    def answer(settings: torch.Tensor, described: torch.Tensor) -> torch.Tensor:
        return settings @ SLOPES + BIAS + described[:, None] * added

    response = dial.fit(asked, answer(asked, described), described)
    torch.testing.assert_close(response[5], BIAS, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(response[6], added, rtol=1e-4, atol=1e-4)
    without, with_one = torch.zeros(40), torch.ones(40)
    same = answer(dial(asked, with_one), with_one) - answer(dial(asked, without), without)
    assert same.abs().max() < 0.3 < added.abs().max()  # but for the ridge
    assert torch.equal(dial(asked), dial(asked, without))


def fitted(added: float, seed: int) -> tuple[Dial, torch.Tensor]:
    """A dial fitted to 48 noisy personas, half of them with a description, and the response."""
    chance = torch.Generator().manual_seed(seed)
    settings, described = profiles(48), (torch.arange(48) % 2).float()
    noise = 2.0 * torch.randn(48, 5, generator=chance)
    answers = settings @ SLOPES + BIAS + described[:, None] * added + noise
    dial = Dial(100.0)
    return dial, dial.fit(settings, answers, described)


def test_what_a_description_adds_is_shrunk_to_what_chance_does_not_explain() -> None:
    errors = [fitted(0.0, seed)[1][6].square().mean().item() for seed in range(40)]
    least_squares = 4.0 * 4 / 48  # variance of a difference between two halves of 48
    assert sum(errors) / 40 < 0.6 * least_squares
    assert any(fitted(0.0, seed)[0].described.abs().max() == 0 for seed in range(10))
    found = torch.stack([fitted(3.0, seed)[1][6] for seed in range(40)])
    assert (found.mean(0) - 3.0).abs().max() < 0.3


def test_without_descriptions_nothing_is_added() -> None:
    dial = Dial(100.0)
    for described in (None, torch.zeros(40), torch.ones(40)):
        response = dial.fit(profiles(), profiles() @ SLOPES + BIAS, described)
        assert response.shape == (6, 5)
        torch.testing.assert_close(response[5], BIAS, rtol=1e-4, atol=1e-4)
        assert dial.described.abs().max() == 0


def test_too_few_personas_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 8 personas or more, got 7"):
        Dial(8.0).fit(profiles(7), profiles(7))
