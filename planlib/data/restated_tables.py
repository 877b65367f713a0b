"""Every table beside the orders in the members of the plan year: rows that follow, are divided, summed or left out.

What can be done with a row is read off its table's columns: money and counts add up, prices, rates and texts do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from planlib.data.changes import Change, ended
from planlib.data.files import nearest
from planlib.data.restated import divided
from planlib.data.tables.spec import TableSpec
from planlib.errors import InputDataError
from planlib.periods import MONTHS, Calendar

if TYPE_CHECKING:
    import pyarrow as pa


def of_table(
    name: str, spec: TableSpec, table: pa.Table, changes: Sequence[Change], calendar: Calendar = MONTHS
) -> tuple[pa.Table, list[str]]:
    """Another table in the members after `changes`, and sentences on rows that say nothing of a new member.

    A row follows its member where it is dated before the event, or where the member is no more. Rows that become one are
    summed where they can be (money, counts); where they differ in anything else, no row is made of them. A table that has a
    row under the new name already speaks of today: that row stands.
    """
    import pyarrow as pa

    rows: list[dict[str, Any]] = table.to_pylist()
    told: list[str] = []
    for change in changes:
        rows = (
            _moved(name, rows, change)
            if change.kind == "move"
            else _followed(name, spec, rows, change, changes, told, calendar)
        )
    same = rows == table.to_pylist()
    return (table if same else pa.Table.from_pylist(rows, schema=table.schema)), told


def _moved(name: str, rows: list[dict[str, Any]], change: Change) -> list[dict[str, Any]]:
    """Customers' home region, persons' region."""
    if name != {"customer": "customers", "person": "staff"}[change.dimension] or (rows and "region" not in rows[0]):
        return rows
    known = {row[change.dimension] for row in rows}
    strange = [each for each in change.of if each not in known]
    if change.dimension == "person" and strange and not change.if_there:
        hint = nearest(strange[0], sorted(known))
        raise InputDataError(
            f"changes: found the person {strange[0]!r}, expected one of the table staff"
            + (f" (nearest: {hint!r})" if hint else "")
            + "; correct it."
        )
    new = next(iter(change.shares))
    return [
        {**row, "region": new}
        if row[change.dimension] in change.of and (not change.leaving or row["region"] in change.leaving)
        else row
        for row in rows
    ]


def _followed(
    name: str,
    spec: TableSpec,
    rows: list[dict[str, Any]],
    change: Change,
    changes: Sequence[Change],
    told: list[str],
    calendar: Calendar,
) -> list[dict[str, Any]]:
    column, gone = change.column, ended(changes)
    if not rows or column not in rows[0]:
        return rows
    dated = next((each.name for each in spec.columns if each.name in spec.key and each.kind in ("month", "year")), None)
    there = {row[column] for row in rows}
    news = [new for new in change.shares if new not in change.of]
    today = dated is None and all(new in there for new in news) and bool(news)  # the table speaks of today already

    def follows(row: dict[str, Any]) -> bool:
        if row[column] not in change.of:
            return False
        if (change.dimension, row[column]) in gone:
            return True
        if dated:
            first = calendar.at(change.start)
            return f"{row[dated]}-01"[: len(first)] < first
        if row[column] in change.shares:  # it lives on under its name
            return not today
        # another member bears its name now: the row is of old where that one still stands under its own old name
        heirs = [
            each for each in changes if each.column == column and row[column] in each.shares and each.start >= change.start
        ]
        return any(there & {*each.of} for each in heirs)

    mine = [row for row in rows if follows(row)]
    if not mine:
        return rows
    rest = [row for row in rows if not follows(row)]
    if column not in spec.key:  # a person, a partner, an activity: it is not divided, and goes where most goes
        most = max(change.shares, key=lambda new: change.shares[new])
        most = change.of[0] if change.kind == "split" and change.of[0] in change.shares else most
        if change.kind == "split":
            told.append(f"{name}: {len(mine)} rows of {column} {change.of[0]} are not divided and stay with {most}.")
        return [{**row, column: most} if follows(row) else row for row in rows]
    if today:
        if change.kind != "split":
            told.append(f"{name}: the row of {news[0]} stands for {' and '.join(change.of)}, whose own rows are not used.")
        return rest
    if change.kind == "split":
        told.append(
            f"{name}: the rows of {' and '.join(change.shares)} are made of the one of {change.of[0]}: amounts and counts by "
            "their shares, anything else as it was."
        )
        return _joined(name, spec, rest + [part for row in mine for part in _parts(spec, row, change)], column, there, told)
    new = next(iter(change.shares))
    mine = sorted(_whole(name, spec, mine, change, dated, told), key=lambda row: row[column] != new)
    return _joined(name, spec, [*rest, *({**row, column: new} for row in mine)], column, there, told)


def _whole(
    name: str, spec: TableSpec, rows: list[dict[str, Any]], change: Change, dated: str | None, told: list[str]
) -> list[dict[str, Any]]:
    """Rows of members that merge, without periods in which a table with amounts has some of them only: a part is no sum."""
    alone = {change.column, dated} >= set(spec.key)
    if not alone or not any(spec.column(each).additive for each in rows[0]):
        return rows
    there: dict[Any, set[str]] = {}
    for row in rows:
        there.setdefault(row[dated] if dated else None, set()).add(row[change.column])
    partly = [period for period, members in there.items() if len(members) < len(change.of)]
    if partly:
        when = f" of {', '.join(map(str, sorted(partly)))}" if dated else ""
        told.append(
            f"{name}: not each of {' and '.join(change.of)} has a row{when}: what the table would say of "
            f"{next(iter(change.shares))} is left out; give it a row of its own."
        )
    return [row for row in rows if (row[dated] if dated else None) not in partly]


def _parts(spec: TableSpec, row: dict[str, Any], change: Change) -> list[dict[str, Any]]:
    """One row per new member: money in whole units, counts by share, all else as it was."""
    shares = list(change.shares.values())
    result = [{**row, change.column: new} for new in change.shares]
    for name, value in row.items():
        if name not in spec.names or value is None or not spec.column(name).additive:
            continue
        money = isinstance(value, int)
        values = [part[0] for part in divided([value], shares, [()])] if money else [value * float(share) for share in shares]
        for part, each in zip(result, values, strict=True):
            part[name] = each
    return result


def _joined(
    name: str, spec: TableSpec, rows: list[dict[str, Any]], column: str, before: set[str], told: list[str]
) -> list[dict[str, Any]]:
    """Rows with one key made one: additive columns summed; where others differ, the row that had the name before stands.

    `rows`: those that had their name before come first; `before`: these names. Where none had it there is no row, and it is
    told.
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[each] for each in spec.key), []).append(row)
    result = []
    for same in groups.values():
        first, rates = same[0], [each for each in same[0] if not spec.column(each).additive]
        differ = [each for each in rates if any(row[each] != first[each] for row in same)]
        if differ and first[column] not in before:
            told.append(
                f"{name}: the rows that became {column} {first[column]} differ in {', '.join(differ)}: what the table would "
                f"say of {first[column]} is left out; give it a row of its own."
            )
            continue
        if differ:
            told.append(f"{name}: {', '.join(differ)} of {column} {first[column]} stand as its own row has them.")
        sums = {each: sum(row[each] or 0 for row in same) for each in first if spec.column(each).additive}
        result.append({**first, **sums} if len(same) > 1 else first)
    return result
