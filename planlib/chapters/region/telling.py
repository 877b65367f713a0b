"""What the region chapter says of its plan and of what it does not know, each sentence made from its rows (REG-1 to REG-8)."""

from collections.abc import Sequence

import pandas as pd

from planlib.chapters.members import carried, counted, lacking, listed, some, strangers
from planlib.chapters.region.parameters import Parameters
from planlib.estimates.windows import Coverage, span_of


def told_plan(compared: pd.DataFrame, leaders: Sequence[str], share: float) -> str:
    """The chapter in one sentence. `compared`: see `base_year.grown`; `leaders` carry `share` of the target."""
    known = compared.dropna(subset="growth").assign(growth=lambda frame: frame["growth"].round(3))
    text = carried(leaders, share, "take")
    if known.empty:
        return f"{text}; growth over last year is not known."
    # Whole cents decide between regions at one cap: those that grow alike as written are told together, the largest first.
    best = known[known["growth"] == known["growth"].max()].sort_values(["allocated", "member"], ascending=[False, True])
    names, growth = best["member"].tolist(), float(best["growth"].iloc[0])
    name, many = some(names) if len(names) > 3 else listed(names), len(names) > 1
    if len(compared) == 1:
        return f"{text}, {_over(growth)}."
    some_known = "" if len(known) == len(compared) else " of those whose last year is known"
    if round(growth, 3) > 0:
        return f"{text}; {name} {'grow' if many else 'grows'} most{some_known}, {'each ' if many else ''}by {_percent(growth)}."
    return f"{text}; no region{some_known} grows: {name} {'come' if many else 'comes'} nearest, {_over(growth)}."


def unknown(
    names: Sequence[str],
    regions: pd.DataFrame | None,
    targets: pd.DataFrame | None,
    staff: pd.DataFrame | None,
    parameters: Parameters,
    coverage: Coverage,
) -> list[str]:
    """What orders and tables do not know of each other, each as a sentence (REG-1, REG-3, REG-5).

    `names`: the regions of the orders; `coverage`: the months that orders know.
    """
    said = []
    known = 0 if coverage.first is None else len(span_of(coverage.first, coverage.last))
    if known <= parameters.dormant_months:
        said.append(
            f"Orders begin {counted(known, 'month')} ago: who is dormant after {parameters.dormant_months} is not known."
        )
    if regions is not None:
        so = "what orders lead to expect stands for their market"
        said.append(lacking("regions", regions["region"], names, "region", so))
        said.append(strangers("regions", regions["region"], names, "region", "no target is set there"))
    if targets is not None:
        said.append(lacking("targets", targets["region"], names, "region", "no base is raised or reviewed for them"))
    if staff is not None:
        said.append(strangers("staff", staff["region"], names, "region", "who is there is in no team"))
        roles = sorted(set(staff["role"].dropna()) - set(parameters.roles)) if "role" in staff else []
        said.append(f"Roles in staff that `roles` does not rank: {some(roles)}. They count as heads alone." if roles else "")
    return [text for text in said if text]


def _over(growth: float) -> str:
    if round(growth, 3) == 0:
        return "as much as last year"
    return f"{_percent(abs(growth))} {'more' if growth > 0 else 'less'} than last year"


def _percent(part: float) -> str:
    """Whole percents, with a tenth where they would be none."""
    return f"{part:.0%}" if round(part, 2) else f"{part:.1%}"
