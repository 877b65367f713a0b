"""The grounds of the target: market, rivals, marketing and own capacity (STR-4)."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from planlib import plan as tables
from planlib.chapters import base_year
from planlib.chapters.base_year import NAME
from planlib.chapters.members import strays
from planlib.chapters.strategy.measures import level, years
from planlib.chapters.strategy.parameters import Driver
from planlib.estimates.response import fit_attributed
from planlib.estimates.windows import Coverage, Window, growth
from planlib.periods import Horizon
from planlib.plan import AMOUNT

SWOT = ("strength", "weakness", "opportunity", "threat")


def market(
    kpis: pd.DataFrame | None,
    orders: pd.DataFrame,
    horizon: Horizon,
    drivers: Mapping[str, Driver],
    target: int,
    last_year: int | None = None,
) -> pd.DataFrame:
    """Industry growth beside the company's, three years and the plan year, with the share of the market that follows (STR-4).

    Parameters: kpis, month, kpi (industry_growth, market_share), value; orders, month, amount (minor units); drivers, the
    policies and technologies the company states, each with its effect on a year's growth; target, minor units; last_year,
    the base year's amount where a part of it is expected (minor units).
    Returns year, industry_growth, company_growth, market_share, drivers (text). The plan year's industry growth is the compound
    rate (CAGR) of the years before plus the drivers; its share of the market is last year's times
    (1 + company) / (1 + industry). A year's growth is missing where it or the year before is not known in full; the plan
    year's is over last year, carried to twelve months where a part of it is known. Empty without industry growth.
    """
    columns = ["year", "industry_growth", "company_growth", "market_share", "drivers"]
    rates = _yearly(kpis, "industry_growth", horizon)
    if not rates:
        return pd.DataFrame(columns=columns)
    share = _yearly(kpis, "market_share", horizon)
    sales = orders.groupby("month")[AMOUNT].sum()
    regions = [name for name in ("region",) if name in orders]
    coverage = Coverage.of(orders["month"], horizon.until)
    windows = {year: coverage.window(year, names) for year, names in years(horizon, 4).items()}
    rows: list[tuple[object, ...]] = []
    for year in years(horizon):
        company = growth(sales, windows[year], windows[str(int(year) - 1)])
        rows.append((year, rates.get(year), company, share.get(year), ""))
    cagr = math.prod(1 + value for value in rates.values()) ** (1 / len(rates)) - 1
    industry = cagr + sum(driver.effect for driver in drivers.values())
    last = windows[str(horizon.year - 1)]
    if last_year is not None:
        before = last_year
    else:
        before = int(base_year.by_month(orders[[*regions, "month", AMOUNT]], last).sum()) if last.known else 0
    company = target / before - 1 if before > 0 else None
    held = share.get(str(horizon.year - 1))
    implied = None if held is None or company is None else held * (1 + company) / (1 + industry)
    told = "; ".join(f"{name} ({driver.kind}, {driver.effect:+.1%})" for name, driver in sorted(drivers.items()))
    rows.append((f"{horizon.year} target", industry, company, implied, told or "none stated"))
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype(dict.fromkeys(columns[1:4], "float64")).round(9)


def rivals(table: pd.DataFrame | None, band: float) -> pd.DataFrame:
    """Each competitor's share, price position and coverage gap, with its SWOT summed (STR-4).

    `table`: rival, share, price_index (1 = our prices), coverage (share of the market it reaches), and strength, weakness,
    opportunity, threat (0-5, ours against this rival). `band`: prices this near to ours count as level.
    Returns rival, share, price_position, uncovered (share the rival does not reach), the four scores, swot (strength - weakness
    + opportunity - threat), stance (attack, hold or watch; "" where a score is not known), largest share first.
    """
    columns = ["rival", "share", "price_position", "uncovered", *SWOT, "swot", "stance"]
    if table is None:
        return pd.DataFrame(columns=columns)
    frame = table.copy()
    for name in ("share", "price_index", "coverage", *SWOT):
        if name not in frame:
            frame[name] = math.nan
    distance = (frame["price_index"] - 1).round(9)
    frame["price_position"] = ["" if d != d else "level" if abs(d) <= band else f"{d:+.0%}" for d in distance]
    frame["uncovered"] = 1 - frame["coverage"]
    frame["swot"] = frame["strength"] - frame["weakness"] + frame["opportunity"] - frame["threat"]
    # Ahead in both halves: attack; behind in both: watch; else hold what we have.
    inside, outside = frame["strength"] - frame["weakness"], frame["opportunity"] - frame["threat"]
    both = zip(inside, outside, strict=True)
    frame["stance"] = [_stance(i, o) for i, o in both]
    return frame.sort_values(["share", "rival"], ascending=[False, True])[columns].reset_index(drop=True)


def _stance(inside: float, outside: float) -> str:
    if inside != inside or outside != outside:
        return ""
    return "attack" if inside > 0 and outside > 0 else "watch" if inside < 0 and outside < 0 else "hold"


def activities(
    marketing: pd.DataFrame | None, horizon: Horizon, won: int | None = None, confidence: float = 0.8
) -> pd.DataFrame:
    """What each marketing activity cost and returned last year, and what a new customer cost (STR-4).

    `marketing`: month, activity, spend and, where known, revenue, new_customers, channel; the three years before as_of count.
    `won`: new customers of last year in orders, for the company's acquisition cost, which is told where all of last year's
    spend is known. A return never stands without its interval (`confidence`): without revenue it is left out, not guessed.
    Returns activity, channel, spend, revenue (minor units), return_ (text), acquisition_cost (minor units), largest spend
    first, the sum last; empty without marketing.
    """
    columns = ["activity", "channel", "spend", "revenue", "return_", "acquisition_cost"]
    if marketing is None:
        return pd.DataFrame(columns=columns)
    span = [month for names in years(horizon).values() for month in names]
    known = marketing[marketing["month"].isin(span)]
    last = known[known["month"].isin(horizon.last_year)]
    if last.empty:
        return pd.DataFrame(columns=columns)
    counted = [name for name in ("spend", "revenue", "new_customers") if name in last]
    frame = last.groupby("activity")[counted].sum().reset_index()
    if "channel" in last:
        of = last.groupby("activity")["channel"].agg(lambda names: ", ".join(sorted(set(names.dropna()))))
        frame["channel"] = frame["activity"].map(of)
    if "revenue" in frame:
        asked = known[["month", "activity", "spend", "revenue"]]
        told = fit_attributed(asked, year=horizon.last_year, level=confidence).curves.set_index("item")
        frame["return_"] = frame["activity"].map(told["return_"])
    frame = frame.sort_values(["spend", "activity"], ascending=[False, True])
    total = {"activity": "all", **{name: frame[name].sum() for name in counted}}
    if "new_customers" not in frame and won and spent_in(marketing, horizon).whole:
        total["new_customers"] = won
    frame = pd.concat([frame, pd.DataFrame([total])], ignore_index=True)
    if "new_customers" in frame:
        frame["acquisition_cost"] = tables.ratio(frame["spend"], frame["new_customers"])
    frame = frame.reindex(columns=columns)
    for name, blank in (("channel", ""), ("return_", "–")):
        frame[name] = [value if isinstance(value, str) else blank for value in frame[name]]
    return frame


def by_channel(marketing: pd.DataFrame | None, won: pd.DataFrame | None, horizon: Horizon) -> pd.DataFrame:
    """What a new customer cost last year by channel (STR-4): channel, spend, customers_won, acquisition_cost (minor units).

    `marketing`: month, channel, spend; `won`: channel, customers (first orders of last year). Empty where either is missing, or
    where the spend of a part of last year is not known.
    """
    columns = ["channel", "spend", "customers_won", "acquisition_cost"]
    if marketing is None or "channel" not in marketing or won is None or won.empty or not spent_in(marketing, horizon).whole:
        return pd.DataFrame(columns=columns)
    last = marketing[marketing["month"].isin(horizon.last_year)]
    frame = won.rename(columns={"customers": "customers_won"}).copy()
    frame["spend"] = frame["channel"].map(last.groupby("channel")["spend"].sum())
    frame = frame.dropna(subset="spend")
    frame["acquisition_cost"] = tables.ratio(frame["spend"], frame["customers_won"])
    return frame.sort_values(["spend", "channel"], ascending=[False, True])[columns].reset_index(drop=True)


def spent_in(marketing: pd.DataFrame, horizon: Horizon) -> Window:
    """Last year's months, and for which of them marketing spend is known. `marketing`: month."""
    return Coverage.of_events(marketing["month"], horizon.until).window(NAME, horizon.last_year)


def spent_last_year(marketing: pd.DataFrame, horizon: Horizon) -> int | None:
    """Last year's marketing spend (minor units), carried to twelve months where a part is known; None where nothing is."""
    carried = spent_in(marketing, horizon).scaled(marketing.groupby("month")["spend"].sum())
    return None if carried is None else round(carried)


def capacity(
    target: int,
    last_year: int,
    horizon: Horizon,
    staff: pd.DataFrame | None,
    products: pd.DataFrame,
    channels: pd.DataFrame | None,
    names: Sequence[str],
    marketing: pd.DataFrame | None,
    ratio: float,
    productivity: float,
) -> pd.DataFrame:
    """Own capacity beside what the target asks for: team, channels, funds, products (STR-4).

    Parameters: target, last_year (minor units); staff, hired and left; products, product, month and amount of all orders;
    channels, capacity (minor units a year); names, the channels of the orders; marketing, month and spend; ratio, the most
    marketing may cost of revenue; productivity, the rise of revenue per head that is counted on.
    Returns target ("Company"), resource, required, available, lack (0 or more), reason; money in minor units; rows that no
    table tells are left out: channels unless the capacity of each that sells is known, products unless last year is.
    """
    rows: list[tuple[str, float, float, str]] = []
    heads = 0 if staff is None else len(present(staff, horizon))
    if heads and last_year > 0:
        need = heads_needed(heads, last_year, target, productivity)
        rows.append(("people", need, heads, f"{target / last_year - 1:+.0%} revenue, {productivity:+.0%} a head"))
    if channels is not None and "capacity" in channels and not without_capacity(channels, names):
        room = int(channels.loc[channels["channel"].isin(names), "capacity"].sum())
        rows.append(("channel capacity", target, room, "what the channels that sell can carry in a year"))
    spent = None if marketing is None else spent_last_year(marketing, horizon)
    if spent is not None and last_year > 0:
        need = round(spent * target / last_year)
        reason = "at the cost ratio of last year; chapter 07 grows it by `marketing_per_growth`; limit of the ratio"
        rows.append(("marketing money", need, round(target * ratio), reason))
    sold = products[products[AMOUNT] > 0]
    if Coverage.of(sold["month"], horizon.until).window(NAME, horizon.last_year).whole:
        before, selling = (
            sold.loc[sold["month"].isin(span), "product"].nunique() for span in (horizon.last_year, horizon.last_twelve)
        )
        rows.append(("products", before, selling, "on sale last year; in the last twelve months"))
    told = [("Company", what, need, have, max(need - have, 0), reason) for what, need, have, reason in rows]
    return pd.DataFrame(told, columns=["target", "resource", "required", "available", "lack", "reason"])


def without_capacity(channels: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """The channels of the orders whose capacity the table does not know, sorted."""
    return strays(names, channels.loc[channels["capacity"].notna(), "channel"])


def heads_needed(heads: int, last_year: int, target: int, productivity: float) -> int:
    """People that a target asks for when each brings `productivity` more than they did last year (MET-4)."""
    return math.ceil(round(heads * target / last_year / (1 + productivity), 9))


def present(staff: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
    """The people employed at as_of."""
    day = pd.Timestamp(horizon.as_of)
    left = pd.to_datetime(staff["left"]) if "left" in staff else pd.Series(pd.NaT, index=staff.index)
    return staff[(pd.to_datetime(staff["hired"]) <= day) & (left.isna() | (left > day))].reset_index(drop=True)


def _yearly(kpis: pd.DataFrame | None, name: str, horizon: Horizon) -> dict[str, float]:
    """Mean of a rate in each of the three years before the plan year that tell it."""
    told = level(kpis, name)
    means = {} if told is None else {year: told[told.index.isin(names)].mean() for year, names in years(horizon).items()}
    return {year: float(mean) for year, mean in means.items() if pd.notna(mean)}
