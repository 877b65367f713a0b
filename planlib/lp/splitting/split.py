"""Split one plan level into the next: as near to the drivers as the rules allow, to the minor unit, with every rule's price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.errors import ParameterError
from planlib.lp.rules import Aim, Lock, Rule, expanded, named_once
from planlib.lp.splitting.cells import Cells, cells_of, is_leaf, looked_up
from planlib.lp.splitting.eased import miss_changes
from planlib.lp.splitting.explain import compared, rules_table
from planlib.lp.splitting.ground import Ground
from planlib.lp.splitting.level import Level
from planlib.lp.splitting.limits import guardrails_of, in_whole_units, limits_of
from planlib.lp.splitting.shortfall import Sales, equal_chance
from planlib.plan import AMOUNT


@dataclass(frozen=True)
class Split:
    """One plan level, allocated.

    plan         the allocated table, canonical, one dimension deeper than its parent
    reference    the driver-weighted proportional split it stayed as near to as it could
    rules        one row per rule and lock: rule, unit, min, max, found, slack, binds, price (what easing it by one natural
                 unit, `per`, gains, never negative: minor units of distance, or of profit when that alone is the aim), low and
                 high (between which limits it follows the same law), unique, given_up and cost (soft rules missed), hard, met,
                 owner, reason; with `misses` also miss_change (what the expected miss changes by when the rule is eased by
                 `per`, minor units a year, negative: it falls) and total_chance (0-1, the same before and after: it asks only
                 for the sum, which no rule of a split changes)
    certificate  how it was found and proven: method, aim, solver, status, objective and bound (minor units), gap (relative),
                 largest miss of a limit or total before rounding (minor units), largest relative deviation that prices leave
                 unexplained, what rounding added, cells, classes, columns, rows, steps, digest
    measures     this plan beside the proportional split and last year's, see `explain.compared`
    into         the new dimension, or several joined by " x "
    weights      the weights it was given
    stated       the rules and locks it was given
    """

    plan: pd.DataFrame
    reference: pd.DataFrame
    rules: pd.DataFrame
    certificate: dict[str, object]
    measures: pd.DataFrame
    into: str
    weights: pd.DataFrame
    stated: tuple[Rule | Lock, ...]

    @property
    def prices(self) -> pd.DataFrame:
        """The rules that bind or were given up, dearest first."""
        shown = self.rules[self.rules["binds"].astype(bool) | (self.rules["given_up"] > 0)]
        return shown.sort_values(["price", "rule"], ascending=[False, True]).reset_index(drop=True)

    def by(self, *dimensions: str) -> pd.DataFrame:
        """The plan rolled up to `dimensions` (default: the new one)."""
        return tables.rollup(self.plan, dimensions or self.into.split(" x "))

    def compare(self, last_year: pd.DataFrame, naive: pd.DataFrame, booked: pd.DataFrame | None = None) -> pd.DataFrame:
        """One row per member, largest first: member, allocated, naive, last_year, booked (minor units), growth (share)."""
        frames = {"allocated": self.plan, "naive": naive, "last_year": last_year}
        if booked is not None:
            frames["booked"] = booked
        columns = [self._members(frame).rename(name).astype("Int64") for name, frame in frames.items()]
        table = pd.concat(columns, axis=1).fillna(0).astype("int64").rename_axis("member").reset_index()
        table["growth"] = tables.ratio(table["allocated"] - table["last_year"], table["last_year"])
        return table.sort_values(["allocated", "member"], ascending=[False, True]).reset_index(drop=True)

    def share(self, members: Sequence[str]) -> float:
        """The share of the plan that these members of the new dimension carry."""
        mine = self._members(self.plan)
        unknown = sorted(set(members) - set(mine.index))
        if unknown:
            raise ParameterError(
                f"share: no {self.into} {unknown}, expected some of {list(mine.index[:6])} ...; correct the name."
            )
        return float(mine[mine.index.isin(members)].sum()) / float(mine.sum()) if mine.sum() else 0.0

    def top(self, count: int) -> list[str]:
        """The largest members of the new dimension."""
        ranked = self._members(self.plan).rename_axis("member").reset_index()
        return list(ranked.sort_values([AMOUNT, "member"], ascending=[False, True])["member"].head(count))

    def _members(self, frame: pd.DataFrame) -> pd.Series:
        """Amounts by member of the new dimension; of several, by their members joined as the dimensions are."""
        dims = self.into.split(" x ")
        sums = tables.rollup(frame, dims)
        names = sums[dims[0]] if len(dims) == 1 else sums[dims].agg(" x ".join, axis=1)
        return pd.Series(sums[AMOUNT].to_numpy(), index=pd.Index(names), name=AMOUNT)


def split(
    plan: pd.DataFrame,
    into: str | Sequence[str],
    weights: pd.DataFrame,
    rules: Sequence[Rule] = (),
    locks: Sequence[Lock] = (),
    history: pd.DataFrame | None = None,
    booked: pd.DataFrame | None = None,
    measures: pd.DataFrame | None = None,
    aim: Aim | None = None,
    margins: pd.DataFrame | None = None,
    in_force: pd.DataFrame | None = None,
    beside: Mapping[str, pd.DataFrame] | None = None,
    misses: pd.DataFrame | None = None,
    common: float = 0.0,
) -> Split:
    """Split each cell of `plan` over the members of `into`.

    Parameters
        plan      plan table (dimensions, amount in minor units)
        into      the new dimension; or several at once, for a joint program over them
        weights   `into`, `weight` >= 0 and any of the plan's dimensions; zero weight gets nothing that is not booked
        rules     limits on the result; amounts in minor units
        locks     cells or totals that keep their amount (minor units)
        history   last year at the new level, for rules on growth
        booked    amounts already earned in closed months, at the new level: each cell keeps at least these
        measures  any dimensions and one float column per measure (units per unit of money), for rules on ratios
        aim       nearest to the drivers (default), most profit, or a blend; steadiness towards the plan in force
        margins   any dimensions and `margin` (profit per unit of money), for an aim at profit
        in_force  the plan in force at the new level, for a steady aim
        beside    other plans of the same level by name, to be measured by the same yardstick
        misses    any dimensions, `mean` (expected sales of the cell in the year) and `deviation` (standard deviation), minor
                  units: rules are then priced as expected miss too, and an aim at equal chances can be set
        common    relative error of the whole company that all cells of `misses` share, a share
    Returns a Split whose plan ties out to the minor unit and keeps every hard rule. Distance is the sum over cells of
    (amount - reference)^2 / open reference; its optimum is unique, so neither row order nor names can change the plan.
    Raises ConflictError naming the rules that cannot hold together and the cheapest repair; ParameterError for a rule on an
    unknown member or an aim without its table.
    """
    aim = aim or Aim()
    dims, new = tables.level(plan), (into,) if isinstance(into, str) else tuple(into)
    if aim.steady > 0 and in_force is None:
        raise ParameterError("aim: steady needs the plan in force, but none was given; pass in_force or set steady to 0.")
    named_once([*rules, *locks])
    if aim.equal_chance > 0 and misses is None:
        raise ParameterError(
            "aim: equal_chance needs each cell's mean and deviation, but none were given; pass misses or set equal_chance to 0."
        )
    cells = _cells(plan, new, weights, booked, locks, in_force, aim, misses, common)
    named_once([*expanded(rules, cells.frame), *locks])
    margin = _margin(cells, margins, aim)
    totals = [lock for lock in locks if not is_leaf(lock, cells.keys)]
    ground = Ground.of(cells.frame, dims, history, measures)
    limits, guardrails = limits_of(ground, rules, totals), in_whole_units(guardrails_of(ground, rules), cells)
    level = Level(f"split_into_{'_'.join(new)}", cells, limits, guardrails, margin, aim, rules, locks)

    amounts = level.solve()
    result = cells.frame[cells.keys].assign(amount=amounts)
    level.check(amounts)
    reference = cells.reference
    candidates = {"this plan": amounts, "proportional": reference}
    if history is not None and set(cells.keys) <= set(history.columns) and int(history[AMOUNT].clip(lower=0).sum()) > 0:
        last = tables.rollup(history, cells.keys).rename(columns={AMOUNT: "weight"})
        last = (
            tables.proportional(plan, last.assign(weight=last["weight"].clip(lower=0)), new)
            if new[1:]
            else tables.by_last_year(plan, history, new[0])
        )
        candidates["last year's shares"] = _at(cells, last)
    candidates |= {name: _at(cells, other) for name, other in (beside or {}).items()}
    sales = None if misses is None else Sales.of(cells.frame, misses, common)
    by_name = {lock.name: (lock, cells.locks[lock.name]) for lock in locks if lock.name in cells.locks}
    priced = rules_table(limits, level.prices, amounts, by_name, guardrails, level.bounds)
    if sales is not None:

        def again(eased: Sequence[Rule], moved: Sequence[Lock]) -> Level:
            # Only a lock changes the cells.
            mine = cells if moved is locks else _cells(plan, new, weights, booked, moved, in_force, aim, misses, common)
            under = ground if moved is locks else Ground.of(mine.frame, dims, history, measures)
            rows = limits_of(under, eased, [lock for lock in moved if not is_leaf(lock, mine.keys)])
            bounds = in_whole_units(guardrails_of(under, eased), mine)
            other = Level(level.name, mine, rows, bounds, margin, aim, eased, moved)
            other.solve()
            return other

        priced["miss_change"] = miss_changes(priced, level, expanded(rules, cells.frame), locks, sales, again)
        priced["total_chance"] = sales.chance_of_total(float(amounts.sum()))
    return Split(
        plan=result,
        reference=cells.frame[cells.keys].assign(amount=reference),
        rules=priced,
        certificate={**level.certificate, "digest": tables.digest(result)},
        measures=compared(candidates, reference, cells.size, limits, guardrails, margin, list(cells.locks.values()), sales),
        into=" x ".join(new),
        weights=weights,
        stated=(*rules, *locks),
    )


def _at(cells: Cells, other: pd.DataFrame) -> np.ndarray:
    """Another plan's amounts in the order of the cells; what it has elsewhere is not this level's."""
    return tables.amounts_at(cells.frame[cells.keys], tables.rollup(other, cells.keys)).to_numpy()


def _cells(
    plan: pd.DataFrame,
    new: Sequence[str],
    weights: pd.DataFrame,
    booked: pd.DataFrame | None,
    locks: Sequence[Lock],
    in_force: pd.DataFrame | None,
    aim: Aim,
    misses: pd.DataFrame | None,
    common: float,
) -> Cells:
    """The level's cells, their reference pulled to equal chances as far as the aim asks."""

    def fair(
        cells: pd.DataFrame, least: np.ndarray, free: np.ndarray, open_: np.ndarray, total: np.ndarray, parent: np.ndarray
    ) -> np.ndarray:
        sales = Sales.of(cells, pd.DataFrame() if misses is None else misses, common)
        equal = equal_chance(sales, least, free, open_, total, parent)
        return (1 - aim.equal_chance) * open_ + aim.equal_chance * equal

    return cells_of(plan, new, weights, booked, locks, in_force, aim.steady, fair if aim.equal_chance > 0 else None)


def _margin(cells: Cells, margins: pd.DataFrame | None, aim: Aim) -> np.ndarray | None:
    """Profit per unit of money of each cell."""
    if margins is None:
        if aim.profit > 0:
            raise ParameterError("aim: profit needs margins by cell, but none were given; pass margins or set profit to 0.")
        return None
    return looked_up(cells.frame, margins, "margin", "aim")
