"""Simple statements of how a year will fall over its cells; each is asked how well it did in the company's own past.

A candidate gives the table of one level from what was known at an origin: the last year, the mean of up to three, a movement
that goes on, months freed of growth, what the other dimensions bring along, what the levels above expect. Mixtures of them are
all the damped trends, reversals and shrunken tables that there are between them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from planlib.estimates.cube import Cube, sold_on_net
from planlib.estimates.interplay import Level, above, raked, summed, whole

LAST = "last twelve months"
# What counts before any evidence, relative to each other; the constants are judged by leaving sets out, see tests/backtest.
PRIOR: Mapping[str, float] = {
    LAST: 0.25,
    "mean of up to three years": 0.2,
    "the year's movement goes on": 0.05,
    "last half-year's movement goes on": 0.05,
    "last quarter": 0.03,
    "what the other dimensions bring": 0.1,
    "months freed of growth": 0.2,
    "levels above": 0.3,
    "toward the levels above by size": 0.15,
}
YEARS, MOVING, HALF, QUARTER, OTHERS, FREED, ABOVE, LEANING = list(PRIOR)[1:]
# A cell this many times the mean cell's size counts half by itself in a table that leans on the levels above.
LEANS = 2.0
MOST_YEARS = 3


@dataclass
class Origin:
    """What was known at the end of month `end` of a cube, and the tables expected from it, as far as they have been made.

    truth  what came in the months after it that are known, by cell and slot (a slot is a month of the twelve after `end`);
           None at the plan's own origin
    may    how surely each cell may sell in each slot, 0-1
    """

    end: int
    windows: list[np.ndarray]
    seasons: list[np.ndarray]
    may: np.ndarray
    freed: np.ndarray
    slots: np.ndarray
    year: int = 12
    truth: np.ndarray | None = None
    weight: float = 1.0
    made: dict[Level, np.ndarray] = field(default_factory=dict)
    first: dict[Level, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, cube: Cube, end: int, ahead: int = 0, season_months: float = 24.0) -> "Origin":
        """At month `end` of the cube; `ahead`: how many months after it are judged (up to twelve), 0 for none."""
        opened = 1 - cube.shut(end) if end >= cube.year else np.ones(cube.year)
        amounts = [window * opened for window in cube.windows(end)]
        windows = [window / max(float(window.sum()), 1e-12) for window in amounts[:MOST_YEARS]]
        slots = np.flatnonzero(cube.known[end : end + ahead]) if ahead else np.arange(cube.year)
        truth = None
        if ahead:
            truth = sold_on_net(cube.sums[..., end : end + ahead][..., slots])
            total = float(truth.sum())
            truth = truth / total if total > 0 else None
        may = cube.alive(end)[..., None] * opened
        return cls(
            end,
            windows,
            [cube.seasons(window, end, season_months) for window in windows],
            may,
            freed(amounts),
            slots,
            cube.year,
            truth,
        )

    def judged(self, table: np.ndarray, level: Level, made: bool = True) -> np.ndarray:
        """A table of the level in the months that are judged, flat, summing to 1; not `made`: it has only these months."""
        found = self._slots(table, level, made)
        return (found / max(float(found.sum()), 1e-12)).ravel()

    def at(self, mask: np.ndarray, level: Level) -> np.ndarray:
        """A mask of the level's cells in the months that are judged, flat."""
        return self._slots(mask, level, True).ravel()

    def _slots(self, table: np.ndarray, level: Level, made: bool) -> np.ndarray:
        return table[..., self.slots] if made and self.may.ndim - 1 in level and len(self.slots) < self.year else table


def candidates(origin: Origin, level: Level) -> dict[str, np.ndarray]:
    """Each candidate's table of a level at an origin, by name; all agree with the tables made of the levels above."""
    month = origin.may.ndim - 1
    tables = [summed(window, level) for window in (origin.seasons if month in level else origin.windows)]
    last, found = tables[0], {LAST: whole(tables[0])}
    found[YEARS] = whole(np.mean(tables, axis=0))
    moves = len(tables) > 1
    found[MOVING] = whole(2 * last - tables[1]) if moves else found[LAST]
    if month not in level:
        halves = [summed(window[..., origin.year // 2 :], level) for window in origin.windows[:2]]
        shares = [half / max(float(half.sum()), 1e-12) for half in halves]
        found[HALF] = whole(last + shares[0] - shares[1]) if moves else found[LAST]
        found[QUARTER] = whole(summed(origin.windows[0][..., -3:], level))
    if len(level) == 1 and origin.first:
        every = tuple(range(month + 1))
        others = {each: table for each, table in origin.first.items() if each != level}
        found[OTHERS] = whole(summed(raked(np.clip(origin.windows[0], 0.0, None), every, others, 3), level))
    if level == (month,):
        found[FREED] = origin.freed
    lines = {each: origin.made[each] for each in above(level)}
    if not lines:
        return found
    found = {name: raked(table, level, lines) for name, table in found.items()}
    may = origin.may.max(axis=tuple(axis for axis in range(month + 1) if axis not in level))
    found[ABOVE] = raked(may / max(float(may.sum()), 1e-12), level, lines)
    own = found[ABOVE] / (found[ABOVE] + LEANS / may.size)
    found[LEANING] = raked(own * found[LAST] + (1 - own) * found[ABOVE], level, lines, 2)
    return found


def index_of(months: np.ndarray) -> np.ndarray:
    """Years x months over their year's level, the growth inside it taken out (see `freed`); the oldest year first."""
    mean, year = months.mean(axis=1), months.shape[1]
    growth = np.diff(np.log(np.maximum(mean, 1e-12)))
    slope = (np.r_[0.0, growth] + np.r_[growth, 0.0]) / 2
    path = np.exp(slope[:, None] * (np.arange(year) - (year - 1) / 2)[None, :] / year)
    return months * path.mean(axis=1, keepdims=True) / path / np.maximum(mean, 1e-12)[:, None]


def freed(windows: list[np.ndarray]) -> np.ndarray:
    """The company's months without the growth inside its years, summing to 1. `windows`: amounts, the newest first.

    Growth inside a year looks like a season (December over January): each window's slope is the mean of the growth into it and
    out of it, and growth that nobody has seen yet counts as none. What is left is averaged over the windows (in logs); a month
    that never sold has nothing. One window alone is left as it is.
    """
    months = np.array([np.clip(summed(window, (window.ndim - 1,)), 0.0, None) for window in reversed(windows)])
    if len(months) < 2:
        return whole(months[0])
    index = index_of(months)
    sold = (index > 0).sum(axis=0)
    logs = np.where(index > 0, np.log(np.where(index > 0, index, 1.0)), 0.0).sum(axis=0)
    return whole(np.where(sold > 0, np.exp(logs / np.maximum(1, sold)), 0.0))
