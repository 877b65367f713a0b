"""How far sales are expected to fall short of a plan, and how likely a target is reached.

Sales of a cell are Normal: X = mean (1 + common Z) + deviation e, where Z is shared by the whole company. The expected
shortfall of a target t with z = (t - mean) / sd is sd (z Phi(z) + phi(z)), the loss function of inventory theory (Silver,
Pyke and Thomas 2017, Inventory and Production Management in Supply Chains), and its slope in t is P(X < t).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from planlib.errors import ParameterError
from planlib.lp.splitting.cells import looked_up


@dataclass(frozen=True)
class Sales:
    """What is expected of each cell, minor units a year.

    mean       expected sales
    deviation  the cell's own standard deviation
    common     the company's relative error that all cells share, standard deviation as a share
    """

    mean: np.ndarray
    deviation: np.ndarray
    common: float = 0.0

    @classmethod
    def of(cls, cells: pd.DataFrame, misses: pd.DataFrame, common: float) -> "Sales":
        """Looked up by any of the cells' dimensions; ParameterError where a number is missing or below 0."""
        mean, deviation = (looked_up(cells, misses, name, "misses") for name in ("mean", "deviation"))
        if (deviation < 0).any():
            raise ParameterError(f"misses: a deviation is {deviation.min():,.0f}, expected 0 or more; correct it.")
        if not (np.isfinite(common) and common >= 0):
            raise ParameterError(f"misses: common is {common}, expected a share of 0 or more; correct it.")
        return cls(mean, deviation, float(common))

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation of each cell, what it shares included."""
        return np.hypot(self.deviation, self.common * self.mean)

    def shortfall(self, plan: np.ndarray) -> np.ndarray:
        """E[(plan - X)+] of each cell, minor units; without any spread just what the mean lacks."""
        away, spread = np.asarray(plan, dtype=float) - self.mean, self.spread
        z = np.divide(away, spread, out=np.zeros(len(away)), where=spread > 0)
        loss = spread * np.exp(-z * z / 2) / np.sqrt(2 * np.pi) + away * ndtr(z)
        return np.where(spread > 0, np.maximum(loss, 0.0), np.maximum(away, 0.0))

    def miss(self, plan: np.ndarray) -> float:
        """The shortfall summed over the cells."""
        return float(self.shortfall(plan).sum())

    def chance(self, plan: np.ndarray) -> np.ndarray:
        """P(X >= plan) of each cell."""
        away, spread = self.mean - np.asarray(plan, dtype=float), self.spread
        z = np.divide(away, spread, out=np.zeros(len(away)), where=spread > 0)
        return np.where(spread > 0, ndtr(z), (away >= 0).astype(float))

    def chance_of_total(self, total: float) -> float:
        """P(sum X >= total). It asks only for the sum: no way to split a total changes it."""
        mean = float(self.mean.sum())
        spread = float(np.hypot(np.sqrt((self.deviation**2).sum()), self.common * mean))
        return float(ndtr((mean - total) / spread)) if spread > 0 else float(mean >= total)


def equal_chance(
    sales: Sales, least: np.ndarray, free: np.ndarray, open_: np.ndarray, total: np.ndarray, parent: np.ndarray
) -> np.ndarray:
    """What each cell gets above `least` (booked) when all free cells of a parent are equally likely to reach their target.

    mean + z spread, with one z for each parent at which it sums to what is open (`total`); never below what is booked, where a
    cell drops out. A parent that no z makes sum (its free cells have no spread) keeps `open_`.
    """
    count, mean, spread = len(total), sales.mean - least, np.where(free, sales.spread, 0.0)

    def asked(z: np.ndarray) -> np.ndarray:
        return np.where(free, np.maximum(mean + z[parent] * spread, 0.0), 0.0)

    def summed(z: np.ndarray) -> np.ndarray:
        return np.bincount(parent, asked(z), count)

    low, high = np.full(count, -1.0), np.full(count, 1.0)
    for _ in range(60):
        low, high = np.where(summed(low) > total, low * 2, low), np.where(summed(high) < total, high * 2, high)
    for _ in range(120):
        middle = (low + high) / 2
        over = summed(middle) > total
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    found = asked(low)
    ties = np.abs(np.bincount(parent, found, count) - total) <= np.maximum(0.5, 1e-9 * total)
    return np.where(ties[parent], found, open_)
