"""Members that were renamed, merged, split or moved: what a params file states under `changes`, and how a plan follows it.

History is told in the members of the plan year. Events count in the order of their `from`, then of the file. What a member
sold before its event counts under the new name; what is booked stays booked, and `restated` keeps both views.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from planlib.periods import MONTHS, Calendar

if TYPE_CHECKING:
    import pandas as pd

Name = Annotated[str, Field(min_length=1, max_length=200)]


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _target(value: object) -> object:
    """A name, or names with their shares; of a move the region."""
    if isinstance(value, str) and value:
        return value
    parts = value.values() if isinstance(value, dict) else []
    shares = all(isinstance(part, (int, float)) and not isinstance(part, bool) and 0 < part < 1 for part in parts)
    if parts and (shares or all(isinstance(part, str) and part for part in parts)):
        return value
    raise ValueError("expected a name, of a split its members with shares between 0 and 1, of a move `{region: ...}`")


def _first_day(value: object) -> dt.date:
    text = str(value)
    try:
        return dt.date.fromisoformat(f"{text}-01" if len(text) == len("2026-01") else text)
    except ValueError:
        raise ValueError("expected a month as 2026-01 or a day as 2026-01-15") from None


class Change(BaseModel):
    """One event that changed members.

    kind       rename  one member has a new name
               merge   several members are one; `to` may be one of them
               split   one member became several, `to` gives each its share of the old one's history; they sum to 1
               move    customers, or persons of the table `staff`, belong to another region: `to: {region: West}`
    dimension  what the members of `of` are: region, product, channel or customer; of a move customer or person
    of         the member or members as they were
    from       first day (or month) under the new name; lines before it are restated
    leaving    move only: the region or regions they leave, where they bought in several
    if_there   a member that no table has is no error
    owner, reason   who decided it, and why
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    kind: Literal["rename", "merge", "split", "move"]
    dimension: Literal["region", "product", "channel", "customer", "person"]
    of: Annotated[list[Name], BeforeValidator(_several), Field(min_length=1)]
    to: Annotated[str | dict[str, float | str], PlainValidator(_target)]
    start: Annotated[dt.date, BeforeValidator(_first_day), Field(alias="from")]
    leaving: Annotated[list[Name], BeforeValidator(_several)] = []
    if_there: bool = False
    owner: str = ""
    reason: str = ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        fault = self._fault()
        if fault:
            raise ValueError(fault)
        return self

    def _fault(self) -> str | None:
        shares = self.to if isinstance(self.to, dict) else {}
        if len(set(self.of)) < len(self.of):
            return "expected each member of `of` once"
        if self.kind == "move":
            where = list(shares) == ["region"] and isinstance(shares["region"], str)
            right = where and self.dimension in ("customer", "person")
            return None if right else "expected of a move `dimension: customer` or `person`, and `to: {region: ...}`"
        if self.dimension == "person" or self.leaving:
            return "expected `dimension: person` and `leaving` of a move only"
        if self.kind == "split":
            if len(self.of) != 1 or self.dimension == "customer" or len(shares) < 2:
                return "expected of a split one region, product or channel, and in `to` two or more members with their shares"
            if any(isinstance(share, str) for share in shares.values()):
                return "expected a share for each member of `to`, as 0.6"
            total = sum(Decimal(str(share)) for share in shares.values())
            return None if total == 1 else f"expected shares that sum to 1, these sum to {total}"
        if not isinstance(self.to, str):
            return f"expected of a {self.kind} one name in `to`"
        if self.kind == "rename" and (len(self.of) != 1 or self.of == [self.to]):
            return "expected of a rename one member in `of` and another name in `to`; several that become one are a merge"
        if self.kind == "merge" and len(self.of) < 2:
            return "expected of a merge two or more members in `of`, the one that goes on under its name among them"
        return None

    @property
    def column(self) -> str:
        """The column that changes: a move changes the region."""
        return "region" if self.kind == "move" else self.dimension

    @property
    def shares(self) -> dict[str, Decimal]:
        """The new members, each with its share of the old ones' history."""
        if self.kind == "move" and isinstance(self.to, dict):
            return {str(self.to["region"]): Decimal(1)}
        if isinstance(self.to, str):
            return {self.to: Decimal(1)}
        # sorted, since a run's record keeps its keys in another order than the file had, and the last cent goes by order
        return {name: Decimal(str(self.to[name])) for name in sorted(self.to)}

    @property
    def since(self) -> str:
        """Its first month, or its first day where that is not a month's."""
        return f"{self.start:%Y-%m}" if self.start.day == 1 else self.start.isoformat()

    @property
    def ended(self) -> list[str]:
        """Members that are no more after it."""
        return [] if self.kind == "move" else [name for name in self.of if name not in self.shares]

    def short(self) -> str:
        """The event in a few words."""
        if self.kind == "move":
            return f"{_some(self.of)} moved to {_listed(list(self.shares))} in {self.since}"
        became = "was renamed" if self.kind == "rename" else "became"
        return f"{_listed(self.of)} {became} {_listed(list(self.shares))} in {self.since}"

    def says(self) -> str:
        """The event as a sentence."""
        old, new = _listed(self.of), _listed(list(self.shares))
        why = f" ({', '.join(filter(None, (self.reason, self.owner)))})" if self.reason or self.owner else ""
        if self.kind == "rename":
            return f"{old} is called {new} since {self.since}{why}: its history counts as {new}."
        if self.kind == "merge":
            return f"{old} are one {self.dimension} since {self.since}{why}: their history counts as {new}."
        if self.kind == "split":
            parts = _listed([f"{name} ({share * 100:f}".rstrip("0").rstrip(".") + "%)" for name, share in self.shares.items()])
            return f"{old} became {parts} in {self.since}{why}: its history is divided by these shares."
        belongs = "belongs" if len(self.of) == 1 else "belong"
        so = "the team is told that way" if self.dimension == "person" else "what was bought before counts there too"
        return f"{_some(self.of)} {belongs} to {new} since {self.since}{why}: {so}."


def read(stated: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Checked events, as a run keeps them, in the order in which they count."""
    found = [Change.model_validate_json(json.dumps(each)) for each in stated]
    return sorted(found, key=lambda each: each.start)


def kept(change: Change) -> dict[str, Any]:
    """An event as a run keeps it: JSON values under the names of a params file."""
    return change.model_dump(mode="json", by_alias=True)


def lenient(stated: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same events for orders that were cut: a member that has none yet is no error."""
    return [{**each, "if_there": True} for each in stated]


def restated(changes: Sequence[Change]) -> str:
    """That history is restated, and by what, in one sentence."""
    return (
        f"History is told in the members of the plan year: {_listed([each.short() for each in changes])}. "
        "What is booked stays as it was booked; chapters 02 to 06 show both views."
    )


def contradictions(changes: Sequence[Change]) -> list[str]:
    """What cannot be true together, in events as `read` orders them: one sentence each, [] for none."""
    faults = []
    became: dict[tuple[str, str], Change] = {}
    links: dict[tuple[str, dt.date], list[tuple[str, str]]] = {}
    seen: set[tuple[str, str, dt.date, str]] = set()
    for change in changes:
        for name in change.of:
            place = (change.dimension, name, change.start, ", ".join(change.leaving))
            before = became.get((change.dimension, name))
            if place in seen:
                faults.append(f"{change.dimension} {name} changes twice from {change.since}; keep one of the two")
            elif before is not None:
                new = " and ".join(before.shares)
                faults.append(f"{change.dimension} {name} became {new} in {before.since}, before {change.since}; write {new}")
            seen.add(place)
        if change.kind == "move":
            continue
        pairs = [(old, new) for old in change.of for new in change.shares if old != new]
        links.setdefault((change.dimension, change.start), []).extend(pairs)
        for name in change.shares:
            became.pop((change.dimension, name), None)
        became |= {(change.dimension, name): change for name in change.ended}
    for (dimension, start), pairs in links.items():
        ring = next((old for old, _ in pairs if old in _reached(old, pairs)), None)
        if ring is not None:
            faults.append(f"{dimension} {ring} leads back to itself in the changes from {start:%Y-%m}; remove one of them")
    return faults


def ended(changes: Sequence[Change]) -> dict[tuple[str, str], Change]:
    """Members that the plan year does not have any more: (dimension, name) -> the event that ended each."""
    gone: dict[tuple[str, str], Change] = {}
    for change in changes:
        gone = {key: by for key, by in gone.items() if key[0] != change.column or key[1] not in change.shares}
        gone |= {(change.dimension, name): change for name in change.ended}
    return gone


def later(mine: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> tuple[list[Change], list[Change]]:
    """Events that a plan made earlier did not know, and those it knew that are not stated any more; both in order.

    Two statements are one event when kind, members and shares agree; its day, owner and reason may be put right.
    """

    def same(one: Change, other: Change) -> bool:
        return all(getattr(one, name) == getattr(other, name) for name in ("kind", "dimension", "of", "to", "leaving"))

    now, then = read(mine), read(theirs)
    new = [each for each in now if not any(same(each, other) for other in then)]
    lost = [each for each in then if not any(same(each, other) for other in now)]
    return new, lost


def follow(plan: pd.DataFrame, changes: Sequence[Change], known: dt.date, calendar: Calendar = MONTHS) -> pd.DataFrame:
    """A plan table made on `known`, without knowledge of these events, in the members after them; every month keeps its total.

    `plan`: some of region, product, channel, others, and `amount` in minor units. A member that lives on (a split South that
    is still called South) is divided in months before the event, and in all where the plan was made before it.
    """
    gone = ended(changes)
    return reduce(lambda frame, change: _follow(frame, change, known, gone, calendar), changes, plan)


def _follow(
    plan: pd.DataFrame, change: Change, known: dt.date, gone: Mapping[tuple[str, str], Change], calendar: Calendar
) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    from planlib.plan import AMOUNT, apportion

    column = change.column
    if column not in plan or change.kind == "move":  # whose customers moved, a plan without customers cannot tell
        return plan
    mine = plan[column].isin(change.of)
    if change.start <= known:
        earlier = plan["month"] < calendar.at(change.start) if "month" in plan else pd.Series(False, index=plan.index)
        mine &= earlier | plan[column].isin([name for name in change.of if (column, name) in gone])
    if not mine.any():
        return plan
    old, names, weights = plan[mine], list(change.shares), [float(share) for share in change.shares.values()]
    count = len(names)
    amounts = apportion(
        old[AMOUNT].to_numpy(),
        np.repeat(np.arange(len(old)), count),
        np.tile(weights, len(old)),
        np.tile(np.array(names, dtype=object), len(old)),
    )
    divided = old.loc[old.index.repeat(count)].assign(**{column: np.tile(names, len(old)), AMOUNT: amounts})
    keys = [str(name) for name in plan.columns if name != AMOUNT]
    joined = pd.concat([plan[~mine], divided.astype(plan.dtypes.to_dict())], ignore_index=True)
    return joined.groupby(keys, sort=True, as_index=False)[AMOUNT].sum()[list(plan.columns)]


def _reached(start: str, pairs: Sequence[tuple[str, str]]) -> set[str]:
    found: set[str] = set()
    ahead = [start]
    while ahead:
        here = ahead.pop()
        new = {to for old, to in pairs if old == here} - found
        found |= new
        ahead += sorted(new)
    return found


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _some(names: Sequence[str]) -> str:
    return _listed(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"
