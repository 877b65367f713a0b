"""Whole minor units near an exact answer, with every total and every hard limit kept."""

import numpy as np
import pulp

from planlib.errors import ConflictError
from planlib.lp import solver
from planlib.lp.splitting.program import Program, positions

# Parents that the integer program may re-round at first; four times as many at each further try.
FEW = 10


def rounded(program: Program, x: np.ndarray) -> np.ndarray:
    """Integer deviations that sum to 0 within each parent and keep every hard limit that the exact ones keep.

    Nearest integers, then the largest remainders carry what is missing (ties: the larger class, then the first); see
    `repaired` for what that breaks.
    """
    clean = np.round(x, 3)
    down = np.where(program.movable, np.floor(clean), np.rint(clean)).astype(np.int64)
    rest = np.where(program.movable, clean - down, -1.0)
    lack = -np.bincount(program.parent, down).astype(np.int64)
    order = np.lexsort((np.arange(len(rest)), -program.size, -rest, program.parent))
    starts = np.searchsorted(program.parent[order], np.arange(len(lack)))
    rank = np.empty(len(rest), dtype=np.int64)
    rank[order] = np.arange(len(rest)) - starts[program.parent[order]]
    whole = down + (rank < lack[program.parent])
    whole = np.clip(whole, np.ceil(program.low), np.where(np.isinf(program.high), whole, program.high)).astype(np.int64)

    return repaired(program, whole)


def repaired(program: Program, whole: np.ndarray) -> np.ndarray:
    """Whole deviations near to `whole` that sum to 0 within each parent and keep every hard limit.

    A small integer program lets the classes of a few large parents give each other units. Raises ConflictError where none does.
    """
    hard = np.isinf(program.penalty)
    loose = np.flatnonzero(np.bincount(program.parent, whole))
    broken = hard & ~kept(program, whole)
    if not len(loose) and not broken.any():
        return whole
    touched = np.unique(program.parent[np.unique(program.rows[broken].indices)])
    weight = np.bincount(program.parent, program.size)
    touched = np.r_[loose, touched[np.argsort(-weight[touched], kind="stable")]]
    few = FEW
    while True:
        chosen = np.isin(program.parent, touched[:few])
        found = _rerounded(program, whole, chosen)
        if found is not None:
            return found
        if few >= len(touched):
            break
        few *= 4
    raise ConflictError(
        "rounding: no whole minor units near the optimum keep every hard rule; give a floor or cap one minor unit of room."
    )


def kept(program: Program, x: np.ndarray) -> np.ndarray:
    """Which limits a deviation keeps, as far as whole minor units can."""
    body, room = program.rows @ x, np.maximum(program.room, 1e-6)
    return (body >= program.floor - room) & (body <= program.cap + room)


def _rerounded(program: Program, whole: np.ndarray, chosen: np.ndarray) -> np.ndarray | None:
    """Variables, objective, limits, solve, read back: the fewest units that classes of some parents give each other."""
    movable = chosen & program.movable
    where = np.flatnonzero(movable)
    if not len(where):
        return None
    problem = pulp.LpProblem("round", pulp.LpMinimize)
    body = program.rows @ whole
    lack = np.maximum(program.floor - body, 0) + np.maximum(body - program.cap, 0)
    far = 2 + 2 * int(np.ceil(lack[np.isinf(program.penalty)].max(initial=0.0)))
    up, down = {}, {}
    for i in where:
        up[i] = problem.add_variable(f"up_{i:07d}", 0, float(min(far, program.high[i] - whole[i])), pulp.LpInteger)
        down[i] = problem.add_variable(f"down_{i:07d}", 0, float(min(far, whole[i] - np.ceil(program.low[i]))), pulp.LpInteger)
    problem.setObjective(pulp.LpAffineExpression([(column, 1.0) for side in (up, down) for column in side.values()]))
    for mine in positions(program.parent[where]):
        terms = [term for i in where[mine] for term in ((up[i], 1.0), (down[i], -1.0))]
        left = -int(whole[program.parent == program.parent[where[mine[0]]]].sum())
        problem += pulp.LpConstraint(pulp.LpAffineExpression(terms), pulp.LpConstraintEQ, f"parent_{where[mine[0]]}", left)
    for k in np.flatnonzero(np.isinf(program.penalty)):
        start, end = program.rows.indptr[k], program.rows.indptr[k + 1]
        indices = program.rows.indices[start:end]
        mine = np.flatnonzero(movable[indices])
        pairs = zip(indices[mine].tolist(), program.rows.data[start:end][mine].tolist(), strict=True)
        terms = [term for i, value in pairs for term in ((up[i], value), (down[i], -value))]
        if not terms:
            continue
        # A little less than the room, so that the solver's own tolerance stays within it.
        for side, bound, sense in (
            ("floor", program.floor[k] - 0.9 * program.room[k], pulp.LpConstraintGE),
            ("cap", program.cap[k] + 0.9 * program.room[k], pulp.LpConstraintLE),
        ):
            if np.isfinite(bound):
                row = pulp.LpConstraint(pulp.LpAffineExpression(terms), sense, f"{side}_{k}", float(bound - body[k]))
                problem += row
    if not solver.optimise(problem):
        return None
    result = whole.copy()
    for i in where:
        result[i] += round(up[i].varValue) - round(down[i].varValue)
    return result if kept(program, result)[np.isinf(program.penalty)].all() else None
