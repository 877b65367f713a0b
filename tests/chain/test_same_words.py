"""Metamorphic: the sample with every amount doubled, and with everything renamed, is told in the same words.

Double all money: every amount of a table and a sentence doubles, and nothing else changes. Rename every member (keeping their
order, since equal members are listed by name): only the names change. A sentence that is not made from the row it speaks of, a
threshold in money, or a meaning read from a name, shows here.
"""

import itertools
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from planlib.data.tables import TABLES
from tests.chain.in_process import Worked, work
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
MARK = "Zz"  # before a name: the order of names stays
NAMES = {
    "region", "area", "product", "line", "channel", "customer", "person", "role", "partner", "activity", "project", "requires",
    "rival", "warehouse", "city", "industry", "milestone", "department", "owes_to",
}  # fmt: skip
MONEY_PARAMETERS = {("time", "person_month")}
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?: (?:k|m|bn)\b)?(?: CNY)?")
SIZES = {" k": 1e3, " m": 1e6, " bn": 1e9}


def read(table: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "data" / "sample" / f"{table}.csv", dtype=str, keep_default_na=False)


def doubled(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    for column in TABLES[table].columns:
        if column.kind in ("money", "price") and column.name in frame:
            frame[column.name] = [f"{2 * float(text):.2f}" if text else "" for text in frame[column.name]]
    return frame


def named(table: str, frame: pd.DataFrame) -> list[str]:
    return [column.name for column in TABLES[table].columns if column.name in NAMES & set(frame) and column.kind == "text"]


def renamed(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    for name in named(table, frame):
        frame[name] = [";".join(MARK + each for each in text.split(";")) if text else "" for text in frame[name]]
    return frame


def in_params(value: Any, names: set[str]) -> Any:
    """Every text of the parameters that is a name of the data, key or value, renamed too."""
    if isinstance(value, dict):
        return {in_params(key, names): in_params(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [in_params(each, names) for each in value]
    return MARK + value if isinstance(value, str) and value in names else value


def twin(folder: Path, change: str, earlier: dict[str, Worked] | None = None) -> dict[str, Worked]:
    """Both quarters of the sample, changed; by run."""
    asked = yaml.safe_load((ROOT / "params" / "2026Q1.yml").read_text(encoding="utf-8"))
    sections = {name: asked[name] for name in asked if isinstance(asked[name], dict) and name != "data"}
    frames = {table: read(table) for table in asked["data"]}
    names = {
        each
        for table, frame in frames.items()
        for name in named(table, frame)
        for text in frame[name]
        for each in text.split(";")
    }
    if change == "renamed":
        roles = {"Regional manager": "manager", "Supervisor": "supervisor", "Specialist": "specialist"}
        sections["region"].setdefault("roles", roles)
        sections["strategy"] |= {"manager_roles": ["Regional manager"], "field_department": "Sales"}  # as they stand by default
        own_cities = {city for cities in sections["customer"]["candidate_cities"].values() for city in cities}
        asked |= in_params(sections, (names | own_cities) - {""})
        frames = {table: renamed(table, frame) for table, frame in frames.items()}
    elif change == "doubled":
        for section, name in MONEY_PARAMETERS:
            asked[section][name] *= 2
        frames = {table: doubled(table, frame) for table, frame in frames.items()}
    found: dict[str, Worked] = {}
    for run, as_of in (("2026Q1", asked["as_of"]), ("2026Q2", pd.Timestamp("2026-03-31").date())):
        for table, frame in frames.items():
            place = folder / run / "data" / f"{table}.csv"
            place.parent.mkdir(parents=True, exist_ok=True)
            frame.to_csv(place, index=False)
        data = {table: {"file": f"data/{table}.csv"} for table in frames}
        content = {**asked, "run": run, "as_of": as_of, "data": data}
        content.pop("baseline", None)
        found[run] = work(folder / run, content, baseline=found.get("2026Q1"))
    return found


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> dict[str, Worked]:
    return twin(tmp_path_factory.mktemp("plain"), "none")


def value(token: str) -> float:
    text = token.removesuffix(" CNY")
    size = next((SIZES[unit] for unit in SIZES if text.endswith(unit)), 1.0)
    return float(re.sub(r"[^\d.\-]", "", text)) * size


def same_sentence(before: str, after: str, factor: float) -> bool:
    """The same words; amounts times `factor` to their printed digits, other numbers as they were."""
    before, after = (text.replace("<0.1%", "0.0%") for text in (before, after))  # a whole cent decides between them
    if NUMBER.sub("#", before) != NUMBER.sub("#", after):
        return False
    per_unit = "each 1,000 CNY" in before  # a price: money per money stays what it was
    for old, new in zip(NUMBER.findall(before), NUMBER.findall(after), strict=True):
        times = factor if old.endswith("CNY") else 1.0
        if per_unit and times != 1.0 and abs(value(new) - value(old)) <= 0.011 * abs(value(old)):
            continue
        # whole cents move an amount by some of them; other numbers have a printed digit to move by
        if abs(value(new) - times * value(old)) > 0.011 * abs(times * value(old)) + (0.5 if old.endswith("CNY") else 0.051):
            return False
    return True


def same_table(before: dict, after: dict, factor: float) -> list[str]:
    faults = []
    if [c["name"] for c in before["columns"]] != [c["name"] for c in after["columns"]] or len(before["rows"]) != len(
        after["rows"]
    ):
        return [f"{before['title']}: other columns or another number of rows"]
    for row, (old, new) in enumerate(zip(before["rows"], after["rows"], strict=True)):
        for column, a, b in zip(before["columns"], old, new, strict=True):
            money = column["format"] == "money"
            if isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool):
                wanted = a * factor if money else a
                good = abs(b - wanted) <= 2e-3 * abs(wanted) + (50 if money else 2e-4)
            else:
                good = a == b or (isinstance(a, str) and isinstance(b, str) and same_sentence(a, b, factor))
            if not good:
                faults.append(f"{before['title']}, row {row}, {column['name']}: {a!r} -> {b!r}")
    return faults


def differences(before: Worked, after: Worked, factor: float) -> list[str]:
    faults = []
    for stem in before.items:
        pairs = itertools.zip_longest(before.items[stem], after.items[stem], fillvalue={"kind": "nothing"})
        for old, new in pairs:
            new = unmarked(new)
            if old.get("role") == new.get("role") == "trust":
                continue  # how many digits are printed follows the width of an interval, in powers of ten
            if old["kind"] != new["kind"]:
                faults.append(f"{stem}: {old} -> {new}"[:400])
                break
            if old["kind"] == "table":
                faults += [f"{stem}: {text}" for text in same_table(old, new, factor)]
            for name in ("text", "title", "label"):
                if isinstance(old.get(name), str) and not same_sentence(old[name], new[name], factor):
                    faults.append(f"{stem}: {old[name]!r} -> {new[name]!r}")
    return faults


def unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        return {unmarked(key): unmarked(each) for key, each in value.items()}
    if isinstance(value, list):
        return [unmarked(each) for each in value]
    return value.replace(MARK, "") if isinstance(value, str) else value


def plans(worked: Worked, stem: str) -> pd.Series:
    frame = worked.plans[stem]
    keys = [name for name in frame.columns if name != "amount"]
    for name in keys:
        frame = frame.assign(**{name: frame[name].str.replace(MARK, "")})
    return frame.set_index(keys)["amount"].sort_index() if keys else frame["amount"]


@pytest.mark.parametrize("run", ["2026Q1", "2026Q2"])
def test_doubled_amounts_are_told_in_the_same_words(plain, doubled_twin, run):
    found = differences(plain[run], doubled_twin[run], 2.0)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("run", ["2026Q1", "2026Q2"])
def test_renamed_members_are_told_in_the_same_words(plain, renamed_twin, run):
    found = differences(plain[run], renamed_twin[run], 1.0)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("run", ["2026Q1", "2026Q2"])
def test_renamed_members_have_the_same_plan(plain, renamed_twin, run):
    for stem in plain[run].plans:
        pd.testing.assert_series_equal(plans(plain[run], stem), plans(renamed_twin[run], stem))


@pytest.fixture(scope="module")
def doubled_twin(tmp_path_factory) -> dict[str, Worked]:
    return twin(tmp_path_factory.mktemp("doubled"), "doubled")


@pytest.fixture(scope="module")
def renamed_twin(tmp_path_factory) -> dict[str, Worked]:
    return twin(tmp_path_factory.mktemp("renamed"), "renamed")
