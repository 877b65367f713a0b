"""plan.xlsx: the report's tables for a spreadsheet. Text is never a live formula; the same run gives the same bytes."""

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill

from planlib.formatting import Reader, missing
from planlib.plan import DIMENSIONS, rollup
from planlib.run.items import Chapter, column_formats

FULL_ROWS = 5_000
DIGITS = 10**15  # minor units: a spreadsheet's numbers keep fifteen digits, so that larger amounts stand as text
AS_TEXT = "; they stand as text, since a spreadsheet keeps fifteen digits of a number"
MOMENT = dt.datetime(2000, 1, 1)  # a fixed time in place of the clock's
TITLE, MESSAGE, HEAD = Font(bold=True, size=14), Font(italic=True, color="56616B"), Font(bold=True)
SHADE = PatternFill("solid", fgColor="EEF2F5")


def build(record: dict[str, Any], chapters: list[Chapter], plans: dict[str, pd.DataFrame], reader: Reader) -> bytes:
    """The workbook as bytes: a summary, one sheet per chapter with what it showed, one sheet per plan table.

    Plan tables of more than 5,000 rows come rolled up to region and their newest dimension, and say so in their first line;
    the report's downloads have every cell. Money is in major units.
    """
    book = Workbook(write_only=True)
    book.properties.creator = str(record["settings"]["company"])
    book.properties.created = MOMENT
    names: set[str] = set()
    _summary(_sheet(book, "Summary", names, [34, 22, 34, 22]), record, chapters, reader)
    for chapter in chapters:
        _chapter(_sheet(book, chapter.title, names, [30, *[18] * 12]), chapter, reader)
    for stem, table in plans.items():
        _plan(_sheet(book, f"plan {stem}", names, [22] * len(table.columns), freeze="A4"), stem, table, reader)
    raw = io.BytesIO()
    book.save(raw)
    return _timeless(raw.getvalue())


def _summary(sheet: Any, record: dict[str, Any], chapters: list[Chapter], reader: Reader) -> None:
    settings = record["settings"]
    put = _writer(sheet, reader)
    put([(f"{settings['company']}: plan {record['run']}", "text")], font=TITLE)
    known = f"closed up to {settings['as_of']}"
    if chapters and chapters[0].base:
        known = f"as sold up to {chapters[0].as_of}, compared with {chapters[0].base}"
    put([(f"Plan year {settings['year']}, {known}, amounts in {settings['currency']}", "text")], font=MESSAGE)
    put([])
    put([("What each chapter says", "text")], font=HEAD)
    for chapter in chapters:
        put([(chapter.title, "text"), (chapter.message, "text")])
    put([])
    put([(name, "text") for name in ("Measure", "Value", "Compared with", "Value")], font=HEAD, fill=SHADE)
    for chapter in chapters:
        for item in chapter.items:
            if item["kind"] == "kpi":
                compare = item.get("compare") or {"label": None, "value": None, "format": "text"}
                put(
                    [
                        (item["label"], "text"),
                        (item["value"], _form(item["format"], [item["value"]])),
                        (compare["label"], "text"),
                        (compare["value"], _form(compare["format"], [compare["value"]])),
                    ]
                )


def _chapter(sheet: Any, chapter: Chapter, reader: Reader) -> None:
    put = _writer(sheet, reader)
    put([(chapter.title, "text")], font=TITLE)
    put([(chapter.message, "text")], font=MESSAGE)
    for item in chapter.items:
        if item["kind"] != "table":
            continue
        put([])
        put([(item["title"], "text")], font=HEAD)
        put([(column.get("label") or column["name"], "text") for column in item["columns"]], font=HEAD, fill=SHADE)
        forms = column_formats(item["columns"])
        forms = [_form(form, (row[place] for row in item["rows"])) for place, form in enumerate(forms)]
        for row in item["rows"]:
            put(zip(row, forms, strict=True))


def _plan(sheet: Any, stem: str, table: pd.DataFrame, reader: Reader) -> None:
    put = _writer(sheet, reader)
    shown, says = table, f"{stem}: every cell, {len(table):,} rows, amounts in {reader.currency}"
    dims = [name for name in DIMENSIONS if name in table.columns]
    if len(table) > FULL_ROWS and dims:
        by = list(dict.fromkeys([dims[0], dims[-1]]))
        shown = rollup(table, by)
        says = (
            f"{stem}: {len(table):,} rows rolled up to {' and '.join(by)}, amounts in {reader.currency}; "
            "every cell is in the download of the report and in the run's plan folder"
        )
    form = _form("money", shown["amount"].tolist())
    put([(says + (AS_TEXT if form == "digits" else ""), "text")], font=MESSAGE)
    put([])
    columns = [str(name) for name in shown.columns]
    put([(name, "text") for name in columns], font=HEAD, fill=SHADE)
    forms = [form if name == "amount" else "text" for name in columns]
    for row in zip(*(shown[name].tolist() for name in shown.columns), strict=True):
        put(zip(row, forms, strict=True))


def _form(form: str, values: Iterable[Any]) -> str:
    """A column's format: `digits` (text) for money of which some amount has more digits than a spreadsheet keeps."""
    large = form == "money" and any(isinstance(value, int) and abs(value) >= DIGITS for value in values)
    return "digits" if large else form


def _writer(sheet: Any, reader: Reader) -> Any:
    patterns = {
        "money": "#,##0" + ("." + "0" * reader.exponent if reader.exponent else ""),
        "share": "0.0%",
        "points": "+0.0%;-0.0%;0.0%",
        "int": "#,##0",
        "factor": "0.00",
        "date": "yyyy-mm-dd",
    }

    def cell(value: Any, form: str, font: Font | None, fill: PatternFill | None) -> Any:
        if missing(value):
            return None
        if form == "money":
            value = reader.major(value)
        elif form == "digits":
            value = f"{reader.major(value):f}"
        elif form == "date":
            value = dt.date.fromisoformat(str(value)[:10])
        elif form not in patterns:
            value = ILLEGAL_CHARACTERS_RE.sub("", reader.show(value, "text"))
        made = WriteOnlyCell(sheet, value=value)
        if form in patterns:
            made.number_format = patterns[form]
        else:
            made.data_type = "s"  # a text that starts with "=" stays a text
        if font:
            made.font = font
        if fill:
            made.fill = fill
            made.alignment = Alignment(wrap_text=True, vertical="top")
        return made

    def put(values: Iterable[tuple[Any, str]], font: Font | None = None, fill: PatternFill | None = None) -> None:
        sheet.append([cell(value, form, font, fill) for value, form in values])

    return put


def _sheet(book: Workbook, title: str, names: set[str], widths: list[int], freeze: str | None = None) -> Any:
    clean = re.sub(r"[\[\]:*?/\\']", " ", title).strip()[:31] or "Sheet"
    name, number = clean, 2
    while name.lower() in names:
        name, number = f"{clean[:27]} {number}", number + 1
    names.add(name.lower())
    sheet = book.create_sheet(name)
    for place, width in enumerate(widths):
        sheet.column_dimensions["ABCDEFGHIJKLMNOPQRSTUVWXYZ"[place]].width = width
    if freeze:
        sheet.freeze_panes = freeze
    return sheet


def _timeless(raw: bytes) -> bytes:
    """The same workbook with the clock taken out: zip entries and the saving time that openpyxl stamps."""
    stamp = MOMENT.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, content)
            fixed = zipfile.ZipInfo(entry.filename, date_time=(1980, 1, 1, 0, 0, 0))
            fixed.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(fixed, content)
    return out.getvalue()
