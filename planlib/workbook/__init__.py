"""What a notebook holds in its hand: one chapter of a run, with its parameters, tables, rules, gate, figures and save.

A chapter reads the run folder it is given (`run`), which the chain prepares. Opened by hand it works in `reports/draft`,
a copy of the settings of the newest published run, and takes from that run what the draft has not made yet.
"""

import importlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from planlib import charts
from planlib.chapters.base import ChapterParameters
from planlib.errors import ParameterError, PlanError, collected
from planlib.workbook.chapter import ITEM, Chapter

__all__ = ["DRAFT", "ITEM", "Chapter", "open"]

DRAFT = "reports/draft"


def open(stem: str, namespace: Mapping[str, Any]) -> Chapter:
    """Open a chapter with the parameters in a notebook's namespace: checks them, finds the run, shows the chapter's heading.

    Raises ParameterError with every value the chapter's model refuses.
    """
    charts.enable()
    root = _root()
    module = importlib.import_module(f"planlib.chapters.{stem.partition('-')[2].replace('-', '_')}")
    run = (root / namespace.get("run", DRAFT)).resolve()
    draft = run == (root / DRAFT).resolve()
    if draft:
        _prepare_draft(run)
    if not (run / "run.json").exists():
        raise PlanError(f"{stem}: no run in '{run.name}', expected its run.json; start with `make plan`, then open it again.")
    settings = json.loads((run / "run.json").read_text(encoding="utf-8"))
    section = stem.partition("-")[2]
    taken = _from_run(module.Parameters, namespace, settings["parameters"][section]) if draft else {}
    parameters = _validated(stem, module.Parameters, {**namespace, **taken})
    chapter = Chapter(stem, run, settings, parameters, root)
    heading = {"kind": "chapter", "stem": stem, "title": section.capitalize(), "question": module.QUESTION}
    chapter._emit(heading, f"**{section.capitalize()}.** {module.QUESTION}")
    if taken:
        chapter.note(
            f"From run {settings['run']}: {', '.join(sorted(taken))}. A value that you set in the cell above takes precedence."
        )
    return chapter


def _from_run(model: type[ChapterParameters], namespace: Mapping[str, Any], used: Mapping[str, Any]) -> dict[str, Any]:
    """Opened by hand, a parameter that stands at its default takes the run's value: the draft starts where the run ended."""
    defaults = model().model_dump(mode="json")
    return {name: used[name] for name in defaults if namespace.get(name) == defaults[name] != used.get(name, defaults[name])}


def _validated(stem: str, model: type[ChapterParameters], namespace: Mapping[str, Any]) -> ChapterParameters:
    given = {name: namespace[name] for name in model.model_fields if name in namespace}
    missing = sorted(set(model.model_fields) - set(given))
    if missing:
        raise ParameterError(
            f"{stem}: the parameters cell lacks {missing}, expected every name of the chapter's model; add them."
        )
    try:
        return model.model_validate_json(json.dumps(given, default=str))
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, fault['loc']))}: found {fault['input']!r}, {fault['msg'][0].lower()}{fault['msg'][1:]}"
            for fault in error.errors()
        ]
        raise ParameterError(collected(f"{stem}: parameters are refused:", faults)) from None


def _prepare_draft(run: Path) -> None:
    """Give a chapter opened by hand the newest published run to stand on; what the draft already has is kept."""
    latest = run.parent / "latest"
    if not latest.exists():
        return
    source = latest.resolve()
    marker = run / "from.txt"
    if not marker.exists() or marker.read_text(encoding="utf-8") != source.name:
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir(parents=True)
        shutil.copy2(source / "run.json", run / "run.json")
        for made in ("plan", "tables"):
            if (source / made).is_dir():
                shutil.copytree(source / made, run / made)
        marker.write_text(source.name, encoding="utf-8")


def _root() -> Path:
    """The project: the nearest folder at or above the working directory that holds `notebooks` and `params`."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "notebooks").is_dir() and (folder / "params").is_dir():
            return folder
    return here
