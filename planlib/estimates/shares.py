"""How a total is expected to fall over its members: last shares, their movement, and the levels above where history is thin.

A parent's shares are the company's, plus what each dimension above adds, plus what is its own. Each of these levels

- is believed by how little its months scatter against how much its parents differ (empirical Bayes; Fay and Herriot 1979,
  James and Stein 1961), the rest is what the levels above expect;
- goes on with a part of its last movement, `follow`: the slope of what came after on the movement before, over every month of
  the past from which it can be seen, with a prior around 'no change' (Bayes on a grid). Shares that wander around a mean give
  -0.5, the mean of two years; shares that step at random about 0; shares that drift about 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib.errors import PlanError
from planlib.plan import AMOUNT, Horizon

# Before any evidence shares stay, give or take half of their last movement; at most all of it goes on or comes back.
PRIOR_SPREAD = 0.5
FOLLOWS = np.linspace(-1.0, 1.0, 201)
PRIOR_RANGE = (-0.74, 0.74)  # nine chances in ten of a normal curve with that spread, cut at -1 and 1
# Two years make a movement, half a year after them shows whether it went on; with less `follow` is 0.
LEAST_MONTHS = 30
# Movements below a hundredth of a point of share are rounding.
LEAST_MOVEMENT = 1e-4
# Months of a parent's own that its scatter must show before it counts as much as the level's.
SCATTER_MONTHS = 12.0
# A member that has just started is believed by half after one month, by three quarters after three.
START_MONTHS = 1.0
# A member stops for good about once in three years: what its silence is weighed against.
LIFE_MONTHS = 36.0


@dataclass(frozen=True)
class Expected:
    """The shares a level is expected to have in the open months of the plan year, and what that rests on.

    shares     the dimensions of `within`, `into`, share (0-1, sums to 1 within each parent)
    cells      the same rows: before_share and last_share (of the twelve months before, of the last twelve; missing where the
               parent sold nothing), trust (part of the expectation that is the parent's own history), share
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


def expected(history: pd.DataFrame, into: str, horizon: Horizon, within: Sequence[str] = ()) -> Expected:
    """Expected shares of `into` within each cell of `within`.

    Parameters
        history  the dimensions of `within`, `into`, month, amount (minor units), all months up to `horizon.as_of`
        into     the dimension that is split
        within   the dimensions of the parents, none for the company
    What nets to returns in a window counts as 0. Members that started within a window are scaled to the whole of it; members
    that fell silent lose by how unlikely their silence is. A parent that sold nothing takes what the levels above expect.
    Raises PlanError for a history that lacks columns or sales.
    """
    dims = list(within)
    past = _Past.of(history, into, horizon, dims)
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
        outlook.append(_scaled(np.clip(share, 0.0, None), above))
        trusts.append(trust)
    deepest = past.levels[-1]
    share = _scaled(outlook[-1] * deepest.alive(past.started), outlook[-1])

    frame = past.keys()
    raw = [deepest.shares(deepest.amounts[:, :, past.slice(past.months - back, 12)]).ravel() for back in (12, 0)]
    frame["before_share"], frame["last_share"] = raw
    frame["trust"] = np.repeat(trusts[-1], len(past.members))
    frame["share"] = share.ravel()
    rows = [
        (" x ".join([*level.dims, into]), *found, float((trust * level.size(past.months)).sum()))
        for level, found, trust in zip(past.levels, follows, trusts, strict=True)
    ]
    levels = pd.DataFrame(rows, columns=["level", "follow", "low", "high", "trust"])
    note = _note(into, *follows[0], years)
    return Expected(frame[[*dims, into, "share"]], frame, levels, *follows[0], years, note)


def _note(into: str, follow: float, low: float, high: float, years: float) -> str:
    if years <= 0:
        return f"Under {LEAST_MONTHS} months of history do not tell whether shares drift: the last twelve months' stand."
    part, way = f"{abs(follow):.0%}" if round(follow, 2) else "none", "come back" if round(follow, 2) < 0 else "go on"
    return (
        f"By the company's own past, {part} of the last movement of shares by {into} is expected to {way} "
        f"(nine chances in ten: {low:+.0%} to {high:+.0%})."
    )


@dataclass(frozen=True)
class _Level:
    """Parents x members x months of one level, and where its parents stand in the levels above."""

    dims: list[str]
    amounts: np.ndarray
    places: list[np.ndarray]

    def above(self, found: Sequence[np.ndarray], members: int) -> np.ndarray:
        """What the levels above say of this one's parents: the company's shares plus what each dimension adds to them."""
        count = len(self.amounts)
        if not self.dims:
            return np.zeros((count, members))
        company = found[0][0]
        if not self.places:
            return np.tile(company, (count, 1))
        added = sum(found[1 + at][place] - company for at, place in enumerate(self.places))
        return _scaled(np.clip(np.nan_to_num(company + added), 0.0, None), np.tile(company, (count, 1)))

    @staticmethod
    def shares(window: np.ndarray) -> np.ndarray:
        """Shares of each parent: parents x members; missing where it sold nothing."""
        sums = np.clip(window.sum(axis=2), 0.0, None)
        total = sums.sum(axis=1, keepdims=True)
        return np.divide(sums, total, out=np.full(sums.shape, np.nan), where=total > 0)

    def size(self, end: int) -> np.ndarray:
        """Each parent's part of the level's last twelve months before month `end`."""
        total = np.clip(self.amounts[:, :, max(0, end - 12) : end].sum(axis=(1, 2)), 0.0, None)
        return total / max(1.0, float(total.sum()))

    def trust(self, own: np.ndarray, end: int) -> np.ndarray:
        """How far each parent's own part is believed, 0-1: how much parents differ, over that and the scatter of its months.

        Scatter is the variance of a share, a ratio of sums over months (Cochran 1977, 6.3), from one month to the next so that
        a drift is none; how much parents differ beyond it is estimated by moments, larger parents counting more.
        """
        if not self.dims:
            return np.ones(1)
        window = self.amounts[:, :, max(0, end - 12) : end]
        total = window.sum(axis=1)
        active = (total > 0).sum(axis=1)
        left = window - np.nan_to_num(self.shares(window))[:, :, None] * total[:, None, :]
        square = (np.diff(left, axis=2) ** 2).sum(axis=(1, 2)) / 2 * total.shape[1] / max(1, total.shape[1] - 1)
        sales = np.maximum(1.0, total.sum(axis=1))
        # Two orders of a kind scatter by nothing: a parent's scatter, per unit of sales, is drawn toward the level's.
        own_scatter = square / sales
        usual = float((active * own_scatter).sum()) / max(1, int(active.sum()))
        scatter = (active * own_scatter + SCATTER_MONTHS * usual) / (active + SCATTER_MONTHS) / sales
        told = active >= 2
        weight = np.where(told, self.size(end), 0.0)
        if weight.sum() <= 0:
            return np.zeros(len(total))
        differ = float((weight * (np.nan_to_num(own) ** 2).sum(axis=1)).sum() - (weight * scatter).sum()) / weight.sum()
        differ = max(0.0, differ)
        return np.where(told & (differ > 0), differ / np.maximum(1e-12, differ + scatter), 0.0)

    def alive(self, started: np.ndarray) -> np.ndarray:
        """The chance that each cell still sells, from the months it has been silent: parents x members, 0-1.

        A silent month counts where the cell sold a year earlier, so that a season's pause is none. What a parent never sold in
        a year or more of its own stays 0, unless the member has only just started anywhere.
        """
        sold = self.amounts > 0
        months = sold.shape[2]
        order = np.arange(1, months + 1)
        latest = (sold * order).max(axis=2)
        first = np.where(latest > 0, months - (sold * order[::-1]).max(axis=2), months)
        after = order > latest[:, :, None]
        year_ago = np.concatenate([np.ones((*sold.shape[:2], min(12, months)), bool), sold[:, :, :-12]], axis=2)[:, :, :months]
        missed = (after & year_ago).sum(axis=2)
        rate = (sold.sum(axis=2) + 1) / (np.maximum(0, latest - first) + 2)
        still = (1 - np.minimum(rate, 0.999)) ** missed
        chance = still / (still + missed / LIFE_MONTHS)
        busy = (sold.any(axis=1).sum(axis=1) >= 12)[:, None]
        never = np.where(busy & (started <= months - 12)[None, :], 0.0, 1.0)
        return np.where(latest > 0, chance, never)


@dataclass(frozen=True)
class _Past:
    """Every level of a history: the company, each dimension above, the parents themselves."""

    into: str
    parents: pd.DataFrame
    members: list[str]
    months: int
    levels: list[_Level]
    started: np.ndarray

    @classmethod
    def of(cls, history: pd.DataFrame, into: str, horizon: Horizon, dims: list[str]) -> "_Past":
        lacking = [name for name in [*dims, into, "month", AMOUNT] if name not in history.columns]
        if lacking:
            raise PlanError(f"shares of {into}: the history lacks {lacking}, expected {[*dims, into, 'month', AMOUNT]}.")
        table = history[history["month"] <= f"{horizon.as_of:%Y-%m}"]
        sums = table.groupby([*dims, into, "month"], sort=True)[AMOUNT].sum().rename("sum").reset_index()
        if not (sums["sum"] > 0).any():
            raise PlanError(f"shares of {into}: no sales up to {horizon.as_of}, expected at least one month of them.")
        sums = sums[sums["month"] >= sums.loc[sums["sum"] > 0, "month"].min()]
        every = pd.period_range(sums["month"].min(), f"{horizon.as_of:%Y-%m}", freq="M")
        months, members = [str(month) for month in every], sorted(table[into].unique())
        parents = table[dims].drop_duplicates().sort_values(dims, ignore_index=True) if dims else pd.DataFrame(index=[0])
        number = parents.assign(_row=range(len(parents)))
        row = sums[dims].merge(number, how="left", on=dims)["_row"].to_numpy() if dims else np.zeros(len(sums), int)
        amounts = np.zeros((len(parents), len(members), len(months)))
        amounts[row, pd.Index(members).get_indexer(sums[into]), pd.Index(months).get_indexer(sums["month"])] = sums["sum"]

        levels, places = [_Level([], amounts.sum(axis=0, keepdims=True), [])], []
        for name in dims if len(dims) > 1 else []:
            place, groups = pd.factorize(parents[name], sort=True)
            total = np.zeros((len(groups), *amounts.shape[1:]))
            np.add.at(total, place, amounts)
            levels.append(_Level([name], total, []))
            places.append(place)
        if dims:
            levels.append(_Level(dims, amounts, places))
        sold = levels[0].amounts[0] > 0
        started = np.where(sold.any(axis=1), sold.argmax(axis=1), len(months))
        return cls(into, parents, members, len(months), levels, started)

    def keys(self) -> pd.DataFrame:
        names = pd.DataFrame({self.into: self.members})
        return self.parents.merge(names, how="cross") if len(self.parents.columns) else names

    def slice(self, end: int, length: int) -> slice:
        return slice(max(0, end - length), max(0, end))

    def shares(self, end: int, length: int) -> list[np.ndarray]:
        """Shares in a window by level, a member that started within it scaled to the whole of it."""
        at = self.slice(end, length)
        total = self.levels[0].amounts[0, :, at].sum(axis=0)
        since = np.array([total[max(0, start - at.start) :].sum() for start in self.started])
        months = np.clip(end - self.started, 0, length)
        whole = np.where(since > 0, total.sum() / np.where(since > 0, since, 1.0), 1.0)
        factor = 1 + (whole - 1) * months / (months + START_MONTHS)
        factor = np.where(self.started <= at.start, 1.0, factor)
        return [level.shares(level.amounts[:, :, at] * factor[None, :, None]) for level in self.levels]

    def pair(self, end: int, before: int, length: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Shares of the window that ends at `end` and of the twelve months that end at `before`, by level.

        A member that had not started at `before` stands there with its later share, the others make room: a start is no drift.
        """
        now, then = self.shares(end, length), self.shares(before, 12)
        fresh = (self.started >= before)[None, :]
        room = [1 - np.where(fresh, late, 0.0).sum(axis=1, keepdims=True) for late in now]
        return now, [np.where(fresh, late, early * left) for late, early, left in zip(now, then, room, strict=True)]


def _scaled(share: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Rows that sum to 1; a row of zeros becomes `otherwise`."""
    total = share.sum(axis=1, keepdims=True)
    return np.where(total > 0, share / np.where(total > 0, total, 1.0), otherwise)


def _reach(horizon: Horizon) -> float:
    """Years from the middle of the last twelve months to the middle of the open ones: 1 for a plan made before its year."""
    ahead = [pd.Period(month, freq="M").ordinal for month in horizon.open]
    if not ahead:
        return 0.0
    last = pd.Period(f"{horizon.as_of:%Y-%m}", freq="M").ordinal
    return float(sum(ahead) / len(ahead) - (last - 5.5)) / 12


def _follow(past: _Past, years: float) -> list[tuple[float, float, float]]:
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
