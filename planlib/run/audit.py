"""Is a published run what it says, and does it come out the same again?"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from planlib.errors import ParameterError, PlanError
from planlib.run import chain
from planlib.run import manifest as made
from planlib.run.folder import read_json
from planlib.run.params import RunSettings

EQUAL, DIFFERENT, NOT_COMPARABLE = 0, 1, 2


def audit(
    folder: Path,
    *,
    root: Path,
    chapters: tuple[str, ...] = chain.CHAPTERS,
    notebooks: Path | None = None,
    doors: chain.Doors | None = None,
    progress: chain.Progress | None = None,
    tell: Callable[[str], None] = print,
) -> int:
    """Run a published run again, in a clean folder with cold kernels, and compare every plan table.

    The parameters are the manifest's own, never the params file's. `tell` gets one line per finding. Returns 0 when all
    digests are equal, 1 when a table differs or was changed after publication, 2 when the two cannot be compared:
    an input is not the same bytes, the run cannot be repeated, or it differs and so does the code.
    """
    doors = doors or chain.Doors()
    try:
        settings, recorded = restore(folder, root)
    except (OSError, ValueError, KeyError) as error:
        tell(f"{folder.name}: not comparable: its manifest.json or run.json cannot be read ({error!r}).")
        return NOT_COMPARABLE
    missing = _changed_inputs(settings, recorded, doors)
    for line in missing:
        tell(line)
    if missing:
        return NOT_COMPARABLE

    touched = _touched(folder, recorded)
    for line in touched:
        tell(line)
    scratch = Path(tempfile.mkdtemp(prefix="plan-audit-"))
    try:
        again = chain.run(
            settings,
            force=True,
            cold=True,
            reports=scratch,
            notebooks=notebooks,
            chapters=chapters,
            doors=doors,
            progress=progress,
        )
    except PlanError as error:
        tell(f"{folder.name}: not comparable: it cannot be run again. {error}")
        return NOT_COMPARABLE
    fresh = read_json(again / "manifest.json")
    verdicts = made.compare(recorded, fresh)
    for stem, equal in verdicts.items():
        tell(f"{stem}  {'equal' if equal else 'DIFFERENT'}  {recorded['outputs'].get(stem, {}).get('digest', 'none')[:16]}")
    same_baseline = (recorded["baseline"] or {}).get("digest") == (fresh["baseline"] or {}).get("digest")
    if not same_baseline:
        tell(f"baseline {recorded['baseline']['run']}: DIFFERENT: its plan does not come out the same.")
    moved = made.differences(_code_of(recorded), _code_of(fresh))
    for line in moved:
        tell(f"changed since: {line}")
    if all(verdicts.values()) and same_baseline:
        shutil.rmtree(scratch, ignore_errors=True)
        return DIFFERENT if touched else EQUAL
    tell(f"the second run is kept in {scratch}")
    if moved and not touched:
        tell("not comparable: code or environment differ too; check out the commit of the manifest and audit again.")
        return NOT_COMPARABLE
    return DIFFERENT


def restore(folder: Path, root: Path) -> tuple[RunSettings, dict[str, Any]]:
    """The settings a published run was made with, its baseline's included, and its manifest."""
    recorded, run_json = read_json(folder / "manifest.json"), read_json(folder / "run.json")
    if recorded.get("schema") != made.SCHEMA:
        raise ValueError(f"schema {recorded.get('schema')}, expected {made.SCHEMA}")
    asked = recorded["parameters"]
    header = {**asked["settings"], "as_of": dt.date.fromisoformat(asked["settings"]["as_of"])}
    places = {table: str((root / each["file"]).resolve()) for table, each in run_json["inputs"].items()}
    data = {table: {**mapping, "file": places[table]} for table, mapping in asked["data"].items()}
    baseline = None
    if run_json["baseline"] is not None:
        base_folder = root / run_json["baseline"]["path"]
        if not base_folder.is_dir():
            base_folder = folder.parent / base_folder.name
        baseline, base_manifest = restore(base_folder, root)
        if base_manifest["key"] != recorded["baseline"]["key"]:
            raise ValueError(f"the baseline in {base_folder.name} is not the one it was made with")
    settings = RunSettings(
        **header,
        run=recorded["run"],
        data=data,
        parameters=asked["sections"],
        baseline=baseline,
        source=folder / "manifest.json",
        files=(),
        root=root,
    )
    return settings, recorded


def find(name: str, reports: Path) -> Path:
    """A run folder by its path, or by its name under the reports folder."""
    for folder in (Path(name), reports / name):
        if (folder / "manifest.json").is_file():
            return folder.resolve()
    known = sorted(path.parent.name for path in reports.glob("*/manifest.json"))
    raise ParameterError(f"{name}: found no such run, expected one of {', '.join(known) or 'none yet'}; correct it.")


def _changed_inputs(settings: RunSettings, recorded: Mapping[str, Any], doors: chain.Doors) -> list[str]:
    lines = []
    for table, each in recorded["inputs"].items():
        file = Path(settings.data[table]["file"])
        if not file.is_file():
            lines.append(f"{table}: not comparable: {made.relative(file, settings.root)} is not there any more.")
        elif doors.fingerprint({table: settings.data[table]})[table] != each["sha256"]:
            lines.append(
                f"{table}: not comparable: {made.relative(file, settings.root)} is not the bytes it was; restore sha256 "
                f"{each['sha256'][:16]}..."
            )
    return lines


def _touched(folder: Path, recorded: Mapping[str, Any]) -> list[str]:
    lines = []
    for files in [*(record["files"] for record in recorded["chapters"].values()), recorded.get("report", {})]:
        for name, expected in files.items():
            path = folder / name
            if not path.is_file():
                lines.append(f"{name}: was removed after publication.")
            elif made.file_hash(path) != expected:
                lines.append(f"{name}: was changed after publication.")
    return lines


def _code_of(recorded: Mapping[str, Any]) -> dict[str, Any]:
    code = {name: recorded["code"][name] for name in ("planlib", "notebooks")}
    return {"code": code, "environment": recorded["environment"], "solver": recorded["solver"]}
