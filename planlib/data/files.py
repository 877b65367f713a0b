"""Files: where an input lies, its bytes read once, and those bytes as a sheet of text cells with unambiguous columns.

Knows CSV, TSV (either gzipped) and Parquet. No encoding, delimiter or column name is guessed: what is not as declared
is refused with the file, the line and the way out.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from planlib.data.tables import TableSpec
from planlib.errors import InputDataError, ParameterError, collected

if TYPE_CHECKING:
    import pyarrow as pa

SIZE_LIMIT = 2 * 1024**3  # bytes, after unpacking: a larger file belongs in a database
ISO = "%Y-%m-%d"
SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")


class TableMapping(BaseModel):
    """Where a table lies and how its columns are called there (an entry of `data:` in a params file).

    `columns` maps our name to theirs; a column that is not listed goes by our name. `date_format` is the one format of
    its date columns. `rename` maps members of text columns to their right names, column by column; what `orders` renames is
    renamed in every table that has the column. Without `delimiter` a `.tsv` is split at tabs, any other text file at commas.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    file: str = Field(min_length=1)
    columns: dict[str, str] = Field(default_factory=dict)
    date_format: str = ISO
    rename: dict[str, dict[str, str]] = Field(default_factory=dict)
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    encoding: Literal["utf-8", "utf-16", "gb18030", "big5", "shift_jis", "euc_kr", "cp1252", "latin-1"] = "utf-8"

    @field_validator("date_format")
    @classmethod
    def _one_day(cls, value: str) -> str:
        parts = re.findall(r"%(.)", value)
        if not {"m", "d"} <= set(parts) or not set(parts) & {"Y", "y"} or set(parts) - set("YymdHMSf"):
            raise ValueError("a date format holds %Y (or %y), %m and %d, and otherwise only %H, %M, %S, %f")
        return value


@dataclass(frozen=True)
class Sheet:
    """A file as text.

    `header` is every column of the file, `wanted` maps our names to its columns, `cells` holds those columns as strings,
    and `where(rows)` names rows as an editor numbers them.
    """

    name: str
    header: tuple[str, ...]
    wanted: dict[str, str]
    cells: pa.Table
    where: Callable[[list[int]], list[str]]
    notes: tuple[str, ...] = ()


def nearest(name: str, among: list[str]) -> str | None:
    """The name among `among` that looks most like `name`, whatever its case; None when none is near."""
    folded = {other.casefold(): other for other in reversed(among)}
    found = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def suffix(file: Path) -> str:
    """The kind of file, from its name. Raises InputDataError for a kind that is not read."""
    for known in SUFFIXES:
        if file.name.lower().endswith(known):
            return known
    raise InputDataError(
        f"{file.name}: found a kind of file that is not read, expected one of {', '.join(SUFFIXES)}; "
        "save it as CSV UTF-8 or Parquet"
    )


def read_bytes(table: str, file: Path) -> bytes:
    """The bytes of an input file, read once. Raises InputDataError if it is no regular file of a kind and size we read."""
    suffix(file)
    if not file.is_file():
        found = "a folder or a device" if file.exists() else "no such file"
        raise InputDataError(f"{table}: found {found} at {file}, expected a file; correct `data: {table}: file`")
    if file.stat().st_size > SIZE_LIMIT:
        raise InputDataError(f"{file.name}: found more than {SIZE_LIMIT >> 30} GiB, expected less; aggregate the lines")
    return file.read_bytes()


def _wanted(table: str, spec: TableSpec, name: str, header: list[str], mapping: TableMapping) -> dict[str, str]:
    """Our column name -> the file's, for every column that is there."""
    twins = sorted({column for column in header if column and header.count(column) > 1})
    if twins:
        raise InputDataError(
            f"{name}: found the column names {', '.join(map(repr, twins))} more than once, expected each once; "
            "rename or remove the twins"
        )
    for ours in mapping.columns:
        if ours not in spec.names:
            hint = nearest(ours, list(spec.names))
            raise ParameterError(
                f"data: {table}: columns: found {ours!r}, expected one of {', '.join(spec.names)}"
                + (f"; did you mean {hint!r}?" if hint else "; remove it")
            )
    faults = []
    wanted = {}
    for column in spec.columns:
        theirs = mapping.columns.get(column.name, column.name)
        if theirs in header and theirs:
            wanted[column.name] = theirs
        elif column.required or column.name in mapping.columns:
            hint = nearest(theirs, header)
            near = f"; the nearest is {hint!r}, name it with `columns: {{{column.name}: {_quoted(hint)}}}`" if hint else ""
            faults.append(f"column {column.name}: found no {theirs!r}{near}")
    if faults:
        if len(header) == 1:
            marks = [mark for mark in ",;\t|" if mark in header[0]]
            if marks:
                faults.append(f"the header is one field and holds {marks[0]!r}: set `delimiter: {marks[0]!r}`")
        faults.append(f"the file has: {', '.join(map(repr, header))}")
        raise InputDataError(collected(f"{name}: columns of the table `{table}` are missing; map or add them", faults))
    return wanted


def _quoted(name: str) -> str:
    """A column's name as a params file takes it: blanks and marks need quotes."""
    return name if re.fullmatch(r"[^\W\d]\w*", name) else "'" + name.replace("'", "''") + "'"


def _decoded(name: str, raw: bytes, encoding: str) -> str:
    if encoding == "utf-8":
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in raw[:4096]:
            raise InputDataError(
                f"{name}: found UTF-16 (or binary) text, expected UTF-8; save it as 'CSV UTF-8' or set `encoding: utf-16`"
            )
        encoding = "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputDataError(
            f"{name} line {line}: found the byte 0x{raw[error.start]:02X}, expected {encoding.removesuffix('-sig')} text "
            "(it may be Latin-1, Windows-1252 or GB18030); save it as 'CSV UTF-8' or set `encoding: cp1252`"
            " (or gb18030, ...)"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputDataError(f"{name} line {line}: found a NUL character, expected text; export the file again")
    return text


def _records(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Every non-empty record with the line it starts on. Slow; used for the header and to locate faults."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    records, start = [], 1
    for record in reader:
        if record:
            records.append((start, record))
        start = reader.line_num + 1
    return records


def _read_text(table: str, spec: TableSpec, file: Path, raw: bytes, mapping: TableMapping) -> Sheet:
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    name = file.name
    if name.lower().endswith(".gz"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(raw)) as unpacked:
                raw = unpacked.read(SIZE_LIMIT + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise InputDataError(f"{name}: found damaged gzip data ({error}), expected a whole file; copy it again") from None
        if len(raw) > SIZE_LIMIT:
            raise InputDataError(f"{name}: found more than {SIZE_LIMIT >> 30} GiB unpacked, expected less; aggregate the lines")
    text = _decoded(name, raw, mapping.encoding)
    delimiter = mapping.delimiter or ("\t" if ".tsv" in suffix(file) else ",")
    if not text.strip():
        raise InputDataError(f"{name}: found 0 rows (the file is empty), expected a header and rows; export it again")
    header = next(record for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if record)
    wanted = _wanted(table, spec, name, header, mapping)
    body = text.encode() if mapping.encoding != "utf-8" else raw.removeprefix(codecs.BOM_UTF8)
    try:
        cells = arrow_csv.read_csv(
            pa.BufferReader(body),
            # one thread keeps the rows in file order; quoted line breaks are legal CSV
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=1 << 24),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=sorted(set(wanted.values())),
                column_types=dict.fromkeys(header, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        for line, record in _records(text, delimiter):
            if len(record) != len(header):
                raise InputDataError(
                    f"{name} line {line}: found {len(record)} fields, expected {len(header)} as in the header; "
                    "quote a field that holds the delimiter, or correct the line"
                ) from None
        raise InputDataError(f"{name}: found text that is no CSV ({error}), expected CSV; export it again") from None

    def where(rows: list[int]) -> list[str]:
        records = _records(text, delimiter)
        return [f"line {records[row + 1][0]}" for row in rows]

    notes = []
    if body.count(b"\n") + (not body.endswith(b"\n")) > cells.num_rows + 1:
        # blank lines, or line breaks inside quotes: a stray quotation mark would swallow whole lines without a trace
        line = 1
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
            broken = 0
            for record in reader:
                broken += any("\n" in cell or "\r" in cell for cell in record)
                line = reader.line_num + 1
        except csv.Error:
            raise InputDataError(
                f'{name} line {line}: found a quotation mark (") without its pair, expected pairs; remove or double it'
            ) from None
        if broken:
            notes.append(f"{broken} rows hold line breaks inside cells")
    return Sheet(name, tuple(header), wanted, cells, where, tuple(notes))


def _read_parquet(table: str, spec: TableSpec, file: Path, raw: bytes, mapping: TableMapping) -> Sheet:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(io.BytesIO(raw))
        size = sum(opened.metadata.row_group(i).total_byte_size for i in range(opened.metadata.num_row_groups))
        if size > SIZE_LIMIT:
            raise InputDataError(f"{file.name}: found more than {SIZE_LIMIT >> 30} GiB unpacked; aggregate the lines")
        wanted = _wanted(table, spec, file.name, opened.schema_arrow.names, mapping)
        found = opened.read(columns=sorted(set(wanted.values())))
    except (pa.ArrowInvalid, OSError) as error:
        raise InputDataError(
            f"{file.name}: found data that is no Parquet ({error}), expected Parquet; export it again"
        ) from None
    cells = {}
    for ours, theirs in wanted.items():
        column = found[theirs]
        kind = column.type
        if pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
            kind = column.type
        wrong = None
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            wrong = "a time with a time zone, expected a local date; convert it"
        elif pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            column = pc.strftime(column.cast(pa.timestamp("us")), format=mapping.date_format.replace("%f", "000000"))
        elif pa.types.is_floating(kind):
            if spec.column(ours).kind == "text":
                wrong = "floating-point numbers, expected codes; store them as text"
            else:  # nine decimals undo binary noise (0.1 + 0.2); what is not finite keeps its name and is refused as a cell
                finite = pc.fill_null(pc.and_(pc.is_finite(column), pc.less(pc.abs(column), 1e18)), False)
                exact = _spelled(pc.if_else(finite, column, None).cast(pa.float64()).cast(pa.decimal128(38, 9)))
                column = pc.if_else(finite, exact, column.cast(pa.string()))
        elif pa.types.is_decimal(kind):
            column = _spelled(column)
        elif not (
            pa.types.is_null(kind) or pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
        ):
            wrong = f"the type {kind}, expected text, numbers or dates; convert it"
        if wrong:
            raise InputDataError(f"{file.name}, column {theirs}: found {wrong}")
        cells[theirs] = pc.fill_null(column.cast(pa.string()), "")
    header = tuple(opened.schema_arrow.names)
    return Sheet(file.name, header, wanted, pa.table(cells), lambda rows: [f"row {row + 1}" for row in rows])


def _spelled(numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    """Decimals as digits and a point: Arrow writes 0 with nine decimals as 0E-9."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = numbers.cast(pa.string())
    powers = pc.fill_null(pc.match_substring(texts, "E"), False)
    if not pc.any(powers).as_py():
        return texts
    written = pa.array([format(Decimal(text), "f") for text in texts.filter(powers).to_pylist()], pa.string())
    return pc.replace_with_mask(texts.combine_chunks(), powers.combine_chunks(), written)


def read_sheet(table: str, spec: TableSpec, mapping: TableMapping, raw: bytes) -> Sheet:
    """The bytes of one input as text cells under the columns the mapping names. Raises InputDataError, ParameterError."""
    file = Path(mapping.file)
    reader = _read_parquet if suffix(file) == ".parquet" else _read_text
    sheet = reader(table, spec, file, raw, mapping)
    if sheet.cells.num_rows == 0:
        raise InputDataError(f"{sheet.name}: found 0 rows, expected at least one below the header; export it again")
    return sheet
