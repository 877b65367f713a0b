"""A target that grows carries its resources: people for each team, budget and managers for new regions (MET-4)."""

import math
from collections.abc import Callable, Sequence

import pandas as pd

from planlib.chapters.strategy.grounds import heads_needed, present
from planlib.plan import AMOUNT, Horizon

COLUMNS = ["target", "resource", "required", "available", "lack", "reason"]
MONEY = ("budget", "channel capacity", "marketing money")
STEP = 3  # the method book's measure: what three new regions ask for


def people(
    pyramid: pd.DataFrame,
    weights: pd.DataFrame,
    last_year: pd.DataFrame,
    horizon: Horizon,
    staff: pd.DataFrame | None,
    productivity: float,
) -> pd.DataFrame:
    """People that each team's growth asks for beside those it has (MET-4).

    Parameters: pyramid, see `pyramid`; weights, see `teams`; last_year, region, amount (minor units); staff, region, hired,
    left; productivity, rise of revenue per head that is counted on. A team's target is that of all departments.
    Returns target (the team), resource, required, available, lack (number, 0 or more), reason; empty without staff.
    """
    if staff is None:
        return pd.DataFrame(columns=COLUMNS)
    area = weights.set_index("region")["team"]
    heads = present(staff, horizon)["region"].map(area).value_counts()
    before = last_year.assign(team=last_year["region"].map(area)).groupby("team")[AMOUNT].sum()
    part = pyramid[pyramid["level"] == "team"]
    names = [name.removeprefix(f"{parent} / ") for name, parent in zip(part["name"], part["parent"], strict=True)]
    rows: list[tuple[object, ...]] = []
    for team, new in part[AMOUNT].groupby(pd.Series(names, index=part.index)).sum().items():
        have, old = int(heads.get(team, 0)), int(before.get(team, 0))
        need = heads_needed(have, old, int(new), productivity)
        reason = f"{new / old - 1:+.0%} revenue, {productivity:+.0%} a head" if old > 0 else "nothing sold last year"
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
    sold: list[str],
    growth: float,
) -> pd.DataFrame:
    """Budget and managers that opening `count` regions asks for (MET-4): three ask for `step_budget` more and `step_managers`.

    Parameters: marketing, month and spend; limit, the most marketing may cost this year (minor units); staff, region, role,
    hired, left; sold, the regions that are sold in: each keeps one manager, the others are free for new ones; growth, at
    which last year's spend goes on without new regions.
    Returns the columns of `people` with resource "budget" (minor units) or "managers" (number); empty for no new region.
    """
    rows: list[tuple[object, ...]] = []
    title = f"{count} new region{'s' if count != 1 else ''}"
    if count and marketing is not None:
        spent = int(marketing.loc[marketing["month"].isin(horizon.last_year), "spend"].sum())
        need = round(spent * step_budget * count / STEP)
        have = max(limit - round(spent * (1 + growth)), 0)
        rows.append((title, "budget", need, have, max(need - have, 0), f"{step_budget:.0%} more for {STEP} regions"))
    if count and staff is not None and "role" in staff:
        here = present(staff, horizon)
        managers = here[here["role"].fillna("").str.contains("manager", case=False)]
        have = len(managers) - int(managers["region"].isin(sold).groupby(managers["region"]).any().sum())
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
