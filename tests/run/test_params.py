"""Parameters are refused before anything runs, with the file, the line and the nearest right name."""

import datetime as dt
from pathlib import Path

import pytest

from planlib.errors import ParameterError
from planlib.run.params import load
from tests.conftest import ROOT

HEAD = "company: Acme\nyear: 2026\ncurrency: EUR\nas_of: 2025-12-31\ndata:\n  orders: {file: ../data/orders.csv}\n"


@pytest.fixture
def params(tmp_path) -> Path:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "params").mkdir()
    return tmp_path / "params"


def written(params: Path, text: str, name: str = "a.yml") -> Path:
    path = params / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(ParameterError) as caught:
        load(path)
    return str(caught.value)


def test_defaults_fill_every_section(params):
    settings = load(written(params, HEAD))

    assert settings.parameters["strategy"]["growth"] == 0.30
    assert set(settings.parameters) == {"strategy", "region", "product", "channel", "time", "customer", "budget"}
    assert settings.run == "a"
    assert settings.data["orders"]["file"] == str(params.parent / "data" / "orders.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + "strategy: {growht: 0.3}\n", ["a.yml:7", "growht", "growth"]),
        (HEAD + "stratgy: {growth: 0.3}\n", ["a.yml:7", "stratgy", "strategy"]),
        (HEAD + 'strategy: {growth: "0.3"}\n', ["growth", "0.3"]),
        (HEAD + "strategy: {growth: yes}\n", ["growth", "yes"]),
        (HEAD + "strategy: {growth: .nan}\n", ["growth"]),
        (HEAD + "strategy: {growth: 9}\n", ["growth", "9"]),
        (HEAD + "strategy: {growth: 0.1}\nstrategy: {growth: 0.2}\n", ["a.yml:8", "strategy"]),
        (HEAD + "region: {priority: {North: 0.9}}\n", ["priority.North", "0.9"]),
        (HEAD + "region:\n  rules:\n    - {name: x, mix: 0.1}\n", ["a.yml:9", "mix"]),
        (HEAD + "strategy: !!python/object/apply:os.getcwd []\n", ["python", "a.yml:7"]),
        (HEAD + "x: &a [1]\ny: *a\n", ["a.yml"]),
        (HEAD.replace("EUR", "EURO"), ["currency", "EURO"]),
        (HEAD.replace("2025-12-31", "2025-12-30"), ["as_of", "2025-12-30"]),
        (HEAD.replace("2025-12-31", "2024-12-31"), ["as_of", "2024-12-31"]),
        (HEAD.replace("2025-12-31", "2026-12-31"), ["as_of", "2026-12-31"]),
        (HEAD.replace("orders:", "odrers:"), ["odrers", "orders"]),
        (HEAD.replace("year: 2026", "year: '2026'"), ["year", "2026"]),
        (HEAD + "run: ../../etc\n", ["run", "../../etc"]),
        (HEAD + "extends: nowhere.yml\n", ["nowhere.yml"]),
        (HEAD + "extends: ../../secret.yml\n", ["secret.yml"]),
        ("company: [\n", ["a.yml"]),
    ],
)
def test_what_cannot_be_is_refused(params, text, words):
    message = refused(written(params, text))

    assert all(word in message for word in words), message


def test_all_faults_are_told_at_once(params):
    message = refused(written(params, HEAD + "strategy: {growht: 0.3, launches: 2.5}\nregion: {over_uplift: 0.5}\n"))

    assert all(word in message for word in ("growht", "launches", "over_uplift"))


def test_a_file_extends_another_key_by_key(params):
    written(params, HEAD + "strategy: {growth: 0.2, launches: 5}\n", "base.yml")
    settings = load(written(params, "extends: base.yml\nas_of: 2026-03-31\nstrategy: {growth: 0.1}\n", "next.yml"))

    assert settings.parameters["strategy"]["growth"] == 0.1
    assert settings.parameters["strategy"]["launches"] == 5
    assert settings.as_of == dt.date(2026, 3, 31)
    assert settings.run == "next"


def test_a_section_whose_lines_are_comments_keeps_what_it_extends(params):
    written(params, HEAD + "strategy: {growth: 0.2, launches: 5}\n", "base.yml")
    settings = load(written(params, "extends: base.yml\nas_of: 2026-03-31\ndata:\nstrategy:\n  # growth: 0.1\n", "next.yml"))

    assert settings.parameters["strategy"]["growth"] == 0.2
    assert settings.parameters["strategy"]["launches"] == 5
    assert "orders" in settings.data


@pytest.mark.parametrize("value", ["0", '""', "false"])
def test_a_closing_date_that_is_none_is_no_default(params, value):
    assert "as_of" in refused(written(params, HEAD.replace("as_of: 2025-12-31", f"as_of: {value}")))


def test_a_ring_of_extends_is_refused(params):
    written(params, "extends: b.yml\n")
    message = refused(written(params, "extends: a.yml\n", "b.yml"))

    assert "leads back to itself" in message and "a.yml" in message


def test_a_baseline_must_be_a_plan_this_one_can_follow(params):
    written(params, HEAD.replace("2026", "2025").replace("2025-12-31", "2024-12-31"), "base.yml")
    message = refused(written(params, HEAD + "baseline: base.yml\n"))

    assert "year" in message and "2025" in message


def test_as_of_from_the_command_line_wins(params):
    assert load(written(params, HEAD), as_of=dt.date(2026, 6, 30)).as_of == dt.date(2026, 6, 30)


@pytest.mark.parametrize("name", ["2026Q1.yml", "2026Q2.yml"])
def test_the_projects_own_files_are_good(name):
    settings = load(ROOT / "params" / name)

    assert settings.company == "Qinglan Home"
    assert (settings.baseline is None) == (name == "2026Q1.yml")
