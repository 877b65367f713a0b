"""The parts of the report's page as plain values: what the template prints and what the page's script is given."""

import base64
import csv
import gzip
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from planlib.formatting import NUMERIC, Reader, guarded, plain
from planlib.run.items import Chapter, column_formats

OPEN_ROWS = 12  # a longer table scrolls in its box
SHOWN_ROWS = 200  # of a very long table the page shows the head; its CSV has every row
Gates = dict[str, dict[str, Any]]


@dataclass
class Store:
    """What the page's script needs: data sets (each once), chart specs, and CSV texts by table id."""

    datasets: dict[str, Any] = field(default_factory=dict)
    specs: list[dict[str, Any]] = field(default_factory=list)
    tables: dict[str, dict[str, str]] = field(default_factory=dict)


def chapter_view(chapter: Chapter, gate: dict[str, Any] | None, reader: Reader, store: Store) -> dict[str, Any]:
    """One chapter: its heading and message, its KPI cards, and its figures, tables and notes in notebook order."""
    blocks, kpis = [], []
    for item in chapter.items:
        if item["kind"] == "kpi":
            kpis.append(_kpi(item, reader))
        elif item["kind"] == "figure":
            blocks.append(_figure(item, chapter, store))
        elif item["kind"] == "table":
            blocks.append(_table(item, chapter, reader, store))
        elif item["kind"] == "note":
            blocks.append({"kind": "note", "text": item["text"], "role": item.get("role")})
    return {
        "id": chapter.section,
        "number": chapter.stem.split("-")[0].lstrip("0"),
        "title": chapter.title,
        "question": chapter.question,
        "message": chapter.message,
        "kpis": kpis,
        "blocks": blocks,
        "gate": None if gate is None else {"passed": bool(gate.get("success")), "checks": len(gate.get("checks", []))},
    }


def _kpi(item: dict[str, Any], reader: Reader) -> dict[str, Any]:
    form, compare = item["format"], item.get("compare")
    view: dict[str, Any] = {
        "label": item["label"],
        "value": reader.show(item["value"], form),
        "unit": reader.currency if form == "money" and item["value"] is not None else "",
        "full": reader.full(item["value"], form),
        "good": item.get("good"),
        "compare": None,
    }
    if compare:
        change, mark = compare["value"], ""
        if compare["format"] == "points" and change:
            mark = "▲" if change > 0 else "▼"
        view["compare"] = {
            "label": compare["label"],
            "change": compare["format"] == "points",
            "value": reader.show(change, compare["format"]),
            "full": reader.full(change, compare["format"]),
            "mark": mark or ("" if item.get("good") is None else "✓" if item["good"] else "✕"),
        }
    return view


def _figure(item: dict[str, Any], chapter: Chapter, store: Store) -> dict[str, Any]:
    spec = dict(item["spec"])
    # The message stands in the caption, where it wraps; embed options from a notebook could undo the loader's refusal.
    for name in ("title", "usermeta"):
        spec.pop(name, None)
    datasets = spec.pop("datasets", {})
    store.datasets.update(datasets)
    store.specs.append({"spec": spec, "datasets": sorted(datasets)})
    number = len(store.specs) - 1
    return {
        "kind": "figure",
        "id": f"figure-{chapter.section}-{number}",
        "chart": number,
        "title": item["title"],
        "alt": item.get("alt") or item["title"],
        "role": item.get("role"),
    }


def _table(item: dict[str, Any], chapter: Chapter, reader: Reader, store: Store) -> dict[str, Any]:
    columns = item["columns"]
    forms = column_formats(columns)
    heads, cells = [], []
    for place, column in enumerate(columns):
        form = forms[place]
        values = [row[place] for row in item["rows"]]
        scale = reader.scale(values) if form == "money" else None
        unit = f"{scale.sign} {reader.currency}".strip() if scale else ""
        heads.append({"label": column.get("label") or column["name"], "unit": unit, "number": form in NUMERIC})
        cells.append(
            [
                {"text": reader.show(value, form, scale), "full": reader.full(value, form), "number": form in NUMERIC}
                for value in values[:SHOWN_ROWS]
            ]
        )
    name = f"table-{chapter.section}-{len(store.tables) + 1}"
    lines = [[guarded(head["label"] + (f" ({reader.currency})" if head["unit"] else "")) for head in heads]]
    lines += [[plain(value, form, reader) for value, form in zip(row, forms, strict=True)] for row in item["rows"]]
    store.tables[name] = {"file": f"{chapter.stem}-{len(store.tables) + 1}.csv", "csv": _csv(lines)}
    return {
        "kind": "table",
        "id": name,
        "title": item["title"],
        "role": item.get("role"),
        "heads": heads,
        "rows": list(zip(*cells, strict=True)),
        "count": len(item["rows"]),
        "long": len(item["rows"]) > OPEN_ROWS,
    }


def downloads(run: str, plans: dict[str, pd.DataFrame], reader: Reader) -> list[dict[str, Any]]:
    """The two plan tables, every cell, as compressed CSV that the page unpacks."""
    sales = [stem for stem in plans if "budget" not in stem]
    budget = [stem for stem in plans if "budget" in stem]
    files = []
    for stems, label in ((sales, "Sales plan"), (budget, "Budget plan")):
        if not stems:
            continue
        stem = stems[-1]
        table = plans[stem]
        packed = gzip.compress(plan_csv(table, reader).encode(), compresslevel=9, mtime=0)
        files.append(
            {
                "id": f"plan-{stem}",
                "label": label,
                "file": f"{run}-{stem}.csv",
                "rows": reader.show(len(table), "int"),
                "columns": ", ".join(map(str, table.columns)),
                "data": base64.b64encode(packed).decode(),
            }
        )
    return files


def plan_csv(table: pd.DataFrame, reader: Reader) -> str:
    """A plan table as CSV: text as it is (formulas disarmed), `amount` in major units with exact decimals."""
    columns = []
    for name in table.columns:
        if name == "amount":
            columns.append([reader.digits(amount) for amount in table[name].tolist()])
        else:
            texts = {value: guarded(str(value)) for value in table[name].unique().tolist()}
            columns.append([texts[value] for value in table[name].tolist()])
    heads = [f"amount ({reader.currency})" if name == "amount" else guarded(str(name)) for name in table.columns]
    return _csv([heads, *zip(*columns, strict=True)])


def _csv(lines: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    return text.getvalue()


def badge(chapters: list[Chapter], gates: Gates) -> dict[str, Any]:
    """What the gates say about the whole plan, in the fewest words that are true."""
    failed = [stem for stem, gate in gates.items() if not gate.get("success")]
    missing = [chapter.stem for chapter in chapters if chapter.stem not in gates]
    partly = [stem for stem, gate in gates.items() if gate.get("evaluated", 0) < gate.get("declared", 0)]
    checks = sum(len(gate.get("checks", [])) for gate in gates.values())
    if failed:
        return {"state": "bad", "text": f"✕ Gate failed: {', '.join(failed)}"}
    if missing or partly:
        return {"state": "open", "text": f"! Not fully checked: {', '.join(sorted({*missing, *partly}))}"}
    return {"state": "good", "text": f"✓ Ties out to the cent · {checks} checks in {len(gates)} gates"}


def left_out(record: dict[str, Any], chapters: list[Chapter]) -> list[tuple[str, str]]:
    """Every line that says what the plan did without, and where, each once."""
    lines = [("Data", line) for line in record.get("left_out", [])]
    lines += [(chapter.title, item["text"]) for chapter in chapters for item in chapter.items if item["kind"] == "left_out"]
    return list(dict.fromkeys(lines))


def inputs(record: dict[str, Any], reader: Reader) -> list[dict[str, Any]]:
    """The input tables with their digests."""
    return [
        {
            "name": name,
            "sha256": found.get("sha256", ""),
            "rows": reader.show(found.get("rows"), "int"),
            "total": reader.full(found.get("control_total"), "money") or "–",
            "notes": found.get("notes", []),
        }
        for name, found in sorted(record.get("inputs", {}).items())
    ]


def gate_rows(gates: Gates) -> list[dict[str, Any]]:
    """What each gate declared, evaluated and found wrong."""
    return [
        {
            "stem": stem,
            "passed": bool(gate.get("success")),
            "declared": gate.get("declared", "–"),
            "evaluated": gate.get("evaluated", "–"),
            "failed": [check for check in gate.get("checks", []) if isinstance(check, dict) and check.get("success") is False],
        }
        for stem, gate in gates.items()
    ]
