"""Sets of orders that none of us made, mapped to one form, and how far shares of a plan year were off: level by level.

The measure is weighted absolute error over actual, percent: 100 sum |expected - actual| / sum actual over the cells of a level,
the true total given. Levels are all sets of up to three of the dimensions and the month.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from planlib.periods import Horizon
from tests.conftest import ROOT

SHARED = ROOT.parent / "shared" / "data"
MOST = 3


@dataclass(frozen=True)
class Set:
    """A file of orders: the first month of its plan years, the years that are judged, and how its columns are mapped."""

    name: str
    start: int
    years: tuple[int, ...]
    file: Path
    columns: dict[str, str]

    @property
    def dims(self) -> list[str]:
        return [name for name in ("region", "product", "channel") if name in self.columns]

    def there(self) -> bool:
        return self.file.exists()

    def as_of(self, year: int) -> date:
        return (pd.Period(year=year, month=self.start, freq="M").start_time - pd.Timedelta(days=1)).date()

    def horizon(self, year: int) -> Horizon:
        return Horizon(year, self.start, self.as_of(year))

    @cache  # noqa: B019  # a handful of sets, read once
    def sold(self) -> pd.DataFrame:
        """The dimensions, month (`YYYY-MM`), amount (hundredths)."""
        names = {theirs: ours for ours, theirs in self.columns.items()}
        table = pd.read_csv(self.file, dtype=str, keep_default_na=False)[list(names)].rename(columns=names)
        amount = (table["revenue"].astype(float) * 100).round().astype("int64")
        table = table.assign(month=table["date"].str[:7], amount=amount)
        return table.groupby([*self.dims, "month"], sort=True)["amount"].sum().reset_index()

    def year(self, year: int) -> pd.DataFrame:
        """What was sold in a plan year, months under their calendar name."""
        months = self.horizon(year).months
        sold = self.sold()
        return calendar(sold[sold["month"].isin(months)])

    def __hash__(self) -> int:
        return hash(self.name)


PLACES = ("region", "product", "channel", "revenue")


def _columns(date: str, *names: str) -> dict[str, str]:
    """Our names for a file's columns; an empty name stands for a dimension that it does not have."""
    return {"date": date, **{ours: theirs for ours, theirs in zip(PLACES, names, strict=True) if theirs}}


SETS = [
    Set(
        "contoso",
        1,
        (2014, 2015),
        SHARED / "contoso" / "sales.csv.gz",
        _columns("OrderDate", "Country", "Category", "SalesChannelCode", "Sales Amount"),
    ),
    Set(
        "medicines_au",
        7,
        (2005, 2007),
        SHARED / "medicines_au" / "orders.csv.gz",
        _columns("date", "concession", "atc_group", "scheme", "cost_aud"),
    ),
    Set(
        "electricity_us",
        1,
        (2012, 2015, 2017),
        SHARED / "electricity_us" / "orders.csv.gz",
        _columns("date", "division", "sector", "", "revenue_thousand_usd"),
    ),
    Set("fuel_br", 10, (2015, 2019), SHARED / "fuel_br" / "orders.csv.gz", _columns("date", "region", "fuel", "", "m3")),
    Set(
        "sample",
        1,
        (2025,),
        ROOT / "data" / "sample" / "orders.csv",
        _columns("date", "region", "product", "channel", "revenue"),
    ),
]
SET_YEARS = [(each, year) for each in SETS for year in each.years]


def calendar(table: pd.DataFrame) -> pd.DataFrame:
    """Months under their calendar name, so that years compare."""
    return table.assign(month=table["month"].astype(str).str[5:])


def levels(dims: list[str]) -> Iterator[list[str]]:
    for size in range(1, MOST + 1):
        yield from map(list, itertools.combinations([*dims, "month"], size))


def error(shares: pd.DataFrame, actual: pd.DataFrame, dims: list[str], column: str = "amount") -> float:
    """Percent of sales that lay elsewhere, both ways counted; `shares` has any positive `column` by the dimensions."""
    found, wanted = (frame.groupby(dims)[name].sum() for frame, name in ((shares, column), (actual, "amount")))
    cells = found.index.union(wanted.index)
    found, wanted = (series.reindex(cells).fillna(0.0).clip(lower=0).to_numpy(dtype=float) for series in (found, wanted))
    return float(100 * np.abs(found / found.sum() * wanted.sum() - wanted).sum() / wanted.sum())


def compared(each: Set, year: int, plan: pd.DataFrame, column: str = "amount") -> pd.DataFrame:
    """One row per level: set, year, level, last_year, two_years (shares of last year, mean of the last two years'), ours."""
    actual, last, before = each.year(year), each.year(year - 1), each.year(year - 2)
    parts = [frame.assign(amount=frame["amount"] / max(1, frame["amount"].sum())) for frame in (last, before) if len(frame)]
    two = pd.concat(parts)
    rows = [
        (
            each.name,
            year,
            " x ".join(dims),
            error(last, actual, dims),
            error(two, actual, dims),
            error(plan, actual, dims, column),
        )
        for dims in levels(each.dims)
    ]
    return pd.DataFrame(rows, columns=["set", "year", "level", "last_year", "two_years", "ours"])
