"""Audit: run it again from its own manifest, somewhere clean, and say what is equal, different or beyond comparing."""

import json

import pytest

from planlib.run.audit import audit, find
from tests.run.conftest import CHAPTERS, DOORS


@pytest.fixture
def audited(project):
    """Audit a run of the tiny project: the exit code and what it told."""

    def audited(folder) -> tuple[int, str]:
        told: list[str] = []
        code = audit(folder, root=project.root, chapters=CHAPTERS, doors=DOORS, tell=told.append)
        return code, "\n".join(told)

    return audited


def edited(path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_an_untouched_run_is_equal(project, audited):
    code, told = audited(project.run())

    assert code == 0
    assert told.count("equal") == 3 and "DIFFERENT" not in told


def test_the_params_file_of_today_does_not_matter(project, audited):
    folder = project.run()
    project.write("q1.yml", "company: [")

    assert audited(folder)[0] == 0


def test_a_changed_plan_file_is_named(project, audited):
    folder = project.run()
    (folder / "plan" / "02-two.parquet").write_text("tampered")
    code, told = audited(folder)

    assert code == 1 and "plan/02-two.parquet" in told


def test_a_changed_digest_is_named(project, audited):
    folder = project.run()
    edited(folder / "manifest.json", lambda content: content["outputs"]["02-two"].update(digest="0" * 64))
    code, told = audited(folder)

    assert code == 1 and "02-two  DIFFERENT" in told


def test_other_inputs_cannot_be_compared(project, audited):
    folder = project.run()
    (project.root / "data" / "orders.csv").write_text("order_id\n2\n")
    code, told = audited(folder)

    assert code == 2 and "orders" in told and "not the bytes" in told


def test_a_missing_input_cannot_be_compared(project, audited):
    folder = project.run()
    (project.root / "data" / "orders.csv").unlink()

    assert audited(folder)[0] == 2


def test_other_code_with_another_result_cannot_be_compared(project, audited):
    folder = project.run()
    notebook = project.root / "notebooks" / "01-one.ipynb"
    notebook.write_text(notebook.read_text().replace("amount: int = 100", "amount: int = 100  # x"))
    edited(folder / "manifest.json", lambda content: content["outputs"]["02-two"].update(digest="0" * 64))
    code, told = audited(folder)

    assert code == 2 and "changed since" in told


def test_an_unreadable_manifest_cannot_be_compared(project, audited):
    folder = project.run()
    (folder / "manifest.json").write_text("{")

    assert audited(folder)[0] == 2


def test_a_run_is_found_by_name_or_path(project):
    folder = project.run()

    assert find("q1", project.reports) == find(str(folder), project.reports) == folder.resolve()
