"""When festivals are: by rule, by a calendar of the package `holidays`, and by the company's own table `calendar`.

One way from a name to its days, for the festivals that move months and for the holidays whose days are planned.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Protocol

import holidays
import pandas as pd
from lunardate import LunarDate

from planlib.errors import ParameterError
from planlib.periods import MONTHS, Calendar, Horizon

LUNAR = {"Spring Festival": (1, 1), "Dragon Boat Festival": (5, 5), "Mid-Autumn Festival": (8, 15)}
FIXED = {"618": (6, 18), "National Day": (10, 1), "Double 11": (11, 11)}
SOLSTICE = "Winter Solstice"
# Days of one festival no further apart than this are one event: Golden Week from April 29 to May 5.
ONE_EVENT = timedelta(days=6)
EVERYWHERE = ""
COLUMNS = ["festival", "date", "last", "region"]
SHOWN = 6


class Dating(Protocol):
    """Where a festival's days stand: in a country's calendar or a market's, under which names, and in which regions."""

    @property
    def country(self) -> str | None: ...

    @property
    def subdivision(self) -> str | None: ...

    @property
    def market(self) -> str | None: ...

    @property
    def called(self) -> Sequence[str]: ...

    @property
    def regions(self) -> Sequence[str]: ...


Named = Sequence[str] | Mapping[str, Dating | None]


def festival_days(
    years: Sequence[int], named: Named, calendar: pd.DataFrame | None = None, subject: str = "festivals"
) -> pd.DataFrame:
    """The events of festivals in some years: festival, date (first day), last (day), region ("" everywhere) (TIM-1).

    `named`: names, or name -> where it is dated. Spring, Dragon Boat and Mid-Autumn Festival follow the lunar calendar, 618,
    National Day and Double 11 their dates, the winter solstice its rule; a festival with a `country` or `market` that calendar
    of the package `holidays`. A `calendar` table (date, event, and where it has one region) overrides a festival in the years
    it names, and dates what no rule does. Days at most six apart are one event. Raises ParameterError for a name that nothing
    has.
    """
    where: Mapping[str, Dating | None] = dict(named) if isinstance(named, Mapping) else dict.fromkeys(named)
    given = _given(calendar)
    rows: list[tuple[str, date, str]] = []
    for name, dating in where.items():
        own = given[given["festival"] == name]
        stated = [(row.date, row.region) for row in own.itertuples() if row.date.year in set(years)]
        told = {day.year for day, _ in stated}
        computed = _computed(name, dating, years, given, subject)
        placed = [(day, EVERYWHERE) for day in computed if day.year not in told] + stated
        rows += [(name, day, region) for day, each in placed for region in _regions(dating, each)]
    return _events(rows)


def solstice(year: int) -> int:
    """The day of December on which the sun stands lowest, Beijing time (TIM-1).

    The usual almanac rule for this century: a mean day of 21.94, moved by the year's length and the leap days; 2021 is its
    exception.
    """
    short = year % 100
    return int(short * 0.2422 + 21.94) - short // 4 - (1 if year == 2021 else 0)


def undated(
    days: pd.DataFrame, months: Sequence[str], reach: Mapping[str, tuple[int, int]], calendar: Calendar = MONTHS
) -> pd.DataFrame:
    """Which festivals lack a date in a year in which some months should have one: festival, region, year.

    `days`: from `festival_days`; `reach`: festival -> days before and after that count. A festival is due in a year where an
    event of another year, moved to it, would come near one of the months.
    """
    first, last = calendar.first(min(months)), calendar.last(max(months))
    rows = []
    for (festival, region), part in days.groupby(["festival", "region"], sort=True):
        before, after = reach.get(str(festival), (0, 0))
        dated = {day.year for day in part["date"]}
        for year in range(first.year - 1, last.year + 2):
            near = (
                _moved(row.date, year) - timedelta(days=before) <= last
                and _moved(row.last, year + row.last.year - row.date.year) + timedelta(days=after) >= first
                for row in part.itertuples()
            )
            if year not in dated and any(near):
                rows.append((festival, region, year))
    return pd.DataFrame(rows, columns=["festival", "region", "year"])


def moves(days: pd.DataFrame, reach: Mapping[str, tuple[int, int]]) -> set[str]:
    """The festivals whose days lie in other months in one year than in another, by more than a day."""
    found = set()
    for (festival, _), part in days.groupby(["festival", "region"], sort=True):
        before, after = reach[str(festival)]
        near = [
            (row.date.year, (row.date + timedelta(days=step)).month)
            for row in part.itertuples()
            for step in range(-before, (row.last - row.date).days + after + 1)
        ]
        table = pd.DataFrame(near, columns=["year", "month"]).value_counts().unstack(fill_value=0)
        if (table.max() - table.min()).max() > 1:
            found.add(str(festival))
    return found


def _computed(name: str, dating: Dating | None, years: Sequence[int], given: pd.DataFrame, subject: str) -> list[date]:
    """The days that a rule or a calendar of the package gives a festival; none where the company's table alone dates it."""
    if dating is not None and (dating.country or dating.market):
        return _of_package(name, dating, years, subject)
    if dating is not None and (dating.subdivision or dating.called):
        raise ParameterError(
            f"{subject}: {name}: found {'subdivision' if dating.subdivision else 'called'} without a country or "
            "market, expected the one whose calendar it is of; add `country` (two letters, such as DE)."
        )
    if name in LUNAR:
        return [LunarDate(year, *LUNAR[name]).to_solar_date() for year in years]
    if name in FIXED:
        return [date(year, *FIXED[name]) for year in years]
    if name == SOLSTICE:
        return [date(year, 12, solstice(year)) for year in years]
    if name not in set(given["festival"]):
        raise ParameterError(_unknown(name, sorted(set(given["festival"])), max(years), subject))
    return []


def _of_package(name: str, dating: Dating, years: Sequence[int], subject: str) -> list[date]:
    """The days of the names a festival is called by in one calendar; a name that none is exactly stands for all it begins."""
    where = f"{dating.market or dating.country}{f', {dating.subdivision}' if dating.subdivision else ''}"
    span = tuple(range(min(years), max(years) + 1))
    try:
        national = _calendar(dating.country, dating.subdivision, dating.market, span)
        parts = () if dating.subdivision or dating.market else holidays.country_holidays(dating.country).subdivisions
    except NotImplementedError:
        raise ParameterError(
            f"{subject}: {name}: found {where}, expected a country (two letters, such as DE), a subdivision or a market "
            "that the package holidays knows; correct it, or date the festival in the calendar table."
        ) from None
    found: set[date] = set()
    for wanted in dating.called or [name]:
        days = _matching(wanted, national, False)
        if not days:
            days = _agreed(name, wanted, dating, parts, span, national, subject)
        if not days:
            others = _elsewhere(wanted, span[-1:])
            near = difflib.get_close_matches(wanted, list(national), n=3, cutoff=0.4)
            raise ParameterError(
                f"{subject}: {name}: found no {wanted!r} in the calendar of {where}; "
                f"nearest there: {', '.join(near) or 'none'}{f'; elsewhere: {others}' if others else ''}. Say how it is "
                "`called` there, or date it in the calendar table."
            )
        found |= days
    return sorted(day for day in found if day.year in set(years))


def _agreed(
    name: str,
    wanted: str,
    dating: Dating,
    parts: Sequence[str],
    span: tuple[int, ...],
    national: Mapping[str, frozenset[date]],
    subject: str,
) -> set[date]:
    """Days that a country's subdivisions know beside the national ones; refused where they lie on different days of a year."""
    each = {part: _calendar(dating.country, part, None, span) for part in parts}
    for begins in (False, True):
        of_all: dict[str, set[frozenset[date]]] = {}
        for names in (national, *each.values()):
            for known, days in names.items():
                if _is(wanted, known, begins):
                    of_all.setdefault(known, set()).add(days)
        for known, several in of_all.items():
            years = [day.year for day in frozenset().union(*several)]
            if len(several) > 1 and len(years) > max(len(days) for days in several):
                raise ParameterError(
                    f"{subject}: {name}: found {known!r} on different days within {dating.country}, expected one calendar; add "
                    f"`subdivision`, one of {', '.join(list(parts)[:SHOWN])}{' ...' if len(parts) > SHOWN else ''}."
                )
        if of_all:
            return {day for several in of_all.values() for days in several for day in days}
    return set()


@cache
def _calendar(
    country: str | None, subdivision: str | None, market: str | None, years: tuple[int, ...]
) -> Mapping[str, frozenset[date]]:
    """A calendar of the package: every English name, without what stands in brackets, and its days."""
    if market:
        known = holidays.financial_holidays(market)
        table = holidays.financial_holidays(market, years=years, categories=known.supported_categories, language="en_US")
    else:
        known = holidays.country_holidays(country)
        table = holidays.country_holidays(
            country, subdiv=subdivision, years=years, categories=known.supported_categories, language="en_US", observed=False
        )
    found: dict[str, set[date]] = {}
    for day in table:
        for name in table.get_list(day):
            found.setdefault(re.sub(r"\s*\([^)]*\)$", "", name), set()).add(day)
    return {name: frozenset(days) for name, days in found.items()}


def _is(wanted: str, known: str, begins: bool) -> bool:
    return known.casefold().startswith(f"{wanted.casefold()} ") if begins else known.casefold() == wanted.casefold()


def _matching(wanted: str, names: Mapping[str, frozenset[date]], begins: bool) -> set[date]:
    return {day for known, days in names.items() if _is(wanted, known, begins) for day in days}


def _elsewhere(wanted: str, years: tuple[int, ...]) -> str:
    """Which countries have a holiday whose name holds a word, else the nearest names, "'Easter Sunday' in AT, BE" or ""."""
    every: dict[str, list[str]] = {}
    for country in sorted(holidays.list_supported_countries(include_aliases=False)):
        for known in _calendar(country, None, None, years):
            every.setdefault(known, []).append(country)
    near = difflib.get_close_matches(wanted, list(every), n=3, cutoff=0.75)
    holding = {known: countries for known, countries in every.items() if wanted.casefold() in known.casefold()}
    found = holding or {known: every[known] for known in near}
    ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))[:3]
    return "; ".join(f"{known!r} in {', '.join(countries[:SHOWN])}" for known, countries in ranked)


def _unknown(name: str, events: Sequence[str], year: int, subject: str) -> str:
    known = [*LUNAR, *FIXED, SOLSTICE, *(each for each in events if each not in LUNAR and each not in FIXED)]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    others = _elsewhere(name, (year,))
    return (
        f"{subject}: found {name!r}, expected one of {', '.join(known[: 7 + SHOWN])}, an event of the calendar table, or "
        f"a holiday of a country{f' (nearest: {near[0]!r})' if near else ''}. "
        + (
            f"The package holidays has {others}: write {{{name}: {{country: ..., called: ...}}}}, or date it in the "
            "calendar table."
            if others
            else "No calendar of the package holidays has that name: date it in the calendar table, or correct it."
        )
    )


def _given(calendar: pd.DataFrame | None) -> pd.DataFrame:
    if calendar is None or calendar.empty:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in ("festival", "date", "region")})
    region = calendar["region"].fillna(EVERYWHERE).astype(str) if "region" in calendar else EVERYWHERE
    return pd.DataFrame({"festival": calendar["event"], "date": pd.to_datetime(calendar["date"]).dt.date, "region": region})


def _regions(dating: Dating | None, told: str) -> Sequence[str]:
    """Where an event counts: in the region that the table names, in those of the parameters, or everywhere."""
    only = list(dating.regions) if dating is not None else []
    if told:
        return [told] if not only or told in only else []
    return only or [EVERYWHERE]


def _events(rows: Iterable[tuple[str, date, str]]) -> pd.DataFrame:
    found: list[list] = []
    for festival, region, day in sorted({(name, region, day) for name, day, region in rows}):
        if found and found[-1][0] == festival and found[-1][3] == region and day - found[-1][2] <= ONE_EVENT:
            found[-1][2] = day
        else:
            found.append([festival, day, day, region])
    return pd.DataFrame(found, columns=COLUMNS).astype({"festival": str, "region": str}).sort_values(COLUMNS, ignore_index=True)


def _moved(day: date, year: int) -> date:
    return day.replace(year=year, day=min(day.day, 28)) if day.month == 2 else day.replace(year=year)


def years_of(months: Sequence[str], horizon: Horizon) -> list[int]:
    """The years whose festivals can come near some months or the plan year's."""
    return sorted({int(month[:4]) + step for month in [*months, *horizon.months] for step in (-1, 0, 1)})
