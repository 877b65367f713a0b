"""Parameters of a planning run: one YAML file (and what it extends) into typed, checked settings.

Nothing is guessed. A key that is not known, a value of another type, a number out of range, a key written twice, an
anchor or a tag is refused here, before any kernel starts, and all faults of a file are told at once with their lines.
"""

from __future__ import annotations

import ast
import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from planlib.currency import minor_exponent
from planlib.errors import ParameterError, collected
from planlib.run.faults import Fault, as_json, explain
from planlib.run.plain_yaml import Where, nearest, read_yaml, shown
from planlib.run.settings import RunSettings, calendar_of
from planlib.run.stated import changes_of, check_as_of, check_openings

Models = Mapping[str, type[BaseModel]]

OWN = ("extends", "run", "baseline")  # what a file says about itself, and hands on to nobody


def chapter_models() -> dict[str, type[BaseModel]]:
    """The `Parameters` model of every chapter of the chain, by section."""
    from importlib import import_module

    from planlib.run.chain import CHAPTERS, section

    return {section(stem): import_module(f"planlib.chapters.{section(stem)}").Parameters for stem in CHAPTERS}


def table_model() -> tuple[list[str], type[BaseModel]]:
    """The tables a params file may map, and the model of one mapping."""
    from planlib.data.files import TableMapping
    from planlib.data.tables import TABLES

    return list(TABLES), TableMapping


def load(
    path: Path,
    *,
    as_of: dt.date | None = None,
    models: Models | None = None,
    tables: tuple[list[str], type[BaseModel]] | None = None,
) -> RunSettings:
    """Read, merge and check a params file; `as_of` replaces the file's own date.

    A section of the file is merged key by key over the same section of the file it extends, an empty one changes nothing; a
    value, be it a list or a mapping, is replaced whole. Raises ParameterError naming every fault with file and line.
    """
    return _load(Path(path).resolve(), as_of, models or chapter_models(), tables or table_model(), ())


def _load(
    path: Path, as_of: dt.date | None, models: Models, tables: tuple[list[str], type[BaseModel]], above: tuple[Path, ...]
) -> RunSettings:
    if path in above:
        ring = " -> ".join(each.name for each in (*above, path))
        raise ParameterError(f"{path.name}: baseline leads back to itself ({ring}); remove one `baseline`.")
    raw, where, files = _merged(path, ())
    faults: list[str] = []

    def fault(place: tuple[str, ...], text: str) -> None:
        file, line = next((where[place[:n]] for n in range(len(place), 0, -1) if place[:n] in where), (path.name, 1))
        faults.append(f"{file}:{line}: {'.'.join(place)}: {text}")

    known = [*OWN, *(name for name in RunSettings.model_fields if name not in ("parameters", "source", "files", "root"))]
    known = list(dict.fromkeys([*known, *models]))
    for key in raw:
        if key not in known:
            fault((key,), f"no such key; {nearest(key, known)}.")

    sections = {name: _section(name, raw.get(name), model, fault) for name, model in models.items()}
    names, mapping = tables
    data: dict[str, Any] = {}
    asked = raw.get("data", {})
    if not isinstance(asked, dict) or not asked:
        fault(("data",), "found no table, expected at least `orders: {file: ...}`; add it.")
        asked = {}
    for table, value in asked.items():
        if table not in names:
            fault(("data", table), f"no such table; {nearest(table, names)}.")
        elif value is not None:  # `regions: null` takes back what the extended file mapped
            data[table] = _section(f"data.{table}", value, mapping, fault)
    if asked and "orders" not in asked:
        fault(("data",), "orders is missing, the one table no plan can do without; add `orders: {file: ...}`.")

    header = {key: raw[key] for key in RunSettings.model_fields if key in raw and key not in ("data", "baseline", "changes")}
    header.setdefault("run", path.stem)
    stated = raw.get("as_of") if as_of is None else as_of
    header["as_of"] = _day_before(raw) if stated is None else stated
    settings: RunSettings | None = None
    try:
        settings = RunSettings(**header, data=data, parameters=sections, source=path, files=files, root=project_root(path))
        settings = settings.model_copy(update={"calendar": calendar_of(data)})
        check_as_of(settings, fault)
        if settings.calendar.own and stated is None:
            fault(("as_of",), "is missing; with a table `periods` it must be said: the last day of the last closed period.")
        settings = settings.model_copy(update={"changes": changes_of(raw.get("changes"), settings, fault)})
        check_openings(settings, fault)
    except ValidationError as error:
        explain(error, (), header, list(RunSettings.model_fields), fault)
    if faults or settings is None:
        raise ParameterError(collected(f"{path.name}: {len(faults)} parameter(s) cannot be used", faults))
    if raw.get("baseline") is None:
        return settings
    return _with_baseline(settings, _load(Path(raw["baseline"]), None, models, tables, (*above, path)))


def _with_baseline(settings: RunSettings, base: RunSettings) -> RunSettings:
    faults = [
        f"{name}: found {getattr(base, name)} there and {getattr(settings, name)} here, expected the same"
        for name in ("company", "year", "fiscal_start", "currency")
        if getattr(base, name) != getattr(settings, name)
    ]
    there, here = minor_exponent(base.currency), minor_exponent(settings.currency)
    faults += [f"decimals: found {there} there and {here} here, expected the same"] if there != here else []
    if base.as_of >= settings.as_of:
        faults.append(f"as_of: found {base.as_of} there, expected a day before {settings.as_of}")
    if base.run == settings.run:
        faults.append(f"run: both are called {base.run}, expected two names")
    if faults:
        heading = f"{settings.source.name}: the baseline {base.source.name} is not a plan this one can follow"
        raise ParameterError(collected(heading, faults))
    return settings.model_copy(update={"baseline": base})


def project_root(path: Path) -> Path:
    """The nearest folder above a params file that holds `notebooks/`."""
    for folder in path.parents:
        if (folder / "notebooks").is_dir():
            return folder
    raise ParameterError(f"{path.name}: no folder above it holds `notebooks/`; keep params files inside the project.")


def _day_before(raw: dict[str, Any]) -> Any:
    """The default closing date: nothing of the plan year is actual yet."""
    try:
        return dt.date(raw["year"], raw.get("fiscal_start", 1), 1) - dt.timedelta(days=1)
    except (KeyError, TypeError, ValueError):
        return dt.date(2000, 1, 31)  # the year's own fault is told; this only keeps the other checks going


def _section(name: str, value: Any, model: type[BaseModel], fault: Fault) -> dict[str, Any]:
    """One section checked by its model, with defaults filled in, as JSON values."""
    place = tuple(name.split("."))
    value = {} if value is None else value
    if not isinstance(value, dict):
        fault(place, f"found {shown(value)}, expected a mapping of parameter names to values.")
        return {}
    try:
        # as JSON, because a strict model takes a list for a tuple and text for a date only from there
        checked = model.model_validate_json(json.dumps(value, default=as_json, allow_nan=False), strict=True)
    except ValidationError as error:
        explain(error, place, value, list(model.model_fields), fault, model)
        return {}
    dumped: dict[str, Any] = checked.model_dump(mode="json")
    return dumped


# ---------------------------------------------------------------- files


def _merged(path: Path, below: tuple[Path, ...]) -> tuple[dict[str, Any], Where, tuple[Path, ...]]:
    """The content of a file over that of the file it extends, where each value was written, and the files read."""
    if path in below:
        ring = " -> ".join(each.name for each in (*below, path))
        raise ParameterError(f"{path.name}: extends leads back to itself ({ring}); remove one `extends`.")
    raw, where = read_yaml(path)
    # a path means what it means to the file that wrote it, so it is made absolute before merging
    for table, mapping in raw["data"].items() if isinstance(raw.get("data"), dict) else ():
        if isinstance(mapping, dict) and isinstance(mapping.get("file"), str):
            raw["data"][table] = {**mapping, "file": str((path.parent / mapping["file"]).resolve())}
    for key in ("extends", "baseline"):
        if raw.get(key) is not None:
            raw[key] = _other(path, key, raw[key], where)
    if raw.get("extends") is None:
        return raw, where, (path,)
    base, base_where, files = _merged(Path(raw["extends"]), (*below, path))
    merged = {key: value for key, value in base.items() if key not in OWN}
    for key, value in raw.items():
        below_it = merged.get(key)
        if isinstance(below_it, dict) and value is None:
            continue  # a section whose lines are all comments changes nothing
        merged[key] = {**below_it, **value} if isinstance(value, dict) and isinstance(below_it, dict) else value
    return merged, {**base_where, **where}, (path, *files)


def _other(path: Path, key: str, value: Any, where: Where) -> str:
    line = where[(key,)][1]
    if not isinstance(value, str) or "/" in value or "\\" in value:
        raise ParameterError(
            f"{path.name}:{line}: {key}: found {shown(value)}, expected the name of a file in the same folder; correct it."
        )
    other = path.parent / value
    if not other.is_file():
        names = sorted(each.name for each in path.parent.glob("*.yml"))
        raise ParameterError(f"{path.name}:{line}: {key}: found no file {value}; {nearest(value, names)}.")
    return str(other.resolve())


# ---------------------------------------------------------------- parity of cell and model


def cell_parameters(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Names and default values of a notebook's `parameters` cell (`name: type = value`), in order."""
    cells = [cell for cell in notebook["cells"] if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(cells) != 1:
        raise ParameterError(f"found {len(cells)} cells tagged `parameters`, expected one; tag the parameters cell.")
    source = cells[0]["source"]
    found: dict[str, Any] = {}
    for line in ast.parse(source if isinstance(source, str) else "".join(source)).body:
        target = line.target if isinstance(line, ast.AnnAssign) else getattr(line, "targets", [None])[0]
        value = getattr(line, "value", None)
        if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant):
            continue
        if not isinstance(target, ast.Name) or value is None:
            raise ParameterError(f"parameters cell, line {line.lineno}: expected `name: type = value`; move the rest out.")
        try:
            found[target.id] = ast.literal_eval(value)
        except ValueError:
            raise ParameterError(f"parameters cell: {target.id}: expected a plain value, not an expression.") from None
    return found


def parity(notebook: Mapping[str, Any], model: type[BaseModel]) -> list[str]:
    """What the parameters cell and the model do not agree on; an empty list when they do. `run` is the cell's own."""
    cell = cell_parameters(notebook)
    faults = [] if "run" in cell else ["run: is missing in the cell"]
    cell.pop("run", None)
    faults += [f"{name}: in the model, not in the cell" for name in model.model_fields if name not in cell]
    faults += [f"{name}: in the cell, not in the model" for name in cell if name not in model.model_fields]
    try:
        defaults = model().model_dump(mode="json")
    except ValidationError as error:
        return [*faults, *(f"{each['loc'][0]}: has no default in the model" for each in error.errors())]
    for name in defaults.keys() & cell.keys():
        if json.dumps(cell[name], sort_keys=True) != json.dumps(defaults[name], sort_keys=True):
            faults.append(f"{name}: {cell[name]!r} in the cell, {defaults[name]!r} in the model")
    return sorted(faults)
