"""Allocating a past year's true total from what was known before it, level by level, as the chain of chapters does."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from planlib.estimates.season import seasonality
from planlib.estimates.shares import expected
from planlib.plan import Horizon


@dataclass(frozen=True)
class Near:
    """No festivals: a company of several countries, or shares that need none."""

    festivals: tuple[str, ...] = ()
    days_before: int = 21
    days_after: int = 10
    shrink_months: int = 24


def of_year(orders: pd.DataFrame, year: int, dims: list[str]) -> pd.Series:
    """Amounts of a year by cell; months under their calendar name, so that years compare."""
    frame = orders[orders["month"].str[:4] == str(year)]
    return frame.assign(month=frame["month"].str[5:]).groupby(dims)["amount"].sum()


def allocate(orders: pd.DataFrame, year: int, dims: list[str], near: Near = Near()) -> pd.Series:
    """Expected shares of a year by cell, from orders before it; sums to 1."""
    horizon, before = Horizon(year, 1, date(year - 1, 12, 31)), orders[orders["month"] < f"{year}-01"]
    if dims == ["month"]:
        # As in 05: each product's months, the products weighing what they are expected to sell.
        season, _ = seasonality(before.groupby(["product", "month"])["amount"].sum().reset_index(), near, horizon)
        size = allocate(orders, year, ["product"])
        season["weight"] *= season["product"].map(size).fillna(0) / season.groupby("product")["weight"].transform("sum")
        return season.assign(month=season["month"].str[5:]).groupby("month")["weight"].sum()
    plan = pd.DataFrame({"weight": [1.0]})
    for depth, into in enumerate(dims):
        history = before.groupby([*dims[: depth + 1], "month"])["amount"].sum().reset_index()
        found = expected(history, into, horizon, dims[:depth]).shares
        plan = plan.merge(found, on=dims[:depth]) if depth else found.assign(weight=1.0)
        plan["weight"] *= plan.pop("share")
    return plan.set_index(dims)["weight"]


def worth(orders: pd.DataFrame, year: int, dims: list[str], near: Near = Near()) -> tuple[float, float]:
    """Weighted absolute error over actual of last year's shares and of the expected ones."""
    actual = of_year(orders, year, dims)
    result = []
    for shares in (of_year(orders, year - 1, dims), allocate(orders, year, dims, near)):
        cells = actual.index.union(shares.index)
        wanted, found = (series.reindex(cells).fillna(0.0).clip(lower=0) for series in (actual, shares))
        result.append(float((found / found.sum() * wanted.sum() - wanted).abs().sum() / wanted.sum()))
    return result[0], result[1]
