"""Spending over curves: the next unit of money brings the same everywhere, unless a limit holds it apart."""

import numpy as np
import pandas as pd
import pytest

from planlib.errors import ConflictError, PlanError
from planlib.lp import spend

BUDGET = 100_000_000


def items(scale, elasticity, floor=0, cap=BUDGET) -> pd.DataFrame:
    names = [chr(97 + i) for i in range(len(scale))]
    return pd.DataFrame({"item": names, "scale": scale, "elasticity": elasticity, "floor": floor, "cap": cap})


def test_equal_curves_get_equal_money():
    money = spend(90_000_000, items([1000.0] * 3, 0.5)).allocation["amount"]

    assert money.sum() == 90_000_000
    # Breakpoints end a ten-thousandth of the budget apart.
    assert money.max() - money.min() <= 90_000_000 * 1e-3


def test_different_curves_follow_the_closed_form():
    # Maximise sum s x^.5 with sum x = B: x is proportional to s^2, so 1 : 2.25 : 4, never B/3 each (pymc-marketing PR #2621).
    result = spend(BUDGET, items([1000.0, 1500.0, 2000.0], 0.5)).allocation["amount"].to_numpy()
    expected = np.array([1, 2.25, 4]) / 7.25 * BUDGET

    assert np.abs(result - expected).max() < 0.001 * BUDGET
    assert result.std() > 0.2 * BUDGET / 3


def test_the_next_unit_brings_the_same_within_a_breakpoint():
    allocation = spend(BUDGET, items([1000.0, 1500.0, 2000.0], [0.4, 0.5, 0.6])).allocation

    assert allocation["marginal"].max() / allocation["marginal"].min() < 1.01


def test_reserve_and_money_sum_to_the_budget():
    result = spend(BUDGET + 1, items([1000.0, 900.0], 0.5), reserve_share=0.1)

    assert result.reserve + result.allocation["amount"].sum() == BUDGET + 1
    assert result.reserve == 10_000_000


def test_floors_and_caps_hold_to_the_unit():
    money = (
        spend(BUDGET, items([1.0, 1000.0], 0.5, floor=[30_000_001, 0], cap=[BUDGET, 60_000_000])).allocation["amount"].tolist()
    )

    assert money == [40_000_000, 60_000_000]


def test_row_order_changes_nothing():
    frame = items([1000.0] * 4, 0.5, cap=30_000_000)

    assert spend(BUDGET, frame).allocation.equals(spend(BUDGET, frame.sample(frac=1, random_state=3)).allocation)


@pytest.mark.parametrize(("floor", "cap", "word"), [(60_000_000, BUDGET, "floors"), (0, 40_000_000, "caps")])
def test_impossible_limits_are_named(floor, cap, word):
    with pytest.raises(ConflictError, match=word):
        spend(BUDGET, items([1.0, 1.0], 0.5, floor=floor, cap=cap))


def test_a_curve_that_does_not_fade_is_refused():
    with pytest.raises(PlanError, match="elasticity"):
        spend(BUDGET, items([1.0, 1.0], [0.5, 1.0]))


def test_the_smallest_budgets_are_spent_too():
    for budget in (1, 2, 33):
        money = spend(budget, items([1.0, 2.0], 0.5, cap=budget)).allocation["amount"]
        assert money.sum() == budget
