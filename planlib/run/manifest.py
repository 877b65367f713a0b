"""What a run was made of, as hashes and typed values: the keys that decide what runs again, and manifest.json.

Pure functions. No user, host or absolute path enters a manifest, and no clock but in `volatile` and in the hashes of the
executed notebooks, which are evidence, not results.
"""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planlib.run.settings import RunSettings

SCHEMA = 2  # 1 had no installed versions and no tables of the baseline in its key
# what computes, checks or writes a number: every package that planlib imports, and those through which Ibis asks DuckDB
PACKAGES = (
    "altair", "babel", "chinesecalendar", "duckdb", "great-expectations", "hierarchicalforecast", "highspy", "holidays",
    "ibis-framework", "ipykernel",
    "ipython", "jinja2", "jupyter-client", "lunardate", "markupsafe", "nbclient", "numpy", "openpyxl", "pandas", "papermill",
    "pulp", "pyarrow", "pydantic", "pyyaml", "rich", "scipy", "sqlglot", "statsmodels", "typer", "vl-convert-python",
)  # fmt: skip


OPENS = ("name", "where", "of", "unit", "min", "amount", "expires", "owner", "reason")  # of a rule or lock, what opens a member


def canonical(value: Any) -> bytes:
    """JSON with one spelling: sorted keys, no spaces, UTF-8; NaN, infinity and keys that are not text are errors."""
    _text_keys(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _text_keys(value: Any) -> None:
    if isinstance(value, Mapping):
        for key, each in value.items():
            if not isinstance(key, str):
                raise TypeError(f"canonical JSON: the key {key!r} is not text")
            _text_keys(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            _text_keys(each)


def key_of(value: Any) -> str:
    """sha256 of the canonical JSON of a value."""
    return hashlib.sha256(canonical(value)).hexdigest()


def file_hash(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_hashes(folder: Path, paths: Iterable[Path]) -> dict[str, str]:
    """sha256 of each file by its path below `folder`."""
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in sorted(paths)}


def tree_hash(package: Path, without: tuple[str, ...] = ()) -> str:
    """One hash for the source files of a package, their names and their bytes; `without` names folders to leave out."""
    files = [
        path
        for path in package.rglob("*")
        if path.is_file()
        and path.suffix != ".pyc"
        and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(package).parts)
        and path.relative_to(package).parts[0] not in without
    ]
    return key_of(folder_hashes(package, files))


def notebook_code_hash(notebook: Mapping[str, Any]) -> str:
    """Hash of what a notebook does: its code cells and their tags, whatever its outputs, counts, ids and texts."""
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            source = cell["source"]
            cells.append([source if isinstance(source, str) else "".join(source), sorted(cell["metadata"].get("tags", []))])
    return key_of(cells)


def lock_hash(root: Path) -> str | None:
    """sha256 of requirements.lock, None where there is none."""
    path = root / "requirements.lock"
    return file_hash(path) if path.is_file() else None


def environment(root: Path) -> dict[str, Any]:
    """Interpreter, system and the installed versions that can move a number."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()}-{platform.machine()}",
        "lock": lock_hash(root),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def ingredients(
    header: Mapping[str, Any],
    inputs: Mapping[str, Any],
    baseline: str | None,
    environment: Mapping[str, Any],
) -> dict[str, Any]:
    """What every chapter depends on besides its own parameters and code; `baseline` is the digest of all that is read of it."""
    names = ("lock", "python", "packages")
    return {"settings": header, "inputs": inputs, "baseline": baseline, **{name: environment[name] for name in names}}


def opening(sections: Mapping[str, Any]) -> dict[str, Any]:
    """What of the chapters' parameters every chapter reads: exits close products, rules and locks with money open members."""
    told: dict[str, Any] = {"exits": sections.get("product", {}).get("exits", {})}
    for part in ("region", "product", "channel"):
        limits = [*sections.get(part, {}).get("rules", []), *sections.get(part, {}).get("locks", [])]
        asks = [each for each in limits if part in each.get("where", {}) and (each.get("amount") or each.get("min") or 0) > 0]
        told[part] = [{name: each.get(name) for name in OPENS} for each in asks]
    return told


def run_key(shared: Mapping[str, Any], sections: Mapping[str, Any], notebooks: Mapping[str, str], planlib: str) -> str:
    """The key of a run: the same key, the same plan."""
    return key_of({**shared, "parameters": sections, "notebooks": notebooks, "planlib": planlib})


def key_told(record: Mapping[str, Any]) -> str:
    """The key that a manifest's own parameters, inputs, baseline, environment and code make; edited, it is not its `key`."""
    asked = record["parameters"]
    mappings = {table: {name: value for name, value in each.items() if name != "file"} for table, each in asked["data"].items()}
    inputs = {
        table: {"sha256": record["inputs"].get(table, {}).get("sha256"), "mapping": each} for table, each in mappings.items()
    }
    baseline = record["baseline"] and record["baseline"]["digest"]
    shared = ingredients(asked["settings"], inputs, baseline, record["environment"])
    return run_key(shared, asked["sections"], record["code"]["notebooks"], record["code"]["planlib"])


def handed_on(record: Mapping[str, Any]) -> dict[str, str]:
    """sha256 of every plan and table file that a run's chapters handed on."""
    return {name: sha for each in record["chapters"].values() for name, sha in each["handed_on"].items()}


def source_of(record: Mapping[str, Any]) -> str | None:
    """The params file that a run was made from, below the project; None where a manifest does not say."""
    files = record.get("params_files") or [{}]
    name = files[0].get("name")
    return None if name is None else str(name)


def code(root: Path, package: Path, notebooks: Mapping[str, str]) -> dict[str, Any]:
    """Which code ran: package version and source hash, the hash of each notebook, the commit where git knows it."""
    return {
        "version": _version("planlib"),
        "planlib": tree_hash(package),
        "notebooks": dict(notebooks),
        **_commit(root),
    }


def _commit(root: Path) -> dict[str, Any]:
    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, timeout=10, check=True)
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    commit = git("rev-parse", "HEAD") if git("rev-parse", "--show-toplevel") == str(root) else None
    return {"commit": commit, "dirty": bool(git("status", "--porcelain")) if commit else None}


def solver() -> dict[str, Any]:
    """Name, version and fixed options of the solver."""
    try:
        from planlib.lp import solver as room
    except ImportError:
        return {"name": "HiGHS", "version": None, "options": None}
    options = getattr(room, "OPTIONS", None)
    return {"name": "HiGHS", "version": metadata.version("highspy"), "options": dict(options) if options else None}


def plan_summary(path: Path) -> dict[str, Any]:
    """Digest, rows and control total (minor units) of a plan table."""
    import pandas as pd

    from planlib.plan import digest

    table = pd.read_parquet(path)
    return {"digest": digest(table), "rows": len(table), "total": int(table["amount"].sum())}


def expectation(run: Path) -> dict[str, dict[str, float]]:
    """How the expected shares were weighed, by level and size of cell: each candidate's weight, and its error in the past.

    From the table that chapter 02 keeps; nothing where a run has none.
    """
    import pandas as pd

    path = run / "tables" / "02-region" / "weights-of-the-expected-shares.parquet"
    if not path.is_file():
        return {}
    found: dict[str, dict[str, float]] = {}
    for row in pd.read_parquet(path).itertuples():
        values = {row.candidate: round(float(row.weight), 6)}
        if row.error == row.error:
            values[f"{row.candidate}, error"] = round(float(row.error), 6)
        found.setdefault(f"{row.level}, {row.size} cells", {}).update(values)
    return found


def relative(path: Path, root: Path) -> str:
    """A path below the project as text; of a file elsewhere, which names a person's folders, the name alone."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def place(path: Path, root: Path) -> str:
    """Where a file is, as seen from the project; absolute only for what lies outside of it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def run_json(
    settings: RunSettings, ingested: Mapping[str, Any], left_out: list[str], base: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What chapters and report know of a run; `base` is the plan in force. The report's name is added when it is written."""
    inputs = {
        table: {
            "parquet": place(Path(each.parquet), settings.root),
            "file": place(Path(settings.data[table]["file"]), settings.root),
            "sha256": each.sha256,
            "rows": each.rows,
            "control_total": each.control_total,
            "notes": list(each.notes),
        }
        for table, each in ingested.items()
    }
    return {
        "run": settings.run,
        "settings": settings.header(),
        "parameters": settings.parameters,
        "inputs": inputs,
        "left_out": list(left_out),
        "baseline": base,
    }


def build(
    settings: RunSettings,
    key: str,
    ingested: Mapping[str, Any],
    base: Mapping[str, Any] | None,
    environment: Mapping[str, Any],
    code: Mapping[str, Any],
    records: Mapping[str, Any],
) -> dict[str, Any]:
    data = {
        table: {**mapping, "file": relative(Path(mapping["file"]), settings.root)} for table, mapping in settings.data.items()
    }
    return {
        "schema": SCHEMA,
        "run": settings.run,
        "key": key,
        "parameters": {"settings": settings.header(), "sections": settings.parameters, "data": data},
        "params_files": [{"name": relative(path, settings.root), "sha256": file_hash(path)} for path in settings.files],
        "inputs": {
            table: {"sha256": each.sha256, "rows": each.rows, "control_total": each.control_total}
            for table, each in ingested.items()
        },
        "code": dict(code),
        "environment": dict(environment),
        "solver": solver(),
        "gates": {stem: record["gate"] for stem, record in records.items()},
        "outputs": {
            stem: {**record["plan"], "sha256": record["files"][f"plan/{stem}.parquet"]} for stem, record in records.items()
        },
        "baseline": base,
        "chapters": dict(records),
    }


def differences(expected: Mapping[str, Any], found: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Places where two nested mappings differ, with both values."""
    lines: list[str] = []
    for key in sorted(expected.keys() | found.keys()):
        one, two = expected.get(key), found.get(key)
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            lines += differences(one, two, f"{prefix}{key}.")
        elif one != two:
            lines.append(f"{prefix}{key}: {one} then, {two} now")
    return lines


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, bool]:
    """For each plan table of two manifests, whether the digests are equal; a table only one of them has is not."""
    one, two = first["outputs"], second["outputs"]
    return {stem: stem in one and stem in two and one[stem]["digest"] == two[stem]["digest"] for stem in sorted({*one, *two})}
