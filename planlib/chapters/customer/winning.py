"""Customers we do not have yet (CUS-5): key industries, new cities, floors and quarters, what winning one may cost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from planlib import periods
from planlib import plan as tables
from planlib.chapters.customer.bridge import Bridge
from planlib.chapters.customer.existing import Ground, stays
from planlib.chapters.customer.known import Known
from planlib.chapters.customer.parameters import Parameters
from planlib.chapters.members import refuse
from planlib.data.sources import Tables
from planlib.estimates.windows import Coverage, span_of
from planlib.periods import MONTHS, Calendar, Horizon
from planlib.plan import AMOUNT, largest_remainder, ratio

KEY = 3  # industries


@dataclass(frozen=True)
class Cities:
    """Cities opened so far (CUS-5).

    first_year  what a city brought in its first twelve months, mean, minor units; None where no such city is known
    this_year   how many opened in the plan year's closed months, and `brought`, what they brought in them (minor units)
    """

    first_year: int | None
    this_year: int
    brought: int


def check_names(stored: Tables, parameters: Parameters, opens: Sequence[str] = ()) -> list[str]:
    """Refuse key industries and regions of candidate cities that nobody knows (CUS-5); ParameterError with the nearest name.

    `opens`: regions that open in the plan year. Returns a sentence where no customer's industry is known, so that key
    industries cannot be told.
    """
    regions, table = stored.get("regions"), stored.get("customers")
    served = set(stored.orders(["region"])["region"]) | (set() if regions is None else set(regions["region"]))
    refuse("customer.candidate_cities", parameters.candidate_cities, served | set(opens), "region")
    told = set() if table is None or "industry" not in table else set(table["industry"]) - {"", "unknown"}
    if told:
        refuse("customer.key_industries", parameters.key_industries, told, "industry of the table customers")
    elif parameters.key_industries:
        return [f"Key industries ({', '.join(parameters.key_industries)}): no customer's industry is known."]
    return []


def industries(customers: pd.DataFrame, parameters: Parameters, change_told: bool = True) -> pd.DataFrame:
    """The key industries (CUS-5): industry, recent, earlier (minor units), share (of the last twelve months), growth.

    Named by `key_industries`; where none is named, the three that grew fastest among those with a tenth of a percent or more.
    Where two whole years do not tell the change, growth and `earlier` are missing, and only named industries are key.
    """
    known = customers[customers["industry"] != "unknown"]
    sums = known.groupby("industry")[["recent", "earlier"]].sum().reset_index()
    sums["share"] = sums["recent"] / max(1, int(customers["recent"].sum()))
    sums["growth"] = ratio(sums["recent"] - sums["earlier"], sums["earlier"]).round(9)
    if parameters.key_industries and len(known):
        # One that nobody buys from yet is key all the same: its share is 0.
        chosen = sums.set_index("industry").reindex(list(dict.fromkeys(parameters.key_industries)))
        chosen = chosen.fillna({"recent": 0, "earlier": 0, "share": 0.0}).reset_index()
    elif change_told:
        chosen = sums[sums["share"] >= 0.001].sort_values(["growth", "industry"], ascending=[False, True]).head(KEY)
    else:
        chosen = sums.iloc[:0]
    if not change_told:
        chosen = chosen.assign(earlier=float("nan"), growth=float("nan"))
    return chosen.sort_values(["share", "industry"], ascending=[False, True]).reset_index(drop=True)


def key_revenue(stored: Tables, customers: pd.DataFrame, shares: pd.DataFrame, horizon: Horizon) -> pd.Series | None:
    """What the key industries brought in each closed month of the plan year (CUS-5): month -> minor units; None without any."""
    if shares.empty:
        return None
    if not horizon.closed:
        return pd.Series(dtype="int64")
    key = customers.loc[customers["industry"].isin(shares["industry"]), "customer"]
    found = stored.orders(["customer", "month"], since=horizon.closed[0], until=horizon.closed[-1])
    sums = found[found["customer"].isin(key)].groupby("month")[AMOUNT].sum()
    return sums.reindex(horizon.closed, fill_value=0)


def opened(stored: Tables, customers: pd.DataFrame, coverage: Coverage, horizon: Horizon) -> Cities:
    """Cities whose first order is known to be one (CUS-5): the twelve months before it are covered.

    A first year counts where its months are covered too; it starts on the day of the city's first order.
    """
    first = customers[customers["city"] != "unknown"].groupby("city")["first"].min()
    whole = {
        city: coverage.window(city, span_of(periods.step(month, -len(horizon.months)), periods.step(month, -1))).whole
        for city, month in horizon.calendar.of(first).items()
    }
    first = first[[whole[city] for city in first.index]]
    if first.empty:
        return Cities(None, 0, 0)
    everyone = stored.orders(["customer"])[["customer"]]
    city = everyone["customer"].map(customers.set_index("customer")["city"]).fillna("unknown")
    until = horizon.until
    sold = stored.orders(["city", "day"], until=until, groups=everyone.assign(city=city))
    sold = sold[sold["city"].isin(first.index)].assign(since=lambda frame: frame["city"].map(first))
    ends = first + pd.DateOffset(years=1) - pd.DateOffset(days=1)
    month_of = horizon.calendar.of(first)
    told = [
        end <= pd.Timestamp(horizon.as_of)
        and coverage.window(name, span_of(month_of[name], horizon.calendar.at(end.date()))).whole
        for name, end in ends.items()
    ]
    year = sold[sold["city"].isin(first.index[told]) & (sold["day"] < sold["since"] + pd.DateOffset(years=1))]
    fresh = first.index[horizon.calendar.of(first).isin(horizon.closed)]
    brought = int(sold.loc[sold["city"].isin(fresh), AMOUNT].sum())
    return Cities(round(int(year[AMOUNT].sum()) / sum(told)) if any(told) else None, len(fresh), brought)


def open_quarters(horizon: Horizon, plan: pd.DataFrame) -> list[int]:
    """The quarters of the plan year, 0 to 3, in which a city can still be opened (CUS-5): not closed, and with planned sales.

    plan: month, amount.
    """
    sold = tables.rollup(plan, ["month"]).set_index("month")[AMOUNT]
    still = [place for place, names in enumerate(horizon.quarters) if set(names) & set(horizon.open)]
    return [place for place in still if sold.reindex(horizon.quarters[place]).sum() > 0]


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
        size = (gdp * free).reindex(sorted({*size.index, *parameters.candidate_cities}))
    named = {region: [city for city in names if city not in taken] for region, names in parameters.candidate_cities.items()}
    size = size.reindex(sorted({*size.index, *named})).fillna(0.0)
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


def key_path(horizon: Horizon, parameters: Parameters) -> dict[str, float]:
    """The share of key industries by month (CUS-5): even steps by quarter from `key_share_from` to `key_share_to`."""
    start, end = parameters.key_share_from, parameters.key_share_to
    return {month: start + (end - start) * int(name[1:]) / 4 for month, name in horizon.quarter_of.items()}


def floors(
    plan: pd.DataFrame,
    shares: pd.DataFrame,
    came: pd.Series | None,
    cities: Cities,
    found: Ground,
    horizon: Horizon,
    parameters: Parameters,
) -> dict[str, int]:
    """What new customers must bring at least in the year, by reason (CUS-5): name of the rule -> minor units.

    plan: month, amount. Key industries: their share of each open month on its path (`key_path`) and `came` of the closed ones
    (month -> minor units), less what their share of the retained base brings. New cities: `cities_per_quarter` in each open
    quarter, each its first year's revenue for the part of the year that is left in mid-quarter; those opened in closed months
    bring what they brought, and a first year's revenue for the rest of the year.
    """
    kept = found.base * stays(found, parameters)
    rules = {}
    if came is not None:
        month, path = tables.rollup(plan, ["month"]).set_index("month")[AMOUNT], key_path(horizon, parameters)
        asked = int(came.sum()) + sum(path[name] * int(month.get(name, 0)) for name in horizon.open)
        rules["key industries reach their share"] = max(0, round(asked - float(shares["share"].sum()) * kept))
    if cities.first_year is not None and parameters.cities_per_quarter:
        left = sum(1 - (quarter + 0.5) / 4 for quarter in open_quarters(horizon, plan))
        later = cities.this_year * len(horizon.open) / len(horizon.months)
        asked = cities.brought + (parameters.cities_per_quarter * left + later) * cities.first_year
        rules["new cities open every quarter"] = max(0, round(asked))
    return rules


def limit_each(customers: pd.DataFrame, parameters: Parameters, recent_told: bool = True) -> int | None:
    """What winning a customer may cost, minor units (CUS-5).

    `acquisition_cost` of what a buyer brought in the last twelve months; None where nobody bought in them, or they are not
    known in full.
    """
    buyers = customers[customers["recent_orders"] > 0]
    if buyers.empty or not recent_told:
        return None
    return max(0, round(parameters.acquisition_cost * int(buyers["recent"].sum()) / len(buyers)))


def targets(
    plan: pd.DataFrame,
    steps: Bridge | None,
    found: Ground,
    customers: pd.DataFrame,
    cities: list[list[str]],
    came: pd.Series | None,
    limit: int | None,
    horizon: Horizon,
    parameters: Parameters,
) -> pd.DataFrame:
    """New-customer targets by quarter (CUS-5, CUS-6).

    plan: plan table with months and segments; its New customers are `new_revenue`, so that closed quarters have what came and
    the year what the plan gives them. came: month -> revenue of the key industries in closed months, None without any; limit:
    see `limit_each`. Over what a customer won last year brought, New is how many are asked for; closed quarters have the
    customers they won, open ones share the rest by the plan's season.
    Returns quarter, customers, won_so_far, new_revenue, key_share (closed: as it came; open: its path; missing without key
    industries), most_cost (of winning the quarter's customers), cities; what is not known is missing. Empty without a bridge.
    """
    if steps is None:
        return pd.DataFrame({"customers": []})
    quarter = horizon.quarter_of
    names = sorted(set(quarter.values()))

    def by_quarter(table: pd.DataFrame) -> pd.Series:
        return table.groupby(table["month"].map(quarter))[AMOUNT].sum().reindex(names, fill_value=0)

    season, new = by_quarter(plan), by_quarter(plan[plan["segment"] == "New"])
    closed = [name for name in names if all(month in horizon.closed for month in quarter if quarter[month] == name)]
    won = horizon.calendar.of(customers["first"]).map(quarter).value_counts().reindex(names).fillna(0).astype("int64")
    asked: list[int | None] = [int(won[name]) if name in closed else None for name in names]
    money = int(new.sum())
    if len(closed) < len(names) and (found.each or (found.won is not None and money <= 0)):
        # Money to come is never from nobody, however little it is beside what one customer brings.
        need = max(1, round(money / found.each)) if found.each and money > 0 else 0
        rest = max(0, need - int(won[closed].sum()))
        ahead = largest_remainder(rest, season.clip(lower=0).where(~season.index.isin(closed), 0))
        asked = [int(ahead[place]) if number is None else number for place, number in enumerate(asked)]
    path = key_path(horizon, parameters)
    share = {name: path[month] if came is not None and season[name] > 0 else float("nan") for month, name in quarter.items()}
    named = dict(zip([names[place] for place in open_quarters(horizon, plan)], cities, strict=False))
    for name in closed:
        key = None if came is None else int(came[[month for month in quarter if quarter[month] == name]].sum())
        share[name] = key / int(season[name]) if key is not None and season[name] > 0 else float("nan")
    return pd.DataFrame(
        {
            "quarter": names,
            "customers": asked if None not in asked else pd.Series(asked, dtype=float),
            "won_so_far": won.to_numpy(),
            "new_revenue": new.to_numpy(),
            "key_share": [share[name] for name in names],
            "most_cost": pd.Series([None if limit is None or n is None else n * limit for n in asked], dtype=float),
            "cities": [_told(named.get(name, [])) for name in names],
        }
    )


def _told(cities: list[str]) -> str:
    """Cities by name, and those still to be chosen counted by region: "Ulm, two in Bavaria, one in Hesse"."""
    count = Counter(cities)
    words = dict(enumerate(("two", "three", "four", "five", "six", "seven", "eight", "nine"), start=2))
    return ", ".join(f"{words.get(n, n)}{name.removeprefix('one')}" if n > 1 else name for name, n in count.items())


def won_in(customers: pd.DataFrame, months: list[str], calendar: Calendar = MONTHS) -> int:
    """How many customers placed their first order in these months (CUS-5)."""
    return int(calendar.of(customers["first"]).isin(months).sum())


def costs(
    marketing: pd.DataFrame | None, customers: pd.DataFrame, limit: int | None, horizon: Horizon, seen: Known
) -> pd.DataFrame:
    """What winning a customer costs (CUS-5): activity, acquisition_spend, new_customers, cost_each, cost_limit, verdict.

    `limit`: see `limit_each`. `marketing` with new_customers: an activity's spend over the customers it won; without, all spend
    over the customers with a first order; both in those of the last twelve months that the table has. The cost is missing where
    who is new cannot be told.
    """
    columns = ["activity", "acquisition_spend", "new_customers", "cost_each", "cost_limit", "verdict"]
    if marketing is None or customers.empty:
        return pd.DataFrame(columns=columns)
    span = Coverage.of_events(marketing["month"], horizon.until).window("marketing", horizon.last_twelve).known
    recent = marketing[marketing["month"].isin(span)]
    if recent.empty:
        return pd.DataFrame(columns=columns)
    if "new_customers" in recent:
        table = (
            recent.groupby("activity")
            .agg(acquisition_spend=("spend", "sum"), new_customers=("new_customers", "sum"))
            .reset_index()
        )
    else:
        told = seen.coverage.looks_back(seen.coverage.window("marketing", span)) and set(span) <= set(seen.recent.known)
        won = float(won_in(customers, list(span), horizon.calendar)) if told else float("nan")
        spend = int(recent["spend"].sum())
        table = pd.DataFrame({"activity": ["all"], "acquisition_spend": [spend], "new_customers": [won]})
    table["new_customers"] = table["new_customers"].round()
    table["cost_each"] = ratio(table["acquisition_spend"], table["new_customers"]).round()
    table["cost_limit"] = float("nan") if limit is None else limit
    table["verdict"] = [_verdict(row) for row in table.itertuples()]
    return table.sort_values(["cost_each", "activity"], ignore_index=True)[columns]


def _verdict(row: Any) -> str:
    if pd.isna(row.cost_limit) or pd.isna(row.new_customers):
        return "not known"
    if not row.new_customers:
        return "won nobody" if row.acquisition_spend else "no spend"
    return "over the limit" if row.cost_each > row.cost_limit else "within"
