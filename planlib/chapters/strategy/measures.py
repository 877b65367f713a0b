"""Measures that are not in orders, by month, each with the months it is known for (STR-2, STR-4).

A count told by the quarter stands for its three months, a share by the quarter for nothing but itself; a month that is missing
is missing, never 0.
"""

import itertools
import math

import pandas as pd

from planlib import periods
from planlib.estimates.windows import Coverage, Window, span_of
from planlib.periods import Horizon

FUNNEL = ("visits", "leads", "valid_leads", "quotes", "wins")
LEAST_ROWS = 3  # figures at equal distances that make a rhythm


def years(horizon: Horizon, back: int = 3) -> dict[str, list[str]]:
    """The `back` years before the plan year, oldest first: year -> its twelve months."""
    return {str(horizon.year - ago): horizon.year_of(horizon.year - ago) for ago in range(back, 0, -1)}


def level(kpis: pd.DataFrame | None, name: str) -> pd.Series | None:
    """A share, a rate or a rank by month, where it is told; None where it never is."""
    rows = None if kpis is None else kpis[kpis["kpi"] == name].dropna(subset="value")
    return None if rows is None or rows.empty else rows.groupby("month")["value"].mean().astype(float)


def count(kpis: pd.DataFrame | None, name: str, horizon: Horizon) -> tuple[pd.Series, Coverage]:
    """A count by month up to as_of, and the months it is known for.

    Told at equal distances of several months (at least three times), each figure counts for as many months up to its own, in
    equal parts.
    """
    as_of = horizon.until
    found = level(kpis, name)
    rows = pd.Series(dtype=float) if found is None else found[found.index <= as_of].sort_index()
    places = [periods.ordinal(str(month)) for month in rows.index]
    step = math.gcd(*[late - early for early, late in itertools.pairwise(places)]) if len(places) >= LEAST_ROWS else 1
    if step == 1:
        return rows, Coverage.of_events(rows.index, as_of)
    spread = pd.concat([pd.Series(value / step, index=_back(month, step)) for month, value in rows.items()])
    whole = Coverage(str(spread.index.min()), str(rows.index.max()))
    gaps = sorted(set(span_of(str(whole.first), whole.last)) - set(spread.index))
    return spread.sort_index(), Coverage(whole.first, whole.last, tuple(gaps))


def both(one: Coverage, other: Coverage) -> Coverage:
    """The months that two measures know."""
    if one.first is None or other.first is None or max(one.first, other.first) > min(one.last, other.last):
        return Coverage(None, min(one.last, other.last))
    first, last = max(one.first, other.first), min(one.last, other.last)
    return Coverage(first, last, tuple(sorted({*one.gaps, *other.gaps})))


def over(window: Window, amounts: pd.Series) -> float:
    """The sum of a series over the known months of a window."""
    return float(amounts[amounts.index.isin(window.known)].sum())


def funnel(kpis: pd.DataFrame | None, horizon: Horizon) -> pd.DataFrame:
    """Conversion from each step of the funnel to the next, three years and the last twelve months (STR-4).

    `kpis`: month, kpi (visits, leads, valid_leads, quotes, wins), value. Rates are ratios of counts summed over the months that
    know both steps; a year that does not know both in full has none, the last twelve months take what they know.
    Returns step ("leads from visits"), one column per year, last_twelve_months; steps that no span knows are left out.
    """
    spans = {**years(horizon), "last_twelve_months": horizon.last_twelve}
    told = {name: count(kpis, name, horizon) for name in FUNNEL}
    rows = []
    for before, after in itertools.pairwise(FUNNEL):
        coverage = both(told[before][1], told[after][1])
        rates = []
        for span, names in spans.items():
            window = coverage.window(span, names)
            whole = over(window, told[before][0])
            known = window.known if span == "last_twelve_months" else window.whole
            rates.append(over(window, told[after][0]) / whole if known and whole > 0 else None)
        if any(rate is not None for rate in rates):
            rows.append((f"{after} from {before}".replace("_", " "), *rates))
    frame = pd.DataFrame(rows, columns=["step", *spans])
    return frame.astype(dict.fromkeys(spans, "float64"))


def _back(month: str, step: int) -> list[str]:
    return span_of(periods.step(month, 1 - step), month)
