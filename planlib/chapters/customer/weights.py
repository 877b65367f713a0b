"""Which group gets how much: shares of the past, what customers still promise, and the bridge, as drivers (CUS-6)."""

import pandas as pd

from planlib import drivers
from planlib import plan as tables
from planlib.chapters.customer.bridge import Bridge, group_shares
from planlib.chapters.customer.parameters import Parameters
from planlib.chapters.customer.profile import groups
from planlib.data.sources import Tables
from planlib.estimates.shares import Expected, expected
from planlib.plan import AMOUNT, Horizon

CELLS = ["region", "product", "channel"]


def past(stored: Tables, horizon: Horizon, everyone: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    """Orders by group, each year's by the groups at its start (CUS-1): region, product, channel, segment, month, amount.

    The plan year's closed months, last year, and the years before it that had a year of history at their start: before that
    everyone would be New.
    """
    first = pd.Period(stored.span()[0], freq="M") + 12
    parts, back = [], 0
    while back < 2 or pd.Period(horizon.months[0], freq="M") - 12 * back >= first:
        start = pd.Period(horizon.months[0], freq="M") - 12 * back
        until = min(str(start + 11), f"{horizon.as_of:%Y-%m}")
        known = stored.customers(until=f"{start.start_time - pd.Timedelta(days=1):%Y-%m-%d}")
        grouped = groups(known, everyone, str(start), parameters)
        if str(start) <= until:
            parts.append(stored.orders([*CELLS, "segment", "month"], since=str(start), until=until, groups=grouped))
        back += 1
    return pd.concat(parts, ignore_index=True)[[*CELLS, "segment", "month", AMOUNT]]


def outlook(history: pd.DataFrame, horizon: Horizon) -> Expected:
    """Expected shares of the groups within region, product and channel (CUS-1).

    history: region, product, channel, segment (at the start of its own year), month, amount (minor units).
    """
    return expected(history, "segment", horizon, within=CELLS)


def build(
    plan: pd.DataFrame,
    last_year: pd.DataFrame,
    trend: Expected,
    promise: pd.DataFrame,
    steps: Bridge | None,
    parameters: Parameters,
) -> drivers.Drivers:
    """The drivers of the split into groups (CUS-3, CUS-6): trend, lifetime, bridge.

    plan, last_year: plan tables with region, product and channel (and segment); promise: segment, factor (`value.drift`). The
    bridge counts by `bridge_part`: 1 means the groups sum to what its sources bring, 0 that they ignore it.
    """
    above = tables.rollup(plan, CELLS)
    promise = promise[promise["segment"].isin(set(last_year["segment"]))]
    stated = [
        drivers.Driver("trend", "orders: expected shares", "CUS-1", trend.shares),
        drivers.Driver("lifetime", "orders: expected purchases", "CUS-3", promise),
    ]
    if steps is not None:
        before = drivers.build(above, "segment", last_year, stated).frame[["segment", "weight"]]
        # A factor keeps each cell's own mix; a few rounds of it meet the bridge's shares over all cells together.
        factor = pd.Series(1.0, index=before["segment"])
        found = before
        for _ in range(6):
            wanted = group_shares(steps, before).set_index("segment")["share"]
            share = found.set_index("segment")["weight"]
            factor = factor * (wanted / share.where(share > 0)).reindex(factor.index).fillna(1.0)
            found = drivers.build(above, "segment", last_year, [*stated, _bridge(factor)]).frame[["segment", "weight"]]
        stated.append(_bridge(factor**parameters.bridge_part))
    return drivers.build(above, "segment", last_year, stated)


def _bridge(factor: pd.Series) -> drivers.Driver:
    values = factor.rename("factor").rename_axis("segment").reset_index()
    return drivers.Driver("bridge", "growth bridge: referral, win-back, new", "CUS-6", values)
