"""What planning chapter by chapter costs: the same drivers and rules, solved for several dimensions at once.

A chapter fixes its level before the next one knows its limits: the regions are set before a channel turns out to be full. The
joint program has every cell of the deepest level free at once, under the rules of all chapters, and stays as near to the
chained drivers as they allow. Its distance is the least there is; what the sequence has above it was given up for the order.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from planlib import plan as tables
from planlib.lp.rules import Lock, Rule, Stated, expanded, mask
from planlib.lp.splitting.cells import is_leaf
from planlib.lp.splitting.split import Split, split
from planlib.plan import AMOUNT

SEQUENCE = "chapter by chapter"


@dataclass(frozen=True)
class Stage:
    """One chapter's part in the sequence: the new dimension, and weights, rules, locks and measures as `split` took them."""

    into: str
    weights: pd.DataFrame
    rules: tuple[Rule, ...] = ()
    locks: tuple[Lock, ...] = ()
    measures: pd.DataFrame | None = None


@dataclass(frozen=True)
class Joint:
    """The joint program beside the sequence.

    split     the joint plan with its rules, prices and certificate
    compared  one row per plan (this plan, the drivers' proportions, last year's shares, chapter by chapter): see
              `planlib.lp.splitting.explain.compared`
    given_up  how much farther from the drivers the sequence lies: (its distance - the joint one) over its own, 0-1;
              missing where a distance is
    moved     minor units that lie elsewhere in the two plans
    shifts    one row per dimension and member: dimension, member, sequence, joint, difference (minor units), largest first
    """

    split: Split
    compared: pd.DataFrame
    given_up: float
    moved: int
    shifts: pd.DataFrame


def joint(
    company: pd.DataFrame,
    stages: Sequence[Stage],
    sequence: pd.DataFrame,
    history: pd.DataFrame | None = None,
    booked: pd.DataFrame | None = None,
    most_cells: int = 20_000,
) -> Joint | None:
    """Solve the stages as one program and compare it with the plan they made one after the other.

    Parameters
        company     the plan table above the first stage
        stages      in chain order
        sequence    the plan table that the last stage ended with (minor units)
        history, booked   as in `split`, at the last stage's level
        most_cells  a larger level is not solved
    Returns None where the level is larger than that. A rule that guards each cell of an early stage is stated for each of that
    stage's members. Raises ConflictError when the rules of all stages cannot hold together: then the sequence cannot keep them.
    """
    weights = chained(stages, int(company[AMOUNT].sum()))
    into = [stage.into for stage in stages]
    if len(weights) > most_cells:
        return None
    rules, locks, measures = _together(stages)
    found = split(company, into, weights, rules, locks, history, booked, measures, beside={SEQUENCE: sequence})
    distance = found.measures.set_index("split")["distance"]
    least, theirs = float(distance["this plan"]), float(distance[SEQUENCE])
    both = _beside(sequence, found.plan, into)
    away = int((both["joint"] - both["sequence"]).abs().sum()) // 2
    given_up = 0.0 if theirs == 0 else math.nan if math.isnan(theirs - least) else max(0.0, theirs - least) / theirs
    return Joint(found, found.measures, given_up, away, _shifts(both, into))


def chained(stages: Sequence[Stage], total: int = 0) -> pd.DataFrame:
    """The drivers of all stages multiplied: one row per cell of the last stage, weight = share of the whole (sums to 1).

    As in `split`, a parent whose weights are all 0 is shared equally, and a cell without a weight that a lock holds is there
    all the same: its share is what the lock holds of `total` (minor units).
    """
    cells = pd.DataFrame({"weight": [1.0]})
    dims: list[str] = []
    for stage in stages:
        shared = [name for name in dims if name in stage.weights.columns]
        own = stage.weights[[*shared, stage.into, "weight"]].rename(columns={"weight": "own"})
        cells = cells.merge(own, how="inner" if shared else "cross", on=shared or None)
        parent = cells.groupby(dims).ngroup() if dims else pd.Series(0, index=cells.index)
        sums = cells["own"].groupby(parent).transform("sum")
        share = (cells.pop("own") / sums.where(sums > 0)).fillna(1.0 / parent.groupby(parent).transform("size"))
        dims = [*dims, stage.into]
        held = _held_without_weight(cells.assign(share=share), dims, stage.locks, total)
        left = (1.0 - held.groupby(parent).transform("sum")).clip(lower=0.0)
        cells["weight"] = cells["weight"] * (held + share * left)
    return cells.sort_values(dims, ignore_index=True)


def _held_without_weight(cells: pd.DataFrame, dims: list[str], locks: Sequence[Lock], total: int) -> pd.Series:
    """What locks hold of their parent where the drivers give a cell nothing; `cells`: dims, weight of the parent, share."""
    held = pd.Series(0.0, index=cells.index)
    for lock in locks:
        if is_leaf(lock, dims):
            at = mask(cells, lock.where, lock.name) & (cells["share"] == 0) & (cells["weight"] > 0)
            held[at] = lock.amount / (max(total, 1) * cells.loc[at, "weight"])
    return held


def _together(stages: Sequence[Stage]) -> tuple[list[Rule], list[Lock], pd.DataFrame | None]:
    """The rules and locks of all stages, each under a name of its own, and what they measure, cell by cell."""
    rules: list[Rule] = []
    locks: list[Lock] = []
    measures = chained(stages).drop(columns="weight")
    dims = list(measures.columns)
    taken: set[str] = set()
    for number, stage in enumerate(stages):
        level = chained(stages[: number + 1])
        written = expanded([rule for rule in stage.rules if rule.each != "cell"], level)
        for rule in [*written, *_by_cell(stage, level)]:
            rules.append(_named(rule, taken))
            # What is measured is the stage's own: two stages may mean different things by one name.
            names = {old: f"{old} of stage {number + 1}" for old in (rule.measure, rule.per) if old}
            rules[-1] = rules[-1].model_copy(update={"measure": names.get(rule.measure, ""), "per": names.get(rule.per, "")})
            if names and stage.measures is not None:
                known = [name for name in dims if name in stage.measures.columns]
                new = [old for old, ours in names.items() if old in stage.measures.columns and ours not in measures.columns]
                found = stage.measures[[*known, *new]].rename(columns=names)
                measures = measures.merge(found, how="left", on=known, validate="many_to_one")
        locks += [_named(lock, taken) for lock in stage.locks]
    return rules, locks, measures if len(measures.columns) > len(dims) else None


def _by_cell(stage: Stage, level: pd.DataFrame) -> list[Rule]:
    """A stage's guardrails as one rule per cell of that stage: the last stage's cells are smaller."""
    return [
        rule.model_copy(
            update={
                "name": f"{rule.name} {' x '.join(map(str, cell.values()))}", "where": {**rule.where, **cell}, "each": None
            }
        )
        for rule in stage.rules
        if rule.each == "cell"
        for cell in level[mask(level, rule.where, rule.name)].drop(columns="weight").to_dict("records")
    ]  # fmt: skip


def _named(limit: Stated, taken: set[str]) -> Stated:
    """The limit under a name that none before it has: what two chapters call the same is told apart by a number."""
    name, again = limit.name, 1
    while name in taken:
        again += 1
        name = f"{limit.name} ({again})"
    taken.add(name)
    return limit.model_copy(update={"name": name})


def _beside(sequence: pd.DataFrame, together: pd.DataFrame, into: list[str]) -> pd.DataFrame:
    frames = {"sequence": sequence, "joint": together}
    both = [tables.rollup(frame, into).set_index(into)[AMOUNT].rename(name) for name, frame in frames.items()]
    return pd.concat(both, axis=1).fillna(0).astype("int64").reset_index()


def _shifts(both: pd.DataFrame, into: list[str]) -> pd.DataFrame:
    parts = []
    for name in into:
        sums = both.groupby(name)[["sequence", "joint"]].sum().rename_axis("member").reset_index()
        parts.append(sums.assign(dimension=name, difference=sums["joint"] - sums["sequence"]))
    every = pd.concat(parts, ignore_index=True)[["dimension", "member", "sequence", "joint", "difference"]]
    every["_size"] = every["difference"].abs()
    every = every.sort_values(["_size", "dimension", "member"], ascending=[False, True, True])
    return every.drop(columns="_size").reset_index(drop=True)
