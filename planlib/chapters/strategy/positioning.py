"""Where the company stands: focus segments with their potential and fit, each tied to a target (STR-6)."""

from collections.abc import Mapping, Sequence

import pandas as pd

from planlib import plan as tables
from planlib.chapters.members import refuse
from planlib.chapters.strategy.parameters import Position
from planlib.estimates.windows import Coverage, a_year_before, first_months
from planlib.periods import Horizon
from planlib.plan import AMOUNT

UNKNOWN = "Unknown"


def segmentation(customers: pd.DataFrame | None, everyone: pd.DataFrame) -> tuple[str, pd.DataFrame | None]:
    """By what the market is cut: the customers' industries where they are known, else the products (STR-6).

    `everyone`: customer, of all orders. Returns the dimension and, for industries, customer and industry of every customer.
    """
    if customers is None or "industry" not in customers or everyone["customer"].nunique() < 2:
        return "product", None
    groups = everyone[["customer"]].drop_duplicates().merge(customers[["customer", "industry"]], on="customer", how="left")
    return "industry", groups.assign(industry=groups["industry"].fillna(UNKNOWN))


def segments(orders: pd.DataFrame, by: str, horizon: Horizon) -> pd.DataFrame:
    """Each segment's size, growth and margin, with its potential and fit (STR-6).

    `orders`: `by`, month, amount and, where known, cost (minor units), of the whole company up to as_of.
    Returns segment, last_twelve (minor units), share, growth (missing where the segment began within either year), margin,
    growth_brought (its potential: share of the company's growth in money that it brought, at least 0), fit (its margin over the
    company's; missing where cost is not known, which counts as 1), rank (by potential x fit). Where the orders do not know both
    years in full, no growth is told, and potential is the share of the last twelve months; see `grown`.
    """
    before, whole = a_year_before(horizon.last_twelve), grown(orders, horizon) == ""
    now = orders[orders["month"].isin(horizon.last_twelve)].groupby(by)[[n for n in (AMOUNT, "cost") if n in orders]].sum()
    frame = now.rename(columns={AMOUNT: "last_twelve"}).rename_axis("segment").reset_index()
    was = tables.by_key(frame["segment"], orders[orders["month"].isin(before)].groupby(by)[AMOUNT].sum())
    total = int(frame["last_twelve"].sum())
    frame["share"] = frame["last_twelve"] / total if total else 0.0
    start = frame["segment"].map(first_months(orders, by))
    known = (start <= min(before)) if whole else pd.Series(False, index=frame.index)
    frame["growth"] = tables.ratio(frame["last_twelve"] - was, was).where(known)
    gained = (frame["last_twelve"] - was).clip(lower=0).astype(float) * whole
    frame["growth_brought"] = gained / gained.sum() if gained.sum() > 0 else frame["share"]
    frame["margin"] = 1 - tables.ratio(frame["cost"], frame["last_twelve"]) if "cost" in frame else float("nan")
    company = 1 - float(frame["cost"].sum()) / total if "cost" in frame and total else 0.0
    frame["fit"] = (frame["margin"] / company).fillna(1.0) if company > 0 else 1.0
    score = (frame["growth_brought"] * frame["fit"].clip(lower=0)).round(9)
    frame = frame.assign(score=score).sort_values(["score", "segment"], ascending=[False, True]).reset_index(drop=True)
    frame["rank"] = range(1, len(frame) + 1)
    frame["fit"] = frame["fit"].where(frame["margin"].notna())
    return frame[["segment", "last_twelve", "share", "growth", "margin", "growth_brought", "fit", "rank"]]


def grown(orders: pd.DataFrame, horizon: Horizon) -> str:
    """Why the segments' growth cannot be told, as a sentence; "" where it can (STR-6). `orders`: month, of all orders."""
    coverage = Coverage.of(orders["month"], horizon.until)
    spans = {"the year before the last twelve months": a_year_before(horizon.last_twelve)}
    spans["the last twelve months"] = horizon.last_twelve
    short = [window for window in (coverage.window(*span) for span in spans.items()) if not window.whole]
    return f"growth of segments: {short[0].says()}; their potential is their share of revenue" if short else ""


def stated(given: Mapping[str, Position], known: pd.DataFrame, by: str) -> tuple[dict[str, Position], list[str]]:
    """The positions that can be told, and the names of those in industries that the data do not tell apart (STR-6).

    Where segments are industries a name that is not there is a slip, which `positions` refuses.
    """
    there = set(known["segment"].astype(str))
    told = {name: position for name, position in given.items() if by == "industry" or name in there}
    return told, [name for name in given if name not in told]


def positions(
    known: pd.DataFrame, stated: Mapping[str, Position], count: int, metrics: Sequence[str], default: str = "Revenue"
) -> pd.DataFrame:
    """The focus segments with value proposition, channel innovation and the target each serves (STR-6).

    `known`: see `segments`. The stated segments stand first; the best others by rank fill up to `count`, without a proposition.
    Returns segment, last_twelve, share, growth, growth_brought, fit, proposition, innovation, target, gap (what is missing).
    Raises ParameterError for a segment nobody buys in, or a target that is not among `metrics`.
    """
    names = list(known["segment"].astype(str))
    refuse("positions", stated, names, "segment that sells")
    refuse("positions", [position.target for position in stated.values()], metrics, "target of the year")
    others = [name for name in names if name not in stated and name != UNKNOWN]
    focus = [*[name for name in names if name in stated], *others[: max(count - len(stated), 0)]]
    frame = known.set_index(known["segment"].astype(str)).loc[focus].reset_index(drop=True)
    held = [stated.get(name) for name in focus]
    frame["proposition"] = [position.proposition if position else "" for position in held]
    frame["innovation"] = [position.innovation if position else "" for position in held]
    frame["target"] = [position.target if position else default for position in held]
    frame["gap"] = ["" if position else "no value proposition stated" for position in held]
    columns = [
        "segment",
        "last_twelve",
        "share",
        "growth",
        "growth_brought",
        "fit",
        "proposition",
        "innovation",
        "target",
        "gap",
    ]
    return frame[columns]
