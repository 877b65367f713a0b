"""06 customer: groups by recency, frequency and money (CUS-1), the growth bridge (CUS-6)."""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from planlib import plan as tables
from planlib.chapters.base import Share, SplitParameters
from planlib.plan import AMOUNT

SEGMENTS = ["High value", "Potential", "Ordinary", "Dormant", "New"]


QUESTION = "Which customers bring the target: those we have, those we win back, those we win?"


class Parameters(SplitParameters):
    dormant_months: Annotated[int, Field(ge=1, le=36)] = 6
    high_value_share: Share = 0.20
    potential_share: Share = 0.30
    retention: Share = 0.80
    upsell_reach: Share = 0.30
    upsell_lift: Share = 0.20
    crosssell_reach: Share = 0.50
    crosssell_lift: Share = 0.05
    referral_share: Share = 0.15
    winback_share: Share = 0.40


def groups(customers: pd.DataFrame, everyone: pd.DataFrame, month: str, parameters: Parameters) -> pd.DataFrame:
    """One row for everyone: customer, segment at the start of `month`; who had not bought by then is New.

    `customers`: see `segments`, before that month. `everyone`: customer, all that have orders. Where orders name no customer
    (one member, `all`), there is one group, `All`.
    """
    names = sorted(set(everyone["customer"]))
    if names == ["all"]:
        return pd.DataFrame({"customer": names, "segment": "All"})
    known = segments(customers, pd.Timestamp(f"{month}-01"), parameters).set_index("customer")["segment"]
    return pd.DataFrame({"customer": names, "segment": known.reindex(names).fillna("New").to_numpy()})


def segments(customers: pd.DataFrame, day: pd.Timestamp, parameters: Parameters) -> pd.DataFrame:
    """Each customer's group on `day`: customer, segment, score.

    `customers`: customer, last (date), orders, amount (minor units) up to that day. Not seen for `dormant_months`: Dormant.
    Others are ranked by the mean of their percentiles of recency, frequency and money: the best `high_value_share` are High
    value, the next `potential_share` Potential, the rest Ordinary. Who is not in the table yet is New. Source: RFM, CUS-1.
    """
    frame = customers[["customer"]].copy()
    last = pd.to_datetime(customers["last"])
    active = (last > day - pd.DateOffset(months=parameters.dormant_months)).to_numpy()
    ranks = [
        last[active].rank(pct=True),
        customers.loc[active, "orders"].rank(pct=True),
        customers.loc[active, AMOUNT].rank(pct=True),
    ]
    frame["score"] = 0.0
    frame.loc[active, "score"] = np.round(sum(ranks) / 3, 9)
    # Ties in the score go by name, so that the cut is the same in any row order.
    order = frame[active].sort_values(["score", "customer"], ascending=[False, True]).index
    high = round(len(order) * parameters.high_value_share)
    potential = high + round(len(order) * parameters.potential_share)
    frame["segment"] = "Dormant"
    frame.loc[order[:high], "segment"] = "High value"
    frame.loc[order[high:potential], "segment"] = "Potential"
    frame.loc[order[potential:], "segment"] = "Ordinary"
    return frame[["customer", "segment", "score"]]


def profile(grouped: pd.DataFrame, customers: pd.DataFrame, last_year: pd.DataFrame) -> pd.DataFrame:
    """One row per group: segment, customers, orders a customer, amount last year (minor units), share."""
    size = (
        grouped.merge(customers, on="customer", how="left")
        .groupby("segment")
        .agg(customers=("customer", "size"), orders=("orders", "mean"))
    )
    money = last_year.groupby("segment")[AMOUNT].sum()
    frame = size.join(money, how="outer").reindex(
        [name for name in [*SEGMENTS, "All"] if name in size.index.union(money.index)]
    )
    frame["customers"] = frame["customers"].fillna(0).astype("int64")
    frame[AMOUNT] = frame[AMOUNT].fillna(0).astype("int64")
    frame["share"] = frame[AMOUNT] / max(1, int(frame[AMOUNT].sum()))
    return frame.rename_axis("segment").reset_index()


def bridge(last_year: pd.DataFrame, target: int, parameters: Parameters) -> pd.DataFrame:
    """Where the target comes from (CUS-6): label, amount (minor units), kind; the six sources sum to the target exactly.

    `last_year`: segment, amount. Retained base = retention x active groups; up-sell, cross-sell and referral are their
    reach x lift of that base; win-back = share x what dormant customers brought a year before they went, at their recent
    level; new customers carry what is left, and a negative rest says that the other five are too hopeful.
    """
    money = last_year.groupby("segment")[AMOUNT].sum().reindex([*SEGMENTS, "All"]).fillna(0).astype("int64")
    base = int(money.drop("Dormant").sum())
    retained = round(base * parameters.retention)
    sources = {
        "Retained base": retained,
        "Up-sell": round(retained * parameters.upsell_reach * parameters.upsell_lift),
        "Cross-sell": round(retained * parameters.crosssell_reach * parameters.crosssell_lift),
        "Referral": round(int(money["New"]) * parameters.referral_share),
        "Win-back": round(max(0, int(money["Dormant"])) * (1 + parameters.winback_share)),
    }
    sources["New customers"] = target - sum(sources.values())
    rows = [
        (label, amount, "total" if label == "Retained base" else "up" if amount >= 0 else "down")
        for label, amount in sources.items()
    ]
    return pd.DataFrame([*rows, ("Target", target, "total")], columns=["label", AMOUNT, "kind"])


def weights(plan: pd.DataFrame, last_year: pd.DataFrame) -> pd.DataFrame:
    """Last year's amounts by group within region, product and channel: region, product, channel, segment, weight.

    Groups are those at the start of that year, so 'New' is what customers won during a year bring.
    """
    dims = ["region", "product", "channel"]
    return tables.history_weights(tables.rollup(plan, dims), last_year, "segment")
