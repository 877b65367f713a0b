"""The method book: every item, and where the workbook does it. From a number to its rule and back.

An item's functions name its ID in their docstrings, its parameters in the comments of a notebook's parameters cell, and its
tests in their own text; so the list can be read off the project and cannot grow stale.
"""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import planlib
from planlib.errors import ParameterError

# ID, the chapter's stem, what it asks for.
ITEMS: tuple[tuple[str, str, str], ...] = (
    ("STR-1", "01-strategy", "financial targets: growth, margin, market share, new markets, marketing cost"),
    ("STR-2", "01-strategy", "customer targets: leads, repurchase, NPS"),
    ("STR-3", "01-strategy", "product targets: launches, upgrades"),
    ("STR-4", "01-strategy", "grounds: industry, competitors, own capacity, three years of history"),
    ("STR-5", "01-strategy", "momentum baseline against the target, and what fills the gap"),
    ("STR-6", "01-strategy", "positioning: focus segments, value proposition, channel innovation, each tied to a target"),
    ("MET-1", "01-strategy", "SMART check of every target"),
    ("MET-2", "01-strategy", "pyramid from company to person, every level sums to the one above"),
    ("MET-3", "01-strategy", "what departments owe each other for a target, with milestones"),
    ("MET-4", "01-strategy", "a target that grows carries its resources"),
    ("MET-5", "01-strategy", "key result areas, bottleneck, leverage, quarterly review"),
    ("REG-1", "02-region", "potential: economic capacity, competition, reachable customers"),
    ("REG-2", "02-region", "strategic regions get 30-50% more weight"),
    ("REG-3", "02-region", "steady over-achievers get a higher base, under-achievers a review"),
    ("REG-4", "02-region", "channel maturity as a factor"),
    ("REG-5", "02-region", "team: capacity per head, span of control, newcomers"),
    ("REG-6", "02-region", "budget pool: base, incentive, risk reserve"),
    ("REG-7", "02-region", "team pattern by class of region"),
    ("REG-8", "02-region", "field system by rank and growth"),
    ("PRD-1", "03-product", "life-cycle stage from data, with its goals"),
    ("PRD-2", "03-product", "portfolio matrix: star, cash cow, question mark, dog"),
    ("PRD-3", "03-product", "launch targets"),
    ("CHN-1", "04-channel", "potential from history, matched to capacity"),
    ("CHN-2", "04-channel", "review moves resources from behind to ahead, with a reason"),
    ("CHN-3", "04-channel", "incentives by type of channel, with their cost"),
    ("CHN-4", "04-channel", "partner score in four parts"),
    ("CHN-5", "04-channel", "monthly health report: help, then exit"),
    ("CHN-6", "04-channel", "price corridors by channel, violations listed"),
    ("CHN-7", "04-channel", "online and offline: traffic, shared stock, order routing"),
    ("TIM-1", "05-time", "quarter, month and week by seasonality with moving holidays"),
    ("TIM-2", "05-time", "a quarter comes out in the shape of its history"),
    ("TIM-3", "05-time", "rolling: closed months are actuals, a strong quarter lifts the next"),
    ("TIM-4", "05-time", "weekly run-rate with an alert after two weeks"),
    ("TIM-5", "05-time", "peak seasons: stock, staff, promotion, reserve"),
    ("TIM-6", "05-time", "holidays: advertising capped by holiday sales"),
    ("CUS-1", "06-customer", "profile: who buys, how, and what they need; RFM"),
    ("CUS-2", "06-customer", "life-cycle of customers"),
    ("CUS-3", "06-customer", "lifetime value by BG/NBD and Gamma-Gamma"),
    ("CUS-4", "06-customer", "existing customers: up-sell, cross-sell, referral, win-back"),
    ("CUS-5", "06-customer", "new customers: key industries, cities, acquisition cost"),
    ("CUS-6", "06-customer", "growth bridge of six sources to the target"),
    ("BUD-1", "07-budget", "aligned with strategy: balanced scorecard, marketing grows with revenue"),
    ("BUD-2", "07-budget", "zero base: every project justifies itself again"),
    ("BUD-3", "07-budget", "rolling quarters, promotion capped"),
    ("BUD-4", "07-budget", "reserve of the total"),
    ("BUD-5", "07-budget", "priorities: stars, valuable customers, critical path"),
    ("BUD-6", "07-budget", "watch: returns, output, inventory, variance"),
    ("TEA-1", "08-team", "OKR cascade to people"),
    ("TEA-2", "08-team", "KPI card confirmed by both sides"),
    ("TEA-3", "08-team", "weight of strategy execution"),
    ("TEA-4", "08-team", "strategy map, shared resources, conflicts"),
    ("TEA-5", "08-team", "commitment letters"),
    ("MON-1", "09-monitoring", "milestones per phase, with proof"),
    ("MON-2", "09-monitoring", "thresholds from history and season"),
    ("MON-3", "09-monitoring", "many dimensions"),
    ("MON-4", "09-monitoring", "levels: watch, act, stop the loss"),
    ("MON-5", "09-monitoring", "who may move what"),
    ("MON-6", "09-monitoring", "library of responses"),
    ("PER-1", "10-performance", "attainment against target and peers"),
    ("PER-2", "10-performance", "incentives: tiers, accelerators, their cost"),
    ("PER-3", "10-performance", "recognition and milestones"),
    ("PER-4", "10-performance", "individual contribution"),
    ("OPT-1", "11-optimisation", "board with drill-down and anomalies"),
    ("OPT-2", "11-optimisation", "rolling forecast with intervals"),
    ("OPT-3", "11-optimisation", "deviation moves resources, every change priced"),
    ("OPT-4", "11-optimisation", "logic of each change published"),
    ("OPT-5", "11-optimisation", "A/B tests"),
    ("RSK-1", "12-risk", "risk register in money"),
    ("RSK-2", "12-risk", "signals with their rules"),
    ("RSK-3", "12-risk", "reserve sized from simulation"),
    ("RSK-4", "12-risk", "response team"),
    ("RSK-5", "12-risk", "backup partners"),
)
PACKAGE = Path(planlib.__file__).parent
_ID = re.compile(r"\b[A-Z]{3}-\d+\b")
_PARAMETER = re.compile(r"^(\w+)\s*:[^#]*#\s*(.*)$")


@dataclass(frozen=True)
class Item:
    """One item of the book and where it is done; functions, parameters and tests by their dotted or node names."""

    id: str
    chapter: str
    asks: str
    functions: tuple[str, ...]
    parameters: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def lacks(self) -> list[str]:
        """What keeps the item from being done: a function, a test."""
        return [what for what, found in (("function", self.functions), ("test", self.tests)) if not found]


def items(root: Path, only: str = "") -> list[Item]:
    """Every item of the book whose ID or chapter starts with `only`, as the project at `root` does it.

    Raises ParameterError when nothing starts with it.
    """
    chosen = [item for item in ITEMS if item[0].startswith(only.upper()) or item[1].startswith(only) or item[1][3:] == only]
    if not chosen:
        raise ParameterError(f"methods: found no item or chapter {only!r}, expected one such as REG-2, REG or 02-region.")
    functions = _gathered(_functions(root / "planlib"))
    parameters = _gathered(_parameters(root / "notebooks"))
    tests = _gathered(_tests(root / "tests"))
    return [
        Item(id, chapter, asks, *(tuple(found.get(id, ())) for found in (functions, parameters, tests)))
        for id, chapter, asks in chosen
    ]


def page(notebooks: Path, stems: Iterable[str], parameters: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The book for a report: of each item of the run's chapters its id, section, asks, functions, and parameters with values.

    `notebooks`: the folder of the executed ones; `parameters`: section -> name -> value, as the run used them.
    """
    functions, named = _gathered(_functions(PACKAGE)), _gathered(_parameters(notebooks))
    rows = []
    for id, chapter, asks in ITEMS:
        if chapter not in stems:
            continue
        # An item may have parameters in several chapters: the name says whose.
        places = [(name.partition(".")[0], name.partition(".")[2]) for name in named.get(id, [])]
        told = [
            f"{name} = {_value(parameters[section][name])}" for section, name in places if name in parameters.get(section, {})
        ]
        rows.append({"id": id, "section": chapter[3:], "asks": asks, "functions": functions.get(id, []), "parameters": told})
    return rows


def _value(value: Any) -> str:
    """A parameter's value in few letters; rules and locks are counted, the report lists them elsewhere."""
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return f"{len(value)} stated"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def text(found: list[Item], done: tuple[str, ...]) -> str:
    """The list for a person: one block per item; `done` are the chapters that exist."""
    blocks = []
    for item in found:
        lines = [f"{item.id}  {item.chapter}  {item.asks}"]
        for label, names in (("function", item.functions), ("parameter", item.parameters), ("test", item.tests)):
            lines += [f"    {label if place == 0 else '':<10} {name}" for place, name in enumerate(names)]
        if item.chapter not in done:
            lines.append("    this chapter is not part of the chain yet")
        elif item.lacks:
            lines.append(f"    MISSING: no {' and no '.join(item.lacks)}")
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def _functions(package: Path) -> Iterator[tuple[str, str]]:
    """(ID, dotted name) of each function or class whose docstring names an item."""
    for path in sorted(package.rglob("*.py")):
        if path.name == Path(__file__).name and path.parent.name == "run":
            continue
        module = ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                for id in _ids(ast.get_docstring(node) or ""):
                    yield id, f"{module}.{node.name}"


def _parameters(notebooks: Path) -> Iterator[tuple[str, str]]:
    """(ID, chapter.parameter) of each line of a parameters cell whose comment names an item."""
    for path in sorted(notebooks.glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        named = ["".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
        for found in filter(None, map(_PARAMETER.match, "\n".join(named).splitlines())):
            for id in _ids(found.group(2)):
                yield id, f"{path.stem[3:]}.{found.group(1)}"


def _tests(folder: Path) -> Iterator[tuple[str, str]]:
    """(ID, node name) of each test whose text names an item."""
    for path in sorted(path for path in folder.rglob("test_*.py") if path.name != "test_methods.py"):
        source = path.read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for id in _ids(ast.get_source_segment(source, node) or ""):
                    yield id, f"{path.relative_to(folder.parent).as_posix()}::{node.name}"


def _ids(text: str) -> list[str]:
    return list(dict.fromkeys(_ID.findall(text)))


def _gathered(found: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for id, name in found:
        result.setdefault(id, []).append(name)
    return result
