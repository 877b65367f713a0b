"""What the rules of one level are measured on: where each member's cells lie, last year, and measures by cell."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib.errors import ParameterError
from planlib.lp.rules import Rule, Where, mask
from planlib.lp.splitting.cells import looked_up
from planlib.plan import AMOUNT, DIMENSIONS, EXACT


class Places:
    """Where the cells of a table lie, by member: looked up once, however many rules ask."""

    def __init__(self, cells: pd.DataFrame) -> None:
        self.cells = cells
        self._members: dict[str, dict[str, np.ndarray]] = {}

    def known(self, where: Where) -> np.ndarray:
        """The positions that a `where` names, in order; a member that the table lacks has none."""
        found = np.arange(len(self.cells))
        for number, (dimension, members) in enumerate(where.items()):
            if dimension not in self._members:
                groups = self.cells.groupby(dimension, sort=False, observed=True).indices
                self._members[dimension] = {str(member): np.sort(places) for member, places in groups.items()}
            parts = [
                self._members[dimension].get(one, found[:0]) for one in ([members] if isinstance(members, str) else members)
            ]
            mine = parts[0] if len(parts) == 1 else np.unique(np.concatenate([found[:0], *parts]))
            found = np.intersect1d(found, mine, assume_unique=True) if number else mine
        return found

    def of(self, where: Where, name: str) -> np.ndarray:
        """The same for rule `name`, which must name what is there: see `rules.mask` for what is refused."""
        parts = [[members] if isinstance(members, str) else members for members in where.values()]
        if not set(where) <= set(self.cells.columns) or not all(
            len(self.known({dimension: [one]})) for dimension, part in zip(where, parts, strict=True) for one in part
        ):
            return np.flatnonzero(mask(self.cells, where, name))
        found = self.known(where)
        return found if len(found) else np.flatnonzero(mask(self.cells, where, name))


@dataclass(frozen=True)
class Ground:
    """What rules are measured on: the level's cells, the dimensions of the level above, last year and measures."""

    cells: Places
    parent_dims: list[str]
    history: Places | None
    measures: pd.DataFrame | None
    measured: dict[str, np.ndarray]
    whole: int

    @classmethod
    def of(
        cls, cells: pd.DataFrame, parent_dims: list[str], history: pd.DataFrame | None, measures: pd.DataFrame | None
    ) -> "Ground":
        last = None if history is None else Places(history.reset_index(drop=True))
        return cls(Places(cells), parent_dims, last, measures, {}, int(cells["reference"].sum()))

    @property
    def reference(self) -> np.ndarray:
        return self.cells.cells["reference"].to_numpy()

    def base(self, of: Where, name: str) -> int:
        """What the reference has in the base of a share."""
        return int(self.reference[self.cells.of(of, name)].sum()) if of else self.whole

    def last_year(self, rule: Rule) -> float:
        """What the rule's cells had last year, minor units. Members that are new have nothing."""
        if self.history is None:
            raise ParameterError(f"rule {rule.name!r} limits growth, but no last year was given; pass history or use a share.")
        lacking = [name for name in rule.where if name not in self.history.cells.columns]
        if lacking:
            raise ParameterError(f"rule {rule.name!r}: last year is not known by {lacking}; limit a share or an amount there.")
        found = self.history.cells[AMOUNT].to_numpy()[self.history.known(rule.where)].sum()
        return float(found) if abs(found) <= EXACT else int(found)

    def measure(self, rule: Rule, name: str) -> np.ndarray:
        """A measure by cell."""
        if name not in self.measured:
            if self.measures is None or name not in self.measures.columns:
                have = [] if self.measures is None else [one for one in self.measures.columns if one not in DIMENSIONS]
                raise ParameterError(f"rule {rule.name!r}: no measure {name!r}, expected one of {have}; correct it.")
            self.measured[name] = looked_up(self.cells.cells, self.measures, name, f"rule {rule.name!r}")
        return self.measured[name]
