"""The target pyramid: company, department, team, person; every level sums to the one above, to the minor unit (MET-2)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from planlib.chapters.members import refuse
from planlib.errors import TieOutError
from planlib.plan import AMOUNT, apportion

LEVELS = ("company", "department", "team", "person")
OPEN = "not assigned"  # a team's amount that no person answers for
COMPANY = "Company"


def teams(regional: pd.DataFrame, regions: pd.DataFrame | None) -> pd.DataFrame:
    """Weight of each region with the team it belongs to: team (its area; the region itself where areas are not known), region,
    weight (MET-2).

    `regional`: region, amount (minor units; the plan in force, else last year). Regions below 0 count as 0.
    """
    frame = regional.groupby("region")[AMOUNT].sum().clip(lower=0).rename("weight").reset_index()
    known = regions is not None and "area" in regions
    area = dict(zip(regions["region"], regions["area"], strict=True)) if regions is not None and known else {}
    frame["team"] = [area.get(region) or region for region in frame["region"]]
    return frame[["team", "region", "weight"]]


def pyramid(
    amount: int,
    departments: Mapping[str, float],
    weights: pd.DataFrame,
    people: pd.DataFrame | None = None,
    staffed: str = "",
) -> pd.DataFrame:
    """Company -> department -> team -> person, each level by largest remainder, so that it sums to the one above (MET-2).

    Parameters
        amount       the company's target, minor units
        departments  department: share of the target; sums to 1
        weights      team, region, weight: see `teams`
        people       person, region of those employed; a region's part is shared equally among them
        staffed      the department these people belong to; the others end at their teams
    Returns level, name, parent, amount (minor units); names of teams are "department / team". What nobody answers for stands
    under its team as "not assigned", so that the level still sums. Raises ParameterError where there are people and
    `staffed` is no department.
    """
    if people is not None:
        refuse("field_department", [staffed], departments, "department of `departments`")
    weights = weights.sort_values(["team", "region"], ignore_index=True)
    rows = [("company", COMPANY, "", amount)]
    names = sorted(departments)
    shares = apportion(
        np.array([amount], dtype=np.int64),
        np.zeros(len(names), dtype=np.int64),
        np.array([departments[name] for name in names]),
        np.array(names, dtype=object),
    )
    rows += [("department", name, COMPANY, int(share)) for name, share in zip(names, shares, strict=True)]
    members = weights.groupby("team")["weight"].sum()
    for department, share in zip(names, shares, strict=True):
        parts = _shared(int(share), members.astype(float))
        for team, part in parts.items():
            label = f"{department} / {team}"
            rows.append(("team", label, department, part))
            mine = weights[weights["team"] == team]
            rows += [("person", name, label, value) for name, value in _people(part, mine, people, department == staffed)]
    frame = pd.DataFrame(rows, columns=["level", "name", "parent", AMOUNT]).astype({AMOUNT: "int64"})
    check_pyramid(frame)
    return frame


def check_pyramid(pyramid: pd.DataFrame) -> None:
    """Raise TieOutError unless each parent's children sum to it, to the minor unit (MET-2)."""
    sums = pyramid.groupby("parent")[AMOUNT].sum()
    for row in pyramid[pyramid["level"] != LEVELS[-1]].itertuples(index=False):
        below = int(sums.get(row.name, 0))
        if below != row.amount:
            raise TieOutError(
                f"pyramid: {row.level} {row.name!r} has {row.amount:,} minor units and its parts sum to "
                f"{below:,} minor units, expected the same; "
                "share it again with `pyramid`."
            )


def levels(pyramid: pd.DataFrame) -> pd.DataFrame:
    """One row per level: members, amount, largest (name) and its amount, not_assigned (minor units) (MET-2)."""
    rows = []
    for level in LEVELS:
        part = pyramid[pyramid["level"] == level]
        named = part[part["name"] != OPEN].sort_values([AMOUNT, "name"], ascending=[False, True])
        free = int(part.loc[part["name"] == OPEN, AMOUNT].sum())
        first = (named["name"].iloc[0], int(named[AMOUNT].iloc[0])) if len(named) else ("", 0)
        rows.append((level, len(named), int(part[AMOUNT].sum()), *first, free))
    return pd.DataFrame(rows, columns=["level", "members", AMOUNT, "largest", "largest_amount", "not_assigned"])


def _shared(total: int, weights: pd.Series) -> dict[str, int]:
    keys = weights.index.to_numpy(dtype=object)
    zeros = np.zeros(len(keys), dtype=np.int64)
    return dict(zip(keys, map(int, apportion(np.array([total], dtype=np.int64), zeros, weights.to_numpy(), keys)), strict=True))


def _people(part: int, mine: pd.DataFrame, people: pd.DataFrame | None, staffed: bool) -> list[tuple[str, int]]:
    """A team's amount over its people: by region as the regions weigh, equally within a region."""
    if people is None or not staffed:
        return [(OPEN, part)]
    mine = mine.sort_values("region")
    by_region = _shared(part, mine.set_index("region")["weight"].astype(float))
    found: list[tuple[str, int]] = []
    free = 0
    for region, value in by_region.items():
        names = sorted(people.loc[people["region"] == region, "person"])
        if not names:
            free += value
            continue
        found += list(_shared(value, pd.Series(1.0, index=names)).items())
    return [*found, *([(OPEN, free)] if free else [])]
