"""How far a plan can be trusted: what each level was off in the past, how far a cell may be off now, what is too thin.

All of it comes from the outlook's own trials of the past: no width is assumed. Where no past tells, it is missing and said.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.estimates.candidates import LAST
from planlib.estimates.spread import NORMAL, deviation
from planlib.plan import AMOUNT

# A cell that may lie half of what is expected of it off is too thin to plan by itself.
THIN = 0.5
# A level can be read where cells that carry this part of the plan are not thin.
READABLE = 0.80
STORIES = 8


def likely(
    table: pd.DataFrame, skill: pd.DataFrame, plan: pd.DataFrame, dims: Sequence[str], booked: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Between what each cell of a level comes to in four years of five, given the plan's total.

    Parameters
        table, skill  of an outlook (see `Outlook`), which has the dimensions `dims`
        plan          plan table with `dims`, amount (minor units)
        booked        the plan year's closed months with `dims`, amount; what has come is certain
    Returns `dims`, amount (of the plan), open (what of it has not come yet), mean, deviation, low, high (minor units; missing
    where no past tells, but for the first two), width (half the interval over the mean; missing where nothing is expected) and
    thin (bool).
    """
    dims = list(dims)
    expected = table.groupby(dims, sort=True)["share"].sum().reset_index()
    frame = tables.rollup(plan, dims).merge(expected, how="outer", on=dims).fillna({AMOUNT: 0, "share": 0.0})
    frame[AMOUNT] = frame[AMOUNT].astype("int64")
    came = frame[dims].merge(tables.rollup(booked, dims), how="left", on=dims)[AMOUNT].fillna(0) if booked is not None else 0
    total = float(frame[AMOUNT].sum() - (0 if booked is None else int(booked[AMOUNT].sum())))
    law = skill[skill["level"] == " x ".join(dims)].iloc[0]
    spread = deviation(frame["share"].to_numpy(), law["chance"], law["own"]) * law["width"] / NORMAL * max(0.0, total)
    frame["mean"] = came + frame["share"] * total if np.isfinite(law["width"]) else np.nan
    frame["deviation"] = spread
    half = NORMAL * frame["deviation"]
    frame["low"], frame["high"] = (frame["mean"] - half).clip(lower=came), frame["mean"] + half
    frame["width"] = tables.ratio(half, frame["mean"])
    frame["open"] = (frame[AMOUNT] - came).clip(lower=0).astype("int64")
    frame["thin"] = (frame["width"] > THIN) & (frame["open"] > 0)
    return frame.drop(columns="share").sort_values(dims, ignore_index=True)


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """`likely` with amounts in no more digits than their interval has: a half width of 1.2 m leaves tenths of a million."""
    half = ((frame["high"] - frame["low"]) / 2).to_numpy(dtype=float)
    step = 10.0 ** np.floor(np.log10(np.where(half > 0, half, 1.0)))
    rounded = {name: np.round(frame[name].to_numpy(dtype=float) / step) * step for name in (AMOUNT, "low", "high")}
    return frame.assign(**rounded)


def by_level(skill: pd.DataFrame, found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per level: what it was off in the past, what last year's shares were, and how wide its cells' intervals are.

    `found`: by level name, of `likely`. Returns level, cells (with open money), misplaced, misplaced_by_last_year (share of
    sales that lay elsewhere), better (what the first saves of the second), stands, typical (the half width over the mean that
    half of the open money lies within), thin_share (of open money in cells too thin to plan), covered (share of past cells
    inside such intervals).
    """
    rows = []
    for name, frame in found.items():
        line = skill[skill["level"] == name].iloc[0]
        paid = frame[frame["open"] > 0]
        money = float(paid["open"].sum())
        thin = float(paid.loc[paid["thin"], "open"].sum()) / money if money and paid["width"].notna().any() else np.nan
        rows.append(
            (
                name,
                len(paid),
                line["expected"] / 2,
                line["last_year"] / 2,
                line["skill"],
                line["stands"],
                _middle(paid["width"], paid["open"]),
                thin,
                line["covered"],
            )
        )
    columns = ["level", "cells", "misplaced", "misplaced_by_last_year", "better", "stands", "typical", "thin_share", "covered"]
    return pd.DataFrame(rows, columns=columns)


def stories(past: pd.DataFrame, count: int = STORIES) -> pd.DataFrame:
    """The worst misses of the last whole year and why: level, member, expected_share, came, before, off, story."""
    frame = past[past["member"].ne("")].copy()
    frame["off"] = frame["came"] - frame["expected"]
    single = ~frame["level"].str.contains(" x ")
    # A pair is told where it missed by more than its own dimensions did.
    frame = frame.assign(_size=frame["off"].abs() * np.where(single, 1.0, 0.999)).sort_values(
        ["_size", "level", "member"], ascending=[False, True, True], kind="stable"
    )
    frame = frame.head(count).drop(columns="_size")
    frame["story"] = [_story(row.expected, row.came, row.before, row.began) for row in frame.itertuples()]
    return frame.drop(columns="began").rename(columns={"expected": "expected_share"}).reset_index(drop=True)


def _story(expected: float, came: float, before: float, began: str) -> str:
    if began:
        return f"first sold in {began}: nobody could expect it"
    if came < 0.02 * before:
        return "all but ended in the year"
    moved, foreseen = came - before, expected - before
    if abs(moved) < 0.1 * max(abs(foreseen), 1e-12):
        return "stayed where it was, a movement was expected"
    if moved * foreseen < 0 and abs(foreseen) > 0.02 * before:
        return "turned: it moved against what the years before said"
    if abs(moved) > abs(foreseen):
        return f"{'rose' if moved > 0 else 'fell'} further than the years before said"
    return f"{'rose' if moved > 0 else 'fell'} less than expected"


def told(levels: pd.DataFrame, show: Callable[[float, str], str]) -> list[str]:
    """Two sentences for a manager: what the method was worth in the past, and down to where the plan can be read."""
    tried = levels[levels["misplaced"].notna()]
    if tried.empty:
        return [
            "The orders are too short a past to try the plan on: how far to trust it is not known, and no interval is shown.",
            "Read it as the last twelve months' shares under your rules, until eighteen months of orders are there.",
        ]
    mine, last = float(tried["misplaced"].sum()), float(tried["misplaced_by_last_year"].sum())
    saved = 1 - mine / last if last > 0 else 0.0
    worth = (
        "Tried on the company's own past, before drivers, decisions and rules, the expected shares put "
        f"{show(saved, 'share')} less of sales in the wrong place than the last twelve months' shares, all levels together"
        if saved > 0.005
        else "Tried on the company's own past, nothing did better than the last twelve months' shares"
    )
    kept = int((tried["stands"] == LAST).sum())
    worth += f"; at {kept} of {len(tried)} levels the last twelve months' shares stand" if kept and saved > 0.005 else ""
    told = tried[tried["thin_share"].notna()]
    sound = told[told["thin_share"] <= 1 - READABLE]
    thin = told[told["thin_share"] > 1 - READABLE]
    if sound.empty:
        return [
            f"{worth}.",
            "No level below the company's total can be read cell by cell: the past scatters more than its cells.",
        ]
    deepest = sound.loc[sound["cells"].idxmax()]
    second = (
        f"It can be read down to {deepest['level']}, where half of the money lies within "
        f"{show(deepest['typical'], 'share')} of what is expected in four years of five"
    )
    if len(thin):
        worst = thin.loc[thin["thin_share"].idxmax()]
        second += (
            f"; by {worst['level']}, {show(worst['thin_share'], 'share')} of the money lies in cells too thin to plan one by "
            "one: use their sums"
        )
    return [f"{worth}.", f"{second}."]


def _middle(values: pd.Series, weights: pd.Series) -> float:
    """The median of values, weighted; missing where none is known."""
    known = values.notna()
    if not known.any():
        return float("nan")
    order = values[known].sort_values(kind="stable").index
    part = weights[order].cumsum() / weights[order].sum()
    return float(values[part[part >= 0.5 - 1e-12].index[0]])
