"""The same activities' money seen by product, customer group and month, each under its rule."""

import pandas as pd

from planlib import plan as tables
from planlib.estimates.windows import Window
from planlib.lp import Rule, Split, split
from planlib.periods import Horizon
from planlib.plan import AMOUNT

VALUABLE = ("High value", "Potential")


def by_product(money: int, plan: pd.DataFrame, portfolio: pd.DataFrame | None, star_share: float) -> Split | None:
    """The activities' money by product: as planned revenue, but stars have `star_share` of it at least (BUD-5, PRD-2).

    `plan`: plan table with products. `portfolio`: product, quadrant. None where no planned product is a star, or all are.
    """
    stars = [] if portfolio is None else portfolio.loc[portfolio["quadrant"] == "star", "product"].tolist()
    return _favoured(money, plan, "product", stars, "stars have their share of the money", star_share, "Product board")


def by_customer(money: int, plan: pd.DataFrame, lifetime: pd.DataFrame | None, customer_share: float) -> Split | None:
    """The activities' money by customer group: as planned revenue, but valuable ones have `customer_share` of it (BUD-5).

    `plan`: plan table with segments. `lifetime`: see `valuable`. None where customers are not told apart.
    """
    good = valuable(lifetime)
    return _favoured(
        money, plan, "segment", good, "valuable customers have their share of the money", customer_share, "Marketing"
    )


def valuable(lifetime: pd.DataFrame | None) -> list[str]:
    """The groups whose customers are worth at least what the mean customer is worth (CUS-3, BUD-5).

    `lifetime`: segment, clv (minor units, per customer), customers; without it those that RFM calls High value and Potential.
    """
    told = None if lifetime is None else lifetime[lifetime["clv"].notna()]
    if told is None or told.empty:
        return list(VALUABLE)
    count = told["customers"].clip(lower=0).astype(float)
    worth = told.assign(worth=told["clv"] * count, count=count).groupby("segment")[["worth", "count"]].sum()
    mean = worth["worth"].sum() / max(1.0, float(worth["count"].sum()))
    each = (worth["worth"] / worth["count"].where(worth["count"] > 0)).fillna(told.groupby("segment")["clv"].mean())
    return sorted(each[each.round(9) >= round(mean, 9)].index)


def _favoured(
    money: int, plan: pd.DataFrame, into: str, favoured: list[str], name: str, least: float, owner: str
) -> Split | None:
    """The money by `into` as planned revenue, where the favoured members together have a share of it at least."""
    sold = _weights(plan, into)
    planned = set(sold.loc[sold["weight"] > 0, into])
    chosen = sorted(set(favoured) & planned)
    if not chosen or len(chosen) == len(planned):
        return None
    rule = Rule.model_validate({"name": name, "where": {into: chosen}, "min": least, "owner": owner})
    return split(tables.company(money), into, sold, [rule])


def taken(
    money: int, every: int, spent: pd.DataFrame, plan: pd.DataFrame, closed: Window, stood: pd.DataFrame | None
) -> pd.DataFrame:
    """What closed months took of some money (BUD-3): month, amount (minor units), as spent where that is known.

    Parameters
        money   the year's, minor units, a part of `every`
        spent   month, amount: gone in closed months
        plan    plan table with months
        closed  the closed months and which of them marketing is known for
        stood   month, amount of `every` as each month stood before it closed; None in the first plan
    A month whose spend is not known has its part of what stood, or without it its share of the money as planned revenue; both
    together at most what is not spent.
    """
    sold = _weights(plan, "month").set_index("month")["weight"]
    simple = dict(zip(sold.index, tables.largest_remainder(money, sold), strict=True)) if sold.sum() > 0 else {}
    planned = {} if stood is None else stood.groupby("month")[AMOUNT].sum().to_dict()
    lost = [month for month in closed.months if month not in closed.known]
    wanted = [round(planned[month] * money / max(1, every)) if month in planned else simple.get(month, 0) for month in lost]
    left = max(0, money - int(spent[AMOUNT].sum()))
    if sum(wanted) > left:
        wanted = list(tables.largest_remainder(left, wanted))
    rows = pd.DataFrame({"month": lost, AMOUNT: wanted}).astype({"month": "str", AMOUNT: "int64"})
    return pd.concat([spent[["month", AMOUNT]], rows[rows[AMOUNT] > 0]], ignore_index=True)


def by_month(
    money: int,
    plan: pd.DataFrame,
    spent: pd.DataFrame,
    horizon: Horizon,
    holidays: pd.DataFrame | None = None,
) -> Split:
    """Money by month: closed months as spent, the rest as planned revenue, holidays capped by their sales (BUD-3, TIM-6).

    Parameters
        money     the year's, minor units, at least what is spent
        plan      plan table with months
        spent     month, amount: gone in closed months, see `taken`
        holidays  month, sales (minor units planned within holiday windows of the month), ad_share (spend within them over
                  their sales, at most); None for money that is not capped. The month's other sales bear the year's rate, or
                  that share if it is higher
    """
    sold = _weights(plan, "month")
    booked = spent.groupby("month", as_index=False)[AMOUNT].sum() if len(spent) else None
    weights = sold[sold["month"].isin(horizon.open)] if horizon.open else sold
    rules = [] if holidays is None else _holiday_caps(money, sold.set_index("month")["weight"], holidays, horizon)
    return split(tables.company(money), "month", weights, rules, booked=booked)


def _holiday_caps(money: int, sold: pd.Series, holidays: pd.DataFrame, horizon: Horizon) -> list[Rule]:
    rate, share = money / max(1, int(sold.sum())), holidays.groupby("month")["ad_share"].max()
    within = holidays.groupby("month")["sales"].sum()
    rules = []
    for month in horizon.open:
        sales = int(sold.get(month, 0))
        inside = min(int(within.get(month, 0)), sales)
        if inside > 0:
            cap = float(share[month])
            most = float(round(cap * inside + max(rate, cap) * (sales - inside)))
            name, where = f"advertising in {month}, its holidays capped", {"month": month}
            rule = {"name": name, "where": where, "unit": "amount", "max": most, "hard": False, "owner": "Marketing"}
            rules.append(Rule.model_validate(rule))
    return rules


def _weights(plan: pd.DataFrame, into: str) -> pd.DataFrame:
    sold = tables.rollup(plan, [into])
    return sold.assign(weight=sold[AMOUNT].clip(lower=0))[[into, "weight"]]
