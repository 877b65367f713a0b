"""Guardrails that cannot hold: one step for all of their cells, the cell that needs it most, and a way out that works."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from planlib import plan as tables
from planlib.errors import ConflictError
from planlib.lp import Lock, Rule, split
from tests.conftest import seeds

REGIONS = pd.DataFrame({"region": ["East", "North", "South"], "weight": [50, 30, 20]})
KEYS = ["region", "product"]


def caught(*words, **more) -> ConflictError:
    with pytest.raises(ConflictError) as error:
        split(*words, **more)
    return error.value


def test_a_guardrail_eases_with_one_step_for_all_its_cells():
    # 12 m over 10 m of last year: 20% everywhere is enough, and it is the least.
    history = REGIONS[["region"]].assign(amount=[4_000_000, 3_000_000, 3_000_000])
    company = tables.company(12_000_000)
    error = caught(company, "region", REGIONS, [Rule(name="guard", each="cell", unit="growth", max=0.1)], history=history)

    assert error.conflicts[["rule", "side", "need", "cell"]].to_numpy().tolist() == [["guard", "cap", 0.1, "East"]]
    assert error.conflicts.loc[0, "have"] == pytest.approx(0.2)
    assert error.repair.loc[0, "to"] == 0.2
    assert "leave it at least 20.00% growth (East needs it most)" in str(error)
    mended = split(company, "region", REGIONS, *error.repaired, history=history)
    assert mended.plan["amount"].tolist() == [4_800_000, 3_600_000, 3_600_000]


def test_a_guardrail_that_one_cell_breaks_names_it():
    # The lock leaves South 5 m, 150% more than last year; the cap on each cell is 50%.
    history = REGIONS[["region"]].assign(amount=[3_000_000, 3_000_000, 2_000_000])
    lock = Lock(name="agreed", where={"region": ["East", "North"]}, amount=5_000_000)
    guard = Rule(name="guard", each="cell", unit="growth", max=0.5)
    error = caught(tables.company(10_000_000), "region", REGIONS, [guard], [lock], history=history)

    row = error.conflicts.set_index("rule").loc["guard"]
    assert (row["have"], row["cell"]) == (pytest.approx(1.5), "South")


def test_a_cap_below_what_is_booked_says_so():
    booked = REGIONS[["region"]].assign(amount=[500, 2, 3])
    cap = Rule(name="cap", where={"region": "East"}, unit="amount", max=100)
    error = caught(tables.company(10_000), "region", REGIONS, [cap], booked=booked)

    assert "leave it at least 500 minor units (500 minor units are already booked)" in str(error)
    guard = caught(tables.company(10_000), "region", REGIONS, [Rule(name="g", each="cell", max=0.04)], booked=booked)
    assert "already booked" in str(guard)


@pytest.mark.parametrize("cells", [1_000, 10_000])
def test_thousands_of_guarded_cells_of_which_one_cannot_hold(cells):
    # The cell without a weight gets nothing, so that its floor of a tenth of last year cannot hold: it would need -100%.
    rng = np.random.default_rng(0)
    goods = [f"p{i:05d}" for i in range(cells)]
    weights = pd.DataFrame({"product": goods, "weight": np.r_[0, rng.integers(1, 100, cells - 1)]})
    shares = rng.integers(1, 100, cells)
    history = weights[["product"]].assign(amount=shares * 10**9 // shares.sum())
    guard = Rule(name="guard", each="cell", unit="growth", min=-0.9, max=2.0)
    error = caught(tables.company(10**9), "product", weights, [guard], history=history)

    assert error.conflicts[["rule", "side", "cell"]].to_numpy().tolist() == [["guard", "floor", "p00000"]]
    assert error.conflicts.loc[0, "have"] == pytest.approx(-1.0, abs=1e-5)
    assert error.repair.loc[0, "to"] == -1.0


def test_many_rules_that_clash_are_told_in_few_words_and_listed_in_full():
    goods = [f"p{i:03d}" for i in range(200)]
    floor = Rule(name="floor", each="product", min=1.1 / 200)
    error = caught(tables.company(10**9), "product", pd.DataFrame({"product": goods, "weight": 1}), [floor])

    # 182 floors of .55% are 100.1%: none of them may be left out.
    assert len(error.conflicts) == 182
    assert len(str(error)) < 2_000
    assert "and 176 more cannot hold together" in str(error)
    assert error.conflicts["have"].to_numpy() == pytest.approx(1 - 181 * 1.1 / 200)


def test_a_ratio_in_a_conflict_keeps_its_digits():
    heads = REGIONS[["region"]].assign(heads=[1.5e-9, 2e-9, 1.2e-9])
    rule = Rule(name="heads", unit="ratio", measure="heads", max=1.1e-9)
    error = caught(tables.company(10**9), "region", REGIONS, [rule], measures=heads)

    assert error.repair.loc[0, "to"] == pytest.approx(1.2e-9, rel=1e-4)
    assert split(tables.company(10**9), "region", REGIONS, *error.repaired, measures=heads).plan["amount"].tolist()[2] >= 0.99e9


def world(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, Rule, list[Rule], pd.DataFrame]:
    """A guardrail too tight for the totals, or for floors beside it."""
    rng = np.random.default_rng(seed)
    plan = pd.DataFrame({"region": ["R1", "R2"], "amount": rng.integers(10**7, 10**9, 2)})
    cells = pd.MultiIndex.from_product([plan["region"], ["p", "q", "r"]], names=KEYS).to_frame(index=False)
    weights = cells.assign(weight=rng.integers(10, 100, len(cells)))
    reference = tables.proportional(plan, weights, "product")["amount"].to_numpy()
    history = cells.assign(amount=np.rint(reference * rng.uniform(0.6, 1.2, len(cells))).astype(int))
    wide = float(rng.uniform(0.02, 0.2))
    guard = Rule(name="guard", each="cell", unit="growth", min=-wide, max=wide)
    part = float(reference[[0, 3]].sum() / reference.sum())
    return plan, weights, guard, [Rule(name="floor p", where={"product": "p"}, min=min(1.0, part * 1.3))], history


def least_step(plan, cells, guard, rules, history, without: str = "") -> float:
    """SciPy, cell by cell: the least step by which the guardrail must widen when the rules hold; `without` one cell it does not
    guard."""
    last, count = history["amount"].to_numpy(float) / 1e6, len(cells)
    total = plan["amount"].sum() / 1e6
    body, bound = [], []
    for place in range(count):
        if " x ".join(cells.iloc[place][KEYS]) == without:
            continue
        one = np.eye(count)[place]
        body += [np.r_[one, -last[place], 0.0], np.r_[-one, 0.0, -last[place]]]
        bound += [last[place] * (1 + guard.max), -last[place] * (1 + guard.min)]
    for rule in rules:
        body.append(np.r_[-(cells["product"] == rule.where["product"]).to_numpy(float), 0.0, 0.0])
        bound.append(-rule.min * total)
    equal = [np.r_[(cells["region"] == region).to_numpy(float), 0.0, 0.0] for region in plan["region"]]
    costs = np.r_[np.zeros(count), 1.0, 1.0]
    found = linprog(costs, np.array(body), np.array(bound), np.array(equal), plan["amount"] / 1e6, method="highs")
    assert found.status == 0
    return float(found.fun)


@pytest.mark.parametrize("seed", seeds(10, 60))
def test_the_step_is_the_least_of_an_independent_solver_and_the_way_out_works(seed):
    plan, weights, guard, rules, history = world(seed)
    cells = weights[KEYS]
    if least_step(plan, cells, guard, rules, history) < 1e-6:
        split(plan, "product", weights, [guard, *rules], history=history)
        return
    error = caught(plan, "product", weights, [guard, *rules], history=history)
    for _, named in error.conflicts.groupby("set"):
        mine = named[named["rule"] == "guard"]
        others = [rule for rule in rules if rule.name in set(named["rule"])]
        least = least_step(plan, cells, guard, others, history)
        assert (mine["have"] - mine["need"]).abs().sum() == pytest.approx(least, rel=1e-5, abs=1e-7)
        for cell in mine["cell"]:
            assert least_step(plan, cells, guard, others, history, without=cell) < least
    assert tables.residuals(plan, split(plan, "product", weights, *error.repaired, history=history).plan).empty


@pytest.mark.parametrize("times", [1, 1_000, 100_000_000])
def test_every_cell_at_most_the_growth_of_all_is_possible_in_whole_units(times):
    # 10% above 15, 9 and 6 (and many times as much, plus a unit each) are not whole, together they are what is asked for.
    last = pd.DataFrame({"region": ["East", "North", "South"], "amount": [15 * times + 1, 9 * times + 1, 6 * times + 1]})
    total = int(np.rint(1.1 * int(last["amount"].sum())))
    weights = last[["region"]].assign(weight=[50, 30, 20])
    guard = Rule(name="guard", each="cell", unit="growth", max=total / int(last["amount"].sum()) - 1)
    found = split(tables.company(total), "region", weights, [guard], history=last)
    assert found.plan["amount"].sum() == total
    assert (found.plan["amount"] - (1 + guard.max) * last["amount"]).abs().max() < 1
    assert found.rules["met"].all()
    floor = guard.model_copy(update={"min": guard.max, "max": None})
    found = split(tables.company(total), "region", weights, [floor], history=last)
    assert (found.plan["amount"] - (1 + floor.min) * last["amount"]).abs().max() < 1


def test_a_conflict_over_a_few_units_says_what_each_asks_and_has():
    # Caps of 10% on 1 bn each leave 3.3 bn; asked for are 40 units more, a growth of 10.0000013%.
    last = pd.DataFrame({"region": ["East", "North", "South"], "amount": 1_000_000_000})
    guard = Rule(name="guard", each="cell", unit="growth", max=0.1)
    with pytest.raises(ConflictError, match=r"at most 10\.000000% growth, the totals leave it at least 10\.000001% growth"):
        split(tables.company(3_300_000_040), "region", last[["region"]].assign(weight=1), [guard], history=last)
    # 2 units, less than a billionth, are told too.
    with pytest.raises(ConflictError) as caught:
        split(tables.company(3_300_000_002), "region", last[["region"]].assign(weight=1), [guard], history=last)
    assert caught.value.conflicts["rule"].tolist() == ["guard"] and len(caught.value.repair) == 1
    rules, locks = caught.value.repaired
    split(tables.company(3_300_000_002), "region", last[["region"]].assign(weight=1), rules, locks, history=last)
