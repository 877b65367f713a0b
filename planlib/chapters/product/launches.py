"""What a launch owes in its first months, with what was found (PRD-3)."""

from typing import Any

import pandas as pd

from planlib.chapters.members import some
from planlib.chapters.product.evidence import first_buyers, first_months_of, lifetime_value, named, plain
from planlib.chapters.product.goals import COLUMNS, a_goal
from planlib.estimates.windows import Coverage
from planlib.periods import Horizon
from planlib.plan import AMOUNT, EVERYTHING


def of_launches(
    staged: pd.DataFrame,
    bought: pd.DataFrame,
    carried: pd.DataFrame,
    launches: pd.DataFrame | None,
    won: pd.DataFrame,
    parameters: Any,
    horizon: Horizon,
    coverage: Coverage | None = None,
) -> pd.DataFrame:
    """Targets and attainment of products launched within the last twelve months (PRD-3).

    `bought`: product, customer, month, amount, and cost where known; `carried`: product, channel, month, amount; `launches`:
    target_users, core_channels, spend, feedback, improvements; `won`: see `won_by`. A customer's lifetime value is the gross
    profit of the last twelve months, of all products, of the average customer that the launch won, over the part of all
    customers that does not come back in a year: cautious, as they came within these months. Acquisition cost is the launch's
    marketing per customer won by it: one whose first order of anything was with it. What is not known is said to be: how many
    channels where none is named, and what came of a launch, or who was new, before the orders begin. `coverage`: the months
    that the orders cover.
    """
    coverage = Coverage.of(bought["month"], horizon.until) if coverage is None else coverage
    rows: list[tuple[Any, ...]] = []
    every = carried["channel"].nunique()
    for name, first in sorted(launched_within(staged, horizon).items()):
        given = {} if launches is None else launches[launches["product"] == name].iloc[:1].to_dict("list")
        of = {key: plain(given[key][0]) if given.get(key) else None for key in ("target_users", "core_channels", "spend")}
        reaches = coverage.first is not None and coverage.first <= first
        early = first_months_of(first, parameters.launch_months)
        over = early[-1] <= horizon.until
        sold = carried[(carried["product"] == name) & carried["month"].isin(early) & (carried[AMOUNT] > 0)]
        known = reaches and (every > 1 or EVERYTHING not in set(carried["channel"]))
        found = min(1.0, sold["channel"].nunique() / float(of["core_channels"] or every)) if known else None
        by = "" if over else early[-1]
        rows.append(a_goal(name, "PRD-3", "core channels that carry it", parameters.core_channels, found, "share", over, by=by))
        buyers, _ = first_buyers(bought, name, first, parameters.launch_months, coverage)
        found = None if buyers is None or not of["target_users"] else buyers / of["target_users"]
        rows.append(a_goal(name, "PRD-3", "target users converted", parameters.converted, found, "share", over, by=by))
        months = first_months_of(first, parameters.payback_months)
        over, mine = months[-1] <= horizon.until, bought[bought["product"] == name]
        within = mine[mine["month"].isin(months)]
        earned = None if "cost" not in within or not reaches else float(within[AMOUNT].sum() - within["cost"].sum())
        found = None if earned is None or not of["spend"] else earned / of["spend"]
        by = "" if over else months[-1]
        rows.append(a_goal(name, "PRD-3", "marketing paid back, times", 1.0, found, "factor", over, by=by))
        own = set(named(won[won["product"] == name])["customer"])
        told = coverage.looks_back(coverage.window("first months", early[:1]))
        value = lifetime_value(bought, own, coverage, horizon) if told else None
        found = value * len(own) / of["spend"] if of["spend"] and value is not None else None
        rows.append(a_goal(name, "PRD-3", "lifetime value over acquisition cost", parameters.ltv_over_cac, found, "factor"))
        for column, goal in (("feedback", "valid feedback in 30 days"), ("improvements", "improvements from it")):
            found = given[column][0] if given.get(column) else None
            rows.append(a_goal(name, "PRD-3", goal, getattr(parameters, column), found, "int"))
    return pd.DataFrame(rows, columns=COLUMNS)


def won_by(customers: pd.DataFrame, days: pd.DataFrame) -> pd.DataFrame:
    """Which customers each product won: those whose first order of anything was with it (PRD-3): product, customer.

    `customers`: customer, first (day of the first order of all); `days`: product, customer, day, amount.
    """
    both = days[days[AMOUNT] > 0].merge(customers[["customer", "first"]], on="customer")
    same = pd.to_datetime(both["day"]) == pd.to_datetime(both["first"])
    return both.loc[same, ["product", "customer"]].drop_duplicates(ignore_index=True)


def says_none(staged: pd.DataFrame, horizon: Horizon) -> str:
    """That nothing was launched within the last twelve months, or of which products nobody knows, as a sentence."""
    dark = sorted(staged.loc[~staged["start_known"] & staged["first_month"].isin(horizon.last_twelve), "product"].astype(str))
    if not dark:
        return "No product was launched in the last twelve months."
    return (
        f"Whether {some(dark)} {'was' if len(dark) == 1 else 'were'} launched in the last twelve months is not known: orders "
        f"begin in {staged['first_month'].min()}, and no day of the launch is given."
    )


def launched_within(staged: pd.DataFrame, horizon: Horizon) -> dict[str, str]:
    """Products launched within the last twelve months, with their first month; by the orders where no day is known.

    A first sale in the first month of all orders is no launch: nobody knows what was before it.
    """
    recent = staged[staged["start_known"] & staged["first_month"].isin(horizon.last_twelve)]
    return dict(zip(recent["product"].astype(str), recent["first_month"], strict=True))
