"""What makes a region's share: the drivers of REG-1 to REG-5, in the order in which they are applied."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from planlib.chapters.members import refuse
from planlib.chapters.region.attainment import steady
from planlib.chapters.region.markets import competition, potential, pressure
from planlib.chapters.region.parameters import Parameters
from planlib.drivers import Counts, Driver, Drivers, Kind, build
from planlib.estimates.evidence import UNTESTED, Evidence

KINDS: dict[str, Kind] = {
    "potential": "claim",
    "reach": "claim",
    "competition": "claim",
    "priority": "decision",
    "attainment": "decision",
    "maturity": "decision",
    "team": "decision",
}


def drivers(
    company: pd.DataFrame,
    last_year: pd.DataFrame,
    expected: pd.DataFrame,
    parameters: Parameters,
    regions: pd.DataFrame | None = None,
    reach: pd.DataFrame | None = None,
    attained: pd.DataFrame | None = None,
    team: pd.DataFrame | None = None,
    past: Mapping[str, Evidence] | None = None,
    lives: Driver | None = None,
) -> Drivers:
    """From last year's shares to the weights (REG-1 to REG-5); every driver is neutral where its table is missing.

    Parameters
        company    the plan's one row, amount (minor units)
        last_year  region, amount (minor units)
        expected   region, share: what the company's own history leads to expect
        regions    the table of markets;  reach  see `reachable`;  attained  see `attained`;  team  see `team`
        past       what the past says of each driver, see `replayed`; without, every driver counts as stated
        lives      what openings and closings make of the expected shares, where there are any: markets that are open for a part
                   of the year count by that part
    Claims (see `KINDS`) count by evidence, decisions in full, but where the parameter `counts` says otherwise.
    Raises ParameterError for a priority of a region without orders, or a name in `counts` that is no driver.
    """
    refuse("counts", parameters.counts, KINDS, "driver of this chapter")
    expected = expected[["region", "share"]].sort_values("region", ignore_index=True)
    names = expected["region"] if lives is None else lives.values["region"]
    refuse("priority", parameters.priority, names, "region of the orders")
    missing = pd.DataFrame({"region": pd.Series(dtype=str), "share": pd.Series(dtype=float)})
    found = missing if reach is None else expected[["region"]].merge(reach, how="left", on="region").fillna({"share": 0.0})
    rivals = competition(pressure(regions, parameters), expected, parameters)
    economy = potential(regions, expected)
    if lives is not None:
        found, economy = (_open_part(each, expected, lives) for each in (found, economy))

    def moved(name: str, source: str, method: str, values: pd.DataFrame, part: float = 1.0) -> Driver:
        said = (past or {}).get(name, UNTESTED)
        counts: Counts | None = parameters.counts.get(name)
        return Driver(name, source, method, values, part, KINDS[name], counts, said, named=name == "priority")

    made = build(
        company,
        "region",
        last_year,
        [
            Driver("trend", "orders", "REG-1", expected, kind="expected"),
            *([] if lives is None else [lives]),
            moved("potential", "regions: gdp, growth, income, consumption", "REG-1", economy, parameters.potential_weight),
            moved("reach", "orders: customers by recency", "REG-1", found[["region", "share"]], parameters.reach_weight),
            moved("competition", "regions: rivals' share, coverage, price", "REG-1", rivals),
            moved("priority", "parameter priority", "REG-2", priority(names, parameters)),
            moved("attainment", "targets and orders", "REG-3", uplift(names, attained, parameters)),
            moved("maturity", "regions: maturity", "REG-4", maturity(names, regions, parameters)),
            moved("team", "staff: hired, left", "REG-5", newcomers(names, team, parameters)),
        ],
    )
    pressed = pressure(regions, parameters)["pressure"]
    known = {
        "potential": not economy.empty,
        "reach": reach is not None,
        "competition": bool(pressed.notna().any()),
        "attainment": attained is not None and len(attained) > 0,
        "maturity": regions is not None and "maturity" in regions,
        "team": team is not None,
    }
    sources = made.sources
    blank = sources["driver"].isin([name for name, there in known.items() if not there])
    texts = {"source": sources["source"].mask(blank, "not known")} | {
        name: sources[name].mask(blank, "") for name in ("form", "past")
    }
    numbers = {name: sources[name].mask(blank) for name in ("slope", "slope_low", "slope_high", "counted")}
    return replace(made, sources=sources.assign(**texts, **numbers, origins=sources["origins"].mask(blank, 0)))


def _open_part(share: pd.DataFrame, expected: pd.DataFrame, lives: Driver) -> pd.DataFrame:
    """Shares of a market (region, share) by the part of the year in which each region sells."""
    before, after = (table.set_index("region")["share"].reindex(share["region"]) for table in (expected, lives.values))
    part = (after.fillna(0.0) / before.where(before > 0)).fillna(0.0)
    return share.assign(share=share["share"].to_numpy() * part.to_numpy())


def priority(names: pd.Series, parameters: Parameters) -> pd.DataFrame:
    """Strategic regions weigh 30-50% more (REG-2): region, factor."""
    return pd.DataFrame({"region": names, "factor": [1.0 + parameters.priority.get(name, 0.0) for name in names]})


def uplift(names: pd.Series, attained: pd.DataFrame | None, parameters: Parameters) -> pd.DataFrame:
    """Who beat its target by `over_line` in each of three years has a base 15-20% higher; nobody is cut (REG-3)."""
    over = steady(names, attained)["least"].round(9) >= parameters.over_line
    return pd.DataFrame({"region": names, "factor": np.where(over, 1.0 + parameters.over_uplift, 1.0)})


def maturity(names: pd.Series, regions: pd.DataFrame | None, parameters: Parameters) -> pd.DataFrame:
    """Channel maturity as a factor (REG-4): region, factor; 1.0 where unknown."""
    factors = {str(stage): factor for stage, factor in parameters.maturity.items()}
    known = {} if regions is None or "maturity" not in regions else regions.set_index("region")["maturity"].to_dict()
    return pd.DataFrame({"region": names, "factor": [float(factors.get(known.get(name, ""), 1.0)) for name in names]})


def newcomers(names: pd.Series, team: pd.DataFrame | None, parameters: Parameters) -> pd.DataFrame:
    """More than 40% newcomers in the team lower the target by 10% (REG-5): region, factor; 1.0 where nobody is known."""
    if team is None:
        return pd.DataFrame({"region": names, "factor": 1.0})
    share = team.set_index("region")["newcomers"].reindex(names).fillna(0.0).round(9).to_numpy()
    return pd.DataFrame(
        {"region": names, "factor": np.where(share > parameters.newcomer_line, 1 - parameters.newcomer_cut, 1.0)}
    )


def most_moved(found: Drivers, plan: pd.DataFrame, count: int = 2) -> list[str]:
    """The regions whose share gains most and loses most against last year, gains first (REG-1 to REG-5)."""
    wide = found.bridge(plan)
    wide["change"] = (wide["plan_share"] - wide["last_year_share"]).round(9)
    ranked = wide.sort_values(["change", "region"], ascending=[False, True])
    gains, losses = ranked[ranked["change"] > 0]["region"], ranked[ranked["change"] < 0]["region"]
    return [*gains.head(count), *losses.tail(count).iloc[::-1]]


def told_effects(found: Drivers, plan: pd.DataFrame) -> str:
    """Which driver moves most share, as the title of the bridge (REG-1 to REG-5)."""
    wide = found.bridge(plan)
    names = [name for name in wide.columns if str(name).endswith("_effect")]
    size = (wide[names].abs().sum() / 2).round(9)
    if size.max() < 0.0005:
        return "Last year's shares stand: no driver and no rule moves them"
    name = str(size.sort_values(ascending=False, kind="stable").index[0])
    return f"{name.removesuffix('_effect').capitalize()} moves most: {100 * size[name]:.1f} points of share change hands"
