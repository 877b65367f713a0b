"""Months without a line in the orders: not exported yet, lost, or without a sale; what each was expected to bring.

`missing_months` says what such a month means: stop (it must not be), expect (it counts at what is expected of it) or zero
(nothing was sold). Without it, months at the end of the orders that as_of calls closed stop the run, since an export that ends
early and a company that stands still look the same; a month inside counts at what is expected, and is told. A season in which
the company is closed every year is no gap (see `Coverage.of`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

import pandas as pd

from planlib import periods
from planlib.chapters.last_year import CELLS, lost
from planlib.chapters.members import listed
from planlib.errors import InputDataError
from planlib.estimates.chance import Terms
from planlib.estimates.momentum import expect
from planlib.estimates.standing import standing
from planlib.estimates.windows import Coverage, span_of
from planlib.periods import Horizon
from planlib.plan import AMOUNT

Show = Callable[[int], str]


def silent(months: Iterable[str], horizon: Horizon) -> tuple[list[str], list[str]]:
    """Months up to as_of that should have rows and have none: those after the last row, and those inside."""
    rows = [month for month in months if month <= horizon.until]
    gaps = Coverage.of(rows, horizon.until).gaps
    return [month for month in gaps if month > max(rows)], [month for month in gaps if month < max(rows)]


def last_day(months: Iterable[str], horizon: Horizon) -> date:
    """The last day that the orders reach: as_of, or the end of the month before the first one that they do not have yet."""
    late, _ = silent(months, horizon)
    return horizon.calendar.first(late[0]) - timedelta(days=1) if late else horizon.as_of


def as_zero(orders: pd.DataFrame, by: Sequence[str], months: Sequence[str]) -> pd.DataFrame:
    """Orders by month with a row of 0 for each of some months without a sale, so that these are known. Sorted by `by`."""
    absent = sorted(set(months) - set(orders["month"]))
    if not absent or orders.empty:
        return orders
    sums = [name for name in orders.columns if name not in by]
    rows = pd.concat([orders.head(1).assign(month=month, **dict.fromkeys(sums, 0)) for month in absent])
    both = pd.concat([orders, rows.astype(orders.dtypes.to_dict())], ignore_index=True)
    return both.sort_values(list(by), ignore_index=True)


def check(history: pd.DataFrame, horizon: Horizon, missing: str | None, show: Show) -> list[str]:
    """What the orders lack and what was expected there, as sentences; none where they lack nothing or it counts as zero.

    `history`: region, product, channel, month, amount (minor units), up to as_of. Raises InputDataError where that must stop
    the run: for months after the last order unless `missing` says what they mean, for any with `stop`.
    """
    late, inside = silent(history["month"], horizon)
    last = last_day(history["month"], horizon)
    if missing == "zero":
        return []
    if closed := [month for month in inside if month in horizon.closed]:
        raise InputDataError(
            f"orders: no line in {_named(closed, horizon)}, which as_of {horizon.as_of} says is closed; expected what was "
            "booked there, which nobody can guess. Add the orders; or, if nothing was sold, set `missing_months: zero`."
        )
    if late and missing != "expect":
        raise InputDataError(
            f"orders: no line in {_named(late, horizon)}, which as_of {horizon.as_of} says "
            f"{'is' if len(late) == 1 else 'are'} closed; expected {_ahead(history, horizon, late, show)}. Add the orders; or "
            f"set `as_of: {last}` or `missing_months: expect` to plan with what is expected; or, if nothing was sold, "
            "`missing_months: zero`."
        )
    if inside and missing == "stop":
        raise InputDataError(
            f"orders: no line in {_named(inside, horizon)}; expected {_lost(history, horizon, inside, show)}. Add the orders; "
            "or set `missing_months: expect` to count what is expected; or, if nothing was sold, `missing_months: zero`."
        )
    told = []
    if late:
        told.append(
            f"The orders have no line in {_named(late, horizon)}: the plan is made as of {last}, and "
            f"{_ahead(history, horizon, late, show)} is expected there."
        )
    if inside:
        told.append(inside_told(history, horizon, inside, show))
    return told


def inside_told(history: pd.DataFrame, horizon: Horizon, months: Sequence[str], show: Show) -> str:
    """What months without a line inside the orders count at, as a sentence. `history`: as of `check`."""
    return (
        f"The orders have no line in {_named(months, horizon)}, where {_lost(history, horizon, months, show)} was expected: "
        "estimates and comparisons count that. If nothing was sold, set `missing_months: zero`; to stop instead, `stop`."
    )


def _named(months: Sequence[str], horizon: Horizon) -> str:
    return listed([horizon.calendar.label(month) for month in months])


def _ahead(history: pd.DataFrame, horizon: Horizon, months: Sequence[str], show: Show) -> str:
    """What was expected of months after the last order, with its interval, as words."""
    as_of = horizon.calendar.at(last_day(history["month"], horizon))
    terms = Terms()
    wanted = [month for month in months if periods.between(as_of, month) <= 2 * periods.per_year(as_of)]
    regional = history.groupby(["region", "month"], as_index=False)[AMOUNT].sum()
    found = expect(standing(regional, "region", as_of).amounts, as_of, wanted, terms.damping, terms.usual_error, near=True)
    low, high = (show(round(end)) for end in found.interval(0.8))
    return f"{show(round(found.total))} (between {low} and {high} with 80% confidence)"


def _lost(history: pd.DataFrame, horizon: Horizon, months: Sequence[str], show: Show) -> str:
    """What was expected of months inside the orders, as words."""
    rows = history[[*CELLS, "month", AMOUNT]]
    known = replace(horizon, as_of=min(horizon.as_of, horizon.calendar.last(history["month"].max())))
    first = history.loc[history[AMOUNT] > 0, "month"].min()
    inside = [month for month in months if month in span_of(first, known.until)]
    return show(int(lost(rows, known, inside)[AMOUNT].sum()))
