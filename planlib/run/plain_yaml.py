"""YAML without surprises: plain values only, each with the line it was written on."""

from __future__ import annotations

import datetime as dt
import difflib
import math
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from planlib.errors import ParameterError

Where = dict[tuple[str, ...], tuple[str, int]]  # place of a value -> (file name, line)

LARGEST_FILE = 1_000_000
DEEPEST = 12
PATHS = ("file", "extends", "baseline")  # kept as the file system spells them


class _Strict(yaml.SafeLoader):
    """YAML without its surprises: NO is text, 0123 is text, 12:30 is text; no anchors, no tags of one's own."""

    yaml_implicit_resolvers = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if getattr(event, "anchor", None) is not None:
            raise yaml.MarkedYAMLError(problem="anchors (& and *) are not allowed", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


for _tag, _pattern in {
    "bool": r"^(?:true|false)$",
    "int": r"^-?(?:0|[1-9][0-9]*)$",
    "float": r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$",
    "null": r"^(?:null|~|)$",
    "timestamp": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
}.items():
    _Strict.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), None)


def read_yaml(path: Path) -> tuple[dict[str, Any], Where]:
    """A YAML file as plain values, and the line each was written on."""
    if not path.is_file():
        names = sorted(each.name for each in path.parent.glob("*.yml")) if path.parent.is_dir() else []
        hint = nearest(path.name, names) if names else f"{path.parent.name}/ holds no params file"
        raise ParameterError(f"{path.name}: no such params file; {hint}.")
    if path.stat().st_size > LARGEST_FILE:
        raise ParameterError(f"{path.name}: is larger than a megabyte, expected a params file.")
    try:
        node = yaml.compose(path.read_bytes().decode("utf-8-sig"), Loader=_Strict)
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path.name}: is not UTF-8 ({error.reason}); save it as UTF-8.") from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "nested too deeply"
        raise ParameterError(f"{path.name}{line}: not readable as YAML: {problem}; correct it.") from None
    where: Where = {}
    value = {} if node is None else _value(node, (), path.name, where)
    if not isinstance(value, dict):
        raise ParameterError(f"{path.name}: found {shown(value)}, expected `name: value` lines.")
    return value, where


def _value(node: Any, place: tuple[str, ...], file: str, where: Where) -> Any:
    line = node.start_mark.line + 1
    where[place] = (file, line)

    def refuse(text: str) -> ParameterError:
        return ParameterError(f"{file}:{line}: {'.'.join(place)}: {text}")

    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    if len(place) > DEEPEST:
        raise refuse(f"is nested more than {DEEPEST} deep; flatten it.")
    if kind == "map":
        result: dict[str, Any] = {}
        for name, child in node.value:
            at = f"{file}:{name.start_mark.line + 1}: {'.'.join(place)}"
            if not isinstance(name, yaml.ScalarNode) or not name.tag.endswith(":str"):
                shown = getattr(name, "value", "a collection")
                raise ParameterError(f'{at}: the key {shown!r} is not text; write it in quotes, "{shown}".')
            key = unicodedata.normalize("NFC", _plain(name.value, refuse))  # as names are kept that are read from tables
            if key in result:
                first = where[(*place, key)][1]
                raise ParameterError(f"{at}: `{key}` is written twice, first on line {first}; keep one.")
            result[key] = _value(child, (*place, key), file, where)
            where[(*place, key)] = (file, name.start_mark.line + 1)
        return result
    if kind == "seq":
        return [_value(child, (*place, str(n)), file, where) for n, child in enumerate(node.value)]
    if kind == "str":
        text = _plain(node.value, refuse)
        return text if place[-1:] and place[-1] in PATHS else unicodedata.normalize("NFC", text)
    try:
        convert: dict[str, Callable[[str], Any]] = {
            "null": lambda text: None,
            "bool": lambda text: {"true": True, "false": False}[text],
            "int": int,
            "float": _finite,
            "timestamp": dt.date.fromisoformat,
        }
        return convert[kind](node.value)
    except KeyError:
        raise refuse(f"the tag {node.tag} is not allowed; write a plain value.") from None
    except ValueError as error:
        raise refuse(f"found {node.value[:80]}: {error}; correct it.") from None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("expected a finite number")
    if abs(number) > 2**43 and Decimal(text.replace("_", "")) != Decimal(repr(number)):
        # Money of sixteen and more digits: what was written is not what would be planned.
        raise ValueError(f"expected at most 15 digits with a decimal point ({number!r} is what is kept), or a whole number")
    return number


def _plain(text: str, refuse: Callable[[str], ParameterError]) -> str:
    """Text that can go into a file name, a message or a page without doing anything there."""
    if any((ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in text):
        raise refuse("holds a control character; remove it.")
    return text


def nearest(name: str, known: list[str]) -> str:
    """`did you mean ...`, or the names there are."""
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`? Correct or remove it" if close else f"expected one of {', '.join(known)}"


def shown(value: Any) -> str:
    kinds = {str: "text", bool: "true/false", int: "whole number", float: "number", dict: "mapping", list: "list"}
    text = repr(value)
    return f"{text[:80]}{'...' if len(text) > 80 else ''} ({kinds.get(type(value), type(value).__name__)})"
