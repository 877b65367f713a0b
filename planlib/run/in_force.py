"""The plan in force: which report it is, whether this run can follow it, and everything that is read of it, as one digest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planlib.data import baselines
from planlib.data.changes import later
from planlib.errors import ParameterError, PlanError, collected
from planlib.run import manifest as made
from planlib.run.folder import near, record_of
from planlib.run.settings import RunSettings

SAME = ("company", "year", "fiscal_start", "currency", "decimals")


@dataclass(frozen=True)
class InForce:
    """The baseline of a run: its name, folder and key, the digest of all that is read along its chain, and what was told."""

    run: str
    folder: Path
    key: str
    digest: str
    told: tuple[str, ...] = ()

    def in_run_json(self, root: Path) -> dict[str, Any]:
        """What the chapters and the report know of it."""
        return {"run": self.run, "path": made.place(self.folder, root), "key": self.key, "told": list(self.told)}

    def in_manifest(self) -> dict[str, Any]:
        """What identifies it anywhere."""
        return {"run": self.run, "key": self.key, "digest": self.digest}


def found(folder: Path, settings: RunSettings, fingerprint: Callable[[Mapping[str, Any]], dict[str, str]]) -> InForce:
    """The plan in force in a published folder, for the run of `settings`.

    Raises ParameterError when the report is of another company, year, start of the year or currency, or not closed before this
    run closes; PlanError when it cannot be read or was changed since it was published. `told` says what else is not as its
    params file says now: the plan in force stays what was published.
    """
    base = settings.baseline
    if base is None:
        raise ValueError(f"{settings.run}: has no baseline")
    record = record_of(folder)
    header, mine = record["parameters"]["settings"], settings.header()
    faults = [
        f"{name}: found {header.get(name)} there and {mine[name]} here, expected the same"
        for name in SAME
        if header.get(name, mine[name]) != mine[name]  # a report made before a setting existed does not contradict it
    ]
    if header["as_of"] >= mine["as_of"]:
        faults.append(f"as_of: found {header['as_of']} there, expected a day before {mine['as_of']}")
    dropped = later(mine["changes"], header.get("changes", []))[1]
    faults += [
        f"changes: found the {each.kind} of {each.dimension} {', '.join(each.of)} there and not here, expected it in both"
        for each in dropped
    ]
    if faults:
        again = made.relative(base.source, settings.root)
        faults.append(f"make it again as its file says: planlib run {again}")
        heading = f"{settings.source.name}: the plan in force, {near(folder)}, is not one that this run can follow"
        raise ParameterError(collected(heading, faults))
    changed = _changed(record, base, fingerprint)
    told = (
        [f"{folder.name} stays the plan in force, though since it was made there changed: {', '.join(changed)}."]
        if changed
        else []
    )
    digest, broken = _read_of(folder, settings.root)
    if broken:
        told.append(f"{broken}: what it had planned for the months that closed after it is not known.")
    return InForce(base.run, folder, record["key"], digest, tuple(told))


def _changed(record: Mapping[str, Any], base: RunSettings, fingerprint: Callable[..., dict[str, str]]) -> list[str]:
    """What the baseline's params file says now, where its report was made from something else."""
    lines = []
    as_of, now = record["parameters"]["settings"]["as_of"], base.as_of.isoformat()
    if as_of != now:
        lines.append(f"its closing date (made with {as_of}, {base.source.name} says {now})")
    written = made.source_of(record)
    if written not in (None, made.relative(base.source, base.root), base.source.name):
        lines.append(f"its params file (made from {written})")
    sections = [name for name, values in base.parameters.items() if record["parameters"]["sections"].get(name) != values]
    lines += [f"parameters of {', '.join(sections)} in {base.source.name}"] if sections else []
    if record["parameters"]["settings"].get("changes", []) != base.changes:
        lines.append(f"the changes of members in {base.source.name}")
    lives = [name for name in ("openings", "closings") if record["parameters"]["settings"].get(name, []) != base.header()[name]]
    lines += [f"{' and '.join(lives)} in {base.source.name}"] if lives else []
    before = (record["baseline"] or {}).get("run")
    after = base.baseline.run if base.baseline else None
    if before != after:
        lines.append(f"the plan it followed (then {before or 'none'}, now {after or 'none'})")
    there = {table: mapping for table, mapping in base.data.items() if Path(mapping["file"]).is_file()}
    hashes = fingerprint(there)
    tables = {
        table for table in {*record["inputs"], *base.data} if record["inputs"].get(table, {}).get("sha256") != hashes.get(table)
    }
    lines += [f"inputs ({', '.join(sorted(tables))})"] if tables else []
    return lines


def _read_of(folder: Path, root: Path) -> tuple[str, str | None]:
    """One digest of every plan and table that chapters may read along the chain, each as its manifest has it."""
    plans, lost = baselines.chain(folder, root)
    content: list[Any] = []
    for plan in plans:
        record = record_of(plan.folder)
        files = made.handed_on(record)
        expected = {**files, "run.json": record.get("report", {}).get("run.json")}
        there = (path for part in ("plan", "tables") for path in (plan.folder / part).rglob("*") if path.is_file())
        for path in there:
            if path.relative_to(plan.folder).as_posix() not in files:
                raise PlanError(
                    f"{near(path)}: found a file that was not published, expected those of its manifest.json; remove it."
                )
        for name, sha in expected.items():
            path = plan.folder / name
            if sha is not None and (not path.is_file() or made.file_hash(path) != sha):
                raise PlanError(
                    f"{near(path)}: found other bytes than were published, expected those of its manifest.json, since this run "
                    "is compared with them; restore the file from a copy, or make that run again."
                )
        content.append({"as_of": plan.as_of.isoformat(), "files": files})
    return made.key_of([*content, *(["broken"] if lost else [])]), lost
