"""How a year's total is expected to fall over every cell and month: one table for all chapters, from the company's own past.

Levels come one after the other: each dimension by itself, then any two together, each with the month, and so on down to the
cell. At every level simple statements (`candidates`) are weighed by how near they came when the past is lived through again
(rolling origin: Tashman 2000), all agreeing with the levels above; where last year's shares were nearer, they stand. What
was off then says how far a cell can be trusted now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from planlib import periods
from planlib.estimates.candidates import ABOVE, LAST, PRIOR, Origin, candidates
from planlib.estimates.cube import MONTH, Cube
from planlib.estimates.interplay import Level, above, levels, raked, summed, whole
from planlib.estimates.spread import Spread
from planlib.estimates.weighing import Case, Weighed, weigh
from planlib.periods import Horizon

# An origin is judged by what came in this many months after it, at least; origins lie a quarter apart.
LEAST_AHEAD = 6
APART = 3
MOST_ORIGINS = 12
# Origins a whole number of years back see the same seasons as the plan does.
ALIGNED = 2.0
# Cells times origins that are looked at; where there are more, fewer origins count, the aligned ones first.
MOST_CELLS = 3_000_000
# Cells that the levels above expect to have less than a mean cell are small (this part of one).
SMALL = 1.0
MOST_MISSES = 40
LARGE_CELLS, SMALL_CELLS = "large", "small"


@dataclass(frozen=True)
class Outlook:
    """What is expected of the plan year's open months, and what that rests on.

    table    the dimensions, month, share (0-1, sums to 1): every cell that ever sold or may sell
    weights  one row per level, size and candidate that counts: level (text), size (of its cells: large or small), candidate,
             weight (0-1), error (share of sales that lay elsewhere when it alone was asked in the past, summed over cells; 0-2)
    skill    one row per level: level, cells, origins, years, expected and last_year (errors of what is used and of last year's
             shares), skill (what the first saves of the second), stands (what is used: mixture, mixture for large or small
             cells, last year), and the law of its spread: see `Spread`
    past     the last whole year as it would have been expected at its start, levels of one and two dimensions: level, member
             (their names, joined), expected, came, before (shares of the level: expected, sold, sold in the year before), began
             (month in which a member of it first sold in that year, else empty); largest misses first, MOST_MISSES a level
    origins  how many past months the expectation was tried from; 0: nothing is known, last year's shares stand
    years    years of evidence
    """

    table: pd.DataFrame
    weights: pd.DataFrame
    skill: pd.DataFrame
    past: pd.DataFrame
    origins: int
    years: float


def outlook(
    history: pd.DataFrame,
    dims: Sequence[str],
    horizon: Horizon,
    starts: Mapping[str, Mapping[str, str]] | None = None,
    season_months: float = 24.0,
    months: Mapping[str, float] | None = None,
    ahead: Sequence[str] | None = None,
    phasing: bool = False,
    local: Mapping[str, Mapping[str, float]] | None = None,
) -> Outlook:
    """Expected shares of every cell of `dims` in every open month (REG-1, CHN-1, TIM-1).

    Parameters
        history        the dimensions, month, amount (minor units), all months up to `horizon.as_of`; where known returned
                       (minor units, negative): a month with more returns than sales is no silent one
        starts         by dimension, first months of members where they are told; what sold earlier was a test
        season_months  while only one year tells: months of the season above beside a cell's own
        months         by month, a factor of its sales that comes and goes with the calendar (a festival): taken out of history
                       and put into the plan year
        ahead          the months that are asked for, the open ones by default (all, where the year has closed)
        phasing        what is asked for is how a year falls over its months: where there is one year alone, a cell's months are
                       drawn toward those of the levels above by `season_months`
        local          by region, such factors in place of `months` (a festival that not every region keeps)
    Raises PlanError for a history that lacks columns or sales.
    """
    if months or local:
        factor = history[MONTH].map(months or {}).fillna(1.0)
        for region, own in (local or {}).items():
            here = history["region"] == region
            factor = factor.where(~here, history[MONTH].map(own).fillna(1.0))
        history = history.assign(amount=(history["amount"] / factor).round())
    cube = Cube.of(history, dims, horizon, starts)
    origins = _origins(cube, season_months)
    plan = Origin.of(cube, cube.months, 0, season_months)
    years = max(0.0, (cube.months - cube.year) / cube.year)
    found = _made(plan, origins, years, season_months if phasing else 0.0)
    table = _table(cube, plan, ahead or horizon.open or horizon.months, months or {}, local or {})
    names = [*cube.dims, MONTH]
    weights, skill = [], []
    for level, parts in found.items():
        name = " x ".join(names[axis] for axis in level)
        skill.append((name, plan.made[level].size, len(origins), round(years, 2), *_skill(parts), *_law(parts)))
        for part in parts:
            for label, weight, error in zip(part.labels, part.weighed.weights, part.weighed.errors, strict=True):
                if round(float(weight), 3) > 0:
                    weights.append((name, part.name, label, float(weight), float(error)))
    told = ["level", "cells", "origins", "years", "expected", "last_year", "skill", "stands", *Spread.LAW]
    return Outlook(
        table,
        pd.DataFrame(weights, columns=["level", "size", "candidate", "weight", "error"]),
        pd.DataFrame(skill, columns=told),
        _past(cube, origins),
        len(origins),
        years,
    )


def _skill(parts: Sequence["Part"]) -> tuple[float, float, float, str]:
    """Errors of what is used and of last year's shares over a level, what the first saves of the second, and what is used."""
    mine, last = (sum(getattr(part.weighed, name) for part in parts) for name in ("used", "last"))
    stand = {part.name for part in parts if part.weighed.stands}
    used = "mixture" if len(stand) == len(parts) else f"mixture for {stand.pop()} cells" if stand else LAST
    return mine, last, (1 - mine / last if last > 0 else float("nan")), used


def _law(parts: Sequence["Part"]) -> tuple[float, float, float, float]:
    return Spread.of([part.weighed for part in parts], [part.cases for part in parts]).law


def _origins(cube: Cube, season_months: float) -> list[Origin]:
    """The past months from which the expectation is tried: a quarter apart, whole years back counting double."""
    ends = range(cube.months - LEAST_AHEAD, cube.year - 1, -APART)
    aligned = [end for end in ends if (cube.months - end) % cube.year == 0]
    most = max(1, min(MOST_ORIGINS, MOST_CELLS // max(1, cube.sums[..., 0].size * cube.year)))
    chosen = list(ends)[:most] if most == MOST_ORIGINS or not aligned else aligned[:most]
    found = []
    for end in chosen:
        ahead = min(cube.year, cube.months - end)
        origin = Origin.of(cube, end, ahead, season_months)
        if origin.truth is not None:
            origin.weight = len(origin.slots) / cube.year * (ALIGNED if (cube.months - end) % cube.year == 0 else 1.0)
            found.append(origin)
    return found


def _made(plan: Origin, origins: list[Origin], years: float, alone: float) -> dict[Level, list["Part"]]:
    """Fill `made` of every origin, level after level; what each dimension does by itself is asked twice.

    The second time it is known what the other dimensions bring along.
    """
    axes, found = plan.may.ndim, {}
    every = levels(axes)
    singles = [level for level in every if len(level) == 1]
    for level in [*singles, *every]:
        if level == singles[0] and plan.made:
            for origin in (plan, *origins):
                origin.first = dict(origin.made)
        found[level] = _level(level, plan, origins, years, alone)
    return found


def _level(level: Level, plan: Origin, origins: list[Origin], years: float, alone: float) -> list["Part"]:
    """One level of every origin, large and small cells weighed apart: a cell with much history stands more on its own."""
    everyone = (plan, *origins)
    tables = [candidates(origin, level) for origin in everyone]
    labels = list(tables[0])
    prior = np.array([PRIOR[label] for label in labels])
    inner = ABOVE in labels
    small = [table[ABOVE] < SMALL / table[ABOVE].size if inner else np.zeros(table[LAST].shape, bool) for table in tables]
    parts, mixed = [], [np.zeros(table[LAST].shape) for table in tables]
    for name, which in ((LARGE_CELLS, False), (SMALL_CELLS, True)):
        inside = [mask == which for mask in small]
        if not inside[0].any():
            continue
        cases = []
        for origin, table, mask in zip(origins, tables[1:], inside[1:], strict=True):
            at = origin.at(mask, level)
            if at.any() and origin.truth is not None:
                truth = origin.judged(np.clip(summed(origin.truth, level), 0.0, None), level, made=False)[at]
                columns = np.column_stack([origin.judged(table[label], level)[at] for label in labels])
                cases.append(Case(truth, columns, origin.weight, (plan.end - origin.end - 1) // plan.year))
        weighed = weigh(cases, prior / prior.sum(), years)
        if not cases and inner and plan.may.ndim - 1 in level and alone:
            # One year alone cannot tell a season from chance: its months count against those of the levels above.
            drawn = np.where(np.isin(labels, [ABOVE]), alone, 0.0) + np.where(np.isin(labels, [LAST]), plan.year, 0.0)
            weighed = replace(weighed, weights=drawn / drawn.sum(), stands=True)
        for total, table, mask in zip(mixed, tables, inside, strict=True):
            for label, weight in zip(labels, weighed.weights, strict=True):
                total += mask * weight * table[label]
        parts.append(Part(name, labels, weighed, cases))
    lines = above(level)
    for origin, found in zip(everyone, mixed, strict=True):
        origin.made[level] = whole(raked(found, level, {each: origin.made[each] for each in lines}))
    return parts


@dataclass(frozen=True)
class Part:
    """The large or the small cells of a level: what was weighed for them, from which cases."""

    name: str
    labels: list[str]
    weighed: Weighed
    cases: list[Case]


def _past(cube: Cube, origins: Sequence[Origin]) -> pd.DataFrame:
    """What the expectation a year ago came to; see `Outlook.past`."""
    columns = ["level", "member", "expected", "came", "before", "began"]
    origin = next((each for each in origins if each.end == cube.months - cube.year and len(each.slots) == cube.year), None)
    if origin is None or origin.truth is None:
        return pd.DataFrame(columns=columns)
    months = tuple(periods.step(cube.first, origin.end + slot) for slot in range(cube.year))
    names, labels = (*cube.members, months), [*cube.dims, MONTH]
    begun = [
        {names[axis][at]: months[first - origin.end] for at, first in enumerate(started) if origin.end <= first < cube.months}
        for axis, started in enumerate(cube.started(cube.months))
    ]
    frames = []
    for level in (each for each in levels(len(labels)) if len(each) <= 2):
        tables = [origin.made[level], whole(summed(origin.truth, level)), whole(summed(origin.windows[0], level))]
        off = np.abs(tables[0] - tables[1]).ravel()
        order = np.argsort(-off.round(12), kind="stable")[:MOST_MISSES]
        places = np.unravel_index(order, tables[0].shape)
        parts = [[names[axis][at] for at in place] for axis, place in zip(level, places, strict=True)]
        began = [
            next(
                (
                    begun[axis][name]
                    for axis, name in zip(level, cell, strict=True)
                    if axis < len(begun) and name in begun[axis]
                ),
                "",
            )
            for cell in zip(*parts, strict=True)
        ]
        frame = pd.DataFrame(dict(zip(columns[2:5], (table.ravel()[order] for table in tables), strict=True)))
        frame.insert(0, "member", [" x ".join(cell) for cell in zip(*parts, strict=True)])
        frame.insert(0, "level", " x ".join(labels[axis] for axis in level))
        frames.append(frame.assign(began=began))
    return pd.concat(frames, ignore_index=True)


def _table(
    cube: Cube, plan: Origin, ahead: Sequence[str], months: Mapping[str, float], local: Mapping[str, Mapping[str, float]]
) -> pd.DataFrame:
    """The finest level in the months ahead, with what the calendar adds to them."""
    cells = plan.made[tuple(range(plan.may.ndim))]
    slots = [(periods.between(cube.first, month) - cube.months) % cube.year for month in ahead]
    share = cells[..., slots] * np.array([months.get(month, 1.0) for month in ahead])
    for region, own in local.items():
        at = (slice(None),) * cube.dims.index("region") + (cube.members[cube.dims.index("region")].index(region),)
        share[at] = cells[at][..., slots] * np.array([own.get(month, 1.0) for month in ahead])
    if not share.sum() > 0:
        share = np.repeat(cells.sum(axis=-1, keepdims=True), len(ahead), axis=-1)
    share = share / float(share.sum())
    places = np.nonzero((share.sum(axis=-1) > 0) | cube.bought.any(axis=-1))
    rows = share[places]
    frame = {
        name: np.repeat(np.array(names, dtype=object)[place], len(ahead))
        for name, names, place in zip(cube.dims, cube.members, places, strict=True)
    }
    return pd.DataFrame({**frame, MONTH: np.tile(np.array(ahead, dtype=object), len(rows)), "share": rows.ravel()})
