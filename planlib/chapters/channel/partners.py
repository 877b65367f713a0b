"""Partners: a score in four parts (CHN-4), and a monthly health report that starts help, then exit (CHN-5)."""

from typing import Any

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.plan import Horizon

PARTS = {
    "basics": ("funds", "warehouse", "team"),
    "development": ("growth", "new_outlets"),
    "operations": ("turnover", "fill_rate", "coverage"),
    "digital": ("crm_use", "reports_on_time", "online_share"),
}
BEST = 0.90  # what nine of ten partners do not exceed counts as full marks, so that one giant sets no scale
FORMATS = {"attainment": "share", **dict.fromkeys([*PARTS, "score"], "int")}  # of `partners`, for a reader
STATES = ("exit", "help", "watch", "healthy")


def scores(partners: pd.DataFrame | None, parameters: Any, horizon: Horizon) -> pd.DataFrame:
    """Each partner's score, 0-100, in four parts (CHN-4), best first.

    `partners`: partner, region, year, target, result, and where known what `PARTS` names; the last closed year counts.
    A measure scores its value over that of the best tenth of partners, at most 100; a part is the mean of its measures, the
    score the parts' by `score_weights`. A part without any measure is left out and the others' weights are scaled.
    Returns partner, region, basics, development, operations, digital (missing where not known), score.
    """
    columns = ["partner", "region", *PARTS, "score"]
    known = None if partners is None else partners[partners["year"] <= _closed(horizon)]
    if known is None or known.empty:
        return pd.DataFrame(columns=columns)
    year = int(known["year"].max())
    keys = ["partner", "region"]
    sums = known.groupby([*keys, "year"], as_index=False)[["target", "result"]].sum()
    here = known[known["year"] == year].groupby(keys, as_index=False).first()
    now, then = (here[keys].merge(sums[sums["year"] == which], how="left", on=keys)["result"] for which in (year, year - 1))
    here["growth"] = (1 + tables.ratio(now - then.fillna(0), then.fillna(0))).clip(lower=0)
    for part, measures in PARTS.items():
        marks = [_marks(here[name]) for name in measures if name in here]
        here[part] = pd.concat(marks, axis=1).mean(axis=1) if marks else np.nan
    weights = pd.Series({str(part): weight for part, weight in parameters.score_weights.items()}).reindex(list(PARTS)).fillna(0)
    marks_ = here[list(PARTS)]
    counted = marks_.notna().mul(weights, axis=1).sum(axis=1)
    here["score"] = (marks_.fillna(0).mul(weights, axis=1).sum(axis=1) / counted.where(counted > 0)).round(9)
    return here.sort_values(["score", "partner"], ascending=[False, True], ignore_index=True)[columns]


def health(months: pd.DataFrame | None, partners: pd.DataFrame | None, parameters: Any, horizon: Horizon) -> pd.DataFrame:
    """The health report (CHN-5), worst first: repeated misses start help, and exit when help has not turned them.

    `months`: partner, month, target, result (minor units); without it the years of `partners` stand for months. Only
    partners with a row in the last period count. A miss is a result under `miss_line` of the target.
    Returns partner, period (the last one), result, attainment (of the last period), last_three, misses (in a
    row up to the last), status: exit from `exit_after` misses in a row, help from `help_after`, watch from one, else healthy.
    """
    columns = ["partner", "period", "result", "attainment", "last_three", "misses", "status"]
    if months is not None:
        frame = months.rename(columns={"month": "period"})
        frame = frame[frame["period"] <= f"{horizon.as_of:%Y-%m}"]
    elif partners is not None:
        frame = partners.assign(period=partners["year"].astype(str))
        frame = frame[frame["year"] <= _closed(horizon)]
    else:
        return pd.DataFrame(columns=columns)
    if frame.empty:
        return pd.DataFrame(columns=columns)
    sums = frame.groupby(["partner", "period"], as_index=False)[["target", "result"]].sum()
    last = sums["period"].max()
    rows = []
    for name, own in sums.sort_values("period").groupby("partner", sort=True):
        if own["period"].iloc[-1] != last:
            continue
        attained = tables.ratio(own["result"], own["target"]).round(9)
        missed = (attained < parameters.miss_line).to_numpy()[::-1]
        run = len(missed) if missed.all() else int(np.argmin(missed))
        recent = own.tail(3)
        state = (
            "exit"
            if run >= parameters.exit_after
            else "help"
            if run >= parameters.help_after
            else "watch"
            if run
            else "healthy"
        )
        part = float(recent["result"].sum()) / max(1, int(recent["target"].sum()))
        rows.append((name, last, int(own["result"].iloc[-1]), float(attained.iloc[-1]), part, run, state))
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values(["misses", "last_three", "partner"], ascending=[False, True, True], ignore_index=True)


def partners(scored: pd.DataFrame, healthy: pd.DataFrame, most: int = 15) -> pd.DataFrame:
    """Score and health in one table, those in trouble first, then the best: at most `most` rows."""
    frame = healthy.merge(scored, how="outer", on="partner")
    frame["status"] = frame["status"].fillna("healthy") if "status" in frame else "healthy"
    rank = frame["status"].map({name: place for place, name in enumerate(STATES)})
    frame = frame.assign(_rank=rank).sort_values(["_rank", "score", "partner"], ascending=[True, False, True])
    columns = ["partner", "region", "status", "misses", "attainment", "last_three", *PARTS, "score"]
    return frame[columns].head(most).reset_index(drop=True)


def warning(healthy: pd.DataFrame) -> str:
    """The health report in a sentence."""
    if healthy.empty:
        return "No partner's results are known: score and health are left out."
    count = healthy["status"].value_counts()
    last = healthy["period"].iloc[0]
    return (
        f"Partners in {last}: {len(healthy)} in all, {count.get('help', 0)} to help after repeated misses, "
        f"{count.get('exit', 0)} up for exit, {count.get('watch', 0)} to watch."
    )


def _closed(horizon: Horizon) -> int:
    """The last plan year that has closed."""
    return horizon.year - 1 if horizon.open else horizon.year


def _marks(values: pd.Series) -> pd.Series:
    best = float(values.quantile(BEST))
    return (100 * values / best).clip(0, 100) if best > 0 else values * 0.0
