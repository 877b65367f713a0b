"""A target that grows carries its resources: people for each team, budget and managers for new regions (MET-4)."""

import math
from collections.abc import Callable, Sequence

import pandas as pd

from planlib.chapters import base_year
from planlib.chapters.members import counted
from planlib.chapters.strategy.grounds import heads_needed, present, spent_last_year
from planlib.estimates.windows import Coverage
from planlib.periods import Horizon
from planlib.plan import AMOUNT

COLUMNS = ["target", "resource", "required", "available", "lack", "reason"]
MONEY = ("budget", "channel capacity", "marketing money")
STEP = 3  # the method book's measure: what three new regions ask for


def people(
    pyramid: pd.DataFrame,
    weights: pd.DataFrame,
    sold: pd.DataFrame,
    horizon: Horizon,
    staff: pd.DataFrame | None,
    productivity: float,
    expected: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """People that each team's growth asks for beside those it has (MET-4).

    Parameters: pyramid, see `pyramid`; weights, see `teams`; sold, region, month, amount (minor units) up to as_of; staff,
    region, hired, left; productivity, rise of revenue per head that is counted on; expected, region, month, amount of last
    year's months that are not known yet. A team's target is that of all departments.
    Last year counts in full: a region that began within it, or whose orders are known for a part of it, is carried to twelve
    months. A team without people, or without sales last year, needs what the company's people would need for its target.
    Returns target (the team), resource, required, available, lack (number, 0 or more), reason; empty without staff, or where
    nobody is employed.
    """
    here = None if staff is None else present(staff, horizon)
    if here is None or here.empty:
        return pd.DataFrame(columns=COLUMNS)
    area = weights.set_index("region")["team"]
    heads = here["region"].map(area).value_counts()
    known = horizon.until
    if expected is not None:
        sold = pd.concat([sold[["region", "month", AMOUNT]], expected[["region", "month", AMOUNT]]], ignore_index=True)
        known = max(known, horizon.last_year[-1])
    coverage = Coverage.of(sold["month"], known)
    base, part = base_year.of_members(sold, "region", horizon.last_year, coverage)
    before = base.groupby(base["region"].map(area))[AMOUNT].sum()
    company = int(base[AMOUNT].sum())
    rows: list[tuple[object, ...]] = []
    level = pyramid[pyramid["level"] == "team"]
    names = [name.removeprefix(f"{parent} / ") for name, parent in zip(level["name"], level["parent"], strict=True)]
    for team, new in level[AMOUNT].groupby(pd.Series(names, index=level.index)).sum().items():
        have, old = int(heads.get(team, 0)), int(before.get(team, 0))
        if have and old > 0:
            need = heads_needed(have, old, int(new), productivity)
            reason = f"{new / old - 1:+.0%} revenue, {productivity:+.0%} a head"
            carried = [region for region in part if area.get(region) == team]
            reason += "; last year carried to twelve months" if carried else ""
        elif company > 0:
            need = heads_needed(len(here), company, int(new), productivity)
            reason = f"{'nothing sold last year' if have else 'nobody there'}: at the company's revenue a head"
        else:
            continue
        rows.append((team, "people", need, have, max(need - have, 0), reason))
    return pd.DataFrame(rows, columns=COLUMNS)


def new_regions(
    count: int,
    step_budget: float,
    step_managers: int,
    horizon: Horizon,
    marketing: pd.DataFrame | None,
    limit: int,
    staff: pd.DataFrame | None,
    roles: Sequence[str],
    sold: Sequence[str],
    growth: float,
) -> pd.DataFrame:
    """Budget and managers that opening `count` regions asks for (MET-4): three ask for `step_budget` more and `step_managers`.

    Parameters: marketing, month and spend; limit, the most marketing may cost this year (minor units); staff, region, role,
    hired, left; roles, of those who lead a region; sold, the regions that are sold in: each keeps one manager, the others are
    free for new ones; growth, at which last year's spend goes on without new regions.
    Returns the columns of `people` with resource "budget" (minor units) or "managers" (number); empty for no new region, and
    without managers where nobody has one of the roles.
    """
    rows: list[tuple[object, ...]] = []
    title = counted(count, "new region")
    spent = None if marketing is None else spent_last_year(marketing, horizon)
    if count and spent is not None:
        need = round(spent * step_budget * count / STEP)
        have = max(limit - round(spent * (1 + growth)), 0)
        rows.append((title, "budget", need, have, max(need - have, 0), f"{step_budget:.0%} more for {STEP} regions"))
    if count and staff is not None and "role" in staff and staff["role"].isin(roles).any():
        here = present(staff, horizon)
        managers = here[here["role"].isin(roles)]
        have = len(managers) - managers.loc[managers["region"].isin(sold), "region"].nunique()
        need = math.ceil(round(step_managers * count / STEP, 9))
        rows.append((title, "managers", need, have, max(need - have, 0), f"{step_managers} for {STEP} regions"))
    return pd.DataFrame(rows, columns=COLUMNS)


def resources(parts: Sequence[pd.DataFrame], show: Callable[[float | None, str], str]) -> tuple[pd.DataFrame, list[str]]:
    """What growth asks for beside what is there, numbers as text, and every lack in words (MET-4).

    `parts`: tables of `capacity`, `new_regions` and `people`, in the order to show.
    """
    known = [part for part in parts if len(part)]
    table = pd.concat(known, ignore_index=True) if known else pd.DataFrame(columns=COLUMNS)
    text, lacks = table.copy(), []
    forms = ["money" if resource in MONEY else "int" for resource in table["resource"]]
    for name in ("required", "available", "lack"):
        text[name] = [show(value, form) for value, form in zip(table[name], forms, strict=True)]
    text["lack"] = [told if lack > 0 else "none" for told, lack in zip(text["lack"], table["lack"], strict=True)]
    for row in text[table["lack"] > 0].itertuples(index=False):
        verb = "lacks" if not str(row.target).endswith("regions") else "lack"
        what = {"people": "person", "managers": "manager"}.get(row.resource, row.resource) if row.lack == "1" else row.resource
        lacks.append(f"{row.target} {verb} {row.lack} {'of ' if row.resource in MONEY else ''}{what}")
    return text, lacks
