"""How far a cell may be off: a law of size from the errors of the past, and intervals from it.

A cell that is expected to have the share m of a level deviates by a variance of a m + b m^2: a is chance (few orders, as in a
Poisson count), b what moves a cell as a whole. Both come from the errors of past expectations by least squares on each cell's
own scale; then the width is set so that four fifths of the past cells lie inside (split conformal: Lei et al. 2018).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.optimize import nnls
from scipy.stats import t as student

from planlib.estimates.weighing import Case, Weighed

COVERED = 0.80
# Standard deviations of a normal curve on either side of its mean that hold four fifths.
NORMAL = 1.2815515655446004
LEAST = 8  # cells of the past that a law is read from, at least


@dataclass(frozen=True)
class Spread:
    """chance (a) and own (b) of the law, width (deviations either side that hold four fifths), covered (share of the past's
    cells inside when each year's law comes from the others; missing with one year); all missing where no past tells."""

    chance: float
    own: float
    width: float
    covered: float

    LAW: ClassVar[tuple[str, ...]] = ("chance", "own", "width", "covered")

    @property
    def law(self) -> tuple[float, float, float, float]:
        return self.chance, self.own, self.width, self.covered

    @classmethod
    def of(cls, weighed: Sequence[Weighed], cases: Sequence[Sequence[Case]]) -> "Spread":
        """From what was expected and what came, the parts of a level together, cases of the longest time ahead."""
        found = [
            (table, case.truth, case.year, case.weight)
            for part, every in zip(weighed, cases, strict=True)
            for table, case in zip(part.expected, every, strict=True)
        ]
        if not found:
            return cls(*[float("nan")] * 4)
        longest = max(weight for *_, weight in found)
        pairs = [(table, truth, year) for table, truth, year, weight in found if weight >= longest - 1e-9]
        chance, own, width = _law([(table, truth) for table, truth, _ in pairs], len({year for *_, year in pairs}))
        inside = total = 0
        years = {year for *_, year in pairs}
        for year in years if len(years) > 1 else ():
            law = _law([(table, truth) for table, truth, other in pairs if other != year], len(years) - 1)
            for table, truth, other in pairs:
                if other == year:
                    asked = table > 0
                    inside += int((np.abs(truth - table)[asked] <= law[2] * deviation(table, *law[:2])[asked]).sum())
                    total += int(asked.sum())
        return cls(chance, own, width, inside / total if total else float("nan"))


def deviation(share: np.ndarray, chance: float, own: float) -> np.ndarray:
    """The standard deviation of a share."""
    return np.sqrt(chance * share + own * share * share)


def _law(pairs: Sequence[tuple[np.ndarray, np.ndarray]], years: int) -> tuple[float, float, float]:
    """What moves whole cells is seen as often as there are years: its part is as wide as Student's t for so many."""
    wider = float(student.ppf((1 + COVERED) / 2, years) / NORMAL) ** 2
    table, truth = (np.concatenate([pair[at] for pair in pairs]) for at in (0, 1))
    asked = table > 0
    table, off = table[asked], np.abs(truth - table)[asked]
    if len(table) < LEAST:
        rate = float((off**2).sum() / max(1e-30, (table**2).sum()))
        return 0.0, rate * wider, NORMAL
    # Squares of errors on the scale of their own law: two rounds, the largest hundredth cut off.
    law, scale = np.zeros(2), table
    for _ in range(3):
        square = np.minimum(off**2, np.quantile(off**2 / scale**2, 0.99) * scale**2)
        law = nnls(np.column_stack([table, table**2]) / scale[:, None] ** 2, square / scale**2)[0]
        if law.sum() <= 0:
            return 0.0, 0.0, NORMAL
        scale = np.maximum(deviation(table, *law), 1e-12)
    rank = min(1.0, COVERED * (1 + 1 / len(table)))
    return float(law[0]), float(law[1]) * wider, float(np.quantile(off / scale, rank))
