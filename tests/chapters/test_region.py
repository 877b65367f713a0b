"""02 region: each driver moves the share, and each resource follows the plan, the way the method book says."""

from datetime import date

import pandas as pd
import pytest
from pydantic import ValidationError

from planlib import plan as tables
from planlib.chapters import base_year, region
from planlib.errors import ConflictError, ParameterError
from planlib.estimates import shares
from planlib.estimates.windows import Coverage, span_of
from planlib.lp import split
from planlib.periods import Horizon

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
HISTORY = pd.DataFrame({"region": ["East", "North"], "amount": [750, 250]})
EXPECTED = pd.DataFrame({"region": ["East", "North"], "share": [0.75, 0.25]})
COMPANY = tables.company(1_000_000)
# No potential, reach or rivals but where a test brings them.
ALONE = {"potential_weight": 0.0, "reach_weight": 0.0, "competition_weight": 0.0}


def made(regions=None, reach=None, attained=None, staff=None, expected=EXPECTED, **words):
    parameters = region.Parameters(**words)
    team = region.team(staff, HISTORY, HORIZON, parameters)
    return region.drivers(COMPANY, HISTORY, expected, parameters, regions, reach, attained, team)


def weights(**words) -> dict:
    found = made(**words).weights
    assert found["weight"].sum() == pytest.approx(1.0)
    return found.set_index("region")["weight"].to_dict()


def on_sample(chapter):
    """The drivers of the sample as the notebook builds them, and the team."""
    sold = chapter.orders("region", "month")
    expected = shares.expected(sold, "region", chapter.horizon).shares
    team = region.team(chapter.tables.get("staff"), chapter.last_twelve("region"), chapter.horizon, chapter.parameters)
    drivers = region.drivers(
        tables.company(10_000_000_000),
        chapter.last_year("region"),
        expected,
        chapter.parameters,
        chapter.tables.get("regions"),
        region.reached(chapter.tables, chapter.horizon, chapter.parameters),
        region.attained(chapter.tables.get("targets"), sold, chapter.horizon),
        team,
    )
    return drivers, team


def ratio(after, before, name: str, beside: str = "Shandong") -> float:
    """How much a region's weight moved against one that no change is about: scaling cancels out."""
    one, other = (found.weights.set_index("region")["weight"] for found in (after, before))
    return float(one[name] / one[beside] / (other[name] / other[beside]))


def sample_plan(chapter, drivers, rules=()):
    last_year = chapter.last_year("region")
    company = tables.company(int(last_year["amount"].sum() * 1.3))
    result = split(company, "region", drivers.weights, list(rules), [], last_year)
    return result, result.compare(last_year, tables.by_last_year(company, last_year, "region"))


# Drivers -------------------------------------------------------------------------------------------------------------


def test_orders_alone_give_the_expected_shares():
    assert weights() == pytest.approx({"East": 0.75, "North": 0.25})
    moved = EXPECTED.assign(share=[0.7, 0.3])
    found = made(expected=moved)

    assert found.frame.set_index("region")["weight"].to_dict() == pytest.approx({"East": 0.7, "North": 0.3})
    others = [name for name in found.effects if name != "trend_effect"]
    assert found.frame[others].abs().to_numpy().max() < 1e-12


def test_one_row_per_region_adds_up_and_answers_why(open_sample):
    # REG-1 to REG-5: last year's share and the effects are the weight, in every row.
    drivers, _ = on_sample(open_sample("02-region"))
    frame = drivers.frame
    reached = frame[["last_year_share", *drivers.effects]].sum(axis=1)

    assert list(drivers.sources["driver"]) == [
        "trend",
        "potential",
        "reach",
        "competition",
        "priority",
        "attainment",
        "maturity",
        "team",
    ]
    assert reached.to_numpy() == pytest.approx(frame["weight"].to_numpy())
    result, _ = sample_plan(open_sample("02-region"), drivers)
    assert drivers.why("Zhejiang", result.plan).startswith("Zhejiang: ")
    assert "priority +" in drivers.why("Zhejiang", result.plan)


def test_row_order_does_not_matter(open_sample):
    chapter = open_sample("02-region")
    day = pd.Timestamp("2026-01-01")
    who, bought = chapter.tables.customers("2025-12-31"), chapter.tables.orders(["region", "customer"], until="2025-12")
    frames = [chapter.tables.get("regions"), who, bought, chapter.tables.get("staff"), chapter.last_year("region")]
    found = []
    for regions, people, homes, staff, last_year in (frames, [frame.iloc[::-1] for frame in frames]):
        reach = region.reachable(people, homes, day, chapter.parameters)
        team = region.team(staff, last_year, chapter.horizon, chapter.parameters)
        expected = last_year.assign(share=last_year["amount"] / last_year["amount"].sum())
        found.append(region.drivers(COMPANY, last_year, expected, chapter.parameters, regions, reach, None, team).weights)

    pd.testing.assert_frame_equal(found[0], found[1], check_exact=True)


def test_potential_moves_the_share_by_its_weight():
    # REG-1: potential 1 : 1 at equal income; share = .75 x expected + .25 x potential.
    regions = pd.DataFrame({"region": ["East", "North"], "gdp": [100.0, 100.0], "income": [5.0, 5.0]})

    assert weights(regions=regions, reach_weight=0.0)["North"] == pytest.approx(0.75 * 0.25 + 0.25 * 0.5)
    assert weights(regions=regions, potential_weight=1.0)["North"] == pytest.approx(0.5)


def test_potential_is_gdp_grown_times_income_times_consumption():
    # REG-1: 100 x 1.1 x (6/4.5) x .9 = 132 beside 100 x 1.0 x (3/4.5) x 1.2 = 80.
    regions = pd.DataFrame(
        {
            "region": ["East", "North"],
            "gdp": [100.0, 100.0],
            "gdp_growth": [0.1, 0.0],
            "income": [6.0, 3.0],
            "consumption": [0.9, 1.2],
        }
    )

    assert region.potential(regions, EXPECTED)["share"].tolist() == pytest.approx([132 / 212, 80 / 212])


def test_a_region_the_table_lacks_keeps_its_share():
    regions = pd.DataFrame({"region": ["East"], "gdp": [100.0], "income": [5.0]})

    assert weights(regions=regions, potential_weight=1.0) == pytest.approx({"East": 0.75, "North": 0.25})


def test_rivals_press_by_share_coverage_and_price():
    # REG-1: .5 x .4 + .3 x .6 + .2 x (1.5 - 1.1) = .46; of the share alone: .4; price alone: the same 0.5 = parity.
    regions = pd.DataFrame(
        {"region": ["East"], "gdp": [1.0], "income": [1.0], "rival_share": 0.4, "rival_coverage": 0.6, "rival_price": 1.1}
    )
    parameters = region.Parameters()

    assert region.pressure(regions, parameters)["pressure"].tolist() == pytest.approx([0.46])
    assert region.pressure(regions[["region", "rival_share"]], parameters)["pressure"].tolist() == pytest.approx([0.4])
    parity = pd.DataFrame({"region": ["East"], "rival_price": [1.0]})
    assert region.pressure(parity, parameters)["pressure"].tolist() == pytest.approx([0.5])
    assert region.pressure(regions[["region", "gdp"]], parameters)["pressure"].isna().all()


def test_weak_rivals_lift_the_weight():
    # REG-1: the company's pressure is .75 x .4 + .25 x .2 = .35; East 1 + .5 x (.35 - .4), North 1 + .5 x (.35 - .2).
    regions = pd.DataFrame({"region": ["East", "North"], "gdp": [1.0, 1.0], "income": [1.0, 1.0], "rival_share": [0.4, 0.2]})
    east, north = 0.75 * 0.975, 0.25 * 1.075

    found = weights(regions=regions, potential_weight=0.0, reach_weight=0.0)
    assert found["North"] == pytest.approx(north / (east + north))
    assert weights(regions=regions, **ALONE)["North"] == pytest.approx(0.25)


def test_stronger_rivals_cost_a_region_its_share_on_the_sample(open_sample):
    # REG-1: the heavier the rivals weigh, the less Guangdong (most rivals) gets beside Anhui (few).
    light, _ = on_sample(open_sample("02-region", competition_weight=0.0))
    heavy, _ = on_sample(open_sample("02-region", competition_weight=1.0))

    assert ratio(heavy, light, "Guangdong", "Anhui") < 0.85


def customers(**seen) -> pd.DataFrame:
    last = pd.to_datetime([day for day, _ in seen.values()])
    return pd.DataFrame({"customer": list(seen), "last": last, "orders": 1, "amount": [money for _, money in seen.values()]})


def test_customers_within_reach_count_by_their_group():
    # REG-1: all active alike and Ordinary but one; the dormant count .4 of an Ordinary one.
    table = customers(a=("2025-12-01", 100), b=("2025-12-01", 100), c=("2025-01-01", 900))
    bought = pd.DataFrame(
        {"region": ["East", "North", "North", "East"], "customer": ["a", "b", "c", "c"], "amount": [100, 100, 800, 100]}
    )
    found = region.reachable(table, bought, pd.Timestamp("2026-01-01"), region.Parameters()).set_index("region")

    assert found["active"].to_dict() == {"East": 1, "North": 1}
    assert found["dormant"].to_dict() == {"East": 0, "North": 1}
    # Of two active ones a is Potential by name, b Ordinary; both bring 100: 1 beside 1. c's .4 lie where it bought, 1 to 8.
    assert found["share"].to_dict() == pytest.approx({"East": (1 + 0.4 / 9) / 2.4, "North": (1 + 0.4 * 8 / 9) / 2.4})
    reach = found.reset_index()
    assert weights(reach=reach, **{**ALONE, "reach_weight": 0.5})["North"] == pytest.approx(
        0.5 * 0.25 + 0.5 * (1 + 0.4 * 8 / 9) / 2.4
    )


def test_without_customers_nobody_is_within_reach():
    bought = pd.DataFrame({"region": ["East"], "customer": ["all"], "amount": [5]})

    assert region.reachable(customers(all=("2025-12-01", 5)), bought, pd.Timestamp("2026-01-01"), region.Parameters()) is None


def test_dormant_customers_give_a_region_reach_on_the_sample(open_sample):
    # REG-1: where many are dormant (Guizhou, 44 of 67), counting them lifts the share of reach; Ningxia has few (3 of 10).
    none, _ = on_sample(open_sample("02-region", dormant_counts=0.0))
    full, _ = on_sample(open_sample("02-region", dormant_counts=1.0))

    assert ratio(full, none, "Guizhou", "Ningxia") > 1


def test_oceans_by_potential_and_rivals(open_sample):
    # REG-1: high potential with weak rivals is blue, with strong ones red; low ones are calm or crowded.
    regions = pd.DataFrame(
        {
            "region": ["Blue", "Red", "Calm", "Crowded"],
            "gdp": [40.0, 40.0, 10.0, 10.0],
            "income": 1.0,
            "rival_share": [0.1, 0.5, 0.1, 0.5],
        }
    )
    expected = pd.DataFrame({"region": regions["region"], "share": 0.25})
    market = region.market(regions, expected, None, region.Parameters()).set_index("region")["ocean"]

    assert market.to_dict() == {"Blue": "blue ocean", "Red": "red ocean", "Calm": "calm", "Crowded": "crowded"}
    assert region.market(None, expected, None, region.Parameters()) is None


def test_the_heat_map_is_blue_where_the_market_is_open():
    # REG-1: potential .5, .3, .2 from the middle .3: 1, 0, -.5; pressure from its mean .5 x .6 + .3 x .2 + .2 x .2 = .4:
    # distances -.2, .2, .2, of which the largest counts 1.
    market = pd.DataFrame({"region": ["A", "B", "C"], "potential": [0.5, 0.3, 0.2], "pressure": [0.6, 0.2, 0.2]})
    cells = region.map_of(market).pivot(index="row", columns="column", values="amount")

    assert cells["potential"].to_dict() == pytest.approx({"A": 1.0, "B": 0.0, "C": -0.5})
    assert cells["all rivals"].to_dict() == pytest.approx({"A": -1.0, "B": 1.0, "C": 1.0})
    assert region.map_of(market)["row"].iloc[0] == "B"


def test_reach_brings_the_shares_of_2025_nearer(open_sample):
    # REG-1: what the customers within reach at the end of 2024 tell beside the orders' own trend.
    source, horizon = open_sample("02-region").tables, Horizon(2025, 1, date(2024, 12, 31))
    sold = source.orders(["region", "month"], until="2024-12")
    actual = source.orders(["region"], since="2025-01", until="2025-12").set_index("region")["amount"]
    last_year = source.orders(["region"], since="2024-01", until="2024-12")[["region", "amount"]]
    expected = shares.expected(sold, "region", horizon).shares
    errors = []
    for weight in (0.0, region.Parameters().reach_weight):
        parameters = region.Parameters(**{**ALONE, "reach_weight": weight})
        reach = region.reached(source, horizon, parameters)
        found = region.drivers(COMPANY, last_year, expected, parameters, reach=reach).weights.set_index("region")["weight"]
        errors.append(float((found - actual / actual.sum()).abs().sum()))

    assert errors[1] < errors[0]


def test_priority_lifts_the_weight():
    # REG-2: 250 x 1.4 = 350 beside 750.
    assert weights(priority={"North": 0.4})["North"] == pytest.approx(350 / 1100)


def test_priority_of_40_percent_lifts_the_sample_by_exactly_40(open_sample):
    # REG-2: before scaling the weight is 1.4 times what it was, against every other region.
    without, _ = on_sample(open_sample("02-region", priority={}))
    lifted, _ = on_sample(open_sample("02-region", priority={"Hubei": 0.4}))

    assert ratio(lifted, without, "Hubei") == pytest.approx(1.4)
    assert ratio(lifted, without, "Hunan") == pytest.approx(1.0)


def test_priority_for_an_unknown_region_is_refused():
    with pytest.raises(ParameterError, match="Nroth"):
        weights(priority={"Nroth": 0.4})


@pytest.mark.parametrize(
    "words",
    [
        {"priority": {"North": 0.29}},  # REG-2: 30-50%
        {"priority": {"North": 0.51}},
        {"over_uplift": 0.14},  # REG-3: 15-20%
        {"over_uplift": 0.21},
        {"newcomer_cut": 0.31},  # REG-5
        {"span_most": 2},
        {"capacity_rule": "firm"},
        {"maturity": {"old": 1.0}},  # REG-4
        {"maturity": {"mature": 0.0}},
        {"base_share": 0.7},  # REG-6: the parts sum to 1
        {"base_share": 0.9, "incentive_share": 0.1, "risk_share": 0.0},
        {"pool_exceptions": {"East": {"base": 0.6, "incentive": 0.3, "risk reserve": 0.2}}},
        {"pool_exceptions": {"East": {"base": 0.6, "incentive": 0.4}}},
        {"release_from": 1.0, "release_full": 0.9},
        {"rival_parts": {"share": 0.5, "price": 0.4}},  # REG-1
        {"competition_weight": 1.5},
        {"class_a_share": -0.1},  # REG-7
        {"pattern_a": {"director": 1}},
        {"full_tools_share": 1.1},  # REG-8
        {"potential_weigth": 0.3},
    ],
)
def test_values_outside_the_book_are_refused(words):
    with pytest.raises(ValidationError):
        region.Parameters(**words)


def test_three_years_over_the_line_lift_the_base():
    # REG-3: 15% for a region over target in each of three years; two years are not enough.
    three = pd.DataFrame({"region": "North", "year": [2023, 2024, 2025], "attainment": [1.06, 1.2, 1.1]})

    assert weights(attained=three)["North"] == pytest.approx(250 * 1.15 / (750 + 250 * 1.15))
    assert weights(attained=three.iloc[:2])["North"] == pytest.approx(0.25)
    assert weights(attained=three.assign(attainment=[1.06, 1.04, 1.1]))["North"] == pytest.approx(0.25)


def test_steady_over_achievers_of_the_sample_get_15_to_20_percent(open_sample):
    # REG-3: Hubei beat its target by about 12% in each year, Hunan did not; an under-achiever is not cut.
    usual, _ = on_sample(open_sample("02-region", over_line=1.05, over_uplift=0.20))
    none, _ = on_sample(open_sample("02-region", over_line=2.0))

    assert ratio(usual, none, "Hubei") == pytest.approx(1.20)
    assert ratio(usual, none, "Hunan") == pytest.approx(1.0)
    assert ratio(usual, none, "Guangdong") == pytest.approx(1.0)


def test_an_under_achiever_is_reviewed_not_cut():
    # REG-3: mean attainment .8333 of a plan of 300: 250 likely, 50 short.
    low = pd.DataFrame({"region": "North", "year": [2023, 2024, 2025], "attainment": [0.8, 0.8, 0.9]})
    compared = pd.DataFrame(
        {"member": ["East", "North"], "allocated": [700, 300], "last_year": [750, 250], "growth": [-1 / 15, 0.2]}
    )
    load = pd.DataFrame({"region": ["North", "East"], "load": [0.9, 0.8]})
    found = region.review(compared, low, load, region.Parameters()).set_index("region")

    assert weights(attained=low)["North"] == pytest.approx(0.25)
    assert list(found.index) == ["North"]
    assert found.loc["North", ["likely", "shortfall"]].tolist() == [250, 50]
    assert "why now" in found.loc["North", "ask"]
    busy = region.review(compared, low, load.assign(load=1.1), region.Parameters())
    assert "its team carries" in busy["ask"].iloc[0]
    assert region.review(compared, low, None, region.Parameters(under_line=0.8)).empty


def test_attainment_is_summed_result_over_target_in_fiscal_years():
    # REG-3
    targets = pd.DataFrame({"year": [2024, 2025], "region": "East", "amount": [100, 100]})
    results = pd.DataFrame({"region": "East", "month": ["2024-07", "2025-06", "2025-07"], "amount": [60, 50, 80]})
    results = pd.concat([results, pd.DataFrame({"region": "West", "month": span_of("2024-07", "2026-06"), "amount": 1})])
    table = region.attained(targets, results, Horizon(2026, 7, date(2026, 6, 30))).set_index("year")["attainment"]

    assert table.to_dict() == pytest.approx({2024: 1.1, 2025: 0.8})


def test_maturity_has_its_factor():
    # REG-4: mature 1.2, incubating .8.
    regions = pd.DataFrame(
        {"region": ["East", "North"], "gdp": [75.0, 25.0], "income": [1.0, 1.0], "maturity": ["mature", "incubating"]}
    )

    assert weights(regions=regions)["North"] == pytest.approx(25 * 0.8 / (75 * 1.2 + 25 * 0.8))


def test_maturity_moves_the_sample(open_sample):
    # REG-4: Yunnan is incubating, Hubei growing, Shandong mature.
    flat, _ = on_sample(open_sample("02-region", maturity={"incubating": 1.0, "growing": 1.0, "mature": 1.0}))
    book, _ = on_sample(open_sample("02-region"))

    assert ratio(book, flat, "Yunnan", "Hubei") == pytest.approx(0.8)
    assert ratio(book, flat, "Shandong", "Hubei") == pytest.approx(1.2)


# The team ------------------------------------------------------------------------------------------------------------


def test_more_than_40_percent_newcomers_lower_the_target():
    # REG-5: two of four hired within a year is over 40%; two of five is not.
    hired = pd.to_datetime(["2025-06-01", "2025-07-01", "2020-01-01", "2020-01-01", "2020-01-01"])
    staff = pd.DataFrame({"region": "North", "hired": hired, "left": pd.NaT})

    assert weights(staff=staff.iloc[:4])["North"] == pytest.approx(250 * 0.9 / (750 + 250 * 0.9))
    assert weights(staff=staff)["North"] == pytest.approx(0.25)


def test_who_has_left_does_not_count():
    # REG-5
    hired = pd.to_datetime(["2025-06-01", "2025-07-01", "2020-01-01", "2020-01-01"])
    left = pd.to_datetime(["2025-10-01", "2025-11-01", None, None])
    staff = pd.DataFrame({"region": "North", "hired": hired, "left": left})

    assert weights(staff=staff)["North"] == pytest.approx(0.25)


def test_newcomers_lower_four_regions_of_the_sample_by_10_percent(open_sample):
    # REG-5: Jilin, Hainan, Guizhou and Yunnan have over 40% newcomers; nobody else is lowered.
    kept, _ = on_sample(open_sample("02-region", newcomer_cut=0.0))
    cut, _ = on_sample(open_sample("02-region"))
    moved = {name: round(ratio(cut, kept, name), 9) for name in kept.frame["region"]}

    assert {name: value for name, value in moved.items() if value != 1} == dict.fromkeys(
        ["Guizhou", "Hainan", "Jilin", "Yunnan"], 0.9
    )


def staff_of(*rows) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["region", "role", "capacity"])
    return frame.assign(hired=pd.Timestamp("2020-01-01"), left=pd.NaT)


STAFF = staff_of(
    ("East", "Regional manager", 0),
    ("East", "Supervisor", 100),
    *[("East", "Specialist", 200)] * 9,
    ("North", "Regional manager", 50),
    *[("North", "Specialist", 200)] * 2,
)


def test_capacity_per_head_and_span_of_control():
    # REG-5: East's supervisor leads nine; 2,090 over 1,900 is 110%; a head carries 173 there, and 13 of them 2,090.
    parameters = region.Parameters()
    team = region.team(STAFF, HISTORY, HORIZON, parameters)
    compared = pd.DataFrame({"member": ["East", "North", "West"], "allocated": [2_090, 300, 10]})
    found = region.load(compared, team, parameters).set_index("region")

    assert team.set_index("region")["span"].to_dict() == {"East": 9.0, "North": 2.0}
    assert team.set_index("region")["capacity"].to_dict() == {"East": 1_900, "North": 450}
    assert found["load"].dropna().to_dict() == pytest.approx({"East": 1.1, "North": 300 / 450})
    assert found["short"].to_dict() == {"West": 1, "East": 2, "North": 0}  # a head of all carries 2,350 / 14
    assert list(found.index) == ["West", "East", "North"]
    assert found["look_at"].tolist() == ["nobody sells there", "over its capacity, a leader leads too many", ""]


def test_without_capacities_a_head_carries_what_the_best_quarter_do():
    # REG-5: 40, 30, 20, 10 a head; the upper quartile of four numbers lies at 32.5.
    staff = pd.DataFrame({"region": list("ABCD"), "hired": pd.Timestamp("2020-01-01")})
    sold = pd.DataFrame({"region": list("ABCD"), "amount": [40, 30, 20, 10]})
    team = region.team(
        staff.loc[[0, 0, 1, 2, 3]].reset_index(drop=True), sold.assign(amount=[80, 30, 20, 10]), HORIZON, region.Parameters()
    )

    assert team["capacity"].tolist() == [65, 32, 32, 32]
    assert team["span"].isna().all()
    assert region.team(None, sold, HORIZON, region.Parameters()) is None


def test_a_capacity_rule_caps_the_plan_when_asked(open_sample):
    # REG-5: off by default; hard, no region of the sample gets more than its people can carry.
    chapter = open_sample("02-region", capacity_rule="hard")
    drivers, team = on_sample(chapter)
    free, _ = sample_plan(chapter, drivers)
    capped, _ = sample_plan(chapter, drivers, region.capacity_rules(team, None, chapter.parameters))
    limit = team.set_index("region")["capacity"]
    over = [set(part.plan.set_index("region")["amount"].sub(limit).loc[lambda left: left > 0].index) for part in (free, capped)]

    assert {"Zhejiang", "Sichuan", "Jiangsu"} <= over[0] and over[1] == set()
    assert region.capacity_rules(team, None, region.Parameters()) == []


def test_capacity_never_caps_what_is_sold_already_and_soft_may_be_missed():
    # REG-5: North sold 500 of 450; everything over all capacities is a conflict when hard.
    parameters = region.Parameters(capacity_rule="hard")
    team = region.team(STAFF, HISTORY, HORIZON, parameters)
    booked = pd.DataFrame({"region": ["North"], "amount": [500]})
    rules = region.capacity_rules(team, booked, parameters)
    soft = region.capacity_rules(team, booked, region.Parameters(capacity_rule="soft"))
    drivers = EXPECTED.rename(columns={"share": "weight"})

    assert {rule.where["region"]: rule.max for rule in rules} == {"East": 1_900, "North": 500}
    assert split(tables.company(2_400), "region", drivers, rules).plan["amount"].tolist() == [1_900, 500]
    with pytest.raises(ConflictError, match="team capacity"):
        split(tables.company(2_401), "region", drivers, rules)
    assert split(tables.company(2_401), "region", drivers, soft).plan["amount"].sum() == 2_401


# Pools, patterns and tools -------------------------------------------------------------------------------------------

COMPARED = pd.DataFrame(
    {
        "member": [f"R{n:02d}" for n in range(10)],
        "allocated": [100 - n for n in range(10)],
        "last_year": [80] * 10,
        "growth": [(100 - n) / 80 - 1 for n in range(10)],
    }
)


def test_pool_is_60_30_10_unless_stated_otherwise():
    # REG-6: a region's exception goes before its class's.
    organised = pd.DataFrame({"region": ["East", "North", "West"], "class": ["A", "B", "B"]})
    own = {
        "B": {"base": 0.7, "incentive": 0.2, "risk reserve": 0.1},
        "West": {"base": 0.5, "incentive": 0.3, "risk reserve": 0.2},
    }
    usual = region.pool_shares(organised, region.Parameters())
    other = region.pool_shares(organised, region.Parameters(pool_exceptions=own)).pivot(
        index="region", columns="part", values="share"
    )

    assert usual.groupby("region")["share"].sum().tolist() == pytest.approx([1.0] * 3)
    assert usual[usual["region"] == "East"].set_index("part")["share"].to_dict() == {
        "base": 0.6,
        "incentive": 0.3,
        "risk reserve": 0.1,
    }
    assert other["base"].to_dict() == {"East": 0.6, "North": 0.7, "West": 0.5}
    assert region.told_pools(usual).startswith(
        "The budget pools of all 3 regions are 60% base, 30% incentive, 10% risk reserve"
    )
    with pytest.raises(ParameterError, match="Wset"):
        region.pool_shares(organised, region.Parameters(pool_exceptions={"Wset": own["West"]}))


def test_pools_of_the_sample_follow_their_parameters(open_sample):
    # REG-6: every region of the sample, three parts, sums to 1.
    chapter = open_sample("02-region", base_share=0.5, incentive_share=0.35, risk_share=0.15)
    drivers, team = on_sample(chapter)
    _, compared = sample_plan(chapter, drivers)
    organised = region.organisation(compared, chapter.tables.get("regions"), team, chapter.parameters)
    found = region.pool_shares(organised, chapter.parameters)

    assert len(found) == 3 * 31
    assert found.groupby("region")["share"].sum().to_numpy() == pytest.approx(1.0)
    assert found.groupby("part")["share"].mean().to_dict() == pytest.approx(
        {"base": 0.5, "incentive": 0.35, "risk reserve": 0.15}
    )
    assert region.pools(found, organised)["regions"].sum() == 31


def test_incentive_is_released_by_the_months_sales():
    # REG-6: nothing under 80% of the month's plan, all from 100%, half at 90%.
    attained = pd.Series([0.5, 0.8, 0.9, 1.0, 1.3, float("nan")])

    assert region.release(attained, region.Parameters()).tolist() == pytest.approx([0, 0, 0.5, 1, 1, 0])
    steps = region.Parameters(release_from=1.0, release_full=1.0)
    assert region.release(attained, steps).tolist() == [0, 0, 0, 1, 1, 0]


def test_closed_months_release_by_month_not_together():
    # REG-6: 150% of 100 and 50% of 100 is 100% together, but the second month releases nothing.
    planned = pd.DataFrame(
        {"region": "East", "product": "p", "month": ["2026-01", "2026-02", "2026-03"], "amount": [100, 100, 100]}
    )
    booked = pd.DataFrame({"region": "East", "month": ["2026-01", "2026-02"], "amount": [150, 50]})
    found = region.released(booked, planned, region.Parameters())

    assert found[["planned", "booked", "month_attained", "released"]].iloc[0].tolist() == [200, 200, 1.0, 0.5]
    assert region.released(None, planned, region.Parameters()) is None


def test_class_a_is_large_and_mature():
    # REG-7: three of ten are large enough, one of them is not mature; without maturity rank alone decides.
    regions = pd.DataFrame({"region": COMPARED["member"], "maturity": ["mature", "growing", *["mature"] * 8]})
    known = region.organisation(COMPARED, regions, None, region.Parameters()).set_index("region")["class"]
    ranked = region.organisation(COMPARED, None, None, region.Parameters()).set_index("region")["class"]

    assert list(known.index[known == "A"]) == ["R00", "R02"]
    assert list(ranked.index[ranked == "A"]) == ["R00", "R01", "R02"]


def test_team_pattern_against_the_staff():
    # REG-7: A is 1 + 3 + 15, B 1 + 5 + 10. East has 1 + 1 + 9: 2 + 6 missing, and 11 people in A's shape are 1 + 2 + 8.
    compared = COMPARED.head(2).assign(member=["East", "North"])
    parameters = region.Parameters(class_a_share=0.5)
    team = region.team(STAFF, HISTORY, HORIZON, parameters)
    found = region.organisation(compared, None, team, parameters).set_index("region")

    assert found["class"].tolist() == ["A", "B"]
    assert found["today"].tolist() == ["1 + 1 + 9", "1 + 0 + 2"]
    assert found["pattern"].tolist() == ["1 + 3 + 15", "1 + 5 + 10"]
    assert found["lacks"].tolist() == [8, 13]
    assert found["at_todays_size"].tolist() == ["1 + 2 + 8", "1 + 1 + 1"]
    other = region.organisation(
        compared, None, team, region.Parameters(class_a_share=0.5, pattern_a={"manager": 1, "specialist": 9})
    )
    assert other.set_index("region")["lacks"].tolist() == [0, 13]


def test_old_leads_new():
    # REG-7: five lead ten in class B, so four newcomers need two who know the business; one is there.
    hired = pd.to_datetime(["2025-06-01"] * 4 + ["2020-01-01"])
    staff = pd.DataFrame({"region": "R00", "role": ["Specialist"] * 4 + ["Regional manager"], "hired": hired})
    team = region.team(
        staff, COMPARED.rename(columns={"member": "region", "allocated": "amount"}), HORIZON, region.Parameters()
    )

    assert region.organisation(COMPARED, None, team, region.Parameters())["mentors_short"].tolist()[:2] == [1, 0]


def test_tools_for_the_top_30_percent_and_the_growing():
    # REG-8: the three largest of ten get the full system; of the others those that are growing the light one.
    stages = ["growing", "mature", "mature", "growing", "mature", "incubating", "growing", "mature", "mature", "mature"]
    regions = pd.DataFrame({"region": COMPARED["member"], "maturity": stages})
    tools = region.organisation(COMPARED, regions, None, region.Parameters()).set_index("region")["tools"]

    assert tools[tools == "full field system"].index.tolist() == ["R00", "R01", "R02"]
    assert tools[tools == "light field system"].index.tolist() == ["R03", "R06"]
    # Without maturity, who grows faster than the company (955 over 800) grows: the fourth and fifth largest.
    alone = region.organisation(COMPARED, None, None, region.Parameters()).set_index("region")["tools"]
    assert alone[alone == "light field system"].index.tolist() == ["R03", "R04"]


def test_tools_and_classes_follow_their_shares_on_the_sample(open_sample):
    # REG-7, REG-8: 30% of 31 regions are nine; half of them sixteen.
    found = {}
    for share in (0.3, 0.5):
        chapter = open_sample("02-region", full_tools_share=share, class_a_share=share)
        drivers, team = on_sample(chapter)
        _, compared = sample_plan(chapter, drivers)
        organised = region.organisation(compared, chapter.tables.get("regions"), team, chapter.parameters)
        found[share] = organised
        largest = organised.head(round(31 * share + 1e-9))["region"]
        full = organised[organised["tools"] == "full field system"]["region"]
        assert set(full) == set(largest)
        assert set(organised[organised["class"] == "A"]["region"]) <= set(largest)

    assert found[0.3]["tools"].value_counts()["full field system"] == 9
    assert found[0.5]["tools"].value_counts()["full field system"] == 16
    assert (found[0.5]["class"] == "A").sum() > 0


# Short and odd histories, names, sentences ----------------------------------------------------------------------------

ALL = span_of("2023-01", "2025-12")
LENGTHS = [3, 6, 11, 12, 13, 18, 24, 25, 36]
JUNE = Horizon(2026, 1, date(2026, 6, 30))
KNOWN = Coverage.of(ALL, "2025-12")


def flat(count: int, amount: int = 100, name: str = "East") -> pd.DataFrame:
    """The same amount in each of the last `count` months up to the end of 2025."""
    return pd.DataFrame({"region": name, "month": ALL[-count:], "amount": amount})


def listed(names) -> str:
    return " and ".join(names)


@pytest.mark.parametrize("count", LENGTHS)
def test_attainment_is_known_of_whole_years_only(count):
    # REG-3: 100 a month against 1,000 a year is 120% in each year that the orders know in full.
    targets = pd.DataFrame({"year": [2023, 2024, 2025], "region": "East", "amount": 1000})
    found = region.attained(targets, flat(count), HORIZON).set_index("year")["attainment"]

    whole = {2023: count >= 36, 2024: count >= 24, 2025: count >= 12}
    assert {year: value == 1.2 for year, value in found.items()} == whole
    assert {year: pd.notna(value) for year, value in found.items()} == whole
    lifted = region.uplift(pd.Series(["East"]), found.reset_index().assign(region="East"), region.Parameters())
    assert (lifted["factor"].iloc[0] > 1) == (count == 36)


def test_a_year_without_sales_attains_nothing_and_a_lost_month_is_not_known():
    targets = pd.DataFrame({"year": [2023, 2024, 2025] * 2, "region": ["East"] * 3 + ["West"] * 3, "amount": 1200})
    results = pd.concat([flat(36), flat(12, name="West")])
    found = region.attained(targets, results, HORIZON).pivot(index="region", columns="year", values="attainment")

    assert found.loc["West"].tolist() == [0, 0, 1]
    lost = region.attained(targets, results[results["month"] != "2024-05"], HORIZON)
    assert lost.loc[lost["year"] == 2024, "attainment"].isna().all()
    assert lost.loc[lost["year"] != 2024, "attainment"].notna().all()


def test_only_the_last_three_years_count():
    # Targets and orders of 2018 to 2020 say nothing of 2023 to 2025.
    old = span_of("2018-01", "2020-12")
    targets = pd.DataFrame({"year": [2018, 2019, 2020], "region": "East", "amount": 600})
    found = region.attained(targets, pd.DataFrame({"region": "East", "month": old, "amount": 100}), HORIZON)

    assert found.empty
    assert region.steady(pd.Series(["East"]), found)["least"].tolist() == [1.0]
    said = region.told_review(pd.DataFrame(), found, pd.Series(["East"]), str, listed)
    assert said == "Three years of targets and results are known of no region: no plan is reviewed for them."


def reviewed(*growth: float, mean: float = 0.8) -> pd.DataFrame:
    """Regions of equal size that attained `mean` three times, planned to grow so."""
    names = [f"R{place}" for place in range(len(growth))]
    attained = pd.DataFrame([(name, year, mean) for name in names for year in (2023, 2024, 2025)])
    attained.columns = ["region", "year", "attainment"]
    compared = pd.DataFrame({"member": names, "allocated": [round(1000 * (1 + g)) for g in growth], "last_year": 1000})
    return region.review(compared.assign(growth=growth), attained, None, region.Parameters()).set_index("region")


def test_what_to_ask_follows_the_growth_of_the_region_and_the_company():
    assert reviewed(0.1)["ask"].tolist() == ["grows as the company does: what held it back?"]
    assert reviewed(-0.1)["ask"].tolist() == ["shrinks as the company does: what held it back?"]
    found = reviewed(0.3, 0.0, -0.3)["ask"]
    assert found["R0"] == "grows faster than the company after misses: why now?"
    assert found["R1"] == "grows as the company does: what held it back?"
    assert found["R2"] == "does worse than the company: keep it, find what held it back"
    assert reviewed(0.3, 0.1)["ask"]["R1"] == "grows less than the company: keep it, find what held it back"


def test_the_review_is_told_in_the_singular_the_plural_and_of_those_known():
    names = pd.Series(["R0", "R1"])
    attained = pd.DataFrame([(name, year, 0.8) for name in names for year in (2023, 2024, 2025)])
    attained.columns = ["region", "year", "attainment"]
    both = reviewed(0.0, 0.0).reset_index()

    assert region.told_review(both.iloc[:1], attained, names, str, listed) == (
        "At its usual attainment R0 misses 200 of this plan; its target is reviewed by hand, not cut."
    )
    assert region.told_review(both, attained, names, str, listed) == (
        "At their usual attainment 2 regions miss 400 of this plan, most in R0 and R1; their targets are reviewed by hand, not "
        "cut."
    )
    half = attained[(attained["region"] == "R0") | (attained["year"] == 2025)]
    assert region.told_review(both.iloc[:0], half, names, str, listed) == (
        "No region has missed its targets so far that its plan needs a review. Of 2 regions three years are known of 1."
    )


def test_a_month_releases_by_the_plan_that_stood_before_it_closed():
    # REG-6: sold 90, 95 and 91 of 100 a month: half, three quarters, 55%. A month that nobody planned releases nothing.
    booked = pd.DataFrame({"region": "East", "month": JUNE.closed[:3], "amount": [90, 95, 91]})
    stood = pd.DataFrame({"region": "East", "product": "p", "month": JUNE.months, "amount": 100})
    found = region.released(booked, stood, region.Parameters())

    assert found["released"].tolist() == pytest.approx([(0.5 + 0.75 + 0.55) / 3])
    late = region.released(booked, stood[stood["month"] > "2026-02"], region.Parameters())
    assert late[["planned", "booked", "released"]].iloc[0].tolist() == pytest.approx([100, 91, 0.55])
    assert region.released(booked, stood[stood["month"] > "2026-03"], region.Parameters()) is None
    new = pd.concat([booked, booked.assign(region="West", amount=50)])
    with_new = region.released(new, stood, region.Parameters()).set_index("region")
    assert with_new.loc["West", ["planned", "booked"]].tolist() == [0, 150] and pd.isna(with_new.loc["West", "released"])


@pytest.mark.parametrize("count", LENGTHS)
def test_a_head_carries_a_years_revenue_however_short_the_history(count):
    staff = pd.DataFrame({"region": ["East", "East"], "hired": pd.Timestamp("2020-01-01")})
    cover = Coverage.of(ALL[-count:], "2025-12")
    recent, part = base_year.of_members(flat(count), "region", HORIZON.last_twelve, cover)
    team = region.team(staff, recent, HORIZON, region.Parameters())

    assert team["capacity"].tolist() == [1200] and part == (["East"] if count < 12 else [])


def test_staff_of_a_region_without_orders_makes_no_team_and_no_rule():
    # REG-5: nobody wrote a rule on the moon; it is told instead.
    staff = pd.concat([STAFF, staff_of(("Moon", "Specialist", 900))])
    for kind in ("soft", "hard"):
        given = region.Parameters(capacity_rule=kind)
        team = region.team(staff, HISTORY, HORIZON, given)
        assert [rule.where["region"] for rule in region.capacity_rules(team, None, given)] == ["East", "North"]
    said = region.unknown(["East", "North"], None, None, staff, region.Parameters(), KNOWN)
    assert said == ["Table staff names 1 region that the orders lack (Moon): who is there is in no team."]
    assert region.unknown(["East", "North", "Moon"], None, None, staff, region.Parameters(), KNOWN) == []


def test_short_is_not_zero_where_nobody_can_carry():
    compared = pd.DataFrame({"member": ["East", "West"], "allocated": [300, 450]})
    staff = staff_of(("East", "Specialist", 200))
    team = region.team(staff, HISTORY, HORIZON, region.Parameters())
    found = region.load(compared, team, region.Parameters()).set_index("region")["short"]

    assert found.to_dict() == {"West": 3, "East": 1}
    idle = region.team(staff.assign(capacity=0), HISTORY, HORIZON, region.Parameters())
    assert region.load(compared, idle, region.Parameters())["short"].isna().all()


def test_what_orders_and_tables_do_not_know_of_each_other_is_told():
    regions = pd.DataFrame({"region": ["East", "Moon"]})
    targets = pd.DataFrame({"region": ["East"]})
    staff = pd.DataFrame({"region": ["East"], "role": ["大区经理"]})
    said = region.unknown(["East", "North"], regions, targets, staff, region.Parameters(), KNOWN)

    assert said == [
        "Table regions lacks 1 of 2 regions (North): what orders lead to expect stands for their market.",
        "Table regions names 1 region that the orders lack (Moon): no target is set there.",
        "Table targets lacks 1 of 2 regions (North): no base is raised or reviewed for them.",
        "Roles in staff that `roles` does not rank: 大区经理. They count as heads alone.",
    ]
    assert region.unknown(["East", "North"], None, None, None, region.Parameters(), KNOWN) == []
    young = Coverage.of(ALL[-3:], "2025-12")
    assert region.unknown(["East"], None, None, None, region.Parameters(), young) == [
        "Orders begin 3 months ago: who is dormant after 6 is not known."
    ]


def test_a_misspelt_region_of_a_parameter_is_refused_with_the_nearest():
    with pytest.raises(ParameterError, match=r"priority: found 'north' \(nearest: 'North'\)"):
        weights(priority={"north": 0.4})
    organised = pd.DataFrame({"region": ["East"], "class": ["A"]})
    own = {"base": 0.5, "incentive": 0.4, "risk reserve": 0.1}
    with pytest.raises(ParameterError, match=r"pool_exceptions: found 'Est' \(nearest: 'East'\)"):
        region.pool_shares(organised, region.Parameters(pool_exceptions={"Est": own}))


def compared(**growth: float | None) -> pd.DataFrame:
    frame = pd.DataFrame({"member": list(growth), "growth": pd.Series(list(growth.values()), dtype=float)})
    return frame.assign(allocated=range(100, 100 + len(frame)))


def test_the_sentence_says_who_grows_and_that_nobody_does():
    assert region.told_plan(compared(A=0.5, B=0.1), ["A", "B"], 0.6) == "A and B take 60% of the target; A grows most, by 50%."
    assert region.told_plan(compared(A=-0.1, B=-0.3), ["A"], 0.6) == (
        "A takes 60% of the target; no region grows: A comes nearest, 10% less than last year."
    )
    assert region.told_plan(compared(A=0.3), ["A"], 1.0) == "A takes all of the target, 30% more than last year."
    assert region.told_plan(compared(A=-0.1), ["A"], 1.0) == "A takes all of the target, 10% less than last year."
    assert region.told_plan(compared(A=0.0), ["A"], 1.0) == "A takes all of the target, as much as last year."
    assert region.told_plan(compared(A=None), ["A"], 1.0) == "A takes all of the target; growth over last year is not known."
    assert region.told_plan(compared(A=None, B=0.2), ["A"], 0.9) == (
        "A takes 90% of the target; B grows most of those whose last year is known, by 20%."
    )


def test_pools_and_teams_are_told_of_one_and_of_many():
    def shares_of(count: int, **exceptions) -> str:
        organised = pd.DataFrame({"region": [f"R{n}" for n in range(count)], "class": "A"})
        given = {name: {"base": 0.5, "incentive": 0.4, "risk reserve": 0.1} for name in exceptions}
        return region.told_pools(region.pool_shares(organised, region.Parameters(pool_exceptions=given)))

    told = "60% base, 30% incentive, 10% risk reserve"
    assert shares_of(1) == f"The budget pool of R0 is {told}; chapter 07 gives it its money."
    assert shares_of(3) == f"The budget pools of all 3 regions are {told}; chapter 07 gives them their money."
    assert shares_of(3, R1=1) == f"The budget pools of 2 of 3 regions are {told}; chapter 07 gives them their money."
    organised = pd.DataFrame({"class": ["A", "B"], "tools": "basic", "lacks": [1, 7]})
    assert region.told_teams(organised).endswith("To the full patterns class A lacks 1 person and class B lacks 7 people.")
    assert region.told_teams(organised.iloc[1:].assign(lacks=0)).endswith("To the full patterns class B lacks nobody.")


def test_oceans_are_told_of_none_one_and_many():
    def told(*kinds: str) -> str:
        return region.told_oceans(pd.DataFrame({"region": [f"R{n}" for n in range(len(kinds))], "ocean": kinds}))

    assert told("blue ocean", "red ocean") == "Blue ocean: R0; red: R1"
    assert told(*["blue ocean"] * 5) == "Blue oceans: R0, R1, R2 and 2 more; no red one"
    assert told("calm") == "No blue ocean; no red one"


def test_growth_of_a_region_that_began_within_last_year_is_not_known():
    sold = pd.concat([flat(36), flat(3, name="New")])
    window = Coverage.of(ALL, "2025-12").window(base_year.NAME, HORIZON.last_year)
    table = pd.DataFrame({"member": ["East", "New"], "growth": [0.3, 3.0]})

    assert base_year.grown(table, sold, "region", window)["growth"].isna().tolist() == [False, True]
    assert base_year.told(sold, "region", window) == ["New first sold within last year: its growth over it is not known."]
    assert base_year.told(flat(36), "region", window) == []
    # two months of the plan year have closed, and in them one region, then two, sold for the first time
    later = [(name, f"2026-{month:02d}", 5) for name, month in (("South", 1), ("West", 2))]
    for count, said in (
        (1, "South first sold after last year: its share is"),
        (2, "South, West first sold after last year: their shares are"),
    ):
        opened = pd.concat([flat(36), pd.DataFrame(later[:count], columns=["region", "month", "amount"])])
        assert base_year.told(opened, "region", window) == [f"{said} believed by half after a month, and more with each."]


@pytest.mark.parametrize("count", LENGTHS)
def test_last_year_is_carried_to_twelve_months_by_those_known(count):
    window = Coverage.of(ALL[-count:], "2025-12").window(base_year.NAME, HORIZON.last_year)
    last = flat(count)[lambda frame: frame["month"] >= "2025-01"].groupby("region", as_index=False)["amount"].sum()

    assert base_year.carried(last, window, flat(count))["amount"].tolist() == [1200]
    assert (base_year.based(window) == "") == (count >= 12)
    assert base_year.began(flat(count), "region", window) == []


def test_a_missing_month_is_carried_only_to_who_was_there():
    cover = span_of("2024-11", "2025-12")
    told = [month for month in cover if month != "2025-04"]
    rows = [("East", month, 100) for month in told]
    rows += [("Tyrol", month, 50) for month in told if month >= "2025-09"]  # opened after it
    rows += [("Gone", month, 70) for month in told if month <= "2025-02"]  # ended before it
    rows += [("Summer", month, 30) for month in told if month >= "2025-02"]  # began in February: nine known months of 30
    sold = pd.DataFrame(rows, columns=["region", "month", "amount"])
    window = Coverage.of(told, "2025-12").window(base_year.NAME, HORIZON.last_year)
    last = sold[sold["month"] >= "2025-01"]
    by_region = base_year.carried(last.groupby("region", as_index=False)["amount"].sum(), window, sold)

    right = {"East": 1200, "Gone": 140, "Summer": 330, "Tyrol": 200}
    assert by_region.set_index("region")["amount"].to_dict() == right
    filled = base_year.filled(last, window, sold)
    assert filled.groupby("region")["amount"].sum().to_dict() == right
    april = filled[filled["month"] == "2025-04"].set_index("region")["amount"]
    assert april.to_dict() == {"East": 100, "Summer": 30}
    assert base_year.by_month(sold, window)["2025-04"] == 130
    # a cell was there once its region and its product were: a rare one in an old region is no start
    both = sold.assign(product="Pump")
    rare = pd.DataFrame([("East", "2025-08", 110, "Valve"), ("Tyrol", "2024-11", 1, "Valve")], columns=both.columns)
    both = pd.concat([both[both["region"] != "Tyrol"], rare.iloc[:1], rare.iloc[1:].assign(region="Summer")])
    cells = both[both["month"] >= "2025-01"].groupby(["region", "product"], as_index=False)["amount"].sum()
    found = base_year.carried(cells, window, both).set_index(["region", "product"])["amount"]
    assert found["East", "Pump"] == 1200


def test_what_the_bridge_shows_is_told_and_that_nothing_moves():
    found = made(priority={"North": 0.4}, **ALONE)
    plan = split(COMPANY, "region", found.weights).plan

    # North weighs 350 of 1,100 instead of 250 of 1,000: 6.8 points.
    assert region.told_effects(found, plan) == "Priority moves most: 6.8 points of share change hands"
    still = made(**ALONE)
    assert region.told_effects(still, split(COMPANY, "region", still.weights).plan) == (
        "Last year's shares stand: no driver and no rule moves them"
    )


def test_how_incentives_are_released_is_told_in_steps_and_at_once():
    assert region.told_release(region.Parameters()).startswith(
        "A month's incentive is released from 80% of that month's sales plan, all of it at 100%; at 90% it is 50%."
    )
    assert region.told_release(region.Parameters(release_from=1.0, release_full=1.0)).startswith(
        "A month's incentive is released whole from 100% of that month's sales plan, below it not at all."
    )


def test_nobody_is_called_awake_where_orders_are_too_young_to_be_dormant():
    reach = pd.DataFrame({"region": ["East"], "active": [3], "dormant": [0], "share": [1.0]})
    regions = pd.DataFrame({"region": ["East"], "gdp": [1.0], "income": [1.0]})
    day = pd.Timestamp("2025-12-31")
    for first, known in (("2025-10-01", False), ("2025-03-01", True)):
        found = region.told_dormant(reach, pd.DataFrame({"first": [first]}), day, region.Parameters())
        market = region.market(regions, EXPECTED.iloc[:1], found, region.Parameters())
        assert ("dormant" in market) == known and market["active"].tolist() == [3]


def test_a_region_that_began_is_no_growth_of_the_company():
    table = pd.DataFrame({"member": ["East", "North"], "allocated": [2400, 1200], "last_year": [1200, 1200]})
    table["growth"] = [float("nan"), 0.0]
    missed = pd.DataFrame([("North", year, 0.8) for year in (2023, 2024, 2025)], columns=["region", "year", "attainment"])

    found = region.review(table, missed, None, region.Parameters())
    assert found["ask"].tolist() == ["grows as the company does: what held it back?"]
    better = table.assign(member=["East", "West"], growth=[float("nan"), 0.1], allocated=[2400, 1320])
    both = pd.concat([table, better.iloc[1:]])  # the two known grow by 5%: West is ahead, North behind
    assert region.organisation(both, None, None, region.Parameters()).set_index("region")["tools"].to_dict() == {
        "East": "full field system", "West": "light field system", "North": "basic"
    }  # fmt: skip


def test_a_growth_under_a_percent_has_a_tenth():
    assert region.told_plan(compared(A=0.004, B=0.001), ["A"], 0.5) == "A takes 50% of the target; A grows most, by 0.4%."
    assert region.told_plan(compared(A=0.0002), ["A"], 1.0) == "A takes all of the target, as much as last year."
    assert region.told_plan(compared(A=0.0002, B=0.0), ["A"], 0.5).endswith(
        "no region grows: B and A come nearest, as much as last year."
    )


def test_regions_that_meet_one_cap_grow_most_together():
    assert region.told_plan(compared(A=0.6999999, B=0.7, C=0.1), ["A"], 0.5).endswith("; B and A grow most, each by 70%.")
    assert region.told_plan(compared(A=0.7, B=0.1, C=0.1), ["A"], 0.5).endswith("; A grows most, by 70%.")


def test_drivers_without_data_have_no_source_and_no_weight():
    last = pd.DataFrame({"region": ["East", "West"], "amount": [60, 40]})
    expected = pd.DataFrame({"region": ["East", "West"], "share": [0.6, 0.4]})
    plan = pd.DataFrame({"amount": [100]})
    bare = region.drivers(plan, last, expected, region.Parameters()).sources.set_index("driver")
    reach = expected.assign(active=1, dormant=0)
    some = region.drivers(plan, last, expected, region.Parameters(), reach=reach).sources.set_index("driver")

    assert bare.loc["reach", ["source", "form"]].tolist() == ["not known", ""]
    assert some.loc["reach", "source"] == "orders: customers by recency" and some.loc["reach", "form"] != ""
    assert bare.loc["trend", ["source", "form"]].tolist() == ["orders", "100% of the share"]
    assert bare.loc["potential", "source"] == some.loc["team", "source"] == "not known"
