"""History in the members of the plan year: orders and every other table after renames, merges, splits and moves.

Nothing is lost and nothing is doubled: money, pieces and lines keep their totals to the last unit, and beside each restated
member an order line keeps the one under which it was booked (`booked_region`, ...).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from planlib.data.changes import Change
from planlib.data.files import nearest
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
    cell, to within a few units. Returns the lines, and sentences on events that touch none or not all. Raises
    InputDataError for a member that is not there, or is still sold after it ended.
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
        if change.kind == "move":
            told += _stayed(result, change)
        result = _divided(result, change, mine) if change.kind == "split" else _renamed(result, change, mine)
    if _sums(result) != whole:
        raise PlanError(f"orders: restated they sum to {_sums(result)}, expected {whole}; this is a fault of the program.")
    return result, told


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
    """The lines of customers who move that lie outside their new region, in the one region that each leaves.

    A region that was split is one: who bought there leaves all its parts.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    new = next(iter(change.shares))
    mine = pc.and_(mine, pc.not_equal(orders["region"], pa.scalar(new)))
    if change.leaving:
        return pc.and_(mine, pc.is_in(orders["region"], pa.array(change.leaving, pa.string())))
    columns = ["customer", "region", booked("region")]
    left: dict[str, tuple[set[str], set[str]]] = {}
    for each in orders.select(columns).filter(mine).group_by(columns).aggregate([]).to_pylist():
        now, then = left.setdefault(each["customer"], (set(), set()))
        now.add(each["region"])
        then.add(each[booked("region")])
    several = sorted((customer, sorted(now)) for customer, (now, then) in left.items() if min(len(now), len(then)) > 1)
    if several:
        customer, regions = several[0]
        raise InputDataError(
            f"changes: found customer {customer!r} with orders in {' and '.join(regions)} before moving to {new} in "
            f"{change.since}, expected one region ({len(several)} such customers); say which: `leaving: {regions[0]}`, or "
            f"all of them: `leaving: [{', '.join(regions)}]`."
        )
    return mine


def _stayed(orders: pa.Table, change: Change) -> list[str]:
    """A sentence when customers who moved go on buying elsewhere: those lines stay where they were booked."""
    import pyarrow as pa
    import pyarrow.compute as pc

    new = next(iter(change.shares))
    late = pc.and_(
        pc.is_in(orders["customer"], pa.array(change.of, pa.string())),
        pc.and_(
            pc.greater_equal(orders["date"], pa.scalar(change.start, pa.date32())),
            pc.not_equal(orders["region"], pa.scalar(new)),
        ),
    )
    places = sorted(set(orders["region"].filter(late).to_pylist()))
    if not places:
        return []
    count = pc.sum(late).as_py()
    return [
        f"Customers who moved to {new} in {change.since} still bought in {', '.join(places)} since then ({count} order lines): "
        "those stay there."
    ]


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
