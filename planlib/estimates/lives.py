"""Members that open without history and members that leave: what is expected of every cell, within its members' lives.

A life is a statement of the company: from which month a region, product or channel sells, and up to which. An opening is told
like another member (`like`, `at`), as a share or as money of the year; its cells are copies of the like member's, so that
every level below follows. A closing leaves nothing after its last month. What the others have to give, or to carry, they
share in proportion: the year's total stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from planlib import periods
from planlib.errors import ParameterError
from planlib.periods import Horizon
from planlib.plan import DIMENSIONS

PLACES = ("region", "product", "channel")
ALWAYS, NEVER = "", "9999-99"  # of a span's two ends
ROUNDS, NEAR = 500, 1e-15
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2]|P(0[1-9]|1[0-3]))$")]
Name = Annotated[str, Field(min_length=1)]


class _Stated(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)

    region: Name | None = None
    product: Name | None = None
    channel: Name | None = None
    owner: str = ""
    reason: str = ""

    @property
    def where(self) -> dict[str, str]:
        """The members it names, by dimension."""
        return {dim: name for dim in PLACES if (name := getattr(self, dim)) is not None}

    @property
    def name(self) -> str:
        return " in ".join(reversed(self.where.values())) if len(self.where) > 1 else next(iter(self.where.values()))


class Opening(_Stated):
    """A member that sells from a month on, without a history to be planned from.

    like          the member whose cells it copies; by default the mean of all that sell
    at            times the like member's sales, month by month; 1 by default
    share, amount instead: its part of the year (0-1), or money of the year, closed months included, as the like member's fall
    from          its first month, the first of the plan year by default
    ramp          months over which it reaches its full size: (1, 2, ... ramp) / ramp of it
    Neither: a rule or a lock of the chapter says how much it gets.
    """

    like: Name | None = None
    at: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] | None = None
    share: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] | None = None
    amount: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    first: Month | None = Field(default=None, alias="from")
    ramp: Annotated[int, Field(ge=1, le=36)] = 1

    @model_validator(mode="after")
    def _is_one_member(self) -> Self:
        if len(self.where) != 1:
            raise ValueError(f"expected one of region, product and channel, found {self.where or 'none'}; name one member")
        sizes = [name for name in ("at", "share", "amount") if getattr(self, name) is not None]
        if len(sizes) > 1:
            raise ValueError(f"expected one of at, share and amount, found {sizes}; keep one")
        if self.at is not None and self.like is None:
            raise ValueError("found `at` without `like`: it is so many times the sales of a member; name that member")
        return self

    @property
    def dim(self) -> str:
        return next(iter(self.where))

    @property
    def member(self) -> str:
        return self.name


class Closing(_Stated):
    """A member, or a cell of several dimensions, that sells nothing after a month."""

    last: Month

    @model_validator(mode="after")
    def _names_a_member(self) -> Self:
        if not self.where:
            raise ValueError("expected a region, a product or a channel, found none; name the member that closes")
        return self


@dataclass(frozen=True)
class Size:
    """How large an opening is, once data and rules are known: `at` times its like member, or a `part` (0-1) of what is open.

    opening  what was stated
    within   other dimensions in which it is planned alone: a rule may name the product in one region
    at       times the like member's sales; 1 where its part is stated
    part     of all that is open of the year's target; None where `at` says it
    own      months in which it has sold already: the outlook believes them by own / (own + 1), the rest is the statement
    ruled    that a rule or lock alone says how much
    """

    opening: Opening
    at: float = 1.0
    part: float | None = None
    own: int = 0
    within: tuple[tuple[str, str], ...] = ()
    ruled: bool = False

    @property
    def left(self) -> float:
        """The part of the statement that own months have not taken the place of."""
        return 1.0 / (self.own + 1)


@dataclass(frozen=True)
class Lives:
    """The openings and closings of a plan year."""

    horizon: Horizon
    openings: tuple[Size, ...] = ()
    closings: tuple[Closing, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.openings or self.closings)

    def opens(self, dim: str) -> list[str]:
        """The members of a dimension that open, sorted."""
        return sorted({size.opening.member for size in self.openings if size.opening.dim == dim})

    def ends(self, dim: str) -> dict[str, str]:
        """The last month of each member of a dimension that closes everywhere."""
        found: dict[str, str] = {}
        for closing in self.closings:
            if list(closing.where) == [dim]:
                name = closing.where[dim]
                found[name] = min(closing.last, found.get(name, NEVER))
        return found

    def spans(self, cells: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """The first and the last month of each row's life, by the dimensions it has; see ALWAYS and NEVER."""
        first, last = np.full(len(cells), ALWAYS, dtype=object), np.full(len(cells), NEVER, dtype=object)
        for size in self.openings:
            opening = size.opening
            at = rows_of(cells, opening.where)
            first[at] = np.maximum(first[at], opening.first or ALWAYS)
        for closing in self.closings:
            at = rows_of(cells, closing.where)
            last[at] = np.minimum(last[at], closing.last)
        return first, last

    def inside(self, cells: pd.DataFrame) -> np.ndarray:
        """Which rows lie in their life: their month, or without one any open month of the year."""
        first, last = self.spans(cells)
        if "month" in cells:
            month = cells["month"].to_numpy(dtype=object)
            return (first <= month) & (month <= last)
        ahead = self.horizon.open
        if not ahead:
            return np.ones(len(cells), dtype=bool)
        return np.maximum(first, ahead[0]) <= np.minimum(last, ahead[-1])


def lived(table: pd.DataFrame, lives: Lives) -> pd.DataFrame:
    """An outlook's table (see `Outlook`) with the cells of openings in it and nothing outside a life; shares sum to 1.

    Raises ParameterError for an opening like a member of which nothing is expected, or closings that leave nothing at all.
    """
    return closed(opened(table, lives), lives) if lives else table


def opened(table: pd.DataFrame, lives: Lives) -> pd.DataFrame:
    """The table with the cells of each opening beside what its own months lead to expect; `table`: dimensions, month, share.

    Openings told by `at` take that of their like member's share, whether it closes or not; those told by a part of the year
    get it of the whole, the others making room in proportion. What opens in one dimension sells in what opens in another.
    """
    if not lives.openings:
        return table
    frame = table.assign(told=False)
    for dim in PLACES:
        sizes = [size for size in lives.openings if size.opening.dim == dim]
        parts = sum(size.part * size.left for size in sizes if size.part is not None)
        if parts >= 1:
            names = [size.opening.member for size in sizes if size.part is not None]
            raise ParameterError(
                f"openings: {names} are to have {parts:.0%} of what is open of the year, expected less than all; state less."
            )
        frame = pd.concat([frame, *(_copied(frame, size, lives) for size in sizes)], ignore_index=True)
    frame = frame.assign(share=_sized(frame, lives))
    keys = [name for name in table.columns if name != "share"]
    found = frame.groupby(keys, sort=True, as_index=False)["share"].sum()
    return found.assign(share=found["share"] / float(found["share"].sum()))[list(table.columns)]


def _sized(frame: pd.DataFrame, lives: Lives) -> np.ndarray:
    """Shares in which each opening whose part is stated has it; two of them that meet in a cell are raked until both have.

    `frame`: an outlook's table with copies in it, told (bool): a row that a statement made.
    """
    share = frame["share"].to_numpy() / float(frame["share"].sum())
    parts = [
        (size.part * size.left, rows_of(frame, size.opening.where) & frame["told"].to_numpy())
        for size in lives.openings
        if size.part is not None
    ]
    for _ in range(ROUNDS):
        off = 0.0
        for part, mine in parts:
            had = float(share[mine].sum())
            if had > 0:
                share = np.where(mine, share * part / had, share * (1 - part) / (1 - had))
                off = max(off, abs(part - had))
        if off < NEAR:
            break
    return share


def closed(table: pd.DataFrame, lives: Lives) -> pd.DataFrame:
    """The table with nothing outside a life; what closings leave goes to the cells that do not close, in proportion.

    Month by month: before a member closes, nobody has to carry it yet. An opening whose part of the year is stated keeps to it.
    Where every cell closes, those that have months left take it.
    """
    share = table["share"].where(lives.inside(table), 0.0)
    if not share.sum() > 0:
        names = sorted(closing.name for closing in lives.closings)
        raise ParameterError(f"closings: nothing is left to plan after {names} close, expected a member that sells; drop one.")
    stays = np.ones(len(table), dtype=bool)
    for closing in lives.closings:
        if closing.last < lives.horizon.months[-1]:
            stays &= ~rows_of(table, closing.where)
    for size in lives.openings:
        if size.part is not None:  # it has what is stated, and carries nothing for others
            stays &= ~rows_of(table, size.opening.where)
    carry = share.where(stays, 0.0)
    lost, others = (each.groupby(table["month"]).transform("sum") for each in (table["share"] - share, carry))
    taken = np.divide(carry * lost, others, out=np.zeros(len(table)), where=(others > 0).to_numpy())
    left = float((table["share"] - share).sum()) - float(taken.sum())  # of months in which nobody stays
    found = share + taken
    if left > 0 and carry.sum() > 0:
        found += left * carry / float(carry.sum())
    return table.assign(share=found / float(found.sum()))


def _copied(table: pd.DataFrame, size: Size, lives: Lives) -> pd.DataFrame:
    """The cells of an opening as its like member's, in its own months, with its ramp; without a part, at its size.

    `table`: dimensions, month, share, told (bool).
    """
    opening = size.opening
    dim, first = opening.dim, opening.first or lives.horizon.months[0]
    base = table[rows_of(table, dict(size.within))]
    base = base[base[dim] == opening.like] if opening.like else base[~base[dim].isin(lives.opens(dim)) | ~base["told"]]
    base = base[base[dim] != opening.member]
    among = max(1, base.loc[base["share"] > 0, dim].nunique())
    keys = [name for name in table.columns if name not in ("share", "told", dim)]
    cells = base.groupby(keys, sort=True, as_index=False)["share"].sum()
    months = np.array([periods.between(first, month) for month in cells["month"]], dtype=int)
    ramp = np.clip((months + 1) / opening.ramp, 0.0, 1.0)
    cells = cells.assign(**{dim: opening.member}, told=True)[list(table.columns)]
    full = 1.0 if size.part is not None else size.at * size.left
    cells["share"] = (cells["share"] / among * ramp * full).where(lives.inside(cells), 0.0)
    if not cells["share"].sum() > 0:
        of = f"of {opening.like!r} " if opening.like else ""
        there = sorted(table.loc[table["share"] > 0, dim].unique())
        raise ParameterError(
            f"openings: {dim} {opening.member!r}: nothing is expected {of}from {first} on, expected a member that sells then, "
            f"one of {there[:6]}; name another in `like`, or an earlier month in `from`."
        )
    return cells


def rows_of(cells: pd.DataFrame, where: Mapping[str, str]) -> np.ndarray:
    """Which rows a statement speaks of; none where the table lacks one of its dimensions."""
    found = np.full(len(cells), set(where) <= set(cells.columns))
    for dim, name in where.items():
        found &= (cells[dim] == name).to_numpy(dtype=bool) if dim in cells else False
    return found


def outside(plan: pd.DataFrame, lives: Lives, booked: pd.DataFrame | None = None) -> pd.DataFrame:
    """What a plan has outside its cells' lives, for its gate: the plan's dimensions, outside (minor units, booked ones not)."""
    keys = [name for name in DIMENSIONS if name in plan.columns]
    came = np.zeros(len(plan), dtype=np.int64)
    if booked is not None and set(keys) <= set(booked.columns) and len(booked):
        sums = booked.groupby(keys, sort=True)["amount"].sum().rename("came").reset_index()
        came = plan[keys].merge(sums, how="left", on=keys)["came"].fillna(0).astype("int64").to_numpy()
    over = plan["amount"].to_numpy() - came
    return plan[keys].assign(outside=np.where(lives.inside(plan), 0, over).astype("int64"))
