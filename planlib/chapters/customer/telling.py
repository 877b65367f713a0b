"""Chapter 06 as tables with their titles and sentences; nothing here computes a plan."""

from collections.abc import Callable

import pandas as pd

from planlib.chapters.customer.bridge import NEW, Bridge, wanted
from planlib.chapters.customer.existing import alarmed, alerts, bundles
from planlib.chapters.customer.known import Known
from planlib.chapters.customer.parameters import Parameters
from planlib.chapters.customer.profile import agreement, kinds, stages
from planlib.chapters.customer.winning import costs, industries, limit_each
from planlib.chapters.members import counted, listed
from planlib.data.sources import Tables
from planlib.estimates.shares import Expected
from planlib.estimates.windows import Coverage, Window
from planlib.periods import Horizon
from planlib.plan import AMOUNT

Show = Callable[..., str]


def over(window: Window, usual: str) -> str:
    """A window in a title: `usual` ("last year"), or which part of it is known."""
    return usual if window.whole else f"{usual} (known for {len(window.known)} of {len(window.months)} months)"


def who(
    customers: pd.DataFrame, stored: Tables, horizon: Horizon, parameters: Parameters, seen: Known
) -> dict[str, pd.DataFrame]:
    """Profile and stages (CUS-1, CUS-2) by their titles; nothing where orders name no customers."""
    if customers.empty:
        return {}
    span = over(seen.recent, "the last twelve months")
    bought = kinds(customers, stored, horizon, parameters, seen.change)
    found = {
        f"Who buys: industry, size and region, over {span}": bought,
        "Where customers stand in their life": _recent(stages(customers), seen),
    }
    return {title: table for title, table in found.items() if len(table)}


def needs_told(customers: pd.DataFrame) -> list[str]:
    """How needs are known (CUS-1), a sentence or none."""
    if customers.empty:
        return []
    right = agreement(customers)
    if right is None:
        return ["No customer's need is stated: needs are read off what was bought and paid."]
    stated = int((customers["need_from"] == "stated").sum())
    same = round(right * stated)
    return [
        f"{stated:,} of {counted_of(len(customers), 'customer')} stated {'its' if stated == 1 else 'their'} need; read off the "
        f"orders it would be the same for {same:,} of them ({right:.0%})."
    ]


def keep(
    customers: pd.DataFrame, pairs: pd.DataFrame, horizon: Horizon, parameters: Parameters, seen: Known
) -> dict[str, pd.DataFrame]:
    """Bundles and alerts (CUS-4) by their titles."""
    if customers.empty:
        return {}
    day = pd.Timestamp(horizon.as_of)
    found = {"Bundles: what customers buy together oftener than by chance": bundles(pairs, parameters)}
    count = alarmed(customers, day, parameters)
    if count:
        silent = f"{counted_of(count, 'customer')} {'is' if count == 1 else 'are'} silent"
        title = f"{silent} for {counted_of(parameters.dormant_months, 'month')}: the first to win back"
        found[title] = _recent(alerts(customers, day, parameters), seen)
    return {title: table for title, table in found.items() if len(table)}


def win(
    customers: pd.DataFrame, marketing: pd.DataFrame | None, horizon: Horizon, parameters: Parameters, seen: Known
) -> dict[str, pd.DataFrame]:
    """Key industries and what a customer costs (CUS-5) by their titles."""
    if customers.empty:
        return {}
    limit = limit_each(customers, parameters, seen.recent.whole)
    title = "What winning a customer costs, and may cost"
    if marketing is not None:
        span = Coverage.of_events(marketing["month"], horizon.until).window("marketing", horizon.last_twelve)
        title += "" if span.whole else f": {span.says()}"
    found = {
        "Key industries: their share now": _recent(industries(customers, parameters, seen.change), seen),
        title: costs(marketing, customers, limit, horizon, seen),
    }
    return {title: table for title, table in found.items() if len(table)}


def sources(steps: Bridge) -> pd.DataFrame:
    """The six sources as a reader's table (CUS-6): source, seen, floor, reached, cap, amount, bound_by, limit_price."""
    table = steps.table.rename(columns={"binds": "bound_by", "price": "limit_price", "likely": "reached"})
    table["bound_by"] = table["bound_by"].str.replace(r"[^:,]*: ", "", regex=True)
    return table[["source", "seen", "floor", "reached", "cap", "amount", "bound_by", "limit_price", "because"]]


def bridge_told(steps: Bridge | None, show: Show) -> list[str]:
    """What the bridge's limits mean (CUS-6), in a few sentences: the conflict and what had to give, or what is dear."""
    if steps is None:
        return []
    if len(steps.conflict):
        told = []
        for _, rules in steps.conflict.groupby("set", sort=True):
            names = [f'"{name}"' for name in dict.fromkeys(rules["rule"])]
            clash = "this limit does not hold" if len(names) == 1 else "these limits do not hold together"
            told.append(f"The six sources {steps.fails}: {clash}: {', '.join(names)}.")
        ways = [f'"{row["rule"]}" from {show(row["from"])} to {show(row["to"])}' for row in steps.repair.to_dict("records")]
        told.append(f"The cheapest way out moves {' and '.join(ways)}.")
        missed = [f'"{row.rule}" by {show(row.missed)}' for row in steps.given_up.itertuples()]
        return told + ([f"The bridge above stands all the same and misses {' and '.join(missed)}."] if missed else [])
    limits = steps.result.rules
    # A cap of nothing is no limit that anybody could ease; a price that cannot be told from none presses nothing.
    shut = {f"{name}: cap" for name in steps.table.loc[steps.table["cap"] <= 0, "source"]}
    dear = limits[limits["binds"].astype(bool) & (limits["price"].round(4) > 0) & ~limits["rule"].isin(shut)]
    if dear.empty:
        return ["The six sources reach the target within their limits, and none of the limits presses."]
    most = dear.loc[dear["price"].round(4) == dear["price"].round(4).max(), "rule"].sort_values()
    names = [f'"{name}"' for name in most]
    return [
        f"The six sources reach the target within their limits; {listed(names)} press{'es' if len(names) == 1 else ''} most."
    ]


def new_told(plan: pd.DataFrame, stood: pd.DataFrame | None, horizon: Horizon, show: Show) -> list[str]:
    """How far closed months are behind for New customers (CUS-5), a sentence or none.

    plan, stood: month, segment, amount of the plan, closed months as they came, and as each stood before it closed.
    """
    if stood is None:
        return []
    months = [month for month in horizon.closed if month in set(stood["month"])]
    came, asked = (
        int(each.loc[(each["segment"] == "New") & each["month"].isin(months), AMOUNT].sum()) for each in (plan, stood)
    )
    if not months or asked <= 0:
        return []
    off = "as planned" if came == asked else f"{show(abs(came - asked))} {'behind' if came < asked else 'ahead'}"
    rest = ", which the open months have to bring" if came < asked and horizon.open else ""
    closed = f"{'the ' if len(months) > 1 else ''}{counted(len(months), 'closed month')}"
    return [f"Of new customers {closed} brought {show(came)} where the plan in force asked {show(asked)}: {off}{rest}."]


def groups_told(steps: Bridge | None, plan: pd.DataFrame, show: Show) -> list[str]:
    """Whether the groups carry what their sources bring (CUS-6), a sentence or none. plan: plan table with segments."""
    if steps is None:
        return []
    sums = plan.groupby("segment")[AMOUNT].sum()
    off = []
    for groups, amount in wanted(steps).items():
        carried = int(sums.reindex(list(groups)).fillna(0).sum())
        name = "The active groups" if len(groups) > 1 else groups[0]
        if carried != amount:
            verb = "carry" if len(groups) > 1 else "carries"
            off.append(f"{name} {verb} {show(carried)} where the bridge has {show(amount)}")
    if not off:
        return ["The groups carry exactly what their sources bring over the whole year."]
    return [f"Rules, locks, closed months or `bridge_part` keep the groups from the bridge: {'; '.join(off)}."]


def trend_told(trend: Expected, history: pd.DataFrame) -> list[str]:
    """Whether the groups' shares drift (CUS-1), a sentence or none. history: see `weights.past`."""
    if history["segment"].nunique() < 2:
        return []
    if trend.years > 0:
        return [trend.note]
    months = counted(history["month"].nunique(), "month")
    return [f"Groups are told for {months}, too few to say whether their shares drift: the last twelve months' shares stand."]


def headline(leader: str, share: float) -> str:
    """Who brings most, as a title."""
    return f"{leader} customers bring {share:.0%} of the target"


def message(leader: str, share: float, steps: Bridge | None, asked: pd.DataFrame, seen: Known, show: Show) -> str:
    """The chapter in one sentence."""
    if not seen.named:
        return "The orders name no customer, so the target is not split by customer group."
    if not seen.groups:
        return f"The target is not split by customer group: {seen.last_year.says()}."
    if steps is None:
        return f"{headline(leader, share)}; no customer is active, so the growth bridge is left out."
    new, kept = steps.amounts[NEW], steps.amounts["Retained base"]
    told = f"{headline(leader, share)}; the base we keep brings {show(kept)}"
    if steps.fails:
        told = f"The six sources {steps.fails} within their limits: {told}"
    if asked["new_revenue"].sum() <= 0:
        return f"{told}, and nothing has to come from new customers."
    told += f", {'new customers must bring ' + show(new) if new else 'referrals bring the only new customers'}"
    if asked["customers"].isna().any():
        return f"{told}; how many that is, is not known."
    count, won = int(asked["customers"].sum()), int(asked["won_so_far"].sum())
    many = f"{counted_of(count, 'customer')}"
    if not won:
        return f"{told}, and with referrals that is {many} to win."
    if count <= won:
        return f"{told}, and with referrals that is no more than the {counted_of(won, 'customer')} won so far."
    return f"{told}, and with referrals that is {many} to win, {won:,} of them won so far."


def bridge_headline(steps: Bridge, show: Show) -> str:
    """What new customers must bring, as the title of the bridge (CUS-6)."""
    if not steps.new:
        return "The five sources among customers we have reach the target: new customers need bring nothing"
    return f"New customers must bring {show(steps.new)} after five other sources"


def counted_of(count: int, what: str) -> str:
    """A number of things: "1 customer", "1,234 customers"."""
    return counted(count, what).replace(str(count), f"{count:,}", 1)


def _recent(table: pd.DataFrame, seen: Known) -> pd.DataFrame:
    """Without the sums of the last twelve months where these are not known in full."""
    return table if seen.recent.whole or "recent" not in table else table.assign(recent=float("nan"))
