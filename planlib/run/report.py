"""The report of a run: index.html, one file that opens with no network, and plan.xlsx beside it. The only door to Jinja.

The page is assembled, not converted. Of the executed notebooks only our own items are taken (an allow-list); every other
output is dropped and counted. Whatever comes from data is autoescaped text or escaped JSON, scripts run by hash only
(Content-Security-Policy), and charts are drawn by the Vega interpreter behind a loader that refuses every address.
The same run folder gives the same bytes.
"""

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from planlib.errors import PlanError
from planlib.plan import digest
from planlib.run import workbook_file
from planlib.run.formatting import NUMERIC, Reader, guarded, plain
from planlib.run.items import Chapter, read_chapters

HERE = Path(__file__).parent
OPEN_ROWS = 12  # a longer table scrolls in its box
SHOWN_ROWS = 200  # of a very long table the page shows the head; its CSV has every row


@dataclass(frozen=True)
class Run:
    """What a run folder holds, read once."""

    folder: Path
    record: dict[str, Any]
    manifest: dict[str, Any]
    chapters: list[Chapter]
    gates: dict[str, dict[str, Any]]
    plans: dict[str, pd.DataFrame]
    reader: Reader


@dataclass
class _Store:
    """What the page's script needs: data sets (each once), chart specs, and CSV texts by table id."""

    datasets: dict[str, Any] = field(default_factory=dict)
    specs: list[dict[str, Any]] = field(default_factory=list)
    tables: dict[str, dict[str, str]] = field(default_factory=dict)


def write(run_folder: Path) -> None:
    """Write index.html and plan.xlsx into a run folder, each by one rename.

    Reads run.json, manifest.json (if there), notebooks/*.ipynb as executed, plan/*.parquet and gates/*.json.
    Raises PlanError when run.json or the executed notebooks are missing.
    """
    run = read(Path(run_folder))
    page = _page(run)
    book = workbook_file.build(run.record, run.chapters, run.plans, run.reader)
    for name, content in (("index.html", page.encode()), ("plan.xlsx", book)):
        draft = run.folder / f".{name}.tmp"
        draft.write_bytes(content)
        draft.replace(run.folder / name)


def read(folder: Path) -> Run:
    """Everything the report needs from a run folder."""
    if not (folder / "run.json").is_file():
        raise PlanError(f"report: no run.json in {folder.name!r}, expected a run folder; run the plan first.")
    record = _json(folder / "run.json")
    settings = record["settings"]
    chapters = read_chapters(folder / "notebooks")
    if not chapters:
        raise PlanError(f"report: no executed notebook in {folder.name!r}, expected one per chapter; run the plan first.")
    return Run(
        folder=folder,
        record=record,
        manifest=_json(folder / "manifest.json") if (folder / "manifest.json").is_file() else {},
        chapters=chapters,
        gates={path.stem: _json(path) for path in sorted((folder / "gates").glob("*.json"))},
        plans={path.stem: pd.read_parquet(path) for path in sorted((folder / "plan").glob("*.parquet"))},
        reader=Reader(settings.get("language", "en"), settings["currency"]),
    )


def _page(run: Run) -> str:
    store = _Store()
    chapters = [_chapter_view(chapter, run, store) for chapter in run.chapters]
    headline = next((block for view in chapters for block in view["blocks"] if block.get("role") == "headline"), None)
    for view in chapters:
        view["blocks"] = [block for block in view["blocks"] if block is not headline]
    first = chapters[0]
    kpis, first["kpis"] = first["kpis"], []
    files = _downloads(run)
    dropped: dict[str, int] = {}
    for chapter in run.chapters:
        for what, times in chapter.dropped.items():
            dropped[what] = dropped.get(what, 0) + times
    bundle, boot = _bundle(), (HERE / "report.js").read_text(encoding="utf-8")
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {_source_hash(bundle)} {_source_hash(boot)}",
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            "font-src data:",
            "connect-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    settings = run.record["settings"]
    return _template().render(
        policy=policy,
        style=Markup((HERE / "report.css").read_text(encoding="utf-8")),
        bundle=Markup(bundle),
        boot=Markup(boot),
        run=run.record["run"],
        settings=settings,
        language=settings.get("language", "en"),
        as_of=run.reader.show(settings["as_of"], "date"),
        badge=_badge(run),
        key=str(run.manifest.get("key") or run.record.get("key") or "")[:12],
        title=headline_text(run),
        kpis=kpis,
        headline=headline,
        chapters=chapters,
        files=files,
        left_out=_left_out(run),
        parameters=run.record.get("parameters", {}),
        baseline=run.record.get("baseline"),
        inputs=_inputs(run),
        gates=_gates(run),
        plan_digests=[(stem, len(table), _digest(table)) for stem, table in run.plans.items()],
        record={
            name: value for name, value in run.manifest.items() if name not in ("params", "parameters", "settings", "inputs", "gates", "volatile", "key", "run")
        },
        dropped=sorted(dropped.items()),
        dropped_total=sum(dropped.values()),
        datasets=_safe_json({"datasets": store.datasets, "specs": store.specs}),
        tables=_safe_json(store.tables),
    )


def headline_text(run: Run) -> str:
    """The plan in one sentence: the message of the first chapter."""
    settings = run.record["settings"]
    return run.chapters[0].message or f"{settings['company']}: sales and budget plan {settings['year']}"


def _chapter_view(chapter: Chapter, run: Run, store: _Store) -> dict[str, Any]:
    blocks, kpis = [], []
    for item in chapter.items:
        if item["kind"] == "kpi":
            kpis.append(_kpi(item, run.reader))
        elif item["kind"] == "figure":
            blocks.append(_figure(item, chapter, store))
        elif item["kind"] == "table":
            blocks.append(_table(item, chapter, run.reader, store))
        elif item["kind"] == "note":
            blocks.append({"kind": "note", "text": item["text"]})
    gate = run.gates.get(chapter.stem)
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
            "mark": mark or {True: "✓", False: "✕"}.get(item.get("good"), ""),  # type: ignore[call-overload]
        }
    return view


def _figure(item: dict[str, Any], chapter: Chapter, store: _Store) -> dict[str, Any]:
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


def _table(item: dict[str, Any], chapter: Chapter, reader: Reader, store: _Store) -> dict[str, Any]:
    columns = item["columns"]
    heads, cells = [], []
    for place, column in enumerate(columns):
        form = column.get("format", "text")
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
    lines += [
        [plain(value, column.get("format", "text"), reader) for value, column in zip(row, columns, strict=True)]
        for row in item["rows"]
    ]
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


def _downloads(run: Run) -> list[dict[str, Any]]:
    """The two plan tables, every cell, as compressed CSV that the page unpacks."""
    sales = [stem for stem in run.plans if "budget" not in stem]
    budget = [stem for stem in run.plans if "budget" in stem]
    files = []
    for stems, label in ((sales, "Sales plan"), (budget, "Budget plan")):
        if not stems:
            continue
        stem = stems[-1]
        table = run.plans[stem]
        packed = gzip.compress(plan_csv(table, run.reader).encode(), compresslevel=9, mtime=0)
        files.append(
            {
                "id": f"plan-{stem}",
                "label": label,
                "file": f"{run.record['run']}-{stem}.csv",
                "rows": run.reader.show(len(table), "int"),
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
            columns.append([str(reader.major(amount)) for amount in table[name].tolist()])
        else:
            texts = {value: guarded(str(value)) for value in table[name].unique().tolist()}
            columns.append([texts[value] for value in table[name].tolist()])
    heads = [f"amount ({reader.currency})" if name == "amount" else guarded(str(name)) for name in table.columns]
    return _csv([heads, *map(list, zip(*columns, strict=True))])


def _csv(lines: list[list[str]]) -> str:
    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text

    return "".join(",".join(map(quoted, line)) + "\r\n" for line in lines)


def _badge(run: Run) -> dict[str, Any]:
    """What the gates say about the whole plan, in the fewest words that are true."""
    failed = [stem for stem, gate in run.gates.items() if not gate.get("success")]
    missing = [chapter.stem for chapter in run.chapters if chapter.stem not in run.gates]
    partly = [stem for stem, gate in run.gates.items() if gate.get("evaluated", 0) < gate.get("declared", 0)]
    checks = sum(len(gate.get("checks", [])) for gate in run.gates.values())
    if failed:
        return {"state": "bad", "text": f"✕ Gate failed: {', '.join(failed)}"}
    if missing or partly:
        return {"state": "open", "text": f"! Not fully checked: {', '.join(sorted({*missing, *partly}))}"}
    return {"state": "good", "text": f"✓ Ties out to the cent · {checks} checks in {len(run.gates)} gates"}


def _left_out(run: Run) -> list[tuple[str, str]]:
    lines = [("Data", line) for line in run.record.get("left_out", [])]
    lines += [(chapter.title, item["text"]) for chapter in run.chapters for item in chapter.items if item["kind"] == "left_out"]
    return list(dict.fromkeys(lines))


def _inputs(run: Run) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "sha256": found.get("sha256", ""),
            "rows": run.reader.show(found.get("rows"), "int"),
            "total": run.reader.full(found.get("control_total"), "money") or "–",
            "notes": found.get("notes", []),
        }
        for name, found in sorted(run.record.get("inputs", {}).items())
    ]


def _gates(run: Run) -> list[dict[str, Any]]:
    return [
        {
            "stem": stem,
            "passed": bool(gate.get("success")),
            "declared": gate.get("declared", "–"),
            "evaluated": gate.get("evaluated", "–"),
            "failed": [check for check in gate.get("checks", []) if isinstance(check, dict) and check.get("success") is False],
        }
        for stem, gate in run.gates.items()
    ]


def _digest(table: pd.DataFrame) -> str:
    try:
        return digest(table)
    except PlanError as fault:
        return f"none: {fault}"


def _json(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise PlanError(f"{path.name}: found a {type(found).__name__}, expected an object; run the plan again.")
    return found


def _safe_json(value: Any) -> Markup:
    """JSON that cannot end the script element it stands in, nor break a line in old readers."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)


def _source_hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


@cache
def _bundle() -> str:
    bundle = vl_convert.javascript_bundle()
    if "</script" in bundle.lower() or "\r" in bundle:
        raise PlanError("report: the chart library holds a script end tag, expected none; pin vl-convert-python as locked.")
    return bundle


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")
