"""The cells of one plan level before any rule: who could get what, in the drivers' proportions, on top of what is booked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.errors import ConflictError, ParameterError, PlanError, TieOutError, collected
from planlib.lp.rules import Lock, mask
from planlib.plan import AMOUNT, DIMENSIONS

# Another reference of the open amounts; see `cells_of`.
Fair = Callable[[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Cells:
    """One level's cells in key order; amounts in minor units.

    frame      key columns, `reference` (the drivers' split of what is open, on top of what is booked) and `floor` (booked)
    keys       the key columns
    parent     each cell's position among its parents
    total      each parent's amount
    size       what each cell's deviation is measured by: its open reference; what the drivers give it where the plan in force
               leaves it nothing
    movable    cells with a weight: without one a cell keeps its reference
    low, high  what each cell must and may get: booked and locked amounts; infinite where nothing holds it
    held       the locked amounts in whole units (int64), -1 where none is
    locks      name -> position of the locked cell
    """

    frame: pd.DataFrame
    keys: list[str]
    parent: np.ndarray
    total: np.ndarray
    size: np.ndarray
    movable: np.ndarray
    low: np.ndarray
    high: np.ndarray
    held: np.ndarray
    locks: dict[str, int]

    @property
    def reference(self) -> np.ndarray:
        return self.frame["reference"].to_numpy()

    @property
    def open(self) -> np.ndarray:
        """The part of the reference that may move."""
        return self.reference - self.frame["floor"].to_numpy()


def cells_of(
    plan: pd.DataFrame,
    into: Sequence[str],
    weights: pd.DataFrame,
    booked: pd.DataFrame | None,
    locks: Sequence[Lock],
    in_force: pd.DataFrame | None,
    steady: float,
    fair: Fair | None = None,
) -> Cells:
    """The drivers' split of what is open over the cells with a weight; see `split` for the tables.

    `fair` moves the reference before that: cells, what is booked, who is free, open, total and parent in, open reference out.

    `steady` of the reference follows the plan in force instead of the drivers, within each parent.
    """
    dims = tables.level(plan)
    keys = [*dims, *into]
    parents = tables.canonical(plan)
    floor = _booked(booked, keys, parents, dims)
    open_plan = parents.copy()
    if floor is not None:
        open_plan[AMOUNT] -= per_parent(parents, floor, dims)
    over = open_plan[open_plan[AMOUNT] < 0]
    if len(over):
        row = over.iloc[0]
        # A cell that returns took below 0 in its closed months may stay there; nothing may be planned below 0.
        if int(parents.loc[over.index[0], AMOUNT]) < 0:
            target = int(parents.loc[over.index[0], AMOUNT])
            raise PlanError(
                f"split into {' x '.join(into)}: {dict(row[dims]) or 'the company'} has a target of {target:,} minor units, "
                "expected 0 or more; a plan's target cannot be negative."
            )
        raise ConflictError(
            f"split into {' x '.join(into)}: {dict(row[dims]) or 'the company'} has {-row[AMOUNT]:,} minor units more booked "
            f"than its target (have {len(over)} such cells); raise the target."
        )
    cells = _weighted(parents, into, weights, floor)
    # Cells that are only booked (closed months) take no part, not even where all weights are 0 and the rest share equally.
    spread = tables.proportional(open_plan, cells.loc[cells["weighted"], [*keys, "weight"]], into)
    cells = cells.merge(spread.astype({AMOUNT: "Int64"}), how="left", on=keys).sort_values(keys).reset_index(drop=True)
    open_ = cells.pop(AMOUNT).fillna(0).to_numpy(dtype=np.int64)
    if dims:
        position = parents[dims].assign(_parent=np.arange(len(parents)))
        parent = cells[dims].merge(position, how="left", on=dims)["_parent"].to_numpy()
    else:
        parent = np.zeros(len(cells), dtype=np.int64)
    total, booked_cells = open_plan[AMOUNT].to_numpy(), cells["floor"].to_numpy()
    drivers = open_
    if fair is not None:
        free = (cells["weighted"] & (cells["weight"] > 0)).to_numpy()
        open_ = tables.apportion(total, parent, fair(cells, booked_cells, free, open_, total, parent), np.arange(len(cells)))
    if in_force is not None and steady > 0:
        known_by(in_force, keys, "the plan in force")
        open_ = _steadied(cells, keys, open_, total, parent, in_force, steady)

    held = np.full(len(cells), -1, dtype=np.int64)
    chosen = _locked(cells, locks, keys)
    for lock in locks:
        if lock.name in chosen:
            held[chosen[lock.name]] = round(lock.amount) - int(booked_cells[chosen[lock.name]])
    open_ = _without_weight(open_, cells, held, total, parent)
    movable = (cells["weighted"] & (cells["weight"] > 0)).to_numpy() | (open_ > 0) | (held >= 0)
    low = booked_cells.astype(float)
    high = np.where(movable, np.inf, low + open_)
    at = held >= 0
    low[at] = high[at] = (held + booked_cells)[at]
    cells["reference"] = open_ + booked_cells
    frame, size = cells[[*keys, "reference", "floor"]], np.where(open_ > 0, open_, drivers)
    whole = np.where(at, held + booked_cells, -1)
    return Cells(frame, keys, parent, parents[AMOUNT].to_numpy(), size, movable, low, high, whole, chosen)


def per_parent(parents: pd.DataFrame, children: pd.DataFrame, dims: list[str]) -> np.ndarray:
    """Sum of the children's amounts for each parent row, 0 where it has none."""
    if not dims:
        return np.array([children[AMOUNT].sum()], dtype=np.int64)
    sums = tables.rollup(children, dims)
    return tables.amounts_at(parents[dims], sums).to_numpy()


def known_by(table: pd.DataFrame, keys: Sequence[str], what: str) -> None:
    """Raise ParameterError unless the table has these columns."""
    lacking = [name for name in keys if name not in table.columns]
    if lacking:
        raise ParameterError(f"{what}: found columns {list(map(str, table.columns))}, expected {lacking} too; give it by them.")


def looked_up(cells: pd.DataFrame, table: pd.DataFrame, column: str, subject: str, absent: float | None = None) -> np.ndarray:
    """One number per cell out of a table by any of its dimensions; `subject` says in errors whose it is.

    A cell that the table does not have takes `absent`, where that is given; a number that is missing in the table is an error.
    """
    known_by(table, [column], subject)
    dims = [name for name in DIMENSIONS if name in table.columns and name in cells.columns]
    twice = table[table.duplicated(dims, keep=False)] if dims else table.iloc[1:]
    if len(twice):
        first = twice[[*dims, column]].head(2).to_dict("records")
        raise ParameterError(f"{subject}: {column!r} occurs twice by {dims}, first {first}, expected one row each; drop one.")
    found = cells[dims].merge(table[[*dims, column]], how="left", on=dims) if dims else table[[column]].iloc[[0] * len(cells)]
    values = found[column].to_numpy(dtype=float)
    if absent is not None and dims and np.isfinite(table[column].to_numpy(dtype=float)).all():
        values = np.where(np.isnan(values), absent, values)
    if not np.isfinite(values).all():
        gap = cells.loc[~np.isfinite(values), dims].head(2).to_dict("records")
        raise ParameterError(
            f"{subject}: {column!r} is missing or infinite for {gap}, expected a number for each cell; fill it."
        )
    return values


def is_leaf(lock: Lock, keys: Sequence[str]) -> bool:
    """Whether a lock holds a single cell of the level, not a total."""
    single = all(isinstance(member, str) or len(set(member)) == 1 for member in lock.where.values())
    return set(lock.where) == set(keys) and single


def _booked(booked: pd.DataFrame | None, keys: list[str], parents: pd.DataFrame, dims: list[str]) -> pd.DataFrame | None:
    """What is booked, summed by cell; money without a parent in the plan is an error, a row of nothing is none."""
    if booked is None or not len(booked):
        return None
    known_by(booked, [*keys, AMOUNT], "booked")
    floor = tables.rollup(booked, keys)
    if dims:
        known = floor.merge(parents[dims], how="left", on=dims, indicator=True)["_merge"].eq("both").to_numpy()
        strangers = floor[~known & (floor[AMOUNT] != 0).to_numpy()]
        if len(strangers):
            raise TieOutError(
                f"booked: {len(strangers)} cells have no parent, first {strangers[keys].head(2).to_dict('records')}, "
                "expected what is booked to lie in the level above; put it there."
            )
        floor = floor[known].reset_index(drop=True)
    return floor if len(floor) else None


def _weighted(parents: pd.DataFrame, into: Sequence[str], weights: pd.DataFrame, floor: pd.DataFrame | None) -> pd.DataFrame:
    """Every cell with a weight or a booked amount: keys, weight, weighted, floor (minor units)."""
    dims = tables.level(parents)
    keys = [*dims, *into]
    shared = [name for name in dims if name in weights.columns]
    known_by(weights, [*into, "weight"], "weights")
    tables.check_weights(weights["weight"].to_numpy(), weights[into[0]].to_numpy())
    cells = parents[dims].merge(weights[[*shared, *into, "weight"]], how="inner" if shared else "cross", on=shared or None)
    if not dims:
        cells = weights[[*into, "weight"]].copy()
    cells["weighted"] = True
    if floor is None:
        cells["floor"] = np.int64(0)
        return cells
    cells = cells.merge(floor.rename(columns={AMOUNT: "floor"}).astype({"floor": "Int64"}), how="outer", on=keys)
    cells["weighted"] = cells["weighted"].eq(True)
    cells["weight"] = cells["weight"].fillna(0.0)
    cells["floor"] = cells["floor"].fillna(0).astype("int64")
    return cells


def _locked(cells: pd.DataFrame, locks: Sequence[Lock], keys: list[str]) -> dict[str, int]:
    """Name and position of each lock on a single cell; a cell locked twice or below what it has booked is an error."""
    chosen: dict[str, int] = {}
    faults = []
    for lock in sorted((lock for lock in locks if is_leaf(lock, keys)), key=lambda lock: lock.name):
        place = int(np.flatnonzero(mask(cells, lock.where, lock.name))[0])
        if place in chosen.values():
            faults.append(f"lock {lock.name!r}: its cell {lock.where} is locked twice, expected once; drop one lock")
        booked = int(cells["floor"].iloc[place])
        if round(lock.amount) < booked:
            faults.append(
                f"lock {lock.name!r}: it holds {lock.amount:,.0f} minor units, but {booked:,} minor units are already booked; "
                "raise or drop it"
            )
        chosen[lock.name] = place
    if faults:
        raise ConflictError(collected("locks: they contradict each other or what is booked.", faults))
    return chosen


def _without_weight(
    open_: np.ndarray, cells: pd.DataFrame, held: np.ndarray, total: np.ndarray, parent: np.ndarray
) -> np.ndarray:
    """Where locks leave money to cells without any weight, those share it equally: a lock must not make a parent impossible."""
    at = held >= 0
    if not at.any():
        return open_
    count = len(total)
    rest = total - tables.sums_of(parent, np.where(at, held, 0), count)
    takers = (cells["weighted"] & ~at).to_numpy()
    power = np.bincount(parent, np.where(takers, np.maximum(open_, cells["weight"] > 0), 0), count)
    bare = (np.bincount(parent, at, count) > 0) & (power == 0) & (rest > 0) & (np.bincount(parent, takers, count) > 0)
    inside = bare[parent] & takers
    if not inside.any():
        return open_
    spread = np.where(bare[parent] & at, held, open_)
    where = np.flatnonzero(inside)
    spread[where] = tables.apportion(np.where(bare, rest, 0), parent[where], np.ones(len(where), dtype=np.int64), where)
    return spread


def _steadied(
    cells: pd.DataFrame,
    keys: list[str],
    open_: np.ndarray,
    total: np.ndarray,
    parent: np.ndarray,
    in_force: pd.DataFrame,
    part: float,
) -> np.ndarray:
    """The open reference pulled `part` of the way to the plan in force, within each parent that has one."""
    plan = tables.amounts_at(cells[keys], tables.rollup(in_force, keys)).to_numpy()
    now = np.where(cells["weighted"], np.maximum(plan - cells["floor"].to_numpy(), 0), 0)
    sums = np.bincount(parent, now, len(total))
    aimed = now * np.divide(total, sums, out=np.zeros(len(total)), where=sums > 0)[parent]
    mixed = np.where((sums > 0)[parent], (1 - part) * open_ + part * aimed, open_)
    return tables.apportion(total, parent, mixed, np.arange(len(cells)))
