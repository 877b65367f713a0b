"""What a model refuses, in words: the place, what was found, what was expected, and what to do."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError

from planlib.run.plain_yaml import nearest, shown

Fault = Callable[[tuple[str, ...], str], None]  # told with its place in the file


def explain(
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
    changed = json.loads(json.dumps(value, default=as_json))
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


def as_json(value: Any) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{value!r} has no JSON form")
