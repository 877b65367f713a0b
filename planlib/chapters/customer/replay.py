"""What the company's own past says of the lifetime driver: what groups promised at past dates, and what came (CUS-3)."""

import pandas as pd

from planlib.chapters.customer.known import Known, grouped, known
from planlib.chapters.customer.parameters import Parameters
from planlib.chapters.customer.value import Worth, drift, history
from planlib.chapters.customer.weights import months_of_groups, outlook, past
from planlib.data.sources import Tables
from planlib.errors import PlanError
from planlib.estimates import lifetime
from planlib.estimates.evidence import COLUMNS, Evidence, weigh
from planlib.estimates.replay import Origin, given_to, origins
from planlib.periods import Horizon
from planlib.plan import AMOUNT

# Groups at the start of a year need that year and the one before it, and only a whole year after shows what they bring.
LEAST_BEFORE, YEAR = 24, 12


def replayed(stored: Tables, horizon: Horizon, everyone: pd.DataFrame, seen: Known, parameters: Parameters) -> Evidence:
    """What the past says of the lifetime driver (CUS-3): its factors at past dates beside what the groups then brought.

    At each date groups, expected shares and models are made of the orders up to it. `everyone`: customer, all that have orders;
    `seen`: see `known`. Not testable where the orders name no customer or know less than three years.
    """
    if not seen.named or seen.coverage.first is None:
        return Evidence(why="the orders name no customer")
    dates = [
        each for each in origins(seen.coverage.first, horizon, LEAST_BEFORE) if len(each.ahead.open) == len(each.ahead.months)
    ]
    found = [rows for each in dates if (rows := _at(stored, each, everyone, seen, parameters)) is not None]
    if not found:
        return Evidence(why=f"the orders do not reach back far enough, {LEAST_BEFORE + YEAR} months would tell")
    return weigh(pd.concat(found, ignore_index=True)[COLUMNS])


def _at(stored: Tables, origin: Origin, everyone: pd.DataFrame, seen: Known, parameters: Parameters) -> pd.DataFrame | None:
    """One date's rows for `weigh`; None where groups or models cannot be told then."""
    horizon = origin.ahead
    start, first = (pd.Timestamp(horizon.calendar.first(month)) for month in (origin.name, horizon.last_year[0]))
    then = known(seen.coverage.until(horizon.until), everyone, horizon)
    if not then.won:
        return None
    late, early = (stored.customers(f"{day - pd.Timedelta(days=1):%Y-%m-%d}") for day in (start, first))
    bought = {origin.name: late, horizon.last_year[0]: early}
    before, now = grouped(bought.__getitem__, everyone, then, parameters)
    try:
        models = lifetime.purchases(history(late, start)), lifetime.spend(history(late, start))
    except PlanError:
        return None
    promise = drift(Worth(now, models, ""), late.merge(now), early.merge(before), start, first)
    orders = past(stored, horizon, everyone, now, then, parameters)
    expected = outlook(orders, months_of_groups(orders, horizon, then), horizon, ()).shares
    came = stored.orders(["segment"], since=horizon.open[0], until=horizon.open[-1], groups=now)
    sums = expected["segment"].map(came.set_index("segment")[AMOUNT]).fillna(0).clip(lower=0).astype(float)
    if sums.sum() <= 0:
        return None
    rows = expected.rename(columns={"segment": "member", "share": "before"})
    after = given_to(rows, promise.rename(columns={"segment": "member"}))
    return rows.assign(after=after, came=sums / sums.sum(), origin=origin.name, years=1.0)
