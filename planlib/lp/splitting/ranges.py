"""Where a price holds, and whether it is a limit's own: read off the classes and limits that the optimum holds.

A price follows one law while the same limits and classes are held. It is unique when no other limit, bound or total that is
held could carry it instead (linear independence of what is held: Nocedal and Wright 2006, Numerical Optimization, 12.4).
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import qr

from planlib.lp.splitting.even import Answer, curvature
from planlib.lp.splitting.program import Program

# Relative sizes below this are rounding of the arithmetic.
ZERO = 1e-9
# How a quotient's limit is moved until the law breaks: first step relative to its own size, growth of the steps, largest step.
FIRST, GROWTH, FARTHEST, HALVINGS = 1e-3, 2.0, 1e4, 30


@dataclass(frozen=True)
class Quotient:
    """A limit whose coefficients move with it: part - limit * whole against 0.

    weight  whole, by class; whole_now: whole summed over the reference; size: of the limit itself, in its own unit
    least, most   between which the limit makes sense
    """

    weight: np.ndarray
    whole_now: float
    size: float
    least: float
    most: float


@dataclass(frozen=True)
class Held:
    """What an optimum holds, and how it gives.

    act      limits that are met and cannot say the same as others among them; with their rows and prices
    lift     what one unit more of each of their prices adds to the pull on each class, its parent's total kept
    least, most   between which each price may lie: a floor's is not negative, a cap's not positive, a soft one's not above its
             penalty
    give     how far a free class follows one unit of pull; 0 where it is held
    """

    act: np.ndarray
    rows: sparse.csr_matrix
    price: np.ndarray
    least: np.ndarray
    most: np.ndarray
    lift: np.ndarray
    give: np.ndarray


def own_prices(program: Program, x: np.ndarray, price: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whose price is its own: one flag per limit and one per class (what holds the class, not the class within a limit)."""
    act = np.flatnonzero(_met(program, x) | ((price != 0) & ~_given_up(program, price)))
    alone, sure = np.ones(len(price), dtype=bool), np.ones(len(x), dtype=bool)
    free = (x > program.low) & (x < program.high)
    loose = np.bincount(program.parent, free, program.parent.max(initial=-1) + 1) > 0
    if len(act):
        rows = program.rows[act]
        scale = _scale(program, rows)
        values, vectors = np.linalg.eigh(_matrix(program, rows, x) / np.outer(scale, scale))
        same = vectors[:, values < ZERO]
        alone[act] = (same**2).sum(axis=1) <= ZERO
        if same.shape[1]:
            tied = np.abs(_lift(program, rows, x) @ (same / scale[:, None])) * np.sqrt(program.size / 2)[:, None]
            sure = (tied <= 1e-6).all(axis=1)
    return alone, sure & loose[program.parent]


def ranges(
    program: Program, answer: Answer, below: np.ndarray, above: np.ndarray, quotients: dict[int, Quotient]
) -> dict[str, np.ndarray]:
    """How far each limit may move before its price follows another law, one entry per limit.

    Parameters
        below, above   how far each class may fall and rise before one of its cells meets a bound of its own
        quotients      the limits that are quotients of two parts of the level
    Returns
        down, up   change of the right side (minor units; of a quotient its own unit; down <= 0 <= up) while the same limits and
                   classes are held; missing where it is not known
        bend       change of the price per unit of that move: moving by t changes the cost by price t + bend t^2 / 2; missing
                   for a quotient
        unique     False where limits that bind say the same, so that the price could as well be another's
    """
    count = len(program.floor)
    down, up, bend = np.full(count, -np.inf), np.full(count, np.inf), np.zeros(count)
    x, price = answer.x, answer.price
    body = program.rows @ x
    given_up = _given_up(program, price)
    down[given_up & (price > 0)] = (body - program.floor)[given_up & (price > 0)]
    up[given_up & (price < 0)] = (body - program.cap)[given_up & (price < 0)]
    unique = own_prices(program, x, price)[0]
    down[~unique] = up[~unique] = 0.0
    # An equality is held whatever its price.
    pressed = ((price != 0) | (program.floor == program.cap)) & ~given_up
    held, slack = _held(program, x, price, np.flatnonzero(pressed)), np.flatnonzero(~pressed)
    for place, limit in enumerate(held.act):
        if not unique[limit]:
            continue
        if limit in quotients:
            path = _Path(program, answer, held, slack, below, above, place, quotients[limit])
            down[limit], up[limit], bend[limit] = -path.end(-1.0), path.end(1.0), np.nan
        else:
            down[limit], up[limit], bend[limit] = _along(program, answer, held, slack, below, above, place)
    for limit in quotients:
        if given_up[limit]:
            down[limit] = up[limit] = np.nan
    return {"down": down, "up": up, "unique": unique, "bend": bend}


def _along(
    program: Program, answer: Answer, held: Held, slack: np.ndarray, below: np.ndarray, above: np.ndarray, place: int
) -> tuple[float, float, float]:
    """The ends of the law as one right side moves, and the bend of the price: all moves in proportion until one event."""
    x, body = answer.x, program.rows @ answer.x
    turn = np.linalg.solve(held.rows @ (held.give[:, None] * held.lift), np.eye(len(held.act))[place])
    lift = held.lift @ turn
    move = held.give * lift
    far = program.rows[slack] @ move
    stuck = ~(held.give > 0) & program.movable
    # Each ends the law: a free class or one of its cells meets its bound, a held one is let go, a price reaches 0 or its
    # penalty, a slack limit is met.
    events = [
        (below, move),
        (above, -move),
        (np.where(x <= program.low, answer.pull, np.inf)[stuck], -lift[stuck]),
        (np.where(x >= program.high, -answer.pull, np.inf)[stuck], lift[stuck]),
        (held.price - held.least, turn),
        (held.most - held.price, -turn),
        (np.abs(body - program.floor)[slack], np.where(body < program.floor, -1.0, 1.0)[slack] * far),
        (np.abs(program.cap - body)[slack], np.where(body > program.cap, 1.0, -1.0)[slack] * far),
    ]
    room, speed = (np.concatenate(parts) for parts in zip(*events, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.where(np.abs(speed) > 1e-15, np.maximum(room, 0.0) / -speed, np.nan)
    up = np.nanmin(np.where(speed < -1e-15, ends, np.inf), initial=np.inf)
    down = np.nanmax(np.where(speed > 1e-15, ends, -np.inf), initial=-np.inf)
    return float(down), float(up), float(turn[place])


class _Path:
    """The optimum while a quotient's limit moves and the same limits and classes stay held."""

    def __init__(
        self,
        program: Program,
        answer: Answer,
        held: Held,
        slack: np.ndarray,
        below: np.ndarray,
        above: np.ndarray,
        place: int,
        quotient: Quotient,
    ) -> None:
        self.held, self.place, self.quotient = held, place, quotient
        weight = sparse.csr_matrix(quotient.weight)
        rows = sparse.vstack([held.rows, weight]).tocsr()
        lift = np.column_stack([held.lift, _lift(program, weight, answer.x)])
        move = held.give[:, None] * lift
        self.body, self.turn, self.slack = rows @ answer.x, rows @ move, program.rows[slack] @ move
        far = program.rows[slack] @ answer.x
        room = 1e-9 * program.size.max(initial=1.0)
        # A soft limit that is given up stays missed, one that is kept stays kept.
        floor, cap = program.floor[slack], program.cap[slack]
        short, over = far < floor - room, far > cap + room
        self.least = np.where(short, -np.inf, np.where(over, cap, floor)) - far - room
        self.most = np.where(over, np.inf, np.where(short, floor, cap)) - far + room
        # How far the pull on each class may change: a free one's until it meets a bound, a held one's until it is let go.
        free, room = held.give > 0, 1e-9 * program.size
        stuck = ~free & program.movable
        at_low, at_high = stuck & (answer.x <= program.low), stuck & (answer.x > program.low)
        self.lift, self.below, self.above = lift, np.full(len(room), -np.inf), np.full(len(room), np.inf)
        self.below[free] = -(below + room)[free] / held.give[free]
        self.above[free] = (above + room)[free] / held.give[free]
        self.above[at_low] = answer.pull[at_low] + ZERO
        self.below[at_high] = answer.pull[at_high] - ZERO

    def end(self, sign: float) -> float:
        """How far the limit can go this way, infinite where nothing ends the law."""
        quotient, all_ = self.quotient, np.arange(len(self.lift))
        farthest = quotient.most if sign > 0 else quotient.least
        good, step = 0.0, FIRST * quotient.size
        while (broken := self._broken(sign * step, all_)) is None:
            if step >= min(farthest, FARTHEST * quotient.size):
                return farthest if np.isfinite(farthest) else np.inf
            good, step = step, min(step * GROWTH, max(farthest, step * (1 + ZERO)))
        # Halved with the classes that the bad end breaks alone; what else breaks at the good end found joins them.
        start, bad = good, step
        while True:
            good, end = start, bad
            for _ in range(HALVINGS):
                middle = (good + end) / 2
                good, end = (middle, end) if self._broken(sign * middle, broken) is None else (good, middle)
            more = self._broken(sign * good, all_) if good > start else None
            if more is None:
                return good
            broken, bad = np.union1d(broken, more), good

    def _broken(self, by: float, among: np.ndarray) -> np.ndarray | None:
        """Which classes `among` leave the law when the limit is moved by so much (none: a price or a limit does); None where
        the same limits and classes are held."""
        held = self.held
        turned = np.vstack([np.eye(len(held.act)), np.zeros(len(held.act))])  # prices of the rows in those of body and weight
        turned[-1, self.place] = -by
        now = np.r_[held.price, 0.0]
        goal = self.body[:-1].copy()
        goal[self.place] += by * self.quotient.whole_now
        left = goal - turned.T @ (self.body - self.turn @ now)
        nobody = among[:0]
        try:
            price = np.linalg.solve(turned.T @ self.turn @ turned, left)
        except np.linalg.LinAlgError:
            return nobody
        room = ZERO * np.abs(held.price)
        if not ((price >= held.least - room).all() and (price <= held.most + room).all()):
            return nobody
        change = turned @ price - now
        far = self.slack @ change
        if not ((far >= self.least).all() and (far <= self.most).all()):
            return nobody
        moved = (self.lift if len(among) == len(self.lift) else self.lift[among]) @ change
        out = among[(moved < self.below[among]) | (moved > self.above[among])]
        return out if len(out) else None


def _held(program: Program, x: np.ndarray, price: np.ndarray, act: np.ndarray) -> Held:
    """The limits with a price, those left out that say the same as others: these carry the whole price."""
    rows = program.rows[act]
    if len(act):
        scale = _scale(program, rows)
        matrix = _matrix(program, rows, x) / np.outer(scale, scale)
        triangle, order = qr(matrix, mode="r", pivoting=True)
        diagonal = np.abs(np.diag(triangle))
        kept = np.sort(order[diagonal > ZERO * max(1.0, diagonal.max(initial=0.0))])
        carried = np.linalg.lstsq(matrix[np.ix_(kept, kept)], matrix[kept] @ (price[act] * scale), rcond=None)[0] / scale[kept]
        act, rows = act[kept], rows[kept]
    else:
        carried = np.zeros(0)
    free = (x > program.low) & (x < program.high)
    equal, penalty = (program.floor == program.cap)[act], program.penalty[act]
    least, most = np.where(equal | (carried < 0), -penalty, 0.0), np.where(equal | (carried > 0), penalty, 0.0)
    return Held(act, rows, carried, least, most, _lift(program, rows, x), np.where(free, program.size / 2, 0.0))


def _met(program: Program, x: np.ndarray) -> np.ndarray:
    body, room = program.rows @ x, 1e-9 * program.size.max(initial=1.0)
    return (np.abs(body - program.floor) <= room) | (np.abs(body - program.cap) <= room)


def _given_up(program: Program, price: np.ndarray) -> np.ndarray:
    return (price != 0) & (np.abs(price) >= program.penalty)


def _scale(program: Program, rows: sparse.csr_matrix) -> np.ndarray:
    return np.sqrt(np.maximum(rows.multiply(rows) @ (program.size / 2), 1e-12))


def _matrix(program: Program, rows: sparse.csr_matrix, x: np.ndarray) -> np.ndarray:
    return curvature(program, rows, x)[0]


def _lift(program: Program, rows: sparse.csr_matrix, x: np.ndarray) -> np.ndarray:
    """What one unit more of each row's price adds to the pull on each class, each parent's own price taken along."""
    _, shared, inverse, _ = curvature(program, rows, x)
    return rows.T.toarray() - (inverse[:, None] * shared.T.toarray())[program.parent]
