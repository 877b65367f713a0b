"""The chain: which chapters there are, what must run again, and how a run becomes a report."""

import contextlib
import datetime as dt
import functools
import json
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import planlib
from planlib.errors import GateError, InputDataError, ParameterError, PlanError
from planlib.formatting import in_currency
from planlib.run import in_force
from planlib.run import manifest as made
from planlib.run.doors import Doors, Progress
from planlib.run.execution import execute
from planlib.run.folder import (
    altered,
    chapter_files,
    clear,
    done_before,
    keep,
    near,
    newest,
    next_name,
    only_one,
    point,
    publish,
    published,
    read_json,
    sweep,
    write_json,
)
from planlib.run.params import cell_parameters
from planlib.run.settings import RunSettings

CHAPTERS = (
    "01-strategy",
    "02-region",
    "03-product",
    "04-channel",
    "05-time",
    "06-customer",
    "07-budget",
)
PACKAGE = Path(planlib.__file__).parent


def section(stem: str) -> str:
    """`02-region` -> `region`, the chapter's name in params files and in planlib.chapters."""
    return stem.split("-", 1)[1]


@dataclass(frozen=True)
class Way:
    """How to run, as opposed to what."""

    reports: Path
    notebooks: Path
    root: Path
    chapters: tuple[str, ...] = CHAPTERS
    force: bool = False
    cold: bool = False
    preload: tuple[str, ...] | None = None
    doors: Doors = field(default_factory=Doors)
    progress: Progress = field(default_factory=Progress)
    kernels: Callable[[], Any] = field(default=lambda: None)


def run(
    settings: RunSettings,
    *,
    force: bool = False,
    cold: bool = False,
    reports: Path | None = None,
    notebooks: Path | None = None,
    chapters: tuple[str, ...] = CHAPTERS,
    preload: tuple[str, ...] | None = None,
    doors: Doors | None = None,
    progress: Progress | None = None,
) -> Path:
    """Run the chapters and publish the report; returns its folder, `reports/<run>` or `reports/<run>.N`.

    Does nothing when the newest report of the run was made from the same parameters, inputs and code, unless `force`.
    Chapters whose key has not changed are kept. Raises PlanError or a kind of it; a failure leaves the staging folder
    with the executed notebook as evidence, and never a report.
    """
    reports = (reports or settings.root / "reports").resolve()
    notebooks = (notebooks or settings.root / "notebooks").resolve()
    progress, doors = progress or Progress(), doors or Doors()
    _own_code(settings)
    _link(reports / "latest")
    way = Way(reports, notebooks, settings.root, chapters, force, cold, preload, doors, progress)
    with only_one(reports, settings.run), contextlib.ExitStack() as stack:
        # One template process serves the run and the baseline it may have to make first.
        folder = _run(settings, replace(way, kernels=functools.cache(lambda: _kernels(way, stack))))
        point(reports / "latest", folder)
    return folder


def _own_code(settings: RunSettings) -> None:
    """ParameterError when the project has a planlib of its own and this command another, whose code would compute."""
    own = settings.root / "planlib"
    if (own / "__init__.py").is_file() and own.resolve() != PACKAGE.resolve():
        raise ParameterError(
            f"command: found the planlib of {PACKAGE.parent}, expected the project's own in {settings.root}; "
            "start the project's `.venv/bin/planlib` (make plan makes it)."
        )


def _link(latest: Path) -> None:
    """ParameterError when `latest` is no link, as in a copy of the reports: no run could set it when its report is out."""
    if latest.exists() and not latest.is_symlink():
        raise ParameterError(
            f"{near(latest)}: found a file or folder, expected the link to the newest report that every run sets; "
            "move it out of the reports folder."
        )


def _run(settings: RunSettings, way: Way) -> Path:
    base = _baseline(settings, way)
    stands_on = base.digest if base else None
    notebooks = {stem: _notebook(way.notebooks / f"{stem}.ipynb", settings) for stem in way.chapters}
    hashes = way.doors.fingerprint(settings.data)
    inputs = {
        table: {"sha256": hashes[table], "mapping": {k: v for k, v in mapping.items() if k != "file"}}
        for table, mapping in settings.data.items()
    }
    environment, planlib_hash = made.environment(settings.root), made.tree_hash(PACKAGE)
    shared = made.ingredients(settings.header(), inputs, stands_on, environment)
    key = made.run_key(shared, settings.parameters, notebooks, planlib_hash)
    earlier = published(way.reports, settings.run)
    last, damaged = newest(earlier)
    for text in damaged:
        way.progress.say(text)
    if last and not way.force:
        broken = altered(earlier[-1], last) if last["key"] == key and not damaged else []
        if broken:
            way.progress.say(
                f"{near(earlier[-1])}: {', '.join(broken[:3])}{', ...' if len(broken) > 3 else ''} not as published any more: "
                "that folder stays as it is, and the same report is made beside it."
            )
        elif last["key"] == key and not damaged:
            way.progress.say(f"nothing to do: {near(earlier[-1])} was made from the same parameters, inputs and code.")
            return earlier[-1]
        _one_history(settings, last)
    # how a chapter is started and reported cannot change its numbers, so the chapter keys leave planlib/run out
    shared["planlib"] = made.tree_hash(PACKAGE, without=("run",))
    shared["opening"] = made.opening(settings.parameters)

    staging = way.reports / f".staging-{settings.run}"
    if way.force:
        shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True, exist_ok=True)
    kept = [] if way.force else done_before(staging, earlier)
    started, clock = dt.datetime.now(dt.UTC), time.monotonic()
    way.progress.begin(settings.run, way.chapters)
    records: dict[str, dict[str, Any]] = {}
    seconds: dict[str, float] = {}

    def chapter_key(stem: str) -> str:
        upstream = {name: {"plan": each["plan"], "files": each["handed_on"]} for name, each in records.items()}
        own = {"notebook": notebooks[stem], "parameters": settings.parameters[section(stem)], "upstream": upstream}
        return made.key_of({**shared, **own})

    if not _all_kept(way, chapter_key, kept, records):
        way.kernels()  # preloads while the inputs are read
    records.clear()
    ingested, left_out = _read_inputs(settings, way, hashes)
    for text in way.doors.months(settings, ingested):
        way.progress.say(text)
    warming = threading.Thread(target=way.doors.warm, daemon=True)
    warming.start()  # the report's first page costs seconds that the chapters' kernels leave free
    run_json = made.run_json(settings, ingested, left_out, base.in_run_json(settings.root) if base else None)
    write_json(staging / "run.json", run_json)
    for stem in way.chapters:
        chapter, began = chapter_key(stem), time.monotonic()
        record = keep(staging, stem, chapter, kept)
        if record is None:
            way.progress.chapter(stem, "running")
            (staging / "manifest.json").unlink(missing_ok=True)  # left by a run that died while publishing
            clear(staging, stem)
            parameters = {**settings.parameters[section(stem)], "run": str(staging)}
            try:
                execute(way.notebooks / f"{stem}.ipynb", staging / "notebooks", parameters, way.kernels(), way.root)
            except PlanError as error:  # chapters count in minor units, who reads the message in money
                raise type(error)(in_currency(str(error), settings.currency)) from None
            _same_code(stem, settings, way, notebooks[stem], planlib_hash)
            record = _record(stem, chapter, way, staging)
            seconds[stem] = round(time.monotonic() - began, 3)
        records[stem] = record
        write_json(staging / ".green" / f"{stem}.json", record)
        way.progress.chapter(stem, "done" if stem in seconds else "kept", time.monotonic() - began)
    warming.join()

    code = made.code(settings.root, PACKAGE, notebooks)
    content = made.build(settings, key, ingested, base.in_manifest() if base else None, environment, code, records)
    content["expected"] = made.expectation(staging)
    finished = dt.datetime.now(dt.UTC)
    content["volatile"] = {
        "started": started.isoformat(timespec="seconds"),
        "finished": finished.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 3),
        "chapters": seconds,
        "kept": [stem for stem in way.chapters if stem not in seconds],
    }
    target = way.reports / next_name(way.reports, settings.run)
    write_json(staging / "run.json", {**run_json, "report": target.name})
    write_json(staging / "manifest.json", content)
    sweep(staging, records)
    way.doors.report(staging)
    written = [path for path in staging.iterdir() if path.is_file() and path.name != "manifest.json"]
    write_json(staging / "manifest.json", {**content, "report": made.folder_hashes(staging, written)})
    return publish(staging, target)


def _one_history(settings: RunSettings, last: Mapping[str, Any]) -> None:
    """ParameterError when the newest report of this name was made from another params file: the two would be one history."""
    mine, theirs = made.relative(settings.source, settings.root), made.source_of(last)
    if theirs not in (None, mine, settings.source.name):
        raise ParameterError(
            f"{mine}: run: found reports of {settings.run} that were made from {theirs}, expected a name of its own; "
            f"give one of the two files another `run`. If {theirs} is this file under its old name, say so with --force, once."
        )


def _same_code(stem: str, settings: RunSettings, way: Way, notebook: str, planlib_hash: str) -> None:
    """PlanError when the code on disk is no longer what the key was made from: nobody could say which of the two computed."""
    moved = [] if made.tree_hash(PACKAGE) == planlib_hash else ["planlib"]
    moved += [] if _notebook(way.notebooks / f"{stem}.ipynb", settings) == notebook else [f"{stem}.ipynb"]
    if moved:
        raise PlanError(f"{stem}: {' and '.join(moved)} changed while the chapter ran, expected the code to stand; run again.")


def _baseline(settings: RunSettings, way: Way) -> in_force.InForce | None:
    """The plan in force: the newest report of its run, made first when there is none."""
    if settings.baseline is None:
        return None
    name = settings.baseline.run
    reports = published(way.reports, name)
    if not reports:
        way.progress.say(f"{settings.run} follows {name}, which has no report yet: running {name} first.")
        reports = [_run(settings.baseline, replace(way, force=False))]
    base = in_force.found(reports[-1], settings, way.doors.fingerprint)
    for text in base.told:
        way.progress.say(text)
    return base


def _notebook(path: Path, settings: RunSettings) -> str:
    """Hash of a notebook's code, after a look at whether its parameters cell takes what the run will give it."""
    if not path.is_file():
        raise ParameterError(f"{path.name}: found no such notebook in {path.parent.name}/; restore it.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cell = set(cell_parameters(content))
    except (ValueError, KeyError, SyntaxError) as error:
        raise ParameterError(f"{path.name}: not readable as a notebook ({error}); restore it.") from None
    except ParameterError as error:
        raise ParameterError(f"{path.name}: {error}") from None
    expected = {*settings.parameters[section(path.stem)], "run"}
    if cell != expected:
        raise ParameterError(
            f"{path.name}: the parameters cell and the model of `{section(path.stem)}` differ in "
            f"{', '.join(sorted(cell ^ expected))}; give both the same names."
        )
    return made.notebook_code_hash(content)


def _read_inputs(settings: RunSettings, way: Way, hashes: Mapping[str, str]) -> tuple[Mapping[str, Any], list[str]]:
    ingested, left_out = way.doors.ingest(settings.data, settings.currency, way.reports / ".inputs", settings.changes)
    changed = [table for table, each in ingested.items() if each.sha256 != hashes[table]]
    if changed:
        raise InputDataError(f"{', '.join(changed)}: the file changed while it was read; run again when it is complete.")
    return ingested, left_out


def _kernels(way: Way, stack: contextlib.ExitStack) -> Any:
    from planlib.run.kernels import HEAVY, Kernels

    preload = HEAVY if way.preload is None else way.preload
    return stack.enter_context(Kernels(way.notebooks, cold=way.cold, preload=preload, say=way.progress.say))


def _record(stem: str, key: str, way: Way, staging: Path) -> dict[str, Any]:
    """What the chapter left behind, hashed; GateError unless its gate passed and its plan is there."""
    gate_file, plan = staging / "gates" / f"{stem}.json", staging / "plan" / f"{stem}.parquet"
    try:
        gate = read_json(gate_file)
    except (OSError, ValueError):
        raise GateError(f"{stem}: left no readable {near(gate_file)}, expected a gate; call chapter.gate(plan).") from None
    declared, evaluated = gate.get("declared"), gate.get("evaluated")
    counted = type(declared) is int and type(evaluated) is int and evaluated == declared >= 1
    if gate.get("success") is not True or not counted or gate.get("chapter") != stem:
        raise GateError(
            f"{stem}: the gate says success {gate.get('success')} with {evaluated} of {declared} checks evaluated, "
            f"expected success with all of at least one; see {near(gate_file)}."
        )
    if not plan.is_file():
        raise GateError(f"{stem}: left no plan table, expected {near(plan)}; call chapter.save(result).")
    files = made.folder_hashes(staging, chapter_files(staging, stem))
    return {
        "key": key,
        "plan": way.doors.summary(plan),
        "gate": {"success": True, "declared": declared, "evaluated": evaluated},
        # later chapters read the plan and the tables, not the gate's or the notebook's times
        "handed_on": {name: value for name, value in files.items() if name.startswith(("plan/", "tables/"))},
        "files": files,
    }


def _all_kept(way: Way, key: Callable[[str], str], kept: list[tuple[Path, dict[str, Any]]], records: dict[str, Any]) -> bool:
    for stem in way.chapters:
        chapter = key(stem)
        record = next((each for _, each in kept if each.get("key") == chapter), None)
        if record is None:
            return False
        records[stem] = record
    return True
