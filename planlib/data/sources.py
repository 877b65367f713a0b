"""Inputs: every table a run reads, checked, digested and stored once, then aggregated where it lies.

The only door to Ibis. `ingest` turns a company's files into Parquet tables with exact money; `Tables` answers a
chapter's questions from them. Sums run over integers and decimals, so that no answer depends on the order of the rows.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planlib.data import changes as events
from planlib.data import names, restated, restated_tables
from planlib.data.calendar import calendar_of, covered, month_names
from planlib.data.files import TableMapping, nearest, read_bytes, suffix
from planlib.data.members import DIMENSIONS, checked
from planlib.data.tables import TABLES, UNUSED, dictionary
from planlib.errors import InputDataError, ParameterError
from planlib.periods import MONTHS, Calendar, of_table

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

__all__ = ["TABLES", "Input", "TableMapping", "Tables", "dictionary", "fingerprint", "ingest"]

ORDER = ("date", "order_id", "region", "product", "channel", "customer", "quantity")
AHEAD = ("calendar", "milestones", "periods")  # their days are known before they come
BY = ("region", "product", "channel", "customer", "month", "day")


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
    from planlib.plan import minor_exponent

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
    rooms = ("calendar", "changes", "files", "money", "names", "reading", "restated", "restated_tables", "sources")
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


def _connect():  # type: ignore[no-untyped-def]  # an Ibis backend, imported late
    import ibis

    # a table of this size needs one thread, and a forked kernel inherits none; nothing is ever fetched
    return ibis.duckdb.connect(threads=1, autoinstall_known_extensions=False)


class Tables:
    """The stored tables of a run, by name; `orders` is aggregated before it leaves the database.

    `as_of`: the last day that is known. What a table says of later months or days is not read, whatever asks for it; but for
    the calendar and the milestones, whose days are known before they come.
    """

    def __init__(self, inputs: Mapping[str, Path], as_of: date | None = None) -> None:
        self.inputs = {name: Path(path) for name, path in inputs.items()}
        self.as_of = as_of
        self._orders: ir.Table | None = None

    @cached_property
    def calendar(self) -> Calendar:
        """The company's own periods where the run has a table of them, else calendar months."""
        return of_table(self.frame("periods")) if self.has("periods") else MONTHS

    def has(self, name: str) -> bool:
        """Whether the run has this table."""
        return name in self.inputs

    def get(self, name: str) -> pd.DataFrame | None:
        """The table, or None when the run does not have it."""
        return self.frame(name) if self.has(name) else None

    def frame(self, name: str) -> pd.DataFrame:
        """The whole table in file order: money int64 minor units, dates datetime64, other numbers float64, text str.

        Raises InputDataError when the run does not have it.
        """
        import pyarrow.parquet as pq

        if not self.has(name):
            raise InputDataError(
                f"table {name}: found none in this run, expected it; add `{name}: {{file: ...}}` under `data:`"
            )
        frame = _frame(pq.read_table(self.inputs[name]))
        exact = [column.name for column in TABLES[name].columns if column.kind == "decimal" and column.name in frame]
        return self._known(name, frame).astype(dict.fromkeys(exact, "float64"))

    def _known(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows that were known on `as_of`, by the table's own month or day."""
        by = next((each for each in TABLES[name].columns if each.required and each.kind in ("date", "month")), None)
        if self.as_of is None or by is None or name in AHEAD:
            return frame
        known = frame[by.name] <= (self.calendar.at(self.as_of) if by.kind == "month" else str(self.as_of))
        return frame if known.all() else frame[known].reset_index(drop=True)

    def orders(
        self, by: list[str], since: str | None = None, until: str | None = None, groups: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """Orders summed by some dimensions.

        `by`: from region, product, channel, customer, month, day, or a column of `groups`, a frame with one row per
        `customer`. `since`, `until`: first and last month (`2026-03`), both included.
        Returns `by`, `amount` (net revenue, minor units), `cost` (minor units, absent when orders have none), `quantity`
        (float), `lines`, and `returned` (the sum of the negative amounts, minor units), one row per cell that has orders,
        sorted by `by`; with no `by` one row. Raises InputDataError when `groups` lacks or doubles a customer.
        """
        import ibis

        orders = self._table()
        orders = orders.mutate(day=orders.date)
        if since is not None:
            orders = orders.filter(orders.month >= since)
        if until is not None:
            orders = orders.filter(orders.month <= until)
        extra = [] if groups is None else [str(name) for name in groups.columns if name not in BY]
        unknown = [name for name in by if name not in (*BY, *extra)]
        if unknown:
            raise ValueError(f"orders: found {unknown[0]!r} in `by`, expected some of {', '.join((*BY, *extra))}")
        if groups is not None and set(by) & set(extra):
            orders = _grouped(orders, groups[["customer", *extra]])
        sums = {
            "amount": orders.revenue.sum(),
            **({"cost": orders.cost.sum()} if "cost" in orders.columns else {}),
            "quantity": orders.quantity.sum(),
            "lines": orders[restated.COUNTED].sum() if restated.COUNTED in orders.columns else orders.count(),
            "returned": ibis.ifelse(orders.revenue < 0, orders.revenue, 0).sum(),
        }
        # whole sums come back as int64 or the cast fails: nothing wraps round
        kinds = {name: "float64" if name == "quantity" else "int64" for name in sums}
        result = orders.group_by(by).aggregate(**sums) if by else orders.aggregate(**sums)
        result = result.mutate(**{name: result[name].cast(kind).coalesce(0) for name, kind in kinds.items()})
        return _frame((result.order_by(by) if by else result).select(*by, *kinds)).astype(kinds)

    def customers(self, until: str) -> pd.DataFrame:
        """What each customer bought up to a day (`2026-03-31`, included).

        Returns `customer`, `first` and `last` (days of the first and last line with a positive amount), `orders` (distinct
        order numbers with a positive amount), `amount` (net, minor units), `months` (months with a positive amount), `days`
        (distinct days on which an order was placed) and `repeat_amount` (net of the orders placed after the first day, their
        returns taken off; minor units), one row per customer with such a line, sorted by customer.
        """
        import ibis

        orders = self._table()
        orders = orders.filter(orders.date <= ibis.date(until))
        bought = orders.revenue > 0
        result = orders.group_by("customer").aggregate(
            first=orders.date.min(where=bought),
            last=orders.date.max(where=bought),
            orders=orders.order_id.nunique(where=bought),
            amount=orders.revenue.sum().cast("int64"),
            months=orders.month.nunique(where=bought),
        )
        result = result.filter(result.orders > 0)
        # A return carries its order's number and a later date: it lowers the value of the purchase, it is none itself.
        placed = orders.group_by(["customer", "order_id"]).aggregate(
            day=orders.date.min(where=bought), net=orders.revenue.sum()
        )
        placed = placed.join(result.select("customer", "first"), "customer")
        repeats = placed.group_by("customer").aggregate(
            days=placed.day.nunique(),
            repeat_amount=ibis.ifelse(placed.day > placed.first, placed.net, 0).sum().cast("int64"),
        )
        return _frame(result.join(repeats, "customer").order_by("customer"))

    def pairs(self, since: str, until: str) -> pd.DataFrame:
        """Products that were bought in one order, in the months from `since` to `until` (`2026-03`, both included).

        Returns `product`, `other` (later in the alphabet), `together` (orders with both), `product_orders`, `other_orders` and
        `all_orders`, one row per pair that occurs, sorted by pair. Only lines with a positive amount count.
        """
        orders = self._table()
        bought = orders.filter((orders.revenue > 0) & (orders.month >= since) & (orders.month <= until))
        if restated.COUNTED in bought.columns:  # the parts of a divided line were not bought together
            bought = bought.filter(bought[restated.COUNTED] > 0)
        lines = bought.select("order_id", "product").distinct()
        other = lines.rename(other="product", other_id="order_id")
        both = lines.join(other, [lines.order_id == other.other_id, lines.product < other.other])
        counted = both.group_by(["product", "other"]).aggregate(together=both.count())
        frame = _frame(counted.order_by(["product", "other"]))
        sold = _frame(lines.group_by("product").aggregate(orders=lines.count())).set_index("product")["orders"]
        for column, name in (("product_orders", "product"), ("other_orders", "other")):
            frame[column] = frame[name].map(sold).astype("int64")
        frame["all_orders"] = int(lines.order_id.nunique().to_pyarrow().as_py())
        return frame

    def both_views(
        self, column: str, until: str, since: str | None = None, customers: Sequence[str] | None = None
    ) -> pd.DataFrame | None:
        """What was booked under each member of a dimension, and under which it counts now; None where no event changed it.

        `since`, `until`: first and last month, both included. `customers`: of these alone. Returns month, booked and restated
        (members) and amount (net revenue, minor units), sorted by the first three. See `planlib.data.restated`.
        """
        orders = self._table()
        if restated.booked(column) not in orders.columns:
            return None
        orders = orders.mutate(booked=orders[restated.booked(column)], restated=orders[column])
        orders = orders.filter(orders.month <= until)
        if since is not None:
            orders = orders.filter(orders.month >= since)
        if customers is not None:
            orders = orders.filter(orders.customer.isin(list(customers)))
        keys = ["month", "booked", "restated"]
        return _frame(orders.group_by(keys).aggregate(amount=orders.revenue.sum().cast("int64")).order_by(keys))

    def span(self) -> tuple[str, str, str]:
        """First month, last month (`2026-03`, or the company's own period) and last day (`2026-03-31`) of the orders."""
        orders = self._table()
        first, last = orders.aggregate(first=orders.date.min(), last=orders.date.max()).to_pyarrow().to_pylist()[0].values()
        return self.calendar.at(first), self.calendar.at(last), f"{last:%Y-%m-%d}"

    def _table(self) -> ir.Table:
        if self._orders is None:
            if not self.has("orders"):
                raise InputDataError("table orders: found none in this run, expected it; add it under `data:`")
            orders = _connect().read_parquet(self.inputs["orders"], table_name="orders")
            orders = orders if self.as_of is None else orders.filter(orders.date <= self.as_of)
            self._orders = _in_months(orders, self.calendar)
        return self._orders


def _frame(result: ir.Table | pa.Table) -> pd.DataFrame:
    """A result in pandas' own types: text str, days datetime64[s]."""
    import pyarrow as pa

    table = result if isinstance(result, pa.Table) else result.to_pyarrow()
    frame = table.replace_schema_metadata(None).to_pandas(date_as_object=False)
    return frame.astype({field.name: "datetime64[s]" for field in table.schema if pa.types.is_date(field.type)})


def _in_months(orders: ir.Table, calendar: Calendar) -> ir.Table:
    """Orders with the month each day lies in, or the company's own period."""
    if not calendar.own:
        return orders.mutate(month=orders.date.strftime("%Y-%m"))
    import ibis
    import pyarrow as pa

    days = calendar.days([each.key for each in calendar.own])
    held = pa.table({"date": pa.array(days["day"].dt.date, pa.date32()), "month": pa.array(days["month"], pa.string())})
    return orders.inner_join(ibis.memtable(held), "date")


def _grouped(orders: ir.Table, groups: pd.DataFrame) -> ir.Table:
    """Orders with the columns of `groups`, one row per customer there: no line is dropped and none is multiplied."""
    import ibis
    import pyarrow as pa

    twice = groups["customer"][groups["customer"].duplicated()]
    if len(twice):
        raise InputDataError(f"groups: found customer {twice.iloc[0]!r} twice, expected one row per customer")
    held = ibis.memtable(pa.Table.from_pandas(groups, preserve_index=False).replace_schema_metadata(None))
    lost = _frame(orders.anti_join(held, "customer").select("customer").distinct().order_by("customer"))["customer"]
    if len(lost):
        raise InputDataError(
            f"groups: found no row for {len(lost)} customers with orders (first {lost.iloc[0]!r}), expected every one; "
            "give them a group of their own"
        )
    return orders.inner_join(held, "customer")
