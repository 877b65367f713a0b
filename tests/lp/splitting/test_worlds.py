"""The split under every aim, held against a quadratic and a linear program that share nothing with it."""

import numpy as np
import pytest

from planlib import plan as tables
from planlib.lp import split
from tests.conftest import seeds
from tests.lp.splitting.worlds import World, most_profit, nearest, stated, value, world

AIMS = ("nearest", "profit", "blend", "steady")
# Seeds of each aim: a few in every run, 100 with the slow ones.
FEW, MANY = 8, 100


def misses(w: World, amounts: np.ndarray) -> tuple[float, float]:
    """The largest miss of a hard limit, and what soft limits miss at their penalty; minor units."""
    p = stated(w)
    x = amounts / p.scale
    lack = np.maximum(p.body @ x - p.bound, 0.0) if len(p.body) else np.zeros(0)
    hard = np.isinf(p.penalty)
    worst = max(np.abs(p.equal @ x - p.goal).max(), lack[hard].max(initial=0.0), (p.low - x).max(), (x - p.high).max())
    return float(worst * p.scale), float(p.penalty[~hard] @ lack[~hard] * p.scale)


@pytest.mark.parametrize("seed", seeds(FEW, MANY))
@pytest.mark.parametrize("aim", AIMS)
def test_the_split_is_the_optimum_of_independent_solvers(aim, seed):
    w = world(seed, aim)
    result = split(**w.given())
    amounts, p = result.plan["amount"].to_numpy(float), stated(w)
    missed, lacking = misses(w, amounts)

    assert tables.residuals(w.plan, result.plan).empty
    assert missed < 1.01
    distance = float(((amounts - w.near) ** 2 / w.near).sum())
    # What whole minor units can add to the cost and to the profit.
    room = len(amounts) * 20.0 * max(1.0, float(p.penalty[np.isfinite(p.penalty)].max(initial=1.0)))
    if aim == "profit":
        best = most_profit(p)[0]
        profit = float(w.margins["margin"] @ amounts) - lacking
        assert profit == pytest.approx(best, abs=room, rel=1e-9)
        # Among plans of that profit it is the nearest: none is nearer that brings as much.
        assert distance <= nearest(p, 0.0, hold=best)[0] * (1 + 1e-3) + room
        return
    cost, exact, _ = nearest(p, w.aim.profit)
    gain = w.aim.profit / (1 - w.aim.profit) * float(w.margins["margin"] @ (amounts - w.near))
    assert distance - gain + lacking == pytest.approx(
        cost + w.aim.profit / (1 - w.aim.profit) * float(w.margins["margin"] @ w.near), abs=room, rel=1e-6
    )
    assert np.abs(amounts - exact).max() <= 1e-4 * amounts.max()


@pytest.mark.parametrize("seed", seeds(FEW, MANY))
@pytest.mark.parametrize("aim", AIMS)
def test_a_price_is_the_difference_of_two_independent_solves_or_said_not_to_be_unique(aim, seed):
    w = world(seed, aim)
    result = split(**w.given())
    start = value(w)
    for row in result.rules[result.rules["binds"].astype(bool)].itertuples():
        if not row.unique:
            continue
        rule = next((rule for rule in w.rules if rule.name == row.rule), None)
        side = "max" if rule is not None and rule.max is not None else "min"
        per = 0.01 if row.unit in ("share", "growth", "ratio") else 1.0
        size = abs(getattr(rule, side)) if rule is not None and rule.each is None else 0.0
        step = size * 1e-4 if row.unit == "ratio" else 1e-5 if per == 0.01 else 1e-5 * float(w.plan["amount"].min())
        ends = [value(w.eased(row.rule, by, side)) for by in (-step, step)]
        assert None not in ends, (row.rule, "cannot be moved both ways, so its price is one-sided")
        slopes = [(start - ends[0]) / step * per, (ends[1] - start) / step * per]
        middle = (slopes[0] + slopes[1]) / 2
        # The law of a nearest plan bends; that of a profit does not.
        assert abs(middle) == pytest.approx(row.price, rel=2e-3, abs=1e-6 * abs(start) / step * per), (
            row.rule,
            slopes,
            row.price,
        )
        if aim == "profit":
            assert slopes == pytest.approx([middle] * 2, rel=2e-3, abs=1e-6 * abs(start) / step * per), (row.rule, slopes)


@pytest.mark.parametrize("seed", seeds(FEW, MANY))
@pytest.mark.parametrize("aim", ("nearest", "blend", "steady"))
def test_a_price_keeps_its_law_just_up_to_the_ends_that_are_told(aim, seed):
    # The law is that the same limits and cells are held: those of the independent optimum, inside the range and beyond it.
    w = world(seed, aim)
    result = split(**w.given())
    met = nearest(stated(w), w.aim.profit)[2]
    for row in result.rules[result.rules["binds"] & result.rules["unique"] & (result.rules["price"] > 0)].itertuples():
        rule = next((rule for rule in w.rules if rule.name == row.rule and rule.each is None), None)
        if rule is None or row.given_up > 0:
            continue
        side = "max" if rule.max is not None else "min"
        now = getattr(rule, side)
        for end in (row.low, row.high):
            width = abs(end - now) / max(abs(now), 1e-300)
            if not np.isfinite(end) or width < 1e-4:
                continue
            inside, beyond = (
                nearest(stated(w.eased(row.rule, part * (end - now), side)), w.aim.profit) for part in (0.98, 1.02)
            )
            assert inside is not None and (inside[2] == met).all(), (row.rule, end, "breaks before")
            at_an_end_of_its_own = row.unit == "share" and end in (0.0, 1.0)
            assert at_an_end_of_its_own or beyond is None or (beyond[2] != met).any(), (row.rule, end, "goes on beyond")
