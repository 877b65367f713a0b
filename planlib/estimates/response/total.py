"""Returns of several channels read from total revenue: a baseline, and what carry-over and saturation explain above it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from planlib.errors import ParameterError
from planlib.estimates.response.posterior import Draws, posterior
from planlib.estimates.response.result import Response, between, checked_level, finished, joined, refuse
from planlib.estimates.response.shapes import Shapes, edges, shapes, yearly

# Fewer periods with money than this, or a spend that varies less than this around its mean, show no curve.
LEAST_ACTIVE, LEAST_VARIATION = 8, 0.1
LEAST_STEPS = 4  # periods that show their usual step
# A normal estimate cut at 0 has its 5% quantile below a fifth of its median exactly where the uncut one has it below 0.
NEAR_ZERO = 0.2


def fit(
    spend: pd.DataFrame,
    outcome: pd.Series,
    controls: pd.DataFrame | None = None,
    periods_per_year: int = 52,
    *,
    year: Sequence[object] | None = None,
    level: float = 0.9,
    ceiling: float = 1.0,
    inflation: float = 5.0,
    harmonics: int = 3,
    draws: int = 1000,
    seed: int = 20260101,
) -> Response:
    """Return, curve and interval of every channel, from total revenue (BUD-1, BUD-6).

    Parameters
        spend             period x channel, money; the index sorts in order of time and leaves no period out (one that can be
                          read as dates is checked for gaps)
        outcome           revenue, same index; controls: same index, numbers or text (one effect per text but the commonest)
        periods_per_year  52 for weeks, 12 for months
        year              periods the return is told for; the last `periods_per_year` by default, fewer are brought to a year
        level             of the intervals, share; ceiling: share of the outcome that all channels together bring at most
        inflation         variance inflation factor above which a channel cannot be told from what moves with it
        harmonics         pairs of Fourier terms of the yearly season (one where less than two years are known, none below one)
        draws             from the posterior, 100 at least; seed of the generator (PCG64)
    Returns Response, see there. revenue = scale * spend / (spend + half) passes through last year's spend and return with the
    slope the periods have there when all grow alike. A channel without spend in the last year is told at its whole history.
    Raises InputDataError for tables that do not fit together; ParameterError for a parameter out of range.
    Model: outcome = level + trend + season + controls + sum of size * saturated(adstock(spend)) + error, sizes not negative,
    errors with a memory of one period. Returns are medians of the posterior, so wide where channels cannot be told apart.
    Source: Jin, Wang, Sun, Chan and Koehler 2017, Bayesian methods for media mix modeling with carryover and shape effects;
    Belsley, Kuh and Welsch 1980 for variance inflation.
    """
    if draws < 100 or not 0 < ceiling <= 1 or inflation <= 1 or harmonics < 0 or periods_per_year < 2:
        raise ParameterError(
            f"response: found draws {draws}, ceiling {ceiling}, inflation {inflation}, harmonics {harmonics}, periods_per_year "
            f"{periods_per_year}, expected at least 100, above 0 to 1, above 1, at least 0, at least 2; correct them."
        )
    level = checked_level(level)
    spend, y, controls = _together(spend, outcome, controls)
    baseline = _baseline(len(y), periods_per_year, harmonics, controls)
    paid = [name for name in spend.columns if spend[name].sum() > 0]
    refuse(not paid, "no channel with spend", "money in at least one channel")
    least = np.linalg.matrix_rank(baseline) + 2 * len(paid) + 2
    refuse(len(y) < least, f"{len(y)} periods", f"{least} at least for {len(paid)} channels and the baseline")

    last = np.isin(spend.index, list(spend.index[-periods_per_year:] if year is None else year))
    refuse(not last.any(), f"no period of the year {list(year or [])} in the table", "one at least")
    tried = []
    for name in paid:
        series = spend[name].to_numpy(dtype=float)
        tried.append(shapes(series, last if series[last].sum() > 0 else np.ones(len(y), dtype=bool), periods_per_year))
    features = [one.feature for one in tried]
    rng = np.random.Generator(np.random.PCG64(seed))
    found = posterior(y, baseline, features, ceiling * float(y.mean()), rng, chains=draws // 10)
    r2 = _explained(y, _predicted(y, baseline, features, found, len(y)))
    r2_out, without = _held_out(y, baseline, features, ceiling, least, seed)
    doubts = _doubts(spend[paid], baseline, tried, found, inflation, periods_per_year, last)
    rows = [
        _row(name, one, found.shape[:, c], found.size[:, c], doubts[c], level)
        for c, (name, one) in enumerate(zip(paid, tried, strict=True))
    ]
    for row in rows:
        if not spend[str(row["item"])].to_numpy()[last].sum():
            row["spend"], row["revenue"] = 0.0, 0.0
    rows += [_unspent(name) for name in spend.columns if name not in paid]

    facts = {
        "r2": r2,
        "r2_held_out": r2_out,
        "r2_without": without,
        "periods": len(y),
        "draws": len(found.shape),
        "level": level,
    }
    known = sum(bool(row["identified"]) for row in rows)
    outside = f", {r2_out:.2f} on the last fifth held out ({without:.2f} without channels)" if np.isfinite(r2_out) else ""
    note = (
        f"Total revenue of {len(y)} periods, R2 {r2:.2f}{outside}: {known} of {len(rows)} returns are told by the data, "
        f"each with a {level:.0%} interval."
        + (" Trend, season and controls alone told the held-out fifth better." if r2_out < without else "")
    )
    return finished(rows, facts | {"memory": found.memory}, note)


def _together(
    spend: pd.DataFrame, outcome: pd.Series, controls: pd.DataFrame | None
) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """The tables in order of time and name, refused where they do not fit."""
    controls = pd.DataFrame(index=spend.index) if controls is None else controls
    for name, index in (("spend", spend.index), ("outcome", outcome.index), ("controls", controls.index)):
        refuse(bool(index.duplicated().any()), f"periods of {name} more than once", "one row per period")
        refuse(set(index) != set(spend.index), f"other periods in {name} than in spend", "the same periods")
    names = [str(name) for name in spend.columns]
    refuse(not names or len(set(names)) < len(names), f"channels {names}", "one at least, each with its own name")
    spend = spend.sort_index().sort_index(axis=1)
    outcome, controls = outcome.loc[spend.index], controls.loc[spend.index].sort_index(axis=1)
    refuse(any(kind.kind not in "iufb" for kind in [*spend.dtypes, outcome.dtype]), "text or dates for money", "numbers")
    money, y = spend.to_numpy(dtype=float), outcome.to_numpy(dtype=float)
    refuse(not np.isfinite(money).all() or (money < 0).any(), "spend that is missing or below 0", "money, 0 for none")
    faulty = not np.isfinite(y).all() or y.sum() <= 0 or np.ptp(y) == 0
    refuse(faulty, "an outcome that is missing, sums to 0 or less or never changes", "revenue in every period")
    _refuse_gaps(spend.index)
    refuse(bool(controls.isna().any(axis=None)), "controls that are missing", "a value in every period")
    return spend, y, controls


def _refuse_gaps(index: pd.Index) -> None:
    """Refuse an index of dates whose periods do not follow each other; others are taken as they are."""
    dates = pd.to_datetime(index.astype(str), errors="coerce", format="ISO8601") if index.dtype.kind not in "iuf" else index[:0]
    if dates.isna().any() or len(dates) < LEAST_STEPS:
        return
    steps = np.diff(dates.to_numpy()).astype("timedelta64[D]").astype(int)
    wide = np.flatnonzero(steps > 1.5 * np.median(steps))
    refuse(len(wide) > 0, f"no period after {index[wide[0]] if len(wide) else ''}", "every period, spend 0 where none")


def _baseline(periods: int, periods_per_year: int, harmonics: int, controls: pd.DataFrame) -> np.ndarray:
    """Level, trend, yearly season by Fourier terms, and the controls: periods x terms."""
    time = np.arange(periods)
    terms = [np.ones(periods), time / periods - 0.5]
    years = periods / periods_per_year
    pairs = min(harmonics if years >= 2 else 1 if years >= 1 else 0, (periods_per_year - 1) // 2)
    for pair in range(1, pairs + 1):
        angle = 2.0 * np.pi * pair * time / periods_per_year
        terms += [np.sin(angle), np.cos(angle)]
    for name in controls.columns:
        values = controls[name]
        if pd.api.types.is_numeric_dtype(values):
            numbers = values.to_numpy(dtype=float)
            spread = numbers.std()
            terms += [(numbers - numbers.mean()) / spread] if spread > 0 else []
        else:
            counts = values.astype(str).value_counts().sort_index().sort_values(ascending=False, kind="stable")
            terms += [(values.astype(str) == kind).to_numpy(dtype=float) for kind in sorted(counts.index[1:])]
    return np.column_stack(terms)


def _row(name: str, one: Shapes, shape: np.ndarray, size: np.ndarray, doubts: list[str], level: float) -> dict[str, object]:
    """A channel's curve and returns: medians of the draws with their central interval."""
    revenue, elasticity = size * one.year[shape], one.elasticity[shape]
    scale, half = yearly(np.full(len(size), one.spend), revenue, elasticity)
    roi, marginal = float(np.median(revenue)) / one.spend, float(np.median(revenue * elasticity)) / one.spend
    best_scale, best_half = yearly(np.array(one.spend), np.array(roi * one.spend), np.array(marginal / roi))
    row: dict[str, object] = {"item": str(name), "form": "saturating", "elasticity": marginal / roi, "spend": one.spend}
    row["draws"] = np.column_stack([scale, half])
    row |= {"revenue": roi * one.spend} | between("roi", revenue / one.spend, roi, level)
    row |= between("marginal", revenue * elasticity / one.spend, marginal, level)
    row |= between("scale", scale, float(best_scale), level) | between("half", half, float(best_half), level)
    row |= between("decay", one.decay[shape], float(np.median(one.decay[shape])), level)
    if float(row["roi_low"]) < NEAR_ZERO * roi:  # type: ignore[arg-type]
        row |= {"roi_low": 0.0, "marginal_low": 0.0, "scale_low": 0.0}
        doubts = [*doubts, "zero lies within the interval"]
    told = not doubts
    ends = edges(float(np.median(one.ratio[shape])), float(np.median(one.decay[shape])))
    return row | {"identified": told, "caveat": joined([*doubts, *ends])}


def _unspent(name: str) -> dict[str, object]:
    """A channel that never had money has no curve."""
    nothing = dict.fromkeys(["elasticity", "decay", "roi", "roi_low", "roi_high", "marginal", "marginal_low", "marginal_high"])
    ranges = {f"{part}_{end}": 0.0 for part in ("scale", "half") for end in ("low", "high")}
    row: dict[str, object] = {key: float("nan") for key in [*nothing, "decay_low", "decay_high"]}
    row |= ranges | {"item": str(name), "form": "saturating", "scale": 0.0, "half": 1.0, "spend": 0.0, "revenue": 0.0}
    return row | {"identified": False, "caveat": "No money was ever spent on it."}


def _doubts(
    spend: pd.DataFrame,
    baseline: np.ndarray,
    tried: list[Shapes],
    found: Draws,
    inflation: float,
    periods_per_year: int,
    last: np.ndarray,
) -> list[list[str]]:
    """Why the data cannot tell a channel's return, per channel in order of name."""
    usual = np.column_stack([one.feature[:, found.shape[:, c]].mean(axis=1) for c, one in enumerate(tried)])
    spread = usual - usual.mean(axis=0)
    spread = spread / np.maximum(np.linalg.norm(spread, axis=0), 1e-300)  # a constant spend goes with nothing
    together = spread.T @ spread
    reasons = []
    for c, name in enumerate(spend.columns):
        money, why = spend[name].to_numpy(dtype=float), []
        if len(money) < 2 * periods_per_year:
            why.append(f"too few periods: {len(money)}, two years ({2 * periods_per_year}) tell a season from a channel")
        if money.std() < LEAST_VARIATION * money.mean():
            why.append(f"too little variation: the spend lies within {money.std() / money.mean():.0%} of its mean")
        elif (active := int((money > 0).sum())) < LEAST_ACTIVE:
            why.append(f"too little variation: money in {active} of {len(money)} periods, {LEAST_ACTIVE} at least show a curve")
        else:
            others = np.delete(usual, c, axis=1)
            by_base = _inflated(usual[:, c], baseline)
            factor = _inflated(usual[:, c], np.column_stack([baseline, others]))
            if by_base > inflation:
                why.append(f"its spend moves with trend, season or a control (variance inflation {_many(by_base)})")
            elif factor > inflation:
                nearest = max((n for n in range(len(tried)) if n != c), key=lambda n: abs(round(together[c, n], 9)))
                with_it = f"that of {spend.columns[nearest]} (correlation {together[c, nearest]:.2f}"
                why.append(f"its spend moves with {with_it}, variance inflation {_many(factor)})")
        if not money[last].sum():
            why.append("no money was spent on it in the last year, its return is that of all years")
        reasons.append(why)
    return reasons


def _inflated(series: np.ndarray, by: np.ndarray) -> float:
    """Variance inflation factor 1 / (1 - R2) of a series explained by others."""
    rest = series - by @ np.linalg.lstsq(by, series, rcond=1e-9)[0]
    return float(((series - series.mean()) ** 2).sum() / max((rest**2).sum(), 1e-12 * (series**2).sum()))


def _many(factor: float) -> str:
    return "over 1000" if factor > 1000 else f"{factor:.0f}"


def _predicted(y: np.ndarray, baseline: np.ndarray, features: list[np.ndarray], found: Draws, known: int) -> np.ndarray:
    """The outcome of every period by the mean of the draws, the baseline fitted on the first `known` periods."""
    brought = found.brought(features)
    effects = np.linalg.lstsq(baseline[:known], (y - brought)[:known], rcond=1e-9)[0]
    return brought + baseline @ effects


def _held_out(
    y: np.ndarray, baseline: np.ndarray, features: list[np.ndarray], ceiling: float, least: int, seed: int
) -> tuple[float, float]:
    """R2 on the last fifth, told from the first four, and that without channels; NaN where four fifths are too few."""
    known = len(y) - len(y) // 5
    if known < least or len(y) - known < 3:
        return float("nan"), float("nan")
    rng = np.random.Generator(np.random.PCG64(seed))
    early = [feature[:known] for feature in features]
    found = posterior(y[:known], baseline[:known], early, ceiling * float(y[:known].mean()), rng, chains=40, sweeps=40)
    plain = baseline @ np.linalg.lstsq(baseline[:known], y[:known], rcond=1e-9)[0]
    told = _predicted(y, baseline, features, found, known)
    return _explained(y[known:], told[known:]), _explained(y[known:], plain[known:])


def _explained(seen: np.ndarray, told: np.ndarray) -> float:
    """R2, NaN where the outcome hardly moves."""
    around = float(((seen - seen.mean()) ** 2).sum())
    return float(1.0 - ((seen - told) ** 2).sum() / around) if around > 1e-12 * float((seen**2).sum()) else float("nan")
