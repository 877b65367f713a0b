"""Which statements a company's past bears out: weights of candidates, by how near their mixture came to what then happened.

The weights w >= 0 sum to 1 and make the least of

    sum |truth - sum_k w_k table_k| / sum |truth - last year's table|  +  (PULL / n) (1 + 1 / n) KL(w | prior),

n the years of evidence (at most MOST_EVIDENCE): forecasts combined as in Bates and Granger (1969), drawn toward what counts
before any evidence. It is found by exponentiated gradient (Kivinen and Warmuth 1997) in a stated number of steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# The sets of tests/backtest choose half of this; with it no year of theirs came out 1.03 of last year's error or more.
PULL = 0.04
MOST_EVIDENCE = 6.0
STEPS = 300
STILL = 1e-6  # a step that moves no weight by more is the last
# Weights are read from so many cells of all cases together, the largest of each case; errors are told of all.
MOST_ROWS = 20_000


@dataclass(frozen=True)
class Case:
    """One origin at one level: what came (cells), each candidate's table (cells x candidates), its weight, and its year.

    year: of what came, 0 the latest; cases of one year are one fact seen often.
    """

    truth: np.ndarray
    tables: np.ndarray
    weight: float
    year: int


@dataclass(frozen=True)
class Weighed:
    """weights: by candidate; stands: whether the mixture is used (else the first candidate's table alone).

    errors       by candidate, and `mixed` of the mixture: share of all sales that lay elsewhere, summed over cells, mean over
                 the cases; missing without any. `used` and `last` are those of what is used and of the first candidate
    expected     by case, what was expected with weights that had not seen that year (with one year only: that had)
    """

    weights: np.ndarray
    stands: bool
    errors: np.ndarray
    mixed: float
    expected: list[np.ndarray]

    @property
    def used(self) -> float:
        return self.mixed if self.stands else self.last

    @property
    def last(self) -> float:
        return float(self.errors[0])


def weigh(cases: Sequence[Case], prior: np.ndarray, years: float) -> Weighed:
    """The weights of the candidates; the first one is last year's, which stands where nothing is known.

    Where two years or more are judged, each year is also expected by the weights of the others; where that mixture came out
    farther off than the first candidate, the first stands.
    """
    first = np.eye(len(prior))[0]
    if not cases:
        return Weighed(first, False, np.full(len(prior), np.nan), float("nan"), [])
    each = np.array([[float(np.abs(case.tables[:, k] - case.truth).sum()) for k in range(len(prior))] for case in cases])
    counts = np.array([case.weight for case in cases])
    errors = counts @ each / counts.sum()
    if errors[0] <= 1e-9:
        return Weighed(first, False, errors, float(errors[0]), [case.tables[:, 0] for case in cases])
    weights = _least(cases, prior, years)
    parts = dict.fromkeys(sorted({case.year for case in cases}), weights)
    if len(parts) > 1:
        for year in parts:
            others = [case for case in cases if case.year != year]
            parts[year] = _least(others, prior, max(0.5, years - 1))
    found = [case.tables @ parts[case.year] for case in cases]
    mixed = float(counts @ [np.abs(table - case.truth).sum() for table, case in zip(found, cases, strict=True)] / counts.sum())
    if len(parts) > 1 and mixed > errors[0]:
        return Weighed(first, False, errors, mixed, [case.tables[:, 0] for case in cases])
    return Weighed(weights, True, errors, mixed, found)


def _least(cases: Sequence[Case], prior: np.ndarray, years: float) -> np.ndarray:
    """Exponentiated gradient on all cases; the corner of each absolute value is rounded by a tenth of its case's mean."""
    cases = [_largest(case, MOST_ROWS // len(cases)) for case in cases]
    tables, truth = np.concatenate([case.tables for case in cases]), np.concatenate([case.truth for case in cases])
    sizes = np.array([len(case.truth) for case in cases])
    starts, counts = np.r_[0, np.cumsum(sizes)[:-1]], np.repeat([case.weight for case in cases], sizes)
    base = float(counts @ np.abs(tables[:, 0] - truth))
    weights = prior.copy()
    if base <= 0 or years <= 0:
        return weights if years <= 0 else np.eye(len(prior))[0]
    count = min(years, MOST_EVIDENCE)
    pull = PULL / count * (1 + 1 / count)
    for step in range(STEPS):
        off = tables @ weights - truth
        soft = np.repeat(0.1 * np.add.reduceat(np.abs(off), starts) / sizes + 1e-15, sizes)
        slope = tables.T @ (counts * off / np.sqrt(off * off + soft * soft)) / base
        slope = slope + pull * np.log(np.maximum(weights, 1e-300) / prior)
        before, weights = weights, weights * np.exp(np.maximum((slope.min() - slope) / (1 + step / 10), -700.0))
        weights = weights / weights.sum()
        if np.abs(weights - before).max() < STILL:
            break
    weights = np.round(weights, 6)
    return weights / weights.sum()


def _largest(case: Case, most: int) -> Case:
    """A case with its largest cells only, by what the candidates expect of them on the mean."""
    if len(case.truth) <= most:
        return case
    kept = np.sort(np.argsort(-case.tables.mean(axis=1).round(12), kind="stable")[:most])
    return Case(case.truth[kept], case.tables[kept], case.weight, case.year)
