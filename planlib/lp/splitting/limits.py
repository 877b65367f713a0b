"""Rules and locks as rows over the cells of one level: coefficients, bounds, and back to natural units."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from planlib.errors import ParameterError
from planlib.lp.rules import Lock, Rule, expanded, whole_money
from planlib.lp.splitting.cells import Cells
from planlib.lp.splitting.ground import Ground
from planlib.plan import AMOUNT, DIMENSIONS, EXACT, rollup


@dataclass(frozen=True)
class Limit:
    """low <= coefficients @ amounts[cells] <= high, in minor units.

    `base` turns money into the rule's natural unit. A quotient of two parts of the level is a row against 0 and keeps its
    numerator and denominator in `part` and `whole`; a ratio's row is in the unit of its largest coefficient, so that neither
    its penalty nor the solver sees in which unit its measures are counted. A quotient that is `pinned` between limits
    closer than a minor unit takes the nearest one.
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
    pinned: bool = False

    @property
    def hard(self) -> bool:
        return isinstance(self.rule, Lock) or self.rule.hard

    @property
    def penalty(self) -> float:
        """What a unit of money missed costs: infinite where it must not be missed."""
        return math.inf if isinstance(self.rule, Lock) or self.rule.hard else self.rule.penalty

    @property
    def kind(self) -> str:
        """What its row is called in the model's text."""
        if isinstance(self.rule, Lock):
            return "lock"
        if not self.rule.hard:
            return "soft"
        return "inner_share" if self.part is not None and self.rule.unit == "share" else self.rule.unit

    def money_per_step(self, amounts: np.ndarray) -> float:
        """Money behind one natural unit of the limit: a point of share or growth, a hundredth of a ratio, a unit of money."""
        if self.unit == "amount":
            return 1.0
        if self.whole is not None:
            return 0.01 * float(self.whole @ amounts[self.cells])
        return 0.01 * self.base

    @property
    def unit(self) -> str:
        return "amount" if isinstance(self.rule, Lock) else self.rule.unit

    def value(self, amounts: np.ndarray) -> float:
        return float(self.coefficients @ amounts[self.cells])

    def exactly(self, amounts: np.ndarray) -> float | Fraction:
        """`value` without a rounding error, where whole amounts are too large for floats."""
        mine = amounts[self.cells]
        if mine.dtype != np.int64 or float(np.abs(mine).sum(dtype=float)) <= EXACT:
            return self.value(amounts)
        if self.plain:
            return int(mine.sum())
        return sum((Fraction(c) * a for c, a in zip(self.coefficients.tolist(), mine.tolist(), strict=True)), Fraction(0))

    def holds(self, amounts: np.ndarray) -> bool:
        value = self.exactly(amounts)
        room = self.room or 0  # a float's 0.0 would make one of a whole limit
        return (self.low is None or value >= self.low - room) and (self.high is None or value <= self.high + room)

    @property
    def room(self) -> float:
        """By how much whole minor units may miss it: whole-money rows by nothing, those with fractional coefficients by a
        thousandth, a pinned quotient by one unit."""
        if self.pinned:
            return float(np.abs(self.coefficients).max(initial=0.0))
        return 0.0 if self.plain else 1e-3

    @property
    def plain(self) -> bool:
        """Whether it is a plain sum of money."""
        return bool((self.coefficients == 1.0).all())

    def missed(self, amounts: np.ndarray) -> float:
        """Money by which the limit is missed."""
        value = self.value(amounts)
        low, high = (value if end is None else end for end in (self.low, self.high))
        return max(low - value, value - high, 0.0)

    def found(self, amounts: np.ndarray) -> float:
        """What the rule limits, in its own unit: a share, an amount, a growth or a ratio."""
        if self.part is not None and self.whole is not None:
            whole = float(self.whole @ amounts[self.cells])
            return float(self.part @ amounts[self.cells]) / whole if whole else float("nan")
        if self.unit == "amount":
            return self.value(amounts)
        share = self.value(amounts) / self.base if self.base else float("nan")
        return share - 1.0 if self.unit == "growth" else share

    @property
    def natural(self) -> tuple[float | None, float | None]:
        """The floor and the cap as the rule states them."""
        if isinstance(self.rule, Lock):
            return self.rule.amount, self.rule.amount
        low, high = self.rule.min, self.rule.max
        if self.part is not None:  # a row of its own for each side
            return (low, None) if self.high is None else (None, high)
        return low, high

    def report(self, amounts: np.ndarray) -> dict[str, object]:
        """A row of Split.rules: found and slack in the rule's own unit, slack to the nearer limit, negative = missed."""
        rule, value = self.rule, self.value(amounts)
        gaps = [value - self.low] if self.low is not None else []
        gaps += [self.high - value] if self.high is not None else []
        low, high = self.natural
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


def limits_of(ground: Ground, rules: Sequence[Rule], totals: Sequence[Lock]) -> list[Limit]:
    """Every rule and locked total, sorted by name. A floor and a cap on a ratio or an inner share make two limits."""
    written: list[Limit] = []
    for lock in totals:
        chosen = ground.cells.of(lock.where, lock.name)
        amount = whole_money(lock.amount)
        written.append(Limit(lock.name, chosen, np.ones(len(chosen)), amount, amount, lock, 1.0))
    for rule in expanded([rule for rule in rules if rule.each != "cell"], ground.cells.cells):
        written += _limits_of_rule(ground, rule)
    return sorted(written, key=lambda limit: (limit.name, limit.low is None))


@dataclass(frozen=True)
class Guardrail:
    """One rule for every cell: low <= amounts[cells] <= high, minor units; `base` turns money into the rule's unit."""

    rule: Rule
    cells: np.ndarray
    low: np.ndarray
    high: np.ndarray
    base: np.ndarray

    @classmethod
    def of(cls, rule: Rule, cells: np.ndarray, base: np.ndarray) -> "Guardrail":
        """Whole minor units: floors up, caps down; where that would cross them, the nearest unit for both."""
        shift = 1.0 if rule.unit == "growth" else 0.0
        low = np.full(len(cells), -np.inf) if rule.min is None else np.ceil(base * (shift + rule.min) - 1e-6)
        high = np.full(len(cells), np.inf) if rule.max is None else np.floor(base * (shift + rule.max) + 1e-6)
        if rule.min is not None and rule.max is not None:
            crossed = low > high
            low[crossed] = high[crossed] = np.rint(base * (shift + (rule.min + rule.max) / 2))[crossed]
        return cls(rule, cells, low, high, base)

    def exact(self, side: str) -> np.ndarray:
        """A side's limits before they became whole units."""
        limit, none = (self.rule.min, -np.inf) if side == "low" else (self.rule.max, np.inf)
        shift = 1.0 if self.rule.unit == "growth" else 0.0
        return np.full(len(self.cells), none) if limit is None else self.base * (shift + limit)

    def under(self, rule: Rule) -> "Guardrail":
        """The same cells under other limits."""
        return Guardrail.of(rule, self.cells, self.base)


def guardrails_of(ground: Ground, rules: Sequence[Rule]) -> list[Guardrail]:
    """The rules with `each: cell`, sorted by name. A cell without a last year has no guardrail on growth."""
    written = []
    for rule in sorted((rule for rule in rules if rule.each == "cell"), key=lambda rule: rule.name):
        inside = ground.cells.of(rule.where, rule.name)
        if rule.unit == "growth":
            base = _last_year_by_cell(ground, rule)[inside]
            inside, base = inside[base > 0], base[base > 0]
        elif rule.unit == "amount":
            base = np.ones(len(inside))
        else:
            base = np.full(len(inside), _fixed_base(ground, rule, inside))
        written.append(Guardrail.of(rule, inside, base))
    return written


def in_whole_units(guardrails: list[Guardrail], cells: Cells) -> list[Guardrail]:
    """The guardrails with a unit of room in parents whose total they allow in fractions but, each rounded inwards, not in whole
    units: every cell at most 10% above last year must let a parent grow by 10%."""
    tight = {"low": np.zeros(len(cells.total), dtype=bool), "high": np.zeros(len(cells.total), dtype=bool)}
    for side, nearer, sign in (("low", np.maximum, 1.0), ("high", np.minimum, -1.0)):
        whole, exact = getattr(cells, side).copy(), getattr(cells, side).copy()
        for guardrail in guardrails:
            at = guardrail.cells
            whole[at] = nearer(whole[at], getattr(guardrail, side))
            exact[at] = nearer(exact[at], guardrail.exact(side))
        sums = (np.bincount(cells.parent, bound, len(cells.total)) for bound in (whole, exact))
        beyond, within = (sign * (found - cells.total) for found in sums)
        tight[side] = (beyond > 0) & (within <= 1e-3 + 1e-12 * cells.total)
    return [
        replace(
            guardrail,
            low=np.where(tight["low"][at], np.floor(guardrail.exact("low") + 1e-6), guardrail.low),
            high=np.where(tight["high"][at], np.ceil(guardrail.exact("high") - 1e-6), guardrail.high),
        )
        for guardrail, at in ((one, cells.parent[one.cells]) for one in guardrails)
    ]


def _fixed_base(ground: Ground, rule: Rule, inside: np.ndarray) -> float:
    """What a guardrail's shares are of: a part of the level that keeps its amount whatever the split."""
    moving = sorted(set(rule.of) - set(ground.parent_dims))
    if moving:
        raise ParameterError(
            f"rule {rule.name!r}: guards each cell's share of {rule.of}, which itself moves with {moving}, expected a base "
            f"that the level above fixes ({ground.parent_dims or 'the whole'}); state it as one rule with each: {moving[0]}."
        )
    _check_inside(ground, rule, inside)
    return float(ground.base(rule.of, rule.name))


def _check_inside(ground: Ground, rule: Rule, inside: np.ndarray) -> None:
    if rule.of and not np.isin(inside, ground.cells.of(rule.of, rule.name)).all():
        raise ParameterError(f"rule {rule.name!r}: some of its cells are not part of its base `of`; widen the base.")


def _last_year_by_cell(ground: Ground, rule: Rule) -> np.ndarray:
    cells, keys = ground.cells.cells, [name for name in DIMENSIONS if name in ground.cells.cells.columns]
    ground.last_year(rule)
    assert ground.history is not None
    history = ground.history.cells
    lacking = [name for name in keys if name not in history.columns]
    if lacking:
        raise ParameterError(f"rule {rule.name!r}: last year is not known by {lacking}; limit each of another dimension.")
    return cells[keys].merge(rollup(history, keys), how="left", on=keys)[AMOUNT].fillna(0).to_numpy(dtype=float)


def _limits_of_rule(ground: Ground, rule: Rule) -> list[Limit]:
    index = ground.cells.of(rule.where, rule.name)
    ones = np.ones(len(index))
    if rule.unit == "amount":
        return [Limit(rule.name, index, ones, *_whole(rule.min, rule.max), rule, 1.0)]
    if rule.unit == "growth":
        base = ground.last_year(rule)
        if base <= 0:  # nothing to grow from: the rule says nothing, and its row in the report shows no figure
            return [Limit(rule.name, index, ones, None, None, rule, 0.0)]
        low, high = (None if limit is None else _part(base, limit, 1) for limit in (rule.min, rule.max))
        return [Limit(rule.name, index, ones, *_whole(low, high), rule, base)]
    if rule.unit == "share":
        _check_inside(ground, rule, index)
        base = ground.base(rule.of, rule.name)
        if set(rule.of) <= set(ground.parent_dims):
            low, high = (None if limit is None else _part(base, limit, 0) for limit in (rule.min, rule.max))
            return [Limit(rule.name, index, ones, *_whole(low, high), rule, float(base))]
        of = ground.cells.of(rule.of, rule.name)
        return _homogeneous(rule, of, np.isin(of, index).astype(float), np.ones(len(of)), float(base), float(base))
    measure = ground.measure(rule, rule.measure)[index]
    per = ground.measure(rule, rule.per)[index] if rule.per else ones
    base = float((ground.reference[index] * per).sum())
    return _homogeneous(rule, index, measure, per, base, base / max(np.abs(measure).max(), np.abs(per).max(), 1e-300))


def _homogeneous(rule: Rule, index: np.ndarray, part: np.ndarray, whole: np.ndarray, base: float, units: float) -> list[Limit]:
    """part / whole between the limits, as rows `part - limit * whole` against 0, one per side; `units`: the whole's money."""
    rows = []
    pinned = rule.min is not None and rule.max is not None and (rule.max - rule.min) * units < 2.0
    for bound, low, high in ((rule.min, 0.0, None), (rule.max, None, 0.0)):
        if bound is not None:
            coefficients = part - bound * whole
            largest = float(np.abs(coefficients).max(initial=0.0)) if rule.unit == "ratio" else 1.0
            step = largest if largest > 0 else 1.0
            rows.append(Limit(rule.name, index, coefficients / step, low, high, rule, base, part / step, whole / step, pinned))
    return rows


def _part(base: float, limit: float, shift: int) -> float | Fraction:
    """A limit's money: `base` times `shift + limit`; exact, of the limit as it is written, where a float would not be."""
    if abs(base) <= EXACT:
        return base * (shift + limit) if shift else base * limit
    return int(base) * (shift + Fraction(repr(float(limit))))


def _whole(low: float | Fraction | None, high: float | Fraction | None) -> tuple[float | None, float | None]:
    """Bounds in whole minor units: the floor up, the cap down; where that would cross them, the nearest unit for both."""
    if any(isinstance(end, Fraction) or (end is not None and abs(end) > EXACT) for end in (low, high)):
        least, most = (None if low is None else math.ceil(low)), (None if high is None else math.floor(high))
        if least is not None and most is not None and least > most:
            least = most = round((Fraction(low or 0) + Fraction(high or 0)) / 2)
        return least, most
    floor = None if low is None else float(np.ceil(low - 1e-6))
    cap = None if high is None else float(np.floor(high + 1e-6))
    if low is not None and high is not None and floor is not None and cap is not None and floor > cap:
        floor = cap = float(round((low + high) / 2))
    return floor, cap
