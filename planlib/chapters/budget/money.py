"""Where the budget goes: activities and projects by return, a pool for every region, a reserve; every cent once."""

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.chapters.budget.activities import promotion_money, room, traits
from planlib.errors import ParameterError
from planlib.lp import Lock, Spend, Split, spend, split
from planlib.plan import AMOUNT, Horizon

PARTS = ("base", "incentive", "risk reserve")
HEADQUARTERS = "headquarters"


class Shares(Protocol):
    """The parameters that `allocate` reads."""

    reserve_share: float
    promotion_cap: float


@dataclass(frozen=True)
class Allocation:
    """The budget in its three kinds of money; activities + forced projects + chosen projects + reserve + unspent = budget.

    activities  item, amount (minor units), and response, marginal where curves are known
    spend       what the programme found, None without response curves
    reserve     minor units held back, regional risk reserves included (BUD-4)
    unspent     minor units that no activity or project may take
    """

    activities: pd.DataFrame
    spend: Spend | None
    reserve: int
    unspent: int = 0
    projects: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["project", "chosen", "cost", "response", "roi"])
    )


def allocate(
    limits: pd.DataFrame, forced: pd.DataFrame, choices: pd.DataFrame, simple: pd.DataFrame, budget: int, parameters: Shares
) -> Allocation:
    """The budget over the activities' curves and the projects that earn their place beside them (BUD-2, BUD-4).

    Parameters
        limits   as `bounds` gives them; empty without marketing history: then the naive split stands, and no project is chosen
        forced, choices   as `variants` gives them
        simple   item, amount: the naive split of what activities may have
    Raises ParameterError when the critical path and the reserve leave nothing.
    """
    held = round(budget * parameters.reserve_share)
    money = budget - held - int(forced["cost"].sum())
    if money <= 0:
        raise ParameterError(
            f"budget: {int(forced['cost'].sum()):,} minor units of critical projects and {held:,} of reserve leave nothing of "
            f"{budget:,} for activities; raise marketing_ratio or take a project off the critical path."
        )
    if limits.empty:
        amounts = tables.largest_remainder(money, simple.set_index("item")[AMOUNT])
        return Allocation(pd.DataFrame({"item": simple["item"], AMOUNT: amounts}), None, held)
    most = promotion_money(budget, parameters.promotion_cap)
    promoted = limits["group"] == "promotion"
    groups = pd.DataFrame({"group": ["promotion"], "floor": [0], "cap": [most]}) if promoted.any() else None
    # Without projects the programme spends all it is given: what the caps cannot take is not given.
    given = money if len(choices) else min(money, room(limits, most))
    found = spend(given, limits, 0.0, groups, choices if len(choices) else None)
    return Allocation(found.allocation, found, held, found.unspent + money - given, found.projects)


def two_ways(activities: pd.DataFrame, channels: pd.DataFrame, marketing: pd.DataFrame, share_by_need: float = 0.5) -> Split:
    """The activities' money by region, so that both sides tie out (REG-6): a split with each activity's total held.

    `channels`: plan table with region and channel. A region's money follows its planned revenue; what an activity has there
    follows half the region's planned revenue, half its revenue in the sales channel the activity feeds.
    Returns a Split with the activities in the place of channels.
    """
    total = int(activities[AMOUNT].sum())
    by_region = tables.rollup(channels, ["region"])
    size = by_region.set_index("region")[AMOUNT].clip(lower=0)
    money = pd.DataFrame({"region": size.index, AMOUNT: tables.largest_remainder(total, size)})
    sold = channels.groupby(["channel", "region"])[AMOUNT].sum().clip(lower=0)
    feeds = traits(marketing).set_index("item")["channel"] if len(marketing) else pd.Series(dtype=str)
    whole = size / max(1, int(size.sum()))
    rows = []
    for item in activities["item"]:
        fed = feeds.get(item, "")
        own = sold.loc[fed].reindex(size.index).fillna(0) if fed in sold.index.get_level_values(0) else size
        near = own / max(1, int(own.sum())) if own.sum() > 0 else whole
        mixed = share_by_need * whole + (1 - share_by_need) * near
        rows.append(pd.DataFrame({"region": size.index, "channel": item, "weight": mixed.to_numpy()}))
    amounts = activities.set_index("item")[AMOUNT]
    weights = pd.concat(rows, ignore_index=True)
    weights["weight"] *= weights["channel"].map(amounts.astype(float))
    kept = [item for item in amounts.index if amounts[item] > 0]
    locks = [Lock(name=f"money of {item}", where={"channel": item}, amount=float(amounts[item])) for item in kept[1:]]
    return split(money, "channel", weights[weights["channel"].isin(kept)], locks=locks)


def pools(spent: pd.DataFrame, shares: pd.DataFrame, projects: pd.DataFrame, reserve: int, unspent: int) -> pd.DataFrame:
    """The budget as a plan table: a pool per region in three parts, projects, and what headquarters hold (REG-6, BUD-4).

    Parameters
        spent    region, amount: the activities' money by region, minor units
        shares   region, part (base, incentive, risk reserve), share: how a region's pool is made up, sums to 1
        projects project, amount
        reserve  the whole reserve; the regions' risk reserves are a part of it, so that no money is counted twice
    A region's pool is its activities' money and, on top, its risk reserve: pool = activities / (1 - share of risk).
    Headquarters hold what is left of the reserve, and what nobody may spend.
    Returns pool, item, amount (int64); sums to activities + projects + reserve + unspent exactly.
    Raises ParameterError when the regions' risk reserves are larger than the whole reserve.
    """
    wide = shares.pivot(index="region", columns="part", values="share").reindex(columns=PARTS)
    base = wide.reindex(spent["region"])
    # A region that joined later has the mean of the others.
    base = base.fillna(wide.mean())
    own = spent[AMOUNT].to_numpy(dtype=float) * (base["risk reserve"] / (1 - base["risk reserve"])).to_numpy()
    risks = math.floor(round(own.sum(), 6))
    rows = []
    held = tables.largest_remainder(risks, own, list(spent["region"]))
    for region, amount, share, risk in zip(spent["region"], spent[AMOUNT], base.to_numpy(), held, strict=True):
        parts = tables.largest_remainder(int(amount), [share[0], share[1]])
        rows += [(f"region {part}", region, int(value)) for part, value in zip(PARTS, [*parts, risk], strict=True)]
    if risks > reserve:
        raise ParameterError(
            f"reserve_share: the regions' risk reserves of {risks:,} minor units are larger than the reserve of {reserve:,}; "
            "raise reserve_share, or lower risk_share of the region chapter."
        )
    rows += [
        ("project", name, int(amount)) for name, amount in zip(projects["project"], projects[AMOUNT], strict=True) if amount
    ]
    rows.append(("reserve", HEADQUARTERS, reserve - risks + unspent))
    frame = pd.DataFrame(rows, columns=["pool", "item", AMOUNT])
    frame[AMOUNT] = frame[AMOUNT].astype("int64")
    return frame.sort_values(["pool", "item"]).reset_index(drop=True)


def pool_shares(shares: pd.DataFrame | None, plan: pd.DataFrame) -> pd.DataFrame:
    """How each region's pool is made up (REG-6): as the region chapter says, else the book's 60, 30 and 10% for every region.

    Returns region, part (base, incentive, risk reserve), share.
    """
    if shares is not None and len(shares):
        return shares[["region", "part", "share"]]
    regions = pd.DataFrame({"region": sorted(plan["region"].unique())})
    return regions.merge(pd.DataFrame({"part": PARTS, "share": (0.60, 0.30, 0.10)}), how="cross")


def gone(marketing: pd.DataFrame, horizon: Horizon, kind: str | None = None) -> pd.DataFrame:
    """What closed months of the plan year have spent: item, month, amount (minor units); `kind` alone where given."""
    rows = marketing[marketing["month"].isin(horizon.closed)]
    if kind is not None:
        rows = rows[rows["kind"] == kind]
    sums = rows.groupby(["activity", "month"])["spend"].sum().rename(AMOUNT).reset_index()
    return sums.rename(columns={"activity": "item"}).astype({AMOUNT: np.int64})
