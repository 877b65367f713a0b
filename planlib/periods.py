"""The months of a plan by key: calendar months, or a company's own periods in their place.

A key is text that sorts as time runs: `2026-03` is the third of twelve, `2026-P03` the third of thirteen. With calendar months
it is the month itself, whatever month the plan year starts in; with a company's own periods (4-4-5 weeks, thirteen periods,
years that end mid-month) it is the plan year and the place in it. What is reckoned from keys alone needs no calendar; days do.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from planlib.errors import InputDataError

if TYPE_CHECKING:
    import pandas as pd

COUNTS = (12, 13)  # periods that a year may have
WEEK = 7
# A period by its key, and no part of a day or a longer name.
KEY = re.compile(r"(?<![\w-])\d{4}-P?\d{2}(?![\w-])")


def per_year(key: str) -> int:
    """How many periods a year has, told by any of their keys: 12 or 13."""
    return 13 if key[5:6] == "P" else 12


def ordinal(key: str) -> int:
    """A period's number on the line of all periods, so that neighbours differ by 1."""
    count = per_year(key)
    return int(key[:4]) * count + int(key[-2:]) - 1


def at(number: int, count: int) -> str:
    """The key of a period by its ordinal, where a year has `count` of them."""
    return f"{number // count:04d}-{'P' if count == 13 else ''}{number % count + 1:02d}"


def step(key: str, by: int) -> str:
    """The period `by` periods later, earlier where negative."""
    return at(ordinal(key) + by, per_year(key))


def between(early: str, late: str) -> int:
    """How many periods `late` lies after `early`; negative where before."""
    return ordinal(late) - ordinal(early)


def span(first: str, last: str) -> list[str]:
    """All periods from `first` to `last`, both included."""
    count = per_year(first)
    return [at(number, count) for number in range(ordinal(first), ordinal(last) + 1)]


@dataclass(frozen=True)
class Period:
    """One of a company's own periods: its key, first and last day, and the name that the company gives it."""

    key: str
    start: date
    end: date
    label: str


@dataclass(frozen=True)
class Calendar:
    """From days to periods and back. Without `own` periods they are calendar months; else consecutive, in order."""

    own: tuple[Period, ...] = ()

    def at(self, day: date) -> str:
        """The period a day lies in; that the orders and the plan year lie in periods of the table is checked as it is read."""
        if not self.own:
            return f"{day:%Y-%m}"
        place = bisect.bisect_right(self._starts, day) - 1
        if place >= 0 and day <= self.own[place].end:
            return self.own[place].key
        # A launch of long ago, a festival of the year after: beyond the table periods are as long as the nearest one.
        near = self.own[0] if place < 0 else self.own[-1]
        return step(near.key, (day - near.start).days // self.length(near.key))

    def of(self, days: pd.Series) -> pd.Series:
        """The periods of a column of days (datetime64), as text; a missing day stays missing."""
        if not self.own:
            return days.dt.strftime("%Y-%m")
        return days.map({day: self.at(day.date()) for day in days.dropna().unique()}).astype("str")

    def first(self, key: str) -> date:
        """A period's first day."""
        return self._own(key).start if self.own else date(int(key[:4]), int(key[5:]), 1)

    def last(self, key: str) -> date:
        """A period's last day."""
        return self._own(key).end if self.own else self.first(step(key, 1)) - timedelta(days=1)

    def length(self, key: str) -> int:
        """How many days a period has."""
        return (self.last(key) - self.first(key)).days + 1

    def label(self, key: str) -> str:
        """What a reader calls the period: the company's own name, or the month."""
        return self._by_key[key].label if key in self._by_key else key

    def named(self, text: str) -> str:
        """A text with periods called as the company calls them."""
        return KEY.sub(lambda found: self.label(found[0]), text) if self.own else text

    def days(self, keys: Sequence[str]) -> pd.DataFrame:
        """Every day of some periods: day, month (the key)."""
        import pandas as pd

        spans = [pd.Series(pd.date_range(self.first(key), self.last(key), unit="s")) for key in keys]
        days = pd.concat(spans, ignore_index=True) if spans else pd.Series([], dtype="datetime64[s]")
        return pd.DataFrame({"day": days, "month": [key for key, each in zip(keys, spans, strict=True) for _ in each]})

    @property
    def weekly(self) -> bool:
        """Whether all periods are whole weeks, so that years of 52 and 53 weeks compare week by week."""
        return bool(self.own) and all(((each.end - each.start).days + 1) % WEEK == 0 for each in self.own)

    @cached_property
    def _starts(self) -> list[date]:
        return [each.start for each in self.own]

    @cached_property
    def _by_key(self) -> dict[str, Period]:
        return {each.key: each for each in self.own}

    def _own(self, key: str) -> Period:
        if key not in self._by_key:
            raise InputDataError(
                f"periods: found no period {key}, they run from {self.own[0].start} to {self.own[-1].end}; expected all of the "
                "plan year, the year before it and the orders. Add the periods."
            )
        return self._by_key[key]


MONTHS = Calendar()


def months(year: int, fiscal_start: int = 1) -> list[str]:
    """The twelve months of a plan year, which starts in month `fiscal_start` of calendar year `year`."""
    first = f"{year:04d}-{fiscal_start:02d}"
    return span(first, step(first, 11))


@dataclass(frozen=True)
class Horizon:
    """Where a plan year lies and how much of it is closed: `as_of` is the last day whose months are actuals.

    "Month" means a period of `calendar`: a calendar month, or one of the company's own.
    """

    year: int
    fiscal_start: int
    as_of: date
    calendar: Calendar = MONTHS

    @property
    def until(self) -> str:
        """The last month that is closed."""
        return self.calendar.at(self.as_of)

    @property
    def months(self) -> list[str]:
        return self.year_of(self.year)

    def year_of(self, year: int) -> list[str]:
        """The months of another plan year."""
        count = per_year(self.calendar.own[0].key) if self.calendar.own else 12
        first = at(year * count + self.fiscal_start - 1, count)
        return span(first, step(first, count - 1))

    @property
    def quarters(self) -> list[list[str]]:
        """The months of each quarter of the plan year; the fourth has four of thirteen periods."""
        every = self.months
        return [every[:3], every[3:6], every[6:9], every[9:]]

    @property
    def quarter_of(self) -> dict[str, str]:
        """The quarter each month of the plan year lies in, Q1 to Q4."""
        return {month: f"Q{place}" for place, names in enumerate(self.quarters, 1) for month in names}

    @property
    def closed(self) -> list[str]:
        return [month for month in self.months if month <= self.until]

    @property
    def open(self) -> list[str]:
        return [month for month in self.months if month not in self.closed]

    @property
    def last_year(self) -> list[str]:
        return self.year_of(self.year - 1)

    @property
    def last_twelve(self) -> list[str]:
        """The twelve months (or thirteen periods) that end with `as_of`."""
        return span(step(self.until, 1 - per_year(self.until)), self.until)


# The ways out where amounts are too large.


def of_table(table: pd.DataFrame) -> Calendar:
    """A company's own periods from its table (start, end, label, and year where it has one), in any order of rows.

    The plan year of a period is its `year`; without that column the one year (four digits) that is part of every label; else
    years begin wherever the label of the first row comes again, and are called by the calendar year in which their middle lies.
    Within a year periods count from 1; a first year that is not whole is counted from its end.
    Raises InputDataError for days that no period or two periods hold, and for years that have not 12 or 13 periods.
    """
    rows = table.sort_values("start", ignore_index=True)
    starts, ends = ([day.date() for day in rows[name]] for name in ("start", "end"))
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if end < start:
            raise InputDataError(f"periods: found {start} to {end}, expected the end on or after the start; correct it.")
        if place and start != ends[place - 1] + timedelta(days=1):
            raise InputDataError(
                f"periods: found a period that ends on {ends[place - 1]} and the next from {start}, expected it from "
                f"{ends[place - 1] + timedelta(days=1)}: every day lies in one period. Correct the table."
            )
    years = _years(rows, starts, ends)
    sizes = [years.count(year) for year in dict.fromkeys(years)]
    count = max(sizes)
    inner = sizes[1:-1] if len(sizes) > 2 else []
    if count not in COUNTS or any(size != count for size in inner):
        told = ", ".join(f"{year}: {size}" for year, size in zip(dict.fromkeys(years), sizes, strict=True))
        raise InputDataError(
            f"periods: found {told} periods a year, expected {' or '.join(map(str, COUNTS))} in every year. Correct the table, "
            "or add a column `year` that says which plan year a period belongs to."
        )
    own, place = [], count - sizes[0] if len(sizes) > 1 else 0
    for number, year in enumerate(years):
        place = place if not number or year == years[number - 1] else 0
        own.append(Period(at(year * count + place, count), starts[number], ends[number], str(rows["label"].iloc[number])))
        place += 1
    return Calendar(tuple(own))


def _years(rows: pd.DataFrame, starts: list[date], ends: list[date]) -> list[int]:
    """The plan year of each period, see `of_table`."""
    if "year" in rows:
        years = [int(year) for year in rows["year"]]
    else:
        named = [re.findall(r"(?<!\d)(?:19|20|21)\d\d(?!\d)", label) for label in rows["label"]]
        years = [int(found[0]) for found in named if len(set(found)) == 1]
    if len(years) == len(rows):
        if years != sorted(years):
            raise InputDataError("periods: found years that go back as days go on, expected them in order; correct the table.")
        return years
    begins = [place for place, label in enumerate(rows["label"]) if label == rows["label"].iloc[0]]
    found = []
    for first, last in zip(begins, [*begins[1:], len(rows)], strict=True):
        # its middle lies half a year after its start, also where the table breaks it off
        found += [(starts[first] + timedelta(days=182)).year] * (last - first)
    return found
