import fcntl
import json
import os
import shutil
from pathlib import Path

import pytest

from planlib.errors import GateError, InputDataError, ParameterError, PlanError, TieOutError


def digests(folder: Path) -> dict[str, str]:
    return {stem: each["digest"] for stem, each in json.loads((folder / "manifest.json").read_text())["outputs"].items()}


def test_a_run_publishes_everything_once(project):
    folder = project.run()
    assert folder == project.reports / "q1"
    assert (project.reports / "latest").resolve() == folder
    assert sorted(path.name for path in folder.iterdir()) == [
        "gates", "index.html", "manifest.json", "notebooks", "plan", "run.json", "tables",
    ]  # fmt: skip
    assert not list(project.reports.glob(".staging*"))
    assert project.executed() == ["01-one", "02-two", "03-three"]
    run = json.loads((folder / "run.json").read_text())
    assert run["run"] == "q1" and run["baseline"] is None and run["left_out"] == ["line"]
    assert run["settings"]["as_of"] == "2025-12-31"
    assert run["parameters"]["one"] == {"amount": 100}
    assert run["inputs"]["orders"]["parquet"] == "reports/.inputs/orders.parquet"
    assert run["inputs"]["orders"]["file"] == "data/orders.csv"


def test_the_same_again_is_a_no_op(project):
    first = project.run()
    project.executed()
    before = first.stat().st_mtime_ns
    assert project.run() == first
    assert project.executed() == []
    assert first.stat().st_mtime_ns == before
    assert "nothing to do" in project.heard.said[-1]


@pytest.mark.parametrize(("name", "again"), [("index.html", []), ("plan/02-two.parquet", ["02-two"])])
def test_a_report_that_was_damaged_is_made_again_beside_itself(project, name, again):
    first = project.run()
    before = digests(first)
    project.executed()
    (first / name).unlink()
    second = project.run()

    assert second == project.reports / "q1.2" and (second / name).is_file()
    assert project.executed() == again
    assert any(f"{name} not as published any more" in text for text in project.heard.said)
    assert digests(second) == before
    assert project.run() == second  # and that one is whole


def test_a_plan_in_force_that_was_damaged_can_be_made_again(project):
    project.write("q2.yml", "extends: q1.yml\nas_of: 2026-03-31\nbaseline: q1.yml\n")
    (project.run() / "plan" / "03-three.parquet").write_text("damaged")
    with pytest.raises(PlanError, match=r"03-three\.parquet: found other bytes than were published.*make that run again"):
        project.run("q2.yml")
    project.run("q1.yml")

    assert json.loads((project.run("q2.yml") / "run.json").read_text())["baseline"]["path"] == "reports/q1.2"


def test_a_copy_of_the_reports_without_their_link_is_refused_before_anything_runs(project):
    first = project.run()
    (project.reports / "latest").unlink()
    shutil.copytree(first, project.reports / "latest")
    project.executed()
    with pytest.raises(ParameterError, match="latest: found a file or folder, expected the link"):
        project.run(force=True)

    assert project.executed() == [] and not (project.reports / "q1.2").exists()


def test_force_makes_a_second_report_beside_the_first(project):
    first = project.run()
    second = project.run(force=True)
    assert second == project.reports / "q1.2"
    assert (project.reports / "latest").resolve() == second
    assert project.executed() == ["01-one", "02-two", "03-three"] * 2
    assert digests(first) == digests(second)


def test_a_changed_parameter_runs_its_chapter_and_the_later_ones(project):
    project.run()
    project.executed()
    project.write("q1.yml", project.root.joinpath("params/q1.yml").read_text() + "two: {share: 0.25}\n")
    second = project.run()
    assert project.executed() == ["02-two", "03-three"]
    assert ("01-one", "kept") in project.heard.states
    assert second == project.reports / "q1.2"
    assert "25.0" in (second / "plan" / "03-three.parquet").read_text()


def test_a_changed_notebook_text_runs_nothing_but_changed_code_does(project):
    project.run()
    project.executed()
    path = project.root / "notebooks" / "03-three.ipynb"
    content = json.loads(path.read_text())
    content["cells"].append({"cell_type": "markdown", "id": "words", "metadata": {}, "source": "Words."})
    path.write_text(json.dumps(content))
    project.run()
    assert project.executed() == []
    content["cells"][-2]["source"].append("\nextra = 1")
    path.write_text(json.dumps(content))
    project.run()
    assert project.executed() == ["03-three"]


def test_changed_input_bytes_run_everything(project):
    project.run()
    project.executed()
    (project.root / "data" / "orders.csv").write_text("order_id\n2\n")
    project.run()
    assert project.executed() == ["01-one", "02-two", "03-three"]


def test_a_tampered_chapter_is_not_kept(project):
    folder = project.run()
    project.executed()
    (folder / "plan" / "01-one.parquet").write_text("tampered")
    project.write("q1.yml", project.root.joinpath("params/q1.yml").read_text() + "three: {names: {b: 2}}\n")
    project.run()
    assert project.executed() == ["01-one", "03-three"]


def test_resumes_at_the_chapter_that_failed(project):
    project.stop("02", "raise")
    with pytest.raises(PlanError, match=r"02-two: ValueError: no such month\n.*notebooks/02-two.ipynb, cell 4"):
        project.run()
    assert project.executed() == ["01-one", "02-two"]
    evidence = project.reports / ".staging-q1" / "notebooks" / "02-two.ipynb"
    assert "no such month" in evidence.read_text()
    assert not (project.reports / "q1").exists() and not (project.reports / "latest").exists()
    project.go_on()
    folder = project.run()
    assert project.executed() == ["02-two", "03-three"]
    assert (folder / "index.html").exists()


@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        ("exit", PlanError, "code cell 4 called sys.exit\\(\\), expected every code cell"),
        ("exit 3", PlanError, "called sys.exit"),
        ("die", PlanError, "the kernel died"),
        ("tie", TieOutError, "02-two: East: found 0.99 CNY, expected 100; look at the rounding."),
        ("red", GateError, "success False"),
        ("half", GateError, "1 of 2 checks"),
        ("no gate", GateError, "expected a gate"),
        ("no plan", GateError, "left no plan table"),
    ],
)
def test_a_chapter_that_fails_publishes_nothing_and_says_why(project, fault, kind, text):
    project.stop("02", fault)
    with pytest.raises(kind, match=text) as caught:
        project.run()
    assert type(caught.value) is kind
    assert "03-three" not in project.executed()
    assert not (project.reports / "q1").exists()


def test_a_failing_report_leaves_the_old_one_and_the_next_run_only_writes_the_report(project):
    from dataclasses import replace

    from planlib.run import chain

    first = project.run()
    project.executed()

    def no_space(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    settings = project.load().model_copy(update={"company": "Other"})
    doors = chain.Doors(**{**project.run.__globals__["DOORS"].__dict__})
    arguments = {"chapters": project.run.__globals__["CHAPTERS"], "preload": ("json",)}
    with pytest.raises(OSError):
        chain.run(settings, doors=replace(doors, report=no_space), **arguments)
    assert (project.reports / "latest").resolve() == first
    project.executed()
    second = chain.run(settings, doors=doors, **arguments)
    assert project.executed() == [] and second.name == "q1.2"


def test_an_input_that_changes_while_it_is_read_is_refused(project):
    from dataclasses import replace

    from planlib.run import chain

    names = project.run.__globals__
    doors = replace(names["DOORS"], fingerprint=lambda data: dict.fromkeys(data, "0" * 64))
    with pytest.raises(InputDataError, match="orders: the file changed while it was read"):
        chain.run(project.load(), doors=doors, chapters=names["CHAPTERS"], preload=("json",))


def test_a_second_run_at_once_is_refused_with_the_pid(project):
    project.reports.mkdir()
    with (project.reports / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("4711 q7")
        file.flush()
        with pytest.raises(PlanError, match="run q7 is being made there by process 4711"):
            project.run()
    assert project.run().name == "q1"


def test_the_baseline_runs_first_when_it_is_missing_and_is_kept_afterwards(project):
    project.write("q2.yml", "extends: q1.yml\nas_of: 2026-03-31\nbaseline: q1.yml\none: {amount: 200}\n")
    second = project.run("q2.yml")
    assert project.executed() == ["01-one", "02-two", "03-three"] * 2
    assert "q1, which has no report yet" in project.heard.said[0]
    assert (project.reports / "latest").resolve() == second
    told = json.loads((second / "run.json").read_text())["baseline"]
    key = json.loads((project.reports / "q1" / "manifest.json").read_text())["key"]
    assert told == {"run": "q1", "path": "reports/q1", "key": key, "told": []}
    project.run("q2.yml", force=True)
    assert project.executed() == ["01-one", "02-two", "03-three"]


def test_a_baseline_whose_file_has_changed_stays_in_force_and_says_so(project):
    project.write("q2.yml", "extends: q1.yml\nas_of: 2026-03-31\nbaseline: q1.yml\n")
    project.run("q2.yml")
    project.write("q1.yml", (project.root / "params" / "q1.yml").read_text() + "one: {amount: 300}\n")
    project.heard.said.clear()
    second = project.run("q2.yml")

    assert any("q1 stays the plan in force" in line for line in project.heard.said)
    assert json.loads((second / "run.json").read_text())["baseline"]["path"] == "reports/q1"


def test_a_cell_that_does_not_take_a_parameter_is_refused_before_a_kernel_starts(project):
    path = project.root / "notebooks" / "02-two.ipynb"
    path.write_text(path.read_text().replace("share: float = 0.5", "shares: float = 0.5"))
    with pytest.raises(ParameterError, match=r"02-two.ipynb: .* differ in share, shares"):
        project.run()
    assert project.executed() == []


def test_two_folders_two_zones_two_seeds_forked_and_cold_give_the_same_digests(project, second_project, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("HOST_SECRET", "s3cret")
    first = project.run()
    monkeypatch.setenv("TZ", "America/Lima")
    monkeypatch.setenv("PYTHONHASHSEED", "11")
    monkeypatch.chdir(second_project.root)
    second = second_project.run(cold=True)
    assert digests(first) == digests(second)
    plan = (first / "plan" / "03-three.parquet").read_text()
    assert "'UTC'" in plan and "C.UTF-8" in plan and "s3cret" not in plan


def test_the_manifest_names_no_place_and_no_person(project):
    text = (project.run() / "manifest.json").read_text()
    assert str(project.root) not in text and os.uname().nodename not in json.loads(text)["environment"].values()
    assert str(Path.home()) not in text
