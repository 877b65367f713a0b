"""Whole minor units of amounts beyond 2^53, where the floats that found them have no last digits: every total and rule exact.

What the exact spread says to sixteen digits is kept; what it cannot say, some thousands of units of 10^18, is settled in
integers: cells go into their bounds, each parent's rest goes to its largest cells, and what that breaks is repaired.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from planlib import plan as tables
from planlib.errors import ConflictError
from planlib.lp.splitting.cells import Cells
from planlib.lp.splitting.limits import Limit
from planlib.lp.splitting.program import Program
from planlib.lp.splitting.rounding import repaired
from planlib.plan import EXACT, LARGEST

# Rounds in which a parent's rest looks for cells with room.
ROUNDS = 20


def too_large(total: np.ndarray) -> bool:
    """Whether some parent's amount is beyond what a float tells to the unit."""
    return bool(np.abs(total.astype(float)).max(initial=0.0) > EXACT)


def whole_bounds(cells: Cells, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells' bounds (floats, infinite where none) in whole units: what is booked or locked to the unit."""
    booked = cells.frame["floor"].to_numpy()
    least = np.where(low == cells.low, booked, _whole(np.ceil(low)))
    most = np.where((high == cells.high) & ~cells.movable, cells.reference, _whole(np.floor(high)))
    at = cells.held >= 0
    least[at] = most[at] = cells.held[at]
    return least, most


def settled(
    amounts: np.ndarray, cells: Cells, least: np.ndarray, most: np.ndarray, limits: Sequence[Limit], inside: np.ndarray
) -> np.ndarray:
    """Whole amounts near to `amounts` within `least` and `most` whose parents tie out and which keep every hard limit.

    Only the cells `inside` move. Raises ConflictError where no whole units do.
    """
    found = amounts.copy()
    found[inside] = np.clip(amounts[inside], least[inside], most[inside])
    mine = np.zeros(len(found), dtype=bool)
    mine[inside] = cells.movable[inside]
    for _ in range(ROUNDS):
        rest = cells.total - tables.sums_of(cells.parent, found, len(cells.total))
        if not rest.any():
            break
        up = rest[cells.parent] > 0
        room = np.where(mine & (rest[cells.parent] != 0), np.where(up, most - found, found - least), 0)
        # Nobody takes more than there is room for, and none more than moves it by its own size at first.
        power = np.minimum(room, np.maximum(found, 1))
        power = np.where(tables.sums_of(cells.parent, power > 0, len(rest))[cells.parent] > 0, power, 0)
        open_ = np.where(tables.sums_of(cells.parent, power > 0, len(rest)) > 0, np.abs(rest), 0)
        step = np.minimum(tables.apportion(open_, cells.parent, power, np.arange(len(found))), room)
        found = found + np.where(up, step, -step)
    hard = [limit for limit in limits if limit.hard]
    if all(limit.holds(found) for limit in hard) and not rest.any():
        return found
    if rest.any():
        raise ConflictError("rounding: no whole minor units near the optimum sum to each total; give a lock or rule some room.")
    return found + repaired(_left(found, cells, least, most, hard, mine), np.zeros(len(found), dtype=np.int64))


def _left(
    found: np.ndarray, cells: Cells, least: np.ndarray, most: np.ndarray, hard: Sequence[Limit], mine: np.ndarray
) -> Program:
    """What is left to repair, as a program of single cells that starts from what was found: small numbers, exact in floats."""
    coefficients = np.concatenate([np.zeros(0), *(limit.coefficients for limit in hard)])
    columns = np.concatenate([np.zeros(0, dtype=np.int64), *(limit.cells for limit in hard)])
    numbers = np.repeat(np.arange(len(hard)), [len(limit.cells) for limit in hard])
    gaps = [
        [
            np.inf if end is None else float(sign * (end - limit.exactly(found)))
            for sign, end in ((-1, limit.low), (1, limit.high))
        ]
        for limit in hard
    ]
    below, above = (np.array([gap[side] for gap in gaps]) for side in (0, 1))
    return Program(
        parent=cells.parent,
        size=np.maximum(cells.size.astype(float), 1.0),
        low=np.where(mine, least - found, 0).astype(float),
        high=np.where(mine, most - found, 0).astype(float),
        gain=np.zeros(len(found)),
        rows=sparse.csr_matrix((coefficients, (numbers, columns)), shape=(len(hard), len(found))),
        floor=-below,
        cap=above,
        penalty=np.full(len(hard), np.inf),
        kinds=[limit.kind for limit in hard],
        room=np.array([limit.room for limit in hard]),
    )


def _whole(bounds: np.ndarray) -> np.ndarray:
    """Float bounds as int64; what lies beyond is the largest amount there is."""
    inner = np.clip(bounds, -float(EXACT) * 1024, float(EXACT) * 1023)
    return np.where(bounds > inner, LARGEST, np.where(bounds < inner, -LARGEST, inner.astype(np.int64)))
