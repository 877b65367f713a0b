"""The budget in tables and sentences for a reader."""

from collections.abc import Callable

import pandas as pd

from planlib.chapters.budget.money import PARTS, Allocation
from planlib.chapters.budget.returns import gain, next_units
from planlib.estimates.response import Response
from planlib.plan import AMOUNT, EVERYTHING

Show = Callable[..., str]


def lacking(
    shares: pd.DataFrame | None,
    portfolio: pd.DataFrame | None,
    lifetime: pd.DataFrame | None,
    holidays: pd.DataFrame | None,
) -> list[str]:
    """What is done without a table that another chapter did not hand on, a sentence each."""
    says = {
        "The region chapter states no pool shares: every region has 60% base, 30% incentive and 10% risk reserve.": shares,
        "The product chapter states no portfolio: the rule on the stars' share is left out.": portfolio,
        "The customer chapter states no lifetime value: customers of the RFM groups High value and Potential count.": lifetime,
        "The time chapter states no holiday sales: advertising in holidays is not capped.": holidays,
    }
    return [text for text, given in says.items() if given is None or given.empty]


def compare(found: Allocation, simple: pd.DataFrame, limits: pd.DataFrame) -> pd.DataFrame:
    """One row per activity in order of size: member, allocated, naive and, where known, last_year (minor units)."""
    frame = found.activities[["item", AMOUNT]].rename(columns={"item": "member", AMOUNT: "allocated"})
    frame["naive"] = frame["member"].map(simple.set_index("item")[AMOUNT]).fillna(0).astype("int64")
    if len(limits):
        frame["last_year"] = frame["member"].map(limits.set_index("item")["spend"]).round().astype("int64")
    return frame.sort_values(["allocated", "member"], ascending=[False, True]).reset_index(drop=True)


def steps(plan: pd.DataFrame, found: Allocation) -> pd.DataFrame:
    """The budget pool by pool, as charts.bridge reads it: label, amount, kind."""
    pool = plan.groupby("pool")[AMOUNT].sum()
    funded = found.projects.groupby(found.projects["funding"] == "critical path")[AMOUNT].sum()
    rows = [(f"Regions: {part}", int(pool.get(f"region {part}", 0)), "up") for part in PARTS]
    rows += [("Critical projects", int(funded.get(True, 0)), "up"), ("Other projects", int(funded.get(False, 0)), "up")]
    rows += [("Reserve at headquarters", int(pool["reserve"]), "up"), ("Budget", int(plan[AMOUNT].sum()), "total")]
    return pd.DataFrame([row for row in rows if row[1]], columns=["label", "amount", "kind"])


def region_pools(plan: pd.DataFrame) -> pd.DataFrame:
    """The regions' pools, largest first (REG-6): region, base_money, incentive_money, risk_money, pool_money (minor units)."""
    rows = plan[plan["pool"].str.startswith("region ")]
    wide = rows.pivot(index="item", columns="pool", values=AMOUNT).fillna(0).astype("int64")
    wide = wide[[f"region {part}" for part in PARTS]].set_axis(["base_money", "incentive_money", "risk_money"], axis=1)
    wide = wide.assign(pool_money=wide.sum(axis=1)).rename_axis("region").reset_index()
    return wide.sort_values(["pool_money", "region"], ascending=[False, True]).reset_index(drop=True)


def message(found: Allocation, response: Response) -> str:
    """What the curves say: where the next unit of money brings most and least, each with its interval."""
    ranked = found.activities.sort_values(["marginal", "item"], ascending=[False, True])["item"]
    unit = next_units(response, found.activities)
    told = [item for item in ranked if unit.get(item, "–") != "–"]
    if len(told) < 2:
        return "The response curves, and where the plan stands on them"
    return f"The next unit brings {unit[told[0]]} in {told[0]}, {unit[told[-1]]} in {told[-1]}"


def reason(response: Response, found: Allocation, simple: pd.DataFrame, limits: pd.DataFrame, show: Show) -> list[str]:
    """Why the money lies where it lies, in sentences (BUD-2, BUD-6)."""
    if limits.empty:
        return ["No response curves are known: the money follows the simple split, and only critical projects are funded."]
    more, low, high = gain(response, found, simple)
    texts = ["Money goes where the next unit of it returns most; where activities differ, a limit holds them apart."]
    texts.append(
        f"The plan brings {show(more)} ({show(low)} to {show(high)}) more than last year's spend scaled to the same money."
    )
    frozen = limits.loc[limits["frozen"], "item"].tolist()
    if frozen:
        texts.append(
            f"Frozen at their floor under a return of {show(float(limits['line'].iloc[0]), 'factor')}: {', '.join(frozen)}."
        )
    won = found.projects[found.projects["funding"].isin(["whole", "reduced"])]
    lost = found.projects[found.projects["funding"].isin(["not funded", "frozen"])]
    if len(won) + len(lost):
        texts.append(
            f"{len(won)} of {len(won) + len(lost)} projects off the critical path earn their place: they get "
            f"{show(int(won[AMOUNT].sum()))} that activities would turn into less revenue."
        )
    return texts


def watched(off: pd.DataFrame, hours: pd.DataFrame, stock: pd.DataFrame, show: Show) -> list[str]:
    """What the watch found, in sentences; `off`, `hours` and `stock` as the functions of `watch` give them (BUD-6)."""
    texts = []
    if len(off):
        planned = int(off["plan_in_force"].sum())
        over = f"{int(off[AMOUNT].sum()) / planned - 1:+.1%}" if planned else "nothing was planned"
        texts.append(f"Closed months spent {show(int(off[AMOUNT].sum()))}, against {show(planned)} planned: {over}.")
        due = off[off["report_by"] != ""]
        if len(due):
            texts.append(f"A root-cause report is due by {due['report_by'].iloc[0]} for {', '.join(due['month'])}.")
    idle = hours.loc[(hours["flag"] != "") & (hours["region"] != "All regions"), "region"].tolist() if len(hours) else []
    if idle:
        texts.append(f"Hours are idle over the line in {', '.join(idle)}.")
    over_long = stock.loc[stock["flag"] != "", "product"].tolist() if len(stock) else []
    if over_long:
        texts.append(f"Stock lies over its limit of days: {', '.join(over_long)}.")
    return texts


def sentence(total: str, held: str, first: str, most: str, projects: pd.DataFrame) -> str:
    """The chapter in one sentence, of amounts as a reader sees them."""
    funded = int((projects[AMOUNT] > 0).sum()) if len(projects) else 0
    beside = f", {funded} of {len(projects)} projects are funded" if len(projects) else ""
    # Orders that name no channel leave one member of everything, of which there is no most.
    leader = f", and {first} gets the most, {most}" if first != EVERYTHING else ""
    return f"Of {total} for marketing, {held} is held back{beside}{leader}."
