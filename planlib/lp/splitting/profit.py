"""The aim at profit: the most that the rules allow first, and only among equal plans the nearest to the drivers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from planlib.lp import solver
from planlib.lp.splitting.explain import Prices
from planlib.lp.splitting.limits import Limit
from planlib.lp.splitting.program import Linear, Program

# Reduced costs and prices below this are the solver's zero.
ZERO = 1e-9


def held(program: Program, best: Linear) -> Program:
    """The plans of equal profit: what the optimum's own prices tie down is fixed, the rest is free to be near the drivers.

    A class with a reduced cost stays at its bound and a limit with a price stays met (complementary slackness), so that the
    earlier aim is held at its optimum exactly, without a row that would hold it to a tolerance.
    """
    x, pull = best.deviation(len(program.size)), best.pull(len(program.size))
    tied = (np.abs(pull) > ZERO) & program.movable
    value = np.where(np.abs(x - program.low) <= np.abs(program.high - x), program.low, program.high)
    up, down = best.price > ZERO, best.price < -ZERO
    missed_low, missed_high = best.price >= program.penalty - ZERO, -best.price >= program.penalty - ZERO
    body = program.rows @ x
    floor = np.where(down & ~missed_high, program.cap, np.where(missed_low, np.minimum(program.floor, body), program.floor))
    cap = np.where(up & ~missed_low, program.floor, np.where(missed_high, np.maximum(program.cap, body), program.cap))
    return replace(
        program,
        low=np.where(tied, value, program.low),
        high=np.where(tied, value, program.high),
        floor=floor,
        cap=cap,
        gain=np.zeros(len(x)),
        penalty=np.full(len(floor), np.inf),
    )


def profit_prices(best: Linear, limits: Sequence[Limit], alone: np.ndarray) -> Prices:
    """Prices of the limits in profit, with HiGHS's ranging.

    `alone` says whose price no other limit could carry; where a basis ends at once, how far the price holds is not known. The
    range of a quotient's limit, whose coefficients move with it, is not known either.
    """
    found = solver.ranges(best.problem)
    count = len(limits)
    price, down, up, unique = best.price, np.full(count, -np.inf), np.full(count, np.inf), np.ones(count, dtype=bool)
    for row in best.problem.constraints():
        if row.name.startswith("parent_total_") or abs(row.pi) <= ZERO:
            continue
        number = int(row.name.rsplit("_", 1)[1])
        low, high = found.loc[row.name, "low"], found.loc[row.name, "high"]
        down[number], up[number] = (low + row.constant) * best.scale, (high + row.constant) * best.scale
        lasting = down[number] < -ZERO * best.scale and up[number] > ZERO * best.scale
        unique[number] = lasting or alone[number]
        if not lasting or limits[number].whole is not None:
            down[number] = up[number] = np.nan
    return Prices(np.where(np.abs(price) > ZERO, price, 0.0), down, up, unique, np.zeros(count))
