"""Rules and locked totals as rows over the cells of one level: coefficients, bounds, and back to natural units."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib.errors import ParameterError
from planlib.lp.rules import Lock, Rule, expanded, mask
from planlib.plan import AMOUNT, DIMENSIONS


@dataclass(frozen=True)
class ClassRow:
    """A limit over the deviations of classes of cells: low <= coefficients @ deviation[classes] <= high."""

    classes: np.ndarray
    coefficients: np.ndarray
    low: float | None
    high: float | None
    hard: bool
    penalty: float

    def scaled(self, scale: float) -> "ClassRow":
        low = None if self.low is None else self.low / scale
        high = None if self.high is None else self.high / scale
        return ClassRow(self.classes, self.coefficients, low, high, self.hard, self.penalty)

    def holds(self, deviation: np.ndarray) -> bool:
        value = float(self.coefficients @ deviation[self.classes])
        room = _room(self.coefficients)
        return (self.low is None or value >= self.low - room) and (self.high is None or value <= self.high + room)


@dataclass(frozen=True)
class Limit:
    """low <= coefficients @ amounts[cells] <= high, in minor units.

    `base` turns money into the rule's natural unit. A quotient of two parts of the level is a row against 0 and keeps its
    numerator and denominator in `part` and `whole`.
    """

    name: str
    cells: np.ndarray
    coefficients: np.ndarray
    low: float | None
    high: float | None
    rule: Rule | Lock
    base: float
    part: np.ndarray | None = None
    whole: np.ndarray | None = None

    @property
    def hard(self) -> bool:
        return isinstance(self.rule, Lock) or self.rule.hard

    @property
    def unit(self) -> str:
        return "amount" if isinstance(self.rule, Lock) else self.rule.unit

    def value(self, amounts: np.ndarray) -> float:
        return float(self.coefficients @ amounts[self.cells])

    def holds(self, amounts: np.ndarray) -> bool:
        value, room = self.value(amounts), _room(self.coefficients)
        return (self.low is None or value >= self.low - room) and (self.high is None or value <= self.high + room)

    def in_unit(self, money: float, difference: bool = False) -> str:
        """An amount of money as this rule's reader counts it."""
        if self.unit == "amount":
            return f"{money:,.0f} minor units"
        share = money / self.base if self.base else float("nan")
        if self.unit == "growth" and not difference:
            share -= 1.0
        return f"{share:.2%}" if self.unit != "ratio" else f"{share:.4g} (ratio, money-weighted)"

    def on_classes(self, inside: np.ndarray, labels: np.ndarray, reference: np.ndarray, count: int) -> ClassRow:
        """The same limit over class deviations from the reference. Cells outside the block are constants."""
        label_of = np.full(count, -1, dtype=np.int64)
        label_of[inside] = labels
        mine = label_of[self.cells]
        classes, where = np.unique(mine[mine >= 0], return_index=True)
        now = self.value(reference)
        low = None if self.low is None else self.low - now
        high = None if self.high is None else self.high - now
        penalty = 1.0 if isinstance(self.rule, Lock) else self.rule.penalty
        return ClassRow(classes, self.coefficients[mine >= 0][where], low, high, self.hard, penalty)

    def found(self, amounts: np.ndarray) -> float:
        """What the rule limits, in its own unit: a share, an amount, a growth or a ratio."""
        if self.part is not None and self.whole is not None:
            whole = float(self.whole @ amounts[self.cells])
            return float(self.part @ amounts[self.cells]) / whole if whole else float("nan")
        if self.unit == "amount":
            return self.value(amounts)
        share = self.value(amounts) / self.base if self.base else float("nan")
        return share - 1.0 if self.unit == "growth" else share

    def report(self, amounts: np.ndarray) -> dict[str, object]:
        """A row of Split.rules: found and slack in the rule's own unit, slack to the nearer limit, negative = missed."""
        rule, value = self.rule, self.value(amounts)
        gaps = [value - self.low] if self.low is not None else []
        gaps += [self.high - value] if self.high is not None else []
        low, high = (rule.amount, rule.amount) if isinstance(rule, Lock) else (rule.min, rule.max)
        if self.part is not None:
            low, high = (low, None) if self.high is None else (None, high)
        found = self.found(amounts)
        # What rounding to minor units, and the solver's tolerance on large amounts, can leave between a plan and its limit.
        leaning = max(1.0, len(self.cells) * 0.5, 1e-7 * abs(value)) * float(np.abs(self.coefficients).max(initial=1.0))
        missed = max((-gap for gap in gaps), default=0.0)
        return {
            "rule": self.name,
            "unit": self.unit,
            "min": low,
            "max": high,
            "found": found,
            "slack": min(found - (-math.inf if low is None else low), (math.inf if high is None else high) - found),
            "binds": bool(gaps) and min(gaps) <= leaning,
            "hard": self.hard,
            "met": self.holds(amounts) if self.hard else missed <= leaning,
            "owner": rule.owner,
            "reason": rule.reason,
        }


def limits_of(
    cells: pd.DataFrame,
    parent_dims: list[str],
    rules: Sequence[Rule],
    totals: Sequence[Lock],
    history: pd.DataFrame | None,
    measures: pd.DataFrame | None,
) -> list[Limit]:
    """Every rule and locked total, sorted by name. A floor and a cap on a ratio or an inner share make two limits."""
    written: list[Limit] = []
    for lock in totals:
        chosen = np.flatnonzero(mask(cells, lock.where, lock.name))
        amount = float(round(lock.amount))
        written.append(Limit(lock.name, chosen, np.ones(len(chosen)), amount, amount, lock, 1.0))
    for rule in expanded(list(rules), cells):
        written += _limits_of_rule(cells, parent_dims, rule, history, measures)
    return sorted(written, key=lambda limit: (limit.name, limit.low is None))


def _limits_of_rule(
    cells: pd.DataFrame,
    parent_dims: list[str],
    rule: Rule,
    history: pd.DataFrame | None,
    measures: pd.DataFrame | None,
) -> list[Limit]:
    chosen = mask(cells, rule.where, rule.name).to_numpy()
    index = np.flatnonzero(chosen)
    ones = np.ones(len(index))
    if rule.unit == "amount":
        return [Limit(rule.name, index, ones, *_whole(rule.min, rule.max), rule, 1.0)]
    if rule.unit == "growth":
        base = _last_year(rule, history)
        if base <= 0:  # nothing to grow from: the rule says nothing, and its row in the report shows no figure
            return [Limit(rule.name, index, ones, None, None, rule, 0.0)]
        low = None if rule.min is None else base * (1 + rule.min)
        high = None if rule.max is None else base * (1 + rule.max)
        return [Limit(rule.name, index, ones, *_whole(low, high), rule, base)]
    if rule.unit == "share":
        of = mask(cells, rule.of, rule.name).to_numpy()
        if (chosen & ~of).any():
            raise ParameterError(f"rule {rule.name!r}: some of its cells are not part of its base `of`; widen the base.")
        base = float(cells["reference"].to_numpy()[of].sum())
        if set(rule.of) <= set(parent_dims):
            low = None if rule.min is None else base * rule.min
            high = None if rule.max is None else base * rule.max
            return [Limit(rule.name, index, ones, *_whole(low, high), rule, base)]
        return _homogeneous(rule, of, chosen.astype(float), of.astype(float), base)
    measure = _measured(cells, rule, rule.measure, measures)
    per = _measured(cells, rule, rule.per, measures) if rule.per else np.ones(len(cells))
    base = float((cells["reference"].to_numpy() * per)[chosen].sum())
    return _homogeneous(rule, chosen, measure * chosen, per * chosen, base)


def _homogeneous(rule: Rule, active: np.ndarray, part: np.ndarray, whole: np.ndarray, base: float) -> list[Limit]:
    """part / whole between the limits, as rows `part - limit * whole` against 0, one per side."""
    index = np.flatnonzero(active)
    rows = []
    for bound, low, high in ((rule.min, 0.0, None), (rule.max, None, 0.0)):
        if bound is not None:
            coefficients = (part - bound * whole)[index]
            rows.append(Limit(rule.name, index, coefficients, low, high, rule, base, part=part[index], whole=whole[index]))
    return rows


def _last_year(rule: Rule, history: pd.DataFrame | None) -> float:
    """What the rule's cells had last year, minor units. Members that are new have nothing."""
    if history is None:
        raise ParameterError(f"rule {rule.name!r} limits growth, but no last year was given; pass history or use a share.")
    lacking = [name for name in rule.where if name not in history.columns]
    if lacking:
        raise ParameterError(f"rule {rule.name!r}: last year is not known by {lacking}; limit a share or an amount there.")
    chosen = pd.Series(True, index=history.index)
    for dimension, members in rule.where.items():
        chosen &= history[dimension].isin([members] if isinstance(members, str) else members)
    return float(history.loc[chosen, AMOUNT].sum())


def _measured(cells: pd.DataFrame, rule: Rule, name: str, measures: pd.DataFrame | None) -> np.ndarray:
    if measures is None or name not in measures.columns:
        have = [] if measures is None else [column for column in measures.columns if column not in DIMENSIONS]
        raise ParameterError(f"rule {rule.name!r}: no measure {name!r}, expected one of {have}; correct it.")
    dims = [column for column in DIMENSIONS if column in measures.columns and column in cells.columns]
    values = cells[dims].merge(measures[[*dims, name]], how="left", on=dims, validate="many_to_one")[name]
    if values.isna().any():
        gap = cells.loc[values.isna().to_numpy(), dims].head(2).to_dict("records")
        raise ParameterError(f"rule {rule.name!r}: measure {name!r} is missing for {gap}; fill it or narrow the rule.")
    return values.to_numpy(dtype=float)


def _room(coefficients: np.ndarray) -> float:
    """Whole-money rows are checked to the minor unit; rows with fractional coefficients to a thousandth of one."""
    return 0.0 if np.array_equal(coefficients, np.ones(len(coefficients))) else 1e-3


def _whole(low: float | None, high: float | None) -> tuple[float | None, float | None]:
    """Bounds in whole minor units: the floor up, the cap down; where that would cross them, the nearest unit for both."""
    floor = None if low is None else float(np.ceil(low - 1e-6))
    cap = None if high is None else float(np.floor(high + 1e-6))
    if low is not None and high is not None and floor is not None and cap is not None and floor > cap:
        floor = cap = float(round((low + high) / 2))
    return floor, cap
