"""The growth bridge (CUS-6): six sources between floor and cap that sum to the target, solved as a program of its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.chapters.customer.existing import Ground
from planlib.chapters.customer.parameters import Parameters
from planlib.errors import ConflictError
from planlib.estimates.rfm import ACTIVE, DORMANT
from planlib.lp import Rule, Split, split
from planlib.lp.rules import whole_money
from planlib.plan import AMOUNT, LARGEST

NEW = "New customers"
# Which groups carry which sources.
CARRIED = {
    tuple(ACTIVE): ("Retained base", "Up-sell", "Cross-sell"),
    (DORMANT,): ("Win-back",),
    ("New",): ("Referral", NEW),
}
# The source whose cap gives way where closed months brought more than all of its group's.
GIVES = {CARRIED[tuple(ACTIVE)]: "Retained base", CARRIED[(DORMANT,)]: "Win-back", CARRIED[("New",)]: NEW}
# What bending a fact counts for beside limits at 10 to 40: booked money does not move, and every other limit can give instead.
FACT = 1e6


@dataclass(frozen=True)
class Bridge:
    """The six sources, solved (CUS-6).

    table     source, seen (rate), floor, likely, cap, amount (minor units; amounts sum to the target), price (what one unit of
              money more room gains, in money of distance from what is likely), binds, because
    result    the split, its rules and prices
    conflict  limits that cannot hold together: set, rule, side, unit, need, have (see ConflictError); empty where all can
    repair    the cheapest way out: rule, side, unit, from, to
    given_up  limits that had to give: rule, missed (minor units)
    """

    table: pd.DataFrame
    result: Split
    conflict: pd.DataFrame
    repair: pd.DataFrame
    given_up: pd.DataFrame

    @property
    def amounts(self) -> dict[str, int]:
        return dict(zip(self.table["source"], self.table[AMOUNT], strict=True))

    @property
    def new(self) -> int:
        """What new customers must bring, minor units."""
        return int(self.amounts[NEW])

    @property
    def fails(self) -> str:
        """Why the sources cannot sum to the target within their limits, after "the six sources"; "" where they can."""
        sides = set(self.conflict["side"]) if len(self.conflict) else set()
        if not sides:
            return ""
        if sides == {"floor"}:
            return "must bring more than the target"
        return "cannot reach the target" if sides == {"cap"} else "cannot sum to the target"

    @property
    def steps(self) -> pd.DataFrame:
        """For the chart: label, amount, kind, the target last."""
        rows = [(name, amount, "up" if place else "total") for place, (name, amount) in enumerate(self.amounts.items())]
        return pd.DataFrame([*rows, ("Target", int(self.table[AMOUNT].sum()), "total")], columns=["label", AMOUNT, "kind"])


def bridge(
    existing: pd.DataFrame,
    floors: dict[str, int],
    found: Ground,
    target: int,
    parameters: Parameters,
    booked: pd.DataFrame | None = None,
) -> Bridge | None:
    """Six sources that sum to the target (CUS-6), each as near to what is likely as its limits allow.

    existing: source, seen, floor, likely, cap, because (minor units) of the five sources among customers we have; floors:
    name -> what new customers must bring at least (CUS-5); booked: segment, amount of the closed months, which the sources of
    each group keep at least. New customers are likely what those won last year brought, at most `new_growth_most` above it;
    where that is not known, what the others leave. Where the limits cannot reach the target, floors and the cap on new
    customers may be missed at a price, and the conflict says so. None where customers, or their groups, are not known.
    """
    if not found.active and not found.won:
        return None
    came = closed(booked, target)
    every = _room(pd.concat([existing.astype({"seen": float}), _new(existing, floors, found, target, parameters)]), came)
    existing, cap = every[every["source"] != NEW], int(every["cap"].iloc[-1])
    plan = tables.company(target)
    # A source that nothing speaks for still has a place, so that a limit on it can be stated.
    weights = pd.DataFrame({"segment": every["source"], "weight": every["likely"].clip(lower=1).astype("int64")})
    rules, conflict, repair = _rules(existing, floors, cap), pd.DataFrame({"rule": []}), pd.DataFrame({"rule": []})
    rules += [_kept(names, amount) for names, amount in came.items() if amount > 0]
    try:
        result = split(plan, "segment", weights, rules)
    except ConflictError as clash:
        if clash.conflicts is None:
            raise
        conflict, repair = clash.conflicts, clash.repair
        # What the others leave at their caps is where new customers start from, however few were won so far.
        left = max(1, target - sum(map(int, existing["cap"])))
        weights["weight"] = weights["weight"].where(weights["segment"] != NEW, weights["weight"].clip(lower=left))
        result = split(plan, "segment", weights, [_soft(rule) for rule in rules])
    amounts = result.plan.set_index("segment")[AMOUNT]
    sources = {rule.name: rule.where["segment"] for rule in rules}
    held = result.rules.assign(source=result.rules["rule"].map(sources)).explode("source")
    binding = held[held["binds"].astype(bool)]
    table = every.assign(
        **{
            AMOUNT: every["source"].map(amounts).astype("int64"),
            "price": every["source"].map(binding.groupby("source")["price"].max()).fillna(0.0),
            "binds": every["source"].map(binding.groupby("source")["rule"].agg(", ".join)).fillna(""),
        }
    )
    missed = result.rules.loc[result.rules["given_up"] > 0, ["rule", "given_up"]].rename(columns={"given_up": "missed"})
    return Bridge(table, result, conflict, repair, missed.reset_index(drop=True))


def wanted(steps: Bridge) -> dict[tuple[str, ...], int]:
    """What the sources ask of the groups (CUS-6): groups -> minor units of the year, which sum to the target.

    New takes referral and new customers, Dormant the win-back, the active groups together the rest.
    """
    return {groups: sum(steps.amounts[name] for name in names) for groups, names in CARRIED.items()}


def closed(booked: pd.DataFrame | None, target: int) -> dict[tuple[str, ...], int]:
    """What closed months brought of each group of sources: sources -> minor units, 0 where returns outweigh it.

    booked: segment, amount. Where that cut makes more than the target of them, the sum of the active groups bears it.
    """
    if booked is None:
        return {}
    sums = booked.groupby("segment")[AMOUNT].sum()
    came = {names: max(0, int(sums.reindex(groups, fill_value=0).sum())) for groups, names in CARRIED.items()}
    over = max(0, sum(came.values()) - target)
    first = next(iter(came))
    return came | {first: max(0, came[first] - over)}


def _new(existing: pd.DataFrame, floors: dict[str, int], found: Ground, target: int, parameters: Parameters) -> pd.DataFrame:
    """New customers as a row of the sources."""
    least = max(floors.values(), default=0)
    if found.won_money is None:
        likely, cap = max(least, target - sum(map(int, existing["likely"]))), target
        because = "what the other sources leave, as who was won last year is not known"
    else:
        cap = min(round(found.won_money * (1 + parameters.new_growth_most)), LARGEST)
        likely = int(np.clip(found.won_money, min(least, cap), cap))
        because = f"at most {parameters.new_growth_most:.0%} more than won last year"
    row = pd.DataFrame([(NEW, float("nan"), least, likely, max(0, cap), because)])
    row.columns = list(existing.columns)
    return row


def _room(every: pd.DataFrame, came: dict[tuple[str, ...], int]) -> pd.DataFrame:
    """The sources, the last of each group with a cap that lets what closed months brought stand."""
    every = every.reset_index(drop=True)
    for names, amount in came.items():
        last = every.index[every["source"] == GIVES[names]][0]
        others = sum(map(int, every.loc[every["source"].isin(names), "cap"])) - int(every.loc[last, "cap"])
        if amount - others > every.loc[last, "cap"]:
            every.loc[last, "cap"] = amount - others
            every.loc[last, "because"] = f"{every.loc[last, 'because']}; closed months brought more"
        every.loc[last, "likely"] = min(max(every.loc[last, "likely"], amount - others), every.loc[last, "cap"])
    return every


def _kept(names: tuple[str, ...], amount: int) -> Rule:
    where: Any = {"segment": list(names)}
    return Rule(name=f"{GIVES[names]}: closed months", where=where, unit="amount", min=whole_money(amount), penalty=FACT)


def _rules(existing: pd.DataFrame, floors: dict[str, int], cap: int) -> list[Rule]:
    rules = []
    where: Any
    for row in existing.itertuples():
        where = {"segment": row.source}
        rules.append(Rule(name=f"{row.source}: floor", where=where, unit="amount", min=whole_money(row.floor), penalty=20.0))
        rules.append(Rule(name=f"{row.source}: cap", where=where, unit="amount", max=whole_money(row.cap), penalty=40.0))
    where = {"segment": NEW}
    for name, floor in sorted(floors.items()):
        rules.append(Rule(name=f"{NEW}: {name}", where=where, unit="amount", min=whole_money(floor), penalty=20.0))
    rules.append(Rule(name=f"{NEW}: cap", where=where, unit="amount", max=whole_money(cap), penalty=10.0))
    return rules


def _soft(rule: Rule) -> Rule:
    """Caps among customers we have stay: nobody can be sold more than it takes; so does what closed months brought. The rest
    may be missed at its penalty.
    """
    stays = rule.name.endswith(": closed months") or (rule.max is not None and not rule.name.startswith(NEW))
    return rule if stays else rule.model_copy(update={"hard": False})
