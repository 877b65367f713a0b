"""Classes of cells: those that no limit, margin or bound of their own tells apart move alike, in proportion to their sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from planlib.lp.splitting.cells import Cells
from planlib.lp.splitting.limits import Limit
from planlib.lp.splitting.program import Program
from planlib.lp.splitting.ranges import Quotient


@dataclass(frozen=True)
class Classes:
    """The classes of some of a level's cells, and their program.

    inside   the positions of the cells
    labels   each one's class
    program  over the classes, under `limits`
    given    what the cost has of classes that a lock holds where the reference has nothing: they must not
             drown the others, and no plan can choose; measured by what it holds, 0 elsewhere
    """

    cells: Cells
    limits: Sequence[Limit]
    inside: np.ndarray
    labels: np.ndarray
    program: Program
    given: np.ndarray

    @classmethod
    def of(
        cls,
        cells: Cells,
        limits: Sequence[Limit],
        inside: np.ndarray,
        single: np.ndarray,
        bounds: tuple[np.ndarray, np.ndarray],
        gain: np.ndarray,
    ) -> "Classes":
        """Classes within parents. Only `single` cells keep their `bounds` (minor units, low and high), as classes of their own;
        the others may give all that is open, or take any amount if they have a weight. `gain`: see `Program`, by cell."""
        reference, open_ = cells.reference, cells.open
        generic = np.random.default_rng(0)
        mark = np.zeros(len(reference))  # equal sums of generic words mean equal coefficients in every limit
        for limit in limits:
            np.add.at(mark, limit.cells, limit.coefficients * generic.uniform(1, 2))
            if limit.whole is not None:
                np.add.at(mark, limit.cells, limit.whole * generic.uniform(1, 2))
        moves, alone = cells.movable, single[inside]
        own, new = np.where(alone, inside + 1, 0), open_ < cells.size
        keys = [cells.parent[inside], mark[inside], gain[inside], moves[inside], new[inside], own]
        labels = pd.MultiIndex.from_arrays(keys).factorize()[0]
        first = np.unique(labels, return_index=True)[1]
        count, at, alone = len(first), inside[first], alone[first]
        size, least = (np.bincount(labels, values[inside], count) for values in (cells.size, -open_))
        low = np.where(alone, bounds[0][at] - reference[at], np.where(moves[at], least, 0.0))
        high = np.where(alone, bounds[1][at] - reference[at], np.where(moves[at], np.inf, 0.0))
        bare = (size < 1) & (low == high)
        given = np.where(bare, np.abs(low), 0.0)

        label_of = _label_of(len(reference), inside, labels)
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
            parent=pd.factorize(cells.parent[at])[0],
            size=np.maximum(np.where(bare, given, size), 1.0),
            low=low,
            high=high,
            gain=gain[at],
            rows=sparse.csr_matrix((np.concatenate([np.zeros(0), *values]), entries), shape=(len(limits), count)),
            floor=np.array([-np.inf if limit.low is None else limit.low for limit in limits]) - now,
            cap=np.array([np.inf if limit.high is None else limit.high for limit in limits]) - now,
            penalty=np.array([limit.penalty for limit in limits]),
            kinds=[limit.kind for limit in limits],
            room=np.array([limit.room for limit in limits]),
        )
        return cls(cells, limits, inside, labels, program, given)

    @property
    def part(self) -> np.ndarray:
        """Each cell's share of what its class moves by."""
        size = self.cells.size[self.inside]
        whole, crowd = np.bincount(self.labels, size), np.bincount(self.labels)
        return np.where(whole[self.labels] > 0, size / np.maximum(whole[self.labels], 1.0), 1.0 / crowd[self.labels])

    def room(self, exact: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far each class may fall and rise from some amounts before one of its cells, moving along, meets its bounds."""
        part, inside, rooms = self.part, self.inside, []
        moved = part > 0
        for room in ((exact - low)[inside], (high - exact)[inside]):
            nearest = np.full(len(self.program.size), np.inf)
            np.minimum.at(nearest, self.labels[moved], np.maximum(room[moved], 0.0) / part[moved])
            rooms.append(nearest)
        return rooms[0], rooms[1]

    def quotients(self) -> dict[int, Quotient]:
        """The limits whose coefficients move with them, by their number."""
        label_of, found = _label_of(len(self.cells.parent), self.inside, self.labels), {}
        for number, limit in enumerate(self.limits):
            if limit.part is None or limit.whole is None or not limit.whole.any():
                continue
            here = label_of[limit.cells]
            weight = np.zeros(len(self.program.size))
            weight[here[here >= 0]] = limit.whole[here >= 0]
            now = next(end for end in limit.natural if end is not None)
            largest = float(np.abs(limit.part).max() / np.abs(limit.whole).max())
            ends = (now, 1 - now) if limit.unit == "share" else (np.inf, np.inf)
            whole = float(limit.whole @ self.cells.reference[limit.cells])
            found[number] = Quotient(weight, whole, max(abs(now), largest * 1e-3), *ends)
        return found


def _label_of(count: int, inside: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The class of every cell of the level; -1 where it is not among them."""
    label_of = np.full(count, -1)
    label_of[inside] = labels
    return label_of
