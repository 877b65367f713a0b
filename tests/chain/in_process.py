"""The seven notebooks' own code on a company made by a test, in this process: what each chapter shows, and every plan.

Faster than the chain by the start of kernels and the report; the chain itself is tested beside it. Nothing is replaced but
`display`, whose items are kept.
"""

import copy
import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from planlib.data.ingest import ingest
from planlib.run import params
from planlib.run.chain import CHAPTERS
from planlib.run.doors import mappings
from planlib.run.manifest import run_json
from planlib.workbook.chapter import ITEM
from tests.conftest import ROOT


@dataclass(frozen=True)
class Worked:
    """What seven chapters left: items by stem, in order; plans by stem; the run folder."""

    items: dict[str, list[dict[str, Any]]]
    plans: dict[str, pd.DataFrame]
    folder: Path

    def texts(self, *stems: str) -> list[str]:
        """Every sentence of some chapters (all, if none is named): notes, messages, left-outs, titles."""
        kinds = {"note": "text", "say": "text", "left_out": "text", "figure": "title", "table": "title"}
        return [
            f"{stem} {item['kind']}: {item[kinds[item['kind']]]}"
            for stem in stems or self.items
            for item in self.items[stem]
            if item["kind"] in kinds
        ]

    def table(self, stem: str, title: str) -> pd.DataFrame:
        """A table that a chapter showed, by the start of its title."""
        found = [item for item in self.items[stem] if item["kind"] == "table" and item["title"].startswith(title)]
        assert len(found) == 1, f"{stem}: {[item['title'] for item in self.items[stem] if item['kind'] == 'table']}"
        return pd.DataFrame(found[0]["rows"], columns=[column["name"] for column in found[0]["columns"]])


def work(
    folder: Path, asked: dict[str, Any], *, baseline: "Worked | None" = None, chapters: tuple[str, ...] = CHAPTERS
) -> Worked:
    """Run the chapters of a params file's content (`data` names files in `folder`) on `baseline`'s plan, if any."""
    for name in ("notebooks", "params"):  # what makes a folder a project
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "asked.yml").write_text(yaml.safe_dump(asked, allow_unicode=True, sort_keys=False), encoding="utf-8")
    settings = params.load(folder / "asked.yml")
    ingested, left_out = ingest(mappings(settings.data), settings.currency, folder / "inputs", settings.changes)
    base = None if baseline is None else {"run": baseline.folder.name, "path": str(baseline.folder), "told": []}
    run = folder / "run"
    run.mkdir()
    content = {**run_json(settings, ingested, left_out, base), "run": folder.name}
    (run / "run.json").write_text(json.dumps(content), encoding="utf-8")
    items: dict[str, list[dict[str, Any]]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for stem in chapters:
            shown: list[dict[str, Any]] = []
            patch.setattr(
                "planlib.workbook.chapter.display", lambda data, raw, shown=shown: shown.append(copy.deepcopy(data[ITEM]))
            )
            given = {**content["parameters"][stem[3:]], "run": str(run)}
            _execute(stem, given)
            items[stem] = shown
    (run / "manifest.json").write_text("{}", encoding="utf-8")  # a later plan asks for the key; this one has none
    plans = {stem: pd.read_parquet(run / "plan" / f"{stem}.parquet") for stem in chapters}
    return Worked(items, plans, run)


def _execute(stem: str, given: dict[str, Any]) -> None:
    """A notebook's code cells in order, the parameters in place of their cell."""
    notebook = json.loads((ROOT / "notebooks" / f"{stem}.ipynb").read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": stem}
    for number, cell in enumerate(cell for cell in notebook["cells"] if cell["cell_type"] == "code"):
        source = "".join(cell["source"])
        exec(compile(source, f"{stem}, code cell {number}", "exec"), names)
        if "parameters" in cell["metadata"].get("tags", []):
            names.update(given)


def orders_csv(path: Path, lines: pd.DataFrame) -> dict[str, str]:
    """Write order lines (date, region, product, ..., revenue in whole units) and return the mapping of the table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = lines.copy()
    frame["date"] = [day.isoformat() if isinstance(day, dt.date) else day for day in frame["date"]]
    if "order_id" not in frame:
        frame.insert(0, "order_id", [f"O{number}" for number in range(len(frame))])
    for name in ("revenue", "cost"):
        if name in frame:
            frame[name] = frame[name].map(lambda value: f"{value:.2f}")
    frame.to_csv(path, index=False)
    return {"file": path.name}
