"""Bad input: each run ends with its exit code and a message a stranger can act on, and no report appears."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import copy_project, planlib

ORDERS = "data/sample/orders.csv"


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    return copy_project(tmp_path_factory.mktemp("faults") / "original")


@pytest.fixture
def project(original, tmp_path) -> Path:
    """A fresh project whose files a test may break."""
    return Path(shutil.copytree(original, tmp_path / "project"))


def edited(project: Path, name: str, old: str, new: str) -> None:
    path = project / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def run(project: Path, *words: str):
    ended = planlib("run", "params/2026Q1.yml", *words, cwd=project, env={**os.environ, "PYTHONPATH": str(project)})
    assert not list((project / "reports").glob("2026Q1*"))
    assert "Traceback" not in ended.err and ended.out == ""
    return ended


def test_a_misspelt_parameter_names_the_right_one(project):
    edited(project, "params/2026Q1.yml", "  growth: 0.30", "  growht: 0.30")
    ended = run(project)

    assert ended.code == 2
    assert "growht" in ended.err and "growth" in re.sub("growht", "", ended.err)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("  growth: 0.30", "  growth: 30%", ["growth", "30%"]),
        ("  growth: 0.30", "  growth: 9.0", ["growth", "9.0"]),
        ("  growth: 0.30", "  growth: 0.30\n  growth: 0.31", ["growth", "twice"]),
        ("company: Qinglan Home", "company: !!python/object:os.system x", ["company", "python"]),
        ("Zhejiang: 0.40", "Zhejiang: 0.90", ["Zhejiang", "0.9"]),
        ("as_of: 2025-12-31", "as_of: 2025-12-30", ["as_of", "2025-12-30"]),
        ("currency: CNY", "currency: RMB", ["currency", "RMB"]),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_before_a_kernel_starts(project, old, new, words):
    edited(project, "params/2026Q1.yml", old, new)
    ended = run(project)

    assert ended.code == 2
    assert all(word in ended.err for word in words), ended.err
    assert not (project / "reports" / ".staging-2026Q1" / "notebooks").exists()


def test_an_unreadable_date_is_shown_with_file_line_and_value(project):
    lines = (project / ORDERS).read_text(encoding="utf-8").split("\n")
    lines[41] = re.sub(r"\d{4}-\d\d-\d\d", "2023-13-01", lines[41])
    (project / ORDERS).write_text("\n".join(lines), encoding="utf-8")
    ended = run(project)

    assert ended.code == 3
    assert all(word in ended.err for word in ("orders.csv", "42", "date", "2023-13-01")), ended.err


def test_a_missing_column_is_named_with_what_there_is(project):
    edited(project, ORDERS, "order_id,date,region,product", "order_id,date,regoin,product")
    ended = run(project)

    assert ended.code == 3
    assert "region" in ended.err and "regoin" in ended.err


@pytest.mark.parametrize("content", ["", "order_id,date,region,product,channel,customer,quantity,revenue,cost\n"])
def test_an_empty_file_is_no_plan_of_zeros(project, content):
    (project / ORDERS).write_text(content, encoding="utf-8")
    ended = run(project)

    assert ended.code == 3 and "orders.csv" in ended.err


def test_a_region_in_targets_that_no_order_has_is_named(project):
    edited(project, "data/sample/targets.csv", "2023,Anhui,", "2023,Anhiu,")
    ended = run(project)

    assert ended.code == 3
    assert "Anhiu" in ended.err and "Anhui" in ended.err


def test_an_as_of_after_the_last_order_is_no_month_of_zero(project):
    ended = run(project, "--as-of", "2026-05-31")

    assert ended.code == 3
    assert "2026-04 and 2026-05" in ended.err and "as_of: 2026-03-31" in ended.err and "CNY (between" in ended.err


def test_a_missing_file_is_named(project):
    (project / ORDERS).unlink()
    ended = run(project)

    assert ended.code == 3 and "orders.csv" in ended.err


def test_a_notebook_that_exits_is_not_green(project):
    path = project / "notebooks" / "03-product.ipynb"
    content = json.loads(path.read_text(encoding="utf-8"))
    cell = next(cell for cell in content["cells"] if "".join(cell["source"]).startswith("chapter.gate("))
    cell["source"] = ["import sys\n", "sys.exit()"]
    path.write_text(json.dumps(content), encoding="utf-8")
    ended = run(project)

    assert ended.code == 1
    assert "03-product" in ended.err and "sys.exit()" in ended.err


def test_contradictory_floors_are_named_with_the_way_out(project):
    edited(
        project,
        "params/2026Q1.yml",
        "  rules:\n",
        "  rules:\n"
        "    - {name: Zhejiang floor, where: {region: Zhejiang}, min: 0.6}\n"
        "    - {name: Sichuan floor, where: {region: Sichuan}, min: 0.6}\n",
    )
    ended = run(project)

    assert ended.code == 1
    assert "Zhejiang floor" in ended.err and "Sichuan floor" in ended.err and "cheapest way out" in ended.err
    evidence = project / "reports" / ".staging-2026Q1" / "notebooks" / "02-region.ipynb"
    assert "ConflictError" in evidence.read_text(encoding="utf-8")


def test_a_gate_that_fails_ends_with_4(project):
    path = project / "notebooks" / "02-region.ipynb"
    content = json.loads(path.read_text(encoding="utf-8"))
    cell = next(cell for cell in content["cells"] if "".join(cell["source"]).startswith("chapter.gate("))
    cell["source"] = ["result.plan.loc[0, 'amount'] += 1\n", "chapter.gate(result, company, booked)"]
    path.write_text(json.dumps(content), encoding="utf-8")
    ended = run(project)

    assert ended.code == 4
    assert "02-region" in ended.err and "residual" in ended.err


def test_an_old_report_survives_a_failed_run(sample_reports, original, tmp_path):
    project = Path(shutil.copytree(original, tmp_path / "project"))
    reports = Path(shutil.copytree(sample_reports, project / "reports", symlinks=True))
    before = (reports / "2026Q1" / "index.html").read_bytes()
    edited(project, "params/2026Q1.yml", "priority: {Zhejiang: 0.40", "priority: {Atlantis: 0.40")
    ended = planlib("run", "params/2026Q1.yml", cwd=project, env={**os.environ, "PYTHONPATH": str(project)})

    assert ended.code == 2 and "Atlantis" in ended.err
    assert (reports / "2026Q1" / "index.html").read_bytes() == before
    assert not (reports / "2026Q1.2").exists()
