"""The same parameters give the same numbers: elsewhere, in another time zone, in another order, cold."""

import csv
import json
import os
import random
from pathlib import Path

import pytest

from tests.conftest import ROOT, copy_project, planlib

pytestmark = pytest.mark.slow


def digests(folder: Path) -> dict[str, str]:
    outputs = json.loads((folder / "manifest.json").read_text())["outputs"]
    return {stem: each["digest"] for stem, each in outputs.items()}


def environment(project: Path, **changes: str) -> dict[str, str]:
    """This environment with the project's own copy of planlib first."""
    return {**os.environ, "PYTHONPATH": str(project), **changes}


def test_another_folder_time_zone_hash_seed_and_row_order_cold(sample_reports, tmp_path):
    project = copy_project(tmp_path / "elsewhere, 另一个 {folder}")
    for name in ("orders", "customers", "marketing", "targets", "staff"):
        path = project / "data" / "sample" / f"{name}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))
        random.Random(11).shuffle(rows)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
    ended = planlib(
        "run",
        "params/2026Q2.yml",
        "--cold",
        cwd=project,
        env=environment(project, TZ="Asia/Tokyo", PYTHONHASHSEED="4711", LC_ALL="C.UTF-8"),
        timeout=900,
    )

    assert ended.code == 0, ended.err
    for run in ("2026Q1", "2026Q2"):
        assert digests(project / "reports" / run) == digests(sample_reports / run)


def test_audit_finds_the_published_run_equal(sample_reports):
    ended = planlib("audit", "2026Q1", "--reports", sample_reports, timeout=900)

    assert ended.code == 0, ended.err
    assert ended.out.count("equal") == 7


def test_one_time_parameter_runs_05_onward_only(sample_reports, tmp_path):
    project = copy_project(tmp_path / "project")
    assert planlib("run", "params/2026Q1.yml", cwd=project, env=environment(project)).code == 0
    path = project / "params" / "2026Q1.yml"
    path.write_text(path.read_text().replace("days_before: 30", "days_before: 14"))
    ended = planlib("run", "params/2026Q1.yml", cwd=project, env=environment(project))

    assert ended.code == 0, ended.err
    manifest = json.loads((project / "reports" / "2026Q1.2" / "manifest.json").read_text())
    assert manifest["volatile"]["kept"] == ["01-strategy", "02-region", "03-product", "04-channel"]
    assert set(manifest["volatile"]["chapters"]) == {"05-time", "06-customer", "07-budget"}
    before, after = digests(project / "reports" / "2026Q1"), digests(project / "reports" / "2026Q1.2")
    assert before["04-channel"] == after["04-channel"] and before["05-time"] != after["05-time"]
    assert (ROOT / "params" / "2026Q1.yml").read_text().count("days_before: 30") == 1
