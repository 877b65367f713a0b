"""05 time: months move with the festivals, closed months do not move at all."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from planlib.chapters import time
from planlib.plan import Horizon

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
PARAMETERS = time.Parameters()


def test_festivals_are_where_the_lunar_calendar_has_them():
    # State Council notices: Spring Festival 2024-02-10, 2025-01-29, 2026-02-17; Mid-Autumn 2026-09-25.
    days = time.festival_days([2024, 2025, 2026], ["Spring Festival", "Mid-Autumn Festival"])
    spring = days[days["festival"] == "Spring Festival"]["date"].tolist()

    assert spring == [date(2024, 2, 10), date(2025, 1, 29), date(2026, 2, 17)]
    assert date(2026, 9, 25) in days["date"].tolist()


def test_a_calendar_table_overrides_a_festival():
    table = pd.DataFrame({"date": pd.to_datetime(["2026-03-01"]), "event": ["Spring Festival"]})
    days = time.festival_days([2025, 2026], ["Spring Festival"], table)

    assert sorted(days["date"]) == [date(2025, 1, 29), date(2026, 3, 1)]


def test_exposure_counts_days_on_either_side():
    days = pd.DataFrame({"festival": ["F"], "date": [date(2026, 2, 3)]})
    frame = time.exposure(["2026-01", "2026-02"], days, time.Parameters(days_before=10, days_after=4))

    # Ten days before February 3: eight in January, two in February; five days from it on, all in February.
    assert (frame["F, before"] * 30).round().tolist() == [8, 2]
    assert (frame["F, after"] * 30).round().tolist() == [0, 5]


def made(effect: float, years=range(2020, 2026)) -> pd.DataFrame:
    """Months of 1,000 that a Spring Festival in them or after them changes by a known effect, no other season."""
    months = [f"{year}-{month:02d}" for year in years for month in range(1, 13)]
    days = time.festival_days([*range(2019, 2028)], ["Spring Festival"])
    near = time.exposure(months, days, PARAMETERS)
    amounts = 1000 * np.exp(effect * near["Spring Festival, after"].to_numpy())
    return pd.DataFrame({"product": "p", "month": months, "amount": (amounts * 1000).round().astype("int64")})


def test_a_known_festival_effect_is_found_again():
    _, effects = time.seasonality(made(-0.9), time.Parameters(festivals=["Spring Festival"]), HORIZON)
    change = effects.set_index("window")["change"]

    # The window after the festival is eleven days long.
    assert change["Spring Festival, after"] == pytest.approx(np.exp(-0.9 * 11 / 30) - 1, abs=0.03)
    assert change["Spring Festival, before"] == pytest.approx(0.0, abs=0.06)


def test_the_dip_follows_the_festival_into_its_month():
    # 2025: January 29, so most of the dip fell in January and February; 2026: February 17, so all of it falls in February.
    season, _ = time.seasonality(made(-0.9), time.Parameters(festivals=["Spring Festival"]), HORIZON)
    weight = season.set_index("month")["weight"]

    assert weight["2026-02"] < 0.85 * weight["2026-01"]
    assert weight["2026-01"] == pytest.approx(weight["2026-06"], rel=0.05)


def test_a_short_history_is_taken_as_it_was():
    short = made(-0.9, years=[2025])
    season, effects = time.seasonality(short, PARAMETERS, HORIZON)
    weight = season.set_index("month")["weight"]

    assert effects.empty
    assert (weight / weight.sum()).to_numpy() == pytest.approx((short["amount"] / short["amount"].sum()).to_numpy())


def test_closed_months_have_no_weight():
    season, _ = time.seasonality(made(0.0), PARAMETERS, HORIZON)
    plan = pd.DataFrame({"region": ["E", "E"], "product": ["p", "new"], "amount": [10, 5]})
    weights = time.weights(season, plan, Horizon(2026, 1, date(2026, 3, 31)))

    assert sorted(set(weights["month"]))[0] == "2026-04"
    assert set(weights["product"]) == {"p", "new"}  # a product never sold before takes the others' season


def test_quarters_compare_with_the_plan_in_force():
    path = pd.DataFrame({"month": HORIZON.months, "amount": [10] * 12})
    table = time.rolling(path, path.assign(amount=8), HORIZON)

    assert table["difference"].tolist() == [6, 6, 6, 6]
    assert table["share_over"].tolist() == pytest.approx([0.25] * 4)
    assert "plan_in_force" not in time.rolling(path, None, HORIZON)


def test_a_quiet_beginning_does_not_spoil_the_season():
    months = [f"{year}-{month:02d}" for year in (2023, 2024, 2025) for month in range(1, 13)]
    quiet = pd.DataFrame({"product": "p", "month": months, "amount": [0] * 14 + [1000] * 22})
    season, _ = time.seasonality(quiet, PARAMETERS, HORIZON)

    assert season["weight"].between(0.2, 5).all()


def test_last_years_months_line_up_with_the_plans_even_with_gaps():
    gap = pd.DataFrame({"month": ["2025-03", "2025-12"], "amount": [3, 12]})

    assert time.by_month(gap, HORIZON)["amount"].tolist() == [0, 0, 3, *[0] * 8, 12]
    assert time.a_year_on(gap, HORIZON)["month"].tolist() == ["2026-03", "2026-12"]


def test_a_product_without_history_in_the_open_months_shares_them_equally():
    season = pd.DataFrame({"product": "p", "month": HORIZON.months, "weight": [1.0] * 11 + [0.0]})
    plan = pd.DataFrame({"region": ["E"], "product": ["p"], "amount": [10]})
    weights = time.weights(season, plan, Horizon(2026, 1, date(2026, 11, 30)))

    assert weights[["month", "weight"]].to_numpy().tolist() == [["2026-12", 1.0]]
