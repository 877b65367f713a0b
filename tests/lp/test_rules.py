"""Rules and locks say what they mean, or are refused."""

from datetime import date

import pandas as pd
import pytest
from pydantic import ValidationError

from planlib import plan as tables
from planlib.errors import ParameterError
from planlib.lp import Lock, Rule, split
from planlib.lp.rules import in_force, in_minor_units, mask


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"name": "x"}, "no limit"),
        ({"name": "x", "min": 0.5, "max": 0.4}, "above max"),
        ({"name": "x", "unit": "ratio", "max": 1.0}, "measure"),
        ({"name": "x", "max": float("nan")}, "finite"),
        ({"name": "x", "max": "0.4"}, "valid number"),
        ({"name": "x", "max": 40.0}, "between 0 and 1"),
        ({"name": "x", "max": 0.4, "were": {}}, "Extra inputs"),
        ({"name": "x", "max": 0.4, "where": {"regoin": "E"}}, "region"),
        ({"name": "x", "max": 0.4, "where": {"region": "E"}, "each": "region"}, "keep one"),
    ],
)
def test_an_unclear_rule_is_refused(words, message):
    with pytest.raises(ValidationError, match=message):
        Rule(**words)


def test_amounts_are_stated_in_major_units():
    cap = Rule(name="cap", unit="amount", max=12.34)
    share = Rule(name="share", max=0.4)
    lock = Lock(name="lock", where={"region": "E"}, amount=10)

    assert [rule.max for rule in in_minor_units([cap, share], 2)] == [1234.0, 0.4]
    assert in_minor_units([lock], 2)[0].amount == 1000.0


def test_an_expired_rule_does_not_count():
    rule = Rule(name="cap", max=0.4, expires=date(2026, 3, 31))

    assert [rule] == in_force([rule], date(2026, 3, 31))
    assert in_force([rule], date(2026, 4, 1)) == []


def test_one_member_in_a_list_is_that_member():
    rule = Rule(name="cap", max=0.4, where={"region": ["East"], "product": ["B", "A", "B"]})
    lock = Lock(name="lock", where={"region": ["East"]}, amount=10)

    assert rule.where == {"region": "East", "product": ["A", "B"]} and lock.where == {"region": "East"}
    with pytest.raises(ValidationError, match="names no member"):
        Lock(name="lock", where={"region": []}, amount=10)


def test_a_lock_that_names_its_cell_in_a_list_is_a_lock_on_a_cell():
    weights = pd.DataFrame({"region": ["East", "North", "South"], "weight": [0.0, 30.0, 20.0]})
    found = [
        split(tables.company(1000), "region", weights, locks=[Lock(name="l", where={"region": member}, amount=400)])
        for member in ("East", ["East"])
    ]

    # By hand: 400 held, 600 in the drivers' proportions of 30 to 20; a total without weight could not be held at all.
    assert [one.plan["amount"].tolist() for one in found] == [[400, 360, 240]] * 2


def test_each_on_a_dimension_the_level_lacks_is_told():
    weights = pd.DataFrame({"region": ["East", "North"], "weight": [1.0, 1.0]})
    with pytest.raises(ParameterError, match=r"rule 'cap': each product, but this level has \['region'\]; move it"):
        split(tables.company(100), "region", weights, [Rule(name="cap", each="product", max=0.9)])


def test_a_lock_and_a_rule_written_out_under_one_name_are_refused():
    weights = pd.DataFrame({"region": ["East", "North"], "weight": [1.0, 1.0]})
    each = Rule(name="cap", each="region", max=0.9)
    with pytest.raises(ParameterError, match="'cap East'"):
        split(tables.company(100), "region", weights, [each], [Lock(name="cap East", where={"region": "East"}, amount=40)])


def test_a_misspelt_member_is_refused_with_the_nearest_and_every_name_there_is():
    cells = pd.DataFrame({"region": ["East", "North", "West"]})
    with pytest.raises(ParameterError) as refused:
        mask(cells, {"region": ["Nort"]}, "floor")
    assert str(refused.value) == (
        "rule 'floor': no region 'Nort' (nearest: 'North'), expected one of East, North, West; correct the name."
    )
