"""Why a plan is what it is, in words: every number in a sentence comes from the split's own tables."""

import pandas as pd

from planlib import plan as tables
from planlib import reasons
from planlib.formatting import Reader
from planlib.lp import Rule, spend, split

READER = Reader("en", "CNY")
REGIONS = pd.DataFrame({"region": ["East", "North", "South"], "weight": [50, 30, 20]})


def show(value: float, form: str = "money") -> str:
    return READER.show(value, form)


def capped():
    rules = [
        Rule(name="cap", where={"region": "East"}, max=0.4, owner="CFO", reason="risk"),
        Rule(name="room", where={"region": "North"}, min=0.1),
        Rule(name="wish", where={"region": "South"}, min=0.9, hard=False, penalty=0.01),
    ]
    return split(tables.company(10_000_000_00), "region", REGIONS, rules)


def test_the_dearest_rules_come_first_with_price_and_range():
    table = reasons.rules(capped().rules, show)

    assert table["rule"].tolist()[0] == "cap"
    first = table.iloc[0]
    assert first["asks"] == "share at most 40.0%" and first["binds"] == "yes"
    assert first["price"].endswith("per point") and " to " in first["holds while"]
    assert first[["owner", "reason"]].tolist() == ["CFO", "risk"]
    assert table.set_index("rule").loc["room", "price"] == "0"


def test_sentences_are_about_what_binds_or_was_given_up():
    said = reasons.sentences(capped().rules, show)

    assert len(said) == 2
    assert said[0].startswith('"cap" binds: each point')
    assert '"wish" was given up by' in said[1]


def test_the_proof_says_how_near_and_the_table_how_simple_splits_fare():
    result = capped()

    assert reasons.proof(result.certificate, show).startswith("Proven to the last minor unit")
    assert reasons.beside(result.measures, str)["rules_broken"].tolist() == [0, 1]
    free = split(tables.company(100), "region", REGIONS)
    assert "nothing had to move" in reasons.proof(free.certificate, show)


def test_a_budgets_limits_say_what_they_hold_back():
    items = pd.DataFrame(
        {"item": ["a", "b"], "scale": [1000.0, 1000.0], "elasticity": 0.5, "floor": 0, "cap": [10_000_00, 10**9]}
    )
    result = spend(100_000_00, items)
    table = reasons.limits(result.prices, show)

    assert table.loc[table["rule"] == "cap of a", "binds"].tolist() == ["yes"]
    # By hand: the slope of 1000 x^.5 is .5 at 1 m and .167 at 9 m minor units; the cap holds back the difference.
    assert table.loc[table["rule"] == "cap of a", "price"].tolist() == ["0.333 per unit of money"]
    assert reasons.proof_of_spend(result.certificate, show).startswith("Optimal: within these limits no spend brings more")
