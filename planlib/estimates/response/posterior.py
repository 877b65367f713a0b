"""What data leave open: draws of every channel's shape and size that agree with the outcome."""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtri_exp


@dataclass(frozen=True)
class Draws:
    """Draws from the posterior, in a fixed order.

    shape  draws x channels: number of the shape; size: draws x channels: money per period that the channel brings on average
    noise  draws: variance of the error, once freed of its memory; memory: correlation of an error with the one before it
    """

    shape: np.ndarray
    size: np.ndarray
    noise: np.ndarray
    memory: float

    def brought(self, features: list[np.ndarray]) -> np.ndarray:
        """What all channels together brought in each period, the mean of the draws."""
        parts = [feature[:, self.shape[:, c]] @ self.size[:, c] for c, feature in enumerate(features)]
        return np.sum(parts, axis=0) / len(self.shape)


def posterior(
    outcome: np.ndarray,
    baseline: np.ndarray,
    features: list[np.ndarray],
    ceiling: float,
    rng: np.random.Generator,
    chains: int = 100,
    sweeps: int = 60,
    kept: int = 10,
) -> Draws:
    """Draws of outcome = baseline @ anything + sum of size * feature[shape] + error.

    Parameters
        outcome   per period; baseline: periods x terms; features: one table per channel, periods x shapes, mean about 1
        ceiling   all sizes together stay below it, none below 0; before the data each is exponential, half of it in all on
                  average. Equally likely sizes would put all of it on the channels, the more so the more channels there are
        chains    run beside each other from random shapes, each for `sweeps`; its last `kept` sweeps are given
    Returns Draws, chains * kept of them. The error's memory is estimated first, from a shorter run, and taken out of all
    series (Prais and Winsten 1954).
    Method: Gibbs sampling (Geman and Geman 1984) of the model of Jin et al. 2017, with shapes on a grid. The baseline and, for
    each channel's shape, its size are integrated in closed form. Pairs of channels also trade size for size: two channels
    whose spends move together would otherwise hardly move at all.
    """
    pilot = _run(outcome, baseline, features, ceiling, rng, max(chains // 2, 10), max(sweeps // 2, 10), 5, 0.0)
    rest = outcome - pilot.brought(features)
    rest = rest - _span(baseline) @ (_span(baseline).T @ rest)
    memory = float(np.clip(round(float(rest[1:] @ rest[:-1] / max(rest @ rest, 1e-300)), 9), 0.0, 0.9))
    return _run(outcome, baseline, features, ceiling, rng, chains, sweeps, kept, memory)


def freed(series: np.ndarray, memory: float) -> np.ndarray:
    """The series less what the period before explains of it: errors with that memory become independent."""
    return np.concatenate([series[:1] * np.sqrt(1.0 - memory**2), series[1:] - memory * series[:-1]])


def cut_normal(
    mean: np.ndarray, spread: np.ndarray, low: np.ndarray | float, high: np.ndarray | float, chance: np.ndarray
) -> np.ndarray:
    """The value that a normal variable cut to low-high stays below with a `chance` of 0-1; stable far in the tails."""
    mirrored = mean > (low + high) / 2
    mean, low, high = np.where(mirrored, -mean, mean), np.where(mirrored, -high, low), np.where(mirrored, -low, high)
    above = np.where(mirrored, chance, 1.0 - chance)
    over_low, over_high = log_ndtr((mean - low) / spread), log_ndtr((mean - high) / spread)
    over = over_low + np.log(above + (1.0 - above) * np.exp(over_high - over_low))
    value = np.clip(mean - spread * ndtri_exp(over), low, high)
    return np.where(mirrored, -value, value)


def _span(baseline: np.ndarray) -> np.ndarray:
    """Orthogonal columns that span the baseline, without those that repeat others."""
    left, strength, _ = np.linalg.svd(baseline / np.maximum(np.abs(baseline).max(axis=0), 1e-300), full_matrices=False)
    return left[:, strength > 1e-9 * strength[0]]


def _run(
    outcome: np.ndarray,
    baseline: np.ndarray,
    features: list[np.ndarray],
    ceiling: float,
    rng: np.random.Generator,
    chains: int,
    sweeps: int,
    kept: int,
    memory: float,
) -> Draws:
    span = _span(freed(baseline, memory))
    every = freed(np.hstack(features), memory)
    left = every - span @ (span.T @ every)
    rest = freed(outcome, memory)
    rest = rest - span @ (span.T @ rest)
    # A feature that the baseline explains wholly says nothing; the floor keeps its size uniform instead of undefined.
    gram = left.T @ left
    gram[np.diag_indices_from(gram)] += 1e-9 * (every**2).sum(axis=0)
    cross, total, degrees = left.T @ rest, float(rest @ rest), max(len(outcome) - span.shape[1], 1)

    start = np.cumsum([0, *(feature.shape[1] for feature in features)])
    channels = len(features)
    thrift = 2.0 * channels / ceiling
    shape = np.column_stack([rng.integers(first, last, chains) for first, last in itertools.pairwise(start)])
    size, noise = np.zeros((chains, channels)), np.full(chains, total / degrees)
    shapes_kept, sizes_kept, noise_kept = [], [], []
    for sweep in range(sweeps):
        for c in range(channels):
            size[:, c] = 0.0
            block = slice(start[c], start[c + 1])
            fit = cross[block] - np.einsum("kc,kcg->kg", size, gram[shape, block]) - noise[:, None] * thrift
            strength = np.diagonal(gram)[block]
            room = np.maximum(ceiling - size.sum(axis=1), 1e-9 * ceiling)
            mean, spread = fit / strength, np.sqrt(noise[:, None] / strength)
            number = _chosen(_evidence(mean, spread, room[:, None]), rng.random(chains))
            shape[:, c] = start[c] + number
            picked = (np.arange(chains), number)
            size[:, c] = cut_normal(mean[picked], spread[picked], 0.0, room, rng.random(chains))
        among, onto = gram[shape[:, :, None], shape[:, None, :]], cross[shape]
        for one in range(channels):
            for other in range(one + 1, channels):
                _trade(size, among, onto, noise, ceiling, thrift, one, other, rng.random(chains))
        errors = total - 2.0 * (size * onto).sum(axis=1) + np.einsum("ki,kij,kj->k", size, among, size)
        noise = np.maximum(errors, 1e-12 * total + 1e-300) / (2.0 * rng.standard_gamma(degrees / 2.0, chains))
        if sweep >= sweeps - kept:
            shapes_kept.append(shape - start[:-1])
            sizes_kept.append(size.copy())
            noise_kept.append(noise)
    return Draws(np.concatenate(shapes_kept), np.concatenate(sizes_kept), np.concatenate(noise_kept), memory)


def _evidence(mean: np.ndarray, spread: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Log of the likelihood of a shape, its size integrated over 0 to `room`, but for a constant."""
    mirrored = mean > room / 2
    nearer = np.where(mirrored, room - mean, mean)
    over_low, over_high = log_ndtr(nearer / spread), log_ndtr((nearer - room) / spread)
    inside = over_low + np.log(-np.expm1(np.minimum(over_high - over_low, -1e-15)))
    return 0.5 * (mean / spread) ** 2 + np.log(spread) + inside


def _chosen(evidence: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """One column per row, with the probability its log evidence gives it."""
    reach = np.cumsum(np.exp(evidence - evidence.max(axis=1, keepdims=True)), axis=1)
    return (reach < (chance * reach[:, -1])[:, None]).sum(axis=1)


def _trade(
    size: np.ndarray,
    among: np.ndarray,
    onto: np.ndarray,
    noise: np.ndarray,
    ceiling: float,
    thrift: float,
    one: int,
    other: int,
    chance: np.ndarray,
) -> None:
    """Move size between two channels along the line on which the fit changes least; `size` is changed in place."""
    first = 1.0 / np.sqrt(among[:, one, one])
    second = -np.sign(among[:, one, other]) / np.sqrt(among[:, other, other])
    # Channels that have nothing in common are moved well enough one by one; 0 here would only repeat that.
    pull = first * (onto[:, one] - (among[:, one] * size).sum(axis=1)) - noise * (first + second) * thrift
    pull = pull + second * (onto[:, other] - (among[:, other] * size).sum(axis=1))
    weight = first**2 * among[:, one, one] + second**2 * among[:, other, other]
    weight = np.maximum(weight + 2.0 * first * second * among[:, one, other], 1e-12)
    room = np.maximum(ceiling - size.sum(axis=1), 0.0)
    low, high = -size[:, one] / first, np.full(len(first), np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        edge = np.where(second == 0, np.inf, -size[:, other] / second)
        top = np.where(first + second == 0, np.inf, room / (first + second))
    low = np.where(second > 0, np.maximum(low, edge), low)
    high = np.where(second < 0, np.minimum(high, edge), high)
    high = np.where(first + second > 0, np.minimum(high, top), high)
    low = np.where(first + second < 0, np.maximum(low, top), low)
    step = cut_normal(pull / weight, np.sqrt(noise / weight), np.minimum(low, high), high, chance)
    size[:, one] = np.maximum(size[:, one] + step * first, 0.0)
    size[:, other] = np.maximum(size[:, other] + step * second, 0.0)
