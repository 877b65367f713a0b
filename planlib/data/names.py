"""Names as the world writes them: which text is one, which look like two spellings of one, and what a mapping renames.

Nothing is merged by itself: two spellings stay two members until a mapping says that they are one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from planlib.data.tables.spec import EXPECTED, TableSpec
from planlib.errors import ParameterError

if TYPE_CHECKING:
    import pyarrow as pa

Renames = Mapping[str, Mapping[str, str]]  # column -> old name -> new name

JOINERS = "\u200c\u200d"  # zero width non-joiner and joiner: part of how Persian, Sinhala, many Indic names and emoji are spelt
DIMENSIONS = ("region", "product", "channel", "customer")
SHOWN = 5  # pairs of spellings listed in the notes of one column

_INVISIBLE = {"Cc", "Cf", "Zl", "Zp"}


def fault(value: str) -> str | None:
    """What was expected in place of a text that is no name; None where it is one.

    A joiner stands between two letters (or marks, or signs such as emoji): at an end, or alone, nobody sees it.
    """
    if not value.strip():
        return "a code or name; a blank is none, fill it in"
    for place, mark in enumerate(value):
        if mark in JOINERS:
            around = (value[place - 1 : place], value[place + 1 : place + 2])
            if not all(side and unicodedata.category(side)[0] in "LMS" for side in around):
                return f"a letter on both sides of the invisible joiner U+{ord(mark):04X}; remove it"
        elif unicodedata.category(mark) in _INVISIBLE or (mark.isspace() and mark not in " \u3000"):
            return EXPECTED["text"]
    return EXPECTED["text"] if value != value.strip() else None


def folded(name: str) -> str:
    """A name without what spellings differ in: case, width, accents of Latin, Greek and Cyrillic letters, blanks, joiners."""
    plain = unicodedata.normalize("NFKD", name)
    kept = (mark for mark in plain if not ("\u0300" <= mark <= "\u036f" or mark.isspace() or mark in JOINERS))
    return unicodedata.normalize("NFKC", "".join(kept).casefold())


def variants(orders: pa.Table, dimensions: tuple[str, ...], exponent: int, currency: str) -> list[str]:
    """A note for each set of names of one dimension that differ by spelling alone, and the line that makes them one.

    `orders`: the dimensions and `revenue` in minor units. The spelling with most lines is the one to keep.
    """
    notes = []
    for dimension in dimensions:
        if dimension not in orders.column_names:
            continue
        counted = orders.group_by(dimension).aggregate([("revenue", "sum"), ("revenue", "count")]).to_pylist()
        alike: dict[str, list[dict[str, object]]] = {}
        for row in sorted(counted, key=lambda row: (-row["revenue_count"], row[dimension])):
            alike.setdefault(folded(row[dimension]), []).append(row)
        several = [rows for _, rows in sorted(alike.items()) if len(rows) > 1]
        for rows in several[:SHOWN]:
            told = " and ".join(
                f"{row[dimension]!r} ({row['revenue_count']:,} lines, "
                f"{Decimal(int(str(row['revenue_sum']))).scaleb(-exponent):,f} {currency})"
                for row in rows
            )
            renames = ", ".join(f"{_quoted(str(row[dimension]))}: {_quoted(str(rows[0][dimension]))}" for row in rows[1:])
            notes.append(
                f"{dimension}: {told} differ by spelling alone and are planned as {len(rows)} members; if they are one, set "
                f"`rename: {{{dimension}: {{{renames}}}}}` under `data: orders:`"
            )
        if len(several) > SHOWN:
            notes.append(f"{dimension}: {len(several) - SHOWN} more sets of names differ by spelling alone")
    return notes


def renamed(
    table: str, spec: TableSpec, columns: Mapping[str, pa.Array], own: Renames, shared: Renames
) -> tuple[dict[str, pa.Array], list[str], set[int]]:
    """The columns with their members renamed, a note for each old name that is not there, and the rows that changed.

    `own`: what the table's mapping renames, by column; `shared`: what that of `orders` does, where the table has the column.
    All old names are taken at once, so that two may be swapped. Raises ParameterError for a column that is no text column of
    the table, and for a new name that is none.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    result, notes, rows = dict(columns), [], set()
    texts = [column.name for column in spec.columns if column.kind == "text"]
    rename = {name: {**names, **own.get(name, {})} for name, names in shared.items() if name in texts and name in columns}
    for name, names in {**own, **rename}.items():
        if name not in texts:
            raise ParameterError(
                f"data: {table}: rename: found the column {name!r}, expected one of {', '.join(texts)}; correct or remove it."
            )
        for new in names.values():
            if (wrong := fault(new)) is not None:
                raise ParameterError(f"data: {table}: rename: {name}: found {new!r}, expected {wrong}.")
        if name not in columns:
            notes.append(f"rename names the column {name}, which is not there")
            continue
        encoded = columns[name].dictionary_encode()
        there = encoded.dictionary.to_pylist()
        stated = {unicodedata.normalize("NFC", old): unicodedata.normalize("NFC", new) for old, new in names.items()}
        notes += [_lacking(name, old, there, stated) for old in own.get(name, {}) if old not in there]
        changed = pc.is_in(columns[name], pa.array([old for old in stated if old != stated[old]], pa.string()))
        rows |= set(pc.indices_nonzero(changed).to_pylist())
        result[name] = pa.array([stated.get(old, old) for old in there], pa.string()).take(encoded.indices)
    return result, notes, rows


def _lacking(column: str, old: str, there: list[str], stated: Mapping[str, str]) -> str:
    from planlib.data.files import nearest

    hint = nearest(old, [name for name in there if name not in stated.values()])
    return f"rename: no {column} {old!r} in the file" + (f"; the nearest is {hint!r}" if hint else "")


def _quoted(name: str) -> str:
    """A name as a params file takes it within braces."""
    plain = name.replace(" ", "").replace("-", "").isalnum() and not name[0].isdigit() and name == name.strip(" -")
    words = {"yes", "no", "true", "false", "on", "off", "null", "y", "n"}
    return name if plain and name.casefold() not in words else "'" + name.replace("'", "''") + "'"
