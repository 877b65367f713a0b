"""Months by key, and a company's own periods in their place; expected values by hand and from the calendar."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planlib import periods
from planlib.data.calendar import covered, month_names, per_week, says
from planlib.errors import InputDataError
from planlib.lp.rules import Rule, in_keys
from planlib.periods import MONTHS, Horizon, of_table
from tests import calendars

FOUR_FOUR_FIVE = (4, 4, 5) * 4


def table(rows, fields: int = 4) -> pd.DataFrame:
    frame = pd.DataFrame([row[:fields] for row in rows], columns=list(calendars.FIELDS[:fields]))
    return frame.assign(start=pd.to_datetime(frame["start"]), end=pd.to_datetime(frame["end"]))


@given(st.dates(date(1990, 1, 1), date(2150, 12, 31)), st.integers(-300, 300))
def test_calendar_months_step_as_pandas_does(day, steps):
    key = f"{day:%Y-%m}"
    wanted = pd.Period(key, freq="M") + steps

    assert periods.step(key, steps) == str(wanted)
    assert periods.between(key, str(wanted)) == steps
    assert MONTHS.first(key) == pd.Period(key, freq="M").start_time.date()
    assert MONTHS.length(key) == pd.Period(key, freq="M").days_in_month


def test_thirteen_periods_step_over_the_year():
    assert periods.span("2025-P12", "2026-P02") == ["2025-P12", "2025-P13", "2026-P01", "2026-P02"]
    assert periods.step("2026-P01", -13) == "2025-P01" and periods.between("2025-P13", "2026-P01") == 1


def test_a_year_of_53_weeks_lies_where_the_calendar_says():
    # Retailers whose year ends on the Saturday nearest 31 December: 2014 ended on 2015-01-03.
    calendar = of_table(table(calendars.of_weeks(range(2012, 2018), FOUR_FOUR_FIVE)))
    days = {year: sum(calendar.length(f"{year}-{place:02}") for place in range(1, 13)) for year in range(2012, 2018)}

    assert {year: count // 7 for year, count in days.items()} == {2012: 52, 2013: 52, 2014: 53, 2015: 52, 2016: 52, 2017: 52}
    assert calendar.weekly and calendar.last("2014-12") == date(2015, 1, 3) and calendar.length("2014-12") == 42
    assert calendar.at(date(2015, 1, 3)) == "2014-12" and calendar.at(date(2015, 1, 4)) == "2015-01"


@pytest.mark.parametrize("fields", [4, 3])
@pytest.mark.parametrize(
    "rows",
    [
        calendars.of_weeks(range(2013, 2017), FOUR_FOUR_FIVE),
        calendars.of_weeks(range(2013, 2017), (4, 5, 4) * 4),
        calendars.of_weeks(range(2013, 2017), (4,) * 13),
        calendars.ending_on(15, range(2013, 2017)),
    ],
)
def test_every_day_lies_in_one_period_of_its_year(rows, fields):
    calendar = of_table(table(rows, fields))
    count = len(rows) // 4
    known = {row[0] + timedelta(days=step): row for row in rows for step in range((row[1] - row[0]).days + 1)}
    found = calendar.of(pd.Series(pd.to_datetime(list(known))))

    for day, key in zip(known, found, strict=True):
        place = [row for row in rows if row[3] == known[day][3]].index(known[day]) + 1
        assert key == f"{known[day][3]}-{'P' if count == 13 else ''}{place:02}"


def test_without_years_a_year_begins_where_the_first_label_comes_again():
    rows = [(start, end, label[:3]) for start, end, label, _ in calendars.of_weeks(range(2013, 2017), FOUR_FOUR_FIVE)]

    assert [each.key for each in of_table(table(rows, 3)).own][::12] == ["2013-01", "2014-01", "2015-01", "2016-01"]


def test_a_first_year_that_is_not_whole_is_counted_from_its_end():
    calendar = of_table(table(calendars.of_weeks(range(2013, 2016), FOUR_FOUR_FIVE)[9:]))

    assert [each.key for each in calendar.own][:4] == ["2013-10", "2013-11", "2013-12", "2014-01"]


def test_what_is_no_calendar_is_refused_and_says_where():
    rows = calendars.of_weeks(range(2013, 2016), FOUR_FOUR_FIVE)
    with pytest.raises(InputDataError, match="ends on 2013-03-30 and the next from 2013-04-28, expected it from 2013-03-31"):
        of_table(table([*rows[:3], *rows[4:]]))
    with pytest.raises(InputDataError, match=r"2014: 11, .* expected 12 or 13 in every year"):
        of_table(table([(*row[:3], 2015 if place == 23 else row[3]) for place, row in enumerate(rows)]))
    with pytest.raises(InputDataError, match="orders from 2012-12-29"):
        covered(of_table(table(rows)), date(2012, 12, 29), date(2015, 5, 5))


def test_a_month_may_be_named_by_the_companys_label():
    calendar = of_table(table(calendars.of_weeks(range(2013, 2016), FOUR_FOUR_FIVE)))
    names = month_names(calendar)
    rule = Rule(name="peak", where={"month": ["P01 2015", "2015-02"]}, min=0.1)

    assert in_keys([rule], names)[0].where == {"month": ["2015-01", "2015-02"]}


def test_a_longer_period_counts_per_week_and_sums_stay_whole():
    sold = pd.DataFrame(
        {
            "region": ["A", "B"],
            "month": "2014-12",
            "amount": [42_000_05, 10],
            "quantity": [42.0, 6.0],
            "lines": 1,
            "returned": 0,
        }
    )
    found = per_week(sold, ["region"], {"2014-12": (42, 35)})

    assert found["amount"].tolist() == [3_500_004, 8]  # 4200005 x 35 / 42 = 3500004.17; 10 x 35 / 42 = 8.33
    assert found["quantity"].tolist() == [35.0, 5.0]


def test_a_plan_year_knows_its_quarters_and_how_weeks_are_compared():
    calendar = of_table(table(calendars.of_weeks(range(2013, 2017), (4,) * 13)))
    horizon = Horizon(2015, 1, date(2015, 1, 3), calendar)

    assert horizon.until == "2014-P13" and horizon.closed == [] and len(horizon.open) == 13
    assert [len(names) for names in horizon.quarters] == [3, 3, 3, 4]
    assert "2014 has 53 weeks and 2015 has 52 weeks" in says({"2014-P13": (35, 28)}, horizon)
