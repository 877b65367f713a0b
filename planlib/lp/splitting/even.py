"""The exact convex optimum: what a limit pushes away spreads in proportion, and every limit has its price.

The linear form says which limits bind. From its prices, Newton's method on the dual finds the prices of the quadratic
cost itself, with each parent's own price solved within (a calibration with bounds: Deville and Särndal 1992, JASA 87(418)).
The dual value bounds the cost from below, so that the answer carries its proof and does not rest on how it was found.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import lsq_linear

from planlib.lp.splitting.program import Program

STEPS = 100


@dataclass(frozen=True)
class Answer:
    """An answer with its proof.

    x         deviation of each class, exact (not whole) minor units
    price     what one unit more on each limit's right side adds to the cost; at a floor >= 0, at a cap <= 0
    level     the same for each parent's total
    pull      what one unit more in each class would add, at these prices: 0 for classes that are free
    cost      the convex cost of x, soft limits included
    bound     the dual value: no deviation within the limits costs less
    weight    what the cost is made of, without regard to sign: the measure of the gap
    missed    the largest miss of a hard limit or a parent's total, minor units
    slope     the largest relative deviation that the prices do not explain (dual residual)
    steps     of Newton's method
    """

    x: np.ndarray
    price: np.ndarray
    level: np.ndarray
    pull: np.ndarray
    cost: float
    bound: float
    weight: float
    missed: float
    slope: float
    steps: int

    @property
    def gap(self) -> float:
        """Between cost and bound, relative to the cost."""
        return (self.cost - self.bound) / max(1.0, abs(self.cost), self.weight)


def even(program: Program, price: np.ndarray) -> Answer:
    """The convex optimum of a program that can be met, from approximate prices of its limits.

    Method: maximise the dual, which is concave and piecewise quadratic in the prices, by Newton steps within the prices' bounds
    (a floor's is not negative, a soft limit's not above its penalty), each with a line search.
    """
    # Every limit as one or two rows `body >= bound`, so that each price has one sign.
    equal = program.floor == program.cap
    floors, caps = np.flatnonzero(np.isfinite(program.floor)), np.flatnonzero(np.isfinite(program.cap) & ~equal)
    owner = np.r_[floors, caps]
    sign = np.r_[np.ones(len(floors)), -np.ones(len(caps))]
    rows = sparse.diags_array(sign).tocsr() @ program.rows[owner]
    goal = sign * np.r_[program.floor[floors], program.cap[caps]]
    most = program.penalty[owner]
    least = np.where(equal[owner], -most, 0.0)
    y = np.clip(sign * price[owner], least, most)

    level = np.zeros(program.parent.max(initial=-1) + 1)
    x, level = _moved(program, rows.T @ y, level)
    value = _dual(program, rows.T @ y, x, level) + y @ goal
    reach = rows.multiply(rows) @ (program.size / 2)  # what a price would move if nothing held the classes
    step, slack, steady = 0, goal - rows @ x, 1e-10
    while step < STEPS:
        pushed = ~((y <= least) & (slack <= 0) | (y >= most) & (slack >= 0))
        act = np.flatnonzero(pushed)
        if _pushing(y, slack, least, most) <= 1e-12 * program.size.max(initial=1.0):
            break
        step += 1
        push = np.zeros(len(y))
        matrix = curvature(program, rows[act], x)[0]
        push[act] = _step(matrix, reach[act], slack[act], (least - y)[act], (most - y)[act], steady)
        for stride in 0.5 ** np.arange(30):
            tried = np.clip(y + stride * push, least, most)
            x_, level_ = _moved(program, rows.T @ tried, level)
            value_ = _dual(program, rows.T @ tried, x_, level_) + tried @ goal
            slack_ = goal - rows @ x_
            nearer = _pushing(tried, slack_, least, most) < 0.5 * _pushing(y, slack, least, most)
            if value_ > value + 1e-12 * abs(value) or (nearer and value_ >= value - 1e-9 * abs(value)):
                break
        else:
            if steady >= 1.0:
                break
            steady *= 1e3
            continue
        steady = max(1e-10, steady / 1e3)
        y, x, level, value, slack = tried, x_, level_, value_, slack_

    price = np.bincount(owner, sign * y, len(program.floor))
    body = program.rows @ x
    lack = np.maximum(program.floor - body, 0) + np.maximum(body - program.cap, 0)
    hard = np.isinf(program.penalty)
    totals = np.bincount(program.parent, x, len(level))
    missed = max(np.abs(totals).max(initial=0.0), lack[hard].max(initial=0.0))
    pull = 2 * x / program.size - program.gain - level[program.parent] - program.rows.T @ price
    free = (x > program.low) & (x < program.high)
    weight = float((x * x / program.size).sum() + np.abs(program.gain @ x))
    slope = float(np.abs(pull[free]).max(initial=0.0))
    return Answer(x, price, level, pull, program.cost(x), value, weight, float(missed), slope, step)


def _pushing(y: np.ndarray, slack: np.ndarray, least: np.ndarray, most: np.ndarray) -> float:
    """How far the limits are from rest: the largest miss that a price may still answer."""
    up, down = np.where(y < most, slack, 0.0), np.where(y > least, -slack, 0.0)
    return float(np.maximum(np.maximum(up, down), 0).max(initial=0.0))


def _moved(program: Program, pull: np.ndarray, level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The deviation that prices call for, and the price of each parent's total at which its classes sum to 0."""
    parent, half, count = program.parent, program.size / 2, len(level)
    pull = pull + program.gain
    room = 1e-14 * np.bincount(parent, program.size, count)
    below, above = np.full(count, -1e300), np.full(count, 1e300)
    x = np.zeros(len(parent))
    for _ in range(200):
        asked = half * (pull + level[parent])
        x = np.clip(asked, program.low, program.high)
        total = np.bincount(parent, x, count)
        far = np.abs(total) > room
        if not far.any():
            break
        below, above = np.where(total < 0, level, below), np.where(total > 0, level, above)
        slope = np.bincount(parent, np.where((asked > program.low) & (asked < program.high), half, 0.0), count)
        newton = level - np.divide(total, slope, out=np.full(count, np.nan), where=slope > 0)
        far_out = np.where(total < 0, level + np.maximum(1.0, np.abs(level)), level - np.maximum(1.0, np.abs(level)))
        middle = np.where((below > -1e299) & (above < 1e299), (below + above) / 2, far_out)
        level = np.where(far, np.where((newton > below) & (newton < above), newton, middle), level)
    return x, level


def _dual(program: Program, pull: np.ndarray, x: np.ndarray, level: np.ndarray) -> float:
    """The Lagrangian at its least, but for the limits' own bounds: a lower bound on the cost within the limits."""
    return float((x * x / program.size).sum() - (pull + program.gain + level[program.parent]) @ x)


def curvature(
    program: Program, rows: sparse.csr_matrix, x: np.ndarray
) -> tuple[np.ndarray, sparse.csr_matrix, np.ndarray, np.ndarray]:
    """How rows answer to their prices: the matrix of d(rows x)/d(price), and its parts."""
    free = (x > program.low) & (x < program.high)
    give = np.where(free, program.size / 2, 0.0)
    count = program.parent.max(initial=-1) + 1
    mine = rows.multiply(give).tocsr()
    family = sparse.csr_matrix((np.ones(len(free)), (np.arange(len(free)), program.parent)), shape=(len(free), count))
    shared = (mine @ family).tocsr()
    total = np.bincount(program.parent, give, count)
    inverse = np.divide(1.0, total, out=np.zeros(count), where=total > 0)
    matrix = (mine @ rows.T - shared.multiply(inverse) @ shared.T).toarray()
    return matrix, shared, inverse, give


def _step(
    matrix: np.ndarray, reach: np.ndarray, slack: np.ndarray, least: np.ndarray, most: np.ndarray, steady: float
) -> np.ndarray:
    """The step in prices that would close the slacks if nothing else changed, within the prices' bounds.

    `steady` lends curvature to directions that have none: limits that say the same, or classes that are all held.
    """
    scale = np.sqrt(np.maximum(reach, 1e-12))
    unit = matrix / np.outer(scale, scale)
    values, vectors = np.linalg.eigh((unit + unit.T) / 2)
    root = np.sqrt(np.maximum(values, 0.0) + steady)
    found = lsq_linear(
        root[:, None] * vectors.T, (vectors.T @ (slack / scale)) / root, (least * scale, most * scale), method="bvls"
    )
    return found.x / scale
