"""The linear program of a split: classes of cells that deviate from the reference, and whole minor units out of it."""

import itertools

import numpy as np
import pandas as pd
import pulp

from planlib.errors import ConflictError, PlanError
from planlib.lp import solver
from planlib.lp.limits import ClassRow, Limit

# Width of each slope as a share of the open reference, and its cost: the convex cost d^2 of a relative deviation d,
# taken at each segment's middle. Narrow near 0, where most cells end. Upwards the last slope has no end.
BREAKS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
WIDTHS = tuple(np.diff(BREAKS))
SLOPES = tuple(float(low + high) for low, high in itertools.pairwise(BREAKS))
BEYOND = 3.0


def classes(parent: np.ndarray, inside: np.ndarray, limits: list[Limit], count: int) -> np.ndarray:
    """Number cells so that two share a number when they have the same parent and the same coefficient in every limit."""
    labels = parent.astype(np.int64)
    for limit in limits:
        full = np.zeros(count)
        full[limit.cells] = limit.coefficients
        codes, _ = pd.factorize(full[inside], sort=True)
        labels, _ = pd.factorize(labels * (codes.max() + 1) + codes, sort=True)
    return labels if limits else pd.factorize(labels, sort=True)[0]


class Program:
    """The linear program over classes of cells: variables, objective, limits, solve, read back."""

    def __init__(
        self, open_: np.ndarray, reach: np.ndarray, parent: np.ndarray, rows: list[ClassRow], names: list[str], name: str
    ) -> None:
        digits = len(str(len(open_)))
        self.problem = pulp.LpProblem(name, pulp.LpMinimize)
        self.hard_slack: list[tuple[pulp.LpVariable, pulp.LpVariable]] = []

        # Variables: how far each class moves up and down, in slopes of growing cost. `reach` is the open amount, or one unit
        # where a weight is too small to have got any; a class without weight cannot move.
        self.up: list[list[pulp.LpVariable]] = []
        self.down: list[list[pulp.LpVariable]] = []
        for position, (size, wide) in enumerate(zip(open_, reach, strict=True)):
            tag = f"{position:0{digits}d}"
            self.up.append(self._slopes(f"up_{tag}", [w * wide for w in WIDTHS] + [None if wide else 0.0]))
            self.down.append(self._slopes(f"down_{tag}", [w * size for w in WIDTHS]))

        # Objective: the cost of deviation, plus what missing a soft rule costs.
        costs = [(v, c) for side in (self.up, self.down) for vs in side for v, c in zip(vs, (*SLOPES, BEYOND), strict=False)]
        moves = [[(v, 1.0) for v in u] + [(v, -1.0) for v in d] for u, d in zip(self.up, self.down, strict=True)]

        # Limits: every parent keeps its total, every rule and locked total its bounds.
        for number, mine in enumerate(members(parent)):
            terms = [term for position in mine for term in moves[position]]
            self.problem += pulp.LpConstraint(pulp.LpAffineExpression(terms), pulp.LpConstraintEQ, f"parent_{number}", 0.0)
        for number, row in enumerate(rows):
            terms = [(v, s * c) for p, c in zip(row.classes, row.coefficients, strict=True) for v, s in moves[p]]
            short = self.problem.add_variable(f"short_{number:04d}", 0, 0 if row.hard else None)
            over = self.problem.add_variable(f"over_{number:04d}", 0, 0 if row.hard else None)
            if row.hard:
                self.hard_slack.append((short, over))
            else:
                costs += [(short, row.penalty), (over, row.penalty)]
            body = pulp.LpAffineExpression([*terms, (short, 1.0), (over, -1.0)])
            if row.low is not None:
                self.problem += pulp.LpConstraint(body, pulp.LpConstraintGE, f"floor_{number:04d}", row.low)
            if row.high is not None:
                self.problem += pulp.LpConstraint(body, pulp.LpConstraintLE, f"cap_{number:04d}", row.high)
        self.costs = pulp.LpAffineExpression(costs)
        self.problem.setObjective(self.costs)
        self.ties = pulp.LpAffineExpression(
            [(v, solver.generic_weight(key) * s) for key, move in zip(names, moves, strict=True) for v, s in move]
        )
        self.hard_rows = [number for number, row in enumerate(rows) if row.hard]
        self.row_count = len(rows)

    def _slopes(self, tag: str, widths: list) -> list[pulp.LpVariable]:
        return [self.problem.add_variable(f"{tag}_{k}", 0, width) for k, width in enumerate(widths)]

    @property
    def columns(self) -> int:
        return len(self.problem.variables())

    @property
    def rows(self) -> int:
        return self.problem.numConstraints()

    def solve(self) -> bool:
        """Least cost first; among equal optima the one a generic weight of the cells' names picks."""
        if not solver.optimise(self.problem):
            return False
        self.cost = float(pulp.value(self.costs))
        # The optimum is only known to the solver's tolerance: hold the second solve to it with that much room.
        self.problem += pulp.LpConstraint(self.costs, pulp.LpConstraintLE, "least_cost", self.cost + 1e-9 * max(1.0, self.cost))
        self.problem.setObjective(self.ties)
        if not solver.optimise(self.problem):
            raise PlanError("split: the tie-break lost the optimum it started from; report this with the parameters.")
        return True

    def deviation(self) -> np.ndarray:
        moved = [sum(v.value() for v in u) - sum(v.value() for v in d) for u, d in zip(self.up, self.down, strict=True)]
        return np.array(moved) + 0.0

    def relaxed(self) -> np.ndarray:
        """The least total by which hard rules must give way: negative = floor missed, positive = cap exceeded, per limit."""
        for short, over in self.hard_slack:
            short.upBound = over.upBound = None
        self.problem.setObjective(pulp.lpSum([v for pair in self.hard_slack for v in pair]))
        gaps = np.zeros(self.row_count)
        if not solver.optimise(self.problem):
            return gaps
        for number, (short, over) in zip(self.hard_rows, self.hard_slack, strict=True):
            gaps[number] = over.value() - short.value()
        return gaps


def rounded(
    deviation: np.ndarray, parent: np.ndarray, open_: np.ndarray, reach: np.ndarray, rows: list[ClassRow]
) -> np.ndarray:
    """Integer deviations that sum to 0 within each parent and keep every hard row the exact ones keep.

    Nearest integers, then the largest remainders carry what is missing. Where that breaks a rule, a small integer program
    chooses which classes round up.
    """
    clean = np.round(deviation, 3)
    down = np.floor(clean).astype(np.int64)
    rest = clean - down
    whole = down.copy()
    families = members(parent)
    for mine in families:
        order = mine[np.lexsort((mine, -open_[mine], -rest[mine]))]
        whole[order[: max(0, -int(down[mine].sum()))]] += 1
    whole = np.maximum(whole, -open_)
    tied = not any(whole[mine].sum() for mine in families)
    if tied and all(row.holds(whole) for row in rows if row.hard):
        return whole

    problem = pulp.LpProblem("round", pulp.LpMinimize)
    extra = [
        problem.add_variable(f"extra_{i:06d}", max(-1, int(-open_[i] - down[i])), 2 if reach[i] else 0, pulp.LpInteger)
        for i in range(len(down))
    ]
    far = [problem.add_variable(f"far_{i:06d}", 0) for i in range(len(down))]
    problem.setObjective(pulp.lpSum(far))
    for i, (step, gap) in enumerate(zip(extra, far, strict=True)):
        problem += step - float(rest[i]) <= gap
        problem += float(rest[i]) - step <= gap
    for mine in families:
        problem += pulp.lpSum(extra[i] for i in mine) == int(-down[mine].sum())
    for row in (row for row in rows if row.hard):
        body = pulp.lpSum(float(c) * extra[i] for i, c in zip(row.classes, row.coefficients, strict=True))
        now = float(row.coefficients @ down[row.classes])
        if row.low is not None:
            problem += body >= row.low - now
        if row.high is not None:
            problem += body <= row.high - now
    if not solver.optimise(problem):
        raise ConflictError(
            "rounding: no whole minor units near the optimum keep every hard rule; give a floor or cap one minor unit of room."
        )
    return down + np.array([round(step.value()) for step in extra], dtype=np.int64)


def members(parent: np.ndarray) -> list[np.ndarray]:
    """The positions that belong to each parent, parents in order."""
    order = np.argsort(parent, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(parent[order])) + 1)
