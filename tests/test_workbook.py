"""What a notebook holds in its hand: checked parameters, sentences that read well, and nothing saved unchecked."""

import json
from pathlib import Path

import pandas as pd
import pytest

from planlib import plan as tables
from planlib import workbook
from planlib.errors import GateError, ParameterError, PlanError
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
    monkeypatch.chdir(ROOT)
    settings = {
        "company": "Acme",
        "year": 2026,
        "fiscal_start": 1,
        "currency": "CNY",
        "as_of": "2025-12-31",
        "language": "en",
    }
    content = {"run": "x", "settings": settings, "parameters": {}, "inputs": {}, "left_out": [], "baseline": None}
    (tmp_path / "run.json").write_text(json.dumps(content))
    return tmp_path


def namespace(run: Path, **changes) -> dict:
    notebook = json.loads((ROOT / "notebooks" / "02-region.ipynb").read_text(encoding="utf-8"))
    return {**cell_parameters(notebook), "run": str(run), **changes}


def test_a_wrong_parameter_is_refused_in_the_notebook_too(run, shown):
    with pytest.raises(ParameterError, match=r"priority\.North.*0\.9") as caught:
        workbook.open("02-region", namespace(run, priority={"North": 0.9}, over_line="high"))

    assert "over_line" in str(caught.value)


def test_a_missing_parameter_is_refused(run, shown):
    words = namespace(run)
    del words["newcomer_cut"]
    with pytest.raises(ParameterError, match="newcomer_cut"):
        workbook.open("02-region", words)


def test_rules_count_in_minor_units_and_until_they_expire(run, shown):
    rules = [
        {"name": "cap", "unit": "amount", "max": 10.5},
        {"name": "old", "max": 0.5, "expires": "2025-12-30"},
    ]
    chapter = workbook.open("02-region", namespace(run, rules=rules))

    assert [(rule.name, rule.max) for rule in chapter.rules] == [("cap", 1050.0)]
    assert chapter.expired == ['"old" (2025-12-30)']


def test_nothing_is_saved_before_its_gate(run, shown):
    chapter = workbook.open("02-region", namespace(run))
    plan = pd.DataFrame({"region": ["E", "N"], "amount": [60, 40]})
    with pytest.raises(GateError, match="not passed"):
        chapter.save(plan)
    with pytest.raises(GateError, match="residual"):
        chapter.gate(plan, tables.company(101))
    assert json.loads((run / "gates" / "02-region.json").read_text())["success"] is False
    with pytest.raises(GateError):
        chapter.save(plan)
    assert not (run / "plan").exists()

    chapter.gate(plan, tables.company(100))
    chapter.save(plan)
    assert tables.digest(pd.read_parquet(run / "plan" / "02-region.parquet")) == tables.digest(plan)
    with pytest.raises(GateError, match="this plan"):
        chapter.save(plan.assign(amount=[61, 39]))


def test_a_level_that_is_not_there_is_named(run, shown):
    chapter = workbook.open("02-region", namespace(run))
    with pytest.raises(PlanError, match="01-strategy"):
        chapter.plan("01-strategy")


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (12_345_678_900, "money", "123.5 m CNY"),
        (1_234_567, "money", "12.3 k CNY"),
        (1_234, "money", "12.34 CNY"),
        (250_000_000_000, "money", "2,500.0 m CNY"),
        (-12_345_678_900, "money", "-123.5 m CNY"),
        (0.1234, "share", "12.3%"),
        (0.05, "points", "+5.0 pp"),
        (None, "money", "–"),
        (float("nan"), "share", "–"),
        (1.256, "factor", "1.26"),
    ],
)
def test_values_read_as_a_person_writes_them(run, shown, value, form, text):
    assert workbook.open("02-region", namespace(run)).show(value, form) == text


def test_items_are_plain_json_and_escaped(run, shown):
    chapter = workbook.open("02-region", namespace(run))
    chapter.table(pd.DataFrame({"region": ["<b>E</b>"], "amount": [5], "growth": [float("nan")]}), "A <i>title</i>")
    chapter.kpi("Target", 100, compare=("last year", None))
    items = [bundle[workbook.ITEM] for bundle in shown]

    json.dumps(items, allow_nan=False)
    assert [item["kind"] for item in items] == ["chapter", "table", "kpi"]
    assert items[1]["rows"] == [["<b>E</b>", 5, None]]
    assert [column["format"] for column in items[1]["columns"]] == ["text", "money", "share"]
    assert "<b>E" not in shown[1]["text/html"] and "<i>" not in shown[1]["text/html"]


def test_a_table_that_was_not_handed_on_is_none(run, shown):
    chapter = workbook.open("02-region", namespace(run))
    chapter.keep(pd.DataFrame({"region": ["East"]}), "Budget pool shares")

    assert chapter.handed_on("02-region", "Budget pool shares")["region"].tolist() == ["East"]
    assert chapter.handed_on("03-product", "Portfolio") is None
    assert chapter.handed_on("02-region", "Budget pool shares", in_force=True) is None  # no baseline
    with pytest.raises(PlanError, match="no table 'Portfolio'"):
        chapter.shown("03-product", "Portfolio")
