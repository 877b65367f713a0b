"""What a notebook holds in its hand: one chapter of a run, with its parameters, tables, rules, gate, figures and save.

A chapter reads the run folder it is given (`run`), which the chain prepares. Opened by hand it works in `reports/draft`,
a copy of the settings of the newest published run, and takes from that run what the draft has not made yet.
"""

import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from planlib import charts
from planlib.chapters.base import ChapterParameters
from planlib.data.changes import restated
from planlib.errors import ParameterError, PlanError, collected
from planlib.workbook.chapter import ITEM, Chapter
from planlib.workbook.draft import DRAFT, from_run, prepare, told, unpublished
from planlib.workbook.since import since
from planlib.workbook.trust import trust

__all__ = ["DRAFT", "ITEM", "Chapter", "open", "since", "trust"]


def open(stem: str, namespace: Mapping[str, Any], as_set: Sequence[str] = ()) -> Chapter:
    """Open a chapter with the parameters in a notebook's namespace: checks them, finds the run, shows the chapter's heading.

    Opened by hand, a parameter that stands at its default takes the value of the newest run; `as_set` names those that are
    meant as the cell has them. Raises ParameterError with every value the chapter's model refuses, PlanError when the run is
    not there or is a published report.
    """
    charts.enable()
    root = _root()
    module = importlib.import_module(f"planlib.chapters.{stem.partition('-')[2].replace('-', '_')}")
    run = (root / namespace.get("run", DRAFT)).resolve()
    by_hand = run == (root / DRAFT).resolve()
    if by_hand:
        prepare(run)
    unpublished(run)
    settings = _settings(stem, run)
    section = stem.partition("-")[2]
    taken = from_run(module.Parameters, namespace, settings["parameters"][section], as_set) if by_hand else {}
    parameters = _validated(stem, module.Parameters, {**namespace, **taken})
    chapter = Chapter(stem, run, settings, parameters, root)
    chapter.head(section.capitalize(), module.QUESTION)
    if chapter.changes:
        chapter.note(restated(chapter.changes))
    if taken:
        chapter.note(told(settings["run"], taken, namespace))
    return chapter


def _settings(stem: str, run: Path) -> dict[str, Any]:
    if not (run / "run.json").exists():
        raise PlanError(f"{stem}: no run in '{run.name}', expected its run.json; start with `make plan`, then open it again.")
    try:
        settings: dict[str, Any] = json.loads((run / "run.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise PlanError(
            f"{stem}: found a damaged run.json in '{run.name}' ({error}), expected JSON; remove that folder and open it again."
        ) from None
    return settings


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


def _root() -> Path:
    """The project: the nearest folder at or above the working directory that holds `notebooks` and `params`."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "notebooks").is_dir() and (folder / "params").is_dir():
            return folder
    return here
