"""The reconciled forecast that a back-test stands beside; its libraries are an extra of the package."""

import numpy as np
import pandas as pd
import pytest

from planlib.estimates import reconciled as made
from planlib.periods import months

SEASON = [5, 6, 7, 8, 9, 12, 8, 7, 6, 9, 14, 9]


def history(years):
    """Two regions with two products each that do the same every year: weights 1, 2, 3, 4 of one season."""
    rows = [
        (region, product, month, weight * part * 100)
        for year in years
        for month, part in zip(months(year, 1), SEASON, strict=True)
        for weight, (region, product) in enumerate([("A", "P"), ("A", "Q"), ("B", "P"), ("B", "Q")], start=1)
    ]
    return pd.DataFrame(rows, columns=["region", "product", "month", "amount"])


def test_what_repeats_itself_is_expected_to_go_on():
    for name in made.LIBRARIES:
        pytest.importorskip(name)
    found = made.reconciled(history([2022, 2023, 2024]), ["region", "product"], months(2025, 1))
    # closed form: every year is the same, so the next one is as well
    cells = found.groupby(["region", "product"])["amount"].sum().to_numpy()
    assert cells == pytest.approx(np.array([1, 2, 3, 4]) * 100 * sum(SEASON), rel=0.01)
    by_month = found.groupby("month")["amount"].sum().to_numpy()
    assert by_month == pytest.approx(np.array(SEASON) * 1000, rel=0.02)


def test_there_is_none_where_a_library_is_absent_or_one_year_is_known(monkeypatch):
    assert made.reconciled(history([2024]), ["region", "product"], months(2025, 1)) is None
    monkeypatch.setattr(made.importlib.util, "find_spec", lambda name: None)
    assert made.absent() == ["hierarchicalforecast", "statsmodels"]
    assert made.reconciled(history([2023, 2024]), ["region", "product"], months(2025, 1)) is None
