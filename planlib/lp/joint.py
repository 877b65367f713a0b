"""What planning chapter by chapter costs: the same drivers and rules, solved for several dimensions at once.

A chapter fixes its level before the next one knows its limits: the regions are set before a channel turns out to be full. The
joint program has every cell of the deepest level free at once, under the rules of all chapters, and stays as near to the
chained drivers as they allow. Its distance is the least there is; what the sequence has above it was given up for the order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from planlib import plan as tables
from planlib.lp.rules import Lock, Rule, Stated
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
    given_up  how much farther from the drivers the sequence lies: (its distance - the joint one) / the sequence's distance, 0-1
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
    weights = chained(stages)
    into = [stage.into for stage in stages]
    if len(weights) > most_cells:
        return None
    rules = [
        rule for number, stage in enumerate(stages) for each in stage.rules for rule in _at_its_level(each, number, stages)
    ]
    locks = [lock for stage in stages for lock in stage.locks]
    rules, locks = _renamed(rules), _renamed(locks)
    found = split(company, into, weights, rules, locks, history, booked, beside={SEQUENCE: sequence})
    distance = found.measures.set_index("split")["distance"]
    least, theirs = float(distance["this plan"]), float(distance[SEQUENCE])
    both = _beside(sequence, found.plan, into)
    away = int((both["joint"] - both["sequence"]).abs().sum()) // 2
    return Joint(found, found.measures, max(0.0, theirs - least) / theirs if theirs > 0 else 0.0, away, _shifts(both, into))


def chained(stages: Sequence[Stage]) -> pd.DataFrame:
    """The drivers of all stages multiplied: one row per cell of the last stage, weight = share of the whole (sums to 1)."""
    cells = pd.DataFrame({"weight": [1.0]})
    dims: list[str] = []
    for stage in stages:
        shared = [name for name in dims if name in stage.weights.columns]
        own = stage.weights[[*shared, stage.into, "weight"]].rename(columns={"weight": "own"})
        cells = cells.merge(own, how="inner" if shared else "cross", on=shared or None)
        dims = [*dims, stage.into]
        above = [cells[name] for name in dims[:-1]]
        total = cells["own"].groupby(above).transform("sum") if above else cells["own"].sum()
        cells["weight"] = cells["weight"] * (cells.pop("own") / total).fillna(0.0)
    return cells.sort_values(dims, ignore_index=True)


def _at_its_level(rule: Rule, number: int, stages: Sequence[Stage]) -> list[Rule]:
    if rule.each != "cell":
        return [rule]
    members = chained(stages[: number + 1]).drop(columns="weight").to_dict("records")
    return [
        _replaced(rule, name=f"{rule.name} {' x '.join(cell.values())}"[:80], where={**rule.where, **cell}, each=None)
        for cell in members
        if all(cell[name] in ([kept] if isinstance(kept, str) else kept) for name, kept in rule.where.items())
    ]


def _replaced(rule: Rule, **changes: object) -> Rule:
    """A copy of a rule with other values, checked again."""
    return Rule.model_validate({**rule.model_dump(), **changes})


def _renamed(limits: list[Stated]) -> list[Stated]:
    """Names that two chapters use get a number, so that each rule is still told apart."""
    seen: dict[str, int] = {}
    result = []
    for limit in limits:
        seen[limit.name] = seen.get(limit.name, 0) + 1
        again = seen[limit.name]
        result.append(limit if again == 1 else limit.model_copy(update={"name": f"{limit.name[:74]} ({again})"}))
    return result


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
