"""The Contoso orders, imported through their params file, against control totals computed from the raw file."""

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
import yaml

from planlib.data.files import TableMapping
from planlib.data.ingest import Input, ingest
from planlib.data.sources import Tables

HERE = Path(__file__).resolve()
CONTOSO = HERE.parents[3] / "shared" / "data" / "contoso"
PARAMS = HERE.parents[1] / "contoso" / "2015.yml"
GROUP = ["region", "channel", "product"]

pytestmark = pytest.mark.skipif(not CONTOSO.is_dir(), reason="the Contoso files are not beside this repository")


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Input:
    params = yaml.safe_load(PARAMS.read_text())
    mapping = params["data"]["orders"]
    mapping["file"] = str((PARAMS.parent / mapping["file"]).resolve())
    inputs, _ = ingest({"orders": TableMapping(**mapping)}, params["currency"], tmp_path_factory.mktemp("store"))
    return inputs["orders"]


@pytest.fixture(scope="module")
def control() -> pd.DataFrame:
    totals = pd.read_csv(CONTOSO / "control_totals.csv", dtype=str, keep_default_na=False)
    for column in ("revenue", "cost"):
        totals[column] = [int(Decimal(text) * 100) for text in totals[column]]
    whole = ["year", "rows", "quantity", "customers"]
    return totals.astype(dict.fromkeys(whole, "int64")).rename(columns={"category": "product"})


def test_every_group_ties_to_its_control_total_to_the_cent(orders: Input, control: pd.DataFrame) -> None:
    tables = Tables({"orders": orders.parquet})
    years = []
    for year in range(2011, 2016):
        found = tables.orders(GROUP, since=f"{year}-01", until=f"{year}-12")
        people = tables.orders([*GROUP, "customer"], since=f"{year}-01", until=f"{year}-12")
        found = found.merge(people.groupby(GROUP, as_index=False).size(), on=GROUP, validate="1:1")
        years.append(found.assign(year=year))
    found = pd.concat(years).rename(columns={"amount": "revenue", "lines": "rows", "size": "customers"})
    found["quantity"] = found["quantity"].astype("int64")
    columns = ["year", *GROUP, "rows", "revenue", "cost", "quantity", "customers"]

    assert len(control) == 342
    pd.testing.assert_frame_equal(
        found[columns].sort_values(["year", *GROUP], ignore_index=True),
        control[columns].sort_values(["year", *GROUP], ignore_index=True),
    )


def test_the_whole_file_foots_and_says_what_was_rounded(orders: Input) -> None:
    assert orders.rows == 38_728
    assert orders.control_total == 4_064_097_342  # 40,640,973.42 as published with the data
    assert any(note.startswith("8 lines of column revenue carry more decimals than USD has") for note in orders.notes)
    assert Tables({"orders": orders.parquet}).span() == ("2011-10", "2015-12", "2015-12-31")
