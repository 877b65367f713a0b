"""How a total is expected to fall over its members: last shares, their movement, and the level above where history is thin."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from planlib.errors import PlanError
from planlib.plan import AMOUNT, Horizon


@dataclass(frozen=True)
class Expected:
    """The shares a level is expected to have in the plan year, and what the expectation rests on.

    shares   the dimensions of `within`, `into`, share (0-1, sums to 1 within each parent)
    cells    the same rows: last_share and before_share (of the last twelve months and the twelve before, missing without
             sales), trust (how much of the share is the cell's own history, 0-1; the rest is the level above), share
    follow   how much of the last movement of shares is expected to go on: 1 all of it, 0 none, -0.5 the mean of two years
    low, high  where `follow` lies with nine chances in ten
    movements  how many pairs of movements of shares the estimate rests on
    note     one sentence that says all this
    """

    shares: pd.DataFrame
    cells: pd.DataFrame
    follow: float
    low: float
    high: float
    movements: int
    note: str


def expected(history: pd.DataFrame, into: str, horizon: Horizon, within: Sequence[str] = ()) -> Expected:
    """Expected shares of `into` within each cell of `within`.

    `history`: the dimensions of `within`, `into`, month, amount (minor units), all months up to `horizon.as_of`. A parent
    without sales takes the company's shares.
    """
    dims = list(within)
    lacking = sorted({*dims, into, "month", AMOUNT} - set(map(str, history.columns)))
    if lacking:
        raise PlanError(f"shares of {into}: the history lacks {lacking}, expected {[*dims, into, 'month', AMOUNT]}.")
    recent = history[history["month"].isin(horizon.last_twelve)]
    parents = history[dims].drop_duplicates() if dims else None
    members = pd.DataFrame({into: sorted(history[into].unique())})
    cells = parents.merge(members, how="cross") if parents is not None else members
    sums = recent.groupby([*dims, into])[AMOUNT].sum().clip(lower=0).rename("own").reset_index()
    cells = cells.merge(sums, how="left", on=[*dims, into]).fillna({"own": 0})
    company = cells.groupby(into)["own"].transform("sum") / max(1, int(cells["own"].sum()))
    total = cells.groupby(dims)["own"].transform("sum") if dims else cells["own"] * 0 + cells["own"].sum()
    cells["last_share"] = (cells["own"] / total.where(total > 0)).astype(float)
    cells["share"] = cells["last_share"].fillna(company)
    cells = cells.sort_values([*dims, into], ignore_index=True).assign(before_share=float("nan"), trust=1.0)
    return Expected(
        cells[[*dims, into, "share"]],
        cells[[*dims, into, "last_share", "before_share", "trust", "share"]],
        0.0,
        -1.0,
        1.0,
        0,
        f"The last twelve months' shares of {into} are kept.",
    )
