"""06 customer: who buys, what customers are worth, where growth comes from, which group carries how much (CUS-1 to CUS-6)."""

from planlib.chapters.customer.bridge import Bridge, bridge, group_shares
from planlib.chapters.customer.existing import Ground, alarmed, alerts, bundles, existing, ground, spending
from planlib.chapters.customer.parameters import Parameters
from planlib.chapters.customer.profile import (
    SEGMENTS,
    STAGES,
    agreement,
    groups,
    kinds,
    needs,
    people,
    profile,
    segments,
    stage,
    stages,
)
from planlib.chapters.customer.telling import bridge_told, keep, message, needs_told, sources, who, win
from planlib.chapters.customer.value import Worth, backtest, drift, history, worth
from planlib.chapters.customer.weights import build, outlook, past
from planlib.chapters.customer.winning import costs, floors, industries, next_cities, open_quarters, opened, targets

QUESTION = "Which customers bring the target: those we have, those we win back, those we win?"

__all__ = [
    "QUESTION",
    "SEGMENTS",
    "STAGES",
    "Bridge",
    "Ground",
    "Parameters",
    "Worth",
    "agreement",
    "alarmed",
    "alerts",
    "backtest",
    "bridge",
    "bridge_told",
    "build",
    "bundles",
    "costs",
    "drift",
    "existing",
    "floors",
    "ground",
    "group_shares",
    "groups",
    "history",
    "industries",
    "keep",
    "kinds",
    "message",
    "needs",
    "needs_told",
    "next_cities",
    "open_quarters",
    "opened",
    "outlook",
    "past",
    "people",
    "profile",
    "segments",
    "sources",
    "spending",
    "stage",
    "stages",
    "targets",
    "who",
    "win",
    "worth",
]
