"""Windows by hand: which months are known, what may be summed and compared, and what is said about the rest."""

import pandas as pd
import pytest

from planlib.estimates.windows import Coverage, a_year_before, first_months, growth, like_for_like, span_of

YEAR = span_of("2025-01", "2025-12")


def test_a_history_that_starts_in_july_knows_half_of_its_year():
    window = Coverage.of(span_of("2025-07", "2025-12"), "2025-12").window("last year", YEAR)
    amounts = pd.Series(100.0, index=span_of("2025-07", "2025-12"))
    assert (window.whole, window.part, window.total(amounts)) == (False, 0.5, None)
    assert window.scaled(amounts) == 1200.0
    assert window.mean(amounts) == 100.0
    assert window.says() == "last year is known for 6 of 12 months (2025-07 to 2025-12)"


def test_a_month_lost_is_a_gap_and_so_is_a_pause_seen_once():
    lost = [month for month in span_of("2024-01", "2025-12") if month != "2025-08"]
    assert Coverage.of(lost, "2025-12").gaps == ("2025-08",)
    seasonal = [month for month in span_of("2024-01", "2025-12") if month[5:] not in ("01", "02")]
    found = Coverage.of(seasonal, "2025-12")
    assert found.gaps == ("2025-01", "2025-02"), "a pause seen once may be a loss: not known"
    assert found.window("last year", YEAR).known == tuple(YEAR[2:])


def test_a_closed_season_seen_twice_is_known_and_zero():
    seasonal = [month for month in span_of("2023-01", "2025-12") if month[5:] != "06"]
    window = Coverage.of(seasonal, "2025-12").window("last year", YEAR)
    assert window.whole
    assert window.total(pd.Series(10.0, index=[m for m in YEAR if m != "2025-06"])) == 110.0


def test_a_gap_in_the_only_year_is_not_known():
    assert Coverage.of([month for month in YEAR if month != "2025-03"], "2025-12").gaps == ("2025-03",)


def test_months_after_the_last_rows_are_gaps_where_other_years_have_them():
    assert Coverage.of(span_of("2024-01", "2025-10"), "2025-12").gaps == ("2025-11", "2025-12")


def test_no_data_know_nothing():
    window = Coverage.of([], "2025-12").window("last year", YEAR)
    assert (window.known, window.scaled(pd.Series(dtype=float)), window.says()) == ((), None, "last year is not known")


def test_growth_needs_both_years_and_a_base():
    amounts = pd.Series([1.0] * 12 + [3.0] * 12, index=span_of("2024-01", "2025-12"))
    full = Coverage.of(amounts.index, "2025-12")
    now, then = full.window("now", YEAR), full.window("then", a_year_before(YEAR))
    assert growth(amounts, now, then) == pytest.approx(2.0)
    late = full.since("2024-04")
    assert growth(amounts, late.window("now", YEAR), late.window("then", a_year_before(YEAR))) is None
    assert growth(amounts * 0, now, then) is None


def test_like_for_like_takes_the_months_known_in_both():
    cover = Coverage.of(span_of("2024-10", "2025-12"), "2025-12")
    now, then = like_for_like(cover.window("now", YEAR), cover.window("then", a_year_before(YEAR)))
    assert (now.months, then.months) == (("2025-10", "2025-11", "2025-12"), ("2024-10", "2024-11", "2024-12"))


def test_who_is_new_is_told_only_after_a_year_of_data():
    year = span_of("2025-01", "2025-12")
    short, long = (Coverage.of(span_of(first, "2025-12"), "2025-12") for first in ("2024-02", "2024-01"))
    assert not short.looks_back(short.window("last year", year))
    assert long.looks_back(long.window("last year", year))


def test_first_months_are_of_sales_not_of_rows():
    table = pd.DataFrame({"product": ["A", "A", "B"], "month": ["2025-01", "2025-02", "2025-03"], "amount": [0, 5, -1]})
    assert first_months(table, "product").to_dict() == {"A": "2025-02"}


def test_a_table_of_what_happened_knows_the_months_without():
    launches = ["2023-03", "2023-08", "2024-05", "2024-11", "2025-02", "2025-09"]

    assert Coverage.of_events(launches, "2025-12") == Coverage("2023-03", "2025-12")  # silent for nine months before
    assert Coverage.of_events(launches, "2026-12").last == "2026-05"
    monthly = [month for month in span_of("2023-01", "2025-10") if month != "2024-06"]
    assert Coverage.of_events(monthly, "2025-12") == Coverage.of(monthly, "2025-12")
    assert Coverage.of_events([], "2025-12") == Coverage(None, "2025-12")
