"""Case 11: any festival that the calendar table dates moves months and weeks, to the cent; orders without days plan too."""

from calendar import monthrange
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
import yaml

from planlib.run.chain import CHAPTERS
from tests.chain.in_process import Worked, orders_csv, work
from tests.conftest import ROOT

CASE = ROOT.parent / "shared" / "cases" / "11-easter"
# To the end of 05 time: the budget after it does not move months.
TO_TIME = CHAPTERS[: CHAPTERS.index("05-time") + 1]
EASTERS = [date(2023, 4, 9), date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5)]


def of_the_case(folder: Path, name: str) -> Worked:
    if not CASE.exists():
        pytest.skip("case 11 is not beside this repository (../shared/cases/11-easter)")
    for file in CASE.glob("*.csv"):
        (folder / file.name).write_bytes(file.read_bytes())
    return work(folder, yaml.safe_load((CASE / name).read_text(encoding="utf-8")), chapters=TO_TIME)


def by(worked: Worked, *names: str) -> pd.Series:
    return worked.plans["05-time"].groupby(list(names))["amount"].sum()


@pytest.mark.parametrize("name", ["params.yml", pytest.param("paramsHol.yml", marks=pytest.mark.slow)])
def test_easter_moves_months_to_the_cent(tmp_path, name):
    # the case's README: 100 and 200 a day, six times as much on the 14 days before Easter, no growth
    worked = of_the_case(tmp_path, name)
    plain = {f"2026-{month:02}": 300_00 * monthrange(2026, month)[1] for month in range(1, 13)}

    assert by(worked, "month").to_dict() == plain | {"2026-03": 24_300_00, "2026-04": 15_000_00}
    assert by(worked, "region").to_dict() == {"North": 43_500_00, "South": 87_000_00}
    weeks = worked.folder / "tables" / "05-time"
    table = pd.read_parquet(weeks / "weeks.parquet").set_index("first_day")["amount"]
    # 14 days before April 5: March 22 to April 4
    assert table[["2026-03-09", "2026-03-16", "2026-03-23", "2026-03-30", "2026-04-06"]].tolist() == [
        7 * 300_00, 12 * 300_00, 42 * 300_00, 37 * 300_00, 7 * 300_00,
    ]  # fmt: skip
    both = pd.read_parquet(weeks / "weeks-by-region-and-month.parquet")
    assert both.groupby(["region", "month"])["amount"].sum().to_dict() == by(worked, "region", "month").to_dict()


@pytest.mark.parametrize("name", ["paramsShort.yml", "paramsHolShort.yml"])
@pytest.mark.slow
def test_an_easter_without_a_date_in_the_plan_year_is_told(tmp_path, name):
    worked = of_the_case(tmp_path, name)
    told = [text for text in worked.texts("05-time") if "left_out" in text and "Easter has no date in 2026" in text]

    assert len(told) == 1 and "the months are planned without this festival" in told[0]
    assert by(worked, "month").sum() == 130_500_00


@pytest.mark.parametrize(("step", "said"), [("month", "carry one day a month"), ("week", "lie on one day of the week")])
@pytest.mark.slow
def test_orders_without_days_plan_and_say_what_they_leave_out(tmp_path, step, said):
    """The same company, its days summed to the 15th of each month, or to the Monday of each week."""
    days = pd.DataFrame({"date": [date(2023, 1, 1) + timedelta(days=n) for n in range(3 * 365 + 1)]})
    days = days[days["date"] <= date(2025, 12, 31)]
    rush = {easter - timedelta(days=n) for easter in EASTERS for n in range(1, 15)}
    days["revenue"] = [600.0 if day in rush else 100.0 for day in days["date"]]
    days["date"] = [day.replace(day=15) if step == "month" else day - timedelta(days=day.weekday()) for day in days["date"]]
    lines = days[days["date"] >= date(2023, 1, 1)].groupby("date", as_index=False)["revenue"].sum()
    lines = lines.assign(region="North", product="Egg", channel="Shop", customer="C", quantity=1)
    (tmp_path / "calendar.csv").write_text("date,event\n" + "".join(f"{day},Easter\n" for day in EASTERS), encoding="utf-8")
    asked = {
        "run": step, "company": "Eggs", "year": 2026, "currency": "EUR", "as_of": date(2025, 12, 31),
        "data": {"orders": orders_csv(tmp_path / "orders.csv", lines), "calendar": {"file": "calendar.csv"}},
        "strategy": {"growth": 0.0},
        "time": {"festivals": {"Easter": {"before": 14, "after": 0}}},
    }  # fmt: skip
    worked = work(tmp_path, asked, chapters=TO_TIME)
    months = by(worked, "month")

    assert any("left_out" in text and said in text for text in worked.texts("05-time"))
    assert not (worked.folder / "tables" / "05-time" / "weeks.parquet").exists()
    if step == "month":
        # 31 + 10 x 5 and 30 + 4 x 5 days of 100, as by day
        assert (months["2026-03"], months["2026-04"]) == (8_100_00, 5_000_00)
    else:
        assert months["2026-03"] > 1.3 * months["2026-04"]  # where a week's money lies is blurred, not lost
    assert months.sum() == lines.loc[[day.year == 2025 for day in lines["date"]], "revenue"].sum() * 100


@pytest.mark.slow
def test_closed_weeks_are_held_against_the_plan_in_which_easter_lies(tmp_path):
    """Sales of 2026 come as planned, Easter two weeks earlier than in 2025: no week is behind, no alert."""
    days = pd.DataFrame({"date": [date(2023, 1, 1) + timedelta(days=n) for n in range(3 * 365 + 1 + 120)]})
    rush = {easter - timedelta(days=n) for easter in EASTERS for n in range(1, 15)}
    lines = days.assign(revenue=[600.0 if day in rush else 100.0 for day in days["date"]])
    lines = lines.assign(region="North", product="Egg", channel="Shop", customer="C", quantity=1)
    asked = {
        "run": "first", "company": "Eggs", "year": 2026, "currency": "EUR", "as_of": date(2025, 12, 31),
        "data": {"orders": orders_csv(tmp_path / "a" / "orders.csv", lines), "calendar": {"file": "calendar.csv"}},
        "strategy": {"growth": 0.0},
        "time": {"festivals": ["Easter"]},
    }  # fmt: skip
    orders_csv(tmp_path / "b" / "orders.csv", lines)
    for folder in ("a", "b"):
        (tmp_path / folder / "calendar.csv").write_text("date,event\n" + "".join(f"{day},Easter\n" for day in EASTERS))
    first = work(tmp_path / "a", asked)
    then = work(tmp_path / "b", asked | {"run": "then", "as_of": date(2026, 4, 30)}, baseline=first)
    pace = then.table("05-time", "Closed weeks")

    assert by(first, "month")["2026-03"] == (31 + 10 * 5) * 100_00  # its days before were read from the days sold
    assert len(pace) == 16 and (pace["over"].abs() < 1e-6).all() and set(pace["state"]) <= {"", "too small to count"}
    assert by(then, "month").to_dict() == by(first, "month").to_dict()


@pytest.mark.slow
def test_a_carnival_of_one_region_moves_its_months_and_weeks_alone(tmp_path):
    """Rio sells 400 on each of five carnival days and 100 on others, Minas 100 a day; 2025's carnival reached into March."""
    firsts = [date(2023, 2, 17), date(2024, 2, 9), date(2025, 2, 28), date(2026, 2, 13)]
    carnival = [first + timedelta(days=n) for first in firsts for n in range(5)]
    days = pd.DataFrame({"date": [date(2023, 1, 1) + timedelta(days=n) for n in range(3 * 365 + 1)]})
    rio = days.assign(region="Rio", revenue=[400.0 if day in carnival else 100.0 for day in days["date"]])
    lines = pd.concat([rio, days.assign(region="Minas", revenue=100.0)]).assign(
        product="Egg", channel="Shop", customer="C", quantity=1
    )
    rows = "".join(f"{day},Carnival,Rio\n" for day in carnival)
    (tmp_path / "calendar.csv").write_text("date,event,region\n" + rows + "2026-06-24,Saint John,Bahia\n", encoding="utf-8")
    asked = {
        "run": "rio", "company": "Eggs", "year": 2026, "currency": "BRL", "as_of": date(2025, 12, 31),
        "data": {"orders": orders_csv(tmp_path / "orders.csv", lines), "calendar": {"file": "calendar.csv"}},
        "strategy": {"growth": 0.0},
        "time": {"festivals": {"Carnival": {"before": 0, "after": 0}}, "holidays": {"Carnival": {"before": 0, "after": 0}}},
    }  # fmt: skip
    worked = work(tmp_path, asked, chapters=TO_TIME)
    months = by(worked, "region", "month")

    year = months.groupby("region").sum()
    # each region's year is the matter of chapter 02, where the leap day of 2024 counts a little
    day = {"Minas": year["Minas"] / 365, "Rio": year["Rio"] / (365 + 5 * 3)}
    assert day == pytest.approx({"Minas": 100_00, "Rio": 100_00}, rel=3e-4)
    assert [months["Minas", f"2026-0{month}"] / day["Minas"] for month in (2, 3)] == pytest.approx([28, 31], abs=1e-3)
    assert [months["Rio", f"2026-0{month}"] / day["Rio"] for month in (2, 3)] == pytest.approx([28 + 5 * 3, 31], abs=1e-3)
    weeks = pd.read_parquet(worked.folder / "tables" / "05-time" / "weeks-by-region-and-month.parquet")
    assert weeks.groupby(["region", "month"])["amount"].sum().to_dict() == months.to_dict()
    amounts = weeks.set_index(["region", "first_day"])["amount"]
    # Friday 13 to Tuesday 17: three carnival days in the first week, two in the second
    monday, next_monday = "2026-02-09", "2026-02-16"
    assert [amounts["Rio", week] / day["Rio"] for week in (monday, next_monday)] == pytest.approx(
        [4 + 3 * 4, 5 + 2 * 4], abs=1e-3
    )
    assert [amounts["Minas", week] / day["Minas"] for week in (monday, next_monday)] == pytest.approx([7, 7], abs=1e-3)
    feast = pd.read_parquet(next((worked.folder / "tables" / "05-time").glob("holiday-seasons*.parquet")))
    assert feast["days"].tolist() == [5] and feast["sales"].iloc[0] / day["Rio"] == pytest.approx(20, abs=1e-3)
    assert any("1 region that the orders lack (Bahia)" in text for text in worked.texts("05-time"))
