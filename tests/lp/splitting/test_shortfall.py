"""Expected miss and equal chances: closed forms by SciPy's normal law and quadrature, prices by an independent solver."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from planlib import plan as tables
from planlib import reasons
from planlib.errors import ParameterError
from planlib.lp import Aim, Rule, aims, split
from planlib.lp.splitting.shortfall import Sales
from tests.lp.splitting.worlds import World, nearest, stated, world

COMPANY = tables.company(10_000_000)
REGIONS = pd.DataFrame({"region": ["East", "North", "South"], "weight": [50, 30, 20]})
MISSES = REGIONS[["region"]].assign(mean=[4_800_000, 2_900_000, 1_900_000], deviation=[400_000, 900_000, 100_000])
THOUSAND = 100_000.0


def loss(plan: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> float:
    """SciPy's normal law: the sum of E[(plan - X)+]."""
    z = (plan - mean) / spread
    return float((spread * (z * norm.cdf(z) + norm.pdf(z))).sum())


@pytest.mark.parametrize("plan", [-50.0, 80.0, 100.0, 140.0])
def test_the_shortfall_is_the_integral_of_the_chance_to_stay_below(plan):
    # E[(t - X)+] is the integral of P(X < s) up to t; sd = hypot(30, .1 x 100).
    expected = quad(lambda s: norm.cdf(s, 100, np.hypot(30, 10)), -400, plan)[0]
    assert Sales(np.array([100.0]), np.array([30.0]), 0.1).miss(np.array([plan])) == pytest.approx(expected, abs=1e-9)


def test_without_deviation_the_miss_is_what_the_mean_lacks():
    sales = Sales(np.array([100.0, 100.0, 100.0]), np.zeros(3))
    assert sales.shortfall(np.array([90.0, 100.0, 130.0])).tolist() == [0.0, 0.0, 30.0]
    assert sales.chance(np.array([90.0, 100.0, 130.0])).tolist() == [1.0, 1.0, 0.0]
    assert (sales.chance_of_total(300), sales.chance_of_total(301)) == (1.0, 0.0)


def test_a_shared_error_adds_up_over_the_cells_and_their_own_do_not():
    # Own: sqrt(30^2 + 40^2) = 50; shared: .1 x 1,200 = 120; together 130. A total of 1,330 is one deviation above.
    sales = Sales(np.array([500.0, 700.0]), np.array([30.0, 40.0]), 0.1)
    assert sales.chance_of_total(1330) == pytest.approx(norm.sf(1))


def test_a_cap_is_priced_as_expected_miss():
    # East is capped at 40%: North and South share the rest 3 : 2; at 41% likewise.
    result = split(COMPANY, "region", REGIONS, [Rule(name="cap", where={"region": "East"}, max=0.4)], misses=MISSES)
    mean, spread = MISSES["mean"].to_numpy(), MISSES["deviation"].to_numpy()
    before, after = (loss(np.array([east, (10 - east) * 0.6, (10 - east) * 0.4]) * 1e6, mean, spread) for east in (4.0, 4.1))
    assert result.rules.loc[0, "miss_change"] == pytest.approx(after - before, abs=1e-3)
    assert result.rules.loc[0, "total_chance"] == pytest.approx(norm.sf(10e6, 9.6e6, np.sqrt((spread**2.0).sum())))
    assert result.measures["miss"][0] == pytest.approx(before)


@pytest.mark.parametrize("seed", range(50))
def test_expected_misses_agree_with_another_solver_on_random_splits(seed):
    # Clarabel, cell by cell, before and after easing; the sizes of the steps are stated here once more.
    w = world(seed, "nearest")
    rng = np.random.default_rng(seed)
    mean, spread = w.near * rng.uniform(0.8, 1.2, len(w.near)), w.near * rng.uniform(0.05, 0.4, len(w.near))
    rows = split(**w.given(), misses=w.cells.assign(mean=mean, deviation=spread)).rules
    start = nearest(stated(w), 0.0)
    assert start is not None
    before, size = loss(start[1], mean, spread), float(w.plan["amount"].sum())
    for row in rows.itertuples():
        if not (row.binds or row.given_up > 0):
            assert row.miss_change == 0
            continue
        tries = [nearest(stated(one), 0.0) for one in _eased(w, row)]
        # A lock goes either way: the one that costs less is the easier.
        after = min((one for one in tries if one is not None), key=lambda one: one[0], default=None)
        assert (after is None) == bool(np.isnan(row.miss_change)), row.rule
        if after is not None:
            step = THOUSAND if row.unit == "amount" else 1.0
            change = (loss(after[1], mean, spread) - before) / step
            assert row.miss_change == pytest.approx(change, rel=1e-3, abs=2e-7 * size / step), row.rule


def _eased(w: World, row) -> list[World]:
    if row.rule in {lock.name for lock in w.locks}:
        return [w.eased(row.rule, by, "amount") for by in (-THOUSAND, THOUSAND)]
    rule = next(rule for rule in w.rules if rule.name == row.rule)
    if rule.each == "cell":
        return [w.eased(row.rule, 0.01, "")]
    by = THOUSAND if row.unit == "amount" else 0.01
    side, limit = ("max", rule.max + by) if rule.max is not None else ("min", rule.min - by)
    if rule.unit == "share":
        limit = min(1.0, max(0.0, limit))
    rules = [one.model_copy(update={side: limit}) if one is rule else one for one in w.rules]
    return [replace(w, rules=rules)]


@pytest.mark.parametrize("common", [0.0, 0.05])
def test_chances_are_equal_where_no_rule_binds(common):
    result = split(COMPANY, "region", REGIONS, aim=Aim(equal_chance=1.0), misses=MISSES, common=common)
    spread = np.hypot(MISSES["deviation"], common * MISSES["mean"])
    chances = norm.sf(result.plan["amount"], MISSES["mean"], spread)
    # One z: what the means lack, over the sum of the deviations.
    assert chances == pytest.approx([norm.sf(400_000 / spread.sum())] * 3, abs=1e-5)


def test_a_cell_that_would_fall_below_nothing_drops_out():
    # z = -1.5 would take North below 0; East and South then: 5 m = 6.7 m + z 0.5 m.
    misses = MISSES.assign(deviation=[400_000, 2_900_000, 100_000])
    plan = split(tables.company(5_000_000), "region", REGIONS, aim=Aim(equal_chance=1.0), misses=misses).plan["amount"]
    assert plan.tolist() == [3_440_000, 0, 1_560_000]


def test_what_is_booked_stays_and_a_cap_pushes_the_others_off_in_proportion():
    booked = pd.DataFrame({"region": ["South"], "amount": [3_000_000]})
    fair = split(COMPANY, "region", REGIONS, aim=Aim(equal_chance=1.0), misses=MISSES, booked=booked).plan["amount"]
    # South has more than its chance asks for: East and North share 7 m of 7.7 m, z = -.7 / 1.3.
    assert fair.tolist() == [pytest.approx(4_800_000 - 0.4e6 * 0.7 / 1.3, abs=1), pytest.approx(2_415_385, abs=1), 3_000_000]
    cap = Rule(name="cap", where={"region": "East"}, max=0.4)
    capped = split(COMPANY, "region", REGIONS, [cap], aim=Aim(equal_chance=1.0), misses=MISSES).plan["amount"]
    z = 0.4 / 1.4
    assert capped[1] / capped[2] == pytest.approx((2.9 + 0.9 * z) / (1.9 + 0.1 * z), rel=1e-6)


def test_equal_chances_without_what_is_expected_is_refused():
    with pytest.raises(ParameterError, match="pass misses"):
        split(COMPANY, "region", REGIONS, aim=Aim(equal_chance=1.0))
    with pytest.raises(ParameterError, match="deviation is -1"):
        split(COMPANY, "region", REGIONS, misses=MISSES.assign(deviation=-1.0))


def test_the_aims_stand_side_by_side_in_one_table():
    # Nearest is 5, 3, 2 m; all profit goes to East; equal chances have one z, what the means lack over all deviations.
    margins = REGIONS[["region"]].assign(margin=[0.5, 0.1, 0.0])
    last = REGIONS[["region"]].assign(amount=[4, 4, 2])
    table = aims(plan=COMPANY, into="region", weights=REGIONS, margins=margins, misses=MISSES, history=last).set_index("split")
    assert list(table.index) == [
        "nearest to the drivers", "most profit", "equal chance", "proportional", "last year's shares"
    ]  # fmt: skip
    mean, spread = MISSES["mean"].to_numpy(), MISSES["deviation"].to_numpy()
    assert table.loc["nearest to the drivers", "distance"] == 0
    assert table.loc["nearest to the drivers", "miss"] == pytest.approx(loss(np.array([5e6, 3e6, 2e6]), mean, spread))
    assert table.loc["last year's shares", "miss"] == pytest.approx(loss(np.array([4e6, 4e6, 2e6]), mean, spread))
    assert table.loc["most profit", "profit"] == pytest.approx(5e6)
    fair = table.loc["equal chance", ["lowest_chance", "highest_chance"]].tolist()
    assert fair == pytest.approx([norm.sf(0.4 / 1.4)] * 2, abs=1e-5)
    assert table["total_chance"].nunique() == 1


def test_what_is_felt_is_told_with_its_sign():
    def show(value: float, form: str = "money") -> str:
        return f"{value:,.0f}" if form == "money" else f"{value:.0%}"

    result = split(COMPANY, "region", REGIONS, [Rule(name="cap", where={"region": "East"}, max=0.4)], misses=MISSES)
    row = next(result.rules.assign(miss_change=-1_200.0, total_chance=0.34).itertuples())
    assert reasons.miss_sentence(row, show) == (
        'Easing "cap" by one point makes the plan miss 1,200 less a year, counted over its cells; '
        "the chance of reaching the total stays what it is."
    )
    assert "a year" in reasons.sentences(result, show)[0]
    assert reasons.rules(result.rules, show)["expected miss"][0].endswith("per point")
    plain = split(COMPANY, "region", REGIONS, [Rule(name="cap", where={"region": "East"}, max=0.4)])
    assert "expected miss" not in reasons.rules(plain.rules, show) and "miss_change" not in plain.rules
