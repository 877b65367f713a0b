"""A chapter among published runs: the plans that stood before, the draft it works on, and names that hold markup."""

import html
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from planlib import periods, workbook
from planlib import plan as tables
from planlib.errors import ParameterError, PlanError
from planlib.lp import split
from planlib.run.params import cell_parameters
from tests.conftest import ROOT


@pytest.fixture
def shown(monkeypatch) -> list[dict]:
    """What a chapter displays, in order."""
    items: list[dict] = []
    monkeypatch.setattr(workbook.chapter, "display", lambda bundle, raw: items.append(bundle))
    return items


@pytest.fixture
def run(tmp_path, monkeypatch) -> Path:
    """A run that has just begun."""
    monkeypatch.chdir(ROOT)
    settings = {"company": "Acme", "year": 2026, "fiscal_start": 1, "currency": "CNY", "as_of": "2025-12-31", "language": "en"}
    content = {"run": "x", "settings": settings, "parameters": {}, "inputs": {}, "left_out": [], "baseline": None}
    (tmp_path / "run.json").write_text(json.dumps(content))
    return tmp_path


def namespace(run: Path, **changes) -> dict:
    notebook = json.loads((ROOT / "notebooks" / "02-region.ipynb").read_text(encoding="utf-8"))
    return {**cell_parameters(notebook), "run": str(run), **changes}


# The plans that stood before


def report(root: Path, name: str, as_of: str, amount: int, before: dict | None = None) -> dict:
    """A published plan by month with one amount for every open month; returns what the next run.json says of it."""
    folder = root / "reports" / name
    (folder / "plan").mkdir(parents=True)
    settings = {"company": "Acme", "year": 2026, "fiscal_start": 1, "currency": "CNY", "as_of": as_of, "language": "en"}
    content = {"run": name, "settings": settings, "parameters": {}, "inputs": {}, "left_out": [], "baseline": before}
    (folder / "run.json").write_text(json.dumps(content))
    (folder / "manifest.json").write_text(json.dumps({"key": f"key of {name}"}))
    months = periods.months(2026, 1)
    actual = [1 if month <= as_of[:7] else amount for month in months]  # closed months hold what was sold: 1
    pd.DataFrame({"month": months, "amount": actual}).to_parquet(folder / "plan" / "05-time.parquet", index=False)
    return {"run": name, "path": f"reports/{name}", "key": f"key of {name}"}


@pytest.fixture
def fourth(tmp_path, shown) -> workbook.Chapter:
    """Chapter 05 of the fourth plan of a year, three plans behind it."""
    base = None
    for name, as_of, amount in (("A", "2025-12-31", 100), ("B", "2026-03-31", 200), ("C", "2026-06-30", 300)):
        base = report(tmp_path, name, as_of, amount, base)
    report(tmp_path, "D", "2026-09-30", 400, base)
    folder = tmp_path / "reports" / "D"
    settings = json.loads((folder / "run.json").read_text())
    return workbook.Chapter("05-time", folder, settings, None, tmp_path)


def by_month(chapter: workbook.Chapter) -> dict[str, int]:
    found = chapter.stood_before("05-time")
    return dict(zip(found["month"].str[5:].astype(int), found["amount"], strict=True))


def test_each_month_stands_beside_the_plan_before_it_closed(fourth):
    # A planned January to March, B April to June, C the rest.
    assert by_month(fourth) == {month: 100 if month < 4 else 200 if month < 7 else 300 for month in range(1, 13)}


def test_the_first_plan_of_a_year_follows_none(tmp_path, shown):
    report(tmp_path, "A", "2025-12-31", 100)
    folder = tmp_path / "reports" / "A"
    chapter = workbook.Chapter("05-time", folder, json.loads((folder / "run.json").read_text()), None, tmp_path)

    assert chapter.stood_before("05-time") is None


@pytest.mark.parametrize("gone", ["A", "B"])
def test_a_plan_of_the_chain_that_is_gone_is_said(fourth, shown, gone):
    shutil.rmtree(fourth.root / "reports" / gone)
    known = by_month(fourth)

    assert known == {month: 200 if month < 7 else 300 for month in range(4 if gone == "A" else 7, 13)}
    text = shown[-1][workbook.ITEM]["text"]
    last = "2026-03" if gone == "A" else "2026-06"
    assert f"report {gone}, which stood before" in text and f"the months up to {last} are held against no plan" in text


def test_another_report_in_the_place_of_one_that_stood_is_not_taken_for_it(fourth, shown):
    (fourth.root / "reports" / "A" / "manifest.json").write_text('{"key": "made again"}')

    assert sorted(by_month(fourth)) == list(range(4, 13))
    assert "report A, which stood before B, is not the report it was" in shown[-1][workbook.ITEM]["text"]


@pytest.mark.parametrize("damage", ["gone", "{", "[]", "{}"])
def test_a_plan_in_force_that_cannot_be_read_is_an_error(fourth, damage):
    path = fourth.root / "reports" / "C" / "run.json"
    if damage == "gone":
        shutil.rmtree(path.parent)
    else:
        path.write_text(damage)
    with pytest.raises(PlanError, match="plan in force C: is not there any more"):
        fourth.stood_before("05-time")


def test_reports_that_were_moved_together_are_found_beside_each_other(fourth):
    moved = fourth.root / "elsewhere"
    (fourth.root / "reports").rename(moved)
    settings = json.loads((moved / "D" / "run.json").read_text())
    settings["baseline"]["path"] = str(moved / "C")
    chapter = workbook.Chapter("05-time", moved / "D", settings, None, fourth.root)

    assert len(by_month(chapter)) == 12


# Opened by hand


@pytest.fixture
def drafted(tmp_path, monkeypatch, shown) -> Path:
    """A project with one published run, whose growth is 0.2 where the cell's default is 0.3."""
    root = tmp_path / "project"
    for name in ("notebooks", "params", "reports"):
        (root / name).mkdir(parents=True)
    monkeypatch.chdir(root)
    published(root, "x")
    return root


def published(root: Path, name: str, growth: float = 0.2) -> Path:
    report(root, name, "2025-12-31", 100)
    folder = root / "reports" / name
    content = json.loads((folder / "run.json").read_text())
    content["parameters"] = {"strategy": {"growth": growth}}
    (folder / "run.json").write_text(json.dumps(content))
    link = root / "reports" / "latest"
    link.unlink(missing_ok=True)
    link.symlink_to(name)
    return folder


def cell(**changes) -> dict:
    notebook = json.loads((ROOT / "notebooks" / "01-strategy.ipynb").read_text(encoding="utf-8"))
    return {**cell_parameters(notebook), **changes}


def test_a_draft_takes_the_runs_value_says_so_and_says_how_to_keep_a_default(drafted, shown):
    default = cell()["growth"]
    assert default == 0.3
    assert workbook.open("01-strategy", cell()).parameters.growth == 0.2
    text = shown[-1][workbook.ITEM]["text"]
    assert "growth 0.2 (the cell says 0.3)" in text and "as_set=['growth']" in text

    assert workbook.open("01-strategy", cell(growth=0.25)).parameters.growth == 0.25
    assert workbook.open("01-strategy", cell(), as_set=["growth"]).parameters.growth == default
    with pytest.raises(ParameterError, match="as_set: found growht"):
        workbook.open("01-strategy", cell(), as_set=["growht"])


def test_a_draft_ends_with_the_report_it_came_from(drafted):
    workbook.open("01-strategy", cell())
    own = drafted / "reports" / "draft" / "plan" / "mine.parquet"
    own.write_text("made by hand")
    workbook.open("01-strategy", cell())
    assert own.exists()  # the same report is the newest

    shutil.rmtree(drafted / "reports" / "x")
    with pytest.raises(PlanError, match="found the draft of run x, whose report is not there any more"):
        workbook.open("01-strategy", cell())

    (published(drafted, "x", growth=0.4) / "manifest.json").write_text('{"key": "another"}')
    assert workbook.open("01-strategy", cell()).parameters.growth == 0.4
    assert not own.exists()


def test_opening_a_notebook_never_deletes_or_opens_a_published_report(drafted):
    report(drafted, "draft", "2025-12-31", 500)  # published under the reserved name
    with pytest.raises(PlanError, match="run 'draft': found a published report"):
        workbook.open("01-strategy", cell())
    assert (drafted / "reports" / "draft" / "plan" / "05-time.parquet").exists()
    with pytest.raises(PlanError, match="run 'x': found a published report"):
        workbook.open("01-strategy", cell(run="reports/x"))


def test_a_damaged_run_is_named(run, shown):
    (run / "run.json").write_text('{"run"')
    with pytest.raises(PlanError, match=r"02-region: found a damaged run\.json"):
        workbook.open("02-region", namespace(run))


MARKS = '<img src=x onerror=alert(1)> [a](javascript:b) **c** _d_ `e` $f$ &amp; ![g](http://h) "q"'


def test_no_item_reads_a_name_as_markup(run, shown, monkeypatch):
    chapter = workbook.open("02-region", namespace(run))
    shown.clear()
    chapter.head(MARKS, MARKS)
    chapter.kpi(MARKS, 1, compare=(MARKS, 2))
    chapter.table(pd.DataFrame({MARKS: [MARKS]}), MARKS)
    chapter.say(MARKS)
    chapter.note(MARKS)
    chapter.left_out(MARKS)
    chapter.gate(pd.DataFrame({"region": [MARKS], "amount": [5]}), tables.company(5))

    assert [bundle[workbook.ITEM]["kind"] for bundle in shown] == ["chapter", "kpi", "table", "say", "note", "left_out", "gate"]
    for bundle in shown:
        assert set(bundle) == {workbook.ITEM, "text/plain", "text/html"}  # no markdown, which would be read
        page = bundle["text/html"]
        assert page.startswith('<div class="mathjax_ignore tex2jax_ignore">') and "<img" not in page
        if bundle[workbook.ITEM]["kind"] != "gate":
            assert html.escape(MARKS, quote=False) in page.replace("&quot;", '"')


def test_a_rule_whose_name_is_markup_is_shown_as_it_is_written(run, shown):
    name = "<img src=x onerror=a()> [a](javascript:b) **c** $f$"
    rules = [{"name": name, "where": {"region": "E"}, "max": 0.2}]
    chapter = workbook.open("02-region", namespace(run, rules=rules))
    weights = pd.DataFrame({"region": ["E", "N", "S"], "weight": [5.0, 3.0, 2.0]})
    chapter.why(split(tables.company(1000), "region", weights, chapter.rules))

    pages = [bundle["text/html"] for bundle in shown]
    assert sum("&lt;img src=x" in page for page in pages) >= 2 and not any("<img" in page for page in pages)
    assert all("text/markdown" not in bundle for bundle in shown)


def test_two_tables_never_share_a_file(run, shown):
    chapter = workbook.open("02-region", namespace(run))
    title = "Where each region stands against the market, its rivals and last year"
    chapter.keep(pd.DataFrame({"a": [1]}), title + " in spring")
    chapter.keep(pd.DataFrame({"a": [2]}), title + " in spring")  # written again
    with pytest.raises(PlanError, match="found two tables in one file where-each-region-stands"):
        chapter.keep(pd.DataFrame({"a": [3]}), title + " in autumn")
