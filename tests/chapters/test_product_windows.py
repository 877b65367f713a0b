"""03 product on short and odd histories: every stage, growth and goal is right or not known (PRD-1 to PRD-3)."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from planlib.chapters import product
from planlib.chapters.product import evidence
from planlib.estimates.season import NO_FESTIVALS, seasonality
from planlib.estimates.windows import Coverage, span_of
from planlib.periods import Horizon

DECEMBER, JUNE = Horizon(2026, 1, date(2025, 12, 31)), Horizon(2026, 1, date(2026, 6, 30))
GIVEN = product.Parameters()


def orders(first: str, last: str, **sells) -> pd.DataFrame:
    """product, month, amount: each product by a function of the month's number, rows only where it is not 0."""
    rows = [
        (name, month, amount(int(month[5:])) if callable(amount) else amount)
        for name, amount in sells.items()
        for month in span_of(first, last)
    ]
    frame = pd.DataFrame(rows, columns=["product", "month", "amount"])
    return frame[frame["amount"] != 0]


def of(history: pd.DataFrame, horizon: Horizon = DECEMBER, **words) -> pd.DataFrame:
    products = words.pop("products", None)
    return product.stages(history, product.Parameters(**words), horizon, products).set_index("product")


def heater(month: int) -> int:
    return 1000 if month in (10, 11, 12, 1, 2) else 0


# Pauses


@pytest.mark.parametrize(("as_of", "name"), [("2026-06-30", "Heater"), ("2025-12-31", "Fan"), ("2026-09-30", "Heater")])
def test_a_seasons_pause_is_no_exit(as_of, name):
    horizon = Horizon(2026, 1, date.fromisoformat(as_of))
    history = orders("2023-01", as_of[:7], Filter=1000, Heater=heater, Fan=lambda month: 1000 if 5 <= month <= 9 else 0)
    found = of(history, horizon)

    assert found.loc[name, "stage"] == "maturity" and found.loc[name, "last_month"] == ""
    assert found.loc[name, "growth"] == pytest.approx(0)
    factors = product.on_sale(found.reset_index(), horizon).set_index("product")["factor"]
    assert (factors == 1).all()


def test_a_season_that_does_not_come_back_is_an_exit():
    history = orders("2023-01", "2025-12", Filter=1000, Heater=heater)
    gone = history[(history["product"] != "Heater") | (history["month"] < "2025-06")]

    assert of(gone).loc["Heater", ["stage", "last_month"]].tolist() == ["exit", "2025-02"]


def test_a_quarter_with_more_returns_than_sales_is_no_exit():
    history = orders("2023-01", "2025-12", Filter=1000, Pump=200).assign(returned=0)
    late = (history["product"] == "Pump") & (history["month"] >= "2025-10")
    history.loc[late, ["amount", "returned"]] = [-100, -300]  # 200 sold, 300 came back

    assert of(history).loc["Pump", "stage"] != "exit"
    nothing = history.assign(returned=np.where(late, -100, 0))  # nothing sold, 100 came back
    assert of(nothing).loc["Pump", "stage"] == "exit"


# Short histories


@pytest.mark.parametrize("months", [3, 6, 11, 13, 14])
def test_under_fifteen_months_a_stage_is_not_known(months):
    first = str(pd.Period("2025-12", freq="M") - months + 1)
    found = of(orders(first, "2025-12", Filter=1000, Pump=200))

    assert set(found["stage"]) == {"not known"} and found["growth"].isna().all()
    told = product.says(found.reset_index(), " and ".join)
    assert "Filter and Pump is not known" in told[-1]
    placed = product.positions(found.reset_index(), totals(), None, None, GIVEN, DECEMBER)
    assert set(placed["quadrant"]) == {"not known"}
    plan = pd.DataFrame({"product": ["Filter", "Pump"], "amount": [12_000, 2400]})
    owed = product.of_quadrants(product.planned(placed, plan, plan), bought_of("2025-01"), GIVEN, DECEMBER)
    assert owed.empty
    matrix = product.matrix(placed, plan, plan, GIVEN)
    assert matrix["plan_share"].sum() == pytest.approx(1)


@pytest.mark.parametrize("months", [15, 18, 23, 24, 25, 36])
def test_a_flat_product_is_flat_however_long_it_is_known(months):
    first = str(pd.Period("2025-12", freq="M") - months + 1)
    found = of(orders(first, "2025-12", Filter=1000, Pump=200))

    assert found["growth"].tolist() == pytest.approx([0, 0]) and set(found["stage"]) == {"maturity"}
    assert found["compared"].tolist() == [min(12, months - 12)] * 2
    part = [text for text in product.says(found.reset_index(), " and ".join) if "two whole years" in text]
    assert bool(part) == (months < 24)


def test_a_product_is_held_against_its_own_months_only():
    # flat since September 2024 in a flat company: sixteen months, four of them known in both years
    history = pd.concat([orders("2022-01", "2025-12", Filter=1000), orders("2024-09", "2025-12", Pump=200)])
    found = of(history)

    assert found.loc["Pump", ["growth", "compared"]].tolist() == [pytest.approx(0), 4]
    assert found.loc["Filter", "pace"] == pytest.approx(0, abs=0.25)


def test_a_missing_month_is_compared_with_nothing():
    history = orders("2023-01", "2025-12", Filter=1000, Pump=200)
    found = of(history[history["month"] != "2025-05"])

    assert found["growth"].tolist() == pytest.approx([0, 0]) and found["compared"].tolist() == [11, 11]


def test_an_introduction_needs_a_start():
    history = pd.concat([orders("2025-06", "2025-12", Filter=1000), orders("2025-09", "2025-12", Pump=200)])
    launched = pd.DataFrame({"product": ["Filter"], "launched": pd.to_datetime(["2019-01-01"])})

    assert of(history)["stage"].to_dict() == {"Filter": "not known", "Pump": "introduction"}
    # a launch that is told is a start: it is old, and its growth is still not known
    assert of(history, products=launched).loc["Filter", ["first_month", "stage"]].tolist() == ["2019-01", "not known"]
    young = launched.assign(launched=pd.to_datetime(["2025-06-01"]))
    assert of(history, products=young).loc["Filter", "stage"] == "introduction"


# Launches


def test_a_test_sale_before_the_launch_is_no_start():
    # one piece in January, the launch in July at 1,000 a month; the rival makes 1,667 a month
    history = pd.concat([
        orders("2023-01", "2025-12", Filter=1667), orders("2025-01", "2025-01", Pump=1), orders("2025-07", "2025-12", Pump=1000)
    ])  # fmt: skip
    products = pd.DataFrame({"product": ["Filter", "Pump"], "launched": pd.to_datetime(["2018-01-01", "2025-07-01"])})
    bought = pd.DataFrame(
        [("Pump", "test", "2025-01", 1)] + [("Pump", f"c{n}", f"2025-{7 + n % 6:02d}", 1000) for n in range(300)],
        columns=["product", "customer", "month", "amount"],
    )
    bought = pd.concat([bought, orders("2023-01", "2025-12", Filter=1667).assign(customer="x")])
    launches = pd.DataFrame({"product": ["Pump"], "target_users": [1000.0]})
    stages = of(history, products=products).reset_index()
    placed = product.positions(stages, totals(), products, None, GIVEN, DECEMBER).set_index("product")
    reached = product.of_stages(stages, bought, launches, None, product.Parameters(reach=0.1), DECEMBER)

    assert placed.loc["Pump", "relative_share"] == pytest.approx(0.60, abs=0.001)
    assert reached.set_index("product").loc["Pump", "found"] == pytest.approx(0.15)
    assert product.starts(stages)["Pump"] == "2025-07"


def test_a_launch_that_lies_ahead_leaves_the_first_sale():
    history = pd.concat([orders("2023-01", "2025-12", Filter=1000), orders("2025-10", "2025-12", Pump=5)])
    products = pd.DataFrame({"product": ["Pump"], "launched": pd.to_datetime(["2026-03-01"])})

    assert of(history, products=products).loc["Pump", ["first_month", "sold_months"]].tolist() == ["2025-10", 3]


# Exits


def test_an_exit_in_june_leaves_what_is_sold_until_june():
    history = orders("2023-01", "2025-12", Filter=1000, Cooler=lambda month: 1000 if month <= 6 else 64)
    season, _ = seasonality(history, NO_FESTIVALS, DECEMBER)
    stages = of(history, exits={"Cooler": "2026-06"}).reset_index()
    part = product.on_sale(stages, DECEMBER, season).set_index("product")["factor"]

    assert part["Cooler"] == pytest.approx(6000 / 6384, abs=0.005) and part["Filter"] == 1
    done = product.on_sale(of(history, exits={"Cooler": "2025-12"}).reset_index(), DECEMBER, season)
    assert done.set_index("product").loc["Cooler", "factor"] == 0


def test_an_exit_after_the_plan_year_changes_nothing_yet():
    history = orders("2023-01", "2025-12", Filter=1000, Pump=200)
    later = of(history, exits={"Pump": "2027-03"})
    placed = product.positions(later.reset_index(), totals(), None, None, GIVEN, DECEMBER)
    plan = pd.DataFrame({"product": ["Filter", "Pump"], "amount": [12_000, 2400]})
    owed = product.of_quadrants(product.planned(placed, plan, plan), bought_of("2023-01"), GIVEN, DECEMBER)
    said = product.sentence(product.planned(placed, plan, plan), owed, DECEMBER, " and ".join)

    assert later.loc["Pump", ["stage", "last_month"]].tolist() == ["maturity", "2027-03"]
    assert "off the market" not in said and "leaving" not in said and not owed["goal"].str.contains("off the market").any()
    soon = of(history, exits={"Pump": "2026-03"}).reset_index()
    placed = product.positions(soon, totals(), None, None, GIVEN, DECEMBER)
    planned = product.planned(placed, plan, plan)
    owed = product.of_quadrants(planned, bought_of("2023-01"), GIVEN, DECEMBER).set_index("goal")
    assert owed.loc["off the market after", "met"] == "open"
    assert "leaving this year: Pump" in product.sentence(planned, owed.reset_index(), DECEMBER, " and ".join)


# Places


def totals() -> pd.DataFrame:
    return pd.DataFrame({"product": ["Filter", "Pump"], "amount": [12_000, 2400]})


def bought_of(first: str) -> pd.DataFrame:
    return orders(first, "2025-12", Filter=1000, Pump=200).assign(customer="c")


def test_a_monopoly_leads_and_an_unknown_rival_is_not_known():
    stages = of(orders("2023-01", "2025-12", Filter=1000, Pump=200)).reset_index()
    products = pd.DataFrame({
        "product": ["Filter", "Pump"], "line": "A", "market_size": [12_000.0, 2400.0], "market_growth": [0.2, 0.2],
        "rival_share": [0.0, np.nan],
    })  # fmt: skip
    placed = product.positions(stages, totals(), products, None, GIVEN, DECEMBER).set_index("product")

    assert placed.loc["Filter", ["quadrant", "basis"]].tolist() == ["star", "market"]
    assert placed.loc["Filter", "market_share"] == 1 and placed.loc["Filter", "relative_share"] == np.inf
    assert placed.loc["Pump", "basis"] == "own orders"


def test_products_without_a_line_are_compared_with_all():
    # three products the table lacks, with a hundredth of the revenue: the largest of them leads nothing
    history = orders("2023-01", "2025-12", Filter=10_000, Small=100, Tiny=20)
    products = pd.DataFrame({"product": ["Filter"], "line": ["A"]})
    placed = product.positions(of(history).reset_index(), totals(), products, None, GIVEN, DECEMBER).set_index("product")

    assert placed.loc["Small", "relative_share"] == pytest.approx(0.01) and placed.loc["Small", "quadrant"] == "dog"


def test_a_day_set_once_stands_and_falls_due():
    history = orders("2023-01", "2026-06", Filter=1000, Pump=200, Fall=lambda month: 200)
    fall = history["product"] == "Fall"
    history.loc[fall, "amount"] = [round(400 * 0.97**n) for n in range(int(fall.sum()))]
    first = history[history["month"] <= "2025-12"]
    market = {"market_size": [24_000.0], "market_growth": [0.0], "rival_share": [0.5]}
    products = pd.DataFrame({"product": ["Pump"], **market})  # where no market is known, no exit is asked for
    stages, bought = of(first).reset_index(), first.assign(customer="c")
    then = product.positions(stages, totals(), products, None, GIVEN, DECEMBER)
    goals = product.of_stages(stages, bought, None, None, GIVEN, DECEMBER)
    now_stages, now_bought = of(history, JUNE).reset_index(), history.assign(customer="c")
    now = product.positions(now_stages, totals(), products, None, GIVEN, JUNE, then).set_index("product")
    owed = product.of_stages(now_stages, now_bought, None, None, GIVEN, JUNE, standing=goals).set_index("product")

    assert then.set_index("product").loc["Pump", ["quadrant", "decide_by"]].tolist() == ["dog", "2026-03-31"]
    assert now.loc["Pump", "decide_by"] == "2026-03-31"
    plan = pd.DataFrame({"product": ["Filter", "Pump", "Fall"], "amount": [12_000, 2400, 1000]})
    placed = product.planned(now.reset_index(), plan, plan)
    due = product.of_quadrants(placed, now_bought, GIVEN, JUNE).set_index("product")
    assert due.loc["Pump", ["met", "by"]].tolist() == ["no", "2026-03-31"]
    assert owed.loc["Fall", ["met", "by"]].tolist() == ["no", "2026-03-31"]
    # without a plan in force the days begin today
    fresh = product.positions(now_stages, totals(), products, None, GIVEN, JUNE).set_index("product")
    assert fresh.loc["Pump", "decide_by"] == "2026-09-30"


def test_a_question_mark_has_until_its_day():
    stages = of(orders("2023-01", "2025-12", Filter=1000, Pump=200)).reset_index()
    products = pd.DataFrame({"product": ["Pump"], "market_size": [24_000.0], "market_growth": [0.3], "rival_share": [0.5]})
    plan = pd.DataFrame({"product": ["Filter", "Pump"], "amount": [12_000, 2400]})
    placed = product.planned(product.positions(stages, totals(), products, None, GIVEN, DECEMBER), plan, plan)
    owed = product.of_quadrants(placed, bought_of("2023-01"), GIVEN, DECEMBER).set_index("product")

    assert owed.loc["Pump", ["found", "met", "by"]].tolist() == [pytest.approx(1 / 1.3), "open", "2026-06-30"]


# Evidence


def test_a_quarters_growth_needs_a_whole_quarter_a_year_before():
    # thirteen flat months: one of the three months a year before; the quarter before is whole
    flat = bought_of("2024-12")
    mine = flat[flat["product"] == "Pump"]

    assert evidence.a_quarter(mine, Coverage("2024-12", "2025-12"), DECEMBER) == pytest.approx(0)
    assert evidence.a_quarter(mine, Coverage("2024-10", "2025-12"), DECEMBER) is not None
    assert evidence.a_quarter(mine, Coverage("2025-09", "2025-12"), DECEMBER) is None


def test_steady_customers_are_not_new_because_the_orders_begin():
    # ten old customers buy every month and one new one comes each year; the orders begin with them
    rows = [("Pump", f"old{n}", month, 10) for n in range(10) for month in span_of("2024-01", "2025-12")]
    rows += [("Pump", "new24", "2024-06", 10), ("Pump", "new25", "2025-06", 10)]
    bought = pd.DataFrame(rows, columns=["product", "customer", "month", "amount"])
    marketing = pd.DataFrame({"month": span_of("2022-01", "2025-12"), "spend": 100})
    old, coverage = {"Pump": Coverage("2024-01", "2025-12")}, Coverage("2024-01", "2025-12")

    assert evidence.acquisition(bought, marketing, old, {"Pump": False}, coverage, DECEMBER) == {}
    # with the year before them known, or a start of its own in it, the ten are told from the new
    steady = bought[bought["customer"].str.startswith("old") & (bought["month"] < "2025")]
    longer = pd.concat([steady.assign(month=steady["month"].str.replace("2024", "2023")), bought])
    known = {"Pump": Coverage("2023-01", "2025-12")}
    whole = evidence.acquisition(longer, marketing, known, {"Pump": False}, known["Pump"], DECEMBER)
    assert whole == {"Pump": pytest.approx(0)}  # 1,200 for one new customer in either year
    # marketing that begins within the two years cannot be compared
    late = marketing[marketing["month"] >= "2024-06"]
    assert evidence.acquisition(longer, late, known, {"Pump": False}, known["Pump"], DECEMBER) == {}


def test_months_until_decline_are_not_met_when_nobody_knows():
    stages = of(orders("2023-01", "2025-12", Filter=1000, Pump=200)).reset_index()
    bought = bought_of("2023-01")

    def told(**pace) -> str:
        goals = product.of_stages(stages.assign(**pace), bought, None, None, GIVEN, DECEMBER)
        return goals[(goals["product"] == "Pump") & (goals["goal"] == "months until decline")]["met"].iloc[0]

    assert told(pace=0.0, pace_before=np.nan) == "not known"
    assert told(pace=0.1, pace_before=0.0) == "yes" and told(pace=0.0, pace_before=0.1) == "open"


def test_who_stays_needs_two_whole_years():
    bought = bought_of("2025-03").assign(cost=1)

    assert evidence.lifetime_value(bought, {"c"}, Coverage("2025-03", "2025-12"), DECEMBER) is None
    whole = bought_of("2024-01").assign(cost=1)
    assert evidence.lifetime_value(whole, {"c"}, Coverage("2024-01", "2025-12"), DECEMBER) is not None


def test_first_buyers_of_what_sold_before_the_orders_begin_are_not_known():
    bought = bought_of("2025-03")

    assert evidence.first_buyers(bought, "Pump", "2025-02", 3, Coverage("2025-03", "2025-12")) == (None, True)
    assert evidence.first_buyers(bought, "Pump", "2025-03", 3, Coverage("2025-03", "2025-12")) == (1, True)


WON = pd.DataFrame({"product": ["Pump"], "customer": ["c"]})


def test_marketing_known_for_half_a_year_counts_at_its_monthly_mean():
    stages = of(orders("2023-01", "2025-12", Filter=1000, Pump=200)).reset_index()
    recent = totals().assign(cost=[6000, 1200])
    half = pd.DataFrame({"month": span_of("2025-07", "2025-12"), "spend": 120})
    placed = product.positions(stages, recent, None, half, GIVEN, DECEMBER, coverage=Coverage("2023-01", "2025-12"))

    assert placed["margin"].tolist() == pytest.approx([0.5 - 1440 / 14_400] * 2)


def test_a_launch_before_the_orders_begin_is_not_judged_by_what_is_left():
    history = orders("2025-06", "2025-12", Filter=1000, Pump=200)
    products = pd.DataFrame({"product": ["Filter", "Pump"], "launched": pd.to_datetime(["2019-01-01", "2025-04-01"])})
    launches = pd.DataFrame({"product": ["Pump"], "target_users": [10.0], "core_channels": [np.nan], "spend": [100.0]})
    carried = history.assign(channel="A")
    stages, bought = of(history, products=products).reset_index(), history.assign(customer="c", cost=10)
    found = product.of_launches(stages, bought, carried, launches, WON, GIVEN, DECEMBER).set_index("goal")

    assert set(found["met"]) == {"not known"}
    # with the orders reaching back, one of two channels carries it: a number of core channels that is missing is not 1
    early = pd.concat([history.assign(month=history["month"].str.replace("2025", "2024")), history])
    both = pd.concat([carried, early[early["product"] == "Filter"].assign(channel="B")])
    known = Coverage("2024-06", "2025-12")
    told = product.of_launches(stages, early.assign(customer="c", cost=10), both, launches, WON, GIVEN, DECEMBER, known)
    assert told.set_index("goal").loc["core channels that carry it", "found"] == pytest.approx(0.5)


def test_nothing_is_missed_where_nothing_can_be_told():
    stages = of(orders("2025-10", "2025-12", Filter=1000, Pump=200)).reset_index()
    plan = pd.DataFrame({"product": ["Filter", "Pump"], "amount": [12_000, 2400]})
    placed = product.planned(product.positions(stages, totals(), None, None, GIVEN, DECEMBER), plan, plan)
    owed = product.of_quadrants(placed, bought_of("2025-10"), GIVEN, DECEMBER)

    assert product.sentence(placed, owed, DECEMBER, " and ".join) == (
        "No product's place in the portfolio is known; no goal of stage or quadrant can be told yet."
    )
    assert product.verdict(owed).endswith("nothing that can be told yet")


@pytest.mark.parametrize("other", [("2025-07", "2025-12"), ("2023-01", "2025-03"), ("2023-01", "2024-06")])
def test_another_ones_start_or_end_moves_no_stage(other):
    history = pd.concat([orders("2023-01", "2025-12", Filter=1000, Pump=200), orders(*other, Heater=3000)])
    found = of(history)

    assert found.loc[["Filter", "Pump"], "stage"].tolist() == ["maturity"] * 2
    assert found.loc[["Filter", "Pump"], "pace"].tolist() == pytest.approx([0, 0])


def test_what_began_within_last_year_has_no_growth_over_it():
    history = pd.concat([orders("2023-01", "2025-12", Filter=1000), orders("2025-07", "2025-12", Pump=1000)])
    stages = of(history).reset_index()
    market = pd.DataFrame({"product": ["Filter", "Pump"], "market_size": 20_000, "rival_share": 0.1, "market_growth": 0.2})
    year = history[history["month"] >= "2025-01"].groupby("product")["amount"].sum().reset_index()
    placed = product.positions(stages, year, market, None, GIVEN, DECEMBER)
    plan = pd.DataFrame({"product": ["Filter", "Pump"], "amount": [12_000, 12_000]})

    goals = product.of_quadrants(product.planned(placed, plan, year, ["Pump"]), bought_of("2025-01"), GIVEN, DECEMBER)
    owed = goals[goals["goal"] == "planned growth"].set_index("product")["met"].to_dict()
    assert owed == {"Filter": "no", "Pump": "not known"}
    assert product.matrix(placed, plan, year, GIVEN, ["Pump"]).set_index("quadrant").loc["star", "growth"] == pytest.approx(0)


def test_no_launch_is_told_only_where_it_is_known():
    long = of(orders("2023-01", "2025-12", Filter=1000)).reset_index()
    short = of(orders("2025-06", "2025-12", Filter=1000, Pump=200)).reset_index()

    assert product.says_none(long, DECEMBER) == "No product was launched in the last twelve months."
    assert product.says_none(short, DECEMBER) == (
        "Whether Filter, Pump were launched in the last twelve months is not known: orders begin in 2025-06, and no day of the "
        "launch is given."
    )


def test_the_bridge_says_who_moves_or_that_nobody_does():
    steps = pd.DataFrame({"member": ["Filter", "Pump"], "step": "stage", "effect": [0.031, -0.031]})

    assert product.told_effects(steps) == "Filter +3.1 points of share, Pump -3.1 points of share"
    still = "Last year's shares stand: no driver and no rule moves them"
    assert product.told_effects(steps.assign(effect=[0.0002, -0.0002])) == still


@pytest.mark.parametrize(
    ("missed", "count", "said"),
    [
        (0, 3, "none of 3 goals of stage and quadrant is missed, 3 open."),
        (1, 3, "1 of 3 goals of stage and quadrant is missed, 2 open."),
        (2, 3, "2 of 3 goals of stage and quadrant are missed, 1 open."),
        (1, 1, "the one goal of stage and quadrant is missed."),
        (0, 1, "the one goal of stage and quadrant is open."),
    ],
)
def test_missed_goals_are_told_of_none_one_and_many(missed, count, said):
    placed = pd.DataFrame({"product": ["Filter"], "quadrant": ["dog"], "last_month": [""], "plan_share": [1.0]})
    goals = pd.DataFrame({"met": ["no"] * missed + ["open"] * (count - missed)})

    assert product.sentence(placed, goals, DECEMBER, " and ".join).endswith(f"; {said}")
