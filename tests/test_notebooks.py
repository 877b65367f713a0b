"""The notebooks read as a book: one form, short cells, no typed numbers, no outputs, parameters that match their model."""

import ast
import importlib
import json
import re
from pathlib import Path
from statistics import median

import pytest

from planlib.run.chain import CHAPTERS
from planlib.run.params import cell_parameters, parity

ROOT = Path(__file__).parent.parent
HEADINGS = [
    "Parameters",
    "Imports",
    "What we start from",
    "Drivers",
    "The decision",
    "Naive plan",
    "Allocation",
    "The plan",
    "Why this split",
    "Gate",
    "Save",
    "In one sentence",
    "Limits and sources",
]


def notebook(stem: str) -> dict:
    return json.loads((ROOT / "notebooks" / f"{stem}.ipynb").read_text(encoding="utf-8"))


def cells(stem: str, kind: str) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook(stem)["cells"] if cell["cell_type"] == kind]


def model(stem: str) -> type:
    return importlib.import_module(f"planlib.chapters.{stem[3:]}").Parameters


def test_every_notebook_is_a_chapter_of_the_chain():
    assert tuple(sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))) == CHAPTERS


@pytest.mark.parametrize("stem", CHAPTERS)
def test_one_stem_in_every_folder(stem):
    chapters = ROOT / "planlib" / "chapters"
    assert (chapters / f"{stem[3:]}.py").is_file() or (chapters / stem[3:] / "__init__.py").is_file()
    assert (ROOT / "tests" / "chapters" / f"test_{stem[3:]}.py").is_file()


@pytest.mark.parametrize("stem", CHAPTERS)
def test_headings_come_in_the_same_order(stem):
    found = re.findall(r"^## (.+)$", "\n".join(cells(stem, "markdown")), flags=re.M)

    assert found == HEADINGS


@pytest.mark.parametrize("stem", CHAPTERS)
def test_the_question_is_the_modules(stem):
    question = importlib.import_module(f"planlib.chapters.{stem[3:]}").QUESTION

    assert question in cells(stem, "markdown")[0]


@pytest.mark.parametrize("stem", CHAPTERS)
def test_the_parameters_cell_and_the_model_agree(stem):
    assert parity(notebook(stem), model(stem)) == []
    assert cell_parameters(notebook(stem))["run"] == "reports/draft"


@pytest.mark.parametrize("stem", CHAPTERS)
def test_each_parameter_has_a_type_and_a_meaning(stem):
    source = next(text for text in cells(stem, "code") if text.startswith("run:"))

    for line in source.splitlines():
        assert re.match(r"[a-z_]+: (str|float|int|bool|dict|list) = .+  # \S.+", line), line


@pytest.mark.parametrize("stem", CHAPTERS)
def test_code_cells_are_short_and_define_nothing(stem):
    code = [text for text in cells(stem, "code") if not text.startswith("run:")]
    lengths = [len([line for line in text.splitlines() if line.strip()]) for text in code]

    assert median(lengths) <= 5 and max(lengths) <= 20
    for text in code:
        kinds = {type(node) for node in ast.walk(ast.parse(text))}
        assert not kinds & {ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.AsyncFunctionDef}


@pytest.mark.parametrize("stem", CHAPTERS)
def test_no_computed_number_is_typed_into_prose(stem):
    # Method items, formulas and the numbers of chapters may stand there; amounts and percentages may not.
    prose = "\n".join(cells(stem, "markdown"))
    prose = re.sub(r"\$[^$]*\$|`[^`]*`|[A-Z]{3}-\d+|^# \d\d .*$", "", prose, flags=re.M)

    assert re.findall(r"\d[\d.,]*\s?(?:%|m\b|million|CNY)|\d{3,}", prose) == []


@pytest.mark.parametrize("stem", CHAPTERS)
def test_committed_without_outputs(stem):
    for cell in notebook(stem)["cells"]:
        assert cell.get("outputs", []) == [] and cell.get("execution_count") is None


@pytest.mark.parametrize("stem", CHAPTERS)
def test_a_bridge_is_drawn_only_where_something_moved(stem):
    # A company with one region or one product has an empty bridge, which no chart can show.
    assert all("if len(steps):" in cell for cell in cells(stem, "code") if "charts.effects(" in cell)
