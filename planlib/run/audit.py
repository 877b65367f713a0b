"""Is a published run what it says, and does it come out the same again?"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from planlib.data.baselines import located
from planlib.errors import ParameterError, PlanError
from planlib.periods import MONTHS
from planlib.run import chain
from planlib.run import manifest as made
from planlib.run.folder import read_json, record_of
from planlib.run.settings import RunSettings, calendar_of

EQUAL, DIFFERENT, NOT_COMPARABLE = 0, 1, 2
FACTS = ("inputs", "gates", "outputs", "solver", "expected")  # of a manifest, what comes out again with the same code


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
    digests are equal, 1 when a table differs or anything was changed after publication, the manifest included, 2 when the two
    cannot be compared: an input of the run or of a plan it follows is not the same bytes, the run cannot be repeated, or it
    differs and so does the code. The second run is kept only when it differs.
    """
    doors = doors or chain.Doors()
    try:
        settings, recorded = restore(folder, root)
        runs = list(_with_baselines(folder, settings, recorded))
        missing = [line for each in runs for line in _changed_inputs(*each[1:], doors)]
        touched = [line for each in runs for line in _touched(folder, *each)]
    except (PlanError, OSError, ValueError, KeyError, TypeError) as error:
        why = str(error) if isinstance(error, PlanError) else repr(error)
        tell(f"{folder.name}: not comparable: its manifest or run.json, or those of a plan it follows, cannot be used: {why}")
        return NOT_COMPARABLE
    for line in missing:
        tell(line)
    if missing:
        return NOT_COMPARABLE

    for line in touched:
        tell(line)
    scratch = Path(tempfile.mkdtemp(prefix="plan-audit-"))
    verdict, differs = NOT_COMPARABLE, False
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
        verdict, differs = _verdict(recorded, read_json(again / "manifest.json"), touched, tell)
    except PlanError as error:
        tell(f"{folder.name}: not comparable: it cannot be run again. {error}")
    finally:
        if differs:
            tell(f"the second run is kept in {scratch}")
        else:
            shutil.rmtree(scratch, ignore_errors=True)
    return verdict


def _verdict(
    recorded: Mapping[str, Any], fresh: Mapping[str, Any], touched: list[str], tell: Callable[[str], None]
) -> tuple[int, bool]:
    """The exit code for a run and its repetition, and whether the repetition is worth keeping; every difference is told."""
    plans = made.compare(recorded, fresh)
    for stem, equal in plans.items():
        tell(f"{stem}  {'equal' if equal else 'DIFFERENT'}  {recorded['outputs'].get(stem, {}).get('digest', 'none')[:16]}")
    same_baseline = (recorded["baseline"] or {}).get("digest") == (fresh["baseline"] or {}).get("digest")
    if not same_baseline:
        tell(f"baseline {recorded['baseline']['run']}: DIFFERENT: what is read of its plan does not come out the same.")
    moved = made.differences(_code_of(recorded), _code_of(fresh))
    for line in moved:
        tell(f"changed since: {line}")
    # With other code, other counts and tables are no sign of tampering; with the same code they are.
    told = (
        []
        if moved
        else [line for fact in FACTS for line in made.differences(recorded.get(fact, {}), fresh.get(fact, {}), f"{fact}.")]
    )
    told += [] if moved else made.differences(made.handed_on(recorded), made.handed_on(fresh))
    told += ["key: another than its parameters, inputs and code make"] if not moved and recorded["key"] != fresh["key"] else []
    for line in told:
        tell(f"manifest.json: DIFFERENT: {line}")
    differs = not (all(plans.values()) and same_baseline) or bool(told)
    if not differs:
        return (DIFFERENT if touched else EQUAL), False
    if moved and not touched:
        tell("not comparable: code or environment differ too; check out the commit of the manifest and audit again.")
        return NOT_COMPARABLE, True
    return DIFFERENT, True


def restore(folder: Path, root: Path) -> tuple[RunSettings, dict[str, Any]]:
    """The settings a published run was made with, its baseline's included, and its manifest."""
    recorded, run_json = record_of(folder), read_json(folder / "run.json")
    if recorded.get("schema") != made.SCHEMA:
        raise PlanError(
            f"{folder.name}: found a manifest of form {recorded.get('schema')}, expected {made.SCHEMA}: another release "
            "published it; check out the commit that it names, and audit it there."
        )
    asked = recorded["parameters"]
    header = {**asked["settings"], "as_of": dt.date.fromisoformat(asked["settings"]["as_of"])}
    places = {table: str((root / each["file"]).resolve()) for table, each in run_json["inputs"].items()}
    data = {table: {**mapping, "file": places[table]} for table, mapping in asked["data"].items()}
    baseline = None
    if run_json["baseline"] is not None:
        base_folder = located(run_json["baseline"]["path"], root, folder)
        if not base_folder.is_dir():
            raise PlanError(
                f"{base_folder.name}: found no such report, expected the plan that {folder.name} followed; restore its folder "
                "from a copy."
            )
        baseline, base_manifest = restore(base_folder, root)
        if base_manifest["key"] != recorded["baseline"]["key"]:
            raise PlanError(
                f"{base_folder.name}: found another report than the one {folder.name} was made with, expected that one; "
                "restore its folder from a copy."
            )
    there = "periods" in data and Path(data["periods"]["file"]).is_file()  # a table that is gone is told with the inputs
    settings = RunSettings(
        **header,
        calendar=calendar_of(data) if there else MONTHS,
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


def _with_baselines(
    folder: Path, settings: RunSettings | None, recorded: Mapping[str, Any]
) -> Iterator[tuple[Path, RunSettings, Mapping[str, Any]]]:
    """A run and every plan along its chain of baselines: folder, settings, manifest."""
    while settings is not None:
        yield folder, settings, recorded
        settings = settings.baseline
        if settings is not None:
            folder = settings.source.parent
            recorded = record_of(folder)


def _changed_inputs(settings: RunSettings, recorded: Mapping[str, Any], doors: chain.Doors) -> list[str]:
    lines = []
    for table, each in recorded["inputs"].items():
        file = Path(settings.data[table]["file"])
        if not file.is_file():
            lines.append(
                f"{settings.run}: {table}: not comparable: {made.relative(file, settings.root)} is not there any more."
            )
        elif doors.fingerprint({table: settings.data[table]})[table] != each["sha256"]:
            lines.append(
                f"{settings.run}: {table}: not comparable: {made.relative(file, settings.root)} is not the bytes it was; "
                f"restore sha256 {each['sha256'][:16]}..."
            )
    return lines


def _touched(audited: Path, folder: Path, settings: RunSettings, recorded: Mapping[str, Any]) -> list[str]:
    """What was changed in a run after its publication, the manifest included; of a baseline, only what is read of it."""
    of = "" if folder == audited else f"{folder.name}: "
    report = {name: sha for name, sha in recorded.get("report", {}).items() if not of or name == "run.json"}
    chapters = [record["handed_on"] if of else record["files"] for record in recorded["chapters"].values()]
    lines = []
    for files in [*chapters, report]:
        for name, expected in files.items():
            path = folder / name
            if not path.is_file():
                lines.append(f"{of}{name}: was removed after publication.")
            elif made.file_hash(path) != expected:
                lines.append(f"{of}{name}: was changed after publication.")
    then = {name: read_json(folder / "run.json")[name] for name in ("run", "settings", "parameters")}
    asked = recorded["parameters"]
    where = made.differences(then, {"run": recorded["run"], "settings": asked["settings"], "parameters": asked["sections"]})
    if made.key_told(recorded) != recorded["key"]:
        where.append("its key is not the one that its parameters, inputs and code make")
    lines += [f"{of}manifest.json: was changed after publication: {each}." for each in where]
    return lines


def _code_of(recorded: Mapping[str, Any]) -> dict[str, Any]:
    code = {name: recorded["code"][name] for name in ("planlib", "notebooks")}
    return {"code": code, "environment": recorded["environment"], "solver": recorded["solver"]}
