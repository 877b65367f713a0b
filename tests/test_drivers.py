"""Drivers: values become weights, effects add up to the share, one row says why."""

from dataclasses import replace

import pandas as pd
import pytest

from planlib import plan as tables
from planlib.drivers import Driver, build
from planlib.errors import PlanError

COMPANY = tables.company(1000)
LAST = pd.DataFrame({"region": ["East", "North"], "amount": [750, 250]})


def driver(name="priority", part=1.0, **values) -> Driver:
    return Driver(name, "parameter", "an item", pd.DataFrame({"region": ["East", "North"], **values}), part)


def test_no_driver_leaves_last_years_shares():
    built = build(COMPANY, "region", LAST, [])

    assert built.frame["region"].tolist() == ["East", "North"]
    assert built.frame["weight"].tolist() == [0.75, 0.25]


def test_a_factor_multiplies_and_its_effect_is_the_change_of_share():
    # 750 and 250 x 1.4 = 350: 350 / 1100.
    built = build(COMPANY, "region", LAST, [driver(factor=[1.0, 1.4])])
    row = built.frame.set_index("region").loc["North"]

    assert row["weight"] == pytest.approx(350 / 1100)
    assert row["priority"] == pytest.approx(1.4)
    assert row["priority_effect"] == pytest.approx(350 / 1100 - 0.25)


def test_a_share_counts_by_its_part():
    # .75 x .25 + .25 x .5
    built = build(COMPANY, "region", LAST, [driver("potential", 0.25, share=[5.0, 5.0])])
    row = built.frame.set_index("region").loc["North"]

    assert row["weight"] == pytest.approx(0.75 * 0.25 + 0.25 * 0.5)
    assert row["potential"] == pytest.approx(0.5)


def test_effects_add_up_from_last_years_share_to_the_plans():
    built = build(COMPANY, "region", LAST, [driver(factor=[1.0, 1.4]), driver("potential", 0.25, share=[1.0, 3.0])])
    plan = pd.DataFrame({"region": ["East", "North"], "amount": [600, 400]})
    bridge = built.bridge(plan)
    effects = [name for name in bridge if name.endswith("_effect")]

    assert bridge["plan_share"].tolist() == [0.6, 0.4]
    assert (bridge["last_year_share"] + bridge[effects].sum(axis=1)).tolist() == pytest.approx([0.6, 0.4])
    assert bridge[effects].sum().tolist() == pytest.approx([0.0] * len(effects))
    steps = built.steps(plan)
    assert steps.groupby("member")["effect"].sum().to_dict() == pytest.approx({"East": -0.15, "North": 0.15})


def test_one_row_reads_as_a_sentence():
    built = build(COMPANY, "region", LAST, [driver(factor=[1.0, 1.4])])
    plan = pd.DataFrame({"region": ["East", "North"], "amount": [682, 318]})

    # 350 / 1100 is 6.8 points above a quarter; 318 of 1000 is nearer than a tenth of a point.
    assert built.why("North", plan) == "North: 31.8% of the target after 25.0% of last year; in points of share: priority +6.8."


def test_below_the_first_level_the_mix_above_is_a_step_of_its_own():
    # Last year A sold 60 of 100 in East and 20 of 100 in North, 40% in all. The plan gives East 3 of 4: .75 x .6 + .25 x .2.
    last = pd.DataFrame(
        {"region": ["East", "East", "North", "North"], "product": ["A", "B", "A", "B"], "amount": [60, 40, 20, 80]}
    )
    plan = pd.DataFrame({"region": ["East", "North"], "amount": [300, 100]})
    only_a = Driver("stage", "orders", "an item", pd.DataFrame({"product": ["A"], "factor": [2.0]}))
    row = build(plan, "product", last, [only_a]).frame.set_index("product").loc["A"]

    assert row["last_year_share"] == pytest.approx(0.4)
    assert row["levels_above_effect"] == pytest.approx(0.1)
    # Doubled: 120 of 160 in East, 40 of 120 in North.
    assert row["weight"] == pytest.approx(0.75 * 120 / 160 + 0.25 * 40 / 120)


def test_a_member_without_history_can_come_in_by_a_share():
    new = Driver("potential", "regions", "an item", pd.DataFrame({"region": ["East", "West"], "share": [0.5, 0.5]}), 0.2)
    shares = build(COMPANY, "region", LAST, [new]).frame.set_index("region")["weight"].to_dict()

    assert shares == pytest.approx({"East": 0.8 * 0.75 + 0.1, "North": 0.8 * 0.25, "West": 0.1})


def test_a_parent_whose_members_all_leave_keeps_the_levels_mix():
    last = pd.DataFrame({"region": ["East", "East", "North"], "product": ["A", "B", "C"], "amount": [60, 40, 50]})
    plan = pd.DataFrame({"region": ["East", "North"], "amount": [100, 100]})
    gone = Driver("exit", "orders", "an item", pd.DataFrame({"product": ["C"], "factor": [0.0]}))
    north = build(plan, "product", last, [gone]).weights.set_index(["region", "product"])["weight"].loc["North"]

    assert north.to_dict() == pytest.approx({"A": 0.6, "B": 0.4, "C": 0.0})


def test_row_order_does_not_matter():
    one = build(COMPANY, "region", LAST, [driver(factor=[1.0, 1.4])])
    two = build(COMPANY, "region", LAST.iloc[::-1], [driver(factor=[1.0, 1.4])])

    pd.testing.assert_frame_equal(one.frame, two.frame)
    pd.testing.assert_frame_equal(one.weights, two.weights)


@pytest.mark.parametrize(
    "values",
    [
        {"weight": [1, 2]},
        {"factor": [1.0, -1.0]},
        {"factor": [1, 1], "share": [1, 1]},
        {"factor": [1.0, float("inf")]},
        {"factor": [1.0, float("nan")]},
        {"share": [1.0, float("nan")]},
    ],
)
def test_a_driver_that_says_nothing_or_two_things_is_refused(values):
    with pytest.raises(PlanError, match="driver priority"):
        build(COMPANY, "region", LAST, [driver(**values)])


@pytest.mark.parametrize("part", [1.7, -0.1, float("nan")])
def test_a_part_that_is_no_share_is_refused(part):
    with pytest.raises(PlanError, match="driver priority: found a part of"):
        build(COMPANY, "region", LAST, [replace(driver(share=[0.5, 0.5]), part=part)])


@pytest.mark.parametrize("name", ["priority", "region", "weight", "last_year_share", "rules", "growth_effect"])
def test_two_drivers_under_one_name_are_refused(name):
    other = replace(driver(factor=[1.0, 1.2]), name=name)
    with pytest.raises(PlanError, match=f"drivers: the names \\['{name}'\\] occur twice or are taken"):
        build(COMPANY, "region", LAST, [driver(factor=[1.0, 1.4]), other])


def test_a_member_that_only_the_plan_has_is_in_the_bridge():
    # A region that sold in a closed month of this year has no last year and no driver: its fifth is the closed months' doing.
    last = pd.DataFrame({"region": ["East", "North"], "amount": [60, 40]})
    found = build(tables.company(100), "region", last, [])
    plan = pd.DataFrame({"region": ["East", "New", "North"], "amount": [48, 20, 32]})
    bridge = found.bridge(plan).set_index("region")
    assert bridge["plan_share"].sum() == pytest.approx(1.0) and bridge.loc["New", "rules_effect"] == pytest.approx(0.2)
    assert found.why("New", plan).startswith("New: 20.0% of the target after 0.0% of last year")
