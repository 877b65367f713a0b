"""What an earlier plan left, in the members of this run: differences with it add up, whatever was renamed, merged or split."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from planlib import periods
from planlib.data import changes
from planlib.data.changes import Change
from planlib.data.sources import Tables
from planlib.errors import ParameterError
from planlib.periods import MONTHS, Calendar
from planlib.plan import AMOUNT, DIMENSIONS


def as_now(frame: pd.DataFrame, events: Sequence[Change], known: date, calendar: Calendar = MONTHS) -> pd.DataFrame:
    """A plan or table made on `known`, without knowledge of `events`, in the members after them.

    A table that is more than amounts by members follows new names alone: what it says of members that merged or were split
    is true of none of the new ones, and is left out.
    """
    if set(frame.columns) <= {*DIMENSIONS, AMOUNT}:
        return changes.follow(frame, events, known, calendar)
    for event in events:
        if event.column in frame and event.kind != "move":
            mine = frame[event.column].isin(event.of)
            renamed = frame.assign(**{event.column: frame[event.column].where(~mine, next(iter(event.shares)))})
            frame = renamed if event.kind == "rename" else frame[~mine]
    return frame


def unknown_to(folder: Path, stated: Sequence[Mapping[str, Any]], as_of: date) -> tuple[list[Change], date]:
    """Events of this run (`stated`) that the plan in a folder did not know, and the day up to which it was closed.

    Raises ParameterError when that plan knew of an event that this run does not state: nobody could put it back.
    """
    path = folder / "run.json"
    if not stated and not path.is_file():
        return [], as_of
    then = json.loads(path.read_text(encoding="utf-8"))["settings"]
    new, lost = changes.later(stated, then.get("changes", []))
    if lost:
        raise ParameterError(
            f"changes: found in the plan {folder.name}, which this run follows, the {lost[0].kind} of {lost[0].dimension} "
            f"{', '.join(lost[0].of)}, and not here, expected it in both; state it, or make that plan again without it."
        )
    return new, date.fromisoformat(then["as_of"])


def parts_of(event: Change, held: Tables, as_of: date) -> list[Change]:
    """An event as a plan without customers can follow it: who moved takes along a part of each region left behind.

    The part is the customers' share of what the region sold in the twelve months before they moved, as it was booked.
    """
    if event.kind != "move":
        return [event]
    first = held.calendar.at(event.start)
    since = periods.step(first, -periods.per_year(first))
    until = min(periods.step(first, -1), held.calendar.at(as_of))
    whole = held.both_views("region", until, since)
    theirs = held.both_views("region", until, since, customers=event.of) if event.dimension == "customer" else None
    if whole is None or theirs is None:
        return []
    new, parts = next(iter(event.shares)), list[dict[str, Any]]()
    sold, moved = (frame.groupby("booked")[AMOUNT].sum() for frame in (whole, theirs))
    for region, amount in moved.items():
        share = round(float(amount) / float(sold[region]), 6) if sold[region] > 0 else 0.0
        if region == new or (event.leaving and region not in event.leaving) or share <= 0:
            continue
        to = new if share >= 1 else {region: round(1 - share, 6), new: share}
        how = {"kind": "rename" if share >= 1 else "split", "dimension": "region", "of": region, "to": to}
        parts.append({**how, "from": f"{event.start}"})
    return changes.read(parts)


def taken_along(event: Change, held: Tables, as_of: date) -> list[str]:
    """Which part of a region's plan in force went along with customers who moved, one sentence per region they left."""
    if event.kind != "move":
        return []
    new = next(iter(event.shares))
    return [
        f"The plan in force knows no single customer: {part.shares[new]:.1%} of its {part.of[0]} count as {new}, what these "
        "customers were of that region's sales in the twelve months before."
        for part in parts_of(event, held, as_of)
    ]
