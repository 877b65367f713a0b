"""What a past plan is held against: what happened, last year's shares and other simple statements, level by level.

Every method says shares; each is scaled to the true total, so that only where it puts the money is judged.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from planlib.chapters import strategy
from planlib.estimates.reconciled import absent, reconciled
from planlib.estimates.scores import aligned, bias, error, levels
from planlib.periods import Horizon
from planlib.plan import AMOUNT

PLACES = ("region", "product", "channel")
OURS, LAST = "ours", "last_year"
SIMPLE = (LAST, "two_years", "three_years", "equal", "reconciled")
NAMES = {
    LAST: "last year's split",
    "two_years": "the mean of two years",
    "three_years": "the mean of three years",
    "equal": "an equal split",
    "reconciled": "the reconciled forecast",
}
LEVELS = ["year", "level", "cells", OURS, *SIMPLE, "bias", "best", "better"]
SIZES = ("large", "middle", "small")
# A level counts as lost where we are off by a tenth and a point more than a simple statement: less is chance.
TENTH, POINT = 1.10, 0.01


def judged(plan: pd.DataFrame, orders: pd.DataFrame, horizon: Horizon) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """One past year's plan against what happened, and beside simple statements of the same date.

    Parameters
        plan      region, product, channel, month, amount: the plan of the horizon's year
        orders    the same columns: what was sold, before the year and in it (minor units)
    Returns
        levels    year, level, cells (that sold or were expected), ours, last_year, two_years, three_years, equal, reconciled
                  (weighted absolute error over actual, share; missing where it cannot be told), bias (signed relative error of
                  the larger half of sales, share), best (column of the smallest error), better (a simple statement that beats
                  ours by more than a tenth and a point, else "")
        sizes     year, level (the finest), size (thirds of sales: large, middle, small cells), cells, ours, last_year
        sentences on levels that are lost, and on what is left out
    """
    dims = [name for name in PLACES if orders[name].nunique() > 1] + ["month"]
    year = horizon.year
    past = [_calendar(orders[orders["month"].isin(horizon.year_of(year - back))]) for back in range(4)]
    first = orders["month"].min()
    whole = [back for back in (1, 2, 3) if horizon.year_of(year - back)[0] >= first and past[back][AMOUNT].sum() > 0]
    told = []
    if len(whole) < 3:
        lie = "1 whole year lies" if len(whole) == 1 else f"{len(whole)} whole years lie"
        more = "the means of two and three years" if len(whole) < 2 else "the mean of three years"
        told.append(f"{year}: {lie} before it: {more} cannot be told.")
    known = orders[orders["month"] < horizon.months[0]]
    agreed = reconciled(known, dims[:-1] or ["region"], horizon.months)
    if agreed is None:
        why = f"{' and '.join(absent())} not installed" if absent() else "it takes 24 months and at most 4000 cells"
        told.append(f"{year}: no reconciled forecast beside the plan: {why}.")
    rows, mine = [], _calendar(plan)
    for level in levels(dims):
        methods = {OURS: mine, LAST: past[1], "equal": _equal(past[1], level)}
        for name, most in (("two_years", 2), ("three_years", 3)):
            if whole[:most] == list(range(1, most + 1)):
                methods[name] = _mean([past[back] for back in range(1, most + 1)], level)
        if agreed is not None:
            methods["reconciled"] = _calendar(agreed)
        cells = {name: aligned(past[0], each, level) for name, each in methods.items() if each[AMOUNT].sum() > 0}
        found = {name: error(each) for name, each in cells.items()}
        best = min(found, key=lambda name: (round(found[name], 9), list(found).index(name)))
        lost = best != OURS and found[OURS] > found[best] * TENTH + POINT
        row = {"year": year, "level": " x ".join(level), "cells": len(cells[OURS]), "bias": bias(cells[OURS]), "best": best}
        rows.append(
            {**row, **{name: found.get(name, float("nan")) for name in (OURS, *SIMPLE)}, "better": best if lost else ""}
        )
        if lost:
            told.append(
                f"{year}, {row['level']}: {NAMES[best]} came nearer than the plan, "
                f"{found[best]:.1%} off against {found[OURS]:.1%}."
            )
    return pd.DataFrame(rows)[LEVELS], _sizes(past, mine, dims, year), told


def outlook_row(orders: pd.DataFrame, horizon: Horizon, terms: Mapping[str, Any]) -> pd.DataFrame:
    """The year's total as chapter 01 foresaw it with no new action, against what it came to.

    `terms`: damping, usual_error and confidence of chapter 01. Returns one row: year, actual, expected, low, high, last_year
    (minor units), off (expected over actual less 1, share), inside (whether the interval held).
    """
    known = orders[orders["month"] <= horizon.until].groupby(["region", "month"], as_index=False)[AMOUNT].sum()
    ahead = strategy.outlook(known, horizon, terms["damping"], terms["usual_error"])
    path = strategy.momentum(known, horizon, ahead)
    low, high = strategy.band(path, ahead, terms["confidence"])
    actual = int(orders.loc[orders["month"].isin(horizon.months), AMOUNT].sum())
    expected = int(path[AMOUNT].sum())
    row = {"year": horizon.year, "actual": actual, "expected": expected, "low": low, "high": high}
    more = {"last_year": int(path["last_year"].sum()), "off": expected / actual - 1, "inside": low <= actual <= high}
    return pd.DataFrame([{**row, **more}])


def _calendar(table: pd.DataFrame) -> pd.DataFrame:
    """Months under their calendar number, so that years compare."""
    return table.assign(month=table["month"].astype(str).str[5:])


def _equal(last: pd.DataFrame, level: list[str]) -> pd.DataFrame:
    """The same for every cell that sold in the year before."""
    sums = last.groupby(level)[AMOUNT].sum()
    return sums[sums > 0].mul(0).add(1).reset_index()


def _mean(past: list[pd.DataFrame], level: list[str]) -> pd.DataFrame:
    """The mean of several years' shares, each year counting the same however much it sold."""
    shares = pd.concat([each.groupby(level)[AMOUNT].sum() / each[AMOUNT].sum() for each in past])
    return (shares.groupby(level=list(range(len(level)))).sum() / len(past)).reset_index()


def _sizes(past: list[pd.DataFrame], mine: pd.DataFrame, dims: list[str], year: int) -> pd.DataFrame:
    """Error by size of cell, at the finest level: thirds of sales, the largest cells first."""
    ours, last = aligned(past[0], mine, dims), aligned(past[0], past[1], dims)
    both = ours.join(last["expected"].rename("last"), how="outer").fillna(0)
    both = both.sort_values("actual", ascending=False, kind="stable")
    before = both["actual"].cumsum() - both["actual"]
    third = (before * 3 // both["actual"].sum()).clip(0, 2).astype(int)
    rows = []
    for number, size in enumerate(SIZES):
        cells = both[third == number]
        sold = cells["actual"].sum()
        errors = [
            (cells[name] - cells["actual"]).abs().sum() / sold if sold > 0 else float("nan") for name in ("expected", "last")
        ]
        rows.append((year, " x ".join(dims), size, len(cells), *errors))
    return pd.DataFrame(rows, columns=["year", "level", "size", "cells", OURS, LAST])
