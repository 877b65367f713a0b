"""What a driver was worth in the company's own past: what it would have moved then, and how much of that came true.

At past dates, with only what was known at each, the driver would have asked for a movement m of a member's share off the
expected one; what came was a movement a. `weigh` finds the slope of a on m over all members and dates:

- the error of a share goes as its size, so that a square counts over the share that was moved;
- each member has a scatter of its own around the usual one (Student's t; Lange, Little and Taylor 1989): one launch that moves
  by itself is one witness, not the judge;
- windows that overlap are one fact seen often, they count as the years that they cover; and a member that goes its own way
  year after year is no new fact each year (cluster-robust variance, Liang and Zeger 1986);
- before any evidence the slope is 0, give or take two thirds (a normal curve; Bayes on a grid).

What counts of a driver is its slope, at least 0 and at most 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planlib import periods

# Before any evidence a driver is worth nothing, give or take two thirds of what it asks for.
PRIOR_SPREAD = 2 / 3
SLOPES = np.linspace(-3.0, 3.0, 601)
# How members' own scatters differ from the usual one: as a variance told from so many years.
OWN_SCATTER = 4.0
# The usual scatter before any evidence, as one fact: a share of 20% is off by a point, one of 1% by a fifth of a point.
USUAL_SCATTER = 0.0005
# Half of all squares of a normal error lie below this part of its variance.
MIDDLE = 0.4549
# A driver that would have moved less than this of all sales was never asked.
LEAST_MOVED = 1e-5
ROUNDS = 20  # of scatter and slope in turn; the slope settles within a thousandth
SMALL = 0.0005  # points of share that a sentence would write as 0.0
COLUMNS = ["origin", "member", "before", "after", "came", "years"]


@dataclass(frozen=True)
class Evidence:
    """What the past says of a driver.

    slope     what came true of each point of share that the driver asked for; low, high: nine chances in ten
    counted   the slope within 0 and 1
    origins   past dates that were replayed; years: how many years followed them, overlaps counted once
    asked     points of share (0-1) that the driver would have moved, mean over the dates
    why       why nothing can be said, a clause; "" where the past was asked. Then slope, low, high and asked are missing and
              `counted` is 1: what cannot be tested counts as stated
    """

    slope: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    counted: float = 1.0
    origins: int = 0
    years: float = 0.0
    asked: float = float("nan")
    why: str = "its values have no past"

    @property
    def tested(self) -> bool:
        """Whether the past could be asked."""
        return not self.why

    def says(self) -> str:
        """The finding as a sentence for the drivers table."""
        if not self.tested:
            return f"Not testable: {self.why}."
        span = f"{self.low:+.0%} to {self.high:+.0%}".replace("-0%", "0%").replace("+0%", "0%")
        told = f"of what it asked for at {self.origins} past date{'s' if self.origins > 1 else ''}"
        if self.high < 0:
            return f"Opposite: {told} the reverse came, {self.slope:.0%} ({span})."
        part = f"{max(0.0, self.slope):.0%}" if round(self.slope, 2) > 0 else "none"
        return f"{told.capitalize()}, {part} came true ({span})."


UNTESTED = Evidence()


def weigh(replayed: pd.DataFrame) -> Evidence:
    """The slope of what came on what was asked, see the head of this module.

    replayed: origin (first month after it, `YYYY-MM`), member, before (expected share), after (with the driver), came (share),
    years (length of what followed, in years). Not testable where the driver would have moved next to nothing.
    """
    table = replayed.sort_values(["origin", "member"], ignore_index=True)
    asked = (table["after"] - table["before"]).abs().groupby(table["origin"]).sum() / 2
    if asked.empty or asked.mean() < LEAST_MOVED:
        return Evidence(why="it would have moved nobody")
    share = _once(table)
    years = float(share.groupby(table["origin"]).first().sum())
    size = ((table["before"] + table["after"]) / 2).to_numpy()
    told = size > 0
    moved, came = ((table[name] - table["before"]).to_numpy()[told] for name in ("after", "came"))
    weight = share.to_numpy()[told] / size[told]
    names, member = np.unique(table["member"].to_numpy(dtype=str)[told], return_inverse=True)

    def sums(values: np.ndarray) -> np.ndarray:
        return np.bincount(member, weight * values, minlength=len(names))

    xx, xy, yy = sums(moved * moved), sums(moved * came), sums(came * came)
    facts = np.bincount(member, share.to_numpy()[told], minlength=len(names)) * (1 - 1 / max(2, len(names)))
    left = np.maximum(yy - 2 * SLOPES[:, None] * xy + SLOPES[:, None] ** 2 * xx, 0.0)
    slope, repeats, chance = 0.0, 1.0, np.full(len(SLOPES), 1 / len(SLOPES))
    for _ in range(ROUNDS):
        place = int(np.abs(SLOPES - slope).argmin())
        usual = _usual((came - SLOPES[place] * moved) ** 2 * weight / share.to_numpy()[told], float(facts.sum()))
        trust = (facts / repeats + OWN_SCATTER) / (OWN_SCATTER * usual + left[place] / repeats)
        repeats = _repeats(trust * (xy - SLOPES[place] * xx), trust * xx, years)
        log = -0.5 * ((facts / repeats + OWN_SCATTER) * np.log(OWN_SCATTER * usual + left / repeats)).sum(axis=1)
        log = log - 0.5 * (SLOPES / PRIOR_SPREAD) ** 2
        chance = np.exp(log - log.max())
        chance = chance / chance.sum()
        slope = float((chance * SLOPES).sum())
    bounds = np.minimum(np.searchsorted(np.cumsum(chance), np.array([0.05, 0.95])), len(SLOPES) - 1)
    low, high = (round(float(value), 6) for value in SLOPES[bounds])
    slope = round(slope, 6)
    return Evidence(slope, low, high, min(1.0, max(0.0, slope)), len(asked), round(years, 6), float(asked.mean()), "")


def _once(table: pd.DataFrame) -> pd.Series:
    """What each row's window counts, in years: a month that several windows cover counts for each by its part."""
    spans = table.groupby("origin")["years"].first()
    months = {
        name: range(periods.ordinal(str(name)), periods.ordinal(str(name)) + round(periods.per_year(str(name)) * long))
        for name, long in spans.items()
    }
    every = pd.Series([month for span in months.values() for month in span]).value_counts()
    counts = {name: sum(1 / int(every[month]) for month in span) / periods.per_year(str(name)) for name, span in months.items()}
    return table["origin"].map(counts).astype(float)


def _usual(squares: np.ndarray, facts: float) -> float:
    """The usual scatter: of the middle square, which a few that go their own way do not move, and of one fact before all."""
    return float((facts * np.median(squares) / MIDDLE + USUAL_SCATTER) / (facts + 1))


def _repeats(score: np.ndarray, information: np.ndarray, years: float) -> float:
    """By how much members' residuals say the same year after year, 1 to `years`: the cluster-robust variance over the plain."""
    count = len(score)
    if count < 2 or information.sum() <= 0:
        return 1.0
    return float(np.clip((score**2).sum() * count / (count - 1) / information.sum(), 1.0, max(1.0, years)))


def sentence(row: Mapping[Any, Any]) -> str:
    """What a driver moves and what its past says, for a reader.

    row: driver, kind, method, asked_points (points of share, 0-1), counted (0-1), past (see `Evidence.says`).
    """
    name = f"{str(row['driver']).replace('_', ' ').capitalize()} ({row['method']})"
    moves = f"{100 * row['asked_points']:.1f} points of share" if row["asked_points"] >= SMALL else "no share"
    past = f"The past says of it: {str(row['past'])[:1].lower()}{str(row['past'])[1:]}"
    if row["kind"] == "decision":
        how = "in full" if row["counted"] == 1 else f"{row['counted']:.0%} by evidence"
        return f"{name} is a decision and counts {how}: it moves {moves} off what is expected. {past}"
    return f"{name} is a claim, asks to move {moves} and counts {row['counted']:.0%}. {past}"
