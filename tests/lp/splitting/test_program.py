"""The linear form as text: one small model per kind of row, named after it, read and approved by eye."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from planlib.errors import PlanError
from planlib.lp import Lock, Rule, split
from planlib.lp.splitting import program
from planlib.lp.splitting.even import even
from planlib.lp.splitting.program import KINDS, Program
from tests.conftest import seeds

GOLDEN = Path(__file__).parent / "golden"
PLAN = pd.DataFrame({"region": ["East", "West"], "amount": [600, 400]})
WEIGHTS = pd.DataFrame({"product": ["p", "q"], "weight": [1, 1]})
LAST = pd.DataFrame({"region": ["East", "East", "West", "West"], "product": ["p", "q"] * 2, "amount": [250, 250, 200, 200]})
COST = pd.DataFrame({"product": ["p", "q"], "cost": [0.5, 0.25]})
Q = {"product": "q"}
EAST_Q = {"region": "East", "product": "q"}

# One limit of each kind, each broken by the proportional split, so that it reaches the model.
STATED: dict[str, Rule | Lock] = {
    "parent_total": Rule(name="one", where=Q, max=0.4),
    "share_floor": Rule(name="one", where=Q, min=0.6),
    "share_cap": Rule(name="one", where=Q, max=0.4),
    "share_at": Rule(name="one", where=Q, min=0.6, max=0.6),
    "inner_share_floor": Rule(name="one", where=EAST_Q, of=Q, min=0.7),
    "inner_share_cap": Rule(name="one", where=EAST_Q, of=Q, max=0.5),
    "amount_floor": Rule(name="one", where=EAST_Q, unit="amount", min=310),
    "amount_cap": Rule(name="one", where=EAST_Q, unit="amount", max=290),
    "amount_at": Rule(name="one", where=EAST_Q, unit="amount", min=310, max=310),
    "growth_floor": Rule(name="one", where=Q, unit="growth", min=0.2),
    "growth_cap": Rule(name="one", where=Q, unit="growth", max=0.1),
    "growth_at": Rule(name="one", where=Q, unit="growth", min=0.2, max=0.2),
    "ratio_floor": Rule(name="one", unit="ratio", measure="cost", min=0.4),
    "ratio_cap": Rule(name="one", unit="ratio", measure="cost", max=0.35),
    "lock_at": Lock(name="one", where=Q, amount=600),
    "soft_floor": Rule(name="one", where=Q, min=0.6, hard=False, penalty=2.0),
    "soft_cap": Rule(name="one", where=Q, max=0.4, hard=False, penalty=2.0),
    "soft_at": Rule(name="one", where=Q, min=0.6, max=0.6, hard=False, penalty=2.0),
}


def text_of(kind: str, monkeypatch, folder: Path) -> str:
    """The first model that a split with this one limit hands to the solver."""
    seen = []
    solve = program.solver.optimise

    def watched(problem):
        problem.writeLP(folder / f"{len(seen)}.lp")
        seen.append((folder / f"{len(seen)}.lp").read_text())
        return solve(problem)

    monkeypatch.setattr(program.solver, "optimise", watched)
    stated = STATED[kind]
    rules, locks = ([], [stated]) if isinstance(stated, Lock) else ([stated], [])
    split(PLAN, "product", WEIGHTS, rules, locks, history=LAST, measures=COST)
    return seen[0]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_row_is_the_model_that_was_approved(kind, monkeypatch, tmp_path):
    text = text_of(kind, monkeypatch, tmp_path)

    assert f"\n{kind}_0" in text
    assert text == (GOLDEN / f"{kind}.lp").read_text()


def test_every_kind_has_a_model_and_every_model_a_kind():
    assert sorted(path.stem for path in GOLDEN.glob("*.lp")) == sorted(KINDS) == sorted(STATED)


def test_a_kind_without_a_name_is_refused():
    one = np.ones(2)
    rows = sparse.csr_matrix(np.array([[1.0, 0.0]]))
    new = Program(
        np.zeros(2, dtype=int),
        one,
        -one,
        one,
        0 * one,
        rows,
        np.array([0.5]),
        np.array([np.inf]),
        np.array([np.inf]),
        ["new"],
        np.zeros(1),
    )
    with pytest.raises(PlanError, match="new_floor"):
        program.stated(new, "t")


def world(seed: int) -> Program:
    """Parents, classes, held classes and limits around a plan that keeps them, hard and soft."""
    rng = np.random.default_rng(seed)
    parents, classes, limits = rng.integers(1, 40), rng.integers(2, 10), rng.integers(1, 30)
    count = parents * classes
    parent = np.repeat(np.arange(parents), classes)
    size = np.rint(np.exp(rng.normal(10, 2, count))) + 1
    amounts = size * np.exp(rng.normal(0, rng.choice([0.1, 0.5, 1.5]), count))
    amounts *= (np.bincount(parent, size) / np.bincount(parent, amounts))[parent]
    x = amounts - size
    low, high = -size, np.full(count, np.inf)
    held = (rng.random(count) < 0.1) & (np.arange(count) % classes > 0)
    low[held] = high[held] = x[held]
    dense = (rng.random((limits, count)) < 0.15) * 1.0
    for k in range(0, limits, 2):
        dense[k] = np.arange(count) % classes == k % classes
    body, room = dense @ x, np.abs(rng.normal(0, 0.02, limits)) * (dense @ size)
    kind = rng.integers(0, 4, limits)
    floor = np.where(kind == 1, -np.inf, np.where(kind == 3, body, body - room))
    cap = np.where(kind == 0, np.inf, np.where(kind == 3, body, body + room))
    penalty = np.where(rng.random(limits) < 0.3, rng.choice([0.05, 0.5, 10.0], limits), np.inf)
    kinds = ["share" if np.isinf(value) else "soft" for value in penalty]
    return Program(
        parent, size, low, high, np.zeros(count), sparse.csr_matrix(dense), floor, cap, penalty, kinds, np.zeros(limits)
    )


@pytest.mark.parametrize("seed", seeds(30, 150))
def test_the_exact_spread_carries_its_proof(seed):
    # Weak duality is the oracle: the bound holds for any prices, so a closed gap proves the optimum however it was found.
    stated = world(seed)
    found = program.solve(stated.gathered()[0], "world")
    answer = even(stated, found.price)

    assert answer.gap < 1e-6
    assert answer.missed < 1e-6 * stated.size.sum()
    assert (answer.x >= stated.low - 1e-9).all() and (answer.x <= stated.high + 1e-9).all()


@pytest.mark.parametrize("seed", seeds(8, 20))
def test_gathering_parents_keeps_what_is_possible_and_bounds_the_cost(seed):
    stated = world(seed)
    small, place = stated.gathered()
    whole, part = program.solve(stated, "whole"), program.solve(small, "part")

    assert len(place) == len(stated.size) >= len(small.size)
    assert (whole is None) == (part is None)
    # Jensen: what is shared among parents cannot cost more.
    assert part.problem.objective.value() * part.scale <= whole.problem.objective.value() * whole.scale * (1 + 1e-9) + 1e-6
