"""Strict reading, one fault at a time, and the questions chapters ask of what was read."""

import gzip
import subprocess
import sys
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from planlib.data.files import TableMapping
from planlib.data.ingest import Input, fingerprint, ingest
from planlib.data.sources import Tables
from planlib.data.tables import TABLES, UNUSED, dictionary
from planlib.errors import InputDataError, ParameterError

ROOT = Path(__file__).resolve().parents[2]
HEADER = "order_id,date,region,product,channel,customer,quantity,revenue,cost"
LINES = [
    "A1,2025-01-05,East,Tea,Web,C1,2,100.00,60.00",
    "A1,2025-01-05,East,Milk,Web,C1,1,50.50,20.25",
    "A2,2025-02-10,West,Tea,Shop,C2,3,150.00,90.00",
    "A3,2025-02-11,East,Tea,Web,C1,-1,-50.00,-30.00",
]


class Desk:
    """A folder to write tables into and read them back from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def read(self, currency: str = "USD", **mappings: TableMapping) -> tuple[dict[str, Input], list[str]]:
        return ingest(mappings, currency, self.folder / "store")

    def orders(self, content: str | bytes, name: str = "orders.csv", currency: str = "USD", **how: object) -> Tables:
        mapping = TableMapping(file=self.write(name, content), **how)  # type: ignore[arg-type]
        inputs, _ = self.read(currency, orders=mapping)
        return Tables({"orders": inputs["orders"].parquet})

    def beside(self, table: str, content: str) -> tuple[dict[str, Input], list[str]]:
        """Good orders with another table beside them."""
        orders = TableMapping(file=self.write("orders.csv", csv(LINES)))
        return self.read(orders=orders, **{table: TableMapping(file=self.write(f"{table}.csv", content))})


def csv(lines: list[str], header: str = HEADER) -> str:
    return "\n".join([header, *lines]) + "\n"


def line(**cells: str) -> str:
    """The first good line with some cells changed."""
    return ",".join((dict(zip(HEADER.split(","), LINES[0].split(","), strict=True)) | cells).values())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# ---- faults of the file


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"orders.csv: found 0 rows \(the file is empty\)"),
        (HEADER + "\n", "orders.csv: found 0 rows"),
        (csv([LINES[0] + ",extra"]), "orders.csv line 2: found 10 fields, expected 9"),
        (csv([LINES[0], "", "A9,2025-01-01,East"]), "orders.csv line 4: found 3 fields, expected 9"),
        (csv([f'"{LINES[0]}', LINES[1], f'"{LINES[2]}']), "orders.csv line 2: found 7 fields|quotation mark"),
        (csv([line(customer='"C1'), LINES[1], line(customer='"C2')]), r"orders.csv line 2: found a quotation mark"),
        (csv(LINES, HEADER.replace("cost", "revenue")), "orders.csv: found the column names 'revenue' more than once"),
        (
            csv(LINES, HEADER.replace("revenue", "Revenu")),
            r"no 'revenue'; the nearest is 'Revenu'(.|\n)*the file has: 'order_id'",
        ),
        (csv(LINES).replace(",", ";"), "delimiter: ';'"),
        (csv(LINES).encode("utf-16"), "UTF-16"),
        (csv([LINES[0], line(region="Île")]).encode("latin-1"), r"line 3: found the byte 0xCE, expected utf-8(.|\n)*Latin-1"),
    ],
)
def test_a_file_that_is_not_as_declared_is_refused(desk: Desk, content: str | bytes, message: str) -> None:
    with pytest.raises(InputDataError, match=message):
        desk.orders(content)


def test_a_mapped_column_that_the_file_lacks_names_the_nearest(desk: Desk) -> None:
    with pytest.raises(InputDataError, match="no 'Dat'; the nearest is 'date'"):
        desk.orders(csv(LINES), columns={"date": "Dat"})
    with pytest.raises(InputDataError, match="no 'Costs'; the nearest is 'cost'"):
        desk.orders(csv(LINES), columns={"cost": "Costs"})  # optional, but the mapping promises it


def test_a_mapping_of_unknown_names_is_refused(desk: Desk) -> None:
    with pytest.raises(ParameterError, match=r"found 'regoin'.*did you mean 'region'"):
        desk.orders(csv(LINES), columns={"regoin": "region"})
    good = TableMapping(file=desk.write("orders.csv", csv(LINES)))
    with pytest.raises(ParameterError, match=r"found the table 'order'.*did you mean 'orders'"):
        desk.read(order=good)
    with pytest.raises(ParameterError, match="found no `orders`"):
        desk.read(regions=good)
    for wrong in ({"date_format": "%d.%m"}, {"delimiter": "and"}, {"colums": {}}, {"encoding": "utf8?"}):
        with pytest.raises(ValidationError):
            TableMapping(file="orders.csv", **wrong)  # type: ignore[arg-type]


def test_files_of_other_kinds_are_refused(desk: Desk) -> None:
    with pytest.raises(InputDataError, match=r"orders\.xlsx: found a kind of file that is not read"):
        desk.orders(csv(LINES), name="orders.xlsx")
    with pytest.raises(InputDataError, match="damaged gzip"):
        desk.orders(gzip.compress(csv(LINES).encode())[:-9], name="orders.csv.gz")
    with pytest.raises(InputDataError, match="no Parquet"):
        desk.orders(csv(LINES), name="orders.parquet")
    (desk.folder / "folder.csv").mkdir()
    for name, found in (("folder.csv", "a folder"), ("nowhere.csv", "no such file")):
        with pytest.raises(InputDataError, match=f"orders: found {found}"):
            desk.read(orders=TableMapping(file=str(desk.folder / name)))


# ---- faults of a cell


@pytest.mark.parametrize(
    "value", ["", "NaN", "inf", "1e5", '"1,234"', "(5)", "5-", "$5", "1 234", " 5", "5\u00a0", "--5", "٣", "1" * 29]
)
@pytest.mark.parametrize("column", ["revenue", "quantity"])
def test_what_is_no_plain_number_is_refused_with_its_cell(desk: Desk, column: str, value: str) -> None:
    with pytest.raises(InputDataError) as caught:
        desk.orders(csv([LINES[0], line(**{column: value})]))
    assert str(caught.value).startswith(f"orders.csv line 3, column {column}: found {value.strip(chr(34))!r}, expected ")


@pytest.mark.parametrize(
    "value", ["2025-13-01", "2025-02-29", "01/02/2025", "2025-1-5", "20250105", "", "2025-01-05 ", "0025-01-05"]
)
def test_one_date_format(desk: Desk, value: str) -> None:
    with pytest.raises(InputDataError) as caught:
        desk.orders(csv([LINES[0], line(date=value)]))
    assert str(caught.value) == (
        f"orders.csv line 3, column date: found {value!r}, expected a date as 2025-01-31; correct the line or set date_format"
    )


@pytest.mark.parametrize(
    "value", ["", " ", " East", "East ", "East\u00a0", "Ea\u200bst", "\ufeffEast", "Ea\tst", '"Ea\nst"', "Ea\x07st"]
)
def test_codes_with_blanks_or_invisible_marks_are_refused(desk: Desk, value: str) -> None:
    with pytest.raises(InputDataError, match=r"orders.csv line 3, column region: found '"):
        desk.orders(csv([LINES[0], line(region=value)]))


def test_the_message_counts_what_it_does_not_show_and_numbers_lines_as_an_editor(desk: Desk) -> None:
    header = HEADER + ",comment"
    lines = [LINES[0] + ',"two\nlines"', "", *[line(revenue="x") + ",", line(date="?") + ","] * 4]
    with pytest.raises(InputDataError) as caught:
        desk.orders(csv(lines, header))
    shown = str(caught.value).splitlines()
    assert shown[0] == "orders: 8 cells cannot be read"
    assert [row.split(",")[0] for row in shown[1:6]] == [f"  - orders.csv line {number}" for number in (5, 6, 7, 8, 9)]
    assert shown[6] == "  - and 3 more"


def test_a_mapped_column_goes_by_both_names_in_a_message(desk: Desk) -> None:
    with pytest.raises(InputDataError, match=r"column date \(OrderDate\): found 'x'"):
        desk.orders(csv([line(date="x")], HEADER.replace("date", "OrderDate")), columns={"date": "OrderDate"})


def test_two_spellings_that_look_alike_are_refused_and_one_is_normalised(desk: Desk) -> None:
    composed, decomposed = "\u00cele", "I\u0302le"
    with pytest.raises(InputDataError, match="two Unicode spellings look alike"):
        desk.orders(csv([line(region=composed), line(region=decomposed)]))
    assert desk.orders(csv([line(region=decomposed)])).orders(["region"])["region"].tolist() == [composed]


# ---- what is read


def test_codes_stay_text(desk: Desk) -> None:
    codes = ["007", "NA", "None", "null", "12345678901234567890", "nan", "1e5", "TRUE", "华东", "São"]
    tables = desk.orders(csv([line(region=code, product=code, customer=code, order_id=code) for code in codes]))
    frame = tables.frame("orders")
    for column in ("region", "product", "customer", "order_id"):
        assert frame[column].tolist() == codes
    assert tables.orders(["region"])["region"].tolist() == sorted(codes, key=str.encode)


def test_orders_are_summed_and_returns_net_out_and_are_counted(desk: Desk) -> None:
    tables = desk.orders(csv(LINES))
    assert tables.orders(["region", "month"]).to_dict("records") == [
        {"region": "East", "month": "2025-01", "amount": 15050, "cost": 8025, "quantity": 3.0, "lines": 2, "returned": 0},
        {"region": "East", "month": "2025-02", "amount": -5000, "cost": -3000, "quantity": -1.0, "lines": 1, "returned": -5000},
        {"region": "West", "month": "2025-02", "amount": 15000, "cost": 9000, "quantity": 3.0, "lines": 1, "returned": 0},
    ]
    whole = tables.orders([], since="2025-02", until="2025-02")
    assert whole.to_dict("records") == [{"amount": 10000, "cost": 6000, "quantity": 2.0, "lines": 2, "returned": -5000}]
    assert tables.orders([], until="2024-12")["amount"].tolist() == [0]
    assert len(tables.orders(["product"], until="2024-12")) == 0
    assert {str(kind) for kind in whole.dtypes} == {"int64", "float64"}
    with pytest.raises(ValueError, match="found 'shop'"):
        tables.orders(["shop"])
    inputs, _ = desk.read(orders=TableMapping(file=str(desk.folder / "orders.csv")))
    assert inputs["orders"].control_total == 25050
    assert inputs["orders"].notes == ("1 lines are negative (returns and cancellations) and net out: -50.00 USD in all",)


def test_customers_and_span(desk: Desk) -> None:
    tables = desk.orders(csv([*LINES, line(order_id="R1", customer="C9", revenue="-1", date="2025-03-01")]))
    first, second = pd.Timestamp("2025-01-05"), pd.Timestamp("2025-02-10")
    assert tables.customers("2025-02-28").to_dict("records") == [
        {
            "customer": "C1",
            "first": first,
            "last": first,
            "orders": 1,
            "amount": 10050,
            "months": 1,
            "days": 1,
            "repeat_amount": 0,
        },
        {
            "customer": "C2",
            "first": second,
            "last": second,
            "orders": 1,
            "amount": 15000,
            "months": 1,
            "days": 1,
            "repeat_amount": 0,
        },
    ]
    assert tables.customers("2025-01-31")["customer"].tolist() == ["C1"]
    assert tables.span() == ("2025-01", "2025-03", "2025-03-01")


def test_groups_neither_drop_nor_multiply_lines(desk: Desk) -> None:
    tables = desk.orders(csv(LINES))
    groups = pd.DataFrame({"customer": ["C1", "C2", "C3"], "segment": ["loyal", "new", "none"]})
    found = tables.orders(["segment", "product"], groups=groups)
    assert found[["segment", "product", "amount"]].to_numpy().tolist() == [
        ["loyal", "Milk", 5050],
        ["loyal", "Tea", 5000],
        ["new", "Tea", 15000],
    ]
    with pytest.raises(InputDataError, match="customer 'C1' twice"):
        tables.orders(["segment"], groups=pd.concat([groups, groups]))
    with pytest.raises(InputDataError, match=r"no row for 1 customers with orders \(first 'C2'\)"):
        tables.orders(["segment"], groups=groups[groups["customer"] != "C2"])
    assert tables.orders(["segment"], until="2025-01", groups=groups[:1])["amount"].tolist() == [15050]


def test_orders_alone_with_their_required_columns_are_enough(desk: Desk) -> None:
    content = csv(["1,2025-01-05,East,Tea,2,10.00"], "order_id,date,region,product,quantity,revenue")
    inputs, left_out = desk.read(orders=TableMapping(file=desk.write("orders.csv", content)))
    tables = Tables({"orders": inputs["orders"].parquet})
    found = tables.orders(["channel", "customer"])
    assert found.to_dict("records") == [
        {"channel": "all", "customer": "all", "amount": 1000, "quantity": 2.0, "lines": 1, "returned": 0}
    ]
    expected = {f"orders has no column {name}" for name in ("channel", "customer", "cost")}
    # A table that no chapter reads yet is nothing left out.
    expected |= {
        f"No table {name}" for name, spec in TABLES.items() if name != "orders" and spec.without != UNUSED and spec.told
    }
    assert {sentence.split(":")[0] for sentence in left_out} == expected
    assert all(sentence.endswith(".") for sentence in left_out)
    assert tables.get("regions") is None and not tables.has("regions")
    with pytest.raises(InputDataError, match="table regions: found none in this run"):
        tables.frame("regions")


def test_a_left_out_column_that_differs_in_case_is_pointed_at(desk: Desk) -> None:
    mapping = TableMapping(file=desk.write("orders.csv", csv(LINES, HEADER.replace("cost", "Cost"))))
    _, left_out = desk.read(orders=mapping)
    assert left_out[0] == (
        "orders has no column cost: the baseline of the gross margin is left out. "
        "The file has 'Cost': name it with `columns: {cost: Cost}`."
    )


@pytest.mark.parametrize(
    ("name", "content", "how"),
    [
        ("orders.csv", "\ufeff" + csv(LINES), {}),
        ("orders.csv", csv(LINES).replace("\n", "\r\n"), {}),
        ("orders.csv", csv(LINES).rstrip("\n"), {}),
        ("orders.csv", csv([*LINES, "", ""]), {}),
        ("orders.tsv", csv(LINES).replace(",", "\t"), {}),
        ("orders.csv", csv(LINES).replace(",", ";"), {"delimiter": ";"}),
        ("orders.csv", csv(LINES).encode("utf-16"), {"encoding": "utf-16"}),
        ("orders.csv.gz", gzip.compress(csv(LINES).encode()), {}),
        ("orders.csv", csv(["x," + row for row in LINES], "comment," + HEADER), {}),
    ],
)
def test_one_table_in_many_wrappings(desk: Desk, name: str, content: str | bytes, how: dict[str, str]) -> None:
    plain = desk.orders(csv(LINES)).frame("orders")
    pd.testing.assert_frame_equal(desk.orders(content, name=name, **how).frame("orders"), plain)


def test_declared_dates_with_times(desk: Desk) -> None:
    tables = desk.orders(csv([line(date="31/12/2025 23:59:59")]), date_format="%d/%m/%Y %H:%M:%S")
    assert tables.span() == ("2025-12", "2025-12", "2025-12-31")


def test_parquet_reads_like_csv(desk: Desk) -> None:
    plain = desk.orders(csv(LINES)).frame("orders")
    rows = [dict(zip(HEADER.split(","), row.split(","), strict=True)) for row in LINES]
    typed = [
        {**row, "date": date.fromisoformat(row["date"]), "quantity": int(row["quantity"]), "revenue": float(row["revenue"]),
         "cost": Decimal(row["cost"])}
        for row in rows
    ]  # fmt: skip
    path = desk.folder / "orders.parquet"

    def read() -> pd.DataFrame:
        inputs, _ = desk.read(orders=TableMapping(file=str(path)))
        return Tables({"orders": inputs["orders"].parquet}).frame("orders")

    pq.write_table(pa.Table.from_pylist(typed), path)
    pd.testing.assert_frame_equal(read(), plain)
    for column, value, message in (
        ("revenue", float("nan"), "orders.parquet row 1, column revenue: found 'nan'"),
        ("revenue", None, "orders.parquet row 1, column revenue: found ''"),
        ("region", 7.0, "orders.parquet, column region: found floating-point numbers"),
        ("region", True, "orders.parquet, column region: found the type bool"),
    ):
        pq.write_table(pa.Table.from_pylist([{**typed[0], column: value}]), path)
        with pytest.raises(InputDataError, match=message):
            read()


def test_zeros_and_small_numbers_of_parquet_are_numbers(desk: Desk) -> None:
    row = dict(zip(HEADER.split(","), LINES[0].split(","), strict=True)) | {"quantity": 1}
    path = desk.folder / "orders.parquet"
    for kind in (pa.float64(), pa.decimal128(12, 2), pa.decimal128(20, 9)):
        found = [0, 5, 0, -2] if kind != pa.float64() else [0.0, 5.0, -0.0, 0.1 + 0.2 - 2.3]
        rows = pa.Table.from_pylist([{**row, "order_id": str(number), "cost": 0} for number in range(4)])
        amounts = pa.array(found, kind) if kind == pa.float64() else pa.array(map(Decimal, found), kind)
        pq.write_table(rows.set_column(rows.column_names.index("revenue"), "revenue", amounts), path)
        inputs, _ = desk.read(orders=TableMapping(file=str(path)))

        assert Tables({"orders": inputs["orders"].parquet}).frame("orders")["revenue"].tolist() == [0, 500, 0, -200], kind


def test_lines_that_are_the_same_in_every_column_count_and_are_told(desk: Desk) -> None:
    (desk.folder / "orders.csv").write_text(csv([line(), line(), line(order_id="other")]), encoding="utf-8")
    inputs, _ = desk.read(orders=TableMapping(file=str(desk.folder / "orders.csv")))

    assert inputs["orders"].rows == 3
    assert [note for note in inputs["orders"].notes if note.startswith("1 lines are the same as another in every column")]


def test_a_name_with_blanks_is_quoted_where_it_is_to_be_mapped(desk: Desk) -> None:
    with pytest.raises(InputDataError, match=r"columns: \{region: ' region'\}"):
        desk.orders(csv(LINES, HEADER.replace("region", " region")))


def test_a_cost_that_no_decimal_holds_is_refused_as_data(desk: Desk) -> None:
    head = HEADER.replace(",cost", ",unit_cost")
    with pytest.raises(InputDataError, match="an amount too large to keep"):
        desk.orders(csv([line(quantity="999999999999", cost="9999999999")], head))


# ---- money


@pytest.mark.parametrize(("currency", "minor"), [("USD", 1234), ("JPY", 12), ("KWD", 12340)])
def test_money_is_kept_in_the_minor_units_of_its_currency(desk: Desk, currency: str, minor: int) -> None:
    assert desk.orders(csv([line(revenue="12.34")]), currency=currency).orders([])["amount"].tolist() == [minor]


def test_cost_is_quantity_times_unit_cost(desk: Desk) -> None:
    header = HEADER.replace("cost", "unit_cost")
    cells = [
        line(quantity="3", cost="0.335"),
        line(quantity="-3", cost="0.335", date="2024-01-01"),
        line(quantity="2.5", cost="1.1"),
    ]
    tables = desk.orders(csv(cells, header))
    # 1.005 rounds up; -1.005 rounds half up too; 2.75 is exact
    assert tables.frame("orders")["cost"].tolist() == [101, -100, 275]
    assert "unit_cost" not in tables.frame("orders")


def test_decimals_a_currency_lacks_round_the_running_total_not_each_line(desk: Desk) -> None:
    path = desk.write("orders.csv", csv([line(revenue="0.335", order_id=str(number)) for number in range(4)]))
    inputs, _ = desk.read(orders=TableMapping(file=path))
    frame = Tables({"orders": inputs["orders"].parquet}).frame("orders")
    assert frame["revenue"].tolist() == [34, 33, 34, 33]  # 0.34, 0.67, 1.01 and 1.34 in all
    assert inputs["orders"].notes[0].startswith("4 lines of column revenue carry more decimals than USD has (2); ")
    assert inputs["orders"].notes[0].endswith("total effect +0 USD")


def test_a_sale_and_its_return_with_one_remainder_round_the_same_in_any_order(desk: Desk) -> None:
    cells = [line(revenue="-696266.865"), line(revenue="11.925")]
    one, other = (desk.orders(csv(rows)).orders([]) for rows in (cells, cells[::-1]))
    pd.testing.assert_frame_equal(one, other)
    assert one["amount"].tolist() == [-69625494]


# shrinking reads files: not worth its minutes
QUICK = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
amounts = st.decimals(-(10**9), 10**9, places=3, allow_nan=False)
some_lines = st.lists(
    st.tuples(st.sampled_from(["East", "007", "NA"]), st.sampled_from(["2024-12-31", "2025-01-01", "2025-07-09"]), amounts),
    min_size=1,
    max_size=12,
)


@QUICK
@given(rows=some_lines, data=st.data())
def test_any_row_order_gives_the_same_cube_and_the_exact_money(desk: Desk, rows: list, data: st.DataObject) -> None:
    def cube(rows: list) -> pd.DataFrame:
        cells = [line(region=region, date=day, revenue=f"{amount:f}") for region, day, amount in rows]
        return desk.orders(csv(cells)).orders(["region", "month"])

    straight = cube(rows)
    pd.testing.assert_frame_equal(cube(data.draw(st.permutations(rows))), straight)
    for region in {region for region, _, _ in rows}:
        for year in ("2024", "2025"):
            exact = sum((amount for name, day, amount in rows if name == region and day[:4] == year), Decimal(0)) * 100
            mine = straight[(straight["region"] == region) & straight["month"].str.startswith(year)]["amount"].sum()
            # half up towards the larger number, also below zero
            assert mine == int((exact + 10**15).to_integral_value(ROUND_HALF_UP)) - 10**15


# ---- other tables


def test_other_tables_are_typed(desk: Desk) -> None:
    regions = "region,gdp,income,maturity,rival_share\nEast,1000.5,50000,mature,0.25\nWest,800,40000,growing,0\n"
    inputs, left_out = desk.beside("regions", regions)
    frame = Tables({name: entry.parquet for name, entry in inputs.items()}).frame("regions")
    assert frame.to_dict("records") == [
        {"region": "East", "gdp": 1000.5, "income": 50000.0, "maturity": "mature", "rival_share": 0.25},
        {"region": "West", "gdp": 800.0, "income": 40000.0, "maturity": "growing", "rival_share": 0.0},
    ]
    assert "regions has no column gdp_growth: market growth is left out of potential." in left_out
    assert not any(UNUSED in line for line in left_out)  # what no chapter reads yet is nothing left out
    staff = "person,region,hired,left\nP1,East,2020-01-01,\nP2,East,2020-01-01,2024-12-31\n"
    inputs, _ = desk.beside("staff", staff)
    frame = Tables({"staff": inputs["staff"].parquet}).frame("staff")
    assert frame["left"].isna().tolist() == [True, False]
    assert str(frame["left"].dtype) == str(frame["hired"].dtype) == "datetime64[s]"


@pytest.mark.parametrize(
    ("table", "content", "message"),
    [
        (
            "regions",
            "region,gdp,income\nEast,1,1\nEast,2,2\n",
            r"regions.csv line 3: found region 'East' again \(first on line 2\)",
        ),
        ("targets", "year,region,amount\n2025,East,1\n2025,East,1\n", "line 3: found year '2025', region 'East' again"),
        ("targets", "year,region,amount\n2025,Eastt,1\n", "found the region 'Eastt'; the nearest in orders is 'East'"),
        ("targets", "year,region,amount\n25,East,1\n", "column year: found '25', expected a year"),
        ("targets", "year,region,amount\n2025,East,-1\n", "column amount: found '-1', expected .* at least 0"),
        ("regions", "region,gdp,income,rival_share\nEast,1,1,25\n", "column rival_share: found '25', expected .* at most 1"),
        ("regions", "region,gdp,income,maturity\nEast,1,1,old\n", "found 'old', expected one of incubating, growing, mature"),
        ("marketing", "month,activity,spend\n2025-13,TV,1\n", "column month: found '2025-13', expected a month"),
        ("kpis", "month,kpi,value\n2025-01,NPS,1\n2025-01,NPS,2\n", "line 3: found month '2025-01', kpi 'NPS' again"),
        ("staff", "person,region,hired\nP1,East,\n", "column hired: found ''"),
    ],
)
def test_faults_of_other_tables(desk: Desk, table: str, content: str, message: str) -> None:
    with pytest.raises(InputDataError, match=message):
        desk.beside(table, content)


def test_members_on_one_side_only_are_told(desk: Desk) -> None:
    inputs, left_out = desk.beside(
        "products", "product,line,launched,list_price\nTea,Drinks,2020-01-01,9.99\nSoap,Home,2020-01-01,5\n"
    )
    assert inputs["products"].notes == ("1 of 2 members of product have no orders (Soap)",)
    assert [sentence for sentence in left_out if sentence.startswith("products lacks")] == [
        "products lacks 1 of 2 members of product that have orders (Milk): what that table would say of them is left out."
    ]


def test_a_spelling_that_differs_is_told_with_the_name_it_may_be(desk: Desk) -> None:
    inputs, left_out = desk.beside("products", "product,line\ntea,Drinks\nMilk,Drinks\n")

    assert inputs["products"].notes == ("1 of 2 members of product have no orders (tea); 'tea' may be 'Tea'",)
    assert any(sentence.startswith("products lacks 1 of 2 members of product that have orders (Tea)") for sentence in left_out)


def test_a_region_without_staff_is_told(desk: Desk) -> None:
    _, left_out = desk.beside("staff", "person,region,hired\nP1,East,2020-01-01\n")

    assert [sentence for sentence in left_out if sentence.startswith("staff lacks")] == [
        "staff lacks 1 of 2 members of region that have orders (West): what that table would say of them is left out."
    ]


def test_partners_and_warehouses_that_one_table_has_and_the_other_lacks_are_told(desk: Desk) -> None:
    partners = "partner,region,channel,year,target,result\nAce,East,Web,2025,1,1\nBix,East,Web,2025,1,1\n"
    months = "partner,month,target,result\nACE,2025-01,1,1\nBix,2025-01,1,1\n"
    inventory = "product,warehouse,quantity,value\nTea,W1,1,1\nTea,W2,1,1\n"
    routes = "warehouse,region,cost\nW1,East,1\nW1,West,1\n"
    tables = {"partners": partners, "partner_months": months, "inventory": inventory, "routes": routes}
    mappings = {name: TableMapping(file=desk.write(f"{name}.csv", content)) for name, content in tables.items()}
    inputs, _ = desk.read(orders=TableMapping(file=desk.write("orders.csv", csv(LINES))), **mappings)

    said = {name: inputs[name].notes[-1] for name in ("partners", "partner_months", "inventory")}
    assert said == {
        "partners": "1 of 2 members of partner are not in partner_months (Ace); 'Ace' may be 'ACE'",
        "partner_months": "1 of 2 members of partner are not in partners (ACE); 'ACE' may be 'Ace'",
        "inventory": "1 of 2 members of warehouse are not in routes (W2)",
    }


# ---- store and dictionary


@pytest.mark.parametrize("keep", [0, 8, 600])
def test_a_damaged_stored_table_is_made_again(desk: Desk, keep: int) -> None:
    tables = desk.orders(csv(LINES))
    expected = tables.orders(["region"])
    stored = tables.inputs["orders"]
    stored.write_bytes(stored.read_bytes()[:keep])

    pd.testing.assert_frame_equal(desk.orders(csv(LINES)).orders(["region"]), expected)


def test_a_stored_table_is_reused_until_bytes_mapping_or_currency_change(desk: Desk) -> None:
    path = desk.write("orders.csv", csv(LINES))
    mapping = TableMapping(file=path)
    (first, absent), (again, absent_again) = desk.read(orders=mapping), desk.read(orders=mapping)
    assert first == again and absent == absent_again
    assert fingerprint({"orders": mapping}) == {"orders": first["orders"].sha256}
    stamp = first["orders"].parquet.stat().st_mtime_ns
    assert again["orders"].parquet.stat().st_mtime_ns == stamp
    assert [entry.name for entry in first["orders"].parquet.parent.iterdir()] == ["orders.parquet"]

    elsewhere = Desk(desk.folder / "elsewhere")
    elsewhere.folder.mkdir()
    copied, _ = elsewhere.read(orders=TableMapping(file=elsewhere.write("orders.csv", csv(LINES))))
    assert copied["orders"].parquet.read_bytes() == first["orders"].parquet.read_bytes()
    assert copied["orders"].parquet.parent.name == first["orders"].parquet.parent.name

    others = [
        desk.read("EUR", orders=mapping),
        desk.read(orders=TableMapping(file=path, columns={"channel": "region"})),
        desk.read(orders=TableMapping(file=desk.write("orders.csv", csv(LINES[:3])))),
    ]
    keys = {inputs["orders"].parquet.parent.name for inputs, _ in others} | {first["orders"].parquet.parent.name}
    assert len(keys) == 4


def test_importing_and_fingerprinting_load_nothing_heavy(desk: Desk) -> None:
    code = (
        "import sys\nfrom planlib.data.files import TableMapping\nfrom planlib.data.ingest import fingerprint\n"
        "fingerprint({'orders': TableMapping(file=sys.argv[1])})\n"
        "print(sorted({'ibis', 'duckdb', 'pandas', 'pyarrow', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, desk.write("orders.csv", csv(LINES))], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_the_dictionary_says_what_happens_without_each_optional_part() -> None:
    words = dictionary()
    assert len(words) == len(TABLES) + sum(len(spec.columns) for spec in TABLES.values())
    assert (words.loc[~words["required"], "without"] != "").all()
    assert (words["meaning"] != "").all()


def test_the_readme_of_the_data_names_every_table_and_column() -> None:
    readme = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    sections = {part.splitlines()[0]: part for part in readme.split("\n## ")}
    for table, spec in TABLES.items():
        section = sections[table]
        assert spec.meaning in section
        assert spec.without in section
        for column in spec.columns:
            required = "yes" if column.required else "no"
            kind = f"{column.kind} ({', '.join(column.choices)})" if column.choices else column.kind
            kind += ", may be blank" if column.blank else ""
            facts = (column.name, kind, column.unit or "-", required, column.meaning, column.without or "-")
            assert f"| {' | '.join(facts)} |" in section, f"{table}.{column.name}"


def test_a_text_that_may_be_blank_is_read_as_no_text(desk: Desk) -> None:
    head = "project,perspective,cost,response,requires\n"
    inputs, _ = desk.beside("projects", head + "Portal,process,10,20,\nClub,customer,5,9,Portal\n")

    assert Tables({"projects": inputs["projects"].parquet}).frame("projects")["requires"].tolist() == ["", "Portal"]
    with pytest.raises(InputDataError, match="project"):
        desk.beside("projects", head + ",process,10,20,\n")


def test_a_repeat_purchase_is_an_order_on_a_later_day_net_of_its_returns(desk: Desk) -> None:
    lines = [
        line(order_id="A", customer="C1", revenue="100.00", date="2025-01-05"),
        line(order_id="B", customer="C1", revenue="30.00", date="2025-01-05"),
        line(order_id="C", customer="C1", revenue="50.00", date="2025-02-05"),
        line(order_id="C", customer="C1", revenue="-20.00", date="2025-02-09"),
        line(order_id="A", customer="C1", revenue="-10.00", date="2025-02-20"),
        line(order_id="D", customer="C1", revenue="70.00", date="2025-03-01"),
    ]
    found = desk.orders(csv(lines)).customers("2025-03-31").iloc[0]

    assert (found["days"], found["orders"], found["repeat_amount"], found["amount"]) == (3, 4, 10000, 22000)
