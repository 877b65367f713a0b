"""A history as levels: the company, each dimension above a split, the parents themselves; their shares, and who still sells.

A member that starts within a window is scaled to the whole of it, and starting or ending is no drift. How far a parent's own
shares are believed is measured by how its months scatter against how much parents differ (empirical Bayes; Fay and Herriot
1979, James and Stein 1961).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib.errors import PlanError
from planlib.plan import AMOUNT, Horizon

# Months of a parent's own that its scatter must show before it counts as much as the level's.
SCATTER_MONTHS = 12.0
# A member that has just started is believed by half after one month, by three quarters after three.
START_MONTHS = 1.0
# A member stops for good about once in three years: what its silence is weighed against.
LIFE_MONTHS = 36.0
NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class Level:
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
        return scaled(np.clip(np.nan_to_num(company + added), 0.0, None), np.tile(company, (count, 1)))

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

    def alive(self, started: np.ndarray, sold: np.ndarray) -> np.ndarray:
        """The chance that each cell still sells, from the months it has been silent: parents x members, 0-1.

        `started`: each member's first month anywhere; `sold`: whether each cell sold in each month, whatever came back in it.
        A silent month counts where the cell sold a year earlier, so that a season's pause is none. What a parent never sold in
        a year or more of its own stays 0, unless the member has only just started anywhere.
        """
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
class Past:
    """Every level of a history: the company, each dimension above, the parents themselves."""

    into: str
    parents: pd.DataFrame
    members: list[str]
    months: int
    levels: list[Level]
    started: np.ndarray
    sold: np.ndarray
    first: int

    @classmethod
    def of(
        cls, history: pd.DataFrame, into: str, horizon: Horizon, dims: list[str], starts: Mapping[str, str] = NONE
    ) -> "Past":
        lacking = [name for name in [*dims, into, "month", AMOUNT] if name not in history.columns]
        if lacking:
            raise PlanError(f"shares of {into}: the history lacks {lacking}, expected {[*dims, into, 'month', AMOUNT]}.")
        table = history[history["month"] <= f"{horizon.as_of:%Y-%m}"]
        gross = table[AMOUNT] - table["returned"] if "returned" in table else table[AMOUNT]
        cells = table.assign(_gross=gross.clip(lower=0)).groupby([*dims, into, "month"], sort=True)
        sums = cells.agg(sum=(AMOUNT, "sum"), gross=("_gross", "sum")).reset_index()
        if not (sums["sum"] > 0).any():
            raise PlanError(f"shares of {into}: no sales up to {horizon.as_of}, expected at least one month of them.")
        sums = sums[sums["month"] >= sums.loc[sums["sum"] > 0, "month"].min()]
        every = pd.period_range(sums["month"].min(), f"{horizon.as_of:%Y-%m}", freq="M")
        months, members = [str(month) for month in every], sorted(table[into].unique())
        parents = table[dims].drop_duplicates().sort_values(dims, ignore_index=True) if dims else pd.DataFrame(index=[0])
        number = parents.assign(_row=range(len(parents)))
        row = sums[dims].merge(number, how="left", on=dims)["_row"].to_numpy() if dims else np.zeros(len(sums), int)
        amounts, bought = (np.zeros((len(parents), len(members), len(months))) for _ in range(2))
        at = row, pd.Index(members).get_indexer(sums[into]), pd.Index(months).get_indexer(sums["month"])
        amounts[at], bought[at] = sums["sum"], sums["gross"]

        levels, places = [Level([], amounts.sum(axis=0, keepdims=True), [])], []
        for name in dims if len(dims) > 1 else []:
            place, groups = pd.factorize(parents[name], sort=True)
            total = np.zeros((len(groups), *amounts.shape[1:]))
            np.add.at(total, place, amounts)
            levels.append(Level([name], total, []))
            places.append(place)
        if dims:
            levels.append(Level(dims, amounts, places))
        sold = levels[0].amounts[0] > 0
        started = np.where(sold.any(axis=1), sold.argmax(axis=1), len(months))
        stated = np.array([months.index(starts[name]) if starts.get(name) in months else 0 for name in members])
        return cls(into, parents, members, len(months), levels, np.maximum(started, stated), bought > 0, every[0].ordinal)

    def keys(self) -> pd.DataFrame:
        names = pd.DataFrame({self.into: self.members})
        return self.parents.merge(names, how="cross") if len(self.parents.columns) else names

    def slice(self, end: int, length: int) -> slice:
        return slice(max(0, end - length), max(0, end))

    def shares(self, end: int, length: int) -> list[np.ndarray]:
        """Shares in a window by level, a member that started within it scaled to the whole of it."""
        at = self.slice(end, length)
        company = self.levels[0].amounts[0, :, at]
        # What the company sold in the months that a member missed is told by those who were there: its start is no growth.
        total = np.clip(company[self.started <= at.start].sum(axis=0), 0.0, None)
        total = total if total.sum() > 0 else np.ones(company.shape[1])
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


def scaled(share: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Rows that sum to 1; a row of zeros becomes `otherwise`."""
    total = share.sum(axis=1, keepdims=True)
    return np.where(total > 0, share / np.where(total > 0, total, 1.0), otherwise)
