"""What the orders say of a product's goals: buyers, repurchase, acquisition cost, growth, share. None is 'not known'.

Each figure is over a window of months and is told only where the window is known in full since the product's own start; who is
a new customer only where the year before is known too, or the product did not exist in it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from planlib import periods
from planlib.estimates.windows import Coverage, a_year_before, growth, span_of
from planlib.periods import Horizon
from planlib.plan import AMOUNT, EVERYTHING


def plain(value: Any) -> float | None:
    """A number, or None where it is missing or not finite."""
    return None if value is None or not np.isfinite(value) else float(value)


def named(bought: pd.DataFrame) -> pd.DataFrame:
    """The rows of customers that have a name."""
    return bought[bought["customer"] != EVERYTHING]


def first_months_of(first: str, months: int) -> list[str]:
    """Some months from the first on."""
    return [periods.step(first, place) for place in range(months)]


def first_buyers(bought: pd.DataFrame, product: str, first: str, months: int, coverage: Coverage) -> tuple[int | None, bool]:
    """Customers who bought a product in its first months on sale, and whether these are over.

    None without customers' names, and where the orders do not reach back to the first month.
    """
    window = first_months_of(first, months)
    mine = bought[(bought["product"] == product) & (bought[AMOUNT] > 0) & bought["month"].isin(window)]
    over = window[-1] <= coverage.last
    told = coverage.window("first months", [month for month in window if month <= coverage.last])
    return (named(mine)["customer"].nunique() or None) if told.whole else None, over


def again(bought: pd.DataFrame, coverages: Mapping[str, Coverage], horizon: Horizon) -> dict[str, float]:
    """The part of the last twelve months' customers that bought in two months or more, by product and (as `all`) of any.

    Of products that were on sale in all of these months.
    """
    recent = named(bought[bought["month"].isin(horizon.last_twelve) & (bought[AMOUNT] > 0)])
    whole = [name for name, known in coverages.items() if known.window("last", horizon.last_twelve).whole]
    recent = recent[recent["product"].isin(whole)]
    if recent.empty:
        return {}
    months = recent.groupby(["product", "customer"])["month"].nunique()
    parts = (months >= 2).groupby("product").mean()
    # Over all products each weighs as much as its customers: a customer of two products counts twice.
    return {**{str(name): float(part) for name, part in parts.items()}, EVERYTHING: float((months >= 2).mean())}


def acquisition(
    bought: pd.DataFrame,
    marketing: pd.DataFrame | None,
    coverages: Mapping[str, Coverage],
    started: Mapping[str, bool],
    coverage: Coverage,
    horizon: Horizon,
) -> dict[str, float]:
    """Change of each product's acquisition cost over the year before, where both years and who was new in them are known.

    A month without a row in marketing, after its first one, had no spend.
    """
    if marketing is None or marketing.empty:
        return {}
    spent = Coverage(str(marketing["month"].min()), coverage.last)
    first = named(bought[bought[AMOUNT] > 0]).groupby(["product", "customer"])["month"].min().reset_index()
    years = [horizon.last_twelve, a_year_before(horizon.last_twelve)]
    costs = []
    for year in years:
        sold = bought[bought["month"].isin(year)].groupby("product")[AMOUNT].sum().clip(lower=0)
        spend = float(marketing.loc[marketing["month"].isin(year), "spend"].sum())
        won = first[first["month"].isin(year)].groupby("product")["customer"].nunique()
        costs.append(spend * sold / max(1, int(sold.sum())) / won.where(won > 0))
    change = costs[0] / costs[1].where(costs[1] > 0) - 1
    if not all(spent.window("spend", year).whole for year in years):
        return {}
    looks = coverage.looks_back(coverage.window("the year before", years[1]))
    return {
        str(name): float(value)
        for name, value in change.dropna().items()
        if (looks or started.get(str(name))) and all(coverages[str(name)].window("year", year).whole for year in years)
    }


def a_quarter(mine: pd.DataFrame, known: Coverage, horizon: Horizon) -> float | None:
    """A quarter's growth: the fourth root of that over a year, which has no season in it; else over the quarter before."""
    sums = mine.groupby("month")[AMOUNT].sum()
    quarter = horizon.last_twelve[-3:]
    now, then = known.window("the quarter", quarter), known.window("a year before", a_year_before(quarter))
    over = growth(sums, now, then)
    if over is not None:
        return float(max(0.0, 1 + over) ** 0.25 - 1)
    return growth(sums, now, known.window("the quarter before", horizon.last_twelve[-6:-3]))


def months_left(pace: float, before: float, line: float) -> int | None:
    """Months until a product's pace meets the line of decline if it falls on as in the last year; None if it does not fall."""
    if round(before - pace, 9) <= 0:
        return None
    return min(60, round(12 * max(0.0, pace - line) / (before - pace)))


def share_gained(mine: pd.DataFrame, months: int, market_growth: float, known: Coverage, horizon: Horizon) -> float | None:
    """Share of the market in the last months over that of the same months a year before."""
    last = span_of(periods.step(horizon.until, 1 - months), horizon.until)
    before = a_year_before(last)
    over = growth(mine.groupby("month")[AMOUNT].sum(), known.window("now", last), known.window("then", before))
    return None if over is None else (1 + over) / (1 + market_growth)


def cross_sell(bought: pd.DataFrame, placed: pd.DataFrame, horizon: Horizon) -> dict[str, str]:
    """For each cash cow the star or question mark that most of its customers buy, and how many do not yet."""
    recent = named(bought[bought["month"].isin(horizon.last_twelve) & (bought[AMOUNT] > 0)])
    buyers = {str(name): set(group["customer"]) for name, group in recent.groupby("product")}
    place = placed.set_index("product")["quadrant"]
    rising = sorted(name for name in buyers if place.get(name) in ("star", "question mark"))
    found = {}
    for cow in sorted(name for name in buyers if place.get(name) == "cash cow"):
        both = {name: len(buyers[cow] & buyers[name]) for name in rising}
        if both:
            best = min(both, key=lambda name: (-both[name], name))
            found[cow] = f"{best}: {1 - both[best] / len(buyers[cow]):.0%} of its customers do not buy it yet"
    return found


def lifetime_value(bought: pd.DataFrame, won: set[str], coverage: Coverage, horizon: Horizon) -> float | None:
    """Gross profit of the average of some customers in the last twelve months over the part of all that left within a year.

    None where the two years that tell who stayed are not known in full.
    """
    known = named(bought[bought[AMOUNT] > 0]) if "cost" in bought else bought.iloc[:0]
    last = horizon.last_twelve
    before = a_year_before(last)
    if not all(coverage.window("year", year).whole for year in (last, before)):
        return None
    now, then = (set(known.loc[known["month"].isin(list(year)), "customer"]) for year in (last, before))
    if not won or not then:
        return None
    year = bought[bought["month"].isin(last) & bought["customer"].isin(won)]
    stayed = len(now & then) / len(then)
    return float(year[AMOUNT].sum() - year["cost"].sum()) / len(won) / max(0.05, 1 - stayed)
