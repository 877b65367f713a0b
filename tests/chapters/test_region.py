"""02 region: each driver moves the weight the way the method book says."""

from datetime import date

import pandas as pd
import pytest
from pydantic import ValidationError

from planlib.chapters import region
from planlib.errors import ParameterError
from planlib.plan import Horizon

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
HISTORY = pd.DataFrame({"region": ["East", "North"], "amount": [750, 250]})


def weights(history=HISTORY, regions=None, attained=None, staff=None, **words) -> dict:
    frame = region.drivers(history, region.Parameters(**words), HORIZON, regions, attained, staff)
    assert frame["weight"].sum() == pytest.approx(1.0)
    return frame.set_index("region")["weight"].to_dict()


def test_orders_alone_give_last_years_shares():
    assert weights() == pytest.approx({"East": 0.75, "North": 0.25})


def test_priority_lifts_the_weight():
    # REG-2: 250 x 1.4 = 350 beside 750.
    assert weights(priority={"North": 0.4})["North"] == pytest.approx(350 / 1100)


def test_priority_for_an_unknown_region_is_refused():
    with pytest.raises(ParameterError, match="Nroth"):
        weights(priority={"Nroth": 0.4})


@pytest.mark.parametrize("uplift", [0.29, 0.51])
def test_priority_stays_within_30_to_50_percent(uplift):
    with pytest.raises(ValidationError):
        region.Parameters(priority={"North": uplift})


def test_potential_moves_the_base_by_its_weight():
    # Potential 1 : 1 at equal income; base = .75 x history + .25 x potential.
    regions = pd.DataFrame({"region": ["East", "North"], "gdp": [100.0, 100.0], "income": [5.0, 5.0]})

    assert weights(regions=regions)["North"] == pytest.approx(0.75 * 0.25 + 0.25 * 0.5)
    assert weights(regions=regions, potential_weight=1.0)["North"] == pytest.approx(0.5)


def test_rivals_take_potential_away():
    regions = pd.DataFrame(
        {"region": ["East", "North"], "gdp": [100.0, 100.0], "income": [5.0, 5.0], "rival_share": [0.0, 0.5]}
    )

    assert weights(regions=regions, potential_weight=1.0)["North"] == pytest.approx(1 / 3)


def test_a_region_the_table_lacks_keeps_its_share_of_history():
    regions = pd.DataFrame({"region": ["East"], "gdp": [100.0], "income": [5.0]})

    assert weights(regions=regions, potential_weight=1.0) == pytest.approx({"East": 0.75, "North": 0.25})


def test_maturity_has_its_factor():
    # REG-4: mature 1.2, incubating .8.
    regions = pd.DataFrame(
        {"region": ["East", "North"], "gdp": [75.0, 25.0], "income": [1.0, 1.0], "maturity": ["mature", "incubating"]}
    )

    assert weights(regions=regions)["North"] == pytest.approx(25 * 0.8 / (75 * 1.2 + 25 * 0.8))


def test_three_years_over_the_line_lift_the_base():
    # REG-3: 15% for a region over target in each of three years; two years are not enough.
    three = pd.DataFrame({"region": "North", "year": [2023, 2024, 2025], "attainment": [1.06, 1.2, 1.1]})

    assert weights(attained=three)["North"] == pytest.approx(250 * 1.15 / (750 + 250 * 1.15))
    assert weights(attained=three.iloc[:2])["North"] == pytest.approx(0.25)
    assert weights(attained=three.assign(attainment=[1.06, 1.04, 1.1]))["North"] == pytest.approx(0.25)


def test_an_under_achiever_is_reviewed_not_cut():
    low = pd.DataFrame({"region": "North", "year": [2023, 2024, 2025], "attainment": [0.8, 0.8, 0.9]})
    frame = region.drivers(HISTORY, region.Parameters(), HORIZON, attained=low).set_index("region")

    assert frame.loc["North", "review"] != "" and frame.loc["East", "review"] == ""
    assert frame.loc["North", "weight"] == pytest.approx(0.25)


def test_more_than_40_percent_newcomers_lower_the_target():
    # REG-5: two of four hired within a year is over 40%; two of five is not.
    hired = pd.to_datetime(["2025-06-01", "2025-07-01", "2020-01-01", "2020-01-01", "2020-01-01"])
    staff = pd.DataFrame({"region": "North", "hired": hired, "left": pd.NaT})

    assert weights(staff=staff.iloc[:4])["North"] == pytest.approx(250 * 0.9 / (750 + 250 * 0.9))
    assert weights(staff=staff)["North"] == pytest.approx(0.25)


def test_who_has_left_does_not_count():
    hired = pd.to_datetime(["2025-06-01", "2025-07-01", "2020-01-01", "2020-01-01"])
    left = pd.to_datetime(["2025-10-01", "2025-11-01", None, None])
    staff = pd.DataFrame({"region": "North", "hired": hired, "left": left})

    assert weights(staff=staff)["North"] == pytest.approx(0.25)


def test_attainment_is_summed_result_over_target_in_fiscal_years():
    targets = pd.DataFrame({"year": [2024, 2025], "region": "East", "amount": [100, 100]})
    results = pd.DataFrame({"region": "East", "month": ["2024-07", "2025-06", "2025-07"], "amount": [60, 50, 80]})
    table = region.attained(targets, results, Horizon(2026, 7, date(2026, 6, 30))).set_index("year")["attainment"]

    assert table.to_dict() == pytest.approx({2024: 1.1, 2025: 0.8})
