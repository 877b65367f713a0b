"""Short and odd histories: the chapter's notebook run on them, every figure right (recomputed from the orders) or not known."""

import numpy as np
import pandas as pd
import pytest

from planlib import plan as tables
from planlib.chapters import customer
from planlib.errors import ParameterError
from planlib.estimates.windows import Coverage, span_of
from tests.chapters.customer.worlds import World, notebook, orders_of

SOURCES = "Six sources of the target, with their limits"
ASKED = "New customers by quarter: how many, where, and what they may cost"
YEAR = span_of("2025-01", "2025-12")
KEY = {"key_industries": ["Hotels"], "cities_per_quarter": 0}


def seen_of(world: World, monkeypatch: pytest.MonkeyPatch, **more):
    found = notebook(world, monkeypatch, **{**KEY, **more})
    plan = pd.read_parquet(world.folder / "run" / "plan" / "06-customer.parquet")
    assert tables.residuals(world.plan, plan).empty
    texts = [found.said, *found.notes, *found.left_out]
    assert not any("nan" in text or "None" in text or "inf" in text for text in texts)
    return found, plan


def active_before(world: World, day: str, months: int = 6) -> pd.DataFrame:
    """Customers known before a day, and whether they bought in the six months before it."""
    known = world.bought_before(day)
    line = f"{pd.Timestamp(day) - pd.DateOffset(months=months):%Y-%m-%d}"
    return known.assign(active=known["last"] > line)


@pytest.mark.parametrize("months", [3, 6, 11])
def test_less_than_a_year_tells_no_groups_and_says_so(months, tmp_path, monkeypatch):
    first = str(pd.Period("2025-12", freq="M") - months + 1)
    world = World(tmp_path, orders_of(first, "2025-12"), "2025-12-31")
    found, plan = seen_of(world, monkeypatch)

    assert set(plan["segment"]) == {"All"}
    assert SOURCES not in found.tables and ASKED not in found.tables
    span = f"last year is known for {months} of 12 months ({first} to 2025-12)"
    assert any(span in text and "growth bridge" in text for text in found.left_out)
    assert found.said == f"The target is not split by customer group: {span}."
    assert any(text.startswith("Lifetime values are not known: ") for text in found.left_out)
    assert found.tables["Lifetime value by group"]["clv"].isna().all()
    key = found.tables["Key industries: their share now"]
    assert key[["growth", "earlier", "recent"]].isna().all(axis=None) and key["share"].between(0, 1).all()
    stages = found.tables["Where customers stand in their life"].set_index("stage")
    assert stages["customers"].sum() == len(found.names["people"])
    assert stages.loc[["introduction", "growth", "maturity"], "customers"].sum() == 0
    silent = int((~active_before(world, "2026-01-01")["active"]).sum())
    titles = [title for title in found.tables if "silent" in title]
    assert [title.split()[0] for title in titles] == [str(silent)] * (silent > 0)


@pytest.mark.parametrize("months", [13, 18])
def test_a_year_and_a_half_tells_todays_groups_but_not_who_was_won(months, tmp_path, monkeypatch):
    first = str(pd.Period("2025-12", freq="M") - months + 1)
    world = World(tmp_path, orders_of(first, "2025-12", 3), "2025-12-31")
    found, plan = seen_of(world, monkeypatch, retention=0.7)
    table, now = found.tables[SOURCES].set_index("source"), active_before(world, "2026-01-01")

    assert table["seen"].drop("Cross-sell").isna().all()
    base = world.money(YEAR, now.loc[now["active"], "customer"])
    assert table.loc["Retained base", "reached"] == round(0.7 * base)
    dormant = max(0, world.money(YEAR, now.loc[~now["active"], "customer"]))
    assert table.loc["Win-back", "cap"] == round(0.8 * dormant)
    assert table.loc["Referral", ["floor", "reached", "cap", "amount"]].tolist() == [0, 0, 0, 0]
    assert table["amount"].sum() == world.target
    sums = plan.groupby("segment")["amount"].sum()
    assert sums["New"] == table.loc["New customers", "amount"]
    assert sums.get("Dormant", 0) == table.loc["Win-back", "amount"]
    before = months - 12
    assert any(f"is known for {before} of 12 months" in text and "`retention`" in text for text in found.left_out)
    asked = found.tables[ASKED]
    assert asked["customers"].isna().all() and asked["most_cost"].isna().all()
    assert asked["new_revenue"].sum() == sums["New"]
    assert found.said.endswith("; how many that is, is not known.")
    assert found.tables["Key industries: their share now"]["growth"].isna().all()
    profile = found.tables["Customer groups at the start of the year, and what such groups brought last year"]
    assert profile["amount"].sum() == world.money(YEAR) and "New" not in set(profile["segment"])


@pytest.mark.parametrize("months", [25, 36])
def test_two_years_tell_what_stayed_and_who_was_won(months, tmp_path, monkeypatch):
    first = str(pd.Period("2025-12", freq="M") - months + 1)
    world = World(tmp_path, orders_of(first, "2025-12", 4), "2025-12-31")
    found, _ = seen_of(world, monkeypatch)
    table, then = found.tables[SOURCES].set_index("source"), active_before(world, "2025-01-01")
    was = then.loc[then["active"], "customer"]

    assert found.left_out == [text for text in found.left_out if text.startswith("Lifetime values are the last twelve months'")]
    kept = world.money(YEAR, was) / world.money(span_of("2024-01", "2024-12"), was)
    assert table.loc["Retained base", "seen"] == pytest.approx(kept, abs=1e-8)
    asleep = then.loc[~then["active"], "customer"]
    came, was_worth = world.money(YEAR, asleep), world.money(span_of("2024-01", "2024-12"), asleep)
    if was_worth > 0:
        assert table.loc["Win-back", "seen"] == pytest.approx(max(0, came) / was_worth, abs=1e-8)
    today = world.bought_before("2026-01-01")
    won = today[today["first"] >= "2025"]["customer"]
    assert table.loc["New customers", "cap"] == round(1.4 * world.money(YEAR, won))
    each = world.money(YEAR, won) / len(won)
    asked = found.tables[ASKED]
    assert asked["customers"].sum() == round(asked["new_revenue"].sum() / each)
    growth = found.tables["Key industries: their share now"].set_index("industry")["growth"]["Hotels"]
    hotels = sorted(set(world.orders["customer"]))[::4]
    before = world.money(span_of("2024-01", "2024-12"), hotels)
    assert growth == pytest.approx(world.money(YEAR, hotels) / before - 1)


def test_a_month_lost_last_year_is_carried_and_compared_like_for_like(tmp_path, monkeypatch):
    world = World(tmp_path, orders_of("2023-01", "2025-12", 6, lost=["2025-05"]), "2025-12-31")
    found, _ = seen_of(world, monkeypatch)
    table, then = found.tables[SOURCES].set_index("source"), active_before(world, "2025-01-01")
    was, now = then.loc[then["active"], "customer"], active_before(world, "2026-01-01")
    eleven = [month for month in span_of("2024-01", "2024-12") if month != "2024-05"]

    assert table.loc["Retained base", "seen"] == pytest.approx(world.money(YEAR, was) / world.money(eleven, was), abs=1e-8)
    base = world.money(YEAR, now.loc[now["active"], "customer"]) * 12 / 11
    kept = min(1.0, table.loc["Retained base", "seen"])
    assert table.loc["Retained base", "cap"] == pytest.approx((kept + 0.02) * base, abs=2)
    assert any("known for 11 of 12 months (2025-01 to 2025-04, 2025-06 to 2025-12)" in text for text in found.left_out)
    assert pd.isna(table.loc["Cross-sell", "seen"])
    assert any("lifetime values are not known" in text.lower() for text in found.left_out)


def test_a_month_lost_the_year_before_leaves_unknown_who_was_won(tmp_path, monkeypatch):
    world = World(tmp_path, orders_of("2023-01", "2025-12", 6, lost=["2024-05"]), "2025-12-31")
    found, _ = seen_of(world, monkeypatch)

    assert pd.isna(found.tables[SOURCES].set_index("source").loc["Retained base", "seen"])
    assert any("known for 11 of 12 months" in text for text in found.left_out)


def test_a_closed_season_is_no_gap(tmp_path, monkeypatch):
    never = [f"{year}-{month}" for year in (2023, 2024, 2025) for month in ("01", "02")]
    world = World(tmp_path, orders_of("2023-01", "2025-12", 7, lost=never), "2025-12-31")
    found, _ = seen_of(world, monkeypatch)
    was = active_before(world, "2025-01-01")
    was = was.loc[was["active"], "customer"]

    assert not any("known for" in text for text in found.left_out)
    kept = world.money(YEAR, was) / world.money(span_of("2024-01", "2024-12"), was)
    assert found.tables[SOURCES].set_index("source").loc["Retained base", "seen"] == pytest.approx(kept, abs=1e-8)


@pytest.mark.parametrize("end", ["2025-12-31", "2026-06-30"])
def test_orders_without_customers_are_one_group_of_the_plan(end, tmp_path, monkeypatch):
    world = World(tmp_path, orders_of("2023-01", "2026-12", 2), end, named=False)
    found, plan = seen_of(world, monkeypatch, key_industries=[])

    assert set(plan["segment"]) == {"All"} and SOURCES not in found.tables
    assert found.said == "The orders name no customer, so the target is not split by customer group."


@pytest.mark.parametrize(
    "end", [*(pytest.param(f"2026-{day}", marks=pytest.mark.slow) for day in ("03-31", "09-30")), "2026-06-30"]
)
def test_a_year_of_replans_keeps_what_came(end, tmp_path, monkeypatch):
    # Closed quarters of the table are the raw orders', its costs are of the same customers.
    orders = orders_of("2023-01", "2026-12", 9)
    world = World(tmp_path, orders, end, 0.3)
    found, _ = seen_of(world, monkeypatch)
    known = set(world.bought_before("2026-01-01")["customer"])
    fresh = [name for name in set(orders["customer"]) if name not in known]
    first = orders[orders["revenue"] > 0].groupby("customer")["date"].min()
    hotels = sorted(set(orders["customer"]))[::4]
    asked = found.tables[ASKED].set_index("quarter")
    for place in range(len(world.horizon.closed) // 3):
        months = world.horizon.months[3 * place : 3 * place + 3]
        row, won = asked.loc[f"Q{place + 1}"], int(first.str[:7].isin(months).sum())
        assert row["new_revenue"] == world.money(months, fresh)
        assert row[["customers", "won_so_far"]].tolist() == [won, won]
        assert row["key_share"] == pytest.approx(world.money(months, hotels) / world.money(months))
    limit = round(0.08 * recent_each(world))
    assert asked["most_cost"].tolist() == [limit * count for count in asked["customers"]]


def recent_each(world: World) -> float:
    """Revenue of the last twelve months over the customers who placed an order in them."""
    months = world.horizon.last_twelve
    bought = world.orders[world.orders["date"].str[:7].isin(months) & (world.orders["revenue"] > 0)]
    return world.money(months) / bought["customer"].nunique()


def test_a_name_nobody_has_is_refused_with_the_nearest(tmp_path):
    world = World(tmp_path, orders_of("2024-01", "2025-12"), "2025-12-31")
    given = customer.Parameters(key_industries=["Hotel", "Clinics"])
    with pytest.raises(ParameterError, match=r"customer\.key_industries: found 'Hotel' \(nearest: 'Hotels'\)"):
        customer.check_names(world.tables, given)
    with pytest.raises(ParameterError, match=r"customer\.candidate_cities: found 'Nort' \(nearest: 'North'\)"):
        customer.check_names(world.tables, customer.Parameters(candidate_cities={"Nort": ["A"]}))
    assert customer.check_names(world.tables, customer.Parameters(**KEY, candidate_cities={"North": ["A"]})) == []
    del world.tables.inputs["customers"]
    assert customer.check_names(world.tables, given) == ["Key industries (Hotel, Clinics): no customer's industry is known."]


def test_a_new_city_counts_from_the_day_its_first_order_is_known_to_be_one(tmp_path):
    # City 0 is there from the start; City 1 opens in 2024-06 and brings 10 a month, City 2 in 2026-02 and 7 in it.
    rows = [(f"{month}-05", "c000", 100) for month in span_of("2023-01", "2026-03")]
    rows += [(f"{month}-05", "c001", 10) for month in span_of("2024-06", "2026-03")]
    rows += [("2026-02-10", "c002", 7)]
    frame = pd.DataFrame(rows, columns=["date", "customer", "revenue"]).assign(region="North", channel="Shop", quantity=1.0)
    frame = frame.assign(product="A", order_id=np.arange(len(frame)).astype(str))
    world = World(tmp_path, frame, "2026-03-31")
    grouped = pd.DataFrame({"customer": ["c000", "c001", "c002"], "segment": "Ordinary"})
    people = customer.people(world.tables, world.horizon, grouped, customer.Parameters())
    coverage = Coverage.of(world.tables.orders(["month"])["month"], "2026-03")
    found = customer.opened(world.tables, people, coverage, world.horizon)

    assert (found.first_year, found.this_year, found.brought) == (120, 1, 7)
    short = customer.opened(world.tables, people, coverage.since("2023-09"), world.horizon)
    assert (short.first_year, short.this_year) == (None, 1)  # the year before June 2024 is not known
    ground = customer.Ground(0, 1, 0, None, None, None, None, 1, 1)
    floor = customer.floors(world.plan, people.iloc[:0], None, found, ground, world.horizon, customer.Parameters())
    # Three open quarters: 3 cities each, 5/8 + 3/8 + 1/8 of a first year; City 2 the 7 it brought and 9/12 of one.
    assert floor == {"new cities open every quarter": round(7 + (3 * 9 / 8 + 9 / 12) * 120)}
