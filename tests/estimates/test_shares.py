"""Expected shares: what a level's members are likely to get, from their own months."""

from datetime import date

import pandas as pd
import pytest

from planlib.errors import PlanError
from planlib.estimates.shares import expected
from planlib.plan import Horizon

HORIZON = Horizon(2026, 1, date(2025, 12, 31))


def test_shares_sum_to_one_within_each_parent():
    rows = [("E", "p", 30), ("E", "q", 70), ("W", "p", -5), ("W", "q", 50)]
    history = pd.DataFrame(rows, columns=["region", "product", "amount"]).assign(month="2025-06")
    found = expected(history, "product", HORIZON, ["region"])

    assert found.shares.groupby("region")["share"].sum().to_list() == pytest.approx([1.0, 1.0])
    assert (found.shares["share"] >= 0).all()


def test_a_history_without_its_columns_is_refused():
    with pytest.raises(PlanError, match="lacks \\['product', 'month'\\]"):
        expected(pd.DataFrame({"region": ["E"], "amount": [1]}), "product", HORIZON, ["region"])
