"""Parameters of a planning run: one YAML file (and what it extends) into typed, checked settings.

Nothing is guessed. A key that is not known, a value of another type, a number out of range, a key written twice, an
anchor or a tag is refused here, before any kernel starts, and all faults of a file are told at once with their lines.
"""

from __future__ import annotations

import ast
import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from planlib.errors import ParameterError, collected
from planlib.estimates.lives import Closing, Opening
from planlib.periods import MONTHS, Calendar
from planlib.plan import Currency, Horizon, minor_exponent
from planlib.run.plain_yaml import Where, nearest, read_yaml, shown

Models = Mapping[str, type[BaseModel]]

RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
RESERVED = ("draft", "latest")  # folders of the reports that are no run: what notebooks opened by hand work on, and a link
OWN = ("extends", "run", "baseline")  # what a file says about itself, and hands on to nobody


def _currency(code: str) -> str:
    from babel.numbers import is_currency

    if not is_currency(code):
        raise ValueError("expected an ISO 4217 code such as CNY or USD")
    return code


def _run_name(name: str) -> str:
    # `x.2` is how the second run of `x` is called
    if not RUN_NAME.fullmatch(name) or re.search(r"\.\d+$", name) or name.casefold() in RESERVED:
        raise ValueError(
            "expected letters, digits, `_`, `-` and `.`, not ending in a dot and a number, not `draft` or `latest`"
        )
    return name


class RunSettings(BaseModel):
    """A checked params file. Sections are held as JSON values, as a notebook receives them.

    `decimals` are those of amounts, by default the currency's (ISO 4217); `currency` knows them.
    `parameters[section]` has every field of the section's model; `data[table]` is the mapping of a table with its
    `file` as an absolute path; `baseline` is the settings of the plan in force; `changes` are the events that
    changed members, see `planlib.data.changes`.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    run: Annotated[str, AfterValidator(_run_name)]
    company: str = Field(min_length=1, max_length=200)
    year: int = Field(ge=1990, le=2200)
    fiscal_start: int = Field(default=1, ge=1, le=12)
    decimals: int | None = Field(default=None, ge=0, le=4)
    currency: Annotated[str, AfterValidator(_currency)]
    as_of: dt.date
    missing_months: Literal["stop", "expect", "zero"] | None = None  # what a month without a line in the orders means
    language: Annotated[str, Field(pattern=r"^en$")] = "en"
    openings: list[Opening] = []
    closings: list[Closing] = []
    data: dict[str, dict[str, Any]]
    parameters: dict[str, dict[str, Any]]
    baseline: RunSettings | None = None
    changes: list[dict[str, Any]] = []
    source: Path
    files: tuple[Path, ...]
    root: Path
    calendar: Calendar = MONTHS

    @property
    def horizon(self) -> Horizon:
        """The plan year, and how much of it is closed."""
        return Horizon(self.year, self.fiscal_start, self.as_of, self.calendar)

    @field_validator("currency")
    @classmethod
    def _with_decimals(cls, code: str, info: ValidationInfo) -> Currency:
        return Currency(code, info.data.get("decimals"))

    def header(self) -> dict[str, Any]:
        """What a chapter may know of the run besides its own section, as JSON."""
        return {
            "company": self.company,
            "year": self.year,
            "fiscal_start": self.fiscal_start,
            "currency": str(self.currency),
            "decimals": minor_exponent(self.currency),
            "as_of": self.as_of.isoformat(),
            "language": self.language,
            "changes": self.changes,
            "openings": [each.model_dump(mode="json", by_alias=True, exclude_defaults=True) for each in self.openings],
            "closings": [each.model_dump(mode="json", exclude_defaults=True) for each in self.closings],
            **({"missing_months": self.missing_months} if self.missing_months else {}),
        }


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
        _check_as_of(settings, fault)
        if settings.calendar.own and stated is None:
            fault(("as_of",), "is missing; with a table `periods` it must be said: the last day of the last closed period.")
        settings = settings.model_copy(update={"changes": _changes(raw.get("changes"), settings, fault)})
        _check_openings(settings, fault)
    except ValidationError as error:
        _explain(error, (), header, list(RunSettings.model_fields), fault)
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


def calendar_of(data: Mapping[str, Any]) -> Calendar:
    """Calendar months, or the company's own periods where the file maps the table of them."""
    if not data.get("periods"):
        return MONTHS
    from planlib.data import calendar
    from planlib.run.doors import mappings

    return calendar.calendar_of(mappings({"periods": data["periods"]}))


def _check_as_of(settings: RunSettings, fault: Callable[[tuple[str, ...], str], None]) -> None:
    horizon, what = settings.horizon, "period" if settings.calendar.own else "month"
    if settings.calendar.own and settings.fiscal_start != 1:
        fault(("fiscal_start",), "found one beside a table `periods`, which says where years begin; remove it.")
        return
    # the base year must have begun: of its months that are not sold yet, the others tell what to expect
    earliest = settings.calendar.last(horizon.last_year[0])
    last = settings.calendar.last(horizon.months[-1])
    if settings.as_of != settings.calendar.last(settings.calendar.at(settings.as_of)):
        fault(("as_of",), f"found {settings.as_of}, expected the last day of a {what}.")
    elif not earliest <= settings.as_of < last:
        fault(
            ("as_of",),
            f"found {settings.as_of}, expected a {what}'s end from {earliest} on, the first of the year before the plan, and "
            f"before {last}; of a year that has not begun nobody knows a {what}.",
        )


def _changes(stated: Any, settings: RunSettings, fault: Callable[[tuple[str, ...], str], None]) -> list[dict[str, Any]]:
    """The events that changed members, checked one by one and against each other, and the rules that name members of old."""
    from planlib.data import changes as events

    if stated is None:
        return []
    if not isinstance(stated, list):
        fault(("changes",), f"found {shown(stated)}, expected a list of events, each with kind, dimension, of, to and from.")
        return []
    names = [str(field.alias or name) for name, field in events.Change.model_fields.items()]
    end = settings.calendar.last(settings.horizon.months[-1]) + dt.timedelta(days=1)
    found: list[events.Change] = []
    for number, each in enumerate(stated):
        place = ("changes", str(number))
        if not isinstance(each, dict):
            fault(place, f"found {shown(each)}, expected an event with kind, dimension, of, to and from.")
            continue
        try:
            event = events.Change.model_validate_json(json.dumps(each, default=_json, allow_nan=False))
        except ValidationError as error:
            _explain(error, place, each, names, fault)
            continue
        found.append(event)
        if event.start >= end:
            fault((*place, "from"), f"found {event.since}, after the plan year; state it in the plan of the year it falls in.")
        if event.dimension == "person" and "staff" not in settings.data:
            fault(place, "found persons who move, expected the table `staff` that lists them; add it under `data`.")
    if len(found) < len(stated):
        return []
    for text in events.contradictions(sorted(found, key=lambda each: each.start)):
        fault(("changes",), f"{text}.")
    kept = [events.kept(each) for each in found]
    _refuse_old_names(events.ended(events.read(kept)), settings, fault)
    return kept


def _refuse_old_names(gone: Mapping[tuple[str, str], Any], settings: RunSettings, fault: Callable[..., None]) -> None:
    """Rules, locks and parameters by member speak of the members of the plan year."""

    reborn = {(opening.dim, opening.member) for opening in settings.openings}  # the old name for something new

    def refuse(place: tuple[str, ...], dimension: str, name: str) -> None:
        by = gone.get((dimension, name))
        if by is not None and (dimension, name) not in reborn:
            new = " or ".join(by.shares)
            fault(place, f"found the {dimension} {name!r}, which became {new} in {by.since}; write {new}.")

    for number, opening in enumerate(settings.openings):
        if opening.like:
            refuse(("openings", str(number), "like"), opening.dim, opening.like)
    for number, closing in enumerate(settings.closings):
        for dimension, name in closing.where.items():
            refuse(("closings", str(number), dimension), dimension, name)
    for section, values in settings.parameters.items():
        for kind in ("rules", "locks"):
            for number, limit in enumerate(values.get(kind) or ()):
                for part in ("where", "of"):
                    for dimension, members in (limit.get(part) or {}).items():
                        for name in [members] if isinstance(members, str) else members:
                            refuse((section, kind, str(number), part, dimension), dimension, name)
        if section in ("region", "product"):
            for parameter, value in values.items():
                for name in value if isinstance(value, dict) else ():
                    refuse((section, parameter, name), section, name)


def _check_openings(settings: RunSettings, fault: Callable[[tuple[str, ...], str], None]) -> None:
    """One statement a member, in or before the plan year, its months those of the calendar."""
    last, own = settings.horizon.months[-1], settings.calendar.own
    seen: set[tuple[str, str]] = set()
    ends = dict(settings.parameters.get("product", {}).get("exits", {}))
    stated = [(("openings", str(number), "from"), each.first) for number, each in enumerate(settings.openings) if each.first]
    stated += [(("closings", str(number), "last"), each.last) for number, each in enumerate(settings.closings)]
    stated += [(("product", "exits", name), month) for name, month in ends.items()]
    for place, month in stated:
        if own and month not in {each.key for each in own}:
            near = {each.key for each in own if each.key[:4] == month[:4] and each.key[-2:] == month[-2:]}
            hint = f"write {near.pop()}" if near else f"write one such as {own[0].key}"
            fault(
                place,
                f"found {month}, expected a period of the table `periods` by year and place ({own[-1].key} is "
                f"{own[-1].label}); {hint}.",
            )
        if not own and "P" in month:
            fault(place, f"found {month}, expected a month such as 2026-04; periods take a table `periods`.")
    closes = {(dim, name): each.last for each in settings.closings for dim, name in each.where.items() if len(each.where) == 1}
    for number, opening in enumerate(settings.openings):
        if opening.first and closes.get((opening.dim, opening.member), opening.first) < opening.first:
            fault(
                ("openings", str(number), "from"),
                f"found {opening.first}, after its last month "
                f"{closes[opening.dim, opening.member]} in `closings`; expected it before, correct one of them.",
            )
    for number, opening in enumerate(settings.openings):
        if (opening.first or "") > last:
            fault(
                ("openings", str(number), "from"), f"found {opening.first}, expected a month up to {last}; plan it in its year."
            )
        if (opening.dim, opening.member) in seen:
            fault(("openings", str(number)), f"found {opening.dim} {opening.member!r} twice, expected one statement; drop one.")
        seen.add((opening.dim, opening.member))


def _section(name: str, value: Any, model: type[BaseModel], fault: Callable[..., None]) -> dict[str, Any]:
    """One section checked by its model, with defaults filled in, as JSON values."""
    place = tuple(name.split("."))
    value = {} if value is None else value
    if not isinstance(value, dict):
        fault(place, f"found {shown(value)}, expected a mapping of parameter names to values.")
        return {}
    try:
        # as JSON, because a strict model takes a list for a tuple and text for a date only from there
        checked = model.model_validate_json(json.dumps(value, default=_json, allow_nan=False), strict=True)
    except ValidationError as error:
        _explain(error, place, value, list(model.model_fields), fault, model)
        return {}
    dumped: dict[str, Any] = checked.model_dump(mode="json")
    return dumped


def _explain(
    error: ValidationError,
    place: tuple[str, ...],
    value: Any,
    names: list[str],
    fault: Callable[..., None],
    model: type[BaseModel] | None = None,
) -> None:
    """Every fault of a section in words; with its `model`, a number that was meant in percent is told so."""
    for each in error.errors(include_url=False):
        steps = tuple(str(step) for step in each["loc"])
        if each["type"] == "extra_forbidden":
            text = f"no such parameter; {nearest(steps[-1], names)}." if len(steps) == 1 else "no such key; remove it."
        elif each["type"] == "missing":
            text = "is missing, and has no default; add it."
        else:
            expected = each["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            expected = expected if expected.startswith("expected") else f"expected {expected}"
            way_out = "correct it" if model is None else _percent(model, value, each["loc"], each["input"]) or "correct it"
            text = f"found {shown(each['input'])}, {expected}; {way_out}."
        fault(place + steps, text)


def _percent(model: type[BaseModel], value: Any, loc: tuple[int | str, ...], found: Any) -> str:
    """How to write a number that was meant in percent, where a hundredth of it would be in range; "" for any other fault."""
    if isinstance(found, bool) or not isinstance(found, int | float) or not 1 < found <= 500:
        return ""
    changed = json.loads(json.dumps(value, default=_json))
    try:
        *above, last = loc
        holder = changed
        for step in above:
            holder = holder[step]
        if holder[last] != found:
            return ""
        holder[last] = found / 100
        model.model_validate_json(json.dumps(changed), strict=True)
    except ValidationError as error:
        if any(each["loc"] == loc for each in error.errors(include_url=False)):
            return ""
    except (KeyError, IndexError, TypeError):  # a place that pydantic names but the file does not have
        return ""
    return f"write {found:g}% as {found / 100:g}"


def _json(value: Any) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{value!r} has no JSON form")


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
