"""The same marketing money seen by product, customer group and month, each under its rule, and all rules in one list."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.lp import Rule, Split, split
from planlib.plan import AMOUNT, Horizon

VALUABLE = ("High value", "Potential")
COLUMNS = ["rule", "method", "unit", "limit", "found", "slack", "binds", "price", "per"]


def by_product(money: int, plan: pd.DataFrame, portfolio: pd.DataFrame | None, star_share: float) -> Split | None:
    """The activities' money by product: as planned revenue, but stars have `star_share` of it at least (BUD-5, PRD-2).

    `plan`: plan table with products. `portfolio`: product, quadrant. None where no product that is planned is a star.
    """
    sold = tables.rollup(plan, ["product"])
    stars = [] if portfolio is None else portfolio.loc[portfolio["quadrant"] == "star", "product"].tolist()
    stars = sorted(set(stars) & set(sold.loc[sold[AMOUNT] > 0, "product"]))
    if not stars:
        return None
    rule = Rule(
        name="stars have their share of the money",
        where={"product": stars},
        min=star_share if len(stars) < int((sold[AMOUNT] > 0).sum()) else None,
        max=1.0,
        owner="Product board",
        reason="money goes where growth is",
    )
    return split(tables.company(money), "product", _weights(sold, "product"), [rule])


def by_customer(money: int, plan: pd.DataFrame, lifetime: pd.DataFrame | None, customer_share: float) -> Split | None:
    """The activities' money by customer group: as planned revenue, but valuable customers have `customer_share` (BUD-5).

    `plan`: plan table with segments. `lifetime`: segment, clv (minor units, per customer): groups at or above the mean of the
    groups are valuable; without it those called High value and Potential. None where customers are not told apart.
    """
    sold = tables.rollup(plan, ["segment"])
    groups = sold.loc[sold[AMOUNT] > 0, "segment"]
    good = [name for name in groups if name in valuable(lifetime)]
    if not good or len(good) == len(groups):
        return None
    rule = Rule(
        name="valuable customers have their share of the money",
        where={"segment": good},
        min=customer_share,
        owner="Marketing",
        reason="lifetime value",
    )
    return split(tables.company(money), "segment", _weights(sold, "segment"), [rule])


def valuable(lifetime: pd.DataFrame | None) -> list[str]:
    """The groups whose customers are worth at least what the mean customer is worth (CUS-3)."""
    if lifetime is None or lifetime.empty or lifetime["clv"].isna().all():
        return list(VALUABLE)
    worth = lifetime.groupby("segment")["clv"].mean()
    return sorted(worth[worth >= float(lifetime["clv"].mean())].index)


def by_month(
    money: int, plan: pd.DataFrame, holidays: pd.DataFrame | None, spent: pd.DataFrame, horizon: Horizon, cap: float
) -> Split:
    """Advertising money by month: as planned revenue, closed months as spent, holidays capped by their sales (BUD-3, TIM-6).

    Parameters
        money     the year's advertising, minor units
        plan      plan table with months
        holidays  month, sales (minor units planned within holiday windows of the month); None where not known
        spent     month, amount: gone in closed months
        cap       advertising within a holiday window over its sales; other sales of the month at the year's rate
    """
    sold = tables.rollup(plan, ["month"])
    booked = spent.groupby("month")[AMOUNT].sum().reset_index() if len(spent) else None
    money = max(money, 0 if booked is None else int(booked[AMOUNT].sum()))
    weights = _weights(sold, "month")
    weights = weights[weights["month"].isin(horizon.open)] if len(horizon.open) else weights
    return split(tables.company(money), "month", weights, _holiday_caps(money, sold, holidays, horizon, cap), booked=booked)


def _holiday_caps(money: int, sold: pd.DataFrame, holidays: pd.DataFrame | None, horizon: Horizon, cap: float) -> list[Rule]:
    if holidays is None or holidays.empty:
        return []
    sales = sold.set_index("month")[AMOUNT]
    rate = money / max(1, int(sales.sum()))
    within = holidays.groupby("month")["sales"].sum()
    rules = []
    for month in horizon.open:
        inside = min(int(within.get(month, 0)), int(sales.get(month, 0)))
        if inside <= 0:
            continue
        most = cap * inside + max(rate, cap) * (int(sales[month]) - inside)
        rules.append(
            Rule(
                name=f"advertising in the holidays of {month}",
                where={"month": month},
                unit="amount",
                max=float(round(most)),
                hard=False,
                owner="Marketing",
                reason="advertising follows holiday sales",
            )
        )
    return rules


def listed(
    budget: int,
    target: int,
    reserve: int,
    limits: pd.DataFrame,
    spend_prices: pd.DataFrame,
    views: dict[str, Split | None],
    ratio_cap: float,
    reserve_floor: float,
    freeze_roi: float,
) -> pd.DataFrame:
    """Every rule of the budget with its slack and price, in one list (BUD-4, BUD-5, BUD-6, STR-1, TIM-6).

    Parameters
        spend_prices  Spend.prices: activities' floors and caps, promotion, the money itself
        views         title -> Split of the same money under its rules, None where it was not made
    Returns rule, method, unit (share, amount, factor), limit, found, slack (>= 0 where met), binds, price (what easing it by
    `per` gains), per. The price of money is the return of the next unit of it; under a view it is distance from the drivers.
    """
    worth = spend_prices.set_index("rule")["price"] if len(spend_prices) else pd.Series(dtype=float)
    money = spend_prices[spend_prices["unit"] == "amount"] if len(spend_prices) else spend_prices
    of_money = float(money.loc[money["rule"].str.contains("budget"), "price"].max()) if len(money) else np.nan
    ratio, held = budget / max(1, target), reserve / max(1, budget)
    rows: list[tuple[Any, ...]] = [
        ("marketing cost over revenue", "STR-1", "share", ratio_cap, ratio, ratio_cap - ratio, ratio >= ratio_cap - 1e-9),
        ("reserve over budget", "BUD-4", "share", reserve_floor, held, held - reserve_floor, held <= reserve_floor + 1e-9),
    ]
    priced = [(*row, (of_money if row[-1] else 0.0), "unit of money") for row in rows]
    for row in limits.sort_values("item").itertuples():
        # What a freeze costs is what the cap that it sets costs.
        price = float(worth.get(f"cap of {row.item}", 0.0)) if row.frozen else 0.0
        name = f"return of {row.item} at least {freeze_roi:g}"
        priced.append((name, "BUD-6", "factor", freeze_roi, row.roi, row.roi - freeze_roi, row.frozen, price, "unit of money"))
    for row in money.sort_values("rule").itertuples():
        method = "BUD-3" if "promotion" in row.rule else "BUD-1"
        priced.append((row.rule, method, "amount", row.limit, row.found, row.slack, row.binds, row.price, "unit of money"))
    for method, view in views.items():
        for row in [] if view is None else view.rules[view.rules["hard"] | (view.rules["unit"] == "amount")].itertuples():
            if str(row.rule).startswith("money of "):
                continue
            limit = row.min if pd.notna(row.min) else row.max
            priced.append((row.rule, method, row.unit, limit, row.found, row.slack, row.binds, row.price, row.per))
    return pd.DataFrame(priced, columns=COLUMNS)


def readable(rules: pd.DataFrame, show: Callable[[float | None, str], str]) -> pd.DataFrame:
    """The list as text, dearest first: rule, limit, found, slack, binds, price; `show(value, format)` writes a value."""
    forms = {"share": "share", "factor": "factor", "amount": "money"}
    ranked = rules.sort_values(["binds", "price", "rule"], ascending=[False, False, True], na_position="last")
    rows = []
    for row in ranked.itertuples():
        form = forms.get(row.unit, "factor")
        limit, found, slack = (show(None if pd.isna(value) else value, form) for value in (row.limit, row.found, row.slack))
        price = "0" if not row.binds or not row.price > 0 else f"{row.price:,.3g} per {row.per}"
        rows.append((row.rule, row.method, limit, found, slack, "yes" if row.binds else "no", price))
    return pd.DataFrame(rows, columns=["rule", "method", "limit", "found", "slack", "binds", "price"])


def _weights(sold: pd.DataFrame, into: str) -> pd.DataFrame:
    return sold.assign(weight=sold[AMOUNT].clip(lower=0))[[into, "weight"]]
