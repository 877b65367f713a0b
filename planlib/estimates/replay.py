"""A level's past, replayed: at past dates each member's expected share, with what was known then, and the one that came.

A driver whose inputs have a past is asked here what it would have moved at each of these dates; `evidence.weigh` finds how much
of it came true.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd

from planlib import periods
from planlib.estimates import shares
from planlib.estimates.evidence import COLUMNS, Evidence, weigh
from planlib.periods import Horizon
from planlib.plan import AMOUNT

# Twelve known months make an expectation, six after them show what came; eight years back is the same company.
LEAST_BEFORE, LEAST_AFTER, MOST_YEARS, QUARTER = 12, 6, 8, 3
# With less than four years to look at, each quarter is a start.
FEW_YEARS = 4
# So many members are witnesses enough: the starts of years do.
MANY_MEMBERS = 200


@dataclass(frozen=True)
class Origin:
    """A past date from which a plan can be replayed.

    known    the plan year as it stood then, `as_of` the last day before the date: what a driver's value is made with
    ahead    the same day, a year whose open months are those that are known by now: what came
    """

    known: Horizon
    ahead: Horizon

    @property
    def name(self) -> str:
        """The first month after it, `YYYY-MM`."""
        return self.ahead.open[0]


@dataclass(frozen=True)
class Replay:
    """A level's past: per origin each member's expected share and the one that came, among the members known then.

    seen  origin -> member, before (expected share), came (share of the months that followed)
    """

    into: str
    origins: tuple[Origin, ...]
    seen: Mapping[str, pd.DataFrame]
    why: str = ""

    @classmethod
    def of(
        cls,
        history: pd.DataFrame,
        into: str,
        horizon: Horizon,
        starts: Mapping[str, str] | None = None,
        least: int = LEAST_BEFORE,
    ) -> "Replay":
        """From orders by `into` and month (amount in minor units; returned, where known), up to `horizon.as_of`.

        `starts`: see `shares.expected`; `least`: months that must be known before an origin.
        """
        table = history[history["month"] <= horizon.until]
        sold = table.loc[table[AMOUNT] > 0, "month"]
        many = table[into].nunique() > MANY_MEMBERS
        dates = origins(str(sold.min()), horizon, least, many) if len(sold) else ()
        found: dict[str, pd.DataFrame] = {}
        for origin in dates:
            before = table[table["month"] <= origin.known.until]
            expected = shares.expected(before, into, origin.ahead, (), starts).shares.set_index(into)["share"]
            after = table[table["month"].isin(origin.ahead.open)].groupby(into)[AMOUNT].sum()
            came = after.reindex(expected.index).fillna(0).clip(lower=0).astype(float)
            if came.sum() > 0:
                rows = {"member": expected.index, "before": expected.to_numpy(), "came": (came / came.sum()).to_numpy()}
                found[origin.name] = pd.DataFrame(rows)
        months = least + LEAST_AFTER
        why = "" if found else f"the orders do not reach back far enough, {months} months would tell"
        return cls(into, tuple(origin for origin in dates if origin.name in found), found, why)

    def ask(self, values: Callable[[Origin], pd.DataFrame | None], part: float = 1.0) -> Evidence:
        """What the past says of a driver whose value at each origin is `values(origin)`.

        `values` returns the member (column `into`) and `factor` or `share`, as `drivers.Driver` has them, made with nothing
        that was not known then; None where it could not be made. `part`: of a share, how much it counts.
        """
        if self.why:
            return Evidence(why=self.why)
        rows = []
        for origin in self.origins:
            given = values(origin)
            if given is not None and len(given):
                rows.append(
                    self.seen[origin.name]
                    .assign(
                        origin=origin.name,
                        years=len(origin.ahead.open) / len(origin.ahead.months),
                        given=given_to(self.seen[origin.name], given.rename(columns={self.into: "member"}), part),
                    )
                    .rename(columns={"given": "after"})
                )
        if not rows:
            return Evidence(why="no past date has what it is made of")
        return weigh(pd.concat(rows, ignore_index=True)[COLUMNS])


def origins(first: str, horizon: Horizon, least: int = LEAST_BEFORE, many: bool = False) -> tuple[Origin, ...]:
    """The past dates to replay, oldest first: starts of plan years, and their quarters where fewer than four years are known.

    `first`: first month with sales; `many`: the level has many members, starts of years do if there are any. At least `least`
    months lie before each and six after it.
    """
    end, year = horizon.until, len(horizon.months)
    begin = max(periods.step(first, least), periods.step(end, 1 - year * MOST_YEARS))
    known = periods.between(begin, end) + 1
    step = year if known >= year * FEW_YEARS or (many and known >= year + LEAST_AFTER) else QUARTER
    dates = periods.span(begin, periods.step(end, 1 - LEAST_AFTER))
    return tuple(origin_at(at, end, horizon) for at in dates if periods.between(horizon.months[0], at) % step == 0)


def origin_at(start: str, end: str, horizon: Horizon) -> Origin:
    """The origin whose first month ahead is `start`, where `end` is the last month known by now; years as in `horizon`."""
    day = horizon.calendar.first(start) - timedelta(days=1)
    year = periods.per_year(start)
    opening = periods.step(start, -((int(start[-2:]) - horizon.fiscal_start) % year))
    ahead = periods.step(start, min(year, periods.between(start, end) + 1) - year)
    known = replace(horizon, year=int(opening[:4]), as_of=day)
    return Origin(known, replace(horizon, year=int(ahead[:4]), fiscal_start=int(ahead[-2:]), as_of=day))


def given_to(seen: pd.DataFrame, values: pd.DataFrame, part: float = 1.0) -> np.ndarray:
    """Each member's share after a driver: `seen` has member and before, `values` member and factor or share."""
    before = seen["before"].to_numpy(dtype=float)
    at = values.set_index("member")
    if "factor" in at:
        moved = before * at["factor"].reindex(seen["member"]).fillna(1.0).to_numpy(dtype=float)
    else:
        own = at["share"].reindex(seen["member"]).fillna(0.0).to_numpy(dtype=float)
        moved = (1 - part) * before + part * own / own.sum() if own.sum() > 0 else before
    return np.asarray(moved / moved.sum() if moved.sum() > 0 else before)
