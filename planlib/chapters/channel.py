"""04 channel: history by region and product, each channel's own momentum, capacity as a cap (CHN-1)."""

from typing import Annotated

import pandas as pd
from pydantic import Field

from planlib import plan as tables
from planlib.chapters.base import Share, SplitParameters
from planlib.lp.rules import Rule
from planlib.plan import AMOUNT, Horizon

QUESTION = "Through which channel does each product reach each region, and what can the channel carry?"


class Parameters(SplitParameters):
    follow: Share = 0.5
    most_momentum: Annotated[float, Field(ge=0, le=1)] = 0.25
    use_capacity: bool = True


def drivers(
    history: pd.DataFrame, parameters: Parameters, horizon: Horizon, channels: pd.DataFrame | None = None
) -> pd.DataFrame:
    """One row per channel: history (share of the last twelve months), growth, momentum (factor), capacity (minor units).

    `history`: channel, month, amount. Momentum is the part `follow` of a channel's growth over the company's, at most
    `most_momentum` either way: how much of a shift in shares goes on is not known, so it is neither ignored nor believed.
    """
    last = horizon.last_twelve
    before = [str(pd.Period(month, freq="M") - 12) for month in last]
    now = history[history["month"].isin(last)].groupby("channel")[AMOUNT].sum()
    then = history[history["month"].isin(before)].groupby("channel")[AMOUNT].sum().reindex(now.index).fillna(0)
    frame = pd.DataFrame({"history": now.clip(lower=0) / now.clip(lower=0).sum(), "growth": tables.ratio(now - then, then)})
    company = float(now.sum()) / float(then.sum()) - 1.0 if then.sum() > 0 else 0.0
    ahead = (frame["growth"] - company).fillna(0.0) * parameters.follow
    frame["momentum"] = 1.0 + ahead.clip(-parameters.most_momentum, parameters.most_momentum)
    frame = frame.rename_axis("channel").reset_index()
    if channels is not None and "capacity" in channels:
        frame["capacity"] = frame["channel"].map(channels.set_index("channel")["capacity"])
    return frame


def message(names: str, share: float, rules: pd.DataFrame) -> str:
    """The chapter in one sentence; a channel's capacity is mentioned only where one is known."""
    caps = rules[rules["rule"].str.startswith("capacity of ")]
    full = caps.loc[caps["binds"], "rule"].str.removeprefix("capacity of ").tolist()
    if names == "all":
        return "The orders name no channel, so the target is not split by channel."
    text = f"{names} carry {share:.0%} of the target"
    if full:
        return f"{text}; at capacity: {', '.join(full)}."
    return f"{text}; no channel reaches its capacity." if len(caps) else f"{text}; no channel's capacity is known."


def weights(plan: pd.DataFrame, history: pd.DataFrame, momentum: pd.DataFrame) -> pd.DataFrame:
    """History of each region and product over channels times the channel's momentum: region, product, channel, weight."""
    frame = tables.history_weights(plan, history, "channel")
    factor = momentum.set_index("channel")["momentum"]
    return frame.assign(weight=frame["weight"] * frame["channel"].map(factor).fillna(1.0))


def capacity_caps(frame: pd.DataFrame, parameters: Parameters) -> list[Rule]:
    """A cap per channel whose capacity is known: more than it can carry is not a target but a wish (CHN-1)."""
    if not parameters.use_capacity or "capacity" not in frame:
        return []
    known = frame.dropna(subset=["capacity"])
    return [
        Rule(
            name=f"capacity of {row.channel}",
            where={"channel": row.channel},
            unit="amount",
            max=float(row.capacity),
            owner="Channels",
            reason="what the channel can carry in a year",
        )
        for row in known.itertuples()
    ]
