"""The plan in force and the plans before it: a chain of published runs, as their folders tell it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from planlib.errors import PlanError


@dataclass(frozen=True)
class Stood:
    """A published plan that stood until a later one followed it: its run, its folder, and the day up to which it was closed."""

    run: str
    folder: Path
    as_of: date


def located(path: str, root: Path, beside: Path) -> Path:
    """A run folder where a run.json says it is, or, where reports were moved, beside the run that names it."""
    told = root / path
    return told if told.is_dir() else beside.parent / told.name


def chain(folder: Path, root: Path) -> tuple[list[Stood], str | None]:
    """The plan in force in `folder` and those before it, newest first; and, where the chain is broken, why.

    A plan belongs to the chain only while its manifest has the key that the next plan was made with: a report that was
    deleted and made again is another plan. Raises PlanError when the first folder, the plan in force itself, cannot be read.
    """
    plans: list[Stood] = []
    here: Path | None = folder
    key: str | None = None
    while here is not None:
        try:
            content = _read(here / "run.json")
            run, as_of = str(content["run"]), date.fromisoformat(content["settings"]["as_of"])
            lost = None if key in (None, _read(here / "manifest.json").get("key")) else "is not the report it was"
        except (OSError, ValueError, KeyError, TypeError):
            run, as_of, lost = here.name, date.min, "is not there any more, or cannot be read"
        if lost and not plans:
            raise PlanError(
                f"plan in force {here.name}: {lost}, expected a published run with run.json and manifest.json; "
                "restore its folder from a copy, or make that run again."
            )
        if lost:
            return plans, f"report {here.name}, which stood before {plans[-1].run}, {lost}"
        plans.append(Stood(run, here, as_of))
        before = content.get("baseline")
        here = located(before["path"], root, here) if before else None
        key = before.get("key") if before else None
    return plans, None


def _read(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path.name}: expected a JSON object")
    return content
