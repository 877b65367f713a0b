"""When sales come: what is expected of every month, and the festivals that move between months.

A festival's effect is told from the company's months: the calendar month and the days near the festival explain each of them.
It is taken out of history before seasons are read from it, and put where the festival falls in the plan year.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import numpy as np
import pandas as pd
from chinese_calendar import constants
from lunardate import LunarDate

from planlib.estimates.candidates import index_of
from planlib.estimates.cube import Cube
from planlib.estimates.outlook import Outlook, outlook
from planlib.estimates.windows import span_of
from planlib.periods import MONTHS, Calendar
from planlib.plan import AMOUNT, DIMENSIONS, Horizon

# Before any evidence: a month all in a festival's window sells half more or half less, give or take (logs).
FESTIVAL_SPREAD = 0.5


class Near(Protocol):
    """Which festivals count and how many days around them: what the parameters of 05 time carry."""

    @property
    def festivals(self) -> Sequence[str]: ...

    @property
    def days_before(self) -> int: ...

    @property
    def days_after(self) -> int: ...

    @property
    def shrink_months(self) -> int: ...


@dataclass(frozen=True)
class Windows:
    """The same by itself, for chapters that have no such parameters."""

    festivals: Sequence[str] = ()
    days_before: int = 0
    days_after: int = 0
    shrink_months: int = 24


NO_FESTIVALS = Windows()


def festival_days(years: list[int], festivals: list[str], calendar: pd.DataFrame | None = None) -> pd.DataFrame:
    """The dates of moving festivals: festival, date.

    From the lunar calendar (lunardate: the first day of the first month, the fifth of the fifth, the fifteenth of the
    eighth); a `calendar` table (date, event) overrides a festival in the years it names.
    """
    rules = {"Spring Festival": (1, 1), "Dragon Boat Festival": (5, 5), "Mid-Autumn Festival": (8, 15)}
    rows = [(name, LunarDate(year, *rules[name]).to_solar_date()) for name in festivals for year in years]
    frame = pd.DataFrame(rows, columns=["festival", "date"])
    if calendar is None or calendar.empty:
        return frame
    given = calendar.rename(columns={"event": "festival"})
    given = given[given["festival"].isin(festivals)].assign(date=lambda table: pd.to_datetime(table["date"]).dt.date)
    known = {(row.festival, row.date.year) for row in given.itertuples()}
    kept = [(row.festival, row.date.year) not in known for row in frame.itertuples()]
    return pd.concat([frame[kept], given[["festival", "date"]]], ignore_index=True).sort_values(["festival", "date"])


def exposure(months: list[str], days: pd.DataFrame, near: Near, calendar: Calendar = MONTHS) -> pd.DataFrame:
    """How many days of each month lie before and just after each festival: one column per festival and side.

    A day counts as 1/30, so that a column says which part of a month lies near the festival.
    """
    frame = pd.DataFrame(0.0, index=pd.Index(months, name="month"), columns=[])
    for festival, dates in days.groupby("festival", sort=True)["date"]:
        for side, first, last in (("before", -near.days_before, -1), ("after", 0, near.days_after)):
            around = [calendar.at(day + timedelta(days=step)) for day in dates for step in range(first, last + 1)]
            frame[f"{festival}, {side}"] = pd.Series(around, dtype=str).value_counts().reindex(months).fillna(0).to_numpy() / 30
    return frame


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
    near: Near,
    horizon: Horizon,
    calendar: pd.DataFrame | None = None,
    starts: Mapping[str, Mapping[str, str]] | None = None,
    drift: Mapping[str, float] | None = None,
) -> tuple[Outlook, pd.DataFrame]:
    """What is expected of every cell in every month of the plan year, and the festival effects in it (TIM-1).

    `history`: any dimensions, month, amount, complete months only; see `outlook`. While only one year tells, a member's own
    months count against `near.shrink_months` of the others'. `drift`: by month of the plan year, what it has grown by where it
    is more than a year ahead. Effects: see `festivals`.
    """
    dims = [name for name in DIMENSIONS if name in history.columns and name != "month"]
    months, effects = festivals(history.groupby("month", sort=True)[AMOUNT].sum(), near, horizon, calendar)
    for month, grown in (drift or {}).items():
        months = {**months, month: months.get(month, 1.0) * grown}
    return outlook(history, dims, horizon, starts, near.shrink_months, months, horizon.months, phasing=True), effects


def seasonality(
    history: pd.DataFrame, near: Near, horizon: Horizon, calendar: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same as month weights: (the dimensions of `history`, month, weight), and (window, days, change: of a month's sales
    when the whole window lies in it, share)."""
    found, effects = ahead(history, near, horizon, calendar)
    return found.table.rename(columns={"share": "weight"}), effects


def festivals(
    company: pd.Series, near: Near, horizon: Horizon, calendar: pd.DataFrame | None = None
) -> tuple[dict[str, float], pd.DataFrame]:
    """What moving festivals do to the company's months: month -> factor, for history and plan year; and their effects.

    `company`: amounts by month. Two years of it are needed; with less there is no factor. The calendar month and the days near
    each festival explain the months (least squares in logs, growth inside a year taken out), effects drawn toward none.
    """
    known = company[company > 0]
    months = span_of(known.index[0], horizon.until) if len(known) else []
    year = len(horizon.months)
    whole = len(months) // year * year
    if whole < 2 * year or not near.festivals:
        return {}, pd.DataFrame({"window": [], "days": [], "change": []}).astype({"window": str, "days": int, "change": float})
    years = sorted({int(month[:4]) + step for month in [*months, *horizon.months] for step in (-1, 0, 1)})
    days = festival_days(years, list(near.festivals), calendar)
    cube = Cube.of(company.rename(AMOUNT).reset_index(), [], horizon)
    sold = np.clip(cube.filled(cube.months)[-whole:], 0.0, None)
    index = index_of(sold.reshape(-1, year)).ravel()
    past, every = (exposure(names, days, near, horizon.calendar) for names in (months[-whole:], [*months, *horizon.months]))
    calendar_month = np.array([month[5:] for month in months[-whole:]])
    effects = _effects(np.where(index > 0, index, np.nan), calendar_month, past.to_numpy())
    windows = [near.days_before if name.endswith("before") else near.days_after + 1 for name in past.columns]
    found = pd.DataFrame(
        {"window": list(past.columns), "days": windows, "change": np.exp(effects * np.array(windows) / 30) - 1.0}
    )
    return dict(zip(every.index, np.exp(every.to_numpy() @ effects), strict=True)), found


def _effects(index: np.ndarray, calendar_month: np.ndarray, near: np.ndarray) -> np.ndarray:
    """The festivals' effects in logs beside the calendar months, drawn toward none."""
    usable = np.isfinite(index)
    names = sorted(set(calendar_month[usable]))
    dummies = (calendar_month[usable, None] == np.array(names)[None, :]).astype(float)
    design, logs = np.column_stack([dummies, near[usable]]), np.log(index[usable])
    solution = np.linalg.lstsq(design, logs, rcond=None)[0]
    free = len(logs) - np.linalg.matrix_rank(design)
    if free <= 0:
        return np.asarray(solution[len(names) :])
    noise = float(((logs - design @ solution) ** 2).sum()) / free
    # A weak prior on festivals, felt where cases are few.
    prior = np.diag(np.r_[np.zeros(len(names)), np.full(near.shape[1], noise / FESTIVAL_SPREAD**2)])
    solution = np.linalg.lstsq(design.T @ design + prior, design.T @ logs, rcond=None)[0]
    return np.asarray(solution[len(names) :])
