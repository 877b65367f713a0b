"""The growth bridge (CUS-6): six sources between floor and cap that sum to the target, solved as a program of its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.chapters.customer.existing import SOURCES, Ground
from planlib.chapters.customer.parameters import Parameters
from planlib.errors import ConflictError
from planlib.estimates.rfm import ACTIVE, DORMANT
from planlib.lp import Rule, Split, split
from planlib.plan import AMOUNT

NEW = "New customers"


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
    def steps(self) -> pd.DataFrame:
        """For the chart: label, amount, kind, the target last."""
        rows = [(name, amount, "up" if place else "total") for place, (name, amount) in enumerate(self.amounts.items())]
        return pd.DataFrame([*rows, ("Target", int(self.table[AMOUNT].sum()), "total")], columns=["label", AMOUNT, "kind"])


def bridge(existing: pd.DataFrame, floors: dict[str, int], found: Ground, target: int, parameters: Parameters) -> Bridge | None:
    """Six sources that sum to the target (CUS-6), each as near to what is likely as its limits allow.

    existing: source, seen, floor, likely, cap, because (minor units) of the five sources among customers we have; floors:
    name -> what new customers must bring at least (CUS-5). New customers are likely what those won last year brought, at most
    `new_growth_most` above it. Where the limits cannot reach the target, floors and the cap on new customers may be missed at
    a price, and the conflict says so. None where orders name no customers.
    """
    if not found.active and not found.won:
        return None
    cap = round(found.won_money * (1 + parameters.new_growth_most))
    least = max(floors.values(), default=0)
    likely = int(np.clip(found.won_money, min(least, cap), cap))
    new = pd.DataFrame([(NEW, None, least, likely, cap, f"at most {parameters.new_growth_most:.0%} more than won last year")])
    new.columns = list(existing.columns)
    every = pd.concat([existing.astype({"seen": float}), new.astype({"seen": float})], ignore_index=True)
    plan = tables.company(target)
    # A source that nothing speaks for still has a place, so that a limit on it can be stated.
    weights = pd.DataFrame({"segment": every["source"], "weight": every["likely"].clip(lower=1).astype("int64")})
    rules, conflict, repair = _rules(existing, floors, cap), pd.DataFrame({"rule": []}), pd.DataFrame({"rule": []})
    try:
        result = split(plan, "segment", weights, rules)
    except ConflictError as clash:
        if clash.conflicts is None:
            raise
        conflict, repair = clash.conflicts, clash.repair
        # What the others leave at their caps is where new customers start from, however few were won so far.
        left = max(1, target - int(existing["cap"].sum()))
        weights["weight"] = weights["weight"].where(weights["segment"] != NEW, weights["weight"].clip(lower=left))
        result = split(plan, "segment", weights, [_soft(rule) for rule in rules])
    amounts = result.plan.set_index("segment")[AMOUNT]
    held = result.rules.assign(source=[_source(rule) for rule in result.rules["rule"]])
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


def group_shares(steps: Bridge, weight: pd.DataFrame) -> pd.DataFrame:
    """What the bridge gives to the groups (CUS-6): segment, share.

    weight: segment, weight (shares as the other drivers leave them). New takes referral and new customers, Dormant the
    win-back, the active groups the rest in their own mix.
    """
    amounts, total = steps.amounts, max(1, int(steps.table[AMOUNT].sum()))
    share = weight.set_index("segment")["weight"].astype(float)
    taken = {"New": amounts["Referral"] + amounts[NEW], DORMANT: amounts["Win-back"]}
    rest = total - sum(taken.values())
    active = share[share.index.isin(ACTIVE)]
    wanted = {name: taken.get(str(name), 0) / total for name in share.index}
    wanted |= {name: rest / total * value / active.sum() for name, value in active.items() if active.sum() > 0}
    return pd.DataFrame({"segment": list(wanted), "share": [max(0.0, value) for value in wanted.values()]})


def _rules(existing: pd.DataFrame, floors: dict[str, int], cap: int) -> list[Rule]:
    rules = []
    where: Any
    for row in existing.itertuples():
        where = {"segment": row.source}
        rules.append(Rule(name=f"{row.source}: floor", where=where, unit="amount", min=float(row.floor), penalty=20.0))
        rules.append(Rule(name=f"{row.source}: cap", where=where, unit="amount", max=float(row.cap), penalty=40.0))
    where = {"segment": NEW}
    for name, floor in sorted(floors.items()):
        rules.append(Rule(name=f"{NEW}: {name}", where=where, unit="amount", min=float(floor), penalty=20.0))
    rules.append(Rule(name=f"{NEW}: cap", where=where, unit="amount", max=float(cap), penalty=10.0))
    return rules


def _soft(rule: Rule) -> Rule:
    """Caps among customers we have stay: nobody can be sold more than it takes. The rest may be missed at its penalty."""
    stays = rule.max is not None and not rule.name.startswith(NEW)
    return rule if stays else rule.model_copy(update={"hard": False})


def _source(rule: str) -> str:
    return next(name for name in SOURCES if rule.startswith(f"{name}:"))
