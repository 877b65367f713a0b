"""Incentives by the type of a channel, and what each plan costs (CHN-3)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from planlib.chapters.channel.partners import closed_year
from planlib.chapters.members import some
from planlib.periods import Horizon
from planlib.plan import AMOUNT

DEALERS = ("dealer", "distributor")
SCHEMES = {
    "dealer": "tiered rebate",
    "distributor": "tiered rebate",
    "own_store": "bonus on sales",
    "online": "traffic support",
    "key_account": "volume rebate",
}


def rebate(target: int, result: int, tiers: Sequence[Sequence[float]], retroactive: bool) -> int:
    """The rebate on a dealer's result, minor units (CHN-3).

    `tiers`: pairs of attainment from which a rate counts, and the rate. Marginal: each rate counts on the part of the result
    between its tier and the next. Retroactive: the rate of the highest tier reached counts on the whole result.
    """
    if target <= 0 or result <= 0:
        return 0
    reached = [(start, rate) for start, rate in tiers if round(result / target, 9) >= start]
    if not reached:
        return 0
    if retroactive:
        return round(result * reached[-1][1])
    ends = [start * target for start, _ in reached[1:]] + [float(result)]
    return round(sum(rate * (end - start * target) for (start, rate), end in zip(reached, ends, strict=True)))


def incentives(
    plan: pd.DataFrame, channels: pd.DataFrame | None, partners: pd.DataFrame | None, parameters: Any, horizon: Horizon
) -> pd.DataFrame:
    """What each channel's incentive plan costs at plan, and if partners attain as they did last (CHN-3).

    `plan`: plan table with channels; `channels`: channel, type; `partners`: channel, year, target, result (minor units); the
    last closed year that they know counts. A channel none of whose partners' results is known is reckoned at plan.
    Dealers and distributors have tiered rebates, own stores a bonus on sales, online channels traffic support, key accounts a
    volume rebate. Returns channel, scheme, amount (planned revenue), cost_at_plan, cost_as_last_year (of the form that is
    chosen), cost_marginal, cost_retroactive (both as last year), cost_share (cost as last year over planned revenue), basis
    (what the cost as last year rests on). Empty where no type is known.
    """
    columns = [
        "channel",
        "scheme",
        AMOUNT,
        "cost_at_plan",
        "cost_as_last_year",
        "cost_marginal",
        "cost_retroactive",
        "cost_share",
        "basis",
    ]
    if channels is None or "type" not in channels:
        return pd.DataFrame(columns=columns)
    sums = plan.groupby("channel")[AMOUNT].sum().reset_index().merge(channels[["channel", "type"]], on="channel")
    rates = {
        "own_store": parameters.store_bonus,
        "online": parameters.traffic_support,
        "key_account": parameters.account_rebate,
    }
    rows: list[tuple[Any, ...]] = []
    for row in sums.sort_values("channel").itertuples():
        amount, kind = int(row.amount), str(row.type)
        if kind in DEALERS:
            at_plan = rebate(amount, amount, parameters.tiers, parameters.retroactive)
            last = _last(partners, str(row.channel), horizon)
            forms = [_as_last_year(amount, last, parameters.tiers, form) for form in (False, True)]
            basis = "at plan: its partners' results are not known" if last.empty else f"results of {last['year'].iloc[0]}"
            cost = forms[1] if parameters.retroactive else forms[0]
        elif kind in rates:
            at_plan = cost = round(amount * rates[kind])
            forms, basis = [cost, cost], "planned revenue"
        else:
            continue
        share = cost / amount if amount else np.nan
        rows.append((row.channel, SCHEMES[kind], amount, at_plan, cost, *forms, share, basis))
    return pd.DataFrame(rows, columns=columns)


def told_incentives(costs: pd.DataFrame, show: Callable[..., str]) -> str:
    """What all incentives cost, and on what that rests, as a title (CHN-3); `costs`: see `incentives`."""
    past = costs["basis"].str.startswith("results of")
    bare = list(costs.loc[costs["basis"].str.startswith("at plan"), "channel"])
    cost = f"Incentives cost {show(int(costs['cost_as_last_year'].sum()))}"
    if not past.any():
        return f"{cost} at plan"
    years = sorted(set(costs.loc[past, "basis"].str.removeprefix("results of ")))
    text = f"{cost} if partners attain as in {' and '.join(years)}"
    return f"{text}; {some(bare)} at plan" if bare else text


def _last(partners: pd.DataFrame | None, channel: str, horizon: Horizon) -> pd.DataFrame:
    """A channel's partners in the last closed year of which any result is known: partner, year, target, result."""
    if partners is None:
        return pd.DataFrame(columns=["year", "target", "result"])
    known = partners[(partners["channel"] == channel) & (partners["target"] > 0) & (partners["year"] <= closed_year(horizon))]
    return known[known["year"] == known["year"].max()]


def _as_last_year(amount: int, last: pd.DataFrame, tiers: Sequence[Sequence[float]], retroactive: bool) -> int:
    """Rebates if the planned revenue falls on the channel's partners as last year's results did, each attaining what it did."""
    if last.empty:
        return rebate(amount, amount, tiers, retroactive)
    last = last[last["result"] > 0]  # who sold nothing reaches no tier
    if last.empty:
        return 0
    results = last["result"] * (amount / int(last["result"].sum()))
    targets = results * last["target"] / last["result"]
    return sum(rebate(round(t), round(r), tiers, retroactive) for t, r in zip(targets, results, strict=True))
