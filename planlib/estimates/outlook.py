"""How a year's total is expected to fall over every cell and month: one table for all chapters, from the company's own past.

Levels come one after the other: each dimension by itself, then any two together, each with the month, and so on down to the cell.
At every level simple statements (`candidates`) are weighed by how near they came when the past is lived through again
(rolling origin: Tashman 2000), all agreeing with the levels above; where last year's shares were nearer, they stand. What
was off then says how far a cell can be trusted now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib.estimates.candidates import ABOVE, LAST, PRIOR, Origin, candidates
from planlib.estimates.cube import MONTH, YEAR, Cube
from planlib.estimates.interplay import Level, levels, summed
from planlib.estimates.spread import Spread
from planlib.estimates.weighing import Case, Weighed, weigh
from planlib.plan import Horizon

# An origin is judged by what came in this many months after it, at least; origins lie a quarter apart.
LEAST_AHEAD = 6
APART = 3
MOST_ORIGINS = 12
# Origins a whole number of years back see the same seasons as the plan does.
ALIGNED = 2.0
# Cells times origins that are looked at; where there are more, fewer origins count, the aligned ones first.
MOST_CELLS = 3_000_000


@dataclass(frozen=True)
class Outlook:
    """What is expected of the plan year's open months, and what that rests on.

    table    the dimensions, month, share (0-1, sums to 1): every cell that may sell in an open month
    weights  one row per level and candidate that counts: level (text), candidate, weight (0-1), error (share of sales that lay
             elsewhere when it alone was asked in the past, summed over the level's cells; 0-2)
    skill    one row per level: level, dims (of the level, as text with commas), cells, origins, years, expected and last_year
             (errors of the mixture and of last year's shares), skill (what the first saves of the second), stands (what is used:
             "mixture" or "last year"), and the law of its spread: see `Spread`
    origins  how many past months the expectation was tried from; 0: nothing is known, last year's shares stand
    years    years of evidence
    """

    table: pd.DataFrame
    weights: pd.DataFrame
    skill: pd.DataFrame
    origins: int
    years: float

    @property
    def dims(self) -> list[str]:
        return [name for name in self.table.columns if name not in (MONTH, "share")]


def outlook(
    history: pd.DataFrame,
    dims: Sequence[str],
    horizon: Horizon,
    starts: Mapping[str, Mapping[str, str]] | None = None,
    season_months: float = 24.0,
    months: Mapping[str, float] | None = None,
) -> Outlook:
    """Expected shares of every cell of `dims` in every open month (REG-1, CHN-1, TIM-1).

    Parameters
        history        the dimensions, month, amount (minor units), all months up to `horizon.as_of`; where known returned (minor
                       units, negative): a month with more returns than sales is no silent one
        starts         by dimension, first months of members where they are told; what sold earlier was a test
        season_months  while only one year tells: months of the season above beside a cell's own
        months         by month, a factor of its sales that comes and goes with the calendar (a festival): taken out of history
                       and put into the plan year
    Raises PlanError for a history that lacks columns or sales.
    """
    if months:
        history = history.assign(amount=(history["amount"] / history[MONTH].map(months).fillna(1.0)).round())
    cube = Cube.of(history, dims, horizon, starts)
    origins = _origins(cube)
    plan = Origin.of(cube, cube.months)
    years = max(0.0, (cube.months - YEAR) / YEAR)
    found = _made(plan, origins, years, season_months)
    table = _table(cube, plan, horizon, months or {})
    names = [*cube.dims, MONTH]
    weights, skill = [], []
    for level, (labels, weighed, spread) in found.items():
        name = " x ".join(names[axis] for axis in level)
        size = plan.made[level].size
        stands = "mixture" if weighed.stands else LAST
        saved = 1 - weighed.mixed / weighed.errors[0] if len(origins) and weighed.errors[0] > 0 else np.nan
        skill.append(
            (name, size, len(origins), round(years, 2), weighed.mixed, weighed.errors[0], saved, stands, *spread.law)
        )
        for label, weight, error in zip(labels, weighed.weights, weighed.errors, strict=True):
            if round(float(weight), 3) > 0:
                weights.append((name, label, float(weight), float(error)))
    columns = ["level", "cells", "origins", "years", "expected", "last_year", "skill", "stands", *Spread.LAW]
    return Outlook(
        table,
        pd.DataFrame(weights, columns=["level", "candidate", "weight", "error"]),
        pd.DataFrame(skill, columns=columns),
        len(origins),
        years,
    )


def _origins(cube: Cube) -> list[Origin]:
    """The past months from which the expectation is tried: a quarter apart, those a whole number of years back counting double."""
    ends = range(cube.months - LEAST_AHEAD, YEAR - 1, -APART)
    aligned = [end for end in ends if (cube.months - end) % YEAR == 0]
    most = max(1, min(MOST_ORIGINS, MOST_CELLS // max(1, cube.sums[..., 0].size * YEAR)))
    chosen = list(ends)[:MOST_ORIGINS] if len(ends) <= most or most == MOST_ORIGINS else aligned[:most]
    found = []
    for end in chosen:
        ahead = min(YEAR, cube.months - end)
        origin = Origin.of(cube, end, ahead)
        if origin.truth is not None:
            origin.weight = len(origin.slots) / YEAR * (ALIGNED if (cube.months - end) % YEAR == 0 else 1.0)
            found.append(origin)
    return found


def _made(
    plan: Origin, origins: list[Origin], years: float, season_months: float
) -> dict[Level, tuple[list[str], Weighed, Spread]]:
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
        tables = [candidates(origin, level) for origin in (plan, *origins)]
        labels = list(tables[0])
        prior = np.array([PRIOR[label] for label in labels])
        cases = []
        for origin, table in zip(origins, tables[1:], strict=True):
            truth = origin.judged(np.clip(_summed(origin, level), 0.0, None), ())
            columns = np.column_stack([origin.judged(table[label], level) for label in labels])
            cases.append(Case(truth, columns, origin.weight, (plan.end - origin.end - 1) // YEAR))
        weighed = weigh(cases, prior / prior.sum(), years)
        if not cases and axes - 1 in level and ABOVE in labels and season_months:
            weighed = _by_months(weighed, labels, season_months)
        for origin, table in zip((plan, *origins), tables, strict=True):
            mixed = sum(weight * table[label] for label, weight in zip(labels, weighed.weights, strict=True) if weight)
            origin.made[level] = mixed / max(float(mixed.sum()), 1e-12)
        found[level] = (labels, weighed, Spread.of(weighed, cases))
    return {level: found[level] for level in every}


def _summed(origin: Origin, level: Level) -> np.ndarray:
    assert origin.truth is not None
    return summed(origin.truth, level)


def _by_months(weighed: Weighed, labels: list[str], season_months: float) -> Weighed:
    """One year alone cannot tell a season from chance: its months count against those of the levels above."""
    weights = np.zeros(len(labels))
    weights[labels.index(ABOVE)] = season_months / (season_months + YEAR)
    weights[labels.index(LAST)] = YEAR / (season_months + YEAR)
    return Weighed(weights, True, weighed.errors, weighed.mixed, weighed.expected)


def _table(cube: Cube, plan: Origin, horizon: Horizon, months: Mapping[str, float]) -> pd.DataFrame:
    """The finest level in the open months (in all months of a year that has closed), with what the calendar adds to them."""
    cells = plan.made[tuple(range(plan.may.ndim))]
    ahead = horizon.open or horizon.months
    end = cube.first + cube.months
    slots = [(pd.Period(month, freq="M").ordinal - end) % YEAR for month in ahead]
    share = cells[..., slots] * np.array([months.get(month, 1.0) for month in ahead])
    if not share.sum() > 0:
        share = np.repeat(cells.sum(axis=-1, keepdims=True), len(ahead), axis=-1)
    share = share / float(share.sum())
    places = np.nonzero(share.sum(axis=-1) > 0)
    rows = share[places]
    frame = {
        name: np.repeat(np.array(names, dtype=object)[place], len(ahead))
        for name, names, place in zip(cube.dims, cube.members, places, strict=True)
    }
    return pd.DataFrame({**frame, MONTH: np.tile(np.array(ahead, dtype=object), len(rows)), "share": rows.ravel()})
