"""Partners: a score in four parts (CHN-4), and a monthly health report that starts help, then exit (CHN-5)."""

from typing import Any

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.chapters.members import counted
from planlib.estimates.windows import span_of
from planlib.periods import Horizon

PARTS = {
    "basics": ("funds", "warehouse", "team"),
    "development": ("growth", "new_outlets"),
    "operations": ("turnover", "fill_rate", "coverage"),
    "digital": ("crm_use", "reports_on_time", "online_share"),
}
AMOUNTS = ("funds", "warehouse", "team", "new_outlets")  # add up over a partner's channels; the others are rates
BEST = 0.90  # what nine of ten partners do not exceed counts as full marks, so that one giant sets no scale
FORMATS = {"attainment": "share", **dict.fromkeys([*PARTS, "score"], "int")}  # of `partners`, for a reader
NOT_KNOWN = "not known"
STATES = ("exit", "help", "watch", NOT_KNOWN, "healthy")


def scores(partners: pd.DataFrame | None, parameters: Any, horizon: Horizon) -> pd.DataFrame:
    """Each partner's score, 0-100, in four parts (CHN-4), best first.

    `partners`: partner, region, channel, year, target, result, and where known what `PARTS` names; the last closed year counts.
    A partner is one row whatever its channels and regions: targets, results and what it has add up (what every row says alike
    counts once), rates are means weighted by result. It grows on its year before, unless that was its first and may be a part
    year. A measure scores its value over that of the best tenth of partners, at most 100; a part is the mean of its measures,
    the score the parts' by `score_weights`. A part without any measure is left out and the others' weights are scaled.
    Returns partner, region (all of them, the one with most result first), basics, development, operations, digital (missing
    where not known), score.
    """
    columns = ["partner", "region", *PARTS, "score"]
    known = None if partners is None else partners[partners["year"] <= closed_year(horizon)]
    if known is None or known.empty:
        return pd.DataFrame(columns=columns)
    year = int(known["year"].max())
    rows = known[known["year"] == year].sort_values(["partner", *(name for name in ("region", "channel") if name in known)])
    here = pd.DataFrame([_whole(str(name), own) for name, own in rows.groupby("partner", sort=True)])
    before = known[known["year"] == year - 1].groupby("partner")["result"].sum()
    first = known.groupby("partner")["year"].min()
    started = first[(first == year - 1) & (known["year"].min() < year - 1)].index
    then = here["partner"].map(before.drop(started, errors="ignore")).astype(float)
    here["growth"] = (1 + (here["result"] - then) / then.where(then > 0)).clip(lower=0)
    for part, measures in PARTS.items():
        marks = [_marks(here[name]) for name in measures if name in here]
        here[part] = pd.concat(marks, axis=1).mean(axis=1) if marks else np.nan
    weights = pd.Series({str(part): weight for part, weight in parameters.score_weights.items()}).reindex(list(PARTS)).fillna(0)
    marks_ = here[list(PARTS)]
    counts = marks_.notna().mul(weights, axis=1).sum(axis=1)
    here["score"] = (marks_.fillna(0).mul(weights, axis=1).sum(axis=1) / counts.where(counts > 0)).round(9)
    return here.sort_values(["score", "partner"], ascending=[False, True], ignore_index=True)[columns]


def health(months: pd.DataFrame | None, partners: pd.DataFrame | None, parameters: Any, horizon: Horizon) -> pd.DataFrame:
    """The health report (CHN-5), worst first: repeated misses start help, and exit when help has not turned them.

    `months`: partner, month, target, result (minor units); without it the years of `partners` stand for months. Partners with
    a row in the last twelve months (the last two years) count, each at its own last row. A miss is a result under `miss_line`
    of the target; a period without a row is not known, and ends a row of misses.
    Returns partner, period (its last one), result, attainment (of that period), last_three (of its last three periods), misses
    (in a row up to it), status: exit from `exit_after` misses in a row, help from `help_after`; else, where it has no row in
    the report's last period, "not known"; else watch from one miss, else healthy.
    """
    columns = ["partner", "period", "result", "attainment", "last_three", "misses", "status"]
    if months is not None:
        frame = months.rename(columns={"month": "period"})
        frame = frame[frame["period"] <= horizon.until]
    elif partners is not None:
        frame = partners[partners["year"] <= closed_year(horizon)]
        frame = frame.assign(period=frame["year"].astype(str))
    else:
        return pd.DataFrame(columns=columns)
    if frame.empty:
        return pd.DataFrame(columns=columns)
    sums = frame.groupby(["partner", "period"])[["target", "result"]].sum()
    last = str(frame["period"].max())
    span = _periods(str(frame["period"].min()), last)
    rows = []
    for name, own in sums.groupby(level="partner", sort=True):
        own = own.droplevel("partner")
        latest = str(own.index.max())
        if latest not in span[-12 if months is not None else -2 :]:
            continue
        until = own.reindex(span[: span.index(latest) + 1])
        attained = tables.ratio(until["result"], until["target"]).round(9)
        missed = (attained < parameters.miss_line).to_numpy()[::-1]
        run = len(missed) if missed.all() else int(np.argmin(missed))
        recent = until.tail(3)
        part = tables.ratio(pd.Series([recent["result"].sum()]), pd.Series([recent["target"].sum()])).iloc[0]
        state = _state(run, latest == last and attained.iloc[-1] == attained.iloc[-1], parameters)
        rows.append((name, latest, int(own["result"].loc[latest]), float(attained.iloc[-1]), float(part), run, state))
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values(["misses", "last_three", "partner"], ascending=[False, True, True], ignore_index=True)


def partners(scored: pd.DataFrame, healthy: pd.DataFrame, most: int = 15) -> pd.DataFrame:
    """Score and health in one table, those in trouble first, then the best: at most `most` rows, one per partner."""
    frame = healthy.merge(scored, how="outer", on="partner")
    frame["status"] = frame["status"].fillna(NOT_KNOWN)
    rank = frame["status"].map({name: place for place, name in enumerate(STATES)})
    frame = frame.assign(_rank=rank).sort_values(["_rank", "score", "partner"], ascending=[True, False, True])
    columns = ["partner", "region", "status", "period", "misses", "attainment", "last_three", *PARTS, "score"]
    return frame[columns].head(most).reset_index(drop=True)


def warning(healthy: pd.DataFrame) -> str:
    """The health report in a sentence."""
    if healthy.empty:
        return "No partner's results are known: score and health are left out."
    count = healthy["status"].value_counts()
    last = healthy["period"].max()
    text = (
        f"Partners in {last}: {len(healthy)} in all, {count.get('help', 0)} to help after repeated misses, "
        f"{count.get('exit', 0)} up for exit, {count.get('watch', 0)} to watch"
    )
    silent = int((healthy["period"] < last).sum())
    return (
        f"{text}; {counted(silent, 'partner')} without results for {last}, placed by what came before."
        if silent
        else f"{text}."
    )


def closed_year(horizon: Horizon) -> int:
    """The last plan year that has closed."""
    if horizon.until < horizon.last_year[-1]:  # planned before the year before has closed
        return horizon.year - 2
    return horizon.year - 1 if horizon.open else horizon.year


def _state(run: int, known: bool, parameters: Any) -> str:
    if run >= parameters.exit_after:
        return "exit"
    if run >= parameters.help_after:
        return "help"
    if not known:
        return NOT_KNOWN
    return "watch" if run else "healthy"


def _periods(first: str, last: str) -> list[str]:
    """All months, or all years, from the first to the last."""
    return span_of(first, last) if "-" in first else [str(year) for year in range(int(first), int(last) + 1)]


def _whole(name: str, own: pd.DataFrame) -> dict[str, Any]:
    """One partner's rows of a year as one, in whatever order they come."""
    row: dict[str, Any] = {"partner": name, "target": int(own["target"].sum()), "result": int(own["result"].sum())}
    by = own.groupby("region")["result"].sum()
    row["region"] = ", ".join(sorted(by.index, key=lambda region: (-by[region], region)))
    weight = own["result"].clip(lower=0).astype(float)
    weight = weight if weight.sum() > 0 else weight + 1.0
    for measure in (measure for part in PARTS.values() for measure in part if measure in own):
        values = own[measure].astype(float)
        if values.nunique(dropna=False) == 1:
            row[measure] = values.iloc[0]
        elif measure in AMOUNTS:
            row[measure] = values.sum(min_count=1)
        else:
            row[measure] = float((values * weight)[values.notna()].sum() / max(weight[values.notna()].sum(), 1e-12))
    return row


def _marks(values: pd.Series) -> pd.Series:
    best = float(values.quantile(BEST))
    return (100 * values / best).clip(0, 100) if best > 0 else values * 0.0
