"""The report of a run: what stands on the page, that data cannot break out of it, and that it is the same each time."""

import base64
import csv
import gzip
import hashlib
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from planlib.errors import ParameterError, PlanError
from planlib.formatting import Reader, guarded, plain
from planlib.run import report
from planlib.run.methods import ITEMS
from tests.conftest import offline

HERE = Path(__file__).parent
_source = importlib.util.spec_from_file_location("fake_run", HERE / "report" / "fake_run.py")
fake_run = importlib.util.module_from_spec(_source)
_source.loader.exec_module(fake_run)


class Page(HTMLParser):
    """The page as a reader's program sees it: start tags with attributes, the text, and what stands in scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.scripts, self._in = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._in = tag if tag in ("script", "style") else None
        if tag == "script":
            self.scripts.append([dict(attrs), ""])

    def handle_endtag(self, tag):
        self._in = None

    def handle_data(self, data):
        if self._in == "script":
            self.scripts[-1][1] += data
        elif self._in is None:
            self.texts.append(data.strip())

    def all(self, tag, **wanted):
        return [attrs for name, attrs in self.tags if name == tag and wanted.items() <= attrs.items()]

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(filter(None, self.texts)))

    def script(self, name):
        return next(text for attrs, text in self.scripts if attrs.get("id") == name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = fake_run.build(tmp_path_factory.mktemp("run") / "2026Q2")
    report.write(made)
    return made


@pytest.fixture(scope="module")
def page(folder):
    return Page((folder / "index.html").read_text(encoding="utf-8"))


@pytest.fixture
def fresh(tmp_path):
    return fake_run.build(tmp_path / "run", cells=2)


def written(folder):
    report.write(folder)
    return Page((folder / "index.html").read_text(encoding="utf-8"))


def change(path, **fields):
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_the_page_has_every_part(page):
    ids = [attrs["id"] for attrs in page.all("section")]
    assert ids == ["overview", "strategy", "region", "time", "budget", "left-out", "downloads", "appendix"]
    assert page.all("html", lang="en")
    assert len(page.all("h1")) == 1
    assert len(page.all("figure")) == 6
    assert {attrs["data-chart"] for attrs in page.all("div") if "data-chart" in attrs} == set("012345")
    assert not page.all("img")
    for text in (
        "Lanting Home & Co",
        "As of Mar 31, 2026",
        "✓ Ties out to the cent · 12 checks in 4 gates",
        "0123456789ab",
        "The target for 2026 is CNY 555.6 m",
        "Which region carries how much of the target?",
        "East, South and Southwest take 55% of the target.",
        "North is held at its floor",
        "customers: no table, so segments come from orders alone",
        "rival_share is not in the regions table",
        "planlib audit 2026Q2.2",
        "98,765,432.10 CNY",
        "3 notebook outputs that are not items of the report ( 1 malformed item, 1 other output, 1 printed text )",
    ):
        assert text.replace("( ", "(").replace(" )", ")") in page.text.replace("( ", "(").replace(" )", ")"), text


def test_the_headline_figure_stands_at_the_top_and_only_there(folder):
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert text.count("The market brings two thirds of the growth") == 1
    assert text.index("The market brings two thirds") < text.index('<section id="strategy"')


def test_numbers_are_readable_and_their_exact_value_is_at_hand(page):
    # 9 regions: 12,345,678.90 x 45 and 36 cents on top
    assert "555.6 m CNY" in page.text
    assert page.all("div", title="555,555,550.86 CNY", **{"class": "value"})
    assert "31.3%" in page.text
    assert "+6.9 pp vs 2025 (favourable)" in page.text
    assert "-0.8 pp vs 2025 (unfavourable)" in page.text
    assert {"title": "111,111,110.10 CNY", "class": "number"} in page.all("td")


def test_only_two_scripts_run_and_the_policy_names_them(page):
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    running = [text for attrs, text in page.scripts if "type" not in attrs]
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in running]
    assert f"script-src {' '.join(hashes)};" in policy
    assert len(running) == 2
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "connect-src 'none'" in policy


def test_data_stays_data(folder, page):
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    assert fake_run.BREAKOUT in page.text  # shown as text ...
    assert "<script>window" not in (folder / "index.html").read_text(encoding="utf-8")  # ... never as markup
    values = json.loads(page.script("chart-data"))["datasets"].values()
    assert fake_run.IMAGE in json.dumps(list(values), ensure_ascii=False).replace('\\"', '"')
    assert "<" not in page.script("chart-data")
    assert "<" not in page.script("table-data")


def test_no_address_and_no_style_or_script_from_elsewhere(page):
    addresses = [attrs.get("src") or attrs.get("href") for _, attrs in page.tags if attrs.get("src") or attrs.get("href")]
    assert all(address.startswith("#") or address == "data:," for address in addresses)


def test_embed_options_of_a_notebook_are_dropped(fresh):
    path = fresh / "notebooks/02-region.ipynb"
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if fake_run.charts.MIME in output["data"] if "data" in output else False:
                output["data"][fake_run.charts.MIME]["usermeta"] = {"embedOptions": {"loader": {}}}
    path.write_text(json.dumps(notebook))
    assert "embedOptions" not in written(fresh).script("chart-data")


def test_a_figure_with_too_many_rows_is_dropped_and_counted(fresh):
    path = fresh / "notebooks/07-budget.ipynb"
    notebook = json.loads(path.read_text())
    spec = next(
        o["data"][fake_run.charts.MIME]
        for c in notebook["cells"]
        for o in c.get("outputs", [])
        if fake_run.charts.MIME in o["data"]
    )
    name = next(iter(spec["datasets"]))
    spec["datasets"][name] = [{"item": "x"}] * 2001
    path.write_text(json.dumps(notebook))
    page = written(fresh)
    assert len(page.all("figure")) == 5
    assert "2 malformed item" in page.text


@pytest.mark.parametrize(
    ("item", "kept"),
    [
        ({"kind": "note", "text": "kept words"}, True),
        ({"kind": "note", "text": ["kept words"]}, False),
        ({"kind": "script", "text": "kept words"}, False),
        ({"kind": "kpi", "label": "kept words", "value": True, "format": "money"}, False),
        ({"kind": "kpi", "label": "kept words", "value": 1.5, "format": "money"}, True),
        ({"kind": "kpi", "label": "kept words", "value": None, "format": "money"}, True),
        ({"kind": "kpi", "label": "kept words", "value": "12", "format": "int"}, False),
        ({"kind": "kpi", "label": "kept words", "value": 1, "format": "html"}, False),
        ({"kind": "table", "title": "kept words", "columns": [{"name": "a"}], "rows": [["x", "y"]]}, False),
        ({"kind": "table", "title": "kept words", "columns": [{"name": "a", "format": "date"}], "rows": [["soon"]]}, False),
        ({"kind": "figure", "title": "kept words"}, False),
    ],
)
def test_the_allow_list_takes_whole_items_only(fresh, item, kept):
    path = fresh / "notebooks/07-budget.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][-1]["outputs"].append({"output_type": "display_data", "data": {fake_run.ITEM: item}, "metadata": {}})
    path.write_text(json.dumps(notebook))
    page = written(fresh)
    assert ("kept words" in page.text) is kept
    assert ("2 malformed item" in page.text) is not kept


def test_the_badge_says_what_the_gates_say(fresh):
    change(fresh / "gates/02-region.json", success=False, checks=[{"success": False, "rule": "cells sum to their parent"}])
    assert "✕ Gate failed: 02-region" in (page := written(fresh)).text
    assert "cells sum to their parent" in page.text
    change(fresh / "gates/02-region.json", success=True, evaluated=2)
    assert "! Not fully checked: 02-region" in written(fresh).text
    (fresh / "gates/02-region.json").unlink()
    assert "! Not fully checked: 02-region" in written(fresh).text


def test_the_appendix_has_what_made_the_run_and_not_when(page, folder):
    region = pd.read_parquet(folder / "plan/01-strategy.parquet")["amount"].item()
    company = hashlib.sha256(f"amount\x1e{region}".encode()).hexdigest()  # one cell: its column and its value
    for text in ("cd" * 32, company, "ab" * 32, "pandas 3.1.1", "HiGHS 1.12", "Measured against the plan in force: 2026Q1."):
        assert text in page.text, text
    assert "finished" not in page.text


def test_a_run_without_manifest_still_has_its_report(fresh):
    (fresh / "manifest.json").unlink()
    assert len(written(fresh).all("section")) == 8


@pytest.mark.parametrize("gone", ["run.json", "notebooks"])
def test_a_folder_that_is_no_run_is_refused(fresh, gone):
    shutil.rmtree(fresh / gone) if (fresh / gone).is_dir() else (fresh / gone).unlink()
    with pytest.raises(PlanError, match="expected"):
        report.write(fresh)
    assert not (fresh / "index.html").exists()


def test_the_same_run_gives_the_same_bytes_anywhere(folder, tmp_path):
    other = fake_run.build(tmp_path / "elsewhere")
    code = "import sys, pathlib; from planlib.run import report; report.write(pathlib.Path(sys.argv[1]))"
    env = {**os.environ, "PYTHONHASHSEED": "11", "TZ": "Pacific/Auckland", "PYTHONPATH": str(HERE.parents[1])}
    subprocess.run([sys.executable, "-c", code, str(other)], env=env, check=True)
    for name in ("index.html", "plan.xlsx"):
        assert (other / name).read_bytes() == (folder / name).read_bytes(), name
    assert not list(folder.glob(".*.tmp"))


def unpacked(page, name):
    text = gzip.decompress(base64.b64decode(page.script(name))).decode()
    return list(csv.reader(io.StringIO(text)))


def as_csv(table):
    """A plan table as its CSV must read, worked out on its own: cents as decimals, formulas disarmed."""

    def text(value):
        return f"'{value}" if value[0] in "=+-@" else value

    def money(value):
        return ("-" if value < 0 else "") + f"{abs(value) // 100}.{abs(value) % 100:02d}"

    names = [name for name in table.columns if name != "amount"]
    return [[*names, "amount (CNY)"]] + [
        [*(text(row[name]) for name in names), money(row["amount"])] for row in table.to_dict("records")
    ]


@pytest.mark.parametrize("stem", ["05-time", "07-budget"])
def test_the_plan_tables_are_in_the_page_to_the_cent(folder, page, stem):
    assert unpacked(page, f"plan-{stem}") == as_csv(pd.read_parquet(folder / f"plan/{stem}.parquet"))
    assert not page.all("button", **{"data-plan": "plan-02-region"})


def test_every_table_has_its_csv(page):
    tables = json.loads(page.script("table-data"))
    assert {attrs["data-table"] for attrs in page.all("button") if "data-table" in attrs} == set(tables)
    rows = list(csv.reader(io.StringIO(next(t["csv"] for t in tables.values() if "allocated" in t["csv"]))))
    assert rows[0] == ["region", "allocated (CNY)", "naive (CNY)", "last year (CNY)", "growth"]
    assert rows[1][:2] == ["East", "111111110.10"]
    assert rows[4][3] == ""  # North has no last year
    assert rows[8][0] == "'" + fake_run.FORMULA


def test_the_workbook_holds_no_live_formula(folder):
    book = openpyxl.load_workbook(folder / "plan.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert fake_run.FORMULA in [cell.value for cell in cells]
    assert book.sheetnames == ["Summary", "Strategy", "Region", "Month", "Budget"] + [
        f"plan {stem}" for stem in ("01-strategy", "02-region", "05-time", "07-budget")
    ]


def test_the_workbook_shows_money_in_major_units_and_rolls_up_what_is_long(folder):
    book = openpyxl.load_workbook(folder / "plan.xlsx")
    region = [[cell.value for cell in row] for row in book["plan 02-region"].iter_rows()]
    assert region[2] == ["region", "amount"]
    assert region[3] == ["East", 111111110.10]
    assert book["plan 02-region"]["B4"].number_format == "#,##0.00"
    time = [[cell.value for cell in row] for row in book["plan 05-time"].iter_rows()]
    assert "6,480 rows rolled up to region and month" in time[0][0]
    assert len(time) == 3 + 9 * 12
    total = pd.read_parquet(folder / "plan/05-time.parquet")["amount"].sum()
    assert round(sum(row[2] for row in time[3:]) * 100) == total


def test_a_report_in_chinese_has_chinese_numbers(tmp_path):
    page = written(fake_run.build(tmp_path / "zh", cells=2, language="zh"))
    assert page.all("html", lang="zh")
    assert "5.56 亿 CNY" in page.text
    assert "2026年3月31日" in page.text


@pytest.mark.parametrize(
    ("value", "form", "en", "zh"),
    [
        (0, "money", "0.00", "0.00"),
        (1_234_56, "money", "1,235", "1,235"),
        (12_345_678_90, "money", "12.3 m", "1,234.6 万"),
        (1_234_567_89, "money", "1.23 m", "123.5 万"),
        (-50_000_000_000_00, "money", "-50.0 bn", "-500.0 亿"),
        (-1, "money", "-0.01", "-0.01"),
        (None, "money", "–", "–"),
        (float("nan"), "share", "–", "–"),
        (0.3125, "share", "31.2%", "31.2%"),
        (0.021, "points", "+2.1 pp", "+2.1个百分点"),
        (-0.0001, "points", "0.0 pp", "0.0个百分点"),
        (1234567, "int", "1,234,567", "1,234,567"),
        (1.15, "factor", "1.15", "1.15"),
        (-0.0123, "factor", "-0.0123", "-0.0123"),
        (1_234_56.6, "money", "1,235", "1,235"),
        (True, "text", "yes", "是"),
        ("2026-03-31", "date", "Mar 31, 2026", "2026年3月31日"),
        ("007", "text", "007", "007"),
    ],
)
def test_values_as_a_reader_sees_them(value, form, en, zh):
    assert Reader("en", "CNY").show(value, form) == en
    assert Reader("zh", "CNY").show(value, form) == zh


def test_a_currency_without_cents_has_none():
    assert plain(-1234, "money", Reader("en", "JPY")) == "-1234"
    assert plain(-1234, "money", Reader("en", "KWD")) == "-1.234"
    with pytest.raises(ParameterError, match="xx-nowhere"):
        Reader("xx-nowhere", "CNY")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(5, "CNY", "0.05"), (-5, "CNY", "-0.05"), (0, "CNY", "0.00"), (123456, "CNY", "1234.56"), (-7, "JPY", "-7")],
)
def test_amounts_have_all_their_digits(amount, currency, text):
    assert Reader("en", currency).digits(amount) == plain(amount, "money", Reader("en", currency)) == text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1+1", "＋1", "－1", "＠x", " =1+1"])
def test_text_that_starts_a_formula_is_disarmed(text):
    assert guarded(text).startswith(("'", " '")) and guarded(text).replace("'", "", 1) == text
    assert guarded("a" + text) == "a" + text


@pytest.mark.parametrize("mark", [";", ",", "|", "\t", "\n", "\r\n", "; ", '"', '";'])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝"])
def test_a_formula_after_any_separator_is_disarmed(mark, sign):
    assert guarded(f"x{mark}{sign}1+2") == f"x{mark}'{sign}1+2"


@pytest.mark.parametrize("text", ["Filter Set", "Mid-Autumn Festival", "A+B", "x@y", "North; South", "a-b, c", "5 = 5", ""])
def test_ordinary_names_stay_as_they_are(text):
    assert guarded(text) == text


# The rest needs a browser.


@pytest.fixture
def opened(browser, folder):
    """The report in a browser without a network, with everything it asked for and complained about."""
    with offline(browser, folder / "index.html") as tab:
        yield tab


@pytest.mark.slow
def test_offline_every_chart_draws_and_nothing_is_asked_for_or_broken(opened, folder):
    assert opened.evaluate("drawAll()") == 6
    assert opened.locator(".plot.drawn svg").count() == opened.locator("figure").count() == 6
    marks = opened.evaluate("Array.from(document.querySelectorAll('.plot svg'), s => s.querySelectorAll('path,text').length)")
    assert min(marks) > 10
    assert opened.locator(".plot svg").first.get_attribute("aria-label") == "A bridge from the 2025 actual to the 2026 target"
    opened.locator(".plot svg path[aria-roledescription=bar]").first.hover()
    assert opened.asked == [(folder / "index.html").as_uri()]
    assert opened.said == []
    assert opened.evaluate("window.broken") is None


@pytest.mark.slow
def test_charts_draw_when_the_reader_comes_near(opened):
    opened.wait_for_selector("#overview .plot.drawn")
    assert opened.locator(".plot.drawn").count() < 6
    opened.locator("#budget figure").last.scroll_into_view_if_needed()
    opened.wait_for_selector("#budget .plot.drawn")


@pytest.mark.slow
def test_both_plan_tables_download_to_the_cent(opened, folder):
    opened.evaluate("drawAll()")  # a chart drawn between press and release would move the button from under the pointer
    for stem in ("05-time", "07-budget"):
        with opened.expect_download() as started:
            opened.locator(f"[data-plan=plan-{stem}]").click()
        assert started.value.suggested_filename == f"2026Q2-{stem}.csv"
        text = Path(started.value.path()).read_bytes().decode("utf-8-sig")
        assert list(csv.reader(io.StringIO(text))) == as_csv(pd.read_parquet(folder / f"plan/{stem}.parquet"))
        assert Path(started.value.path()).read_bytes()[:3] == b"\xef\xbb\xbf"
    opened.locator("#strategy summary").first.click()
    with opened.expect_download() as started:
        opened.locator("#strategy [data-table]").first.click()
    assert started.value.suggested_filename == "01-strategy-1.csv"
    assert Path(started.value.path()).read_text(encoding="utf-8-sig").splitlines()[2] == "base,555555550.86,0.069,0.5"
    assert opened.said == []


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_hangs_over_the_edge(opened, width):
    opened.set_viewport_size({"width": width, "height": 844})
    opened.evaluate("drawAll()")
    opened.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    opened.wait_for_timeout(300)
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    wide = "s => s.getBoundingClientRect().width > s.parentElement.clientWidth + 1"
    assert opened.evaluate(f"Array.from(document.querySelectorAll('.plot svg')).filter({wide}).length") == 0


@pytest.mark.slow
def test_on_a_phone_the_contents_start_folded(opened):
    opened.set_viewport_size({"width": 390, "height": 844})
    opened.wait_for_function("!document.getElementById('contents').open")
    opened.locator("#contents summary").click()
    opened.locator("#contents a[href='#region']").click()
    opened.wait_for_function("!document.getElementById('contents').open")


@pytest.mark.slow
def test_paper_has_every_chart_even_when_printed_at_once(opened, tmp_path):
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext on this machine: install the package poppler-utils to read the printed report")
    opened.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "report.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    for words in ("The market brings two thirds", "Print no longer earns its cost", "What each region brings", "Parameters"):
        assert words in text, words
    for inside in ("million CNY, axis starts", "naive split", "spend, million CNY", "2.40"):
        assert inside in text, inside


def test_the_method_book_leads_from_an_item_to_its_chapter_and_back(page):
    rows = [attrs for name, attrs in page.tags if name == "tr" and re.fullmatch(r"[A-Z]{3}-\d+", attrs.get("id") or "")]
    shown = {"01-strategy", "02-region", "05-time", "07-budget"}

    assert {attrs["id"] for attrs in rows} == {item[0] for item in ITEMS if item[1] in shown}
    assert page.all("section", id="region") and page.all("a", href="#region")


def test_a_chapter_opens_with_its_plan_and_folds_its_evidence_away(page, folder):
    text = (folder / "index.html").read_text(encoding="utf-8")
    region = text[text.index('<section id="region"') : text.index('<section id="time"')]
    folded = re.findall(r'<details class="fold" id="(table-[a-z0-9-]+)"', region)
    open_ = re.findall(r'<div class="block" id="(table-[a-z0-9-]+)"', region)

    assert len(open_) == 1 and len(folded) == 1
