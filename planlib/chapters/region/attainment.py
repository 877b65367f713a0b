"""Three years of targets and results: who is steadily ahead, and whose target should be looked at again (REG-3)."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from planlib.chapters.base_year import company_growth
from planlib.chapters.members import counted
from planlib.chapters.region.parameters import Parameters
from planlib.estimates.windows import Coverage
from planlib.periods import Horizon
from planlib.plan import AMOUNT

YEARS = 3


def attained(targets: pd.DataFrame | None, results: pd.DataFrame, horizon: Horizon) -> pd.DataFrame | None:
    """Attainment by region and plan year (REG-3): region, year, attainment = result over target from summed parts.

    `targets`: year, region, amount. `results`: region, month, amount, of all orders up to as_of. The three years before the
    plan's count, and the regions of the orders. A year that the orders do not know in full has a missing attainment; a region
    that sold nothing in a year they know attained 0. None without targets.
    """
    if targets is None:
        return None
    coverage = Coverage.of(results["month"], horizon.until)
    found = []
    for back in range(YEARS, 0, -1):
        year = horizon.year - back
        window = coverage.window(str(year), horizon.year_of(year))
        sums = results[results["month"].isin(window.months)].groupby("region")[AMOUNT].sum()
        asked = targets[
            (targets["year"].astype(int) == year) & (targets[AMOUNT] > 0) & targets["region"].isin(results["region"])
        ]
        reached = asked["region"].map(sums).astype("float64").fillna(0) / asked[AMOUNT]
        found.append(asked.assign(year=year, attainment=reached if window.whole else np.nan))
    return pd.concat(found, ignore_index=True).sort_values(["region", "year"], ignore_index=True)[
        ["region", "year", "attainment"]
    ]


def steady(names: pd.Series, attained: pd.DataFrame | None) -> pd.DataFrame:
    """Least and mean attainment of the last three years by region; 1.0, which moves nobody, where one is not known (REG-3).

    `attained`: see there.
    """
    neutral = pd.DataFrame({"least": 1.0, "mean": 1.0}, index=names.index)
    if attained is None or attained.empty:
        return neutral
    result = attained.groupby("region")["attainment"].agg(["min", "mean", "count"]).reindex(names)
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
    company = company_growth(frame)
    frame = frame[frame["mean_attainment"] < parameters.under_line]
    frame["likely"] = (frame["allocated"] * frame["mean_attainment"]).round().astype("int64")
    frame["shortfall"] = frame["allocated"] - frame["likely"]
    loads = pd.Series(dtype=float) if load is None else load.set_index("region")["load"]
    frame["load"] = frame["region"].map(loads).astype(float)
    frame["ask"] = [_ask(load, growth, company) for load, growth in zip(frame["load"], frame["growth"], strict=True)]
    columns = ["region", "mean_attainment", "allocated", "growth", "likely", "shortfall", "load", "ask"]
    kept = [name for name in columns if name != "load" or len(loads)]
    return frame.sort_values(["shortfall", "region"], ascending=[False, True], ignore_index=True)[kept]


def told_review(
    table: pd.DataFrame,
    attained: pd.DataFrame | None,
    names: pd.Series,
    show: Callable[..., str],
    listed: Callable[[Sequence[str]], str],
) -> str:
    """What under-achievers would miss at their usual attainment, as a sentence (REG-3). `names`: the regions of the plan."""
    counts = pd.Series(dtype=int) if attained is None else attained.groupby("region")["attainment"].count()
    known = int((counts.reindex(names).fillna(0) >= YEARS).sum())
    if not known:
        return "Three years of targets and results are known of no region: no plan is reviewed for them."
    whose = "" if known == len(names) else f" Of {counted(len(names), 'region')} three years are known of {known}."
    if table.empty:
        return f"No region has missed its targets so far that its plan needs a review.{whose}"
    worst = listed(list(table["region"].head(3)))
    mine = f"{worst} misses" if len(table) == 1 else f"{len(table)} regions miss"
    most = "" if len(table) == 1 else f", most in {worst}"
    whose_target = "its target is" if len(table) == 1 else "their targets are"
    return (
        f"At {'its' if len(table) == 1 else 'their'} usual attainment {mine} {show(int(table['shortfall'].sum()))} of this "
        f"plan{most}; {whose_target} reviewed by hand, not cut.{whose}"
    )


def _ask(load: float, growth: float, company: float) -> str:
    """What to ask of an under-achiever's target; a load or growth that is not known asks nothing."""
    if round(load, 9) > 1:
        return "more than its team carries: add people or lower it?"
    if growth != growth:
        return "its growth is not known: is the target right?"
    if round(growth, 9) > company:
        return "grows faster than the company after misses: why now?"
    if round(growth, 9) == company:
        return (
            "grows as the company does: what held it back?"
            if growth >= 0
            else "shrinks as the company does: what held it back?"
        )
    return f"{'grows less' if growth >= 0 else 'does worse'} than the company: keep it, find what held it back"
