"""The momentum baseline: closed forms, turning trends, and whether its interval holds what comes."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from planlib.errors import ParameterError
from planlib.estimates.momentum import expect
from planlib.periods import months


def series(values, first: str = "2018-01") -> pd.Series:
    return pd.Series(np.asarray(values, dtype=float), [str(p) for p in pd.period_range(first, periods=len(values), freq="M")])


def yearly(*levels: float, first: int = 2018) -> pd.Series:
    """The same amount in every month of a year."""
    return series(np.repeat(levels, 12), f"{first}-01")


def test_one_year_has_no_trend_and_says_so():
    told = expect(yearly(100), "2018-12", months(2019))

    assert told.growth == 0 and told.damping == 0
    assert told.total == pytest.approx(1200)
    assert "no trend goes on" in told.note


def test_two_years_go_on_by_the_prior():
    # STR-5: log growth .2 is damped by the prior .5, since nothing has shown yet how trends go on.
    told = expect(yearly(100, 100 * math.exp(0.2)), "2019-12", months(2020), damping=0.5)

    assert math.log1p(told.growth) == pytest.approx(0.1)
    # usual_error^2 + 0.5^2 * 0.2^2, Student with 4 degrees of freedom
    assert told.spread == pytest.approx(math.sqrt(0.15**2 + 0.25 * 0.04))
    reach = stats.t.ppf(0.9, 4) * told.spread
    assert told.interval(0.8) == pytest.approx((told.total * math.exp(-reach), told.total * math.exp(reach)))


def test_one_pair_of_years_by_hand():
    # Levels 1, e^.2, e^.4: the one pair is g = .2 followed by .2; the prior .5 missed by .1.
    told = expect(yearly(1, math.exp(0.2), math.exp(0.4)), "2020-12", months(2021), damping=0.5, usual_error=0.1)
    variance = (4 * 0.1**2 + 1 * 0.1**2) / 5
    data = 0.2 * 0.2 / variance
    damping = (data + 0.5 * 4) / (data + 4)

    assert told.damping == pytest.approx(damping)
    assert math.log1p(told.growth) == pytest.approx(damping * 0.2)
    # the one past forecast, made at the end of 2019 with the prior: .2 came where .1 was told
    prior = 0.1**2 + 0.2**2 / (data + 4)
    assert told.seen == 1
    assert told.spread == pytest.approx(math.sqrt((4 * prior + 0.1**2) / 5))


def test_a_company_whose_trends_turn_is_not_extrapolated():
    turning = [100, 130, 100, 130, 100, 130]
    steady = [100 * 1.1**k for k in range(6)]

    assert expect(yearly(*turning), "2023-12", months(2024)).damping == 0.0
    assert expect(yearly(*steady), "2023-12", months(2024)).damping > 0.7


def test_a_growth_that_weakens_counts_at_its_weaker_rate():
    # STR-5: +40% in the first half of the year, +10% in the second, half of which goes on; and one that has turned
    weakening = series([100.0] * 12 + [140.0] * 6 + [110.0] * 6)
    turned = series([100.0] * 12 + [140.0] * 6 + [90.0] * 6)

    told = expect(weakening, "2019-12", months(2020))
    assert told.growth == pytest.approx(1.1**0.5 - 1) and told.trend == pytest.approx(0.1)
    assert expect(turned, "2019-12", months(2020)).growth == 0


def test_the_season_of_last_year_is_kept():
    shape = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    told = expect(series(np.tile(shape, 3)), "2020-12", ["2021-03", "2021-12"])

    assert told.months["expected"].tolist() == pytest.approx([3, 12])


def test_nothing_after_as_of_is_looked_at():
    known = series(np.repeat([100, 120, 140], 12))
    later = pd.concat([known, series([9e9] * 6, "2021-01")])

    assert expect(known, "2020-12", months(2021)).total == expect(later, "2020-12", months(2021)).total


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_intervals_hold_what_comes_about_as_often_as_they_say(level):
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(200):
        growth = [0.05]
        for _ in range(6):
            growth.append(0.03 + 0.5 * growth[-1] + 0.10 * rng.standard_normal())
        values = np.repeat(np.exp(np.cumsum(growth)), 12) * np.exp(0.05 * rng.standard_normal(84))
        whole = series(values)
        low, high = expect(whole[:72], "2023-12", list(whole.index[72:])).interval(level)
        held += low <= whole[72:].sum() <= high

    assert abs(held / 200 - level) < 0.10


def test_chances_by_the_distribution_and_at_its_edges():
    told = expect(yearly(100, 100), "2019-12", months(2020))

    assert told.chance(1200) == pytest.approx(0.5)
    assert told.chance(1500) == pytest.approx(stats.t.sf(math.log(1.25) / told.spread, 4), abs=1e-8)
    assert told.chance(1500, at_most=True) == pytest.approx(1 - told.chance(1500))
    assert told.chance(0) == 1.0 and told.chance(-5, at_most=True) == 0.0
    assert expect(yearly(0, 0), "2019-12", months(2020)).chance(10) is None


@pytest.mark.parametrize("words", [{"damping": 1.2}, {"usual_error": 0.0}, {"wanted": ["2022-06"]}, {"wanted": ["2019-12"]}])
def test_what_is_out_of_range_is_refused(words):
    with pytest.raises(ParameterError, match="outlook"):
        expect(**{"history": yearly(1, 2), "as_of": "2019-12", "wanted": months(2020), **words})


def test_a_company_that_started_in_october_is_expected_in_every_month():
    # three months of 100 are all that is known: the others are as good as these, not nothing
    told = expect(series([100.0] * 3, "2025-10"), "2025-12", months(2026))

    assert told.months["expected"].tolist() == pytest.approx([100.0] * 12)
    assert told.months["last_year"].notna().sum() == 3 and told.based == 3
    assert "3 of the 12 months ahead" in told.note
    whole = expect(yearly(100, first=2025), "2025-12", months(2026))
    assert told.spread > whole.spread  # nine months that nobody has seen


def test_a_missing_month_is_not_zero_and_a_closed_season_is():
    gap = expect(yearly(100, 100, 100).drop("2019-07"), "2020-12", months(2021))
    shut = yearly(100, 100, 100)
    shut = shut[~shut.index.str.endswith("-08")]
    closed = expect(shut, "2020-12", months(2021))

    assert gap.growth == 0 and gap.total == pytest.approx(1200)
    assert closed.total == pytest.approx(1100) and closed.months.loc[7, "expected"] == 0
    last = expect(yearly(100, 100, 100).drop("2020-07"), "2020-12", months(2021))
    assert last.total == pytest.approx(1200) and last.growth == 0


@pytest.mark.parametrize("known", [3, 6, 11, 13, 18, 25])
def test_a_flat_history_of_any_length_goes_on_flat(known):
    told = expect(series([100.0] * known, str(pd.Period("2025-12", freq="M") - known + 1)), "2025-12", months(2026))

    assert told.total == pytest.approx(1200) and told.growth == 0 and told.trend == 0
    assert told.chance(1200) == pytest.approx(0.5)
    assert ("Fewer than two years" in told.note) == (known < 24)


def test_one_month_below_zero_leaves_the_chance():
    values = np.full(36, 100.0)
    values[-3] = -20
    told = expect(series(values), "2020-12", months(2021))

    # a year of 1,080 after one of 1,200: half of the fall goes on
    assert told.total == pytest.approx(1080 * 0.9**0.5)
    assert 0.3 < told.chance(1080) < 0.5


def test_what_is_reached_already_is_certain_where_nothing_is_expected():
    nothing = expect(yearly(0, 0), "2019-12", months(2020))

    assert nothing.chance(0) == 1.0 and nothing.chance(-5) == 1.0
    assert nothing.chance(-1, at_most=True) == 0.0  # overrun
    assert nothing.chance(1, at_most=True) is None
