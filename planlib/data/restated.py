"""History in the members of the plan year: orders and every other table after renames, merges, splits and moves.

Nothing is lost and nothing is doubled: money, pieces and lines keep their totals to the last unit, and beside each restated
member an order line keeps the one under which it was booked (`booked_region`, ...).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from planlib.data.changes import Change, ended
from planlib.data.files import nearest
from planlib.data.tables.spec import TableSpec
from planlib.errors import InputDataError, PlanError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

COUNTED = "counted"  # 1 for a line, and for one part of a line that was divided: the sum of it is the number of lines
OTHERS = "all others"
_PLACES = ("region", "product", "channel")
_MEASURES = ("revenue", "cost", "quantity", COUNTED)


def booked(column: str) -> str:
    """The column that keeps under which member a line was booked."""
    return f"booked_{column}"


def of_orders(orders: pa.Table, changes: Sequence[Change], elsewhere: Mapping[str, set[str]]) -> tuple[pa.Table, list[str]]:
    """Order lines as ingested, in the members after `changes`.

    `elsewhere`: members by dimension that other tables name: one without orders is no error. Adds booked_<column> for each
    column that changes, and `counted`. A line of a member that was split becomes one line per new member; its money, pieces
    and count are divided in whole units, so that in order of date every new member has its share of all lines so far, cell by
    cell, to within a few units. Returns the lines, and a sentence for each event that touches none. Raises InputDataError for
    a member that is not there, or is still sold after it ended.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    result = orders
    for column in sorted({change.column for change in changes}):
        result = result.append_column(booked(column), result[column])
    result = result.append_column(COUNTED, pa.array(np.ones(orders.num_rows, dtype=np.int64)))
    whole, told = _sums(result), []
    for change in changes:
        if change.dimension == "person":
            continue
        mine = _lines(result, change, changes, elsewhere)
        if not pc.any(mine).as_py():
            told.append(f"No order line is touched by this change: {change.says()}")
        result = _divided(result, change, mine) if change.kind == "split" else _renamed(result, change, mine)
    if _sums(result) != whole:
        raise PlanError(f"orders: restated they sum to {_sums(result)}, expected {whole}; this is a fault of the program.")
    return result, told


def of_table(name: str, spec: TableSpec, table: pa.Table, changes: Sequence[Change]) -> tuple[pa.Table, list[str]]:
    """Another table in the members after `changes`, and sentences on rows that say nothing of a new member.

    A row follows its member where it is dated before the event, or where the member is no more. Rows that become one are
    summed where they can be (money, counts); where they differ in anything else, no row is made of them. A table that has a
    row under the new name already speaks of today: that row stands.
    """
    import pyarrow as pa

    gone = ended(changes)
    rows: list[dict[str, Any]] = table.to_pylist()
    told: list[str] = []
    for change in changes:
        rows = _moved(name, rows, change) if change.kind == "move" else _followed(name, spec, rows, change, gone, told)
    same = rows == table.to_pylist()
    return (table if same else pa.Table.from_pylist(rows, schema=table.schema)), told


def both_views(cells: pd.DataFrame, years: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """What was booked under each member and what counts as its history, side by side.

    `cells`: month, booked and restated (members), amount (minor units). `years`: a period's name -> its months.
    Returns period, member, as_booked, as_restated and difference, one row per period and member that an event touches, then all
    others, so that both sides of a period sum to the same. Raises PlanError where they do not.
    """
    import pandas as pd

    moved = cells[cells["booked"] != cells["restated"]]
    touched = {*moved["booked"], *moved["restated"]}
    frames = []
    for period, months in years.items():
        mine = cells[cells["month"].isin(months)]
        sides = {}
        for side, column in (("as_booked", "booked"), ("as_restated", "restated")):
            member = mine[column].where(mine[column].isin(touched), OTHERS)
            sides[side] = mine["amount"].groupby(member).sum()
        both = pd.DataFrame(sides).fillna(0).astype("int64").rename_axis("member").reset_index()
        frames.append(both.assign(period=period))
    found = pd.concat(frames, ignore_index=True)
    found["difference"] = found["as_restated"] - found["as_booked"]
    if found.groupby("period")["difference"].sum().any():
        raise PlanError("restated history: a period's members do not sum to what was booked; this is a fault of the program.")
    found = found.assign(last=found["member"] == OTHERS, place=found["period"].map({p: n for n, p in enumerate(years)}))
    found = found.sort_values(["place", "last", "member"], ignore_index=True)
    return found[["period", "member", "as_booked", "as_restated", "difference"]]


# ---------------------------------------------------------------- order lines


def _lines(orders: pa.Table, change: Change, changes: Sequence[Change], elsewhere: Mapping[str, set[str]]) -> pa.ChunkedArray:
    """Which lines an event restates: a mask. Refuses members that are not there, and lines that contradict the event."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = change.dimension
    before = pc.less(orders["date"], pa.scalar(change.start, pa.date32()))
    mine = pc.is_in(orders[column], pa.array(change.of, pa.string()))
    known = {*orders[column].unique().to_pylist(), *elsewhere.get(column, set())}
    strange = [] if change.if_there else [name for name in change.of if name not in known]
    if strange:
        hint = nearest(strange[0], sorted(known))
        raise InputDataError(
            f"changes: found the {column} {strange[0]!r} in the {change.kind} from {change.since}, expected one of the orders"
            + (f" (nearest: {hint!r})" if hint else "")
            + "; correct the name, or say `if_there: true` where orders may not have it."
        )
    if change.kind == "move":
        return _of_movers(orders, change, pc.and_(before, mine))
    for name in change.ended:
        _refuse_late(orders, change, name, _reborn(changes, change, name))
    new = [name for name in change.shares if name not in change.of]
    if change.kind in ("rename", "merge"):
        sold = pc.and_(before, pc.is_in(orders[column], pa.array(new, pa.string())))
        count = pc.sum(sold).as_py() or 0
        if count:
            way = f"kind: merge, of: [{', '.join([*change.of, *new])}]"
            raise InputDataError(
                f"changes: found {count} lines of {column} {new[0]!r} before {change.since}, when {' and '.join(change.of)} "
                f"took that name, expected none; members that become one are a merge: write `{way}`."
            )
    return pc.and_(before, mine)


def _of_movers(orders: pa.Table, change: Change, mine: pa.ChunkedArray) -> pa.ChunkedArray:
    """The lines of customers who move that lie outside their new region, in the one region that each leaves."""
    import pyarrow as pa
    import pyarrow.compute as pc

    new = next(iter(change.shares))
    mine = pc.and_(mine, pc.not_equal(orders["region"], pa.scalar(new)))
    if change.leaving is not None:
        return pc.and_(mine, pc.equal(orders["region"], pa.scalar(change.leaving)))
    pairs = orders.select(["customer", "region"]).filter(mine).group_by(["customer", "region"]).aggregate([]).to_pylist()
    left: dict[str, list[str]] = {}
    for pair in sorted(pairs, key=lambda pair: (pair["customer"], pair["region"])):
        left.setdefault(pair["customer"], []).append(pair["region"])
    several = {customer: regions for customer, regions in left.items() if len(regions) > 1}
    if several:
        customer, regions = next(iter(several.items()))
        raise InputDataError(
            f"changes: found customer {customer!r} with orders in {' and '.join(regions)} before moving to {new} in "
            f"{change.since}, expected one region ({len(several)} such customers); say which: `leaving: {regions[0]}`."
        )
    return mine


def _refuse_late(orders: pa.Table, change: Change, name: str, until: Any) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    day = pa.scalar(change.start, pa.date32())
    late = pc.and_(pc.equal(orders[change.dimension], pa.scalar(name)), pc.greater_equal(orders["date"], day))
    if until is not None:
        late = pc.and_(late, pc.less(orders["date"], pa.scalar(until, pa.date32())))
    days = orders["date"].filter(late)
    if len(days):
        raise InputDataError(
            f"changes: found {len(days)} lines of {change.dimension} {name!r} from {pc.min(days)} to {pc.max(days)}, expected "
            f"none from {change.since} on, when it became {' and '.join(change.shares)}; book them under the new name, or set "
            "`from` after the last of them."
        )


def _reborn(changes: Sequence[Change], change: Change, name: str) -> Any:
    """The day from which another member bears a name again; None where none does."""
    days = [
        each.start for each in changes if each.column == change.column and name in each.shares and each.start > change.start
    ]
    return min(days, default=None)


def _renamed(orders: pa.Table, change: Change, mine: pa.ChunkedArray) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    names = pc.if_else(mine, pa.scalar(next(iter(change.shares))), orders[change.column])
    return orders.set_column(orders.column_names.index(change.column), change.column, names)


def _divided(orders: pa.Table, change: Change, mine: pa.ChunkedArray) -> pa.Table:
    """Each line of a split member as one line per new member; every measure is divided on its own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column, names = change.column, list(change.shares)
    keys = [name for name in _PLACES if name in orders.column_names and name != column]
    # in an order that the file's does not decide, so that the same orders are always divided alike
    by = [
        *keys,
        *(name for name in ("date", "order_id", "customer", "quantity", "revenue", "cost") if name in orders.column_names),
    ]
    old = orders.filter(mine).sort_by([(name, "ascending") for name in by])
    cells = list(zip(*(old[name].to_pylist() for name in keys), strict=True)) if keys else [()] * old.num_rows
    pieces = [
        old.set_column(old.column_names.index(column), column, pa.array([name] * old.num_rows, pa.string())) for name in names
    ]
    for measure in (name for name in _MEASURES if name in orders.column_names):
        kind = old.schema.field(measure).type
        scale = kind.scale if pa.types.is_decimal(kind) else 0
        amounts = [int(value.scaleb(scale)) if scale else int(value) for value in old[measure].to_pylist()]
        for place, parts in enumerate(divided(amounts, list(change.shares.values()), cells)):
            values = pa.array(parts, pa.int64()) if not scale else _decimals(parts, kind)
            at = pieces[place].column_names.index(measure)
            pieces[place] = pieces[place].set_column(at, pieces[place].schema.field(measure), values)
    return pa.concat_tables([orders.filter(pc.invert(mine)), *pieces])


def divided(amounts: Sequence[int], shares: Sequence[Any], cells: Sequence[Any]) -> list[list[int]]:
    """Whole amounts divided by shares that sum to 1: one list of parts per share, each part of the amount's sign.

    Every amount is the sum of its parts. What does not divide goes to whoever is furthest behind its share of the amounts so
    far, within the amount's cell, so that small amounts add up to the shares as well as large ones.
    """
    exact = [Fraction(str(share)) for share in shares]
    whole = max(share.denominator for share in exact)
    while any((share * whole).denominator != 1 for share in exact):
        whole *= 10
    parts = [int(share * whole) for share in exact]
    result: list[list[int]] = [[] for _ in shares]
    behind: dict[Any, list[int]] = {}
    for amount, cell in zip(amounts, cells, strict=True):
        sign, owed = (-1 if amount < 0 else 1), behind.setdefault(cell, [0] * len(parts))
        found = [divmod(abs(amount) * part, whole) for part in parts]
        given = [quotient for quotient, _ in found]
        for place, (_, rest) in enumerate(found):
            owed[place] += sign * rest
        for place in sorted(range(len(parts)), key=lambda place: -sign * owed[place])[: abs(amount) - sum(given)]:
            given[place] += 1
            owed[place] -= sign * whole
        for place, part in enumerate(given):
            result[place].append(sign * part)
    return result


def _decimals(units: Sequence[int], kind: Any) -> pa.Array:
    from decimal import Decimal

    import pyarrow as pa

    return pa.array([Decimal(unit).scaleb(-kind.scale) for unit in units], kind)


def _sums(orders: pa.Table) -> dict[str, Any]:
    """Exact sums of every measure; 0 for what has none."""
    import pyarrow.compute as pc

    return {name: pc.sum(orders[name]).as_py() or 0 for name in _MEASURES if name in orders.column_names}


# ---------------------------------------------------------------- rows of other tables


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
        {**row, "region": new} if row[change.dimension] in change.of and change.leaving in (None, row["region"]) else row
        for row in rows
    ]


def _followed(
    name: str,
    spec: TableSpec,
    rows: list[dict[str, Any]],
    change: Change,
    gone: Mapping[tuple[str, str], Change],
    told: list[str],
) -> list[dict[str, Any]]:
    column = change.column
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
        # who lives on under its name is meant by a row of today, and by a dated one from the event on
        return f"{row[dated]}-01"[:7] < f"{change.start:%Y-%m}" if dated else not today

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
        return rest + [part for row in mine for part in _parts(spec, row, change)]
    new = next(iter(change.shares))
    mine = _whole(name, spec, mine, change, dated, told)
    return _joined(name, spec, [*rest, *({**row, column: new} for row in mine)], column, new, told)


def _whole(
    name: str, spec: TableSpec, rows: list[dict[str, Any]], change: Change, dated: str | None, told: list[str]
) -> list[dict[str, Any]]:
    """Rows of members that merge, without periods in which a table with amounts has some of them only: a part is no sum."""
    alone = {change.column, dated} >= set(spec.key)
    if not alone or not any(spec.column(each).additive for each in rows[0]):
        return rows
    moving = [each for each in change.of if each not in change.shares]
    there: dict[Any, set[str]] = {}
    for row in rows:
        there.setdefault(row[dated] if dated else None, set()).add(row[change.column])
    partly = [period for period, members in there.items() if len(members) < len(moving)]
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
    name: str, spec: TableSpec, rows: list[dict[str, Any]], column: str, new: str, told: list[str]
) -> list[dict[str, Any]]:
    """Rows with one key made one: additive columns summed; where others differ there is no row, and it is told."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[each] for each in spec.key), []).append(row)
    result = []
    for same in groups.values():
        if len(same) == 1:
            result += same
            continue
        differ = [
            each for each in same[0] if not spec.column(each).additive and any(row[each] != same[0][each] for row in same)
        ]
        if differ:
            told.append(
                f"{name}: the rows that became {column} {new} differ in {', '.join(differ)}: what the table would say of {new} "
                f"is left out; give it a row of its own."
            )
            continue
        sums = {each: sum(row[each] or 0 for row in same) for each in same[0] if spec.column(each).additive}
        result.append({**same[0], **sums})
    return result
