"""Random levels with every kind of rule, and their optimum cell by cell from solvers that share nothing with ours.

A level is stated here once more from its rules alone: no classes, no whole minor units, no duals of ours. The quadratic program
goes to Clarabel (interior point), the linear one to SciPy.
"""

from dataclasses import dataclass, field, replace

import clarabel
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import linprog

from planlib import plan as tables
from planlib.lp import Aim, Lock, Rule

KEYS = ["region", "product"]
HOLD = 1e-8  # of a profit that is held, so that the quadratic program has an inside


@dataclass(frozen=True)
class World:
    """What `split` is given, amounts in minor units; `near` is what near means: each cell's reference and size."""

    plan: pd.DataFrame
    weights: pd.DataFrame
    rules: list[Rule]
    locks: list[Lock]
    history: pd.DataFrame
    measures: pd.DataFrame
    margins: pd.DataFrame
    in_force: pd.DataFrame
    aim: Aim
    near: np.ndarray
    cells: pd.DataFrame = field(repr=False)

    def given(self) -> dict:
        return {
            "plan": self.plan, "into": "product", "weights": self.weights, "rules": self.rules, "locks": self.locks,
            "history": self.history, "measures": self.measures, "aim": self.aim, "margins": self.margins,
            "in_force": self.in_force,
        }  # fmt: skip

    def eased(self, name: str, by: float, side: str) -> "World":
        """The same world with one rule or lock moved: a limit up by so much, a guardrail wider on both sides."""
        rules = []
        for rule in self.rules:
            if rule.name == name and rule.each == "cell":
                rule = rule.model_copy(update={"min": rule.min - by, "max": rule.max + by})
            elif rule.name == name:
                rule = rule.model_copy(update={side: getattr(rule, side) + by})
            rules.append(rule)
        locks = [lock.model_copy(update={"amount": lock.amount + by}) if lock.name == name else lock for lock in self.locks]
        return replace(self, rules=rules, locks=locks)


def world(seed: int, aim: str) -> World:
    """Rules around a hidden plan that keeps them all, so that whole minor units can be found; odd totals."""
    rng = np.random.default_rng(seed)
    regions, goods = [f"R{i}" for i in range(int(rng.integers(1, 4)))], [f"p{i}" for i in range(int(rng.integers(3, 6)))]
    plan = pd.DataFrame({"region": regions, "amount": rng.integers(10**7, 10**9, len(regions)) * 2 + 1})
    cells = pd.MultiIndex.from_product([regions, goods], names=KEYS).to_frame(index=False)
    weights = cells.assign(weight=rng.integers(10, 100, len(cells)))
    reference = tables.proportional(plan, weights, "product")["amount"].to_numpy(float)
    hidden = _within(plan, cells, reference * np.exp(rng.normal(0, 0.25, len(cells))))
    in_force = cells.assign(
        amount=np.rint(_within(plan, cells, reference * np.exp(rng.normal(0, 0.2, len(cells))))).astype(int)
    )
    history = cells.assign(amount=np.rint(hidden * rng.uniform(0.7, 1.3, len(cells))).astype(int))
    tied = rng.random() < 0.3
    margins = cells.assign(margin=rng.uniform(0.05, 0.5, len(cells)).round(1 if tied else 4))
    measures = cells.assign(
        heads=rng.uniform(0.5, 2.0, len(cells)) * 10.0 ** rng.integers(-9, 3), hours=rng.uniform(1, 3, len(cells))
    )
    stated = aim_of(aim, rng)

    rules: list[Rule] = []
    total = float(hidden.sum())
    for number in range(int(rng.integers(1, 5))):
        kind, up = int(rng.integers(0, 6)), bool(rng.random() < 0.5)
        good = str(rng.choice(goods))
        here = (cells["product"] == good).to_numpy()
        room = 1 + rng.uniform(1e-4, 0.05) if up else 1 - rng.uniform(1e-4, 0.05)
        side = "max" if up else "min"
        if kind == 0:
            rules.append(
                Rule(name=f"share {number}", where={"product": good}, **{side: float(hidden[here].sum() / total * room)})
            )
        elif kind == 1:
            region = str(rng.choice(regions))
            here = here & (cells["region"] == region).to_numpy()
            amount = float(np.rint(hidden[here].sum() * room))
            rules.append(
                Rule(name=f"amount {number}", where={"region": region, "product": good}, unit="amount", **{side: amount})
            )
        elif kind == 2:
            last = float(history.loc[here, "amount"].sum())
            growth = float(hidden[here].sum() * room / last - 1)
            rules.append(Rule(name=f"growth {number}", where={"product": good}, unit="growth", **{side: growth}))
        elif kind == 3:
            pair = sorted({good, str(rng.choice([other for other in goods if other != good]))})
            base = cells["product"].isin(pair).to_numpy()
            part = float(min(1.0, hidden[here].sum() / hidden[base].sum() * room))
            rules.append(Rule(name=f"inner {number}", where={"product": good}, of={"product": pair}, **{side: part}))
        elif kind == 4:
            per = "hours" if rng.random() < 0.4 else ""
            below = float((measures["hours"].to_numpy() if per else 1.0 * np.ones(len(cells))) @ hidden)
            found = float(measures["heads"].to_numpy() @ hidden) / below
            rules.append(Rule(name=f"ratio {number}", unit="ratio", measure="heads", per=per, **{side: found * room}))
        else:
            share = float(hidden[here].sum() / total * room)
            penalty = float(10.0 ** rng.uniform(-2, 1))
            rules.append(Rule(name=f"soft {number}", where={"product": good}, hard=False, penalty=penalty, **{side: share}))
    if rng.random() < 0.7:
        off = hidden / history["amount"].to_numpy() - 1
        wide = float(np.abs(off).max() * (1 + rng.uniform(0.01, 0.2)))
        rules.append(Rule(name="guard", each="cell", unit="growth", min=-wide, max=wide))
    locks = []
    for number in range(int(rng.integers(0, 3))):
        one = cells.iloc[int(rng.integers(len(cells)))]
        if number == 0 or len(regions) == 1:
            place = int(np.flatnonzero((cells == one).all(axis=1))[0])
            locks.append(Lock(name=f"cell {number}", where=dict(one), amount=float(np.rint(hidden[place]))))
        else:
            here = (cells["product"] == one["product"]).to_numpy()
            locks.append(
                Lock(name=f"total {number}", where={"product": one["product"]}, amount=float(np.rint(hidden[here].sum())))
            )
    locks = [lock for n, lock in enumerate(locks) if all(lock.where != other.where for other in locks[:n])]
    near = reference
    if stated.steady:
        now = in_force["amount"].to_numpy(float)
        near = (1 - stated.steady) * reference + stated.steady * _within(plan, cells, now)
    return World(plan, weights, rules, locks, history, measures, margins, in_force, stated, near, cells)


def aim_of(word: str, rng: np.random.Generator) -> Aim:
    return {
        "nearest": Aim(),
        "profit": Aim(profit=1.0),
        "blend": Aim(profit=float(rng.uniform(0.1, 0.8))),
        "steady": Aim(steady=float(rng.choice([0.5, 1.0]))),
    }[word]


def _within(plan: pd.DataFrame, cells: pd.DataFrame, amounts: np.ndarray) -> np.ndarray:
    """Amounts in the same proportions that sum to the plan in each region."""
    sums = pd.Series(amounts).groupby(cells["region"].to_numpy()).transform("sum").to_numpy()
    return amounts / sums * cells["region"].map(plan.set_index("region")["amount"]).to_numpy(float)


@dataclass(frozen=True)
class Program:
    """equal @ x = goal; body @ x <= bound (rows that may be missed carry a penalty); low <= x <= high; money over `scale`."""

    equal: np.ndarray
    goal: np.ndarray
    body: np.ndarray
    bound: np.ndarray
    penalty: np.ndarray
    low: np.ndarray
    high: np.ndarray
    near: np.ndarray
    margin: np.ndarray
    scale: float


def stated(w: World) -> Program:
    """The level cell by cell, each rule as its definition says, nothing rounded."""
    cells, count = w.cells, len(w.cells)
    scale = float(w.plan["amount"].sum()) / 10
    total, last = float(w.plan["amount"].sum()), w.history["amount"].to_numpy(float)
    equal = [(cells["region"] == region).to_numpy(float) for region in w.plan["region"]]
    goal = list(w.plan["amount"].to_numpy(float))
    low, high = np.zeros(count), np.full(count, np.inf)
    body, bound, penalty = [], [], []
    for lock in w.locks:
        equal.append(_inside(cells, lock.where))
        goal.append(lock.amount)
    for rule in w.rules:
        here = _inside(cells, rule.where)
        if rule.each == "cell":
            low, high = np.maximum(low, last * (1 + rule.min)), np.minimum(high, last * (1 + rule.max))
            continue
        for limit, sign in ((rule.max, 1.0), (rule.min, -1.0)):
            if limit is None:
                continue
            if rule.unit == "ratio":
                part = w.measures["heads"].to_numpy()
                per = w.measures[rule.per].to_numpy() if rule.per else np.ones(count)
                row, edge = part - limit * per, 0.0
                row = row / np.abs(row).max()
            elif rule.of:
                row, edge = here - limit * _inside(cells, rule.of), 0.0
            else:
                base = {"share": total, "amount": 1.0, "growth": float(here @ last)}[rule.unit]
                row, edge = here, (limit + (rule.unit == "growth")) * base
            body.append(sign * row)
            bound.append(sign * edge)
            penalty.append(np.inf if rule.hard else rule.penalty)
    return Program(
        np.array(equal), np.array(goal) / scale, np.array(body).reshape(-1, count), np.array(bound) / scale, np.array(penalty),
        low / scale, high / scale, w.near / scale, w.margins["margin"].to_numpy(), scale,
    )  # fmt: skip


def _inside(cells: pd.DataFrame, where: dict) -> np.ndarray:
    chosen = np.ones(len(cells), dtype=bool)
    for name, members in where.items():
        chosen &= cells[name].isin([members] if isinstance(members, str) else members).to_numpy()
    return chosen.astype(float)


def most_profit(p: Program) -> tuple[float, np.ndarray] | None:
    """SciPy: the most profit less what soft limits miss, minor units; None where nothing keeps the hard limits."""
    soft = np.isfinite(p.penalty)
    count, misses = len(p.near), int(soft.sum())
    give = np.zeros((len(p.body), misses))
    give[soft] = -np.eye(misses)
    found = linprog(
        np.r_[-p.margin, p.penalty[soft]],
        np.hstack([p.body, give]) if len(p.body) else None,
        p.bound if len(p.body) else None,
        np.hstack([p.equal, np.zeros((len(p.equal), misses))]),
        p.goal,
        [*zip(p.low, np.where(np.isinf(p.high), None, p.high), strict=True), *[(0, None)] * misses],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert found.status in (0, 2), found.message
    return (-found.fun * p.scale, found.x[:count] * p.scale) if found.status == 0 else None


def nearest(p: Program, profit: float, hold: float | None = None) -> tuple[float, np.ndarray, np.ndarray] | None:
    """Clarabel: the least of sum (x - near)^2 / near - gain, soft misses included, minor units, the amounts, and what is met.

    profit   parts of profit against 1 - profit of distance; `hold` instead keeps a profit (less misses) of so much
    """
    soft = np.isfinite(p.penalty)
    count, misses, gain = len(p.near), int(soft.sum()), profit / (1 - profit) * p.margin
    give = np.zeros((len(p.body), misses))
    give[soft] = -np.eye(misses)
    capped = np.isfinite(p.high)
    below = [
        np.hstack([p.body, give]),
        np.hstack([-np.eye(count), np.zeros((count, misses))]),
        np.hstack([np.eye(count)[capped], np.zeros((int(capped.sum()), misses))]),
        np.hstack([np.zeros((misses, count)), -np.eye(misses)]),
    ]
    most = [p.bound, -p.low, p.high[capped], np.zeros(misses)]
    costs = p.penalty[soft]
    if hold is not None:
        below.append(np.r_[-p.margin, costs][None, :])
        most.append(np.array([-hold / p.scale * (1 - HOLD)]))
        costs = np.zeros(misses)
    a = sparse.csc_matrix(np.vstack([np.hstack([p.equal, np.zeros((len(p.equal), misses))]), *below]))
    b = np.r_[p.goal, np.concatenate(most)]
    quadratic = sparse.csc_matrix(np.diag(np.r_[2.0 / p.near, np.zeros(misses)]))
    options = clarabel.DefaultSettings()
    options.verbose, options.max_iter = False, 500
    options.tol_gap_abs = options.tol_gap_rel = options.tol_feas = 1e-13
    options.reduced_tol_gap_abs = options.reduced_tol_gap_rel = options.reduced_tol_feas = 1e-9
    cones = [clarabel.ZeroConeT(len(p.goal)), clarabel.NonnegativeConeT(len(b) - len(p.goal))]
    found = clarabel.DefaultSolver(quadratic, np.r_[-2.0 - gain, costs], a, b, cones, options).solve()
    if str(found.status) in ("PrimalInfeasible", "AlmostPrimalInfeasible"):
        return None
    assert str(found.status) in ("Solved", "AlmostSolved"), found.status
    x = np.array(found.x)[:count]
    met = np.array(found.z)[len(p.goal) :] > np.array(found.s)[len(p.goal) :]
    return (found.obj_val + p.near.sum()) * p.scale, x * p.scale, met


def value(w: World) -> float | None:
    """The least cost of a world's aim, minor units: distance less gains, or less profit; None where nothing keeps the rules."""
    if w.aim.profit == 1:
        found = most_profit(stated(w))
        return None if found is None else -found[0]
    found = nearest(stated(w), w.aim.profit)
    return None if found is None else found[0]
