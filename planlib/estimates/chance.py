"""The one way to the chance of a target: of a sum, of a count, of a ratio of sums, of a share that is told without its parts.

Every chance is that of the year as its own past goes, with no new action: what closed months brought stands, the others are
expected by the damped trend (see `trend`). Months that are not known are missing, not zero; a member's own first month is where
it starts; what is reached already has the chance 1. None says that the past does not tell.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy import stats

from planlib import periods
from planlib.estimates.momentum import LEAST_MONTHS, beyond, check_terms, expect
from planlib.estimates.pauses import MISSED, missed
from planlib.estimates.trend import Monthly, trend
from planlib.estimates.windows import Coverage, span_of

# A figure told by the half year ends up to so many months before its next one; a plan is made as early before its year.
LAG = 5


@dataclass(frozen=True)
class Terms:
    """What a run's chances rest on: see chapter 01's parameters of the same names."""

    damping: float = 0.5
    usual_error: float = 0.15
    achievable_from: float = 0.10

    @classmethod
    def of(cls, parameters: object) -> "Terms | None":
        """Of a chapter's parameters, or None where it has none of its own."""
        names = list(asdict(cls()))
        own = all(hasattr(parameters, name) for name in names)
        return cls(*(getattr(parameters, name) for name in names)) if own else None

    def table(self) -> pd.DataFrame:
        """One row, as it is handed on."""
        return pd.DataFrame([asdict(self)])

    @classmethod
    def read(cls, table: pd.DataFrame) -> "Terms":
        """Of that row."""
        return cls(**{str(name): float(value) for name, value in table.iloc[0].items()})


def of_sum(
    series: pd.Series,
    coverage: Coverage,
    months: Sequence[str],
    value: float,
    terms: Terms,
    at_most: bool = False,
    like: pd.Series | None = None,
    past: pd.Series | None = None,
) -> float | None:
    """The chance that some months sum to `value` (MET-1), by a log-Student law.

    Parameters
        series    value by month `YYYY-MM`; months below 0 count as they are
        coverage  the months that are known: of the company's orders, or of the measure's own months; a known month without a
                  row is 0
        months    those that the target is set for; the known ones stand, the others are expected
        at_most   less is better: the chance to stay at or below `value`
        like      what has the same season, by month: for a member that is younger than a year, the company
        past      what the months to come are told from where it is not the series itself, by month: see `standing`
    A member starts with its first month above 0. One that fell silent for good brings nothing more: see `pauses.missed`.
    """
    done, ahead = _parted(series, coverage, months)
    if not ahead:
        return float(done <= value if at_most else done >= value)
    own = _own(series, coverage)
    if own.first is None or _far(ahead, coverage, periods.per_year(coverage.last)):
        return 1.0 if value <= done and not at_most else None
    if _ended(series, own):
        return float(done <= value if at_most else done >= value)
    told = expect(series if past is None else past, coverage.last, ahead, terms.damping, terms.usual_error, own, like)
    return told.chance(value - done, at_most)


def of_count(
    series: pd.Series, coverage: Coverage, months: Sequence[str], value: float, terms: Terms, at_most: bool = False
) -> float | None:
    """The chance that some months count `value` events or more (MET-1), by a Poisson law whose rate is known from the past.

    Parameters as in `of_sum`. With x the counts of the whole years up to the last known month: where these scatter no more than
    a Poisson law lets them, the rate is their mean; as far as they scatter more (index of dispersion, Fisher 1925), it is that
    of the trend. The rate has a gamma law, so the count is negative binomial (Greenwood and Yule 1920), close to Poisson
    where the rate is well known. No event in the whole past counts as half a one (Jeffreys).
    """
    done, ahead = _parted(series, coverage, months)
    if not ahead or (done >= value and not at_most):
        return float(done <= value if at_most else done >= value)
    if at_most and done > value:
        return 0.0
    measure = _measure(series, None, coverage)
    if measure is None or int(measure.known.sum()) < LEAST_MONTHS or _far(ahead, coverage, LAG):
        return None
    years = _years(measure)
    seen = max(0.5, float(measure.part.sum()))
    rate, spread, trusted = seen / float(measure.known.sum()) * len(ahead), 1 / math.sqrt(seen), 0.0
    if len(years) >= 2 and years.mean() > 0:
        dispersion = float(((years - years.mean()) ** 2).sum()) / float(years.mean()) / (len(years) - 1)
        trusted = max(0.0, 1 - 1 / dispersion) if dispersion > 0 else 0.0
    # A count by the quarter may end some months before the others do: the first year of what is ahead tells of all of it.
    near = [month for month in ahead if not _far([month], coverage)]
    told = expect(series, coverage.last, near, terms.damping, terms.usual_error, coverage) if trusted > 0 and near else None
    if told is not None and told.total > 0:
        rate = trusted * told.total * len(ahead) / len(near) + (1 - trusted) * rate
        spread = math.sqrt(trusted * told.spread**2 + (1 - trusted) * spread**2)
    size = 1 / spread**2
    law = stats.nbinom(size, size / (size + rate))
    found = law.cdf(math.floor(round(value - done, 9))) if at_most else law.sf(math.ceil(round(value - done, 9)) - 1)
    return round(float(found), 9)


def of_ratio(
    part: pd.Series,
    whole: pd.Series,
    coverage: Coverage,
    months: Sequence[str],
    value: float,
    terms: Terms,
    at_most: bool = False,
) -> float | None:
    """The chance that the sum of `part` over that of `whole` in some months reaches `value` (MET-1): never a mean of ratios.

    `part`, `whole`: by month, such as cost and revenue. A margin may fall below 0 where its log does not exist: ask for the
    cost ratio at most at one less the margin. None where the ratio of the last twelve months is not above 0.
    """
    (done, ahead), (over, _) = _parted(part, coverage, months), _parted(whole, coverage, months)
    measure = _measure(part, whole, coverage)
    if measure is None or _far(ahead, coverage, LAG):
        return None
    coming = expect(whole, coverage.last, ahead, terms.damping, terms.usual_error, coverage).total if ahead else 0.0
    return _of_rate(measure, coverage, ahead, done, over, coming, value, terms, at_most)


def of_level(
    series: pd.Series, as_of: str, months: Sequence[str], value: float, terms: Terms, at_most: bool = False
) -> float | None:
    """The chance that the mean of a share, a rank or another level over some months reaches `value` (MET-1).

    `series`: value by month; a month without one is missing, so that a level told by the quarter has four values a year. The
    months that are still to be told are as many as in the year before.
    """
    series = series[[str(month) <= as_of for month in series.index]].dropna()
    if series.empty:
        return None
    # A value by the quarter tells of three months: its first one starts that much earlier.
    places = np.sort([periods.ordinal(month) for month in series.index])
    step = int(np.median(np.diff(places))) if len(places) > 1 else 1
    whole = Coverage(periods.step(str(series.index.min()), 1 - step), str(series.index.max()))
    coverage = Coverage(whole.first, whole.last, tuple(month for month in _span(whole) if month not in set(series.index)))
    ahead = [month for month in months if month > coverage.last]
    inside = series[series.index.isin(months)]
    measure = _measure(series, None, coverage)
    if measure is None:
        return None
    before = np.array([measure.place(month) - measure.year for month in ahead], dtype=int)
    again = before[(before >= 0) & (before <= measure.end)]
    coming = float(measure.whole[again].sum()) or float(len(ahead))
    return _of_rate(measure, coverage, ahead, float(inside.sum()), float(len(inside)), coming, value, terms, at_most)


def _of_rate(
    measure: Monthly,
    coverage: Coverage,
    ahead: Sequence[str],
    done: float,
    over: float,
    coming: float,
    value: float,
    terms: Terms,
    at_most: bool,
) -> float | None:
    """The chance of a ratio whose closed months have `done` over `over`, with `coming` of the whole still ahead."""
    check_terms(terms.damping, terms.usual_error)
    if not ahead:
        return None if over <= 0 else float(done <= value * over if at_most else done >= value * over)
    leads = [periods.between(coverage.last, month) for month in ahead]
    if _far(ahead, coverage, LAG) or coming <= 0:
        return None
    places = np.array([measure.end + lead - measure.year for lead in leads])
    level = _level(measure, places[(places >= 0) & (places <= measure.end)])
    if level <= 0:
        level = _level(measure, np.arange(max(0, measure.end - measure.year + 1), measure.end + 1))
    seen = measure.whole > 0
    if int(seen.sum()) >= measure.year and not measure.part[seen].any():  # a year or more of none: it stays so
        return float(done <= value * (over + coming) if at_most else done >= value * (over + coming))
    if level <= 0 or int(seen.sum()) < LEAST_MONTHS:
        return None
    found = trend(measure, [lead for lead in leads if lead >= 1], terms.damping, terms.usual_error)
    needed = (value * (over + coming) - done) / coming
    if needed <= 0:
        return 0.0 if at_most else 1.0
    return beyond(needed / (level * math.exp(found.growth)), found.spread, found.freedom, at_most)


def _far(ahead: Sequence[str], coverage: Coverage, lag: int = 0) -> bool:
    """Whether what is known ends more than a year (and `lag` months) before the last month ahead."""
    return bool(ahead) and periods.between(coverage.last, ahead[-1]) > periods.per_year(coverage.last) + lag


def _level(measure: Monthly, places: np.ndarray) -> float:
    whole = float(measure.whole[places].sum())
    return float(measure.part[places].sum()) / whole if whole > 0 else 0.0


def _parted(series: pd.Series, coverage: Coverage, months: Sequence[str]) -> tuple[float, list[str]]:
    """What the known ones of some months brought, and those that are still to be expected: not those before all data."""
    known = set(coverage.window("months", months).known)
    done = float(series[series.index.isin(known)].sum()) if known else 0.0
    return done, [month for month in months if month not in known and month >= (coverage.first or "")]


def _own(series: pd.Series, coverage: Coverage) -> Coverage:
    """The coverage from a member's own first month above 0 on; empty for one that never had any."""
    sold = sorted(str(month) for month in series.index[(series > 0).to_numpy()] if str(month) <= coverage.last)
    return coverage.since(sold[0]) if sold else Coverage(None, coverage.last)


def _ended(series: pd.Series, own: Coverage) -> bool:
    """Whether a member fell silent for good: it missed months in which it sold a year before."""
    months = own.window("all", _span(own)).known
    sold = series.reindex(_span(own)).fillna(0).to_numpy() != 0  # returns alone are a sign of life too
    known = np.isin(_span(own), months)
    return bool(missed(sold | ~known, periods.per_year(own.last)) >= MISSED)


def _measure(part: pd.Series, whole: pd.Series | None, coverage: Coverage) -> Monthly | None:
    if coverage.first is None:
        return None
    known = coverage.window("all", _span(coverage)).known
    return Monthly.of(part, whole, coverage.first, coverage.last, known)


def _years(measure: Monthly) -> np.ndarray:
    """Sums of the whole years back from the last month, those that are known in full."""
    count = len(measure.part) // measure.year
    blocks = measure.part[len(measure.part) - count * measure.year :].reshape(count, measure.year)
    known = measure.known[len(measure.part) - count * measure.year :].reshape(count, measure.year).all(axis=1)
    return blocks.sum(axis=1)[known]


def _span(coverage: Coverage) -> list[str]:
    return [] if coverage.first is None else span_of(coverage.first, coverage.last)
