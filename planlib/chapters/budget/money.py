"""Where the budget goes: activities and projects by return, a pool for every region, a reserve; every cent once."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.chapters.budget.activities import PROMOTION, promotion_money, room
from planlib.chapters.budget.parameters import Parameters
from planlib.chapters.budget.projects import critical_money, variants, verdicts
from planlib.errors import ParameterError
from planlib.lp import Spend, spend, split
from planlib.plan import AMOUNT

PARTS = ("base", "incentive", "risk reserve")
HEADQUARTERS = "headquarters"


@dataclass(frozen=True)
class Allocation:
    """The budget in its kinds of money: activities + projects + reserve + unspent = budget, to the minor unit.

    It starts from what is spent: closed months that took more than was free take it from the reserve.

    activities  item, amount (minor units), and response, marginal where curves are known
    projects    as `verdicts` gives them
    reserve     minor units held back, the regions' risk reserves included (BUD-4)
    unspent     minor units that no activity or project may take: not placed, and no reserve
    drawn       minor units by which the reserve is smaller than asked for, because closed months have spent them
    spend       what the programme found, None without response curves
    """

    activities: pd.DataFrame
    projects: pd.DataFrame
    reserve: int
    unspent: int
    drawn: int
    spend: Spend | None


def total(target: int, projects: pd.DataFrame, spent: pd.DataFrame, parameters: Parameters) -> int:
    """The budget, minor units: `marketing_ratio` of the year's target, `ratio_cap` of it at most (STR-1, BUD-1); but never less
    than closed months and the critical path have taken: what is spent is spent. `spent`: as `gone` gives it.
    """
    planned = tables.times(target, min(parameters.marketing_ratio, parameters.ratio_cap))
    gone = _gone(spent)
    return max(planned, gone + critical_money(projects, parameters)) if gone else planned


def held_back(budget: int, projects: pd.DataFrame, spent: pd.DataFrame, parameters: Parameters) -> int:
    """The reserve, minor units: its share of the budget, less what closed months have spent of it (BUD-4)."""
    left = budget - critical_money(projects, parameters) - _gone(spent)
    return (
        max(0, min(tables.times(budget, parameters.reserve_share), left))
        if _gone(spent)
        else tables.times(budget, parameters.reserve_share)
    )


def free(budget: int, projects: pd.DataFrame, spent: pd.DataFrame, parameters: Parameters) -> int:
    """What activities and projects that are not critical may share, minor units (BUD-4, BUD-5).

    Raises ParameterError when the critical path and the reserve leave nothing.
    """
    held, critical = held_back(budget, projects, spent, parameters), critical_money(projects, parameters)
    if budget - held - critical <= 0:
        raise ParameterError(
            f"budget: found {critical:,} minor units of critical projects and {held:,} minor units of reserve, expected "
            f"less than the {budget:,} minor units there are; raise marketing_ratio or take a project off the critical path."
        )
    return budget - held - critical


def _gone(spent: pd.DataFrame) -> int:
    return int(spent[AMOUNT].sum()) if len(spent) else 0


def allocate(
    limits: pd.DataFrame,
    projects: pd.DataFrame,
    simple: pd.DataFrame,
    spent: pd.DataFrame,
    budget: int,
    parameters: Parameters,
) -> Allocation:
    """The budget over the activities' curves and the projects that earn their place beside them (BUD-2, BUD-4, BUD-5).

    Parameters
        limits    as `bounds` gives them; empty without curves: then the naive split stands beside critical projects
        projects  as projects.known gives them
        simple    item, amount: the naive split of what is free
        spent     as `gone` gives it
    One programme chooses both: see planlib.lp.spend.
    """
    held, money = held_back(budget, projects, spent, parameters), free(budget, projects, spent, parameters)
    drawn = tables.times(budget, parameters.reserve_share) - held
    nothing = pd.DataFrame({"project": [], "chosen": []})
    if limits.empty:
        weights = simple.rename(columns={"item": "channel", AMOUNT: "weight"})
        booked = spent.groupby("item")[AMOUNT].sum().rename_axis("channel").reset_index() if len(spent) else None
        plan = split(tables.company(money), "channel", weights, booked=booked).plan.rename(columns={"channel": "item"})
        return Allocation(plan, verdicts(projects, nothing, parameters), held, 0, drawn, None)
    promoted = limits["group"] == PROMOTION
    # What is spent already cannot be undone by a cap.
    most = max(promotion_money(budget, parameters), int(limits.loc[promoted, "floor"].sum()))
    groups = pd.DataFrame({"group": [PROMOTION], "floor": [0], "cap": [most]}) if promoted.any() else None
    choices = variants(projects, parameters)
    # Without projects the programme spends all it is given: what the caps cannot take is not given.
    given = money if len(choices) else min(money, room(limits, most))
    found = spend(given, limits, 0.0, groups, choices if len(choices) else None)
    judged = verdicts(projects, found.projects, parameters)
    return Allocation(found.allocation, judged, held, found.unspent + money - given, drawn, found)


def at_headquarters(plan: pd.DataFrame) -> int:
    """What is held back for all regions together, minor units (BUD-4)."""
    return int(plan.loc[plan["pool"] == "reserve", AMOUNT].sum())


def by_region(activities: pd.DataFrame, channels: pd.DataFrame, traits: pd.DataFrame) -> pd.DataFrame:
    """The activities' money by region (REG-6): region, item, amount (minor units, sums to each activity's amount).

    `channels`: plan table with region and channel. What an activity has in a region follows the planned revenue there of the
    sales channel that it feeds; where none is named or planned, the region's whole.
    """
    sold = channels.assign(weight=channels[AMOUNT].clip(lower=0)).groupby(["channel", "region"])["weight"].sum()
    whole = sold.groupby("region").sum()
    feeds = traits.set_index("item")["channel"] if len(traits) else pd.Series(dtype="str")
    rows = []
    for item in activities["item"]:
        # Without marketing history the items are the sales channels themselves.
        fed = feeds.get(item, item)
        own = sold.loc[fed] if fed in sold.index.get_level_values("channel") else whole
        rows.append((own if own.sum() > 0 else whole).rename("weight").reset_index().assign(channel=item))
    money = activities[["item", AMOUNT]].rename(columns={"item": "channel"})
    plan = tables.proportional(money, pd.concat(rows, ignore_index=True), "region")
    return plan.rename(columns={"channel": "item"})[["region", "item", AMOUNT]]


def pool_shares(shares: pd.DataFrame | None, plan: pd.DataFrame) -> pd.DataFrame:
    """How each region's pool is made up (REG-6): as the region chapter says, else the book's 60, 30 and 10% everywhere.

    Returns region, part (base, incentive, risk reserve), share.
    """
    if shares is not None and len(shares):
        return shares[["region", "part", "share"]]
    regions = pd.DataFrame({"region": sorted(plan["region"].unique())})
    return regions.merge(pd.DataFrame({"part": PARTS, "share": (0.60, 0.30, 0.10)}), how="cross")


def pools(regions: pd.DataFrame, shares: pd.DataFrame, found: Allocation) -> pd.DataFrame:
    """The budget as a plan table: a pool per region in three parts, projects, and what headquarters hold (REG-6, BUD-4).

    Parameters
        regions  as `by_region` gives it
        shares   as `pool_shares` gives them; a region without any has the mean of the others
    A region's pool is its activities' money in base and incentive and, on top, its risk reserve: pool = activities / (1 - share
    of risk). The risk reserves are a part of the reserve, so that no money is counted twice; headquarters hold its rest. Where
    closed months drew on the reserve, the regions share what is left of it. What nobody may take is "not placed".
    Returns pool, item, amount (int64); sums to the budget exactly.
    Raises ParameterError when the regions' risk reserves are larger than a whole reserve.
    """
    money = regions.groupby("region")[AMOUNT].sum()
    wide = shares.pivot(index="region", columns="part", values="share").reindex(columns=PARTS)
    wide = wide.reindex(money.index).fillna(wide.mean())
    base, incentive, risk = (wide[part].to_numpy(dtype=float) for part in PARTS)
    wanted = pd.Series(money.to_numpy() * risk / (1 - risk), index=money.index)
    at_risk = math.floor(round(float(wanted.sum()), 6))
    if at_risk > found.reserve and found.drawn:
        at_risk = found.reserve
    if at_risk > found.reserve:
        raise ParameterError(
            f"reserve_share: found a reserve of {found.reserve:,} minor units, expected the regions' risk reserves of "
            f"{at_risk:,} minor units at least; raise reserve_share, or lower the risk reserve in the region chapter."
        )
    parts = [tables.largest_remainder(int(amount), [b, i]) for amount, b, i in zip(money, base, incentive, strict=True)]
    held = tables.largest_remainder(at_risk, wanted)
    rows = [
        (f"region {part}", region, int(amount))
        for region, (b, i), r in zip(money.index, parts, held, strict=True)
        for part, amount in zip(PARTS, (b, i, r), strict=True)
    ]
    rows += [("project", row.project, int(row.amount)) for row in found.projects.itertuples() if row.amount]
    rows.append(("reserve", HEADQUARTERS, found.reserve - at_risk))
    rows += [("not placed", HEADQUARTERS, found.unspent)] if found.unspent else []
    frame = pd.DataFrame(rows, columns=["pool", "item", AMOUNT]).astype({AMOUNT: np.int64})
    return frame.sort_values(["pool", "item"]).reset_index(drop=True)
