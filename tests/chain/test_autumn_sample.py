"""The sample planned in autumn and again when the year has closed: the whole page and spreadsheet, no later month, every sum.

Expected values: sums of the sample's own files; what a plan may know is what the files hold when they are cut at its as_of.
"""

import csv
import html
import json
import os
import re
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from tests.conftest import copy_project, planlib

pytestmark = pytest.mark.slow

AS_OF = "2025-10-31"
# What a text may say of last year in this plan: what it is made of, or that it speaks of what is known of it.
SAID = re.compile(r"10 months sold, 2 expected|of 12 months| known of last year|of the last year|the last year,")
CUT = {
    "orders": ("date", AS_OF), "marketing": ("month", AS_OF[:7]), "kpis": ("month", AS_OF[:7]),
    "partner_months": ("month", AS_OF[:7]), "staff": ("hired", AS_OF), "partners": ("year", "2024"),
}  # fmt: skip
LATER = {"staff": "left", "milestones": "done"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample as of 2025-10-31, and as of 2025-12-31 with that plan in force."""
    project = copy_project(tmp_path_factory.mktemp("autumn") / "project")
    write = (project / "params").joinpath
    write("autumn.yml").write_text(f"extends: 2026Q1.yml\nrun: autumn\nas_of: {AS_OF}\n", encoding="utf-8")
    write("winter.yml").write_text("extends: 2026Q1.yml\nrun: winter\nbaseline: autumn.yml\n", encoding="utf-8")
    ran(project, "winter")
    return project


def ran(project: Path, name: str) -> None:
    ended = planlib("run", f"params/{name}.yml", cwd=project, env={**os.environ, "PYTHONPATH": str(project)})
    assert ended.code == 0, ended.err


def digests(project: Path, run: str) -> dict[str, Any]:
    outputs = json.loads((project / "reports" / run / "manifest.json").read_text(encoding="utf-8"))["outputs"]
    return {stem: each["digest"] for stem, each in outputs.items()}


def texts(project: Path, run: str) -> list[str]:
    """Every text of the page, its charts' titles and series among them, and of the spreadsheet."""
    page = (project / "reports" / run / "index.html").read_text(encoding="utf-8")
    charts = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, flags=re.S)
    shown = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.S)
    found = [html.unescape(text) for text in re.split(r"<[^>]+>", shown)]
    found += [text for chart in charts for text in re.findall(r'"((?:[^"\\]|\\.)*)"', chart)]
    book = openpyxl.load_workbook(project / "reports" / run / "plan.xlsx", read_only=True)
    cells = (cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)
    return [*found, *(cell for cell in cells if isinstance(cell, str))]


def test_no_comparison_on_the_page_forgets_what_last_year_is(project: Path):
    every = texts(project, "autumn")
    spoken = [text for text in every if re.search(r"\b[Ll]ast year\b", text)]
    assert len(spoken) > 50
    assert [text for text in spoken if not SAID.search(text)] == []
    assert any("as sold up to" in text for text in every)
    assert any("as sold up to 2025-10-31, compared with last year (10 months sold, 2 expected)" in text for text in every)


def test_the_plan_of_the_closed_year_says_nothing_of_it(project: Path):
    assert not [text for text in texts(project, "winter") if "months sold, 2 expected" in text]


def test_nothing_later_than_as_of_is_read(project: Path):
    for table in {*CUT, *LATER}:
        path = project / "data" / "sample" / f"{table}.csv"
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        heads = list(rows[0])
        if table in CUT:
            by, last = CUT[table]
            rows = [row for row in rows if row[by] <= last]
        if table in LATER:
            rows = [{**row, LATER[table]: row[LATER[table]] if row[LATER[table]] <= AS_OF else ""} for row in rows]
        cut = project / "data" / "cut"
        cut.mkdir(exist_ok=True)
        with (cut / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, heads)
            writer.writeheader()
            writer.writerows(rows)
    files = "".join(f"  {table}: {{file: ../data/cut/{table}.csv}}\n" for table in {*CUT, *LATER})
    content = f"extends: 2026Q1.yml\nrun: blind\nas_of: {AS_OF}\ndata:\n{files}"
    (project / "params" / "blind.yml").write_text(content, encoding="utf-8")
    ran(project, "blind")
    assert digests(project, "blind") == digests(project, "autumn")
    seen, blind = texts(project, "autumn"), texts(project, "blind")
    told = [text for text in blind if re.search(r"\b[Ll]ast year\b", text)]
    assert told == [text for text in seen if re.search(r"\b[Ll]ast year\b", text)]


def test_what_the_months_sold_since_changed_adds_up(project: Path):
    tables, title = project / "reports" / "winter" / "tables", "what-the-months-sold-since-changed"
    orders = pd.read_csv(project / "data" / "sample" / "orders.csv", usecols=["date", "revenue"])
    booked = (orders["revenue"] * 100).round().astype("int64").groupby(orders["date"].str[:7]).sum()
    months = pd.read_parquet(tables / "01-strategy" / f"{title}.parquet").set_index("month")
    assert months.loc[["2025-11", "2025-12"], "sold_since"].tolist() == booked[["2025-11", "2025-12"]].tolist()
    assert (months.iloc[:2].sum() == months.loc["all"]).all()
    plans = [pd.read_parquet(project / "reports" / run / "plan" / "01-strategy.parquet") for run in ("autumn", "winter")]
    change = int(plans[1]["amount"].sum()) - int(plans[0]["amount"].sum())
    for stem, by in (("02-region", "region"), ("03-product", "product"), ("04-channel", "channel")):
        moved = pd.read_parquet(next((tables / stem).glob(f"{title}*.parquet")))
        assert by in moved and int(moved["difference"].sum()) == change
        assert int(moved["sold_since"].sum()) == months.loc["all", "sold_since"]
        assert int(moved["expected_then"].sum()) == months.loc["all", "expected_then"]
