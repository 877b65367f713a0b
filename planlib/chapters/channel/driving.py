"""What each channel can be expected to carry, and what it cannot (CHN-1), and what planning it last gave up."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from planlib import plan as tables
from planlib.chapters.capacity import caps
from planlib.chapters.channel.review import moves
from planlib.chapters.members import refuse
from planlib.drivers import Driver, Drivers, Kind, build
from planlib.estimates.evidence import Evidence
from planlib.estimates.shares import Expected
from planlib.lp import Joint, Rule
from planlib.plan import AMOUNT

KINDS: dict[str, Kind] = {"research": "claim", "review": "decision"}
WHY = {"research": "it is stated for this plan", "review": "what it would have moved then hangs on plans that are not kept"}


def drivers(
    products: pd.DataFrame,
    last_year: pd.DataFrame,
    expected: Expected,
    reviewed: pd.DataFrame,
    open_amount: int,
    parameters: Any,
    lives: Driver | None = None,
) -> tuple[Drivers, pd.DataFrame]:
    """From last year's share of each channel to its weight: trend, research (CHN-1), review (CHN-2); and what the review moves.

    Parameters
        products     plan table by region and product
        last_year    region, product, channel, amount (minor units)
        expected     shares of channels within each region and product
        reviewed     of `review`
        open_amount  what is still open of the target, minor units
        lives        what openings and closings make of the expected shares, where there are any
    Neither has a past: both count as stated. Raises ParameterError for research on a channel without orders, or a name in
    `counts` that is no driver.
    """
    refuse("counts", parameters.counts, KINDS, "driver of this chapter")
    known = {*last_year["channel"], *expected.shares["channel"], *([] if lives is None else lives.values["channel"])}
    refuse("research", parameters.research, known, "channel of the orders")
    research = pd.DataFrame({"channel": sorted(parameters.research)}, dtype="str")
    research["factor"] = research["channel"].map(parameters.research).astype(float)

    def moved_by(name: str, source: str, method: str, values: pd.DataFrame) -> Driver:
        return Driver(
            name, source, method, values, 1.0, KINDS[name], parameters.counts.get(name), Evidence(why=WHY[name]), named=True
        )

    found = [Driver("trend", "orders", "CHN-1", expected.shares, kind="expected"), *([] if lives is None else [lives])]
    if len(research):
        found.append(moved_by("research", "parameter research", "CHN-1", research))
    before = build(products, "channel", last_year, found)
    moved = moves(reviewed, before.frame, open_amount, parameters)
    if moved.empty:
        return before, moved.drop(columns="factor")
    found.append(moved_by("review", "plan in force", "CHN-2", moved[["channel", "factor"]]))
    return build(products, "channel", last_year, found), moved.drop(columns="factor")


def carries(frame: pd.DataFrame, plan: pd.DataFrame, channels: pd.DataFrame | None) -> pd.DataFrame:
    """What the drivers ask of each channel beside what it can carry (CHN-1).

    `frame`: of Drivers.frame. Returns channel, last_year_share, weight, wanted (weight x target, minor units), capacity (a
    year), capacity_used (wanted over it); the last two missing where no capacity is known.
    """
    found = frame[["channel", "last_year_share", "weight"]].copy()
    found["wanted"] = (found["weight"] * int(plan[AMOUNT].sum())).round().astype("int64")
    if channels is not None and "capacity" in channels:
        found["capacity"] = found["channel"].map(channels.set_index("channel")["capacity"])
        found["capacity_used"] = tables.ratio(found["wanted"], found["capacity"].fillna(0))
    return found


def capacity_caps(
    channels: pd.DataFrame | None, names: Sequence[str], booked: pd.DataFrame | None, parameters: Any
) -> list[Rule]:
    """A cap per channel whose capacity is known: more than it can carry is not a target but a wish (CHN-1).

    `booked`: channel, amount of the closed months; what has been sold already is never capped away.
    """
    if not parameters.use_capacity or channels is None or "capacity" not in channels:
        return []
    known = channels[channels["channel"].isin(names)].dropna(subset=["capacity"])
    carried = dict(zip(known["channel"], known["capacity"].astype(float), strict=True))
    return caps("channel", carried, booked, "capacity of", "what the channel can carry in a year", "Channels")


def shifts(found: Joint | None, most: int = 8) -> pd.DataFrame:
    """The largest shifts between the sequence and the joint program; empty where only rounding lies elsewhere."""
    if found is None:
        return pd.DataFrame(columns=["dimension", "member", "sequence", "joint", "difference"])
    return found.shifts.head(most if found.moved > len(found.split.plan) else 0)


def together(found: Joint | None, show: Callable[[Any, str], str]) -> str:
    """What planning region, product and channel one after the other gave up, in a sentence."""
    if found is None:
        return "Region, product and channel together have too many cells to be solved as one program."
    if shifts(found).empty:
        return "Solved as one program, region, product and channel come to the same plan: the sequence gave nothing up."
    first = found.shifts.iloc[0]
    way = "more" if first["difference"] > 0 else "less"
    nearer = "" if pd.isna(found.given_up) else f" and the plan {found.given_up:.2%} nearer to the drivers"
    return (
        f"Planned together, {show(found.moved, 'money')} would lie elsewhere{nearer}; "
        f"the largest shift is {show(abs(int(first['difference'])), 'money')} {way} for {first['member']}."
    )
