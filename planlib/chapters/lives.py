"""What a chapter says of the members that open and close: where each stands in the plan (REG-1, PRD-1, PRD-3, CHN-1)."""

import calendar
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from planlib.chapters.members import counted, listed
from planlib.estimates.lives import Closing, Lives, Size, rows_of
from planlib.periods import Calendar, Horizon
from planlib.plan import AMOUNT

Show = Callable[..., str]


def told(lives: Lives, into: str, plan: pd.DataFrame, before: pd.DataFrame, open_: int, show: Show) -> list[str]:
    """A sentence for each opening and closing of the dimension `into`.

    Parameters
        plan    plan table with `into`, minor units
        before  what history alone leads to expect of the open months: dimensions, month, share (sums to 1)
        open_   what of the year's target is open, minor units
    """
    if into == "segment":
        names = sorted({size.opening.member for size in lives.openings if size.opening.dim == "region" and not size.own})
        has, whose = ("has", "its") if len(names) == 1 else ("have", "their")
        text = f"{listed(names)} {has} no customers yet: {whose} sales fall on the groups as the company's do."
        return [text] if names else []
    total = max(1, int(plan[AMOUNT].sum()))
    stated = [size for size in lives.openings if size.opening.dim == into]
    own = lives.horizon.calendar
    openings = [_opening(size, _of(plan, size.opening.where), total, own, show) for size in stated]
    share = before["share"] / float(before["share"].sum())
    closings = []
    for closing in lives.closings:
        if list(closing.where)[-1] == into:
            inside = (before["month"] > closing.last) & rows_of(before, closing.where)
            closings.append(
                _closing(closing, lives, _of(plan, closing.where), round(open_ * float(share[inside].sum())), total, show)
            )
    momentum = (
        "The year with no new action (chapter 01) goes on from what was sold: what opens is not in it, and what closes is in "
        "it as if it stayed."
    )
    return [*openings, *closings, *([momentum] if into == "region" else [])]


def _opening(size: Size, amount: int, total: int, own: Calendar, show: Show) -> str:
    opening = size.opening
    name = f"{opening.member} opens in {in_words(opening.first, own)}" if opening.first else f"{opening.member} is new"
    part = f"{show(amount)}, {amount / total:.1%} of the target"
    if size.ruled:
        like = f"looks like {opening.like}" if opening.like else "looks like the company as a whole"
        text = f"{name}: rules and locks alone say what it gets, {part}; below that it {like}"
    elif size.part is None:
        times = "like" if size.at == 1 else f"like {size.at:g} of"
        text = f"{name} {times} {opening.like}{_ramp(opening.ramp)}: {part}"
    else:
        asked = f"a stated {opening.share:.1%} of the year" if opening.share is not None else "a stated amount"
        text = f"{name} with {asked}, its months like those of {opening.like or 'the company'}{_ramp(opening.ramp)}: {part}"
    if size.own:
        months = counted(size.own, "month")
        text += f"; {months} of its own count {size.own} parts in {size.own + 1}, the statement the rest"
    return f"{text}{_why(opening)}."


def _closing(closing: Closing, lives: Lives, amount: int, leaves: int, total: int, show: Show) -> str:
    until = f"sells until {in_words(closing.last, lives.horizon.calendar)}"
    if closing.last > lives.horizon.months[-1]:
        return f"{closing.name} {until}, after the plan year: this plan has it in full{_why(closing)}."
    if closing.last <= lives.horizon.until:
        until = f"has sold until {in_words(closing.last, lives.horizon.calendar)}"
    rest = f"the others carry what it leaves from then on, {show(leaves)}" if leaves else "it leaves nothing to the others"
    return f"{closing.name} {until}: {show(amount)}, {amount / total:.1%} of the target; {rest}{_why(closing)}."


def held(closings: Sequence[Closing], last_year: pd.DataFrame, horizon: Horizon, show: Show) -> list[str]:
    """What momentum still holds of members that close within the plan year, as sentences.

    `last_year`: region, product, channel, month, amount (minor units).
    """
    told = []
    for closing in closings:
        gone = [then for then, month in zip(horizon.last_year, horizon.months, strict=True) if month > closing.last]
        rows = last_year[rows_of(last_year, closing.where)]
        brought = int(rows.loc[rows["month"].isin(gone), AMOUNT].sum())
        if brought > 0:
            span = "The whole of it" if len(gone) == len(horizon.months) else "Its months after that"
            told.append(
                f"{closing.name} sells until {in_words(closing.last, horizon.calendar)}. {span} brought {show(brought)} last "
                "year, which momentum still counts: the gap is larger by about as much."
            )
    return told


def _why(stated: Any) -> str:
    """Who asked for it and why, in brackets."""
    said = ": ".join(filter(None, [stated.owner, stated.reason]))
    return f" ({said})" if said else ""


def _ramp(months: int) -> str:
    return f", over {months} months" if months > 1 else ""


def in_words(month: str | None, own: Calendar) -> str:
    """A month as a sentence writes it: April 2026; one of the company's own periods by its key, which is named later."""
    if month is not None and own.own:
        return month
    return "" if month is None else f"{calendar.month_name[int(month[5:7])]} {month[:4]}"


def _of(plan: pd.DataFrame, where: dict[str, str]) -> int:
    return int(plan.loc[rows_of(plan, where), AMOUNT].sum())
