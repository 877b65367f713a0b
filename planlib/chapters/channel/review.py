"""The review: resources leave channels that are behind the plan in force for those ahead of it, with a reason (CHN-2)."""

from typing import Any

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.periods import Horizon
from planlib.plan import AMOUNT

COLUMNS = ["channel", "booked", "plan_in_force", "ahead", "transfer", "reason"]


def review(booked: pd.DataFrame | None, stood: pd.DataFrame | None, parameters: Any, horizon: Horizon) -> pd.DataFrame:
    """How each channel stands in the closed months against the plan that was in force before each closed (CHN-2).

    `booked`: channel, month, amount; `stood`: plan table with channel and month (minor units), each month as it was planned
    before it closed; a month that no plan had open is absent, and not reviewed. With a review by quarter only whole quarters
    count. Returns channel, booked, plan_in_force (minor units of those months), ahead (booked over planned less 1; missing
    where nothing was planned), months (text); empty before there is anything to review.
    """
    known = set() if stood is None else set(stood["month"])
    spans = [[month] for month in horizon.months] if parameters.review == "month" else horizon.quarters
    closed = [month for span in spans if set(span) <= known & set(horizon.closed) for month in span]
    if booked is None or stood is None or not closed:
        return pd.DataFrame(columns=["channel", "booked", "plan_in_force", "ahead", "months"])
    here, there = (table[table["month"].isin(closed)] for table in (booked, stood))
    named = (("booked", here), ("plan_in_force", there))
    sums = [table.groupby("channel")[AMOUNT].sum().rename(name).astype("Int64") for name, table in named]
    frame = pd.concat(sums, axis=1).fillna(0).astype("int64").sort_index().rename_axis("channel").reset_index()
    frame["ahead"] = tables.ratio(frame["booked"] - frame["plan_in_force"], frame["plan_in_force"])
    return frame.assign(months=closed[0] if len(closed) == 1 else f"{closed[0]} to {closed[-1]}")


def moves(reviewed: pd.DataFrame, weights: pd.DataFrame, open_amount: int, parameters: Any) -> pd.DataFrame:
    """What the review moves (CHN-2): channel, booked, plan_in_force, ahead, transfer, reason, factor of the weight.

    `weights`: channel, weight before the review; `open_amount`: what is still open of the target. A channel more than
    `review_line` behind gives up `review_move` of its open target; those more than `review_line` ahead take it, in
    proportion to how much they are ahead, each at most `review_take` of its own open target. What nobody can take stays where
    it is; where nobody is ahead nothing moves.
    """
    if reviewed.empty:
        return pd.DataFrame(columns=[*COLUMNS, "factor"])
    frame = reviewed.merge(weights[["channel", "weight"]], how="left", on="channel").fillna({"weight": 0.0})
    share = frame["weight"] / max(1e-12, float(frame["weight"].sum()))
    pace = frame["ahead"].fillna(0.0).round(9)
    behind, ahead = pace < -parameters.review_line, (pace > parameters.review_line) & (share > 0)
    offered = (share * parameters.review_move).where(behind, 0.0)
    room = (share * parameters.review_take).where(ahead, 0.0)
    taken = _taken(float(offered.sum()), (pace * share).where(ahead, 0.0).to_numpy(), room.to_numpy())
    given = offered * (float(taken.sum()) / float(offered.sum())) if offered.sum() > 0 else offered
    change = taken - given
    frame["factor"] = (1 + change / share.where(share > 0)).fillna(1.0)
    frame["transfer"] = (change * open_amount).round().astype("int64")
    moved = change.round(12) != 0
    words = [_reason(p, bool(m), str(t)) for p, m, t in zip(frame["ahead"], moved, frame["months"], strict=True)]
    return frame.assign(reason=words)[[*COLUMNS, "factor"]]


def _taken(offered: float, pull: np.ndarray, room: np.ndarray) -> np.ndarray:
    """What each takes of `offered` in proportion to its pull, none more than its room; what one leaves goes to the others."""
    taken = np.zeros(len(pull))
    free = pull > 0
    while free.any():
        wanted = (offered - taken[~free].sum()) * pull / pull[free].sum()
        full = free & (wanted >= room)
        if not full.any():
            taken[free] = wanted[free]
            break
        taken[full] = room[full]
        free &= ~full
    return taken


def _reason(ahead: float, moved: bool, months: str) -> str:
    if ahead != ahead:
        return f"nothing was planned in {months}: stays"
    pace = round(ahead, 3)
    way = "as in" if pace == 0 else f"{abs(pace):.1%} {'ahead of' if pace > 0 else 'behind'}"
    text = f"{way} the plan in force in {months}"
    return text if moved else f"{text}: stays"
