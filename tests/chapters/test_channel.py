"""04 channel: capacity caps, the review moves, rebates cost what hand arithmetic says, partners and prices are watched."""

from datetime import date

import pandas as pd
import pytest
from pydantic import ValidationError

from planlib import plan as tables
from planlib.chapters import channel
from planlib.estimates import shares
from planlib.lp import Stage, joint, split
from planlib.plan import Horizon, months

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
JUNE = Horizon(2026, 1, date(2026, 6, 30))
HISTORY = pd.DataFrame(
    [("E", "p", "Online", m, 120) for m in [*months(2024), *months(2025)]]
    + [("E", "p", "Stores", m, 80) for m in [*months(2024), *months(2025)]],
    columns=["region", "product", "channel", "month", "amount"],
)
PLAN = pd.DataFrame({"region": ["E"], "product": ["p"], "amount": [10_000]})
CHANNELS = pd.DataFrame({"channel": ["Online", "Stores"], "type": ["online", "own_store"], "capacity": [4000, 9000]})
NOTHING = channel.review(None, None, channel.Parameters(), HORIZON)


def driven(reviewed: pd.DataFrame = NOTHING, **words):
    trend = shares.expected(HISTORY, "channel", HORIZON, ("region", "product"))
    last_year = HISTORY[HISTORY["month"] >= "2025-01"].drop(columns="month")
    return channel.drivers(PLAN, last_year, trend, reviewed, 10_000, channel.Parameters(**words))


# CHN-1 ----------------------------------------------------------------------------------------------------------------


def test_a_channel_never_gets_more_than_it_can_carry():
    drivers, _ = driven()
    caps = channel.capacity_caps(CHANNELS, ["Online", "Stores"], channel.Parameters())
    found = split(PLAN, "channel", drivers.weights, caps)

    # CHN-1: the drivers want 6,000 online, 4,000 is what it can carry.
    assert found.plan["amount"].tolist() == [4000, 6000]
    assert channel.capacity_caps(CHANNELS, ["Online", "Stores"], channel.Parameters(use_capacity=False)) == []
    carries = channel.carries(drivers.frame, PLAN, CHANNELS).set_index("channel")
    assert carries["capacity_used"].to_dict() == pytest.approx({"Online": 1.5, "Stores": 4000 / 9000})


def test_research_adds_to_what_history_shows():
    drivers, _ = driven(research={"Stores": 1.5})

    assert drivers.frame.set_index("channel")["weight"].to_dict() == pytest.approx({"Online": 0.5, "Stores": 0.5})  # CHN-1


# CHN-2 ----------------------------------------------------------------------------------------------------------------


def reviewed(**words) -> pd.DataFrame:
    booked = pd.DataFrame([("Online", m, 900) for m in JUNE.closed] + [("Stores", m, 550) for m in JUNE.closed])
    booked.columns = ["channel", "month", "amount"]
    planned = booked.assign(amount=booked["channel"].map({"Online": 1000, "Stores": 500}))
    return channel.review(booked, planned, channel.Parameters(**words), JUNE)


def test_the_review_moves_from_behind_to_ahead_with_a_reason():
    drivers, moved = driven(reviewed())
    rows = moved.set_index("channel")

    # CHN-2: online is 10% behind and gives up a tenth of its 6,000; the stores, 10% ahead, take it.
    assert rows["transfer"].to_dict() == {"Online": -600, "Stores": 600}
    assert rows.loc["Online", "reason"] == "10.0% behind the plan in force in 2026-01 to 2026-06"
    assert drivers.frame.set_index("channel")["weight"].to_dict() == pytest.approx({"Online": 0.54, "Stores": 0.46})
    assert driven(reviewed(), review_move=0.5)[1]["transfer"].tolist() == [-3000, 3000]
    assert driven(reviewed(), review_line=0.15)[1]["transfer"].tolist() == [0, 0]


def test_by_quarter_only_whole_quarters_are_reviewed_and_before_that_nothing():
    may = Horizon(2026, 1, date(2026, 5, 31))
    booked = pd.DataFrame({"channel": "Online", "month": may.closed, "amount": 1})
    by = {
        period: channel.review(booked, booked, channel.Parameters(review=period), may)["months"][0]
        for period in ("month", "quarter")
    }

    assert by == {"month": "2026-01 to 2026-05", "quarter": "2026-01 to 2026-03"}  # CHN-2
    assert NOTHING.empty and driven()[1].empty


# CHN-3 ----------------------------------------------------------------------------------------------------------------


def test_rebate_tiers_cost_what_hand_arithmetic_says():
    tiers = [[0.9, 0.01], [1.0, 0.02], [1.1, 0.03]]

    # CHN-3: on a target of 1,000 a result of 1,200: 100 at 1%, 100 at 2%, 100 at 3%; or 3% of all.
    assert channel.rebate(100_000, 120_000, tiers, False) == 100 + 200 + 300
    assert channel.rebate(100_000, 120_000, tiers, True) == 3600
    assert channel.rebate(100_000, 100_000, tiers, True) == 2000 and channel.rebate(100_000, 89_999, tiers, True) == 0
    assert channel.rebate(0, 100, tiers, True) == 0


def test_incentives_by_type_and_what_each_plan_costs():
    kinds = pd.DataFrame({"channel": ["D", "O", "S", "K"], "type": ["dealer", "online", "own_store", "key_account"]})
    plan = pd.DataFrame({"channel": ["D", "O", "S", "K"], "amount": [100_000, 10_000, 10_000, 10_000]})
    dealers = pd.DataFrame({"channel": "D", "partner": ["a", "b"], "year": 2025, "target": [500, 500], "result": [600, 400]})
    found = channel.incentives(plan, kinds, dealers, channel.Parameters()).set_index("channel")

    # CHN-3: at plan 10,000 of the dealers' 100,000 lie between 90 and 100%, at 1%. As last year a has 60,000 on a target of
    # 50,000: 50 + 100 + 150; b misses. Retroactive: 3% of 60,000.
    assert found.loc["D", ["cost_at_plan", "cost_marginal", "cost_retroactive"]].tolist() == [100, 300, 1800]
    assert found.loc[["O", "S", "K"], "cost_as_last_year"].tolist() == [500, 200, 100]
    other = channel.incentives(plan, kinds, dealers, channel.Parameters(retroactive=True, traffic_support=0.1)).set_index(
        "channel"
    )
    assert other.loc["D", "cost_as_last_year"] == 1800 and other.loc["O", "cost_as_last_year"] == 1000
    assert channel.incentives(plan, None, dealers, channel.Parameters()).empty


# CHN-4, CHN-5 ---------------------------------------------------------------------------------------------------------

DEALERS = pd.DataFrame(
    {
        "partner": ["a", "b"], "region": "E", "channel": "D", "year": 2025, "target": 100, "result": [100, 90],
        "funds": [100, 50], "warehouse": [100.0, 50.0], "team": [10.0, 5.0], "new_outlets": [4.0, 8.0], "turnover": [6.0, 6.0],
        "fill_rate": [0.9, 0.9], "coverage": [0.5, 0.5], "crm_use": [0.2, 0.8], "reports_on_time": [0.2, 0.8],
        "online_share": [0.2, 0.8],
    }
)  # fmt: skip


def test_the_score_has_four_parts_and_weights():
    found = channel.scores(DEALERS, channel.Parameters(), HORIZON).set_index("partner")
    basics = channel.scores(
        DEALERS, channel.Parameters(score_weights={"basics": 1.0, "development": 0, "operations": 0, "digital": 0}), HORIZON
    ).set_index("partner")

    # CHN-4: against the 90th percentile, .9 of the way from the lesser to the greater value: 95 of 50 and 100.
    assert found.loc["b", ["basics", "operations"]].tolist() == pytest.approx([100 * 50 / 95, 100])
    assert found.loc["a", "digital"] == pytest.approx(100 * 0.2 / 0.74)
    parts = {"basics": 0.25, "development": 0.25, "operations": 0.30, "digital": 0.20}
    assert found.loc["a", "score"] == pytest.approx(sum(weight * found.loc["a", part] for part, weight in parts.items()))
    assert basics["score"].to_dict() == pytest.approx({"a": 100, "b": 100 * 50 / 95})


def test_a_part_that_is_not_known_is_left_out_of_the_score():
    bare = DEALERS.drop(columns=["crm_use", "reports_on_time", "online_share"])
    found = channel.scores(bare, channel.Parameters(), HORIZON).set_index("partner").loc["a"]

    assert pd.isna(found["digital"])  # CHN-4: the other three weights, scaled from 0.8
    assert found["score"] == pytest.approx(
        (0.25 * found["basics"] + 0.25 * found["development"] + 0.3 * found["operations"]) / 0.8
    )


def missed(*last: int) -> pd.DataFrame:
    rows = [("a", month, 100, result) for month, result in zip(months(2025)[-len(last) :], last, strict=True)]
    return pd.DataFrame(rows, columns=["partner", "month", "target", "result"])


def test_two_misses_start_help_and_more_lead_to_exit():
    def state(frame: pd.DataFrame, **words) -> str:
        return channel.health(frame, None, channel.Parameters(**words), HORIZON)["status"][0]

    assert state(missed(100, 100, 100, 90)) == "healthy"  # CHN-5: 90 is over the line of 85%
    assert state(missed(50, 100, 100, 80)) == "watch" and state(missed(100, 80, 84)) == "help"
    assert state(missed(80, 80, 80)) == "help" and state(missed(100, 80, 80, 80, 80)) == "exit"
    assert state(missed(80, 80, 80, 80, 90)) == "healthy"  # help that worked
    assert state(missed(100, 80, 80), help_after=3) == "watch" and state(missed(80, 80, 80), exit_after=3) == "exit"
    assert state(missed(100, 80, 80), miss_line=0.75) == "healthy"


def test_without_months_the_years_stand_for_them():
    years = pd.DataFrame({"partner": "a", "year": [2023, 2024, 2025], "target": 100, "result": [100, 70, 70]})
    found = channel.health(None, years, channel.Parameters(), HORIZON)

    assert found.loc[0, ["period", "misses", "status"]].tolist() == ["2025", 2, "help"]  # CHN-5
    assert "left out" in channel.warning(channel.health(None, None, channel.Parameters(), HORIZON))


# CHN-6 ----------------------------------------------------------------------------------------------------------------


def test_prices_outside_their_corridor_are_listed_with_their_money():
    orders = pd.DataFrame(
        [
            ("Online", "p", "E", "2025-06", 7000, 10.0),
            ("Online", "p", "E", "2025-07", 9000, 10.0),
            ("Stores", "p", "E", "2025-06", 11_000, 10.0),
        ],
        columns=["channel", "product", "region", "month", "amount", "quantity"],
    )  # fmt: skip
    listed = pd.DataFrame({"product": ["p"], "list_price": [1000]})
    stated = CHANNELS.assign(price_low=[0.8, 0.9], price_high=[0.95, 1.05])
    found = channel.violations(orders, listed, stated, channel.Parameters())

    # CHN-6: ten pieces at 70% of 1,000 are 10% under the floor: 1,000; ten at 110% are 5% over the ceiling: 500.
    assert found[["channel", "month", "given_away"]].values.tolist() == [
        ["Online", "2025-06", 1000],
        ["Stores", "2025-06", 500],
    ]
    assert len(channel.violations(orders, listed, stated, channel.Parameters(price_tolerance=0.06))) == 1
    # Without a stated corridor the channel's own median, 80% online, 10 points either way: both ends are just inside.
    assert channel.violations(orders, listed, CHANNELS, channel.Parameters()).empty
    assert len(channel.violations(orders, listed, CHANNELS, channel.Parameters(corridor=0.05))) == 2
    assert channel.violations(orders, None, stated, channel.Parameters()).empty


# CHN-7 ----------------------------------------------------------------------------------------------------------------


def test_traffic_each_way():
    rows = [("c1", "Stores", "2024-05", 10), ("c1", "Online", "2025-05", 30), ("c2", "Stores", "2024-05", 10)]
    rows += [("c2", "Stores", "2025-05", 10), ("c3", "Online", "2024-05", 10), ("c3", "Stores", "2025-05", 70)]
    bought = pd.DataFrame(rows, columns=["customer", "channel", "month", "amount"])
    found = channel.traffic(bought, ["Online"], HORIZON)

    # CHN-7: one of two offline customers came online, the only online one left.
    assert found == {"offline_to_online": 0.5, "online_to_offline": 1.0, "money_online": 30.0, "money_offline": 70.0}
    assert channel.traffic(bought, [], HORIZON) == {}
    assert channel.online_of(CHANNELS, channel.Parameters()) == ["Online"]
    assert channel.online_of(CHANNELS, channel.Parameters(online=["Stores"])) == ["Stores"]


STOCK = pd.DataFrame({"product": "p", "warehouse": ["near", "far"], "quantity": [60.0, 60.0]})
ROUTES = pd.DataFrame({"warehouse": ["near", "far"], "region": "E", "cost": [10, 30]})


def routed(**words):
    plan = pd.DataFrame({"region": "E", "product": "p", "channel": ["Online", "Stores"], "amount": [80_000, 20_000]})
    sold = pd.DataFrame(
        {"product": "p", "channel": ["Online", "Stores"], "amount": [1000, 1000], "quantity": [1.0, 1.0], "cost": [600, 600]}
    )
    given = channel.Parameters(**{"demand_days": 73, "online_stock": 0.5, **words})  # 73 of 365 days are a fifth
    return channel.served(channel.routed(STOCK, ROUTES, plan.assign(amount=plan["amount"] * 5), sold, ["Online"], given))


def test_shared_stock_serves_what_stock_kept_apart_cannot():
    found = routed().set_index("held_as")

    # CHN-7: 80 pieces online and 20 in stores, stock of 120. Together: 60 near, 40 far. Apart, online has 60 of its 80;
    # a piece not served loses 400 of margin.
    assert found.loc["shared stock", ["pieces", "unserved", "freight"]].tolist() == [100, 0, 60 * 10 + 40 * 30]
    assert found.loc["stock kept apart", ["unserved", "margin_lost", "freight"]].tolist() == [20, 8000, 30 * 40 + 20 * 10]
    assert routed(online_stock=0.8).set_index("held_as").loc["stock kept apart", "unserved"] == 0
    assert routed(demand_days=36).set_index("held_as").loc["shared stock", "pieces"] < 60
    assert channel.routed(None, ROUTES, PLAN, HISTORY, [], channel.Parameters()) == {}


# the sample -----------------------------------------------------------------------------------------------------------


def test_the_samples_online_channel_is_full(open_sample):
    chapter = open_sample("04-channel")
    last_year, keys = chapter.last_year("region", "product", "channel"), ["region", "product"]
    products = tables.rollup(last_year, keys).assign(amount=lambda frame: frame["amount"] * 13 // 10)
    trend = shares.expected(chapter.orders(*keys, "channel", "month"), "channel", chapter.horizon, tuple(keys))
    known, amount = chapter.tables.get("channels"), int(products["amount"].sum())
    drivers, _ = channel.drivers(products, last_year, trend, NOTHING, amount, chapter.parameters)
    caps = channel.capacity_caps(known, drivers.frame["channel"].tolist(), chapter.parameters)
    held, free = (split(products, "channel", drivers.weights, rules) for rules in (caps, []))
    capacity = int(known.set_index("channel").loc["E-commerce", "capacity"])

    online = {
        name: int(result.by("channel").set_index("channel")["amount"]["E-commerce"])
        for name, result in (("held", held), ("free", free))
    }
    assert online["held"] <= capacity < online["free"]  # CHN-1
    assert held.rules.set_index("rule").loc["capacity of E-commerce", "price"] > 0
    stages = [Stage("channel", drivers.weights, tuple(caps))]
    assert "together" in channel.together(None, chapter.show) and len(stages) == 1
    more, _ = channel.drivers(products, last_year, trend, NOTHING, amount, channel.Parameters(research={"Dealers": 1.5}))
    weight = [table.frame.set_index("channel").loc["Dealers", "weight"] for table in (drivers, more)]
    assert weight[1] > weight[0]


def test_the_samples_partners_prices_and_stock(open_sample):
    chapter = open_sample("04-channel")
    frames = {
        name: chapter.tables.get(name) for name in ("channels", "partners", "partner_months", "products", "inventory", "routes")
    }
    healthy = channel.health(frames["partner_months"], frames["partners"], chapter.parameters, chapter.horizon)
    scored = channel.scores(frames["partners"], chapter.parameters, chapter.horizon)
    strict = channel.health(
        frames["partner_months"], frames["partners"], channel.Parameters(help_after=1, exit_after=2), chapter.horizon
    )
    count = healthy["status"].value_counts()

    assert count["help"] >= 3 and count["exit"] >= 1  # CHN-5
    assert (strict["status"] == "exit").sum() > count["exit"]
    assert scored["score"].between(20, 100).all() and len(scored) >= 50  # CHN-4
    sold = chapter.orders("channel", "product", "region", "month", months=chapter.horizon.last_twelve)
    broken = channel.violations(sold, frames["products"], frames["channels"], chapter.parameters)
    assert len(broken) > 20 and (broken["given_away"] > 0).all()  # CHN-6
    assert len(
        channel.violations(sold, frames["products"], frames["channels"], channel.Parameters(price_tolerance=0.05))
    ) < len(broken)
    plan = chapter.last_year("region", "product", "channel")
    recent = chapter.orders("product", "channel", months=chapter.horizon.last_twelve)
    online = channel.online_of(frames["channels"], chapter.parameters)
    found = channel.served(channel.routed(frames["inventory"], frames["routes"], plan, recent, online, chapter.parameters))
    together, apart = (found.set_index("held_as").loc[name] for name in ("shared stock", "stock kept apart"))
    assert together["freight"] + together["margin_lost"] <= apart["freight"] + apart["margin_lost"]  # CHN-7
    costs = channel.incentives(plan, frames["channels"], frames["partners"], chapter.parameters).set_index("channel")
    assert costs.loc["Dealers", "cost_retroactive"] > costs.loc["Dealers", "cost_marginal"] > 0  # CHN-3


def test_planning_one_after_the_other_gives_something_up_where_a_channel_is_full():
    regions = pd.DataFrame({"region": ["E", "N"], "weight": [0.5, 0.5]})
    rows = [("E", "Online", 0.6), ("E", "Stores", 0.4), ("N", "Online", 0.2), ("N", "Stores", 0.8)]
    weights = pd.DataFrame(rows, columns=["region", "channel", "weight"])
    caps = channel.capacity_caps(CHANNELS.assign(capacity=[20_000, 90_000]), ["Online", "Stores"], channel.Parameters())
    company = tables.company(100_000)
    sequence = split(split(company, "region", regions).plan, "channel", weights, caps).plan
    found = joint(company, [Stage("region", regions), Stage("channel", weights, tuple(caps))], sequence)

    # CHN-1: see tests/lp/test_joint.py: 8,333 leave the east, a sixth of the distance was given up.
    assert channel.together(found, lambda value, form: str(value)) == (
        "Planned together, 8333 would lie elsewhere and the plan 16.67% nearer to the drivers; "
        "the largest shift is 8333 less for E."
    )


def test_the_message_names_full_channels():
    rules = pd.DataFrame({"rule": ["capacity of Online", "floor"], "binds": [True, True]})

    assert channel.message("Online", 0.5, rules) == "Online carry 50% of the target; at capacity: Online."
    assert channel.shifts(None).empty and "not split by channel" in channel.message("all", 1.0, rules.iloc[:0])


@pytest.mark.parametrize(
    "words",
    [
        {"review_move": 0.6}, {"review_line": 0.0}, {"review": "week"}, {"score_weights": {"basics": 0.5, "digital": 0.4}},
        {"score_weights": {"style": 1.0}}, {"tiers": [[1.0, 0.02], [0.9, 0.01]]}, {"tiers": [[0.9, 0.5]]},
        {"miss_line": 0.4},
        {"help_after": 3, "exit_after": 3}, {"corridor": 0.0}, {"price_tolerance": 0.2}, {"demand_days": 0},
        {"online_stock": 1.2},
        {"research": {"Online": 3.0}}, {"traffic_support": 0.3}, {"store_bonus": -0.1}, {"account_rebate": 0.21},
    ],
)  # fmt: skip
def test_values_outside_their_bounds_are_refused(words):
    with pytest.raises(ValidationError):
        channel.Parameters(**words)
