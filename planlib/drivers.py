"""Why a member gets its share: last year's share, then one driver after the other, each with its value, source and effect.

A chapter states its drivers; here they become the weights of a split and, from the same numbers, the table and the bridge
that explain them. Effects are taken in the chapter's order and add up to the weight exactly, so that one row answers 'why does
this member get so much'.

A decision counts in full, a claim by what it was worth in the company's own past (`estimates.evidence`): of the movement that
it asks for, the part that came true is made.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.errors import PlanError
from planlib.estimates.evidence import UNTESTED, Evidence, sentence
from planlib.plan import AMOUNT

ABOVE = "levels_above"
RULES = "rules"
Kind = Literal["expected", "claim", "decision"]
Counts = Literal["evidence", "stated"]
SOURCES = [
    "driver",
    "kind",
    "source",
    "method",
    "form",
    "asked_points",
    "slope",
    "slope_low",
    "slope_high",
    "counted",
    "past",
    "origins",
]


@dataclass(frozen=True)
class Driver:
    """One reason why members get more or less than their last year's share.

    name     column of the table, such as `priority`
    source   where the value comes from: a table's column, or a parameter
    method   the item of the method book, by its ID
    values   the new dimension and any of the plan's, unique; and either `factor` (>= 0, multiplies a member's weight; 1.0 where
             a member is missing) or `share` (a share by itself, scaled to sum to 1 within each parent; where a parent is
             missing, what stood before stays)
    part     of a `share`: how much it counts beside what stood before, 0-1
    kind     `expected`: what history leads to expect, or what has come already, in full; `claim`: a judgement for which the
             method book gives no number; `decision`: one for which it does
    counts   `evidence`: as far as its past bears it out, the default of a claim; `stated`: in full, of all else
    evidence what its past says; without, it is not testable, and counts as stated
    holds    members whose share stands as it leaves it: after it only what is `named` for one moves it, the others share what
             is left as if it were not there
    named    whether its factors are stated member by member: one other than 1 moves a member that another driver holds
    """

    name: str
    source: str
    method: str
    values: pd.DataFrame
    part: float = 1.0
    kind: Kind = "decision"
    counts: Counts | None = None
    evidence: Evidence = UNTESTED
    holds: tuple[str, ...] = ()
    named: bool = False

    @property
    def counted(self) -> float:
        """The part of what it asks for that is made, 0-1."""
        by = self.counts or ("evidence" if self.kind == "claim" else "stated")
        return self.evidence.counted if by == "evidence" else 1.0


@dataclass(frozen=True)
class Drivers:
    """What the drivers of one split come to.

    frame    one row per member, largest weight first: the dimension, last_year_share, levels_above_effect (only below the first
             level: what the plan's other mix of parents does), then per driver its value under its name and `<name>_effect`
             (points of share), and weight (share of the level; last_year_share plus all effects)
    weights  the plan's dimensions, the new one, weight: what `split` takes
    sources  one row per driver: driver, kind, source, method, form (factor, or part of a share), asked_points (share, moved in
             full), slope, slope_low, slope_high, counted (0-1), past (text), origins: see `Evidence`
    into     the new dimension
    """

    frame: pd.DataFrame
    weights: pd.DataFrame
    sources: pd.DataFrame
    into: str

    @property
    def effects(self) -> list[str]:
        """The steps in order, as column names."""
        return [str(name) for name in self.frame.columns if str(name).endswith("_effect")]

    def says(self) -> list[str]:
        """What the past says of each driver that it could be asked about, and what a decision costs against the expected."""
        return [sentence(row) for row in self.sources.to_dict("records") if row["origins"]]

    def bridge(self, plan: pd.DataFrame) -> pd.DataFrame:
        """From last year's share to the plan's, one row per member: last_year_share, the effects, rules_effect, plan_share.

        `plan` is the allocated table; what neither last year nor a driver explains is the rules, locks and closed months.
        """
        share = tables.rollup(plan, [self.into]).set_index(self.into)[AMOUNT]
        share = share / max(1, int(share.sum()))
        frame = self.frame[[self.into, "last_year_share", *self.effects]].copy()
        # A member that only the plan has came with a closed month or a lock.
        new = sorted(set(share[share != 0].index) - set(frame[self.into]))
        if new:
            frame = frame.set_index(self.into).reindex([*frame[self.into], *new]).fillna(0.0).reset_index()
        frame["plan_share"] = frame[self.into].map(share).fillna(0.0)
        explained = frame[["last_year_share", *self.effects]].sum(axis=1)
        frame.insert(len(frame.columns) - 1, f"{RULES}_effect", frame["plan_share"] - explained)
        return frame

    def steps(self, plan: pd.DataFrame, most: int = 14) -> pd.DataFrame:
        """The bridge in long form, for a chart: member, step (label), effect (points), without steps that move nobody.

        Of more than `most` members those whose share changes most; largest gain first.
        """
        wide = self.bridge(plan)
        change = wide["plan_share"] - wide["last_year_share"]
        kept = wide.assign(_size=change.abs()).sort_values(["_size", self.into], ascending=[False, True]).index[:most]
        order = wide.loc[kept].assign(_change=change).sort_values(["_change", self.into], ascending=[False, True])
        wide = order.drop(columns="_change")
        names = [name for name in wide.columns if str(name).endswith("_effect") and wide[name].abs().max() >= 0.00005]
        long = wide.melt(self.into, names, "step", "effect").rename(columns={self.into: "member"})
        long["step"] = long["step"].map(_step)
        return long

    def why(self, member: str, plan: pd.DataFrame) -> str:
        """One member's row as a sentence: its share of the plan, of last year, and what moved it, largest first."""
        row = self.bridge(plan).set_index(self.into).loc[member]
        moved = [(float(row[name]), _step(str(name))) for name in row.index[1:-1]]
        large = sorted((step for step in moved if abs(step[0]) >= 0.0005), key=lambda step: (-abs(step[0]), step[1]))
        told = ", ".join(f"{name} {100 * effect:+.1f}" for effect, name in large)
        return (
            f"{member}: {row['plan_share']:.1%} of the target after {row['last_year_share']:.1%} of last year"
            f"{'; in points of share: ' + told if told else ''}."
        )


def build(plan: pd.DataFrame, into: str, last_year: pd.DataFrame, drivers: Sequence[Driver]) -> Drivers:
    """Last year's shares of `into` within each cell of `plan`, moved by one driver after the other.

    Parameters
        plan       plan table of the level above (dimensions, amount in minor units)
        into       the new dimension
        last_year  last year's amounts at the new level or deeper (minor units); a parent without any takes the company's shares
        drivers    in the order in which they are applied
    Raises PlanError for a driver without `factor` or `share`, a name that is taken, a part outside 0-1, values that are
    negative, infinite or missing, or a member stated twice.
    Where a driver takes every member's weight within a parent away, that parent keeps the level's mix.
    """
    dims = tables.level(plan)
    keys = [*dims, into]
    _check_names(drivers, into)
    cells = tables.history_weights(plan, last_year, into).rename(columns={"weight": "share"})
    members = sorted({*cells[into], *(name for driver in drivers for name in _checked(driver, keys)[into].unique())})
    every = plan[dims].merge(pd.DataFrame({into: members}), how="cross")
    cells = every.merge(cells, how="left", on=keys).fillna({"share": 0}).sort_values(keys, ignore_index=True)
    parents = plan[[*dims, AMOUNT]].rename(columns={AMOUNT: "parent"})
    cells = cells.merge(parents, on=dims) if dims else cells.assign(parent=int(plan[AMOUNT].sum()))
    place = _Places(cells, dims, into)
    cells["share"] = _within(cells, place, cells["share"].astype(float))

    ordered = tables.rollup(last_year, [into]).set_index(into)[AMOUNT].clip(lower=0)
    frame = pd.DataFrame({"last_year_share": (ordered / max(1, int(ordered.sum()))).reindex(members).fillna(0.0)})
    level, asked = _of_level(cells, place), []
    held = np.zeros(len(cells), dtype=bool)
    if dims:
        frame[f"{ABOVE}_effect"] = level - frame["last_year_share"]
    for driver in drivers:
        at = [name for name in keys if name in driver.values.columns]
        if "factor" in driver.values:
            factor = place.values(driver.values, at, "factor").fillna(1.0)
            still = held & ~(driver.named & (factor != 1.0)).to_numpy()
            moved = cells["share"] * factor
            mass = place.by_member(cells["parent"] * cells["share"])
            shown = place.by_member(cells["parent"] * moved) / mass.where(mass > 0)
            frame[driver.name] = shown.fillna(place.mean(factor))
        else:
            own = place.values(driver.values, at, "share")
            known = place.of_parent(own.fillna(0.0)) > 0
            own = _within(cells, place, own.fillna(0.0)).where(known, cells["share"])
            moved, still = (1 - driver.part) * cells["share"] + driver.part * own, held
            frame[driver.name] = _of_level(cells.assign(share=own), place)
        full = _within(cells, place, moved)
        if still.any():
            full = _beside(cells, place, full, still)
        then, level = level, _of_level(cells.assign(share=full), place)
        asked.append(float((level - then).abs().sum()) / 2)
        counted = driver.counted
        if counted < 1:  # the part of the movement that the past bears out, the same law for factors and shares
            full = (1 - counted) * cells["share"] + counted * full
            level = _of_level(cells.assign(share=full), place)
        cells["share"] = full
        held |= cells[into].isin(driver.holds).to_numpy()
        frame[f"{driver.name}_effect"] = level - then
    frame["weight"] = level
    frame = frame.rename_axis(into).reset_index().sort_values(["weight", into], ascending=[False, True], ignore_index=True)
    sources = pd.DataFrame([_source(*each) for each in zip(drivers, asked, strict=True)], columns=SOURCES)
    weights = cells[[*keys, "share"]].rename(columns={"share": "weight"})
    return Drivers(frame, weights, sources, into)


def _source(driver: Driver, asked: float) -> tuple[object, ...]:
    """A driver's row of `Drivers.sources`."""
    form = "factor" if "factor" in driver.values else f"{driver.part:.0%} of the share"
    found = driver.evidence
    said = "" if driver.kind == "expected" else found.says()
    names = driver.name, driver.kind, driver.source, driver.method, form
    return *names, asked, found.slope, found.low, found.high, driver.counted, said, found.origins


def _step(column: str) -> str:
    """A step's name as a reader sees it; what no driver explains is the rules', the locks' and the closed months' doing."""
    name = column.removesuffix("_effect")
    return "rules and closed months" if name == RULES else name.replace("_", " ")


def _check_names(drivers: Sequence[Driver], into: str) -> None:
    """Every driver is a column of the table, so no two may have one name, nor that of another column."""
    taken = Counter([into, "last_year_share", "weight", "plan_share", ABOVE, RULES, *(driver.name for driver in drivers)])
    twice = sorted(name for name, times in taken.items() if times > 1 or name.endswith("_effect"))
    if twice:
        raise PlanError(f"drivers: the names {twice} occur twice or are taken, expected one name per driver; rename one.")


def _checked(driver: Driver, keys: list[str]) -> pd.DataFrame:
    into, found = keys[-1], [name for name in ("factor", "share") if name in driver.values.columns]
    if len(found) != 1 or into not in driver.values.columns:
        raise PlanError(
            f"driver {driver.name}: found columns {list(driver.values.columns)}, expected {into} and factor or share."
        )
    if not 0 <= driver.part <= 1:
        raise PlanError(f"driver {driver.name}: found a part of {driver.part}, expected 0 to 1; correct it.")
    at = [name for name in keys if name in driver.values.columns]
    values = driver.values[found[0]].astype(float)
    nobody = driver.values[at].isna().any(axis=1)
    wrong = driver.values[driver.values.duplicated(at) | nobody | ~(np.isfinite(values) & (values >= 0))]
    if len(wrong):
        raise PlanError(
            f"driver {driver.name}: found {wrong[[*at, found[0]]].head(2).to_dict('records')}, expected one finite value of "
            f"0 or more per {' and '.join(at)}; correct its table, and leave out a member that has none."
        )
    return driver.values


class _Places:
    """Where each cell stands, as whole numbers: names are looked up once, not by every driver."""

    def __init__(self, cells: pd.DataFrame, dims: list[str], into: str) -> None:
        self.names = {name: pd.factorize(cells[name], sort=True) for name in [*dims, into]}
        self.member, self.members = self.names[into]
        self.parent = cells.groupby(dims).ngroup().to_numpy() if dims else np.zeros(len(cells), dtype=np.int64)

    def by_member(self, amounts: pd.Series) -> pd.Series:
        """Sum over each member's cells."""
        return self._named(amounts.groupby(self.member).sum())

    def mean(self, amounts: pd.Series) -> pd.Series:
        """Mean over each member's cells."""
        return self._named(amounts.groupby(self.member).mean())

    def of_parent(self, amounts: pd.Series) -> pd.Series:
        """The sum over each cell's parent, cell by cell."""
        return amounts.groupby(self.parent).transform("sum")

    def values(self, table: pd.DataFrame, at: list[str], column: str) -> pd.Series:
        """A driver's value at each cell, missing where it has none; `table` is unique in `at`."""
        here, there = np.zeros(len(self.member), dtype=np.int64), np.zeros(len(table), dtype=np.int64)
        inside = np.ones(len(table), dtype=bool)
        for name in at:
            codes, names = self.names[name]
            found = pd.Index(names).get_indexer(pd.Index(table[name]))
            inside &= found >= 0
            here, there = here * len(names) + codes, there * len(names) + found
        known = pd.Series(table[column].to_numpy(dtype=float)[inside], index=there[inside])
        return pd.Series(known.reindex(here).to_numpy())

    def _named(self, sums: pd.Series) -> pd.Series:
        return sums.set_axis(pd.Index(self.members)[sums.index])


def _within(cells: pd.DataFrame, place: _Places, share: pd.Series) -> pd.Series:
    """Scaled to sum to 1 within each parent; a parent left with nothing takes the level's mix."""
    total = place.of_parent(share)
    scaled = share / total.where(total > 0)
    if scaled.notna().all():
        return scaled
    mix = place.by_member(scaled.fillna(0.0) * cells["parent"])
    mix = mix / mix.sum() if mix.sum() > 0 else pd.Series(1.0 / max(1, len(mix)), index=mix.index)
    return scaled.fillna(pd.Series(mix.to_numpy()[place.member], index=scaled.index))


def _beside(cells: pd.DataFrame, place: _Places, moved: pd.Series, still: np.ndarray) -> pd.Series:
    """Shares as moved, but for cells that stand still: the others share what these leave of their parent."""
    kept, others = cells["share"].where(still, 0.0), moved.where(~still, 0.0)
    left, asked = 1.0 - place.of_parent(kept), place.of_parent(others)
    # Where nobody else asks for anything, all stays as it was.
    return (kept + others * left / asked.where(asked > 0)).fillna(cells["share"])


def _of_level(cells: pd.DataFrame, place: _Places) -> pd.Series:
    """Each member's share of the whole level, the parents weighing as much as the plan gives them."""
    amount = place.by_member(cells["share"] * cells["parent"])
    total = float(amount.sum())
    return amount / total if total > 0 else place.mean(cells["share"])
