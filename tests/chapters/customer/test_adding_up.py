"""Groups and the growth bridge add up over the year: at its start, after each quarter, in any small company."""

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planlib import plan as tables
from planlib.chapters import customer
from planlib.estimates.windows import Coverage, span_of
from planlib.lp import Rule
from planlib.periods import Horizon
from tests.chapters.customer.worlds import World, orders_of, planned

ENDS = ["2025-12-31", "2026-03-31", "2026-05-31", "2026-06-30", "2026-09-30", "2026-11-30"]
ACTIVE = ["High value", "Potential", "Ordinary"]


def sums_of(plan: pd.DataFrame) -> dict[str, int]:
    sums = plan.groupby("segment")["amount"].sum()
    return {
        "active": int(sums.reindex(ACTIVE).fillna(0).sum()),
        "dormant": int(sums.get("Dormant", 0)),
        "new": int(sums.get("New", 0)),
    }


def sources_of(bridge: customer.Bridge) -> dict[str, int]:
    of = bridge.amounts
    active = of["Retained base"] + of["Up-sell"] + of["Cross-sell"]
    return {"active": active, "dormant": of["Win-back"], "new": of["Referral"] + of["New customers"]}


def came_to(world: World) -> dict[str, int]:
    """What closed months brought by group, from the raw orders: who bought before the year, and when last."""
    known = world.bought_before("2026-01-01").set_index("customer")["last"]
    inside = world.orders[world.orders["date"].str[:7].isin(world.horizon.closed)]
    kind = np.where(~inside["customer"].isin(known.index), "new", inside["customer"].map(known).fillna("") <= "2025-07-01")
    kind = pd.Series(kind).replace({"True": "dormant", "False": "active"}).to_numpy()
    found = inside.groupby(kind)["revenue"].sum()
    return {name: int(found.get(name, 0)) for name in ("active", "dormant", "new")}


def adds_up(seed: int, months: int, count: int, growth: float, end: str) -> None:
    """Every sum of a company's chapter, beside what its raw orders say."""
    first = str(pd.Period("2025-12", freq="M") - months + 1)
    with TemporaryDirectory() as folder:
        world = World(Path(folder), orders_of(first, "2026-12", seed, count), end, growth)
        found = planned(world, customer.Parameters(cities_per_quarter=1))
    came = came_to(world)

    assert tables.residuals(world.plan, found.result.plan).empty
    assert sum(found.bridge.amounts.values()) == int(world.plan["amount"].sum())
    assert sums_of(found.result.plan) == sources_of(found.bridge)
    closed = found.result.plan[found.result.plan["month"].isin(world.horizon.closed)]
    assert sums_of(closed) == came
    assert all(sources_of(found.bridge)[name] >= came[name] for name in came)
    new = found.result.plan[found.result.plan["segment"] == "New"]
    quarter = new["month"].map({month: f"Q{place // 3 + 1}" for place, month in enumerate(world.horizon.months)})
    by = new.groupby(quarter)["amount"].sum().reindex(["Q1", "Q2", "Q3", "Q4"]).fillna(0).astype(int)
    assert found.asked["new_revenue"].tolist() == by.tolist()
    told = customer.groups_told(found.bridge, found.result.plan, str)
    assert told == ["The groups carry exactly what their sources bring over the whole year."]


@pytest.mark.parametrize(
    ("seed", "months", "count", "growth", "end"),
    [(1, 36, 40, 0.15, "2025-12-31"), (2, 30, 30, 0.6, "2026-05-31"), (3, 18, 25, 0.0, "2026-09-30")],
)
def test_groups_sum_to_their_sources_and_closed_months_stand(seed, months, count, growth, end):
    adds_up(seed, months, count, growth, end)


@pytest.mark.slow
@settings(max_examples=60, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    months=st.sampled_from([13, 18, 24, 25, 30, 36]),
    count=st.integers(6, 40),
    growth=st.sampled_from([-0.4, 0.0, 0.15, 0.6, 3.0]),
    end=st.sampled_from(ENDS),
)
def test_groups_sum_to_their_sources_in_any_company(seed, months, count, growth, end):
    adds_up(seed, months, count, growth, end)


@pytest.fixture(scope="module")
def spring(tmp_path_factory):
    return World(tmp_path_factory.mktemp("spring"), orders_of("2023-01", "2026-12", 5), "2026-03-31")


def test_half_of_the_way_to_the_bridge_is_half_of_the_way(spring):
    none, half, full = (planned(spring, customer.Parameters(bridge_part=part)) for part in (0.0, 0.5, 1.0))
    at = [sums_of(found.result.plan) for found in (none, half, full)]

    assert at[2] == sources_of(full.bridge) != at[0]
    for name in at[0]:
        assert at[1][name] == pytest.approx((at[0][name] + at[2][name]) / 2, abs=2)
    told = customer.groups_told(half.bridge, half.result.plan, str)[0]
    assert told.startswith("Rules, locks, closed months or `bridge_part` keep the groups from the bridge: ")
    assert f"New carries {at[1]['new']} where the bridge has {at[2]['new']}" in told


def test_a_rule_on_a_group_stands_before_the_bridge_and_is_told(spring):
    free = planned(spring, customer.Parameters())
    most = round(sums_of(free.result.plan)["new"] * 0.9)
    rule = Rule(name="fewer new", where={"segment": "New"}, unit="amount", max=float(most))
    held = planned(spring, customer.Parameters(rules=[rule]))

    assert most - 20 <= (new := sums_of(held.result.plan)["new"]) <= most
    told = customer.groups_told(held.bridge, held.result.plan, str)[0]
    assert f"New carries {new} where" in told and "The active groups carry" in told


def test_all_months_closed_leave_nothing_to_plan(tmp_path):
    orders = orders_of("2023-01", "2026-12", 8)
    sold = int(orders.loc[orders["date"] >= "2026", "revenue"].sum())
    last = int(orders.loc[orders["date"].str.startswith("2025"), "revenue"].sum())
    world = World(tmp_path, orders, "2026-12-31", sold / last - 1)
    found = planned(world, customer.Parameters())

    assert sums_of(found.result.plan) == came_to(world) == sources_of(found.bridge)


def test_a_group_nobody_is_in_can_be_given_money():
    # Nobody was dormant, yet 40 are asked of it: every cell has some, about in proportion to the cell.
    rows = np.array([100, 300])
    mix = np.array([[0.8, 0.0, 0.2], [0.5, 0.0, 0.5]])
    found = customer.whole(customer.fitted(rows, mix, np.array([240, 40, 120])), rows, np.array([240, 40, 120]))

    assert found.sum(axis=1).tolist() == [100, 300] and found.sum(axis=0).tolist() == [240, 40, 120]
    assert found[:, 1] == pytest.approx([10, 30], abs=2)


@settings(max_examples=60, derandomize=True)
@given(
    st.lists(st.integers(0, 10**7), min_size=1, max_size=8),
    st.integers(2, 5),
    st.integers(0, 10**6),
)
def test_raking_meets_both_sums_and_keeps_the_odds(rows, groups, seed):
    # The raked table is known by its sums and by the ratios of its cells, which stay those of the mix (odds ratios).
    rng = np.random.default_rng(seed)
    rows = np.array(rows)
    mix = rng.dirichlet(np.ones(groups), len(rows))
    sums = tables.largest_remainder(int(rows.sum()), rng.uniform(0.1, 1, groups))
    exact = customer.fitted(rows, mix, sums)
    found = customer.whole(exact, rows, sums)

    assert found.sum(axis=1).tolist() == rows.tolist() and found.sum(axis=0).tolist() == sums.tolist()
    assert (found >= 0).all() and np.abs(found - exact).max() < 2 + 1e-6 * rows.sum()
    if len(rows) > 1 and rows[0] > 10**4 and rows[1] > 10**4 and mix[:2, :2].min() > 0.05:
        odds = mix[0, 0] * mix[1, 1] / (mix[0, 1] * mix[1, 0])
        raked = exact[0, 0] * exact[1, 1] / (exact[0, 1] * exact[1, 0])
        assert raked == pytest.approx(odds, rel=1e-3)


def test_a_group_s_months_are_what_it_brought_over_its_share_of_the_year():
    # New brings 1/12, 2/12 ... of 1,200 a month beside Ordinary: shares of each month over the year's, drawn to 1 by little.
    months = span_of("2025-01", "2025-12")
    rows = [(f"r{cell}", month, "New", (place + 1) * 5) for cell in range(20) for place, month in enumerate(months)]
    rows += [(f"r{cell}", month, "Ordinary", 60 - (place + 1) * 5) for cell in range(20) for place, month in enumerate(months)]
    frame = pd.DataFrame(rows, columns=["region", "month", "segment", "amount"]).assign(product="A", channel="Shop", year=1)
    horizon = Horizon(2026, 1, date(2025, 12, 31))
    seen = customer.known(Coverage.of(span_of("2023-01", "2025-12"), "2025-12"), pd.DataFrame({"customer": ["a"]}), horizon)
    found = customer.months_of_groups(frame, horizon, seen).set_index(["segment", "place"])["factor"]
    wanted = np.arange(1, 13) / 6.5

    assert np.abs(found["New"].to_numpy() - wanted).max() < 0.3
    assert np.corrcoef(found["New"], wanted)[0, 1] > 0.99
    noise = frame.assign(amount=30)
    assert customer.months_of_groups(noise, horizon, seen)["factor"].tolist() == [1.0] * 24


def test_a_closed_season_keeps_the_groups_own_months():
    # No sales in January and February of any year; New grows over the other ten months.
    months = [month for month in span_of("2023-03", "2025-12") if month[5:] not in ("01", "02")]
    rows = [(f"r{cell}", m, "New", 10 * int(m[5:]), 2025 - int(m[:4]) + 1) for cell in range(20) for m in months]
    rows += [(f"r{cell}", m, "Ordinary", 130 - 10 * int(m[5:]), 2025 - int(m[:4]) + 1) for cell in range(20) for m in months]
    frame = pd.DataFrame(rows, columns=["region", "month", "segment", "amount", "year"]).assign(product="A", channel="Shop")
    horizon = Horizon(2026, 1, date(2025, 12, 31))
    seen = customer.known(Coverage.of(months, "2025-12"), pd.DataFrame({"customer": ["a"]}), horizon)
    found = customer.months_of_groups(frame, horizon, seen).set_index(["segment", "place"])["factor"]

    assert found["New"][11] > 1.3 and found["New"][2] < 0.7
    assert found["New"][0] == found["New"][1] == 1.0  # nothing is known of them


def test_neither_row_order_nor_the_size_of_money_changes_the_shares(tmp_path):
    orders = orders_of("2024-01", "2026-12", 11, 25)
    mixed = orders.sample(frac=1, random_state=3, ignore_index=True)
    larger = orders.assign(revenue=orders["revenue"] * 1000)
    straight, other, scaled = (
        planned(World(tmp_path / name, table, "2026-03-31"), customer.Parameters(cities_per_quarter=0))
        for name, table in (("a", orders), ("b", mixed), ("c", larger))
    )

    assert tables.digest(straight.result.plan) == tables.digest(other.result.plan)
    assert straight.bridge.amounts == other.bridge.amounts
    wanted = {name: 1000 * amount for name, amount in straight.bridge.amounts.items()}
    assert scaled.bridge.amounts == pytest.approx(wanted, rel=1e-4)
