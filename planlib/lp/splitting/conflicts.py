"""When the hard rules cannot all hold: which ones clash, what each asks and can have, and the cheapest way out.

Feasibility is asked of the linear form alone: sums of floors and caps, locks that contradict each other and rules that meet in
several ways are all found by the same question, all at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pulp

from planlib.errors import ConflictError, PlanError, collected
from planlib.lp import solver
from planlib.lp.rules import Lock, Rule
from planlib.lp.splitting.limits import Limit
from planlib.lp.splitting.program import Linear, Program, stated

# Differences of shares and growths below this are the solver's noise.
ZERO = 1e-9
# Sets of rules that clash independently of each other are named up to this many.
MOST = 20


@dataclass(frozen=True)
class Terms:
    """What a conflict is explained from: a program whose every rule and lock is a row, money divided by `scale`."""

    program: Program
    limits: Sequence[Limit]
    amounts: Callable[[np.ndarray], np.ndarray]
    scale: float

    def only(self, names: set[str]) -> "Terms":
        """The same cells under some of the rules."""
        rows = [number for number, limit in enumerate(self.limits) if limit.name in names]
        part = self.program
        part = replace(
            part,
            rows=part.rows[rows],
            floor=part.floor[rows],
            cap=part.cap[rows],
            penalty=part.penalty[rows],
            kinds=[part.kinds[number] for number in rows],
        )
        return replace(self, program=part, limits=[self.limits[number] for number in rows])


def conflict(terms: Terms, name: str, rules: Sequence[Rule], locks: Sequence[Lock]) -> ConflictError:
    """The error that names every minimal set of hard rules that cannot hold together, and the cheapest repair.

    Sets are looked for one after the other, each among the rules that no earlier set holds. What a rule of a set can have is
    the most (a cap: the least) that the others of its set leave it, in the rule's own unit. See `ConflictError` for the tables.
    """
    terms = terms.only({limit.name for limit in terms.limits if limit.hard})
    left = {limit.name for limit in terms.limits}
    sets: list[list[str]] = []
    while len(sets) < MOST and not feasible(terms.only(left)):
        sets.append(irreducible(terms.only(left)))
        left -= set(sets[-1])
    rows: list[dict[str, Any]] = []
    for number, names in enumerate(sorted(sets), start=1):
        for one in names:
            rows += [{"set": number, **row} for row in _have_and_need(terms.only(set(names)), one)]
    conflicts = pd.DataFrame(rows, columns=["set", "rule", "side", "unit", "need", "have"])
    repair, repaired = _repair(terms, rules, locks)
    return ConflictError(_message(name, conflicts, repair), conflicts, repair, repaired)


def feasible(terms: Terms) -> bool:
    """Whether some deviation keeps all hard limits."""
    return solver.optimise(_bare(terms))


def irreducible(terms: Terms) -> list[str]:
    """Names of a minimal set of rules that cannot hold together: dropping any of them helps.

    HiGHS names rows of an irreducible subsystem; what it does not name is dropped, then each rule is tried without (deletion
    filter: Chinneck and Dravnieks 1991, ORSA J. Computing 3(2)), because parents' totals outside the subsystem count too.
    """
    names = sorted({limit.name for limit in terms.limits})
    rows = [row for row in solver.irreducible(_bare(terms)) if not row.startswith("parent_total_")]
    named = sorted({terms.limits[int(row.rsplit("_", 1)[1])].name for row in rows})
    if named and not feasible(terms.only(set(named))):
        names = named
    return filtered(terms, names)


def filtered(terms: Terms, names: list[str]) -> list[str]:
    """The deletion filter alone: what is left of `names` when each that is not needed for the conflict is dropped."""
    kept = list(names)
    for one in names:
        without = [name for name in kept if name != one]
        if not feasible(terms.only(set(without))):
            kept = without
    return kept


def _bare(terms: Terms) -> pulp.LpProblem:
    problem = stated(terms.program, "conflict", terms.scale)
    problem.setObjective(pulp.LpAffineExpression())
    return problem


def _have_and_need(terms: Terms, name: str) -> list[dict[str, Any]]:
    """For each side of a rule that the others of its set deny: what it asks and the best it can have, in its own unit."""
    seen: dict[str, dict[str, Any]] = {}
    amounts = _bent(terms, {name: 1.0})[1]
    for limit in (limit for limit in terms.limits if limit.name == name):
        have = limit.found(amounts)
        for side, asked in zip(("floor", "cap"), limit.natural, strict=True):
            if asked is None or not (have < asked - ZERO if side == "floor" else have > asked + ZERO):
                continue
            # A guardrail asks the same of many cells: the one that is furthest off speaks for all.
            if side not in seen or abs(asked - have) > abs(seen[side]["need"] - seen[side]["have"]):
                kind = "lock" if isinstance(limit.rule, Lock) else side
                seen[side] = {"rule": name, "side": kind, "unit": limit.unit, "need": asked, "have": have}
    return list(seen.values())


def _bent(terms: Terms, prices: dict[str, float]) -> tuple[float, np.ndarray]:
    """What it costs when the named rules may be missed, at their price per unit of money, and all others hold; with the exact
    amounts then. An infinite cost where even that does not help."""
    price = np.array([prices.get(limit.name, np.inf) for limit in terms.limits])
    problem = stated(terms.program, "repair", terms.scale, price)
    if not solver.optimise(problem):
        return np.inf, np.zeros(0)
    found = Linear.of(problem, terms.scale, len(terms.limits))
    return float(pulp.value(problem.objective)), terms.amounts(found.deviation(len(terms.program.size)))


def _repair(terms: Terms, rules: Sequence[Rule], locks: Sequence[Lock]) -> tuple[pd.DataFrame, tuple[list[Rule], list[Lock]]]:
    """The least change of limits, weighted by each rule's penalty, that makes the plan possible; among equals, of few rules."""
    prices = {limit.name: limit.rule.penalty for limit in terms.limits}
    cost, amounts = _bent(terms, prices)
    if np.isinf(cost):
        raise PlanError(f"{sorted(prices)}: no change of these rules makes the plan possible, expected one to; report this.")
    for name in sorted({str(row["rule"]) for row in _changes(terms, amounts)}):
        without = {other: price for other, price in prices.items() if other != name}
        fewer = _bent(terms, without)
        if fewer[0] <= cost + ZERO * max(1.0, abs(cost)):
            prices, amounts = without, fewer[1]
    changes = _changes(terms, amounts)
    mended = {limit.name: limit.rule for limit in terms.limits}
    for row in changes:
        key = {"lock": "amount", "floor": "min", "cap": "max"}[row["side"]]
        mended[row["rule"]] = mended[row["rule"]].model_copy(update={key: row["to"]})
    soft = [rule for rule in rules if not rule.hard]
    kept = (
        [rule for rule in mended.values() if isinstance(rule, Rule)],
        [rule for rule in mended.values() if isinstance(rule, Lock)],
    )
    return pd.DataFrame(changes, columns=["rule", "side", "unit", "from", "to", "penalty"]), ([*kept[0], *soft], kept[1])


def _changes(terms: Terms, amounts: np.ndarray) -> list[dict[str, Any]]:
    """The limits that some amounts miss, each with the one that they would keep; of a guardrail's cells the furthest off."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for limit in terms.limits:
        value, found = limit.value(amounts), limit.found(amounts)
        missed = {"floor": -np.inf if limit.low is None else limit.low - value}
        missed["cap"] = -np.inf if limit.high is None else value - limit.high
        for side, asked in zip(("floor", "cap"), limit.natural, strict=True):
            if asked is None or missed[side] <= 1e-6 * max(1.0, abs(value)):
                continue
            to = _eased(limit, side, found)
            worst = rows.get((limit.name, side), {"to": to})["to"]
            kind = "lock" if isinstance(limit.rule, Lock) else side
            row = {"rule": limit.name, "side": kind, "unit": limit.unit, "from": asked, "penalty": limit.rule.penalty}
            rows[limit.name, side] = {**row, "to": min(to, worst) if side == "floor" else max(to, worst)}
    return list(rows.values())


def _eased(limit: Limit, side: str, found: float) -> float:
    """A limit that what was found keeps, rounded away from it: to a hundredth of a point, or a whole minor unit."""
    if isinstance(limit.rule, Lock):
        return float(round(found))
    steps = 1.0 if limit.unit == "amount" else 1e4
    return float((np.floor(found * steps + 1e-6) if side == "floor" else np.ceil(found * steps - 1e-6)) / steps)


def _message(name: str, conflicts: pd.DataFrame, repair: pd.DataFrame) -> str:
    words = {
        "floor": "asks for at least {need}, the others leave it at most {have}",
        "cap": "asks for at most {need}, the others leave it at least {have}",
        "lock": "is locked at {need}, the others leave it {have}",
    }
    faults = []
    for _, rows in conflicts.groupby("set", sort=True):
        names = [f'"{rule}"' for rule in dict.fromkeys(rows["rule"])]
        together = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        lines = []
        for row in rows.itertuples():
            text = words[row.side].format(need=in_unit(row.need, row.unit), have=in_unit(row.have, row.unit))
            lines.append(f'"{row.rule}" {text if len(names) > 1 else text.replace("the others leave", "the totals leave")}')
        faults.append(f"{together} cannot hold {'together' if len(names) > 1 else 'at all'}: " + "; ".join(lines))
    for row in repair.to_dict("records"):
        start, end, by = (in_unit(value, row["unit"]) for value in (row["from"], row["to"], abs(row["to"] - row["from"])))
        change = "lower" if row["to"] < row["from"] else "raise"
        faults.append(f'cheapest way out: {change} the {row["side"]} "{row["rule"]}" from {start} to {end} (by {by})')
    return collected(f"{name}: the hard rules cannot all hold; ease one of each set, or take the cheapest way out.", faults)


def in_unit(value: float, unit: str) -> str:
    """A limit as its reader counts it."""
    if unit == "amount":
        return f"{value:,.0f} minor units"
    return f"{value:.4g}" if unit == "ratio" else f"{value:.2%}" + (" growth" if unit == "growth" else "")
