"""What a params file states of the company's months and members, checked against the calendar and against each other."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from planlib.run.faults import Fault, as_json, explain
from planlib.run.plain_yaml import shown
from planlib.run.settings import RunSettings


def check_as_of(settings: RunSettings, fault: Fault) -> None:
    horizon, what = settings.horizon, "period" if settings.calendar.own else "month"
    if settings.calendar.own and settings.fiscal_start != 1:
        fault(("fiscal_start",), "found one beside a table `periods`, which says where years begin; remove it.")
        return
    # the base year must have begun: of its months that are not sold yet, the others tell what to expect
    earliest = settings.calendar.last(horizon.last_year[0])
    last = settings.calendar.last(horizon.months[-1])
    if settings.as_of != settings.calendar.last(settings.calendar.at(settings.as_of)):
        fault(("as_of",), f"found {settings.as_of}, expected the last day of a {what}.")
    elif not earliest <= settings.as_of < last:
        fault(
            ("as_of",),
            f"found {settings.as_of}, expected a {what}'s end from {earliest} on, the first of the year before the plan, and "
            f"before {last}; of a year that has not begun nobody knows a {what}.",
        )


def changes_of(stated: Any, settings: RunSettings, fault: Fault) -> list[dict[str, Any]]:
    """The events that changed members, checked one by one and against each other, and the rules that name members of old."""
    from planlib.data import changes as events

    if stated is None:
        return []
    if not isinstance(stated, list):
        fault(("changes",), f"found {shown(stated)}, expected a list of events, each with kind, dimension, of, to and from.")
        return []
    names = [str(field.alias or name) for name, field in events.Change.model_fields.items()]
    end = settings.calendar.last(settings.horizon.months[-1]) + dt.timedelta(days=1)
    found: list[events.Change] = []
    for number, each in enumerate(stated):
        place = ("changes", str(number))
        if not isinstance(each, dict):
            fault(place, f"found {shown(each)}, expected an event with kind, dimension, of, to and from.")
            continue
        try:
            event = events.Change.model_validate_json(json.dumps(each, default=as_json, allow_nan=False))
        except ValidationError as error:
            explain(error, place, each, names, fault)
            continue
        found.append(event)
        if event.start >= end:
            fault((*place, "from"), f"found {event.since}, after the plan year; state it in the plan of the year it falls in.")
        if event.dimension == "person" and "staff" not in settings.data:
            fault(place, "found persons who move, expected the table `staff` that lists them; add it under `data`.")
    if len(found) < len(stated):
        return []
    for text in events.contradictions(sorted(found, key=lambda each: each.start)):
        fault(("changes",), f"{text}.")
    kept = [events.kept(each) for each in found]
    _refuse_old_names(events.ended(events.read(kept)), settings, fault)
    return kept


def _refuse_old_names(gone: Mapping[tuple[str, str], Any], settings: RunSettings, fault: Fault) -> None:
    """Rules, locks and parameters by member speak of the members of the plan year."""

    reborn = {(opening.dim, opening.member) for opening in settings.openings}  # the old name for something new

    def refuse(place: tuple[str, ...], dimension: str, name: str) -> None:
        by = gone.get((dimension, name))
        if by is not None and (dimension, name) not in reborn:
            new = " or ".join(by.shares)
            fault(place, f"found the {dimension} {name!r}, which became {new} in {by.since}; write {new}.")

    for number, opening in enumerate(settings.openings):
        if opening.like:
            refuse(("openings", str(number), "like"), opening.dim, opening.like)
    for number, closing in enumerate(settings.closings):
        for dimension, name in closing.where.items():
            refuse(("closings", str(number), dimension), dimension, name)
    for section, values in settings.parameters.items():
        for kind in ("rules", "locks"):
            for number, limit in enumerate(values.get(kind) or ()):
                for part in ("where", "of"):
                    for dimension, members in (limit.get(part) or {}).items():
                        for name in [members] if isinstance(members, str) else members:
                            refuse((section, kind, str(number), part, dimension), dimension, name)
        if section in ("region", "product"):
            for parameter, value in values.items():
                for name in value if isinstance(value, dict) else ():
                    refuse((section, parameter, name), section, name)


def check_openings(settings: RunSettings, fault: Fault) -> None:
    """One statement a member, in or before the plan year, its months those of the calendar."""
    last, own = settings.horizon.months[-1], settings.calendar.own
    seen: set[tuple[str, str]] = set()
    ends = dict(settings.parameters.get("product", {}).get("exits", {}))
    stated = [(("openings", str(number), "from"), each.first) for number, each in enumerate(settings.openings) if each.first]
    stated += [(("closings", str(number), "last"), each.last) for number, each in enumerate(settings.closings)]
    stated += [(("product", "exits", name), month) for name, month in ends.items()]
    for place, month in stated:
        if own and month not in {each.key for each in own}:
            near = {each.key for each in own if each.key[:4] == month[:4] and each.key[-2:] == month[-2:]}
            hint = f"write {near.pop()}" if near else f"write one such as {own[0].key}"
            fault(
                place,
                f"found {month}, expected a period of the table `periods` by year and place ({own[-1].key} is "
                f"{own[-1].label}); {hint}.",
            )
        if not own and "P" in month:
            fault(place, f"found {month}, expected a month such as 2026-04; periods take a table `periods`.")
    closes = {(dim, name): each.last for each in settings.closings for dim, name in each.where.items() if len(each.where) == 1}
    for number, opening in enumerate(settings.openings):
        if opening.first and closes.get((opening.dim, opening.member), opening.first) < opening.first:
            fault(
                ("openings", str(number), "from"),
                f"found {opening.first}, after its last month "
                f"{closes[opening.dim, opening.member]} in `closings`; expected it before, correct one of them.",
            )
    for number, opening in enumerate(settings.openings):
        if (opening.first or "") > last:
            fault(
                ("openings", str(number), "from"), f"found {opening.first}, expected a month up to {last}; plan it in its year."
            )
        if (opening.dim, opening.member) in seen:
            fault(("openings", str(number)), f"found {opening.dim} {opening.member!r} twice, expected one statement; drop one.")
        seen.add((opening.dim, opening.member))
