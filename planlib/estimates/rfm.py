"""Customers by recency, frequency and money, on one day (RFM)."""

from typing import Protocol

import numpy as np
import pandas as pd

from planlib.plan import AMOUNT

ACTIVE = ["High value", "Potential", "Ordinary"]
DORMANT = "Dormant"


class Cuts(Protocol):
    """The parameters that say where one group ends and the next begins."""

    @property
    def dormant_months(self) -> int: ...
    @property
    def high_value_share(self) -> float: ...
    @property
    def potential_share(self) -> float: ...


def segments(customers: pd.DataFrame, day: pd.Timestamp, cuts: Cuts) -> pd.DataFrame:
    """Each customer's group on `day`: customer, segment, score (CUS-1).

    `customers`: customer, last (date), orders, amount (minor units) up to that day. Not seen for `dormant_months`: Dormant.
    Others are ranked by the mean of their percentiles of recency, frequency and money: the best `high_value_share` are High
    value, the next `potential_share` Potential, the rest Ordinary. Source: RFM.
    """
    frame = customers[["customer"]].copy()
    last = pd.to_datetime(customers["last"])
    active = (last > day - pd.DateOffset(months=cuts.dormant_months)).to_numpy()
    ranks = [
        last[active].rank(pct=True),
        customers.loc[active, "orders"].rank(pct=True),
        customers.loc[active, AMOUNT].rank(pct=True),
    ]
    frame["score"] = 0.0
    frame.loc[active, "score"] = np.round(sum(ranks) / 3, 9)
    # Ties in the score go by name, so that the cut is the same in any row order.
    order = frame[active].sort_values(["score", "customer"], ascending=[False, True]).index
    high = round(len(order) * cuts.high_value_share)
    potential = high + round(len(order) * cuts.potential_share)
    frame["segment"] = DORMANT
    frame.loc[order[:high], "segment"] = "High value"
    frame.loc[order[high:potential], "segment"] = "Potential"
    frame.loc[order[potential:], "segment"] = "Ordinary"
    return frame[["customer", "segment", "score"]]
