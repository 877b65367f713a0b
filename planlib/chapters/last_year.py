"""Last year as a base to grow from: months sold, months expected, and a name that says so.

A plan made in autumn has a base year whose last months are still ahead, and an export may have lost one: these are expected,
cell by cell, and every comparison names such a base. A later plan replaces what was expected by what was sold and says what
that changed. Where the orders reach back for less than a year, see `base_year`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planlib import periods
from planlib.chapters.base_year import NAME, carried, filled
from planlib.chapters.members import counted, listed
from planlib.estimates.chance import Terms
from planlib.estimates.cube import Cube
from planlib.estimates.momentum import expect
from planlib.estimates.outlook import outlook
from planlib.estimates.standing import standing
from planlib.estimates.windows import Coverage, Window, span_of
from planlib.periods import Horizon
from planlib.plan import AMOUNT, by_last_year, largest_remainder

CELLS = ("region", "product", "channel")  # what is expected is expected of each of these
# "last year" as texts write it, with what it owns; "the last year" and "the year before last year" are other windows.
SPOKEN = re.compile(r"(?<!the )(?<!before )\b[Ll]ast year\b('s(?: \w+)?)?")
SPENT = re.compile(r"[Mm]arketing|[Ss]pen[dt]|[Rr]eturn|acquisition")  # of money spent nothing is expected: known months count
Starts = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class BaseYear:
    """The twelve months before the plan year: what was sold in them, and what is expected of those that nobody knows yet.

    window    last year's months, and which of them the orders know
    added     region, product, channel, month, amount (int64 minor units): what is expected of the others; None where the orders
              tell no season, so that these take the mean of the known ones, or where there are no others
    open      the months after as_of, of `added`; lost: those that the orders lost
    low, high what the open months together may come to with `confidence` (minor units)
    grown     what makes the shape of the next twelve months that of a year from its first month on: the plan year's months more
              than a year ahead lie a year further on than the others
    """

    window: Window
    added: pd.DataFrame | None = None
    open: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    confidence: float = 0.8
    grown: float = 1.0

    @classmethod
    def read(cls, window: Window, added: pd.DataFrame, about: pd.DataFrame, as_of: str) -> "BaseYear":
        """As it was kept: `added`, and one row of the rest, see `kept`. `as_of`: the last month known."""
        unknown = [month for month in window.months if month not in window.known]
        open_, gone = (tuple(m for m in unknown if (m > as_of) == late) for late in (True, False))
        low, high, confidence, grown = about[["low", "high", "confidence", "grown"]].iloc[0]
        return cls(window, added, open_, gone, int(low), int(high), float(confidence), float(grown))

    def kept(self, amount: int) -> pd.DataFrame:
        """One row of what `added` does not say: amount (of all of last year), low, high, confidence, grown."""
        names = ("low", "high", "confidence", "grown")
        return pd.DataFrame({AMOUNT: [amount], **{name: [getattr(self, name)] for name in names}})

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
            kind = "period" if "P" in self.window.months[0] else "month"
            return f"{NAME} ({counted(len(self.window.known), kind)} sold, {len(self.open) + len(self.lost)} expected)"
        return NAME if self.window.whole or not self.window.known else f"{NAME}, carried to twelve months"

    @property
    def short(self) -> str:
        """The same over a column."""
        return f"{NAME} ({len(self.open) + len(self.lost)} of {len(self.window.months)} months expected)"

    def drift(self, horizon: Horizon) -> dict[str, float]:
        """The months of the plan year that lie more than a year ahead, each with `grown`; empty where none does."""
        far = dict(zip(horizon.last_year, horizon.months, strict=True))
        return {far[month]: self.grown for month in self.open}

    def named(self, text: str, short: bool = False) -> str:
        """A text that speaks of last year, with its first mention saying what that is; as it is where last year is whole."""
        if not self.estimated or " known for " in text or " known of " in text:
            return text
        more = (self.short if short else self.name).removeprefix(NAME)
        if SPENT.search(text):
            more = f" ({len(self.window.known)} of {len(self.window.months)} months)"
        return text if more in text else SPOKEN.sub(lambda found: found[0] + more, text, count=1)

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
    starts: Starts | None = None,
) -> BaseYear:
    """Last year as it stands at `horizon.as_of`.

    `history`: region, product, channel, month, amount (minor units), returned where known, up to as_of; `coverage`: the months
    that the orders know; `terms`: of the company's momentum. Months after as_of are expected together as momentum says (see
    `momentum.expect`, with its interval) and fall on cells and months as the outlook says; a lost month is another year's at
    the level of the months around it (see `Cube.filled`). With less than a year of orders nothing tells a season: no `added`.
    """
    window = coverage.window(NAME, horizon.last_year)
    as_of = horizon.until
    unknown = [month for month in window.months if month not in window.known]
    first = coverage.first
    young = first is None or len(span_of(first, as_of)) < len(horizon.months) or min(window.months) < first
    if not unknown or not window.known or young:
        return BaseYear(window)
    open_ = tuple(month for month in unknown if month > as_of)
    gone = tuple(month for month in unknown if month <= as_of)
    frames, low, high, grown = [lost(history, horizon, gone, starts)], 0, 0, 1.0
    if open_:
        path = standing(history.groupby(["region", "month"], as_index=False)[AMOUNT].sum(), "region", as_of).amounts
        ahead = expect(path, as_of, open_, terms.damping, terms.usual_error, near=True)
        low, high = (round(end) for end in ahead.interval(confidence))
        next_year = span_of(open_[0], periods.step(open_[0], len(horizon.months) - 1))
        shape = outlook(history, CELLS, horizon, starts, ahead=next_year).table
        before = int(history.loc[history["month"].isin(window.known), AMOUNT].sum()) + int(frames[0][AMOUNT].sum())
        grown = _grown(float(shape.loc[shape["month"].isin(open_), "share"].sum()), ahead.total, before)
        cells = shape[shape["month"].isin(open_)].sort_values([*CELLS, "month"], ignore_index=True)
        amounts = largest_remainder(round(ahead.total), cells["share"].to_numpy(), list(range(len(cells))))
        frames.append(cells.assign(**{AMOUNT: amounts})[[*CELLS, "month", AMOUNT]])
    added = pd.concat(frames, ignore_index=True)
    return BaseYear(window, added[added[AMOUNT] != 0].reset_index(drop=True), open_, gone, low, high, confidence, grown)


def _grown(share: float, expected: float, before: float) -> float:
    """How the open months' share of the next twelve months compares with their part of last year: see `BaseYear.grown`."""
    if not 0 < share < 1 or expected <= 0 or before <= 0:
        return 1.0
    return (expected / before) / (share / (1 - share))


def lost(history: pd.DataFrame, horizon: Horizon, months: Sequence[str], starts: Starts | None = None) -> pd.DataFrame:
    """What months without a line would have brought, by cell: region, product, channel, month, amount; see `Cube.filled`."""
    columns = [*CELLS, "month", AMOUNT]
    if not months:
        return pd.DataFrame(columns=columns).astype({**dict.fromkeys(columns[:-1], "str"), AMOUNT: "int64"})
    cube = Cube.of(history, CELLS, horizon, starts)
    table = cube.filled(cube.months)
    every = span_of(cube.first, horizon.until)
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


def replaced(then: pd.DataFrame, sold: pd.DataFrame) -> pd.DataFrame:
    """What a plan expected of last year's months, and what they sold: month (all last), expected_then, sold_since, difference.

    `then`: region, product, channel, month, amount of the months that are known by now; `sold`: month, amount (minor units).
    """
    sums = then.groupby("month")[AMOUNT].sum()
    came = sold.groupby("month")[AMOUNT].sum().reindex(sums.index, fill_value=0)
    frame = pd.DataFrame({"month": sums.index, "expected_then": sums.to_numpy(), "sold_since": came.loc[sums.index].to_numpy()})
    total = pd.DataFrame({"month": ["all"], "expected_then": [int(sums.sum())], "sold_since": [int(came.sum())]})
    frame = pd.concat([frame, total], ignore_index=True)
    return frame.assign(difference=frame["sold_since"] - frame["expected_then"])


def moved(then: pd.DataFrame, sold: pd.DataFrame, in_force: pd.DataFrame, plan: pd.DataFrame, by: str) -> pd.DataFrame:
    """The same by member with the plan in force and now: `by`, expected_then, sold_since, plan_in_force, allocated, difference.

    `then`, `sold`: `by`, amount of the months in question; `in_force`, `plan`: plan tables. Joined by member; one that any of
    the four lacks has 0 there. The differences sum to that of the two targets. Largest difference first.
    """
    tables = {"expected_then": then, "sold_since": sold, "plan_in_force": in_force, "allocated": plan}
    sums = [table.groupby(by)[AMOUNT].sum().rename(name) for name, table in tables.items()]
    frame = pd.concat(sums, axis=1, join="outer").fillna(0).astype("int64").rename_axis(by).reset_index()
    frame["difference"] = frame["allocated"] - frame["plan_in_force"]
    order = frame["difference"].abs().sort_values(ascending=False, kind="stable").index
    return frame.loc[order].reset_index(drop=True)


def said_since(months: pd.DataFrame, now: tuple[int, int, int], then: tuple[int, int, int], show: Callable[..., str]) -> str:
    """What the months sold since do to the growth asked for and the gap, as a sentence.

    `months`: see `replaced`; `now`, `then`: target, last year and momentum (minor units) of this plan and of the one in force.
    """
    rows, total = months.iloc[:-1], months.iloc[-1]
    change, expected = int(total["difference"]), int(total["expected_then"])
    than = "as much as" if change == 0 else f"{show(abs(change))} {'more' if change > 0 else 'less'} than"
    (asked, gap), (before, gap_then) = ((goal / base - 1, goal - path) for goal, base, path in (now, then))
    return (
        f"{listed(list(rows['month']))} sold {show(int(total['sold_since']))}, {than} the {show(expected)} that the plan in "
        f"force expected there: the target asks for {asked:+.1%} on {NAME}, in the plan in force it was {before:+.1%}; the gap "
        f"is {show(gap)}, it was {show(gap_then)}."
    )
