"""03 product: the stage is read off the orders, and moves the weight."""

from datetime import date

import pandas as pd
import pytest

from planlib.chapters import product
from planlib.errors import ParameterError
from planlib.plan import Horizon, company, months

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
PATHS = {"steady": (100, 100), "rising": (50, 100), "falling": (100, 60), "gone": (20, 0)}


def history() -> pd.DataFrame:
    rows = [(name, month, pair[year - 2024]) for name, pair in PATHS.items() for year in (2024, 2025) for month in months(year)]
    rows += [("young", month, 100) for month in months(2025)[8:]]
    frame = pd.DataFrame(rows, columns=["product", "month", "amount"])
    return frame[frame["amount"] > 0]


def test_each_path_has_its_stage():
    found = product.stages(history(), product.Parameters(), HORIZON).set_index("product")["stage"].to_dict()

    assert found == {"steady": "maturity", "rising": "growth", "falling": "decline", "gone": "exit", "young": "introduction"}


def test_the_lines_are_parameters():
    words = product.Parameters(introduction_months=3, decline_line=-0.5)
    found = product.stages(history(), words, HORIZON).set_index("product")["stage"].to_dict()

    assert found["young"] != "introduction" and found["falling"] == "maturity"


def test_an_exit_by_decision_gets_nothing():
    staged = product.stages(history(), product.Parameters(exits=["rising"]), HORIZON)
    plan = company(100).assign(region="East")[["region", "amount"]]
    sums = history().groupby("product")["amount"].sum().reset_index().assign(region="East")
    weights = product.weights(plan, sums, staged).set_index("product")["weight"]

    assert weights["rising"] == 0 and weights["gone"] == 0
    # PRD-1 factors on history: 2,400 x 1.0, 1,920 x 0.8, 400 x 1.3.
    assert weights[["steady", "falling", "young"]].tolist() == pytest.approx([2400, 1536, 520])


def test_an_unknown_exit_is_refused():
    with pytest.raises(ParameterError, match="raising"):
        product.stages(history(), product.Parameters(exits=["raising"]), HORIZON)


def test_a_launch_is_not_planned_on_a_part_of_a_year():
    staged = product.stages(history(), product.Parameters(), HORIZON)
    young = history()[lambda t: t["product"] == "young"].assign(region="East")
    scaled = product.introduced(young, staged, HORIZON)

    assert scaled["amount"].tolist() == [1200]  # 400 in four months


def test_a_region_whose_products_all_leave_takes_the_companys_mix():
    plan = pd.DataFrame({"region": ["East", "North"], "amount": [10, 10]})
    sums = pd.DataFrame(
        {"region": ["East", "North", "North"], "product": ["steady", "gone", "steady"], "amount": [100, 100, 0]}
    )
    weights = product.weights(plan, sums, product.stages(history(), product.Parameters(), HORIZON))
    north = weights[weights["region"] == "North"].set_index("product")["weight"]

    assert north["steady"] > 0 and north["gone"] == 0
