"""Which festivals move between months, the days around each, and how many of these every month has."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol

import numpy as np
import pandas as pd

from planlib.estimates.festival_windows import day_effects, own_window
from planlib.estimates.festivals import COLUMNS, EVERYWHERE, FIXED, LUNAR, festival_days, moves, undated, years_of
from planlib.periods import MONTHS, Calendar, Horizon

# Before any evidence: a day near a festival sells half more or half less, give or take (logs).
FESTIVAL_SPREAD = 0.5
# Days before and after where neither the parameters state them nor the days of sales show them.
USUAL = (21, 10)
STATED, SEEN, USUALLY = "stated", "seen in the days sold", "usual"


class Near(Protocol):
    """Which festivals count and how many days around them: what the parameters of 05 time carry."""

    @property
    def festivals(self) -> Sequence[str] | Mapping[str, Any]: ...

    @property
    def days_before(self) -> int | None: ...

    @property
    def days_after(self) -> int | None: ...

    @property
    def shrink_months(self) -> int: ...


@dataclass(frozen=True)
class Windows:
    """The same by itself, for chapters that have no such parameters."""

    festivals: Sequence[str] = ()
    days_before: int | None = None
    days_after: int | None = None
    shrink_months: int = 24


NO_FESTIVALS = Windows()


@dataclass(frozen=True)
class Span:
    """The days of a festival: before its first and after its last, how either is known, and what days of sales show of them.

    sides  before it and from it on: (log of what a day sells against a plain one, its error); none and FESTIVAL_SPREAD unseen
    """

    before: int
    after: int
    told: str
    sides: Sequence[tuple[float, float]] = ((0.0, FESTIVAL_SPREAD), (0.0, FESTIVAL_SPREAD))


@dataclass(frozen=True)
class Moving:
    """The festivals that move months: their events (see `festival_days`), the days around them, and what cannot be told.

    gaps  festival, region, year: where an event of the past lacks its date; its months do not count when effects are read
    lost  festivals without a date in the plan year, which months are planned without: festival, region, year
    """

    shrink_months: int = 24
    days: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS))
    spans: Mapping[str, Span] = field(default_factory=dict)
    gaps: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["festival", "region", "year"]))
    lost: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["festival", "region", "year"]))

    @property
    def none(self) -> "Moving":
        """The same without any festival."""
        return Moving(self.shrink_months)

    @property
    def local(self) -> bool:
        """Some festival is kept in a part of the regions."""
        return bool((self.days["region"] != EVERYWHERE).any())


def moving(
    near: Near,
    months: Iterable[str],
    horizon: Horizon,
    calendar: pd.DataFrame | None = None,
    daily: pd.DataFrame | None = None,
) -> Moving:
    """The festivals that move months, with their events from the first of `months` to the end of the plan year (TIM-1).

    `near.festivals`, and of `near.holidays` those that lie in other months from year to year and follow no lunar rule (these
    move months where `festivals` names them). Days around each: as it states them, else `near.days_before` and `days_after`,
    else as `daily` (region, day, amount) shows them, else 21 and 10. `calendar`: see `festival_days`. Raises ParameterError for
    names that nothing dates.
    """
    known = sorted(month for month in months if month <= horizon.until)
    seasons = {name: span for name, span in getattr(near, "holidays", {}).items() if name not in {*LUNAR, *FIXED}}
    asked: Mapping[str, Any] = near.festivals if isinstance(near.festivals, Mapping) else dict.fromkeys(near.festivals)
    if not known or not (asked or seasons):
        return Moving(near.shrink_months)
    years = years_of(known, horizon)
    days = festival_days(years, asked, calendar)
    also = festival_days(years, {name: span for name, span in seasons.items() if name not in asked}, calendar, "holidays")
    also = also[also["festival"].isin(moves(also, {name: (span.before, span.after) for name, span in seasons.items()}))]
    days = pd.concat([days, also], ignore_index=True)
    spans = {
        name: _span(asked[name] if name in asked else seasons[name], near, part, daily)
        for name, part in days.groupby("festival", sort=True)
    }
    reach = {name: (span.before, span.after) for name, span in spans.items()}
    lost = undated(days, horizon.months, reach, horizon.calendar)
    never = pd.DataFrame([(name, EVERYWHERE, horizon.year) for name in asked if name not in spans], columns=list(lost.columns))
    both = pd.MultiIndex.from_frame(days[["festival", "region"]])
    days = days[~both.isin(pd.MultiIndex.from_frame(lost[["festival", "region"]]))].reset_index(drop=True)
    kept = {name: span for name, span in spans.items() if name in set(days["festival"])}
    lost = pd.concat([lost, never], ignore_index=True)
    return Moving(near.shrink_months, days, kept, undated(days, known, reach, horizon.calendar), lost)


def _span(stated: Any, near: Near, events: pd.DataFrame, daily: pd.DataFrame | None) -> Span:
    """The days around one festival, and how they are known."""
    before, after = (
        own if own is not None else usual
        for own, usual in (
            (getattr(stated, "before", None), near.days_before),
            (getattr(stated, "after", None), near.days_after),
        )
    )
    regions = sorted(set(events["region"]))
    sold = [] if daily is None else [(_kept(daily, name), events[events["region"] == name]) for name in regions]
    found = (
        [each for here, own in sold if (each := own_window(here, own)) is not None] if before is None or after is None else []
    )
    usual = tuple(int(np.median(side)) for side in zip(*found, strict=True)) if found else USUAL
    told = SEEN if found else USUALLY
    if before is not None or after is not None:
        told = STATED if None not in (before, after) else f"{STATED} {'after' if before is None else 'before'}, else {told}"
    before, after = usual[0] if before is None else before, usual[1] if after is None else after
    seen = [shown for here, own in sold if (shown := day_effects(here, own, before, after)) is not None]
    if not seen:
        return Span(before, after, told)
    return Span(before, after, told, [(float(log), float(error)) for log, error in np.median(np.array(seen), axis=0)])


def _kept(daily: pd.DataFrame, region: str) -> pd.DataFrame:
    """The days of where a festival is kept."""
    return daily[daily["region"] == region] if region and "region" in daily else daily


def exposure(months: Sequence[str], found: Moving, region: str = EVERYWHERE, calendar: Calendar = MONTHS) -> pd.DataFrame:
    """How many days of each month lie before and from each festival on: a column per festival and side (TIM-1).

    `region`: whose festivals count beside those of everywhere.
    """
    frame = pd.DataFrame(0.0, index=pd.Index(months, name="month"), columns=[])
    here = found.days[found.days["region"].isin([EVERYWHERE, region])]
    for festival, span in sorted(found.spans.items()):
        events = here[here["festival"] == festival]
        for side in ("before", "after"):
            around: set[date] = set()
            for event in events.itertuples():
                late = (event.last - event.date).days + span.after
                steps = range(-span.before, 0) if side == "before" else range(late + 1)
                around |= {event.date + timedelta(days=step) for step in steps}
            counted = pd.Series([calendar.at(day) for day in around], dtype=str).value_counts()
            frame[f"{festival}, {side}"] = counted.reindex(list(months)).fillna(0.0).to_numpy()
    return frame
