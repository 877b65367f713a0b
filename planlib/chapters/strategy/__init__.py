"""01 strategy: the target and its grounds, what comes by itself, who must bring the rest (STR-1 to STR-6, MET-1 to MET-5)."""

from planlib.chapters.strategy.areas import Customers, bottleneck, bought, key_areas, launched, levers, priced, reviews
from planlib.chapters.strategy.dependencies import matrix, milestones
from planlib.chapters.strategy.grounds import activities, by_channel, capacity, market, present, rivals
from planlib.chapters.strategy.measures import funnel
from planlib.chapters.strategy.momentum import band, based, bridge, drawn, filled, momentum, moved, outlook, unaided
from planlib.chapters.strategy.parameters import Driver, Parameters, Position
from planlib.chapters.strategy.positioning import grown, positions, segmentation, segments, stated
from planlib.chapters.strategy.pyramid import check_pyramid, levels, pyramid, teams
from planlib.chapters.strategy.resources import new_regions, people, resources
from planlib.chapters.strategy.targets import check_reachable, readable, stands, target, targets
from planlib.chapters.strategy.telling import (
    absent,
    better,
    narrowest,
    reasons,
    sentence,
    split_by,
    strongest,
    told,
    unknown,
)

QUESTION = "What do we want to reach this year, what would come by itself, and what must new action bring?"

__all__ = [
    "QUESTION",
    "Customers",
    "Driver",
    "Parameters",
    "Position",
    "absent",
    "activities",
    "band",
    "based",
    "better",
    "bottleneck",
    "bought",
    "bridge",
    "by_channel",
    "capacity",
    "check_pyramid",
    "check_reachable",
    "drawn",
    "filled",
    "funnel",
    "grown",
    "key_areas",
    "launched",
    "levels",
    "levers",
    "market",
    "matrix",
    "milestones",
    "momentum",
    "moved",
    "narrowest",
    "new_regions",
    "outlook",
    "people",
    "positions",
    "present",
    "priced",
    "pyramid",
    "readable",
    "reasons",
    "resources",
    "reviews",
    "rivals",
    "segmentation",
    "segments",
    "sentence",
    "split_by",
    "stands",
    "stated",
    "strongest",
    "target",
    "targets",
    "teams",
    "told",
    "unaided",
    "unknown",
]  # fmt: skip
