"""Numbers as text, and the headline table: every arm and every trivial answer in one list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from lightning_dpg.records import TRAITS
from lightning_dpg.report.reading import Arm, Estimate, RunFolder
from lightning_dpg.report.style import label

NOTHING = "–"
"""What a cell shows where there is no number: never 0, which would be a number."""


@dataclass(frozen=True)
class Row:
    """One row of the headline table.

    Attributes:
        l2: the P.S.D.C., lower is better; None where nothing was scored. `mae` likewise.
        trait_r: correlation of prompted and measured over personas, one per trait.
        trivial: whether this is an answer that reads no prompt, for comparison only.
    """

    name: str
    label: str
    trivial: bool
    l2: Estimate | None
    mae: Estimate | None
    trait_r: tuple[float | None, ...]
    scored: int
    unscored: int

    @property
    def known_r(self) -> list[float]:
        """The correlations that are defined."""
        return [r for r in self.trait_r if r is not None]

    @property
    def mean_r(self) -> str:
        """The mean correlation, saying over how many traits where some are undefined."""
        known = self.known_r
        if not known:
            return NOTHING
        part = "" if len(known) == len(TRAITS) else f" ({len(known)} of {len(TRAITS)})"
        return signed(fmean(known)) + part

    @property
    def missing(self) -> str:
        """How many personas have no score, of how many; nothing for a trivial answer."""
        total = self.scored + self.unscored
        return f"{self.unscored} of {total}" if total else NOTHING


def headline_rows(run: RunFolder) -> list[Row]:
    """The arms, then the trivial answers, each in the order of `results.json`."""
    rows = [_row(arm, trivial=False) for arm in run.headline.arms]
    return rows + [_row(arm, trivial=True) for arm in run.headline.trivial]


def markdown(rows: Sequence[Row]) -> str:
    """The same table for a terminal or a README, columns padded to line up."""
    head = ["arm", "P.S.D.C. (L2)", "95%", "MAE", "mean r", *(t[0].upper() for t in TRAITS)]
    lines = [[*head, "unscored"]]
    for row in rows:
        numbers = [number(row.l2), interval(row.l2), number(row.mae), row.mean_r]
        name = f"*{row.label}*" if row.trivial else row.label
        lines.append([name, *numbers, *map(signed, row.trait_r), row.missing])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    cells = [_padded(line, widths) for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in [cells[0], rule, *cells[1:]])


def number(value: Estimate | float | None, digits: int = 2) -> str:
    """A mean or a plain number with a fixed number of decimals."""
    plain = value.mean if isinstance(value, Estimate) else value
    if plain is None:
        return NOTHING
    shown = round(plain, digits) or 0.0  # no -0.00
    return f"{shown:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def signed(value: float | None, digits: int = 2) -> str:
    """A number that is read by its sign: correlations and trait scores."""
    if value is None:
        return NOTHING
    sign = "+" if round(value, digits) else ""  # neither +0.00 nor -0.00
    shown = round(value, digits) or 0.0
    return f"{shown:{sign}.{digits}f}".replace("-", "\N{MINUS SIGN}")


def interval(value: Estimate | None, digits: int = 2) -> str:
    """The 95% interval as `[3.41, 4.20]`, or nothing where none was computed."""
    if value is None or value.low is None or value.high is None:
        return NOTHING
    return f"[{number(value.low, digits)}, {number(value.high, digits)}]"


def spread(value: Estimate | None, digits: int = 2) -> str:
    """A mean with its interval behind it, where there is one: `3.80 [3.41, 4.20]`."""
    if value is None or value.low is None or value.high is None:
        return number(value, digits)
    return f"{number(value, digits)} {interval(value, digits)}"


def p_value(value: float | None) -> str:
    """A p with three decimals, or that it is smaller than these show."""
    if value is None:
        return NOTHING
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def percent(share: float | None, digits: int = 0) -> str:
    """A share of 1 as percent."""
    return NOTHING if share is None else f"{100 * share:.{digits}f}%"


def _row(arm: Arm, *, trivial: bool) -> Row:
    return Row(
        name=arm.name,
        label=label(arm.name),
        trivial=trivial,
        l2=arm.psdc.get("l2"),
        mae=arm.psdc.get("mae"),
        trait_r=arm.trait_r,
        scored=arm.scored,
        unscored=arm.unscored,
    )


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return [cells[0].ljust(widths[0]), *rest]
