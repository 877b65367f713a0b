"""When sales come: the company's months without its growth, festivals that move between months, each product's own months.

Growth inside a year looks like a season (December over January), so each twelve-month window is first freed of it: its slope is
the mean of the growth into it and out of it; growth that nobody has seen yet counts as none. What is left is explained by the
calendar month and by the days near festivals; a product's own months are drawn toward the company's by how much they scatter
from year to year (empirical Bayes; James and Stein 1961), a festival's effect toward none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import numpy as np
import pandas as pd
from chinese_calendar import constants
from lunardate import LunarDate

from planlib.estimates.windows import Coverage, span_of
from planlib.plan import AMOUNT, Horizon

# Before any evidence: a month all in a festival's window sells half more or half less, give or take (logs).
FESTIVAL_SPREAD = 0.5
# A product's year tells of its season where it sold in this part of the months in which it ever sells, and neither doubled nor
# halved against the company.
LEAST_PART = 10 / 12
# Under this chance that silent months are no closed season they are one.
LEAST_DOUBT = 0.01


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


def exposure(months: list[str], days: pd.DataFrame, near: Near) -> pd.DataFrame:
    """How many days of each month lie before and just after each festival: one column per festival and side.

    A day counts as 1/30, so that a column says which part of a month lies near the festival.
    """
    frame = pd.DataFrame(0.0, index=pd.Index(months, name="month"), columns=[])
    for festival, dates in days.groupby("festival", sort=True)["date"]:
        for side, first, last in (("before", -near.days_before, -1), ("after", 0, near.days_after)):
            around = [f"{day + timedelta(days=step):%Y-%m}" for day in dates for step in range(first, last + 1)]
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


def seasonality(
    history: pd.DataFrame, near: Near, horizon: Horizon, calendar: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Month weights by product for the plan year, and the festival effects behind them (TIM-1).

    `history`: product, month, amount, complete months only. Less than 24 months of history: last year's months as they were,
    without festival effects; a product's own months then count by its months of sales against `near.shrink_months`.
    Returns (product, month, weight) and (window, days, change: of a month's sales when the whole window lies in it, share).
    """
    table = history.pivot_table(index="month", columns="product", values=AMOUNT, aggfunc="sum", fill_value=0).sort_index()
    sold = table.index[table.sum(axis=1) > 0]
    months = span_of(sold[0], table.index[-1])
    table = _whole(table.reindex(months, fill_value=0).clip(lower=0).astype(float))
    years = sorted({int(month[:4]) + step for month in [*months, *horizon.months] for step in (-1, 0, 1)})
    days = festival_days(years, list(near.festivals), calendar)
    # Whole twelve-month windows up to the last month; what is older than them is left out, under a year nothing is.
    whole = len(months) // 12 * 12 or len(months)
    months, table = months[-whole:], table.iloc[-whole:]
    use = days if whole >= 24 else days.iloc[:0]
    past, ahead = exposure(months, use, near), exposure(horizon.months, use, near)

    calendar_month = np.array([month[5:] for month in months])
    index = _index(table.to_numpy())
    company, effects = _company(_index(table.sum(axis=1).to_numpy()[:, None])[:, 0], calendar_month, past.to_numpy())
    usual = company.reindex(calendar_month).to_numpy() * np.exp(past.to_numpy() @ effects)
    own, shut = _own(index / usual[:, None], table.to_numpy(), calendar_month, near.shrink_months)

    names = [month[5:] for month in horizon.months]
    # A calendar month that came and sold nothing gets nothing; one that has not come yet is a month like the others.
    expected = company.reindex(names).fillna(0.0 if whole >= 12 else 1.0).to_numpy() * np.exp(ahead.to_numpy() @ effects)
    weight = expected[:, None] * (own.reindex(names).fillna(1.0) * (1 - shut.reindex(names).fillna(0.0))).to_numpy()
    season = pd.DataFrame(weight, index=horizon.months, columns=table.columns).rename_axis(index="month", columns="product")
    windows = [near.days_before if name.endswith("before") else near.days_after + 1 for name in past.columns]
    found = pd.DataFrame(
        {"window": list(past.columns), "days": windows, "change": np.exp(effects * np.array(windows) / 30) - 1.0}
    )
    return season.T.stack().rename("weight").reset_index()[["product", "month", "weight"]], found


def _whole(table: pd.DataFrame) -> pd.DataFrame:
    """Months x products with the gaps of the whole company filled: as a year apart, at the level of the half years around.

    A gap that no other year can tell of is a mean month. A closed season is none: it stays 0.
    """
    total = table.sum(axis=1)
    coverage = Coverage.of(total.index[total > 0], str(table.index[-1]))
    known = [month for month in table.index if month not in coverage.gaps]
    filled = table.copy()
    for gap in coverage.gaps:
        mean = table.loc[known].mean()
        for other in (pd.Period(gap, freq="M") + 12, pd.Period(gap, freq="M") - 12):
            if str(other) in known:
                around = [step for step in range(-6, 7) if {_moved(gap, step), _moved(str(other), step)} <= set(known)]
                here, there = (float(total[[_moved(at, step) for step in around]].sum()) for at in (gap, str(other)))
                mean = table.loc[str(other)] * (here / there if there > 0 else 1.0)
                break
        filled.loc[gap] = mean
    return filled


def _moved(month: str, step: int) -> str:
    return str(pd.Period(month, freq="M") + step)


def _index(sold: np.ndarray) -> np.ndarray:
    """Months over the level of their twelve-month window, its growth taken out: months x series, missing where nothing sold."""
    if len(sold) < 24:
        mean = sold.mean(axis=0)
        return np.where(sold > 0, sold, np.nan) / np.where(mean > 0, mean, np.nan)
    windows = sold.reshape(-1, 12, sold.shape[1])
    mean = windows.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.nan_to_num(np.diff(np.log(mean), axis=0), posinf=0.0, neginf=0.0)
    unseen = np.zeros((1, sold.shape[1]))
    slope = (np.concatenate([unseen, growth]) + np.concatenate([growth, unseen])) / 2
    place = (np.arange(12) - 5.5) / 12
    path = np.exp(slope[:, None, :] * place[None, :, None])
    level = mean[:, None, :] * path / path.mean(axis=1, keepdims=True)
    return np.where(windows > 0, windows / np.where(level > 0, level, np.nan), np.nan).reshape(sold.shape)


def _company(index: np.ndarray, calendar_month: np.ndarray, near: np.ndarray) -> tuple[pd.Series, np.ndarray]:
    """The company's index by calendar month, and the festivals' effects in logs, drawn toward none."""
    usable = np.isfinite(index)
    names = sorted(set(calendar_month[usable]))
    dummies = (calendar_month[usable, None] == np.array(names)[None, :]).astype(float)
    design, logs = np.column_stack([dummies, near[usable]]), np.log(index[usable])
    solution = np.linalg.lstsq(design, logs, rcond=None)[0]
    free = len(logs) - np.linalg.matrix_rank(design)
    if free <= 0:
        return pd.Series(np.exp(solution[: len(names)]), index=names), solution[len(names) :]
    noise = float(((logs - design @ solution) ** 2).sum()) / free
    # A weak prior on festivals, felt where cases are few.
    prior = np.diag(np.r_[np.zeros(len(names)), np.full(near.shape[1], noise / FESTIVAL_SPREAD**2)])
    solution = np.linalg.lstsq(design.T @ design + prior, design.T @ logs, rcond=None)[0]
    return pd.Series(np.exp(solution[: len(names)]), index=names), solution[len(names) :]


def _own(
    ratio: np.ndarray, sold: np.ndarray, calendar_month: np.ndarray, prior_months: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """How each product's calendar months differ from the company's, as factors, and how surely it sells nothing in them, 0-1.

    Both calendar month x product. A window counts where the product sold in all but a few of the months in which it ever sells
    and did not gain or lose half against the company: a launch is not a season. Two windows tell a season from chance; with
    one, its months count against `prior_months`.
    """
    length = 12 if len(ratio) >= 24 else len(ratio)
    frames, amounts = (each.reshape(-1, length, each.shape[1]) for each in (ratio, sold))
    part = amounts.sum(axis=1) / np.maximum(1.0, amounts.sum(axis=(1, 2)))[:, None]
    before = np.concatenate([part[:1], part[:-1]])
    ever = np.any(amounts > 0, axis=0)
    regular = (amounts > 0).sum(axis=1) >= np.maximum(1, np.ceil(np.round(LEAST_PART * ever.sum(axis=0), 9)))
    steady = np.asarray((part > before / 2) & (part < before * 2) & regular)
    logs = np.where(steady[:, None, :], np.log(np.where(frames > 0, frames, np.nan)), np.nan)
    seen = np.isfinite(logs)
    count = seen.sum(axis=0)
    mean = np.where(count > 0, np.nansum(logs, axis=0) / np.maximum(1, count), 0.0)
    told = np.maximum(1, (count > 0).sum(axis=0))
    centred = np.where(count > 0, mean - (mean * (count > 0)).sum(axis=0) / told, 0.0)
    left = np.where(seen, logs - mean, 0.0)
    free = np.maximum(0, count - 1).sum(axis=0)
    chance = (left**2).sum(axis=(0, 1)) / np.maximum(1, free) / np.maximum(1.0, count.max(axis=0))
    spread = (centred**2).sum(axis=0) / np.maximum(1, told - 1)
    measured = np.where(spread > 0, np.maximum(0.0, 1 - chance / np.where(spread > 0, spread, 1.0)), 0.0)
    active = (amounts > 0).sum(axis=(0, 1))
    stated = active / (active + prior_months) if prior_months or active.all() else np.ones(len(active))
    trust = np.where(count.max(axis=0) >= 2, measured, np.where(count.max(axis=0) == 1, stated, 0.0))
    names = calendar_month[-length:]
    return pd.DataFrame(np.exp(trust * centred), index=names), pd.DataFrame(_shut(amounts > 0, steady, ever), index=names)


def _shut(sold: np.ndarray, steady: np.ndarray, ever: np.ndarray) -> np.ndarray:
    """How surely a product sells nothing in a calendar month: calendar months x products, 0-1.

    `sold`: windows x months x products; `steady`: windows x products that count; `ever`: months in which it ever sold. Were the
    silent months open like the others, all of them would be silent by chance with (1 - rate) to the power of how often they
    came, and any run of the year could be the one: twelve times that is the doubt. A product's only window says nothing of the
    months before its first sale.
    """
    windows = steady.sum(axis=0)
    rate = ((sold & steady[:, None, :]).sum(axis=(0, 1)) + 1) / (ever.sum(axis=0) * windows + 2)
    silent = (~ever).sum(axis=0)
    doubt = np.minimum(1.0, sold.shape[1] * (1 - rate) ** (silent * windows))
    known = (windows >= 2) | ((windows == 1) & (steady & sold[:, 0, :]).any(axis=0))
    sure = np.where(known, np.where(doubt < LEAST_DOUBT, 1.0, 1 - doubt), 0.0)
    return np.where(ever, 0.0, sure[None, :])
