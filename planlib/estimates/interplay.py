"""Tables that are to agree with the tables above them: raking, and what those above alone lead to expect.

A level is a set of axes of a cube. Its table agrees with the levels above when summing it over any one axis gives theirs.
Raking brings a table there and keeps what else it says (iterative proportional fitting: Deming and Stephan 1940); raking a
table that says nothing gives what the levels above expect without interplay of its own (Bishop, Fienberg and Holland 1975,
3.5).
"""

import itertools
from collections.abc import Mapping

import numpy as np

ROUNDS = 6
Level = tuple[int, ...]


def levels(axes: int) -> list[Level]:
    """Every set of axes, small ones first: a level comes after all that lie above it."""
    return [each for size in range(1, axes + 1) for each in itertools.combinations(range(axes), size)]


def above(level: Level) -> list[Level]:
    """The levels one axis smaller."""
    return list(itertools.combinations(level, len(level) - 1)) if len(level) > 1 else []


def summed(table: np.ndarray, level: Level) -> np.ndarray:
    """A cube's table at a level."""
    return table.sum(axis=tuple(axis for axis in range(table.ndim) if axis not in level))


def whole(table: np.ndarray) -> np.ndarray:
    """Without what lies below nothing, and summing to 1; a table of nothing becomes equal shares."""
    table = np.clip(table, 0.0, None)
    total = float(table.sum())
    return table / total if total > 0 else np.full(table.shape, 1.0 / max(1, table.size))


def raked(table: np.ndarray, level: Level, targets: Mapping[Level, np.ndarray], rounds: int = ROUNDS) -> np.ndarray:
    """The table of `level` brought to agree with the tables of levels above."""
    for _ in range(rounds):
        for each, target in targets.items():
            axes = tuple(at for at, axis in enumerate(level) if axis not in each)
            sums = table.sum(axis=axes)
            factor = np.divide(target, sums, out=np.ones_like(target), where=sums > 1e-15)
            table = table * np.expand_dims(factor, axes)
    return table
