"""The lives of a run: what its params file says of openings and closings, made whole by the orders, the rules and the locks."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pandas as pd

from planlib.chapters.members import refuse, slip
from planlib.errors import ParameterError
from planlib.estimates.lives import NEVER, PLACES, Closing, Lives, Opening, Size, rows_of
from planlib.lp import Lock, Rule
from planlib.lp.rules import in_force, in_minor_units
from planlib.periods import Horizon
from planlib.plan import AMOUNT

Statement = Rule | Lock
FIRM = 1000.0  # what bending a life counts for in a cheapest repair: what asks for money outside it gives way first


def lives(
    settings: Mapping[str, Any],
    sections: Mapping[str, Mapping[str, Any]],
    horizon: Horizon,
    sold: Callable[[str], pd.DataFrame],
    listed: Callable[[str], Mapping[str, str]],
    target: Callable[[], int],
    exponent: int,
) -> Lives:
    """The openings and closings of a run.

    Parameters
        settings   of run.json: `openings` and `closings` as the params file states them
        sections   the chapters' parameters: exits of `product` are closings; a rule or lock with money for a name that nobody
                   sells yet opens it, unless it is a slip of a known one
        sold       by dimension: member, month, amount (minor units) up to as_of
        listed     by dimension: the members that its own table lists, with the month of their launch, "" where it is not told
        target     the year's target, minor units
    Raises ParameterError for an opening of a member that sells already, like one that does not, or of which nobody says how
    much it gets; and for a closing of nobody.
    """
    stated = [Opening.model_validate(each) for each in settings.get("openings", [])]
    exits, closings = sections.get("product", {}).get("exits", {}), stated_closings(settings, sections)
    asked = {dim: list(_asked(sections, horizon, exponent, dim)) for dim in PLACES}
    if not stated and not closings and not any(asked.values()):
        return Lives(horizon)
    told = {dim: sold(dim) for dim in PLACES}
    there = {dim: set(told[dim][dim]) for dim in PLACES}
    starts = {dim: listed(dim) for dim in PLACES}
    for dim in PLACES:
        known = there[dim] | {opening.member for opening in stated if opening.dim == dim}
        for names, _, _, _ in asked[dim]:
            if names & known or any(name not in starts[dim] and slip(name, known) for name in names):
                continue  # it gives a known member more, or is a slip that the split refuses with the nearest name
            stated += [Opening.model_validate({dim: name}) for name in sorted(names)]
            known |= names
    for closing in closings:
        for dim, name in closing.where.items():
            known = there[dim] | {opening.member for opening in stated if opening.dim == dim}
            refuse("exits" if name in exits else "closings", [name], known, f"{dim} of the orders or of openings")
        _over(closing, told, horizon, exponent)
    stated = [
        one
        if one.first or starts[one.dim].get(one.member, "") <= horizon.until
        else one.model_copy(update={"first": starts[one.dim][one.member]})
        for one in stated
    ]
    if not stated:
        return Lives(horizon, (), tuple(closings))
    came = {dim: told[dim][told[dim]["month"].isin(horizon.closed)] for dim in PLACES}
    open_ = max(1, target() - int(came["region"][AMOUNT].sum()))
    sizes = [_sized(opening, told, came, asked[opening.dim], horizon, exponent, target(), open_) for opening in stated]
    return Lives(horizon, tuple(sizes), tuple(closings))


def stated_closings(settings: Mapping[str, Any], sections: Mapping[str, Mapping[str, Any]]) -> list[Closing]:
    """The closings of a params file, and the exits of its products."""
    exits = sections.get("product", {}).get("exits", {})
    closings = [Closing.model_validate(each) for each in settings.get("closings", [])]
    return closings + [Closing(product=name, last=last) for name, last in sorted(exits.items())]


def _over(closing: Closing, told: Mapping[str, pd.DataFrame], horizon: Horizon, exponent: int) -> None:
    """Raise ParameterError where a member that closed before the plan year goes on selling in the orders.

    What comes late in the closed months of the plan year is booked, and stays so.
    """
    if len(closing.where) != 1:
        return
    dim, name = next(iter(closing.where.items()))
    late = told[dim][(told[dim][dim] == name) & (told[dim]["month"] > closing.last) & (told[dim][AMOUNT] > 0)]
    late = late[late["month"] < horizon.months[0]]
    if len(late):
        amount = Decimal(int(late[AMOUNT].sum())).scaleb(-exponent)
        raise ParameterError(
            f"closings: {dim} {name!r}: found {amount:,} sold from {late['month'].min()} to {late['month'].max()}, expected "
            f"nothing after its last month {closing.last}; correct the month, or the orders."
        )


def _asked(
    sections: Mapping[str, Mapping[str, Any]], horizon: Horizon, exponent: int, dim: str
) -> Iterator[tuple[set[str], dict[str, str], Statement, float]]:
    """Every rule and lock of the chapter of a dimension that gives its members money: their names, the other dimensions it is
    within, the statement, and the money (minor units) or share of the year."""
    section = sections.get(dim, {})
    rules = [Rule.model_validate_json(json.dumps(each)) for each in section.get("rules", [])]
    locks = [Lock.model_validate_json(json.dumps(each)) for each in section.get("locks", [])]
    standing: list[Statement] = [*in_minor_units(in_force(rules, horizon.as_of), exponent)]
    standing += in_minor_units(in_force(locks, horizon.as_of), exponent)
    for one in standing:
        amount = one.amount if isinstance(one, Lock) else one.min if one.unit in ("amount", "share") and not one.of else None
        where = {name: {members} if isinstance(members, str) else set(members) for name, members in one.where.items()}
        others = {name: members for name, members in where.items() if name != dim}
        if dim in where and (amount or 0) > 0 and all(len(members) == 1 for members in others.values()):
            yield where[dim], {name: next(iter(members)) for name, members in others.items()}, one, float(amount or 0)


def _sized(
    opening: Opening,
    told: Mapping[str, pd.DataFrame],
    came: Mapping[str, pd.DataFrame],
    asked: Sequence[tuple[set[str], dict[str, str], Statement, float]],
    horizon: Horizon,
    exponent: int,
    target: int,
    open_: int,
) -> Size:
    """An opening with its size; `came`: the plan year's closed months; `open_`: what of the target is open, minor units."""
    dim, name = opening.dim, opening.member
    own = told[dim][(told[dim][dim] == name) & (told[dim][AMOUNT] > 0)]
    recent = own["month"].isin(horizon.last_twelve).any()
    before = sorted(set(own.loc[own["month"] < horizon.months[0], "month"]))
    if recent and len(before) >= len(horizon.months):
        raise ParameterError(
            f"openings: {dim} {name!r} has sold since {before[0]}, expected a member that has no year of history yet; drop the "
            "opening, and state a rule where it is to get more."
        )
    if opening.like is not None:
        refuse("openings", [opening.like], set(told[dim][dim]), f"{dim} of the orders")
    sold = int(came[dim].loc[came[dim][dim] == name, AMOUNT].sum())
    count = int(own["month"].nunique()) if recent else 0  # who has not sold for a year opens again
    if opening.at is not None or (opening.like and opening.share is None and opening.amount is None):
        return Size(opening, opening.at or 1.0, own=count)
    amount = opening.share * target if opening.share is not None else (opening.amount or 0) * 10**exponent
    size = Size(opening, own=count)
    if not amount:
        mine = [each for each in asked if name in each[0]]
        if not mine:
            raise ParameterError(
                f"openings: {dim} {name!r}: found no size, expected `like`, `share` or `amount`, or a rule or lock of chapter "
                f"{dim} that gives it money; add one."
            )
        amounts = [
            value * (target if isinstance(one, Rule) and one.unit == "share" else 1) / len(names)
            for names, _, one, value in mine
        ]
        amount, place = max((value, -place) for place, value in enumerate(amounts))
        size = replace(size, within=tuple(sorted(mine[-place][1].items())), ruled=True)
    return replace(size, part=max(0.0, amount - sold) / open_)


def caps(found: Lives, dims: Sequence[str], booked: pd.DataFrame | None) -> list[Rule]:
    """The lives as rules of a level (dimensions `dims`) that leave nothing outside: so a lock or a floor conflicts by name."""
    rules = []
    ahead = found.horizon.open
    stated: list[Opening | Closing] = [*(size.opening for size in found.openings), *found.closings]
    for one in stated:
        first, last = (one.first or "", NEVER) if isinstance(one, Opening) else ("", one.last)
        shut = [month for month in ahead if not first <= month <= last]
        if not shut or not set(one.where) <= set(dims) or ("month" not in dims and len(shut) < len(ahead)):
            continue
        where: dict[Any, Any] = {**one.where, **({"month": shut} if "month" in dims else {})}
        came = 0
        if booked is not None and "month" not in dims:
            came = max(0, int(booked.loc[rows_of(booked, one.where), AMOUNT].sum()))
        says = f"{one.name} opens in {first}" if isinstance(one, Opening) else f"{one.name} closes after {last}"
        rules.append(
            Rule(name=says, where=where, unit="amount", max=float(came), owner=one.owner, reason=one.reason, penalty=FIRM)
        )
    return rules
