"""07 budget: marketing money over response curves, a reserve held back (BUD-1, BUD-4, BUD-6)."""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from planlib import plan as tables
from planlib.chapters.base import ChapterParameters
from planlib.lp import Spend, spend
from planlib.plan import AMOUNT, Horizon

QUESTION = "What may marketing cost, where does the next unit of money return most, and what is held back?"


class Parameters(ChapterParameters):
    marketing_ratio: Annotated[float, Field(gt=0, le=0.20)] = 0.12
    reserve_share: Annotated[float, Field(ge=0.10, le=0.15)] = 0.10
    least_change: Annotated[float, Field(ge=0, le=1)] = 0.5
    most_change: Annotated[float, Field(ge=1, le=5)] = 2.0
    freeze_roi: Annotated[float, Field(ge=0, le=10)] = 1.5


def known(marketing: pd.DataFrame | None, horizon: Horizon) -> pd.DataFrame:
    """Marketing months up to as_of with spend and revenue; empty when the table, or its revenue, is missing."""
    columns = ["month", "activity", "spend", "revenue"]
    if marketing is None or not set(columns) <= set(marketing.columns):
        return pd.DataFrame(columns=columns).astype({"spend": "int64", "revenue": "int64"})
    return marketing.loc[marketing["month"] <= f"{horizon.as_of:%Y-%m}", columns].reset_index(drop=True)


def curves(marketing: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
    """A yearly response curve per activity: revenue = scale x spend ** elasticity, both in minor units.

    `marketing`: month, activity, spend, revenue (minor units) up to as_of. Elasticity from a straight line through the logs of
    the months, held inside 0.1-0.9 so that returns diminish; scale so that last year's spend gives last year's revenue.
    Returns item, spend_last_year, revenue_last_year, roi, elasticity, scale, months (how many the fit saw).
    """
    rows = []
    for activity, seen in marketing.groupby("activity", sort=True):
        paid = seen[(seen["spend"] > 0) & (seen["revenue"] > 0)]
        year = seen[seen["month"].isin(horizon.last_year)]
        spend, revenue = int(year["spend"].sum()), int(year["revenue"].sum())
        slope = 0.5
        if len(paid) >= 6 and paid["spend"].nunique() > 1:
            x, y = np.log(paid["spend"].astype(float)), np.log(paid["revenue"].astype(float))
            slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
        elasticity = float(np.clip(round(slope, 6), 0.1, 0.9))
        scale = revenue / spend**elasticity if spend else 0.0
        rows.append((activity, spend, revenue, revenue / spend if spend else np.nan, elasticity, scale, len(paid)))
    columns = ["item", "spend_last_year", "revenue_last_year", "roi", "elasticity", "scale", "months"]
    found = pd.DataFrame(rows, columns=columns)
    # An activity that cost or brought nothing last year has no curve to follow.
    return found[(found["spend_last_year"] > 0) & (found["revenue_last_year"] > 0)].reset_index(drop=True)


def bounds(fitted: pd.DataFrame, budget: int, parameters: Parameters, spent: pd.DataFrame) -> pd.DataFrame:
    """Floor and cap of each activity: last year's spend grown with the budget, times least and most change.

    An activity whose return fell under `freeze_roi` keeps its floor only (BUD-6). What is already `spent` (item, amount) in
    closed months is the least floor. Returns item, scale, elasticity, floor, cap (minor units), frozen.
    """
    grown = fitted["spend_last_year"] * (budget / max(1, int(fitted["spend_last_year"].sum())))
    gone = fitted["item"].map(spent.set_index("item")[AMOUNT]).fillna(0).astype("int64") if len(spent) else 0
    frame = fitted[["item", "scale", "elasticity"]].copy()
    frame["frozen"] = (fitted["roi"] < parameters.freeze_roi).to_numpy()
    frame["floor"] = np.maximum(np.floor(grown * parameters.least_change).astype("int64"), gone)
    frame["cap"] = np.maximum(np.ceil(grown * parameters.most_change).astype("int64"), frame["floor"])
    frame.loc[frame["frozen"], "cap"] = frame["floor"]
    if frame["cap"].sum() < budget:
        # Money that the caps do not take goes where it is not frozen, or anywhere when all is: a budget is spent or reserved.
        frame.loc[~frame["frozen"] | frame["frozen"].all(), "cap"] = budget
    return frame


def reserve(budget: int, parameters: Parameters) -> int:
    """What is held back of the budget (BUD-4), minor units."""
    return round(budget * parameters.reserve_share)


def naive(fitted: pd.DataFrame, plan: pd.DataFrame, spendable: int) -> pd.DataFrame:
    """Last year's spend scaled to the money there is; without marketing history, as the channels' planned revenue.

    `plan`: a plan table with channels. Returns item, amount (minor units, sums to `spendable`).
    """
    shape = (
        fitted.set_index("item")["spend_last_year"]
        if len(fitted)
        else tables.rollup(plan, ["channel"]).set_index("channel")[AMOUNT]
    )
    amounts = tables.largest_remainder(spendable, shape.clip(lower=0))
    return pd.DataFrame({"item": shape.index, AMOUNT: amounts})


def allocate(
    fitted: pd.DataFrame, marketing: pd.DataFrame, simple: pd.DataFrame, budget: int, parameters: Parameters, horizon: Horizon
) -> Spend:
    """The budget over the activities' curves; without curves the naive split stands and says so by having none."""
    if fitted.empty:
        empty = pd.DataFrame({"item": [], "spend": [], "response": []})
        return Spend(simple.reset_index(drop=True), empty, reserve(budget, parameters))
    closed = marketing[marketing["month"].isin(horizon.closed)]
    spent = closed.groupby("activity")["spend"].sum().rename(AMOUNT).rename_axis("item").reset_index()
    limits = bounds(fitted, budget - reserve(budget, parameters), parameters, spent)
    return spend(budget, limits, parameters.reserve_share)


def compare(allocation: pd.DataFrame, simple: pd.DataFrame, fitted: pd.DataFrame) -> pd.DataFrame:
    """One row per activity in order of size: member, allocated, naive and, where known, last_year (minor units)."""
    frame = allocation[["item", AMOUNT]].rename(columns={"item": "member", AMOUNT: "allocated"})
    frame["naive"] = frame["member"].map(simple.set_index("item")[AMOUNT]).astype("int64")
    if len(fitted):
        frame["last_year"] = frame["member"].map(fitted.set_index("item")["spend_last_year"]).astype("int64")
    return frame.sort_values(["allocated", "member"], ascending=[False, True]).reset_index(drop=True)


def sentence(total: str, held: str, first: str, most: str, fitted: pd.DataFrame) -> str:
    """The chapter in one sentence, of amounts as a reader sees them."""
    if fitted.empty:
        return f"Of {total} for marketing, {held} is held back; the rest follows the channels' planned revenue."
    return f"Of {total} for marketing, {held} is held back and {first} gets the most, {most}."


def message(allocation: pd.DataFrame) -> str:
    """What the curves say: where the next unit of money brings most and least."""
    if "marginal" not in allocation:
        return "No response curves are known"
    ranked = allocation.sort_values(["marginal", "item"], ascending=[False, True])
    best, least = ranked.iloc[0], ranked.iloc[-1]
    return f"The next unit brings {best['marginal']:.2f} in {best['item']}, {least['marginal']:.2f} in {least['item']}"


def reason(allocation: pd.DataFrame, fitted: pd.DataFrame, parameters: Parameters) -> str:
    """Why the money lies where it lies, in a sentence."""
    if fitted.empty:
        return "No marketing history is known: the money follows the channels' planned revenue, without response curves."
    frozen = fitted.loc[fitted["roi"] < parameters.freeze_roi, "item"].tolist()
    best, least = allocation["marginal"].max(), allocation["marginal"].min()
    text = f"The next unit of money brings {least:.2f} to {best:.2f}; where activities differ, a limit holds them apart."
    return f"{text} Frozen under a return of {parameters.freeze_roi:.1f}: {', '.join(frozen)}." if frozen else text


def budget_plan(lines: pd.DataFrame, reserve: int) -> pd.DataFrame:
    """The budget as a plan table: pool (activity or reserve), item, amount; sums to the budget."""
    held = pd.DataFrame({"pool": ["reserve"], "item": ["reserve"], AMOUNT: np.array([reserve], dtype="int64")})
    spent = lines[["item", AMOUNT]].assign(pool="activity")
    return (
        pd.concat([spent, held], ignore_index=True)[["pool", "item", AMOUNT]]
        .sort_values(["pool", "item"])
        .reset_index(drop=True)
    )
