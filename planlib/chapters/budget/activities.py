"""Marketing activities: what each returned, within which limits it may move, and the naive split."""

from dataclasses import replace

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.chapters.budget.parameters import Parameters
from planlib.errors import ParameterError
from planlib.estimates.response import Response, fit_attributed, fit_months
from planlib.estimates.response.result import COLUMNS
from planlib.plan import AMOUNT, Horizon

PROMOTION = "promotion"


def known(marketing: pd.DataFrame | None, horizon: Horizon) -> pd.DataFrame:
    """Marketing months up to as_of: month, activity, spend (minor units), and channel and kind ("" where not known); revenue
    and new_customers where the table has them. Empty without the table.
    """
    if marketing is None:
        none = {"month": "str", "activity": "str", "spend": "int64"}
        marketing = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in none.items()})
    found = marketing[marketing["month"] <= f"{horizon.as_of:%Y-%m}"].reset_index(drop=True)
    return found.assign(**{name: found[name].fillna("") if name in found else "" for name in ("channel", "kind")})


def curves(marketing: pd.DataFrame, sales: pd.DataFrame, horizon: Horizon) -> Response:
    """What each activity's money brings in a year, with intervals (BUD-1, BUD-6).

    Parameters
        marketing  as `known` gives it; its own revenue where attributed, else what moves with `sales`
        sales      month, amount: revenue of the company, minor units
    Returns Response of the activities that cost and brought something last year; without any a note that says why.
    See planlib.estimates.response: fit_attributed, fit_months.
    """
    paid = marketing["month"].isin(horizon.last_year) & (marketing["spend"] > 0)
    if not paid.any():
        return Response(pd.DataFrame(columns=list(COLUMNS)), note="No marketing spend of last year is known.")
    if "revenue" in marketing:
        found = fit_attributed(marketing[["month", "activity", "spend", "revenue"]], year=horizon.last_year)
    else:
        found = fit_months(marketing, sales.set_index("month")[AMOUNT], year=horizon.last_year)
    good = (found.curves["spend"] > 0) & (found.curves["revenue"] > 0)
    return replace(found, curves=found.curves[good].reset_index(drop=True))


def traits(marketing: pd.DataFrame) -> pd.DataFrame:
    """What an activity is: item, channel (the sales channel it feeds) and kind (advertising, promotion), as last stated."""
    last = marketing.sort_values(["activity", "month"]).groupby("activity")[["channel", "kind"]].last()
    return last.rename_axis("item").reset_index()


def is_promotion(activities: pd.DataFrame, traits: pd.DataFrame) -> pd.Series:
    """Which activities (column `item`) promote; the others count as advertising (BUD-3)."""
    return activities["item"].isin(traits.loc[traits["kind"] == PROMOTION, "item"])


def gone(marketing: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
    """What closed months of the plan year have spent (BUD-3): item, month, amount (minor units)."""
    sums = marketing[marketing["month"].isin(horizon.closed)].groupby(["activity", "month"], as_index=False)["spend"].sum()
    sums = sums.rename(columns={"activity": "item", "spend": AMOUNT}).astype({AMOUNT: "int64"})
    return sums[sums[AMOUNT] > 0].reset_index(drop=True)


def naive(curves: pd.DataFrame, marketing: pd.DataFrame, plan: pd.DataFrame, money: int, horizon: Horizon) -> pd.DataFrame:
    """Last year's spend scaled to the money there is; where none is known, as the channels' planned revenue.

    `plan`: a plan table with channels. Returns item, amount (minor units, sums to `money`).
    """
    spent = marketing[marketing["month"].isin(horizon.last_year)].groupby("activity")["spend"].sum()
    sold = tables.rollup(plan, ["channel"]).set_index("channel")[AMOUNT].clip(lower=0)
    shape = curves.set_index("item")["spend"].astype(float) if len(curves) else spent if spent.sum() > 0 else sold
    return pd.DataFrame({"item": list(shape.index), AMOUNT: tables.largest_remainder(money, shape)})


def bounds(
    curves: pd.DataFrame, kinds: pd.DataFrame, spent: pd.DataFrame, money: int, budget: int, parameters: Parameters
) -> pd.DataFrame:
    """Floor and cap of each activity: last year's spend grown with the money, times least and most change (BUD-3, BUD-6).

    Parameters
        curves   Response.curves: item, form, scale, half, elasticity, spend (last year, minor units), roi, ...
        kinds    as `traits` gives them
        spent    as `gone` gives it; the least floor, also of an activity that is new this year and has no curve
        money    what activities may have, minor units; `budget` the whole, of which promotion takes `promotion_cap` at most
    An activity whose return fell under `freeze_roi` keeps its floor only. Where the caps leave money over, activities that are
    neither frozen nor promotion take it, however much: a budget is spent or reserved.
    Returns curves with floor, cap (minor units), line (freeze_roi), frozen, group ("promotion" or "").
    Raises ParameterError where closed months have spent more than the money.
    """
    frame = curves.copy()
    paid = spent.groupby("item")[AMOUNT].sum()
    if len(frame) and int(paid.sum()) > money:
        raise ParameterError(
            f"budget: closed months have already spent {int(paid.sum()):,} minor units on activities, expected at most the "
            f"{money:,} that reserve and critical projects leave of {budget:,}; raise marketing_ratio."
        )
    new = sorted(set(paid.index) - set(frame["item"])) if len(frame) else []
    if new:
        words = {"form": "power", "return_": "–", "marginal_": "–", "caveat": "New this year: what it brings is not known yet."}
        frame = pd.concat([frame, pd.DataFrame({"item": new, "elasticity": 0.5, "scale": 0.0, "spend": 0.0, **words})])
        frame = frame.reset_index(drop=True)
    grown = frame["spend"].astype(float) * (money / max(1.0, float(frame["spend"].sum())))
    past = frame["item"].map(paid).fillna(0).astype("int64")
    promoted = is_promotion(frame, kinds)
    frame["group"] = np.where(promoted, PROMOTION, "")
    frame["line"] = parameters.freeze_roi
    frame["frozen"] = (frame["roi"].astype(float) < parameters.freeze_roi) & frame["roi"].notna()
    floor = np.floor(grown * parameters.least_change)
    most = promotion_money(budget, parameters)
    if floor[promoted].sum() > most:
        floor[promoted] = np.floor(floor[promoted] * (most / floor[promoted].sum()))
    frame["floor"] = np.maximum(floor.astype("int64"), past)
    if int(frame["floor"].sum()) > money:
        # Spent is spent: where too little is left for the floors, only what is gone stands.
        frame["floor"] = past
    frame["cap"] = np.maximum(np.ceil(grown * parameters.most_change).astype("int64"), frame["floor"])
    frame.loc[frame["frozen"], "cap"] = frame["floor"]
    if room(frame, most) < money:
        open_ = ~promoted & (grown > 0)
        free = open_ & ~frame["frozen"]
        frame.loc[free if free.any() else open_, "cap"] = money
    return frame


def promotion_money(budget: int, parameters: Parameters) -> int:
    """The most that promotion may take of the whole budget, minor units (BUD-3)."""
    return int(budget * parameters.promotion_cap)


def room(limits: pd.DataFrame, promotion: int) -> int:
    """How much the activities can take in all, minor units."""
    promoted = limits["group"] == PROMOTION
    least = int(limits.loc[promoted, "floor"].sum())
    return int(limits.loc[~promoted, "cap"].sum()) + min(int(limits.loc[promoted, "cap"].sum()), max(promotion, least))
