"""The base year in months sold and months expected, on a company that sells the same in every month of every year."""

from datetime import date
from typing import Any

import pandas as pd
import pytest

from planlib.chapters import gaps, last_year
from planlib.chapters.last_year import BaseYear
from planlib.errors import InputDataError
from planlib.estimates.chance import Terms
from planlib.estimates.windows import Coverage, span_of
from planlib.periods import Horizon

CELLS = [("East", "Lamp", "Shop"), ("East", "Lamp", "Web"), ("West", "Desk", "Shop")]
EACH = {cell: 10_000 * (place + 1) for place, cell in enumerate(CELLS)}


def sold(first: str, last: str, without: tuple[str, ...] = (), season: dict[str, float] | None = None) -> pd.DataFrame:
    rows = [
        (*cell, month, round(EACH[cell] * (season or {}).get(month[5:], 1.0)))
        for cell in CELLS
        for month in span_of(first, last)
        if month not in without
    ]
    return pd.DataFrame(rows, columns=["region", "product", "channel", "month", "amount"])


def base(orders: pd.DataFrame, horizon: Horizon) -> BaseYear:
    coverage = Coverage.of(orders["month"], f"{horizon.as_of:%Y-%m}")
    return last_year.of(orders, horizon, coverage, Terms())


def whole(found: BaseYear, orders: pd.DataFrame, horizon: Horizon, *by: str) -> pd.DataFrame:
    known = orders[orders["month"].isin(horizon.last_year)]
    sums = known.groupby(list(by))["amount"].sum().reset_index() if by else known[["amount"]].sum().to_frame().T
    return found.completed(sums, by, lambda: orders)


# as_of, the plan year and its first month, months sold: in autumn, half a year ahead, in the first month of the base year, and
# a year that begins in July planned in May
@pytest.mark.parametrize(
    ("as_of", "start", "known"),
    [
        (date(2025, 10, 31), 1, 10),
        (date(2025, 6, 30), 1, 6),
        (date(2025, 1, 31), 1, 1),
        (date(2026, 5, 31), 7, 11),
    ],
)
def test_a_flat_company_is_expected_flat_at_every_level(as_of: date, start: int, known: int):
    horizon = Horizon(2026, start, as_of)
    orders = sold("2022-01", f"{as_of:%Y-%m}")
    found = base(orders, horizon)
    assert len(found.window.known) == known and len(found.open) == 12 - known and not found.lost
    assert found.name == f"last year ({known} {'month' if known == 1 else 'months'} sold, {12 - known} expected)"
    for by in ((), ("region",), ("product", "channel"), ("region", "month"), ("month",)):
        table = whole(found, orders, horizon, *by)
        assert int(table["amount"].sum()) == pytest.approx(12 * sum(EACH.values()), abs=12)
        if "month" in by:
            assert sorted(table["month"].unique()) == horizon.last_year
    assert found.low < (12 - known) * sum(EACH.values()) < found.high


def test_the_season_of_the_months_ahead_counts():
    season = {"11": 3.0, "12": 2.0}  # two thirds more in November than in December
    horizon = Horizon(2026, 1, date(2025, 10, 31))
    found = base(sold("2022-01", "2025-10", season=season), horizon)
    months = found.added.groupby("month")["amount"].sum()
    assert int(months.sum()) == pytest.approx(5 * sum(EACH.values()), rel=0.001)
    assert months["2025-11"] / months["2025-12"] == pytest.approx(1.5, rel=0.02)


def test_a_lost_month_in_an_autumn_plan_is_told_apart_from_the_open_ones():
    horizon = Horizon(2026, 1, date(2025, 10, 31))
    found = base(sold("2022-01", "2025-10", without=("2025-05",)), horizon)
    assert found.open == ("2025-11", "2025-12") and found.lost == ("2025-05",)
    assert found.name == "last year (9 months sold, 3 expected)" and found.short == "last year (3 of 12 months expected)"
    ahead, lost = found.says(str)
    assert "2025-11 to 2025-12 are expected at 120000" in ahead and "80% confidence" in ahead
    assert "no line in 2025-05" in lost and "60000" in lost and "missing_months: zero" in lost


def test_what_a_short_history_does_not_tell_keeps_the_mean():
    horizon = Horizon(2026, 1, date(2025, 12, 31))
    orders = sold("2025-07", "2025-12")
    found = base(orders, horizon)
    assert not found.estimated and not found.told and found.says(str) == []
    assert found.name == "last year, carried to twelve months"


def test_a_whole_year_is_last_year_and_nothing_else():
    horizon = Horizon(2026, 1, date(2025, 12, 31))
    orders = sold("2022-01", "2025-12")
    found = base(orders, horizon)
    assert found.name == "last year" and found.added is None
    table = whole(found, orders, horizon, "region")
    assert table["amount"].tolist() == [360_000, 360_000]
    assert found.named("Growth over last year") == "Growth over last year"


def test_it_reads_back_as_it_was_kept():
    horizon = Horizon(2026, 1, date(2025, 10, 31))
    found = base(sold("2022-01", "2025-10", without=("2025-05",)), horizon)
    again = BaseYear.read(found.window, found.added, found.kept(720_000), "2025-10")
    assert (again.open, again.lost, again.name, again.low, again.high) == (
        found.open, found.lost, found.name, found.low, found.high,
    )  # fmt: skip


def test_customer_groups_share_what_is_expected_as_they_shared_what_was_sold():
    horizon = Horizon(2026, 1, date(2025, 10, 31))
    orders = sold("2022-01", "2025-10")
    found = base(orders, horizon)
    half = (
        orders[orders["month"].isin(horizon.last_year)]
        .groupby(["region", "product", "channel"], as_index=False)["amount"]
        .sum()
    )
    split = pd.concat(
        [half.assign(segment="Loyal", amount=half["amount"] * 3 // 4), half.assign(segment="New", amount=half["amount"] // 4)]
    )
    table = found.completed(split, ["region", "product", "channel", "segment"], lambda: orders, "segment")
    assert int(table["amount"].sum()) == 720_000
    assert table.groupby("segment")["amount"].sum().to_dict() == {"Loyal": 540_000, "New": 180_000}
    customers = pd.DataFrame({"customer": ["C1"], "amount": [5]})
    assert found.completed(customers, ["customer"], lambda: orders) is customers  # nothing is expected of one customer


# the same sentence as a chapter writes it, and as a reader sees it in a plan made in autumn
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Target 5, +10% on last year: fine", "Target 5, +10% on last year (10 months sold, 2 expected): fine"),
        ("Last year's shares stand", "Last year's shares (10 months sold, 2 expected) stand"),
        ("The worst misses of the last year", "The worst misses of the last year"),
        ("the year before last year is not known", "the year before last year is not known"),
        ("Spend last year", "Spend last year (10 of 12 months)"),
        ("marketing of last year is known for 10 of 12 months", "marketing of last year is known for 10 of 12 months"),
        ("The last twelve months' shares stand", "The last twelve months' shares stand"),
    ],
)
def test_a_text_about_last_year_says_what_that_is(written: str, read: str):
    found = base(sold("2022-01", "2025-10"), Horizon(2026, 1, date(2025, 10, 31)))
    assert found.named(written) == read
    assert found.named(read) == read  # once is enough
    spec = {"mark": {"title": "last year", "field": "last year"}, "domain": ["plan", "last year"]}
    assert found.named_in(spec) == {
        "mark": {"title": found.name, "field": "last year"}, "domain": ["plan", found.name],
    }  # fmt: skip


def test_what_the_months_sold_since_changed_sums():
    then = base(sold("2022-01", "2025-10"), Horizon(2026, 1, date(2025, 10, 31))).added
    now = sold("2022-01", "2025-12", season={"11": 1.5})
    months = last_year.replaced(then, now)
    assert months["month"].tolist() == ["2025-11", "2025-12", "all"]
    assert months["difference"].tolist() == [30_000, 0, 30_000]  # half of 60,000 more in November
    stood = pd.DataFrame({"region": ["East", "West"], "amount": [400, 300]})
    plan = pd.DataFrame({"region": ["North", "West"], "amount": [250, 500]})  # one left, one came
    moved = last_year.moved(then, now[now["month"] >= "2025-11"], stood, plan, "region").set_index("region")
    assert moved["difference"].to_dict() == {"East": -400, "North": 250, "West": 200}
    assert int(moved["difference"].sum()) == 750 - 700
    said = last_year.said_since(months, (750, 600, 700), (700, 560, 650), str)
    assert "150000" in said and "30000 more than" in said and "+25.0%" in said and "the gap is 50, it was 50" in said


def of(missing: str | None, orders: pd.DataFrame, as_of: date = date(2025, 12, 31)) -> Any:
    return gaps.check(orders, Horizon(2026, 1, as_of), missing, str)


def test_months_after_the_last_order_stop_the_run_with_what_was_expected_and_the_ways_out():
    orders = sold("2022-01", "2025-10")
    with pytest.raises(InputDataError) as stopped:
        of(None, orders)
    for words in (
        "2025-11 and 2025-12",
        "expected 120000 (between",
        "as_of: 2025-10-31",
        "missing_months: expect",
        "missing_months: zero",
    ):
        assert words in str(stopped.value)
    assert "plan is made as of 2025-10-31, and 120000" in of("expect", orders)[0]
    assert of("zero", orders) == []
    assert gaps.last_day(orders["month"], Horizon(2026, 1, date(2025, 12, 31))) == date(2025, 10, 31)


def test_a_month_inside_goes_on_and_is_told_or_stops_where_that_is_asked_for():
    orders = sold("2022-01", "2025-12", without=("2024-03", "2025-05"))
    (told,) = of(None, orders)
    assert "2024-03 and 2025-05, where 120000 was expected" in told
    with pytest.raises(InputDataError, match="2024-03 and 2025-05; expected 120000"):
        of("stop", orders)


def test_a_season_in_which_the_company_is_closed_every_year_is_no_gap():
    winter = tuple(month for month in span_of("2022-01", "2025-12") if month[5:] in ("01", "02", "03", "10", "11", "12"))
    orders = sold("2022-01", "2025-12", without=winter)
    assert of(None, orders) == [] and of("stop", orders) == []
    # the last month of its season is one
    with pytest.raises(InputDataError, match="no line in 2025-09"):
        of(None, orders[orders["month"] < "2025-09"])


def test_zero_makes_a_silent_month_a_known_one():
    table = sold("2025-01", "2025-03")[["region", "month", "amount"]].groupby(["region", "month"], as_index=False).sum()
    found = gaps.as_zero(table, ["region", "month"], ["2025-04"])
    assert found["month"].max() == "2025-04" and int(found["amount"].sum()) == int(table["amount"].sum())
    assert not Coverage.of(found["month"], "2025-04").gaps
