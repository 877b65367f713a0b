"""Members whose names hold what files, pages, spreadsheets, charts and patterns take for their own marks (case 02)."""

import csv
import io
import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import yaml

from planlib import charts
from planlib.formatting import Reader
from planlib.run import views, workbook_file
from planlib.run.chain import CHAPTERS
from tests.chain.in_process import Worked, orders_csv, work
from tests.conftest import ROOT, offline, planlib

REGIONS = [
    *("A.B[C]", "x:y", '"quoted"', "O'Brien & Söhne", "=1+1", "👩\u200d🔬 Lab", "العربية", "<script>alert(1)</script>"),
    *("می\u200cخواهم", "N" * 120, "Café", "a|b,c;d", "{{x}} ${y} %s {0}", "2025-03", "A]]>\\n", "+49", "@SUM(1)", "Total"),
]
PRODUCTS = ["-2+3", "Lamp's", "datum.x['y']"]
CHANNELS = ["@Shop", "Web/Net"]


def lines() -> pd.DataFrame:
    rows = []
    for number, (year, month, (i, region), (j, product)) in enumerate(
        itertools.product((2023, 2024, 2025), range(1, 13), enumerate(REGIONS), enumerate(PRODUCTS))
    ):
        amount = 100.5 + 10 * i + 7 * j + month * 13 % 29 + (year - 2023) * 9
        day = f"{year}-{month:02d}-{number % 27 + 1:02d}"
        rows.append((day, region, product, CHANNELS[number % 2], f"C{number % 40}", 1, amount))
    return pd.DataFrame(rows, columns=["date", "region", "product", "channel", "customer", "quantity", "revenue"])


def asked(**more: Any) -> dict[str, Any]:
    rules = [
        {"name": 'cap for "=1+1" <i>', "where": {"region": "=1+1"}, "max": 0.08},
        {"name": "none shrinks", "each": "region", "unit": "growth", "min": 0.0},
    ]
    head = {"company": "<b>Names & Söhne</b>", "year": 2026, "currency": "EUR", "region": {"rules": rules}}
    return {**head, "strategy": {"growth": 0.1}, **more}


@pytest.fixture(scope="module")
def named(tmp_path_factory) -> Worked:
    folder = tmp_path_factory.mktemp("names") / "a [b] 'c' é"
    return work(folder, asked(data={"orders": orders_csv(folder / "my: orders [1].csv", lines())}))


def test_every_member_keeps_its_name_through_all_chapters(named):
    assert sorted(named.plans["02-region"]["region"]) == sorted(REGIONS)
    for stem in CHAPTERS[2:6]:
        plan = named.plans[stem]
        assert set(plan["region"]) == set(REGIONS) and set(plan["product"]) == set(PRODUCTS)
        assert "channel" not in plan or set(plan["channel"]) == set(CHANNELS)
    assert set(REGIONS) <= set(named.plans["07-budget"]["item"])


def test_no_name_is_a_formula_and_none_is_lost_in_downloads(named):
    reader, plan = Reader("en", "EUR"), named.plans["03-product"]
    rows = list(csv.reader(io.StringIO(views.plan_csv(plan, reader))))[1:]

    assert len(rows) == len(plan)
    assert not [cell for row in rows for cell in row[:2] if cell[:1] in "=+-@"]
    assert {row[0].replace("'", "") for row in rows} == {name.replace("'", "") for name in REGIONS}


def test_the_spreadsheet_has_every_name_as_text(named):
    record = {"settings": {"company": "<b>=1+1</b>", "year": 2026, "as_of": "2025-12-31", "currency": "EUR"}, "run": "names"}
    book = openpyxl.load_workbook(io.BytesIO(workbook_file.build(record, [], named.plans, Reader("en", "EUR"))))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]

    assert not [cell.value for cell in cells if cell.data_type == "f"]
    assert {cell.value for row in book["plan 02-region"].iter_rows(min_row=4, max_col=1) for cell in row} == set(REGIONS)


def test_charts_carry_names_as_values_only(named):
    frame = named.plans["02-region"].rename(columns={"region": "member", "amount": "allocated"})
    spec = charts.spec(charts.bullets(frame, "EUR"))
    outside = json.dumps({name: part for name, part in spec.items() if name != "datasets"}, ensure_ascii=False)

    assert {row["member"] for rows in spec["datasets"].values() for row in rows} == set(REGIONS)
    # Beside the data, names only stand in the order of an axis, which Vega compares and never evaluates.
    fields = [part.split('"')[1] for part in outside.split('"field": ')[1:]]
    assert fields and not set(fields) & set(REGIONS)


@pytest.mark.parametrize(("exponent", "digits"), [("IDR", "92233720368547758.07"), ("JPY", "9223372036854775807")])
def test_a_spreadsheet_keeps_every_digit_of_large_amounts(exponent, digits):
    record = {"settings": {"company": "Big", "year": 2026, "as_of": "2025-12-31", "currency": exponent}, "run": "big"}
    plan = pd.DataFrame({"region": ["A", "B"], "amount": [2**63 - 1, 5]})
    sheet = openpyxl.load_workbook(io.BytesIO(workbook_file.build(record, [], {"02-region": plan}, Reader("en", exponent))))[
        "plan 02-region"
    ]

    assert "fifteen digits" in sheet["A1"].value
    assert (sheet["B4"].value, sheet["B4"].data_type) == (digits, "s")
    assert Reader("en", exponent).full(2**63 - 1, "money").replace(",", "") == f"{digits} {exponent}"
    assert f",{digits}\r\n" in views.plan_csv(plan, Reader("en", exponent))


def test_an_estimate_has_no_digits_that_a_float_has_not():
    reader = Reader("en", "IDR")

    assert reader.full(9.1e18, "money") == ""
    assert reader.full(910_000_000_000_000.0, "money") == "9,100,000,000,000.00 IDR"


@pytest.mark.slow
def test_the_page_shows_every_name(browser, tmp_path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    content = asked(run="names", data={"orders": orders_csv(tmp_path / "params" / "orders.csv", lines())})
    params = Path(tmp_path / "params" / "names.yml")
    params.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    ended = planlib("run", params, "--reports", tmp_path / "reports", "--quiet")
    assert ended.code == 0, ended.err

    with offline(browser, tmp_path / "reports" / "names" / "index.html") as tab:
        tab.evaluate("window.drawAll()")
        drawn = tab.evaluate("Array.from(document.querySelectorAll('svg text')).map(each => each.textContent)")
        text = tab.evaluate("document.body.innerText")
        assert not tab.said and not tab.asked[1:]
        assert [name for name in (*REGIONS, *PRODUCTS, *CHANNELS) if name not in text] == []
        short = [name for name in (*REGIONS, *PRODUCTS, *CHANNELS) if len(name) < 20]
        assert [name for name in short if name not in drawn] == []
