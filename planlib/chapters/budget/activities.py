"""Marketing activities: what each returned, within which limits it may move, and the naive split."""

from typing import Protocol

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.estimates.response import Response, fit_attributed
from planlib.estimates.response.result import COLUMNS
from planlib.plan import AMOUNT, Horizon


class Limits(Protocol):
    """The parameters that `bounds` reads."""

    least_change: float
    most_change: float
    freeze_roi: float
    promotion_cap: float


def known(marketing: pd.DataFrame | None, horizon: Horizon) -> pd.DataFrame:
    """Marketing months up to as_of with spend and revenue; empty when the table, or its revenue, is missing.

    Returns month, activity, spend, revenue (minor units), and channel and kind (text, "" where unknown).
    """
    columns = ["month", "activity", "spend", "revenue"]
    if marketing is None or not set(columns) <= set(marketing.columns):
        empty = pd.DataFrame(columns=[*columns, "channel", "kind"])
        return empty.astype({"spend": "int64", "revenue": "int64"})
    found = marketing[marketing["month"] <= f"{horizon.as_of:%Y-%m}"].reset_index(drop=True)
    for name in ("channel", "kind"):
        found[name] = found[name].fillna("") if name in found else ""
    return found[[*columns, "channel", "kind"]]


def curves(marketing: pd.DataFrame, horizon: Horizon) -> Response:
    """What each activity's money brings in a year, with intervals (BUD-1, BUD-6); only activities that cost and brought
    something last year have a curve to follow.

    `marketing`: as `known` gives it. See planlib.estimates.response.fit_attributed; without rows a Response without curves.
    """
    told = marketing[["month", "activity", "spend", "revenue"]]
    if not len(told) or not (told["month"].isin(horizon.last_year) & (told["spend"] > 0)).any():
        return Response(pd.DataFrame(columns=list(COLUMNS)), note="No marketing history is known.")
    found = fit_attributed(told, year=horizon.last_year)
    kept = found.curves[(found.curves["spend"] > 0) & (found.curves["revenue"] > 0)]
    return Response(kept.reset_index(drop=True), found.fit, found.note)


def traits(marketing: pd.DataFrame) -> pd.DataFrame:
    """What an activity is: item, channel (the sales channel it feeds) and kind (advertising, promotion), as last stated."""
    last = marketing.sort_values(["activity", "month"]).groupby("activity")[["channel", "kind"]].last()
    return last.rename_axis("item").reset_index()


def bounds(
    curves: pd.DataFrame, money: int, budget: int, parameters: Limits, spent: pd.DataFrame, kinds: pd.DataFrame
) -> pd.DataFrame:
    """Floor and cap of each activity: last year's spend grown with the money, times least and most change (BUD-3, BUD-6).

    Parameters
        curves   Response.curves: item, form, scale, half, spend (last year, minor units), roi
        money    what activities may have, minor units; `budget` the whole, of which promotion takes `promotion_cap` at most
        spent    item, amount: gone in closed months, the least floor
        kinds    item, kind
    An activity whose return fell under `freeze_roi` keeps its floor only. Where the caps leave money over, activities that are
    neither frozen nor promotion take it, however much: a budget is spent or reserved.
    Returns curves with floor, cap (minor units), frozen, group ("promotion" or "").
    """
    frame = curves.reset_index(drop=True).copy()
    grown = frame["spend"] * (money / max(1, int(frame["spend"].sum())))
    gone = frame["item"].map(spent.set_index("item")[AMOUNT]).fillna(0).astype("int64") if len(spent) else np.int64(0)
    kind = frame["item"].map(kinds.set_index("item")["kind"]).fillna("") if len(kinds) else ""
    frame["group"] = np.where(pd.Series(kind, index=frame.index) == "promotion", "promotion", "")
    frame["frozen"] = (frame["roi"] < parameters.freeze_roi).to_numpy()
    promoted = (frame["group"] == "promotion").to_numpy()
    most = promotion_money(budget, parameters.promotion_cap)
    floor = np.floor(grown * parameters.least_change)
    if promoted.any() and floor[promoted].sum() > most:
        floor[promoted] = np.floor(floor[promoted] * (most / floor[promoted].sum()))
    frame["floor"] = np.maximum(floor.astype("int64"), gone)
    frame["cap"] = np.maximum(np.ceil(grown * parameters.most_change).astype("int64"), frame["floor"])
    frame.loc[frame["frozen"], "cap"] = frame["floor"]
    if room(frame, most) < money:
        open_ = ~frame["frozen"] & ~promoted
        frame.loc[open_ if open_.any() else ~promoted, "cap"] = money
    return frame


def promotion_money(budget: int, cap: float) -> int:
    """The most that promotion may take of the whole budget, minor units (BUD-3)."""
    return int(budget * cap)


def room(limits: pd.DataFrame, promotion: int) -> int:
    """How much the activities can take in all, minor units."""
    promoted = limits["group"] == "promotion"
    return int(limits.loc[~promoted, "cap"].sum()) + min(int(limits.loc[promoted, "cap"].sum()), promotion)


def naive(curves: pd.DataFrame, plan: pd.DataFrame, money: int) -> pd.DataFrame:
    """Last year's spend scaled to the money there is; without marketing history, as the channels' planned revenue.

    `plan`: a plan table with channels. Returns item, amount (minor units, sums to `money`).
    """
    shape = (
        curves.set_index("item")["spend"].astype(float)
        if len(curves)
        else tables.rollup(plan, ["channel"]).set_index("channel")[AMOUNT]
    )
    return pd.DataFrame({"item": shape.index, AMOUNT: tables.largest_remainder(money, shape.clip(lower=0))})


def board(limits: pd.DataFrame, allocation: pd.DataFrame) -> pd.DataFrame:
    """The board of returns by activity (BUD-6): item, spend_last_year, return_ (of last year, with its interval), frozen,
    amount, marginal (return of the next unit of the plan), caveat (what the data cannot tell).
    """
    frame = limits[["item", "spend", "return_", "frozen", "caveat"]].rename(columns={"spend": "spend_last_year"})
    planned = allocation.set_index("item")
    frame["frozen"] = np.where(frame["frozen"], "frozen", "")
    frame.insert(4, AMOUNT, frame["item"].map(planned[AMOUNT]).astype("int64"))
    frame.insert(5, "marginal", frame["item"].map(planned["marginal"]))
    return frame.sort_values([AMOUNT, "item"], ascending=[False, True]).reset_index(drop=True)
