"""Members that one table names and another does not: an error for targets, told for everything else, with the nearest name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from planlib.data.files import nearest
from planlib.data.names import folded
from planlib.errors import InputDataError, collected

DIMENSIONS = ("region", "product", "channel", "customer")
# tables that speak of every member of a dimension: one that they lack is told
OF_EVERY = {
    "regions": "region",
    "products": "product",
    "channels": "channel",
    "customers": "customer",
    "targets": "region",
    "staff": "region",
    "routes": "region",
}
# columns that name what another table lists
OF_EACH_OTHER = (
    ("partner_months", "partner", "partners"),
    ("partners", "partner", "partner_months"),
    ("routes", "warehouse", "inventory"),
    ("inventory", "warehouse", "routes"),
)


class Stored(Protocol):
    """A table as it was read."""

    @property
    def parquet(self) -> Path: ...


def checked(inputs: Mapping[str, Stored]) -> tuple[dict[str, list[str]], list[str]]:
    """What the tables say of members that others do not know: notes by table, and what is left out.

    Raises InputDataError for a region in `targets` that no order has.
    """
    from planlib.plan import EVERYTHING

    notes: dict[str, list[str]] = {}
    left_out: list[str] = []
    ordered: dict[str, list[str]] = {}
    for name in inputs:
        for dimension in DIMENSIONS if name != "orders" else ():
            named = _members(inputs, name, dimension)
            if named is None:
                continue
            if dimension not in ordered:
                ordered[dimension] = _members(inputs, "orders", dimension) or []
            known = ordered[dimension]
            if known == [EVERYTHING]:
                continue  # orders name no channel or customer: already a line of its own
            strange, missing = sorted(set(named) - set(known)), sorted(set(known) - set(named))
            if strange and name == "targets":
                raise _refused(strange, known)
            if strange:
                text = f"{len(strange)} of {len(named)} members of {dimension} have no orders ({_some(strange)})"
                notes.setdefault(name, []).append(text + _meant(strange, missing))
            if missing and OF_EVERY.get(name) == dimension:
                left_out.append(
                    f"{name} lacks {len(missing)} of {len(known)} members of {dimension} that have orders ({_some(missing)}): "
                    "what that table would say of them is left out."
                )
    for name, column, other in OF_EACH_OTHER:
        named, known_there = _members(inputs, name, column), _members(inputs, other, column)
        if named is None or known_there is None:
            continue
        strange = sorted(set(named) - set(known_there))
        if strange:
            text = f"{len(strange)} of {len(named)} members of {column} are not in {other} ({_some(strange)})"
            notes.setdefault(name, []).append(text + _meant(strange, sorted(set(known_there) - set(named))))
    return notes, left_out


def _members(inputs: Mapping[str, Stored], table: str, column: str) -> list[str] | None:
    """The members a table names, None where it has no such column or is not there; a blank names nobody."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if table not in inputs or column not in pq.read_schema(inputs[table].parquet).names:
        return None
    values = pc.unique(pq.read_table(inputs[table].parquet, columns=[column])[column]).to_pylist()
    return sorted(value for value in values if value)


def _refused(strange: list[str], known: list[str]) -> InputDataError:
    faults = []
    for member in strange:
        hint = nearest(member, known) or ", ".join(known[:8])
        faults.append(f"found the region {member!r}; the nearest in orders is {hint!r}")
    return InputDataError(
        collected("targets: expected only regions that have orders; correct the region or the orders", faults)
    )


def _meant(strange: list[str], missing: list[str]) -> str:
    """Which names may be two spellings of one member, in other letters and signs: strange here, and missing there."""
    plain = {_plain(other): other for other in reversed(missing)}
    found = [f"{member!r} may be {plain[_plain(member)]!r}" for member in strange if _plain(member) in plain]
    return f"; {_some(found)}" if found else ""


def _plain(name: str) -> str:
    return "".join(letter for letter in folded(name) if letter.isalnum()) or name


def _some(members: list[str]) -> str:
    return ", ".join(members[:3]) + (", ..." if len(members) > 3 else "")
