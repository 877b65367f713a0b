"""Every rule has a price: the aim's change when it is moved one unit; and the prices of published models come back right."""

import numpy as np
import pandas as pd
import pulp
import pytest
from scipy.optimize import linprog

from planlib import plan as tables
from planlib.errors import ConflictError, ParameterError, PlanError
from planlib.lp import Aim, Lock, Rule, solver, split
from planlib.lp.splitting import level
from planlib.lp.splitting.explain import sentence
from tests.conftest import seeds

COMPANY = tables.company(10_000_000)
REGIONS = pd.DataFrame({"region": ["East", "North", "South"], "weight": [50, 30, 20]})


def solved(sense: int, objective: dict, rows: dict, bounds: dict) -> tuple[float, dict, pd.DataFrame]:
    """A small model through the solver's door: objective, price of each row, ranges."""
    problem = pulp.LpProblem("published", sense)
    columns = {name: problem.add_variable(name, *bounds.get(name, (0, None))) for name in objective}
    problem.setObjective(pulp.LpAffineExpression([(columns[name], value) for name, value in objective.items()]))
    for name, (terms, kind, bound) in rows.items():
        body = pulp.LpAffineExpression([(columns[column], value) for column, value in terms.items()])
        problem += pulp.LpConstraint(body, kind, name, bound)
    assert solver.optimise(problem)
    return pulp.value(problem.objective), {row.name: row.pi for row in problem.constraints()}, solver.ranges(problem)


def test_dantzigs_transport_problem_and_its_demand_prices():
    # GAMS trnsport: supply 350, 600; demand 325, 300, 275; freight 90 per case and thousand miles. Cost 153.675 (thousands),
    # demand marginals .225, .153, .126. Only objective and prices are compared: the shipments are not unique.
    miles = {"se": (2.5, 1.7, 1.8), "sd": (2.5, 1.8, 1.4)}
    cost = {f"{plant}_{k}": 0.09 * far[k] for plant, far in miles.items() for k in range(3)}
    rows = {
        f"supply_{p}": ({f"{p}_{k}": 1 for k in range(3)}, pulp.LpConstraintLE, s) for p, s in {"se": 350, "sd": 600}.items()
    }
    rows |= {f"demand_{k}": ({f"{p}_{k}": 1 for p in miles}, pulp.LpConstraintGE, d) for k, d in enumerate((325, 300, 275))}
    best, prices, _ = solved(pulp.LpMinimize, cost, rows, {})

    assert best == pytest.approx(153.675)
    assert [prices[f"demand_{k}"] for k in range(3)] == pytest.approx([0.225, 0.153, 0.126])
    assert prices["supply_sd"] == pytest.approx(0)


def test_galaxy_industries_and_its_ranges():
    # max 8x + 5y: 4,360 at 320 / 360; plastic 3.4 and time .4, the others 0.
    rows = {
        "plastic": ({"x": 2, "y": 1}, pulp.LpConstraintLE, 1000),
        "time": ({"x": 3, "y": 4}, pulp.LpConstraintLE, 2400),
        "total": ({"x": 1, "y": 1}, pulp.LpConstraintLE, 700),
        "mix": ({"x": 1, "y": -1}, pulp.LpConstraintLE, 350),
    }
    best, prices, ranges = solved(pulp.LpMaximize, {"x": 8, "y": 5}, rows, {})

    assert best == pytest.approx(4360)
    assert prices == pytest.approx({"plastic": 3.4, "time": 0.4, "total": 0, "mix": 0}, abs=1e-9)
    # By hand: plastic until x = 0 (600) or the total binds (1,100); time until mix (1,750) or total (2,500) does.
    assert ranges.loc["plastic"].tolist() == pytest.approx([600, 1100])
    assert ranges.loc["time"].tolist() == pytest.approx([1750, 2500])


def test_the_investment_program_and_its_prices():
    # DS775 lesson 2: 12,000 at x = y = 2/3; .5 per unit of money, 10 per hour.
    rows = {
        "money": ({"x": 10_000, "y": 8_000}, pulp.LpConstraintLE, 12_000),
        "hours": ({"x": 400, "y": 500}, pulp.LpConstraintLE, 600),
    }
    best, prices, _ = solved(pulp.LpMaximize, {"x": 9000, "y": 9000}, rows, {"x": (0, 1), "y": (0, 1)})

    assert best == pytest.approx(12_000)
    assert prices == pytest.approx({"money": 0.5, "hours": 10})


def test_a_price_by_hand():
    # East held to 40% instead of 50% gives up 1 m, out of 5 m, to others with 5 m: distance 1 (1/5 + 1/5) = .4 m. A point of
    # share is .1 m, so that the next point costs 2 x .4 x .1 m = 80,000.
    result = split(COMPANY, "region", REGIONS, [Rule(name="cap", where={"region": "East"}, max=0.4)])

    assert result.certificate["objective"] == pytest.approx(400_000)
    row = result.prices.iloc[0]
    assert (row["price"], row["per"], row["unique"]) == (pytest.approx(80_000), "point", True)
    # The law ends where the cap lets go; downwards, where the others would have taken all.
    assert row["high"] == pytest.approx(0.5)
    assert row["low"] == pytest.approx(0.0)


def world(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, list[Rule], pd.DataFrame, np.random.Generator]:
    """A plan by region, weights by product, rules that bind in general position, margins."""
    rng = np.random.default_rng(seed)
    regions, goods = [f"R {i}" for i in range(4)], [f"P-{i}" for i in range(5)]
    plan = pd.DataFrame({"region": regions, "amount": rng.integers(10**10, 10**12, 4)})
    cells = pd.MultiIndex.from_product([regions, goods], names=["region", "product"]).to_frame(index=False)
    weights = cells.assign(weight=rng.integers(10, 100, len(cells)))
    margins = cells.assign(margin=rng.uniform(0.05, 0.5, len(cells)).round(4))
    reference = tables.proportional(plan, weights, "product")
    total = int(reference["amount"].sum())
    rules = []
    for number, good in enumerate(goods[:3]):
        now = int(reference.loc[reference["product"] == good, "amount"].sum())
        if number % 2:
            rules.append(Rule(name=f"floor {good}", where={"product": good}, min=now / total * rng.uniform(1.03, 1.2)))
        else:
            limit = float(round(now * rng.uniform(0.8, 0.97)))
            rules.append(Rule(name=f"cap {good}", where={"product": good}, unit="amount", max=limit))
    pair = reference[(reference["region"] == "R 1") & (reference["product"] == "P-4")]["amount"].iloc[0]
    rules.append(Rule(name="pair", where={"region": "R 1", "product": "P-4"}, unit="amount", min=float(round(pair * 1.1))))
    return plan, weights, rules, margins, rng


def moved(rule: Rule, by: float) -> Rule:
    side = "max" if rule.max is not None else "min"
    return rule.model_copy(update={side: getattr(rule, side) + by})


@pytest.mark.parametrize("seed", seeds(20, 100))
def test_a_price_is_the_change_of_the_objective_when_the_rule_moves_one_unit(seed):
    plan, weights, rules, _, _ = world(seed)
    result = split(plan, "product", weights, rules)
    priced = result.prices.set_index("rule")
    assert len(priced)
    for rule in [rule for rule in rules if rule.name in priced.index][seed % len(priced) :][:1]:
        # Amounts are 1e11: a move of 1e6 is small beside them, and large beside the sixteenth digit of the objective.
        step = 1e6 if rule.unit == "amount" else 1e-6
        easier = step if rule.max is not None else -step
        others = [other for other in rules if other is not rule]
        ends = [
            split(plan, "product", weights, [*others, moved(rule, sign * easier)]).certificate["objective"] for sign in (1, -1)
        ]
        change = (ends[1] - ends[0]) / 2
        in_units = step if rule.unit == "amount" else step * 100
        assert priced.loc[rule.name, "unique"]
        assert priced.loc[rule.name, "price"] > 0
        assert change == pytest.approx(priced.loc[rule.name, "price"] * in_units, rel=1e-3)


@pytest.mark.parametrize("seed", seeds(3, 10))
def test_between_low_and_high_the_same_law_holds(seed):
    plan, weights, rules, _, _ = world(seed)
    result = split(plan, "product", weights, rules)
    start = result.certificate["objective"]
    for row in result.prices.itertuples():
        rule = next(rule for rule in rules if rule.name == row.rule)
        side, unit = ("max", 1) if rule.max is not None else ("min", -1)
        now, others = getattr(rule, side), [other for other in rules if other is not rule]
        width = min(abs(now - end) for end in (row.low, row.high) if np.isfinite(end))
        shifted = [[*others, rule.model_copy(update={side: now + f * width})] for f in (-0.4, 0.4, 0.8)]
        a, b, c = (split(plan, "product", weights, limits).certificate["objective"] for limits in shifted)
        # A law of the second degree is known from three points; a fourth, further out in the range, must lie on it.
        bend, slope = (a + b - 2 * start) / 0.16, (b - a) / 0.8
        assert c == pytest.approx(start + 0.8 * slope + 0.32 * bend, rel=1e-6)
        per = {"amount": 1.0, "share": 0.01}[rule.unit]
        assert -unit * slope / width * per == pytest.approx(row.price, rel=1e-4)


@pytest.mark.parametrize("seed", seeds(5, 30))
def test_the_most_profit_is_that_of_an_independent_solver_and_so_are_its_prices(seed):
    plan, weights, rules, margins, _ = world(seed)
    guard = [Rule(name="guard", each="cell", unit="growth", min=-0.3, max=0.4)]
    history = tables.proportional(plan, weights, "product")
    result = split(plan, "product", weights, [*rules, *guard], history=history, margins=margins, aim=Aim(profit=1.0))

    cells = result.plan.merge(margins, on=["region", "product"])
    last = history["amount"].to_numpy(float)
    scale = 1e9

    def best(rules: list[Rule]) -> float | None:
        total = last.sum()
        body, bound = [], []
        for rule in rules:
            inside = np.logical_and.reduce([(cells[d] == m).to_numpy() for d, m in rule.where.items()]).astype(float)
            base = 1.0 if rule.unit == "amount" else total
            body.append(inside if rule.max is not None else -inside)
            bound.append(rule.max * base if rule.max is not None else -rule.min * base)
        equal = [(cells["region"] == region).to_numpy(float) for region in plan["region"]]
        bounds = [(0.7 * value / scale, 1.4 * value / scale) for value in last]
        goal = [float(a) / scale for a in plan["amount"]]
        found = linprog(
            -cells["margin"], np.array(body), np.array(bound) / scale, np.array(equal), goal, bounds, method="highs"
        )
        return -found.fun * scale if found.status == 0 else None

    profit = float((cells["margin"] * cells["amount"]).sum())
    assert profit == pytest.approx(best(rules), rel=1e-9)
    assert result.measures["profit"][0] == pytest.approx(profit)
    assert (result.plan["amount"] >= np.ceil(0.7 * last - 1e-6)).all() and (result.plan["amount"] <= 1.4 * last + 1e-6).all()
    for row in result.prices.itertuples():
        rule = next((rule for rule in rules if rule.name == row.rule), None)
        if rule is None or not row.unique:
            continue
        step = 1e5 if rule.unit == "amount" else 1e-6
        easier = step if rule.max is not None else -step
        gained = best([moved(rule, easier) if other is rule else other for other in rules])
        per = step if rule.unit == "amount" else step * 100
        assert gained - best(rules) == pytest.approx(row.price * per, rel=1e-3, abs=1e-3 * per)


def test_equal_profit_leaves_the_choice_to_the_drivers():
    # All margins equal: any plan is the most profitable, so the nearest to the drivers is theirs.
    margins = REGIONS[["region"]].assign(margin=0.2)
    result = split(COMPANY, "region", REGIONS, margins=margins, aim=Aim(profit=1.0))

    assert result.plan.equals(result.reference)


def test_a_blend_lies_between_nearness_and_profit():
    # min sum x^2 / r - x_East .2 p / (1 - p), sum x = 0: x_East = r_E (1 - r_E / T) .1 p / (1 - p) by hand.
    margins = REGIONS[["region"]].assign(margin=[0.2, 0.0, 0.0])
    result = split(COMPANY, "region", REGIONS, margins=margins, aim=Aim(profit=0.5))

    assert result.by().set_index("region")["amount"]["East"] == 5_000_000 + round(5_000_000 * 0.5 * 0.1)


def test_a_steady_plan_changes_as_little_as_it_must():
    in_force = pd.DataFrame({"region": ["East", "North", "South"], "amount": [2_000_000, 5_000_000, 3_000_000]})
    steady = split(COMPANY, "region", REGIONS, aim=Aim(steady=1.0), in_force=in_force)
    half = split(COMPANY, "region", REGIONS, aim=Aim(steady=0.5), in_force=in_force)
    capped = split(
        COMPANY,
        "region",
        REGIONS,
        [Rule(name="cap", where={"region": "North"}, max=0.4)],
        aim=Aim(steady=1.0),
        in_force=in_force,
    )

    assert steady.plan.equals(in_force)
    assert half.plan["amount"].tolist() == [3_500_000, 4_000_000, 2_500_000]
    # The million that North loses falls on the others as they stand in the plan in force, 2 : 3.
    assert capped.plan["amount"].tolist() == [2_400_000, 4_000_000, 3_600_000]


def test_an_aim_without_its_table_is_refused():
    with pytest.raises(ParameterError, match="margins"):
        split(COMPANY, "region", REGIONS, aim=Aim(profit=0.5))
    with pytest.raises(ParameterError, match="in force"):
        split(COMPANY, "region", REGIONS, aim=Aim(steady=0.5))


def test_rules_that_say_the_same_have_no_price_of_their_own():
    twins = [Rule(name=name, where={"region": "East"}, max=0.4) for name in ("first", "second")]
    result = split(COMPANY, "region", REGIONS, twins)

    assert result.rules["binds"].all()
    assert not result.rules.loc[result.rules["price"] > 0, "unique"].any()


def test_a_soft_rule_says_what_was_given_up_and_at_what_cost():
    rule = Rule(name="South", where={"region": "South"}, min=0.9, hard=False, penalty=0.1)
    result = split(COMPANY, "region", REGIONS, [rule])
    row = result.prices.iloc[0]

    # By hand: x (2 / 2 m + 2 / 8 m) = .1, x = 80,000: 20.8% found, 69.2 points missed, at .1 a unit of money.
    assert row["found"] == pytest.approx(0.208)
    assert row["given_up"] == pytest.approx(0.692)
    assert row["cost"] == pytest.approx(0.1 * 6_920_000)
    assert "given up" in sentence(next(result.prices.itertuples()), "{:,.0f}".format)


def test_a_locked_cell_has_a_price():
    lock = Lock(name="East as agreed", where={"region": "East"}, amount=4_000_000)
    result = split(COMPANY, "region", REGIONS, locks=[lock])

    # As the cap by hand above: 2 x 1 m (1 / 5 m + 1 / 5 m) = .8 a unit of money.
    assert result.rules.loc[0, "price"] == pytest.approx(0.8)
    assert result.plan["amount"].tolist() == [4_000_000, 3_600_000, 2_400_000]


def test_guardrails_hold_in_every_cell_and_what_they_push_away_spreads():
    last = pd.DataFrame({"region": ["East", "North", "South"], "amount": [4_000_000, 3_500_000, 2_500_000]})
    guard = Rule(name="at most 10% either way", each="cell", unit="growth", min=-0.1, max=0.1)
    result = split(COMPANY, "region", REGIONS, [guard], history=last)

    # East 50% -> 44%, its cap. The .6 m fall on the others as 30 : 20, which leaves South at 2.24 m, under its 2.25 m.
    assert result.plan["amount"].tolist() == [4_400_000, 3_350_000, 2_250_000]
    assert result.rules.loc[0, "binds"] and result.rules.loc[0, "met"]
    assert result.rules.loc[0, "price"] > 0


def test_sentences_name_the_rule_its_price_and_where_it_holds():
    rules = [Rule(name="cap", where={"region": "East"}, max=0.4), Rule(name="wide", where={"region": "North"}, max=0.9)]
    table = split(COMPANY, "region", REGIONS, rules).rules
    said = [sentence(row, "{:,.0f}".format) for row in table.itertuples()]

    assert said[0].startswith('"cap" binds: each point by which it is eased brings the plan 80,000 nearer to the drivers')
    assert "50.0%" in said[0]
    assert said[1] == '"wide" does not bind, 54.0% to spare: it costs nothing.'


def test_the_certificate_proves_the_optimum_and_compares_with_simple_splits():
    plan, weights, rules, _, _ = world(1)
    history = tables.proportional(plan, weights.assign(weight=weights["weight"].to_numpy()[::-1]), "product")
    result = split(plan, "product", weights, rules, history=history)
    facts = result.certificate

    assert 0 <= facts["gap"] < 1e-9
    assert facts["bound"] <= facts["objective"] * (1 + 1e-9)
    assert facts["largest miss"] < 0.01 and facts["unexplained deviation"] < 1e-9
    table = result.measures.set_index("split")
    assert table.index.tolist() == ["this plan", "proportional", "last year's shares"]
    assert table.loc["this plan", "broken"] == 0 and table.loc["proportional", "broken"] == len(rules)
    assert table.loc["proportional", "distance"] == 0 < table.loc["this plan", "distance"]


def test_a_solver_that_returns_its_start_is_refused(monkeypatch):
    def idle(program, x):
        return np.zeros(len(program.size), dtype=np.int64)

    monkeypatch.setattr(level, "rounded", idle)
    with pytest.raises(PlanError, match="equals the split it started from"):
        split(COMPANY, "region", REGIONS, [Rule(name="cap", where={"region": "East"}, max=0.4)])


@pytest.mark.parametrize("words", [("East Coast", "North-West", "华东"), ("华 东-1", "b", "a a")])
def test_names_do_not_change_the_plan(words):
    plan, weights, rules, _, rng = world(5)
    first = split(plan, "product", weights, rules)
    rename = dict(zip([f"R {i}" for i in range(4)], rng.permutation([*words, "x/y"]), strict=True))
    other = [
        rule.model_copy(
            update={"where": {**rule.where, **({"region": rename[rule.where["region"]]} if "region" in rule.where else {})}}
        )
        for rule in rules
    ]
    second = split(
        plan.assign(region=plan["region"].map(rename)), "product", weights.assign(region=weights["region"].map(rename)), other
    )

    back = second.plan.assign(region=second.plan["region"].map({new: old for old, new in rename.items()}))
    assert tables.digest(tables.canonical(back)) == tables.digest(first.plan)


def test_fifty_shuffles_of_the_rules_and_rows_give_one_plan():
    plan, weights, rules, _, rng = world(6)
    rules += [
        Rule(name="净水器-下限 1", where={"product": "P-3"}, min=0.25),
        Rule(name="soft", where={"region": "R 0"}, max=0.01, hard=False),
    ]
    digests = set()
    for _ in range(50):
        mixed = [rules[i] for i in rng.permutation(len(rules))]
        shuffled = weights.sample(frac=1, random_state=int(rng.integers(1000)))
        digests.add(split(plan.sample(frac=1, random_state=1), "product", shuffled, mixed).certificate["digest"])

    assert len(digests) == 1


def test_one_name_for_a_rule_and_a_lock_is_refused():
    with pytest.raises(ParameterError, match="occur twice"):
        split(COMPANY, "region", REGIONS, [Rule(name="a", max=1.0)], [Lock(name="a", where={"region": "East"}, amount=1)])


def test_rules_that_meet_in_an_impossible_guardrail_are_a_conflict():
    last = pd.DataFrame({"region": ["East", "North", "South"], "amount": [4_000_000, 3_500_000, 2_500_000]})
    guard = Rule(name="no growth", each="cell", unit="growth", max=-0.01)
    with pytest.raises(ConflictError, match='"no growth" cannot hold at all'):
        split(COMPANY, "region", REGIONS, [guard], history=last)


@pytest.mark.parametrize("times", [1, 2, 1000])
def test_a_split_with_money_where_the_drivers_place_none_has_no_distance(times):
    # The drivers give 6, 4 and 0 m; last year's shares 5, 4 and 1 m: 1 m off 6 m, and 1 m off nothing.
    weights = pd.DataFrame({"region": ["East", "North", "South"], "weight": [6, 4, 0]})
    history = weights[["region"]].assign(amount=[5_000_000 * times, 4_000_000 * times, 1_000_000 * times])
    cap = Rule(name="cap", where={"region": "East"}, max=0.5)
    result = split(tables.company(10_000_000 * times), "region", weights, [cap], history=history)
    told = result.measures.set_index("split")
    # East 1 m below 6 m, North 1 m above 4 m: 1/6 + 1/4 of a million.
    assert told.loc["this plan", "distance"] == pytest.approx(times * 5e6 / 12)
    assert np.isnan(told.loc["last year's shares", "distance"]) and told.loc["last year's shares", "moved"] == 1_000_000 * times
    lock = Lock(name="start", where={"region": "South"}, amount=1_000_000 * times)
    locked = split(tables.company(10_000_000 * times), "region", weights, locks=[lock], history=history)
    # 9 m in the drivers' proportions are 5.4 and 3.6 m: .6^2/6 + .4^2/4 = .1 m; what is locked was nobody's choice.
    assert locked.measures["distance"][0] == pytest.approx(times * 1e5)
