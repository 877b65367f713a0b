"""What a monthly series brings by itself: a trend damped as the company's own past says, with the error of that very method.

Trends turn. A growth that has weakened over the last half year counts at its weaker rate, one that has turned not at all
(Contoso's next twelve months, monthly origins: the mean error falls from 19 to 16%). How much of a year's growth goes on in the
next is read off every earlier pair of years, drawn toward a prior where they are few; the spread is what the same forecast
missed by on rolling origins, drawn toward a usual error likewise (see `trend`). A series that is known for part of last year
only is expected at the mean of its known months in the others, never at 0.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from planlib import periods
from planlib.errors import ParameterError
from planlib.estimates.trend import PRIOR_YEARS, Monthly, going_on, trend
from planlib.estimates.windows import Coverage, span_of

# Months that a base rests on at least where it stands in for others; how far a month lies off their mean before any is seen.
LEAST_MONTHS, MONTH_SCATTER = 3, 0.3


@dataclass(frozen=True)
class Outlook:
    """What the wanted months bring with no new action.

    months   month, last_year (missing where it is not known; expected itself for a month more than a year ahead), expected
             (the series' own unit)
    growth   what goes on over the same months of last year, share
    trend    a year's growth as it counts: the weaker of the last twelve and six months, share
    damping  part of the trend that goes on, 0-1; 0 where fewer than two years are known
    spread   standard error of the sum's logarithm; freedom, of its Student distribution
    seen     past years (counted without overlap) whose forecast errors the spread holds
    based    how many months the expected ones rest on: as many as wanted, or fewer of the last twelve where those are not known
    note     one sentence
    """

    months: pd.DataFrame
    growth: float
    trend: float
    damping: float
    spread: float
    freedom: float
    seen: int
    based: int
    note: str

    @property
    def total(self) -> float:
        return float(self.months["expected"].sum())

    def interval(self, level: float) -> tuple[float, float]:
        """The central `level` of what the sum may be."""
        reach = float(stats.t.ppf(0.5 + level / 2, self.freedom)) * self.spread
        return self.total * math.exp(-reach), self.total * math.exp(reach)

    def chance(self, wanted: float, at_most: bool = False) -> float | None:
        """Probability that the sum reaches `wanted`, or stays below it with `at_most`; None where nothing is expected.

        What is wanted may be reached already: then it is 1, and 0 for a limit that is overrun.
        """
        if wanted < 0 or (wanted == 0 and not (at_most and self.total <= 0)):
            return 0.0 if at_most else 1.0
        thin = self.based < LEAST_MONTHS and bool(self.months["last_year"].isna().any())
        if self.total <= 0 or thin:
            return None
        return beyond(wanted / self.total, self.spread, self.freedom, at_most)


def beyond(factor: float, spread: float, freedom: float, at_most: bool = False) -> float:
    """Probability that what is expected is reached at `factor` times it, with `at_most` that it stays below."""
    place = math.log(factor) / spread
    return round(float(stats.t.cdf(place, freedom) if at_most else stats.t.sf(place, freedom)), 9)


def check_terms(damping: float, usual_error: float) -> None:
    """Raise ParameterError for a damping outside 0-1 or a usual error that is not above 0 and up to 1."""
    if not 0 <= damping <= 1 or not 0 < usual_error <= 1:
        raise ParameterError(f"outlook: found damping {damping}, usual_error {usual_error}, expected 0-1 and above 0 to 1.")


def expect(
    history: pd.Series,
    as_of: str,
    wanted: Sequence[str],
    damping: float = 0.5,
    usual_error: float = 0.15,
    coverage: Coverage | None = None,
    like: pd.Series | None = None,
    near: bool = False,
) -> Outlook:
    """Each wanted month as last year's times the damped trend, with the error of its sum (STR-5).

    Parameters
        history      value by month `YYYY-MM`
        as_of        last month that is known; wanted: months after it, at most two years ahead, or gaps
        damping      prior of the part of a year's growth that goes on, 0-1
        usual_error  prior of the error of such a forecast, share of the sum
        coverage     which months are known, a known one without a row being 0; the history's own months by default. A member's
                     own start is its first month: `coverage.since(first)`
        like         value by month of what has the same season (the company): months that the series does not know follow it
        near         the months are the rest of a year that has begun, not a year of their own: see `trend.going_on`
    Formulas: see `trend.trend`. A month more than a year ahead stands on the one a year before it, which is expected too, as
    `near` months are: the trend goes on once more, damped again (Gardner and McKenzie 1985).
    A wanted month whose last year is not known takes the mean of the known ones among the last
    twelve months, in the season of `like`; the mean's own error adds to the spread, with months that lie 30% off their mean
    before any is seen.
    """
    check_terms(damping, usual_error)
    known = Coverage.of(history.index, as_of) if coverage is None else coverage.until(as_of)
    leads = [periods.between(as_of, month) for month in wanted]
    year = periods.per_year(as_of)
    if any(lead > 2 * year or (lead < 1 and month not in known.gaps) for lead, month in zip(leads, wanted, strict=True)):
        raise ParameterError(f"outlook: wanted months {list(wanted)} after {as_of}, expected at most two years ahead.")
    first = known.first or as_of
    months = span_of(first, as_of)
    measure = Monthly.of(history, None, first, as_of, known.window("all", months).known)

    found = trend(measure, [lead for lead in leads if lead >= 1], damping, usual_error, near)
    before, told, based, doubt = _last_year(measure, leads, like)
    factor = math.exp(found.growth)
    again = np.array([lead > year for lead in leads], dtype=bool)
    factors = np.full(len(leads), factor)
    if again.any():  # what is known lies two years back: the year between is expected as well
        later = [lead - year for lead in leads if lead > year]
        between = going_on(found.damping, later, year) * found.year
        before = np.where(again, before * math.exp(between), before)
        factors = np.where(again, math.exp(between * found.damping), factor)
    frame = pd.DataFrame({"month": list(wanted), "last_year": np.where(told, before, np.nan), "expected": before * factors})
    goes_on = factor
    if again.any():
        goes_on = float(frame["expected"].sum()) / float(before.sum()) if before.sum() > 0 else 1.0
    return Outlook(
        frame,
        round(goes_on - 1, 9),
        round(math.expm1(found.year), 9),
        round(found.damping, 9),
        round(math.sqrt(found.spread**2 + doubt), 9),
        found.freedom,
        found.seen,
        based,
        _note(found.seen, usual_error, found.known, int(told.sum()), len(told), based),
    )


def _last_year(measure: Monthly, leads: Sequence[int], like: pd.Series | None) -> tuple[np.ndarray, np.ndarray, int, float]:
    """Each wanted month a year before (two, where that is ahead too), whether that is known, on how many months all rest, and
    the variance that this adds."""
    year = measure.year
    places = np.array([measure.end + lead - (year if lead <= year else 2 * year) for lead in leads], dtype=int)
    told = np.array([place >= 0 and bool(measure.known[place]) for place in places], dtype=bool)
    before = np.where(told, measure.part[np.maximum(places, 0)] if len(measure.part) else 0.0, 0.0)
    if told.all():
        return before, told, len(told), 0.0
    recent = np.arange(max(0, measure.end - measure.year + 1), measure.end + 1)
    recent = recent[measure.known[recent]]
    if not len(recent):
        return before, told, 0, 0.0
    then = _shape(measure, recent, recent, like)
    level = float(measure.part[recent].sum()) / float(then.sum())
    filled = ~told
    before = np.where(filled, level * _shape(measure, places, recent, like), before)
    total = float(before.sum())
    if total <= 0 or level <= 0:
        return before, told, len(recent), 0.0
    off = measure.part[recent] / level - then
    square = (PRIOR_YEARS * MONTH_SCATTER**2 + float((off**2).sum())) / (PRIOR_YEARS + len(recent) - 1)
    part = float(before[filled].sum()) / total
    return before, told, len(recent), part**2 * square * (1 / len(recent) + 1 / int(filled.sum()))


def _shape(measure: Monthly, places: np.ndarray, recent: np.ndarray, like: pd.Series | None) -> np.ndarray:
    """The season of `like` at some months, the mean of the recent ones being 1; all 1 where it has none."""
    if like is None:
        return np.ones(len(places))
    mean = float(like.reindex([periods.step(measure.first, int(place)) for place in recent]).mean())
    at = like.reindex([periods.step(measure.first, int(place)) for place in places]).to_numpy(dtype=float)
    return np.nan_to_num(at / mean, nan=1.0) if mean > 0 else np.ones(len(places))


def _note(seen: int, usual_error: float, known: bool, told: int, wanted: int, based: int) -> str:
    usual = f"a usual error of {usual_error:.0%}"
    if not known:
        start = f"Fewer than two years are known: no trend goes on, and the interval rests on {usual}"
    elif not seen:
        start = f"No past forecast can be checked yet: the interval rests on {usual}"
    else:
        years = "year" if seen == 1 else "years"
        start = f"The interval holds what the same forecast missed in {seen} past {years}, beside {usual}"
    if told == wanted:
        return f"{start}."
    if not based:
        return f"{start}. No month of last year is known, so nothing can be expected."
    of = "month" if based == 1 else "months"
    return (
        f"{start}. Last year is known for {told} of the {wanted} months ahead; the others are expected at the mean of the "
        f"{based} {of} that are known."
    )
