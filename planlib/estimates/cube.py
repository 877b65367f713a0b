"""A history as one cube: members of each dimension by month, freed of what is no movement: gaps, starts, and who has ended.

A member's start is no growth: the months before it are those of the members that were there, times its part of theirs since. A
month lost to the records is filled from the same month of another year. A member that fell silent counts by how unlikely its
silence is. So every window of twelve months is whole, and what still differs between two of them moved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib import periods
from planlib.errors import PlanError
from planlib.estimates.windows import Coverage
from planlib.periods import Horizon
from planlib.plan import AMOUNT

# A member that has just started is believed by half after one month, by three quarters after three.
START_MONTHS = 1.0
# A first sale this near to the first month there is says nothing of a start.
LEAST_BEFORE = 3
# A member stops for good about once in three years: what its silence is weighed against.
LIFE_MONTHS = 36.0
# Under this chance that silent months are no closed season they are one.
LEAST_DOUBT = 0.01
# A year tells of a cell's season where it sold in this part of the months in which it ever sells.
LEAST_PART = 10 / 12
MONTH = "month"


@dataclass(frozen=True)
class Cube:
    """sums: members of each dimension x months, net amounts (minor units); bought: whether anything was sold there.

    dims     the dimensions, in the order of the axes; the last axis is the months
    members  each dimension's members, sorted
    first    the first month
    year     how many months a year has: 12, or 13 where these are a company's own periods
    known    by month: whether the records have it (a closed season is known)
    stated   by dimension: the place of each member's stated first month, 0 where none is stated
    """

    dims: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    sums: np.ndarray
    bought: np.ndarray
    first: str
    known: np.ndarray
    stated: tuple[np.ndarray, ...]
    year: int = 12

    @classmethod
    def of(
        cls, history: pd.DataFrame, dims: Sequence[str], horizon: Horizon, starts: Mapping[str, Mapping[str, str]] | None = None
    ) -> "Cube":
        """From a table of the dimensions, month and amount (minor units), up to `horizon.as_of`.

        Where known with `returned` (minor units, negative), so that a month with more returns than sales is no silent one.
        `starts`: by dimension, first months of members where they are told; what sold earlier was a test.
        Raises PlanError for a history that lacks columns or sales.
        """
        wanted = [*dims, MONTH, AMOUNT]
        lacking = [name for name in wanted if name not in history.columns]
        if lacking:
            raise PlanError(f"shares of {dims[-1] if dims else MONTH}: the history lacks {lacking}, expected {wanted}.")
        as_of = horizon.until
        table = history[history[MONTH] <= as_of]
        gross = table[AMOUNT] - table["returned"] if "returned" in table else table[AMOUNT]
        cells = table.assign(_gross=gross.clip(lower=0)).groupby([*dims, MONTH], sort=True)
        sums = cells.agg(sum=(AMOUNT, "sum"), gross=("_gross", "sum")).reset_index()
        if not (sums["sum"] > 0).any():
            what = dims[-1] if dims else MONTH
            raise PlanError(f"shares of {what}: no sales up to {horizon.as_of}, expected at least one month of them.")
        sums = sums[sums[MONTH] >= sums.loc[sums["sum"] > 0, MONTH].min()]
        months = periods.span(sums[MONTH].min(), as_of)
        members = tuple(tuple(sorted(map(str, table[name].unique()))) for name in dims)
        shape = (*map(len, members), len(months))
        at = tuple(pd.Index(names).get_indexer(sums[name].astype(str)) for names, name in zip(members, dims, strict=True))
        place = (*at, pd.Index(months).get_indexer(sums[MONTH]))
        amounts, bought = np.zeros(shape), np.zeros(shape, dtype=bool)
        amounts[place], bought[place] = sums["sum"], sums["gross"] > 0
        gaps = Coverage.of(sums[MONTH], as_of).gaps
        told = starts or {}
        stated = tuple(
            np.array([months.index(told[name][each]) if told.get(name, {}).get(each) in months else 0 for each in names])
            for names, name in zip(members, dims, strict=True)
        )
        known = np.array([month not in gaps for month in months])
        return cls(tuple(dims), members, amounts, bought, months[0], known, stated, periods.per_year(as_of))

    @property
    def months(self) -> int:
        return self.sums.shape[-1]

    def started(self, end: int) -> list[np.ndarray]:
        """By dimension: the place of each member's first month before `end`; `end` for one that has not sold.

        Who is silent before its first sale and in the same months a year later has a closed season, and was there before.
        """
        found = []
        for axis, stated in enumerate(self.stated):
            sold = self._members(self.sums[..., :end], axis) > 0
            first = np.where(sold.any(axis=1), sold.argmax(axis=1), end) if end else np.zeros(len(sold), dtype=int)
            for place in np.flatnonzero((first >= LEAST_BEFORE) & (first < min(self.year, end - self.year + 1))):
                if not sold[place, self.year : self.year + first[place]].any():
                    first[place] = 0
            found.append(np.maximum(first, np.where(stated < end, stated, 0)))
        return found

    def windows(self, end: int) -> list[np.ndarray]:
        """Whole twelve-month windows that end before month `end`, the newest first, each freed of gaps, starts and ends.

        At least one: what is known of less than a year is carried to a year by its mean month; a company that sold nothing for
        a year has its whole past. A cell that nets to returns over a window has sold nothing in it.
        """
        whole = self._whole(end)
        still = self.alive(end)[..., None]
        found = []
        for back in range(1, whole.shape[-1] // self.year + 1):
            stop = whole.shape[-1] - self.year * (back - 1)
            window = sold_on_net(whole[..., stop - self.year : stop]) * still
            if float(window.sum()) <= 0:
                break
            found.append(window)
        return found or [np.repeat(np.clip(self.sums[..., :end].sum(axis=-1, keepdims=True), 0.0, None), self.year, axis=-1)]

    def seasons(self, window: np.ndarray, end: int, season_months: float) -> np.ndarray:
        """A window with the months of members that are known for less than two years drawn toward the others': a launch is no
        season, and one year alone counts by its months against `season_months`."""
        found = window.copy()
        for axis, started in enumerate(self.started(end)):
            young = (started >= LEAST_BEFORE) & (started > end - 2 * self.year) & (started < end)
            months = np.clip(self._members(found, axis)[~young].sum(axis=0), 0.0, None)
            if not young.any() or not months.sum() > 0:
                continue
            for place in np.flatnonzero(young):
                known = end - int(started[place])
                own = known / (known + season_months) if known >= self.year else 0.0
                cell = np.moveaxis(found, axis, 0)
                others = cell[place].sum(axis=-1, keepdims=True) * months / float(months.sum())
                cell[place] = own * cell[place] + (1 - own) * others
        return found

    def alive(self, end: int) -> np.ndarray:
        """The chance that each cell still sells at month `end`, from the months it has been silent: members of each dimension.

        A silent month counts where the cell sold a year earlier, so that a season's pause is none, and a month that the records
        lack is not silent. What never sold stays 0 where all its members have been there for a year.
        """
        sold, known = self.bought[..., :end], self.known[:end]
        order = np.arange(1, end + 1)
        latest = (sold * order).max(axis=-1, initial=0)
        first = np.where(latest > 0, end - (sold * order[::-1]).max(axis=-1, initial=0), end)
        after = (order > latest[..., None]) & known
        before = np.ones((*sold.shape[:-1], min(self.year, end)), bool)
        ago = np.concatenate([before, sold[..., : -self.year]], axis=-1)[..., :end]
        missed = (after & ago).sum(axis=-1)
        rate = (sold.sum(axis=-1) + 1) / (np.maximum(0, latest - first) + 2)
        still = (1 - np.minimum(rate, 0.999)) ** missed
        chance = still / (still + missed / LIFE_MONTHS)
        settled = np.ones(sold.shape[:-1], dtype=bool)
        for axis, started in enumerate(self.started(end)):
            settled &= self._along(started <= end - self.year, axis)
        return np.where(latest > 0, chance, np.where(settled, 0.0, 1.0))

    def shut(self, end: int) -> np.ndarray:
        """How surely each cell sells nothing in each of the twelve months after `end`: its closed season, 0-1.

        Years count in which it sold in all but a few of the months in which it ever sells. Were its silent months open like the
        others, all would be silent by chance with (1 - rate) to the power of how often they came, and any run of the year could
        be the one: twelve times that is the doubt. Years before a member's start do not count, and one year alone says nothing
        of the months before a cell's first sale. `end` at least 12.
        """
        years = end // self.year
        sold = (self.bought | ~self.known)[..., end - years * self.year : end]
        sold = sold.reshape(*self.bought.shape[:-1], years, self.year)
        ever = sold.any(axis=-2)
        open_ = ever.sum(axis=-1)
        regular = sold.sum(axis=-1) >= np.maximum(1, np.ceil(np.round(LEAST_PART * open_, 9)))[..., None]
        begin = np.zeros(open_.shape, dtype=int)
        for axis, started in enumerate(self.started(end)):
            begin = np.maximum(begin, self._along(started, axis))
        regular &= end - years * self.year + self.year * np.arange(years) >= begin[..., None]
        told = regular.sum(axis=-1)
        rate = ((sold & regular[..., None]).sum(axis=(-2, -1)) + 1) / (open_ * told + 2)
        doubt = np.minimum(1.0, self.year * (1 - rate) ** ((self.year - open_) * told))
        sure = np.where(doubt < LEAST_DOUBT, 1.0, 1 - doubt)
        enough = (told >= 2) | ((told == 1) & (regular & sold[..., 0]).any(axis=-1))
        return np.where(ever, 0.0, np.where(enough, sure, 0.0)[..., None])

    def there(self, end: int) -> np.ndarray:
        """Whether all members of a cell had sold before month `end`."""
        found = np.ones(self.sums.shape[:-1], dtype=bool)
        for axis, started in enumerate(self.started(end)):
            found &= self._along(started < end, axis)
        return found

    def _whole(self, end: int) -> np.ndarray:
        """The months before `end` without gaps, each window with the members that had started by its end carried back.

        What grew after its start shows so as movement; a member that had not started by a window's end stands in it with its
        later part.
        """
        full = self._carried(self.filled(end), end)
        stop = end - self.year
        while stop >= self.year:
            early = self._carried(self.filled(stop), stop)
            here = slice(stop - self.year, stop)
            full[..., here] = np.where(self.there(stop)[..., None], early[..., here], full[..., here])
            stop -= self.year
        if end >= self.year:
            return full
        mean = full[..., self.known[:end]].mean(axis=-1, keepdims=True)
        return np.concatenate([np.repeat(mean, self.year - end, axis=-1), full], axis=-1)

    def filled(self, end: int) -> np.ndarray:
        """The months before `end`, gaps as a year apart at the level of the half years around them, else a mean month."""
        table, known = self.sums[..., :end].copy(), self.known[:end]
        total = table.reshape(-1, end).sum(axis=0)
        for gap in np.flatnonzero(~known).tolist():
            filled = table[..., known].mean(axis=-1)
            for other in (gap + self.year, gap - self.year):
                if 0 <= other < end and known[other]:
                    steps = [step for step in range(-6, 7) if _is_known(known, gap + step) and _is_known(known, other + step)]
                    here, there = (float(sum(total[at + step] for step in steps)) for at in (gap, other))
                    filled = table[..., other] * (here / there if there > 0 else 1.0)
                    break
            table[..., gap] = filled
        return table

    def _carried(self, table: np.ndarray, end: int) -> np.ndarray:
        """Members that started within the months before `end` carried back to the first one (a like-for-like comparison).

        How far a young member is believed, it is also by itself: the rest of what it is given lies as the others' sales do.
        """
        for axis, started in enumerate(self.started(end)):
            cells = np.moveaxis(table, axis, 0)
            late = (started >= LEAST_BEFORE) & (started < end)
            if late.all() or not late.any():
                continue
            old = np.flatnonzero(~late)
            there = self._members(table, axis)[old].sum(axis=0)
            for start in sorted(set(started[late].tolist())):
                fresh, base = np.flatnonzero(started == start), float(there[start:].sum())
                if base > 0:
                    count = int(self.known[start:end].sum())
                    sure = count / (count + START_MONTHS)
                    own = cells[fresh, ..., start:].sum(axis=-1)
                    like = np.clip(cells[old, ..., start:].sum(axis=(0, -1)), 0.0, None)
                    total = own.reshape(len(fresh), -1).sum(axis=1).reshape(-1, *[1] * (own.ndim - 1))
                    part = sure * own + (1 - sure) * total * like / max(float(like.sum()), 1e-12)
                    cells[fresh, ..., :start] = (part / base * sure)[..., None] * there[:start]
                there = there + self._members(table, axis)[fresh].sum(axis=0)
        return table

    def _members(self, table: np.ndarray, axis: int) -> np.ndarray:
        """Members of one dimension x months."""
        return table.sum(axis=tuple(other for other in range(table.ndim - 1) if other != axis))

    def _along(self, values: np.ndarray, axis: int) -> np.ndarray:
        shape = [1] * (self.sums.ndim - 1)
        shape[axis] = -1
        return values.reshape(shape)


def sold_on_net(window: np.ndarray) -> np.ndarray:
    """A window without the cells that net to returns: they are no sales of their region, product or channel."""
    return np.where(window.sum(axis=-1, keepdims=True) < 0, 0.0, window)


def _is_known(known: np.ndarray, at: int) -> bool:
    return 0 <= at < len(known) and bool(known[at])
