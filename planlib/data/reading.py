"""Strict reading: text cells to checked columns, or a message that names file, line, column and cell.

Nothing is guessed. Codes stay text, a date has one format, an amount is digits with an optional sign and point, and
what the file does not say plainly is refused. Knows nothing of money: numbers leave here as text of a known shape.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

from planlib.data import names
from planlib.data.files import ISO, Sheet, TableMapping, read_sheet
from planlib.data.tables import EXPECTED, UNUSED, Column, TableSpec
from planlib.errors import InputDataError, collected

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 5  # bad cells listed in one message

_CLEAN = r"^[!-~]([ -~]*[!-~])?$"  # ASCII without blanks at its ends: no further look needed
_SHAPE = {  # digits are bounded so that a cell always fits the decimal it is read into
    "money": r"^-?([0-9]{1,28}(\.[0-9]+)?|\.[0-9]+)$",
    "price": r"^-?([0-9]{1,12}(\.[0-9]+)?|\.[0-9]+)$",
    "decimal": r"^-?([0-9]{1,12}(\.[0-9]+)?|\.[0-9]+)$",
    "share": r"^-?([0-9]{1,3}(\.[0-9]+)?|\.[0-9]+)$",
    "year": r"^[12][0-9]{3}$",
    "month": r"^[12][0-9]{3}-(0[1-9]|1[0-2])$",
}


def _read_text_column(column: pa.ChunkedArray) -> tuple[pa.Array, dict[str, str], int]:
    """Text in Unicode NFC; the faulty values with what was expected; how many distinct values were normalised."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = column.combine_chunks().dictionary_encode()
    values = encoded.dictionary.to_pylist()
    clean = pc.match_substring_regex(encoded.dictionary, _CLEAN).to_pylist()
    faults: dict[str, str] = {}
    if all(clean):
        return column.combine_chunks(), faults, 0
    normal = [value if ok else unicodedata.normalize("NFC", value) for value, ok in zip(values, clean, strict=True)]
    first: dict[str, str] = {}
    for value, form, ok in sorted(zip(values, normal, clean, strict=True)):
        fault = None if ok else names.fault(value)
        if fault is None and first.setdefault(form, value) != value:
            fault = f"one spelling of {form!r}; two Unicode spellings look alike, keep one"
        if fault:
            faults[value] = fault
    changed = sum(value != form for value, form in zip(values, normal, strict=True))
    return pa.array(normal, pa.string()).take(encoded.indices), faults, changed


def _read_date_column(column: pa.ChunkedArray, form: str, blank: bool) -> tuple[pa.Array, dict[str, str]]:
    import pyarrow as pa

    encoded = column.combine_chunks().dictionary_encode()
    today = date(2025, 1, 31).strftime(form)
    days: list[date | None] = []
    faults = {}
    for value in encoded.dictionary.to_pylist():
        day = None
        if value or not blank:
            try:
                day = datetime.strptime(value, form).date()
                # strptime takes 2025-1-5 for %Y-%m-%d; one format means one spelling
                if form == ISO and value != day.isoformat():
                    raise ValueError
                if not 1900 <= day.year <= 2200:
                    raise ValueError
            except ValueError:
                faults[value] = f"a date as {today}; correct the line or set date_format"
        days.append(day)
    return pa.array(days, pa.date32()).take(encoded.indices), faults


def _number_faults(values: pa.ChunkedArray, column: Column) -> tuple[pa.Array, str]:
    """Which cells are no number of this kind or out of its range (a mask), and what was expected."""
    import pyarrow as pa
    import pyarrow.compute as pc

    good = pc.match_substring_regex(values, _SHAPE[column.kind]).combine_chunks()
    expected = EXPECTED[column.kind] + "; correct the cell"
    if column.low is not None or column.high is not None:
        number = pc.if_else(good, values.combine_chunks(), "nan").cast(pa.float64())
        if column.low is not None:
            good = pc.and_(good, pc.greater_equal(number, column.low))
            expected += f", at least {column.low:g}"
        if column.high is not None:
            good = pc.and_(good, pc.less_equal(number, column.high))
            expected += f", at most {column.high:g}"
    return pc.invert(good), expected


def read_table(
    table: str,
    spec: TableSpec,
    mapping: TableMapping,
    raw: bytes,
    shared: names.Renames,
    months: Mapping[str, str] | None = None,
) -> tuple[pa.Table, list[str], list[str]]:
    """One input table, checked cell by cell.

    `shared`: what the mapping of `orders` renames; `months`: what the company's own periods may be called, to their keys.
    Returns the columns found under our names (text as NFC text, dates as dates, numbers still as checked text), notes,
    and one `left_out` sentence per optional column that is absent. Raises InputDataError with up to five bad cells.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    sheet = read_sheet(table, spec, mapping, raw)
    notes = list(sheet.notes)
    result: dict[str, pa.Array] = {}
    bad: list[tuple[int, str, str, str]] = []
    count = 0
    for ours, theirs in sheet.wanted.items():
        column, cells = spec.column(ours), sheet.cells[theirs]
        label = ours if ours == theirs else f"{ours} ({theirs})"
        faults: dict[str, str] = {}
        if column.kind == "text":
            result[ours], faults, changed = _read_text_column(cells)
            if column.blank:
                faults.pop("", None)
            if changed:
                notes.append(f"{changed} spellings in column {label} were brought to Unicode NFC")
        elif column.kind == "date":
            result[ours], faults = _read_date_column(cells, mapping.date_format, column.blank)
        elif column.kind == "choice":
            result[ours] = cells.combine_chunks()
            expected = f"one of {', '.join(column.choices)}; correct the cell"
            faults = {value: expected for value in cells.unique().to_pylist() if value not in column.choices}
        elif column.kind == "month" and months:
            named = cells.combine_chunks().dictionary_encode()
            keys = [months.get(value, "") for value in named.dictionary.to_pylist()]
            result[ours] = pa.array(keys, pa.string()).take(named.indices)
            expected = f"a period of the table periods, by its label, such as {next(iter(months))}; correct the cell"
            faults = {value: expected for value in named.dictionary.to_pylist() if value not in months}
        else:
            result[ours] = cells.combine_chunks()
            mask, expected = _number_faults(cells, column)
            rows = pc.indices_nonzero(mask)
            count += len(rows)
            bad += [(row, label, cells[row].as_py(), expected) for row in rows[:SHOWN].to_pylist()]
        if faults:
            rows = pc.indices_nonzero(pc.is_in(cells.combine_chunks(), pa.array(list(faults), pa.string())))
            count += len(rows)
            bad += [(row, label, cells[row].as_py(), faults[cells[row].as_py()]) for row in rows[:SHOWN].to_pylist()]
    if bad:
        bad = sorted(bad)[:SHOWN]
        places = sheet.where([row for row, *_ in bad])
        lines = [
            f"{sheet.name} {place}, column {label}: found {found!r}, expected {expected}"
            for place, (_, label, found, expected) in zip(places, bad, strict=True)
        ]
        if count > len(bad):
            lines.append(f"and {count - len(bad)} more")
        raise InputDataError(collected(f"{table}: {count} cells cannot be read", lines) if count > 1 else lines[0])
    result, told, moved = names.renamed(table, spec, result, mapping.rename, shared)
    double = _check_key(sheet, spec, result, moved)
    found = pa.table(result)
    if double:
        notes.append(f"{len(double)} rows became the same as another in every column by `rename`; each is taken once")
        found = found.take(pa.array([row for row in range(len(found)) if row not in double]))
    return found, [*notes, *told], _left_out(table, spec, sheet)


def _check_key(sheet: Sheet, spec: TableSpec, result: dict[str, pa.Array], renamed: set[int]) -> set[int]:
    """Refuses two rows with one business key: summing or keeping the last would both be a guess.

    Returns the rows that are equal to another in every column since `renamed` rows have their new names.
    """
    if not spec.key:
        return set()
    double: set[int] = set()
    first: dict[tuple[object, ...], int] = {}
    for row, key in enumerate(zip(*(result[name].to_pylist() for name in spec.key), strict=True)):
        if first.setdefault(key, row) != row:
            by_rename = bool({row, first[key]} & renamed)
            if by_rename and all(cells[row].as_py() == cells[first[key]].as_py() for cells in result.values()):
                double.add(row)
                continue
            earlier, later = sheet.where([first[key], row])
            named = ", ".join(f"{name} {value!r}" for name, value in zip(spec.key, key, strict=True))
            raise InputDataError(
                f"{sheet.name} {later}: found {named} again (first on {earlier}), expected one row each; "
                "remove or merge one of them" + (" (they have one name by `rename`)" if by_rename else "")
            )
    return double


def _left_out(table: str, spec: TableSpec, sheet: Sheet) -> list[str]:
    """One sentence per optional column that is absent; `cost` and `unit_cost` of orders stand in for each other."""
    absent = [column for column in spec.columns if not column.required and column.name not in sheet.wanted]
    if table == "orders":
        covered = {"cost", "unit_cost"} & set(sheet.wanted)
        absent = [column for column in absent if column.name != "unit_cost" and not (column.name == "cost" and covered)]
    lines = []
    for column in (column for column in absent if column.without != UNUSED):
        twin = next((name for name in sheet.header if name.strip().casefold() == column.name), None)
        hint = f" The file has {twin!r}: name it with `columns: {{{column.name}: {twin}}}`." if twin else ""
        lines.append(f"{table} has no column {column.name}: {column.without}.{hint}")
    return lines
