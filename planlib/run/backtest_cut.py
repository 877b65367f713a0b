"""A past year's inputs as they were known before it began: the files themselves are cut, so that nothing later can be read."""

import datetime as dt
from pathlib import Path

from planlib.data.files import read_bytes, read_sheet
from planlib.data.tables import TABLES
from planlib.errors import InputDataError
from planlib.run.doors import mappings
from planlib.run.params import RunSettings

# Their dates lie ahead by nature: festivals and due days are known before they come.
KNOWN_AHEAD = ("calendar", "milestones")


def as_known(settings: RunSettings, year: int, folder: Path) -> tuple[RunSettings, list[str]]:
    """Settings of the year-start plan of `year`, its dated tables cut to before its first day and written to `folder`.

    Returns the settings (no baseline; rules and locks as they are) and sentences on what was left out or is as of today.
    Raises InputDataError where no order lies before the year, or a file cannot be read.
    """
    import pyarrow.compute as pc
    from pyarrow import csv

    first = dt.date(year, settings.fiscal_start, 1)
    data, told, today = {}, [], []
    folder.mkdir(parents=True, exist_ok=True)
    for table, mapping in sorted(mappings(settings.data).items()):
        spec = TABLES[table]
        by = next((each for each in spec.columns if each.required and each.kind in ("date", "month", "year")), None)
        if by is None or table in KNOWN_AHEAD:
            today.append(table)
            data[table] = settings.data[table]
            continue
        sheet = read_sheet(table, spec, mapping, read_bytes(table, Path(mapping.file)))
        form = {"date": mapping.date_format, "month": "%Y-%m", "year": "%Y"}[by.kind]
        column = sheet.cells[sheet.wanted[by.name]]
        try:
            # a plan year is named by its number, whatever month it starts in
            early = [
                text
                for text in column.unique().to_pylist()
                if dt.datetime.strptime(text, form).date() < first and (by.kind != "year" or int(text) < year)
            ]
        except ValueError as fault:
            raise InputDataError(f"{sheet.name}: {by.name}: {fault}; correct the file and run the plan first.") from None
        kept = sheet.cells.filter(pc.is_in(column, early_set(early)))
        if not kept.num_rows and table == "orders":
            raise InputDataError(f"{sheet.name}: found no order before {first}, expected some; judge a later year.")
        if not kept.num_rows:
            told.append(f"{table} has no row before {first}: the plan of {year} is made without it.")
            continue
        file = folder / f"{table}.csv"
        csv.write_csv(kept, file)
        data[table] = {**settings.data[table], "file": str(file), "delimiter": None, "encoding": "utf-8"}
    if today:
        told.append(f"As of today, for want of a date to cut by: {', '.join(today)}.")
    changed = {"year": year, "as_of": first - dt.timedelta(days=1), "data": data, "baseline": None}
    return settings.model_copy(update={**changed, "run": f"{settings.run[:50]}-{year}-past"}), told


def early_set(texts: list[str]) -> object:
    """The texts as an Arrow array of strings, empty or not."""
    import pyarrow as pa

    return pa.array(sorted(texts), pa.string())
