"""Rules and locks: the vocabulary in which a planner limits an allocation."""

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal, Self, TypeVar

import pandas as pd
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from planlib.errors import ParameterError
from planlib.plan import DIMENSIONS, EXACT, times

MOST_NAMES = 30  # members that a refusal lists before it counts the rest

Member = Annotated[str, Field(min_length=1)]


def _plain(members: str | list[str]) -> str | list[str]:
    """One member is one member, whether it stands alone or in a list."""
    if isinstance(members, str):
        return members
    if not members:
        raise ValueError("a dimension in where names no member; name one or more, or leave the dimension out")
    once = sorted(set(members))
    return once[0] if len(once) == 1 else once


Where = dict[
    Literal["region", "product", "channel", "month", "segment"], Annotated[Member | list[Member], AfterValidator(_plain)]
]


def kept_whole(value: Any, handler: ValidatorFunctionWrapHandler) -> float:
    """A whole number beyond 2^53 stays one: a float would lose its last digits."""
    checked: float = handler(value)
    return value if type(value) is int and abs(value) > EXACT else checked


KeptWhole = (WrapValidator(kept_whole), PlainSerializer(lambda number: number, return_type=Any))
Finite = Annotated[float, Field(allow_inf_nan=False), *KeptWhole]


class Rule(BaseModel):
    """A floor, a cap or both on a set of cells.

    name      what the report calls it; unique within an allocation
    where     dimension -> member or members; empty means every cell
    each      one rule for every member of this dimension, named `name member`; `cell` for a guardrail on every cell (hard, no
              ratio), which keeps one name
    unit      share   of the base `of` (0-1); the base is the whole level unless `of` names a part of it
              amount  minor units in the plan tables, major units of the currency in a params file
              growth  over the same cells of last year (0.05 = 5% more)
              ratio   of two measures summed over the cells: `measure` over `per` (default: the amount)
    min, max  the limits in that unit; at least one
    hard      must hold; a soft rule may be missed at `penalty` per unit of money, relative to the cost of moving a
              cell by its own size (1.0)
    penalty   of a hard rule: what bending it counts for when a cheapest repair is sought among rules that conflict
    owner, reason, expires   who asked for it, why, and the last day it counts
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=80)]
    where: Where = {}
    each: Literal["region", "product", "channel", "month", "segment", "cell"] | None = None
    of: Where = {}
    unit: Literal["share", "amount", "growth", "ratio"] = "share"
    min: Finite | None = None
    max: Finite | None = None
    measure: str = ""
    per: str = ""
    hard: bool = True
    penalty: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 10.0
    owner: str = ""
    reason: str = ""
    expires: date | None = None

    @model_validator(mode="after")
    def _has_limits(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError(f"rule {self.name!r} has no limit; give it a min, a max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"rule {self.name!r} has min {self.min} above max {self.max}; swap or correct them")
        if self.unit == "share" and not all(0 <= limit <= 1 for limit in (self.min, self.max) if limit is not None):
            slips = [limit for limit in (self.min, self.max) if limit is not None and 1 < limit <= 100]
            as_share = f", write {slips[0]:g}% as {slips[0] / 100:g}" if slips else ""
            raise ValueError(
                f"rule {self.name!r} limits a share to {self.min} - {self.max}; state it between 0 and 1{as_share}"
            )
        if self.unit == "ratio" and not self.measure:
            raise ValueError(f"rule {self.name!r} limits a ratio but names no measure; set `measure`")
        if self.each == "cell" and (not self.hard or self.unit == "ratio"):
            raise ValueError(
                f"rule {self.name!r} guards each cell but is soft or a ratio; make it hard, or use a dimension in each"
            )
        if self.each is not None and self.each in self.where:
            raise ValueError(f"rule {self.name!r} has {self.each!r} both in where and each; keep one")
        return self


class Lock(BaseModel):
    """A cell or a total that keeps its amount whatever the weights say, until it expires.

    where   dimension -> member or members; naming one member of every dimension locks a cell, less locks a total
    amount  minor units in the plan tables, major units of the currency in a params file
    penalty what bending it counts for in a cheapest repair; a lock is worth ten rules
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=80)]
    where: Where
    amount: Finite
    penalty: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 100.0
    owner: str = ""
    reason: str = ""
    expires: date | None = None


class Aim(BaseModel):
    """What a split aims at, within its rules.

    profit  0: nearest to the drivers (default). 1: the most profit the rules allow, among equals the nearest to the drivers.
            Between: a blend, `profit` parts of profit against `1 - profit` parts of distance from the drivers, both in money
    steady  0: the drivers alone say what near means. 1: the plan in force does, so that a re-plan changes as little as it must.
            Between: that share of the way
    equal_chance  0: the drivers say what near means. 1: the split in which every member is equally likely to reach its target
            does; between: that share of the way. Rules that bind push the others off in proportion, as always, so that their
            chances then are as near to equal as that allows. Steadiness is toward the plan in force from there
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    profit: Annotated[float, Field(ge=0, le=1)] = 0.0
    steady: Annotated[float, Field(ge=0, le=1)] = 0.0
    equal_chance: Annotated[float, Field(ge=0, le=1)] = 0.0

    @property
    def near(self) -> str:
        """What near means, as a sentence names it."""
        start = {0.0: "the drivers", 1.0: "equal chances"}.get(self.equal_chance, "the drivers and equal chances")
        both = f"{start} and the plan in force"
        return start if self.steady == 0 else "the plan in force" if self.steady == 1 else both

    @property
    def gains(self) -> str:
        """What easing a rule brings the plan, as a sentence ends: so much money of this."""
        if self.profit == 0:
            return f"nearer to {self.near}"
        blend = f"nearer to its aim, {self.profit:.0%} profit and {1 - self.profit:.0%} nearness to {self.near}"
        return "more profit" if self.profit == 1 else blend


Stated = TypeVar("Stated", Rule, Lock)


def in_minor_units(limits: list[Stated], exponent: int) -> list[Stated]:
    """Rules or locks as a params file states them (major units) with their amounts in minor units."""
    factor = 10**exponent

    def scaled(value: float | None) -> float | None:
        return None if value is None else whole_money(times(value, factor))

    converted = []
    for limit in limits:
        if isinstance(limit, Lock):
            converted.append(limit.model_copy(update={"amount": scaled(limit.amount)}))
        elif limit.unit == "amount":
            converted.append(limit.model_copy(update={"min": scaled(limit.min), "max": scaled(limit.max)}))
        else:
            converted.append(limit)
    return converted


def whole_money(amount: float) -> float:
    """A limit in whole minor units: a float where that is exact, else the whole number."""
    found = round(amount)
    return float(found) if abs(found) <= EXACT else found


def in_keys(limits: list[Stated], names: Mapping[str, str]) -> list[Stated]:
    """Rules or locks with the months in their `where` by key; `names`: what a company calls its own periods -> key."""
    found = []
    for limit in limits:
        told = limit.where.get("month", [])
        keys = names.get(told, told) if isinstance(told, str) else sorted(names.get(name, name) for name in told)
        found.append(limit.model_copy(update={"where": {**limit.where, "month": keys}}) if told else limit)
    return found


def in_force(limits: list[Stated], day: date) -> list[Stated]:
    """Those that have not expired on `day`."""
    return [limit for limit in limits if limit.expires is None or limit.expires >= day]


def mask(cells: pd.DataFrame, where: Where, name: str) -> pd.Series:
    """Which cells a `where` names. A dimension or member the level does not have is an error, never an empty rule."""
    chosen = pd.Series(True, index=cells.index)
    for dimension, members in where.items():
        if dimension not in cells.columns:
            have = [column for column in DIMENSIONS if column in cells.columns]
            raise ParameterError(f"rule {name!r}: names {dimension!r}, but this level has {have}; move it to a later chapter.")
        wanted = [members] if isinstance(members, str) else list(members)
        unknown = sorted(set(wanted) - set(cells[dimension].unique()))
        if unknown:
            raise ParameterError(_no_member(name, dimension, unknown, sorted(map(str, cells[dimension].unique()))))
        chosen &= cells[dimension].isin(wanted)
    if not chosen.any():
        raise ParameterError(f"rule {name!r}: no cell has {where} together, expected at least one; widen or drop the rule.")
    return chosen


def _no_member(name: str, dimension: str, unknown: Sequence[str], there: Sequence[str]) -> str:
    """What is wrong with names in `where`: those that are no member, each with the nearest right one, and all there are."""
    folded = {member.casefold(): member for member in there}
    told = []
    for wrong in unknown:
        near = difflib.get_close_matches(wrong.casefold(), list(folded), n=1, cutoff=0.5)
        told.append(f"{wrong!r}" + (f" (nearest: {folded[near[0]]!r})" if near else ""))
    listed = ", ".join(there[:MOST_NAMES]) + (f" and {len(there) - MOST_NAMES} more" if len(there) > MOST_NAMES else "")
    return f"rule {name!r}: no {dimension} {', '.join(told)}, expected one of {listed}; correct the name."


def expanded(rules: Sequence[Rule], cells: pd.DataFrame) -> list[Rule]:
    """Rules with `each` written out, one per member; one that guards each cell stays as it is. Names must be unique."""
    written = []
    for rule in rules:
        if rule.each is None or rule.each == "cell":
            written.append(rule)
            continue
        if rule.each not in cells.columns:
            have = [column for column in DIMENSIONS if column in cells.columns]
            raise ParameterError(
                f"rule {rule.name!r}: each {rule.each}, but this level has {have}; move it to a later chapter."
            )
        within = cells[mask(cells, rule.where, rule.name)]
        for member in sorted(set(within[rule.each])):
            where: dict[Any, Any] = {**rule.where, rule.each: member}
            written.append(rule.model_copy(update={"name": f"{rule.name} {member}", "where": where, "each": None}))
    named_once(written)
    return written


def named_once(limits: Sequence[Rule | Lock]) -> None:
    """Raise ParameterError where two rules or locks have one name: the report could not tell them apart."""
    count = Counter(limit.name for limit in limits)
    twice = sorted(name for name, times in count.items() if times > 1)
    if twice:
        raise ParameterError(
            f"rules: the names {twice} occur twice, expected one rule or lock per name, those of `each` included; rename one."
        )
