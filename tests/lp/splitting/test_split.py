"""The split: near the drivers, within the rules, to the minor unit, one answer."""

import clarabel
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planlib import plan as tables
from planlib.errors import ConflictError, ParameterError, PlanError
from planlib.lp import Lock, Rule, split
from tests.conftest import seeds

COMPANY = tables.company(10_000)
REGIONS = pd.DataFrame({"region": ["East", "North", "South"], "weight": [50, 30, 20]})


def amounts(result) -> dict:
    return result.by().set_index(result.into)["amount"].to_dict()


def test_without_rules_it_is_the_proportional_split():
    result = split(COMPANY, "region", REGIONS)

    assert amounts(result) == {"East": 5000, "North": 3000, "South": 2000}
    assert result.certificate["method"] == "proportional"


def test_what_a_cap_pushes_away_lands_in_proportion():
    # By hand: East is held to 4,000; the 1,000 it gives up fall on North and South as 30 : 20.
    result = split(COMPANY, "region", REGIONS, [Rule(name="cap East", where={"region": "East"}, max=0.4)])

    assert amounts(result) == {"East": 4000, "North": 3600, "South": 2400}
    assert result.rules.loc[0, "binds"]


def test_a_floor_and_a_cap_leave_one_answer():
    rules = [
        Rule(name="cap East", where={"region": "East"}, max=0.40),
        Rule(name="floor South", where={"region": "South"}, min=0.25),
    ]

    assert amounts(split(COMPANY, "region", REGIONS, rules)) == {"East": 4000, "North": 3500, "South": 2500}


def test_holding_a_month_spreads_the_rest():
    # Anaplan help: Jan, Feb, Mar = 10, 20, 30; hold Feb, total to 100 -> 20, 20, 60.
    months = pd.DataFrame({"month": ["2026-01", "2026-02", "2026-03"], "weight": [10, 20, 30]})
    held = Lock(name="hold Feb", where={"month": "2026-02"}, amount=20)

    assert split(tables.company(100), "month", months, locks=[held]).plan["amount"].tolist() == [20, 20, 60]


def test_zeros_share_equally():
    # Anaplan help: a quarter of 12,000 on three zeros -> 4,000 each.
    months = pd.DataFrame({"month": ["2026-01", "2026-02", "2026-03"], "weight": [0, 0, 0]})

    assert split(tables.company(12_000), "month", months).plan["amount"].tolist() == [4000, 4000, 4000]


def test_booked_amounts_stay_and_the_rest_is_split():
    # 10,000 of which North has earned 4,000: the open 6,000 fall 50 : 30 : 20.
    booked = pd.DataFrame({"region": ["North"], "amount": [4000]})

    assert amounts(split(COMPANY, "region", REGIONS, booked=booked)) == {"East": 3000, "North": 5800, "South": 1200}


def test_booked_returns_below_zero_are_kept_too():
    booked = pd.DataFrame({"region": ["North"], "amount": [-100]})

    assert sum(amounts(split(COMPANY, "region", REGIONS, booked=booked)).values()) == 10_000
    assert amounts(split(COMPANY, "region", REGIONS, booked=booked)) == {"East": 5050, "North": 2930, "South": 2020}


def test_a_region_without_weight_that_has_earned_keeps_it():
    booked = pd.DataFrame({"region": ["West"], "amount": [500]})

    assert amounts(split(COMPANY, "region", REGIONS, booked=booked))["West"] == 500


def test_growth_is_measured_on_last_year():
    last = pd.DataFrame({"region": ["East", "North", "South"], "amount": [4000, 3000, 1000]})
    rule = Rule(name="South at most +50%", where={"region": "South"}, unit="growth", max=0.5)
    result = split(COMPANY, "region", REGIONS, [rule], history=last)

    assert amounts(result)["South"] == 1500
    assert pytest.approx(result.rules.loc[0, "found"]) == 0.5


def test_a_ratio_of_two_measures_is_kept():
    # Cost per unit of revenue is .5, .2, .2; at most .3 overall: East e <= 1/3 of the total (.5e + .2(1-e) = .3).
    cost = pd.DataFrame({"region": ["East", "North", "South"], "cost": [0.5, 0.2, 0.2]})
    result = split(COMPANY, "region", REGIONS, [Rule(name="cost ratio", unit="ratio", measure="cost", max=0.3)], measures=cost)

    assert amounts(result)["East"] == 3333
    assert result.rules.loc[0, "found"] <= 0.3


def test_a_soft_rule_gives_way_where_it_costs_more_than_it_is_worth():
    cheap = Rule(name="South", where={"region": "South"}, min=0.9, hard=False, penalty=0.01)
    dear = cheap.model_copy(update={"penalty": 100.0})

    assert 2000 < amounts(split(COMPANY, "region", REGIONS, [dear]))["South"] == 9000
    assert amounts(split(COMPANY, "region", REGIONS, [cheap]))["South"] < 2500


def test_each_writes_one_rule_per_member():
    result = split(COMPANY, "region", REGIONS, [Rule(name="at least", each="region", min=0.25)])

    assert result.rules["rule"].tolist() == ["at least East", "at least North", "at least South"]
    assert amounts(result)["South"] == 2500


def test_rules_that_cannot_hold_are_named_with_the_way_out():
    rules = [
        Rule(name="East floor", where={"region": "East"}, min=0.70),
        Rule(name="South floor", where={"region": "South"}, min=0.45),
    ]
    with pytest.raises(ConflictError) as caught:
        split(COMPANY, "region", REGIONS, rules)

    text = str(caught.value)
    assert "East floor" in text and "South floor" in text
    assert "15.00%" in text  # .70 + .45 is .15 too much, by hand
    assert "nan" not in text


def test_more_locked_than_there_is_is_named():
    with pytest.raises(
        ConflictError, match='"East" cannot hold at all: "East" is locked at 10,001 minor units, the totals leave it 10,000'
    ):
        split(COMPANY, "region", REGIONS, locks=[Lock(name="East", where={"region": "East"}, amount=10_001)])


def test_a_rule_on_an_unknown_member_is_refused():
    with pytest.raises(ParameterError, match="Wset"):
        split(COMPANY, "region", REGIONS, [Rule(name="typo", where={"region": "Wset"}, max=0.1)])


def test_a_parent_without_members_is_an_error():
    parent = pd.DataFrame({"region": ["East", "North"], "amount": [10, 5]})
    weights = pd.DataFrame({"region": ["East"], "product": ["p"], "weight": [1]})
    with pytest.raises(PlanError, match="no member"):
        split(parent, "product", weights)


def grid(seed: int, regions: int = 4, products: int = 5) -> tuple[pd.DataFrame, pd.DataFrame, np.random.Generator]:
    """A plan by region and weights by region and product, with names that hold spaces, dashes and Chinese."""
    rng = np.random.default_rng(seed)
    names = ["East 1", "East-1", "华东", "West", "S/W", "North"][:regions]
    plan = pd.DataFrame({"region": names, "amount": rng.integers(10**4, 10**9, regions)})
    goods = ["A b", "A-b", "净水器", "D", "E"][:products]
    cells = pd.MultiIndex.from_product([names, goods], names=["region", "product"]).to_frame(index=False)
    return tables.canonical(plan), cells.assign(weight=rng.integers(0, 100, len(cells)) + 1), rng


def random_rules(plan: pd.DataFrame, weights: pd.DataFrame, rng: np.random.Generator) -> list[Rule]:
    """Floors and caps around the reference, at most .3 of it away, so that most instances can be solved."""
    reference = tables.proportional(plan, weights, "product")
    share = reference.groupby("product")["amount"].sum() / reference["amount"].sum()
    rules = []
    for number, (product, part) in enumerate(share.items()):
        kind = rng.integers(0, 3)
        if kind == 0:
            rules.append(Rule(name=f"cap {number}", where={"product": product}, max=float(part * rng.uniform(0.75, 1.0))))
        if kind == 1:
            rules.append(Rule(name=f"floor {number}", where={"product": product}, min=float(part * rng.uniform(0.9, 1.1))))
    return rules


def textbook(reference: pd.DataFrame, plan: pd.DataFrame, rules: list[Rule]) -> float | None:
    """The least distance, cell by cell, from Clarabel (an interior-point solver): no classes, no duals of ours, no rounding."""
    ref = reference["amount"].to_numpy(float)
    totals = [(reference["region"] == name).to_numpy(float) for name in plan["region"]]
    body, bound = [], []
    for rule in rules:
        inside = (reference["product"] == rule.where["product"]).to_numpy(float)
        if rule.max is not None:
            body.append(inside)
            bound.append(np.floor(rule.max * ref.sum() + 1e-6) - inside @ ref)
        if rule.min is not None:
            body.append(-inside)
            bound.append(inside @ ref - np.ceil(rule.min * ref.sum() - 1e-6))
    scale, count = ref.max(), len(ref)
    a = sparse.csc_matrix(np.vstack([*totals, *body, -np.eye(count)]))
    b = np.r_[np.zeros(len(totals)), bound, ref] / scale
    options = clarabel.DefaultSettings()
    options.verbose, options.tol_gap_abs, options.tol_gap_rel, options.tol_feas = False, 1e-13, 1e-11, 1e-11
    cones = [clarabel.ZeroConeT(len(totals)), clarabel.NonnegativeConeT(len(body) + count)]
    quadratic = sparse.csc_matrix(np.diag(2e4 * scale / ref))
    found = clarabel.DefaultSolver(quadratic, np.zeros(count), a, b, cones, options).solve()
    if str(found.status) == "PrimalInfeasible":
        return None
    assert "Solved" in str(found.status)
    return found.obj_val * scale / 1e4


@pytest.mark.parametrize("seed", seeds(40, 200))
def test_the_optimum_is_that_of_an_independent_textbook_program(seed):
    plan, weights, rng = grid(seed)
    rules = random_rules(plan, weights, rng)
    try:
        result = split(plan, "product", weights, rules)
    except ConflictError:
        assert textbook(split(plan, "product", weights).plan, plan, rules) is None
        return

    expected = textbook(result.reference, plan, rules)
    assert expected == pytest.approx(result.certificate["objective"], rel=1e-6, abs=1e-3)
    assert result.certificate["bound"] <= expected * (1 + 1e-6) + 1e-3
    # What whole minor units add to the exact answer is under a unit per cell.
    assert result.measures["distance"][0] == pytest.approx(expected, rel=1e-6, abs=len(result.plan))
    total = int(plan["amount"].sum())
    for rule in rules:
        held = int(result.plan.loc[result.plan["product"] == rule.where["product"], "amount"].sum())
        assert rule.max is None or held <= rule.max * total
        assert rule.min is None or held >= rule.min * total


@pytest.mark.parametrize("seed", seeds(10, 30))
def test_what_limits_push_away_spreads_as_evenly_as_the_quadratic_optimum(seed):
    # Two margins: rows are parents' totals, two columns are capped.
    plan, weights, rng = grid(seed + 1000, regions=6)
    reference = split(plan, "product", weights).plan["amount"].to_numpy(float).reshape(6, 5)
    share = reference.sum(axis=0) / reference.sum()
    squeezed = rng.permutation(5)
    rules = [
        Rule(name=f"cap {p}", where={"product": g}, max=0.8 * share[p]) for p, g in enumerate(sorted(set(weights["product"])))
    ]
    rules = [rules[p] for p in squeezed[:2]]
    result = split(plan, "product", weights, rules)

    optimum = textbook(result.reference, plan, rules)
    assert result.measures["distance"][0] <= optimum * 1.005
    assert result.measures["distance"][0] == pytest.approx(optimum, rel=1e-5)


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_every_split_ties_out_and_row_order_changes_nothing(seed):
    plan, weights, rng = grid(seed % 1000)
    rules = random_rules(plan, weights, rng)
    try:
        result = split(plan, "product", weights, rules)
    except ConflictError:
        return
    mixed = split(
        plan.sample(frac=1, random_state=seed),
        "product",
        weights.sample(frac=1, random_state=seed),
        [rules[i] for i in rng.permutation(len(rules))],
    )

    assert tables.residuals(plan, result.plan).empty
    assert tables.digest(result.plan) == tables.digest(mixed.plan)


def test_any_order_of_dimensions_ties_out():
    cube = {"region": ["E", "N"], "product": ["p", "q"], "channel": ["c", "d"]}
    rng = np.random.default_rng(5)
    for order in (["region", "product", "channel"], ["channel", "region", "product"], ["product", "channel", "region"]):
        plan = tables.company(1_234_567)
        for into in order:
            weights = pd.DataFrame({into: cube[into], "weight": rng.integers(1, 9, 2)})
            parent, plan = plan, split(plan, into, weights, [Rule(name="cap", where={into: cube[into][0]}, max=0.37)]).plan
            assert tables.residuals(parent, plan).empty
        assert plan["amount"].sum() == 1_234_567


def test_inner_shares_are_of_their_own_base():
    plan, weights, _ = grid(3)
    rule = Rule(name="D in West", where={"region": "West", "product": "D"}, of={"region": "West"}, min=0.5)
    result = split(plan, "product", weights, [rule])
    west = result.plan[result.plan["region"] == "West"].set_index("product")["amount"]

    assert 0.5 <= west["D"] / west.sum() < 0.5 + 1e-3
    # The other regions are not touched by a rule about West.
    others = result.plan["region"] != "West"
    assert result.plan[others].equals(result.reference[others])


def test_a_locked_total_is_met_to_the_unit():
    plan, weights, _ = grid(4)
    total = int(plan["amount"].sum())
    lock = Lock(name="D", where={"product": "D"}, amount=total // 4)
    result = split(plan, "product", weights, locks=[lock])

    assert total // 4 == amounts(result)["D"]


def test_compare_shows_the_same_total_thrice():
    last = pd.DataFrame({"region": ["East", "North"], "amount": [10, 20]})
    result = split(COMPANY, "region", REGIONS)
    table = result.compare(last, tables.by_last_year(COMPANY, last, "region"))

    assert 10_000 == table["allocated"].sum() == table["naive"].sum()
    assert table["member"].tolist() == ["East", "North", "South"]
    assert pytest.approx(result.share(["East", "North"])) == 0.8
    assert table.loc[0, "growth"] == 499.0


def test_a_member_whose_share_rounds_to_nothing_can_still_grow():
    # 100 over 1 : 3000 : 2000 gives the first nothing; a floor of 5 is feasible all the same.
    weights = REGIONS.assign(weight=[1, 3000, 2000])
    floor = Rule(name="five", where={"region": "East"}, unit="amount", min=5)

    assert amounts(split(tables.company(100), "region", weights, [floor]))["East"] == 5


def test_zero_weight_cannot_grow_and_the_conflict_says_so():
    weights = REGIONS.assign(weight=[0, 3000, 2000])
    floor = Rule(name="five", where={"region": "East"}, unit="amount", min=5)
    with pytest.raises(ConflictError, match='"five" asks for at least 5 minor units, the totals leave it at most 0'):
        split(tables.company(100), "region", weights, [floor])


def test_a_pinned_share_that_is_no_whole_unit_takes_the_nearest():
    pin = Rule(name="pin", where={"region": "East"}, min=0.3, max=0.3)

    assert amounts(split(tables.company(1001), "region", REGIONS, [pin]))["East"] == 300


def test_growth_over_nothing_is_no_limit():
    last = pd.DataFrame({"region": ["East", "North"], "amount": [4000, -10]})
    cap = Rule(name="growth", each="region", unit="growth", max=5.0)
    result = split(COMPANY, "region", REGIONS, [cap], history=last)

    assert amounts(result) == {"East": 5000, "North": 3000, "South": 2000}
    assert not result.rules.set_index("rule").loc[["growth North", "growth South"], "binds"].any()


def test_growth_by_a_dimension_last_year_lacks_is_refused():
    last = pd.DataFrame({"product": ["p"], "amount": [1]})
    with pytest.raises(ParameterError, match="not known by"):
        split(COMPANY, "region", REGIONS, [Rule(name="g", where={"region": "East"}, unit="growth", max=0.1)], history=last)


def test_a_cell_locked_twice_or_not_there_is_refused():
    twice = [Lock(name=name, where={"region": "East"}, amount=amount) for name, amount in (("a", 100), ("b", 700))]
    with pytest.raises(ConflictError, match="locked twice"):
        split(COMPANY, "region", REGIONS, locks=twice)
    parent = pd.DataFrame({"region": ["E", "N"], "amount": [10, 10]})
    weights = pd.DataFrame({"region": ["E", "N"], "product": ["p", "q"], "weight": [1, 1]})
    with pytest.raises(ParameterError, match="no cell has"):
        split(parent, "product", weights, locks=[Lock(name="x", where={"region": "E", "product": "q"}, amount=5)])


def test_closed_months_take_no_part_when_all_open_weights_are_zero():
    booked = pd.DataFrame({"month": ["2026-01", "2026-02"], "amount": [1000, 1000]})
    open_month = pd.DataFrame({"month": ["2026-03"], "weight": [0]})
    result = split(tables.company(5000), "month", open_month, booked=booked)

    assert result.plan["amount"].tolist() == [1000, 1000, 3000]


@pytest.mark.parametrize("total", [14 * 10**9, 14 * 10**11])
def test_a_cap_on_billions_is_met_closely_and_said_to_bind(total):
    result = split(tables.company(total), "region", REGIONS, [Rule(name="cap", where={"region": "East"}, max=0.4)])
    cap = total * 2 // 5

    assert 0 <= cap - amounts(result)["East"] <= cap * 1e-7
    assert result.rules.loc[0, "binds"]


def test_float_weights_of_one_parent_do_not_blur_those_of_another():
    plan = pd.DataFrame({"region": ["A", "B"], "amount": [400, 400]})
    weights = pd.DataFrame({"region": ["A", "A", "B", "B"], "product": ["p", "q"] * 2, "weight": [1.0, 3.0, 1e18, 1e18]})

    assert split(plan, "product", weights).plan["amount"].tolist() == [100, 300, 200, 200]


def test_what_returns_took_below_zero_may_stay_there_and_nothing_more_is_planned_below_zero():
    plan = pd.DataFrame({"region": ["East", "North"], "amount": [-128, 900]})
    weights = pd.DataFrame({"region": ["East", "North"] * 2, "product": ["p", "p", "q", "q"], "weight": [1, 1, 1, 1]})
    booked = pd.DataFrame({"region": ["East", "North"], "product": ["p", "q"], "amount": [-128, 100]})

    found = split(plan, "product", weights, booked=booked).plan.set_index(["region", "product"])["amount"]
    assert found.to_dict() == {("East", "p"): -128, ("East", "q"): 0, ("North", "p"): 400, ("North", "q"): 500}
    with pytest.raises(PlanError, match="target of -128 minor units"):
        split(plan, "product", weights)
