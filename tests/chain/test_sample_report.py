"""The sample's real report in a real browser, the network off."""

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import offline

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(sample_reports) -> Path:
    return sample_reports / "2026Q2"


@pytest.fixture
def page(browser, folder):
    with offline(browser, folder / "index.html") as tab:
        yield tab


def figures(folder: Path) -> list[str]:
    """The titles of the charts that the notebooks declared."""
    items = [
        output["data"]["application/vnd.planlib.v1+json"]
        for path in sorted((folder / "notebooks").glob("*.ipynb"))
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", [])
        if "application/vnd.planlib.v1+json" in output.get("data", {})
    ]
    return [item["title"] for item in items if item["kind"] == "figure"]


def test_all_charts_draw_with_no_request_and_no_complaint(page, folder):
    declared = figures(folder)

    assert page.evaluate("drawAll()") == len(declared) >= 9
    assert page.locator(".plot.drawn svg").count() == len(declared)
    assert sorted(page.locator("figure figcaption").all_inner_texts()) == sorted(declared)
    assert page.asked == [(folder / "index.html").as_uri()]
    assert page.said == []


@pytest.mark.parametrize("stem", ["06-customer", "07-budget"])
def test_the_two_plan_tables_download_to_the_cent(page, folder, stem):
    with page.expect_download() as started:
        page.locator(f"[data-plan=plan-{stem}]").click()
    header, *rows = list(csv.reader(io.StringIO(Path(started.value.path()).read_text(encoding="utf-8-sig"))))
    table = pd.read_parquet(folder / "plan" / f"{stem}.parquet")
    names = [name for name in table.columns if name != "amount"]

    assert header == [*names, "amount (CNY)"]
    assert [row[:-1] for row in rows] == table[names].to_numpy().tolist()
    assert [round(float(row[-1]) * 100) for row in rows] == table["amount"].tolist()
    assert page.said == []


def test_the_headline_and_every_message_are_there(page):
    assert "123.5 m CNY" in page.locator("h1, .headline").first.inner_text()
    assert page.locator("section#region, section#product, section#channel, section#time, section#customer").count() == 5
    assert "Ties out" in page.locator("header").first.inner_text()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_hangs_over_the_edge(page, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.evaluate("drawAll()")

    assert page.evaluate("document.documentElement.scrollWidth") == width
