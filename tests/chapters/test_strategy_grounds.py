"""01 strategy: market, rivals, funnel, positions, pyramid, dependencies, resources and key areas, by hand and on the sample."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from planlib import plan
from planlib.chapters import strategy
from planlib.errors import ParameterError, TieOutError
from planlib.estimates.windows import Coverage
from planlib.formatting import Reader
from planlib.lp import split
from planlib.periods import Horizon, months

YEAR_END = Horizon(2026, 1, date(2025, 12, 31))
STEM = "01-strategy"


def monthly(**years: float) -> pd.DataFrame:
    rows = [(month, amount) for year, amount in years.items() for month in months(int(year[1:]))]
    return pd.DataFrame(rows, columns=["month", "amount"])


def kpi(**named: dict[int, float]) -> pd.DataFrame:
    """A measure with the same value in every month of a year: wins={2025: 3}."""
    rows = [(month, name, float(v)) for name, by in named.items() for year, v in by.items() for month in months(year)]
    return pd.DataFrame(rows, columns=["month", "kpi", "value"])


def show(value, form="money"):
    return Reader("en", "CNY").show(value, form)


# STR-1 to STR-3 on the sample -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "metric", "value"),
    [
        ({"margin": 0.47}, "Gross margin", 0.47),  # STR-1
        ({"market_share": 0.05}, "Market share", 0.05),
        ({"new_market_share": 0.2}, "Revenue from new markets", 0.2),
        ({"marketing_ratio": 0.1}, "Marketing cost, at most", 0.1),
        ({"new_leads": 4000}, "New valid leads a year", 4000),  # STR-2
        ({"repurchase_rate": 0.4}, "Repurchase rate", 0.4),
        ({"nps_rank": 0.2}, "NPS, rank in the industry", 0.2),
        ({"launches": 1}, "Product launches", 1),  # STR-3
        ({"upgrades": 15}, "Product upgrades", 15),
    ],
)
def test_each_target_follows_its_parameter_and_its_chance_with_it(open_sample, words, metric, value):
    def goals(**given):
        chapter = open_sample(STEM, **given)
        tables = (chapter.tables.get(name) for name in ("kpis", "marketing"))
        found = strategy.targets(chapter.parameters, 10**10, chapter.orders("month"), chapter.horizon, *tables)
        return found.set_index("metric")

    before, after = goals(), goals(**words)
    harder = value < before.loc[metric, "value"] if before.loc[metric, "at_most"] else value > before.loc[metric, "value"]

    assert after.loc[metric, "value"] == value
    assert before["baseline"].notna().all() and before["probability"].between(0, 1).all()
    assert (after.loc[metric, "probability"] < before.loc[metric, "probability"]) == harder
    others = before.index.drop(metric)
    pd.testing.assert_frame_equal(after.loc[others], before.loc[others])


def test_growth_lowers_the_chance_of_the_revenue_target(open_sample):
    chapter = open_sample(STEM)
    ahead = strategy.outlook(chapter.orders("month"), chapter.horizon)
    chances = [ahead.chance(round(9_502_358_785 * (1 + growth))) for growth in (0.0, 0.15, 0.30, 0.60)]

    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.7 and chances[3] < 0.1


# STR-4 ----------------------------------------------------------------------------------------------------------------


def test_market_growth_is_compound_plus_the_stated_drivers():
    # STR-4: (1.1 * 1.2 * 1.3)^(1/3) - 1, one policy of 2 points; a share of 10% at +50% in such a market
    kpis = kpi(industry_growth={2023: 0.1, 2024: 0.2, 2025: 0.3}, market_share={2025: 0.10})
    driver = {"Subsidy": strategy.Driver(kind="policy", effect=0.02)}
    told = strategy.market(kpis, monthly(y2024=100, y2025=100), YEAR_END, driver, 1800).set_index("year")
    industry = (1.1 * 1.2 * 1.3) ** (1 / 3) - 1 + 0.02

    assert told.loc["2026 target", "industry_growth"] == pytest.approx(industry)
    assert told.loc["2026 target", "company_growth"] == pytest.approx(0.5)
    assert told.loc["2026 target", "market_share"] == pytest.approx(0.10 * 1.5 / (1 + industry))
    assert told.loc["2025", "company_growth"] == 0 and pd.isna(told.loc["2024", "company_growth"])
    assert "Subsidy (policy, +2.0%)" in told.loc["2026 target", "drivers"]


def test_without_industry_growth_there_is_no_market_table():
    assert strategy.market(None, monthly(y2025=1), YEAR_END, {}, 1).empty
    assert strategy.market(kpi(nps={2025: 1}), monthly(y2025=1), YEAR_END, {}, 1).empty


def test_rivals_are_scored_and_placed():
    # STR-4
    rivals = pd.DataFrame(
        [("A", 0.2, 1.10, 0.9, 4, 2, 3, 1), ("B", 0.3, 0.80, 0.4, 1, 3, 1, 5), ("C", 0.1, 1.04, 0.5, 4, 2, 1, 5)],
        columns=["rival", "share", "price_index", "coverage", "strength", "weakness", "opportunity", "threat"],
    )
    told = strategy.rivals(rivals, 0.05).set_index("rival")

    assert told.index.tolist() == ["B", "A", "C"]
    assert told["swot"].to_dict() == {"A": 4, "B": -6, "C": -2}
    assert told["stance"].to_dict() == {"A": "attack", "B": "watch", "C": "hold"}
    assert told["price_position"].to_dict() == {"A": "+10%", "B": "-20%", "C": "level"}
    assert told["uncovered"].to_dict() == pytest.approx({"A": 0.1, "B": 0.6, "C": 0.5})
    assert strategy.rivals(rivals, 0.10)["price_position"].tolist().count("level") == 2
    assert strategy.rivals(rivals[["rival", "share"]], 0.05)["price_position"].tolist() == ["", "", ""]
    assert strategy.rivals(rivals.drop(columns="threat"), 0.05)["stance"].tolist() == ["", "", ""]  # not scored: no stance


def test_the_funnel_is_a_ratio_of_sums():
    counts = kpi(visits={2024: 100, 2025: 100}, leads={2024: 10, 2025: 20}, valid_leads={2025: 10}, wins={2025: 1})
    told = strategy.funnel(counts, YEAR_END).set_index("step")

    assert told.loc["leads from visits", ["2024", "2025", "last_twelve_months"]].tolist() == [0.1, 0.2, 0.2]
    assert pd.isna(told.loc["leads from visits", "2023"])
    assert told.index.tolist() == ["leads from visits", "valid leads from leads"]


def test_a_return_never_stands_without_its_interval(open_sample):
    # STR-4: ROI by activity, acquisition cost
    chapter = open_sample(STEM)
    marketing = chapter.tables.get("marketing")
    narrow = strategy.activities(marketing, chapter.horizon, 1000, 0.5)
    wide = strategy.activities(marketing, chapter.horizon, 1000, 0.95)
    bare = strategy.activities(marketing[["month", "activity", "spend"]], chapter.horizon, 1000)

    assert narrow["return_"].iloc[:-1].str.contains(r"^\d.*\(\d.* to \d.*\)$").all()
    assert (narrow["return_"].iloc[:-1] != wide["return_"].iloc[:-1]).all()
    assert (bare["return_"] == "–").all() and bare["revenue"].isna().all()
    total = bare.iloc[-1]
    assert total["spend"] == bare["spend"].iloc[:-1].sum() and total["acquisition_cost"] == pytest.approx(total["spend"] / 1000)


def test_acquisition_cost_by_channel():
    marketing = pd.DataFrame({"month": months(2025), "channel": "Online", "spend": 10})
    won = pd.DataFrame({"channel": ["Online", "Shop"], "customers": [6, 4]})
    told = strategy.by_channel(marketing, won, YEAR_END)

    assert told.to_dict("records") == [{"channel": "Online", "spend": 120, "customers_won": 6, "acquisition_cost": 20.0}]
    assert strategy.by_channel(marketing.drop(columns="channel"), won, YEAR_END).empty


STAFF = pd.DataFrame(
    [("P1", "Jiangsu", "Regional manager"), ("P2", "Jiangsu", "Specialist"), ("P3", "Hubei", "Regional manager")],
    columns=["person", "region", "role"],
).assign(hired="2020-01-01", left=[None, None, None])


def test_capacity_says_what_is_short():
    # STR-4: three people bring 1,000; 1,500 at 20% more a head asks for four
    channels = pd.DataFrame({"channel": ["a"], "capacity": [1400]})
    marketing = pd.DataFrame({"month": months(2025), "spend": 10})
    products = pd.concat([monthly(y2025=1).assign(product=name) for name in "xy"])
    told = strategy.capacity(1500, 1000, YEAR_END, STAFF, products, channels, ["a"], marketing, 0.2, 0.2)
    told = told.set_index("resource")

    assert told["required"].to_dict() == {"people": 4, "channel capacity": 1500, "marketing money": 180, "products": 2}
    assert told["lack"].to_dict() == {"people": 1, "channel capacity": 100, "marketing money": 0, "products": 0}


# STR-5 ----------------------------------------------------------------------------------------------------------------


def test_momentum_moves_with_its_priors(open_sample):
    # STR-5: believing less of the trend lowers the baseline, a larger usual error widens its interval.
    chapter = open_sample(STEM)
    history = chapter.orders("month")
    usual = strategy.outlook(history, chapter.horizon, 0.5, 0.15)
    doubting = strategy.outlook(history, chapter.horizon, 0.0, 0.15)
    wide = strategy.outlook(history, chapter.horizon, 0.5, 0.30)

    assert 0 < doubting.growth < usual.growth < 0.25
    assert wide.spread > usual.spread
    path = strategy.momentum(history, chapter.horizon, usual)
    low, high = strategy.band(path, usual, 0.8)
    assert low < path["amount"].sum() < high
    lower, higher = strategy.band(path, usual, 0.95)
    assert lower < low and higher > high


def test_closed_months_are_certain(open_sample):
    chapter = open_sample(STEM, as_of="2026-03-31")
    history = chapter.orders("month")
    ahead = strategy.outlook(history, chapter.horizon)
    path = strategy.momentum(history, chapter.horizon, ahead)
    lines = strategy.drawn(path, ahead, 0.8).pivot(index="month", columns="series", values="amount")

    assert ahead.months["month"].tolist() == chapter.horizon.open
    assert (lines.loc["2026-01":"2026-03", "low"] == lines.loc["2026-01":"2026-03", "high"]).all()
    assert (lines.loc["2026-04":, "low"] < lines.loc["2026-04":, "high"]).all()


# STR-6 ----------------------------------------------------------------------------------------------------------------

ORDERS = pd.DataFrame(
    [(i, m, a * (2 if m >= "2025" and i == "Clinics" else 1), a // 2 if i == "Clinics" else a)
     for i, a in (("Clinics", 100), ("Hotels", 300)) for m in [*months(2024), *months(2025)]],
    columns=["industry", "month", "amount", "cost"],
)  # fmt: skip
POSITION = strategy.Position(proposition="clean water", target="Revenue")


def test_segments_by_growth_and_margin():
    # STR-6: clinics doubled to 2,400 (all of the growth) at 75% margin; the company's is 1 - 4,200 / 6,000 = 30%
    told = strategy.segments(ORDERS, "industry", YEAR_END).set_index("segment")

    assert told.loc["Clinics", ["share", "growth", "growth_brought", "rank"]].tolist() == [0.4, 1.0, 1.0, 1]
    assert told.loc["Clinics", "fit"] == pytest.approx(0.75 / 0.30)
    assert told.loc["Hotels", ["growth", "growth_brought"]].tolist() == [0.0, 0.0]
    assert (strategy.segments(ORDERS.drop(columns="cost"), "industry", YEAR_END)["fit"].isna()).all()


def test_each_position_names_a_segment_and_a_target_that_exist():
    known = strategy.segments(ORDERS, "industry", YEAR_END)
    told = strategy.positions(known, {"Hotels": POSITION}, 2, ["Revenue"]).set_index("segment")

    assert told.index.tolist() == ["Hotels", "Clinics"]
    assert told["gap"].to_dict() == {"Hotels": "", "Clinics": "no value proposition stated"}
    assert len(strategy.positions(known, {"Hotels": POSITION}, 1, ["Revenue"])) == 1
    with pytest.raises(ParameterError, match=r"'Hotel'.*Hotels"):
        strategy.positions(known, {"Hotel": POSITION}, 2, ["Revenue"])
    with pytest.raises(ParameterError, match="'Revenue', which is no target"):
        strategy.positions(known, {"Hotels": POSITION}, 2, ["Repurchase rate"])


def test_segments_are_industries_where_known_else_products():
    everyone = pd.DataFrame({"customer": ["1", "2"]})
    by, groups = strategy.segmentation(pd.DataFrame({"customer": ["1"], "industry": ["Hotels"]}), everyone)

    assert by == "industry" and groups["industry"].tolist() == ["Hotels", "Unknown"]
    assert strategy.segmentation(None, everyone)[0] == "product"
    assert strategy.segmentation(groups, pd.DataFrame({"customer": ["all"]}))[0] == "product"


# MET-1 on the sample --------------------------------------------------------------------------------------------------


def test_the_line_of_achievable_decides_how_many_targets_pass(open_sample):
    # MET-1
    def passing(line: float) -> int:
        chapter = open_sample(STEM, achievable_from=line)
        tables = (chapter.tables.get(name) for name in ("kpis", "marketing"))
        goals = strategy.targets(chapter.parameters, 12_353_066_420, chapter.orders("month"), chapter.horizon, *tables)
        return int(chapter.targets(goals)["smart"].sum())

    assert passing(0.0) == 10 > passing(0.10) > passing(0.5) > passing(1.0) == 0


# MET-2 ----------------------------------------------------------------------------------------------------------------


def test_the_books_pyramid():
    # MET-2: 100 m -> sales 60 m -> East 30 m -> a representative 2 m, exact at every level
    weights = pd.DataFrame({"team": ["East", "West"], "region": ["Jiangsu", "Sichuan"], "weight": [50, 50]})
    people = pd.DataFrame({"person": [f"R{n:02d}" for n in range(15)], "region": "Jiangsu"})
    told = strategy.pyramid(100_000_000, {"Sales": 0.6, "Others": 0.4}, weights, people, "Sales")
    amounts = told[told["name"] != "not assigned"].set_index("name")["amount"]

    assert amounts[["Company", "Sales", "Sales / East", "R00"]].tolist() == [100_000_000, 60_000_000, 30_000_000, 2_000_000]
    assert strategy.levels(told)["amount"].tolist() == [100_000_000] * 4
    assert strategy.levels(told).set_index("level").loc["person", "not_assigned"] == 70_000_000


def test_every_level_sums_to_the_cent_whatever_the_shares(open_sample):
    chapter = open_sample(STEM)
    weights = strategy.teams(chapter.last_year("region"), chapter.tables.get("regions"))
    people = strategy.present(chapter.tables.get("staff"), chapter.horizon)
    shares = {"Sales": 1 / 3, "Online": 1 / 3, "Key accounts": 1 - 2 / 3}
    told = strategy.pyramid(12_353_066_421, shares, weights, people, "Sales")
    shuffled = strategy.pyramid(12_353_066_421, shares, weights[::-1], people[::-1], "Sales")

    assert told.groupby("level")["amount"].sum().eq(12_353_066_421).all()
    assert told[(told["level"] == "person") & (told["parent"].str.startswith("Sales"))]["name"].is_unique
    pd.testing.assert_frame_equal(told, shuffled)
    named = strategy.levels(strategy.pyramid(10**9, {"Sales": 1.0}, weights, people, "Sales")).set_index("level")
    assert named.loc["person", "not_assigned"] == 0 and named.loc["person", "members"] == len(people)


def test_a_pyramid_that_does_not_sum_is_refused():
    weights = strategy.teams(pd.DataFrame({"region": ["a", "b"], "amount": [1, 2]}), None)
    told = strategy.pyramid(100, {"Sales": 1.0}, weights)
    told.loc[told["name"] == "Sales / a", "amount"] += 1

    assert weights["team"].tolist() == ["a", "b"]  # no areas: each region is a team
    with pytest.raises(TieOutError, match="'Sales'"):
        strategy.check_pyramid(told)


# MET-3 ----------------------------------------------------------------------------------------------------------------


def test_milestones_stand_as_of_a_day(open_sample):
    # MET-3
    chapter = open_sample(STEM, as_of="2026-03-31")
    table = chapter.tables.get("milestones")
    goals = list(table["target"].unique())
    march = strategy.milestones(table, goals, "2026-03-31", 30).set_index("milestone")["state"]
    year_end = strategy.milestones(table, goals, "2025-12-31", 30)["state"]

    assert march.value_counts().to_dict() == {"open": 6, "done": 5, "due soon": 2, "late": 1}
    assert march["Healthcare key-account team trained"] == "late"
    assert (year_end == "open").all()
    assert (strategy.milestones(table, goals, "2026-03-31", 366)["state"] == "open").sum() == 0
    assert (strategy.milestones(table, goals, "2026-03-31", 0)["state"] == "due soon").sum() == 0


def test_the_matrix_shows_the_next_milestone_each_owes():
    table = pd.DataFrame(
        [("Training", "Revenue", "People", "Sales", "2026-03-01", None),
         ("Offer", "Revenue", "People", "Sales", "2026-02-01", "2026-02-01"),
         ("Report", "Margin", "Finance", "Sales", "2026-06-01", None)],
        columns=["milestone", "target", "department", "owes_to", "due", "done"],
    )  # fmt: skip
    listed = strategy.milestones(table, ["Revenue"], "2026-03-31", 30)
    told = strategy.matrix(listed).set_index("target")

    assert told.columns.tolist() == ["Finance", "People"]
    assert told.loc["Revenue"].tolist() == ["", "Sales, 2026-03-01: late (1 of 2 done)"]
    assert listed.set_index("milestone")["note"].to_dict() == {
        "Offer": "done without proof", "Training": "", "Report": "no such target",
    }  # fmt: skip
    assert strategy.matrix(strategy.milestones(None, [], "2026-03-31", 30)).empty


# MET-4 ----------------------------------------------------------------------------------------------------------------


def opened(count: int, budget: float = 0.15, managers: int = 2, limit: int = 1300) -> pd.DataFrame:
    marketing = pd.DataFrame({"month": months(2025), "spend": 100})
    roles = ["Regional manager"]
    told = strategy.new_regions(count, budget, managers, YEAR_END, marketing, limit, STAFF, roles, ["Jiangsu"], 0.0)
    return told.set_index("resource")


def test_three_new_regions_ask_for_budget_and_two_managers():
    # MET-4: 15% of 1,200; one of the two managers leads a region that is sold in, the other is free
    told = opened(3)

    assert told.loc["budget", ["required", "available", "lack"]].tolist() == [180, 100, 80]
    assert told.loc["managers", ["required", "available", "lack"]].tolist() == [2, 1, 1]
    assert opened(6).loc["managers", "required"] == 4 and opened(1).loc["managers", "required"] == 1
    assert opened(3, budget=0.30).loc["budget", "required"] == 360
    assert opened(3, managers=1).loc["managers", "lack"] == 0
    assert opened(3, limit=1400).loc["budget", "lack"] == 0
    assert opened(0).empty


def test_a_team_that_grows_asks_for_people():
    weights = pd.DataFrame({"team": ["East"] * 2, "region": ["Jiangsu", "Hubei"], "weight": [1, 1]})
    last = pd.concat([monthly(y2025=a / 12).assign(region=r) for r, a in (("Jiangsu", 600), ("Hubei", 408))])
    pyramid = strategy.pyramid(1512, {"Sales": 0.5, "Online": 0.5}, weights)

    def needed(productivity: float) -> list[int]:
        told = strategy.people(pyramid, weights, last, YEAR_END, STAFF, productivity)
        return told[["required", "available", "lack"]].iloc[0].tolist()

    assert needed(0.0) == [5, 3, 2]  # 3 * 1.5, rounded up
    assert needed(0.5) == [3, 3, 0]
    text, lacks = strategy.resources([strategy.people(pyramid, weights, last, YEAR_END, STAFF, 0.0)], show)
    assert lacks == ["East lacks 2 people"] and text["lack"].tolist() == ["2"]
    assert strategy.people(pyramid, weights, last, YEAR_END, None, 0.0).empty


# MET-5 ----------------------------------------------------------------------------------------------------------------


def goals(**values: tuple[float, float]) -> pd.DataFrame:
    names = {"markets": "Revenue from new markets", "repurchase": "Repurchase rate", "launches": "Product launches"}
    names["leads"] = "New valid leads a year"
    rows = [(names[name], *pair, "Board") for name, pair in values.items()]
    return pd.DataFrame(rows, columns=["metric", "baseline", "value", "owner"])


def test_a_point_of_conversion_is_worth_what_the_funnel_says():
    # MET-5: 12 wins a year brought 2,400; a win is worth 200; at 10% a point of the rate is a tenth more wins: 240
    counts = kpi(quotes={2024: 10, 2025: 10}, wins={2024: 2, 2025: 1}, valid_leads={2025: 20})
    rates = strategy.funnel(counts, YEAR_END)
    customers = strategy.Customers(active=10, revenue=10_000, won=5, won_revenue=2_400)
    wanted = goals(markets=(0.10, 0.15), repurchase=(0.40, 0.45), leads=(240, 300), launches=(0, 2))
    told = strategy.levers(wanted, 12_000, 10_000, 10_000, rates, counts, customers, 500, {}, YEAR_END).set_index("source")

    assert told.loc["conversion: wins from quotes", ["per_unit", "from", "to", "gain"]].tolist() == [240, 0.1, 0.2, 2400]
    assert told.loc["valid leads", ["per_unit", "gain"]].tolist() == [10, 600]  # 2,400 / 240 each, 60 more
    assert told.loc["new markets", ["per_unit", "gain"]].tolist() == [120, 800]  # 15% of 12,000 less 10% of 10,000
    assert told.loc["repurchase", ["per_unit", "gain"]].tolist() == [100, 500]  # 5 points of 10,000
    assert told.loc["launches", ["per_unit", "gain"]].tolist() == [250, 500]  # half a year each


def test_a_benchmark_replaces_the_own_best_year():
    counts = kpi(leads={2025: 10}, valid_leads={2025: 5}, quotes={2024: 10, 2025: 10}, wins={2024: 2, 2025: 1})
    rates = strategy.funnel(counts, YEAR_END)
    own = strategy.bottleneck(rates, {}).iloc[0]
    told = strategy.bottleneck(rates, {"valid_leads": 0.9, "wins": 0.12}).iloc[0]

    assert own[["step", "reference", "source", "shortfall"]].tolist() == ["wins from quotes", 0.2, "own best year", 0.5]
    assert told[["step", "reference", "source"]].tolist() == ["valid leads from leads", 0.9, "benchmark"]
    with pytest.raises(ParameterError, match="'won'"):
        strategy.bottleneck(rates, {"won": 0.3})


LEVERS = pd.DataFrame(
    {"source": list("abcdef"), "metric": "Revenue", "unit": "1", "per_unit": 1, "gain": [50, 20, 12, 10, 8, 0]}
)


@pytest.mark.parametrize(("pareto", "most", "count"), [(0.80, 5, 3), (0.92, 5, 4), (1.0, 5, 5), (1.0, 3, 3), (0.5, 5, 3)])
def test_three_to_five_areas_make_up_the_impact(pareto, most, count):
    # MET-5: 50 + 20 + 12 = 82%
    told = strategy.key_areas(LEVERS, pareto, most)

    assert told["area"].tolist() == list("abcdef")[:count]
    assert told["cumulative"].iloc[2] == pytest.approx(0.82)


def test_areas_are_reviewed_after_each_open_quarter():
    wanted = pd.DataFrame({"metric": ["Revenue"], "owner": ["Board"]})
    told = strategy.reviews(LEVERS.head(1).rename(columns={"source": "area"}), wanted, Horizon(2026, 1, date(2026, 3, 31)), 10)

    assert told["date"].tolist() == ["2026-07-10", "2026-10-10", "2027-01-10"]
    assert told["expected"].tolist() == [16, 33, 50] and (told["owner"] == "Board").all()


def test_only_binding_rules_with_a_price_per_point_are_leverage():
    rules = pd.DataFrame(
        [("02-region", "cap", True, 12.4, "point"), ("02-region", "floor", False, 0.0, "point"),
         ("03-product", "lock", True, 9.0, "unit of money"), ("04-channel", "room", True, 30.6, "point")],
        columns=["chapter", "rule", "binds", "price", "per"],
    )  # fmt: skip

    assert strategy.priced(rules)["rule"].tolist() == ["room", "cap"]
    assert strategy.priced(rules)["per_unit"].tolist() == [31, 12]
    assert strategy.priced(None).empty


def test_won_customers_and_launches_are_read_off_the_orders():
    first = pd.DataFrame({"customer": ["a", "b"], "first": pd.to_datetime(["2024-05-01", "2025-02-01"])})
    orders = pd.DataFrame({"customer": ["a", "b", "b"], "channel": ["x", "x", "y"], "amount": [10, 1, 4]})
    known = Coverage.of([*months(2024), *months(2025)], "2025-12")
    told = strategy.bought(first, orders, YEAR_END, known)

    assert (told.active, told.revenue, told.won, told.won_revenue) == (2, 15, 1, 5)
    assert told.by_channel.to_dict("records") == [{"channel": "y", "customers": 1}]
    assert strategy.bought(first, orders.assign(customer="all"), YEAR_END, known).active is None
    rows = [("old", m, 10) for m in [*months(2024), *months(2025)]] + [("new", m, 30) for m in months(2025)[6:]]
    # six months of 30 make 360 a year; a product that was there from the start is no launch
    assert strategy.launched(pd.DataFrame(rows, columns=["product", "month", "amount"]), YEAR_END) == (1, 360)
    assert strategy.launched(pd.DataFrame(rows[:24], columns=["product", "month", "amount"]), YEAR_END) == (0, None)


def test_row_order_changes_nothing(open_sample):
    chapter = open_sample(STEM)
    rng = np.random.default_rng(0)
    kpis, history = chapter.tables.get("kpis"), chapter.orders("month")
    mixed = kpis.iloc[rng.permutation(len(kpis))]
    found = [
        strategy.targets(chapter.parameters, 10**10, rows, chapter.horizon, table, None)
        for table, rows in ((kpis, history), (mixed, history[::-1]))
    ]

    pd.testing.assert_frame_equal(*found)


def test_a_gap_that_is_none_is_not_called_one():
    # STR-5
    assert strategy.told(150_000_000, show) == "new action must bring 1.50 m"
    assert strategy.told(-150_000_000, show) == "momentum alone goes 1.50 m beyond the target"


def test_a_split_is_checked_member_by_member_and_kept(open_sample):
    # MET-1 in every other chapter
    chapter = open_sample("02-region")
    last = chapter.last_year("region")
    told = chapter.targets(split(plan.company(12_353_066_420), "region", last.rename(columns={"amount": "weight"})))
    kept = pd.read_parquet(chapter.run / "tables" / "02-region" / "smart-check.parquet")

    pd.testing.assert_frame_equal(told, kept)
    assert len(told) == 31 and told["probability"].between(0, 1).all() and (told["parent"] == "Revenue").all()
    assert told["owner"].str.match(r"P\d+").all()  # each region's manager
    assert told["probability"].nunique() > 20


def test_positions_in_industries_that_nobody_can_tell_apart_are_left_out():
    # STR-6: without customers' industries segments are products; a position in a product counts, one in an industry cannot
    known = pd.DataFrame({"segment": ["Filter", "Press"]})
    given = {"Clinics": POSITION, "Filter": POSITION}

    assert strategy.stated(given, known, "product") == ({"Filter": POSITION}, ["Clinics"])
    assert strategy.stated(given, known, "industry") == (given, [])
