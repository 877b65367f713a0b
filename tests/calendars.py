"""A company's own calendars as tests write them: weeks in a 4-4-5 pattern, thirteen periods, months that end on a day."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

FIELDS = ("start", "end", "label", "year")


def saturday_nearest_new_year(year: int) -> date:
    """The Saturday nearest to 31 December: 2014 ends on 2015-01-03 and so has 53 weeks (a usual rule of retailers)."""
    last = date(year, 12, 31)
    return last + timedelta(days=(5 - last.weekday() + 3) % 7 - 3)


def of_weeks(years: Iterable[int], pattern: Sequence[int]) -> list[tuple[date, date, str, int]]:
    """Periods of so many weeks each, in years that end on `saturday_nearest_new_year`; a 53rd week goes to the last one."""
    rows = []
    for year in years:
        first, last = saturday_nearest_new_year(year - 1) + timedelta(days=1), saturday_nearest_new_year(year)
        for place, weeks in enumerate(pattern, start=1):
            end = first + timedelta(weeks=weeks, days=-1) if place < len(pattern) else last
            rows.append((first, end, f"P{place:02} {year}", year))
            first = end + timedelta(days=1)
    return rows


def ending_on(day: int, years: Iterable[int]) -> list[tuple[date, date, str, int]]:
    """Twelve periods a year, each from the day after `day` of a month to `day` of the next; years end in December."""
    rows = []
    for year in years:
        for month in range(1, 13):
            before = date(year - 1, 12, day) if month == 1 else date(year, month - 1, day)
            rows.append((before + timedelta(days=1), date(year, month, day), f"{year}/{month:02}", year))
    return rows


def write(path: Path, rows: list[tuple[date, date, str, int]], fields: int = 4) -> Path:
    """The table `periods` with its first fields (all four by default)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([FIELDS[:fields], *(row[:fields] for row in rows)])
    return path
