"""Shapes of a response: what carries over, how it fades with more money, and what a year of it comes to."""

from dataclasses import dataclass

import numpy as np

# Carry-over from none to nine tenths, and half-saturation from a tenth to ten times the usual level: beyond these ends a curve
# is flat or straight within any spend that was seen, and data cannot tell how flat or how straight.
DECAYS = np.round(np.arange(0.0, 0.901, 0.05), 2)
HALVES = np.geomspace(0.1, 10.0, 13)


def adstock(spend: np.ndarray, decays: np.ndarray, before: np.ndarray | float = 0.0) -> np.ndarray:
    """Spend with what earlier spend leaves: a[t] = spend[t] + decay * a[t - 1] (geometric adstock).

    `spend` per period, `decays` 0 to below 1, `before` the adstock before the first period. Returns periods x decays. An
    impulse of 1 leaves decay ** k after k periods; a steady spend settles at spend / (1 - decay).
    Source: Broadbent 1979, One way TV advertisements work; Jin et al. 2017, Bayesian methods for media mix modeling.
    """
    decays = np.atleast_1d(np.asarray(decays, dtype=float))
    held, levels = np.broadcast_to(np.asarray(before, dtype=float), decays.shape), np.empty((len(spend), len(decays)))
    for period, money in enumerate(spend):
        held = levels[period] = money + decays * held
    return levels


def saturated(level: np.ndarray, half: np.ndarray | float) -> np.ndarray:
    """The share of the most that can be brought: level / (level + half), a half where the level is `half`."""
    return level / (level + half)


@dataclass(frozen=True)
class Shapes:
    """Every shape a channel's response is tried with; the arrays have one entry per shape.

    feature     periods x shapes: the response to the spend as it was, with mean 1, so that its coefficient is money per period
    decay       carry-over per period, 0 to 0.9
    ratio       half-saturation as a multiple of the usual adstock
    year        response of the year the return is told for, in units of the coefficient
    elasticity  of that year's response to its spend, all periods grown alike; marginal return = elasticity * return
    spend       money of that year
    """

    feature: np.ndarray
    decay: np.ndarray
    ratio: np.ndarray
    year: np.ndarray
    elasticity: np.ndarray
    spend: float


def shapes(
    spend: np.ndarray, year: np.ndarray, periods_per_year: int, decays: np.ndarray = DECAYS, halves: np.ndarray = HALVES
) -> Shapes:
    """All shapes for one channel's `spend` per period, some of it above 0; `year` (bool) are the periods told for.

    The usual level is the mean adstock of the periods with spend. What was spent before the first period is not known: the
    first year's mean is taken to have gone before it. A window of another length is brought to a year.
    """
    spend = np.asarray(spend, dtype=float)
    settled = spend[:periods_per_year].mean() / (1.0 - decays)
    levels = adstock(spend, decays, settled)
    usual = levels[spend > 0].mean(axis=0)
    half = (usual[:, None] * halves).ravel()
    level = np.repeat(levels, len(halves), axis=1)
    share = saturated(level, half)
    mean = share.mean(axis=0)
    window = share[year]
    to_year = periods_per_year / len(window)
    return Shapes(
        feature=share / mean,
        decay=np.repeat(decays, len(halves)),
        ratio=np.tile(halves, len(decays)),
        year=window.sum(axis=0) / mean * to_year,
        # d/dm of sum(m a / (m a + h)) at m = 1 is sum(share * (1 - share)).
        elasticity=(window * (1.0 - window)).sum(axis=0) / window.sum(axis=0),
        spend=float(spend[year].sum() * to_year),
    )


def yearly(spend: np.ndarray, revenue: np.ndarray, elasticity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale and half of the yearly curve scale * x / (x + half) through a year's revenue with the year's own slope there.

    The year keeps its phasing: twice the money is twice in every period. The curve meets the summed periods in value and in
    slope at `spend`; half = spend * e / (1 - e), since e = half / (spend + half) for this form.
    """
    half = spend * elasticity / (1.0 - elasticity)
    return revenue * (spend + half) / spend, half


def edges(ratio: float, decay: float) -> list[str]:
    """What to know of a curve whose `ratio` of half-saturation or `decay` lies at an end of what is tried."""
    return [
        "its half-saturation is at the upper bound, no fading is seen in the spend so far" if ratio >= HALVES[-2] else "",
        "its half-saturation is at the lower bound, it brought its most with the least spend seen"
        if ratio <= HALVES[1]
        else "",
        "its carry-over is at the upper bound" if decay >= DECAYS[-2] else "",
    ]
