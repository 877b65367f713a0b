"""Spend a budget over response curves: each unit of money goes where the next one returns most."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pulp

from planlib.errors import ConflictError, PlanError, TieOutError
from planlib.lp import solver

SEGMENTS = 40
# Solves, each with breakpoints closer around the last answer: the fifth is within a ten-thousandth of the budget.
PASSES = 5
SHRINK = 0.2


@dataclass(frozen=True)
class Spend:
    """A budget, spent.

    allocation   item, amount (minor units, sums to the spendable budget exactly), response, marginal (return of the next unit)
    curves       item, spend, response (minor units): the piecewise linear curves the program saw, for the chart
    reserve      minor units held back
    """

    allocation: pd.DataFrame
    curves: pd.DataFrame
    reserve: int


def spend(budget: int, items: pd.DataFrame, reserve_share: float = 0.0) -> Spend:
    """Maximise the summed response of `budget` minor units, less a reserve, over concave curves.

    Parameters
        budget         minor units, reserve included
        items          item (text, unique), scale (minor units of response per unit of spend ** elasticity), elasticity
                       (0 < e < 1; the curve is scale * spend ** elasticity), floor, cap (minor units; cap >= floor)
        reserve_share  share of the budget held back, 0 to 1
    Returns Spend; amounts are whole minor units and sum to budget - reserve.
    Raises ConflictError when the floors exceed, or the caps do not take, the spendable money.
    Method: the curve's chords between breakpoints, denser at small spends and refined around the answer; concave, so the
    program fills them in order.
    """
    _check(items)
    reserve = round(budget * reserve_share)
    spendable = budget - reserve
    items = items.sort_values("item").reset_index(drop=True)
    floors, caps = int(items["floor"].sum()), int(np.minimum(items["cap"], spendable).sum())
    if floors > spendable or caps < spendable:
        limit, have = ("floors", floors) if floors > spendable else ("caps", caps)
        raise ConflictError(
            f"spend: the {limit} of {len(items)} items sum to {have:,} minor units, but {spendable:,} are to be spent after a "
            f"reserve of {reserve:,}; {'lower a floor' if limit == 'floors' else 'raise a cap'} or change the budget."
        )
    chosen, width = None, 0.0
    for step in range(PASSES):
        curves = pd.concat([_curve(row, spendable, chosen, width) for row in items.itertuples()], ignore_index=True)
        chosen = dict(zip(items["item"], _solve(items, curves, spendable), strict=True))
        width = 2.0 * spendable / SEGMENTS * SHRINK**step
    allocation = items[["item"]].assign(amount=_whole(np.array(list((chosen or {}).values())), items, spendable))
    scale, power = items["scale"].to_numpy(), items["elasticity"].to_numpy()
    amount = allocation["amount"].to_numpy().astype(float)
    allocation["response"] = np.rint(scale * amount**power).astype("int64")
    allocation["marginal"] = scale * power * np.maximum(amount, 1.0) ** (power - 1)
    if int(allocation["amount"].sum()) != spendable:
        raise TieOutError("spend: the items do not sum to the spendable budget; report this with the parameters.")
    return Spend(allocation, curves, reserve)


def _check(items: pd.DataFrame) -> None:
    faults = items[
        ~items["elasticity"].between(0, 1, inclusive="neither")
        | ~np.isfinite(items["scale"])
        | (items["scale"] < 0)
        | (items["cap"] < items["floor"])
        | (items["floor"] < 0)
    ]
    if len(faults) or items["item"].duplicated().any() or items.empty:
        raise PlanError(
            f"spend: items {list(faults['item']) or list(items['item'])} need a unique name, scale >= 0, elasticity inside 0-1 "
            "and 0 <= floor <= cap; correct them."
        )


def _curve(row: "pd.core.frame.Pandas", spendable: int, chosen: dict[str, float] | None, width: float) -> pd.DataFrame:
    """Breakpoints from the floor to the cap, quadratically spaced so that the steep beginning is finely cut; once a spend is
    chosen, as many again within `width` of it."""
    top = float(min(row.cap, spendable))
    steps = row.floor + (top - row.floor) * np.linspace(0.0, 1.0, SEGMENTS + 1) ** 2
    if chosen is not None:
        near = chosen[row.item] + width * np.linspace(-1.0, 1.0, SEGMENTS + 1)
        steps = np.unique(np.clip(np.concatenate([steps, near]), row.floor, top))
        # Two breakpoints closer than a minor unit would only add noise to the slopes.
        steps = np.r_[row.floor, steps[(steps >= row.floor + 1.0) & (steps <= top - 1.0)], top]
        steps = steps[np.r_[True, np.diff(steps[:-1]) >= 1.0, True]]
    return pd.DataFrame({"item": row.item, "spend": steps, "response": row.scale * steps**row.elasticity})


def _solve(items: pd.DataFrame, curves: pd.DataFrame, spendable: int) -> np.ndarray:
    """Variables, objective, limits, solve, read back; money in units of what the floors leave, for the solver's tolerances."""
    problem = pulp.LpProblem("spend", pulp.LpMaximize)
    left = spendable - int(items["floor"].sum())
    scale = float(max(left, 1))
    columns: list[list[pulp.LpVariable]] = []
    value, ties, every = [], [], []
    for position, (item, curve) in enumerate(curves.groupby("item", sort=True)):
        widths = np.diff(curve["spend"]) / scale
        slopes = np.diff(curve["response"]) / np.maximum(np.diff(curve["spend"]), 1e-9)
        mine = [problem.add_variable(f"spend_{position:03d}_{k:03d}", 0, float(width)) for k, width in enumerate(widths)]
        columns.append(mine)
        value += [(column, float(slope)) for column, slope in zip(mine, slopes, strict=True)]
        ties += [(column, solver.generic_weight(f"{item}{k}")) for k, column in enumerate(mine)]
        every += [(column, 1.0) for column in mine]

    problem.setObjective(pulp.LpAffineExpression(value))
    problem += pulp.LpConstraint(pulp.LpAffineExpression(every), pulp.LpConstraintEQ, "total_budget", left / scale)
    if not solver.optimise(problem):
        raise ConflictError("spend: floors, caps and the budget cannot all hold; lower a floor or raise a cap.")
    best = float(pulp.value(problem.objective))
    problem += pulp.LpConstraint(
        pulp.LpAffineExpression(value), pulp.LpConstraintGE, "best_response", best - 1e-9 * max(1.0, abs(best))
    )
    problem.setObjective(pulp.LpAffineExpression(ties))
    if not solver.optimise(problem):
        raise PlanError("spend: the tie-break lost the optimum it started from; report this with the parameters.")
    extra = np.array([sum(column.value() for column in mine) for mine in columns])
    return items["floor"].to_numpy() + extra * scale


def _whole(chosen: np.ndarray, items: pd.DataFrame, spendable: int) -> np.ndarray:
    """Whole minor units within floor and cap that sum to the spendable money: nearest, the rest to the largest remainders."""
    floors = items["floor"].to_numpy(dtype="int64")
    caps = np.minimum(items["cap"].to_numpy(dtype="int64"), spendable)
    clean = np.round(chosen, 2)
    whole = np.clip(np.floor(clean).astype("int64"), floors, caps)
    order = np.lexsort((np.arange(len(whole)), -(clean - np.floor(clean))))
    while (left := spendable - int(whole.sum())) != 0:
        step = 1 if left > 0 else -1
        can = [i for i in order if (whole[i] < caps[i] if step > 0 else whole[i] > floors[i])]
        for i in can[: abs(left)]:
            whole[i] += step
    return whole
