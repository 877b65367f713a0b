"""The watch over money that is spent: quarters, variance, hours, stock (BUD-3, BUD-6)."""

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.plan import AMOUNT, Horizon


def quarters(month: pd.DataFrame, horizon: Horizon, in_force: pd.DataFrame | None) -> pd.DataFrame:
    """The rolling quarters of the money (BUD-3): quarter, amount, closed (share of its months), plan_in_force, difference.

    `month`, `in_force`: month, amount (minor units); without a plan in force the last two columns are missing.
    """
    of = {name: f"Q{place // 3 + 1}" for place, name in enumerate(horizon.months)}
    frame = month.groupby(month["month"].map(of))[AMOUNT].sum().rename_axis("quarter").reset_index()
    shut = pd.Series([name in horizon.closed for name in horizon.months]).groupby(list(of.values())).mean()
    frame["closed"] = frame["quarter"].map(shut)
    if in_force is not None:
        planned = in_force.groupby(in_force["month"].map(of))[AMOUNT].sum()
        frame["plan_in_force"] = frame["quarter"].map(planned).fillna(0).astype("int64")
        frame["difference"] = frame[AMOUNT] - frame["plan_in_force"]
    return frame


def variance(spent: pd.DataFrame, in_force: pd.DataFrame | None, line: float, hours: int, as_of: pd.Timestamp) -> pd.DataFrame:
    """Spend of closed months against the plan in force, by month (BUD-6): month, amount, plan_in_force, variance, report_by.

    `spent`, `in_force`: month, amount (minor units). Beyond `line` either way a root-cause report is due within `hours` of
    as_of: report_by (text, empty where none is due). Empty without a plan in force or a closed month.
    """
    columns = ["month", AMOUNT, "plan_in_force", "variance", "report_by"]
    if in_force is None or spent.empty:
        return pd.DataFrame(columns=columns).astype({AMOUNT: "int64", "plan_in_force": "int64", "variance": "float64"})
    frame = spent.groupby("month")[AMOUNT].sum().reset_index()
    planned = in_force.groupby("month")[AMOUNT].sum()
    frame["plan_in_force"] = frame["month"].map(planned).fillna(0).astype("int64")
    frame["variance"] = tables.ratio(frame[AMOUNT] - frame["plan_in_force"], frame["plan_in_force"])
    due = f"{as_of + pd.Timedelta(days=1) + pd.Timedelta(hours=hours):%Y-%m-%d}"
    frame["report_by"] = np.where(frame["variance"].abs().fillna(np.inf) > line, due, "")
    return frame[columns]


def hours(staff: pd.DataFrame | None, sold: pd.DataFrame, as_of: pd.Timestamp, line: float) -> pd.DataFrame:
    """Output per head and hours used by region (BUD-6): region, people, per_head (minor units), used, idle (shares), flag.

    `staff`: region, hired, left, hours, used (a month); `sold`: region, amount over the last twelve months. Only people who are
    there count; a region whose idle share is over `line` is flagged. Empty where staff or its hours are not known.
    """
    columns = ["region", "people", "per_head", "used", "idle", "flag"]
    if staff is None or not {"hours", "used"} <= set(staff.columns):
        return pd.DataFrame(columns=columns)
    left = pd.to_datetime(staff["left"]) if "left" in staff else pd.Series(pd.NaT, index=staff.index)
    here = staff[(pd.to_datetime(staff["hired"]) <= as_of) & (left.isna() | (left > as_of))]
    sums = here.groupby("region").agg(people=("hours", "size"), hours=("hours", "sum"), used=("used", "sum")).reset_index()
    revenue = sums["region"].map(sold.groupby("region")[AMOUNT].sum()).fillna(0)
    sums["per_head"] = (revenue / sums["people"]).round().astype("int64")
    sums["used"] = sums["used"] / sums["hours"].where(sums["hours"] > 0)
    sums["idle"] = 1 - sums["used"]
    sums["flag"] = np.where(sums["idle"] > line, "idle over the line", "")
    return sums.sort_values(["idle", "region"], ascending=[False, True])[columns].reset_index(drop=True)


def stock(inventory: pd.DataFrame | None, cost: pd.DataFrame, days: int, fast: int, durable: int) -> pd.DataFrame:
    """Days of inventory by product (BUD-6): product, kind, value (minor units), days, limit, flag.

    `inventory`: product, value, kind (fast, durable) over all warehouses; `cost`: product, cost of goods sold over the last
    `days` days (minor units). Days = value / daily cost; goods that did not sell have no end of days. Empty without inventory.
    """
    columns = ["product", "kind", "value", "days", "limit", "flag"]
    if inventory is None or inventory.empty or "cost" not in cost:
        return pd.DataFrame(columns=columns)
    kinds = inventory["kind"] if "kind" in inventory else pd.Series("durable", index=inventory.index)
    held = inventory.assign(kind=kinds.fillna("durable")).groupby("product").agg(kind=("kind", "first"), value=("value", "sum"))
    held = held.reset_index()
    daily = held["product"].map(cost.groupby("product")["cost"].sum()).fillna(0) / days
    held["days"] = held["value"] / daily.where(daily > 0)
    held["limit"] = np.where(held["kind"] == "fast", fast, durable)
    held["flag"] = np.where(held["days"].fillna(np.inf) > held["limit"], "over the limit", "")
    return held.sort_values(["flag", "value", "product"], ascending=[False, False, True])[columns].reset_index(drop=True)
