"""Contoso on calendars of its own: 4-4-5 weeks with one year of 53, thirteen periods, a year that ends on the 15th."""

import datetime as dt
import gzip
import itertools
import json
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
import yaml

from planlib import plan as tables
from planlib.errors import ParameterError
from planlib.run.params import load
from tests import calendars
from tests.chain.in_process import Worked, work
from tests.chain.tiny import write as tiny_orders
from tests.conftest import ROOT

CONTOSO = ROOT.parent / "shared" / "data" / "contoso" / "sales.csv.gz"
COLUMNS = {
    "order_id": "SalesOrderID", "date": "OrderDate", "region": "Country", "product": "Category", "channel": "SalesChannelCode",
    "customer": "CustomerAccountNumber", "quantity": "Units", "revenue": "Sales Amount",
}  # fmt: skip
LEVELS = ("01-strategy", "02-region", "03-product", "04-channel", "05-time", "06-customer")
YEARS = range(2011, 2018)
CALENDARS = {
    "4-4-5": calendars.of_weeks(YEARS, (4, 4, 5) * 4),
    "thirteen": calendars.of_weeks(YEARS, (4,) * 13),
    "the 15th": calendars.ending_on(15, YEARS),
}


def planned(folder: Path, rows: list, orders: dict, year: int, company: str, growth: float = 0.1) -> Worked:
    folder.mkdir(parents=True, exist_ok=True)
    calendars.write(folder / "periods.csv", rows)
    first = next(row[0] for row in rows if row[3] == year)
    asked = {"company": company, "year": year, "currency": "USD", "as_of": first - dt.timedelta(days=1)}
    data = {"orders": orders, "periods": {"file": "periods.csv"}}
    return work(folder, {**asked, "data": data, "strategy": {"growth": growth}})


def ties_out(found: Worked, rows: list, year: int) -> None:
    for above, below in itertools.pairwise(LEVELS):
        assert tables.residuals(found.plans[above], found.plans[below]).empty, (above, below)
    months = found.plans["05-time"].groupby("month")["amount"].sum()
    assert len(months) == sum(row[3] == year for row in rows)
    weeks = pd.read_parquet(found.folder / "tables" / "05-time" / "weeks-by-region-and-month.parquet")
    assert (weeks.groupby("month")["amount"].sum() == months).all()
    whole = pd.read_parquet(found.folder / "tables" / "05-time" / "weeks.parquet")
    assert whole["amount"].sum() == months.sum()


@pytest.mark.slow
@pytest.mark.parametrize("name", CALENDARS)
def test_contoso_ties_out_on_a_calendar_of_its_own(name, tmp_path):
    if not CONTOSO.is_file():
        pytest.skip("the Contoso files are not beside this repository (../shared/data/contoso)")
    rows = CALENDARS[name]
    orders = {"file": str(CONTOSO), "columns": COLUMNS}
    found = planned(tmp_path / "contoso", rows, orders, 2015, "Contoso")

    ties_out(found, rows, 2015)
    # The target by hand: each period of 2014, 53 weeks long, as many weeks as 2015's at its place, then a tenth more.
    with gzip.open(CONTOSO, "rt", encoding="utf-8-sig") as file:
        sold = pd.read_csv(file, usecols=["OrderDate", "Sales Amount"], dtype=str)
    cents = sold["Sales Amount"].map(Fraction) * 100
    total, days = Fraction(0), pd.to_datetime(sold["OrderDate"]).dt.date
    before, now = ([row for row in rows if row[3] == year] for year in (2014, 2015))
    for then, here in zip(before, now, strict=True):
        length = [(row[1] - row[0]).days + 1 for row in (here, then)] if name != "the 15th" else [1, 1]
        total += cents[(days >= then[0]) & (days <= then[1])].sum() * Fraction(*length)
    # Contoso has tenths of cents; the ledger rounds running totals, the weeks each cell: a few cents in all.
    assert abs(found.plans["01-strategy"]["amount"].sum() - total * Fraction(11, 10)) < 200
    texts = " ".join(found.texts())
    assert ("2014 has 53 weeks and 2015 has 52 weeks" in texts) == (name != "the 15th")


def company(folder: Path) -> dict:
    folder.mkdir(parents=True, exist_ok=True)
    tiny_orders(folder / "orders.csv", "2025-12")
    return {"file": "orders.csv"}


@pytest.mark.parametrize("pattern", [pytest.param((4, 5, 4) * 4, marks=pytest.mark.slow), (4,) * 13])
def test_a_small_company_says_its_periods_by_their_own_names(pattern, tmp_path):
    rows = calendars.of_weeks(range(2023, 2028), pattern)  # orders begin in January 2024, which lies in 2023's last period
    found = planned(tmp_path / "tiny", rows, company(tmp_path / "tiny"), 2026, "Tiny")

    ties_out(found, rows, 2026)
    shown = found.table("05-time", "Months of the plan year")
    assert shown["month"].tolist() == [row[2] for row in rows if row[3] == 2026]
    spoken = json.dumps([item for items in found.items.values() for item in items])
    assert "2026-P0" not in spoken and '"2026-05"' not in spoken
    weeks = pd.read_parquet(found.folder / "tables" / "05-time" / "weeks.parquet")
    assert len(weeks) == 52 and set(weeks["days"]) == {7} and weeks["first_day"].iloc[0] == "2026-01-04"


@pytest.mark.slow
def test_members_come_and_go_on_thirteen_periods(tmp_path):
    rows = calendars.of_weeks(range(2023, 2028), (4,) * 13)
    folder = tmp_path / "tiny"
    orders = company(folder)
    calendars.write(folder / "periods.csv", rows)
    asked = {"company": "Tiny", "year": 2026, "currency": "USD", "as_of": rows[38][1]}  # the last day of 2025's P13
    events = {
        "openings": [{"region": "Isle", "like": "East", "at": 0.3, "from": "2026-P04", "ramp": 2}],
        "closings": [{"product": "Pump", "last": "2026-P05"}],
        "changes": [{"kind": "merge", "dimension": "region", "of": ["North", "West"], "to": "Northwest", "from": "2026-01-04"}],
    }
    data = {"orders": orders, "periods": {"file": "periods.csv"}}
    found = work(folder, {**asked, "data": data, "strategy": {"growth": 0.1}, **events})

    ties_out(found, rows, 2026)
    plan = found.plans["05-time"]
    assert set(plan["region"]) == {"East", "Isle", "Northwest"}
    assert not plan.loc[(plan["region"] == "Isle") & (plan["month"] < "2026-P04"), "amount"].any()
    assert not plan.loc[(plan["product"] == "Pump") & (plan["month"] > "2026-P05"), "amount"].any()
    texts = " ".join(found.texts("02-region", "03-product"))
    assert "Isle opens in P04 2026" in texts and "Pump sells until P05 2026" in texts and "since 2026-01-04" in texts


@pytest.mark.parametrize(("last", "said"), [("2026-05", "write 2026-P05"), ("2031-P05", "write one such as")])
def test_a_month_that_is_no_period_is_refused(last, said, tmp_path):
    rows = calendars.of_weeks(range(2023, 2028), (4,) * 13)
    orders = company(tmp_path)
    calendars.write(tmp_path / "periods.csv", rows)
    for name in ("notebooks", "params"):
        (tmp_path / name).mkdir()
    asked = {"company": "Tiny", "year": 2026, "currency": "USD", "as_of": rows[38][1]}
    data = {"orders": orders, "periods": {"file": "periods.csv"}}
    content = {**asked, "data": data, "closings": [{"region": "West", "last": last}]}
    (tmp_path / "asked.yml").write_text(yaml.safe_dump(content), encoding="utf-8")

    with pytest.raises(ParameterError, match=said):
        load(tmp_path / "asked.yml")
