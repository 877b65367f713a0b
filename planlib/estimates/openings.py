"""How much more or less of a member's year falls in the open months than of the company's: a year's share is no share of them.

A cooler that sells from April to September has half of the year and next to nothing of the last quarter. The part of each past
year that fell in the same months is taken over the twelve months around them, so that a drift is no season (the centred mean of
Macaulay 1931, The smoothing of time series), and drawn toward the company's part by how little its years agree against how much
members differ (random effects, DerSimonian and Laird 1986).
"""

import numpy as np

from planlib.plan import Horizon

# A member's half of a year lies this far off its next one (share of itself), and that counts as so many years.
USUAL, PRIOR_YEARS = 0.06, 2.0
YEAR = 12


def factors(amounts: np.ndarray, first: int, started: np.ndarray, horizon: Horizon) -> np.ndarray:
    """What a member's share of a year is to be multiplied by to be its share of the open months, before scaling to 1.

    Parameters
        amounts  members x months, up to the last closed one
        first    ordinal of the first month (of its pandas Period)
        started  place of each member's first month; a window that begins before it does not count
    All 1 where no month or every month is closed, or where under a year is known. Returns one factor per member.
    """
    members, count = amounts.shape
    ahead = [_ordinal(month) for month in horizon.open]
    if not ahead or len(ahead) == YEAR or count < YEAR:
        return np.ones(members)
    past = [_part(amounts, ahead[0] - first - YEAR * back, len(ahead), started) for back in range(1, count // YEAR + 1)]
    parts = [part for part in past if part is not None] or [_last(amounts, ahead, first, started)]
    inside, around = np.array([part[0] for part in parts]), np.array([part[1] for part in parts])  # years x members
    usual = inside.sum(axis=1) / np.maximum(1e-12, around.sum(axis=1))
    told = around > 0
    seen = told.sum(axis=0)
    base = (around * usual[:, None]).sum(axis=0)
    ratio = np.divide(inside.sum(axis=0), base, out=np.ones(members), where=base > 0)
    mean = float(np.clip(usual.mean(), 1e-6, 1 - 1e-6))
    part = np.clip(ratio * mean, 0.0, 1.0)
    # The error of a part p of a year goes as p (1 - p): what never sells in these months hardly errs.
    unit = np.maximum(part * (1 - part) / mean**2, 1e-9)
    yearly = np.divide(inside, around * usual[:, None], out=np.ones_like(inside), where=told & (usual[:, None] > 0))
    off = np.where(told, (yearly - ratio) ** 2 / unit, 0.0).sum(axis=0)
    scatter = (PRIOR_YEARS * USUAL**2 + off) / (PRIOR_YEARS + np.maximum(0, seen - 1))
    error = scatter * unit / np.maximum(1, seen)
    weight = np.where(seen > 0, around.sum(axis=0), 0.0)
    if weight.sum() <= 0:
        return np.ones(members)
    weight = weight / weight.sum()
    between = max(0.0, float((weight * ((ratio - 1) ** 2 - error)).sum()))
    trust = np.where(seen > 0, between / (between + error), 0.0)
    return 1 + trust * (ratio - 1)


def _part(amounts: np.ndarray, start: int, length: int, started: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """What each member sold in the `length` months from `start` and in the twelve around them; None where not known."""
    reach = (YEAR - length + 1) // 2
    low, high = start - reach, start + length + reach
    if low < 0 or high > amounts.shape[1]:
        return None
    weight = np.ones(high - low)
    weight[[0, -1]] = 0.5 if (YEAR - length) % 2 else 1.0
    return _told(amounts[:, start : start + length].sum(axis=1), amounts[:, low:high] @ weight, started <= low)


def _last(amounts: np.ndarray, ahead: list[int], first: int, started: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of the last twelve months, where no past year has all twelve around them."""
    places = np.array(ahead) - first - YEAR
    whole = started <= amounts.shape[1] - YEAR
    return _told(amounts[:, places].sum(axis=1), amounts[:, -YEAR:].sum(axis=1), whole)


def _told(inside: np.ndarray, around: np.ndarray, whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    around = np.where(whole, np.clip(around, 0.0, None), 0.0)
    return np.where(whole, np.clip(inside, 0.0, around), 0.0), around


def _ordinal(month: str) -> int:
    return int(month[:4]) * YEAR + int(month[5:]) - 1 - 1970 * YEAR
