"""Festivals: their dates by name, the days around them read from sales, and months that move with them (TIM-1)."""

import itertools
from calendar import monthrange
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from planlib.chapters.time import Festival, Parameters
from planlib.errors import ParameterError
from planlib.estimates.festival_windows import own_window
from planlib.estimates.festivals import festival_days, undated
from planlib.estimates.grain import grain
from planlib.estimates.moving import SEEN, USUALLY, moving
from planlib.estimates.season import ahead
from planlib.estimates.windows import span_of
from planlib.periods import Horizon

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
EASTERS = ["2022-04-17", "2023-04-09", "2024-03-31", "2025-04-20", "2026-04-05"]


def calendar(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["date", "event", "region"][: len(rows[0])])


def sold(first: str, last: str, changes: dict[str, dict[date, float]], seed: int | None = None) -> pd.DataFrame:
    """Days of 10,000 minor units in each region, times what a day's entry says; with a seed, a fifth up or down by chance."""
    days = pd.date_range(first, last)
    frames = []
    for place, (region, change) in enumerate(changes.items()):
        amount = np.array([10_000 * change.get(day.date(), 1.0) for day in days])
        if seed is not None:
            amount = amount * np.random.default_rng(seed + place).gamma(25, 1 / 25, len(days))
        frames.append(pd.DataFrame({"region": region, "day": days, "amount": np.rint(amount).astype("int64")}))
    return pd.concat(frames, ignore_index=True)


def near(dates: list[str], first: int, last: int, times: float) -> dict[date, float]:
    """The days from `first` to `last` of each date (0 is the date), each selling `times` a plain one."""
    return {date.fromisoformat(day) + timedelta(days=step): times for day in dates for step in range(first, last + 1)}


def months_of(daily: pd.DataFrame) -> pd.DataFrame:
    table = daily.assign(month=daily["day"].dt.strftime("%Y-%m"), product="p")
    return table.groupby(["region", "product", "month"], as_index=False)["amount"].sum()


def planned(daily: pd.DataFrame, asked: Parameters, table: pd.DataFrame | None, horizon: Horizon = HORIZON, total: int = 1):
    """What the plan year's months come to by region, where its total is `total`, and the moving festivals."""
    past = daily[daily["day"] <= pd.Timestamp(horizon.as_of)]
    found = moving(asked, months_of(past)["month"], horizon, table, past)
    expected, effects = ahead(months_of(past), found, horizon)
    return expected.table.pivot_table(index="month", columns="region", values="share", aggfunc="sum") * total, found, effects


# Names


@pytest.mark.parametrize(
    ("name", "where", "dated"),
    [
        # Easter: Gregorian computus; Monday is a holiday all over Germany, Sunday in two of its states
        ("Easter", {"country": "DE"}, [("2025-04-20", "2025-04-21"), ("2026-04-05", "2026-04-06")]),
        # Carnival Monday and Tuesday: 48 and 47 days before Easter
        ("Carnival", {"country": "BR"}, [("2025-03-03", "2025-03-04"), ("2026-02-16", "2026-02-17")]),
        # Government of India, lists of holidays 2025 and 2026
        ("Diwali", {"country": "IN"}, [("2025-10-20", "2025-10-20"), ("2026-11-08", "2026-11-08")]),
        # Cabinet Office of Japan: April 29, May 3, 4 and 5
        (
            "Golden Week",
            {"country": "JP", "called": ["Showa Day", "Constitution Day", "Greenery Day", "Children's Day"]},
            [("2025-04-29", "2025-05-05"), ("2026-04-29", "2026-05-05")],
        ),
        # the day after the fourth Thursday of November
        (
            "Black Friday",
            {"country": "US", "called": "Day After Thanksgiving"},
            [("2025-11-28", "2025-11-28"), ("2026-11-27", "2026-11-27")],
        ),
        ("Good Friday", {"market": "NYSE"}, [("2025-04-18", "2025-04-18"), ("2026-04-03", "2026-04-03")]),
    ],
)
def test_a_festival_is_dated_by_the_calendar_that_is_named(name, where, dated):
    days = festival_days([2025, 2026], {name: Festival(**where)})

    assert [(str(row.date), str(row.last)) for row in days.itertuples()] == dated


def test_ramadan_moves_eleven_days_a_year():
    days = festival_days([2024, 2025, 2026], {"Ramadan": Festival(country="BN", called=["First Day of Ramadan"])})["date"]

    # a lunar year has 354 or 355 days
    assert [(late - early).days for early, late in itertools.pairwise(days)] == pytest.approx([354.5, 354.5], abs=0.6)


def test_a_festival_twice_in_a_year_is_two_events():
    # Eid al-Fitr fell on 2000-01-08 and 2000-12-27 (Umm al-Qura)
    days = festival_days([2000], {"Eid al-Fitr": Festival(country="SG", called=["Eid al-Fitr"])})

    assert [day.month for day in days["date"]] == [1, 12]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["Easter"], "'Easter Monday' in .*country: .*calendar table"),
        (["Eastre"], "'Easter' in"),
        (["Spring Festval"], "nearest: 'Spring Festival'"),
        ({"Black Friday": {"country": "US"}}, "no 'Black Friday' in the calendar of US.*calendar table"),
        ({"Ramadan": {"country": "MY"}}, "'First Day of Ramadan' in AF, BN"),
        ({"Labor Day": {"country": "AU"}}, "'Labor Day' on different days within AU.*subdivision"),
        ({"Easter": {"country": "XX"}}, "found XX, expected a country"),
        ({"Easter": {"called": "Easter Sunday"}}, "add `country`"),
    ],
)
def test_a_name_that_nothing_dates_is_refused_with_the_nearest(asked, said):
    with pytest.raises(ParameterError, match=f"festivals: .*{said}"):
        festival_days([2026], Parameters(festivals=asked).festivals)


def test_the_calendar_table_overrides_a_country_in_the_years_it_names():
    days = festival_days([2025, 2026], {"Easter": Festival(country="DE")}, calendar(("2026-04-12", "Easter")))

    assert days["date"].tolist() == [date(2025, 4, 20), date(2026, 4, 12)]


def test_rows_of_one_event_are_one_festival_with_days():
    rows = [(f"2026-02-{day:02}", "Carnival", "Rio") for day in (13, 14, 16, 17)]
    days = festival_days(
        [2026], ["Carnival"], calendar(*rows, ("2026-03-10", "Carnival", "Rio"), ("2026-02-15", "Carnival", ""))
    )

    # more than six days apart is another event, and another region's is its own
    assert sorted(zip(days["region"], days["date"].astype(str), days["last"].astype(str), strict=True)) == [
        ("", "2026-02-15", "2026-02-15"),
        ("Rio", "2026-02-13", "2026-02-17"),
        ("Rio", "2026-03-10", "2026-03-10"),
    ]


# Years without a date


def test_a_missing_date_is_told_for_the_plan_year_and_for_the_past():
    daily = sold("2023-01-01", "2025-12-31", {"N": {}})
    table = calendar(*((day, "Easter") for day in EASTERS[2:4]))
    found = moving(Parameters(festivals=["Easter"]), months_of(daily)["month"], HORIZON, table)

    assert found.lost.values.tolist() == [["Easter", "", 2026]] and not found.spans
    dated = moving(
        Parameters(festivals=["Easter"]),
        months_of(daily)["month"],
        HORIZON,
        calendar(*((day, "Easter") for day in EASTERS[2:])),
    )
    assert dated.lost.empty and dated.gaps.values.tolist() == [["Easter", "", 2023]]


def test_a_festival_dated_only_long_ago_is_told_and_one_region_without_a_date_leaves_the_others():
    daily = sold("2023-01-01", "2025-12-31", {"N": {}, "S": {}})
    months = months_of(daily)["month"]
    old = moving(Parameters(festivals=["Fair"]), months, HORIZON, calendar(("2010-05-01", "Fair")))
    rows = [(f"{year}-05-01", "Fair", region) for region in "NS" for year in range(2023, 2027) if (year, region) != (2026, "S")]
    apart = moving(Parameters(festivals=["Fair"]), months, HORIZON, calendar(*rows))

    assert old.lost.values.tolist() == [["Fair", "", 2026]] and not old.spans
    assert apart.lost.values.tolist() == [["Fair", "S", 2026]] and set(apart.days["region"]) == {"N"}


def test_a_year_without_a_date_does_not_spoil_the_effect():
    """Case 11 with 2023 undated: that Easter stays in its months, and the others still tell six plain days."""
    daily = sold("2023-01-01", "2025-12-31", {"N": near(EASTERS, -14, -1, 6.0)})
    table = calendar(*((day, "Easter") for day in EASTERS[2:]))
    _, _, effects = planned(daily, Parameters(festivals=["Easter"], days_before=14, days_after=0), table)

    assert effects.set_index("window")["per_day"]["Easter, before"] == pytest.approx(5.0, abs=0.5)


def test_a_year_that_begins_in_july_needs_the_easter_in_it():
    horizon = Horizon(2026, 7, date(2026, 6, 30))
    days = festival_days(range(2023, 2029), ["Easter"], calendar(*((day, "Easter") for day in EASTERS)))
    lacking = undated(days, horizon.months, {"Easter": (14, 1)})

    assert lacking["year"].tolist() == [2027]
    # Diwali of 2026 lies in it; that of 2027 does not come near
    diwali = festival_days([2024, 2025, 2026], {"Diwali": Festival(country="IN")})
    assert undated(diwali, horizon.months, {"Diwali": (20, 2)}).empty


def test_days_before_a_festival_of_the_next_year_count_in_this_ones_last_month():
    """Orthodox Christmas on January 7: the plan year's December holds the days before the next one, and needs its date."""
    dates = [f"{year}-01-07" for year in range(2023, 2028)]
    daily = sold("2023-01-01", "2025-12-31", {"N": near(dates, -14, -1, 3.0)})
    asked = Parameters(festivals={"Christmas": {"before": 14, "after": 0}})
    short = moving(asked, months_of(daily)["month"], HORIZON, calendar(*((day, "Christmas") for day in dates[:-1])))
    months, _, _ = planned(daily, asked, calendar(*((day, "Christmas") for day in dates)), total=1)

    assert short.lost["year"].tolist() == [2027]
    # December: 31 days, 8 of them three times a plain one; January 31 with 6; no other day counts more than once
    assert months["N"]["2026-12"] / months["N"]["2026-05"] == pytest.approx((31 + 2 * 8) / 31, rel=1e-6)
    assert months["N"]["2026-01"] / months["N"]["2026-05"] == pytest.approx((31 + 2 * 6) / 31, rel=1e-6)


# Days around a festival


def test_days_sold_show_how_far_a_festival_reaches():
    daily = sold("2022-01-01", "2025-12-31", {"N": near(EASTERS, -14, -1, 6.0)})
    events = festival_days([2022, 2023, 2024, 2025], ["Easter"], calendar(*((day, "Easter") for day in EASTERS)))

    assert own_window(daily, events) == (14, 0)
    both = sold("2022-01-01", "2025-12-31", {"N": near(EASTERS, -9, -1, 2.0) | near(EASTERS, 0, 3, 0.2)})
    assert own_window(both, events) == (9, 3)


@pytest.mark.parametrize("seed", range(5))
def test_chance_is_no_window_and_a_clear_one_is_found_in_it(seed):
    events = festival_days([2022, 2023, 2024, 2025], ["Easter"], calendar(*((day, "Easter") for day in EASTERS)))
    blurred = sold("2022-01-01", "2025-12-31", {"N": near(EASTERS, -14, -1, 2.0)}, seed)

    assert own_window(sold("2022-01-01", "2025-12-31", {"N": {}}, seed), events) is None
    found = own_window(blurred, events)
    assert found is not None and abs(found[0] - 14) <= 2 and found[1] <= 2


def test_where_days_do_not_tell_the_usual_ones_stand_and_are_said_to():
    daily = sold("2024-01-01", "2025-12-31", {"N": near(EASTERS, -14, -1, 6.0)})
    table = calendar(*((day, "Easter") for day in EASTERS))
    months = months_of(daily)["month"]
    told = [
        moving(Parameters(festivals=asked), months, HORIZON, table, days).spans["Easter"]
        for asked, days in ((["Easter"], daily), (["Easter"], None), ({"Easter": {"before": 7, "after": 2}}, daily))
    ]

    assert [(span.before, span.after, span.told) for span in told] == [(14, 0, SEEN), (21, 10, USUALLY), (7, 2, "stated")]


# Regions


def test_a_festival_of_one_region_moves_that_regions_months_only():
    """Carnival in Rio, where its five days sell four plain ones each; Minas goes on."""
    firsts = ["2023-02-17", "2024-02-09", "2025-02-28", "2026-02-13"]
    daily = sold("2023-01-01", "2025-12-31", {"Minas": {}, "Rio": near(firsts, 0, 4, 4.0)})
    rows = [
        ((pd.Timestamp(first) + pd.Timedelta(days=step)).date(), "Carnival", "Rio") for first in firsts for step in range(5)
    ]
    asked = Parameters(festivals={"Carnival": {"before": 0, "after": 0}})
    months, _, effects = planned(daily, asked, calendar(*rows))

    assert effects.set_index("window")["per_day"]["Carnival, after"] == pytest.approx(3.0, abs=1e-6)
    # 2025's Carnival lay in February for one day and in March for four; 2026's five days lie in February
    day = months["Minas"]["2026-05"] / 31
    assert months["Minas"].to_numpy() == pytest.approx([day * monthrange(2026, month)[1] for month in range(1, 13)], rel=1e-6)
    day = months["Rio"]["2026-05"] / 31
    assert (months["Rio"]["2026-02"], months["Rio"]["2026-03"]) == pytest.approx((43 * day, 31 * day), rel=1e-6)
    everywhere = Parameters(festivals={"Carnival": {"before": 0, "after": 0, "regions": ["Rio"]}})
    plain = calendar(*((day, name) for day, name, _ in rows))
    assert planned(daily, everywhere, plain)[0]["Rio"].tolist() == pytest.approx(months["Rio"].tolist(), rel=1e-9)


def test_ramadan_moves_out_of_the_months_it_leaves():
    """Thirty days of half sales, eleven days earlier each year, from March and April into February and March."""
    named = {"Ramadan": {"country": "BN", "called": "First Day of Ramadan", "before": 0, "after": 29}}
    firsts = festival_days(range(2022, 2028), Parameters(festivals=named).festivals)["date"].astype(str).tolist()
    daily = sold("2023-01-01", "2025-12-31", {"N": near(firsts, 0, 29, 0.5)})
    months, _, _ = planned(daily, Parameters(festivals=named), None)
    fast = [day for day in near(firsts, 0, 29, 0.5) if day.year == 2026]
    days = np.array([monthrange(2026, month)[1] - 0.5 * sum(day.month == month for day in fast) for month in range(1, 13)])

    assert (months["N"] / months["N"].sum()).to_numpy() == pytest.approx(days / days.sum(), rel=1e-5)


# Holidays that move


def test_a_season_whose_days_move_moves_months_and_one_that_stays_does_not():
    daily = sold("2023-01-01", "2025-12-31", {"N": near(EASTERS, -14, -1, 6.0)})
    table = calendar(*((day, "Easter") for day in EASTERS), *((f"{year}-10-03", "Founders Day") for year in range(2023, 2027)))
    asked = Parameters(holidays={"Easter": {"before": 14}, "Founders Day": {"before": 5}, "Spring Festival": {"before": 9}})
    months, found, _ = planned(daily, asked, table, total=365 + 14 * 5)

    # Spring Festival moves months where `festivals` names it, as ever
    assert set(found.spans) == {"Easter"}
    assert months["N"]["2026-03"] == pytest.approx(31 + 10 * 5, rel=1e-7)


# What dates tell


def test_orders_by_week_or_month_are_told_by_their_dates():
    months = pd.Series(pd.to_datetime([f"{month}-15" for month in span_of("2024-01", "2025-12")]))
    weeks = pd.Series(pd.date_range("2024-01-01", "2025-12-31", freq="W-MON"))

    assert (grain(months), grain(weeks), grain(pd.Series(pd.date_range("2025-01-01", "2025-03-31")))) == (
        "month",
        "week",
        "day",
    )
    assert grain(months.head(2)) == "day"  # too short to tell
