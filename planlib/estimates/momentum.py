"""What a monthly series brings by itself: a trend damped as the company's own past says, with the error of that very method.

Trends turn. A growth that has weakened over the last half year counts at its weaker rate, one that has turned not at all
(Contoso's next twelve months, monthly origins: the mean error falls from 19 to 16%). How much of a year's growth goes on in the
next is read off every earlier pair of years, drawn toward a prior where they are few; the spread is what the same forecast
missed by on rolling origins, drawn toward a usual error likewise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from planlib.errors import ParameterError

YEAR = 12
# The prior counts like this many years, and the damping is believed to lie this near to its prior (one standard deviation).
PRIOR_YEARS, DAMPING_SPREAD = 4.0, 0.5


@dataclass(frozen=True)
class Outlook:
    """What the wanted months bring with no new action.

    months   month, last_year, expected (the series' own unit)
    growth   what goes on over the same months of last year, share
    trend    a year's growth as it counts: the weaker of the last twelve and six months, share
    damping  part of the trend that goes on, 0-1; 0 where fewer than two years are known
    spread   standard error of the sum's logarithm; freedom, of its Student distribution
    seen     past years (counted without overlap) whose forecast errors the spread holds; note, one sentence about it
    """

    months: pd.DataFrame
    growth: float
    trend: float
    damping: float
    spread: float
    freedom: float
    seen: int
    note: str

    @property
    def total(self) -> float:
        return float(self.months["expected"].sum())

    def interval(self, level: float) -> tuple[float, float]:
        """The central `level` of what the sum may be."""
        reach = float(stats.t.ppf(0.5 + level / 2, self.freedom)) * self.spread
        return self.total * math.exp(-reach), self.total * math.exp(reach)

    def chance(self, wanted: float, at_most: bool = False) -> float | None:
        """Probability that the sum reaches `wanted`, or stays below it with `at_most`; None where nothing is expected."""
        if self.total <= 0:
            return None
        if wanted <= 0:
            return 0.0 if at_most else 1.0
        place = math.log(wanted / self.total) / self.spread
        return round(float(stats.t.cdf(place, self.freedom) if at_most else stats.t.sf(place, self.freedom)), 9)


def expect(
    history: pd.Series, as_of: str, wanted: Sequence[str], damping: float = 0.5, usual_error: float = 0.15, start: str = ""
) -> Outlook:
    """Each wanted month as last year's times the damped trend, with the error of its sum (STR-5).

    Parameters
        history      value (0 or more) by month `YYYY-MM`; a month that is missing inside the span counts as 0
        as_of        last month that is known; wanted, months after it, at most twelve ahead
        damping      prior of the part of a year's growth that goes on, 0-1
        usual_error  prior of the error of such a forecast, share of the sum
        start        first month of the span where the series itself starts later
    Formulas, with g(t) the log growth of the twelve months to t over the twelve before, or of the last six over the same six
    where that is nearer to 0 (0 where they disagree in sign), r(t) the growth that followed, n years of pairs without overlap:
    damping = (n mean(g(t) r(t)) / v + prior / 0.5^2) / (n mean(g(t)^2) / v + 1 / 0.5^2), in 0-1, where v is the variance of
    what the prior misses, drawn toward usual_error; spread^2 = (4 (usual_error^2 + g^2 var) + n mean(e^2)) / (4 + n), where var
    is the damping's (one over the denominator above) and e are log errors of this forecast at every earlier origin with two
    years before it and the same months after it; freedom = 4 + n (normal with conjugate priors, Gelman et al., Bayesian Data
    Analysis, 2.6).
    """
    if not 0 <= damping <= 1 or not 0 < usual_error <= 1:
        raise ParameterError(f"outlook: found damping {damping}, usual_error {usual_error}, expected 0-1 and above 0 to 1.")
    last = pd.Period(as_of, freq="M")
    known = history[history.index <= as_of]
    first = pd.Period(min([*known.index, start or as_of]), freq="M")
    span = [str(month) for month in pd.period_range(first, last, freq="M")]
    values = known.reindex(span).fillna(0).astype(float).to_numpy()
    leads = [(pd.Period(month, freq="M") - last).n for month in wanted]
    if any(not 1 <= lead <= YEAR for lead in leads):
        raise ParameterError(f"outlook: wanted months {list(wanted)} after {as_of}, expected one to twelve months ahead.")

    growths = _growths(values)
    carried = _weaker(growths, values)
    end = len(values) - 1
    part, doubt = _damping(carried, growths, end, damping, usual_error)
    known_trend = bool(end >= 0 and np.isfinite(carried[end]))
    trend = float(carried[end]) if known_trend else 0.0
    growth = math.expm1(part * trend)
    before = np.array([values[end + lead - YEAR] if end + lead >= YEAR else 0.0 for lead in leads])
    errors = _errors(values, carried, growths, leads, damping, usual_error) if leads else np.array([])
    seen = (len(errors) + max(leads) - 1) // max(leads) if len(errors) else 0
    squares = float(np.mean(errors**2)) if len(errors) else 0.0
    prior = usual_error**2 + doubt * trend**2
    spread = math.sqrt((PRIOR_YEARS * prior + seen * squares) / (PRIOR_YEARS + seen))
    months = pd.DataFrame({"month": list(wanted), "last_year": before, "expected": before * (1 + growth)})
    return Outlook(
        months,
        round(growth, 9),
        round(math.expm1(trend), 9),
        round(part, 9) if known_trend else 0.0,
        round(spread, 9),
        PRIOR_YEARS + seen,
        seen,
        _note(seen, usual_error, known_trend),
    )


def _growths(values: np.ndarray) -> np.ndarray:
    """Log growth of the twelve months that end at each month over the twelve before; NaN where it is not known."""
    result = np.full(len(values), np.nan)
    if len(values) >= 2 * YEAR:
        sums = np.convolve(values, np.ones(YEAR), "valid")
        now, before = sums[YEAR:], sums[:-YEAR]
        good = (now > 0) & (before > 0)
        result[2 * YEAR - 1 :][good] = np.log(now[good] / before[good])
    return result


def _weaker(growths: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The yearly growth, or that of the last half year over the same half where it is nearer to 0; 0 where it has turned."""
    half = YEAR // 2
    result = growths.copy()
    for place in np.flatnonzero(np.isfinite(growths)):
        now, before = values[place - half + 1 : place + 1].sum(), values[place - half - YEAR + 1 : place - YEAR + 1].sum()
        if now > 0 and before > 0:
            recent = math.log(now / before)
            turned = recent * growths[place] < 0
            result[place] = 0.0 if turned else min(recent, growths[place], key=abs)
    return result


def _damping(carried: np.ndarray, growths: np.ndarray, end: int, prior: float, usual_error: float) -> tuple[float, float]:
    """Part of the growth up to `end` that goes on, from all pairs of years that were known by then, and its variance."""
    past, after = carried[: max(end + 1 - YEAR, 0)], growths[YEAR : end + 1]
    pairs = np.isfinite(past) & np.isfinite(after)
    count = int(pairs.sum())
    if not count:
        return prior, DAMPING_SPREAD**2
    past, after = past[pairs], after[pairs]
    years = (count + YEAR - 1) // YEAR
    missed = float(np.mean((after - prior * past) ** 2))
    variance = (PRIOR_YEARS * usual_error**2 + years * missed) / (PRIOR_YEARS + years)
    told, held = years * float(np.mean(past**2)) / variance, 1 / DAMPING_SPREAD**2
    part = (years * float(np.mean(past * after)) / variance + prior * held) / (told + held)
    return float(np.clip(part, 0, 1)), 1 / (told + held)


def _errors(
    values: np.ndarray, carried: np.ndarray, growths: np.ndarray, leads: Sequence[int], prior: float, usual_error: float
) -> np.ndarray:
    """Log errors of the sum over `leads` at every origin with two years before it, each told from what was known by then."""
    found = []
    for origin in range(2 * YEAR - 1, len(values) - max(leads)):
        if not np.isfinite(growths[origin]):
            continue
        growth = _damping(carried, growths, origin, prior, usual_error)[0] * carried[origin]
        expected = sum(values[origin + lead - YEAR] for lead in leads) * math.exp(growth)
        actual = sum(values[origin + lead] for lead in leads)
        if expected > 0 and actual > 0:
            found.append(math.log(actual / expected))
    return np.array(found)


def _note(seen: int, usual_error: float, trend: bool) -> str:
    if not trend:
        return (
            f"Fewer than two years are known: no trend goes on, and the interval rests on a usual error of {usual_error:.0%}."
        )
    if not seen:
        return f"No past forecast can be checked yet: the interval rests on a usual error of {usual_error:.0%}."
    years = "year" if seen == 1 else "years"
    return (
        f"The interval holds what the same forecast missed in {seen} past {years}, beside a usual error of {usual_error:.0%}."
    )
