"""Split one plan level into the next, as near to the drivers' proportions as the rules allow.

The reference is the proportional split of what is still open, on top of what is booked or locked. Each cell may leave it at a
convex, piecewise linear cost per unit of relative deviation. Cells of one parent that no rule tells apart move as one class
and share its amount in proportion, so the program has one row per parent and per rule, none per cell, and few columns.
Only parents that a broken rule can reach enter the program: elsewhere the reference costs nothing, which nothing can beat.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.errors import ConflictError, TieOutError, collected
from planlib.lp.limits import Limit, limits_of
from planlib.lp.program import Program, classes, rounded
from planlib.lp.rules import Lock, Rule, mask
from planlib.plan import AMOUNT


@dataclass(frozen=True)
class Split:
    """One plan level, allocated.

    plan         the allocated table, canonical, one dimension deeper than its parent
    reference    the driver-weighted proportional split it stayed as near to as it could
    rules        one row per rule and lock: rule, unit, min, max, found, slack, binds, hard, met, owner, reason
    certificate  how it was found: method, status, objective (sum of squared relative deviations, money-weighted), solved cells
    into         the new dimension
    """

    plan: pd.DataFrame
    reference: pd.DataFrame
    rules: pd.DataFrame
    certificate: dict[str, object]
    into: str

    def by(self, *dimensions: str) -> pd.DataFrame:
        """The plan rolled up to `dimensions` (default: the new one)."""
        return tables.rollup(self.plan, dimensions or (self.into,))

    def compare(self, last_year: pd.DataFrame, naive: pd.DataFrame, booked: pd.DataFrame | None = None) -> pd.DataFrame:
        """One row per member, largest first: member, allocated, naive, last_year, booked (minor units), growth (share)."""
        frames = {"allocated": self.plan, "naive": naive, "last_year": last_year}
        if booked is not None:
            frames["booked"] = booked
        columns = [tables.rollup(frame, [self.into]).set_index(self.into)[AMOUNT].rename(k) for k, frame in frames.items()]
        table = pd.concat(columns, axis=1).fillna(0).astype("int64").rename_axis("member").reset_index()
        table["growth"] = tables.ratio(table["allocated"] - table["last_year"], table["last_year"])
        return table.sort_values(["allocated", "member"], ascending=[False, True]).reset_index(drop=True)

    def share(self, members: Sequence[str]) -> float:
        """The share of the plan that these members of the new dimension carry."""
        total = int(self.plan[AMOUNT].sum())
        return float(self.plan.loc[self.plan[self.into].isin(members), AMOUNT].sum()) / total if total else 0.0

    def top(self, count: int) -> list[str]:
        """The largest members of the new dimension."""
        ranked = self.by().sort_values([AMOUNT, self.into], ascending=[False, True])
        return list(ranked[self.into].head(count))


def split(
    plan: pd.DataFrame,
    into: str,
    weights: pd.DataFrame,
    rules: Sequence[Rule] = (),
    locks: Sequence[Lock] = (),
    history: pd.DataFrame | None = None,
    booked: pd.DataFrame | None = None,
    measures: pd.DataFrame | None = None,
) -> Split:
    """Split each cell of `plan` over the members of `into`.

    Parameters
        plan      plan table (dimensions, amount in minor units)
        into      the new dimension
        weights   `into`, `weight` >= 0 and any of the plan's dimensions; zero weight gets nothing that is not booked
        rules     limits on the result; amounts in minor units
        locks     cells or totals that keep their amount (minor units)
        history   last year at the new level, for rules on growth
        booked    amounts already earned in closed months, at the new level: each cell keeps at least these
        measures  any dimensions and one float column per measure (units per unit of money), for rules on ratios
    Returns a Split whose plan ties out to the minor unit and keeps every hard rule.
    Raises ConflictError naming the rules that cannot hold together; ParameterError for a rule on an unknown member.
    """
    cells, parent = _reference(plan, into, weights, booked, locks)
    keys = [*tables.level(plan), into]
    leaves, totals = _sorted_locks(locks, keys)
    limits = limits_of(cells, tables.level(plan), rules, totals, history, measures)
    amounts = cells["reference"].to_numpy().copy()

    broken = [limit for limit in limits if not limit.holds(amounts)]
    certificate: dict[str, object] = {
        "method": "proportional",
        "status": "Optimal",
        "objective": 0.0,
        "solved cells": 0,
    }
    if broken:
        block = _reach(parent, limits, broken)
        amounts, certificate = _solve(cells, keys, parent, limits, block, f"split_into_{into}")

    cells[AMOUNT] = amounts
    result = tables.canonical(cells[[*keys, AMOUNT]])
    tables.check_tie_out(plan, result)
    _check_hard(limits, amounts)
    certificate["digest"] = tables.digest(result)
    return Split(
        plan=result,
        reference=tables.canonical(cells[[*keys, "reference"]].rename(columns={"reference": AMOUNT})),
        rules=_report(limits, leaves, amounts),
        certificate=certificate,
        into=into,
    )


def _reference(
    plan: pd.DataFrame, into: str, weights: pd.DataFrame, booked: pd.DataFrame | None, locks: Sequence[Lock]
) -> tuple[pd.DataFrame, np.ndarray]:
    """The proportional split of what is open over what is free; locked cells keep their amount, booked is a floor.

    Returns cells (keys, floor, reference, sorted by key) and each cell's parent position.
    """
    dims = tables.level(plan)
    keys = [*dims, into]
    parents = tables.canonical(plan)
    floor = tables.rollup(booked, keys) if booked is not None and len(booked) else None
    open_plan = parents.copy()
    if floor is not None:
        open_plan[AMOUNT] -= _per_parent(parents, floor, dims)
    cells = _weighted_cells(parents, into, weights, floor)

    leaves, _ = _sorted_locks(locks, keys)
    cells["locked"] = False
    cells["held"] = 0
    for lock in leaves:
        chosen = mask(cells, lock.where, lock.name)
        if cells.loc[chosen, "locked"].any():
            raise ConflictError(f"lock {lock.name!r}: its cell {lock.where} is locked twice, expected once; drop one lock.")
        cells.loc[chosen, "locked"] = True
        cells.loc[chosen, "held"] = round(lock.amount) - cells.loc[chosen, "floor"]
    if (cells["held"] < 0).any():
        row = cells[cells["held"] < 0].iloc[0]
        raise ConflictError(f"lock on {dict(row[keys])}: it is below the {row['floor']:,} already booked; raise or drop it.")
    open_plan[AMOUNT] -= _per_parent(parents, cells.rename(columns={"held": AMOUNT})[[*keys, AMOUNT]], dims)
    over = open_plan[open_plan[AMOUNT] < 0]
    if len(over):
        row = over.iloc[0]
        raise ConflictError(
            f"split into {into}: {dict(row[dims]) or 'the company'} has {-row[AMOUNT]:,} minor units more booked or locked "
            f"than its target (have {len(over)} such cells); raise the target, or drop a lock."
        )
    # Cells that are only booked (closed months) take no part, not even where all weights are 0 and the rest share equally.
    free = cells.loc[~cells["locked"] & cells["weighted"], [*keys, "weight"]]
    spread = tables.proportional(open_plan, free, into)
    cells = cells.merge(spread, how="left", on=keys)
    cells["reference"] = cells[AMOUNT].fillna(0).astype("int64") + cells["floor"] + cells["held"]
    cells.loc[cells["locked"], "floor"] = cells["reference"]
    cells = cells.sort_values(keys).reset_index(drop=True)
    if dims:
        position = parents[dims].assign(_parent=np.arange(len(parents)))
        parent = cells[dims].merge(position, how="left", on=dims)["_parent"].to_numpy()
    else:
        parent = np.zeros(len(cells), dtype=np.int64)
    return cells, parent


def _weighted_cells(parents: pd.DataFrame, into: str, weights: pd.DataFrame, floor: pd.DataFrame | None) -> pd.DataFrame:
    """Every cell with a weight or a booked amount: keys, weight, floor (minor units)."""
    dims = tables.level(parents)
    keys = [*dims, into]
    shared = [name for name in dims if name in weights.columns]
    cells = parents[dims].merge(weights[[*shared, into, "weight"]], how="inner" if shared else "cross", on=shared or None)
    if not dims:
        cells = weights[[into, "weight"]].copy()
    cells["weighted"] = True
    if floor is None:
        cells["floor"] = np.int64(0)
        return cells
    cells = cells.merge(floor.rename(columns={AMOUNT: "floor"}), how="outer", on=keys)
    cells["weighted"] = cells["weighted"].eq(True)
    cells["weight"] = cells["weight"].fillna(0.0)
    cells["floor"] = cells["floor"].fillna(0).astype("int64")
    return cells


def _per_parent(parents: pd.DataFrame, children: pd.DataFrame, dims: list[str]) -> np.ndarray:
    """Sum of the children's amounts for each parent row, 0 where it has none; a child without a parent is an error."""
    if not dims:
        return np.array([children[AMOUNT].sum()], dtype=np.int64)
    sums = tables.rollup(children, dims)
    merged = parents[dims].merge(sums, how="outer", on=dims, indicator=True)
    strangers = merged[(merged["_merge"] == "right_only") & (merged[AMOUNT] != 0)]
    if len(strangers):
        raise TieOutError(
            f"booked: {len(strangers)} cells have no parent in the plan, first {strangers[dims].head(2).to_dict('records')}; "
            "the level above must hold what is booked."
        )
    return parents[dims].merge(sums, how="left", on=dims)[AMOUNT].fillna(0).astype("int64").to_numpy()


def _sorted_locks(locks: Sequence[Lock], keys: list[str]) -> tuple[list[Lock], list[Lock]]:
    """Locks on single cells and locks on totals, each by name."""
    single = [
        lock
        for lock in locks
        if set(lock.where) == set(keys) and all(isinstance(member, str) for member in lock.where.values())
    ]
    rest = [lock for lock in locks if lock not in single]
    return sorted(single, key=lambda lock: lock.name), sorted(rest, key=lambda lock: lock.name)


def _reach(parent: np.ndarray, limits: list[Limit], broken: list[Limit]) -> np.ndarray:
    """The cells that can be asked to move: parents of broken limits' cells, and all that further limits tie to them."""
    reached = np.zeros(parent.max() + 1, dtype=bool)
    for limit in broken:
        reached[parent[limit.cells]] = True
    grown = True
    while grown:
        before = reached.sum()
        for limit in limits:
            if reached[parent[limit.cells]].any():
                reached[parent[limit.cells]] = True
        grown = reached.sum() > before
    return reached[parent]


def _solve(
    cells: pd.DataFrame,
    keys: list[str],
    parent: np.ndarray,
    limits: list[Limit],
    block: np.ndarray,
    name: str,
) -> tuple[np.ndarray, dict[str, object]]:
    """Solve the program over the cells of `block` and return all amounts as integers that tie out."""
    limits = [limit for limit in limits if block[limit.cells].any()]
    inside = np.flatnonzero(block)
    labels = classes(parent[inside], inside, limits, len(cells))
    names = np.array(["\x1f".join(key) for key in zip(*(cells[key].iloc[inside] for key in keys), strict=True)], dtype=object)
    first = pd.Series(names).groupby(labels).min()
    reference = cells["reference"].to_numpy()
    room = (reference - cells["floor"].to_numpy())[inside]
    weight = cells["weight"].to_numpy()[inside]
    open_class = np.bincount(labels, room, minlength=len(first)).astype(np.int64)
    reach = np.maximum(open_class, np.bincount(labels, weight, minlength=len(first)) > 0)
    class_parent = pd.Series(parent[inside]).groupby(labels).first().to_numpy()
    scale = 2.0 ** max(0, int(np.ceil(np.log2(max(1, open_class.max(initial=1))))) - 20)
    rows = [limit.on_classes(inside, labels, reference, len(cells)) for limit in limits]

    model = Program(open_class / scale, reach / scale, class_parent, [row.scaled(scale) for row in rows], list(first), name)
    if not model.solve():
        raise ConflictError(_conflict(limits, model.relaxed() * scale, name))
    deviation = rounded(model.deviation() * scale, class_parent, open_class, reach, rows)

    amounts = reference.copy()
    # Within a class every cell has the same place in every rule, so sharing its amount in proportion breaks none.
    amounts[inside] = cells["floor"].to_numpy()[inside] + tables.apportion(
        open_class + deviation, labels, np.where((open_class > 0)[labels], room, weight > 0), names
    )
    certificate: dict[str, object] = {
        "method": "linear program",
        "status": "Optimal",
        "objective": model.cost * scale,
        "solved cells": len(inside),
        "columns": model.columns,
        "rows": model.rows,
    }
    return amounts, certificate


def _conflict(limits: list[Limit], gaps: np.ndarray, name: str) -> str:
    """Which limits must give way, by how much, each as have / need / fix."""
    faults = []
    for limit, gap in zip(limits, gaps, strict=True):
        if abs(gap) < 0.5:
            continue
        side, need = ("floor", limit.low) if gap < 0 else ("cap", limit.high)
        assert need is not None
        change = "lower" if gap < 0 else "raise"
        faults.append(
            f"{limit.name}: needs a {side} of {limit.in_unit(need)}, can have {limit.in_unit(need + gap)}; "
            f"{change} it by {limit.in_unit(abs(gap), difference=True)}, or relax another of these rules"
        )
    names = sorted(limit.name for limit in limits if limit.hard)
    involved = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    if not faults:
        faults.append("no single amount gives way: one of them asks for more than its cells can hold; relax one and run again")
    return collected(f"{name}: the hard rules cannot all hold. Rules that meet here: {involved}. Cheapest way out:", faults)


def _check_hard(limits: list[Limit], amounts: np.ndarray) -> None:
    failed = [limit.name for limit in limits if limit.hard and not limit.holds(amounts)]
    if failed:
        raise TieOutError(f"split: after rounding the hard rules {failed} do not hold; report this with the parameters.")


def _report(limits: list[Limit], leaves: list[Lock], amounts: np.ndarray) -> pd.DataFrame:
    """One row per rule and lock with what was found; see Split.rules."""
    columns = ["rule", "unit", "min", "max", "found", "slack", "binds", "hard", "met", "owner", "reason"]
    rows = [limit.report(amounts) for limit in limits]
    for lock in leaves:
        found = float(round(lock.amount))
        fixed = {"rule": lock.name, "unit": "amount", "min": found, "max": found, "found": found, "slack": 0.0}
        rows.append({**fixed, "binds": True, "hard": True, "met": True, "owner": lock.owner, "reason": lock.reason})
    return pd.DataFrame(rows, columns=columns).sort_values(["rule", "min"]).reset_index(drop=True)
