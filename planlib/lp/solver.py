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
from scipy import sparse

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
        raise PlanError(_ended(problem.name, engine, status))
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


class Asked:
    """One linear model that is asked many times under changing bounds and costs: each answer starts from the last one.

    Only what does not depend on the way is to be read from it: whether it can be met, and the least cost.
    """

    def __init__(self, name: str, rows: sparse.csr_matrix) -> None:
        """`rows`: coefficients, rows x columns; all bounds are infinite and all costs 0 until they are given."""
        model = highspy.HighsLp()
        count, width = rows.shape
        model.num_col_, model.num_row_ = width, count
        model.col_cost_ = np.zeros(width)
        model.col_lower_, model.row_lower_ = (np.full(size, -highspy.kHighsInf) for size in (width, count))
        model.col_upper_, model.row_upper_ = (np.full(size, highspy.kHighsInf) for size in (width, count))
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_, model.a_matrix_.index_ = rows.indptr.astype(np.int32), rows.indices.astype(np.int32)
        model.a_matrix_.value_ = rows.data.astype(float)
        self.name, self.engine = name, _engine(name, model)
        self._rows, self._columns, self._costs = (np.full((size, 2), np.nan) for size in (count, width, width))

    def bound(self, rows: tuple[np.ndarray, np.ndarray], columns: tuple[np.ndarray, np.ndarray]) -> None:
        """Lower and upper bounds of all rows and all columns."""
        for new, old, change in (
            (np.column_stack(rows), self._rows, self.engine.changeRowsBounds),
            (np.column_stack(columns), self._columns, self.engine.changeColsBounds),
        ):
            where = np.flatnonzero((new != old).any(axis=1)).astype(np.int32)
            if len(where):
                change(len(where), where, np.ascontiguousarray(new[where, 0]), np.ascontiguousarray(new[where, 1]))
                old[where] = new[where]

    def least(self, costs: np.ndarray) -> float | None:
        """The least cost, or None where the bounds cannot be met; then `values`, `prices` or `clashing` can be read."""
        where = np.flatnonzero(costs != self._costs[:, 0]).astype(np.int32)
        if len(where):
            self.engine.changeColsCost(len(where), where, np.ascontiguousarray(costs[where]))
            self._costs[where, 0] = costs[where]
        self.engine.run()
        status = self.engine.getModelStatus()
        if status == highspy.HighsModelStatus.kUnboundedOrInfeasible:
            self.engine.setOptionValue("presolve", "off")
            self.engine.run()
            status = self.engine.getModelStatus()
            self.engine.setOptionValue("presolve", "choose")
        if status == highspy.HighsModelStatus.kInfeasible:
            return None
        if status not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty):
            raise PlanError(_ended(self.name, self.engine, status))
        return float(self.engine.getInfo().objective_function_value)

    def values(self) -> np.ndarray:
        return np.array(self.engine.getSolution().col_value)

    def prices(self) -> np.ndarray:
        """The change of the least cost per unit of each row's bound."""
        return np.array(self.engine.getSolution().row_dual)

    def clashing(self) -> np.ndarray:
        """Rows that cannot hold together, by a ray of the dual (Farkas), after a no; none if HiGHS has none."""
        status, exists, ray = self.engine.getDualRay()
        if status != highspy.HighsStatus.kOk or not exists:
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(np.abs(ray) > 1e-9 * np.abs(ray).max(initial=0.0))


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

    return _engine(problem.name, model), columns, rows


def _engine(name: str, model: highspy.HighsLp) -> highspy.Highs:
    """HiGHS with our options and this model."""
    engine = highspy.Highs()
    for option, value in OPTIONS.items():
        engine.setOptionValue(option, value)
    if engine.passModel(model) == highspy.HighsStatus.kError:
        raise PlanError(f"{name}: {NAME} {VERSION} refused the model, expected finite numbers; check limits and weights.")
    return engine


def _ended(name: str, engine: highspy.Highs, status: highspy.HighsModelStatus) -> str:
    return (
        f"{name}: {NAME} {VERSION} ended with status '{engine.modelStatusToString(status)}', expected Optimal or Infeasible; "
        "nothing was read from it. Check the rules for limits of very different size."
    )


def _bounds(values: list[float | None], without: float) -> np.ndarray:
    return np.array([without if value is None else value for value in values], dtype=float)
