"""Marketing activities: what each returned, within which limits it may move, and the naive split."""

from dataclasses import replace

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.chapters.budget.parameters import Parameters
from planlib.estimates.response import Response, fit_attributed, fit_months
from planlib.estimates.response.result import COLUMNS
from planlib.estimates.windows import Coverage, Window
from planlib.periods import Horizon
from planlib.plan import AMOUNT

PROMOTION = "promotion"


def known(marketing: pd.DataFrame | None, horizon: Horizon) -> pd.DataFrame:
    """Marketing months up to as_of: month, activity, spend (minor units), and channel and kind ("" where not known); revenue
    and new_customers where the table has them. Empty without the table.
    """
    if marketing is None:
        none = {"month": "str", "activity": "str", "spend": "int64"}
        marketing = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in none.items()})
    found = marketing[marketing["month"] <= horizon.until].reset_index(drop=True)
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


def traits(marketing: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
    """What an activity is: item, channel (the sales channel it feeds) and kind (advertising, promotion), as last stated; spend
    and revenue (minor units, last year's; a part year is brought to a full one, revenue is missing where none is attributed).
    """
    last = marketing.sort_values(["activity", "month"]).groupby("activity")[["channel", "kind"]].last()
    year = last_year(marketing, horizon)
    known = marketing[marketing["month"].isin(year.known)].groupby("activity")
    for name in ("spend", "revenue"):
        sums = known[name].sum() if name in marketing else pd.Series(dtype=float)
        last[name] = sums.reindex(last.index) * (12 / max(1, len(year.known)))
    return last.fillna({"spend": 0.0}).rename_axis("item").reset_index()


def last_year(marketing: pd.DataFrame, horizon: Horizon) -> Window:
    """The year before the plan's, and which of its months marketing is known for."""
    return covered(marketing, horizon).window("marketing of last year", horizon.last_year)


def covered(marketing: pd.DataFrame, horizon: Horizon) -> Coverage:
    """The months that marketing is known for; a month without any row of any activity is not."""
    return Coverage.of_events(marketing["month"], horizon.until)


def is_promotion(activities: pd.DataFrame, traits: pd.DataFrame) -> pd.Series:
    """Which activities (column `item`) promote; the others count as advertising (BUD-3)."""
    return activities["item"].isin(traits.loc[traits["kind"] == PROMOTION, "item"])


def gone(marketing: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
    """What closed months of the plan year have spent (BUD-3): item, month, amount (minor units)."""
    sums = marketing[marketing["month"].isin(horizon.closed)].groupby(["activity", "month"], as_index=False)["spend"].sum()
    sums = sums.rename(columns={"activity": "item", "spend": AMOUNT}).astype({AMOUNT: "int64"})
    return sums[sums[AMOUNT] > 0].reset_index(drop=True)


def naive(marketing: pd.DataFrame, plan: pd.DataFrame, money: int, horizon: Horizon) -> pd.DataFrame:
    """Last year's spend scaled to the money there is; where none is known, as the channels' planned revenue (BUD-2).

    `plan`: a plan table with channels. Returns item, amount (minor units, sums to `money`).
    """
    spent = traits(marketing, horizon).set_index("item")["spend"]
    sold = tables.rollup(plan, ["channel"]).set_index("channel")[AMOUNT].clip(lower=0)
    shape = spent[spent > 0] if spent.sum() > 0 else sold
    return pd.DataFrame({"item": list(shape.index), AMOUNT: tables.largest_remainder(money, shape)})


def bounds(
    curves: pd.DataFrame, kinds: pd.DataFrame, spent: pd.DataFrame, money: int, budget: int, parameters: Parameters
) -> pd.DataFrame:
    """Floor and cap of each activity: last year's spend grown with the money, times least and most change (BUD-3, BUD-6).

    Parameters
        curves   Response.curves: item, form, scale, half, elasticity, spend (last year, minor units), roi, ...
        kinds    as `traits` gives them
        spent    as `gone` gives it; the least floor
        money    what activities may have, minor units; `budget` the whole, of which promotion takes `promotion_cap` at most
    An activity whose return fell under `freeze_roi` keeps its floor only. Where the caps leave money over, activities that are
    neither frozen nor promotion take it, however much; where there are none it is not placed. An activity without a curve is
    there all the same: it returned nothing where no revenue is attributed to it, else what it brings is not known.
    Returns curves with floor, cap (minor units), line (freeze_roi), frozen, group ("promotion" or "").
    """
    frame = curves.copy()
    paid = spent.groupby("item")[AMOUNT].sum()
    last = kinds.set_index("item")[["spend", "revenue"]]
    if len(frame):
        frame = pd.concat([frame, *_without_curve(frame, last, paid)], ignore_index=True)
    grown = frame["spend"].astype(float) * (money / max(1.0, float(frame["spend"].sum())))
    past = tables.by_key(frame["item"], paid)
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
        # Spent is spent: where too little is left for the floors, what is gone stands.
        frame["floor"] = past
    frame["cap"] = np.maximum(np.ceil(grown * parameters.most_change).astype("int64"), frame["floor"])
    frame.loc[frame["frozen"], "cap"] = frame["floor"]
    if room(frame, most) < money:
        frame.loc[~promoted & (grown > 0) & (frame["scale"] > 0) & ~frame["frozen"], "cap"] = money
    return frame


def _without_curve(curves: pd.DataFrame, last: pd.DataFrame, paid: pd.Series) -> list[pd.DataFrame]:
    """A row for each activity that cost money last year or this and has no curve: in a list, none where all have one."""
    names = sorted({*last.index[last["spend"] > 0], *paid.index[paid > 0]} - set(curves["item"]))
    if not names:
        return []
    spend, revenue = (last[name].reindex(names).astype(float) for name in ("spend", "revenue"))
    idle = ((spend > 0) & (revenue == 0)).to_numpy()
    new = (spend.fillna(0.0) == 0).to_numpy()
    says = np.select(
        [idle, new],
        ["No revenue is attributed to it last year.", "New this year: what it brings is not known yet."],
        "What it brings is not known.",
    )
    words = {"form": "power", "elasticity": 0.5, "scale": 0.0, "return_": np.where(idle, "0.00", "–"), "marginal_": "–"}
    found = pd.DataFrame({"item": names, "spend": spend.fillna(0.0).to_numpy(), "roi": np.where(idle, 0.0, np.nan), **words})
    return [found.assign(caveat=says)]


def promotion_money(budget: int, parameters: Parameters) -> int:
    """The most that promotion may take of the whole budget, minor units (BUD-3)."""
    return int(budget * parameters.promotion_cap)


def room(limits: pd.DataFrame, promotion: int) -> int:
    """How much the activities can take in all, minor units."""
    promoted = limits["group"] == PROMOTION
    least = int(limits.loc[promoted, "floor"].sum())
    return int(limits.loc[~promoted, "cap"].sum()) + min(int(limits.loc[promoted, "cap"].sum()), max(promotion, least))
