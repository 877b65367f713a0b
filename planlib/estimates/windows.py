"""How much of a span of months the data cover: no part year is taken for a whole one, no gap for zero, no old customer for new.

A chapter asks `Coverage` for its windows ("last year", "the twelve months before") and a window for its sums. What a window
cannot tell is None, never 0, and `Window.says` is the sentence about it. A month is known where it lies between the first month
with data and `as_of`, and is no gap: a gap is a month without rows that had rows in another year. A month that never has rows
(a closed season) is known, and zero.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from planlib import periods


@dataclass(frozen=True)
class Window:
    """Some months under a name, and which of them are known; both in order."""

    name: str
    months: tuple[str, ...]
    known: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Every month is known (and there is at least one)."""
        return bool(self.months) and len(self.known) == len(self.months)

    @property
    def part(self) -> float:
        """Known months over all, 0-1."""
        return len(self.known) / len(self.months) if self.months else 0.0

    def total(self, amounts: pd.Series) -> float | None:
        """The sum of a series by month `YYYY-MM`; None unless the window is whole. A known month without a row is 0."""
        return float(amounts[amounts.index.isin(self.months)].sum()) if self.whole else None

    def scaled(self, amounts: pd.Series) -> float | None:
        """The sum of the known months carried to all of the window by their number; None where no month is known."""
        if not self.known:
            return None
        return float(amounts[amounts.index.isin(self.known)].sum()) * len(self.months) / len(self.known)

    def mean(self, amounts: pd.Series) -> float | None:
        """A known month's mean; None where no month is known."""
        return None if not self.known else float(amounts[amounts.index.isin(self.known)].sum()) / len(self.known)

    def says(self) -> str:
        """One clause about what is known: "last year is known for 6 of 12 months (2025-07 to 2025-12)"."""
        if self.whole:
            return f"{self.name} is known in full"
        if not self.known:
            return f"{self.name} is not known"
        run = _runs(self.known)
        return f"{self.name} is known for {len(self.known)} of {len(self.months)} months ({', '.join(run)})"


@dataclass(frozen=True)
class Coverage:
    """The months that the data cover: from the first with data to the last closed one, but for the gaps.

    first is None where there are no data up to `last`.
    """

    first: str | None
    last: str
    gaps: tuple[str, ...] = ()

    @classmethod
    def of(cls, months: Iterable[str], as_of: str) -> "Coverage":
        """From the months that have rows (any order, doubles allowed), up to the month `as_of`.

        A month inside without rows is a gap where its calendar month has rows in another year, or where no other year can
        tell; else it is a closed season.
        """
        rows = {month for month in months if month <= as_of}
        if not rows:
            return cls(None, as_of)
        span = span_of(min(rows), as_of)
        silent = [month for month in span if month not in rows]
        others: dict[str, list[str]] = {}
        for month in span:
            others.setdefault(month[5:], []).append(month)
        closed = {name for name, every in others.items() if len(every) > 1 and not rows & set(every)}
        return cls(min(rows), as_of, tuple(month for month in silent if month[5:] not in closed))

    @classmethod
    def of_events(cls, months: Iterable[str], as_of: str) -> "Coverage":
        """The same of a table that may list only what happened, such as campaigns or launches.

        Where fewer than half of its months have rows, a month without one had none, and silence at the end that is no longer
        than an earlier one is no end. Else see `of`.
        """
        rows = sorted({month for month in months if month <= as_of})
        if not rows or 2 * len(rows) >= len(span_of(rows[0], rows[-1])):
            return cls.of(rows, as_of)
        longest = max(periods.between(early, late) for early, late in itertools.pairwise(rows))
        return cls(rows[0], min(as_of, periods.step(rows[-1], longest - 1)))

    def window(self, name: str, months: Sequence[str]) -> Window:
        """The months under a name, with those that are known."""
        gaps = set(self.gaps)
        known = [month for month in months if self.first is not None and self.first <= month <= self.last and month not in gaps]
        return Window(name, tuple(months), tuple(known))

    def since(self, first: str) -> "Coverage":
        """The same for a member that started later: its own first month counts."""
        return self if self.first is None else replace(self, first=max(first, self.first))

    def until(self, last: str) -> "Coverage":
        """The same as it was known at the end of month `last`."""
        return replace(self, last=min(last, self.last)) if self.first and self.first <= last else Coverage(None, last)

    def looks_back(self, window: Window) -> bool:
        """Whether who is new in a window can be told: the year before it is known, so that a first order is a first."""
        if not window.months:
            return False
        start = min(window.months)
        return self.window("before", span_of(periods.step(start, -periods.per_year(start)), periods.step(start, -1))).whole


def span_of(first: str, last: str) -> list[str]:
    """All months from `first` to `last`."""
    return periods.span(first, last)


def a_year_before(months: Sequence[str], years: int = 1) -> list[str]:
    """The same months, `years` earlier."""
    return [f"{int(month[:4]) - years:04d}{month[4:]}" for month in months]


def growth(amounts: pd.Series, now: Window, then: Window) -> float | None:
    """Growth of a sum over that of another window; None unless both are whole and the base is above 0."""
    late, early = now.total(amounts), then.total(amounts)
    return None if late is None or early is None or early <= 0 else late / early - 1


def like_for_like(now: Window, then: Window) -> tuple[Window, Window]:
    """The months at the same place of both windows that are known in both: what may be compared of two part windows."""
    pairs = [(a, b) for a, b in zip(now.months, then.months, strict=True) if a in now.known and b in then.known]
    late, early = tuple(a for a, _ in pairs), tuple(b for _, b in pairs)
    return Window(now.name, late, late), Window(then.name, early, early)


def first_months(table: pd.DataFrame, by: str, amount: str = "amount") -> pd.Series:
    """Each member's first month with a positive amount; members without one are absent."""
    return table[table[amount] > 0].groupby(by, sort=True)["month"].min()


def _runs(months: Sequence[str]) -> list[str]:
    """Consecutive months as spans: "2025-01 to 2025-03", "2025-07"."""
    runs: list[list[str]] = []
    for month in months:
        if runs and periods.step(runs[-1][1], 1) == month:
            runs[-1][1] = month
        else:
            runs.append([month, month])
    return [first if first == last else f"{first} to {last}" for first, last in runs]
