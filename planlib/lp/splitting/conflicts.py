"""When the hard rules cannot all hold: which ones clash, what each asks and can have, and the cheapest way out.

Feasibility is asked of the linear form alone: sums of floors and caps, locks that contradict each other and rules that meet in
several ways are all found by the same question, all at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from planlib.errors import ConflictError, PlanError, collected
from planlib.lp.rules import Lock, Rule
from planlib.lp.splitting.elastic import Bent, Elastic, Terms
from planlib.lp.splitting.limits import Guardrail

# Differences of shares and growths below this are the solver's noise.
ZERO = 1e-9
# The same for money in one cell, minor units.
NOTHING = 1e-3
# Sets of rules that clash independently of each other are named up to this many.
MOST = 20
# Sets, rules of a set and changes that the message spells out; the tables hold them all.
SPELT = 6
# How often a guardrail's repair may be widened for its cells' whole minor units: by 1 hundredth of a point, 3, 7, ...
DOUBLINGS = 20


def conflict(terms: Terms, name: str, rules: Sequence[Rule]) -> ConflictError:
    """The error that names every minimal set of hard rules that cannot hold together, and the cheapest repair.

    Sets are looked for one after the other, each among the rules that no earlier set holds. What a rule of a set can have is
    the most (a cap: the least) that the others of its set leave it, in the rule's own unit; a guardrail gives by the same step
    in every cell, and the cell that needs it most is named. See `ConflictError` for the tables.
    """
    elastic = Elastic(terms)
    left = terms.names
    sets: list[list[str]] = []
    while len(sets) < MOST and not elastic.feasible(left):
        sets.append(irreducible(elastic, left))
        left = left - set(sets[-1])
    rows: list[dict[str, Any]] = []
    for number, names in enumerate(sorted(sets), start=1):
        for one in names:
            rows += [{"set": number, **row} for row in _have_and_need(elastic, set(names), one)]
    conflicts = pd.DataFrame(rows, columns=["set", "rule", "side", "unit", "need", "have", "cell", "booked"])
    repair, repaired = _repair(elastic, rules)
    return ConflictError(_message(name, conflicts, repair), conflicts, repair, repaired)


def irreducible(elastic: Elastic, names: set[str]) -> list[str]:
    """Names of a minimal set of rules that cannot hold together: dropping any of them helps.

    What a ray of the dual (Farkas) does not name is dropped if the rest still clashes, then each rule is tried without
    (deletion filter: Chinneck and Dravnieks 1991, ORSA J. Computing 3(2)). To be asked right after `names` were found to clash.
    """
    guardrails = {guardrail.rule.name for guardrail in elastic.terms.guardrails} & names
    named = set(elastic.clashing()) & names
    for fewer in (named, named | guardrails):
        if fewer and fewer != names and not elastic.feasible(fewer):
            names = fewer
            break
    kept = sorted(names)
    for one in sorted(names):
        without = [name for name in kept if name != one]
        if not elastic.feasible(set(without)):
            kept = without
    return kept


def _have_and_need(elastic: Elastic, names: set[str], name: str) -> list[dict[str, Any]]:
    """For each side of a rule that the others of its set deny: what it asks and the best it can have, in its own unit."""
    bent = elastic.bent(names, {name: 1.0})
    return [
        {"rule": name, "side": side, "unit": unit, "need": asked, "have": have, "cell": cell, "booked": booked}
        for side, unit, asked, have, cell, booked in _denied(elastic.terms, bent, {name})
    ]


def _repair(elastic: Elastic, rules: Sequence[Rule]) -> tuple[pd.DataFrame, tuple[list[Rule], list[Lock]]]:
    """The least change of limits, weighted by each rule's penalty, that makes the plan possible; among equals, of few rules."""
    terms = elastic.terms
    stated: dict[str, Rule | Lock] = {limit.name: limit.rule for limit in terms.limits}
    stated |= {guardrail.rule.name: guardrail.rule for guardrail in terms.guardrails}
    prices = {name: rule.penalty for name, rule in stated.items()}
    bent = elastic.bent(terms.names, prices)
    if np.isinf(bent.cost):
        raise PlanError(f"{sorted(prices)}: no change of these rules makes the plan possible, expected one to; report this.")
    for name in sorted({str(row["rule"]) for row in _changes(terms, bent)}):
        without = {other: price for other, price in prices.items() if other != name}
        fewer = elastic.bent(terms.names, without)
        if fewer.cost <= bent.cost + ZERO * max(1.0, abs(bent.cost)):
            prices, bent = without, replace(fewer, cost=bent.cost)
    changes = _whole(elastic, _changes(terms, bent), prices)
    for row in changes:
        key = {"lock": "amount", "floor": "min", "cap": "max"}[row["side"]]
        stated[row["rule"]] = stated[row["rule"]].model_copy(update={key: row["to"]})
    soft = [rule for rule in rules if not rule.hard]
    kept = (
        [rule for rule in stated.values() if isinstance(rule, Rule)],
        [rule for rule in stated.values() if isinstance(rule, Lock)],
    )
    columns = ["rule", "side", "unit", "from", "to", "penalty", "cell"]
    return pd.DataFrame(changes, columns=columns), ([*kept[0], *soft], kept[1])


def _whole(elastic: Elastic, changes: list[dict[str, Any]], prices: Mapping[str, float]) -> list[dict[str, Any]]:
    """The changes in whole minor units: guardrails a little wider where their cells' whole units leave too little together, the
    other limits as they then must be."""
    guardrails = {guardrail.rule.name: guardrail for guardrail in elastic.terms.guardrails}
    mine = [row for row in changes if row["rule"] in guardrails]
    if not mine:
        return changes
    changed = {row["rule"] for row in changes} - set(guardrails)
    for number in range(DOUBLINGS):
        instead: dict[str, Guardrail] = {}
        for row in mine:
            step = (1.0 if row["unit"] == "amount" else 1e-4) * (2.0**number - 1) * (-1 if row["side"] == "floor" else 1)
            guardrail = instead.get(row["rule"], guardrails[row["rule"]])
            limit = {"min" if row["side"] == "floor" else "max": round(row["to"] + step, 4)}
            instead[row["rule"]] = guardrail.under(guardrail.rule.model_copy(update=limit))
        if not elastic.feasible(elastic.terms.names - changed, instead):
            continue
        bent = elastic.bent(elastic.terms.names, {name: price for name, price in prices.items() if name in changed}, instead)
        if np.isfinite(bent.cost):
            break
    else:  # fewer minor units than cells: what is possible in fractions is not in whole units
        return changes
    for row in mine:
        row["to"] = getattr(instead[row["rule"]].rule, "min" if row["side"] == "floor" else "max")
    return [*mine, *_changes(elastic.terms, bent)] if changed else mine


def _denied(terms: Terms, bent: Bent, names: set[str]) -> list[tuple[str, str, float, float, str, float]]:
    """The limits of some rules that an answer misses: side, unit, asked, found, cell and booked; one of each side and rule."""
    rows = []
    for limit in (limit for limit in terms.limits if limit.name in names):
        have = limit.found(bent.amounts)
        scale = max(abs(have), max(abs(end) for end in limit.natural if end is not None)) if limit.unit == "ratio" else 1.0
        for side, asked in zip(("floor", "cap"), limit.natural, strict=True):
            if asked is None or not (have < asked - ZERO * scale if side == "floor" else have > asked + ZERO * scale):
                continue
            kind = "lock" if isinstance(limit.rule, Lock) else side
            booked = float(terms.booked[limit.cells].sum()) if limit.part is None else 0.0
            holds = limit.high is not None and booked > limit.high
            rows.append((kind, limit.unit, asked, have, "", booked if holds else 0.0))
    for guardrail in (guardrail for guardrail in terms.guardrails if guardrail.rule.name in names):
        rule = guardrail.rule
        for side, asked, sign in (("floor", rule.min, -1.0), ("cap", rule.max, 1.0)):
            number = int(side == "cap")
            by, cell = bent.widened[rule.name][number], bent.worst[rule.name][number]
            if asked is None or by * float(guardrail.base.max(initial=0.0)) <= NOTHING:
                continue
            at = np.flatnonzero(guardrail.cells == cell)
            booked = float(terms.booked[cell]) if len(at) and terms.booked[cell] > guardrail.high[at[0]] else 0.0
            rows.append((side, rule.unit, asked, asked + sign * by, terms.told(cell), booked if side == "cap" else 0.0))
    return rows


def _changes(terms: Terms, bent: Bent) -> list[dict[str, Any]]:
    """The limits that an answer misses, each with the one that it would keep."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    amounts = bent.amounts
    for limit in terms.limits:
        value, found = limit.value(amounts), limit.found(amounts)
        missed = {"floor": -np.inf if limit.low is None else limit.low - value}
        missed["cap"] = -np.inf if limit.high is None else value - limit.high
        for side, asked in zip(("floor", "cap"), limit.natural, strict=True):
            if asked is None or missed[side] <= 1e-6 * max(1.0, abs(value)):
                continue
            kind = "lock" if isinstance(limit.rule, Lock) else side
            row = {"rule": limit.name, "side": kind, "unit": limit.unit, "from": asked, "penalty": limit.rule.penalty}
            to = float(round(found)) if kind == "lock" else _eased(found, limit.unit, side)
            rows[limit.name, side] = {**row, "to": to, "cell": ""}
    names = {guardrail.rule.name for guardrail in terms.guardrails} & set(bent.widened)
    for guardrail in (guardrail for guardrail in terms.guardrails if guardrail.rule.name in names):
        rule = guardrail.rule
        for side, unit, asked, have, cell, _ in _denied(terms, bent, {rule.name}):
            row = {"rule": rule.name, "side": side, "unit": unit, "from": asked, "penalty": rule.penalty, "cell": cell}
            rows[rule.name, side] = {**row, "to": round(have, 0 if unit == "amount" else 4)}
    return list(rows.values())


def _eased(found: float, unit: str, side: str) -> float:
    """A limit that what was found keeps, rounded away from it: minor unit, hundredth of a point, a ratio's fifth digit."""
    if unit == "ratio":
        steps = 10.0 ** (4 - np.floor(np.log10(abs(found)))) if found else 1e4
    else:
        steps = 1.0 if unit == "amount" else 1e4
    return float((np.floor(found * steps + 1e-6) if side == "floor" else np.ceil(found * steps - 1e-6)) / steps)


def _message(name: str, conflicts: pd.DataFrame, repair: pd.DataFrame) -> str:
    words = {
        "floor": "asks for at least {need}, the others leave it at most {have}",
        "cap": "asks for at most {need}, the others leave it at least {have}",
        "lock": "is locked at {need}, the others leave it {have}",
    }
    faults = []
    for number, rows in conflicts.groupby("set", sort=True):
        if number > SPELT:
            faults.append(
                f"and {conflicts['set'].max() - SPELT} more sets of rules that cannot hold together, in the table of conflicts"
            )
            break
        names = [f'"{rule}"' for rule in dict.fromkeys(rows["rule"])]
        lines = []
        for row in rows.head(SPELT).itertuples():
            need, have = apart(row.need, row.have, row.unit)
            text = words[row.side].format(need=need, have=have)
            text += f" ({row.cell} needs it most)" * bool(row.cell)
            text += f" ({row.booked:,.0f} minor units are already booked)" * bool(row.booked)
            lines.append(f'"{row.rule}" {text if len(names) > 1 else text.replace("the others leave", "the totals leave")}')
        said = [*names[:SPELT], f"{len(names) - SPELT} more"] if len(names) > SPELT else names
        together = " and ".join(filter(None, [", ".join(said[:-1]), said[-1]]))
        faults.append(f"{together} cannot hold {'together' if len(names) > 1 else 'at all'}: " + "; ".join(lines))
    for row in repair.head(SPELT).to_dict("records"):
        start, end = apart(row["from"], row["to"], row["unit"])
        by = in_unit(abs(row["to"] - row["from"]), row["unit"])
        change = "lower" if row["to"] < row["from"] else "raise"
        faults.append(f'cheapest way out: {change} the {row["side"]} "{row["rule"]}" from {start} to {end} (by {by})')
    if len(repair) > SPELT:
        faults.append(f"and {len(repair) - SPELT} more changes, in the table of the repair")
    return collected(f"{name}: the hard rules cannot all hold; ease one of each set, or take the cheapest way out.", faults)


def in_unit(value: float, unit: str, more: int = 0) -> str:
    """A limit as its reader counts it, with so many digits more than usual."""
    if unit == "amount":
        return f"{value:,.{more}f} minor units"
    return f"{value:.{4 + more}g}" if unit == "ratio" else f"{value:.{2 + more}%}" + (" growth" if unit == "growth" else "")


def apart(first: float, second: float, unit: str) -> tuple[str, str]:
    """Two limits with as many digits as tell them apart."""
    for more in range(0, 12, 2):
        told = in_unit(first, unit, more), in_unit(second, unit, more)
        if told[0] != told[1]:
            break
    return told
