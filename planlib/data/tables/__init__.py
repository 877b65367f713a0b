"""The data dictionary: every table a company may bring, its columns, and what is left out when one is missing.

One home for these facts: the strict reader checks against them, `data/README.md` is tested against them, and the
sentences in `without` are what the report prints when a table or column is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planlib.data.tables.goods import GOODS
from planlib.data.tables.market import MARKET
from planlib.data.tables.spec import EXPECTED, UNUSED, Column, TableSpec
from planlib.data.tables.steering import STEERING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EXPECTED", "TABLES", "UNUSED", "Column", "TableSpec", "dictionary"]

# In this order they are read, and what is left out for want of them is told.
ORDER = (
    "orders",
    "regions",
    "products",
    "launches",
    "channels",
    "customers",
    "marketing",
    "projects",
    "targets",
    "staff",
    "partners",
    "partner_months",
    "inventory",
    "routes",
    "calendar",
    "periods",
    "kpis",
    "rivals",
    "milestones",
)
TABLES: dict[str, TableSpec] = {name: {**GOODS, **MARKET, **STEERING}[name] for name in ORDER}


def dictionary() -> pd.DataFrame:
    """The data dictionary as a table.

    Returns one row per column of every table: `table, column, kind, unit, required, meaning, without`; a first row per
    table has an empty `column` and speaks of the table as a whole.
    """
    import pandas as pd

    rows: list[tuple[object, ...]] = []
    for table, spec in TABLES.items():
        rows.append((table, "", "table", "", spec.required, spec.meaning, spec.without))
        for column in spec.columns:
            rows.append((table, column.name, column.kind, column.unit, column.required, column.meaning, column.without))
    return pd.DataFrame(rows, columns=["table", "column", "kind", "unit", "required", "meaning", "without"])
