"""What an executed notebook shows: our own items, and a count of everything that was dropped."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planlib.formatting import FORMATS

ITEM = "application/vnd.planlib.v1+json"
CHART = "application/vnd.vegalite.v5+json"
MAX_ROWS = 2_000  # of a chart's data set, as in planlib.charts


@dataclass
class Chapter:
    """One executed chapter: its heading, its items in notebook order, and what was dropped (reason -> times)."""

    stem: str
    title: str
    question: str = ""
    base: str = ""  # what last year is where a part of it is expected
    as_of: str = ""
    message: str = ""
    items: list[dict[str, Any]] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def section(self) -> str:
        """The stem after its number: the chapter's name in params files and in the page's addresses."""
        return self.stem.partition("-")[2] or self.stem


def read_chapters(folder: Path) -> list[Chapter]:
    """The chapters of a run in chain order, from `folder`/*.ipynb as executed."""
    return [read_chapter(path) for path in sorted(folder.glob("*.ipynb"))]


def read_chapter(path: Path) -> Chapter:
    """One executed notebook. Only well-formed items of our own kinds are taken, by the allow-list below."""
    chapter = Chapter(stem=path.stem, title=path.stem.partition("-")[2].replace("-", " ").capitalize())
    for cell in json.loads(path.read_text(encoding="utf-8")).get("cells", []):
        for output in cell.get("outputs", []) if cell.get("cell_type") == "code" else []:
            data = output.get("data") or {}
            if ITEM not in data:
                chapter.dropped[_what(output)] += 1
                continue
            item = _checked(data[ITEM], data.get(CHART))
            if item is None:
                chapter.dropped["malformed item"] += 1
            elif item["kind"] == "chapter":
                chapter.title, chapter.question = item["title"], item.get("question") or ""
                chapter.base, chapter.as_of = item.get("base") or "", item.get("as_of") or ""
            elif item["kind"] == "say":
                chapter.message = item["text"]
            else:
                chapter.items.append(item)
    return chapter


def column_formats(columns: list[dict[str, Any]]) -> list[str]:
    """The format of each column of a table item; a year is a name, not a quantity, and takes no thousands separator."""
    return ["text" if column["name"] == "year" else column.get("format", "text") for column in columns]


def _what(output: dict[str, Any]) -> str:
    kind = str(output.get("output_type", "output"))
    return {"stream": "printed text", "error": "error", "execute_result": "cell result"}.get(kind, "other output")


def _checked(item: Any, spec: Any) -> dict[str, Any] | None:
    """The item if it is one of ours and whole, else None."""
    if not isinstance(item, dict) or item.get("kind") not in _WHOLE:
        return None
    try:
        if not _WHOLE[item["kind"]](item):
            return None
    except (KeyError, TypeError, ValueError):
        return None
    if item["kind"] != "figure":
        return item
    if not isinstance(spec, dict) or any(len(rows) > MAX_ROWS for rows in spec.get("datasets", {}).values()):
        return None
    # In the notebook a chart has a fixed width; on the page it takes the width there is.
    return {**item, "spec": {**spec, "width": "container"}}


def _texts(item: dict[str, Any], *names: str) -> bool:
    return all(isinstance(item[name], str) for name in names)


def _value(value: Any, form: Any) -> bool:
    """A value fits its format: null always does, text takes anything plain, the others a number or a date."""
    if form not in FORMATS or isinstance(value, dict | list):
        return False
    if value is None or form == "text":
        return True
    if form == "date":
        return bool(dt.date.fromisoformat(str(value)[:10]))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kpi(item: dict[str, Any]) -> bool:
    compare = item.get("compare")
    return (
        _texts(item, "label")
        and _value(item["value"], item["format"])
        and (not compare or (_texts(compare, "label") and _value(compare["value"], compare["format"])))
    )


def _table(item: dict[str, Any]) -> bool:
    forms = [column.get("format", "text") for column in item["columns"]]
    return (
        bool(forms)
        and _texts(item, "title")
        and all(isinstance(column["name"], str) for column in item["columns"])
        and all(
            len(row) == len(forms) and all(_value(value, form) for value, form in zip(row, forms, strict=True))
            for row in item["rows"]
        )
    )


_WHOLE: dict[str, Callable[[dict[str, Any]], bool]] = {
    "chapter": lambda item: _texts(item, "title"),
    "kpi": _kpi,
    "figure": lambda item: _texts(item, "title"),
    "table": _table,
    "say": lambda item: _texts(item, "text"),
    "note": lambda item: _texts(item, "text"),
    "left_out": lambda item: _texts(item, "text"),
    "gate": lambda item: True,
}
