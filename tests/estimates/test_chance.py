"""The chance of a target, one way for sums, counts, ratios and levels: known months count, missing ones are missing (MET-1)."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from planlib.estimates.chance import Terms, of_count, of_level, of_ratio, of_sum
from planlib.estimates.windows import Coverage, span_of

TERMS = Terms()
YEAR = span_of("2026-01", "2026-12")
WHOLE = Coverage("2023-01", "2025-12")


def monthly(values, first: str = "2023-01") -> pd.Series:
    months = [str(month) for month in pd.period_range(first, periods=len(values), freq="M")]
    return pd.Series(np.asarray(values, dtype=float), months)


# Sums


def test_a_members_own_start_is_its_base():
    # flat since June 2025 at 100 a month: the year brings 1,200, whatever was before the start
    late = monthly([0.0] * 29 + [100.0] * 7)

    assert of_sum(late, WHOLE, YEAR, 1200, TERMS) == pytest.approx(0.5)
    # flat for fourteen months: the same, and 73% more is out of reach
    older = monthly([0.0] * 22 + [100.0] * 14)
    assert of_sum(older, WHOLE, YEAR, 1200, TERMS) == pytest.approx(0.5)
    assert of_sum(older, WHOLE, YEAR, 1200 * 1.73, TERMS) < 0.02


def test_a_member_that_starts_anywhere_is_flat_when_it_is_flat():
    for months in range(3, 37):
        flat = monthly([0.0] * (36 - months) + [100.0] * months)

        assert of_sum(flat, WHOLE, YEAR, 1200, TERMS) == pytest.approx(0.5), months
    # one or two months of a start say nothing of a year
    assert of_sum(monthly([0.0] * 34 + [100.0] * 2), WHOLE, YEAR, 1200, TERMS) is None
    assert of_sum(monthly([0.0] * 36), WHOLE, YEAR, 1200, TERMS) is None


def test_a_young_member_follows_the_companys_season():
    # the company sells three times as much in the second half; a member of half its size started in July
    company = monthly([100.0] * 6 + [300.0] * 6).to_numpy()
    company = monthly(np.tile(company, 3))
    young = (company / 2).where(company.index >= "2025-07", 0.0)

    assert of_sum(young, WHOLE, YEAR, company[:12].sum() / 2, TERMS, like=company) == pytest.approx(0.5)


def test_a_month_below_zero_keeps_the_chance():
    values = np.full(36, 100.0)
    values[30] = -50.0
    usual = of_sum(monthly(values), WHOLE, YEAR, 1050, TERMS)

    assert usual is not None and 0.3 < usual < 0.7


def test_a_missing_month_is_no_zero():
    history = monthly([100.0] * 36).drop("2024-07")
    coverage = Coverage.of(history.index, "2025-12")

    assert coverage.gaps == ("2024-07",)
    assert of_sum(history, coverage, YEAR, 1200, TERMS) == pytest.approx(0.5)
    # a closed month of the plan year that is missing is still to be expected
    later = monthly([100.0] * 41).drop("2026-02")
    coverage = Coverage.of(later.index, "2026-05")
    assert of_sum(later, coverage, YEAR, 1200, TERMS) == pytest.approx(0.5)


def test_what_is_reached_is_certain_and_what_has_closed_is_what_it_was():
    # nothing is expected any more of a member that ended, yet its target is reached
    ended = monthly([0.0] * 36 + [500.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    coverage = Coverage("2023-01", "2026-06")

    assert of_sum(ended, coverage, YEAR, 500, TERMS) == 1.0
    assert of_sum(ended, coverage, YEAR, 501, TERMS) == 0.0
    assert of_sum(ended, coverage, YEAR, 499, TERMS, at_most=True) == 0.0
    assert of_sum(ended, coverage, ["2026-01"], 500, TERMS) == 1.0
    assert of_sum(monthly([0.0] * 36), WHOLE, YEAR, 0, TERMS) == 1.0


def test_a_quarter_of_returns_is_no_end():
    back = monthly([100.0] * 33 + [-20.0] * 3)

    assert of_sum(back, WHOLE, YEAR, 840, TERMS) > 0.2
    assert of_sum(monthly([100.0] * 33 + [0.0] * 3), WHOLE, YEAR, 900, TERMS) == 0.0


def test_a_season_that_pauses_has_its_chance():
    heater = monthly([400.0 if month % 12 in (0, 1, 9, 10, 11) else 0.0 for month in range(42)])
    coverage = Coverage("2023-01", "2026-06")

    assert of_sum(heater, coverage, YEAR, 2000, TERMS) == pytest.approx(0.5)


def test_the_terms_of_the_run_count():
    growing = monthly([100.0] * 12 + [130.0] * 12 + [169.0] * 12)
    chances = [of_sum(growing, WHOLE, YEAR, 2400, Terms(damping, 0.15)) for damping in (0.0, 0.5, 1.0)]

    assert chances == sorted(chances) and chances[0] < chances[2] - 0.1
    flat, two = monthly([100.0] * 24, "2024-01"), Coverage("2024-01", "2025-12")
    for error in (0.5, 0.05):
        found = of_sum(flat, two, YEAR, 1320, Terms(0.5, error))
        assert found == pytest.approx(stats.t.sf(math.log(1.1) / error, 4), abs=1e-6)


# Counts


def test_a_small_count_has_a_counts_law():
    # two launches a year, target three: Poisson with rate 2 says 32%
    launches = monthly([0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0] * 3)

    found = of_count(launches, WHOLE, YEAR, 3, TERMS)
    assert found == pytest.approx(stats.poisson.sf(2, 2), abs=0.01)
    assert of_count(launches, WHOLE, YEAR, 2, TERMS) == pytest.approx(stats.poisson.sf(1, 2), abs=0.05)
    assert of_count(launches, WHOLE, YEAR, 0, TERMS) == 1.0
    # the rate is a gamma variable with six events in three years behind it: negative binomial in closed form
    assert found == pytest.approx(stats.nbinom.sf(2, 6, 0.75), abs=1e-9)
    assert of_count(launches, WHOLE, YEAR, 2, TERMS, at_most=True) == pytest.approx(1 - found, abs=1e-9)


def test_a_count_closes_with_its_months():
    launches = monthly([0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0] * 3 + [0, 1, 1, 0, 0, 1])
    coverage = Coverage("2023-01", "2026-06")

    assert of_count(launches, coverage, YEAR, 3, TERMS) == 1.0
    assert of_count(launches, coverage, YEAR, 2, TERMS, at_most=True) == 0.0
    # one more in half a year, at about one in half a year
    assert of_count(launches, coverage, YEAR, 4, TERMS) == pytest.approx(stats.poisson.sf(0, 9 / 42 * 6), abs=0.05)


def test_a_large_count_goes_with_its_trend():
    # leads that grow by a fifth each year scatter far beyond Poisson: the chance is close to that of a sum
    leads = monthly(np.repeat([400.0, 480.0, 576.0], 12))
    count, total = of_count(leads, WHOLE, YEAR, 7800, TERMS), of_sum(leads, WHOLE, YEAR, 7800, TERMS)

    assert count == pytest.approx(total, abs=0.06) and 0.2 < count < 0.8


def test_no_event_in_the_past_is_not_certainty():
    none = of_count(monthly([0.0] * 36), WHOLE, YEAR, 1, TERMS)

    assert 0 < none < 0.2
    assert of_count(monthly([0.0] * 2), Coverage("2025-11", "2025-12"), YEAR, 1, TERMS) is None


# Ratios and levels


def test_a_ratio_is_of_summed_parts():
    # revenue alternates, margin is 54.5% and marketing 10% of revenue over any two months
    revenue = monthly([1800.0, 200.0] * 18)
    cost, spend = monthly([720.0, 190.0] * 18), monthly([90.0, 110.0] * 18)

    margin = of_ratio(revenue - cost, revenue, WHOLE, YEAR, 0.50, TERMS)
    assert margin > 0.7
    assert of_ratio(revenue - cost, revenue, WHOLE, YEAR, 1 - 910 / 2000, TERMS) == pytest.approx(0.5)
    assert of_ratio(spend, revenue, WHOLE, YEAR, 0.20, TERMS, at_most=True) > 0.98
    assert of_ratio(spend, revenue, WHOLE, YEAR, 0.10, TERMS, at_most=True) == pytest.approx(0.5)


def test_the_closed_part_of_a_ratio_stands():
    # half the year has closed at 20%, the other half comes at 10%: 15% is even odds
    revenue = monthly([100.0] * 42)
    spend = monthly([10.0] * 36 + [20.0] * 6)
    before = spend.where(spend.index < "2026-01", 20.0)
    coverage = Coverage("2023-01", "2026-06")

    assert of_ratio(spend, revenue, coverage, YEAR, 0.15, TERMS, at_most=True) < 0.55
    # what was 20% all along
    assert of_ratio(before, revenue, coverage, span_of("2026-01", "2026-06"), 0.20, TERMS, at_most=True) == 1.0
    assert of_ratio(revenue - spend * 20, revenue, coverage, YEAR, 0.15, TERMS) is None


@pytest.mark.parametrize("given", ["monthly", "quarterly", "a month missing", "one year by the quarter"])
def test_a_level_is_the_same_however_often_it_is_told(given):
    level = monthly([0.5] * 36)
    some = {
        "monthly": level,
        "quarterly": level[2::3],
        "a month missing": level.drop("2024-05"),
        "one year by the quarter": pd.concat([level[:24], level[26::3]]),
    }[given]
    whole = of_level(level, "2025-12", YEAR, 0.45, TERMS), of_level(level, "2025-12", YEAR, 0.4, TERMS, at_most=True)
    found = of_level(some, "2025-12", YEAR, 0.45, TERMS), of_level(some, "2025-12", YEAR, 0.4, TERMS, at_most=True)

    assert found == pytest.approx(whole, abs=1e-6)
    assert whole[0] > 0.7 and whole[1] < 0.1
    assert of_level(some, "2025-12", YEAR, 0.5, TERMS) == pytest.approx(0.5)


def test_a_level_with_closed_months_is_their_mean_with_the_rest():
    # three quarters told at .5, one to come: .45 for the year needs .30 in it
    quarters = monthly([0.5] * 45)[2::3]
    near = of_level(quarters, "2026-09", YEAR, 0.45, TERMS)

    assert near > 0.95
    assert of_level(quarters, "2026-09", YEAR, 0.5, TERMS) == pytest.approx(0.5)
    assert of_level(monthly([0.5] * 48), "2026-12", YEAR, 0.45, TERMS) == 1.0
    assert of_level(monthly([0.5] * 20), "2025-12", YEAR, 0.45, TERMS) is None  # ended too long ago to tell the year
    assert of_level(monthly([]), "2025-12", YEAR, 0.45, TERMS) is None


def test_the_terms_are_handed_on_as_a_table():
    terms = Terms(0.3, 0.2, 0.25)

    assert Terms.read(terms.table()) == terms
    assert Terms.of(object()) is None


def test_what_never_was_in_a_whole_year_stays_so():
    sales, none = monthly([1000.0] * 36), monthly([0.0] * 36)

    assert of_ratio(none, sales, WHOLE, YEAR, 0.6, TERMS, at_most=True) == 1.0
    assert of_ratio(none, sales, WHOLE, YEAR, 0.15, TERMS) == 0.0
    assert of_level(none, "2025-12", YEAR, 0.15, TERMS) == 0.0
    assert of_ratio(none.iloc[-6:], sales.iloc[-6:], Coverage("2025-07", "2025-12"), YEAR, 0.15, TERMS) is None
