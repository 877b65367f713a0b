"""Returns of activities whose revenue is attributed to them month by month: one curve per activity."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib import periods
from planlib.errors import ParameterError
from planlib.estimates.response.posterior import freed
from planlib.estimates.response.result import Response, between, checked_level, finished, joined, refuse
from planlib.estimates.response.shapes import DECAYS, Shapes, edges, shapes, yearly

HALVES = np.geomspace(0.1, 10.0, 97)
# A spend that varies less than this around its mean shows no curve; months without revenue above this share break it.
LEAST_VARIATION, MOST_EMPTY = 0.1, 0.2
# Elasticities of a curve spread over 0.1 to 0.9 before the data; where the interval is still this wide they told nothing.
WIDE = 0.5
# Error of a month's revenue, as a share of it, where there are too few months to see it.
UNSEEN_ERROR, LEAST_SEEN = 0.3, 3


def fit_attributed(
    marketing: pd.DataFrame,
    periods_per_year: int = 12,
    *,
    year: Sequence[str] | None = None,
    carryover: bool = False,
    level: float = 0.9,
    least_months: int = 12,
    elasticity: float = 0.5,
    elasticity_range: tuple[float, float] = (0.2, 0.8),
    draws: int = 1000,
    seed: int = 20260101,
) -> Response:
    """Return, curve and interval of every activity from its own spend and attributed revenue (BUD-1, BUD-6).

    Parameters
        marketing         month, activity, spend, revenue (minor units); a month without a row counts as no spend, one whose
                          returns exceed its revenue counts in the year's return, not in the shape
        periods_per_year  12 for months
        year              months the return is told for; the last `periods_per_year` of the table by default
        carryover         whether spend may work on in later months; attributed revenue mostly has it counted already
        level             of the intervals, share
        least_months      with spend and revenue; an activity with fewer gets a power curve from a prior
        elasticity        of that prior, with its range: the ends hold `level` of it. 0.5, a square root, is an assumption
        draws             at least 100; seed of the generator (PCG64), begun anew for each activity
    Returns Response, see there. The shape comes from all months, the level from `year`, so that revenue is what was attributed
    in it and the curve passes through it. A year with fewer months in the table is brought to a full one.
    Raises InputDataError for spend below 0; ParameterError for a parameter out of range.
    Model: log revenue = level + log(saturated(adstock(spend))) + error with a memory of one month. The shapes lie on a grid;
    their posterior weights are exact, RSS ** (-(n - 1) / 2) with level and variance integrated (Zellner 1971, ch. 3).
    The interval holds what the months' scatter leaves open, not whether attribution is right.
    """
    low, high = elasticity_range
    if draws < 100 or least_months < 4 or not 0 < low <= elasticity <= high < 1 or periods_per_year < 2:
        raise ParameterError(
            f"response: found draws {draws}, least_months {least_months}, elasticity {elasticity} in {low}-{high}, "
            f"periods_per_year {periods_per_year}, expected at least 100, at least 4, inside 0-1 in order, at least 2; "
            "correct them."
        )
    level = checked_level(level)
    wanted = ["month", "activity", "spend", "revenue"]
    missing = [name for name in wanted if name not in marketing.columns]
    refuse(bool(missing), f"no column {missing}", f"columns {wanted}")
    faulty = marketing[["spend", "revenue"]].isna().any(axis=1) | (marketing["spend"] < 0)
    first = marketing[faulty].iloc[:1]
    of = "" if first.empty else f" (first: {first['activity'].iloc[0]} in {first['month'].iloc[0]})"
    refuse(bool(faulty.any()), f"spend that is missing or below 0, or revenue that is missing{of}", "money, 0 for none")
    if marketing.empty:
        return finished([], {}, "No marketing months are known.")

    wide = marketing.pivot_table(index="month", columns="activity", values=["spend", "revenue"], aggfunc="sum", fill_value=0)
    wide = wide.reindex(_every(wide.index), fill_value=0)
    months = list(wide.index)
    inside = np.isin(months, list(months[-periods_per_year:] if year is None else year))
    refuse(not inside.any(), f"no month of the year {list(year or [])} in the table", "one at least")
    rows, fitted, held = [], [], []
    for activity in sorted(wide["spend"].columns):
        series = Series(
            wide["spend"][activity].to_numpy(dtype=float),
            wide["revenue"][activity].to_numpy(dtype=float),
            inside,
            periods_per_year,
        )
        rng = np.random.Generator(np.random.PCG64(seed))  # each activity the same draws: a new name is no new number
        row: dict[str, object] = {"item": str(activity)}
        if (reason := series.too_little(least_months)) is not None:
            rows.append(row | _assumed(series, reason, elasticity, (low, high), level, draws, rng))
            continue
        one = shapes(series.spend, series.told, periods_per_year, DECAYS if carryover else DECAYS[:1], HALVES)
        rows.append(row | _row(series, one, level, draws, rng))
        fitted.append(_squares(series, one, len(months)))
        early = len(months) - len(months) // 5
        if series.active[:early].sum() >= least_months:
            held.append(_squares(series, one, early))
    r2, r2_out = (
        float(1 - a / b) if b > 0 else float("nan") for a, b in (np.sum([(0.0, 0.0), *part], axis=0) for part in (fitted, held))
    )
    known = sum(bool(row["identified"]) for row in rows)
    note = (
        f"Attributed revenue of {len(months)} months: {known} of {len(rows)} curves are told by the data, each with a "
        f"{level:.0%} interval, which does not say whether the attribution is right."
    )
    facts = {"r2": r2, "r2_held_out": r2_out, "periods": len(months), "draws": draws, "level": level}
    return finished(rows, facts, note)


def _every(months: pd.Index) -> list[object]:
    """The months in order, with those in between that have no row at all where they are written as 2026-01."""
    kept = sorted(months)
    if not all(re.fullmatch(r"\d{4}-P?\d{2}", str(month)) for month in kept):
        return kept
    return list(periods.span(str(kept[0]), str(kept[-1])))


@dataclass(frozen=True)
class Series:
    """Spend and revenue of one activity per month, and which months the return is told for."""

    spend: np.ndarray
    revenue: np.ndarray
    inside: np.ndarray
    periods_per_year: int

    @property
    def told(self) -> np.ndarray:
        """The year's months, or all where none of the year's has spend."""
        return self.inside if self.spend[self.inside].sum() > 0 else np.ones(len(self.spend), dtype=bool)

    @property
    def active(self) -> np.ndarray:
        return (self.spend > 0) & (self.revenue > 0)

    @property
    def yearly(self) -> tuple[float, float]:
        """Spend and revenue of the months told for, brought to a year."""
        told = self.told
        to_year = self.periods_per_year / int(told.sum())
        return float(self.spend[told].sum()) * to_year, float(self.revenue[told].sum()) * to_year

    def too_little(self, least: int) -> str | None:
        """Why no curve can be fitted, or None."""
        active, paid = int(self.active.sum()), int((self.spend > 0).sum())
        if active < least:
            return f"too few months: {active} with spend and revenue, {least} at least show a curve"
        if self.yearly[1] <= 0:
            return "no revenue is attributed to it in the year"
        if paid - active > MOST_EMPTY * paid:
            return f"too few months with revenue: {active} of {paid} with spend"
        money = self.spend[self.active]
        if money.std() < LEAST_VARIATION * money.mean():
            return f"too little variation: the spend lies within {money.std() / money.mean():.0%} of its mean"
        return None

    def told_only_by_history(self) -> list[str]:
        silent = not self.spend[self.inside].sum()
        return ["no money was spent on it in the year, its return is that of all months"] if silent else []


def _weighed(series: Series, one: Shapes, known: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, int]:
    """Posterior weight, level (log) and squares of the errors per shape, their memory, and the months used."""
    active = series.active & (np.arange(len(series.spend)) < known)
    gap = np.log(series.revenue[active])[:, None] - np.log(one.feature[active])
    squares = ((gap - gap.mean(axis=0)) ** 2).sum(axis=0)
    rest = gap[:, int(np.argmin(np.round(squares, 12)))]
    rest = rest - rest.mean()
    memory = float(np.clip(round(float(rest[1:] @ rest[:-1] / max(rest @ rest, 1e-300)), 9), 0.0, 0.9))
    unit, gap = freed(np.ones(len(gap)), memory), freed(gap, memory)
    height = unit @ gap / (unit @ unit)
    # Revenue comes in whole minor units: errors below a ten thousandth are no reason to prefer a shape.
    squares = ((gap - unit[:, None] * height) ** 2).sum(axis=0) + 1e-8 * len(gap)
    weight = (squares / squares.min()) ** (-(len(gap) - 1) / 2.0)
    return weight / weight.sum(), height, squares, memory, len(gap)


def _row(series: Series, one: Shapes, level: float, draws: int, rng: np.random.Generator) -> dict[str, object]:
    """An activity's curve: the year's own return, the shape from all months."""
    weight, _, squares, memory, seen = _weighed(series, one, len(series.spend))
    shape = np.minimum(np.searchsorted(np.cumsum(weight), rng.random(draws)), len(weight) - 1)
    variance = squares[shape] / (2.0 * rng.standard_gamma((seen - 1) / 2.0, draws))
    months = max(1, int((series.told & series.active).sum()))
    spread = np.sqrt(variance / months) / (1.0 - memory)
    spend, revenue = series.yearly
    roi, bends = revenue / spend, one.elasticity[shape]
    returns = roi * np.exp(spread * rng.standard_normal(draws))
    bend = float(np.median(bends))
    doubts = series.told_only_by_history()
    if np.subtract(*np.quantile(bends, [(1 + level) / 2, (1 - level) / 2])) > WIDE:
        doubts.append("the months do not tell how its return fades with more money")
    scale, half = yearly(np.full(draws, spend), returns * spend, bends)
    best_scale, best_half = yearly(np.array(spend), np.array(revenue), np.array(bend))
    decay = float(np.median(one.decay[shape]))
    known = bool(series.spend[series.inside].sum())
    row: dict[str, object] = {"form": "saturating", "elasticity": bend, "identified": not doubts}
    row |= {"spend": spend if known else 0.0, "revenue": revenue if known else 0.0, "draws": np.column_stack([scale, half])}
    row |= between("roi", returns, roi, level) | between("marginal", returns * bends, roi * bend, level)
    row |= between("scale", scale, float(best_scale), level) | between("half", half, float(best_half), level)
    row |= between("decay", one.decay[shape], decay, level)
    return row | {"caveat": joined([*doubts, *edges(float(np.median(one.ratio[shape])), decay)])}


def _assumed(
    series: Series,
    reason: str,
    elasticity: float,
    elasticity_range: tuple[float, float],
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> dict[str, object]:
    """An activity whose curve the data cannot tell: a power curve by the prior, through what is known of its return."""
    spend, revenue = series.yearly
    low, high = elasticity_range
    row: dict[str, object] = dict.fromkeys(["half", "half_low", "half_high", "decay_low", "decay_high"], float("nan"))
    row |= {"form": "power", "elasticity": elasticity, "decay": 0.0, "spend": spend, "revenue": revenue, "identified": False}
    assumed = f"its curve is an assumption (elasticity {elasticity:g}, {low:g} to {high:g})"
    if not series.spend[series.inside].sum():
        row |= {"spend": 0.0, "revenue": 0.0}
    row["caveat"] = joined([reason, *series.told_only_by_history(), assumed])
    if spend == 0 or revenue <= 0:
        nothing = ["roi", "roi_low", "roi_high", "marginal", "marginal_low", "marginal_high"]
        return row | dict.fromkeys(nothing, float("nan")) | {"scale": 0.0, "scale_low": 0.0, "scale_high": 0.0}
    active = series.active
    rest = np.log(series.revenue[active]) - elasticity * np.log(series.spend[active])
    seen = len(rest) >= LEAST_SEEN
    squares = float(((rest - rest.mean()) ** 2).sum()) if seen else UNSEEN_ERROR**2
    variance = squares / (2.0 * rng.standard_gamma((len(rest) - 1) / 2.0, draws)) if seen else np.full(draws, squares)
    roi = revenue / spend
    # Revenue may come in other months than the spend: then the months with spend are what is known.
    months = max(1, int((active & series.told).sum()) or int(((series.spend > 0) & series.told).sum()))
    returns = roi * np.exp(np.sqrt(variance / months) * rng.standard_normal(draws))
    # A uniform prior whose central `level` is the stated range.
    bends = np.clip((low + high) / 2 + (high - low) / level * (rng.random(draws) - 0.5), 0.01, 0.99)
    scales = returns * spend ** (1.0 - elasticity)
    row["draws"] = np.column_stack([returns * spend ** (1.0 - bends), bends])
    row |= between("roi", returns, roi, level) | between("marginal", returns * bends, roi * elasticity, level)
    return row | between("scale", scales, roi * spend ** (1.0 - elasticity), level)


def _squares(series: Series, one: Shapes, known: int) -> tuple[float, float]:
    """Squares of the errors, and around the mean, of the months after the first `known` (of all, where those are all)."""
    weight, height, *_ = _weighed(series, one, known)
    told = one.feature @ (weight * np.exp(height))
    seen = np.arange(len(told)) >= (known if known < len(told) else 0)
    revenue = series.revenue[seen]
    return float(((revenue - told[seen]) ** 2).sum()), float(((revenue - revenue.mean()) ** 2).sum())
