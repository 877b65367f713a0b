"""How a parent's total is expected to fall over the members of one dimension: read off the outlook of all cells and months."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from planlib.estimates.candidates import PRIOR
from planlib.estimates.outlook import Outlook, outlook
from planlib.periods import Horizon


@dataclass(frozen=True)
class Expected:
    """The shares a level is expected to have in the open months of the plan year, and what that rests on.

    shares   the dimensions of the parents, the one that is split, share (0-1, sums to 1 within each parent); a parent of which
             nothing is expected is absent
    years    how much past there is to try the expectation on: 0 where last year's shares stand for want of it
    note     one sentence that says all this
    """

    shares: pd.DataFrame
    years: float
    note: str


def expected(
    history: pd.DataFrame,
    into: str,
    horizon: Horizon,
    within: Sequence[str] = (),
    starts: Mapping[str, str] | None = None,
) -> Expected:
    """Expected shares of `into` within each cell of `within`, in the open months (REG-1, CHN-1); see `outlook`.

    `history`: the dimensions of `within`, `into`, month, amount (minor units); `starts`: first months of members of `into`
    where they are told. Raises PlanError for a history that lacks columns or sales.
    """
    found = outlook(history, [*within, into], horizon, {into: starts} if starts else None)
    return of(found.table, found.skill, into, within)


def of(table: pd.DataFrame, skill: pd.DataFrame, into: str, within: Sequence[str] = ()) -> Expected:
    """The same from an outlook's table and skill (see `Outlook`), whose dimensions include `within` and `into`."""
    dims = [*within, into]
    sums = table.groupby(dims, sort=True)["share"].sum().reset_index()
    total = sums.groupby(list(within))["share"].transform("sum") if within else sums["share"].sum()
    sums["share"] = sums["share"] / total
    shares = sums[sums["share"].notna()].reset_index(drop=True)
    line = skill[skill["level"] == " x ".join(dims)].iloc[0]
    return Expected(shares, float(line["years"]) if line["origins"] else 0.0, said(line, into, shares[into]))


def said(line: pd.Series, into: str, members: pd.Series) -> str:
    """One sentence on how a level's expected shares are made and what the past says of them. `line`: of `Outlook.skill`."""
    if members.nunique() == 1:
        return f"{members.iloc[0]} is the only {into}: no share can move."
    if not line["origins"]:
        return (
            "The history is too short to try an expectation on: the last twelve months' shares stand, or those of the months "
            "that are known."
        )
    months = f"{int(line['origins'])} past {'month' if line['origins'] == 1 else 'months'}"
    mine, last = (f"{float(line[name]) / 2:.1%}" for name in ("expected", "last_year"))
    if line["stands"] == "mixture":
        return (
            f"Tried from {months}, what is expected by {line['level']} would have put {mine} of sales in the wrong place, "
            f"the last twelve months' shares {last}."
        )
    return (
        f"Tried from {months}, the last twelve months' shares by {line['level']} would have put {last} of sales in the wrong "
        "place and nothing weighed out of the past did better: these shares stand."
    )


def weighed(found: Outlook, months: bool = False) -> pd.DataFrame:
    """What each level rests on, one row per level and size of cell, for a table of the notebook.

    Without `months` the levels of the dimensions alone, with it those with the month. Returns level, size, past_months (from
    which it was tried), misplaced and misplaced_by_last_year (share of sales that lay elsewhere), and the weight of each
    candidate.
    """
    chosen = found.skill[found.skill["level"].str.contains("month") == months]
    wide = found.weights.pivot_table(index=["level", "size"], columns="candidate", values="weight", fill_value=0.0)
    wide = wide[[name for name in PRIOR if name in wide.columns]].reset_index()
    head = chosen[["level", "origins", "expected", "last_year"]].assign(order=range(len(chosen)))
    head = head.rename(columns={"origins": "past_months", "expected": "misplaced", "last_year": "misplaced_by_last_year"})
    head[["misplaced", "misplaced_by_last_year"]] /= 2  # what lies too much in one cell lies too little in another
    table = head.merge(wide, on="level").sort_values(["order", "size"], ignore_index=True)
    first = ["level", "size", "past_months", "misplaced", "misplaced_by_last_year"]
    return table[[*first, *(name for name in wide.columns if name not in ("level", "size"))]]


__all__ = ["Expected", "Outlook", "expected", "of", "said", "weighed"]
