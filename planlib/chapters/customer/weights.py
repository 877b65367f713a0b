"""Which group gets how much: shares of the past, what customers still promise, months, and the bridge, as drivers (CUS-6)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd

from planlib import drivers, periods
from planlib import plan as tables
from planlib.chapters.customer.bridge import Bridge
from planlib.chapters.customer.followed import followed
from planlib.chapters.customer.known import Known
from planlib.chapters.customer.parameters import Parameters
from planlib.chapters.customer.profile import groups
from planlib.chapters.members import refuse
from planlib.data.sources import Tables
from planlib.estimates.evidence import UNTESTED, Evidence
from planlib.estimates.shares import Expected, expected
from planlib.estimates.windows import Window
from planlib.periods import Horizon
from planlib.plan import AMOUNT

CELLS = ["region", "product", "channel"]
KEYS = [*CELLS, "month", "segment"]
KINDS: dict[str, drivers.Kind] = {"lifetime": "claim", "bridge": "decision"}
STATED = Evidence(why="its limits are stated for this plan")


def past(
    stored: Tables, horizon: Horizon, everyone: pd.DataFrame, now: pd.DataFrame, seen: Known, parameters: Parameters
) -> pd.DataFrame:
    """Orders by group, each year's by the groups at its start (CUS-1): region, product, channel, segment, month, amount, year.

    The plan year's closed months, last year, and the years before it at whose start who is new could be told. Where last
    year's start cannot tell it, `now`, today's groups (customer, segment), stand for last year's. year: 0 is the plan year.
    """
    parts, back = [], 0
    while back < 2 or (seen.won and seen.coverage.looks_back(_year(seen, horizon, back))):
        months = horizon.year_of(horizon.year - back)
        start, until = months[0], min(months[-1], horizon.until)
        if back == 0 or (back == 1 and not seen.won):
            grouped = now
        else:
            day = horizon.calendar.first(start)
            grouped = groups(stored.customers(until=f"{day - timedelta(days=1)}"), everyone, day, parameters, seen.groups)
        if start <= until:
            sums = stored.orders([*CELLS, "segment", "month"], since=start, until=until, groups=grouped)
            parts.append(sums.assign(year=back))
        back += 1
    return pd.concat(parts, ignore_index=True)[[*CELLS, "segment", "month", AMOUNT, "year"]]


def _year(seen: Known, horizon: Horizon, back: int) -> Window:
    """The year that lies `back` years before the plan year."""
    return seen.coverage.window("a year", horizon.year_of(horizon.year - back))


def _places(history: pd.DataFrame, horizon: Horizon) -> np.ndarray:
    """Each row's month as a place in the plan year, from 0 on."""
    at, names = pd.factorize(history["month"])
    places = [periods.between(horizon.months[0], name) % len(horizon.months) for name in names]
    return np.array(places, dtype=int)[at]


def months_of_groups(history: pd.DataFrame, horizon: Horizon, seen: Known) -> pd.DataFrame:
    """How a group's share of a month stands to its share of its year (CUS-1): segment, place (in the year, from 0), factor.

    A group has a season: who is New is few in the first month and many in the last. history: see `past`; whole years before
    the plan year count, as what a group brought in a month over what it would have at its year's share. The factor is drawn
    toward 1 by how much chance there is in it: the variance of a share over as many equal sales as the month's cells come to,
    against how much the months differ (empirical Bayes). No rows where no such year is known.
    """
    columns = ["segment", "place", "factor"]
    if not seen.won:
        return pd.DataFrame(columns=columns)
    count = len(horizon.months)
    table = history.assign(place=_places(history, horizon), amount=history[AMOUNT].clip(lower=0).astype(float))
    table = table[table["year"].isin([year for year in set(table["year"]) if year and _year(seen, horizon, year).whole])]
    names = sorted(set(table["segment"]))
    seen_, meant, spread = (np.zeros((len(names), count)) for _ in range(3))
    squares = (table[AMOUNT] ** 2).groupby(table["place"]).sum().reindex(range(count)).fillna(0.0).to_numpy()
    for _, rows in table.groupby("year", sort=True):
        sold = rows.pivot_table(index="segment", columns="place", values=AMOUNT, aggfunc="sum", fill_value=0.0)
        sold = sold.reindex(index=names, columns=range(count)).fillna(0.0).to_numpy()
        share = sold.sum(axis=1) / max(1.0, float(sold.sum()))
        seen_ += sold
        meant += share[:, None] * sold.sum(axis=0)[None, :]
    total = seen_.sum(axis=0)
    sales = np.where(squares > 0, total**2 / np.where(squares > 0, squares, 1.0), 1.0)
    ratio = np.divide(seen_, meant, out=np.ones_like(seen_), where=meant > 0)
    share = np.divide(meant, total[None, :], out=np.zeros_like(meant), where=total[None, :] > 0)
    spread = np.divide(np.clip(1 - share, 0, 1), np.where(share > 0, share, 1.0) * sales[None, :])
    weight = np.divide(
        meant, meant.sum(axis=1, keepdims=True), out=np.zeros_like(meant), where=meant.sum(axis=1, keepdims=True) > 0
    )
    differ = np.maximum(0.0, (weight * ((ratio - 1) ** 2 - spread)).sum(axis=1, keepdims=True))
    trust = np.divide(differ, differ + spread, out=np.zeros_like(spread), where=differ + spread > 0)
    factor = 1 + trust * (ratio - 1)
    frame = pd.DataFrame(factor.round(9), index=pd.Index(names, name="segment"), columns=pd.RangeIndex(count, name="place"))
    return frame.stack().rename("factor").reset_index()[columns]


def outlook(
    history: pd.DataFrame, own_months: pd.DataFrame, horizon: Horizon, within: Sequence[str] = tuple(CELLS)
) -> Expected:
    """Expected shares of the groups within region, product and channel (CUS-1), freed of the groups' own months.

    history: see `past`; own_months: see `months_of_groups`.
    """
    factor = (
        history[["segment"]]
        .assign(place=_places(history, horizon))
        .merge(own_months, how="left", on=["segment", "place"])["factor"]
    )
    factor = factor.astype(float).where(lambda found: found > 0).fillna(1.0).to_numpy()
    freed = history.assign(amount=(history[AMOUNT] / factor).round().astype("int64"))
    within = list(within)
    if not within:
        return expected(freed, "segment", horizon)
    # Region, product and channel count as one dimension: what a group buys has a place, not three.
    cells = history[within].drop_duplicates().sort_values(within, ignore_index=True)
    cells["cell"] = [f"{number:09d}" for number in range(len(cells))]
    found = expected(freed.merge(cells, on=within), "segment", horizon, within=["cell"])
    return replace(found, shares=found.shares.merge(cells, on="cell")[[*within, "segment", "share"]])


def build(
    plan: pd.DataFrame,
    last_year: pd.DataFrame,
    trend: Expected,
    promise: pd.DataFrame,
    own_months: pd.DataFrame,
    steps: Bridge | None,
    booked: pd.DataFrame | None,
    horizon: Horizon,
    parameters: Parameters,
    evidence: Evidence = UNTESTED,
) -> drivers.Drivers:
    """The drivers of the split into groups (CUS-3, CUS-6): trend, lifetime, months, what closed months brought, bridge.

    plan, last_year: plan tables with region, product and channel, the plan with month (last_year with segment); promise:
    segment, factor (`value.drift`); own_months: see `months_of_groups`; booked: closed months with segment. The bridge counts
    by `bridge_part`: 1 means the groups sum to what its sources bring, closed months included, 0 that they ignore it.
    `evidence`: what the past says of lifetime, a claim that counts by it (see `replayed`); without, it counts as stated. Raises
    ParameterError for a name in the parameter `counts` that is no driver.
    """
    refuse("counts", parameters.counts, KINDS, "driver of this chapter")
    every = tables.rollup(last_year, [*CELLS, "segment"]).merge(pd.DataFrame({"month": horizon.months}), how="cross")
    there = set(last_year["segment"]) | set(trend.shares["segment"])
    months = own_months[own_months["segment"].isin(there)]
    months = months.assign(month=months["place"].map(dict(enumerate(horizon.months))))[["segment", "month", "factor"]]

    def moved(name: str, source: str, method: str, values: pd.DataFrame, said: Evidence) -> drivers.Driver:
        return drivers.Driver(name, source, method, values, 1.0, KINDS[name], parameters.counts.get(name), said)

    stated = [
        drivers.Driver("trend", "orders: expected shares", "CUS-1", trend.shares, kind="expected"),
        moved("lifetime", "orders: expected purchases", "CUS-3", promise[promise["segment"].isin(there)], evidence),
    ]
    if len(months):
        stated.append(drivers.Driver("months", "orders: a group's own months", "CUS-1", months, kind="expected"))
    if booked is not None:
        came = booked.assign(share=booked[AMOUNT].clip(lower=0).astype(float))[[*KEYS, "share"]]
        stated.append(drivers.Driver("closed_months", "orders: closed months", "TIM-3", came, kind="expected"))
    found = drivers.build(plan, "segment", every, stated)
    if steps is None:
        return found
    amounts = followed(plan, found.weights, steps, booked, horizon, parameters.bridge_part)
    share = amounts.rename(columns={"weight": "share"}).astype({"share": float})
    bridge = moved("bridge", "growth bridge: six sources", "CUS-6", share, STATED)
    return replace(drivers.build(plan, "segment", every, [*stated, bridge]), weights=amounts)


def by_month(plan: pd.DataFrame) -> pd.DataFrame:
    """Each group's share of each month, for a chart: row (segment), column (month), amount (share, 0-1)."""
    sums = plan.groupby(["segment", "month"])[AMOUNT].sum().rename("sum").reset_index()
    share = tables.ratio(sums["sum"], sums["month"].map(sums.groupby("month")["sum"].sum()))
    return pd.DataFrame({"row": sums["segment"], "column": sums["month"], "amount": share})
