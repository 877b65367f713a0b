"""The one place where a model is solved, so that a status is always read before a value."""

import hashlib
import os
import sys
from importlib.metadata import version

import highspy
import pulp

from planlib.errors import PlanError

NAME = "HiGHS"
VERSION = version("highspy")
# One thread and a fixed seed, no time limit: a limit on the clock would let the machine's speed choose the answer.
OPTIONS = {"threads": 1, "random_seed": 0, "mip_rel_gap": 0.0}


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
    """Solve in place. True when proven optimal, False when infeasible; any other status raises PlanError."""
    solver = pulp.HiGHS(msg=False, **OPTIONS)
    problem.solve(solver)
    if problem.status == pulp.LpStatusOptimal and problem.sol_status == pulp.LpSolutionOptimal:
        return True
    if problem.status == pulp.LpStatusInfeasible:
        return False
    raise PlanError(
        f"{problem.name}: {NAME} {VERSION} ended with status '{pulp.LpStatus[problem.status]}', expected Optimal or "
        "Infeasible; nothing was read from it. Check the rules for limits of very different size."
    )


def generic_weight(key: str) -> float:
    """A number in [0, 1) from a cell's name: settles ties between equal optima the same way on every machine."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32
