"""Amounts keep the decimals of their currency, or those that the params file states (cases README, 03 dinar-decimals).

Revenue in 2025 is counted here from the file's own text with decimals.
"""

import csv
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from planlib.data.ingest import ingest
from planlib.data.sources import Tables
from planlib.errors import ParameterError
from planlib.run import params
from planlib.run.doors import mappings
from tests import field
from tests.chain.in_process import work


@pytest.fixture
def case(tmp_path) -> Path:
    return field.case("03-dinar-decimals", tmp_path)


def sold(file: Path) -> Decimal:
    with file.open(encoding="utf-8") as lines:
        return sum((Decimal(line["revenue"]) for line in csv.DictReader(lines) if line["date"].startswith("2025")), Decimal(0))


@pytest.mark.parametrize(
    ("name", "more", "decimals", "minor"),
    [
        ("params.yml", {}, 2, 87343778),  # cases README: RSD 873,437.78 over the three years
        ("params.yml", {"decimals": 0}, 0, None),
        ("params.yml", {"currency": "JPY", "decimals": 2}, 2, 87343778),
        ("paramsIQD.yml", {}, 3, None),
        ("paramsKWD.yml", {}, 3, None),
        ("paramsKWD.yml", {"currency": "CLF"}, 4, None),
    ],
)
def test_orders_are_kept_in_the_currencys_minor_units(case, tmp_path, name, more, decimals, minor):
    file = case / "a.yml"
    file.write_text(yaml.safe_dump({**yaml.safe_load((case / name).read_text()), **more}), encoding="utf-8")
    settings = params.load(file)
    inputs, _ = ingest(mappings(settings.data), settings.currency, tmp_path / "store")
    months = [f"2025-{month:02d}" for month in range(1, 13)]
    year = Tables({"orders": inputs["orders"].parquet}).orders([], since=months[0], until=months[-1])["amount"].iloc[0]

    assert settings.header()["currency"] == settings.currency and settings.header()["decimals"] == decimals
    assert abs(Decimal(int(year)).scaleb(-decimals) - sold(Path(settings.data["orders"]["file"]))) <= (0 if decimals else 100)
    assert minor is None or inputs["orders"].control_total == minor
    assert decimals == 0 or not [note for note in inputs["orders"].notes if "decimals" in note]


def test_the_target_has_the_decimals_too(case, tmp_path):
    asked = {**yaml.safe_load((case / "paramsIQD.yml").read_text()), "data": {"orders": {"file": str(case / "orders_iqd.csv")}}}
    made = work(tmp_path / "made", asked, chapters=("01-strategy", "02-region"))

    assert made.plans["01-strategy"]["amount"].sum() == round(sold(case / "orders_iqd.csv") * 1000 * Decimal("1.1"))
    assert made.plans["02-region"]["amount"].sum() == made.plans["01-strategy"]["amount"].sum()


@pytest.mark.parametrize("decimals", ["5", "-1", "2.5", "two"])
def test_decimals_are_none_to_four(case, decimals):
    (case / "a.yml").write_text((case / "params.yml").read_text() + f"decimals: {decimals}\n")
    with pytest.raises(ParameterError, match="decimals"):
        params.load(case / "a.yml")


def test_a_baseline_has_the_same_decimals(case):
    text = (case / "params.yml").read_text()
    (case / "base.yml").write_text(text.replace("run: b03", "run: base") + "decimals: 0\n")
    (case / "next.yml").write_text(text.replace("2025-12-31", "2026-01-31") + "baseline: base.yml\n")
    with pytest.raises(ParameterError, match="decimals: found 0 there and 2 here"):
        params.load(case / "next.yml")
