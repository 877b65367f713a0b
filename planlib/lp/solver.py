"""The one place where a model is solved, so that a status is always read before a value.

PuLP states the model; it is handed to HiGHS in one piece, because adding rows one by one costs more than solving them.
"""

import hashlib
import os
import sys
from importlib.metadata import version

import highspy
import numpy as np
import pandas as pd
import pulp

from planlib.errors import PlanError

NAME = "HiGHS"
VERSION = version("highspy")
# One thread and a fixed seed, no time limit: a limit on the clock would let the machine's speed choose the answer.
OPTIONS = {
    "output_flag": False,
    "threads": 1,
    "random_seed": 0,
    "mip_rel_gap": 0.0,
    "mip_abs_gap": 0.0,
    # Steep curves turn the usual millionth of slack into money that is not there.
    "mip_feasibility_tolerance": 1e-9,
}


def _swallow_banner() -> None:
    """HiGHS prints a banner from C++ when a process makes its first model; a notebook would show it as a result."""
    sys.stdout.flush()
    kept, null = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 1)
        highspy.Highs()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(null)


_swallow_banner()


def optimise(problem: pulp.LpProblem) -> bool:
    """Solve in place. True when proven optimal, False when infeasible; any other status raises PlanError.

    When True, every variable has its value and reduced cost, and every constraint its slack (right side minus body) and, in a
    model without integers, `pi`: the change of the objective, in the problem's own sense, per unit of its right side.
    """
    engine, columns, rows = _handed_over(problem)
    engine.run()
    status = engine.getModelStatus()
    if status == highspy.HighsModelStatus.kUnboundedOrInfeasible:  # presolve could not tell which
        engine.setOptionValue("presolve", "off")
        engine.run()
        status = engine.getModelStatus()
    problem.solverModel = engine
    if status == highspy.HighsModelStatus.kInfeasible:
        problem.assignStatus(pulp.LpStatusInfeasible, pulp.LpSolutionInfeasible)
        return False
    solved = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty)
    if status not in solved:
        raise PlanError(
            f"{problem.name}: {NAME} {VERSION} ended with status '{engine.modelStatusToString(status)}', expected Optimal or "
            "Infeasible; nothing was read from it. Check the rules for limits of very different size."
        )
    problem.assignStatus(pulp.LpStatusOptimal, pulp.LpSolutionOptimal)
    solution = engine.getSolution()
    sign = -1.0 if problem.sense == pulp.LpMaximize else 1.0
    whole = any(column.cat == pulp.LpInteger for column in columns)
    for column, value, dual in zip(columns, solution.col_value, solution.col_dual, strict=True):
        column.varValue, column.dj = value, None if whole else sign * dual
    for row, value, dual in zip(rows, solution.row_value, solution.row_dual, strict=True):
        row.slack, row.pi = -row.constant - value, None if whole else sign * dual
    return True


def ranges(problem: pulp.LpProblem) -> pd.DataFrame:
    """Over which right sides each price of a solved linear model holds: index = constraint, columns low, high.

    An end that equals the constraint's own right side means that the price is not unique: it holds in one direction only.
    """
    status, found = problem.solverModel.getRanging()
    if status != highspy.HighsStatus.kOk or not found.valid:
        raise PlanError(f"{problem.name}: {NAME} {VERSION} gave no ranging, expected one of a solved linear model.")
    index = pd.Index([row.name for row in problem.constraints()], name="constraint")
    ends = {"low": found.row_bound_dn.value_, "high": found.row_bound_up.value_}
    return pd.DataFrame({side: np.array(values, dtype=float) for side, values in ends.items()}, index=index)


def irreducible(problem: pulp.LpProblem) -> list[str]:
    """Names of the constraints in an irreducible infeasible subset of an infeasible model; empty when HiGHS finds none."""
    engine, _, rows = _handed_over(problem)
    strategy = highspy.IisStrategy.kIisStrategyFromLp.value | highspy.IisStrategy.kIisStrategyIrreducible.value
    engine.setOptionValue("iis_strategy", strategy)
    engine.run()
    status, found = engine.getIis()
    if status != highspy.HighsStatus.kOk or not found.valid_:
        return []
    return sorted(rows[number].name for number in found.row_index_)


def generic_weight(key: str) -> float:
    """A number in [0, 1) from a cell's name: settles ties between equal optima the same way on every machine."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32


def _handed_over(problem: pulp.LpProblem) -> tuple[highspy.Highs, list[pulp.LpVariable], list[pulp.LpConstraint]]:
    """The whole model in one call: its columns and rows in PuLP's order, maximising turned into minimising."""
    columns, rows = problem.variables(), problem.constraints()
    for number, column in enumerate(columns):
        column.index = number
    sign = -1.0 if problem.sense == pulp.LpMaximize else 1.0
    cost = np.zeros(len(columns))
    for column, value in (problem.objective or {}).items():
        cost[column.index] = sign * value

    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(columns), len(rows)
    model.col_cost_ = cost
    model.col_lower_ = _bounds([column.lowBound for column in columns], -highspy.kHighsInf)
    model.col_upper_ = _bounds([column.upBound for column in columns], highspy.kHighsInf)
    model.row_lower_ = _bounds([row.getLb() for row in rows], -highspy.kHighsInf)
    model.row_upper_ = _bounds([row.getUb() for row in rows], highspy.kHighsInf)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.cumsum([0, *(len(row) for row in rows)]).astype(np.int32)
    model.a_matrix_.index_ = np.array([column.index for row in rows for column in row], dtype=np.int32)
    model.a_matrix_.value_ = np.array([value for row in rows for value in row.values()], dtype=float)
    if any(column.cat == pulp.LpInteger for column in columns):
        kinds = {pulp.LpInteger: highspy.HighsVarType.kInteger, pulp.LpContinuous: highspy.HighsVarType.kContinuous}
        model.integrality_ = [kinds[column.cat] for column in columns]

    engine = highspy.Highs()
    for option, value in OPTIONS.items():
        engine.setOptionValue(option, value)
    if engine.passModel(model) == highspy.HighsStatus.kError:
        raise PlanError(
            f"{problem.name}: {NAME} {VERSION} refused the model, expected finite numbers; check limits and weights."
        )
    return engine, columns, rows


def _bounds(values: list[float | None], without: float) -> np.ndarray:
    return np.array([without if value is None else value for value in values], dtype=float)
