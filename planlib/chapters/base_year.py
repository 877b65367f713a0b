"""Last year as a base to grow from: carried to twelve months where the orders know a part of it, and said.

Plans are held against the twelve months before them. Where the orders know only some of these, what is known is carried to
twelve months by its number, and each chapter says so; where a member began within them, its growth over them is not known.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from planlib.chapters.members import some
from planlib.estimates.windows import Coverage, Window, first_months
from planlib.plan import AMOUNT

NAME = "last year"  # of the window, so that every chapter says the same
SILENT = 3  # months without a sale at the end of the orders after which a member counts as ended
EVER = "9999-12"


def carried(frame: pd.DataFrame, window: Window, history: pd.DataFrame) -> pd.DataFrame:
    """Amounts of a window's known months (minor units), and for each unknown month the mean of the cell's known ones.

    `frame`: cells, amount; `history`: the same cells, month, amount, of all months up to as_of. A month is added only to cells
    whose members (its region, its product, ...) had all sold before it and have not ended. As it is where the window is whole.
    """
    if window.whole or not window.known:
        return frame
    cells = [name for name in frame.columns if name != AMOUNT]
    added = _unknown(history, window, cells).groupby(cells)["mean"].sum()
    more = added.reindex(pd.MultiIndex.from_frame(frame[cells]) if len(cells) > 1 else frame[cells[0]]).fillna(0.0).to_numpy()
    filled_up = (frame[AMOUNT].astype(float) + more).round().astype("int64")
    return frame.assign(**{AMOUNT: frame[AMOUNT].where(more == 0, filled_up)})


def filled(frame: pd.DataFrame, window: Window, history: pd.DataFrame) -> pd.DataFrame:
    """Amounts by month with a row for each month that is not known, see `carried`: the mean of the cell's known months.

    `frame`: cells, month, amount (minor units). As it is where the window is whole.
    """
    if window.whole or not window.known:
        return frame
    known = frame[frame["month"].isin(window.known)]
    cells = [name for name in frame.columns if name not in ("month", AMOUNT)]
    added = _unknown(history, window, cells)
    added = added.assign(**{AMOUNT: added["mean"].round().astype("int64")})[list(frame.columns)]
    return pd.concat([known, added], ignore_index=True)


def by_month(history: pd.DataFrame, window: Window) -> pd.Series:
    """Amount of each month of a window, those that are not known filled: what all cells of `history` come to, see `filled`."""
    told = history if len(history.columns) > 2 else history.assign(all="all")
    cells = [name for name in told.columns if name not in ("month", AMOUNT)]
    frame = told.loc[told["month"].isin(window.months), [*cells, "month", AMOUNT]]
    return filled(frame, window, told).groupby("month")[AMOUNT].sum().reindex(list(window.months), fill_value=0)


def _unknown(history: pd.DataFrame, window: Window, cells: Sequence[str]) -> pd.DataFrame:
    """A row for each cell and unknown month that it was there in: `cells`, month, mean (of its known months in the window).

    A member that first sold in the first month of all was there before it; one without a sale in the last known months has
    ended with its last.
    """
    told = sorted(set(history["month"]))
    sold = history[history[AMOUNT] > 0]
    sums = history[history["month"].isin(window.known)].groupby(list(cells))[AMOUNT].sum().reset_index()
    start, end = pd.Series("", index=sums.index), pd.Series(EVER, index=sums.index)
    for name in cells:
        first, last = (sold.groupby(name)["month"].agg(side) for side in ("min", "max"))
        ended = told[-SILENT - 1] if len(told) > SILENT else ""
        begins = sums[name].map(first.mask(first == told[0], "")).fillna("").astype(str)
        ends = sums[name].map(last.mask(last > ended, EVER)).fillna(EVER).astype(str)
        start, end = start.where(start > begins, begins), end.where(end < ends, ends)
    spans = {span: sum(span[0] <= month <= span[1] for month in window.known) for span in set(zip(start, end, strict=True))}
    counts = [max(1, spans[span]) for span in zip(start, end, strict=True)]
    sums["mean"] = sums[AMOUNT] / np.array(counts)
    rows = [sums[(start < month) & (end > month)].assign(month=month) for month in window.months if month not in window.known]
    return pd.concat(rows, ignore_index=True)[[*cells, "month", "mean"]]


def based(window: Window) -> str:
    """What last year rests on where it is not known in full, as a sentence; "" where it is."""
    if window.whole:
        return ""
    said = window.says()
    return f"{said[0].upper()}{said[1:]}: it is carried to {len(window.months)} months by their mean, and has no season."


def of_members(history: pd.DataFrame, by: str, months: Sequence[str], coverage: Coverage) -> tuple[pd.DataFrame, list[str]]:
    """Each member's amount over some months, carried to all of them from its own first month on; and who was carried, sorted.

    `history`: `by`, month, amount (minor units); `coverage`: the months that orders know. A member that never sold has 0.
    Returns `by`, amount, sorted by member.
    """
    first, sums = first_months(history, by), history.groupby([by, "month"])[AMOUNT].sum()
    found: dict[str, int] = {}
    part = []
    for member in sorted(history[by].unique()):
        own = coverage.since(first[member]) if member in first.index else coverage
        window = own.window(NAME, months)
        mine = sums[member]
        found[member] = int(mine[mine.index.isin(window.months)].sum()) if window.whole else round(window.scaled(mine) or 0.0)
        if window.known and not window.whole:
            part.append(member)
    amounts = pd.Series(found, dtype="int64").rename(AMOUNT)
    return amounts.rename_axis(by).reset_index(), part


def began(history: pd.DataFrame, by: str, window: Window) -> list[str]:
    """Members that first sold after the window's first known month, sorted: the window is a part of a year for them.

    `history`: `by`, month, amount, of all months up to the end of the window or later.
    """
    if not window.known:
        return []
    first = first_months(history, by)
    return sorted(first[(first > min(window.known)) & (first <= max(window.months))].index)


def grown(compared: pd.DataFrame, history: pd.DataFrame, by: str, window: Window) -> pd.DataFrame:
    """`Split.compare` with growth missing for the members that began within last year, see `began`."""
    return compared.assign(growth=compared["growth"].mask(compared["member"].isin(began(history, by, window))))


def company_growth(compared: pd.DataFrame) -> float:
    """Growth of all members whose own growth is known, of summed parts; missing where none is: a start is no growth.

    `compared`: allocated, last_year (minor units), growth, see `grown`.
    """
    known = compared[compared["growth"].notna()]
    before = int(known["last_year"].sum())
    return round(int(known["allocated"].sum()) / before - 1, 9) if before > 0 else float("nan")


def told(history: pd.DataFrame, by: str, window: Window, whole: bool = False) -> list[str]:
    """All that a reader must know of the base, as sentences; none where every member has a whole year.

    `whole`: what is not known of the window is expected month by month, see `last_year.BaseYear`.
    """
    names = began(history, by, window)
    whose = "its" if len(names) == 1 else "their"
    new = f"{some(names)} first sold within {window.name}: {whose} growth over it is not known." if names else ""
    first = first_months(history, by)
    since = sorted(first[first > max(window.months)].index)
    whose = "its share is" if len(since) == 1 else "their shares are"
    young = (
        f"{some(since)} first sold after {window.name}: {whose} believed by half after a month, and more with each."
        if since
        else ""
    )
    return [text for text in ("" if whole else based(window), new, young) if text]
