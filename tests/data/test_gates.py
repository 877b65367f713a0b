"""The gate: every check fails on a frame that breaks it, and a gate that checked nothing has not passed."""

import pandas as pd
import pytest

from planlib.data.gates import Verdict, gate
from planlib.errors import GateError

PARENT = pd.DataFrame({"region": ["E", "N"], "amount": [60, 40]})
CHILD = pd.DataFrame({"region": ["E", "E", "N"], "product": ["p", "q", "p"], "amount": [50, 10, 40]})
RULES = pd.DataFrame({"rule": ["cap"], "hard": [True], "met": [True]})
BOOKED = pd.DataFrame({"region": ["E"], "product": ["p"], "amount": [20]})


def failed(plan=CHILD, parent=PARENT, company=100, rules=RULES, booked=BOOKED) -> set[str]:
    verdict = gate("test", plan, parent, company, rules, booked)
    assert verdict.declared == verdict.evaluated
    return {check["name"] for check in verdict.checks if not check["success"]}


def test_a_good_plan_passes():
    verdict = gate("test", CHILD, PARENT, 100, RULES, BOOKED)

    assert failed() == set()
    assert verdict.success
    verdict.raise_if_failed()


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (CHILD.assign(amount=[50, 10, 41]), "tie-out: residual 0"),
        (CHILD.assign(amount=[51, 9, 40]).iloc[:2], "tie-out: residual 0"),
        (CHILD.assign(region=["E", "E", "S"]), "tie-out: residual 0"),
        (
            pd.concat([CHILD, pd.DataFrame({"region": ["S"], "product": ["p"], "amount": [0]})]),
            "no cell outside the level above",
        ),
        (CHILD.assign(product=["p", "p", "p"]), "one row per cell"),
        (CHILD.assign(product=["p", None, "p"]), "no gap in product"),
        (CHILD.assign(amount=[50.0, 10.0, 40.0]), "whole minor units"),
        (CHILD.iloc[:0], "has rows"),
        (CHILD.assign(amount=[19, 41, 40]), "no cell below what is booked"),
        (CHILD.assign(amount=[70, -10, 40]), "no cell below what is booked"),
    ],
)
def test_a_broken_plan_fails_its_check(change, check):
    assert check in failed(plan=change)


def test_a_total_that_is_not_the_companys_fails():
    assert failed(company=101) == {"total: residual 0"}


def test_a_broken_hard_rule_fails_and_a_soft_one_does_not():
    assert failed(rules=RULES.assign(met=False)) == {"every hard rule holds"}
    assert failed(rules=RULES.assign(met=False, hard=False)) == set()


def test_a_failed_gate_says_what_it_found():
    verdict = gate("02-region", CHILD.assign(amount=[50, 10, 41]), PARENT, 100)
    with pytest.raises(GateError, match="02-region") as caught:
        verdict.raise_if_failed()

    assert "-1" in str(caught.value)  # North's children are one unit too many


@pytest.mark.parametrize(("declared", "evaluated"), [(0, 0), (3, 2)])
def test_a_check_that_did_not_run_is_not_passed(declared, evaluated):
    verdict = Verdict("test", declared, evaluated, ())

    assert not verdict.success
    with pytest.raises(GateError, match="declared"):
        verdict.raise_if_failed()


def test_the_record_is_what_the_chain_reads():
    record = gate("test", CHILD, PARENT, 100).record()

    assert record["success"] is True
    assert record["declared"] == record["evaluated"] == len(record["checks"])


def test_closed_months_must_be_what_is_booked():
    plan = pd.DataFrame({"month": ["2026-01", "2026-02"], "amount": [500, 500]})
    booked = pd.DataFrame({"month": ["2026-01"], "amount": [100]})
    parent = pd.DataFrame({"amount": [1000]})
    verdict = gate("test", plan, parent, 1000, None, booked, closed=["2026-01"])

    assert [check["name"] for check in verdict.checks if not check["success"]] == ["closed months are what is booked"]
    assert gate("test", plan, parent, 1000, None, booked.assign(amount=500), closed=["2026-01"]).success
