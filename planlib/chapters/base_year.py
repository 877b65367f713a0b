"""Last year as a base to grow from: months sold, months expected, and a name that says so.

Plans are held against the twelve months before them. A plan made in autumn has a base year whose last months are still ahead,
and an export may have lost one: these are expected, cell by cell, and every comparison names such a base. Where the orders
reach back for less than a year, what is known is carried to twelve months by its number, and each chapter says so. Where a
member began within last year, its growth over it is not known.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planlib.chapters.members import counted, listed, some
from planlib.estimates.chance import Terms
from planlib.estimates.cube import Cube
from planlib.estimates.momentum import expect
from planlib.estimates.outlook import outlook
from planlib.estimates.standing import standing
from planlib.estimates.windows import Coverage, Window, a_year_before, first_months, span_of
from planlib.plan import AMOUNT, Horizon, by_last_year, largest_remainder

NAME = "last year"  # of the window, so that every chapter says the same
CELLS = ("region", "product", "channel")  # what is expected is expected of each of these
YEAR = 12  # months of orders that tell a season
SILENT = 3  # months without a sale at the end of the orders after which a member counts as ended
EVER = "9999-12"
# "last year" as texts write it, with what it owns; "the last year" and "the year before last year" are other windows.
SPOKEN = re.compile(r"(?<!the )(?<!before )\b[Ll]ast year\b('s(?: \w+)?)?")
SPENT = re.compile(r"[Mm]arketing|[Ss]pen[dt]|[Rr]eturn|acquisition")  # of money spent nothing is expected: known months count


@dataclass(frozen=True)
class BaseYear:
    """The twelve months before the plan year: what was sold in them, and what is expected of those that nobody knows yet.

    window    last year's months, and which of them the orders know
    added     region, product, channel, month, amount (int64 minor units): what is expected of the others; None where the orders
              tell no season, so that these take the mean of the known ones, or where there are no others
    open      the months after as_of, of `added`; lost: those that the orders lost
    low, high what the open months together may come to with `confidence` (minor units)
    """

    window: Window
    added: pd.DataFrame | None = None
    open: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    confidence: float = 0.8

    @classmethod
    def read(cls, window: Window, added: pd.DataFrame, about: pd.DataFrame, as_of: str) -> "BaseYear":
        """As it was kept: `added`, and one row of low, high, confidence; see `kept`. `as_of`: the last month known."""
        unknown = [month for month in window.months if month not in window.known]
        open_, gone = (tuple(m for m in unknown if (m > as_of) == late) for late in (True, False))
        low, high, confidence = about[["low", "high", "confidence"]].iloc[0]
        return cls(window, added, open_, gone, int(low), int(high), float(confidence))

    def kept(self) -> pd.DataFrame:
        """One row of what `added` does not say: low, high, confidence."""
        return pd.DataFrame({"low": [self.low], "high": [self.high], "confidence": [self.confidence]})

    @property
    def estimated(self) -> bool:
        """Some months are expected, each with its season."""
        return self.added is not None

    @property
    def told(self) -> bool:
        """Every month has an amount of its own: sold or expected, none a mean."""
        return self.window.whole or self.estimated

    @property
    def months(self) -> tuple[str, ...]:
        """The months that have an amount of their own."""
        return self.window.months if self.told else self.window.known

    @property
    def name(self) -> str:
        """What a comparison with it says: "last year (10 months sold, 2 expected)"."""
        if self.estimated:
            return f"{NAME} ({counted(len(self.window.known), 'month')} sold, {len(self.open) + len(self.lost)} expected)"
        return NAME if self.window.whole or not self.window.known else f"{NAME}, carried to twelve months"

    @property
    def short(self) -> str:
        """The same over a column."""
        return f"{NAME} ({len(self.open) + len(self.lost)} of {len(self.window.months)} months expected)"

    def drift(self, sold: pd.Series, horizon: Horizon) -> dict[str, float]:
        """Months of the plan year more than a year ahead, and the growth from the last such month known to the one between.

        A season is read off the last twelve months known; these months lie a year further on than the others. `sold`: amount by
        month. Empty where no month of last year is open.
        """
        before = float(sold.reindex(a_year_before(self.open)).sum()) if self.open else 0.0
        if self.added is None or before <= 0:
            return {}
        between = float(self.added.loc[self.added["month"].isin(self.open), AMOUNT].sum()) / before
        far = dict(zip(horizon.last_year, horizon.months, strict=True))
        return {far[month]: between for month in self.open}

    def named(self, text: str, short: bool = False) -> str:
        """A text that speaks of last year, with its first mention saying what that is; as it is where last year is whole."""
        if not self.estimated or any(said in text for said in (self.name.removeprefix(NAME), "known for", "known of")):
            return text
        more = self.short if short else self.name
        if SPENT.search(text):
            more = f"{NAME} ({len(self.window.known)} of {len(self.window.months)} months)"
        return SPOKEN.sub(lambda found: found[0] + more.removeprefix(NAME), text, count=1)

    def named_in(self, spec: Any) -> Any:
        """A chart's specification with the same done to its titles, labels and series; fields keep their names."""
        if not self.estimated:
            return spec
        if isinstance(spec, dict):
            return {key: each if key == "field" else self.named_in(each) for key, each in spec.items()}
        if isinstance(spec, list):
            return [self.named_in(each) for each in spec]
        return self.named(spec) if isinstance(spec, str) else spec

    def says(self, show: Callable[[int], str]) -> list[str]:
        """What last year is made of where a part of it is expected, as sentences; none where it is not."""
        if self.added is None:
            return []
        sums = self.added.groupby("month")[AMOUNT].sum()
        told = []
        if self.open:
            span = self.open[0] if len(self.open) == 1 else f"{self.open[0]} to {self.open[-1]}"
            told.append(
                f"{NAME.capitalize()} is {self.window.months[0]} to {self.window.months[-1]}, as sold up to "
                f"{self.window.known[-1]}: {span} {'is' if len(self.open) == 1 else 'are'} expected at "
                f"{show(int(sums.reindex(self.open).sum()))} (between {show(self.low)} and {show(self.high)} with "
                f"{self.confidence:.0%} confidence), by the season of earlier years and the company's momentum. Comparisons "
                f"call it {self.name}; a later run replaces what is expected by what was sold."
            )
        if self.lost:
            one = len(self.lost) == 1
            told.append(
                f"The orders have no line in {listed(self.lost)}: {'it counts' if one else 'they count'} in {NAME} at "
                f"{show(int(sums.reindex(self.lost).sum()))}, as the same {'month' if one else 'months'} of another year at "
                f"the level of the months around {'it' if one else 'them'}. If nothing was sold, set `missing_months: zero`."
            )
        return told

    def completed(
        self, sold: pd.DataFrame, by: Sequence[str], history: Callable[[], pd.DataFrame], groups: str | None = None
    ) -> pd.DataFrame:
        """What was sold in last year's known months, with what is expected of the others.

        `sold`: `by`, amount (minor units); `history`: gives the same dimensions, month, amount of all months up to as_of, for
        the mean. `groups`: a dimension of which nothing is expected by itself: each cell's expected amount is split as what it
        sold. Of customers and days nothing is expected: what is known stands.
        """
        if self.window.whole or not self.window.known:
            return sold
        if self.added is None:
            if not set(by) - {"month"}:  # the company as one cell
                whole = self.completed(sold.assign(all="all"), ["all", *by], lambda: history().assign(all="all"))
                return whole[[*by, AMOUNT]]
            return filled(sold, self.window, history()) if "month" in by else carried(sold, self.window, history())
        cells = [name for name in by if name != groups]
        if not set(cells) <= {*CELLS, "month"}:
            return sold
        more = self.added.groupby(cells)[AMOUNT].sum().reset_index() if cells else self.added[[AMOUNT]].sum().to_frame().T
        if groups is not None and groups in by and len(sold):
            more = by_last_year(more, sold, groups)
        both = pd.concat([sold, more[list(sold.columns)]], ignore_index=True)
        if not by:
            return pd.DataFrame({AMOUNT: [int(both[AMOUNT].sum())]})
        return both.groupby(list(by), sort=True)[AMOUNT].sum().reset_index()


def of(
    history: pd.DataFrame,
    horizon: Horizon,
    coverage: Coverage,
    terms: Terms,
    confidence: float = 0.8,
    starts: dict[str, dict[str, str]] | None = None,
) -> BaseYear:
    """Last year as it stands at `horizon.as_of`.

    `history`: region, product, channel, month, amount (minor units), returned where known, up to as_of; `coverage`: the months
    that the orders know; `terms`: of the company's momentum. Months after as_of are expected together as momentum says (see
    `momentum.expect`, with its interval) and fall on cells and months as the outlook says; a lost month is another year's at
    the level of the months around it (see `Cube.filled`). With less than a year of orders nothing tells a season: no `added`.
    """
    window = coverage.window(NAME, horizon.last_year)
    as_of = f"{horizon.as_of:%Y-%m}"
    unknown = [month for month in window.months if month not in window.known]
    young = coverage.first is None or len(span_of(coverage.first, as_of)) < YEAR or min(window.months) < coverage.first
    if not unknown or not window.known or young:
        return BaseYear(window)
    open_ = tuple(month for month in unknown if month > as_of)
    gone = tuple(month for month in unknown if month <= as_of)
    frames, low, high = [lost(history, horizon, gone, starts)], 0, 0
    if open_:
        path = standing(history.groupby(["region", "month"], as_index=False)[AMOUNT].sum(), "region", as_of).amounts
        ahead = expect(path, as_of, open_, terms.damping, terms.usual_error, near=True)
        low, high = (round(end) for end in ahead.interval(confidence))
        cells = outlook(history, CELLS, horizon, starts, ahead=open_).table
        cells = cells.sort_values([*CELLS, "month"], ignore_index=True)
        amounts = largest_remainder(round(ahead.total), cells["share"].to_numpy(), list(range(len(cells))))
        frames.append(cells.assign(**{AMOUNT: amounts})[[*CELLS, "month", AMOUNT]])
    added = pd.concat(frames, ignore_index=True)
    return BaseYear(window, added[added[AMOUNT] != 0].reset_index(drop=True), open_, gone, low, high, confidence)


def lost(
    history: pd.DataFrame, horizon: Horizon, months: Sequence[str], starts: dict[str, dict[str, str]] | None = None
) -> pd.DataFrame:
    """What months without a line would have brought, by cell: region, product, channel, month, amount; see `Cube.filled`."""
    columns = [*CELLS, "month", AMOUNT]
    if not months:
        return pd.DataFrame(columns=columns).astype({**dict.fromkeys(columns[:-1], "str"), AMOUNT: "int64"})
    cube = Cube.of(history, CELLS, horizon, starts)
    table = cube.filled(cube.months)
    every = span_of(str(pd.Period(ordinal=cube.first, freq="M")), f"{horizon.as_of:%Y-%m}")
    found = []
    for month in months:
        amounts = np.rint(table[..., every.index(month)]).astype("int64")
        places = np.nonzero(amounts)
        names = {
            name: np.array(members, dtype=object)[place]
            for name, members, place in zip(CELLS, cube.members, places, strict=True)
        }
        found.append(pd.DataFrame({**names, "month": month, AMOUNT: amounts[places]}))
    return pd.concat(found, ignore_index=True)


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
    return frame.assign(**{AMOUNT: (frame[AMOUNT].astype(float) + more).round().astype("int64")})


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
    found: dict[str, float] = {}
    part = []
    for member in sorted(history[by].unique()):
        own = coverage.since(first[member]) if member in first.index else coverage
        window = own.window(NAME, months)
        found[member] = window.scaled(sums[member]) or 0.0
        if window.known and not window.whole:
            part.append(member)
    amounts = pd.Series(found, dtype="float64").round().astype("int64").rename(AMOUNT)
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


def told(history: pd.DataFrame, by: str, base: BaseYear) -> list[str]:
    """All that a reader must know of the base, as sentences; none where every member has a whole year."""
    window, names = base.window, began(history, by, base.window)
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
    return [text for text in ("" if base.told else based(window), new, young) if text]
