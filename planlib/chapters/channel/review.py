"""The review: resources leave channels that are behind the plan in force for those ahead of it, with a reason (CHN-2)."""

from typing import Any

import pandas as pd

from planlib import plan as tables
from planlib.plan import AMOUNT, Horizon

COLUMNS = ["channel", "booked", "plan_in_force", "ahead", "transfer", "reason"]


def review(booked: pd.DataFrame | None, in_force: pd.DataFrame | None, parameters: Any, horizon: Horizon) -> pd.DataFrame:
    """How each channel stands in the closed months against the plan in force (CHN-2).

    `booked`: channel, month, amount; `in_force`: the plan in force with channel and month (minor units). With a review by
    quarter only whole quarters count. Returns channel, booked, plan_in_force (minor units of those months), ahead (booked over
    planned less 1), months (text); empty before there is anything to review.
    """
    closed = horizon.closed if parameters.review == "month" else horizon.closed[: len(horizon.closed) // 3 * 3]
    if booked is None or in_force is None or not closed:
        return pd.DataFrame(columns=["channel", "booked", "plan_in_force", "ahead", "months"])
    here, there = (table[table["month"].isin(closed)] for table in (booked, in_force))
    sums = [table.groupby("channel")[AMOUNT].sum().rename(name) for name, table in (("booked", here), ("plan_in_force", there))]
    frame = pd.concat(sums, axis=1).fillna(0).astype("int64").sort_index().rename_axis("channel").reset_index()
    frame["ahead"] = tables.ratio(frame["booked"] - frame["plan_in_force"], frame["plan_in_force"])
    return frame.assign(months=closed[0] if len(closed) == 1 else f"{closed[0]} to {closed[-1]}")


def moves(reviewed: pd.DataFrame, weights: pd.DataFrame, open_amount: int, parameters: Any) -> pd.DataFrame:
    """What the review moves (CHN-2): channel, booked, plan_in_force, ahead, transfer, reason, factor of the weight.

    `weights`: channel, weight before the review; `open_amount`: what is still open of the target. A channel more than
    `review_line` behind gives up `review_move` of its open target; those more than `review_line` ahead take it, in
    proportion to how much they are ahead. Where nobody is ahead nothing moves.
    """
    if reviewed.empty:
        return pd.DataFrame(columns=[*COLUMNS, "factor"])
    frame = reviewed.merge(weights[["channel", "weight"]], how="left", on="channel").fillna({"weight": 0.0})
    share = frame["weight"] / max(1e-12, float(frame["weight"].sum()))
    pace = frame["ahead"].fillna(0.0).round(9)
    behind, ahead = pace < -parameters.review_line, (pace > parameters.review_line) & (share > 0)
    given = (share * parameters.review_move).where(behind & ahead.any(), 0.0)
    pull = (pace * share).where(ahead, 0.0)
    taken = given.sum() * pull / pull.sum() if pull.sum() > 0 else pull
    change = taken - given
    frame["factor"] = (1 + change / share.where(share > 0)).fillna(1.0)
    frame["transfer"] = (change * open_amount).round().astype("int64")
    words = [_reason(float(p), bool(m), str(t)) for p, m, t in zip(pace, change != 0, frame["months"], strict=True)]
    return frame.assign(reason=words)[[*COLUMNS, "factor"]]


def _reason(pace: float, moved: bool, months: str) -> str:
    way = "ahead of" if pace > 0 else "behind"
    text = f"{abs(pace):.1%} {way} the plan in force in {months}"
    return text if moved else f"{text}: stays"
