"""One level of a plan while it is solved: classes of cells, the linear program, the exact spread, whole minor units, prices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planlib import plan as tables
from planlib.errors import ConflictError, PlanError
from planlib.lp import solver
from planlib.lp.rules import Aim, Lock, Rule, whole_money
from planlib.lp.splitting.cells import Cells
from planlib.lp.splitting.classes import Classes
from planlib.lp.splitting.conflicts import conflict
from planlib.lp.splitting.elastic import Terms
from planlib.lp.splitting.even import Answer, even
from planlib.lp.splitting.explain import Bounds, Prices
from planlib.lp.splitting.limits import Guardrail, Limit
from planlib.lp.splitting.profit import held, profit_prices
from planlib.lp.splitting.program import Linear, Program, solve
from planlib.lp.splitting.ranges import own_prices, ranges
from planlib.lp.splitting.rounding import rounded
from planlib.lp.splitting.settling import settled, too_large, whole_bounds

# How far from proven an answer may be and still be called the optimum, relative to its cost.
PROVEN = 1e-6
MOST_PROFIT = "most profit, then nearest to the drivers"
# Rounds in which guardrails that the last answer broke get classes of their own; then all of them do.
PATIENCE = 6


@dataclass(frozen=True)
class Optimum:
    """One exact answer: its classes of cells, their program with an earlier aim held, and each cell's amount."""

    classes: Classes
    near: Program
    found: Linear
    answer: Answer
    exact: np.ndarray


class Level:
    """The cells, limits and aim of one split; `solve` leaves prices, the cells' pull and the certificate.

    prices       of the limits, see `explain.Prices`
    bounds       what holds single cells, see `explain.Bounds`
    certificate  see `Split.certificate`
    exact        each cell's amount before whole minor units
    """

    def __init__(
        self,
        name: str,
        cells: Cells,
        limits: list[Limit],
        guardrails: list[Guardrail],
        margin: np.ndarray | None,
        aim: Aim,
        rules: Sequence[Rule],
        locks: Sequence[Lock],
    ) -> None:
        self.name, self.cells, self.limits, self.guardrails, self.margin, self.aim = (
            name,
            cells,
            limits,
            guardrails,
            margin,
            aim,
        )
        self.rules, self.locks = rules, locks
        self.prices = Prices.none(len(limits))
        self.certificate: dict[str, object] = {"method": "proportional", **self._certified(None, None, None, np.zeros(0))}
        # Every cell's own bounds, guardrails included; a cell that they hold is a class of its own.
        self.low, self.high = cells.low.copy(), cells.high.copy()
        for guardrail in guardrails:
            self.low[guardrail.cells] = np.maximum(self.low[guardrail.cells], guardrail.low)
            self.high[guardrail.cells] = np.minimum(self.high[guardrail.cells], guardrail.high)
        self.bounds = Bounds.of(self.low, self.high, cells.low, cells.high, guardrails)
        self.single = np.zeros(len(cells.parent), dtype=bool)
        self.single[list(cells.locks.values())] = True
        self.exact = cells.reference.astype(float)

    def solve(self) -> np.ndarray:
        """Whole amounts: the reference where nothing disturbs it, else the optimum of the cells that can be asked to move."""
        reference = self.cells.reference
        broken = [limit for limit in self.limits if not limit.holds(reference)]
        off = self.outside(reference)
        if not broken and not off.any() and not self.aim.profit:
            return reference.copy()
        block = np.full(len(reference), True) if self.aim.profit else _reach(self.cells.parent, self.limits, broken, off)
        if (self.low > self.high).any():
            raise self.conflict(np.flatnonzero(block))
        self.single |= off
        if self.aim.profit == 1:  # the linear program's own ranges must see every bound
            self.single |= self._guarded()
        # Most guardrails hold by themselves: only those that an answer breaks enter the next one.
        for attempt in range(5 * PATIENCE):
            optimum = self._optimum(np.flatnonzero(block))
            off = self.outside(np.rint(optimum.exact)) & ~self.single
            if not off.any():
                amounts, self.exact = self._whole(optimum), optimum.exact
                off = self.outside(amounts) & ~self.single
                if not off.any():
                    return self._settled(amounts, optimum)
            self.single |= off if attempt < PATIENCE else self._guarded()
        raise PlanError(f"{self.name}: guardrails on single cells did not come to rest, expected them to; report this.")

    def _guarded(self) -> np.ndarray:
        """Which cells have bounds that cells without a rule of their own do not have."""
        return (self.high < np.where(self.cells.movable, np.inf, 0.0)) | (self.low > self.cells.low)

    def outside(self, amounts: np.ndarray) -> np.ndarray:
        """Which cells break a lock, a guardrail or what they have booked."""
        return (amounts < self.low) | (amounts > self.high)

    def _outside_exactly(self, amounts: np.ndarray) -> np.ndarray:
        least, most = whole_bounds(self.cells, self.low, self.high)
        return (amounts < least) | (amounts > most)

    def check(self, amounts: np.ndarray) -> None:
        """Refuse an answer that breaks a hard limit, and say so when the solver did no more than return its start."""
        failed = [limit.name for limit in self.limits if limit.hard and not limit.holds(amounts)]
        off = self.outside(amounts) if not too_large(self.cells.total) else self._outside_exactly(amounts)
        failed += ["the bounds of single cells"] * bool(off.any())
        left = self.cells.total.copy()
        np.subtract.at(left, self.cells.parent, amounts)
        failed += ["the parents' totals"] * bool(left.any())
        if failed:
            start = " The result equals the split it started from." if np.array_equal(amounts, self.cells.reference) else ""
            raise PlanError(
                f"{self.name}: the result breaks the hard rules {failed}, expected none; nothing was used.{start} Report this."
            )

    def conflict(self, inside: np.ndarray) -> ConflictError:
        """The error that says which rules clash; see `conflicts.conflict`."""
        cells, limits = self.cells, self._every_limit()
        guarded = np.zeros(len(cells.parent), dtype=bool)
        for guardrail in self.guardrails:
            guarded[guardrail.cells] = True
        floor = cells.frame["floor"].to_numpy(dtype=float)
        # A cell without a weight stays where it is by itself; where a rule leaves it nothing, it is the rule that is told.
        ruled = np.zeros(len(cells.parent), dtype=bool)
        for limit in limits:
            if limit.unit == "amount" and limit.high is not None and limit.high <= floor[limit.cells].sum():
                ruled[limit.cells] = True
        free = (floor, np.where(cells.movable | ruled, np.inf, cells.reference.astype(float)))
        nothing = np.zeros(len(guarded))
        classes = Classes.of(cells, limits, inside, np.zeros(len(guarded), dtype=bool), free, nothing)
        if guarded.any():
            coarse, single = (classes.program, classes.labels), Classes.of(cells, limits, inside, guarded, free, nothing)
            fine = single.program, single.labels
        else:
            program, place = classes.program.gathered()
            coarse = fine = program, place[classes.labels]
        least, most = ((side - cells.reference)[inside] for side in free)
        keys = cells.frame[cells.keys]
        terms = Terms(limits, self.guardrails, keys, free[0], cells.reference, cells.size, inside, coarse, fine, least, most)
        return conflict(terms, self.name, self.rules)

    def _optimum(self, inside: np.ndarray) -> Optimum:
        """The linear program of today's classes, then the exact spread."""
        only_profit = self.aim.profit == 1
        gain = np.zeros(len(self.cells.parent))
        if self.margin is not None:
            gain = self.margin * (1.0 if only_profit else self.aim.profit / (1 - self.aim.profit))
        classes = Classes.of(self.cells, self.limits, inside, self.single, (self.low, self.high), gain)
        program = classes.program
        found = solve(program, self.name, spread=False) if only_profit else solve(program.gathered()[0], self.name)
        if found is None:
            raise self.conflict(inside)
        near = held(program, found) if only_profit else program
        answer = even(near, np.zeros(len(found.price)) if only_profit else found.price)
        if answer.gap > PROVEN or answer.missed > max(0.5, 1e-9 * float(program.size.sum())):
            raise PlanError(
                f"{self.name}: the optimum is proven to {answer.gap:.1e} of its cost, limits missed by {answer.missed:.3g}, "
                f"expected {PROVEN:.0e} and less than a minor unit; nothing was used. Check for limits of very different size."
            )
        exact = self.cells.reference.astype(float)
        exact[inside] += answer.x[classes.labels] * classes.part
        return Optimum(classes, near, found, answer, exact)

    def _whole(self, optimum: Optimum) -> np.ndarray:
        """Whole amounts of an optimum, with its prices and its certificate."""
        classes, answer = optimum.classes, optimum.answer
        inside, labels, program = classes.inside, classes.labels, classes.program
        reference, open_ = self.cells.reference, self.cells.open
        large = too_large(self.cells.total)
        open_class = tables.sums_of(labels, open_[inside], len(program.size))
        # Beyond 2^53 whole units are settled by cell; no class gives more than it has.
        deviation = np.maximum(np.rint(answer.x).astype(np.int64), -open_class) if large else rounded(program, answer.x)
        size = self.cells.size[inside]
        share = np.where(np.bincount(labels, size)[labels] > 0, size, 1)
        amounts = reference.copy()
        # Within a class every cell has the same place in every rule, so sharing its amount in proportion breaks none.
        amounts[inside] = (reference - open_)[inside] + tables.apportion(open_class + deviation, labels, share, inside)

        if self.aim.profit == 1:
            pull = optimum.found.pull(len(program.size))
            alone, sure = own_prices(program, answer.x, optimum.found.price)
            self.prices = profit_prices(optimum.found, self.limits, alone)
        else:
            pull = answer.pull - np.where(classes.given > 0, 2 * answer.x / program.size, 0.0)
            sure = own_prices(program, answer.x, answer.price)[1]
            room = classes.room(optimum.exact, self.low, self.high)
            self.prices = Prices(answer.price, **ranges(program, answer, *room, classes.quotients()))
        self.bounds.pull[inside], self.bounds.sure[inside] = pull[labels], sure[labels]
        facts = self._certified(classes, answer, optimum.found, deviation)
        self.certificate = {"method": "linear program", **facts}
        return amounts

    def _settled(self, amounts: np.ndarray, optimum: Optimum) -> np.ndarray:
        """The same where floats tell every unit; else with the last units settled in integers."""
        if not too_large(self.cells.total):
            return amounts
        bounds = whole_bounds(self.cells, self.low, self.high)
        return settled(amounts, self.cells, *bounds, self.limits, optimum.classes.inside)

    def _every_limit(self) -> list[Limit]:
        """Every hard limit and lock as a row: in a conflict any of them may have to give way."""
        rows = [limit for limit in self.limits if limit.hard]
        for lock in self.locks:
            if lock.name in self.cells.locks:
                amount, place = whole_money(lock.amount), self.cells.locks[lock.name]
                rows.append(Limit(lock.name, np.array([place]), np.ones(1), amount, amount, lock, 1.0))
        return rows

    def _certified(
        self, classes: Classes | None, answer: Answer | None, found: Linear | None, deviation: np.ndarray
    ) -> dict[str, object]:
        aims = {0.0: "nearest to the drivers", 1.0: MOST_PROFIT}
        aim = aims.get(self.aim.profit, f"{self.aim.profit:.0%} profit, {1 - self.aim.profit:.0%} nearness to the drivers")
        if self.aim.equal_chance:
            aim += f"; the drivers' split drawn {self.aim.equal_chance:.0%} toward equal chances of reaching each target"
        if self.aim.steady:
            aim += f"; {self.aim.steady:.0%} of near means near to the plan in force"
        facts = {
            "aim": aim,
            "near": self.aim.near,
            "gains": self.aim.gains,
            "solver": f"{solver.NAME} {solver.VERSION}",
            "status": "Optimal",
        }
        if classes is None or answer is None or found is None:
            nothing = ("objective", "bound", "gap", "largest miss", "unexplained deviation", "added by rounding")
            return {**facts, **dict.fromkeys(nothing, 0.0), "solved cells": 0}
        program, given = classes.program, float(classes.given.sum())
        return {
            **facts,
            "objective": answer.cost - given,
            "bound": float(answer.bound) - given,
            "gap": max(0.0, answer.gap),
            "largest miss": answer.missed,
            "unexplained deviation": answer.slope,
            "added by rounding": float((deviation**2 / program.size).sum() - (answer.x**2 / program.size).sum()),
            "solved cells": len(classes.inside),
            "classes": len(program.size),
            "columns": found.columns,
            "rows": found.rows,
            "steps": answer.steps,
        }


def _reach(parent: np.ndarray, limits: list[Limit], broken: list[Limit], off: np.ndarray) -> np.ndarray:
    """The cells that can be asked to move: parents of broken limits' cells, and all that further limits tie to them."""
    reached = np.zeros(parent.max(initial=-1) + 1, dtype=bool)
    reached[parent[off]] = True
    for limit in broken:
        reached[parent[limit.cells]] = True
    tied = [np.unique(parent[limit.cells]) for limit in limits]
    grown = True
    while grown:
        before = reached.sum()
        for parents in tied:
            if reached[parents].any():
                reached[parents] = True
        grown = reached.sum() > before
    return reached[parent]
