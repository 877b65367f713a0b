"""07 budget: money to where it returns, a reserve, and not a cent lost."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from planlib.chapters import budget
from planlib.plan import Horizon, months

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
PARAMETERS = budget.Parameters()


def marketing(noise: float = 0.0) -> pd.DataFrame:
    """Two activities with known curves: revenue = scale x spend ** elasticity, elasticity .5 and .7."""
    rng = np.random.default_rng(7)
    rows = []
    for activity, scale, power in (("Search", 4000.0, 0.5), ("TV", 30.0, 0.7)):
        for year in (2023, 2024, 2025):
            for number, month in enumerate(months(year)):
                spend = 1_000_000 + 150_000 * number
                revenue = scale * spend**power * np.exp(noise * rng.standard_normal())
                rows.append((month, activity, spend, round(revenue)))
    return pd.DataFrame(rows, columns=["month", "activity", "spend", "revenue"])


def test_a_known_elasticity_is_found_again():
    fitted = budget.curves(marketing(), HORIZON).set_index("item")["elasticity"]

    assert fitted.to_dict() == pytest.approx({"Search": 0.5, "TV": 0.7}, abs=1e-3)


def test_the_curve_passes_through_last_year():
    row = budget.curves(marketing(0.1), HORIZON).iloc[0]

    assert row["scale"] * row["spend_last_year"] ** row["elasticity"] == pytest.approx(row["revenue_last_year"])


def test_a_return_under_the_line_freezes():
    # BUD-6: TV returns under 1.5 here, so it keeps its floor and no more.
    fitted = budget.curves(marketing(), HORIZON)
    rich = fitted.assign(roi=[3.0, 1.49])
    limits = budget.bounds(rich, 10**8, PARAMETERS, pd.DataFrame()).set_index("item")

    assert limits.loc["TV", "floor"] == limits.loc["TV", "cap"]
    assert limits.loc["Search", "floor"] < limits.loc["Search", "cap"]
    assert not budget.bounds(fitted.assign(roi=1.5), 10**8, PARAMETERS, pd.DataFrame())["frozen"].any()


def test_what_is_spent_is_the_least_floor():
    spent = pd.DataFrame({"item": ["TV"], "amount": [90_000_000]})
    limits = budget.bounds(budget.curves(marketing(), HORIZON), 10**8, PARAMETERS, spent).set_index("item")

    assert limits.loc["TV", "floor"] == 90_000_000


@pytest.mark.parametrize("known", [True, False])
def test_activities_and_reserve_sum_to_the_budget(known):
    table = budget.known(marketing() if known else None, HORIZON)
    fitted = budget.curves(table, HORIZON)
    plan = pd.DataFrame({"region": "E", "product": "p", "channel": ["a", "b"], "amount": [700, 300]})
    total = 50_000_001
    held = budget.reserve(total, PARAMETERS)
    simple = budget.naive(fitted, plan, total - held)
    result = budget.allocate(fitted, table, simple, total, PARAMETERS, HORIZON)
    lines = budget.budget_plan(result.allocation, held)

    assert lines["amount"].sum() == total and simple["amount"].sum() == total - held
    assert held == 5_000_000
    if not known:  # as the channels' revenue, 7 : 3
        assert result.allocation["amount"].tolist() == [31_500_001, 13_500_000]


@pytest.mark.parametrize("words", [{"reserve_share": 0.09}, {"reserve_share": 0.16}, {"marketing_ratio": 0.21}])
def test_the_books_bounds_hold(words):
    with pytest.raises(ValidationError):
        budget.Parameters(**words)


def test_when_all_is_frozen_the_budget_is_still_spent():
    fitted = budget.curves(marketing(), HORIZON).assign(roi=1.0)
    limits = budget.bounds(fitted, 10**9, PARAMETERS, pd.DataFrame())

    assert limits["frozen"].all() and limits["cap"].sum() >= 10**9


def test_without_spend_last_year_there_is_no_curve():
    old = marketing()[lambda table: table["month"] < "2025-01"]

    assert budget.curves(old, HORIZON).empty


def test_no_change_allowed_is_still_feasible():
    fitted = budget.curves(marketing(), HORIZON)
    words = budget.Parameters(least_change=1.0, most_change=1.0, freeze_roi=0.0)
    for total in range(10**7, 10**7 + 20):
        assert budget.allocate(fitted, marketing(), fitted, total, words, HORIZON).allocation["amount"].sum() > 0
