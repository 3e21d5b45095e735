"""What is logged of the personas at validation."""

from __future__ import annotations

import torch

from lightning_dpg.callbacks.assess import ratings_tensor
from lightning_dpg.records import Rating


def test_ratings_become_rows_with_nan_where_there_is_no_score() -> None:
    rows = ratings_tensor([Rating((1.0, 2.0, 3.0, 4.0, 5.0)), Rating.unscored("too short")])
    assert rows.shape == (2, 5)
    assert rows[0].tolist() == [1, 2, 3, 4, 5]
    assert rows[1].isnan().all()
    partly = ratings_tensor([Rating((0.0, None, 0.0, 0.0, 0.0), "no sign")])
    assert partly.isnan().tolist() == [[False, True, False, False, False]]


def test_nobody_is_an_empty_table() -> None:
    assert ratings_tensor([]).shape == (0, 5)
    assert ratings_tensor([]).dtype == torch.float32
