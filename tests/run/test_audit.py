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


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("manifest.json", ("baseline",)),
        ("manifest.json", ("chapters", "02-two", "handed_on")),
        ("manifest.json", ("parameters", "data")),
        ("manifest.json", ("code", "notebooks")),
        ("run.json", ("parameters",)),
    ],
)
def test_a_record_that_lacks_a_part_cannot_be_compared(project, audited, file, place):
    folder = project.run()

    def lacks(content) -> None:
        for name in place[:-1]:
            content = content[name]
        del content[place[-1]]

    edited(folder / file, lacks)
    code, told = audited(folder)

    assert code == 2 and "q1: not comparable" in told and place[-1] in told


def test_a_manifest_of_another_form_cannot_be_compared(project, audited):
    folder = project.run()
    edited(folder / "manifest.json", lambda content: content.update(schema=1))
    code, told = audited(folder)

    assert code == 2 and "q1: found a manifest of form 1, expected 2" in told


def test_a_run_is_found_by_name_or_path(project):
    folder = project.run()

    assert find("q1", project.reports) == find(str(folder), project.reports) == folder.resolve()


@pytest.fixture
def second(project):
    """A second quarter on the first one."""
    project.write("q2.yml", "extends: q1.yml\nas_of: 2026-03-31\nbaseline: q1.yml\n")
    return project.run("q2.yml")


def changed(content, *place, to) -> None:
    for name in place[:-1]:
        content = content[name]
    content[place[-1]] = to


@pytest.mark.parametrize(
    ("place", "to", "words"),
    [
        (("parameters", "settings", "company"), "Other", "settings.company: Acme then, Other now"),
        (("parameters", "sections", "three", "names"), {"b": 1}, "parameters.three.names"),
        (("gates", "02-two", "declared"), 7, "gates.02-two.declared: 7 then, 2 now"),
        (("outputs", "02-two", "rows"), 9, "outputs.02-two.rows: 9 then, 1 now"),
        (("inputs", "orders", "rows"), 9, "inputs.orders.rows: 9 then, 1 now"),
        (("chapters", "02-two", "handed_on", "tables/02-two/seen.parquet"), "0" * 64, "tables/02-two/seen.parquet"),
        (("key",), "0" * 64, "its key is not the one that its parameters, inputs and code make"),
        (("code", "planlib"), "0" * 64, "its key is not the one"),
        (("environment", "packages", "pandas"), "1.0", "its key is not the one"),
    ],
)
def test_an_edited_manifest_is_found(project, audited, place, to, words):
    folder = project.run()
    edited(folder / "manifest.json", lambda content: changed(content, *place, to=to))
    code, told = audited(folder)

    assert code == 1 and words in told, told


def test_a_second_quarter_is_equal_and_leaves_nothing_behind(project, audited, second, scratch):
    code, told = audited(second)

    assert code == 0 and told.count("equal") == 3
    assert list(scratch.iterdir()) == []


def test_only_the_inputs_of_the_plan_in_force_have_grown_and_are_named(project, audited, second, scratch):
    (project.root / "data" / "orders.csv").write_text("order_id\n1\n2\n")
    grown = project.run("q2.yml")
    code, told = audited(grown)

    assert code == 2, told
    assert "q1: orders: not comparable: data/orders.csv is not the bytes it was" in told and "q2: orders" not in told
    assert list(scratch.iterdir()) == []


def test_a_plan_in_force_that_was_changed_since_is_named(project, audited, second):
    path = project.reports / "q1" / "plan" / "02-two.parquet"
    path.write_text(path.read_text() + " ")
    code, told = audited(second)

    assert code == 1 and "q1: plan/02-two.parquet: was changed after publication" in told


def test_a_plan_in_force_that_is_gone_cannot_be_compared(project, audited, second):
    import shutil

    shutil.rmtree(project.reports / "q1")
    code, told = audited(second)

    assert code == 2 and "q1: found no such report, expected the plan that q2 followed" in told


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """The folder for temporary folders."""
    import tempfile

    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("fault", ["raise", "die"])
def test_an_audit_that_cannot_run_leaves_no_folder_behind(project, audited, scratch, fault):
    folder = project.run()
    notebook = project.root / "notebooks" / "02-two.ipynb"
    code = {"raise": "raise ValueError('x')", "die": "import os; os._exit(1)"}[fault]
    edited(notebook, lambda content: content["cells"][1].update(source=[code]))

    assert audited(folder)[0] == 2
    assert list(scratch.iterdir()) == []
    notebook.unlink()
    assert audited(folder)[0] == 2
    assert list(scratch.iterdir()) == []


def test_what_differs_is_kept_and_told(project, audited, scratch):
    folder = project.run()
    edited(folder / "manifest.json", lambda content: content["outputs"]["02-two"].update(digest="0" * 64))
    _, told = audited(folder)

    assert [str(each) for each in scratch.iterdir() if str(each) in told]


def test_a_plan_in_force_that_was_made_again_is_not_the_one_that_was_followed(project, audited, second):
    import shutil

    shutil.rmtree(project.reports / "q1")
    project.write("q1.yml", (project.root / "params" / "q1.yml").read_text() + "two: {share: 0.25}\n")
    project.run("q1.yml")
    code, told = audited(second)

    assert code == 2 and "q1: found another report than the one q2 was made with" in told
