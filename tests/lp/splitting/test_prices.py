"""Prices of locks, guardrails and quotients, and where they hold: by hand, and as differences of two solves."""

import numpy as np
import pandas as pd
import pytest

from planlib import plan as tables
from planlib.errors import ConflictError
from planlib.lp import Aim, Lock, Rule, split
from planlib.lp.splitting.explain import sentence

COMPANY = tables.company(10_000_000)
REGIONS = pd.DataFrame({"region": ["East", "North", "South"], "weight": [50, 30, 20]})
MARGINS = REGIONS[["region"]].assign(margin=[0.5, 0.1, 0.0])
GOODS = pd.DataFrame({"product": ["A", "B", "C"], "weight": [50, 30, 20]})
A_OF_TWO = {"where": {"product": "A"}, "of": {"product": ["A", "B"]}}


def last(*amounts: int) -> pd.DataFrame:
    return REGIONS[["region"]].assign(amount=amounts)


def test_the_most_profit_within_guardrails_that_lie_off_the_drivers():
    # East to its cap 4.4 m, South to its floor 1.8 m, North the rest: .5 x 4.4 + .1 x 3.8.
    guard = Rule(name="guard", each="cell", unit="growth", min=-0.1, max=0.1)
    history = last(4_000_000, 4_000_000, 2_000_000)
    result = split(COMPANY, "region", REGIONS, [guard], history=history, margins=MARGINS, aim=Aim(profit=1.0))

    assert result.plan["amount"].tolist() == [4_400_000, 3_800_000, 1_800_000]
    assert result.measures["profit"][0] == pytest.approx(2_580_000)
    # One point wider: East 40,000 more, South 20,000 less, North 20,000 less: .5 x 40,000 - .1 x 20,000.
    assert result.rules.loc[0, "price"] == pytest.approx(18_000)


@pytest.mark.parametrize("amount", [4_000_000, 3_000_000, 2_000_000])
def test_a_lock_costs_the_profit_that_its_money_would_bring_elsewhere(amount):
    # All that North does not hold goes to East: .5 - .1, wherever the lock stands, at the drivers' own 3 m too.
    lock = Lock(name="North", where={"region": "North"}, amount=amount)
    result = split(COMPANY, "region", REGIONS, locks=[lock], margins=MARGINS, aim=Aim(profit=1.0))

    assert result.plan["amount"].tolist() == [10_000_000 - amount, amount, 0]
    assert result.rules.loc[0, ["price", "unique"]].tolist() == [pytest.approx(0.4), True]


@pytest.mark.parametrize("total", [10_000_001, 10_000_003, 9_999_999])
def test_an_inner_share_under_the_aim_at_profit_is_kept_for_odd_totals_too(total):
    margins = GOODS[["product"]].assign(margin=[0.5, 0.2, 0.1])
    rule = Rule(name="half", **A_OF_TWO, max=0.5)
    result = split(tables.company(total), "product", GOODS, [rule], margins=margins, aim=Aim(profit=1.0))

    # B brings more than C: both take all, and the odd unit cannot be A's.
    assert result.plan["amount"].tolist() == [total // 2, total - total // 2, 0]


@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e6])
def test_a_ratio_under_the_aim_at_profit_is_kept_in_any_unit_of_its_measure(unit):
    # Heads are .5, .3, .1 a unit of money, at most .3 in all: A and C half each bring .3, B alone .2.
    heads = GOODS[["product"]].assign(heads=np.array([0.5, 0.3, 0.1]) * unit)
    margins = GOODS[["product"]].assign(margin=[0.5, 0.2, 0.1])
    rule = Rule(name="heads", unit="ratio", measure="heads", max=0.3 * unit)
    result = split(tables.company(10_000_001), "product", GOODS, [rule], measures=heads, margins=margins, aim=Aim(profit=1.0))

    assert result.plan["amount"].tolist() == [5_000_000, 0, 5_000_001]


def test_a_ratio_of_tiny_numbers_is_no_conflict():
    # One head per 10 m is 1e-9 a minor unit. By hand from the optimum's conditions (size (level + price (1.2 - heads))).
    heads = REGIONS[["region"]].assign(heads=[1e-9, 2e-9, 1.5e-9])
    rule = Rule(name="heads", unit="ratio", measure="heads", max=1.2e-9)
    result = split(tables.company(10**9), "region", REGIONS, [rule], measures=heads)

    assert result.plan["amount"].tolist() == [710_526_316, 110_526_316, 178_947_368]


def test_a_small_ratio_that_is_far_from_its_limit_does_not_bind():
    heads = REGIONS[["region"]].assign(heads=[1e-8, 2e-8, 1.5e-8])
    rule = Rule(name="heads", unit="ratio", measure="heads", max=5e-8)
    row = split(COMPANY, "region", REGIONS, [rule], measures=heads).rules.iloc[0]

    assert row["found"] == pytest.approx(1.4e-8)
    assert not row["binds"]


@pytest.mark.parametrize("unit", [1e-6, 1e3])
def test_a_soft_ratio_gives_way_the_same_in_any_unit_of_its_measure(unit):
    def planned(scale: float) -> list[int]:
        heads = REGIONS[["region"]].assign(heads=np.array([0.5, 0.2, 0.2]) * scale)
        rule = Rule(name="heads", unit="ratio", measure="heads", max=0.25 * scale, hard=False, penalty=0.8)
        return split(COMPANY, "region", REGIONS, [rule], measures=heads).plan["amount"].tolist()

    assert planned(unit) == planned(1.0)
    # By hand: East's coefficient is 1, the others' -.2, their mean .4: East gives 5 m / 2 x .8 x (1 - .4); the limit is missed.
    assert planned(1.0)[0] == pytest.approx(10_000_000 * 0.38, abs=2)


def test_the_law_of_an_inner_share_ends_where_the_drivers_have_it():
    goods = pd.DataFrame({"product": list("ABCD"), "weight": [40, 30, 20, 10]})
    row = split(COMPANY, "product", goods, [Rule(name="i", **A_OF_TWO, max=0.3)]).rules.iloc[0]

    # The cap lets go at 40 of 40 + 30; nothing ends it on the way down to none at all.
    assert row["high"] == pytest.approx(4 / 7)
    assert row["low"] == 0.0


def test_the_law_of_a_cap_ends_where_a_guardrail_begins_to_hold():
    # What East gives falls on North and South as 3 : 2; South meets 2.6 m when East is at 10 - 2.5 x 2.6 = 3.5 m.
    rules = [
        Rule(name="cap", where={"region": "East"}, max=0.45),
        Rule(name="guard", each="cell", where={"region": "South"}, unit="growth", max=0.3),
    ]
    row = split(COMPANY, "region", REGIONS, rules, history=last(5_000_000, 3_000_000, 2_000_000)).rules.iloc[0]

    assert (row["low"], row["high"]) == (pytest.approx(0.35), pytest.approx(0.5))


@pytest.mark.parametrize("profit", [0.0, 0.5, 1.0])
def test_where_everything_is_held_no_lock_has_a_price_of_its_own(profit):
    locks = [
        Lock(name="East", where={"region": "East"}, amount=6_000_000),
        Lock(name="North", where={"region": "North"}, amount=4_000_000),
    ]
    result = split(COMPANY, "region", REGIONS[:2], locks=locks, margins=MARGINS, aim=Aim(profit=profit))

    assert not result.rules["unique"].any()
    assert "not defined" in sentence(next(result.rules.itertuples()), "{:,.0f}".format)


def test_a_lock_and_a_guardrail_that_hold_a_cell_at_one_amount_share_its_price():
    guard = Rule(name="guard", each="cell", unit="growth", min=-0.5, max=0.1)
    lock = Lock(name="East", where={"region": "East"}, amount=4_400_000)
    result = split(COMPANY, "region", REGIONS, [guard], [lock], history=last(4_000_000, 4_000_000, 4_000_000))

    assert result.plan["amount"].tolist() == [4_400_000, 3_360_000, 2_240_000]
    assert not result.rules["unique"].any()


def test_a_guardrails_price_is_that_of_the_rule_in_all_its_cells():
    # East 4.4 m at its cap, South 2.25 m at its floor, North 3.35 m between. A point wider lets East have 40,000 more and South
    # 25,000 less, North gives 15,000. Relative deviations -.12, .125, .11667; a unit moved changes the distance by twice that.
    guard = Rule(name="guard", each="cell", unit="growth", min=-0.1, max=0.1)
    history = last(4_000_000, 3_500_000, 2_500_000)
    result = split(COMPANY, "region", REGIONS, [guard], history=history)
    gained = 2 * (0.12 * 40_000 + 0.125 * 25_000 + (0.35 / 3) * 15_000)

    assert result.rules.loc[0, "price"] == pytest.approx(gained)
    distance = [
        split(COMPANY, "region", REGIONS, [guard.model_copy(update={"min": -w, "max": w})], history=history).measures[
            "distance"
        ][0]
        for w in (0.099, 0.101)
    ]
    assert (distance[0] - distance[1]) * 5 == pytest.approx(gained, rel=1e-3)


def test_under_a_steady_aim_a_member_that_is_new_is_measured_by_what_the_drivers_give_it():
    # South is new: the drivers give it 2 m. At 1 m: 2 (1 / 2 + .1) = 1.2 a unit of money, .12 m a point.
    in_force = pd.DataFrame({"region": ["East", "North"], "amount": [6_000_000, 4_000_000]})
    rule = Rule(name="South", where={"region": "South"}, min=0.1)
    hard = split(COMPANY, "region", REGIONS, [rule], aim=Aim(steady=1.0), in_force=in_force)
    soft = split(COMPANY, "region", REGIONS, [rule.model_copy(update={"hard": False})], aim=Aim(steady=1.0), in_force=in_force)

    assert hard.rules.loc[0, "price"] == pytest.approx(120_000)
    assert hard.plan["amount"].tolist() == soft.plan["amount"].tolist() == [5_400_000, 3_600_000, 1_000_000]
    assert hard.measures["distance"][0] == pytest.approx(600_000)


def test_a_rule_on_growth_over_nothing_says_that_it_could_not_apply():
    rule = Rule(name="floor", where={"region": "East"}, unit="growth", min=0.1)
    table = split(COMPANY, "region", REGIONS, [rule], history=last(0, 1, 2)).rules

    assert (
        sentence(next(table.itertuples()), "{:,.0f}".format)
        == '"floor" could not apply: there was nothing last year to grow from.'
    )


def test_a_lock_where_the_drivers_place_nothing_costs_what_it_moves_elsewhere():
    # 15% are locked for West, East is capped at 40%: North and South share 45% instead of 50%, each a tenth less than the
    # drivers. Distance 500 m x .1^2 = 5 m; a unit more in West moves it by 2 x .1.
    weights = pd.DataFrame({"region": ["East", "North", "South", "West"], "weight": [50, 30, 20, 0]})
    cap, lock = Rule(name="cap", where={"region": "East"}, max=0.4), Lock(name="new", where={"region": "West"}, amount=150e6)
    result = split(tables.company(1_000_000_000), "region", weights, [cap], [lock])
    assert result.plan["amount"].tolist() == [400_000_000, 270_000_000, 180_000_000, 150_000_000]
    assert result.rules.set_index("rule").loc["new", "price"] == pytest.approx(0.2)
    # East a fifth less than its 500 m: 20 m.
    assert result.certificate["objective"] == pytest.approx(25e6) == result.measures["distance"][0]


def test_a_lock_where_the_drivers_place_nothing_does_not_drown_a_conflict():
    # P5 is capped at 543,555 and guarded at 1,283,597: beside a locked 1.4 m where the drivers give nothing.
    names = [f"P{number}" for number in range(7)]
    weights = pd.DataFrame({"product": names, "weight": [0, 0.915616, 2.058613, 1.138022, 0.729610, 2.129420, 1.761051]})
    history = pd.DataFrame({"product": names, "amount": [0, 574790, 1166699, 666546, 467148, 1351154, 1099330]})
    rules = [
        Rule(name="floor", where={"product": "P2"}, unit="amount", min=1_190_406.0),
        Rule(name="cap", where={"product": "P5"}, unit="amount", max=543_555.0),
        Rule(name="guard", each="cell", unit="growth", min=-0.05, max=0.05),
    ]
    lock = Lock(name="new", where={"product": "P0"}, amount=1_447_540.0)
    with pytest.raises(ConflictError, match="cannot hold together"):
        split(tables.company(5_377_543), "product", weights, rules, [lock], history=history)
