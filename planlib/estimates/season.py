"""When sales come: what is expected of every month, and the festivals that move between months.

A festival's effect is told from the months of sales: a month is its level times its days, a day near a festival counting for as
many plain ones as it sells. What it does is taken out of history before seasons are read from it, and put where the festival
falls in the plan year.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from chinese_calendar import constants
from scipy.optimize import least_squares

from planlib.estimates.candidates import index_of
from planlib.estimates.cube import Cube
from planlib.estimates.festivals import EVERYWHERE
from planlib.estimates.moving import NO_FESTIVALS, Moving, Near, exposure, moving
from planlib.estimates.outlook import Outlook, outlook
from planlib.estimates.windows import span_of
from planlib.periods import Calendar, Horizon, per_year
from planlib.plan import AMOUNT, DIMENSIONS

# The least that counts as chance in the months (logs, squared), so that what they cannot tell stays at no effect.
LEAST_NOISE = 1e-13
# Effects (logs) are kept to so many digits.
DIGITS = 9
# No day sells more than e^5 plain ones.
MOST = 5.0
EFFECTS = {"window": str, "days": int, "change": float, "per_day": float, "known_by": str}
__all__ = ["NO_FESTIVALS", "Moving", "Near", "ahead", "announced", "exposure", "festivals", "moving", "seasonality"]


def announced(years: Sequence[int]) -> pd.DataFrame:
    """Whether China's calendar of days off and days worked is out for a year: year, official, note (a sentence) (TIM-1).

    The State Council announces a year's calendar at the end of the year before; `chinesecalendar` carries what is announced.
    Festivals themselves come from the lunar calendar (to 2099) and do not wait for it.
    """
    known = {day.year for day in constants.holidays}
    rows = []
    for year in sorted(set(years)):
        official = year in known
        said = (
            f"The calendar of {year} is official: days off and days worked as announced."
            if official
            else f"The calendar of {year} is provisional: days off and days worked are not announced in the data at hand "
            f"(they end with {max(known)}); festivals fall on their lunar dates."
        )
        rows.append((year, official, said))
    return pd.DataFrame(rows, columns=["year", "official", "note"])


def ahead(
    history: pd.DataFrame,
    near: Near | Moving,
    horizon: Horizon,
    calendar: pd.DataFrame | None = None,
    starts: Mapping[str, Mapping[str, str]] | None = None,
    drift: Mapping[str, float] | None = None,
) -> tuple[Outlook, pd.DataFrame]:
    """What is expected of every cell in every month of the plan year, and the festival effects in it (TIM-1).

    `history`: any dimensions, month, amount, complete months only; see `outlook`. While only one year tells, a member's own
    months count against `near.shrink_months` of the others'. Festivals of single regions count where `history` has regions.
    `drift`: by month of the plan year, what it has grown by where it is more than a year ahead. Effects: see `festivals`.
    """
    dims = [name for name in DIMENSIONS if name in history.columns and name != "month"]
    found = near if isinstance(near, Moving) else moving(near, history["month"], horizon, calendar)
    months, local, effects = festivals(history, found, horizon)
    for month, grown in (drift or {}).items():
        local = {region: {**each, month: each.get(month, 1.0) * grown} for region, each in local.items()}
        months = months if local else {**months, month: months.get(month, 1.0) * grown}
    expected = outlook(history, dims, horizon, starts, found.shrink_months, months, horizon.months, phasing=True, local=local)
    return expected, effects


def seasonality(
    history: pd.DataFrame, near: Near | Moving, horizon: Horizon, calendar: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same as month weights: (the dimensions of `history`, month, weight), and the effects."""
    found, effects = ahead(history, near, horizon, calendar)
    return found.table.rename(columns={"share": "weight"}), effects


def festivals(
    history: pd.DataFrame, found: Moving, horizon: Horizon
) -> tuple[dict[str, float], dict[str, dict[str, float]], pd.DataFrame]:
    """What moving festivals do to months: month -> factor, the same by region where they differ, and the effects.

    `history`: month, amount, and region where festivals are kept in single ones. Factors cover history and plan year, against
    the calendar month's usual number of days; a leap day is taken out with the festivals. Two years are needed; with less there
    is no factor. A month is its level x (its days + sum of c x days near a festival), c being what such a day sells beyond a
    plain one: least squares on the months' logs, growth inside a year and the calendar month's level taken out, log(1 + c)
    drawn toward what days of sales show (else none) as far as months disagree (a normal prior). Effects: window, days, change
    (of a month's sales when the whole window lies in it, share), per_day (change of such a day, share), known_by (how its days
    are known).
    """
    regions = sorted(history["region"].astype(str).unique()) if found.local and "region" in history else []
    keys: dict[tuple, list[str]] = {}
    for region in regions:
        here = found.days[found.days["region"].isin([EVERYWHERE, region])]
        keys.setdefault(tuple(zip(here["festival"], here["date"], strict=True)), []).append(region)
    groups = list(keys.values()) or [[EVERYWHERE]]
    cases = [
        case
        for group in groups
        if (case := _Case.of(history[history["region"].isin(group)] if regions else history, found, group[0], horizon))
        is not None
    ]
    if not cases or not found.spans:
        return {}, {}, pd.DataFrame(columns=list(EFFECTS)).astype(EFFECTS)
    weights = np.array([case.sold.sum() for case in cases])
    seen = np.array([side for _, span in sorted(found.spans.items()) for side in span.sides])
    logs = _effects(cases, np.sqrt(weights / weights.sum() * len(cases)), seen[:, 0], seen[:, 1])
    sides = list(cases[0].near.columns)
    windows = [
        found.spans[name].before if side == "before" else found.spans[name].after + 1 + _inside(found, name)
        for name, _, side in (each.rpartition(", ") for each in sides)
    ]
    change = np.exp(logs) - 1.0
    told = [found.spans[each.rpartition(", ")[0]].told for each in sides]
    values = [sides, windows, change * np.array(windows) / 30, change, told]
    effects = pd.DataFrame(dict(zip(EFFECTS, values, strict=True))).astype(EFFECTS)
    every = span_of(min(history["month"]), max(horizon.months))
    by_group = [_factors(exposure(every, found, group[0], horizon.calendar), logs, horizon.calendar) for group in groups]
    if not regions:
        return by_group[0], {}, effects
    return {}, {region: each for group, each in zip(groups, by_group, strict=True) for region in group}, effects


@dataclass(frozen=True)
class _Case:
    """The whole years of some regions' months: sold (minor units), days near each festival, and which months can tell."""

    months: list[str]
    sold: np.ndarray
    near: pd.DataFrame
    tells: np.ndarray
    calendar: Calendar

    @classmethod
    def of(cls, history: pd.DataFrame, found: Moving, region: str, horizon: Horizon) -> "_Case | None":
        """None with less than two years of sales, or of dates."""
        company = history.groupby("month", sort=True)[AMOUNT].sum()
        known = company[company > 0]
        months = span_of(known.index[0], horizon.until) if len(known) else []
        year = len(horizon.months)
        whole = len(months) // year * year
        if whole < 2 * year:
            return None
        cube = Cube.of(company.rename(AMOUNT).reset_index(), [], horizon)
        sold = np.clip(cube.filled(cube.months)[-whole:], 0.0, None)
        near = exposure(months[-whole:], found, region, horizon.calendar)
        tells = sold > 0
        for gap in found.gaps[found.gaps["region"].isin([EVERYWHERE, region])].itertuples():
            columns = [name for name in near.columns if name.rpartition(", ")[0] == gap.festival]
            dated = near.index[near[columns].sum(axis=1) > 0]
            there = near.index.str[5:].isin(set(dated.str[5:])) & (near.index.str[:4].astype(int) == gap.year)
            tells &= ~there
        return cls(months[-whole:], sold, near, tells, horizon.calendar) if tells.sum() >= 2 * year - 2 else None

    @property
    def year(self) -> int:
        """How many months a year has."""
        return per_year(self.months[0])

    def off(self, logs: np.ndarray) -> np.ndarray:
        """What months differ by from their calendar month's level, in logs, were the festivals' effects these."""
        year = self.year
        factor = np.array(list(_factors(self.near, logs, self.calendar).values()))
        index = index_of((self.sold / factor).reshape(-1, year)).ravel()
        found = np.where(self.tells, np.log(np.where(index > 0, index, 1.0)), 0.0)
        place = np.arange(len(found)) % year
        seen = np.bincount(place, self.tells, minlength=year)
        level = np.bincount(place, found, minlength=year) / np.maximum(1, seen)
        return np.where(self.tells, found - level[place], 0.0)

    @property
    def free(self) -> int:
        """How many months tell beyond one of each calendar month."""
        year = self.year
        seen = np.bincount(np.arange(len(self.tells)) % year, self.tells, minlength=year)
        return int(np.maximum(0, seen - 1).sum())


def _effects(cases: Sequence[_Case], weights: np.ndarray, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Each side's log of what a day sells against a plain one, drawn toward `centre` as far as months disagree."""

    def solved(noise: float) -> np.ndarray:
        prior = np.sqrt(max(noise, LEAST_NOISE)) / spread

        def off(logs: np.ndarray) -> np.ndarray:
            of_months = [case.off(logs) * weight for case, weight in zip(cases, weights, strict=True)]
            return np.concatenate([*of_months, (logs - centre) * prior])

        found = least_squares(off, np.clip(centre, -MOST, MOST), "3-point", (-MOST, MOST), xtol=1e-15, ftol=1e-15, gtol=1e-15)
        # the last digits of a solver hang on how many threads a machine gives it; a plan must not
        return np.round(np.asarray(found.x), DIGITS)

    first = solved(0.0)
    free = sum(case.free for case in cases) - len(first)
    if free <= 0:
        return first
    squares = sum(float(((case.off(first) * weight) ** 2).sum()) for case, weight in zip(cases, weights, strict=True))
    return solved(squares / free)


def _factors(near: pd.DataFrame, logs: np.ndarray, calendar: Calendar) -> dict[str, float]:
    """Each month's days, those near festivals counted by what they sell, over its calendar month's usual days.

    Of a company's own periods of whole weeks the usual days are their own: a week more or less is brought to this year's with
    the amounts.
    """
    days = np.array([calendar.length(month) for month in near.index])
    usual = days if calendar.own else np.where(near.index.str[5:] == "02", 28.25, days)
    return dict(zip(near.index, (days + near.to_numpy() @ (np.exp(logs) - 1.0)) / usual, strict=True))


def _inside(found: Moving, festival: str) -> int:
    """Days between the first and the last of a festival, as many as its longest event has."""
    part = found.days[found.days["festival"] == festival]
    return max((row.last - row.date).days for row in part.itertuples())
