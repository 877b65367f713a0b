"""A pause is not an end: which silent months say that a member no longer sells, and which are its season."""

import numpy as np

# A member that misses this many months in which it sold a year before has ended; one alone may be chance.
MISSED = 3


def missed(sold: np.ndarray, year: int = 12) -> np.ndarray:
    """How many months since its last sale a member was silent where it sold a year earlier.

    `sold`: whether each month sold, months on the last axis up to the last known one; `year`: how many months a year has. In
    its first year every silent month counts, for nobody knows its season yet. A season's pause counts 0, however long; what
    never sold has 0.
    """
    months = sold.shape[-1]
    order = np.arange(1, months + 1)
    latest = (sold * order).max(axis=-1, initial=0)
    first = np.where(latest > 0, months - (sold * order[::-1]).max(axis=-1, initial=0), months)
    after = order > latest[..., None]
    year_ago = np.concatenate([np.zeros((*sold.shape[:-1], min(year, months)), bool), sold[..., :-year]], axis=-1)[..., :months]
    young = np.arange(months) < first[..., None] + year
    return np.where(latest > 0, (after & (year_ago | young)).sum(axis=-1), 0)
