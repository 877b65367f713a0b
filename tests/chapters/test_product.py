"""03 product: stage and place are read off the orders and markets, move the weight, and owe something by a day."""

from datetime import date

import pandas as pd
import pytest
from pydantic import ValidationError

from planlib import plan as tables
from planlib.chapters import channel, product
from planlib.errors import ParameterError
from planlib.estimates import shares
from planlib.estimates.windows import Coverage
from planlib.lp import split
from planlib.periods import Horizon, months
from planlib.plan import company

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
THREE_YEARS = Coverage("2023-01", "2025-12")
PATHS = {"steady": (100, 100), "rising": (50, 100), "falling": (100, 60), "gone": (20, 0)}


def history() -> pd.DataFrame:
    rows = [(name, month, pair[year - 2024]) for name, pair in PATHS.items() for year in (2024, 2025) for month in months(year)]
    rows += [("young", month, 100) for month in months(2025)[8:]]
    frame = pd.DataFrame(rows, columns=["product", "month", "amount"])
    return frame[frame["amount"] > 0]


def staged(**words) -> pd.DataFrame:
    return product.stages(history(), product.Parameters(**words), HORIZON)


def driven(plan: pd.DataFrame, found: pd.DataFrame, **words):
    everywhere = plan[["region"]].merge(history(), how="cross")
    last_year = everywhere[everywhere["month"] >= "2025-01"][["region", "product", "amount"]]
    trend = shares.expected(everywhere, "product", HORIZON, ("region",))
    return product.drivers(plan, last_year, trend, found, product.Parameters(**words), HORIZON)


EAST = company(100).assign(region="East")[["region", "amount"]]


# PRD-1 ----------------------------------------------------------------------------------------------------------------


def test_each_path_has_its_stage():
    found = staged().set_index("product")["stage"].to_dict()  # PRD-1

    assert found == {"steady": "maturity", "rising": "growth", "falling": "decline", "gone": "exit", "young": "introduction"}


def test_the_lines_between_stages_are_parameters():
    found = staged(introduction_months=3, decline_line=-0.5).set_index("product")["stage"].to_dict()  # PRD-1

    assert found["young"] != "introduction" and found["falling"] == "maturity"


def test_the_stage_moves_the_weight_by_its_factor():
    one = dict.fromkeys(("introduction", "growth", "maturity", "decline"), 1.0)
    plain = driven(EAST, staged(), stage_factor=one).weights.set_index("product")["weight"]
    moved = driven(EAST, staged(), stage_factor={**one, "growth": 1.5}).weights.set_index("product")["weight"]

    # PRD-1: half as much again beside the steady product, whatever the trend makes of both.
    assert moved["rising"] / moved["steady"] == pytest.approx(1.5 * plain["rising"] / plain["steady"])


def test_an_exit_has_a_date_and_after_it_nothing():
    found = staged(exits={"rising": "2026-03"})
    weights = driven(EAST, found, exits={"rising": "2026-03"}).weights.set_index("product")["weight"]
    steady = driven(EAST, staged()).weights.set_index("product")["weight"]
    past = driven(EAST, staged(exits={"rising": "2025-12"})).weights.set_index("product")["weight"]

    # PRD-1: three of twelve open months are left; the stage of an exit has no factor, growth's was 1.05.
    assert weights["rising"] / weights["steady"] == pytest.approx(0.25 / 1.05 * steady["rising"] / steady["steady"])
    assert past["rising"] == 0 and weights["gone"] == 0
    assert found.set_index("product").loc[["gone", "rising"], "last_month"].tolist() == ["2024-12", "2026-03"]


def test_an_unknown_exit_is_refused():
    with pytest.raises(ParameterError, match="raising"):
        staged(exits={"raising": "2026-03"})


def test_a_region_whose_products_all_leave_takes_the_companys_mix():
    plan = pd.DataFrame({"region": ["East", "North"], "amount": [10, 10]})
    old = history()[lambda t: t["product"] != "young"]
    orders = pd.concat([old.assign(region="East"), old[lambda t: t["product"] == "gone"].assign(region="North")])
    last_year = orders[orders["month"] >= "2024-01"][["region", "product", "amount"]]
    trend = shares.expected(orders, "product", HORIZON, ("region",))
    weights = product.drivers(plan, last_year, trend, staged(), product.Parameters(), HORIZON).weights
    north = weights[weights["region"] == "North"].set_index("product")["weight"]

    assert north["steady"] > 0 and north["gone"] == 0


BOUGHT = pd.DataFrame(
    [("young", f"c{n}", f"2025-{9 + n % 4:02d}", 25, 10) for n in range(20)]
    + [("steady", "c0", month, 100, 60) for month in [*months(2024), *months(2025)]]
    + [
        ("rising", f"c{n}", month, 50 if month < "2025" else 100, 30)
        for n in (1, 2)
        for month in [*months(2024), *months(2025)]
    ],
    columns=["product", "customer", "month", "amount", "cost"],
)
LAUNCHES = pd.DataFrame(
    {
        "product": ["young"],
        "target_users": [40.0],
        "core_channels": [4.0],
        "spend": [200],
        "feedback": [900.0],
        "improvements": [2.0],
    }
)


# c0 bought the steady product and c1, c2 the rising one before
WON = pd.DataFrame({"product": "young", "customer": [f"c{number}" for number in range(3, 20)]})


def goal(frame: pd.DataFrame, name: str, text: str) -> pd.Series:
    rows = frame[(frame["product"] == name) & frame["goal"].str.contains(text)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_the_goals_of_the_stages():
    marketing = pd.DataFrame({"month": ["2024-06", "2025-06"], "spend": [1000, 1000]})
    found = product.of_stages(staged(), BOUGHT, LAUNCHES, marketing, product.Parameters(), HORIZON)

    # PRD-1 introduction: c0..c2 of each four buy in the first three months: 15 of 40.
    reached = goal(found, "young", "reached")
    assert (reached["found"], reached["target"], reached["met"]) == (pytest.approx(0.375), 0.30, "yes")
    # PRD-1 growth: twice the same quarter of the year before is 2 ** (1/4) - 1 = 18.9% a quarter; both customers came again.
    assert goal(found, "rising", "growth a quarter")["found"] == pytest.approx(0.18921, abs=1e-5)
    assert goal(found, "rising", "buy again")["found"] == 1.0
    assert goal(found, "falling", "renew, harvest or leave")["by"] == "2026-03-31"
    stricter = product.of_stages(staged(), BOUGHT, LAUNCHES, None, product.Parameters(reach=0.5, quarter_growth=0.2), HORIZON)
    assert goal(stricter, "young", "reached")["met"] == "not known"  # 15 of 40 bought; who else was reached nobody knows
    assert goal(stricter, "rising", "growth a quarter")["met"] == "no"
    assert goal(stricter, "steady", "acquisition")["met"] == "not known"


def test_maturity_asks_for_cheaper_customers_and_a_longer_life():
    table = pd.DataFrame(
        [("steady", f"a{n}", "2024-05", 100) for n in range(10)] + [("steady", f"b{n}", "2025-05", 100) for n in range(16)],
        columns=["product", "customer", "month", "amount"],
    )
    only = staged()[lambda t: t["product"] == "steady"].assign(pace=0.0, pace_before=0.2, start_known=True)
    marketing = pd.DataFrame({"month": ["2024-01", "2025-06"], "spend": [1000, 1520]})
    found = product.of_stages(only, table, None, marketing, product.Parameters(), HORIZON, THREE_YEARS)

    # PRD-1: 100 then 95 a customer is 5% less. Falling 20 points a year from 0 to the line of -10 points takes 6 months; + 6.
    cost, life = goal(found, "steady", "acquisition"), goal(found, "steady", "until decline")
    assert cost["found"] == pytest.approx(-0.05) and cost["met"] == "yes"
    assert (life["found"], life["target"]) == (6, 12)
    strict = product.Parameters(acquisition_cut=0.1, longer_life=12)
    more = product.of_stages(only, table, None, marketing, strict, HORIZON, THREE_YEARS)
    assert goal(more, "steady", "acquisition")["met"] == "no" and goal(more, "steady", "until decline")["target"] == 18


# PRD-2 ----------------------------------------------------------------------------------------------------------------

MARKETS = pd.DataFrame(
    {
        "product": ["falling", "rising", "steady", "young"],
        "line": "A",
        "market_size": [24_000, 12_000, 12_000, 12_000],
        "market_growth": [0.02, 0.10, 0.05, 0.30],
        "rival_share": [0.06, 0.10, 0.08, 0.20],
    }
)


def places(products: pd.DataFrame | None = MARKETS, **words) -> pd.DataFrame:
    recent = history()[lambda t: t["month"] >= "2025-01"].groupby("product")["amount"].sum().reset_index()
    recent["cost"] = recent["amount"] * 6 // 10
    spend = pd.DataFrame({"month": months(2025), "spend": 34})
    return product.positions(staged(), recent, products, spend, product.Parameters(**words), HORIZON)


def test_the_matrix_is_growth_by_relative_share():
    found = places().set_index("product")

    # PRD-2 [BC1]: cuts of 10% a year and 1.0. Shares: falling 720 / 24,000 = 3%, rising and steady 10%, young 400 x 3 / 12,000.
    assert found.loc[["rising", "steady", "young", "falling"], "quadrant"].tolist() == [
        "star", "cash cow", "question mark", "dog",
    ]  # fmt: skip
    assert found["relative_share"].drop("gone").to_dict() == pytest.approx(
        {"rising": 1.0, "steady": 1.25, "young": 0.5, "falling": 0.5}
    )
    # Net margin: 40% gross, less 408 of marketing over 3,520 of revenue.
    assert found.loc["steady", "margin"] == pytest.approx(0.4 - 408 / 3520)
    assert (found.loc["falling", "decide_by"], found.loc["young", "decide_by"]) == ("2026-03-31", "2026-06-30")


def test_the_cuts_are_parameters():
    assert places(growth_cut=0.11).set_index("product").loc["rising", "quadrant"] == "cash cow"  # PRD-2
    assert places(share_cut=1.3).set_index("product").loc["steady", "quadrant"] == "dog"
    assert places(overhead=0.1).set_index("product").loc["steady", "margin"] == pytest.approx(0.3 - 408 / 3520)


def test_without_markets_products_are_compared_with_each_other_and_nothing_is_asked():
    found = places(None).set_index("product")

    # PRD-2 fallback: rising and steady share the first place, own growth 100% and 0%.
    assert found.loc["rising", ["quadrant", "basis"]].tolist() == ["star", "own orders"]
    assert found.loc["steady", "quadrant"] == "cash cow" and found.loc["falling", "relative_share"] == pytest.approx(0.6)
    assert product.floors_and_caps(places(None), driven(EAST, staged()).weights, product.Parameters()) == []
    # so the matrix asks for no share, and neither a dog nor a question mark owes an exit by a day
    plan = history().groupby("product", as_index=False)["amount"].sum()
    own, known = (product.matrix(places(given), plan, plan, product.Parameters()) for given in (None, MARKETS))
    assert set(own["share_asked"]) == {""}
    assert known.set_index("quadrant").loc[["star", "cash cow", "dog"], "share_asked"].tolist() == [
        "at least 40%", "at least 35%", "at most 5%",
    ]  # fmt: skip
    owed = product.of_quadrants(product.planned(places(None), plan, plan), BOUGHT, product.Parameters(), HORIZON)
    assert not owed["goal"].str.contains("exit or|stop-loss").any() and set(found["decide_by"]) == {""}
    assert "of gone rests" in product.says_own(places(), ", ".join)  # the table knows the markets of all others
    assert product.says_own(places(None), ", ".join) == (
        "The quadrant of every product rests on the company's own orders, since no market is known: it asks for no share of "
        "the plan and no exit. Table products would tell size, growth and the largest rival."
    )


def portfolio_split(**words):
    drivers = driven(company(100_000).assign(region="East")[["region", "amount"]], staged())
    rules = product.floors_and_caps(places(), drivers.weights, product.Parameters(**words))
    plan = company(100_000).assign(region="East")[["region", "amount"]]
    return split(plan, "product", drivers.weights, rules)


def amount(result, name: str) -> int:
    return int(result.by("product").set_index("product")["amount"][name])


def test_stars_get_at_least_their_share_cows_too_dogs_at_most():
    free = portfolio_split(use_portfolio=False)
    held = portfolio_split(portfolio_hard=True)
    more = portfolio_split(portfolio_hard=True, star_share=0.5, cow_share=0.3, dog_share=0.1)

    assert free.rules.empty and amount(free, "rising") < 40_000  # PRD-2: without the rules the star has less
    assert amount(held, "rising") >= 40_000 and amount(held, "steady") >= 35_000 and amount(held, "falling") <= 5_000
    assert amount(more, "rising") >= 50_000 and amount(more, "falling") <= 10_000
    star = held.rules.set_index("rule").loc["stars carry their share"]
    assert star["binds"] and star["price"] > 0


def test_a_soft_floor_gives_way_where_it_costs_too_much():
    words = {"star_share": 0.80, "cow_share": 0.20, "dog_share": 0.0}
    soft, stubborn = portfolio_split(**words, portfolio_penalty=0.1), portfolio_split(**words, portfolio_penalty=100.0)

    assert amount(soft, "rising") < amount(stubborn, "rising") <= 80_000  # PRD-2
    assert soft.rules.set_index("rule").loc["stars carry their share", "given_up"] > 0


def test_what_the_quadrants_owe():
    plan = company(1).assign(product="x").iloc[:0]
    rows = {"rising": 1500, "steady": 1200, "falling": 300, "young": 900}
    plan = pd.DataFrame({"product": list(rows), "amount": list(rows.values())})
    last = pd.DataFrame({"product": list(rows), "amount": [1200, 1200, 720, 400]})
    found = product.of_quadrants(product.planned(places(), plan, last), BOUGHT, product.Parameters(), HORIZON)

    # PRD-2: the star grows 25% as asked and faster than its market; the cow earns 28% net; a new product no year.
    assert goal(found, "rising", "planned growth")["met"] == "yes" and goal(found, "rising", "defence")["target"] == 0.10
    assert goal(found, "steady", "net margin")["met"] == "yes"
    assert goal(found, "steady", "cross-sell")["found"] == "young: 0% of its customers do not buy it yet"
    assert goal(found, "young", "market share")[["met", "by"]].tolist() == ["not known", "2026-06-30"]
    assert goal(found, "falling", "decided")["by"] == "2026-03-31"
    strict = product.Parameters(star_growth=0.3, cow_margin=0.3, stop_loss=0.29)
    found = product.of_quadrants(product.planned(places(), plan, last), BOUGHT, strict, HORIZON)
    assert goal(found, "rising", "planned growth")["met"] == "no" and goal(found, "steady", "net margin")["met"] == "no"
    assert goal(found, "falling", "stop-loss reached")["by"] == "2025-12-31"


def test_a_question_mark_is_asked_to_double_its_share():
    frame = pd.DataFrame(
        [("young", "c", month, 10 if month < "2025" else 26) for month in [*months(2024), *months(2025)]],
        columns=["product", "customer", "month", "amount"],
    )
    old = places().assign(first_month="2024-01")
    mark = product.planned(old, history()[["product", "amount"]], history()[["product", "amount"]])
    found = product.of_quadrants(mark[mark["product"] == "young"], frame, product.Parameters(), HORIZON)

    # PRD-2: 2.6 times the sales in a market 30% larger is twice the share.
    assert goal(found, "young", "market share")[["found", "met"]].tolist() == [pytest.approx(2.0), "yes"]


# PRD-3 ----------------------------------------------------------------------------------------------------------------


def test_launch_targets_and_what_came():
    carried = pd.DataFrame(
        [("young", channel, month, 10) for channel, month in zip("ABCD", months(2025)[8:], strict=True)],
        columns=["product", "channel", "month", "amount"],
    )
    found = product.of_launches(staged(), BOUGHT, carried, LAUNCHES, WON, product.Parameters(), HORIZON)

    # PRD-3: three of four channels in three months; 15 of 40 users; 20 sales of 15 profit over 200, two months still to come;
    # 900 of 1,000 pieces of feedback; 2 improvements.
    assert goal(found, "young", "channels")[["found", "met"]].tolist() == [0.75, "no"]
    assert goal(found, "young", "converted")[["found", "met"]].tolist() == [0.375, "yes"]
    assert goal(found, "young", "paid back")[["found", "met"]].tolist() == [1.5, "yes"]
    assert goal(found, "young", "feedback in 30")["met"] == "no" and goal(found, "young", "improvements")["met"] == "yes"
    # c0 to c2 of its 20 customers bought others before; the 17 that it won made 15 of profit each, everyone of 2024 came back,
    # which counts as 20 years at most; over 200 / 17 a customer.
    assert goal(found, "young", "lifetime")["found"] == pytest.approx(15 / 0.05 / (200 / 17))


def test_launch_targets_are_parameters():
    carried = BOUGHT.assign(channel="A")
    easy = {"core_channels": 0.2, "converted": 0.4, "payback_months": 4, "feedback": 900, "improvements": 3}
    found = product.of_launches(staged(), BOUGHT, carried, LAUNCHES, WON, product.Parameters(**easy), HORIZON)

    assert goal(found, "young", "channels")["met"] == "yes" and goal(found, "young", "converted")["met"] == "no"  # PRD-3
    assert goal(found, "young", "feedback in 30")["met"] == "yes" and goal(found, "young", "improvements")["met"] == "no"


def test_what_is_not_known_of_a_launch_is_said():
    bought = BOUGHT.drop(columns="cost").assign(customer="all").groupby(["product", "customer", "month"]).sum().reset_index()
    found = product.of_launches(staged(), bought, bought.assign(channel="all"), None, WON, product.Parameters(), HORIZON)

    assert set(found.loc[found["met"] == "not known", "goal"]) == set(found["goal"])  # PRD-3


# the sample -----------------------------------------------------------------------------------------------------------


def on_sample(open_sample, **words):
    chapter = open_sample("03-product", **words)
    history = chapter.orders("region", "product", "month")
    last_year = chapter.last_year("region", "product")
    regions = tables.rollup(last_year, ["region"])
    found = product.stages(history, chapter.parameters, chapter.horizon)
    recent = chapter.orders("product", months=chapter.horizon.last_twelve)
    names = ("products", "marketing")
    place = product.positions(found, recent, *map(chapter.tables.get, names), chapter.parameters, chapter.horizon)
    trend = shares.expected(history, "product", chapter.horizon, ("region",))
    drivers = product.drivers(regions, last_year, trend, found, chapter.parameters, chapter.horizon)
    rules = product.floors_and_caps(place, drivers.weights, chapter.parameters)
    return place.set_index("product"), split(regions, "product", drivers.weights, rules, (), last_year)


def test_the_samples_stars_get_at_least_their_share(open_sample):
    place, held = on_sample(open_sample, portfolio_hard=True, star_share=0.45)
    _, free = on_sample(open_sample, use_portfolio=False)
    _, more = on_sample(open_sample, portfolio_hard=True, star_share=0.50)
    stars = sorted(place.index[place["quadrant"] == "star"])

    assert stars == ["Aqua 600", "Aqua 800 Pro", "Breeze Max"]
    assert free.share(stars) < 0.45 <= held.share(stars) < 0.50 <= more.share(stars)  # PRD-2
    rules = held.rules.set_index("rule")
    assert rules.loc["stars carry their share", "binds"] and rules.loc["stars carry their share", "price"] > 0
    assert held.share(sorted(place.index[place["quadrant"] == "dog"])) <= 0.05


def test_the_samples_exit_gives_nothing(open_sample):
    place, plan = on_sample(open_sample, exits={"Aqua Mini": "2025-12", "Pitcher One": "2025-12"})
    _, kept = on_sample(open_sample, exits={})

    assert plan.share(["Aqua Mini", "Pitcher One"]) == 0 < kept.share(["Aqua Mini"])  # PRD-1
    assert place.loc["Aqua Mini", ["last_month", "decide_by"]].tolist() == ["2025-12", ""]


def test_the_samples_growth_line_moves_a_product_to_another_stage(open_sample):
    strict, _ = on_sample(open_sample, decline_line=-0.40)
    usual, _ = on_sample(open_sample)

    assert usual.loc["Aqua 400", "stage"] == "decline" and strict.loc["Aqua 400", "stage"] == "maturity"  # PRD-1


@pytest.mark.parametrize(
    "words",
    [
        {"star_share": 0.9}, {"star_share": 0.7, "cow_share": 0.4}, {"dog_share": 0.6}, {"growth_cut": 0.6}, {"share_cut": 0.1},
        {"reach": 0.0}, {"exits": {"x": "2026-13"}}, {"stage_factor": {"growth": 4.0}}, {"stage_factor": {"youth": 1.0}},
        {"ltv_over_cac": 0.5}, {"payback_months": 0}, {"feedback": 5}, {"star_marketing": 0.9}, {"cow_margin": 0.6},
    ],
)  # fmt: skip
def test_values_outside_their_bounds_are_refused(words):
    with pytest.raises(ValidationError):
        product.Parameters(**words)


@pytest.mark.parametrize("told", [product.told_effects, channel.told_effects])
def test_the_title_of_effects_names_only_what_moves(told):
    def title(**effects: list[float]) -> str:
        return told(
            pd.DataFrame([(name, value) for name, each in effects.items() for value in each], columns=["member", "effect"])
        )

    assert title(Heater=[0.01], Filter=[-0.01]) == "Heater +1.0 points of share, Filter -1.0 points of share"
    assert title(Heater=[0.0004], Filter=[-0.0004]).endswith(("no driver and no rule moves them", "moves a channel"))
    assert title(Heater=[0.005, -0.005], Filter=[0.0]).endswith("up moves it down again")
    assert title(Heater=[0.001], Filter=[-0.0004], Pump=[-0.0004]) == "Heater +0.1 points of share"
