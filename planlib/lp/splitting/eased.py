"""What easing a rule changes in the expected miss: each one that binds is eased by its natural unit and solved again."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from planlib.errors import ConflictError
from planlib.lp.rules import Lock, Rule
from planlib.lp.splitting.explain import THOUSAND
from planlib.lp.splitting.level import Level
from planlib.lp.splitting.limits import Limit
from planlib.lp.splitting.shortfall import Sales

POINT = 0.01
Solved = Callable[[Sequence[Rule], Sequence[Lock]], Level]


def miss_changes(
    table: pd.DataFrame, level: Level, rules: Sequence[Rule], locks: Sequence[Lock], sales: Sales, solved: Solved
) -> np.ndarray:
    """One entry per row of `Split.rules`: by how much the expected miss changes, minor units a year per natural unit (`per`).

    Parameters
        table   the rules; those that neither bind nor were given up change nothing
        level   the level as solved under `rules` (expanded, one name each) and `locks`
        solved  the same level solved under other rules and locks
    A limit on a share, growth or ratio is eased by 0.01, a guardrail on both sides; one on an amount by a thousand of the
    currency (less where it would pass 0), and the change is the mean per unit: a single minor unit would be the arithmetic's
    own size. Negative: the miss falls. Missing where the eased limits cannot hold.
    """
    eased: Sequence[Rule]
    held: Sequence[Lock]
    before, changes = sales.miss(level.exact), np.zeros(len(table))
    limits = {(limit.name, limit.natural[0] is not None): number for number, limit in enumerate(level.limits)}
    for place, row in enumerate(table.itertuples()):
        if not (row.binds or row.given_up > 0):
            continue
        number = limits.get((str(row.rule), pd.notna(row.min)))
        up = _upward(level, str(row.rule), number)
        lock = next((lock for lock in locks if lock.name == row.rule), None)
        if lock is not None:
            if up == 0:
                continue
            amount = max(0.0, float(round(lock.amount)) + up * THOUSAND)
            step = abs(amount - round(lock.amount))
            eased, held = rules, [one.model_copy(update={"amount": amount}) if one is lock else one for one in locks]
        else:
            rule = next(rule for rule in rules if rule.name == row.rule)
            step = THOUSAND if rule.unit == "amount" else POINT
            eased, held = [wider(one, step, up) if one is rule else one for one in rules], locks
        try:
            after = sales.miss(solved(eased, held).exact)
        except ConflictError:
            changes[place] = np.nan
            continue
        changes[place] = (after - before) / (step or 1.0) if row.unit == "amount" else after - before
    return changes


def wider(rule: Rule, step: float, up: float) -> Rule:
    """A rule eased: its cap raised (`up` 1), its floor lowered (-1) or both (0); a share stays between 0 and 1."""
    ends: dict[str, float] = {}
    if rule.min is not None and up <= 0:
        ends["min"] = max(0.0, rule.min - step) if rule.unit == "share" else rule.min - step
    if rule.max is not None and up >= 0:
        ends["max"] = min(1.0, rule.max + step) if rule.unit == "share" else rule.max + step
    return rule.model_copy(update=ends)


def _upward(level: Level, name: str, number: int | None) -> float:
    """Which way the plan would go if it could: 1 up, -1 down, 0 where nothing pulls."""
    if number is not None:
        return -float(np.sign(level.prices.price[number])) or _nearer(level.limits[number], level.exact)
    place = level.cells.locks.get(name)
    return 0.0 if place is None else -float(np.sign(level.bounds.pull[place]))


def _nearer(limit: Limit, exact: np.ndarray) -> float:
    """The side of a limit that is met without a price; a lock has none."""
    if isinstance(limit.rule, Lock) or limit.low is None or limit.high is None:
        return 0.0
    value = limit.value(exact)
    return 1.0 if limit.high - value < value - limit.low else -1.0
