"""What a region is given to reach its target: a budget pool (REG-6), a team pattern (REG-7) and tools (REG-8)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.chapters.base_year import company_growth
from planlib.chapters.members import refuse
from planlib.chapters.region.parameters import PARTS, RANKS, Parameters
from planlib.plan import AMOUNT

FULL, LIGHT, BASIC = "full field system", "light field system", "basic"


def organisation(
    compared: pd.DataFrame, regions: pd.DataFrame | None, team: pd.DataFrame | None, parameters: Parameters
) -> pd.DataFrame:
    """Class, team pattern and tools of each region, largest plan first (REG-7, REG-8).

    Parameters
        compared  member, allocated (minor units), growth;  regions  region, maturity where known;  team  see `team`
    Class A: among the largest `class_a_share` of regions by plan and, where maturity is known, mature. The largest
    `full_tools_share` get the full field system, of the others those that grow the light one: growing channels, or, where no
    maturity is known, a plan that grows faster than the company's.
    Returns region, class, allocated, tools and, with staff, today and pattern (managers + supervisors + specialists),
    at_todays_size (today's people in the pattern's proportions), lacks (people to the full pattern), mentors_short
    (experienced people missing for the newcomers, by class B's pattern: old lead new).
    """
    frame = compared[["member", "allocated", "growth", "last_year"]].rename(columns={"member": "region"})
    frame = frame.sort_values(["allocated", "region"], ascending=[False, True], ignore_index=True)
    stage = _stage(frame["region"], regions)
    a = (frame.index < _of(len(frame), parameters.class_a_share)) & (stage.isna() | (stage == "mature"))
    frame["class"] = np.where(a, "A", "B")
    growing = (stage == "growing").where(stage.notna(), frame["growth"].round(9) > company_growth(frame))
    largest = frame.index < _of(len(frame), parameters.full_tools_share)
    frame["tools"] = np.select([largest, growing.astype(bool)], [FULL, LIGHT], default=BASIC)
    columns = ["region", "class", "allocated", "tools"]
    if team is None or not (team[["managers", "supervisors", "specialists"]].to_numpy() > 0).any():
        return frame[columns]
    ranks = [f"{rank}s" for rank in RANKS]
    here = team.set_index("region").reindex(frame["region"])
    have = here[ranks].fillna(0).astype("int64").to_numpy()
    asked = [_pattern(parameters, kind) for kind in frame["class"]]
    frame["today"] = [_text(row) for row in have]
    frame["pattern"] = [_text(row) for row in asked]
    frame["at_todays_size"] = [_text(_shaped(int(row.sum()), want)) for row, want in zip(have, asked, strict=True)]
    frame["lacks"] = [
        sum(max(0, w - int(h)) for w, h in zip(want, row, strict=True)) for row, want in zip(have, asked, strict=True)
    ]
    _, old, new = _pattern(parameters, "B")
    heads = here["people"].fillna(0).to_numpy()
    fresh = np.rint(here["newcomers"].fillna(0.0).to_numpy() * heads)
    needed = np.ceil(np.round(fresh * old / new, 9)) if new else np.zeros(len(frame))
    frame["mentors_short"] = np.maximum(0, needed - (heads - fresh)).astype("int64")
    return frame[[*columns, "today", "pattern", "at_todays_size", "lacks", "mentors_short"]]


def pool_shares(organised: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    """How each region's budget pool is made up (REG-6): region, part (base, incentive, risk reserve), share.

    60% base, 30% incremental incentive, 10% risk reserve, unless `pool_exceptions` says otherwise for the region or, after
    that, for its class. `organised`: region, class. Raises ParameterError for an exception of a region that is not there.
    """
    usual = dict(zip(PARTS, (parameters.base_share, parameters.incentive_share, parameters.risk_share), strict=True))
    given: Mapping[str, Mapping[str, float]] = {name: dict(parts) for name, parts in parameters.pool_exceptions.items()}  # type: ignore[arg-type]
    refuse("pool_exceptions", given, {*organised["region"], "A", "B"}, "region of the orders, nor a class")
    rows = []
    for region, kind in organised[["region", "class"]].sort_values("region").itertuples(index=False):
        parts = given.get(region) or given.get(kind) or usual
        rows += [(region, part, float(parts[part])) for part in PARTS]
    return pd.DataFrame(rows, columns=["region", "part", "share"])


def pools(shares: pd.DataFrame, organised: pd.DataFrame) -> pd.DataFrame:
    """The pools for a reader (REG-6): one row per make-up, with the regions that have it; most regions first."""
    wide = shares.pivot(index="region", columns="part", values="share").reindex(columns=PARTS).reset_index()
    wide = wide.merge(organised[["region", "class"]], on="region")
    groups = wide.groupby([*PARTS, "class"], sort=True)["region"].agg(["size", lambda names: ", ".join(sorted(names)[:3])])
    frame = groups.set_axis(["regions", "such_as"], axis=1).reset_index().rename(columns={"risk reserve": "risk_reserve"})
    return frame.sort_values(["regions", "class"], ascending=[False, True], ignore_index=True)[
        ["class", "base", "incentive", "risk_reserve", "regions", "such_as"]
    ]


def told_pools(shares: pd.DataFrame) -> str:
    """How most pools are made up, as a sentence (REG-6)."""
    wide = shares.pivot(index="region", columns="part", values="share").round(9)[list(PARTS)]
    counts = wide.groupby(list(PARTS)).size().rename("regions").reset_index()
    usual = counts.sort_values(["regions", *PARTS], ascending=False).iloc[0]
    told = ", ".join(f"{usual[part]:.0%} {part}" for part in PARTS)
    same = int(usual["regions"])
    if len(wide) == 1:
        return f"The budget pool of {wide.index[0]} is {told}; chapter 07 gives it its money."
    of = f"all {same}" if same == len(wide) else f"{same} of {len(wide)}"
    return f"The budget pools of {of} regions are {told}; chapter 07 gives them their money."


def release(attainment: pd.Series, parameters: Parameters) -> pd.Series:
    """Which part of a month's incentive money is released at an attainment of that month's sales plan (REG-6).

    Nothing under `release_from`, all from `release_full`, in proportion between: at 90% of the plan, half, by default.
    """
    low, full = parameters.release_from, parameters.release_full
    if full <= low:
        return (attainment.round(9) >= full).astype(float)
    return ((attainment - low) / (full - low)).clip(0, 1).fillna(0.0).round(9)


def told_release(parameters: Parameters) -> str:
    """How a month's incentive is earned, as a sentence (REG-6)."""
    low, full = parameters.release_from, parameters.release_full
    reserve = "The risk reserve stays with headquarters' reserve."
    if full <= low:
        return (
            f"A month's incentive is released whole from {full:.0%} of that month's sales plan, below it not at all. {reserve}"
        )
    half = (low + full) / 2
    freed = release(pd.Series([half]), parameters).iloc[0]
    return (
        f"A month's incentive is released from {low:.0%} of that month's sales plan, all of it at {full:.0%}; "
        f"at {half:.0%} it is {freed:.0%}. {reserve}"
    )


def released(booked: pd.DataFrame | None, stood: pd.DataFrame | None, parameters: Parameters) -> pd.DataFrame | None:
    """What the closed months have released of each region's incentive (REG-6); None before one closes that was planned.

    Parameters
        booked  region, month, amount: the closed months (minor units)
        stood   plan table with region and month, each month as it was planned before it closed; a month that no plan had open
                is absent, and releases nothing
    Returns region, planned, booked (minor units of those months), month_attained (of the months together), released (months
    weighted by their plan), least released first; the last two are missing for a region that had no plan.
    """
    if booked is None or stood is None:
        return None
    planned = tables.rollup(stood, ["region", "month"]).rename(columns={AMOUNT: "planned"})
    months = set(planned["month"]) & set(booked["month"])
    if not months:
        return None
    sums = tables.rollup(booked, ["region", "month"]).astype({AMOUNT: "Int64"})
    both = planned.astype({"planned": "Int64"}).merge(sums, how="outer", on=["region", "month"])
    both = both.fillna({AMOUNT: 0, "planned": 0}).astype({AMOUNT: "int64", "planned": "int64"})
    both = both[both["month"].isin(months)]
    both["weighted"] = both["planned"] * release(tables.ratio(both[AMOUNT], both["planned"]), parameters)
    frame = both.groupby("region")[["planned", AMOUNT, "weighted"]].sum().reset_index().rename(columns={AMOUNT: "booked"})
    frame = frame.astype({"planned": "int64", "booked": "int64"})
    frame["month_attained"] = tables.ratio(frame["booked"], frame["planned"])
    frame["released"] = (frame["weighted"] / frame["planned"].where(frame["planned"] > 0)).round(9)
    frame = frame.sort_values(["released", "region"], ignore_index=True)
    return frame[["region", "planned", "booked", "month_attained", "released"]]


def told_teams(organised: pd.DataFrame) -> str:
    """Classes, tools and people in one sentence (REG-7, REG-8)."""
    kinds, tools = organised["class"].value_counts(), organised["tools"].value_counts()
    text = (
        f"Regions built as class A: {int(kinds.get('A', 0))}, as class B: {int(kinds.get('B', 0))}; "
        f"with the full field system: {int(tools.get(FULL, 0))}, with the light one: {int(tools.get(LIGHT, 0))}"
    )
    if "lacks" not in organised:
        return f"{text}."
    lacks = {kind: int(organised.loc[organised["class"] == kind, "lacks"].sum()) for kind in ("A", "B") if kind in kinds}
    told = [f"class {kind} lacks {'nobody' if not n else '1 person' if n == 1 else f'{n} people'}" for kind, n in lacks.items()]
    return f"{text}. To the full patterns {' and '.join(told)}."


def _of(count: int, share: float) -> int:
    """That share of `count`, to the nearest whole region, at least one unless the share is 0."""
    return max(1, int(np.floor(round(count * share, 9) + 0.5))) if share > 0 else 0


def _stage(names: pd.Series, regions: pd.DataFrame | None) -> pd.Series:
    if regions is None or "maturity" not in regions:
        return pd.Series(None, index=names.index, dtype=object)
    return names.map(regions.set_index("region")["maturity"]).astype(object)


def _pattern(parameters: Parameters, kind: str) -> list[int]:
    chosen = parameters.pattern_a if kind == "A" else parameters.pattern_b
    return [int(chosen.get(rank, 0)) for rank in RANKS]


def _shaped(heads: int, pattern: list[int]) -> list[int]:
    """So many heads in the pattern's proportions, a manager first."""
    if heads <= 0 or not sum(pattern):
        return [0] * len(pattern)
    first = [min(1, pattern[0]), 0, 0]
    rest = [int(part) for part in tables.largest_remainder(heads - first[0], [pattern[0] - first[0], *pattern[1:]])]
    return [one + other for one, other in zip(first, rest, strict=True)]


def _text(row: list[int]) -> str:
    return " + ".join(str(int(value)) for value in row)
