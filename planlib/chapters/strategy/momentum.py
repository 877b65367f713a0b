"""What comes by itself, what must be added, and what may fill the gap (STR-5)."""

from typing import Any

import pandas as pd

from planlib.chapters import base_year
from planlib.chapters.base_year import NAME
from planlib.chapters.members import some
from planlib.errors import InputDataError
from planlib.estimates.momentum import Outlook, expect
from planlib.estimates.standing import standing
from planlib.estimates.windows import Coverage, a_year_before
from planlib.periods import Horizon
from planlib.plan import AMOUNT, largest_remainder, within

FILLS = ["source", "metric", "gain", "counted"]


def outlook(history: pd.DataFrame, horizon: Horizon, damping: float = 0.5, usual_error: float = 0.15) -> Outlook:
    """The plan year's open months with no new action: the trend damped as the company's own past says (STR-5).

    `history`: region, month, amount: regions that began count as if they had always been there, those that ended not at all,
    see `estimates.standing`. `damping` and `usual_error` are where the estimates start from; see `estimates.momentum.expect`.
    """
    as_of = horizon.until
    return expect(standing(history, "region", as_of).amounts, as_of, horizon.open, damping, usual_error)


def moved(history: pd.DataFrame, horizon: Horizon) -> list[str]:
    """Whose start or end the outlook leaves aside, as sentences (STR-5). `history`: region, month, amount.

    A start or an end that is older than two years is in no growth any more.
    """
    found = standing(history, "region", horizon.until)
    recent = history[(history["month"] >= min(a_year_before(horizon.last_twelve))) & (history[AMOUNT] > 0)]
    first, last = (history[history[AMOUNT] > 0].groupby("region")["month"].agg(end) for end in ("min", "max"))
    late = [name for name in found.started if first[name] > recent["month"].min() and name not in found.young]
    gone = [name for name in found.ended if last[name] >= recent["month"].min()]
    told = []
    if late:
        count, who, start = ("counts", "it", "its start is") if len(late) == 1 else ("count", "they", "their starts are")
        told.append(
            f"{some(late)} began within the last two years and {count} as if {who} had always been there: {start} no growth to "
            "go on with."
        )
    if found.young:
        told.append(f"{some(found.young)} began within the last three months: what comes after these is counted in part.")
    if gone:
        told.append(f"{some(gone)} {'has' if len(gone) == 1 else 'have'} ended, and nothing more is expected there.")
    return told


def momentum(history: pd.DataFrame, horizon: Horizon, ahead: Outlook, last_year: pd.DataFrame | None = None) -> pd.DataFrame:
    """Month by month what comes by itself: actuals where closed, else what the outlook expects (STR-5).

    `history`: month, amount and, where known, region. `last_year`: month, amount of the base year, see `BaseYear`; by default a
    month that is not known takes the mean of each region's that are, see `base_year.filled`. Returns month, last_year, amount
    (int64 minor units), closed.
    """
    months = history.groupby("month")[AMOUNT].sum()
    regions = [name for name in ("region",) if name in history]
    coverage = Coverage.of(months.index, horizon.until)
    window = coverage.window(NAME, horizon.last_year)
    mean = window.mean(months)
    if mean is None or mean <= 0:
        raise InputDataError(
            f"orders: no revenue in {horizon.last_year[0]} to {horizon.last_year[-1]}, the year before the plan; "
            "expected orders of twelve months, or of some of them. Correct `year`, or add the orders."
        )
    silent = [month for month in horizon.closed if month in coverage.gaps]  # a season that is closed every year is none
    if silent:
        raise InputDataError(
            f"orders: no line in {', '.join(silent)}, which as_of {horizon.as_of} says is closed; they end in "
            f"{months.index.max()}. Add the orders, or set as_of to the last month they are complete for; if nothing was sold, "
            "set `missing_months: zero`."
        )
    if last_year is None:
        last = base_year.by_month(history[[*regions, "month", AMOUNT]], window)
    else:
        last = last_year.groupby("month")[AMOUNT].sum().reindex(list(window.months), fill_value=0)
    # each month beside the one a year before it, by name and not by place
    before = dict(zip(horizon.months, a_year_before(horizon.months), strict=True))
    frame = pd.DataFrame({"month": horizon.months, "last_year": [int(last[before[month]]) for month in horizon.months]})
    frame["closed"] = frame["month"].isin(horizon.closed)
    expected = ahead.months.set_index("month")["expected"]
    amounts = [
        int(months.get(month, 0)) if closed else round(float(expected[month]))
        for month, closed in zip(frame["month"], frame["closed"], strict=True)
    ]
    within(sum(map(int, last)), "orders: last year, carried to twelve months")
    within(sum(amounts), "orders: the year with no new action")
    frame[AMOUNT] = pd.Series(amounts, dtype="int64")
    return frame[["month", "last_year", AMOUNT, "closed"]]


def based(history: pd.DataFrame, horizon: Horizon) -> str:
    """What the year before the plan rests on where it is not known in full, as a sentence; "" where it is (STR-5)."""
    coverage = Coverage.of(history["month"], horizon.until)
    return base_year.based(coverage.window(NAME, horizon.last_year))


def band(path: pd.DataFrame, ahead: Outlook, level: float) -> tuple[int, int]:
    """What the year may end at with no new action: the closed months and the central `level` of the open ones, minor units."""
    booked = int(path.loc[path["closed"], AMOUNT].sum())
    low, high = ahead.interval(level)
    return booked + round(low), booked + round(high)


def unaided(path: pd.DataFrame, ahead: Outlook) -> pd.DataFrame:
    """What the year brings with no new action, for the chapters below (STR-5).

    One row: booked (closed months), expected (open ones; both minor units), spread (standard error of the open sum, a share).
    """
    booked = int(path.loc[path["closed"], AMOUNT].sum())
    return pd.DataFrame({"booked": [booked], "expected": [round(ahead.total)], "spread": [float(ahead.spread)]})


def drawn(path: pd.DataFrame, ahead: Outlook, level: float) -> pd.DataFrame:
    """Last year, momentum and the interval of its sum by month, for a chart of lines: month, series, amount (minor units)."""
    low, high = ahead.interval(level)
    total = ahead.total or 1.0
    frame = path.rename(columns={"last_year": "last year", AMOUNT: "momentum"})
    for name, end in (("low", low), ("high", high)):
        frame[name] = (frame["momentum"] * (end / total)).where(~frame["closed"], frame["momentum"]).round().astype("int64")
    return frame.melt("month", ["last year", "momentum", "low", "high"], "series", AMOUNT)


def filled(gap: int, sources: pd.DataFrame) -> pd.DataFrame:
    """What fills the gap between momentum and target (STR-5): source, metric, gain, counted (minor units), largest gain first.

    `sources`: source, metric (the target it ties to), gain. Sources overlap (a new customer may come from a new market), so all
    together count for the gap at most: gains that exceed it are scaled to it. What they leave is the last row.
    """
    known = sources[sources["gain"] > 0].sort_values(["gain", "source"], ascending=[False, True]).reset_index(drop=True)
    total = int(known["gain"].sum()) if len(known) else 0
    need = max(gap, 0)
    shares: Any = largest_remainder(min(need, total), known["gain"], list(known["source"])) if len(known) else []
    frame = known.assign(counted=pd.Series(shares, dtype="int64"))
    left = need - int(frame["counted"].sum())
    if left or frame.empty:
        rest = pd.DataFrame([("not covered yet", "Revenue", left, left)], columns=FILLS)
        frame = pd.concat([frame[FILLS], rest], ignore_index=True) if len(frame) else rest
    return frame[FILLS].astype({"gain": "int64", "counted": "int64"})


def bridge(path: pd.DataFrame, amount: int, horizon: Horizon, fills: pd.DataFrame | None = None) -> pd.DataFrame:
    """From last year to the target in steps: label, amount (minor units), kind (total, up, down). Steps sum exactly.

    Closed months: what they brought over the same months of last year. Momentum: what the open ones add with no new action.
    `fills` (source, counted) takes the place of the gap, one step per kind of source (STR-5).
    """
    last, baseline = int(path["last_year"].sum()), int(path[AMOUNT].sum())
    closed = path[path["closed"]]
    earned = int((closed[AMOUNT] - closed["last_year"]).sum())
    steps: list[tuple[str, int, str]] = [("Last year", last, "total")]
    if len(closed):
        steps.append(("Closed months", earned, "up" if earned >= 0 else "down"))
    going = baseline - last - earned
    steps.append(("Momentum", going, "up" if going >= 0 else "down"))
    gap = amount - baseline
    if gap > 0 and fills is not None and int(fills["counted"].sum()) == gap:
        # The steps of the funnel are one step here: "conversion: wins from quotes" and its like.
        kinds = fills["counted"].groupby(fills["source"].str.partition(":")[0], sort=False).sum()
        steps += [(_title(str(kind)), int(counted), "up") for kind, counted in kinds.items()]
    else:
        steps.append(("Gap to fill", gap, "up" if gap >= 0 else "down"))
    steps.append((f"Target {horizon.year}", amount, "total"))
    return pd.DataFrame(steps, columns=["label", AMOUNT, "kind"])


def _title(source: str) -> str:
    return source[0].upper() + source[1:]
