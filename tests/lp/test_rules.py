"""Rules and locks say what they mean, or are refused."""

from datetime import date

import pytest
from pydantic import ValidationError

from planlib.lp import Lock, Rule
from planlib.lp.rules import in_force, in_minor_units


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
