"""Concave response curves under limits: value, marginal return, where money lies best, and lines around a curve."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq

# Breakpoints of the first grid, and the distances (shares of the money) of the further ones around a point of interest.
SEGMENTS = 40
AROUND = np.array([1e-6, 1e-5, 1e-4, 1e-3])
# A power curve is infinitely steep at 0: its first tangent touches it at this share of the money.
START = 1e-9


@dataclass(frozen=True)
class Curves:
    """Curves and the limits on their spend, one entry per item; money in minor units, as floats.

    A curve is scale * x ** elasticity or, where `half` is a number, scale * x / (x + half). `pool` is the number of the item's
    group, 0 for none; `pool_floor` and `pool_cap` limit the money of a pool, pool 0 has no limits.
    """

    scale: np.ndarray
    elasticity: np.ndarray
    half: np.ndarray
    floor: np.ndarray
    cap: np.ndarray
    pool: np.ndarray
    pool_floor: np.ndarray
    pool_cap: np.ndarray

    def response(self, spend: np.ndarray) -> np.ndarray:
        """What each item brings at its spend."""
        return self._form(self.scale * spend**self.elasticity, self.scale * spend / (spend + self.half))

    def marginal(self, spend: np.ndarray) -> np.ndarray:
        """The derivative of each curve at its spend; infinite at 0 for a power curve."""
        with np.errstate(divide="ignore", invalid="ignore"):
            power = np.where(self.scale > 0, self.scale * self.elasticity * spend ** (self.elasticity - 1), 0.0)
        return self._form(power, self.scale * self.half / (spend + self.half) ** 2)

    def spend_at(self, price: np.ndarray) -> np.ndarray:
        """The spend within floor and cap at which each item's marginal return comes nearest to its price."""
        steep, bend, slope, power, grows = self._shape
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if power is True:
                wanted = (steep / price) ** bend
            else:
                wanted = np.where(power, (steep / price) ** bend, np.sqrt(slope / price) - self.half)
        if grows is not True:
            wanted = np.where(grows, wanted, 0.0)
        return np.minimum(np.maximum(wanted, self.floor), self.cap)

    @functools.cached_property
    def _shape(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | bool, np.ndarray | bool]:
        """What `spend_at` needs of the curves, reckoned once; True where all are power curves, or all grow."""
        power, grows = np.isnan(self.half), self.scale > 0
        steep, bend = self.scale * self.elasticity, 1.0 / (1.0 - self.elasticity)
        return steep, bend, self.scale * self.half, bool(power.all()) or power, bool(grows.all()) or grows

    def pooled(self, spend: np.ndarray) -> np.ndarray:
        """The money of each pool."""
        return np.bincount(self.pool, spend, minlength=len(self.pool_floor))

    @property
    def least(self) -> np.ndarray:
        """What each pool takes at least."""
        return np.maximum(self.pool_floor, self.pooled(self.floor))

    @property
    def most(self) -> np.ndarray:
        """What each pool takes at most."""
        return np.minimum(self.pool_cap, self.pooled(self.cap))

    def _form(self, power: np.ndarray, saturating: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(self.half), power, saturating)


@dataclass(frozen=True)
class Level:
    """The best plan of curves alone: the common marginal return, and where a group's limit holds its items apart from it.

    price       marginal return that all unlimited items outside a binding group share
    pool_price  the same of each pool's own items
    spend       money of each item
    boost       what a unit of response is worth when the ROI floor binds: 1 + the floor's multiplier; 1 otherwise
    """

    price: float
    pool_price: np.ndarray
    spend: np.ndarray
    boost: float


def level(curves: Curves, money: float, roi: float | None = None, bonus: float = 0.0) -> Level | None:
    """Where `money` lies best, or None when the limits cannot hold; money that the caps do not take stays unspent.

    `bonus` is the response above the ROI floor that comes from elsewhere (projects).
    Method: equal marginal returns (Gibbs' lemma for separable concave programs). The money taken falls as the price rises, so
    one root gives the price; a group's limits clip the price of its own items; an ROI floor asks for a higher price, at most
    the floor itself, where response - roi * money is largest.
    """
    room = 1e-9 * max(money, 1.0)
    if (curves.floor > curves.cap).any() or (curves.least > curves.most + room).any() or curves.least.sum() > money + room:
        return None
    low, high, cheapest, dearest = _ends(curves, money)

    def at(price: float) -> np.ndarray:
        return curves.spend_at(np.clip(price, cheapest, dearest)[curves.pool])

    def above(price: float) -> float:
        spent = at(price)
        return float(curves.response(spent).sum() - (roi or 0.0) * spent.sum()) + bonus

    price, boost = _root(lambda price: float(at(price).sum()), money, low, high, high), 1.0
    if roi is not None and above(price) < 0:
        if price >= roi or above(roi) < 0:
            return None
        price = float(brentq(above, price, roi, xtol=1e-15 * roi, rtol=1e-14))
        boost = roi / max(roi - price, 1e-9 * roi)
    return Level(price, np.clip(price, cheapest, dearest), at(price), boost)


def richest(curves: Curves, money: float, roi: float) -> np.ndarray:
    """The spend at which response - roi * money is largest under the items' and groups' limits: the ROI floor's best case."""
    _, _, cheapest, dearest = _ends(curves, money)
    return curves.spend_at(np.clip(roi, cheapest, dearest)[curves.pool])


def _ends(curves: Curves, money: float) -> tuple[float, float, np.ndarray, np.ndarray]:
    """Prices below and above all that can occur; for each pool those at which its cap and its floor are just taken."""
    cheapest, dearest = np.zeros(len(curves.pool_floor)), np.full(len(curves.pool_floor), np.inf)
    grows = (curves.scale > 0) & (curves.cap > 0)
    if not grows.any():
        return 1.0, 2.0, cheapest, dearest
    low = 0.5 * float(curves.marginal(np.maximum(curves.cap, START))[grows].min())
    high = 2.0 * float(curves.marginal(np.maximum(curves.floor, START**1.5 * max(money, 1.0)))[grows].max())
    for pool in range(1, len(curves.pool_floor)):
        mine = np.flatnonzero(curves.pool == pool)
        arrays = [getattr(curves, name)[mine] for name in ("scale", "elasticity", "half", "floor", "cap")]
        limits = float(curves.pool_floor[pool]), float(curves.pool_cap[pool])
        cheapest[pool], dearest[pool] = _pool_ends(tuple(array.tobytes() for array in arrays), *limits, low, high)
    return low, high, cheapest, dearest


@functools.lru_cache(maxsize=4096)
def _pool_ends(curves: tuple[bytes, ...], floor: float, cap: float, low: float, high: float) -> tuple[float, float]:
    """The prices at which a pool's cap and its floor are just taken. Limits elsewhere move often, a pool's own seldom."""
    scale, elasticity, half, floors, caps = (np.frombuffer(array) for array in curves)
    alone = Curves(scale, elasticity, half, floors, caps, np.zeros(len(scale), dtype=np.int64), np.zeros(1), np.ones(1))

    def taken(price: float) -> float:
        return float(alone.spend_at(np.asarray(price)).sum())

    return _root(taken, cap, low, high, high), _root(taken, floor, low, high, np.inf) if floor > 0 else np.inf


def _root(taken: Callable[[float], float], money: float, low: float, high: float, beyond: float) -> float:
    """The price at which the falling `taken` equals `money`: 0 when it never takes that much, `beyond` when always more."""
    if taken(low) <= money:
        return 0.0
    if taken(high) >= money:
        return beyond
    return float(np.exp(brentq(lambda log: taken(np.exp(log)) - money, np.log(low), np.log(high), xtol=1e-14, rtol=1e-14)))


def grid(curves: Curves, money: float, segments: int = SEGMENTS) -> list[np.ndarray]:
    """Breakpoints of each item from floor to cap, quadratically spaced so that the steep beginning is finely cut."""
    steps = np.linspace(0.0, 1.0, segments + 1) ** 2
    tops = np.maximum(np.minimum(curves.cap, money), curves.floor)
    return [low + (high - low) * steps for low, high in zip(curves.floor, tops, strict=True)]


def refined(points: list[np.ndarray], near: np.ndarray, money: float) -> list[np.ndarray]:
    """The breakpoints with further ones at and around a spend of each item, within floor and cap; none closer than noise."""
    closer = []
    for mine, spend in zip(points, near, strict=True):
        wanted = np.clip(spend + money * np.r_[-AROUND[::-1], 0.0, AROUND], mine[0], mine[-1])
        every = np.unique(np.r_[mine, wanted])
        inner = every[(every > mine[0] + 0.5 * AROUND[0] * money) & (every < mine[-1] - 0.5 * AROUND[0] * money)]
        inner = inner[np.r_[True, np.diff(inner) > 0.2 * AROUND[0] * money]] if len(inner) else inner
        # The spend itself stays, however near to an end: a steep curve's first units matter.
        closer.append(np.unique(np.r_[mine[0], inner, np.clip(spend, mine[0], mine[-1]), mine[-1]]))
    return closer


def chords(curves: Curves, points: list[np.ndarray]) -> pd.DataFrame:
    """Lines through the curve at its breakpoints, never above it: item (number), spend, response."""
    return _lines(points, [_one(curves, i).response(mine) for i, mine in enumerate(points)])


def tangents(curves: Curves, points: list[np.ndarray], money: float) -> pd.DataFrame:
    """Lines that touch the curve at its breakpoints, never below it: item (number), spend, response where they meet."""
    spends, values = [], []
    for i, mine in enumerate(points):
        one = _one(curves, i)
        if mine[0] == mine[-1]:
            spends.append(mine[:1])
            values.append(one.response(mine[:1]))
            continue
        touch = np.unique(np.r_[mine[mine > 0], min(START * money, mine[-1])] if mine[0] == 0 else mine)
        value, slope = one.response(touch), one.marginal(touch)
        fall = slope[:-1] - slope[1:]
        meet = (value[1:] - slope[1:] * touch[1:] - value[:-1] + slope[:-1] * touch[:-1]) / np.where(fall > 0, fall, 1.0)
        # Slopes too alike to cross where they should meet in the middle, which is off by less than rounding.
        meet = np.where((fall > 0) & (meet > touch[:-1]) & (meet < touch[1:]), meet, (touch[:-1] + touch[1:]) / 2)
        spend = np.unique(np.r_[mine[0], meet, mine[-1]])
        nearest = np.searchsorted(meet, spend, side="right").clip(0, len(touch) - 1)
        spends.append(spend)
        values.append(value[nearest] + slope[nearest] * (spend - touch[nearest]))
    return _lines(spends, values)


def _one(curves: Curves, item: int) -> Curves:
    """A single curve, to be taken at many spends."""
    mine = slice(item, item + 1)
    return Curves(
        curves.scale[mine],
        curves.elasticity[mine],
        curves.half[mine],
        curves.floor[mine],
        curves.cap[mine],
        curves.pool[mine],
        curves.pool_floor,
        curves.pool_cap,
    )


def _lines(spends: list[np.ndarray], values: list[np.ndarray]) -> pd.DataFrame:
    number = np.repeat(np.arange(len(spends)), [len(mine) for mine in spends])
    return pd.DataFrame({"item": number, "spend": np.concatenate(spends), "response": np.concatenate(values)})
