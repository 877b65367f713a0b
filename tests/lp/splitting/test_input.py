"""What a split is given is checked before it is used: each fault in words, none a library's own error."""

import numpy as np
import pandas as pd
import pytest

from planlib import plan as tables
from planlib.errors import ConflictError, ParameterError, PlanError, TieOutError
from planlib.lp import Aim, Lock, Rule, split

COMPANY = tables.company(10_000)
REGIONS = pd.DataFrame({"region": ["East", "North", "South"], "weight": [50, 30, 20]})
NAMES = REGIONS[["region"]]
MARGINS = NAMES.assign(margin=[0.5, 0.1, 0.0])
PLAN = pd.DataFrame({"region": ["E", "W"], "amount": [10, 10]})
WEIGHTS = pd.DataFrame({"product": ["p", "q"], "weight": 1})


def test_a_missing_weight_is_refused_beside_booked_amounts_too():
    gap = REGIONS.assign(weight=[50.0, np.nan, 20.0])
    for booked in (None, NAMES.assign(amount=[1, 2, 3])):
        with pytest.raises(PlanError, match="missing is not 0"):
            split(COMPANY, "region", gap, booked=booked)


def test_a_guardrail_on_shares_of_what_itself_moves_is_refused():
    # A is 60 of A and B, which B's own cap would shrink: its share is not known before the split is.
    goods = pd.DataFrame({"product": ["A", "B", "C"], "weight": [60, 40, 100]})
    both = {"product": ["A", "B"]}
    rules = [
        Rule(name="guard", each="cell", where=both, of=both, max=0.6),
        Rule(name="B", where={"product": "B"}, unit="amount", max=1_000),
    ]
    with pytest.raises(ParameterError, match=r"moves with.*each: product"):
        split(COMPANY, "product", goods, rules)
    # What is meant can be said, and is kept: A takes .6 of the two.
    said = [Rule(name="cap", where={"product": "A"}, of=both, max=0.6), rules[1]]
    found = split(COMPANY, "product", goods, said).plan.set_index("product")["amount"]
    assert found["B"] <= 1_000 and found["A"] <= 0.6 * (found["A"] + found["B"])


def test_a_guardrail_on_cells_outside_its_base_is_refused():
    with pytest.raises(ParameterError, match="not part of its base"):
        split(PLAN, "product", WEIGHTS, [Rule(name="guard", each="cell", of={"region": "E"}, max=0.6)])


def test_a_guardrail_whose_limits_lie_between_two_units_takes_the_nearest():
    # 10.6 to 10.8 of 10 is 11, not 10: that is under its floor.
    history = NAMES.assign(amount=[10, 10, 100])
    guard = Rule(name="guard", each="cell", where={"region": ["East", "North"]}, unit="growth", min=0.06, max=0.08)

    assert split(tables.company(130), "region", REGIONS, [guard], history=history).plan["amount"].tolist()[:2] == [11, 11]


def test_a_target_below_nothing_says_so():
    with pytest.raises(PlanError, match="target of -100 minor units"):
        split(tables.company(-100), "region", REGIONS)
    # A cell that returns have left below nothing is no fault: its closed month is all there is of it.
    booked = NAMES.assign(amount=[-100, 0, 0])
    assert split(tables.company(-100), "region", REGIONS, booked=booked).plan["amount"].tolist() == [-100, 0, 0]
    with pytest.raises(ConflictError, match="50 minor units more booked than its target"):
        split(tables.company(100), "region", REGIONS, booked=NAMES.assign(amount=[150, 0, 0]))


def test_booked_rows_of_nothing_need_no_parent_and_others_are_named():
    nothing = pd.DataFrame({"region": ["X"], "product": ["p"], "amount": [0]})
    assert split(PLAN, "product", WEIGHTS, booked=nothing).plan["amount"].tolist() == [5, 5, 5, 5]
    cancelling = pd.DataFrame({"region": ["X", "X"], "product": ["p", "q"], "amount": [5, -5]})
    with pytest.raises(TieOutError, match="2 cells have no parent"):
        split(PLAN, "product", WEIGHTS, booked=cancelling)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"booked": pd.DataFrame({"product": ["p"], "amount": [3]})}, "booked: found columns.*region"),
        ({"margins": pd.concat([MARGINS, MARGINS]), "aim": Aim(profit=1.0)}, "'margin' occurs twice"),
        ({"margins": NAMES, "aim": Aim(profit=1.0)}, "expected .'margin'."),
        ({"margins": MARGINS.assign(margin=[0.1, np.inf, 0.2]), "aim": Aim(profit=0.5)}, "missing or infinite for.*North"),
        ({"in_force": WEIGHTS.rename(columns={"weight": "amount"}), "aim": Aim(steady=1.0)}, "the plan in force: .*region"),
    ],
)
def test_a_table_that_does_not_fit_is_told_by_name(given, words):
    with pytest.raises(ParameterError, match=words):
        split(COMPANY, "region", REGIONS, **given)


@pytest.mark.parametrize(
    ("heads", "words"),
    [
        (NAMES.assign(heads=[1.0, np.inf, 2.0]), "missing or infinite for.*North"),
        (NAMES.assign(heads=[1.0, np.nan, 2.0]), "missing or infinite for.*North"),
        (pd.concat([NAMES.assign(heads=1.0)] * 2), "'heads' occurs twice"),
        (NAMES.assign(people=1.0), "no measure 'heads'"),
    ],
)
def test_a_measure_that_does_not_fit_is_told_by_the_rules_name(heads, words):
    with pytest.raises(ParameterError, match=f"rule 'most'.*{words}"):
        split(COMPANY, "region", REGIONS, [Rule(name="most", unit="ratio", measure="heads", max=0.2)], measures=heads)


def test_one_number_for_all_cells_is_a_measure_too():
    # Two heads a unit of money everywhere: at most 3 holds, at most 1 cannot.
    heads = pd.DataFrame({"heads": [2.0]})
    rule = Rule(name="most", unit="ratio", measure="heads", max=3.0)
    assert split(COMPANY, "region", REGIONS, [rule], measures=heads).rules.loc[0, "found"] == pytest.approx(2.0)
    with pytest.raises(ConflictError, match='"most" cannot hold at all'):
        split(COMPANY, "region", REGIONS, [rule.model_copy(update={"max": 1.0})], measures=heads)


def test_a_split_into_several_dimensions_is_told_by_its_joined_members():
    weights = pd.DataFrame({"region": ["E", "E", "W"], "product": ["p", "q", "p"], "weight": [5, 3, 2]})
    result = split(COMPANY, ["region", "product"], weights)

    assert result.top(2) == ["E x p", "E x q"]
    assert result.share(["E x p", "W x p"]) == pytest.approx(0.7)
    table = result.compare(result.plan, result.reference)
    assert table["member"].tolist() == ["E x p", "E x q", "W x p"]
    assert table["growth"].tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(ParameterError, match="E x x"):
        result.share(["E x x"])


def test_a_member_in_a_list_is_that_member():
    bare, listed = (
        split(COMPANY, "region", REGIONS, locks=[Lock(name="East", where={"region": one}, amount=4_000)]).rules
        for one in ("East", ["East"])
    )

    pd.testing.assert_frame_equal(bare, listed)


@pytest.mark.parametrize("total", [10_001, 10_003, 7])
def test_a_pinned_inner_share_that_is_no_whole_unit_takes_the_nearest(total):
    goods = pd.DataFrame({"product": ["A", "B", "C"], "weight": [50, 30, 20]})
    pin = Rule(name="pin", where={"product": "A"}, of={"product": ["A", "B"]}, min=0.37, max=0.37)
    found = split(tables.company(total), "product", goods, [pin]).plan.set_index("product")["amount"]

    assert abs(found["A"] - 0.37 * (found["A"] + found["B"])) <= 1
    assert found.sum() == total


@pytest.mark.parametrize("total", [10_001, 10_003])
def test_a_pinned_ratio_that_no_whole_units_meet_takes_the_nearest(total):
    heads = NAMES.assign(heads=[0.5, 0.3, 0.1])
    pin = Rule(name="pin", unit="ratio", measure="heads", min=0.3333, max=0.3333)
    found = split(tables.company(total), "region", REGIONS, [pin], measures=heads).plan["amount"].to_numpy()

    assert abs(heads["heads"].to_numpy() @ found - 0.3333 * total) <= 0.5
