"""Three years of targets and results: who is steadily ahead, and whose target should be looked at again (REG-3)."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from planlib.chapters.region.parameters import Parameters
from planlib.plan import AMOUNT, Horizon

YEARS = 3


def attained(targets: pd.DataFrame | None, results: pd.DataFrame, horizon: Horizon) -> pd.DataFrame | None:
    """Attainment by region and plan year (REG-3): region, year, attainment = result over target from summed parts.

    `targets`: year, region, amount. `results`: region, month, amount. Years before the plan's alone; None without targets.
    """
    if targets is None:
        return None
    month = pd.PeriodIndex(results["month"], freq="M")
    year = month.year - (month.month < horizon.fiscal_start).astype(int)
    sums = results.assign(year=year).groupby(["region", "year"])[AMOUNT].sum().rename("result").reset_index()
    both = targets.assign(year=targets["year"].astype(int)).merge(sums, on=["region", "year"], validate="one_to_one")
    both = both[(both["year"] < horizon.year) & (both["amount"] > 0)]
    return both.assign(attainment=both["result"] / both["amount"])[["region", "year", "attainment"]]


def steady(names: pd.Series, attained: pd.DataFrame | None) -> pd.DataFrame:
    """Least and mean attainment of the last three years by region; 1.0 where fewer than three are known (REG-3)."""
    neutral = pd.DataFrame({"least": 1.0, "mean": 1.0}, index=names.index)
    if attained is None or attained.empty:
        return neutral
    recent = attained.sort_values("year").groupby("region").tail(YEARS)
    result = recent.groupby("region")["attainment"].agg(["min", "mean", "count"]).reindex(names)
    enough = (result["count"] >= YEARS).to_numpy()
    neutral["least"] = np.where(enough, result["min"], 1.0)
    neutral["mean"] = np.where(enough, result["mean"], 1.0)
    return neutral


def review(
    compared: pd.DataFrame, attained: pd.DataFrame | None, load: pd.DataFrame | None, parameters: Parameters
) -> pd.DataFrame:
    """Is the target of an under-achiever reasonable? Looked at by people, never cut by a formula (REG-3).

    Parameters
        compared  member, allocated, last_year (minor units), growth;  load  region, load, where known
    Returns the regions whose mean attainment of three years lies under `under_line`: region, mean_attainment, allocated,
    growth, likely (plan x mean attainment, minor units), shortfall (plan - likely), load, ask (text); largest shortfall first.
    """
    frame = compared.rename(columns={"member": "region"}).copy()
    frame["mean_attainment"] = steady(frame["region"], attained)["mean"].round(9)
    company = round(int(frame["allocated"].sum()) / max(1, int(frame["last_year"].sum())) - 1, 9)
    frame = frame[frame["mean_attainment"] < parameters.under_line]
    frame["likely"] = (frame["allocated"] * frame["mean_attainment"]).round().astype("int64")
    frame["shortfall"] = frame["allocated"] - frame["likely"]
    loads = pd.Series(dtype=float) if load is None else load.set_index("region")["load"]
    frame["load"] = frame["region"].map(loads).astype(float)
    frame["ask"] = np.select(
        [frame["load"].round(9) > 1, frame["growth"].round(9) > company],
        ["more than its team carries: add people or lower it?", "grows faster than the company after misses: why now?"],
        default="grows less than the company: keep it, find what held it back",
    )
    columns = ["region", "mean_attainment", "allocated", "growth", "likely", "shortfall", "load", "ask"]
    kept = [name for name in columns if name != "load" or len(loads)]
    return frame.sort_values(["shortfall", "region"], ascending=[False, True], ignore_index=True)[kept]


def told_review(
    table: pd.DataFrame, attained: pd.DataFrame | None, show: Callable[..., str], listed: Callable[[Sequence[str]], str]
) -> str:
    """What under-achievers would miss at their usual attainment, as a sentence (REG-3)."""
    if attained is None or attained.empty:
        return "Past targets are not known, so that no region's plan is reviewed for them."
    if table.empty:
        return "No region has missed its targets so steadily that its plan needs a review."
    worst = listed(list(table["region"].head(3)))
    who = "one region misses" if len(table) == 1 else f"{len(table)} regions miss"
    return (
        f"At their usual attainment {who} {show(int(table['shortfall'].sum()))} of this plan, most in {worst}; "
        "their targets are reviewed by hand, not cut."
    )
