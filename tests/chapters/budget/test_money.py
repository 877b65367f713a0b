"""Every cent once: pools, projects and reserve on random cases, projects against every choice there is, fallbacks."""

import itertools
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planlib.chapters import budget
from planlib.chapters.budget.projects import variants
from planlib.errors import ParameterError
from planlib.estimates.response.result import COLUMNS
from planlib.periods import Horizon, months

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
NONE = pd.DataFrame({"item": [], "month": [], "amount": []})
CHANNELS = pd.DataFrame({"region": ["E", "E", "W"], "product": "p", "channel": ["a", "b", "a"], "amount": [500, 300, 200]})


def curves(**spend: int) -> pd.DataFrame:
    """Activities that returned 3 last year, on saturating curves that are half full: the next unit brings 1.5."""
    frame = pd.DataFrame({"item": list(spend), "form": "saturating", "spend": list(spend.values()), "elasticity": 0.5})
    frame["half"], frame["scale"] = frame["spend"].astype(float), 6.0 * frame["spend"]
    frame = frame.assign(revenue=3 * frame["spend"], roi=3.0, roi_low=2.5, roi_high=3.5, marginal=1.5, caveat="")
    return frame.reindex(columns=COLUMNS)


def traits(items: list[str], kind: str = "advertising") -> pd.DataFrame:
    return pd.DataFrame({"item": items, "channel": "", "kind": kind, "spend": 0.0, "revenue": np.nan})


def projects(*rows: tuple, **words: object) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["project", "cost", "response", "critical", "requires"])
    return budget.known_projects(table.assign(perspective="customer"), budget.Parameters(**words))


def fixed(found: pd.DataFrame, amount: int) -> pd.DataFrame:
    return found.assign(floor=amount, cap=amount)


@settings(max_examples=12, deadline=None)
@given(
    target=st.integers(10**6, 10**12),
    spend=st.lists(st.integers(1, 10**9), min_size=1, max_size=4),
    asks=st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**7), st.sampled_from(["yes", "no"])), max_size=4),
    sold=st.lists(st.integers(0, 10**9), min_size=3, max_size=3),
    risk=st.sampled_from([0.0, 0.05, 0.10]),
    reserve=st.sampled_from([0.10, 0.125, 0.15]),
    cap=st.sampled_from([0.1, 0.25, 1.0]),
)
def test_the_money_is_the_budget_to_the_cent(target, spend, asks, sold, risk, reserve, cap):
    # REG-6, BUD-4: a region's risk reserve is a part of the reserve; the sum is the budget whatever is asked and chosen.
    parameters = budget.Parameters(reserve_share=reserve, promotion_cap=cap)
    total = budget.total(target, projects(), NONE, parameters)
    table = [
        (f"p{n}", min(cost, max(1, total // 10)), response, critical, "") for n, (cost, response, critical) in enumerate(asks)
    ]
    known = projects(*table)
    names = [f"a{n}" for n in range(len(spend))]
    told, kinds = curves(**dict(zip(names, spend, strict=True))), traits(names)
    kinds.loc[0, "kind"] = "promotion" if len(names) > 1 else "advertising"
    channels = CHANNELS.assign(amount=sold)
    free = budget.free(total, known, NONE, parameters)
    limits = budget.bounds(told, kinds, NONE, free, total, parameters)
    found = budget.allocate(limits, known, pd.DataFrame(), NONE, total, parameters)
    regions = budget.by_region(found.activities, channels, kinds)
    shares = pd.DataFrame(
        {"region": ["E"] * 3, "part": ["base", "incentive", "risk reserve"], "share": [0.7 - risk, 0.3, risk]}
    )
    pools = budget.pools(regions, shares, found)
    spent = found.activities["amount"].sum() + found.projects["amount"].sum()

    assert pools["amount"].sum() == total and (pools["amount"] >= 0).all()
    assert spent + found.reserve + found.unspent == total and found.reserve == round(total * reserve)
    assert regions["amount"].sum() == found.activities["amount"].sum()
    assert not pools.duplicated(["pool", "item"]).any()
    held = pools.loc[pools["pool"].isin(["reserve", "region risk reserve"]), "amount"].sum()
    assert held == found.reserve
    assert pools.loc[pools["pool"] == "not placed", "amount"].sum() == found.unspent


@pytest.mark.parametrize("free", [10, 14, 23, 31, 44, 60])
@pytest.mark.parametrize("other", [0.5, 0.8, 1.0])
def test_projects_are_the_best_of_every_choice(free, other):
    # BUD-2, BUD-5: beside activities that cannot move, by trying every set of variants there is.
    parameters = budget.Parameters(other_funding=other, freeze_roi=1.0)
    known = projects(
        ("base", 9, 10, "no", ""), ("on top", 8, 30, "no", "base"), ("alone", 10, 19, "no", ""), ("large", 20, 33, "no", ""),
        ("bad", 5, 4, "no", ""), freeze_roi=1.0,
    )  # fmt: skip
    choices = variants(known, parameters)
    total = round((free + 1000) / 0.9)
    limits = fixed(budget.bounds(curves(a=1000), traits(["a"]), NONE, 1000, total, parameters), 1000)
    found = budget.allocate(limits, known, pd.DataFrame(), NONE, total, parameters)
    money = total - found.reserve - 1000

    best = 0
    for size in range(len(choices) + 1):
        for chosen in itertools.combinations(choices.itertuples(), size):
            names = {row.project for row in chosen}
            fits = sum(row.cost for row in chosen) <= money
            if fits and all(set(row.requires) <= names and not set(row.excludes) & names for row in chosen):
                best = max(best, sum(row.response for row in chosen))
    assert found.projects["response"].sum() == best
    assert found.projects["amount"].sum() <= money and found.projects.set_index("project")["funding"]["bad"] == "frozen"


def test_a_project_shrinks_where_only_its_smaller_form_fits():
    # BUD-5: 10 for 19 does not fit into 9; at 80% it costs 8 and brings 15.
    parameters = budget.Parameters()
    known = projects(("club", 10, 19, "no", ""))
    limits = fixed(budget.bounds(curves(a=1000), traits(["a"]), NONE, 1000, 1121, parameters), 1000)
    row = budget.allocate(limits, known, pd.DataFrame(), NONE, 1121, parameters).projects.iloc[0]

    assert (row["funding"], row["amount"], row["response"]) == ("reduced", 8, 15)


def test_what_a_project_requires_must_be_there():
    with pytest.raises(ParameterError, match=r"'club' requires 'portal'.*expected one of \['club'\]"):
        projects(("club", 10, 19, "no", "portal"))
    # The critical path is there whatever it returns, and its money never exceeds the budget.
    known = projects(("club", 10, 19, "no", "portal"), ("portal", 100, 0, "yes", ""))
    assert variants(known, budget.Parameters())["requires"].tolist() == [[], []]
    with pytest.raises(ParameterError, match="120 minor units of critical projects and 13 minor units of reserve"):
        budget.free(130, known, NONE, budget.Parameters())


def test_a_regions_money_follows_the_channel_that_an_activity_feeds():
    # REG-6: a sells 500 in E and 200 in W, b only in E; x feeds a, y feeds b, z feeds no channel: all sales.
    activities = pd.DataFrame({"item": ["x", "y", "z"], "amount": [700, 90, 1000]})
    feeds = pd.DataFrame({"item": ["x", "y", "z"], "channel": ["a", "b", ""], "kind": ""})
    found = budget.by_region(activities, CHANNELS, feeds).pivot(index="region", columns="item", values="amount")

    assert found.fillna(0).to_dict() == {"x": {"E": 500, "W": 200}, "y": {"E": 90, "W": 0}, "z": {"E": 800, "W": 200}}


def test_a_reserve_smaller_than_the_regions_is_refused():
    # REG-6, BUD-4: 20% of each pool for risk is a quarter of the activities' money.
    found = budget.Allocation(pd.DataFrame({"item": ["x"], "amount": [900]}), projects(), 100, 0, 0, None)
    regions = pd.DataFrame({"region": ["E"], "item": ["x"], "amount": [900]})
    shares = pd.DataFrame({"region": "E", "part": ["base", "incentive", "risk reserve"], "share": [0.5, 0.3, 0.2]})

    with pytest.raises(ParameterError, match=r"reserve of 100 minor units.*reserves of 225 minor units"):
        budget.pools(regions, shares, found)


def test_an_activity_that_is_new_this_year_keeps_what_it_spent():
    # BUD-3: it has no curve; the rest is shared by those that have one.
    spent = pd.DataFrame({"item": ["new"], "month": ["2026-01"], "amount": [70]})
    parameters = budget.Parameters()
    limits = budget.bounds(curves(a=500, b=400), traits(["a", "b", "new"]), spent, 900, 1000, parameters)
    found = budget.allocate(limits, projects(), pd.DataFrame(), spent, 1000, parameters)

    assert found.activities.set_index("item")["amount"].to_dict() == {"a": 461, "b": 369, "new": 70}


def test_what_was_spent_on_promotion_cannot_be_undone():
    # BUD-3: 400 of 1,000 is over the cap of a quarter; nothing is added to it.
    spent = pd.DataFrame({"item": ["b"], "month": ["2026-01"], "amount": [400]})
    parameters = budget.Parameters()
    kinds = pd.concat([traits(["a"]), traits(["b"], "promotion")])
    limits = budget.bounds(curves(a=500, b=400), kinds, spent, 900, 1000, parameters)
    found = budget.allocate(limits, projects(), pd.DataFrame(), spent, 1000, parameters)

    assert found.activities["amount"].tolist() == [500, 400]


def marketing(count: int = 36, revenue: bool = True) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    rows = []
    for name in ("Search", "TV"):
        for month in [*months(2023), *months(2024), *months(2025)][-count:]:
            spend = 1_000_000 + int(rng.integers(0, 900_000))
            rows.append((month, name, spend, 9_000_000 * spend // (spend + 1_500_000)))
    table = pd.DataFrame(rows, columns=["month", "activity", "spend", "revenue"])
    return table if revenue else table.drop(columns="revenue")


def made(table: pd.DataFrame | None, sales: pd.DataFrame) -> tuple[budget.Allocation, pd.DataFrame, str]:
    parameters, total = budget.Parameters(), 50_000_001
    known = budget.known(table, HORIZON)
    response, free = budget.curves(known, sales, HORIZON), budget.free(total, projects(), NONE, parameters)
    simple = budget.naive(known, CHANNELS, free, HORIZON)
    limits = budget.bounds(response.curves, budget.traits(known, HORIZON), NONE, free, total, parameters)
    assert simple["amount"].sum() == 45_000_001
    found = budget.allocate(limits, projects(), simple, NONE, total, parameters)
    assert found.activities["amount"].sum() == 45_000_001
    return found, simple, response.note


def test_without_marketing_the_money_follows_the_channels():
    found, simple, note = made(None, pd.DataFrame({"month": [], "amount": []}))

    assert found.activities["amount"].tolist() == simple["amount"].tolist() == [31_500_001, 13_500_000]  # 7 : 3
    assert "No marketing spend" in note and found.spend is None


def test_without_attributed_revenue_the_curves_come_from_total_revenue():
    table = marketing()
    brought = table.groupby("month")["revenue"].sum()
    sales = (brought + 40_000_000).rename("amount").reset_index()
    found, _, note = made(table.drop(columns="revenue"), sales)

    assert note.startswith("Total revenue of 36 ") and found.spend is not None
    # Too few months tell nothing: last year's spend, scaled.
    short, simple, note = made(marketing(12, revenue=False), sales)
    assert "24 months at least" in note and short.activities["amount"].tolist() == simple["amount"].tolist()
    assert simple.set_index("item")["amount"]["TV"] / 45_000_001 == pytest.approx(
        table.loc[(table["activity"] == "TV") & (table["month"] >= "2025"), "spend"].sum()
        / table.loc[table["month"] >= "2025", "spend"].sum(), abs=0.1,
    )  # fmt: skip


def test_closed_months_are_a_floor_without_curves_too():
    # BUD-3: 72 of 90 are spent on b; what is left follows planned revenue, 7 : 3.
    spent = pd.DataFrame({"item": ["b"], "month": ["2026-01"], "amount": [72]})
    simple = budget.naive(budget.known(None, HORIZON), CHANNELS, 90, HORIZON)
    found = budget.allocate(curves(), projects(), simple, spent, 100, budget.Parameters())

    assert found.activities.set_index("item")["amount"].to_dict() == {"a": 13, "b": 77}


def test_what_the_critical_path_requires_is_critical():
    # BUD-5: the portal needs the academy, that needs the platform; none of them returns enough by itself.
    known = projects(
        ("academy", 50, 1, "no", "platform"), ("platform", 30, 1, "no", ""), ("portal", 100, 0, "yes", "academy"),
        ("x", 9, 1, "no", ""),
    )  # fmt: skip
    limits = budget.bounds(curves(a=1000), traits(["a"]), NONE, 684, 1000, budget.Parameters())
    found = budget.allocate(limits, known, pd.DataFrame(), NONE, 1000, budget.Parameters())

    assert known.set_index("project")["critical"].to_dict() == {"academy": True, "platform": True, "portal": True, "x": False}
    assert found.projects.set_index("project")["amount"].to_dict() == {"academy": 60, "platform": 36, "portal": 120, "x": 0}


def test_where_every_activity_is_frozen_it_stays_at_its_floor_and_the_rest_is_not_placed():
    # BUD-6: returns of 1.2 under a line of 1.5; half of last year's spend, grown with the money: 450 of 900 stay.
    parameters, told = budget.Parameters(), curves(a=600, b=300).assign(roi=1.2)
    limits = budget.bounds(told, traits(["a", "b"]), NONE, 900, 1000, parameters)
    found = budget.allocate(limits, projects(), pd.DataFrame(), NONE, 1000, parameters)
    pools = budget.pools(
        budget.by_region(found.activities, CHANNELS, traits(["a", "b"])), budget.pool_shares(None, CHANNELS), found
    )
    of = pools.groupby("pool")["amount"].sum()

    assert found.activities["amount"].tolist() == limits["floor"].tolist() == [300, 150]
    assert (found.reserve, found.unspent) == (100, 450)
    # 10% of each pool is risk: a ninth of the activities' 450; the rest of the reserve is at headquarters.
    assert (of["not placed"], of["region risk reserve"], of["reserve"]) == (450, 50, 50) and of.sum() == 1000
    steps = budget.steps(pools, found).set_index("label")["amount"]
    assert (steps["Not placed"], steps["Reserve at headquarters"], steps["Budget"]) == (450, 50, 1000)


def test_an_activity_that_brought_nothing_is_there_with_what_it_cost():
    # BUD-6: 1,500 spent last year and no revenue attributed is a return of 0: frozen at half, and neither new nor gone.
    table = marketing(24)
    dead = pd.DataFrame({"month": months(2025), "activity": "Flyers", "spend": 1_500_000, "revenue": 0})
    known = budget.known(pd.concat([table, dead]), HORIZON)
    response = budget.curves(known, pd.DataFrame({"month": [], "amount": []}), HORIZON)
    kinds = budget.traits(known, HORIZON)
    money = int(kinds["spend"].sum())
    limits = budget.bounds(response.curves, kinds, NONE, money, money, budget.Parameters()).set_index("item")
    row = limits.loc["Flyers"]

    assert "Flyers" not in set(response.curves["item"])
    assert (row["spend"], row["roi"], row["frozen"], row["floor"], row["cap"]) == (18_000_000, 0.0, True, 9_000_000, 9_000_000)
    assert row["caveat"] == "No revenue is attributed to it last year."
    simple = budget.naive(known, CHANNELS, money, HORIZON).set_index("item")["amount"]
    assert simple["Flyers"] == 18_000_000 and simple.sum() == money


def test_a_customers_cost_is_of_the_months_that_count_customers():
    # 100 a month; customers are counted from July: 600 over 30.
    told = [None] * 6 + [5.0] * 6
    table = pd.DataFrame(
        {"month": months(2025), "activity": "TV", "spend": 100, "channel": "a", "kind": "", "new_customers": told}
    )
    response = SimpleNamespace(
        at=lambda spend: pd.DataFrame({"item": [], "marginal_": []}), curves=pd.DataFrame({"item": []}), fit={"level": 0.9}
    )
    limits = budget.bounds(curves(TV=1200), traits(["TV"]), NONE, 1200, 1200, budget.Parameters())
    activities = pd.DataFrame({"item": ["TV"], "amount": [1200]})
    found = budget.board(response, limits, activities, table.assign(channel=""), months(2025))  # type: ignore[arg-type]

    assert found["cost_per_customer"].tolist() == [20.0]


def test_growth_alone_asks_for_nothing_that_is_known_where_last_year_is_known_in_part():
    half = budget.known(marketing(6), HORIZON)
    year = budget.last_year(half, HORIZON)

    assert year.total(half.groupby("month")["spend"].sum()) is None
    assert budget.aligned(None, 10**7, 10**7, budget.Parameters()) is None
    # A part year is brought to a full one where shares are all that is asked.
    assert budget.traits(half, HORIZON)["spend"].sum() == pytest.approx(2 * half["spend"].sum())
