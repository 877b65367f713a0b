"""How a total is expected to fall over its members: last shares, their movement, and the levels above where history is thin.

A parent's shares are the company's, plus what each dimension above adds, plus what is its own. Each of these levels

- is believed by how little its months scatter against how much its parents differ (empirical Bayes; Fay and Herriot 1979,
  James and Stein 1961), the rest is what the levels above expect;
- goes on with a part of its last movement, `follow`: the slope of what came after on the movement before, over every month of
  the past from which it can be seen, with a prior around 'no change' (Bayes on a grid). Shares that wander around a mean give
  -0.5, the mean of two years; shares that step at random about 0; shares that drift about 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib.estimates.levels import Past, scaled
from planlib.estimates.openings import factors
from planlib.plan import Horizon

# Before any evidence shares stay, give or take half of their last movement; at most all of it goes on or comes back.
PRIOR_SPREAD = 0.5
FOLLOWS = np.linspace(-1.0, 1.0, 201)
PRIOR_RANGE = (-0.74, 0.74)  # nine chances in ten of a normal curve with that spread, cut at -1 and 1
# Two years make a movement, half a year after them shows whether it went on; with less `follow` is 0.
LEAST_MONTHS = 30
# Movements below a hundredth of a point of share are rounding.
LEAST_MOVEMENT = 1e-4


@dataclass(frozen=True)
class Expected:
    """The shares a level is expected to have in the open months of the plan year, and what that rests on.

    shares     the dimensions of `within`, `into`, share (0-1, sums to 1 within each parent)
    cells      the same rows: before_share and last_share (of the twelve months before, of the last twelve; missing where the
               parent sold nothing), trust (part of the expectation that is the parent's own history), year_share (of a whole
               year), share
    levels     one row per level, the company's first: level (text), follow, low, high, trust (mean, weighted by sales)
    follow     of the company's shares of `into`: what goes on of the last movement (1 all, 0 none, -0.5 the mean of two years)
    low, high  where `follow` lies with nine chances in ten
    years      how much past there is to learn `follow` from, after the first two years; 0: nothing, `follow` is 0
    note       one sentence that says all this
    """

    shares: pd.DataFrame
    cells: pd.DataFrame
    levels: pd.DataFrame
    follow: float
    low: float
    high: float
    years: float
    note: str


def expected(
    history: pd.DataFrame,
    into: str,
    horizon: Horizon,
    within: Sequence[str] = (),
    starts: Mapping[str, str] | None = None,
) -> Expected:
    """Expected shares of `into` within each cell of `within`, in the open months (REG-1, CHN-1).

    Parameters
        history  the dimensions of `within`, `into`, month, amount (minor units), all months up to `horizon.as_of`; where known
                 returned (minor units, negative): a month with more returns than sales is no silent one
        into     the dimension that is split
        within   the dimensions of the parents, none for the company
        starts   first months of members where they are known; what sold earlier was a test. By default the first sale
    What nets to returns in a window counts as 0. Members that started within a window are scaled to the whole of it; members
    that fell silent lose by how unlikely their silence is. A parent that sold nothing takes what the levels above expect.
    Raises PlanError for a history that lacks columns or sales.
    """
    dims = list(within)
    past = Past.of(history, into, horizon, dims, starts or {})
    years = max(0.0, (past.months - 24) / 12) if past.months >= LEAST_MONTHS else 0.0
    follows = _follow(past, years)

    last, before = past.pair(past.months, past.months - 12, 12)
    step, outlook, trusts = _reach(horizon), list[np.ndarray](), list[np.ndarray]()
    for level, now, then, (follow, _, _) in zip(past.levels, last, before, follows, strict=True):
        above = level.above(outlook, len(past.members))
        own = now - level.above(last, len(past.members))
        moved = own - (then - level.above(before, len(past.members)))
        trust = level.trust(own, past.months)
        share = above + trust[:, None] * np.nan_to_num(own + step * follow * np.nan_to_num(moved))
        # A company that sold nothing for a year has its whole past, or else equal shares.
        rest = above if level.dims else np.nan_to_num(level.shares(level.amounts), nan=1.0 / len(past.members))
        outlook.append(scaled(np.clip(share, 0.0, None), rest))
        trusts.append(trust)
    deepest = past.levels[-1]
    year = scaled(outlook[-1] * deepest.alive(past.started, past.sold), outlook[-1])
    opening = factors(past.levels[0].amounts[0], past.first, past.started, horizon)
    share = scaled(year * opening, year)

    frame = past.keys()
    raw = [deepest.shares(deepest.amounts[:, :, past.slice(past.months - back, 12)]).ravel() for back in (12, 0)]
    frame["before_share"], frame["last_share"] = raw
    frame["trust"] = np.repeat(trusts[-1], len(past.members))
    frame["year_share"] = year.ravel()
    frame["share"] = share.ravel()
    rows = [
        (" x ".join([*level.dims, into]), *found, float((trust * level.size(past.months)).sum()))
        for level, found, trust in zip(past.levels, follows, trusts, strict=True)
    ]
    levels = pd.DataFrame(rows, columns=["level", "follow", "low", "high", "trust"])
    note = _note(past, *follows[0], years) + _opened(into, opening, past.members)
    return Expected(frame[[*dims, into, "share"]], frame, levels, *follows[0], years, note)


def _note(past: Past, follow: float, low: float, high: float, years: float) -> str:
    if len(past.members) == 1:
        return f"{past.members[0]} is the only {past.into}: no share can move."
    if years <= 0:
        span = "the last twelve months'" if past.months >= 12 else "the known months'"
        return f"Under {LEAST_MONTHS} months of history do not tell whether shares drift: {span} shares stand."
    part, way = f"{abs(follow):.0%}" if round(follow, 2) else "none", "be undone" if round(follow, 2) < 0 else "go on"
    return (
        f"The company's own past says: of the last movement of shares by {past.into}, {part} is expected to {way} "
        f"(90% interval: {_way(low)} to {_way(high)})."
    )


def _opened(into: str, opening: np.ndarray, members: list[str]) -> str:
    """Whose share of the open months differs from its share of the year, where some months have closed."""
    if np.abs(opening - 1).max(initial=0.0) < 0.005:
        return ""
    most, least = members[int(opening.argmax())], members[int(opening.argmin())]
    return (
        f" Shares are those of the open months by {into}: their season gives {most} {opening.max() - 1:+.0%} and {least} "
        f"{opening.min() - 1:+.0%} beside a year's share."
    )


def _way(part: float) -> str:
    return f"{abs(part):.0%} {'undone' if round(part, 2) < 0 else 'going on'}"


def _reach(horizon: Horizon) -> float:
    """Years from the middle of the last twelve months to the middle of the open ones: 1 for a plan made before its year."""
    ahead = [pd.Period(month, freq="M").ordinal for month in horizon.open]
    if not ahead:
        return 0.0
    last = pd.Period(f"{horizon.as_of:%Y-%m}", freq="M").ordinal
    return float(sum(ahead) / len(ahead) - (last - 5.5)) / 12


def _follow(past: Past, years: float) -> list[tuple[float, float, float]]:
    """By level: how much of a movement of shares went on afterwards; mean, low and high of what the past leaves possible.

    From each month with two years before it: x, the movement of the last twelve months on the twelve before, carried to the
    middle of what follows; y, what the next months (up to twelve) were off the last twelve. y = follow * x, in points of the
    level's sales. Overlapping windows are one fact seen often: they count as `years`, cells by how evenly y spreads on them.
    """
    if years <= 0:
        return [(0.0, *PRIOR_RANGE)] * len(past.levels)
    members = len(past.members)
    gathered = [np.zeros((4, len(level.amounts), members)) for level in past.levels]
    for end in range(24, past.months - 2):
        length = min(12, past.months - end)
        after, at = past.pair(end + length, end, length)
        last, before = past.pair(end, end - 12, 12)
        for number, level in enumerate(past.levels):
            late, now = (found[number] - level.above(found, members) for found in (after, at))
            here, early = (found[number] - level.above(found, members) for found in (last, before))
            x, y = (6 + length / 2) / 12 * (here - early), late - now
            known = np.isfinite(x) & np.isfinite(y)
            part = length / 12 * np.where(known, level.size(end)[:, None], 0.0)
            gathered[number] += np.stack([part, *(part * np.where(known, square, 0.0) for square in (x * x, x * y, y * y))])
    return [_posterior(sums, years) for sums in gathered]


def _posterior(sums: np.ndarray, years: float) -> tuple[float, float, float]:
    """Mean and nine-in-ten range of `follow`; `sums`: of weights, xx, xy and yy over the past, each parents x members.

    Every cell has a variance of its own, unknown (Jeffreys): one launch that moves by itself is one witness, not the judge.
    """
    part, xx, xy, yy = sums
    moved = (part > 0) & (yy / np.where(part > 0, part, 1.0) > LEAST_MOVEMENT**2)
    if not moved.any():
        return 0.0, *PRIOR_RANGE
    vote = part[moved] / part[moved].sum()
    witnesses = 1 / float((vote**2).sum()) * (1 - 1 / part.shape[1])
    xx, xy, yy = (each[moved] / part[moved] for each in (xx, xy, yy))
    rest = np.maximum(yy - 2 * FOLLOWS[:, None] * xy + FOLLOWS[:, None] ** 2 * xx, 0.0) + LEAST_MOVEMENT**2
    log = -0.5 * years * witnesses * (np.log(rest) @ vote) - 0.5 * (FOLLOWS / PRIOR_SPREAD) ** 2
    chance = np.exp(log - log.max())
    chance = chance / chance.sum()
    bounds = np.searchsorted(np.cumsum(chance), np.array([0.05, 0.95]))
    low, high = (round(float(value), 6) for value in FOLLOWS[bounds])
    return round(float((chance * FOLLOWS).sum()), 6), low, high
