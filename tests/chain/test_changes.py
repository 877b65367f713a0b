"""Renamed, merged, split and moved members through the whole chain: history restated, closed months as booked, residual 0."""

import csv
import datetime as dt
import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from planlib import plan as tables
from planlib import workbook
from planlib.errors import ParameterError
from planlib.run import params
from tests.chain import tiny
from tests.chain.in_process import Worked, work
from tests.conftest import ROOT, planlib
from tests.data.test_restated import HEAD, history

ASKED: dict[str, Any] = {
    "company": "Tiny",
    "year": 2026,
    "currency": "EUR",
    "as_of": dt.date(2026, 3, 31),
    "data": {"orders": {"file": "orders.csv"}},
    "strategy": {"growth": 0.1},
}
MERGE = {"kind": "merge", "dimension": "region", "of": ["North", "West"], "to": "Northwest", "from": "2026-04", "owner": "CEO"}
RENAME = {"kind": "rename", "dimension": "product", "of": "Pump", "to": "Pump Neo", "from": "2026-04"}
MOVE = {"kind": "move", "dimension": "customer", "of": ["C04", "C07", "C15"], "to": {"region": "East"}, "from": "2026-01"}
MOVE |= {"leaving": "North"}
SPLIT = {"kind": "split", "dimension": "channel", "of": "Web", "to": {"Web": 0.7, "App": 0.3}, "from": "2026-04"}
LEVELS = ("02-region", "03-product", "04-channel", "05-time", "06-customer")


def company(folder: Path, until: str = "2026-03", rewrite: Callable[[dict[str, str]], None] | None = None) -> Path:
    """The tiny company's orders in a folder, each line rewritten by hand where asked."""
    folder.mkdir(parents=True)
    tiny.write(folder / "orders.csv", until)
    if rewrite is not None:
        with (folder / "orders.csv").open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        for line in lines:
            rewrite(line)
        with (folder / "orders.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(lines)
    return folder


def as_it_stands(line: dict[str, str]) -> None:
    """What the events make of an order line, worked out on the file itself."""
    if line["customer"] in MOVE["of"] and line["region"] == "North" and line["date"] < "2026-01":
        line["region"] = "East"
    line["region"] = {"North": "Northwest", "West": "Northwest"}.get(line["region"], line["region"])
    line["product"] = {"Pump": "Pump Neo"}.get(line["product"], line["product"])


def ties_out(worked: Worked) -> bool:
    """Whether every level sums to the one above, cell by cell."""
    chain = ["01-strategy", *LEVELS]
    return not any(
        len(tables.residuals(worked.plans[above], worked.plans[below])) for above, below in itertools.pairwise(chain)
    )


@pytest.fixture(scope="module")
def restated(tmp_path_factory) -> Worked:
    folder = company(tmp_path_factory.mktemp("changes") / "all")
    return work(folder, {**ASKED, "changes": [SPLIT, MERGE, RENAME, MOVE]})


def test_every_level_ties_out_and_closed_months_are_what_was_booked(restated):
    sold = pd.Series(tiny.sold(restated.folder.parent / "orders.csv")).groupby(level=2).sum()
    booked = sold[[month for month in sold.index if month.startswith("2026")]].to_dict()

    assert ties_out(restated)
    plan = restated.plans["05-time"]
    assert {month: amount for month, amount in plan.groupby("month")["amount"].sum().items() if month in booked} == booked
    assert set(plan["region"]) == {"East", "Northwest"}
    assert set(plan["product"]) == {"Filter", "Pump Neo"}
    assert set(plan["channel"]) == {"App", "Shop", "Web"}


def test_each_chapter_says_what_happened(restated):
    for stem in restated.items:
        assert any("North and West became Northwest in 2026-04" in text for text in restated.texts(stem)), stem
    said = {
        "02-region": "North and West are one region since 2026-04 (CEO): their history counts as Northwest.",
        "03-product": "Pump is called Pump Neo since 2026-04: its history counts as Pump Neo.",
        "04-channel": "Web became App (30%) and Web (70%) in 2026-04: its history is divided by these shares.",
        "06-customer": "C04, C07 and C15 belong to East since 2026-01: what was bought before counts there too.",
    }
    for stem, text in said.items():
        assert f"{stem} note: {text}" in restated.texts(stem)


@pytest.mark.parametrize(("stem", "place"), [("02-region", 0), ("03-product", 1)])
def test_one_table_shows_both_views_with_closed_months_as_booked(restated, stem, place):
    sold = pd.Series(tiny.sold(restated.folder.parent / "orders.csv"))
    table = restated.table(stem, "History by")

    period = sold.index.get_level_values(2).map(lambda month: month if month.startswith("2026") else month[:4])
    booked = sold.groupby([period, sold.index.get_level_values(place)]).sum()
    shown = table[table["as_booked"] != 0].set_index(["period", "member"])["as_booked"]
    # members that no event touches stand as one
    for (when, member), amount in booked.items():
        assert shown.get((when, member), amount) == amount
    totals = table.groupby("period")[["as_booked", "as_restated", "difference"]].sum()
    assert totals["as_booked"].to_dict() == sold.groupby(period).sum().to_dict()
    assert (totals["as_booked"] == totals["as_restated"]).all()
    assert (totals["difference"] == 0).all()


@pytest.mark.slow
def test_the_plan_is_that_of_a_company_that_always_had_todays_members(tmp_path):
    """The oracle is the orders file itself, rewritten line by line, planned without any change."""
    changes = [MERGE, RENAME, MOVE]
    found = work(company(tmp_path / "changed"), {**ASKED, "changes": changes})
    expected = work(company(tmp_path / "rewritten", rewrite=as_it_stands), ASKED)

    for stem, plan in expected.plans.items():
        assert tables.digest(found.plans[stem]) == tables.digest(plan), stem


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_plan_on_a_random_history_ties_out_and_plans_nobody_who_ended(seed, tmp_path):
    changes, lines, alive = history(seed)
    rows = [",".join(line[name] for name in HEAD.split(",")) for line in lines]
    (tmp_path / "orders.csv").write_text("\n".join([HEAD, *rows]) + "\n", encoding="utf-8")
    found = work(tmp_path, {**ASKED, "as_of": dt.date(2025, 12, 31), "changes": changes})

    assert ties_out(found)
    for dimension, members in alive.items():
        assert set(found.plans["04-channel"][dimension]) <= members


@pytest.mark.slow
def test_a_plan_in_force_made_before_is_compared_in_todays_members(tmp_path):
    before = work(company(tmp_path / "q1", until="2025-12"), {**ASKED, "as_of": dt.date(2025, 12, 31)})
    target = int(before.plans["01-strategy"]["amount"].sum()) / 100
    asked = {**ASKED, "strategy": {"target": target}, "changes": [MERGE, RENAME, MOVE, SPLIT]}
    now = work(company(tmp_path / "q2"), asked, baseline=before)

    stood = before.plans["05-time"]
    stood = stood[stood["month"] <= "2026-03"].groupby("channel")["amount"].sum()
    review = now.table("04-channel", "The review").set_index("channel")
    # three closed months of two regions and two products: each cell of 70% and 30% is rounded on its own
    assert review.loc["App", "plan_in_force"] == pytest.approx(0.3 * stood["Web"], abs=18)
    assert review["plan_in_force"].sum() == stood.sum()
    rows = [line.split(",") for line in tiny.lines("2025-12") if ",2025-" in line and ",North," in line]
    part = sum(float(row[7]) for row in rows if row[5] in MOVE["of"]) / sum(float(row[7]) for row in rows)
    assert any(f"no single customer: {part:.1%} of its North count as East" in text for text in now.texts("02-region"))
    assert ties_out(now)


@pytest.mark.slow
def test_a_chain_of_plans_that_knew_more_and_more_is_told_in_todays_members(tmp_path):
    def under_new_names(line: dict[str, str]) -> None:
        if line["date"] >= "2026-04" and line["region"] != "East":
            line["region"] = "Northwest"

    first = work(company(tmp_path / "q1", "2025-12"), {**ASKED, "as_of": dt.date(2025, 12, 31), "changes": [MERGE]})
    target = {"target": int(first.plans["01-strategy"]["amount"].sum()) / 100}
    asked = {**ASKED, "strategy": target, "changes": [MERGE, SPLIT]}
    second = work(company(tmp_path / "q2"), asked, baseline=first)
    asked |= {"as_of": dt.date(2026, 6, 30), "changes": [MERGE, SPLIT, RENAME | {"from": "2026-07"}]}
    third = work(company(tmp_path / "q3", "2026-06", under_new_names), asked, baseline=second)

    settings = json.loads((third.folder / "run.json").read_text(encoding="utf-8"))
    stood = workbook.Chapter("05-time", third.folder, settings, None, Path("/")).stood_before("05-time")
    assert stood is not None
    assert {name: sorted(stood[name].unique()) for name in ("region", "product", "channel")} == {
        "region": ["East", "Northwest"],
        "product": ["Filter", "Pump Neo"],
        "channel": ["App", "Shop", "Web"],
    }
    found = stood.groupby("month")["amount"].sum()
    for months, plan in ((found.index[:3], first.plans["05-time"]), (found.index[3:], second.plans["05-time"])):
        assert found[months].to_dict() == plan[plan["month"].isin(months)].groupby("month")["amount"].sum().to_dict()
    assert ties_out(third)


def test_a_plan_in_force_that_knew_more_than_this_run_is_refused(tmp_path):
    chapters = ("01-strategy", "02-region")
    base = company(tmp_path / "q1", until="2025-12")
    before = work(base, {**ASKED, "as_of": dt.date(2025, 12, 31), "changes": [MERGE]}, chapters=chapters)

    with pytest.raises(ParameterError, match="the merge of region North, West, and not here"):
        work(company(tmp_path / "q2"), {**ASKED, "strategy": {"target": 1e5}}, baseline=before, chapters=chapters)


CASE = ROOT.parent.parent / "shared" / "cases" / "20-case-variants"


def test_a_region_spelled_in_another_way_since_2025_is_one_region(tmp_path):
    """Case 20 of the shared cases: 326,516.91 sold in 2025, at +10% the target is 359,168.60 (its README)."""
    case = next((each for each in (CASE, ROOT.parent / "shared" / "cases" / CASE.name) if each.is_dir()), None)
    if case is None:
        pytest.skip("the shared cases are not beside this repository (../shared/cases)")
    shutil.copy2(case / "orders_case.csv", tmp_path / "orders.csv")
    asked = {**ASKED, "as_of": dt.date(2025, 12, 31)}
    asked["changes"] = [{"kind": "rename", "dimension": "region", "of": "North", "to": "NORTH", "from": "2025-01"}]
    found = work(tmp_path, asked, chapters=("01-strategy", "02-region"))

    assert found.plans["01-strategy"]["amount"].sum() == 35916860
    assert sorted(found.plans["02-region"]["region"]) == ["NORTH", "South", "West"]
    history = found.table("02-region", "History by").set_index(["period", "member"])
    assert history.groupby("period")["as_booked"].sum()["2025"] == 32651691
    assert history.loc[("2024", "North"), "as_restated"] == 0
    assert history.loc[("2024", "NORTH"), "as_restated"] == history.loc[("2024", "North"), "as_booked"] > 0


# ---------------------------------------------------------------- the params file


def refused(folder: Path, text: str) -> str:
    """How a params file is refused."""
    (folder / "notebooks").mkdir(exist_ok=True)
    (folder / "orders.csv").write_text("", encoding="utf-8")
    head = "company: Tiny\nyear: 2026\ncurrency: EUR\ndata: {orders: {file: orders.csv}}\n"
    (folder / "asked.yml").write_text(head + text, encoding="utf-8")
    with pytest.raises(ParameterError) as fault:
        params.load(folder / "asked.yml")
    return str(fault.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("changes: {}", "expected a list of events"),
        ("changes: [{kind: swap, dimension: region, of: A, to: B, from: 2026-01}]", "'rename', 'merge', 'split' or 'move'"),
        ("changes: [{kind: rename, dimension: region, of: A, to: B, form: 2026-01}]", "did you mean `from`"),
        ("changes: [{kind: rename, dimension: region, of: A, to: B, from: 2027-01}]", "after the plan year"),
        ("changes: [{kind: move, dimension: person, of: P1, to: {region: B}, from: 2026-01}]", "the table `staff`"),
        (
            "changes:\n  - {kind: rename, dimension: region, of: A, to: B, from: 2026-01}\n"
            "  - {kind: rename, dimension: region, of: A, to: C, from: 2026-01}",
            "asked.yml:5: changes: region A changes twice from 2026-01",
        ),
        (
            "changes:\n  - {kind: rename, dimension: region, of: A, to: B, from: 2026-01}\n"
            "region:\n  rules:\n    - {name: floor, where: {region: A}, min: 0.1}",
            "asked.yml:9: region.rules.0.where.region: found the region 'A', which became B in 2026-01; write B.",
        ),
        (
            "changes:\n  - {kind: rename, dimension: product, of: Lamp, to: Neo, from: 2026-01}\n"
            "product: {exits: {Lamp: 2026-05}}",
            "product.exits.Lamp: found the product 'Lamp', which became Neo",
        ),
    ],
)
def test_a_params_file_is_refused_with_its_line(tmp_path, text, expected):
    assert expected in refused(tmp_path, text)


# ---------------------------------------------------------------- the command line


@pytest.mark.slow
def test_a_run_is_audited_and_back_tested_in_todays_members(tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ROOT / "notebooks", project / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy2(ROOT / "requirements.lock", project)
    company(project / "params")
    text = json.dumps({**ASKED, "as_of": "2026-03-31", "changes": [SPLIT, MERGE, RENAME, MOVE]}, indent=1)
    (project / "params" / "q2.yml").write_text(text.replace('"as_of": "2026-03-31"', '"as_of": 2026-03-31'), encoding="utf-8")
    reports = tmp_path / "reports"

    ended = planlib("run", "params/q2.yml", "--reports", reports, "--quiet", cwd=project)
    assert ended.code == 0, ended.err
    page = (reports / "q2" / "index.html").read_text(encoding="utf-8")
    assert "their history counts as Northwest" in page
    ended = planlib("audit", "q2", "--reports", reports, cwd=project)
    assert ended.code == 0, ended.out + ended.err
    ended = planlib("backtest", "params/q2.yml", "--reports", reports, "--years", "2025", cwd=project)
    assert ended.code == 0, ended.err
    assert "in the members of today" in ended.out

    manifest = reports / "q2" / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content["parameters"]["settings"]["changes"][0]["to"] = {"Web": 0.6, "App": 0.4}
    manifest.write_text(json.dumps(content), encoding="utf-8")
    ended = planlib("audit", "q2", "--reports", reports, cwd=project)
    assert ended.code == 1
    assert "manifest.json: was changed after publication: settings.changes" in ended.out
