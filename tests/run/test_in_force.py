"""The plan in force: everything read of it is in the key, and it is what its own file says, or the run is refused or told."""

import json
import shutil

import pytest

from planlib.errors import ParameterError, PlanError

FOLLOWS = "extends: q1.yml\nas_of: 2026-03-31\nbaseline: q1.yml\n"
THIRD = "extends: q1.yml\nas_of: 2026-06-30\nbaseline: q2.yml\n"


@pytest.fixture
def second(project):
    """The tiny project with its first two quarters published."""
    project.write("q2.yml", FOLLOWS)
    project.run("q2.yml")
    project.executed()
    project.heard.said.clear()
    return project


def added(project, name: str, text: str) -> None:
    path = project.root / "params" / name
    path.write_text(path.read_text() + text)


def manifest(folder) -> dict:
    return json.loads((folder / "manifest.json").read_text())


def digests(folder) -> dict[str, str]:
    return {stem: each["digest"] for stem, each in manifest(folder)["outputs"].items()}


def test_a_table_of_the_plan_in_force_is_in_the_key_though_its_plans_are_equal(second):
    added(second, "q1.yml", "three: {names: {b: 1}}\n")  # the same sum, so the same plan; another table
    first = second.run("q1.yml")
    assert digests(first) == digests(second.reports / "q1") and second.executed() == ["03-three"]
    second.run("q2.yml")

    assert second.executed() == ["01-one", "02-two", "03-three"]
    assert (second.reports / "q2.2").exists()


def test_the_same_plan_in_force_made_again_is_no_other_plan(second):
    second.run("q1.yml", force=True)
    second.executed()
    second.run("q2.yml")

    assert second.executed() == []


def test_the_plan_before_the_plan_in_force_is_in_the_key(second):
    second.write("q3.yml", THIRD)
    second.run("q3.yml")
    second.executed()
    shutil.rmtree(second.reports / "q1")  # q2 stands, what stood before it is gone
    second.heard.said.clear()
    third = second.run("q3.yml")

    assert second.executed() == ["01-one", "02-two", "03-three"]
    assert any("report q1, which stood before q2, is not there any more" in line for line in second.heard.said)
    assert "report q1" in json.loads((third / "run.json").read_text())["baseline"]["told"][0]


def test_a_plan_that_was_deleted_and_made_again_with_other_numbers_is_not_what_stood(second):
    second.write("q3.yml", THIRD)
    shutil.rmtree(second.reports / "q1")
    added(second, "q1.yml", "two: {share: 0.25}\n")
    second.run("q1.yml")
    second.run("q3.yml")

    assert any("report q1, which stood before q2, is not the report it was" in line for line in second.heard.said)


@pytest.mark.parametrize("name", ["plan/01-one.parquet", "tables/02-two/seen.parquet", "run.json"])
def test_a_plan_in_force_that_was_changed_after_publication_is_refused(second, name):
    path = second.reports / "q1" / name
    path.write_text(path.read_text() + " ")
    with pytest.raises(PlanError, match=f"reports/q1/{name}: found other bytes than were published"):
        second.run("q2.yml")


def test_a_table_that_was_added_to_the_plan_in_force_is_refused(second):
    (second.reports / "q1" / "tables" / "02-two" / "rules.parquet").write_text("more")
    with pytest.raises(PlanError, match=r"rules\.parquet: found a file that was not published"):
        second.run("q2.yml")


def test_a_plan_in_force_that_already_holds_this_runs_actuals_is_refused_with_the_way_out(project):
    from planlib.run import chain
    from tests.run.conftest import CHAPTERS, DOORS

    project.write("q2.yml", FOLLOWS)
    closed = project.load(as_of=__import__("datetime").date(2026, 3, 31))
    chain.run(closed, chapters=CHAPTERS, doors=DOORS, preload=("json",))
    with pytest.raises(ParameterError, match="as_of: found 2026-03-31 there, expected a day before 2026-03-31") as caught:
        project.run("q2.yml")
    assert "planlib run params/q1.yml" in str(caught.value)
    assert not (project.reports / "q2").exists()

    project.run("q1.yml")  # the way out
    assert project.run("q2.yml") == project.reports / "q2"


def test_a_plan_in_force_closed_on_another_day_than_its_file_says_is_told(project):
    import datetime as dt

    from planlib.run import chain
    from tests.run.conftest import CHAPTERS, DOORS

    project.write("q2.yml", FOLLOWS)
    chain.run(project.load(as_of=dt.date(2026, 1, 31)), chapters=CHAPTERS, doors=DOORS, preload=("json",))
    project.run("q2.yml")

    assert "its closing date (made with 2026-01-31, q1.yml says 2025-12-31)" in project.heard.said[-1]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("company: Acme", "company: Other", "company: found Acme there and Other here"),
        ("currency: CNY", "currency: EUR", "currency: found CNY there and EUR here"),
        ("year: 2026", "year: 2025", "year: found 2026 there and 2025 here"),
    ],
)
def test_a_plan_in_force_of_another_company_currency_or_year_is_refused(project, old, new, text):
    project.run("q1.yml")
    path = project.root / "params" / "q1.yml"
    path.write_text(path.read_text().replace(old, new))
    later = FOLLOWS.replace("2026", "2025") if "year" in old else FOLLOWS
    project.write("q2.yml", later)
    with pytest.raises(ParameterError, match=text):
        project.run("q2.yml")


def test_inputs_that_have_changed_since_the_plan_in_force_are_told(second):
    (second.root / "data" / "orders.csv").write_text("order_id\n1\n2\n")
    folder = second.run("q2.yml")

    line = "q1 stays the plan in force, though since it was made there changed: inputs (orders)."
    assert any(said.endswith(line) for said in second.heard.said)
    assert json.loads((folder / "run.json").read_text())["baseline"]["told"][0].endswith(line)


def test_a_damaged_plan_in_force_is_named_with_what_to_do(second):
    path = second.reports / "q1" / "manifest.json"
    path.write_text(path.read_text()[:200])
    with pytest.raises(PlanError, match=r"reports/q1/manifest.json: found no whole manifest .* restore the file"):
        second.run("q2.yml")


@pytest.mark.parametrize("content", ["", '{"schema": 1', "[]", '{"schema": 1, "key": "x"}', '{"run": "q1", "chapters": []}'])
def test_a_damaged_manifest_does_not_block_its_run(project, content):
    first = project.run("q1.yml")
    project.executed()
    (first / "manifest.json").write_text(content)
    again = project.run("q1.yml")

    assert again == project.reports / "q1.2" and digests(again)
    assert "reports/q1/manifest.json: found no whole manifest" in project.heard.said[0]
    assert project.run("q1.yml") == again


def test_two_params_files_with_one_run_name_have_no_common_history(project):
    project.run("q1.yml")
    project.write("other.yml", "extends: q1.yml\nrun: q1\none: {amount: 7}\n")
    with pytest.raises(ParameterError, match=r"params/other.yml: run: found reports of q1 that were made from params/q1.yml"):
        project.run("other.yml")

    (project.root / "params" / "q1.yml").rename(project.root / "params" / "renamed.yml")
    project.write("renamed.yml", (project.root / "params" / "renamed.yml").read_text() + "run: q1\none: {amount: 8}\n")
    project.run("renamed.yml", force=True)
    project.executed()
    project.run("renamed.yml")
    assert project.executed() == []


def test_a_year_of_quarters_each_on_the_one_before(project, tmp_path):
    from planlib.run.audit import audit
    from tests.run.conftest import CHAPTERS, DOORS

    ends = {"q2": "2026-03-31", "q3": "2026-06-30", "q4": "2026-09-30"}
    orders = project.root / "data" / "orders.csv"
    folders, before = [project.run("q1.yml")], "q1"
    for quarter, as_of in ends.items():
        changed = "two: {share: 0.25}\n" if quarter == "q3" else ""
        project.write(f"{quarter}.yml", f"extends: {before}.yml\nas_of: {as_of}\nbaseline: {before}.yml\n{changed}")
        orders.write_text(orders.read_text() + f"{quarter}\n")
        folders.append(project.run(f"{quarter}.yml"))
        assert "inputs (orders)" in project.heard.said[-1]
        before = quarter
    project.executed()
    assert project.run("q4.yml") == folders[-1] and project.executed() == []
    manifests = [manifest(folder) for folder in folders]
    assert [each["baseline"]["key"] for each in manifests[1:]] == [each["key"] for each in manifests[:-1]]
    assert len({each["key"] for each in manifests}) == 4

    told: list[str] = []
    assert audit(folders[-1], root=project.root, chapters=CHAPTERS, doors=DOORS, tell=told.append) == 2
    assert [line.split(":")[0] for line in told] == ["q3", "q2", "q1"]
