"""04 channel on the sample: each parameter moves its table as the method book says, by hand on its tables."""

from types import SimpleNamespace

import pandas as pd
import pytest

from planlib import plan as tables
from planlib.chapters import channel
from planlib.estimates import shares
from planlib.lp import split

KEYS = ["region", "product"]


def planned(open_sample, as_of=None, ahead=None, **words) -> SimpleNamespace:
    """The sample split by channel at 30% growth. `ahead`: channel: booked over a plan in force that is made here, less 1."""
    chapter = open_sample("04-channel", as_of=as_of, **words)
    given, known = chapter.parameters, chapter.tables.get("channels")
    last_year, booked = chapter.last_year(*KEYS, "channel"), chapter.booked(*KEYS, "channel")
    products = tables.rollup(last_year, KEYS).assign(amount=lambda frame: frame["amount"] * 13 // 10)
    if booked is not None:  # a cell that began to sell this year holds at least what it sold
        both = pd.concat([products, tables.rollup(booked, KEYS)])
        products = both.groupby(KEYS, as_index=False)["amount"].max()
    trend = shares.expected(chapter.orders(*KEYS, "channel", "month"), "channel", chapter.horizon, tuple(KEYS))
    months, in_force = chapter.booked("channel", "month"), None
    if ahead is not None:
        pace = 1 + months["channel"].map(ahead).fillna(0.0)
        in_force = months.assign(amount=(months["amount"] / pace).round().astype("int64"))
    reviewed = channel.review(months, in_force, given, chapter.horizon)
    open_amount = int(products["amount"].sum()) - (0 if booked is None else int(booked["amount"].sum()))
    drivers, moved = channel.drivers(products, last_year, trend, reviewed, open_amount, given)
    caps = channel.capacity_caps(known, drivers.frame["channel"].tolist(), booked, given)
    result = split(products, "channel", drivers.weights, caps, (), last_year, booked)
    amounts = result.by("channel").set_index("channel")["amount"]
    weight = drivers.frame.set_index("channel")["weight"]
    return SimpleNamespace(
        products=products,
        weights=drivers.weights,
        weight=weight,
        moved=moved.set_index("channel"),
        amounts=amounts,
        rules=result.rules,
        open=open_amount,
    )


# CHN-1 ----------------------------------------------------------------------------------------------------------------


def test_research_lifts_a_channel_by_its_factor_within_every_region_and_product(open_sample):
    usual, more = planned(open_sample), planned(open_sample, research={"Dealers": 1.5})
    keys = usual.weights.merge(usual.products, on=KEYS)
    share = keys["weight"] / keys.groupby(KEYS)["weight"].transform("sum")
    lifted = (share * 1.5 / (1 + 0.5 * share))[keys["channel"] == "Dealers"]  # CHN-1: s becomes 1.5 s / (1 - s + 1.5 s)
    amount = keys.loc[keys["channel"] == "Dealers", "amount"]

    assert more.weight["Dealers"] == pytest.approx((lifted * amount).sum() / usual.products["amount"].sum())
    assert more.amounts["Dealers"] > usual.amounts["Dealers"]


def test_capacity_holds_the_full_channel_back_only_while_it_is_used(open_sample):
    held, free = planned(open_sample), planned(open_sample, use_capacity=False)

    # CHN-1: e-commerce can carry 24.84 m a year by the table of channels.
    assert held.amounts["E-commerce"] == pytest.approx(2_484_000_000, abs=1)  # whole fen of its cells
    assert held.amounts["E-commerce"] < free.amounts["E-commerce"]
    assert free.rules.empty and held.rules.set_index("rule").loc["capacity of E-commerce", "binds"]
    assert free.amounts["E-commerce"] == pytest.approx(free.weight["E-commerce"] * free.products["amount"].sum(), abs=1e4)


# CHN-2 ----------------------------------------------------------------------------------------------------------------

QUARTER = {"as_of": "2026-03-31", "use_capacity": False}
PACE = {"E-commerce": -0.20, "Dealers": 0.10, "Key accounts": 0.30, "Own stores": 0.04}


def test_the_review_takes_from_the_channel_behind_and_gives_to_those_ahead(open_sample):
    before = planned(open_sample, **QUARTER)
    found = planned(open_sample, ahead=PACE, **QUARTER)
    given = 0.10 * before.weight["E-commerce"] * before.open
    pull = {name: PACE[name] * before.weight[name] for name in ("Dealers", "Key accounts")}

    # CHN-2: a tenth of what is open of it leaves e-commerce; dealers and key accounts share it by weight times lead.
    assert before.moved.empty
    assert found.moved.loc["E-commerce", "transfer"] == pytest.approx(-given, abs=2)
    for name, part in pull.items():
        assert found.moved.loc[name, "transfer"] == pytest.approx(given * part / sum(pull.values()), rel=1e-6)
    assert found.moved.loc[["Own stores", "Distributors"], "transfer"].tolist() == [0, 0]
    assert found.amounts["E-commerce"] < before.amounts["E-commerce"]
    assert found.amounts["Key accounts"] > before.amounts["Key accounts"]


def test_review_line_and_move_decide_who_moves_and_how_much(open_sample):
    usual, double = (planned(open_sample, ahead=PACE, review_move=move, **QUARTER) for move in (0.10, 0.20))
    wide = planned(open_sample, ahead=PACE, review_line=0.15, **QUARTER)
    widest = planned(open_sample, ahead=PACE, review_line=0.25, **QUARTER)
    narrow = planned(open_sample, ahead=PACE, review_line=0.03, **QUARTER)

    # CHN-2: twice the move, twice the transfer; with a line of 15% only key accounts are ahead, with one of 25% nobody is
    # behind, with one of 3% the stores are ahead too.
    assert double.moved["transfer"].tolist() == pytest.approx((2 * usual.moved["transfer"]).tolist(), abs=2)
    assert double.amounts["E-commerce"] < usual.amounts["E-commerce"]
    assert wide.moved.loc["Dealers", "transfer"] == 0
    assert wide.moved.loc["Key accounts", "transfer"] == pytest.approx(-wide.moved.loc["E-commerce", "transfer"], abs=2)
    assert (widest.moved["transfer"] == 0).all() and narrow.moved.loc["Own stores", "transfer"] > 0


# CHN-3 ----------------------------------------------------------------------------------------------------------------


def test_each_incentive_costs_its_rate(open_sample):
    def costs(**words) -> pd.DataFrame:
        chapter = open_sample("04-channel", **words)
        names = ("channels", "partners")
        tables_ = map(chapter.tables.get, names)
        frame = channel.incentives(chapter.last_year("channel"), *tables_, chapter.parameters, chapter.horizon)
        return frame.set_index("channel")

    usual = costs()
    amount = usual["amount"]
    # CHN-3: rates count on all planned revenue; a dealer at 100% has the tenth from 90 to 100% at 1%, or all of it at 2%.
    for name, rate, who in (
        ("store_bonus", 0.03, "Own stores"), ("traffic_support", 0.08, "E-commerce"), ("account_rebate", 0.02, "Key accounts"),
    ):  # fmt: skip
        moved = costs(**{name: rate})
        assert moved.loc[who, "cost_at_plan"] == pytest.approx(rate * amount[who], abs=1) != usual.loc[who, "cost_at_plan"]
        pd.testing.assert_frame_equal(moved.drop(index=who), usual.drop(index=who))
    assert usual.loc["Dealers", "cost_at_plan"] == pytest.approx(0.1 * 0.01 * amount["Dealers"], abs=1)
    whole = costs(retroactive=True)
    assert whole.loc["Dealers", "cost_at_plan"] == pytest.approx(0.02 * amount["Dealers"], abs=1)
    assert whole.loc["Dealers", "cost_as_last_year"] == usual.loc["Dealers", "cost_retroactive"]
    steeper = costs(tiers=[[0.8, 0.02], [1.0, 0.03], [1.1, 0.05]])
    assert steeper.loc["Dealers", "cost_at_plan"] == pytest.approx(0.2 * 0.02 * amount["Dealers"], abs=1)
    assert steeper.loc["Dealers", "cost_as_last_year"] > usual.loc["Dealers", "cost_as_last_year"]
    assert steeper.loc["E-commerce", "cost_at_plan"] == usual.loc["E-commerce", "cost_at_plan"]


# CHN-4, CHN-5 ---------------------------------------------------------------------------------------------------------


def test_the_weights_of_the_score_decide_the_partners_order(open_sample):
    def scored(**weights: float) -> pd.DataFrame:
        given = {"basics": 0.0, "development": 0.0, "operations": 0.0, "digital": 0.0} | weights
        chapter = open_sample("04-channel", **({"score_weights": given} if weights else {}))
        return channel.scores(chapter.tables.get("partners"), chapter.parameters, chapter.horizon)

    usual = scored()
    book = {"basics": 0.25, "development": 0.25, "operations": 0.30, "digital": 0.20}
    # CHN-4
    assert usual["score"].tolist() == pytest.approx(sum(weight * usual[part] for part, weight in book.items()).tolist())
    for part in book:
        alone = scored(**{part: 1.0})
        assert alone["score"].tolist() == pytest.approx(usual[part].sort_values(ascending=False).tolist())
        assert alone["partner"].tolist() != usual["partner"].tolist()


@pytest.mark.parametrize("words", [{}, {"miss_line": 0.75}, {"miss_line": 0.95}, {"help_after": 3}, {"exit_after": 3}])
def test_misses_in_a_row_are_counted_and_start_help_then_exit(open_sample, words):
    chapter = open_sample("04-channel", **words)
    months = chapter.tables.get("partner_months")
    found = channel.health(months, None, chapter.parameters, chapter.horizon).set_index("partner")
    given = {"miss_line": 0.85, "help_after": 2, "exit_after": 4} | words

    # CHN-5: counted back from December 2025, month by month.
    for name, own in months[months["month"] <= "2025-12"].sort_values("month", ascending=False).groupby("partner"):
        if own["month"].iloc[0] != "2025-12":
            continue
        run = 0
        for row in own.itertuples():
            if row.result / row.target >= given["miss_line"]:
                break
            run += 1
        state = (
            "exit" if run >= given["exit_after"] else "help" if run >= given["help_after"] else "watch" if run else "healthy"
        )
        assert found.loc[name, ["misses", "status"]].tolist() == [run, state], name
    assert found["status"].value_counts().reindex(["exit", "help"]).min() >= (1 if words.get("miss_line") != 0.75 else 0)


def test_a_lower_line_or_more_patience_helps_and_parts_with_fewer(open_sample):
    def count(**words) -> pd.Series:
        chapter = open_sample("04-channel", **words)
        found = channel.health(chapter.tables.get("partner_months"), None, chapter.parameters, chapter.horizon)
        return found["status"].value_counts().reindex(["exit", "help", "watch", "healthy"], fill_value=0)

    usual = count()
    # CHN-5
    assert count(miss_line=0.75)["healthy"] > usual["healthy"] > count(miss_line=0.95)["healthy"]
    assert count(help_after=3)["help"] < usual["help"] and count(help_after=3)["exit"] == usual["exit"]
    assert count(exit_after=3)["exit"] > usual["exit"] > count(exit_after=6)["exit"] == 0


# CHN-6 ----------------------------------------------------------------------------------------------------------------


def test_the_corridor_and_its_tolerance_decide_which_prices_are_listed(open_sample):
    def listed(bare: bool = False, **words) -> pd.DataFrame:
        chapter = open_sample("04-channel", **words)
        sold = chapter.orders("channel", "product", "region", "month", months=chapter.horizon.last_twelve)
        known = chapter.tables.get("channels")
        known = known.drop(columns=["price_low", "price_high"]) if bare else known
        return channel.violations(sold, chapter.tables.get("products"), known, chapter.parameters)

    usual = listed()
    room = listed(price_tolerance=0.02)
    beyond = (usual["price_from"] - usual["price_share"]).clip(lower=usual["price_share"] - usual["price_to"])
    # CHN-6: those listed with a tolerance of two points are those that lie more than two points outside.
    pd.testing.assert_frame_equal(room, usual[beyond.round(9) > 0.02].reset_index(drop=True))
    assert 0 < len(room) < len(usual)
    pd.testing.assert_frame_equal(listed(corridor=0.30), usual)  # stated corridors stand before the parameter
    narrow, wide = (listed(bare=True, corridor=width) for width in (0.05, 0.10))
    assert len(narrow) > len(wide) > 0
    assert (narrow["price_to"] - narrow["price_from"]).round(9).eq(0.10).all()
    assert (wide["price_to"] - wide["price_from"]).round(9).eq(0.20).all()


# CHN-7 ----------------------------------------------------------------------------------------------------------------


def test_stock_is_routed_for_the_days_and_kept_apart_by_the_share_asked_for(open_sample):
    def served(**words) -> pd.DataFrame:
        chapter = open_sample("04-channel", **words)
        stock, routes, known = (chapter.tables.get(name) for name in ("inventory", "routes", "channels"))
        plan = chapter.last_year("region", "product", "channel")
        recent = chapter.orders("product", "channel", months=chapter.horizon.last_twelve)
        online = channel.online_of(known, plan["channel"], chapter.parameters)
        return channel.served(channel.routed(stock, routes, plan, recent, online, chapter.parameters)).set_index("held_as")

    usual, double, half = served(), served(demand_days=60), served(demand_days=15)
    pieces = usual.loc["shared stock", "pieces"]
    # CHN-7: pieces go with the days, up to the rounding of each product and region; more days find less in stock.
    assert double.loc["shared stock", "pieces"] == pytest.approx(2 * pieces, rel=0.01)
    assert half.loc["shared stock", "pieces"] == pytest.approx(pieces / 2, rel=0.01)
    assert half.loc["shared stock", "unserved"] < usual.loc["shared stock", "unserved"] < double.loc["shared stock", "unserved"]
    # A share that fits nobody's demand serves less, and one stock for both is never the dearer way.
    for share in (0.10, 0.50):
        moved = served(online_stock=share)
        assert moved.loc["shared stock"].equals(usual.loc["shared stock"])
        assert moved.loc["stock kept apart", "unserved"] > usual.loc["stock kept apart", "unserved"]
        both = moved["freight"] + moved["margin_lost"]
        assert both["shared stock"] < both["stock kept apart"]


def test_who_counts_as_online_decides_the_traffic_each_way(open_sample):
    def traffic(**words) -> dict[str, float]:
        chapter = open_sample("04-channel", **words)
        bought = chapter.orders("customer", "channel", "month")
        online = channel.online_of(chapter.tables.get("channels"), bought["channel"], chapter.parameters)
        return channel.traffic(bought, online, chapter.horizon)

    usual, swapped = traffic(), traffic(online=["Dealers", "Distributors", "Key accounts", "Own stores"])
    # CHN-7: with the sides named the other way round, those who came online are those who left it.
    assert usual["money_online"] == pytest.approx(swapped["money_offline"], rel=0.02)
    assert usual["offline_to_online"] == pytest.approx(swapped["online_to_offline"], rel=0.02)
