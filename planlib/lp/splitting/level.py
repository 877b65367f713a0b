"""One level of a plan while it is solved: classes of cells, the linear program, the exact spread, whole minor units, prices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from planlib import plan as tables
from planlib.errors import ConflictError, PlanError
from planlib.lp import solver
from planlib.lp.rules import Aim, Lock, Rule
from planlib.lp.splitting.cells import Cells
from planlib.lp.splitting.conflicts import Terms, conflict
from planlib.lp.splitting.even import Answer, even, ranges
from planlib.lp.splitting.explain import Prices
from planlib.lp.splitting.limits import Guardrail, Limit
from planlib.lp.splitting.profit import held, profit_prices
from planlib.lp.splitting.program import Linear, Program, solve, unit
from planlib.lp.splitting.rounding import rounded

# How far from proven an answer may be and still be called the optimum, relative to its cost.
PROVEN = 1e-6
MOST_PROFIT = "most profit, then nearest to the drivers"
# Rounds in which guardrails that the last answer broke get classes of their own; then all of them do.
PATIENCE = 6


@dataclass(frozen=True)
class Optimum:
    """One exact answer: the cells it is about, each one's class, the program (`near`: with an earlier aim held) and amounts."""

    inside: np.ndarray
    labels: np.ndarray
    program: Program
    near: Program
    found: Linear
    answer: Answer
    exact: np.ndarray


class Level:
    """The cells, limits and aim of one split; `solve` leaves prices, the cells' pull and the certificate.

    prices       of the limits, see `explain.Prices`
    pull         what one unit of money more in each cell would add to the cost: the price of what holds the cell
    certificate  see `Split.certificate`
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
        self.pull = np.zeros(len(cells.parent))
        self.certificate: dict[str, object] = {"method": "proportional", **self._certified(None, None, None, np.zeros(0), 0)}
        # Every cell's own bounds, guardrails included; a cell that they hold is a class of its own.
        self.low, self.high = cells.low.copy(), cells.high.copy()
        for guardrail in guardrails:
            self.low[guardrail.cells] = np.maximum(self.low[guardrail.cells], guardrail.low)
            self.high[guardrail.cells] = np.minimum(self.high[guardrail.cells], guardrail.high)
        self.single = np.zeros(len(cells.parent), dtype=bool)
        self.single[list(cells.locks.values())] = True

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
        # Most guardrails hold by themselves: only those that an answer breaks enter the next one.
        for attempt in range(5 * PATIENCE):
            optimum = self._optimum(np.flatnonzero(block))
            off = self.outside(np.rint(optimum.exact)) & ~self.single
            if not off.any():
                amounts = self._whole(optimum)
                off = self.outside(amounts) & ~self.single
                if not off.any():
                    return amounts
            self.single |= off if attempt < PATIENCE else np.isfinite(self.high) | (self.low > self.cells.low)
        raise PlanError(f"{self.name}: guardrails on single cells did not come to rest, expected them to; report this.")

    def outside(self, amounts: np.ndarray) -> np.ndarray:
        """Which cells break a lock, a guardrail or what they have booked."""
        return (amounts < self.low) | (amounts > self.high)

    def check(self, amounts: np.ndarray) -> None:
        """Refuse an answer that breaks a hard limit, and say so when the solver did no more than return its start."""
        failed = [limit.name for limit in self.limits if limit.hard and not limit.holds(amounts)]
        failed += ["the bounds of single cells"] * bool(self.outside(amounts).any())
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
        rows = self._every_limit()
        program, labels = self._program(inside, rows, np.zeros(len(inside), dtype=bool))
        gathered, place = program.gathered()
        reference, open_, mine = self.cells.reference, self.cells.open[inside], place[labels]
        size, crowd = np.bincount(mine, open_, len(gathered.size)), np.bincount(mine, minlength=len(gathered.size))

        def amounts(x: np.ndarray) -> np.ndarray:
            result = reference.astype(float)
            result[inside] += x[mine] * np.where(size[mine] > 0, open_ / np.maximum(size[mine], 1.0), 1.0 / crowd[mine])
            return result

        return conflict(Terms(gathered, rows, amounts, unit(gathered)), self.name, self.rules, self.locks)

    def _optimum(self, inside: np.ndarray) -> Optimum:
        """The linear program of today's classes, then the exact spread."""
        program, labels = self._program(inside, self.limits, self.single[inside])
        only_profit = self.aim.profit == 1
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
        open_ = self.cells.open[inside]
        whole = np.bincount(labels, open_, len(program.size))
        part = np.where(whole[labels] > 0, open_ / np.maximum(whole[labels], 1.0), 1.0 / np.bincount(labels)[labels])
        exact[inside] += answer.x[labels] * part
        return Optimum(inside, labels, program, near, found, answer, exact)

    def _whole(self, optimum: Optimum) -> np.ndarray:
        """Whole amounts of an optimum, with its prices and its certificate."""
        inside, labels, program, answer = optimum.inside, optimum.labels, optimum.program, optimum.answer
        reference, open_ = self.cells.reference, self.cells.open
        deviation = rounded(optimum.near, answer.x)
        open_class = np.bincount(labels, open_[inside], len(program.size)).astype(np.int64)
        share = np.where((open_class > 0)[labels], open_[inside], 1)
        amounts = reference.copy()
        # Within a class every cell has the same place in every rule, so sharing its amount in proportion breaks none.
        amounts[inside] = (reference - open_)[inside] + tables.apportion(open_class + deviation, labels, share, inside)

        if self.aim.profit == 1:
            pull, self.prices = optimum.found.pull(len(program.size)), profit_prices(optimum.found, len(self.limits))
        else:
            pull, self.prices = answer.pull, Prices(answer.price, **ranges(program, answer))
        self.pull[inside] = pull[labels]
        facts = self._certified(program, answer, optimum.found, deviation, len(inside))
        self.certificate = {"method": "linear program", **facts}
        return amounts

    def _program(self, inside: np.ndarray, limits: list[Limit], single: np.ndarray) -> tuple[Program, np.ndarray]:
        """Classes of cells: those of one parent that no limit, margin or bound of their own tells apart; and each cell's class.

        Only `single` cells keep their bounds; the others may give all that is open, or take any amount if they have a weight.
        """
        reference, open_ = self.cells.reference, self.cells.open
        generic = np.random.default_rng(0)
        mark = np.zeros(len(reference))  # equal sums of generic words mean equal coefficients in every limit
        for limit in limits:
            np.add.at(mark, limit.cells, limit.coefficients * generic.uniform(1, 2))
        gain = np.zeros(len(reference))
        if self.margin is not None:
            gain = self.margin * (self.aim.profit / (1 - self.aim.profit) if self.aim.profit < 1 else 1.0)
        moves = self.cells.movable
        own = np.where(single, inside + 1, 0)
        keys = [self.cells.parent[inside], mark[inside], gain[inside], moves[inside], own]
        labels = pd.MultiIndex.from_arrays(keys).factorize()[0]
        first = np.unique(labels, return_index=True)[1]
        count, at = len(first), inside[first]
        size = np.bincount(labels, open_[inside], count)
        alone = single[first]
        low = np.where(alone, self.low[at] - reference[at], np.where(moves[at], -size, 0.0))
        high = np.where(alone, self.high[at] - reference[at], np.where(moves[at], np.inf, 0.0))

        label_of = np.full(len(reference), -1)
        label_of[inside] = labels
        rows, columns, values = [], [], []
        for number, limit in enumerate(limits):
            here = label_of[limit.cells]
            classes, where = np.unique(here[here >= 0], return_index=True)
            rows.append(np.full(len(classes), number))
            columns.append(classes)
            values.append(limit.coefficients[here >= 0][where])
        entries = [np.concatenate([np.zeros(0, dtype=np.int64), *part]) for part in (rows, columns)]
        now = np.array([limit.value(reference) for limit in limits])
        program = Program(
            parent=pd.factorize(self.cells.parent[at])[0],
            size=np.maximum(size, 1.0),
            low=low,
            high=high,
            gain=gain[at],
            rows=sparse.csr_matrix((np.concatenate([np.zeros(0), *values]), entries), shape=(len(limits), count)),
            floor=np.array([-np.inf if limit.low is None else limit.low for limit in limits]) - now,
            cap=np.array([np.inf if limit.high is None else limit.high for limit in limits]) - now,
            penalty=np.array([limit.penalty for limit in limits]),
            kinds=[limit.kind for limit in limits],
        )
        return program, labels

    def _every_limit(self) -> list[Limit]:
        """Every limit, lock and guardrail as a row: in a conflict any of them may have to give way."""
        rows = list(self.limits)
        for lock in self.locks:
            if lock.name in self.cells.locks:
                amount, place = float(round(lock.amount)), self.cells.locks[lock.name]
                rows.append(Limit(lock.name, np.array([place]), np.ones(1), amount, amount, lock, 1.0))
        for guardrail in self.guardrails:
            rows += guardrail.as_limits()
        return rows

    def _certified(
        self, program: Program | None, answer: Answer | None, found: Linear | None, deviation: np.ndarray, solved: int
    ) -> dict[str, object]:
        aims = {0.0: "nearest to the drivers", 1.0: MOST_PROFIT}
        aim = aims.get(self.aim.profit, f"{self.aim.profit:.0%} profit, {1 - self.aim.profit:.0%} nearness to the drivers")
        if self.aim.steady:
            aim += f"; {self.aim.steady:.0%} of near means near to the plan in force"
        facts = {
            "aim": aim,
            "near": self.aim.near,
            "gains": self.aim.gains,
            "solver": f"{solver.NAME} {solver.VERSION}",
            "status": "Optimal",
        }
        if program is None or answer is None or found is None:
            nothing = ("objective", "bound", "gap", "largest miss", "unexplained deviation", "added by rounding")
            return {**facts, **dict.fromkeys(nothing, 0.0), "solved cells": solved}
        return {
            **facts,
            "objective": answer.cost,
            "bound": float(answer.bound),
            "gap": max(0.0, answer.gap),
            "largest miss": answer.missed,
            "unexplained deviation": answer.slope,
            "added by rounding": float((deviation**2 / program.size).sum() - (answer.x**2 / program.size).sum()),
            "solved cells": solved,
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
