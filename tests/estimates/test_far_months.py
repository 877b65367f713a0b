"""Months more than a year ahead, and the rest of a year that has begun: closed forms of series that grow at one rate."""

import numpy as np
import pandas as pd
import pytest

from planlib.errors import ParameterError
from planlib.estimates.momentum import expect
from planlib.estimates.trend import going_on
from planlib.estimates.windows import span_of

MONTHS = span_of("2023-01", "2025-10")
SEASON = np.array([1.0, 0.8, 1.1, 1.0, 0.9, 1.3, 1.0, 0.7, 1.2, 1.0, 1.6, 1.4])


def grown(rate: float) -> pd.Series:
    """A season that is `rate` higher from one calendar year to the next."""
    levels = [1000 * SEASON[int(month[5:]) - 1] * (1 + rate) ** (int(month[:4]) - 2023) for month in MONTHS]
    return pd.Series(levels, index=MONTHS)


def test_a_company_that_does_not_grow_is_expected_as_it_was_two_years_ahead():
    wanted = span_of("2026-01", "2026-12")
    found = expect(grown(0.0), "2025-10", wanted).months.set_index("month")
    np.testing.assert_allclose(found["expected"], 1000 * SEASON)
    np.testing.assert_allclose(found["last_year"], 1000 * SEASON)  # of November and December expected themselves


def test_far_months_stand_on_the_year_between_and_grow_once_more():
    rate = 0.10
    near = expect(grown(rate), "2025-10", ["2025-11", "2025-12"], near=True).months.set_index("month")["expected"]
    far = expect(grown(rate), "2025-10", span_of("2026-01", "2026-12")).months.set_index("month")
    # one and the same year between, whoever asks for it
    np.testing.assert_allclose(far.loc[["2026-11", "2026-12"], "last_year"], near)
    # nearly all of a steady 10% stands in the next two months: between nine tenths and all of it
    level = near.to_numpy() / (1000 * SEASON[10:] * (1 + rate))
    assert (level > 1 + 0.85 * rate).all() and (level < 1 + rate).all()
    growth = far["expected"] / far["last_year"] - 1
    assert (growth > 0.03).all() and (growth < rate).all()  # damped as every year ahead


def test_the_part_that_goes_on_falls_from_all_to_the_damping_of_a_year():
    assert going_on(0.5, [6.5]) == 0.5 and going_on(0.5, list(range(1, 13))) == 0.5
    assert going_on(0.5, [1]) == pytest.approx(1 - 0.5 / 6.5)
    assert going_on(1.0, [1, 2]) == 1.0 and going_on(0.0, [13]) == 0.0


def test_more_than_two_years_ahead_is_refused():
    with pytest.raises(ParameterError, match="two years ahead"):
        expect(grown(0.0), "2025-10", ["2027-11"])
