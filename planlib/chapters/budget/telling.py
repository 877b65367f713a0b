"""The budget in tables and sentences for a reader."""

from collections.abc import Callable

import pandas as pd

from planlib.chapters.budget.money import PARTS, Allocation
from planlib.chapters.budget.returns import gain, next_units
from planlib.estimates.response import Response
from planlib.estimates.windows import Window
from planlib.plan import AMOUNT, EVERYTHING, by_key

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


def untold(closed: Window, stood: pd.DataFrame | None) -> list[str]:
    """What closed months whose spend is not known are taken at, a sentence or none; `closed`, `stood`: see `taken` (BUD-3)."""
    lost = [month for month in closed.months if month not in closed.known]
    if not lost:
        return []
    planned = [] if stood is None else [month for month in lost if month in set(stood["month"])]
    simple = "at their share of the year's money as planned revenue has it, as no plan had them open"
    if not planned:
        way = simple
    else:
        rest = [month for month in lost if month not in planned]
        way = "at the plan in force" + f", {', '.join(rest)} {simple}" * bool(rest)
    others = "the others are" if closed.known else "they are"
    return [f"{closed.says()[:1].upper()}{closed.says()[1:]}: {others} taken {way}."]


def compare(found: Allocation, simple: pd.DataFrame, limits: pd.DataFrame) -> pd.DataFrame:
    """One row per activity in order of size: member, allocated, naive and, where known, last_year (minor units)."""
    frame = found.activities[["item", AMOUNT]].rename(columns={"item": "member", AMOUNT: "allocated"})
    frame["naive"] = by_key(frame["member"], simple.set_index("item")[AMOUNT])
    if len(limits):
        frame["last_year"] = frame["member"].map(limits.set_index("item")["spend"]).round().astype("int64")
    return frame.sort_values(["allocated", "member"], ascending=[False, True]).reset_index(drop=True)


def steps(plan: pd.DataFrame, found: Allocation) -> pd.DataFrame:
    """The budget pool by pool, as charts.bridge reads it: label, amount, kind."""
    pool = plan.groupby("pool")[AMOUNT].sum()
    funded = found.projects.groupby(found.projects["funding"] == "critical path")[AMOUNT].sum()
    rows = [(f"Regions: {part}", int(pool.get(f"region {part}", 0)), "up") for part in PARTS]
    rows += [("Critical projects", int(funded.get(True, 0)), "up"), ("Other projects", int(funded.get(False, 0)), "up")]
    rows += [("Reserve at headquarters", int(pool["reserve"]), "up"), ("Not placed", int(pool.get("not placed", 0)), "up")]
    rows.append(("Budget", int(plan[AMOUNT].sum()), "total"))
    return pd.DataFrame([row for row in rows if row[1]], columns=["label", "amount", "kind"])


def region_pools(plan: pd.DataFrame) -> pd.DataFrame:
    """The regions' pools, largest first (REG-6): region, base_money, incentive_money, risk_money, pool_money (minor units)."""
    rows = plan[plan["pool"].str.startswith("region ")]
    wide = rows.pivot_table(index="item", columns="pool", values=AMOUNT, aggfunc="sum", fill_value=0)
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
        says = "No response curves are known: the money follows the simple split, and only critical projects are funded."
        return [says, *left(found, limits, show)]
    more, low, high = gain(response, found, simple)
    texts = []
    if len(limits) > 1:
        texts.append("Money goes where the next unit of it returns most; where activities differ, a limit holds them apart.")
    than = "than last year's spend scaled to the same money"
    if round(more) == 0:
        texts.append(f"The plan brings no more {than}.")
    elif more > 0:
        texts.append(f"The plan brings {show(more)} ({show(low)} to {show(high)}) more {than}.")
    else:
        texts.append(f"Within its limits the plan brings {show(-more)} ({show(-high)} to {show(-low)}) less {than}.")
    held = limits["frozen"] & (limits["item"].map(found.activities.set_index("item")[AMOUNT]) <= limits["floor"])
    if held.any():
        line, frozen = show(float(limits["line"].iloc[0]), "factor"), limits.loc[held, "item"].tolist()
        texts.append(f"Frozen at {'its' if len(frozen) == 1 else 'their'} floor under a return of {line}: {', '.join(frozen)}.")
    return texts + _projects(found, show) + left(found, limits, show)


def _projects(found: Allocation, show: Show) -> list[str]:
    """How many projects off the critical path earn their place, and against what."""
    won = found.projects[found.projects["funding"].isin(["whole", "reduced"])]
    lost = found.projects[found.projects["funding"].isin(["not funded", "frozen"])]
    every = len(won) + len(lost)
    if not every:
        return []
    of = "The one project" if every == 1 else f"{len(won) or 'None'} of {every} projects"
    if won.empty:
        return [f"{of} off the critical path {'does not earn' if every == 1 else 'earns'} its place."]
    earn = "earns its place: it gets" if len(won) == 1 else "earn their place: they get"
    rest = "that would else find no place" if found.unspent else "that activities would turn into less revenue"
    return [f"{of} off the critical path {earn} {show(int(won[AMOUNT].sum()))} {rest}."]


def left(found: Allocation, limits: pd.DataFrame, show: Show) -> list[str]:
    """What finds no place, and what closed months took of the reserve, a sentence each."""
    texts = []
    if found.unspent:
        why = "is frozen" if bool(limits["frozen"].all()) else "is frozen or at its cap"
        way_out = "lower marketing_ratio, or change the limits"
        texts.append(f"{show(found.unspent)} finds no place, since every activity {why}: {way_out}.")
    if found.drawn:
        stays = f"{show(found.reserve)} is left of it" if found.reserve else "nothing is left of it"
        texts.append(f"Closed months have spent {show(found.drawn)} of what was to be the reserve; {stays}.")
    return texts


def watched(off: pd.DataFrame, hours: pd.DataFrame, stock: pd.DataFrame, show: Show) -> list[str]:
    """What the watch found, in sentences; `off`, `hours` and `stock` as the functions of `watch` give them (BUD-6)."""
    texts = []
    if len(off):
        spent, planned = int(off[AMOUNT].sum()), int(off["plan_in_force"].sum())
        over = f"{spent / planned - 1:+.1%}" if planned else "nothing was planned" if spent else "as planned"
        texts.append(f"Closed months spent {show(spent)}, against {show(planned)} planned: {over}.")
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


def headline(compared: pd.DataFrame, show: Show) -> str:
    """Which activity gets how much, of `compare`: its first row, of which there is no most where it is the only one."""
    first, most = compared["member"].iloc[0], show(int(compared["allocated"].iloc[0]))
    alone = len(compared) == 1 or compared["allocated"].iloc[0] == compared["allocated"].iloc[1]
    if first == EVERYTHING:  # orders that name no channel leave one member of everything
        return f"All activities together get {most}"
    return f"{first} gets {most}" if alone else f"{first} gets the most, {most}"


def sentence(total: int, found: Allocation, compared: pd.DataFrame, show: Show) -> str:
    """The chapter in one sentence: the budget, what is held back or finds no place, projects funded, and who gets the most."""
    funded = int((found.projects[AMOUNT] > 0).sum())
    parts = [f"{show(found.reserve)} is held back"]
    parts += [f"{show(found.unspent)} finds no place"] if found.unspent else []
    count = len(found.projects)
    parts += [f"{funded or 'none'} of {count} projects {'is' if funded <= 1 else 'are'} funded"] if count else []
    parts += [headline(compared, show)] if compared["member"].iloc[0] != EVERYTHING else []
    return f"Of {show(total)} for marketing, {' and '.join(filter(None, [', '.join(parts[:-1]), parts[-1]]))}."
