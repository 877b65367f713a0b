"""How the time of a split grows with its input, where it once grew faster: `python -m tests.benchmarks growth`.

Each line measures a size and ten times that size, in processor time: a ratio near ten means that time grows as the input does.
"""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.errors import ConflictError
from planlib.lp import Rule, split


def guarded(cells: int) -> None:
    """A guardrail on every cell, of which one cannot hold."""
    rng = np.random.default_rng(0)
    weights = pd.DataFrame(
        {"product": [f"p{i:06d}" for i in range(cells)], "weight": np.r_[0, rng.integers(1, 100, cells - 1)]}
    )
    shares = rng.integers(1, 100, cells)
    history = weights[["product"]].assign(amount=shares * 10**9 // shares.sum())
    try:
        split(
            tables.company(10**9),
            "product",
            weights,
            [Rule(name="guard", each="cell", unit="growth", min=-0.9)],
            history=history,
        )
    except ConflictError:
        return
    raise AssertionError("the guardrail holds, expected a conflict")


def each(members: int) -> None:
    """One rule for each of many members, none of which binds."""
    plan = pd.DataFrame({"region": [f"r{i:02d}" for i in range(20)], "amount": 10**9})
    weights = pd.DataFrame({"product": [f"p{i:06d}" for i in range(members)], "weight": np.arange(1, members + 1)})
    split(plan, "product", weights, [Rule(name="cap", each="product", max=0.9)])


def clashing(members: int) -> None:
    """One floor for each of many members, which together ask for a tenth too much."""
    weights = pd.DataFrame({"product": [f"p{i:06d}" for i in range(members)], "weight": 1})
    try:
        split(tables.company(10**9), "product", weights, [Rule(name="floor", each="product", min=1.1 / members)])
    except ConflictError:
        return
    raise AssertionError("the floors hold, expected a conflict")


def seconds(work: Callable[[int], None], size: int) -> float:
    began = time.process_time()
    work(size)
    return time.process_time() - began


def main() -> None:
    guarded(10)  # the first call of a process pays for imports
    for name, work, size in (
        ("guarded cells in conflict", guarded, 1_000),
        ("members under a rule each", each, 300),
        ("floors in conflict", clashing, 40),
    ):
        small, large = seconds(work, size), seconds(work, 10 * size)
        print(f"{name}: {size:,} {small:.2f} s, {10 * size:,} {large:.2f} s, ratio {large / small:.0f}")


if __name__ == "__main__":
    main()
