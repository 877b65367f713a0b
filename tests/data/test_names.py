"""Names as the world writes them, and two spellings of one name (cases README, 02 joiners-in-names and 20 case-variants)."""

import unicodedata
from pathlib import Path

import pytest
import yaml

from planlib.data.files import TableMapping
from planlib.data.ingest import ingest
from planlib.data.names import folded
from planlib.data.sources import Tables
from planlib.errors import InputDataError, ParameterError
from planlib.run import params
from planlib.run.doors import mappings
from tests import field


def read(folder: Path, tables: dict[str, tuple[list[str], dict]]):
    """Tables by name: CSV lines and what their mapping says."""
    folder.mkdir(exist_ok=True)
    found = {}
    for name, (lines, more) in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        found[name] = TableMapping(file=str(folder / f"{name}.csv"), **more)
    return ingest(found, "EUR", folder / "store")


def orders(*regions: str, **more) -> tuple[list[str], dict]:
    head = "order_id,date,region,product,quantity,revenue"
    lines = [f'{n},2025-01-{n + 1:02d},"{region}",Lamp,1,{100 + n}.50' for n, region in enumerate(regions)]
    return [head, *lines], more


def case(name: str, project: Path, file: str, **orders_more):
    """What a case's params file reads: inputs, left out."""
    folder = field.case(name, project)
    asked = yaml.safe_load((folder / file).read_text(encoding="utf-8"))
    asked["data"]["orders"].update(orders_more)
    (folder / "asked.yml").write_text(yaml.safe_dump(asked, allow_unicode=True), encoding="utf-8")
    settings = params.load(folder / "asked.yml")
    return ingest(mappings(settings.data), settings.currency, project / "store")[0]["orders"]


def test_the_case_of_joiners_reads(tmp_path):
    read_in = case("02-joiners-in-names", tmp_path, "params.yml")
    regions = Tables({"orders": read_in.parquet}).orders(["region"])["region"]

    assert len(regions) == 3 and any("\u200d" in name for name in regions)


@pytest.mark.parametrize(
    "name",
    [
        "ශ්\u200dරී ලංකාව",  # Sinhala: virama, joiner, letter
        "می\u200cخواهم",  # Persian
        "നന്\u200dമ",  # Malayalam chillu in the older spelling
        "👩\u200d🔬 Lab",  # emoji
        "🏳\ufe0f\u200d🌈",
        *("A.B[C]", "x:y", "O'Brien & Söhne", "=1+1", "<script>alert(1)</script>", "العربية", "北\u3000京", "N" * 300),
    ],
)
def test_names_are_kept_letter_by_letter(tmp_path, name):
    found, _ = read(tmp_path, {"orders": orders(name)})

    assert Tables({"orders": found["orders"].parquet}).orders(["region"])["region"].tolist() == [name]


@pytest.mark.parametrize("name", ["\u200dNorth", "North\u200c", "\u200d", "No\u200d\u200drth", "Nor 1\u200cth", "Nor\u200d th"])
def test_a_joiner_that_joins_nothing_is_refused(tmp_path, name):
    with pytest.raises(InputDataError, match=r"line 2, column region.*both sides of the invisible joiner U\+200[CD]"):
        read(tmp_path, {"orders": orders(name)})


def test_two_unicode_spellings_are_told(tmp_path):
    with pytest.raises(InputDataError, match="two Unicode spellings look alike"):
        read(tmp_path, {"orders": orders("Café", unicodedata.normalize("NFD", "Café"))})


def test_a_params_file_names_members_in_either_unicode_spelling(tmp_path):
    for folder in ("notebooks", "params"):
        (tmp_path / folder).mkdir()
    text = "company: A\nyear: 2026\ncurrency: EUR\ndata: {orders: {file: Café.csv}}\n"
    text += "region: {rules: [{name: x, where: {region: Café}, min: 0.1}]}\n"
    (tmp_path / "params" / "a.yml").write_text(unicodedata.normalize("NFD", text), encoding="utf-8")
    settings = params.load(tmp_path / "params" / "a.yml")

    assert settings.parameters["region"]["rules"][0]["where"] == {"region": "Café"}
    assert settings.data["orders"]["file"].endswith(unicodedata.normalize("NFD", "Café.csv"))  # as the disk has it


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("North", "NORTH"), ("Ｎｏｒｔｈ", "North"), ("São Paulo", "Sao Paulo"), ("New York", "NewYork"), ("ﾄﾖﾀ", "トヨタ")),
        *(("Straße", "STRASSE"), ("می\u200cخواهم", "میخواهم"), ("Łódź", "Łodz"), ("No  rth", "No rth")),
    ],
)
def test_spellings_of_one_name(one, other):
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("कि", "कु"), ("か", "が"), ("North", "Nort"), ("C1", "C-1"), ("名", "各")])
def test_other_names(one, other):
    assert folded(one) != folded(other)


def test_case_variants_are_told_with_their_amounts_and_the_line_that_settles_them(tmp_path):
    found = case("20-case-variants", tmp_path, "paramsCase.yml")
    (note,) = [text for text in found.notes if "spelling" in text]

    assert note.startswith("region: 'North' (") and "'NORTH' (" in note and " EUR)" in note
    assert "`rename: {region: {NORTH: North}}` under `data: orders:`" in note


def test_a_renamed_case_is_the_plain_company(tmp_path):
    told = case("20-case-variants", tmp_path / "a", "paramsCase.yml", rename={"region": {"NORTH": "North"}})
    year = Tables({"orders": told.parquet}).orders(["region"], since="2025-01", until="2025-12")

    assert year["region"].tolist() == ["North", "South", "West"]
    assert int(year["amount"].sum()) == 32651691  # cases README: the plain company sold 326,516.91 in 2025
    assert not [text for text in told.notes if "spelling" in text]


def test_two_further_kinds_of_one_name_are_told(tmp_path):
    found, _ = read(tmp_path, {"orders": orders("São Paulo", "Sao Paulo", "São Paulo", "Ｒio", "Rio", "Rio")})
    notes = [text for text in found["orders"].notes if "spelling" in text]

    assert any("'São Paulo' (2 lines, 203.00 EUR) and 'Sao Paulo' (1 lines, 101.50 EUR)" in text for text in notes)
    assert any("{Ｒio: Rio}" in text for text in notes)


def test_renaming_reaches_every_table_with_the_column(tmp_path):
    listed = (["region,gdp,income", "North,5,1", "South,7,1"], {})
    ours = orders("NORTH", "North", "South", rename={"region": {"NORTH": "North"}})
    found, _ = read(tmp_path, {"orders": ours, "regions": (["region,gdp,income", "NORTH,5,1", "South,7,1"], {})})
    assert Tables({"regions": found["regions"].parquet}).frame("regions")["region"].tolist() == ["North", "South"]

    again, _ = read(tmp_path / "own", {"orders": ours, "regions": listed})
    assert not any("rename" in note for note in again["regions"].notes), again["regions"].notes


def test_rows_that_become_one_by_renaming_are_equal_or_refused(tmp_path):
    ours = orders("NORTH", "North", "South", rename={"region": {"NORTH": "North"}})
    same, _ = read(
        tmp_path / "a", {"orders": ours, "regions": (["region,gdp,income", "NORTH,5,1", "North,5,1", "South,7,1"], {})}
    )
    assert same["regions"].rows == 2 and "taken once" in same["regions"].notes[0]

    with pytest.raises(InputDataError, match=r"line 3: found region 'North' again.*one name by `rename`"):
        read(tmp_path / "b", {"orders": ours, "regions": (["region,gdp,income", "NORTH,5,1", "North,6,1", "South,7,1"], {})})


def test_an_old_name_that_is_not_there_is_told(tmp_path):
    found, _ = read(tmp_path, {"orders": orders("NORTH", "North", rename={"region": {"NROTH": "North"}})})

    assert "rename: no region 'NROTH' in the file; the nearest is 'NORTH'" in found["orders"].notes


@pytest.mark.parametrize(
    ("rename", "told"),
    [
        ({"regoin": {"a": "b"}}, "found the column 'regoin', expected one of"),
        ({"revenue": {"a": "b"}}, "found the column 'revenue', expected one of"),
        ({"region": {"NORTH": " North"}}, "found ' North', expected"),
    ],
)
def test_renaming_says_what_it_cannot_do(tmp_path, rename, told):
    with pytest.raises(ParameterError, match=told):
        read(tmp_path, {"orders": orders("NORTH", rename=rename)})


def test_two_names_may_be_swapped(tmp_path):
    found, _ = read(tmp_path, {"orders": orders("A", "B", "B", rename={"region": {"A": "B", "B": "A"}})})
    sums = Tables({"orders": found["orders"].parquet}).orders(["region"])

    assert dict(zip(sums["region"], sums["lines"], strict=True)) == {"A": 2, "B": 1}
