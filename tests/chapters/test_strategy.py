"""01 strategy: what comes by itself, what must be added."""

from datetime import date

import pandas as pd
import pytest
from pydantic import ValidationError

from planlib.chapters import strategy
from planlib.errors import InputDataError, ParameterError
from planlib.plan import Horizon, months

YEAR_END = Horizon(2026, 1, date(2025, 12, 31))
QUARTER = Horizon(2026, 1, date(2026, 3, 31))


def history(**years: int) -> pd.DataFrame:
    """The same amount in every month of a year: y2024=10 is 10 a month."""
    rows = [(month, amount) for year, amount in years.items() for month in months(int(year[1:]))]
    return pd.DataFrame(rows, columns=["month", "amount"])


def test_half_of_the_growth_goes_on():
    # 1,000 a month after 800: +25%, of which half is believed.
    assert strategy.trend(history(y2024=800, y2025=1000), YEAR_END, 0.5) == pytest.approx(0.125)


def test_one_year_of_orders_has_no_trend():
    assert strategy.trend(history(y2025=1000), YEAR_END, 0.5) == 0.0


def test_momentum_keeps_what_is_closed_and_carries_on_the_rest():
    actual = pd.DataFrame({"month": ["2026-01", "2026-02", "2026-03"], "amount": [1500, 700, 1100]})
    path = strategy.momentum(pd.concat([history(y2025=1000), actual]), QUARTER, 0.1)

    assert path["amount"].tolist() == [1500, 700, 1100, *[1100] * 9]
    assert path["closed"].sum() == 3


def test_a_year_without_last_year_cannot_be_planned():
    with pytest.raises(InputDataError, match="2025-01 to 2025-12"):
        strategy.momentum(history(y2023=10), YEAR_END, 0.0)


def test_a_closed_month_without_orders_is_no_actual_of_zero():
    with pytest.raises(InputDataError, match="2026-02, 2026-03"):
        strategy.momentum(pd.concat([history(y2025=1000), pd.DataFrame({"month": ["2026-01"], "amount": [5]})]), QUARTER, 0.1)


@pytest.mark.parametrize(
    ("words", "in_force", "expected"),
    [({}, None, 13_000), ({"growth": 0.1}, None, 11_000), ({}, 12_345, 12_345), ({"target": 150.5}, 12_345, 15_050)],
)
def test_the_target_is_stated_or_in_force_or_grown(words, in_force, expected):
    assert strategy.target(strategy.Parameters(**words), 10_000, 2, in_force) == expected


def test_a_target_below_what_is_earned_is_refused():
    with pytest.raises(ParameterError, match="raise the target"):
        strategy.check_reachable(99, 100)


@pytest.mark.parametrize("horizon", [YEAR_END, QUARTER])
def test_the_bridge_ends_at_the_target(horizon):
    actual = pd.DataFrame({"month": ["2026-01", "2026-02", "2026-03"], "amount": [500, 700, 1100]})
    path = strategy.momentum(pd.concat([history(y2025=1000), actual]), horizon, 0.1)
    steps = strategy.bridge(path, 20_000, horizon)

    assert steps["amount"].iloc[0] == 12_000
    assert steps["amount"].iloc[:-1].sum() == steps["amount"].iloc[-1] == 20_000
    assert ((steps["kind"] != "up") | (steps["amount"] >= 0)).all()


def test_targets_have_all_that_smart_asks_for():
    orders = history(y2025=1000).assign(cost=600)
    kpis = pd.DataFrame({"month": ["2025-01", "2025-02"], "kpi": "valid_leads", "value": [300, 500]})
    spend = pd.DataFrame({"month": months(2025), "spend": 120})
    goals = strategy.targets(strategy.Parameters(), 15_600, orders, YEAR_END, kpis, spend).set_index("metric")

    assert goals.loc["Gross margin", "baseline"] == pytest.approx(0.4)
    assert goals.loc["Marketing cost, at most", "baseline"] == pytest.approx(0.12)
    assert goals.loc["New valid leads a year", "baseline"] == 4800  # mean 400 a month, twelve months
    assert goals.loc["Revenue", ["baseline", "value"]].tolist() == [12_000, 15_600]
    assert (goals["deadline"] == "2026-12-31").all() and (goals["owner"] == "Board").all()
    assert pd.isna(goals.loc["Market share", "baseline"])


@pytest.mark.parametrize(
    "words", [{"growth": 6.0}, {"growth": "0.3"}, {"growht": 0.3}, {"marketing_ratio": 0.6}, {"launches": 2.5}]
)
def test_parameters_out_of_bounds_are_refused(words):
    with pytest.raises(ValidationError):
        strategy.Parameters(**words)
