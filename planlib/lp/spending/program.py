"""The program of a spend: money over lines around concave curves, and projects chosen or not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pulp

from planlib.errors import PlanError
from planlib.lp import solver
from planlib.lp.spending.case import Case
from planlib.lp.spending.curves import Curves, Level, chords, grid, level, refined, richest, tangents

# Every kind of row the program can have; rows are named by kind and number.
KINDS = (
    "total_budget",
    "group_floor",
    "group_cap",
    "roi_floor",
    "project_requires",
    "project_excludes",
    "project_barred",
    "best_response",
)
# Solves end when the proof is this close, as a share of the response; a plan further off than REFUSED is not given out.
CLOSE = 1e-8
REFUSED = 1e-4
PASSES = 30
# Breakpoints that a price's solve begins with.
COARSE = 10
# Breakpoints that a price's solve begins with.
COARSE = 10


@dataclass(frozen=True)
class Found:
    """A solved case: spend of each item (minor units, not yet whole), chosen (bool per project), what it brings, the proven
    upper bound on what any plan brings, the breakpoints, the widest piece beside each item's spend, and the model's size."""

    spend: np.ndarray
    chosen: np.ndarray
    value: float
    bound: float
    points: list[np.ndarray]
    width: np.ndarray
    passes: int
    columns: int
    rows: int

    @property
    def gap(self) -> float:
        return max(0.0, self.bound - self.value) / max(abs(self.value), 1e-9)


def best(case: Case) -> Found | None:
    """The best plan and the proof of it; None when the limits cannot all hold.

    Method: outer approximation (Duran and Grossmann 1986, Mathematical Programming 36). The program over the chords gives a
    plan and, as chords lie below a concave curve, one that keeps its ROI floor; the program over the tangents gives a bound
    that no plan exceeds. Both get breakpoints where the marginal returns are equal for the projects either has chosen, until
    they meet.
    """
    points = _closer(case, grid(case.curves, case.money), np.zeros(len(case.cost), dtype=bool))
    if case.roi is not None:
        # Where the curves together lie highest above the floor: without this breakpoint a hard floor could look out of reach.
        points = refined(points, richest(case.curves, case.money, case.roi), case.money)
    found = None
    for passes in range(1, PASSES + 1):
        size = sum(map(len, points))
        above = tangents(case.curves, points, case.money)
        outer, inner = _solve(case, above), _solve(case, chords(case.curves, points))
        if outer is None:
            return None
        if inner is not None:
            start = float(above.groupby("item")["response"].first().sum())
            found = _read(case, inner, points, start + outer.objective * case.worth, passes)
            if found.gap <= CLOSE:
                return found
            points = _closer(case, points, found.chosen)
        points = _closer(case, points, outer.chosen)
        if sum(map(len, points)) == size:
            break
    if found is None:
        return None
    # What the first minor unit of each item brings is lost in rounding to whole ones anyway.
    rounding = 1.0 + float(case.curves.response(np.ones(len(case.curves.scale))).sum())
    if found.bound - found.value > max(REFUSED * found.value, rounding):
        raise PlanError(
            f"spend: after {found.passes} passes the plan brings {found.value:,.0f} minor units and up to "
            f"{found.bound:,.0f} minor units is not "
            f"ruled out, expected a gap of at most {REFUSED:.2%}; check the curves for scales of very different size."
        )
    return found


def worth_of(case: Case, chosen: np.ndarray) -> tuple[float, np.ndarray] | None:
    """What the best plan brings and which projects it chooses, starting from a guess at these; None when no plan is possible.

    As `best`, but by the tangents alone: the plan for the projects they choose comes from equal marginal returns. Few coarse
    breakpoints to begin with, as a curve between them matters only where it is chosen.
    """
    points = _closer(case, grid(case.curves, case.money, COARSE), chosen)
    value, kept = -np.inf, chosen
    for _ in range(PASSES):
        above = tangents(case.curves, points, case.money)
        outer = _solve(case, above)
        if outer is None:
            return None
        aim = _aim(case, outer.chosen)
        brings = -np.inf if aim is None else case.brings(aim.spend, outer.chosen)
        if brings > value:
            value, kept = brings, outer.chosen
        bound = float(above.groupby("item")["response"].first().sum()) + outer.objective * case.worth
        size = sum(map(len, points))
        points = _closer(case, points, outer.chosen)
        if bound - value <= CLOSE * max(1.0, abs(value)) or sum(map(len, points)) == size:
            break
    return (value, kept) if np.isfinite(value) else None


def build(
    case: Case, lines: pd.DataFrame, least: float | None = None, barred: Sequence[np.ndarray] = ()
) -> tuple[pulp.LpProblem, list[list[pulp.LpVariable]], list[pulp.LpVariable]]:
    """The program over `lines` (item, spend, response), unsolved, with each item's columns and each project's choice.

    Money counts from the floors in units of case.unit, response in units of case.worth. With `least` the response is held
    there and the choice of projects is settled by name; choices in `barred` are not made again.
    """
    problem = pulp.LpProblem("spend", pulp.LpMaximize if least is None else pulp.LpMinimize)
    money, worth = case.unit, case.worth

    # Variables: how much of each piece of each curve is bought, and whether each project is.
    pieces: list[list[pulp.LpVariable]] = []
    brought: list[tuple[pulp.LpVariable, float]] = []
    for item, curve in lines.groupby("item", sort=True):
        widths = np.diff(curve["spend"]) / money
        slopes = np.diff(curve["response"]) / worth / np.where(widths > 0, widths, 1.0)
        mine = [problem.add_variable(f"spend_{item:03d}_{k:03d}", 0, float(width)) for k, width in enumerate(widths)]
        pieces.append(mine)
        brought += [(column, float(slope)) for column, slope in zip(mine, slopes, strict=True)]
    picks = [problem.add_variable(f"project_{number:03d}", cat=pulp.LpBinary) for number in range(len(case.cost))]
    brought += [(pick, float(value) / worth) for pick, value in zip(picks, case.response, strict=True)]

    # Objective: what the money brings. A concave curve's pieces fill in order, the steepest first.
    start = float(lines.groupby("item")["response"].first().sum()) / worth
    names = [(pick, solver.generic_weight(name)) for pick, name in zip(picks, case.names, strict=True)]
    problem.setObjective(pulp.LpAffineExpression(brought if least is None else names))

    # Limits: the budget, groups, the ROI floor, and which project needs or rules out which.
    def limit(kind: str, number: int | None, terms: list, sense: int, right: float) -> None:
        nonlocal problem
        name = kind if number is None else f"{kind}_{number:03d}"
        problem += pulp.LpConstraint(pulp.LpAffineExpression(terms), sense, name, right)

    floors = case.curves.floor
    spent = [(column, 1.0) for mine in pieces for column in mine]
    spent += [(pick, float(cost) / money) for pick, cost in zip(picks, case.cost, strict=True)]
    sense = pulp.LpConstraintEQ if case.whole else pulp.LpConstraintLE
    limit("total_budget", None, spent, sense, (case.money - floors.sum()) / money)
    held = case.curves.pooled(floors)
    for pool in range(1, len(held)):
        inside = [(column, 1.0) for i in np.flatnonzero(case.curves.pool == pool) for column in pieces[i]]
        low, high = case.curves.pool_floor[pool], case.curves.pool_cap[pool]
        if low > held[pool]:
            limit("group_floor", pool, inside, pulp.LpConstraintGE, (low - held[pool]) / money)
        if high < case.money:
            limit("group_cap", pool, inside, pulp.LpConstraintLE, (high - held[pool]) / money)
    if case.roi is not None:
        asked = case.roi * money / worth
        above = [(column, value - asked * share) for (column, value), (_, share) in zip(brought, spent, strict=True)]
        limit("roi_floor", None, above, pulp.LpConstraintGE, asked * float(floors.sum()) / money - start)
    for number, (one, other) in enumerate(case.requires):
        limit("project_requires", number, [(picks[one], 1.0), (picks[other], -1.0)], pulp.LpConstraintLE, 0.0)
    for number, (one, other) in enumerate(case.excludes):
        limit("project_excludes", number, [(picks[one], 1.0), (picks[other], 1.0)], pulp.LpConstraintLE, 1.0)
    for number, choice in enumerate(barred):
        differs = [(pick, -1.0 if bought else 1.0) for pick, bought in zip(picks, choice, strict=True)]
        limit("project_barred", number, differs, pulp.LpConstraintGE, 1.0 - float(choice.sum()))
    if least is not None:
        limit("best_response", None, brought, pulp.LpConstraintGE, least)
    return problem, pieces, picks


def settled(case: Case, found: Found) -> Found:
    """The same optimum with the choice between projects that bring the same made by name, the same on every machine."""
    lines = chords(case.curves, found.points)
    reached = _with(case, lines, found.chosen)
    if reached is None:
        return found
    problem, _, picks = build(case, lines, least=reached.objective - 1e-9 * max(1.0, abs(reached.objective)))
    chosen = _chosen(picks) if solver.optimise(problem) else found.chosen
    last = _with(case, lines, chosen)
    # What the solver's tolerance let through is no tie.
    tied = last is not None and last.objective >= reached.objective - 2e-9 * max(1.0, abs(reached.objective))
    return _read(case, last, found.points, found.bound, found.passes) if last is not None and tied else found


@dataclass(frozen=True)
class _Solved:
    """Spend of each item (minor units), chosen (bool per project), the objective, and the model's size."""

    spend: np.ndarray
    chosen: np.ndarray
    objective: float
    columns: int
    rows: int


def _solve(case: Case, lines: pd.DataFrame) -> _Solved | None:
    """The best over `lines`, or None when infeasible.

    A solver's choices are whole, and its rows kept, only to a tolerance, and a curve that is steep at 0 makes much of a little
    money. So each choice is solved again with whole numbers; one that brings less then, or cannot be, is barred and the next
    best asked for, until none is better than the best there is.
    """
    barred: list[np.ndarray] = []
    answer: _Solved | None = None
    while len(case.cost):
        problem, _, picks = build(case, lines, barred=barred)
        if not solver.optimise(problem):
            return answer
        reached = float(pulp.value(problem.objective) or 0.0)
        room = CLOSE * max(1.0, abs(reached))
        if answer is not None and reached <= answer.objective + room:
            return answer
        solved = _with(case, lines, _chosen(picks))
        if solved is not None and (answer is None or solved.objective > answer.objective):
            answer = solved
        if answer is not None and reached <= answer.objective + room:
            return answer
        barred.append(_chosen(picks))
    return _with(case, lines, np.zeros(0, dtype=bool))


def _with(case: Case, lines: pd.DataFrame, chosen: np.ndarray) -> _Solved | None:
    """The best over `lines` with these projects and no others."""
    problem, pieces, picks = build(case, lines)
    for pick, bought in zip(picks, chosen, strict=True):
        pick.lowBound = pick.upBound = float(bought)
        pick.cat = pulp.LpContinuous
    if case.curves.floor.sum() + case.cost[chosen].sum() > case.money or not solver.optimise(problem):
        return None
    bought = np.array([sum(column.value() for column in mine) for mine in pieces])
    spend = np.clip(case.curves.floor + bought * case.unit, case.curves.floor, case.curves.cap)
    objective = float(pulp.value(problem.objective) or 0.0)
    return _Solved(spend, chosen, objective, len(problem.variables()), len(problem.constraints()))


def _chosen(picks: list[pulp.LpVariable]) -> np.ndarray:
    return np.array([pick.value() > 0.5 for pick in picks], dtype=bool)


def _read(case: Case, solved: _Solved, points: list[np.ndarray], bound: float, passes: int) -> Found:
    spend = _alike(case.curves, solved.spend)
    width = np.array([_piece(mine, at) for mine, at in zip(points, spend, strict=True)])
    value = case.brings(spend, solved.chosen)
    return Found(spend, solved.chosen, value, max(bound, value), points, width, passes, solved.columns, solved.rows)


def _aim(case: Case, chosen: np.ndarray) -> Level | None:
    """Where the curves' money lies best once these projects are paid for."""
    bonus = float((case.response - (case.roi or 0.0) * case.cost)[chosen].sum())
    return level(case.curves, float(case.money - case.cost[chosen].sum()), case.roi, bonus)


def _closer(case: Case, points: list[np.ndarray], chosen: np.ndarray) -> list[np.ndarray]:
    """The breakpoints with those where the marginal returns are equal, once these projects are paid for."""
    aim = _aim(case, chosen)
    return points if aim is None else refined(points, aim.spend, case.money)


def _alike(curves: Curves, spend: np.ndarray) -> np.ndarray:
    """Items with the same curve and limits get the same money: on concave curves the mean never brings less."""
    key = np.column_stack([curves.scale, curves.elasticity, np.nan_to_num(curves.half, nan=-1.0), curves.floor, curves.cap])
    _, kind = np.unique(np.column_stack([key, curves.pool]), axis=0, return_inverse=True)
    kind = kind.ravel()
    return (np.bincount(kind, spend) / np.bincount(kind))[kind]


def _piece(points: np.ndarray, spend: float) -> float:
    """The widest piece that touches a spend."""
    near = int(np.searchsorted(points, spend, side="left"))
    low, high = max(0, near - 1), min(len(points) - 1, near + 1)
    return float(np.diff(points[low : high + 1]).max(initial=0.0))


def without(case: Case, kind: str, number: int) -> Case:
    """The case without one dependency between projects."""
    if kind == "requires":
        return replace(case, requires=case.requires[:number] + case.requires[number + 1 :])
    return replace(case, excludes=case.excludes[:number] + case.excludes[number + 1 :])
