"""The company's own periods as its table of them says, and the check that they hold what is planned from them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from planlib.data.files import TableMapping, read_bytes
from planlib.errors import InputDataError
from planlib.periods import MONTHS, Calendar, of_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from planlib.periods import Horizon

PERIODS = "periods"


def calendar_of(mappings: Mapping[str, TableMapping]) -> Calendar:
    """The calendar of a run: its table `periods` where one is mapped, else calendar months. Raises InputDataError."""
    if PERIODS not in mappings:
        return MONTHS
    from planlib.data.reading import read_table
    from planlib.data.tables import TABLES

    mapping = mappings[PERIODS]
    cells, _, _ = read_table(PERIODS, TABLES[PERIODS], mapping, read_bytes(PERIODS, Path(mapping.file)), {})
    frame = cells.to_pandas(date_as_object=False)
    return of_table(frame)


def month_names(calendar: Calendar) -> dict[str, str]:
    """How a cell of a column of months may name a period: by key, or by a label that no other period has. Name -> key."""
    labels = [each.label for each in calendar.own]
    return {each.label: each.key for each in calendar.own if labels.count(each.label) == 1} | {
        each.key: each.key for each in calendar.own
    }


def covered(calendar: Calendar, first: date, last: date) -> None:
    """Raise InputDataError unless orders from `first` to `last` lie in the periods."""
    if calendar.own and not calendar.own[0].start <= first <= last <= calendar.own[-1].end:
        raise InputDataError(
            f"periods: found periods from {calendar.own[0].start} to {calendar.own[-1].end} and orders from {first} to {last}, "
            "expected every order in a period; add the periods, or leave the orders out."
        )


def per_week(sold: pd.DataFrame, by: Sequence[str], longer: Mapping[str, tuple[int, int]]) -> pd.DataFrame:
    """Orders by `by` and month (see `Tables.orders`) with the months of another length brought to this year's, by day.

    `longer`: month -> its days, and the days of the plan year's month at its place. Halves round up, to the minor unit.
    """
    then, now = (
        sold["month"].map({key: days[end] for key, days in longer.items()}).fillna(1).astype("int64") for end in (0, 1)
    )
    whole = [name for name in ("amount", "cost", "returned") if name in sold]
    sold = sold.assign(**{name: (2 * sold[name] * now + then) // (2 * then) for name in whole})
    sold["quantity"] = sold["quantity"] * now / then
    if "month" in by:
        return sold[[*by, *(name for name in sold.columns if name not in by)]].sort_values(list(by), ignore_index=True)
    sums = [name for name in sold.columns if name not in by and name != "month"]
    if not by:
        return sold[sums].sum().to_frame().T.astype(sold[sums].dtypes.to_dict())
    return sold.groupby(list(by), sort=True)[sums].sum().reset_index()


def says(longer: Mapping[str, tuple[int, int]], horizon: Horizon) -> str:
    """How years of 52 and 53 weeks are compared, as a sentence. `longer`: see `per_week`, not empty."""
    calendar, weeks = horizon.calendar, []
    for year in (horizon.year - 1, horizon.year):
        days = sum(calendar.length(month) for month in horizon.year_of(year))
        weeks.append(f"{year} has {days // 7} weeks")
    last = max(longer)
    then, now = (days // 7 for days in longer[last])
    return (
        f"{' and '.join(weeks)}. Years are compared per week: {last}, of {then} weeks, counts as the {now} weeks that the "
        "period at its place has this year, and so does every period before the plan year that has a week more or less."
    )
