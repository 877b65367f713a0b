"""The report of a run: index.html, one file that opens with no network, and plan.xlsx beside it. The only door to Jinja.

The page is assembled, not converted. Of the executed notebooks only our own items are taken (an allow-list); every other
output is dropped and counted. Whatever comes from data is autoescaped text or escaped JSON, scripts run by hash only
(Content-Security-Policy), and charts are drawn by the Vega interpreter behind a loader that refuses every address.
The same run folder gives the same bytes.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from planlib.currency import Currency
from planlib.errors import PlanError
from planlib.formatting import Reader
from planlib.plan import digest
from planlib.run import views, workbook_file
from planlib.run.items import Chapter, read_chapters
from planlib.run.methods import page

HERE = Path(__file__).parent
TRUST = "trust"  # role of what stands on the page that says how far to trust the plan
RECORD = ("params_files", "code", "environment", "solver")  # of the manifest, what a reader may ask about


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
        reader=Reader(settings.get("language", "en"), Currency(settings["currency"], settings.get("decimals"))),
    )


def _page(run: Run) -> str:
    store = views.Store()
    shown = [views.chapter_view(chapter, run.gates.get(chapter.stem), run.reader, store) for chapter in run.chapters]
    headline = next((block for view in shown for block in view["blocks"] if block.get("role") == "headline"), None)
    for view in shown:
        view["blocks"] = [block for block in view["blocks"] if block is not headline]
    trust = [block for view in shown for block in view["blocks"] if block.get("role") == TRUST]
    for view in shown:
        view["blocks"] = [block for block in view["blocks"] if block.get("role") != TRUST]
    first = shown[0]
    kpis, first["kpis"] = first["kpis"], []
    files = views.downloads(run.record["run"], run.plans, run.reader)
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
        report=run.record["report"],
        settings=settings,
        language=settings.get("language", "en"),
        as_of=run.reader.show(run.chapters[0].as_of or settings["as_of"], "date"),
        base=run.chapters[0].base,
        badge=views.badge(run.chapters, run.gates),
        key=str(run.manifest.get("key") or run.record.get("key") or "")[:12],
        title=headline_text(run),
        kpis=kpis,
        headline=headline,
        chapters=shown,
        trust=trust,
        files=files,
        left_out=views.left_out(run.record, run.chapters),
        parameters=run.record.get("parameters", {}),
        baseline=run.record.get("baseline"),
        inputs=views.inputs(run.record, run.reader),
        gates=views.gate_rows(run.gates),
        plan_digests=[
            (stem, run.reader.show(len(table), "int"), _digest(stem, table, run.manifest)) for stem, table in run.plans.items()
        ],
        methods=page(run.folder / "notebooks", [chapter.stem for chapter in run.chapters], run.record.get("parameters", {})),
        record={name: run.manifest[name] for name in RECORD if run.manifest.get(name)},
        dropped=sorted(dropped.items()),
        dropped_total=sum(dropped.values()),
        datasets=_safe_json({"datasets": store.datasets, "specs": store.specs}),
        tables=_safe_json(store.tables),
    )


def headline_text(run: Run) -> str:
    """The plan in one sentence: the message of the first chapter."""
    settings = run.record["settings"]
    return run.chapters[0].message or f"{settings['company']}: sales and budget plan {settings['year']}"


def _digest(stem: str, table: pd.DataFrame, manifest: dict[str, Any]) -> str:
    """The digest that replay compares: the manifest's where it has one, since hashing a large table again takes its time."""
    recorded = manifest.get("outputs", {}).get(stem)
    return str(recorded["digest"]) if isinstance(recorded, dict) and "digest" in recorded else digest(table)


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


def warm() -> None:
    """Fetch the chart library ahead of the first page: it takes seconds, once in a process."""
    _bundle()


@cache
def _bundle() -> str:
    bundle: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub misses the default
    if "</script" in bundle.lower() or "\r" in bundle:
        raise PlanError("report: the chart library holds a script end tag, expected none; pin vl-convert-python as locked.")
    return bundle


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html.j2")
