"""The code that computes is the code that is hashed, whatever lies around it."""

import json

import pytest

import planlib
from planlib.errors import ParameterError, PlanError
from planlib.run import chain
from planlib.run import manifest as made
from tests.run.conftest import CHAPTERS


def with_first_line(project, stem: str, line: str) -> None:
    path = project.root / "notebooks" / f"{stem}.ipynb"
    content = json.loads(path.read_text())
    content["cells"][1]["source"] = [line + "\n", *content["cells"][1]["source"]]
    path.write_text(json.dumps(content))


def other_planlib(folder) -> None:
    (folder / "planlib").mkdir()
    (folder / "planlib" / "__init__.py").write_text("OTHER = True\n")


@pytest.mark.parametrize("cold", [False, True])
def test_kernels_import_the_commands_planlib_from_any_folder(project, monkeypatch, cold):
    other_planlib(project.root / "notebooks")  # where a kernel works
    elsewhere = project.root / "elsewhere"
    elsewhere.mkdir()
    other_planlib(elsewhere)
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("PYTHONPATH", str(elsewhere))
    with_first_line(
        project, "01-one", f"import pathlib, planlib; assert pathlib.Path(planlib.__file__).samefile({planlib.__file__!r})"
    )

    assert project.run(cold=cold).name == "q1"


def test_a_project_with_a_planlib_of_its_own_is_not_planned_by_another(project):
    other_planlib(project.root)
    with pytest.raises(ParameterError, match=r"command: found the planlib of .* expected the project's own in"):
        project.run()
    assert not (project.reports / "q1").exists()


@pytest.mark.parametrize("cold", [False, True])
def test_a_module_beside_the_notebooks_is_not_imported_and_is_named(project, cold):
    (project.root / "notebooks" / "helper.py").write_text("share = 0.5\n")
    (project.root / "helper.py").write_text("share = 0.5\n")
    with_first_line(project, "02-two", "import helper")
    with pytest.raises(PlanError, match="helper lies beside the notebooks, where no key knows of it: move it into planlib/"):
        project.run(cold=cold)


def test_code_that_changes_while_a_chapter_runs_is_no_result(project):
    path = project.root / "notebooks" / "02-two.ipynb"
    text = path.read_text()
    line = f"import pathlib; p = pathlib.Path({str(path)!r}); p.write_text(p.read_text().replace('* 100}}', '* 1}}'))"
    with_first_line(project, "02-two", line)
    with pytest.raises(PlanError, match=r"02-two: 02-two\.ipynb changed while the chapter ran"):
        project.run()
    assert not (project.reports / ".staging-q1" / ".green" / "02-two.json").exists()
    path.write_text(text)
    assert project.run().name == "q1"


def test_planlib_that_changes_while_a_chapter_runs_is_no_result(project, monkeypatch):
    package = project.root / "package"
    package.mkdir()
    (package / "a.py").write_text("1")
    monkeypatch.setattr(chain, "PACKAGE", package)
    with_first_line(project, "03-three", f"import pathlib; pathlib.Path({str(package / 'a.py')!r}).write_text('2')")
    with pytest.raises(PlanError, match="03-three: planlib changed while the chapter ran"):
        project.run()


def test_another_installed_version_makes_another_key(project, monkeypatch):
    first = project.run()
    project.executed()
    version = made._version
    monkeypatch.setattr(made, "_version", lambda name: "99.0" if name == "pandas" else version(name))
    second = project.run()

    assert second.name == "q1.2" and project.executed() == list(CHAPTERS)
    keys = [json.loads((folder / "manifest.json").read_text())["key"] for folder in (first, second)]
    assert keys[0] != keys[1]


def test_every_package_that_planlib_imports_is_in_the_key():
    import ast
    import sys
    from importlib import metadata
    from pathlib import Path

    imported = set()
    for path in Path(planlib.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            imported |= {name.partition(".")[0] for name in names}
    known = metadata.packages_distributions()
    foreign = imported - set(sys.stdlib_module_names) - {"planlib"}
    packages = {known[name][0].lower().replace("_", "-") for name in foreign}

    assert packages and packages <= set(made.PACKAGES)
    assert all(made._version(name) for name in made.PACKAGES)


def test_a_second_report_names_itself_and_draft_is_no_run(project):
    project.run()
    second = project.run(force=True)
    assert json.loads((second / "run.json").read_text())["report"] == "q1.2"

    for name in ("draft", "Draft", "latest"):
        project.write(
            "q1.yml", (project.root / "params" / "q1.yml").read_text().replace("company: Acme", f"company: Acme\nrun: {name}")
        )
        with pytest.raises(ParameterError, match="not `draft` or `latest`"):
            project.load()
        project.write("q1.yml", (project.root / "params" / "q1.yml").read_text().replace(f"\nrun: {name}", ""))
