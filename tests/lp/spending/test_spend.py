"""Spending over curves: the next unit of money brings the same everywhere, unless a limit holds it apart.

What is expected comes from closed forms, SciPy and brute force, never from the program itself.
"""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from planlib.errors import ConflictError, ParameterError, PlanError
from planlib.lp import Spend, spend
from planlib.lp.spending.case import Case
from planlib.lp.spending.curves import Curves, chords, grid, level, tangents
from planlib.lp.spending.program import KINDS, build
from planlib.lp.spending.spend import check_equal_returns
from tests.conftest import seeds

BUDGET = 100_000_000
GOLDEN = Path(__file__).parent / "golden"


def items(scale, elasticity, floor=0, cap=BUDGET, **more) -> pd.DataFrame:
    names = [chr(97 + i) for i in range(len(scale))]
    return pd.DataFrame({"item": names, "scale": scale, "elasticity": elasticity, "floor": floor, "cap": cap, **more})


def equal_marginals(scale, elasticity, floor, cap, money) -> np.ndarray:
    """Power curves' best spend by bisection on the price; `money` may be an array, one plan per entry."""
    low, high = np.full(np.shape(money), -80.0), np.full(np.shape(money), 80.0)
    for _ in range(200):
        middle = (low + high) / 2
        wanted = (scale * elasticity / np.exp(middle)[..., None]) ** (1 / (1 - elasticity))
        spent = np.clip(wanted, floor, cap)
        over = spent.sum(axis=-1) > money
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return spent


def price(result: Spend, rule: str) -> float:
    return float(result.prices.set_index("rule").loc[rule, "price"])


# Curves


def test_equal_curves_get_equal_money():
    money = spend(90_000_001, items([1000.0] * 3, 0.5)).allocation["amount"]

    assert money.tolist() == [30_000_001, 30_000_000, 30_000_000]


@pytest.mark.parametrize("elasticity", [0.1, 0.5, 0.9])
def test_different_curves_follow_the_closed_form(elasticity):
    # Maximise sum s x^e with sum x = B: x is proportional to s^(1/(1-e)), never B/3 each (pymc-marketing PR #2621).
    scale = np.array([1000.0, 1200.0, 1500.0])
    shares = scale ** (1 / (1 - elasticity))
    result = spend(BUDGET, items(scale, elasticity)).allocation["amount"].to_numpy()

    assert result == pytest.approx(shares / shares.sum() * BUDGET, abs=1e-6 * BUDGET)
    assert np.abs(result - BUDGET / 3).min() > 0.005 * BUDGET


def test_saturating_curves_follow_the_closed_form():
    # Equal s h / (x + h)^2: x + h is proportional to sqrt(s h).
    half = np.array([2e7, 5e7, 1e7])
    frame = items([3e7, 4e7, 2e7], np.nan, form="saturating", half=half)
    weight = np.sqrt(frame["scale"] * half)
    result = spend(BUDGET, frame)

    assert result.allocation["amount"].to_numpy() == pytest.approx(
        weight / weight.sum() * (BUDGET + half.sum()) - half, abs=1e-6 * BUDGET
    )


def test_both_forms_share_one_marginal_return():
    frame = items([3e8, 4000.0], [np.nan, 0.6], form=["saturating", None], half=[2e7, np.nan])
    marginal = spend(BUDGET, frame).allocation["marginal"]

    assert marginal.max() / marginal.min() == pytest.approx(1, abs=1e-4)


def test_the_next_unit_brings_the_same_within_a_breakpoint():
    allocation = spend(BUDGET, items([1000.0, 1500.0, 2000.0], [0.4, 0.5, 0.6])).allocation

    assert allocation["marginal"].max() / allocation["marginal"].min() < 1.001


@pytest.mark.parametrize("seed", range(30))
def test_random_plans_bring_what_scipy_finds(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 7))
    scale, power = rng.uniform(500, 3000, count), rng.uniform(0.3, 0.8, count)
    floor = np.floor(rng.uniform(0, 0.08, count) * BUDGET * (rng.random(count) < 0.5))
    cap = np.floor(rng.uniform(0.3, 0.8, count) * BUDGET)
    inside = np.arange(count) < 2
    most, least = np.floor(rng.uniform(0.3, 0.6) * BUDGET), np.floor(rng.uniform(0.1, 0.25) * BUDGET)
    if cap[~inside].sum() + min(most, cap[inside].sum()) < BUDGET:
        cap[~inside] = BUDGET
    group = np.where(inside, "in", None)
    frame = items(scale, power, floor, cap, group=group)
    limits = pd.DataFrame({"group": ["in"], "floor": [least], "cap": [most]})
    result = spend(BUDGET, frame, groups=limits)
    found = result.allocation["amount"].to_numpy()

    unit, worth = 10 / BUDGET, float((scale * found**power).sum())
    solved = minimize(
        lambda x: -(scale * (np.maximum(x, 1e-9) / unit) ** power).sum() / worth,
        np.clip(np.full(count, BUDGET / count), floor, cap) * unit,
        jac=lambda x: -(scale * power * (np.maximum(x, 1e-9) / unit) ** (power - 1)) / unit / worth,
        bounds=list(zip(np.maximum(floor * unit, 1e-7), cap * unit, strict=True)),
        constraints=[
            {"type": "eq", "fun": lambda x: x.sum() - BUDGET * unit, "jac": np.ones_like},
            {"type": "ineq", "fun": lambda x: most * unit - x[inside].sum(), "jac": lambda x: -inside.astype(float)},
            {"type": "ineq", "fun": lambda x: x[inside].sum() - least * unit, "jac": lambda x: inside.astype(float)},
        ],
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500},
    )
    best = float((scale * (solved.x / unit) ** power).sum())

    brings = float((scale * found**power).sum())
    assert brings == pytest.approx(best, rel=1e-6)
    assert found.sum() == BUDGET
    assert least <= found[inside].sum() <= most
    assert ((found >= floor) & (found <= cap)).all()
    assert result.certificate["gap"] <= 1e-8


def test_one_large_channel_can_only_give_what_the_small_ones_may_take():
    # 900k + 4 x 25k in a box of +-20%, the large one the worst: 880k + 4 x 30k (worked in LightweightMMM issue 244).
    start = np.array([900_000, 25_000, 25_000, 25_000, 25_000])
    frame = items([1.0, 900.0, 900.0, 900.0, 900.0], 0.5, floor=start * 8 // 10, cap=start * 12 // 10)

    assert spend(1_000_000, frame).allocation["amount"].tolist() == [880_000, 30_000, 30_000, 30_000, 30_000]


def test_floors_and_caps_hold_to_the_unit():
    money = (
        spend(BUDGET, items([1.0, 1000.0], 0.5, floor=[30_000_001, 0], cap=[BUDGET, 60_000_000])).allocation["amount"].tolist()
    )

    assert money == [40_000_000, 60_000_000]


def test_a_curve_that_brings_nothing_gets_what_no_other_takes():
    assert spend(100, items([0.0, 5.0], 0.5, cap=[100, 60])).allocation["amount"].tolist() == [40, 60]


def test_reserve_and_money_sum_to_the_budget():
    result = spend(BUDGET + 1, items([1000.0, 900.0], 0.5), reserve_share=0.1)

    assert result.reserve + result.allocation["amount"].sum() == BUDGET + 1
    assert result.reserve == 10_000_000
    assert result.unspent == 0


def test_row_order_changes_nothing():
    frame = items([1000.0] * 4, 0.5, cap=30_000_000, group=["x", "x", "y", "y"])
    groups = pd.DataFrame({"group": ["y", "x"], "floor": [None, 55_000_000], "cap": [48_000_000, None]})
    one = spend(BUDGET, frame, groups=groups)
    other = spend(BUDGET, frame.sample(frac=1, random_state=3), groups=groups.iloc[::-1])

    for field in ("allocation", "curves", "prices"):
        pd.testing.assert_frame_equal(getattr(one, field), getattr(other, field))


def test_names_are_text_of_any_kind():
    frame = items([1000.0, 900.0, 800.0], 0.5, group=["线上 广告", "线上 广告", "x-y z"])
    frame["item"] = ["搜索 广告", "a-b c", "50% off: spend_000_000"]
    groups = pd.DataFrame({"group": ["线上 广告"], "floor": [None], "cap": [40_000_000]})
    projects = pd.DataFrame(
        {"project": ["新 店-1", "b"], "cost": [1000, 2000], "response": [9000, 8000], "requires": ["b", ""]}
    )
    result = spend(BUDGET, frame, groups=groups, projects=projects)

    assert set(result.allocation["item"]) == set(frame["item"])
    assert result.allocation.set_index("item")["amount"][["搜索 广告", "a-b c"]].sum() == 40_000_000
    assert "cap of group 线上 广告" in set(result.prices["rule"])


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    budget=st.sampled_from([1, 2, 33, 1001, 10**9 + 7, 10**13 + 1]),
    scale=st.lists(st.floats(0.01, 1e4), min_size=1, max_size=5),
    elasticity=st.floats(0.05, 0.95),
    reserve=st.sampled_from([0.0, 0.1]),
    floored=st.booleans(),
)
def test_every_budget_is_spent_to_the_unit(budget, scale, elasticity, reserve, floored):
    floor = budget // (3 * len(scale)) if floored else 0
    result = spend(budget, items(scale, elasticity, floor=floor, cap=budget), reserve)

    assert result.allocation["amount"].sum() + result.reserve == budget
    assert (result.allocation["amount"] >= floor).all()
    assert result.certificate["gap"] <= 1e-4


# Projects


@pytest.mark.parametrize("seed", range(20))
def test_projects_are_the_best_of_all_subsets(seed):
    rng = np.random.default_rng(100 + seed)
    scale, power = rng.uniform(500, 2500, 3), rng.uniform(0.4, 0.7, 3)
    floor, cap = np.array([0.0, 5e6, 0.0]), np.array([6e7, 1e9, 4e7])
    count = int(rng.integers(3, 7))
    cost = rng.integers(5_000_000, 45_000_000, count)
    response = (cost * rng.uniform(0.05, 0.5, count)).astype(int)
    requires = ["p1" if i == 0 else "" for i in range(count)]
    excludes = [["p0"] if i == 2 else None for i in range(count)]
    projects = pd.DataFrame(
        {
            "project": [f"p{i}" for i in range(count)],
            "cost": cost,
            "response": response,
            "requires": requires,
            "excludes": excludes,
        }
    )
    result = spend(BUDGET, items(scale, power, floor, cap), projects=projects)

    every = np.array(list(itertools.product([0, 1], repeat=count)))
    allowed = (every[:, 0] <= every[:, 1]) & (every[:, 0] + every[:, 2] <= 1) & (every @ cost <= BUDGET - floor.sum())
    every = every[allowed]
    spent = equal_marginals(scale, power, floor, cap, (BUDGET - every @ cost).astype(float))
    values = (scale * spent**power).sum(axis=1) + every @ response
    assert result.projects["chosen"].tolist() == every[values.argmax()].astype(bool).tolist()
    chosen = result.projects[result.projects["chosen"]]
    assert result.allocation["response"].sum() + chosen["response"].sum() == pytest.approx(values.max(), rel=1e-7)
    assert result.allocation["amount"].sum() + chosen["cost"].sum() + result.unspent == BUDGET
    assert result.certificate["upper bound"] >= values.max() * (1 - 1e-9)
    assert result.certificate["gap"] <= 1e-6


def test_projects_that_bring_the_same_are_settled_in_any_row_order():
    projects = pd.DataFrame({"project": list("pqrs"), "cost": 40_000_000, "response": 30_000_000})
    frame = items([10.0, 10.0], 0.5, floor=10_000_000)
    one = spend(BUDGET, frame, projects=projects)
    other = spend(BUDGET, frame, projects=projects.sample(frac=1, random_state=1))

    assert one.projects["chosen"].sum() == 2
    assert one.projects.equals(other.projects)


def test_money_that_neither_caps_nor_projects_take_is_unspent():
    projects = pd.DataFrame({"project": ["p"], "cost": [10], "response": [1]})
    result = spend(100, items([5.0, 5.0], 0.5, cap=[20, 30]), 0.1, projects=projects)

    assert result.allocation["amount"].tolist() == [20, 30]
    assert (result.reserve, result.unspent) == (10, 30)


def test_projects_may_take_all_the_money_of_steep_curves():
    # A curve that is infinitely steep at 0 makes much of money that is only there to the solver's tolerance.
    projects = pd.DataFrame({"project": ["p", "q"], "cost": [60_000_000, 40_000_000], "response": [90_000_000, 80_000_000]})
    for roi in (None, 0.3):
        result = spend(BUDGET, items([1000.0, 1500.0], [0.5, 0.4]), projects=projects, roi_floor=roi)
        assert result.projects["chosen"].all()
        assert result.allocation["amount"].tolist() == [0, 0]
        assert result.certificate["gap"] <= 1e-4


@pytest.mark.parametrize(("column", "value"), [("requires", "ghost"), ("excludes", ["p", "ghost"]), ("requires", "q")])
def test_an_unknown_project_is_named(column, value):
    projects = pd.DataFrame({"project": ["p", "q"], "cost": [1, 1], "response": [1, 1], column: ["", value]})
    with pytest.raises(ParameterError, match=r"ghost|'q' requires 'q'"):
        spend(100, items([1.0], 0.5), projects=projects)


# Return on the money


@pytest.mark.parametrize(("elasticity", "roi"), [(0.5, 0.2), (0.3, 0.001), (0.8, 50.0)])
def test_the_roi_floor_is_met_and_tight_on_one_curve(elasticity, roi):
    # s x^e / x >= r means x <= (s / r)^(1/(1-e)).
    expected = (1000.0 / roi) ** (1 / (1 - elasticity))
    result = spend(BUDGET, items([1000.0], elasticity), roi_floor=roi)
    amount = int(result.allocation["amount"].iloc[0])

    assert amount == pytest.approx(min(expected, BUDGET), rel=1e-5)
    assert result.allocation["response"].iloc[0] >= roi * amount
    assert 1000.0 * amount**elasticity >= roi * amount
    assert amount + result.unspent == BUDGET


@pytest.mark.parametrize("seed", range(8))
def test_the_roi_floor_is_met_in_whole_units_and_leaves_nothing_better(seed):
    rng = np.random.default_rng(200 + seed)
    scale, power = rng.uniform(500, 3000, 4), rng.uniform(0.3, 0.7, 4)
    loose = spend(BUDGET, items(scale, power))
    roi = 1.5 * loose.allocation["response"].sum() / BUDGET
    result = spend(BUDGET, items(scale, power), roi_floor=roi)
    spent, brings = int(result.allocation["amount"].sum()), int(result.allocation["response"].sum())

    assert brings >= roi * spent
    assert spent + result.unspent == BUDGET
    # At equal marginal returns, a thousandth more money would miss the floor.
    more = equal_marginals(scale, power, 0.0, 1e9, np.array(spent * 1.001))
    assert (scale * more**power).sum() < roi * spent * 1.001


def test_a_project_can_carry_the_roi_floor():
    projects = pd.DataFrame({"project": ["rich", "poor"], "cost": [10_000_000, 10_000_000], "response": [20_000_000, 100_000]})
    result = spend(BUDGET, items([1000.0], 0.5), projects=projects, roi_floor=0.5)

    assert result.projects.set_index("project")["chosen"].to_dict() == {"rich": True, "poor": False}
    # 1000 sqrt(x) + 2e7 = 0.5 (x + 1e7), solved for sqrt(x).
    assert result.allocation["amount"].iloc[0] == pytest.approx((1000 + np.sqrt(1000**2 + 2 * 1.5e7)) ** 2, rel=1e-5)


def test_a_floor_that_no_spend_reaches_is_named():
    # A saturating curve returns at most s / h per unit, here 2.
    frame = items([200.0], np.nan, form="saturating", half=[100.0], cap=1000)
    with pytest.raises(ConflictError, match=r"3 is needed.*at most about 2 .*lower the ROI floor"):
        spend(1000, frame, roi_floor=3.0)


def test_floors_that_return_too_little_are_named():
    with pytest.raises(ConflictError, match=r"0\.5 is needed.*at most about 0\.2 "):
        spend(BUDGET, items([1000.0], 0.5, floor=25_000_000), roi_floor=0.5)


# Conflicts and refusals


@pytest.mark.parametrize(("floor", "cap", "word"), [(60_000_000, BUDGET, "floors"), (0, 40_000_000, "caps")])
def test_impossible_limits_are_named(floor, cap, word):
    with pytest.raises(ConflictError, match=word):
        spend(BUDGET, items([1.0, 1.0], 0.5, floor=floor, cap=cap))


def test_all_conflicts_come_at_once():
    frame = items([1.0] * 4, 0.5, floor=[30, 30, 0, 0], cap=[60, 60, 5, 5], group=["x", "x", "y", "z"])
    groups = pd.DataFrame({"group": ["x", "y", "z"], "floor": [None, 10, 4], "cap": [50, None, 3]})
    with pytest.raises(ConflictError) as caught:
        spend(100, frame, groups=groups)

    text = str(caught.value)
    for said in (
        "group x: its items' floors need 60",
        "group y: its items' caps take 5",
        "group z: has a floor of 4",
        "caps of 4",
    ):
        assert said in text


def test_groups_without_items_are_named():
    with pytest.raises(ParameterError, match="ghost"):
        spend(100, items([1.0], 0.5), groups=pd.DataFrame({"group": ["ghost"], "floor": [1], "cap": [2]}))


def test_a_curve_that_does_not_fade_is_refused():
    with pytest.raises(PlanError, match="elasticity"):
        spend(BUDGET, items([1.0, 1.0], [0.5, 1.0]))


def test_a_plan_of_equal_shares_over_different_curves_is_refused():
    curves = case([1000.0, 1500.0, 2000.0], money=BUDGET).curves
    with pytest.raises(PlanError, match="the next unit of money brings"):
        check_equal_returns(curves, np.full(3, BUDGET / 3), np.full(3, 1e-3 * BUDGET), list("abc"))
    check_equal_returns(curves, np.array([1, 2.25, 4]) / 7.25 * BUDGET, np.full(3, 100.0), list("abc"))


# Prices


def best_response(scale, power, floor, cap, money) -> float:
    return float((scale * equal_marginals(scale, power, floor, cap, np.array(float(money))) ** power).sum())


def test_prices_are_the_differences_of_the_true_optimum():
    scale, power = np.array([1000.0, 1500.0, 2000.0, 700.0]), np.array([0.5, 0.55, 0.6, 0.4])
    floor, cap = np.array([2e7, 0.0, 0.0, 0.0]), np.array([1e9, 1e9, 3e7, 1e9])
    result = spend(BUDGET, items(scale, power, floor, np.minimum(cap, BUDGET)))

    step = 1000.0
    first, third = np.eye(4)[0], np.eye(4)[2]

    def slope(of) -> float:
        return (of(step) - of(-step)) / (2 * step)

    assert price(result, "total budget") == pytest.approx(
        slope(lambda d: best_response(scale, power, floor, cap, BUDGET + d)), rel=1e-4
    )
    assert price(result, "cap of c") == pytest.approx(
        slope(lambda d: best_response(scale, power, floor, cap + d * third, BUDGET)), rel=1e-4
    )
    assert price(result, "floor of a") == pytest.approx(
        slope(lambda d: best_response(scale, power, floor - d * first, cap, BUDGET)), rel=1e-4
    )
    assert result.prices["unique"].all()
    assert result.prices["binds"].all()


def test_the_range_of_a_price_is_where_it_stays_within_a_tenth():
    # The price of the budget of one curve is s e B^(e-1).
    row = spend(BUDGET, items([1000.0], 0.5)).prices.iloc[0]

    assert row["price"] == pytest.approx(0.05, rel=1e-5)
    assert (row["low"], row["high"]) == pytest.approx((BUDGET / 1.1**2, BUDGET / 0.9**2), rel=1e-4)


def test_prices_of_groups_and_of_the_roi_floor():
    # Two sqrt curves: s^2 / (2 lambda)^2 each; the group's cap of x gives its own price s / (2 sqrt x).
    frame = items([1000.0, 1000.0], 0.5, group=["x", "y"])
    groups = pd.DataFrame({"group": ["x", "y"], "floor": [np.nan, 60_000_000], "cap": [36_000_000, np.nan]})
    result = spend(BUDGET, frame, groups=groups)
    assert price(result, "cap of group x") == pytest.approx(500 / 6000 - 500 / 8000, rel=1e-4)
    assert price(result, "floor of group y") == 0

    # One sqrt curve at ROI r brings s^2 / r: a hundredth less of r brings 0.01 s^2 / r^2.
    result = spend(BUDGET, items([1000.0], 0.5), roi_floor=0.2)
    row = result.prices.set_index("rule").loc["roi floor"]
    assert (row["unit"], row["price"]) == ("ratio", pytest.approx(0.01 * 1e6 / 0.04, rel=1e-4))
    assert price(result, "total budget") == 0


def test_the_price_of_the_budget_counts_what_is_held_back():
    # Of one more unit of budget .6 are spent: .6 x s e (.6 B)^(e-1), while .6 B stays within 1.1^-2 and .9^-2 of itself.
    row = spend(BUDGET, items([1000.0], 0.5), reserve_share=0.4).prices.iloc[0]

    assert row["price"] == pytest.approx(0.6 * 500 / 0.6**0.5 / 1e4, rel=1e-5)
    assert (row["limit"], row["found"], row["slack"]) == (BUDGET, BUDGET, 0)
    assert (row["low"], row["high"]) == (pytest.approx(BUDGET / 1.1**2, rel=1e-4), pytest.approx(BUDGET / 0.9**2, rel=1e-4))
    # With projects by a step: 100 of 200 are free; two more of the budget, one more to spend, buy b instead of a.
    projects = pd.DataFrame({"project": ["a", "b"], "cost": [60, 101], "response": [1000, 5000]})
    row = spend(200, items([1.0], 0.5, cap=0), 0.5, projects=projects).prices.set_index("rule").loc["total budget"]
    assert (row["price"], row["step"], row["low"], row["high"]) == (2000, 2, 200, 202)


@pytest.mark.parametrize("reserve", [-0.5, 1.5, float("nan")])
def test_a_reserve_that_is_no_share_is_refused(reserve):
    with pytest.raises(ParameterError, match="reserve_share"):
        spend(1000, items([1.0], 0.5), reserve_share=reserve)


def best_of_groups(scale, power, floor, cap, pool, low, high, money) -> float:
    """The best response under floors and caps of pools (pool 0 has none), by bisection on the common price and within each."""
    ends = np.array([-80.0, 80.0])
    for _ in range(200):
        wanted = np.clip((scale * power / np.exp(ends.mean())) ** (1 / (1 - power)), floor, cap)
        each = np.clip(np.bincount(pool, wanted, len(low)), low, high)
        ends[0 if each.sum() > money else 1] = ends.mean()
    spent = np.zeros(len(scale))
    for number in range(len(low)):
        mine = pool == number
        spent[mine] = equal_marginals(scale[mine], power[mine], floor[mine], cap[mine], np.array(each[number]))
    return float((scale * spent**power).sum())


@pytest.mark.parametrize("seed", seeds(8, 100))
def test_every_price_is_what_solving_again_says(seed):
    rng = np.random.default_rng(seed)
    count, reserve = int(rng.integers(2, 7)), float(rng.choice([0.0, 0.1, 0.5]))
    budget = round(BUDGET / (1 - reserve))
    scale, power = rng.uniform(500, 3000, count), rng.uniform(0.3, 0.8, count)
    floor = np.floor(rng.uniform(0, 0.1, count) * BUDGET * (rng.random(count) < 0.5))
    cap = np.floor(rng.uniform(0.2, 0.9, count) * BUDGET)
    pool = np.where(np.arange(count) < 2, 1, 0)
    low, high = (np.floor(np.array([0.0, part]) * BUDGET) for part in (rng.uniform(0.1, 0.3), rng.uniform(0.35, 0.6)))
    high[0] = 1e12
    low[1], high[1] = max(low[1], floor[:2].sum() * 1.1), min(high[1], cap[:2].sum() * 0.95)
    if low[1] > high[1] or cap[2:].sum() + high[1] < 1.02 * BUDGET:
        pytest.skip("the caps do not take the money")
    group = np.where(pool == 1, "in", None)
    limits = pd.DataFrame({"group": ["in"], "floor": [low[1]], "cap": [high[1]]})
    found = spend(budget, items(scale, power, floor, np.minimum(cap, BUDGET), group=group), reserve, limits)
    step = 2000.0

    def again(rule: str, by: float) -> float:
        """Response per step, the limit moved by `by` in its relaxing direction."""
        least, most, bottom, top, money = floor.copy(), cap.copy(), low.copy(), high.copy(), float(BUDGET)
        at = ord(rule[-1]) - 97
        match rule.split():
            case ["total", _]:
                money += by * (1 - reserve)
            case ["floor", "of", "group", _]:
                bottom[1] -= by
            case ["cap", "of", "group", _]:
                top[1] += by
            case ["floor", "of", _]:
                least[at] -= by
            case _:
                most[at] += by
        return best_of_groups(scale, power, least, most, pool, bottom, top, money)

    for row in found.prices.itertuples():
        relaxed, tightened = ((again(row.rule, by) - again(row.rule, 0)) / by for by in (step, -step))
        if abs(relaxed - tightened) < 1e-3 * max(relaxed, tightened, 1e-3):
            assert row.price == pytest.approx((relaxed + tightened) / 2, rel=2e-4, abs=1e-6), row.rule


def test_a_hundred_items_in_twenty_groups_are_priced_without_reckoning_every_group_anew(monkeypatch):
    rng = np.random.default_rng(0)
    calls, reckoned = [], Curves.spend_at
    monkeypatch.setattr(Curves, "spend_at", lambda self, price: calls.append(1) or reckoned(self, price))
    frame = pd.DataFrame({"item": [f"i{k:03d}" for k in range(100)], "scale": rng.uniform(50, 500, 100)})
    frame = frame.assign(elasticity=rng.uniform(0.3, 0.8, 100), group=[f"g{k % 20:02d}" for k in range(100)])
    frame = frame.assign(floor=rng.integers(0, 2000_00, 100), cap=rng.integers(30_000_00, 200_000_00, 100))
    sums = frame.groupby("group")[["floor", "cap"]].sum().reset_index(names="group")
    groups = pd.DataFrame(
        {"group": sums["group"], "floor": (sums["floor"] * 1.5).astype(int), "cap": (sums["cap"] * 0.5).astype(int)}
    )
    found = spend(int(groups["cap"].sum() * 0.6), frame, groups=groups)

    # Reckoned anew for every moved limit it takes 1.7 million curves' spends and half a minute.
    assert len(found.prices) == 241 and len(calls) < 250_000


def test_a_price_where_two_limits_meet_is_not_unique():
    # Both caps together take exactly the budget: one unit more of it has no place, one unit less is missed.
    result = spend(BUDGET, items([1000.0, 1000.0], 0.5, cap=[40_000_000, 60_000_000]))
    row = result.prices.set_index("rule").loc["total budget"]
    assert (row["price"], row["unique"]) == (0, False)
    # A cap that lies where the item wants to be anyway costs nothing on either side.
    result = spend(BUDGET, items([1000.0, 1000.0], 0.5, cap=[50_000_000, BUDGET]))
    row = result.prices.set_index("rule").loc["cap of a"]
    assert (row["binds"], row["price"], row["unique"]) == (True, 0, True)


def test_with_projects_prices_come_from_solving_again():
    # 100 for the projects: a costs 60, b 101. One hundredth more money buys b instead of a.
    frame = items([1.0], 0.5, cap=0)
    projects = pd.DataFrame({"project": ["a", "b"], "cost": [60, 101], "response": [1000, 5000]})
    result = spend(100, frame, projects=projects)
    row = result.prices.set_index("rule").loc["total budget"]

    assert (row["price"], row["step"], row["slack"], row["unique"]) == (4000, 1, 40, False)
    assert (row["low"], row["high"]) == (100, 101)
    assert "with other projects" in row["sentence"]


@pytest.mark.parametrize("seed", range(4))
def test_with_projects_prices_are_those_of_all_subsets(seed):
    rng = np.random.default_rng(300 + seed)
    scale, power, floor, cap = rng.uniform(500, 2500, 2), np.array([0.5, 0.6]), np.array([1e7, 0.0]), np.array([1e9, 2e7])
    cost = rng.integers(10_000_000, 45_000_000, 5)
    response = (cost * rng.uniform(0.1, 0.5, 5)).astype(int)
    projects = pd.DataFrame({"project": list("pqrst"), "cost": cost, "response": response})
    result = spend(BUDGET, items(scale, power, floor, cap), projects=projects)

    def best(floor, cap, money) -> float:
        every = np.array(list(itertools.product([0, 1], repeat=5)))
        every = every[every @ cost <= money - floor.sum()]
        spent = equal_marginals(scale, power, floor, cap, (money - every @ cost).astype(float))
        return float(((scale * spent**power).sum(axis=1) + every @ response).max())

    step = BUDGET / 100
    before = best(floor, cap, BUDGET)
    for rule, after in {
        "total budget": best(floor, cap, BUDGET + step),
        "floor of a": best(floor - np.array([step, 0]), cap, BUDGET),
        "cap of b": best(floor, cap + np.array([0, step]), BUDGET),
    }.items():
        assert price(result, rule) == pytest.approx((after - before) / step, rel=1e-5, abs=1e-6)


def test_a_dependency_has_a_price():
    frame = items([1.0], 0.5, cap=0)
    projects = pd.DataFrame(
        {"project": ["a", "b"], "cost": [60, 70], "response": [1000, 10], "requires": ["b", ""], "excludes": [None, None]}
    )
    result = spend(100, frame, projects=projects)

    assert result.projects["chosen"].tolist() == [False, True]
    assert price(result, "a requires b") == pytest.approx(990)


def test_every_sentence_names_its_limit_and_positive_prices_help():
    frame = items(
        [1000.0, 1500.0, 900.0], 0.5, floor=[30_000_000, 0, 0], cap=[BUDGET, 30_000_000, BUDGET], group=["g", "g", "h"]
    )
    groups = pd.DataFrame({"group": ["h"], "floor": [38_000_000], "cap": [None]})
    prices = spend(BUDGET, frame, groups=groups).prices

    assert (prices["price"] >= 0).all()
    said = dict(zip(prices["rule"], prices["sentence"], strict=True))
    assert said["cap of b"].startswith("One more unit of money for b would bring 0.0")
    assert "its cap holds it at 30,000,000 minor units" in said["cap of b"]
    assert "One unit of money less for group h" in said["floor of group h"]
    binding = prices[prices["binds"]]
    assert set(binding["rule"]) == {"total budget", "cap of b", "floor of group h"}
    assert ((binding["low"] <= binding["limit"]) & (binding["limit"] <= binding["high"])).all()


# The program


def case(scale, elasticity=0.5, money=100, **more) -> Case:
    """A tiny case without groups or projects; `more` replaces its parts."""
    count = len(scale)
    curves = Curves(
        scale=np.array(scale),
        elasticity=np.full(count, elasticity),
        half=np.full(count, np.nan),
        floor=np.zeros(count),
        cap=np.full(count, float(money)),
        pool=np.array([0, 1, 1])[:count],
        pool_floor=np.array([0.0, 0.0]),
        pool_cap=np.array([np.inf, 1e9]),
    )
    none = np.zeros(0, dtype="int64")
    return replace(Case(money, True, curves, [], none, none, [], [], None), **more)


def golden(kind: str) -> str:
    """The smallest program with a row of this kind, as LP text."""
    tiny, lines, extra = case([8.0, 4.0]), [np.array([0.0, 25.0, 100.0])] * 2, {}
    two = {"whole": False, "names": ["p", "q"], "cost": np.array([50, 25]), "response": np.array([40, 20])}
    if kind == "group_floor":
        tiny = replace(tiny, curves=replace(tiny.curves, pool_floor=np.array([0.0, 40.0])))
    elif kind == "group_cap":
        tiny = replace(tiny, curves=replace(tiny.curves, pool_cap=np.array([np.inf, 10.0])))
    elif kind == "roi_floor":
        tiny = replace(tiny, whole=False, roi=1.5)
    elif kind == "project_requires":
        tiny = replace(tiny, **two, requires=[(0, 1)])
    elif kind == "project_excludes":
        tiny = replace(tiny, **two, excludes=[(0, 1)])
    elif kind == "project_barred":
        tiny, extra = replace(tiny, **two), {"barred": [np.array([True, False])]}
    elif kind == "best_response":
        tiny, extra = replace(tiny, **two), {"least": 900.0}
    problem, _, _ = build(tiny, chords(tiny.curves, lines), **extra)
    assert any(row.name.startswith(kind) for row in problem.constraints())
    path = GOLDEN / f"spend_{kind}.lp"
    written = path.with_suffix(".new")
    problem.writeLP(str(written))
    text = written.read_text()
    written.unlink()
    return text


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_row_is_written_as_kept(kind, tmp_path, monkeypatch):
    kept = (GOLDEN / f"spend_{kind}.lp").read_text()
    monkeypatch.setitem(globals(), "GOLDEN", tmp_path)

    assert golden(kind) == kept


def test_every_kept_program_has_a_kind():
    assert {path.stem.removeprefix("spend_") for path in GOLDEN.glob("spend_*.lp")} == set(KINDS)


@pytest.mark.parametrize("elasticity", [0.05, 0.5, 0.95])
def test_chords_lie_below_and_tangents_above_the_curve(elasticity):
    curves = case([1000.0, 3.0], elasticity, money=BUDGET).curves
    points = grid(curves, BUDGET)
    at = np.geomspace(1.0, BUDGET, 500)
    for number, below in chords(curves, points).groupby("item"):
        above = tangents(curves, points, BUDGET).query("item == @number")
        true = curves.scale[number] * at**elasticity
        assert (np.interp(at, below["spend"], below["response"]) <= true * (1 + 1e-9)).all()
        assert (np.interp(at, above["spend"], above["response"]) >= true * (1 - 1e-9)).all()


def test_the_level_agrees_with_bisection():
    rng = np.random.default_rng(5)
    scale, power = rng.uniform(1, 9, 5), rng.uniform(0.2, 0.9, 5)
    curves = replace(
        case([1.0]).curves, scale=scale, elasticity=power, half=np.full(5, np.nan), floor=np.zeros(5), cap=np.full(5, 60.0)
    )
    curves = replace(curves, pool=np.zeros(5, dtype=int))

    assert level(curves, 100.0).spend == pytest.approx(equal_marginals(scale, power, 0.0, 60.0, np.array(100.0)), abs=1e-9)
