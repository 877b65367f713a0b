"""The question behind every conflict: can these rules hold together, and if some may give, by how little?

One linear model of a level, in which every rule has its rows and columns by which it may be missed. A rule left out has no
bounds, a rule that must hold has no room to be missed. The model is stated once and asked many times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from planlib.lp.solver import Asked
from planlib.lp.splitting.limits import Guardrail, Limit
from planlib.lp.splitting.program import Program, unit


@dataclass(frozen=True)
class Terms:
    """A level whose every hard rule and lock is a limit or a guardrail.

    limits, guardrails   all of them hard
    keys                 the cells' key columns; with `booked`, minor units, in key order
    reference, size      see `Cells`
    inside               the cells that can be asked to move, with their `parts` of what their class moves by
    coarse               program over classes that no limit tells apart, guarded cells among them; and each inside cell's class
    fine                 the same with each guarded cell a class of its own
    least, most          what each inside cell may move by where no rule holds it
    """

    limits: Sequence[Limit]
    guardrails: Sequence[Guardrail]
    keys: pd.DataFrame
    booked: np.ndarray
    reference: np.ndarray
    size: np.ndarray
    inside: np.ndarray
    coarse: tuple[Program, np.ndarray]
    fine: tuple[Program, np.ndarray]
    least: np.ndarray
    most: np.ndarray

    @property
    def names(self) -> set[str]:
        return {limit.name for limit in self.limits} | {guardrail.rule.name for guardrail in self.guardrails}

    def told(self, cell: int) -> str:
        """A cell by its members."""
        return " x ".join(map(str, self.keys.iloc[cell])) if cell >= 0 else ""


@dataclass(frozen=True)
class Bent:
    """The cheapest way to miss some rules.

    cost     the least cost; infinite where no way helps
    amounts  one plan that has it, exact minor units
    widened  guardrail -> by how much its floor and its cap give, in its own unit
    worst    guardrail -> the cell that needs it most, at its floor and at its cap; -1 where none does
    """

    cost: float
    amounts: np.ndarray
    widened: Mapping[str, tuple[float, float]]
    worst: Mapping[str, tuple[int, int]]


class Elastic:
    """One level's rules, to be asked for."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._coarse = _Model(terms, *terms.coarse, guarded=False)
        self._fine = _Model(terms, *terms.fine, guarded=True) if terms.guardrails else self._coarse

    def feasible(self, names: set[str], instead: Mapping[str, Guardrail] | None = None) -> bool:
        """Whether these rules can hold together; with other guardrails `instead` of those of the same name."""
        return self._coarse.ask(names, {}, instead or {}) is not None

    def clashing(self) -> list[str]:
        """Rules among which the last question that was answered with no finds a clash; all guardrails count as one of them."""
        rows = self._coarse.asked.clashing() - self._coarse.parents
        return sorted({self.terms.limits[row].name for row in rows if 0 <= row < len(self.terms.limits)})

    def bent(self, names: set[str], prices: Mapping[str, float], instead: Mapping[str, Guardrail] | None = None) -> Bent:
        """What it costs when the priced rules may be missed and the other named ones hold.

        A limit is missed at its price per unit of money. A guardrail gives by the same step in each of its cells, at its price
        per unit of money of them all.
        """
        guardrails = {guardrail.rule.name for guardrail in self.terms.guardrails}
        model = self._fine if guardrails & set(prices) else self._coarse
        cost = model.ask(names, prices, instead or {})
        if cost is None:
            return Bent(np.inf, np.zeros(0), {}, {})
        return Bent(cost, model.amounts(), *model.given(prices))


class _Model:
    """Columns: classes' moves, then each limit's misses below and above, then each guardrail's two steps.
    Rows: parents' totals, limits, then a floor and a cap for each guarded cell."""

    def __init__(self, terms: Terms, program: Program, label: np.ndarray, guarded: bool) -> None:
        self.terms, self.program, self.label = terms, program, label
        self.scale = unit(program)
        self.guardrails = list(terms.guardrails) if guarded else []
        self.place = np.full(len(terms.reference), -1)
        self.place[terms.inside] = np.arange(len(terms.inside))
        classes, limits = len(program.size), len(terms.limits)
        self.parents = int(program.parent.max(initial=-1)) + 1
        totals = sparse.csr_matrix((np.ones(classes), (program.parent, np.arange(classes))), shape=(self.parents, classes))
        each = sparse.eye_array(limits)
        blocks: list[list[object]] = [[totals, None, None, None], [program.rows, each, -each, None]]
        self.mine = [self.place[guardrail.cells] for guardrail in self.guardrails]
        for number, (guardrail, mine) in enumerate(zip(self.guardrails, self.mine, strict=True)):
            here = np.flatnonzero(mine >= 0)
            pick = sparse.csr_matrix(
                (np.ones(len(here)), (np.arange(len(here)), label[mine[here]])), shape=(len(here), classes)
            )
            for side, sign in ((0, 1.0), (1, -1.0)):
                step = sign * guardrail.base[here] / self.scale
                column = np.full(len(here), 2 * number + side)
                give = sparse.csr_matrix((step, (np.arange(len(here)), column)), shape=(len(here), 2 * len(self.guardrails)))
                blocks.append([pick, None, None, give])
        if not self.guardrails:
            blocks = [row[:3] for row in blocks]
        self.asked = Asked("conflict", sparse.block_array(blocks, format="csr") if limits else _stacked(blocks))

    def ask(self, names: set[str], prices: Mapping[str, float], instead: Mapping[str, Guardrail]) -> float | None:
        """The least cost of missing the priced rules among the named ones, or None where the others cannot hold."""
        terms, program, scale = self.terms, self.program, self.scale
        stands = np.array([limit.name in names for limit in terms.limits], dtype=bool)
        rows = [
            (np.zeros(self.parents), np.zeros(self.parents)),
            (np.where(stands, program.floor, -np.inf) / scale, np.where(stands, program.cap, np.inf) / scale),
        ]
        least, most = terms.least.copy(), terms.most.copy()
        widths, weights = [], []
        for guardrail, mine in zip(self.guardrails, self.mine, strict=True):
            here, name = mine >= 0, guardrail.rule.name
            low, high = (_moved(terms, guardrail, side)[here] for side in (guardrail.low, guardrail.high))
            rows.append((low / scale if name in names else np.full(len(low), -np.inf), np.full(len(low), np.inf)))
            rows.append((np.full(len(high), -np.inf), high / scale if name in names else np.full(len(high), np.inf)))
            priced = prices.get(name)
            widths += [0.0 if priced is None else np.inf] * 2
            weights += [0.0 if priced is None else priced * float(guardrail.base[here].sum()) / scale] * 2
        if not self.guardrails:
            for guardrail in terms.guardrails:
                if guardrail.rule.name in names:
                    stated = instead.get(guardrail.rule.name, guardrail)
                    mine = self.place[stated.cells]
                    here = mine >= 0
                    least[mine[here]] = np.maximum(least[mine[here]], _moved(terms, stated, stated.low)[here])
                    most[mine[here]] = np.minimum(most[mine[here]], _moved(terms, stated, stated.high)[here])
            if (least > most).any():
                return None
        count = len(program.size)
        low, high = (np.bincount(self.label, side, count) / scale for side in (least, most))
        price = np.array([prices.get(limit.name, np.nan) for limit in terms.limits])
        room = np.where(np.isnan(price), 0.0, np.inf)
        costs = np.r_[np.zeros(count), np.nan_to_num(np.r_[price, price], nan=0.0), weights]
        bottom = np.r_[low, np.zeros(len(costs) - count)]
        self.asked.bound(
            (np.concatenate([low for low, _ in rows]), np.concatenate([high for _, high in rows])),
            (bottom, np.r_[high, room, room, widths]),
        )
        return self.asked.least(costs)

    def amounts(self) -> np.ndarray:
        """The amounts of the last answer."""
        terms, x = self.terms, self.asked.values()[: len(self.program.size)] * self.scale
        size = terms.size[terms.inside]
        whole, crowd = np.bincount(self.label, size, len(x)), np.bincount(self.label, minlength=len(x))
        part = np.where(whole[self.label] > 0, size / np.maximum(whole[self.label], 1.0), 1.0 / crowd[self.label])
        result = terms.reference.astype(float)
        result[terms.inside] += x[self.label] * part
        return result

    def given(self, prices: Mapping[str, float]) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[int, int]]]:
        """How far the priced guardrails gave in the last answer, and the cells that made them."""
        widened, worst = {}, {}
        start = len(self.program.size) + 2 * len(self.terms.limits)
        steps, duals = self.asked.values()[start:], np.abs(self.asked.prices())
        row = self.parents + len(self.terms.limits)
        for number, (guardrail, mine) in enumerate(zip(self.guardrails, self.mine, strict=True)):
            here = np.flatnonzero(mine >= 0)
            cells = []
            for _ in range(2):
                pressed = np.where(duals[row : row + len(here)] > 1e-9, guardrail.base[here], -1.0)
                cells.append(int(guardrail.cells[here[np.argmax(pressed)]]) if pressed.max(initial=-1.0) > 0 else -1)
                row += len(here)
            if guardrail.rule.name in prices:
                widened[guardrail.rule.name] = (float(steps[2 * number]), float(steps[2 * number + 1]))
                worst[guardrail.rule.name] = (cells[0], cells[1])
        return widened, worst


def _moved(terms: Terms, guardrail: Guardrail, side: np.ndarray) -> np.ndarray:
    """A guardrail's bounds as moves from the reference."""
    return side - terms.reference[guardrail.cells]


def _stacked(blocks: list[list[object]]) -> sparse.csr_matrix:
    """The blocks of a level without limits."""
    return sparse.csr_matrix(sparse.block_array([[row[0], *row[3:]] for row in blocks if row[1] is None], format="csr"))
