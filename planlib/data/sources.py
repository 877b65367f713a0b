"""The stored tables of a run, aggregated where they lie: the only door to Ibis.

Sums run over integers and decimals, so that no answer depends on the order of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from planlib.data import restated
from planlib.data.tables import TABLES
from planlib.errors import InputDataError
from planlib.periods import MONTHS, Calendar, of_table

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

AHEAD = ("calendar", "milestones", "periods")  # their days are known before they come
BY = ("region", "product", "channel", "customer", "month", "day")


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
