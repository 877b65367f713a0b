"""Why a plan is what it is, in words: every number in a sentence comes from the split's own tables."""

import re

import pandas as pd
import pytest

from planlib import plan as tables
from planlib import reasons
from planlib.columns import COLUMNS
from planlib.formatting import Reader
from planlib.lp import Aim, Lock, Rule, sentence, spend, split

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
    said = reasons.sentences(capped(), show)

    assert len(said) == 2
    assert said[0].startswith('"cap" binds: each point')
    assert '"wish" was given up by' in said[1]


def test_the_proof_says_how_near_and_the_table_how_simple_splits_fare():
    result = capped()

    assert reasons.proof(result, show).startswith("Proven to the last minor unit")
    assert reasons.beside(result, str)["rules_broken"].tolist() == [0, 1]
    assert COLUMNS["rules_broken"][0] == "Hard rules broken"  # a soft rule that gives is none
    free = split(tables.company(100), "region", REGIONS)
    assert "nothing had to move" in reasons.proof(free, show)


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


COMPANY = tables.company(10_000_000)
MARGINS = pd.DataFrame({"region": ["East", "North", "South"], "margin": [0.2, 0.0, 0.0]})
NOW = pd.DataFrame({"region": ["East", "North", "South"], "amount": [6_000_000, 3_000_000, 1_000_000]})


def world(aim: Aim, *rules: Rule, locks: tuple[Lock, ...] = (), weights: pd.DataFrame = REGIONS, **given: pd.DataFrame):
    return split(COMPANY, "region", weights, rules, locks, aim=aim, margins=MARGINS if aim.profit else None, **given)


CAP = Rule(name="cap", where={"region": "East"}, max=0.45)


@pytest.mark.parametrize(
    ("aim", "gains", "price"),
    [
        # .5 of 5 m leave East, .3 of 3 come to North, .2 of 2 to South: 2 x (.5/5 + .3/3) of the 1,000.00 in a point.
        (Aim(), "nearer to the drivers", "400.00"),
        # The plan in force has 6, 3, 1 m: 1.5 leave East, 1.125 and .375 go on: 2 x (1.5/6 + 1.125/3) of it.
        (Aim(steady=1.0), "nearer to the plan in force", "1,250"),
        (Aim(steady=0.5), "nearer to the drivers and the plan in force", None),
        # A fifth of what moves to East.
        (Aim(profit=1.0), "more profit", "200.00"),
        # Both: the blend weighs them alike, so the two prices add up.
        (Aim(profit=0.5), "nearer to its aim, 50% profit and 50% nearness to the drivers", "600.00"),
    ],
)
def test_what_easing_a_rule_brings_is_what_the_plan_aims_at(aim, gains, price):
    given = {"in_force": NOW} if aim.steady else {}
    said = reasons.sentences(world(aim, CAP, **given), show)

    assert len(said) == 1 and said[0].startswith('"cap" binds: each point by which it is eased brings the plan ')
    assert f" {gains}, while it stands between" in said[0]
    assert price is None or f" {price} {gains}" in said[0]


def test_what_two_locks_hold_together_has_no_price_of_its_own():
    held = tuple(Lock(name=name, where={"region": name}, amount=5_000_000) for name in ("East", "North"))
    both = world(Aim(), weights=REGIONS.head(2), locks=held)
    for row in both.rules.assign(unique=False).itertuples():
        assert (
            sentence(row, show)
            == f'"{row.rule}" binds together with other limits: what easing it alone would bring is not defined.'
        )
    table = reasons.rules(both.rules.assign(unique=False), show)
    assert table["price"].tolist() == ["not defined alone"] * 2


def test_a_distance_is_the_distance_whatever_the_aim_weighs():
    # 1 m off a cap of 40%: 1/5 + .6^2/3 + .4^2/2 = .4 m; a profit of .2 x 4.0 m is .8 m, and no part of the distance.
    cap = Rule(name="cap", where={"region": "East"}, max=0.4)
    plain, blend = reasons.proof(world(Aim(), cap), show), reasons.proof(world(Aim(profit=0.5), cap), show)
    in_all = r"Its distance from the drivers, squared relative deviation in money, is ([^;]*); (.*)3 cells were free to move\.$"

    found = [re.search(in_all, text).groups() for text in (plain, blend)]
    assert [distance for distance, _ in found] == [show(400_000)] * 2
    assert [rest for _, rest in found] == ["", f"its profit is {show(800_000)}; "]


def test_what_soft_rules_cost_is_told_beside_the_distance():
    # South asks for 90% at a penalty of .01: to move costs more, so it stays where the drivers put it, but for a little.
    wish = Rule(name="wish", where={"region": "South"}, min=0.9, hard=False, penalty=0.01)
    result = world(Aim(), wish)
    text = reasons.proof(result, show)

    assert f"the soft rules it gives up cost {show(float(result.rules['cost'].sum()))}" in text
    amounts = result.plan["amount"] - pd.Series([5_000_000, 3_000_000, 2_000_000])
    assert f"is {show(float((amounts**2 / [5_000_000, 3_000_000, 2_000_000]).sum()))};" in text
    assert "give" not in reasons.proof(world(Aim(), CAP), show)


def test_what_near_means_is_named_in_every_table_and_sentence():
    drivers, steady = world(Aim(), CAP), world(Aim(steady=1.0), CAP, in_force=NOW)

    assert "distance_from_drivers" in reasons.beside(drivers, show) and "proportional" in set(
        reasons.beside(drivers, show)["split"]
    )
    assert "distance_from_plan_in_force" in reasons.beside(steady, show)
    assert "in the proportions of the plan in force" in set(reasons.beside(steady, show)["split"])
    assert "Its distance from the plan in force" in reasons.proof(steady, show)
    room = Rule(name="room", where={"region": "East"}, max=0.9)
    assert reasons.proof(world(Aim(), room), show) == "Every rule holds in the proportions of the drivers: nothing had to move."
    assert "proportions of the plan in force" in reasons.proof(world(Aim(steady=1.0), room, in_force=NOW), show)


def test_a_split_without_rules_says_what_it_follows():
    assert reasons.unlimited(world(Aim())).endswith("in the proportions of the drivers.")
    assert reasons.unlimited(world(Aim(steady=1.0), in_force=NOW)).endswith("in the proportions of the plan in force.")
    assert reasons.unlimited(world(Aim(profit=1.0))).startswith(
        "No rule limits this split: it follows its aim alone, most profit"
    )


def test_a_ratio_reads_as_its_rule_states_it():
    heads = pd.DataFrame({"region": ["East", "North", "South"], "heads": [1e-9, 2e-9, 1.5e-9]})
    rule = Rule(name="heads", unit="ratio", measure="heads", max=2.5e-9)
    table = reasons.rules(split(COMPANY, "region", REGIONS, [rule], measures=heads).rules, show)

    # By hand: .5 x 1 + .3 x 2 + .2 x 1.5 = 1.4.
    assert table.loc[0, ["asks", "found"]].tolist() == ["ratio at most 2.5e-09", "1.4e-09"]


def test_a_budget_is_as_surely_the_best_as_its_proof():
    sure = {"status": "Optimal", "gap": 0.0, "objective": 1e9}
    near = {"status": "Best within the gap", "gap": 1e-3, "objective": 1e9}

    assert reasons.proof_of_spend(sure, show) == "Optimal: within these limits no spend brings more to the last minor unit."
    assert reasons.proof_of_spend(near, show).endswith(f"brings more to {show(1e6)}.")


@pytest.mark.parametrize("aim", [Aim(), Aim(profit=1.0), Aim(profit=0.5), Aim(steady=1.0)])
def test_twice_the_money_under_other_names_changes_only_values_and_names(aim):
    names = {"East": "Alpha", "North": "Beta", "South": "Gamma"}
    given = {"in_force": NOW} if aim.steady else {}
    plain = world(aim, CAP, **given)
    renamed = [frame.assign(region=frame["region"].map(names)) for frame in (REGIONS, MARGINS, NOW)]
    other = split(
        tables.company(20_000_000), "region", renamed[0], [CAP.model_copy(update={"where": {"region": "Alpha"}})], aim=aim,
        margins=renamed[1] if aim.profit else None,
        in_force=renamed[2].assign(amount=2 * NOW["amount"]) if aim.steady else None,
    )  # fmt: skip

    def skeleton(result) -> list[str]:
        return [
            re.sub(r"[\d.,]+ ?(k|m)?", "#", text) for text in [*reasons.sentences(result, show), reasons.proof(result, show)]
        ]

    assert skeleton(plain) == skeleton(other)
    assert reasons.sentences(plain, show) != reasons.sentences(other, show)


def test_a_distance_that_is_not_defined_is_told_so():
    last_year = REGIONS[["region"]].assign(amount=[4_000_000, 4_000_000, 2_000_000])
    weights = REGIONS.assign(weight=[60, 40, 0])
    told = reasons.beside(world(Aim(), weights=weights, history=last_year), show).set_index("split")["distance_from_drivers"]
    assert told["last year's shares"].startswith("not defined") and told["this plan"] == show(0)
