"""01 strategy: what comes by itself, what must be added."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from pydantic import ValidationError

from planlib.chapters import strategy
from planlib.errors import InputDataError, ParameterError
from planlib.periods import Horizon, months

YEAR_END = Horizon(2026, 1, date(2025, 12, 31))
QUARTER = Horizon(2026, 1, date(2026, 3, 31))


def history(**years: int) -> pd.DataFrame:
    """The same amount in every month of a year: y2024=10 is 10 a month."""
    rows = [(month, amount) for year, amount in years.items() for month in months(int(year[1:]))]
    return pd.DataFrame(rows, columns=["month", "amount"])


def moving(sold: pd.DataFrame, horizon: Horizon, growth: float) -> pd.DataFrame:
    """Momentum at a stated growth over last year."""
    ahead = strategy.outlook(sold, horizon)
    months = ahead.months.assign(expected=ahead.months["expected"] * (1 + growth))
    return strategy.momentum(sold, horizon, replace(ahead, months=months))


def test_momentum_keeps_what_is_closed_and_carries_on_the_rest():
    actual = pd.DataFrame({"month": ["2026-01", "2026-02", "2026-03"], "amount": [1500, 700, 1100]})
    path = moving(pd.concat([history(y2025=1000), actual]), QUARTER, 0.1)

    assert path["amount"].tolist() == [1500, 700, 1100, *[1100] * 9]
    assert path["closed"].sum() == 3


def test_a_year_without_last_year_cannot_be_planned():
    with pytest.raises(InputDataError, match="2025-01 to 2025-12"):
        moving(history(y2023=10), YEAR_END, 0.0)


def test_a_closed_month_without_orders_is_no_actual_of_zero():
    with pytest.raises(InputDataError, match="2026-02, 2026-03"):
        moving(pd.concat([history(y2025=1000), pd.DataFrame({"month": ["2026-01"], "amount": [5]})]), QUARTER, 0.1)


@pytest.mark.parametrize(
    ("words", "in_force", "expected"),
    [({}, None, 13_000), ({"growth": 0.1}, None, 11_000), ({}, 12_345, 12_345), ({"target": 150.5}, 12_345, 15_050)],
)
def test_the_target_is_stated_or_in_force_or_grown(words, in_force, expected):
    assert strategy.target(strategy.Parameters(**words), 10_000, 2, in_force) == expected


def test_a_target_below_what_is_earned_is_refused():
    with pytest.raises(ParameterError, match="raise the target"):
        strategy.check_reachable(99, 100)


@pytest.mark.parametrize(
    ("words", "in_force", "expected"),
    [
        (
            {"growth": 0.5},
            13_000,
            "The target of the plan in force stands, 13000: growth 0.5 on last year, which would make 15000",
        ),
        ({"growth": 0.3}, 13_000, ""),  # the growth that made it
        ({"growth": 0.5}, None, ""),  # the first plan takes it
        ({"growth": 0.5, "target": 140.0}, 13_000, ""),  # another target is stated
    ],
)
def test_a_growth_that_a_plan_in_force_overrules_is_told(words, in_force, expected):
    said = strategy.stands(strategy.Parameters(**words), 10_000, in_force, lambda value, form="": str(value))

    assert said.startswith(expected) and bool(said) == bool(expected)


@pytest.mark.parametrize("horizon", [YEAR_END, QUARTER])
def test_the_bridge_ends_at_the_target(horizon):
    # STR-5
    actual = pd.DataFrame({"month": ["2026-01", "2026-02", "2026-03"], "amount": [500, 700, 1100]})
    path = moving(pd.concat([history(y2025=1000), actual]), horizon, 0.1)
    steps = strategy.bridge(path, 20_000, horizon)

    assert steps["amount"].iloc[0] == 12_000
    assert steps["amount"].iloc[:-1].sum() == steps["amount"].iloc[-1] == 20_000
    assert ((steps["kind"] != "up") | (steps["amount"] >= 0)).all()


SOURCES = pd.DataFrame({"source": ["leads", "markets", "nothing"], "metric": "Revenue", "gain": [100, 300, 0]})


@pytest.mark.parametrize(
    ("gap", "counted"),
    [
        (1000, {"markets": 300, "leads": 100, "not covered yet": 600}),
        (200, {"markets": 150, "leads": 50}),
        (400, {"markets": 300, "leads": 100}),
    ],
)
def test_sources_fill_the_gap_and_no_more(gap, counted):
    # STR-5: what overlaps is scaled to the gap, what they leave is said.
    assert strategy.filled(gap, SOURCES).set_index("source")["counted"].to_dict() == counted


def test_no_source_leaves_the_whole_gap():
    assert strategy.filled(70, SOURCES.iloc[2:])["counted"].tolist() == [70]
    path = moving(history(y2025=1000), YEAR_END, 0.0)
    steps = strategy.bridge(path, 13_000, YEAR_END, strategy.filled(1000, SOURCES))

    assert steps["label"].tolist()[2:] == ["Markets", "Leads", "Not covered yet", "Target 2026"]


def test_targets_have_all_that_smart_asks_for():
    # STR-1, STR-2, STR-3
    orders = history(y2025=1000).assign(cost=600)
    kpis = pd.DataFrame({"month": ["2025-01", "2025-02"], "kpi": "valid_leads", "value": [300.0, 500.0]})
    spend = pd.DataFrame({"month": months(2025), "spend": 120})
    goals = strategy.targets(strategy.Parameters(), 15_600, orders, YEAR_END, kpis, spend).set_index("metric")

    assert goals.loc["Gross margin", "baseline"] == pytest.approx(0.4)
    assert goals.loc["Marketing cost, at most", "baseline"] == pytest.approx(0.12)
    assert goals.loc["New valid leads a year", "baseline"] == 4800  # mean 400 a month, twelve months
    assert goals.loc["Revenue", ["baseline", "value"]].tolist() == [12_000, 15_600]
    assert (goals["deadline"] == "2026-12-31").all() and (goals["owner"] == "Board").all()
    assert "Market share" not in goals.index  # 0: not asked for
    assert goals["perspective"].isin(["finance", "customer", "process"]).all()


def test_an_owner_of_no_target_is_refused():
    with pytest.raises(ParameterError, match="Gross margn"):
        strategy.targets(strategy.Parameters(owners={"Gross margn": "CFO"}), 1, history(y2025=1), YEAR_END)


@pytest.mark.parametrize(
    "words",
    [
        {"growth": 6.0},
        {"growth": "0.3"},
        {"growht": 0.3},
        {"marketing_ratio": 0.6},
        {"launches": 2.5},
        {"departments": {"Sales": 0.6}},
        {"departments": {}},
        {"most_areas": 2},
        {"most_areas": 6},
        {"confidence": 0.4},
        {"usual_error": 0.0},
        {"damping": 1.1},
        {"price_band": -0.1},
        {"nps_rank": 0.0},
        {"pareto": 0.4},
        {"region_managers": -1},
        {"market_drivers": {"a": {"kind": "rumour", "effect": 0.1}}},
        {"market_drivers": {"a": {"kind": "policy", "effect": 0.3}}},
        {"positions": {"Hotels": {"proposition": "", "target": "Revenue"}}},
        {"benchmarks": {"wins": 1.2}},
        {"review_days": 0},
    ],
)
def test_parameters_out_of_bounds_are_refused(words):
    with pytest.raises(ValidationError):
        strategy.Parameters(**words)
