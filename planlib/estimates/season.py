"""When sales come: a product's months shrunk toward the company's, and festivals that move between months."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import numpy as np
import pandas as pd
from lunardate import LunarDate

from planlib.plan import AMOUNT, Horizon


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


def seasonality(
    history: pd.DataFrame, near: Near, horizon: Horizon, calendar: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Month weights by product for the plan year, and the festival effects behind them.

    `history`: product, month, amount, complete months only. Method: the company's months, each over its twelve-month centred
    level, are explained in logs by the calendar month and by the days near each festival (least squares, minimum norm);
    each product's own calendar months are then shrunk toward the company's, `shrink_months` months of company history to
    its own. Less than 24 months of history: last year's months as they were, without festival effects.
    Returns (product, month, weight) and (window, days, change: of a month's sales when the whole window lies in it, share).
    """
    table = history.pivot_table(index="month", columns="product", values=AMOUNT, aggfunc="sum", fill_value=0).sort_index()
    sold = table.index[table.sum(axis=1) > 0]
    months = [str(period) for period in pd.period_range(sold[0], table.index[-1], freq="M")]
    table = table.reindex(months, fill_value=0).clip(lower=0).astype(float)
    years = sorted({int(month[:4]) + step for month in [*months, *horizon.months] for step in (-1, 0, 1)})
    days = festival_days(years, list(near.festivals), calendar)
    use = days if len(months) >= 24 else days.iloc[:0]
    past, ahead = exposure(months, use, near), exposure(horizon.months, use, near)

    total = table.sum(axis=1)
    level = _level(total)
    usable = (total > 0) & (level > 0)
    log_index = np.log(total[usable] / level[usable])
    calendar_month = pd.Index([month[5:] for month in months])
    names = sorted(set(calendar_month[usable]))
    dummies = np.column_stack([(calendar_month[usable] == name).astype(float) for name in names])
    design = np.column_stack([dummies, past[usable].to_numpy()])
    solution = np.linalg.lstsq(design, log_index.to_numpy(), rcond=None)[0]
    effects = solution[len(names) :]
    company = pd.Series(np.exp(solution[: len(names)]), index=names)

    lift_past = np.exp(past.to_numpy() @ effects)
    lift_ahead = np.exp(ahead.to_numpy() @ effects)
    rows = []
    for product in table.columns:
        own = _own_index(table[product] / lift_past, calendar_month, company, near.shrink_months)
        weight = own.reindex([month[5:] for month in horizon.months]).fillna(0.0).to_numpy() * lift_ahead
        rows.append(pd.DataFrame({"product": product, "month": horizon.months, "weight": weight}))
    windows = [near.days_before if name.endswith("before") else near.days_after + 1 for name in past.columns]
    found = pd.DataFrame(
        {"window": list(past.columns), "days": windows, "change": np.exp(effects * np.array(windows) / 30) - 1.0}
    )
    return pd.concat(rows, ignore_index=True), found


def _level(total: pd.Series) -> pd.Series:
    """The level a month is measured against: a centred twelve-month mean, carried to the ends along the trend seen there."""
    if len(total) < 24:
        return pd.Series(float(total.mean()), index=total.index)
    centred = total.rolling(12).mean().rolling(2).mean().shift(-6)
    inside = centred.dropna()
    step = float(np.clip((inside.iloc[-1] / inside.iloc[0]) ** (1.0 / max(1, len(inside) - 1)), 0.9, 1.1))
    position = np.arange(len(total))
    first, last = total.index.get_loc(inside.index[0]), total.index.get_loc(inside.index[-1])
    level = centred.to_numpy().copy()
    level[:first] = inside.iloc[0] * step ** (position[:first] - first)
    level[last + 1 :] = inside.iloc[-1] * step ** (position[last + 1 :] - last)
    return pd.Series(level, index=total.index)


def _own_index(sold: pd.Series, calendar_month: pd.Index, company: pd.Series, shrink: int) -> pd.Series:
    """A product's calendar-month index, festival effects removed, shrunk toward the company's by how long it has been sold."""
    active = sold.to_numpy() > 0
    if active.sum() < 12:
        return company
    # Under two years there is no telling a trend from a season: the months are taken as they were.
    trailing = sold.rolling(12, min_periods=6).mean().rolling(2, min_periods=1).mean().shift(-6)
    level = trailing.bfill().ffill() if len(sold) >= 24 else sold * 0.0 + sold.mean()
    ratio = (sold / level).where(active & (level.to_numpy() > 0))
    own = ratio.groupby(np.asarray(calendar_month)).mean().reindex(company.index)
    own = own.fillna(company)
    trust = active.sum() / (active.sum() + shrink)
    return own * trust + company * (1 - trust)
