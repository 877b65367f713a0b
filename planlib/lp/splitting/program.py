"""The program of a split, over classes of cells: its linear form in PuLP, which finds what binds and what cannot hold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pulp
from scipy import sparse

from planlib.errors import PlanError
from planlib.lp import solver

# A deviation of up to a tenth of a class's own size, then up to the whole of it, then beyond: relative widths, and the slope of
# the convex cost d^2 at each segment's middle. Coarse on purpose: the linear form only has to find which limits bind.
BREAKS = (0.0, 0.1, 1.0)
SLOPES = (0.1, 1.1, 3.0)
# What a row can be: the kind of limit and the side it holds. Each has a small model of its name in the tests.
KINDS = (
    "parent_total",
    *(f"{unit}_{side}" for unit in ("share", "amount", "growth", "soft") for side in ("floor", "cap", "at")),
    *(f"{unit}_{side}" for unit in ("inner_share", "ratio") for side in ("floor", "cap")),
    "lock_at",
)
SEGMENTS = tuple(zip(BREAKS, (*BREAKS[1:], np.inf), SLOPES, strict=True))


@dataclass(frozen=True)
class Program:
    """Minimise sum(x^2 / size) - sum(gain x) + sum(penalty missed), where each parent keeps its total.

    x        how far each class moves from the reference, minor units, low <= x <= high, summing to 0 within each parent
    size     open reference of each class (minor units, at least 1): the relative deviation is x / size
    gain     what one unit of money moved here brings (profit in units of the cost), 0 without such an aim
    rows     limits x classes; floor <= rows @ x <= cap; penalty per unit missed, infinite where the limit is hard
    kinds    name of each row's kind, for the model's text
    room     by how much whole minor units may miss each row
    """

    parent: np.ndarray
    size: np.ndarray
    low: np.ndarray
    high: np.ndarray
    gain: np.ndarray
    rows: sparse.csr_matrix
    floor: np.ndarray
    cap: np.ndarray
    penalty: np.ndarray
    kinds: Sequence[str]
    room: np.ndarray

    @property
    def movable(self) -> np.ndarray:
        return self.high > self.low

    def cost(self, x: np.ndarray) -> float:
        """The convex cost of a deviation, what soft limits lack included."""
        body = self.rows @ x
        missed = np.maximum(self.floor - body, 0) + np.maximum(body - self.cap, 0)
        soft = np.isfinite(self.penalty)
        return float((x * x / self.size).sum() - self.gain @ x + self.penalty[soft] @ missed[soft])

    def gathered(self) -> tuple["Program", np.ndarray]:
        """The same program with parents that no limit tells apart made one, and each class's place in it.

        Limits see only sums, so such parents can share what they give and take: what is feasible stays so, and the cost can
        only fall (Jensen). Classes with bounds of their own keep their parent to themselves.
        """
        own = (np.isfinite(self.high) | (self.low > 0)) & (self.movable | (self.low != 0))
        # Generic words stand for a column of coefficients and for a set of kinds: equal sums mean equal sets.
        generic = np.random.default_rng(0)
        column = self.rows.T @ generic.uniform(1, 2, self.rows.shape[0])
        kind = pd.MultiIndex.from_arrays([column, self.movable, self.gain]).factorize()[0]
        kind = np.where(own, kind.max(initial=0) + 1 + np.arange(len(kind)), kind)
        word = generic.integers(0, 2**63, kind.max(initial=0) + 1, dtype=np.uint64)
        total = np.zeros(self.parent.max(initial=-1) + 1, dtype=np.uint64)
        np.add.at(total, self.parent, word[kind])
        family = pd.factorize(total)[0][self.parent]
        place = pd.factorize(family * (kind.max(initial=0) + 1) + kind)[0]
        where = np.unique(place, return_index=True)[1]
        count = len(where)
        high = np.bincount(place, np.where(np.isfinite(self.high), self.high, 0.0), count)
        return replace(
            self,
            parent=family[where],
            size=np.bincount(place, self.size, count),
            low=np.bincount(place, self.low, count),
            high=np.where(np.isfinite(self.high[where]), high, np.inf),
            gain=self.gain[where],
            rows=self.rows[:, where],
        ), place


@dataclass(frozen=True)
class Linear:
    """A linear form solved.

    problem   the model, with values, slacks and duals; its money is divided by `scale`
    moves     its columns that move classes: class, direction, column
    price     what one unit more on each row's right side adds to the cost
    """

    problem: pulp.LpProblem
    moves: list[tuple[int, float, pulp.LpVariable]]
    price: np.ndarray
    scale: float
    columns: int
    rows: int

    @classmethod
    def of(cls, problem: pulp.LpProblem, scale: float, limits: int) -> "Linear":
        """Read a solved model back."""
        columns, rows = problem.variables(), problem.constraints()
        named = ((column.name.split("_"), column) for column in columns)
        sign = {"up": 1.0, "down": -1.0, "move": 1.0}
        moves = [(int(name[1]), sign[name[0]], column) for name, column in named if name[0] in sign]
        price = np.zeros(limits)
        for row in rows:
            if not row.name.startswith("parent_total_"):
                price[int(row.name.rsplit("_", 1)[1])] += row.pi
        return cls(problem, moves, price, scale, len(columns), len(rows))

    def deviation(self, count: int) -> np.ndarray:
        """How far each class moves, minor units."""
        x = np.zeros(count)
        for position, sign, column in self.moves:
            x[position] += sign * column.varValue * self.scale
        return x

    def pull(self, count: int) -> np.ndarray:
        """What one unit of money more in each class would add to the cost; of a program stated without `spread`."""
        found = np.zeros(count)
        for position, sign, column in self.moves:
            found[position] = sign * column.dj
        return found


def stated(program: Program, name: str, scale: float = 1.0, spread: bool = True) -> pulp.LpProblem:
    """The linear form: variables, limits, objective.

    Without `spread`, deviating costs nothing: each class is one column that moves either way, and only gains count.
    Money is divided by `scale`.
    """
    problem = pulp.LpProblem(name, pulp.LpMinimize)
    digits = len(str(len(program.size)))

    # Variables: how far each class moves; with a spread, up and down in slopes of growing cost.
    costs: list[tuple[pulp.LpVariable, float]] = []
    moves: list[list[tuple[pulp.LpVariable, float]]] = []
    bounds = zip(program.size / scale, program.low / scale, program.high / scale, program.gain, strict=True)
    for position, (size, low, high, gain) in enumerate(bounds):
        if not spread:
            column = problem.add_variable(f"move_{position:0{digits}d}", float(low), None if np.isinf(high) else float(high))
            moves.append([(column, 1.0)])
            costs.append((column, -gain))
            continue
        mine = []
        nearest = min(max(0.0, low), high)  # a lock or a guardrail can hold a class away from the reference
        for side, sign, from_, to in (("up", 1.0, nearest, high), ("down", -1.0, -nearest, -low)):
            from_, to = max(from_, 0.0), max(to, 0.0)
            if from_:
                mine.append((problem.add_variable(f"{side}_{position:0{digits}d}_at", from_, from_), sign))
            for number, (start, end, slope) in enumerate(SEGMENTS):
                width = min(max(end * size, from_), to) - min(max(start * size, from_), to)
                if width > 0:
                    top = None if np.isinf(width) else float(width)
                    column = problem.add_variable(f"{side}_{position:0{digits}d}_{number}", 0, top)
                    mine.append((column, sign))
                    costs.append((column, slope - sign * gain))
        moves.append(mine)

    # Limits: every parent keeps its total, every rule and locked total its bounds.
    for number, members in enumerate(positions(program.parent)):
        body = pulp.LpAffineExpression([term for position in members for term in moves[position]])
        problem += pulp.LpConstraint(body, pulp.LpConstraintEQ, f"parent_total_{number}", 0.0)
    for number, kind in enumerate(program.kinds):
        start, end = program.rows.indptr[number], program.rows.indptr[number + 1]
        terms = [
            (column, sign * value)
            for position, value in zip(program.rows.indices[start:end], program.rows.data[start:end].tolist(), strict=True)
            for column, sign in moves[position]
        ]
        price = program.penalty[number]
        for side, bound, sense, sign in _sides(program.floor[number], program.cap[number]):
            if f"{kind}_{side}" not in KINDS:
                raise PlanError(f"{name}: a row is a {kind}_{side}, expected one of {KINDS}; name the new kind there.")
            slack: list[tuple[pulp.LpVariable, float]] = []
            if np.isfinite(price):
                slack = [(problem.add_variable(f"missed_{side}_{number:04d}", 0), sign)]
                if side == "at":
                    slack.append((problem.add_variable(f"over_{side}_{number:04d}", 0), -sign))
                costs += [(column, float(price)) for column, _ in slack]
            body = pulp.LpAffineExpression([*terms, *slack])
            problem += pulp.LpConstraint(body, sense, f"{kind}_{side}_{number:04d}", bound / scale)

    # Objective: the cost of deviating, less what it brings, plus what missing a soft limit costs.
    problem.setObjective(pulp.LpAffineExpression(costs))
    return problem


def _sides(floor: float, cap: float) -> list[tuple[str, float, int, float]]:
    if floor == cap:
        return [("at", float(floor), pulp.LpConstraintEQ, 1.0)]
    sides = [("floor", float(floor), pulp.LpConstraintGE, 1.0), ("cap", float(cap), pulp.LpConstraintLE, -1.0)]
    return [side for side in sides if np.isfinite(side[1])]


def solve(program: Program, name: str, spread: bool = True) -> Linear | None:
    """The linear form solved; None when no deviation keeps the hard limits."""
    scale = unit(program)
    problem = stated(program, name, scale, spread=spread)
    if not solver.optimise(problem):
        return None
    return Linear.of(problem, scale, len(program.kinds))


def unit(program: Program) -> float:
    """A power of two that brings a program's money near the solver's own size."""
    return float(2.0 ** max(0, int(np.ceil(np.log2(max(1.0, program.size.max(initial=1.0))))) - 20))


def positions(group: np.ndarray) -> list[np.ndarray]:
    """The positions that belong to each group, groups in order."""
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1) if len(group) else []
