"""A past year's inputs as they were known before it began: the files themselves are cut, so that nothing later can be read."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planlib.data.calendar import month_names
from planlib.data.changes import lenient
from planlib.data.files import Sheet, read_bytes, read_sheet
from planlib.data.tables import TABLES
from planlib.errors import InputDataError
from planlib.run.doors import mappings
from planlib.run.settings import RunSettings

# Their dates lie ahead by nature: festivals and due days are known before they come.
KNOWN_AHEAD = ("calendar", "milestones", "periods")
# What a row came to later: a column that is blank until its day.
CAME_LATER = {"staff": "left", "milestones": "done"}


@dataclass(frozen=True)
class Dated:
    """One table of a run and which of its rows lie before a day; `early` is None for a table that is not cut by rows."""

    table: str
    sheet: Sheet
    early: Any
    form: str  # how its dates are written


def first_day(settings: RunSettings, year: int) -> dt.date:
    """The first day of a plan year."""
    horizon = settings.horizon
    return horizon.calendar.first(horizon.year_of(year)[0])


def as_known(settings: RunSettings, year: int, folder: Path) -> tuple[RunSettings, list[str]]:
    """Settings of the year-start plan of `year`, its dated tables cut to before its first day and written to `folder`.

    Days on which something came to an end later (staff.left, milestones.done) are blank. Returns the settings (no baseline;
    rules and locks as they are) and sentences on what was left out or is as of today. Raises InputDataError where no order lies
    before the year, or a file cannot be read.
    """
    first = first_day(settings, year)
    data, told, today = {}, [], []
    for each in _dated(settings, year):
        table, cells = each.table, each.sheet.cells
        if each.early is None and table not in CAME_LATER:
            today.append(table)
            data[table] = settings.data[table]
            continue
        if each.early is not None:
            cells = cells.filter(each.early)
        if not cells.num_rows and table == "orders":
            raise InputDataError(f"{each.sheet.name}: found no order before {first}, expected some; judge a later year.")
        if not cells.num_rows:
            told.append(f"{table} has no row before {first}: the plan of {year} is made without it.")
            continue
        cells = _open_again(each, cells, first)
        data[table] = {**settings.data[table], **_written(cells, folder / f"{table}.csv")}
    ahead = [table for table in KNOWN_AHEAD if table in settings.data]
    if ahead:
        told.append(f"Whole, since their days are known before they come: {', '.join(ahead)}.")
    today = [table for table in today if table not in ahead]
    if today:
        told.append(f"As of today, for want of a date to cut by: {', '.join(today)}.")
    if settings.changes:
        told.append("Planned and judged in the members of today: what was renamed, merged, split or moved counts as now.")
    exits = settings.parameters.get("product", {}).get("exits")
    if settings.openings or settings.closings or exits:
        told.append(f"{year} is planned without the openings, closings and exits of today: nobody had stated them then.")
    changed: dict[str, Any] = {"year": year, "as_of": first - dt.timedelta(days=1), "data": data, "baseline": None}
    changed |= {"changes": lenient(settings.changes), "openings": [], "closings": []}
    if exits:
        changed["parameters"] = {**settings.parameters, "product": {**settings.parameters["product"], "exits": {}}}
    return settings.model_copy(update={**changed, "run": f"{settings.run[:50]}-{year}-past"}), told


def another_future(settings: RunSettings, year: int, folder: Path) -> RunSettings:
    """The same company with other things to come: every row from the first day of `year` on doubled, in another order.

    What a plan of that year must not notice; the files are written to `folder`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    rng, data = random.Random(year), dict(settings.data)
    for each in _dated(settings, year):
        if each.early is None:
            continue
        late = each.sheet.cells.filter(pc.invert(each.early))
        order = [*range(late.num_rows)] * 2
        rng.shuffle(order)
        cells = pa.concat_tables([late.take(pa.array(order, pa.int64())), each.sheet.cells.filter(each.early)])
        data[each.table] = {**settings.data[each.table], **_written(cells, folder / f"{each.table}.csv")}
    return settings.model_copy(update={"data": data})


def _dated(settings: RunSettings, year: int) -> Iterator[Dated]:
    """Every table of a run, with its rows before the year where it has a date to cut by."""
    import pyarrow as pa
    import pyarrow.compute as pc

    first = first_day(settings, year)
    for table, mapping in sorted(mappings(settings.data).items()):
        spec = TABLES[table]
        sheet = read_sheet(table, spec, mapping, read_bytes(table, Path(mapping.file)))
        by = next((each for each in spec.columns if each.required and each.kind in ("date", "month", "year")), None)
        if by is None or table in KNOWN_AHEAD:
            yield Dated(table, sheet, None, mapping.date_format)
            continue
        form = {"date": mapping.date_format, "month": "%Y-%m", "year": "%Y"}[by.kind]
        column = sheet.cells[sheet.wanted[by.name]]
        if by.kind == "month" and settings.calendar.own:  # named by the company's own periods
            keys = month_names(settings.calendar)
            known = [text for text in column.unique().to_pylist() if settings.calendar.first(keys.get(text, text)) < first]
            yield Dated(table, sheet, pc.is_in(column, pa.array(sorted(known), pa.string())), mapping.date_format)
            continue
        try:
            # a plan year is named by its number, whatever month it starts in
            early = [
                text
                for text in column.unique().to_pylist()
                if dt.datetime.strptime(text, form).date() < first and (by.kind != "year" or int(text) < year)
            ]
        except ValueError as fault:
            raise InputDataError(f"{sheet.name}: {by.name}: {fault}; correct the file and run the plan first.") from None
        yield Dated(table, sheet, pc.is_in(column, pa.array(sorted(early), pa.string())), mapping.date_format)


def _open_again(each: Dated, cells: Any, first: dt.date) -> Any:
    """Blank the days that came later: who has left since was still there, what was done since was open."""
    import pyarrow as pa

    name = each.sheet.wanted.get(CAME_LATER.get(each.table, ""))
    if name is None:
        return cells
    texts = cells[name].to_pylist()
    try:
        known = [text if text and dt.datetime.strptime(text, each.form).date() < first else "" for text in texts]
    except ValueError as fault:
        raise InputDataError(f"{each.sheet.name}: {name}: {fault}; correct the file and run the plan first.") from None
    return cells.set_column(cells.column_names.index(name), name, pa.array(known, pa.string()))


def _written(cells: Any, file: Path) -> dict[str, Any]:
    """Write cells as CSV; returns what changes in the table's mapping."""
    from pyarrow import csv

    file.parent.mkdir(parents=True, exist_ok=True)
    csv.write_csv(cells, file)
    return {"file": str(file), "delimiter": None, "encoding": "utf-8"}
