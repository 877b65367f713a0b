"""The reports folder: published runs, the staging folder, its records, the lock and the one rename."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from planlib.errors import PlanError
from planlib.run.manifest import folder_hashes

Record = dict[str, Any]


def published(reports: Path, run: str) -> list[Path]:
    """The reports of a run, oldest first: `run`, `run.2`, `run.3` ..."""
    pattern = re.compile(re.escape(run) + r"(?:\.(\d+))?")
    numbered = ((pattern.fullmatch(path.name), path) for path in reports.glob(f"{run}*"))
    found = [(int(match[1] or 1), path) for match, path in numbered if match and (path / "manifest.json").is_file()]
    return [path for _, path in sorted(found)]


def record_of(folder: Path) -> Record:
    """The manifest of a published run. PlanError when it is damaged: truncated, edited into something else, or gone."""
    path = folder / "manifest.json"
    try:
        record = read_json(path)
        parts = ("parameters", "inputs", "outputs", "chapters", "gates", "code", "environment")
        kinds: list[tuple[str, Any]] = [(name, dict) for name in parts]
        kinds = [("run", str), ("key", str), *kinds, ("baseline", (dict, type(None)))]
        wrong = [name for name, kind in kinds if name not in record or not isinstance(record[name], kind)]
        wrong += [
            f"chapters.{stem}.{name}"
            for stem, each in (record["chapters"].items() if "chapters" not in wrong else ())
            for name in ("files", "handed_on")
            if not isinstance(each, dict) or not isinstance(each.get(name), dict)
        ]
        if wrong:
            raise ValueError(f"without {', '.join(wrong)}")
    except (OSError, ValueError) as error:
        raise PlanError(
            f"{near(path)}: found no whole manifest ({error}), expected the record of a published run; "
            f"restore the file from a copy, or move {near(folder)} out of the reports folder and make that run again."
        ) from None
    return record


def altered(folder: Path, record: Mapping[str, Any]) -> list[str]:
    """The files of a published report that are gone or not the bytes that were published."""
    expected = {name: sha for each in record["chapters"].values() for name, sha in each["files"].items()}
    expected |= record.get("report", {})
    there = [folder / name for name in expected if (folder / name).is_file()]
    found = folder_hashes(folder, there)
    return sorted(name for name, sha in expected.items() if found.get(name) != sha)


def newest(earlier: list[Path]) -> tuple[Record | None, list[str]]:
    """The manifest of the newest report that has a whole one, and a sentence for each newer one that has not."""
    damaged: list[str] = []
    for folder in reversed(earlier):
        try:
            return record_of(folder), damaged
        except PlanError as error:
            damaged.append(str(error))
    return None, damaged


def chapter_files(folder: Path, stem: str) -> list[Path]:
    one = [folder / "plan" / f"{stem}.parquet", folder / "gates" / f"{stem}.json", folder / "notebooks" / f"{stem}.ipynb"]
    many = (path for path in (folder / "tables" / stem).rglob("*"))
    return [path for path in (*one, *many) if path.is_file()]


def clear(staging: Path, stem: str) -> None:
    for path in (*chapter_files(staging, stem), staging / ".green" / f"{stem}.json"):
        path.unlink(missing_ok=True)


def done_before(staging: Path, earlier: list[Path]) -> list[tuple[Path, dict[str, Any]]]:
    """Chapters that are done, with the folder that holds them: a crashed run's first, then the newest report's."""
    found: list[tuple[Path, dict[str, Any]]] = []
    for path in sorted((staging / ".green").glob("*.json")):
        with contextlib.suppress(ValueError):
            found.append((staging, read_json(path)))
    for folder in (staging, *reversed(earlier)):  # staging has a manifest when it died while being published
        if (folder / "manifest.json").is_file():
            with contextlib.suppress(PlanError):  # a damaged manifest keeps nothing; `newest` says so
                found += [(folder, record) for record in record_of(folder)["chapters"].values()]
    return found


def keep(staging: Path, stem: str, key: str, kept: list[tuple[Path, dict[str, Any]]]) -> dict[str, Any] | None:
    """The record of a chapter that need not run, its files in staging; None if there is none with the same bytes."""
    for folder, record in kept:
        names = record.get("files", {})
        if record.get("key") != key or f"plan/{stem}.parquet" not in names:
            continue
        files = [folder / name for name in names]
        if not all(path.is_file() for path in files) or folder_hashes(folder, files) != names:
            continue
        if folder != staging:
            clear(staging, stem)
            for name in names:
                (staging / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / name, staging / name)
        return record
    return None


def sweep(staging: Path, records: Mapping[str, Record]) -> None:
    """Take out what an earlier, crashed or different run left in staging."""
    wanted = {staging / name for record in records.values() for name in record["files"]}
    wanted |= {staging / "run.json", staging / "manifest.json"}
    for path in staging.rglob("*"):
        if path.is_file() and path not in wanted and ".green" not in path.parts:
            path.unlink()


def next_name(reports: Path, run: str) -> str:
    """What the next report of a run will be called: `run`, `run.2` ...; a gap left by a deleted report is never filled."""
    taken = {path.name for path in reports.iterdir()}
    earlier = published(reports, run)
    least = int(earlier[-1].name.removeprefix(run).removeprefix(".") or 1) + 1 if earlier else 1
    numbered = (run if number == 1 else f"{run}.{number}" for number in range(least, 1_000_000))
    return next(name for name in numbered if name not in taken)


def publish(staging: Path, target: Path) -> Path:
    """One rename: a reader sees the whole report or none of it."""
    if target.exists():
        raise PlanError(f"{near(target)}: found a folder that was not there before, expected room for the report; run again.")
    shutil.rmtree(staging / ".green", ignore_errors=True)
    for path in staging.rglob("*"):
        _sync(path)
    _sync(staging)
    staging.rename(target)
    _sync(target.parent)
    return target


def point(link: Path, folder: Path) -> None:
    if link.is_symlink() and link.readlink() == Path(folder.name):
        return
    swap = link.with_name(f".{link.name}-{os.getpid()}")
    swap.unlink(missing_ok=True)
    swap.symlink_to(folder.name)
    swap.replace(link)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def only_one(reports: Path, run: str) -> Iterator[None]:
    """Hold the lock of a reports folder; a second run is refused at once. A lock dies with its process, never stale."""
    reports.mkdir(parents=True, exist_ok=True)
    with (reports / ".lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid, _, other = file.read().partition(" ")
            raise PlanError(
                f"{near(reports)}: run {other or '?'} is being made there by process {pid or '?'}; wait for its end."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()} {run}")
        file.flush()
        yield
        file.truncate(0)


def near(path: Path) -> str:
    """A path as a person in this folder would type it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def read_json(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path.name}: expected a JSON object")
    return content


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    swap = path.with_name(f".{path.name}.part")
    swap.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    swap.replace(path)
