"""Splits of amounts near the largest that int64 holds: every total, lock and booked amount to the unit.

The totals are stated here; sums are Python's whole numbers, which have no limit.
"""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from planlib import plan as tables
from planlib.errors import ConflictError, ParameterError
from planlib.lp import Aim, Lock, Rule, split
from tests.conftest import seeds

TOTAL = 9_000_000_000_000_000_007  # of 9,223,372,036,854,775,807
NAMES = [f"R{number}" for number in range(5)]
WEIGHTS = pd.DataFrame({"region": NAMES, "weight": [5.0, 3.0, 2.0, 1.5, 0.7]})
BOOKED = [5_000_000_000_000_000_001, 1, 3_000_000_000_000_000_003, 0, 9_007_199_254_740_993]
LAST = [2_500_000_000_000_000_003, 2_000_000_000_000_000_003, 1_300_000_000_000_000_003, 10**18 + 3, 12 * 10**17 + 3]


def amounts(**limits) -> dict[str, int]:
    found = split(tables.company(TOTAL), "region", WEIGHTS, **limits)
    result = dict(zip(found.plan["region"], map(int, found.plan["amount"]), strict=True))
    assert sum(result.values()) == TOTAL
    assert found.plan["amount"].dtype == np.int64 and not len(tables.residuals(tables.company(TOTAL), found.plan))
    return result


def by_region(numbers: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"region": NAMES, "amount": np.array(numbers, dtype=np.int64)})


def test_the_drivers_alone():
    found = amounts()

    for name, weight in zip(NAMES, WEIGHTS["weight"], strict=True):
        assert abs(found[name] - Fraction(weight) / Fraction(12.2) * TOTAL) < 2048  # as near as weights of 53 bits tell


def test_a_cap_holds_to_the_unit_and_is_used():
    found = amounts(rules=[Rule(name="cap", where={"region": "R0"}, max=0.3)])

    assert 0 <= Fraction(3, 10) * TOTAL - found["R0"] < 10_000


@pytest.mark.parametrize("amount", [2_000_000_000_000_000_001, 4_611_686_018_427_387_905])
@pytest.mark.parametrize("where", [["R1"], ["R1", "R2"]])
def test_a_lock_is_kept_to_the_unit(amount, where):
    found = amounts(locks=[Lock.model_validate({"name": "l", "where": {"region": where}, "amount": amount})])

    assert sum(found[name] for name in where) == amount


def test_no_cell_falls_below_what_is_booked():
    found = amounts(booked=by_region(BOOKED), rules=[Rule(name="cap", where={"region": "R1"}, max=0.02)])

    assert all(found[name] >= booked for name, booked in zip(NAMES, BOOKED, strict=True))
    assert found["R1"] <= Fraction(2, 100) * TOTAL


@pytest.mark.parametrize("each", ["region", "cell"])
def test_nobody_shrinks_by_a_unit(each):
    found = amounts(history=by_region(LAST), rules=[Rule(name="g", each=each, unit="growth", min=0.0)])

    room = 0 if each == "region" else 1024  # a guardrail is stated in floats
    assert all(found[name] >= last - room for name, last in zip(NAMES, LAST, strict=True))


def test_a_share_of_a_part_and_a_soft_rule():
    inner = Rule(name="inner", where={"region": ["R0", "R1"]}, of={"region": ["R0", "R1", "R2"]}, max=0.7)
    soft = Rule(name="soft", where={"region": "R4"}, min=0.2, hard=False, penalty=0.5)
    found = amounts(rules=[inner, soft])

    assert Fraction(found["R0"] + found["R1"], found["R0"] + found["R1"] + found["R2"]) <= Fraction(7, 10) + Fraction(1, 10**15)


def test_two_levels_and_the_naive_splits_tie_out():
    regions = split(tables.company(TOTAL), "region", WEIGHTS, booked=by_region(BOOKED)).plan
    weights = pd.DataFrame({"product": ["A", "B", "C"], "weight": [3.0, 2.0, 1.0]})
    caps = [Rule(name="cap", each="region", of={}, where={"product": "A"}, max=0.2)]
    deeper = split(regions, "product", weights, caps).plan
    assert not len(tables.residuals(regions, deeper))

    history = regions.merge(pd.DataFrame({"product": ["A", "B", "C"]}), how="cross").assign(amount=np.int64(10**18 + 1))
    for naive in (tables.equally(regions, ["A", "B", "C"], "product"), tables.by_last_year(regions, history, "product")):
        assert not len(tables.residuals(regions, naive))


def test_rules_that_cannot_hold_together_are_named():
    rules = [Rule(name=f"floor {name}", where={"region": name}, min=0.3) for name in NAMES]

    with pytest.raises(ConflictError, match=r"(?s)floor R4.*cheapest way out"):
        amounts(rules=rules)


@pytest.mark.parametrize(
    ("amount", "factor", "more", "right"),
    [
        (5_097_600_000_005_048_424, 1.0, 0.75, 8_920_800_000_008_834_742),
        (8_000_000_000_000_000_001, 1.0, 0.1, 8_800_000_000_000_000_001),  # .1 down
        (8_000_000_000_000_000_005, 1.0, 0.1, 8_800_000_000_000_000_006),  # .5 up
        (6_530_338_200_000_000, 1.0, 0.1, 7_183_372_020_000_000),  # in floats ...001
        (32_651_691, 1.0, 0.1, 35_916_860),
        (9_007_199_254_740_993, 100, 0.0, 900_719_925_474_099_300),
    ],
)
def test_growth_is_exact(amount, factor, more, right):
    assert tables.times(amount, factor, more) == right


def test_beyond_int64_the_limit_is_named():
    with pytest.raises(ParameterError, match=r"9,223,372,036,854,775,807 minor units.*decimals: 0"):
        tables.times(9_000_000_000_000_000_000, 1.0, 0.1)


def test_amounts_are_found_by_key_without_a_float():
    table = pd.DataFrame({"region": ["A", "B"], "amount": np.array([9_007_199_254_740_993, -(2**62) - 1], dtype=np.int64)})
    keys = pd.DataFrame({"region": ["B", "C", "A"]})
    right = [-(2**62) - 1, 0, 9_007_199_254_740_993]

    assert tables.amounts_at(keys, table).tolist() == right
    assert tables.by_key(keys["region"], table.set_index("region")["amount"]).tolist() == right
    assert tables.sums_of(np.array([1, 1, 0]), np.array([2**53, 1, 7]), 3).tolist() == [7, 2**53 + 1, 0]


@pytest.mark.parametrize("seed", seeds(12, 150))
def test_random_splits_of_any_size_are_exact(seed):
    """Totals of 2^50 to 2^63 over parents and members, with caps, floors, locks, booked amounts and each aim."""
    rng = np.random.default_rng(seed)
    total = int(2 ** rng.uniform(50, 63)) - 1
    parents, members = ([f"{letter}{n}" for n in range(rng.integers(*span))] for letter, span in (("P", (1, 5)), ("K", (2, 9))))
    plan = pd.DataFrame({"region": parents})
    plan["amount"] = tables.largest_remainder(total, rng.gamma(1, 1, len(parents)) + 0.01, parents)
    weights = pd.DataFrame(
        [(parent, member, rng.gamma(0.7, 1) + 0.001) for parent in parents for member in members],
        columns=["region", "product", "weight"],
    )
    reference = tables.proportional(plan, weights, "product")
    rules, locks = [], []
    for number in range(rng.integers(0, 4)):
        member = members[rng.integers(len(members))]
        mine = reference.loc[reference["product"] == member, "amount"].map(int)
        share, kind = sum(mine) / total, rng.integers(4)
        if kind == 0:
            rules.append(Rule(name=f"cap {number}", where={"product": member}, max=min(1, share * rng.uniform(0.7, 1.2))))
        elif kind == 1:
            rules.append(Rule(name=f"floor {number}", where={"product": member}, min=min(1, share * rng.uniform(0.8, 1.2))))
        else:
            where = {"product": member} if kind == 2 else {"product": member, "region": parents[0]}
            now = sum(mine) if kind == 2 else mine.iloc[0]
            locks.append(Lock(name=f"lock {number}", where=where, amount=int(now * rng.uniform(0.9, 1.1)) | 1))
    booked = reference.assign(amount=[int(int(amount) * rng.uniform(0, 0.5)) for amount in reference["amount"]])
    margins = weights.drop(columns="weight").assign(margin=rng.uniform(0.1, 0.6, len(weights)))
    aim = Aim(profit=[0, 0, 0.5, 1][rng.integers(4)])
    try:
        found = split(plan, "product", weights, rules, locks, booked=booked, aim=aim, margins=margins).plan
    except ConflictError as clash:
        assert "cannot hold" in str(clash) or "contradict" in str(clash), clash
        return

    assert not len(tables.residuals(plan, found))
    assert (tables.amounts_at(found[["region", "product"]], booked) <= found["amount"]).all()
    for lock in locks:
        inside = np.logical_and.reduce([found[dimension] == member for dimension, member in lock.where.items()])
        assert sum(map(int, found.loc[inside, "amount"])) == lock.amount
    for rule in rules:
        part = Fraction(sum(map(int, found.loc[found["product"] == rule.where["product"], "amount"])), total)
        assert rule.min is None or part >= Fraction(repr(rule.min)) - Fraction(1, total)
        assert rule.max is None or part <= Fraction(repr(rule.max)) + Fraction(1, total)
