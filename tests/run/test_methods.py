"""The method book as the project does it: no item of a chapter that exists is without a function and a test."""

import re
from pathlib import Path

import pytest

from planlib.errors import ParameterError
from planlib.run.chain import CHAPTERS
from planlib.run.methods import ITEMS, items, page, text
from tests.conftest import ROOT, planlib

BOOK = ROOT.parent / "shared" / "methods.md"


def test_every_item_of_a_chapter_that_exists_has_a_function_and_a_test():
    lacking = {item.id: item.lacks for item in items(ROOT) if item.chapter in CHAPTERS and item.lacks}

    assert lacking == {}


def test_no_item_of_the_book_is_missing():
    if not BOOK.is_file():
        pytest.skip("the method book is not beside this repository (../shared/methods.md)")
    book = set(re.findall(r"\b[A-Z]{3}-\d+\b", BOOK.read_text(encoding="utf-8")))

    assert {item[0] for item in ITEMS} == book
    assert len(ITEMS) == len(book)


def project(folder: Path, docstring: str, comment: str, test: str) -> Path:
    for name in ("planlib/chapters", "notebooks", "tests"):
        (folder / name).mkdir(parents=True)
    (folder / "planlib/chapters/region.py").write_text(f'def drivers():\n    """Weights {docstring}."""\n')
    cell = f'{{"cells": [{{"metadata": {{"tags": ["parameters"]}}, "source": ["priority: dict = {{}}  # uplift {comment}"]}}]}}'
    (folder / "notebooks/02-region.ipynb").write_text(cell)
    (folder / "tests/test_region.py").write_text(f"def test_priority():\n    # {test}\n    assert True\n")
    return folder


def test_an_item_is_found_where_its_id_is_written(tmp_path):
    (item,) = items(project(tmp_path, "(REG-2)", "(REG-2)", "REG-2"), "REG-2")

    assert item.functions == ("chapters.region.drivers",)
    assert item.parameters == ("region.priority",)
    assert item.tests == ("tests/test_region.py::test_priority",)
    assert item.lacks == []


def test_an_item_without_function_or_test_says_so(tmp_path):
    (item,) = items(project(tmp_path, "", "(REG-2)", "another"), "REG-2")

    assert item.lacks == ["function", "test"]
    assert "MISSING: no function and no test" in text([item], ("02-region",))
    assert "not part of the chain yet" in text([item], ())


def test_the_reports_page_of_the_book_has_the_values_that_were_used(tmp_path):
    notebooks = project(tmp_path, "", "(REG-2)", "") / "notebooks"
    rows = page(notebooks, ["02-region"], {"region": {"priority": {"East": 0.4, "West": 0.3}}})

    assert [row["id"] for row in rows] == [item[0] for item in ITEMS if item[1] == "02-region"]
    found = {row["id"]: row for row in rows}
    assert found["REG-2"]["parameters"] == ["priority = East 0.4, West 0.3"]
    assert found["REG-1"]["parameters"] == [] and found["REG-1"]["section"] == "region"
    assert any(name.startswith("chapters.region") for name in found["REG-1"]["functions"])


def test_a_parameter_of_another_chapter_keeps_its_value(tmp_path):
    notebooks = project(tmp_path, "", "(STR-1)", "") / "notebooks"
    rows = page(notebooks, ["01-strategy"], {"strategy": {}, "region": {"priority": {"East": 0.4}}})

    assert next(row for row in rows if row["id"] == "STR-1")["parameters"] == ["priority = East 0.4"]


@pytest.mark.parametrize(("only", "count"), [("REG", 8), ("reg-2", 1), ("02-region", 8), ("region", 8), ("", len(ITEMS))])
def test_a_part_of_the_book_can_be_asked_for(tmp_path, only, count):
    assert len(items(project(tmp_path, "", "", ""), only)) == count


def test_an_unknown_item_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="'XYZ'"):
        items(project(tmp_path, "", "", ""), "XYZ")


def test_the_command_prints_the_book():
    ended = planlib("methods", "REG-2")

    assert ended.code == 0, ended.err
    assert ended.out.startswith("REG-2  02-region")
    for name in ("chapters.region", "region.priority", "tests/chapters/"):
        assert name in ended.out
    assert planlib("methods", "XYZ").code == 2
