"""The watch over money that is spent: quarters, variance and its causes, hours, stock (BUD-3, BUD-6)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.estimates.windows import Window
from planlib.periods import MONTHS, Calendar, Horizon
from planlib.plan import AMOUNT


def quarters(
    month: pd.DataFrame, horizon: Horizon, stood: pd.DataFrame | None, known: Sequence[str] | None = None
) -> pd.DataFrame:
    """The rolling quarters of the activities' money (BUD-3): quarter, amount, of it spent, plan_in_force, difference.

    `month`: month, amount (minor units). `stood`: the same as each month stood before it closed; without it the last two
    columns are missing, and they are in a quarter with a month that no plan had open. `known`: closed months whose spend is
    known, all by default; in a quarter with another closed month, spent is missing.
    """
    of = horizon.quarter_of
    sums = month.groupby(month["month"].map(of))[AMOUNT].sum().reindex(sorted(set(of.values())), fill_value=0)
    frame = sums.rename_axis("quarter").reset_index()
    closed = month[month["month"].isin(horizon.closed)]
    frame["spent"] = tables.by_key(frame["quarter"], closed.groupby(closed["month"].map(of))[AMOUNT].sum())
    lost = {of[name] for name in horizon.closed if known is not None and name not in known}
    if lost:
        frame["spent"] = frame["spent"].where(~frame["quarter"].isin(lost))
    if stood is not None:
        planned = stood.groupby(stood["month"].map(of)).agg(amount=(AMOUNT, "sum"), count=("month", "nunique"))
        whole = planned.loc[planned["count"] == pd.Series(of).value_counts().reindex(planned.index), "amount"]
        frame["plan_in_force"] = frame["quarter"].map(whole)
        frame["difference"] = frame[AMOUNT] - frame["plan_in_force"]
    return frame


def variance(
    spent: pd.DataFrame,
    stood: pd.DataFrame | None,
    sold: pd.DataFrame | None,
    sales_stood: pd.DataFrame | None,
    closed: Window,
    line: float,
    hours: int,
    as_of: pd.Timestamp,
) -> pd.DataFrame:
    """Spend of closed months against the plan that stood before they closed, with where the difference comes from (BUD-6).

    Parameters: all month, amount (minor units): what was `spent` and planned, what was `sold` and planned; `closed`, the closed
    months and which of them marketing is known for: a known month without spend spent nothing, of another nothing is said;
    `line`, the variance either way beyond which a root-cause report is due within `hours` of as_of.
    Returns month, amount, plan_in_force, variance (share; missing where nothing was planned), with_sales (because sales were
    not as planned, at the planned rate), by_rate (because the rate of spend to sales was another), report_by (day; empty where
    none is due). with_sales + by_rate = amount - plan_in_force. Empty without a plan or a closed month that is known.
    """
    columns = ["month", AMOUNT, "plan_in_force", "variance", "with_sales", "by_rate", "report_by"]
    if stood is None or sold is None or sales_stood is None:
        return pd.DataFrame(columns=columns)
    frame = pd.DataFrame({"month": [month for month in closed.known if month in set(stood["month"])]}, dtype="str")
    if frame.empty:
        return pd.DataFrame(columns=columns)
    named = [spent, stood, sold, sales_stood]
    paid, planned, came, expected = (
        tables.by_key(frame["month"], each.groupby("month")[AMOUNT].sum() if len(each) else pd.Series(dtype="int64"))
        for each in named
    )
    frame[AMOUNT], frame["plan_in_force"] = paid, planned
    off = frame[AMOUNT] - frame["plan_in_force"]
    frame["variance"] = tables.ratio(off, frame["plan_in_force"])
    frame["with_sales"] = (planned * (tables.ratio(came, expected).fillna(1.0) - 1)).round().astype("int64")
    frame["by_rate"] = off - frame["with_sales"]
    due = f"{as_of + pd.Timedelta(hours=hours).ceil('D'):%Y-%m-%d}"
    # Spend that nobody planned is off by any measure; nothing spent where nothing was planned is not.
    beyond = frame["variance"].abs().fillna(pd.Series(np.where(off != 0, np.inf, 0.0))).round(9) > line
    frame["report_by"] = np.where(beyond, due, "")
    return frame[columns]


def hours(staff: pd.DataFrame | None, sold: pd.DataFrame | None, as_of: pd.Timestamp, line: float) -> pd.DataFrame:
    """Output per head and hours used, the company first, then region by region (BUD-6).

    `staff`: region, hired, left, hours, used (a month); `sold`: region, amount over the last twelve months, None where these
    are not known in full: then output per head is missing. Only people who are there count. Returns region, people,
    sales_per_head (minor units), used, idle (shares), flag (idle over `line`).
    Empty where staff or its hours are not known.
    """
    columns = ["region", "people", "sales_per_head", "used", "idle", "flag"]
    if staff is None or not {"hours", "used"} <= set(staff.columns):
        return pd.DataFrame(columns=columns)
    left = pd.to_datetime(staff["left"]) if "left" in staff else pd.Series(pd.NaT, index=staff.index)
    here = staff[(pd.to_datetime(staff["hired"]) <= as_of) & (left.isna() | (left > as_of))]
    sums = here.groupby("region").agg(people=("hours", "size"), hours=("hours", "sum"), worked=("used", "sum")).reset_index()
    by_region = pd.Series(dtype=float) if sold is None else sold.groupby("region")[AMOUNT].sum()
    sums["sales"] = sums["region"].map(by_region).fillna(0)
    whole = sums[["people", "hours", "worked", "sales"]].sum().to_frame().T.assign(region="All regions")
    both = pd.concat([whole, sums], ignore_index=True)
    both["people"] = both["people"].astype("int64")
    per_head = tables.ratio(both["sales"], both["people"]).round().fillna(0).astype("int64")
    both["sales_per_head"] = per_head if sold is not None else np.nan
    both["used"] = tables.ratio(both["worked"], both["hours"])
    both["idle"] = (1 - both["used"]).round(9)
    both["flag"] = np.where(both["idle"] > line, "idle over the line", "")
    both["_whole"] = both["region"] != "All regions"
    return both.sort_values(["_whole", "idle", "region"], ascending=[True, False, True])[columns].reset_index(drop=True)


def stock(inventory: pd.DataFrame | None, cost: pd.DataFrame, days: int, fast: int, durable: int) -> pd.DataFrame:
    """Days of inventory by product (BUD-6): product, kind, stock_value (minor units), days, limit, flag.

    `inventory`: product, value, kind (fast, durable; durable where not stated) over all warehouses; `cost`: product, cost of
    the goods sold over the last `days` days (minor units). Days = value / daily cost; without sales there is no end of days,
    but what is not there lies no day. Empty without inventory or cost.
    """
    columns = ["product", "kind", "stock_value", "days", "limit", "flag"]
    if inventory is None or inventory.empty or "cost" not in cost:
        return pd.DataFrame(columns=columns)
    kinds = inventory["kind"] if "kind" in inventory else pd.Series("durable", index=inventory.index)
    held = (
        inventory.assign(kind=kinds.fillna("durable"))
        .groupby("product")
        .agg(kind=("kind", "first"), stock_value=("value", "sum"))
    )
    held = held.reset_index()
    daily = held["product"].map(cost.groupby("product")["cost"].sum()).fillna(0).astype(float) / days
    held["days"] = (held["stock_value"] / daily.where(daily > 0)).round(9).where(held["stock_value"] != 0, 0.0)
    held["limit"] = np.where(held["kind"] == "fast", fast, durable)
    held["flag"] = np.where(held["days"].fillna(np.inf) > held["limit"], "over the limit", "")
    return held.sort_values(["flag", "stock_value", "product"], ascending=[False, False, True])[columns].reset_index(drop=True)


def days_of(months: Sequence[str], calendar: Calendar = MONTHS) -> int:
    """How many days these months have."""
    return sum(calendar.length(month) for month in months)
