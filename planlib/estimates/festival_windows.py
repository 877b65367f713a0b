"""What days of sales show of a festival, where two events or more tell: how many days are felt, and what they sell."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

# Days looked at on either side, and the three whole weeks beyond them whose level is the plain one.
REACH, PLAIN = 45, 21
# What a day has to tell, in squares of the usual error, to lengthen a window; and a window to be believed.
PER_DAY, IN_ALL = 4.0, 12.0
# A change of a day's sales below this is none.
LEAST_ERROR = 0.01
# What the line between plain weeks can be off by, as the year bends (logs), and the least that a day sells of a plain one.
LINE_ERROR, LEAST_SOLD = 0.1, 0.02
WEEK = 7


def own_window(daily: pd.DataFrame, events: pd.DataFrame) -> tuple[int, int] | None:
    """Days before the first day and after the last of a festival in which sales differ; None where days do not tell.

    `daily`: day, amount of where the festival is kept, complete days; `events`: date, last. Each event's days, freed of
    weekdays, stand over a line between the three weeks that lie 46 to 66 days off on either side. A window reaches as far as
    days differ from it by twice their error on the mean of all events, and counts where each event alone shows what the others
    do. None with fewer than two events of two years in the data, or where none is felt.
    """
    rows = _all_around(daily, events)
    if not rows:
        return None
    outer = np.concatenate([outer for _, _, _, outer in rows])
    error = max(1.4826 * float(np.nanmedian(np.abs(outer))), float(np.nanstd(outer)) / 2, LEAST_ERROR)
    before = _length([early for _, early, _, _ in rows], error)
    after = _length([late for _, _, late, _ in rows], error)
    if not before and not after:
        return None
    inside = _longest(events)
    return before, max(0, after - inside)


def day_effects(daily: pd.DataFrame, events: pd.DataFrame, before: int, after: int) -> list[tuple[float, float]] | None:
    """What a day before a festival, and one from it on, sells against a plain one: (log, error) of either; None as above.

    The mean of the events' means over the days of the window, over the line between the three weeks on either side of it; its
    error from their spread and from that line.
    """
    rows = _all_around(daily, events, before, after)
    if not rows:
        return None
    inside = _longest(events)
    found = []
    early, late = ([row[1] for row in rows], before), ([row[2] for row in rows], after + inside)
    for changes, count in (early, late):
        means = [1.0 + float(np.nan_to_num(change[:count]).mean()) if count else 1.0 for change in changes]
        logs = np.log(np.maximum(means, LEAST_SOLD))
        found.append((float(logs.mean()), float(np.hypot(logs.std(ddof=1) / np.sqrt(len(logs)), LINE_ERROR))))
    return found


def _longest(events: pd.DataFrame) -> int:
    """How many days the longest event itself has."""
    return max(int((last - first).days) + 1 for first, last in zip(events["date"], events["last"], strict=True))


def _all_around(
    daily: pd.DataFrame, events: pd.DataFrame, before: int = REACH, after: int = REACH
) -> list[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """Every event with the days around it (see `_around`); none where they are of fewer than two years."""
    if daily.empty:
        return []
    series = daily.groupby("day")["amount"].sum()
    series = series.reindex(pd.date_range(series.index.min(), series.index.max()), fill_value=0).astype(float)
    plain = _without_weekdays(series)
    both = zip(events["date"], events["last"], strict=True)
    rows = [found for first, last in both if (found := _around(plain, first, last, before, after)) is not None]
    return rows if len({row[0] for row in rows}) >= 2 else []


def _without_weekdays(series: pd.Series) -> pd.Series:
    """A series of days over the factor of their weekday: the median of its part of a mean day of the seven around it."""
    level = series.rolling(WEEK, center=True, min_periods=WEEK).mean()
    part = (series / level.where(level > 0)).groupby(series.index.day_of_week).median()
    factor = pd.Series(series.index.day_of_week, index=series.index).map(part)
    return series / factor.where(factor > 0)


def _around(
    plain: pd.Series, first: object, last: object, before: int, after: int
) -> tuple[int, np.ndarray, np.ndarray, np.ndarray] | None:
    """An event's year, what its days before (nearest first), from it on and beyond differ by (share); or None."""
    start, end = pd.Timestamp(str(first)), pd.Timestamp(str(last))
    days = pd.date_range(start - pd.Timedelta(days=before + PLAIN), end + pd.Timedelta(days=after + PLAIN))
    if days[0] < plain.index[0] or days[-1] > plain.index[-1]:
        return None
    sold = plain.reindex(days).to_numpy()
    left, right = np.nanmedian(sold[:PLAIN]), np.nanmedian(sold[-PLAIN:])
    if not (left > 0 and right > 0):
        return None
    middle = (PLAIN - 1) / 2
    line = np.interp(np.arange(len(sold)), [middle, len(sold) - 1 - middle], [left, right])
    change = sold / line - 1.0
    early = change[PLAIN : PLAIN + before][::-1]
    return start.year, early, change[PLAIN + before : -PLAIN], np.r_[change[:PLAIN], change[-PLAIN:]]


def _length(changes: Sequence[np.ndarray], error: float) -> int:
    """How many days from the festival outward differ from plain ones; 0 for none."""
    least = min(len(change) for change in changes)
    table = np.nan_to_num(np.array([change[:least] for change in changes]))
    mean = table.mean(axis=0)
    gain = np.cumsum(len(table) * (mean / error) ** 2 - PER_DAY)
    best = int(gain.argmax())
    if gain[best] < IN_ALL:
        return 0
    inside = table[:, : best + 1]
    others = (inside.sum(axis=0) - inside) / (len(table) - 1)
    return best + 1 if bool(((inside * others).sum(axis=1) > 0).all()) else 0
