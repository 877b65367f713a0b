"""Chapter 06 as tables with their titles and sentences; nothing here computes a plan."""

from collections.abc import Callable

import pandas as pd

from planlib.chapters.customer.bridge import NEW, Bridge
from planlib.chapters.customer.existing import alarmed, alerts, bundles
from planlib.chapters.customer.parameters import Parameters
from planlib.chapters.customer.profile import agreement, kinds, stages
from planlib.chapters.customer.winning import costs, industries
from planlib.data.sources import Tables
from planlib.plan import Horizon

Show = Callable[..., str]


def who(customers: pd.DataFrame, stored: Tables, horizon: Horizon, parameters: Parameters) -> dict[str, pd.DataFrame]:
    """Profile and stages (CUS-1, CUS-2) by their titles; nothing where orders name no customers."""
    if customers.empty:
        return {}
    return {
        "Who buys: industry, size and region, over the last twelve months": kinds(customers, stored, horizon, parameters),
        "Where customers stand in their life": stages(customers),
    }


def needs_told(customers: pd.DataFrame) -> list[str]:
    """How needs are known (CUS-1), a sentence or none."""
    if customers.empty:
        return []
    share, right = float((customers["need_from"] == "stated").mean()), agreement(customers)
    if right is None:
        return ["No customer's need is stated: needs are read off what was bought and paid."]
    return [f"{share:.0%} of customers stated their need; read off their orders it would be the same for {right:.0%} of them."]


def keep(customers: pd.DataFrame, pairs: pd.DataFrame, horizon: Horizon, parameters: Parameters) -> dict[str, pd.DataFrame]:
    """Bundles and alerts (CUS-4) by their titles."""
    day = pd.Timestamp(horizon.as_of)
    found = (
        {} if customers.empty else {"Bundles: what customers buy together oftener than by chance": bundles(pairs, parameters)}
    )
    count = 0 if customers.empty else alarmed(customers, day, parameters)
    if count:
        title = f"{count:,} customers are silent for {parameters.dormant_months} months: the first to win back"
        found[title] = alerts(customers, day, parameters)
    return {title: table for title, table in found.items() if len(table)}


def win(
    customers: pd.DataFrame, marketing: pd.DataFrame | None, horizon: Horizon, won: int, parameters: Parameters
) -> dict[str, pd.DataFrame]:
    """Key industries and what a customer costs (CUS-5) by their titles."""
    if customers.empty:
        return {}
    found = {
        "Key industries: their share now": industries(customers, parameters),
        "What winning a customer costs, and may cost": costs(marketing, horizon.last_twelve, won, customers, parameters),
    }
    return {title: table for title, table in found.items() if len(table)}


def sources(steps: Bridge) -> pd.DataFrame:
    """The six sources as a reader's table (CUS-6): source, seen, floor, reached, cap, amount, bound_by, limit_price."""
    table = steps.table.rename(columns={"binds": "bound_by", "price": "limit_price", "likely": "reached"})
    table["bound_by"] = table["bound_by"].str.replace(r"^[^:]*: ", "", regex=True)
    return table[["source", "seen", "floor", "reached", "cap", "amount", "bound_by", "limit_price", "because"]]


def bridge_told(steps: Bridge | None, show: Show) -> list[str]:
    """What the bridge's limits mean (CUS-6), in a few sentences: the conflict and what had to give, or what is dear."""
    if steps is None:
        return []
    if len(steps.conflict):
        told = []
        for _, rules in steps.conflict.groupby("set", sort=True):
            names = ", ".join(f'"{name}"' for name in dict.fromkeys(rules["rule"]))
            told.append(f"The six sources cannot reach the target: these limits do not hold together: {names}.")
        ways = [f'"{row["rule"]}" from {show(row["from"])} to {show(row["to"])}' for row in steps.repair.to_dict("records")]
        told.append(f"The cheapest way out moves {' and '.join(ways)}.")
        missed = [f'"{row.rule}" by {show(row.missed)}' for row in steps.given_up.itertuples()]
        return told + ([f"The bridge below stands all the same and misses {' and '.join(missed)}."] if missed else [])
    dear = (
        steps.table[(steps.table["price"] > 0) & (steps.table["cap"] > 0)]
        .sort_values(["price", "source"], ascending=[False, True])
        .head(1)
    )
    if dear.empty:
        return ["The six sources reach the target within their limits, and none of the limits presses."]
    row = next(dear.itertuples())
    return [f'The six sources reach the target within their limits; "{row.binds}" presses most.']


def message(leader: str, share: float, steps: Bridge | None, asked: pd.DataFrame, show: Show) -> str:
    """The chapter in one sentence."""
    if steps is None:
        return "The orders name no customer, so the target is not split by customer group."
    count = int(asked["customers"].sum())
    new, kept = steps.amounts[NEW], steps.amounts["Retained base"]
    return (
        f"{leader} customers bring {share:.0%} of the target; the base we keep brings {show(kept)}, new customers must bring "
        f"{show(new)}, and with referrals that is {count:,} customers to win."
    )
