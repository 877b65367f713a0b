"""The chapter's grounds in sentences a manager reads; every number comes in from the tables."""

from collections.abc import Callable

import pandas as pd

from planlib.chapters.strategy.areas import Customers, bottleneck
from planlib.chapters.strategy.parameters import Parameters
from planlib.estimates.momentum import Outlook


def reasons(
    parameters: Parameters,
    ahead: Outlook,
    baseline: int,
    chance: float | None,
    rates: pd.DataFrame,
    areas: pd.DataFrame,
    reviews: pd.DataFrame,
    lacks: list[str],
    owed: pd.DataFrame,
    focus: pd.DataFrame,
    show: Callable[..., str],
) -> list[str]:
    """What a board asks first: how sure the baseline is, where the funnel is narrow, what is late or lacking (STR-5, MET-5)."""
    said = []
    if ahead.damping:
        said.append(
            f"The trend counts at {ahead.trend:+.1%} a year, the weaker of the last twelve and six months; "
            f"{ahead.damping:.0%} of it is expected to go on: {ahead.growth:+.1%}."
        )
    said.append(ahead.note)
    if chance is not None and chance == chance:
        said.append(f"Without new action the target has a chance of {chance:.0%}.")
    weak = bottleneck(rates, parameters.benchmarks)
    if len(weak) and weak["shortfall"].iloc[0] > 0:
        row = weak.iloc[0]
        source = {"benchmark": "the benchmark", "own best year": "our own best year"}[row["source"]]
        said.append(
            f"The funnel is narrowest at {row['step']}: {row['rate']:.1%} against {source}, {row['reference']:.1%}; at that "
            f"rate wins would rise by {row['reference'] / row['rate'] - 1:.0%}."
        )
    if len(areas):
        row = areas.iloc[0]
        said.append(f"The strongest lever is {row['area']}: {row['unit']} is worth {show(int(row['per_unit']))} of revenue.")
    if len(reviews):
        said.append(f"Key areas are reviewed on {', '.join(dict.fromkeys(reviews['date']))}.")
    if lacks:
        said.append(f"Resources do not match yet: {'; '.join(lacks[:4])}{' and others' if len(lacks) > 4 else ''}.")
    late = owed[owed["state"] == "late"]
    if len(late):
        row = late.iloc[0]
        said.append(
            f"Late: {row['milestone']}, which {row['department']} owes {row['owes_to']} since {row['due']}"
            + (f", and {len(late) - 1} more." if len(late) > 1 else ".")
        )
    open_ = list(focus.loc[focus["gap"] != "", "segment"])
    if open_:
        said.append(f"No value proposition is stated for {', '.join(open_)}: they are proposed by potential and fit.")
    return said


def told(gap: int, show: Callable[..., str]) -> str:
    """The gap as half a sentence (STR-5)."""
    return f"new action must bring {show(gap)}" if gap > 0 else f"momentum alone goes {show(-gap)} beyond the target"


def absent(
    kpis: pd.DataFrame | None,
    marketing: pd.DataFrame | None,
    rivals: pd.DataFrame,
    owed: pd.DataFrame,
    staff: pd.DataFrame | None,
    customers: Customers,
) -> list[str]:
    """What this chapter could not tell for want of a table (STR-4, MET-2, MET-3)."""
    faults = [
        (kpis is None, "industry growth, the funnel and its bottleneck: no table kpis"),
        (marketing is None, "returns and acquisition cost of marketing: no table marketing"),
        (rivals.empty, "competitors: no table rivals"),
        (owed.empty, "what departments owe each other: no table milestones"),
        (staff is None, "targets of persons and the match of people: no table staff; teams' targets are assigned to nobody"),
        (customers.active is None, "focus segments by industry, repurchase and new customers: orders name no customer"),
    ]
    return [text for missing, text in faults if missing]
