"""What a table of the data dictionary is: its columns, how each is read, and what its absence means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "date", "month", "year", "money", "price", "decimal", "share", "choice"]

EXPECTED: dict[str, str] = {
    "text": "text without blanks or control characters at its ends or inside",
    "date": "a date as 2025-01-31",
    "month": "a month as 2025-01",
    "year": "a year as 2025",
    "money": "an amount as 1234.56 or -1234.56, no separators, no currency sign",
    "price": "a price per unit as 12.34",
    "decimal": "a number as 1234.5 or -1234.5",
    "share": "a share as 0.25",
    "choice": "one of the listed values",
}

COUNTS = ("pieces", "customers", "count", "people", "outlets", "square metres", "100 million of currency", "10 thousand")


@dataclass(frozen=True)
class Column:
    """One column of a table: `kind` decides how it is read, `without` says what happens when it is absent."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    required: bool = True
    without: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    blank: bool = False

    @property
    def additive(self) -> bool:
        """Whether its values of two members sum to a value of both: money and counts do, prices, rates and indices do not."""
        return (self.kind == "money" and "per piece" not in self.unit) or (self.kind == "decimal" and self.unit in COUNTS)


@dataclass(frozen=True)
class TableSpec:
    """One table: its columns, the columns that identify a row (`key`), and the money column to foot (`control`).

    `told`: whether a report says what its absence means.
    """

    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    control: str | None = None
    required: bool = False
    without: str = ""
    told: bool = True

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def optional(name: str, kind: Kind, meaning: str, without: str, unit: str = "", **more: Any) -> Column:
    return Column(name, kind, meaning, unit, required=False, without=without, **more)


# Read and checked already, so that a company can bring it; a chapter that comes to use it says what its absence means.
UNUSED = "nothing changes yet: it is read and checked, no chapter uses it"
