"""The grid, and what is left out of it."""

from __future__ import annotations

import pytest

from lightning_dpg.bench import cases
from lightning_dpg.bench.cases import Case, Pace, Setting
from lightning_dpg.bench.floor import LLAMA_7B

SITES = LLAMA_7B.sites(["q", "v"])
SETTING = Setting(LLAMA_7B, SITES, 8, "bfloat16", "nf4")
GIB = 2**30


def test_the_grid_has_every_cell_once_and_small_ones_first() -> None:
    grid = cases.grid((1, 8, 32), (128, 512, 2048))
    assert len(set(grid)) == len(grid) == 9 * 4
    sizes = [case.batch * case.tokens for case in grid]
    assert sizes == sorted(sizes)
    assert {c.checkpointing for c in grid if c.work == "training"} == {False, True}
    assert not any(c.checkpointing for c in grid if c.work != "training")
    assert grid[0] == Case("prefill", 1, 128)
    assert cases.grid((8,), (16,), works=["decoding"]) == [Case("decoding", 8, 16)]
    assert Case("training", 8, 512, True).title == "training, B 8, T 512, checkpointing"


def test_what_does_not_fit_into_memory_is_left_out_with_a_line() -> None:
    assert cases.too_large(GIB, GIB, "it") is None
    said = cases.too_large(1.5 * GIB, GIB, "prefill, B 8, T 512")
    assert said == "prefill, B 8, T 512 needs about 1.5 GiB, and 1.0 GiB are free"


def test_what_would_take_too_long_is_left_out_with_a_line() -> None:
    assert cases.too_long(2.0, 5, 10.0, "it") is None
    assert cases.too_long(None, 5, 0.1, "it") is None  # nobody knows: it is tried
    said = cases.too_long(2.0, 5, 9.0, "it")
    assert said == "it takes about 10 s, and 9 s of the time (--seconds) are left"
    assert "is spent" in str(cases.too_long(None, 5, 0.0, "it"))


def test_repetition_needs_the_memory_that_ours_does_not() -> None:
    """Kept for the backward pass it is 32 GiB, and one site's at a time otherwise."""
    training = Case("training", 8, 512)
    extra = SETTING.memory(training, repeated=True) - SETTING.memory(training)
    assert extra == pytest.approx(cases.SAFETY * 32 * GIB)
    for light in (Case("prefill", 8, 512), Case("training", 8, 512, True)):
        extra = SETTING.memory(light, repeated=True) - SETTING.memory(light)
        assert extra == pytest.approx(cases.SAFETY * 0.5 * GIB)
    decoding = Case("decoding", 8, 512)
    extra = SETTING.memory(decoding, repeated=True) - SETTING.memory(decoding)
    assert extra == pytest.approx(cases.SAFETY * 2**20)


def test_memory_grows_with_work() -> None:
    sizes = [
        SETTING.memory(Case("prefill", 8, 512)),
        SETTING.memory(Case("decoding", 8, 512)),
        SETTING.memory(Case("training", 8, 512, True)),
        SETTING.memory(Case("training", 8, 512)),
        SETTING.memory(Case("training", 32, 512)),
    ]
    assert sizes[0] < sizes[1] < sizes[3] and sizes[2] < sizes[3] < sizes[4]
    assert sizes[3] > 8 * 512 * 32 * (18 * 4096 + 6 * 11008)


def test_pace_grows_from_the_largest_case_of_the_same_work() -> None:
    pace = Pace(SETTING)
    assert pace.seconds(Case("prefill", 8, 512)) is None
    pace.known[Case("prefill", 1, 128)] = 100.0  # small cases wait for other things
    pace.known[Case("prefill", 8, 128)] = 3.0
    assert pace.seconds(Case("decoding", 8, 512)) is None
    guess = pace.seconds(Case("prefill", 32, 128))
    assert guess == pytest.approx(12.0)
    longer = pace.seconds(Case("prefill", 8, 512))
    assert longer is not None and 12.0 < longer < 13.0  # attention grows with the square
    pace.known[Case("training", 8, 128)] = 9.0
    again = pace.seconds(Case("training", 8, 128, True))
    assert again is not None and 12.0 < again < 15.0


def test_on_a_gpu_small_cases_wait_for_launches_and_say_little_of_large_ones() -> None:
    pace, small, middle = Pace(SETTING, gpu=True), Case("prefill", 1, 128), Case("prefill", 8, 128)
    large = Case("prefill", 32, 128)
    pace.known[small] = 0.5
    assert pace.seconds(large) == 0.5  # not 32 times as long
    pace.known[middle] = 0.4
    assert pace.seconds(large) == 0.4
    pace.known[middle] = 1.2
    assert pace.seconds(large) == pytest.approx(0.5 + 0.7 / 7 * 31)
    pace.known[Case("decoding", 1, 128)] = 10.0  # of nearly as many bytes as the next
    pace.known[Case("decoding", 1, 512)] = 11.0
    guess = pace.seconds(Case("decoding", 32, 2048))
    assert guess is not None and guess < 11 * 20  # by noise alone a line would go far beyond


def test_recomputation_on_a_gpu_says_nothing_of_steps_without_it() -> None:
    pace = Pace(SETTING, gpu=True)
    for tokens in (128, 512):
        pace.known[Case("training", 1, tokens)] = 1.0
        pace.known[Case("training", 1, tokens, True)] = 2.0
    assert pace.seconds(Case("training", 8, 128)) == 1.0
    assert pace.seconds(Case("training", 8, 128, True)) == 2.0


def test_floors_are_named_by_work() -> None:
    assert SETTING.least_ratio(Case("training", 8, 512)) == 1.0
    prefill, decoding = (
        SETTING.least_ratio(Case("prefill", 8, 512)),
        SETTING.least_ratio(Case("decoding", 8, 512)),
    )
    assert 1.0 < prefill < decoding < 1.03
    assert SETTING.precision == "nf4/bfloat16"
