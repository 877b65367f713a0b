"""A company's files into the stored tables of a run: read once, checked, digested, and brought to exact money."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planlib.data import changes as events
from planlib.data import names, restated, restated_tables
from planlib.data.calendar import calendar_of, covered, month_names
from planlib.data.files import TableMapping, nearest, read_bytes, suffix
from planlib.data.members import DIMENSIONS, checked
from planlib.data.tables import TABLES, UNUSED
from planlib.errors import InputDataError, ParameterError
from planlib.periods import Calendar

if TYPE_CHECKING:
    import pyarrow as pa

ORDER = ("date", "order_id", "region", "product", "channel", "customer", "quantity")


@dataclass(frozen=True)
class Input:
    """One table as it was read: `sha256` of the raw bytes, `control_total` in minor units of its main amount."""

    name: str
    parquet: Path
    sha256: str
    rows: int
    control_total: int | None
    notes: tuple[str, ...] = ()


def fingerprint(mappings: Mapping[str, TableMapping]) -> dict[str, str]:
    """sha256 of the raw bytes of every input file, by table. Raises InputDataError for a file that is not there."""
    return {name: hashlib.sha256(read_bytes(name, Path(mappings[name].file))).hexdigest() for name in sorted(mappings)}


def ingest(
    mappings: Mapping[str, TableMapping], currency: str, store: Path, changes: Sequence[Mapping[str, Any]] = ()
) -> tuple[dict[str, Input], list[str]]:
    """Read, check and store every table of a run, in the members after `changes` (see `planlib.data.changes`).

    `mappings`: table name -> mapping with an absolute `file`. `currency`: ISO code or `Currency`; money is stored in its minor
    units. `store`: folder of `<key>/<table>.parquet`; a table whose bytes, mapping, currency and reader are as before is kept.
    Returns the inputs by table, and one sentence per missing table, column or member saying what is left out.
    Raises InputDataError (what a file holds), ParameterError (what the mapping says).
    """
    from planlib.currency import minor_exponent

    unknown = sorted(set(mappings) - set(TABLES))
    if unknown:
        hint = nearest(unknown[0], list(TABLES))
        way_out = f"did you mean {hint!r}?" if hint else "remove it"
        raise ParameterError(f"data: found the table {unknown[0]!r}, expected one of {', '.join(TABLES)}; {way_out}")
    if "orders" not in mappings:
        raise ParameterError("data: found no `orders`, expected at least that table; add `orders: {file: ...}`")
    exponent = minor_exponent(currency)
    calendar = calendar_of(mappings)
    months = month_names(calendar)
    inputs: dict[str, Input] = {}
    left_out: list[str] = []
    for name, spec in TABLES.items():
        if name not in mappings:
            if spec.without != UNUSED and spec.told:
                left_out.append(f"No table {name}: {spec.without}.")
            continue
        shared = {} if name == "orders" else mappings["orders"].rename
        inputs[name], absent = _ingest_one(name, mappings[name], shared, currency, exponent, store, months)
        left_out += absent
    covered(calendar, *_days(inputs["orders"].parquet))
    if changes:
        inputs, followed = _restated(inputs, events.read(changes), store, calendar)
        left_out += followed
    notes, lacking = checked(inputs)
    return {name: replace(each, notes=(*each.notes, *notes.get(name, ()))) for name, each in inputs.items()}, left_out + lacking


def _ingest_one(
    name: str,
    mapping: TableMapping,
    shared: names.Renames,
    currency: str,
    exponent: int,
    store: Path,
    months: Mapping[str, str],
) -> tuple[Input, list[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from planlib.plan import LARGEST, SMALLER

    raw = read_bytes(name, Path(mapping.file))
    sha256 = hashlib.sha256(raw).hexdigest()
    how = mapping.model_dump(mode="json") | {"file": suffix(Path(mapping.file))}  # where it lies is not what it says
    by = {} if all(column.kind != "month" for column in TABLES[name].columns) else months
    recipe = json.dumps([sha256, name, how, shared, currency, exponent, _reader_digest(), by], sort_keys=True)
    key = hashlib.sha256(recipe.encode()).hexdigest()[:16]
    target = store / key / f"{name}.parquet"
    if not _whole(target):
        try:
            table, about = _convert(name, mapping, shared, currency, exponent, raw, by)
        except pa.ArrowInvalid as error:  # each cell is in its bounds, a product of two may not be
            raise InputDataError(
                f"{Path(mapping.file).name}: found an amount too large to keep ({error}), expected at most "
                f"{_major(LARGEST, exponent)} {currency}, all that whole minor units hold (int64); {SMALLER}"
            ) from None
        _write(table, about, target)
    stored = pq.read_schema(target)
    about = json.loads(stored.metadata[b"planlib"])
    return Input(name, target, sha256, about["rows"], about["control_total"], tuple(about["notes"])), about["left_out"]


def _days(orders: Path) -> tuple[date, date]:
    """The first and the last day of stored orders."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    ends = pc.min_max(pq.read_table(orders, columns=["date"])["date"]).as_py()
    return ends["min"], ends["max"]


def _restated(
    inputs: Mapping[str, Input], changes: Sequence[events.Change], store: Path, calendar: Calendar
) -> tuple[dict[str, Input], list[str]]:
    """Every table that `changes` touch as a stored table of its own; bytes and control total stay those of the file."""
    import pyarrow.parquet as pq

    held = {name: pq.read_table(each.parquet) for name, each in inputs.items()}
    others = [table for name, table in held.items() if name != "orders"]
    elsewhere = {
        dimension: {member for table in others if dimension in table.column_names for member in table[dimension].to_pylist()}
        for dimension in DIMENSIONS
    }
    stated = [events.kept(change) for change in changes]
    found, left_out = dict(inputs), list[str]()
    for name, each in inputs.items():
        if name != "orders":
            table, told = restated_tables.of_table(name, TABLES[name], held[name], changes, calendar)
            left_out += told
            if table is held[name]:
                continue
        recipe = [each.parquet.parent.name, name, stated, _reader_digest()]
        if name == "orders":  # who has no orders is known from elsewhere, or refused
            recipe.append([sorted({*change.of} & elsewhere.get(change.dimension, set())) for change in changes])
        key = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]
        target = store / key / f"{name}.parquet"
        if not _whole(target):
            if name == "orders":
                table, told = restated.of_orders(held[name], changes, elsewhere)
            _write(table, {"restated": stated, "told": told}, target)
        if name == "orders":
            left_out += json.loads(pq.read_schema(target).metadata[b"planlib"])["told"]
        found[name] = replace(each, parquet=target)
    return found, list(dict.fromkeys(left_out))


def _write(table: pa.Table, about: Mapping[str, object], target: Path) -> None:
    """Store a table with what is to be known about it; whole or not at all."""
    import pyarrow.parquet as pq

    table = table.replace_schema_metadata({"planlib": json.dumps(about, sort_keys=True)})
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as sink:
            pq.write_table(table, sink)
            sink.flush()
            os.fsync(sink.fileno())
        Path(temporary).replace(target)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _whole(stored: Path) -> bool:
    """Whether a stored table is there and can be read to its end: a damaged one is made again from its file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return b"planlib" in (pq.read_table(stored).schema.metadata or {})
    except (OSError, pa.ArrowInvalid):
        return False


@cache
def _reader_digest() -> str:
    """Digest of the code that reads: a stored table is not reused by another reader."""
    here = Path(__file__).parent
    rooms = ("calendar", "changes", "files", "ingest", "money", "names", "reading", "restated", "restated_tables")
    read = [here / f"{room}.py" for room in rooms]
    parts = [path.read_bytes() for path in (*read, *sorted((here / "tables").glob("*.py")))]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _convert(
    name: str,
    mapping: TableMapping,
    shared: names.Renames,
    currency: str,
    exponent: int,
    raw: bytes,
    months: Mapping[str, str],
) -> tuple[pa.Table, dict[str, object]]:
    """Bytes to typed columns: money to int64 minor units, quantities exact, shares and other drivers float64."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from planlib.data import money
    from planlib.data.reading import read_table
    from planlib.plan import EVERYTHING, LARGEST, SMALLER

    spec = TABLES[name]
    cells, notes, left_out = read_table(name, spec, mapping, raw, shared, months)
    columns = {column: cells[column].combine_chunks() for column in cells.column_names}
    for column, value in columns.items():
        kind = spec.column(column).kind
        if kind in ("money", "price") or (kind == "decimal" and name == "orders"):
            columns[column] = money.exact(value, kind)
        elif kind == "year":
            columns[column] = value.cast(pa.int64())
        elif kind in ("decimal", "share"):
            columns[column] = value.cast(pa.float64())
    if name == "orders":
        for column in {"channel", "customer"} - set(columns):
            columns[column] = pa.array([EVERYTHING] * cells.num_rows, pa.string())
        price = columns.pop("unit_cost", None)
        if price is not None and "cost" not in columns:
            columns["cost"] = money.product(columns["quantity"], price)
            notes.append("cost is quantity x unit_cost")
    for column in [column for column in columns if spec.column(column).kind == "money"]:
        lines = pa.table({key: columns[key] for key in ORDER}) if name == "orders" else None
        columns[column], count, effect = money.minor_units(columns[column], exponent, lines)
        if count:
            how = "the running total of each year, region, product and channel is" if name == "orders" else "each is"
            notes.append(
                f"{count} lines of column {column} carry more decimals than {currency} has ({exponent}); "
                f"{how} rounded half up, total effect {effect:+f} {currency}"
            )
    result = pa.table({column: columns[column] for column in spec.names if column in columns})
    if name == "orders":
        notes += _doubled(cells)
        notes += names.variants(result, names.DIMENSIONS, exponent, currency)
    for column in [column for column in result.column_names if spec.column(column).kind == "money"]:
        # Of all lines, so that no sum of any of them runs over, whatever a chapter asks for.
        about = pc.sum(pc.abs(result[column].cast(pa.float64(), safe=False))).as_py() or 0.0
        size = sum(map(abs, result[column].drop_null().to_pylist())) if about > 0.9 * LARGEST else 0
        if size > LARGEST:
            raise InputDataError(
                f"{Path(mapping.file).name}, column {column}: found {_major(size, exponent)} {currency} in all its lines, "
                f"expected at most {_major(LARGEST, exponent)} {currency}, all that whole minor units hold (int64); {SMALLER}"
            )
    total = sum(result[spec.control].to_pylist()) if spec.control else None
    if name == "orders":
        back = [amount for amount in result["revenue"].to_pylist() if amount < 0]
        if back:
            spelled = f"{Decimal(sum(back)).scaleb(-exponent):,f} {currency}"
            notes.append(f"{len(back)} lines are negative (returns and cancellations) and net out: {spelled} in all")
    return result, {"rows": result.num_rows, "control_total": total, "notes": notes, "left_out": left_out}


def _major(minor: int, exponent: int) -> str:
    """Minor units as a reader writes them: 92,233,720,368,547,758.07."""
    return f"{Decimal(minor).scaleb(-exponent):,f}"


def _doubled(cells: pa.Table) -> list[str]:
    """A note when order lines are the same in every column that was read: all count, but an export may hold them twice."""
    counted = cells.group_by(cells.column_names).aggregate([([], "count_all")])["count_all"].to_pylist()
    again = sum(counted) - len(counted)
    return (
        [f"{again} lines are the same as another in every column; each counts, remove them if the export holds them twice"]
        if again
        else []
    )
