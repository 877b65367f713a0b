"""A company as those who still sell make it: a member's start is no growth to go on with, its end no decline."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib import periods
from planlib.estimates.cube import START_MONTHS
from planlib.estimates.momentum import LEAST_MONTHS
from planlib.estimates.pauses import MISSED, missed
from planlib.estimates.windows import Coverage, span_of
from planlib.plan import AMOUNT


@dataclass(frozen=True)
class Standing:
    """amounts: by month `YYYY-MM`, what those who still sell would have sold had all of them been there from the first month.

    started  members that were carried back to the first month; young, those of them that count in part; ended, those that are
             left out: sorted
    """

    amounts: pd.Series
    started: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    young: tuple[str, ...] = ()


def standing(history: pd.DataFrame, by: str, as_of: str) -> Standing:
    """What a company's momentum is told from (STR-5).

    Parameters
        history  `by`, month, amount, up to the month `as_of`; any row order. Without `by` all counts as one member
        by       what opens and closes, such as region
    The months before a member's start are those of the members that were there, times its part of theirs since: a like-for-like
    comparison. One whose start lies within three months of the first stays as it is; one known for fewer than three
    is believed in part, as its share is. One that missed three months in which it sold a year before has ended (see
    `pauses.missed`). Where nobody would be left, all stay.
    """
    rows = history[history["month"] <= as_of]
    plain = rows.groupby("month", sort=True)[AMOUNT].sum().astype(float)
    coverage = Coverage.of(rows["month"], as_of)
    if coverage.first is None or by not in rows:
        return Standing(plain)
    months = span_of(coverage.first, as_of)
    known = np.isin(months, coverage.window("all", months).known)
    wide = rows.pivot_table(index=by, columns="month", values=AMOUNT, aggfunc="sum", fill_value=0).sort_index()
    table = wide.reindex(columns=months, fill_value=0).astype(float)
    sold = table.to_numpy() > 0
    table = table[sold.any(axis=1)]
    sold = sold[sold.any(axis=1)]
    over = missed(sold | ~known, periods.per_year(as_of)) >= MISSED
    if over.all():
        return Standing(plain)
    ended, table = tuple(map(str, table.index[over])), table[~over]
    starts = sold[~over].argmax(axis=1)
    amounts, started, young = table.to_numpy(), list[str](), list[str]()
    there = amounts[starts == starts.min()].sum(axis=0)
    for start in sorted(set(starts) - {starts.min()}):
        fresh = starts == start
        own, base = amounts[fresh].sum(axis=0), float(there[start:].sum())
        if start - starts.min() >= MISSED and base > 0 and own.sum() > 0:
            own = np.where(np.arange(len(months)) < start, there * own[start:].sum() / base, own)
            started += map(str, table.index[fresh])
            if (count := int(known[start:].sum())) < LEAST_MONTHS:
                young += map(str, table.index[fresh])
                own *= count / (count + START_MONTHS)
        there = there + own
    found = pd.Series(there, index=pd.Index(months, name="month"), name=AMOUNT)
    return Standing(found[known], tuple(sorted(started)), ended, tuple(sorted(young)))
