"""Customers we do not have yet (CUS-5): key industries, new cities, what winning one may cost."""

import pandas as pd

from planlib import plan as tables
from planlib.chapters.customer.bridge import Bridge
from planlib.chapters.customer.existing import Ground, stays
from planlib.chapters.customer.parameters import Parameters
from planlib.plan import AMOUNT, Horizon, largest_remainder, ratio

KEY = 3  # industries


def industries(customers: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    """The key industries (CUS-5): industry, recent, earlier (minor units), share (of the last twelve months), growth.

    Named by `key_industries`; where none is named, the three that grew fastest among those with a tenth of a percent or more.
    """
    known = customers[customers["industry"] != "unknown"]
    sums = known.groupby("industry")[["recent", "earlier"]].sum().reset_index()
    sums["share"] = sums["recent"] / max(1, int(customers["recent"].sum()))
    sums["growth"] = ratio(sums["recent"] - sums["earlier"], sums["earlier"]).round(9)
    if parameters.key_industries:
        chosen = sums[sums["industry"].isin(parameters.key_industries)]
    else:
        chosen = sums[sums["share"] >= 0.001].sort_values(["growth", "industry"], ascending=[False, True]).head(KEY)
    return chosen.sort_values(["share", "industry"], ascending=[False, True]).reset_index(drop=True)


def opened(customers: pd.DataFrame, day: pd.Timestamp) -> tuple[pd.DataFrame, int | None]:
    """Cities by the quarter of their first order (CUS-5), and what one brought in its first year.

    Returns quarter, cities; and the mean last-twelve-months revenue (minor units) of the cities opened in the two years before
    those months, None without such cities. Cities of the first quarter of history were there before it.
    """
    known = customers[customers["city"] != "unknown"]
    first = known.groupby("city")["first"].min()
    if first.empty:
        return pd.DataFrame({"quarter": [], "cities": []}), None
    quarter = first.dt.to_period("Q").astype("str")
    later = quarter[quarter > quarter.min()]
    counted = later.value_counts().sort_index()
    year_ago = day - pd.DateOffset(years=1)
    young = first[(first > day - pd.DateOffset(years=3)) & (first <= year_ago) & first.index.isin(later.index)].index
    money = known[known["city"].isin(young)]["recent"].sum()
    mean = round(int(money) / len(young)) if len(young) else None
    return counted.rename_axis("quarter").rename("cities").reset_index(), mean


def open_quarters(horizon: Horizon) -> int:
    """How many quarters of the plan year are not closed yet, in which a city can still be opened (CUS-5)."""
    return -(-len(horizon.open) // 3)


def next_cities(
    customers: pd.DataFrame, regions: pd.DataFrame | None, parameters: Parameters, quarters: int
) -> list[list[str]]:
    """Which prefecture-level cities to open in each open quarter (CUS-5), those with most potential first.

    A region's potential is its GDP (else its revenue) over the cities we serve there and the ones listed before; the cities
    come from `candidate_cities` (region -> names). A region without candidates is named itself: its city is to be chosen.
    """
    served = customers[customers["city"] != "unknown"].groupby("region")["city"].nunique()
    taken = set(customers["city"])
    size = customers.groupby("region")["recent"].sum().astype(float)
    if regions is not None and "gdp" in regions:
        gdp = regions.set_index("region")["gdp"].astype(float)
        free = 1 - regions.set_index("region")["rival_share"].astype(float).fillna(0) if "rival_share" in regions else 1.0
        size = (gdp * free).reindex(size.index).fillna(0.0)
    named = {region: [city for city in names if city not in taken] for region, names in parameters.candidate_cities.items()}
    listed = any(named.values())
    pool = {r: v for r, v in size.items() if r in named} if listed else dict(size)
    count = {region: int(served.get(region, 0)) for region in pool}
    chosen: list[str] = []
    while len(chosen) < parameters.cities_per_quarter * quarters and pool:
        best = min(pool, key=lambda region: (-round(pool[region] / (count[region] + 1), 6), region))
        left = named.get(best, [])
        if listed and not left:
            del pool[best]
            continue
        chosen.append(left.pop(0) if left else f"one in {best}")
        count[best] += 1
    step = parameters.cities_per_quarter
    return [chosen[place * step : (place + 1) * step] for place in range(quarters)]


def floors(shares: pd.DataFrame, city_worth: int | None, found: Ground, target: int, parameters: Parameters) -> dict[str, int]:
    """What new customers must bring at least, by reason (CUS-5): name of the rule -> minor units.

    Key industries: their target share of the target, less what their share of the retained base brings. New cities:
    `cities_per_quarter` a quarter, each its first year's revenue for the part of the year that is left in mid-quarter.
    """
    kept = found.base * stays(found, parameters)
    rules = {}
    if len(shares):
        lacking = parameters.key_share_to * target - float(shares["share"].sum()) * kept
        rules["key industries reach their share"] = max(0, round(lacking))
    if city_worth is not None and parameters.cities_per_quarter:
        left = sum(1 - (quarter + 0.5) / 4 for quarter in range(4))
        rules["new cities open every quarter"] = round(parameters.cities_per_quarter * left * city_worth)
    return rules


def targets(
    plan: pd.DataFrame,
    steps: Bridge | None,
    found: Ground,
    customers: pd.DataFrame,
    cities: list[list[str]],
    horizon: Horizon,
    parameters: Parameters,
) -> pd.DataFrame:
    """New-customer targets by quarter (CUS-5, CUS-6): quarter, customers, won_so_far, amount, key_share, cost_limit, cities.

    plan: month, amount. Referral and new customers of the bridge, over what a customer won last year brought, is how many are
    asked for; quarters take the plan's season, closed ones what came. key_share runs evenly from `key_share_from` to
    `key_share_to`; cost_limit is `acquisition_cost` of the quarter's new revenue, the most that winning it may cost. Empty
    without a bridge.
    """
    if steps is None:
        return pd.DataFrame({"customers": []})
    new = steps.amounts["Referral"] + steps.new
    quarter = {month: f"Q{place // 3 + 1}" for place, month in enumerate(horizon.months)}
    names = sorted(set(quarter.values()))
    season = tables.rollup(plan, ["month"]).assign(quarter=lambda frame: frame["month"].map(quarter))
    weight = season.groupby("quarter")[AMOUNT].sum().clip(lower=0).reindex(names).fillna(0)
    each = found.won_money / found.won if found.won else 0.0
    count = round(new / each) if each > 0 else 0
    closed = [name for name in names if all(month in horizon.closed for month in quarter if quarter[month] == name)]
    came = customers["first"].dt.strftime("%Y-%m").map(quarter).value_counts().reindex(names).fillna(0).astype("int64")
    # What a closed quarter won is won; the open ones are asked for the rest.
    open_weight = weight.where(~weight.index.isin(closed), 0.0) if len(closed) < len(names) else weight
    ahead_of_us = largest_remainder(max(0, count - int(came[closed].sum())), open_weight)
    start, end = parameters.key_share_from, parameters.key_share_to
    amounts = largest_remainder(new, weight)
    ahead = [""] * (len(names) - len(cities)) + [", ".join(some) for some in cities]
    return pd.DataFrame(
        {
            "quarter": names,
            "customers": [int(came[n]) if n in closed else int(ahead_of_us[place]) for place, n in enumerate(names)],
            "won_so_far": came.to_numpy(),
            "new_revenue": amounts,
            "key_share": [start + (end - start) * (place + 1) / len(names) for place in range(len(names))],
            "cost_limit": [round(amount * parameters.acquisition_cost) for amount in amounts.tolist()],
            "cities": ahead,
        }
    )


def costs(
    marketing: pd.DataFrame | None, months: list[str], won: int, customers: pd.DataFrame, parameters: Parameters
) -> pd.DataFrame:
    """What winning a customer costs (CUS-5): activity, acquisition_spend, new_customers, cost_each, cost_limit, verdict.

    Limit is `acquisition_cost` of a customer's yearly revenue: the last twelve months' over the customers who bought in them.
    `marketing` with new_customers: an activity's spend over the customers it won; without, all spend over all customers won.
    """
    columns = ["activity", "acquisition_spend", "new_customers", "cost_each", "cost_limit", "verdict"]
    buyers = customers[customers["recent_orders"] > 0]
    if marketing is None or buyers.empty:
        return pd.DataFrame(columns=columns)
    recent = marketing[marketing["month"].isin(months)]
    if "new_customers" in recent:
        table = (
            recent.groupby("activity")
            .agg(acquisition_spend=("spend", "sum"), new_customers=("new_customers", "sum"))
            .reset_index()
        )
    else:
        table = pd.DataFrame(
            {"activity": ["all"], "acquisition_spend": [int(recent["spend"].sum())], "new_customers": [float(won)]}
        )
    table["new_customers"] = table["new_customers"].round().astype("int64")
    table["cost_each"] = ratio(table["acquisition_spend"], table["new_customers"]).round()
    table["cost_limit"] = round(parameters.acquisition_cost * int(buyers["recent"].sum()) / len(buyers))
    over = table["cost_each"].isna() | (table["cost_each"] > table["cost_limit"])
    table["verdict"] = over.map({True: "over the limit", False: "within"})
    return table.sort_values(["cost_each", "activity"], ignore_index=True)[columns]
