"""02 region: market, weights, teams, pools and tools of every region (REG-1 to REG-8)."""

from planlib.chapters.region.attainment import attained, review, steady, told_review
from planlib.chapters.region.markets import (
    competition,
    map_of,
    market,
    oceans,
    potential,
    pressure,
    reachable,
    reached,
    told_dormant,
    told_oceans,
)
from planlib.chapters.region.parameters import PARTS, RANKS, Parameters
from planlib.chapters.region.replay import replayed
from planlib.chapters.region.resources import (
    organisation,
    pool_shares,
    pools,
    release,
    released,
    told_pools,
    told_release,
    told_teams,
)
from planlib.chapters.region.teams import capacity_rules, load, people, team
from planlib.chapters.region.telling import told_plan, unknown
from planlib.chapters.region.weights import drivers, maturity, most_moved, newcomers, priority, told_effects, uplift

QUESTION = "Which region carries how much of the target, and why?"

__all__ = [
    "PARTS",
    "QUESTION",
    "RANKS",
    "Parameters",
    "attained",
    "capacity_rules",
    "competition",
    "drivers",
    "load",
    "map_of",
    "market",
    "maturity",
    "most_moved",
    "newcomers",
    "oceans",
    "organisation",
    "people",
    "pool_shares",
    "pools",
    "potential",
    "pressure",
    "priority",
    "reachable",
    "reached",
    "release",
    "released",
    "replayed",
    "review",
    "steady",
    "team",
    "told_dormant",
    "told_effects",
    "told_oceans",
    "told_plan",
    "told_pools",
    "told_release",
    "told_review",
    "told_teams",
    "unknown",
    "uplift",
]
