"""Time to read returns from total revenue: ours with its intervals against SciPy's nonlinear least squares from many starts.

The peer fits the same model (trend, season, per channel a carry-over, a half-saturation and a size) to one best point, without
intervals or a word on what the data tell: it is asked for less. Truth is known: three channels over three years.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
from scipy.optimize import least_squares

from planlib.estimates.response import fit
from tests.estimates.response.worlds import WEEKS, World, world

STARTS = 20


def peer(made: World) -> dict[str, float]:
    """Last year's return per channel by the best of `STARTS` least-squares fits."""
    weeks = len(made.revenue)
    time_, y = np.arange(weeks), made.revenue.to_numpy()
    angles = [2 * np.pi * pair * time_ / WEEKS for pair in (1, 2, 3)]
    waves = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
    base = np.column_stack([np.ones(weeks), time_ / weeks, *waves])
    span = np.linalg.qr(base)[0]
    spends = made.spend.to_numpy().T
    scale = y.mean()

    def brought(parameters: np.ndarray) -> np.ndarray:
        decays, halves, sizes = parameters.reshape(3, -1)
        level, held = np.empty_like(spends), spends[:, :WEEKS].mean(axis=1) / (1 - decays)
        for week in range(weeks):
            held = level[:, week] = spends[:, week] + decays * held
        usual = np.array([one[money > 0].mean() for one, money in zip(level, spends, strict=True)])
        share = level / (level + (np.exp(halves) * usual)[:, None])
        return sizes[:, None] * share / share.mean(axis=1, keepdims=True)

    def errors(parameters: np.ndarray) -> np.ndarray:
        rest = y / scale - brought(parameters).sum(axis=0)
        return rest - span @ (span.T @ rest)

    channels = len(spends)
    low = np.repeat([0.0, np.log(0.1), 0.0], channels)
    high = np.repeat([0.9, np.log(10.0), 1.0], channels)
    rng = np.random.Generator(np.random.PCG64(1))
    starts = [low + (high - low) * rng.uniform(0.05, 0.95, len(low)) for _ in range(STARTS)]
    best = min((least_squares(errors, start, bounds=(low, high)) for start in starts), key=lambda found: found.cost)
    year = brought(best.x)[:, -WEEKS:].sum(axis=1) * scale / spends[:, -WEEKS:].sum(axis=1)
    return dict(zip(made.spend.columns, year, strict=True))


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(rounds: int = 5) -> None:
    """Median of the pairs' ratios, and how far each reading is from the truth."""
    pairs, ours, theirs, inside = [], [], [], []
    for seed in range(rounds):
        made = world(seed)
        pairs.append((seconds(lambda made=made: fit(made.spend, made.revenue)), seconds(lambda made=made: peer(made))))
        curves, other = fit(made.spend, made.revenue).curves.set_index("item"), peer(made)
        for name, true in made.roi.items():
            ours.append(abs(curves.at[name, "roi"] / true - 1))
            theirs.append(abs(other[name] / true - 1))
            inside.append(curves.at[name, "roi_low"] <= true <= curves.at[name, "roi_high"])
    own, one = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(
        f"returns of 3 channels, 156 weeks: planlib {own:.2f} s with intervals, SciPy least squares from {STARTS} starts "
        f"{one:.2f} s without, median ratio {ratio:.2f} of {rounds} pairs; median error of a return "
        f"{statistics.median(ours):.0%} and {statistics.median(theirs):.0%}, "
        f"truth inside {sum(inside)} of {len(inside)} 90% intervals"
    )
