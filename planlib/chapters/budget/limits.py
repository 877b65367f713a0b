"""Every rule of the budget in one list, with what is left to it and what it costs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from planlib.chapters.budget.activities import PROMOTION
from planlib.chapters.budget.money import Allocation
from planlib.chapters.budget.parameters import Parameters
from planlib.lp import Split

COLUMNS = ["rule", "method", "unit", "limit", "found", "slack", "binds", "price", "per"]
OF_MONEY, OF_PLACE = "revenue per unit of money", "distance from the drivers"


def listed(
    budget: int,
    target: int,
    found: Allocation,
    limits: pd.DataFrame,
    views: list[tuple[str, Split | None]],
    parameters: Parameters,
) -> pd.DataFrame:
    """Every rule of the budget with its slack and price (STR-1, BUD-3, BUD-4, BUD-5, BUD-6, TIM-6).

    Parameters
        views   method and Split of the same money by product, customer or month, None where it was not made
    Returns rule, method, unit (share, amount, factor), limit, found, slack (>= 0 where met), binds, price, per. The price of a
    limit on money is the revenue that easing it by a unit brings; of a freeze, what its cap holds back; of a rule on where
    money lies, the distance from the drivers (minor units) that one unit or point less of it saves. Floors and caps of
    activities are listed where they cost something.
    """
    prices = found.spend.prices if found.spend is not None else pd.DataFrame(columns=["rule", "unit", "price"])
    worth = prices.set_index("rule")["price"].astype(float)
    of_money = float(worth.get("total budget", np.nan))
    # Of one more unit of the whole budget the reserve's share is held back, and promotion may take its part of it.
    of_budget = of_money * (1 - parameters.reserve_share)
    of_budget += parameters.promotion_cap * float(worth.get(f"cap of group {PROMOTION}", 0.0))
    rows: list[tuple[Any, ...]] = []

    def rule(
        name: str, method: str, limit: float, value: float, most: bool, price: float = np.nan, unit: str = "share"
    ) -> None:
        slack = round(limit - value if most else value - limit, 9)
        rows.append((name, method, unit, limit, value, slack, slack <= 1e-6, price if slack <= 1e-6 else 0.0, OF_MONEY))

    rule("marketing cost over revenue", "STR-1", parameters.ratio_cap, budget / max(1, target), True, of_budget)
    rule("reserve over budget", "BUD-4", parameters.reserve_share, found.reserve / max(1, budget), False, of_money)
    critical = int(found.projects.loc[found.projects["funding"] == "critical path", "amount"].sum())
    if critical:
        rule("critical path funded", "BUD-5", critical, critical, False, of_money, "amount")
    for row in limits[limits["roi"].notna()].sort_values("item").itertuples() if len(limits) else []:
        name, price = f"return of {row.item}", float(worth.get(f"cap of {row.item}", 0.0))
        slack = round(row.roi - row.line, 9)
        rows.append((name, "BUD-6", "factor", row.line, row.roi, slack, row.frozen, price * row.frozen, OF_MONEY))
    # That a project is not had twice, whole and at reduced money, is no rule of the budget.
    for row in prices[~prices["rule"].str.contains(" excludes ")].sort_values("rule").itertuples():
        one = str(row.rule).startswith(("floor of ", "cap of ")) and "group" not in str(row.rule)
        frozen = one and bool(limits.set_index("item")["frozen"].get(str(row.rule).partition(" of ")[2], False))
        if one and not (row.binds and row.price > 0 and not (frozen and str(row.rule).startswith("cap"))):
            continue
        method = "BUD-3" if "group" in str(row.rule) else "BUD-2" if row.unit == "choice" else "BUD-1"
        name = {"total budget": "all the money that is free", "cap of group promotion": "promotion over budget"}.get(
            row.rule, row.rule
        )
        rows.append((name, method, row.unit, row.limit, row.found, row.slack, row.binds, row.price, OF_MONEY))
    for method, view in views:
        for row in view.rules.itertuples() if view is not None else []:
            limit = row.min if pd.notna(row.min) else row.max
            rows.append((row.rule, method, row.unit, limit, row.found, row.slack, row.binds, row.price, OF_PLACE))
    return pd.DataFrame(rows, columns=COLUMNS)


def readable(rules: pd.DataFrame, show: Callable[..., str]) -> pd.DataFrame:
    """The list as text, what binds and is dear first: rule, method, limit, found, slack, binds, price."""
    forms = {"share": "share", "factor": "factor", "amount": "money"}
    ranked = rules.assign(place=rules["per"] == OF_PLACE).sort_values(
        ["binds", "place", "price", "rule"], ascending=[False, True, False, True], na_position="last"
    )
    rows = []
    for row in ranked.itertuples():
        form = forms.get(row.unit, "factor")
        shown = ["" if row.unit == "choice" else show(value, form) for value in (row.limit, row.found)]
        slack = "" if row.unit == "choice" else show(row.slack, "points" if form == "share" else form)
        per = "per unit" if row.unit == "amount" else "per point"
        dear = f"{row.price:.2f} {OF_MONEY}" if row.per == OF_MONEY else f"{show(row.price)} of {OF_PLACE} {per}"
        dear = show(row.price) if row.unit == "choice" else dear
        price = "not known" if pd.isna(row.price) else "0" if not row.binds or row.price <= 0 else dear
        rows.append((row.rule, row.method, *shown, slack, "yes" if row.binds else "no", price))
    return pd.DataFrame(rows, columns=["rule", "method", "limit", "found", "slack", "binds", "price"])
