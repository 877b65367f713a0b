"""Key result areas: where money moves most, the bottleneck of the funnel, what one unit of improvement is worth (MET-5)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib import periods
from planlib.chapters.base_year import NAME
from planlib.chapters.members import refuse
from planlib.chapters.strategy.measures import FUNNEL, count
from planlib.estimates.windows import Coverage, first_months, span_of
from planlib.periods import Horizon
from planlib.plan import AMOUNT, EVERYTHING

LEVERS = ["source", "metric", "unit", "per_unit", "from", "to", "gain"]


@dataclass(frozen=True)
class Customers:
    """Who bought last year: `active` customers, their `revenue`; of them `won` (first order) and `won_revenue` (minor units).

    revenue is carried to twelve months where a part of last year is known. by_channel: channel, customers (won). All None where
    orders name no customers, or only one (`alone`); what was won is None too where the orders do not reach back far enough to
    tell who is new.
    """

    active: int | None = None
    revenue: int | None = None
    won: int | None = None
    won_revenue: int | None = None
    by_channel: pd.DataFrame | None = None
    alone: bool = False


def bought(first: pd.DataFrame, orders: pd.DataFrame, horizon: Horizon, coverage: Coverage) -> Customers:
    """Last year's customers, and those won in it (MET-5).

    `first`: customer, first (day of the first order, up to the plan year); `orders`: customer, channel, amount of last year;
    `coverage`: the months that orders know. Who is new is told where these include the twelve months before last year.
    """
    window = coverage.window(NAME, horizon.last_year)
    if orders["customer"].nunique() < 2 or not window.known:
        named = set(orders["customer"]) - {EVERYTHING}
        return Customers(alone=len(named) == 1)
    revenue = round(int(orders[AMOUNT].sum()) / window.part)
    if not window.whole or not coverage.looks_back(window):
        return Customers(int(orders["customer"].nunique()), revenue)
    span = horizon.calendar.of(pd.to_datetime(first["first"])).isin(horizon.last_year)
    won = set(first.loc[span, "customer"])
    by = orders[orders["customer"].isin(won)]
    main = by.sort_values([AMOUNT, "channel"], ascending=[False, True]).drop_duplicates("customer")
    channels = main.groupby("channel")["customer"].nunique().rename("customers").reset_index()
    return Customers(int(orders["customer"].nunique()), revenue, len(won), int(by[AMOUNT].sum()), channels)


def launched(products: pd.DataFrame, horizon: Horizon) -> tuple[int, int | None]:
    """Launches the orders show, and what one brought in its first twelve months on average, minor units (MET-5).

    `products`: product, month, amount, up to as_of. A product that sold within a year of the first order was there before. One
    that is younger than twelve months counts with its months brought to a year; younger than three, not at all.
    """
    first = first_months(products, "product")
    coverage = Coverage.of(products["month"], horizon.until)
    if first.empty or coverage.first is None:
        return 0, None
    start = periods.step(coverage.first, periods.per_year(coverage.first))
    brought = []
    for product, month in first[first >= start].items():
        year = coverage.window("first year", span_of(month, periods.step(month, periods.per_year(month) - 1)))
        if len(year.known) >= 3:
            carried = year.scaled(products[products["product"] == product].groupby("month")[AMOUNT].sum())
            brought.append(float(carried or 0.0))
    return len(brought), round(float(np.mean(brought))) if brought else None


def levers(
    goals: pd.DataFrame,
    amount: int,
    momentum: int,
    last_year: int,
    rates: pd.DataFrame,
    kpis: pd.DataFrame | None,
    customers: Customers,
    launch: int | None,
    benchmarks: Mapping[str, float],
    horizon: Horizon,
) -> pd.DataFrame:
    """Every lever on the year's revenue: what one unit is worth, and what reaching its target adds to momentum (MET-5, STR-5).

    Parameters: goals, see `targets`; amount, momentum, last_year in minor units; rates, see `funnel`; launch, what one brings
    in a year; benchmarks, step (as a kpi, such as `wins`): rate to reach, else the best of the last three years.
    Returns source, metric (the target it serves), unit, per_unit (minor units), from, to (in the unit's measure), gain (minor
    units, at least 0). Funnel arithmetic: a win is worth last year's revenue of won customers / wins; a point of a step's rate
    moves wins, and so their revenue, by .01 / rate. Revenue of all orders stands for it where orders name no customers; where
    they do and who is new cannot be told, neither can these, nor a step that let nothing through.
    """
    asked = goals.set_index("metric")
    pace = momentum / last_year if last_year > 0 else 1.0
    rows: list[tuple[str, str, str, float, float, float, float]] = []

    def goal(metric: str, name: str) -> float | None:
        value = float(asked.loc[metric, name]) if metric in asked.index else float("nan")
        return None if value != value else value

    was, now = goal("Revenue from new markets", "baseline"), goal("Revenue from new markets", "value")
    if was is not None and now is not None:
        rows.append(
            (
                "new markets",
                "Revenue from new markets",
                "1 point of share",
                amount / 100,
                was,
                now,
                now * amount - was * momentum,
            )
        )
    was, now = goal("Repurchase rate", "baseline"), goal("Repurchase rate", "value")
    if was is not None and now is not None and customers.active and customers.revenue:
        # One more returning customer of a hundred brings what a customer spends in a year.
        point = customers.revenue / 100
        rows.append(("repurchase", "Repurchase rate", "1 point", point, was, now, (now - was) * 100 * point))
    base = customers.won_revenue if customers.active else last_year
    leads, known = count(kpis, "valid_leads", horizon)
    leads_of_year = known.window(NAME, horizon.last_year).scaled(leads)
    was, now = goal("New valid leads a year", "baseline"), goal("New valid leads a year", "value")
    if was is not None and now is not None and leads_of_year and base:
        lead = base / leads_of_year
        rows.append(("valid leads", "New valid leads a year", "1 valid lead", lead, was, now, (now - was * pace) * lead))
    now = goal("Product launches", "value")
    if launch and now:
        # Launches spread over the year: each sells for half of it on average.
        rows.append(("launches", "Product launches", "1 launch", launch / 2, 0.0, now, now * launch / 2))
    for step in bottleneck(rates, benchmarks).itertuples(index=False):
        if not step.rate > 0 or not base:
            continue
        point = base * pace / (step.rate * 100)
        gain = max(step.reference - step.rate, 0) * 100 * point
        rows.append((f"conversion: {step.step}", "New valid leads a year", "1 point", point, step.rate, step.reference, gain))
    frame = pd.DataFrame(rows, columns=LEVERS)
    for name in ("per_unit", "gain"):
        frame[name] = frame[name].astype("float64").clip(lower=0).round().astype("int64")
    return frame.sort_values(["gain", "source"], ascending=[False, True]).reset_index(drop=True)


def bottleneck(rates: pd.DataFrame, benchmarks: Mapping[str, float]) -> pd.DataFrame:
    """Each funnel step against its benchmark, or else its own best year, the weakest first (MET-5).

    `rates`: see `funnel`. Returns step, rate (last twelve months), reference, source, shortfall (share of the reference
    missing: what wins would rise by is reference / rate - 1). Raises ParameterError for a benchmark of a step that is none.
    """
    refuse("benchmarks", benchmarks, FUNNEL[1:], "step of the funnel")
    own = [name for name in rates.columns if name not in ("step", "last_twelve_months")]
    rows = []
    for row in rates.to_dict("records"):
        kpi = str(row["step"]).partition(" from ")[0].replace(" ", "_")
        past = [row[name] for name in own if row[name] == row[name]]
        rate = row["last_twelve_months"]
        if rate != rate:
            continue
        reference = benchmarks.get(kpi, max(past, default=rate))
        source = "benchmark" if kpi in benchmarks else "own best year"
        rows.append((row["step"], rate, reference, source, round(1 - rate / reference, 9) if reference > 0 else 0.0))
    frame = pd.DataFrame(rows, columns=["step", "rate", "reference", "source", "shortfall"])
    return frame.sort_values(["shortfall", "step"], ascending=[False, True]).reset_index(drop=True)


def key_areas(levers: pd.DataFrame, pareto: float, most: int, least: int = 3) -> pd.DataFrame:
    """The areas that together make up `pareto` of the impact, at least `least` and at most `most` (MET-5).

    `levers`: see there. Returns area, metric, gain, share (of all gains), cumulative, unit, per_unit; largest gain first.
    """
    frame = levers[levers["gain"] > 0].rename(columns={"source": "area"}).reset_index(drop=True)
    total = int(frame["gain"].sum())
    frame["share"] = frame["gain"] / total if total else 0.0
    frame["cumulative"] = frame["share"].cumsum().round(9)
    enough = int((frame["cumulative"] < pareto - 1e-9).sum()) + 1
    return frame.head(min(max(enough, least), most))[["area", "metric", "gain", "share", "cumulative", "unit", "per_unit"]]


def reviews(areas: pd.DataFrame, goals: pd.DataFrame, horizon: Horizon, days: int) -> pd.DataFrame:
    """When each key area is reviewed: after every quarter that is still open, with what it must have brought by then (MET-5).

    The gain is due in equal parts over the open quarters, summed to the minor unit. `days` after a quarter's end is the day.
    Returns date, area, expected (minor units, up to then), owner.
    """
    owners = goals.set_index("metric")["owner"]
    ends = [names[-1] for names in horizon.quarters if names[-1] not in horizon.closed]
    rows = []
    for place, month in enumerate(ends, start=1):
        day = horizon.calendar.last(month) + pd.Timedelta(days=days)
        for row in areas.itertuples(index=False):
            rows.append((f"{day:%Y-%m-%d}", row.area, row.gain * place // len(ends), owners.get(row.metric, "")))
    frame = pd.DataFrame(rows, columns=["date", "area", "expected", "owner"])
    return frame.astype({"expected": "int64"})


def priced(rules: pd.DataFrame | None) -> pd.DataFrame:
    """Leverage that the plan in force itself has priced: its binding limits on shares and growth, dearest first (MET-5).

    `rules`: chapter, rule, binds, price (minor units), per (the unit it is told for). Returns chapter, rule, per_unit (minor
    units of distance from the drivers, or of profit where that is the plan's aim, per point); empty without a plan in force.
    """
    columns = ["chapter", "rule", "per_unit"]
    if rules is None or rules.empty:
        return pd.DataFrame(columns=columns)
    kept = rules[rules["binds"].astype(bool) & (rules["price"].round(6) > 0) & (rules["per"] == "point")]
    kept = kept.assign(per_unit=kept["price"].round().astype("int64"))
    return kept.sort_values(["per_unit", "rule"], ascending=[False, True])[columns].reset_index(drop=True)
