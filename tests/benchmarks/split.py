"""Time and memory of `split` against the same model stated cell by cell: straight to highspy, and through linopy.

    python -m tests.benchmarks split              every competitor at both sizes, each in a process of its own
    python -m tests.benchmarks split 100k         one size
    python -m tests.benchmarks.split one highspy 100k     one competitor in this process, its figures as JSON

The model: each parent keeps its total, each rule is one row, and a cell leaves its proportional share at a convex, piecewise
linear cost: bounded variables for the slopes, no row per cell. The clock starts with the plan and the weights in memory and
stops with the answer in memory; imports and the making of the instance are outside it. The peers need not round to the minor
unit, check a tie-out or report on the rules, which `split` does within its time: this favours the peers.
"""

import functools
import importlib
import itertools
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import highspy
import numpy as np
import pandas as pd
import psutil

from planlib import plan as tables
from planlib.lp import Rule, split

ROOT = Path(__file__).parent.parent.parent
KEYS = ["region", "product", "channel"]
MEMBERS = 10
SIZES = {
    "100k": (31, 40, 8),
    "100k-guarded": (31, 40, 8),
    "1M": (31, 100, 32),
}  # regions, products, channels; times 10 segments
FIELD = {
    "100k": ("split", "highspy", "highspy-ipm", "linopy", "linopy-ipm"),
    "100k-guarded": ("split", "highspy", "highspy-ipm"),
    "1M": ("split", "highspy-ipm"),  # the default simplex was not done after nine minutes
}
# Guarded: no cell may move by more than this share of its proportional amount, so that cells cannot be merged at will.
GUARD = {"100k-guarded": 0.21}
PATIENCE = 1800  # seconds after which a competitor is reported as not finished
OPTIONS = {"output_flag": False, "threads": 1, "random_seed": 0}

# The peers' cost of a relative deviation d: d^2, each segment at its middle; upwards the last slope has no end.
BREAKS = (0.0, 0.05, 0.15, 0.4, 1.0)
SLOPES = tuple(low + high for low, high in itertools.pairwise(BREAKS))
BEYOND = 3.0
UP, DOWN = np.array([*SLOPES, BEYOND]), np.array(SLOPES)


@dataclass(frozen=True)
class Row:
    """low <= coefficients @ amounts[cells] <= high."""

    cells: np.ndarray
    coefficients: np.ndarray
    low: float
    high: float


@dataclass(frozen=True)
class Model:
    """What a peer states: the proportional reference, each cell's parent, the rules, and a power of two to divide money by."""

    cells: pd.DataFrame
    reference: np.ndarray
    parent: np.ndarray
    rows: list[Row]
    scale: float
    guard: float | None

    @property
    def widths(self) -> tuple[np.ndarray, np.ndarray]:
        """How wide each slope is, upwards and downwards, as a share of the cell's reference; a guardrail cuts them off."""
        ends = np.array([*BREAKS[1:], np.inf])
        most = np.inf if self.guard is None else self.guard
        up = np.minimum(ends, most) - np.minimum(BREAKS, most)
        return np.where(np.isnan(up), np.inf, up), up[: len(DOWN)]


@dataclass(frozen=True)
class Answer:
    """Amounts in the order of `cells`, and what the solver was given."""

    cells: pd.DataFrame
    amounts: np.ndarray
    columns: int
    rows: int
    objective: float | None = None


def members(letter: str, count: int) -> list[str]:
    return [f"{letter}{number:03d}" for number in range(count)]


def instance(size: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A plan by region, product and channel and the weights of ten segments in each of its cells, the same on every machine."""
    regions, products, channels = SIZES[size]
    draw = np.random.default_rng(2026)
    grid = [members("R", regions), members("P", products), members("C", channels)]
    plan = pd.MultiIndex.from_product(grid, names=KEYS).to_frame(index=False)
    shape = (regions, products, channels, MEMBERS)
    plan["amount"] = np.rint(draw.lognormal(13.0, 1.2, len(plan))).astype(np.int64)  # median 4,424 in major units

    weights = pd.MultiIndex.from_product([*grid, members("S", MEMBERS)], names=[*KEYS, "segment"]).to_frame(index=False)
    weight = np.linspace(2.0, 0.4, MEMBERS) * np.ones(shape)
    weight *= draw.lognormal(0.0, 0.3, (regions, 1, 1, MEMBERS)) * draw.lognormal(0.0, 0.2, (1, products, 1, MEMBERS))
    weight *= draw.lognormal(0.0, 0.1, shape)
    weights["weight"] = np.rint(weight.ravel() * 1e6).astype(np.int64)
    return plan, weights


def rules_of(plan: pd.DataFrame, weights: pd.DataFrame) -> list[Rule]:
    """Twenty rules on shares of the level, on amounts and on shares within a part; the proportional split breaks ten."""
    cells = proportional(plan, weights)

    def part(**where: str | list[str]) -> float:
        chosen = np.ones(len(cells), dtype=bool)
        for name, wanted in where.items():
            chosen &= cells[name].isin([wanted] if isinstance(wanted, str) else wanted).to_numpy()
        return float(cells["reference"].to_numpy()[chosen].sum())

    def share(name: str, where: dict, of: dict, low: float | None = None, high: float | None = None) -> Rule:
        now = part(**where) / part(**of)
        limits = {"min": low and round(low * now, 6), "max": high and round(high * now, 6)}
        return Rule.model_validate({"name": name, "where": where, "of": of, **limits})

    def amount(name: str, where: dict, low: float | None = None, high: float | None = None) -> Rule:
        now = part(**where)
        limits = {"min": low and float(round(low * now)), "max": high and float(round(high * now))}
        return Rule.model_validate({"name": name, "where": where, "unit": "amount", **limits})

    return [
        share("cap on S000", {"segment": "S000"}, {}, high=0.9),
        share("floor of S003", {"segment": "S003"}, {}, low=1.1),
        share("band of S001", {"segment": "S001"}, {}, low=0.95, high=1.05),
        share("floor of the small", {"segment": ["S008", "S009"]}, {}, low=0.9),
        share("R000 caps S001", {"region": "R000", "segment": "S001"}, {"region": "R000"}, high=0.85),
        share("R001 lifts S004", {"region": "R001", "segment": "S004"}, {"region": "R001"}, low=1.2),
        share("R002 lifts S005", {"region": "R002", "segment": "S005"}, {"region": "R002"}, low=1.1),
        share("R003 keeps S005", {"region": "R003", "segment": "S005"}, {"region": "R003"}, low=0.95),
        share("R004 limits S006", {"region": "R004", "segment": "S006"}, {"region": "R004"}, high=1.2),
        share("R005 and R006 keep S002", {"region": ["R005", "R006"], "segment": "S002"}, {}, low=0.9, high=1.1),
        amount("P000 to S007", {"product": "P000", "segment": "S007"}, low=1.1),
        amount("P001 to S002", {"product": "P001", "segment": "S002"}, high=0.9),
        amount("P002 to S003", {"product": "P002", "segment": "S003"}, low=1.0, high=1.25),
        amount("P003 to S009", {"product": "P003", "segment": "S009"}, low=0.8),
        amount("P004 to S000", {"product": "P004", "segment": "S000"}, high=1.05),
        amount("P005 in C001 to S006", {"product": "P005", "channel": "C001", "segment": "S006"}, low=1.15),
        share("C000 within S002", {"channel": "C000", "segment": "S002"}, {"segment": "S002"}, high=0.95),
        share("C002 within S004", {"channel": "C002", "segment": "S004"}, {"segment": "S004"}, low=1.05),
        share("C003 within S000", {"channel": "C003", "segment": "S000"}, {"segment": "S000"}, low=0.9),
        share("R007 within S003", {"region": "R007", "segment": "S003"}, {"segment": "S003"}, high=1.1),
    ]


def proportional(plan: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """Every cell with its parent's position and its share of the parent's amount, not rounded."""
    cells = plan.assign(parent=np.arange(len(plan))).merge(weights, on=KEYS)
    parent, weight = cells["parent"].to_numpy(), cells["weight"].to_numpy(dtype=float)
    cells["reference"] = cells["amount"].to_numpy() * (weight / np.bincount(parent, weight)[parent])
    return cells


def model_of(plan: pd.DataFrame, weights: pd.DataFrame, rules: list[Rule], guard: float | None = None) -> Model:
    """The frames as arrays. A share of a part that can itself change is a row against 0, one per limit."""
    cells = proportional(plan, weights)
    reference = cells["reference"].to_numpy()
    rows = []
    for rule in rules:
        chosen, of = _mask(cells, rule.where), _mask(cells, rule.of)
        moving = rule.unit == "share" and "segment" in rule.of
        base = 1.0 if rule.unit == "amount" else reference[of].sum()
        low, high = (-np.inf if rule.min is None else rule.min), (np.inf if rule.max is None else rule.max)
        if not moving:
            rows.append(Row(np.flatnonzero(chosen), np.ones(chosen.sum()), low * base, high * base))
            continue
        index = np.flatnonzero(of)
        for bound, below, above in ((rule.min, 0.0, np.inf), (rule.max, -np.inf, 0.0)):
            if bound is not None:
                rows.append(Row(index, chosen[index] - bound, below, above))
    scale = 2.0 ** max(0, np.ceil(np.log2(reference.max())) - 20)
    return Model(cells, reference, cells["parent"].to_numpy(), rows, scale, guard)


def _mask(cells: pd.DataFrame, where: dict) -> np.ndarray:
    chosen = np.ones(len(cells), dtype=bool)
    for name, wanted in where.items():
        chosen &= (cells[name] == wanted if isinstance(wanted, str) else cells[name].isin(wanted)).to_numpy()
    return chosen


def by_split(plan: pd.DataFrame, weights: pd.DataFrame, rules: list[Rule], guard: float | None = None) -> Answer:
    history = None
    if guard is not None:
        history = tables.proportional(plan, weights, "segment")
        rules = [*rules, Rule(name="guardrail", each="cell", unit="growth", min=-guard, max=guard)]
    found = split(plan, "segment", weights, rules, history=history)
    columns, rows = (int(str(found.certificate.get(name, 0))) for name in ("columns", "rows"))
    return Answer(found.plan, found.plan["amount"].to_numpy(), columns, rows)


def by_highspy(
    plan: pd.DataFrame, weights: pd.DataFrame, rules: list[Rule], guard: float | None = None, solver: str = "choose"
) -> Answer:
    """Arrays by column: all cells' first slope upwards, then the second; downwards the same cells with the sign turned."""
    model = model_of(plan, weights, rules, guard)
    reference, count, parents = model.reference / model.scale, len(model.reference), len(plan)
    cell = np.concatenate([np.arange(count), *(row.cells for row in model.rows)])
    line = np.concatenate([model.parent, *(np.full(len(row.cells), parents + i) for i, row in enumerate(model.rows))])
    value = np.concatenate([np.ones(count), *(row.coefficients for row in model.rows)])
    order = np.argsort(cell, kind="stable")
    slopes = len(UP) + len(DOWN)
    sizes = np.bincount(cell, minlength=count)

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = slopes * count, parents + len(model.rows)
    lp.col_cost_ = np.repeat([*UP, *DOWN], count)
    lp.col_lower_ = np.zeros(slopes * count)
    up, down = model.widths
    lp.col_upper_ = np.concatenate([np.multiply.outer(up, reference).ravel(), np.multiply.outer(down, reference).ravel()])
    now = [float(row.coefficients @ reference[row.cells]) for row in model.rows]
    for side in ("low", "high"):
        bound = [getattr(row, side) / model.scale - value for row, value in zip(model.rows, now, strict=True)]
        setattr(lp, "row_lower_" if side == "low" else "row_upper_", np.concatenate([np.zeros(parents), bound]))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(np.tile(sizes, slopes))]).astype(np.int32)
    lp.a_matrix_.index_ = np.tile(line[order].astype(np.int32), slopes)
    lp.a_matrix_.value_ = np.concatenate([np.tile(value[order], len(UP)), np.tile(-value[order], len(DOWN))])

    engine = highspy.Highs()
    for option, setting in {**OPTIONS, "solver": solver}.items():
        engine.setOptionValue(option, setting)
    engine.passModel(lp)
    engine.run()
    if engine.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"highspy: {engine.modelStatusToString(engine.getModelStatus())}, expected Optimal")
    moved = np.array(engine.getSolution().col_value).reshape(slopes, count)
    deviation = moved[: len(UP)].sum(axis=0) - moved[len(UP) :].sum(axis=0)
    objective = engine.getInfo().objective_function_value * model.scale
    return Answer(model.cells, model.reference + deviation * model.scale, lp.num_col_, lp.num_row_, objective)


def by_linopy(
    plan: pd.DataFrame, weights: pd.DataFrame, rules: list[Rule], guard: float | None = None, solver: str = "choose"
) -> Answer:
    """Two arrays of variables, cell by slope; parents by a grouped sum; handed to highspy without a file."""
    import linopy
    import xarray

    model = model_of(plan, weights, rules, guard)
    reference = model.reference / model.scale
    cell = pd.RangeIndex(len(reference), name="cell")
    steps_up, steps_down = pd.RangeIndex(len(UP), name="step_up"), pd.RangeIndex(len(DOWN), name="step_down")
    widths = [np.multiply.outer(reference, share) for share in model.widths]

    problem = linopy.Model()
    up = problem.add_variables(lower=0.0, upper=widths[0], coords=[cell, steps_up], name="up")
    down = problem.add_variables(lower=0.0, upper=widths[1], coords=[cell, steps_down], name="down")
    move = up.sum("step_up") - down.sum("step_down")
    parent = xarray.DataArray(model.parent, coords=[cell], name="parent")
    problem.add_constraints(move.groupby(parent).sum() == 0, name="parents")
    for number, row in enumerate(model.rows):
        now = float(row.coefficients @ reference[row.cells])
        coefficients = xarray.DataArray(row.coefficients, coords=[cell[row.cells]])
        body = (move.isel(cell=row.cells) * coefficients).sum()
        if np.isfinite(row.low):
            problem.add_constraints(body >= row.low / model.scale - now, name=f"floor_{number}")
        if np.isfinite(row.high):
            problem.add_constraints(body <= row.high / model.scale - now, name=f"cap_{number}")
    costs_up, costs_down = xarray.DataArray(UP, coords=[steps_up]), xarray.DataArray(DOWN, coords=[steps_down])
    problem.add_objective((up * costs_up).sum() + (down * costs_down).sum())
    status, condition = problem.solve("highs", io_api="direct", solver=solver, **OPTIONS)
    if condition != "optimal":
        raise RuntimeError(f"linopy: {status}, {condition}, expected optimal")
    deviation = up.solution.sum("step_up").to_numpy() - down.solution.sum("step_down").to_numpy()
    amounts = model.reference + deviation * model.scale
    return Answer(model.cells, amounts, problem.nvars, problem.ncons, problem.objective.value * model.scale)


COMPETITORS = {
    "split": by_split,
    "highspy": by_highspy,
    "highspy-ipm": functools.partial(by_highspy, solver="ipm"),  # what a user finds who tries the interior point method
    "linopy": by_linopy,
    "linopy-ipm": functools.partial(by_linopy, solver="ipm"),
}


def one(competitor: str, size: str) -> dict[str, float | int | str]:
    """Run one competitor in this process; peak memory is the process's, so it must be a fresh one."""
    plan, weights = instance(size)
    rules = rules_of(plan, weights)
    if competitor.startswith("linopy"):
        importlib.import_module("linopy")
    before = psutil.Process().memory_info().rss
    began, worked = time.perf_counter(), time.process_time()
    answer = COMPETITORS[competitor](plan, weights, rules, guard=GUARD.get(size))
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    model = model_of(plan, weights, rules)
    keys = [*KEYS, "segment"]
    order = [np.lexsort([frame[key].to_numpy(dtype=object) for key in reversed(keys)]) for frame in (answer.cells, model.cells)]
    amounts = np.zeros(len(model.reference))
    amounts[order[1]] = answer.amounts[order[0]]
    return {
        "competitor": competitor,
        "cells": len(amounts),
        "seconds": seconds,
        "processor": worked,
        "before": before,
        "peak": peak,
        "columns": answer.columns,
        "rows": answer.rows,
        "cost": _cost(model, amounts) if answer.objective is None else answer.objective,
        "uneven": float(((amounts - model.reference) ** 2 / model.reference).sum() / model.reference.sum()),
        "farthest": float((np.abs(amounts - model.reference) / model.reference)[model.reference > 1000].max()),
        "miss": _miss(model, plan, amounts),
        "broken": sum(1 for row in model.rows if _gap(row, model.reference) > 1.0),
    }


def _cost(model: Model, amounts: np.ndarray) -> float:
    """The peers' objective at any answer."""
    deviation = amounts - model.reference
    total = 0.0
    for size, slopes in ((deviation, UP), (-deviation, DOWN)):
        for start, end, slope in zip(BREAKS, (*BREAKS[1:], np.inf), slopes, strict=False):
            total += slope * np.clip(size - start * model.reference, 0, (end - start) * model.reference).sum()
    return float(total)


def _gap(row: Row, amounts: np.ndarray) -> float:
    value = float(row.coefficients @ amounts[row.cells])
    return max(row.low - value, value - row.high, 0.0)


def _miss(model: Model, plan: pd.DataFrame, amounts: np.ndarray) -> float:
    """The largest gap of a parent or rule, in minor units."""
    totals = np.bincount(model.parent, amounts)
    return max(float(np.abs(totals - plan["amount"]).max()), max(_gap(row, amounts) for row in model.rows))


def measured(competitor: str, size: str) -> dict:
    """`one` in a fresh process; where it fails or takes too long, why."""
    command = [sys.executable, "-m", "tests.benchmarks.split", "one", competitor, size]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return {"competitor": competitor, "failed": f"not finished after {PATIENCE} s"}
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"]
        return {"competitor": competitor, "failed": words[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def report(size: str, field: Sequence[str]) -> None:
    """One table: time, memory and quality of every competitor at one size."""
    results = [measured(competitor, size) for competitor in field]
    done = {result["competitor"]: result for result in results if "failed" not in result}
    fastest = min((result["seconds"] for name, result in done.items() if name.startswith("highspy")), default=None)
    titles = ["competitor", "cells", "columns", "rows", "seconds", "ratio", "cpu s", "peak GB", "added GB"]
    titles += ["cost", "unevenness", "farthest", "largest miss"]
    lines = []
    for result in results:
        if "failed" in result:
            print(f"{result['competitor']} at {size} failed: {result['failed']}")
            continue
        figures = [f"{result['cells']:,}", f"{result['columns']:,}", f"{result['rows']:,}", f"{result['seconds']:.1f}"]
        figures += [f"{result['seconds'] / fastest:.2f}" if fastest else "-", f"{result['processor']:.1f}"]
        figures += [f"{result['peak'] / 1e9:.2f}", f"{(result['peak'] - result['before']) / 1e9:.2f}"]
        figures += [f"{result['cost'] / 100:,.2f}", f"{result['uneven']:.6f}", f"{result['farthest']:.0%}"]
        lines.append([result["competitor"], *figures, f"{result['miss']:.2g}"])
    sizes = [max(len(line[i]) for line in [titles, *lines]) for i in range(len(titles))]
    broken = {result["broken"] for result in done.values()}
    print(f"split into 10 segments, {size} cells, 20 rules, {'/'.join(map(str, sorted(broken)))} broken by proportion alone")
    for line in [titles, *lines]:
        cells = zip(line, sizes, strict=True)
        print("  ".join(f"{text:<{width}}" if i == 0 else f"{text:>{width}}" for i, (text, width) in enumerate(cells)))
    costs = [result["cost"] for name, result in done.items() if name != "split"]
    if len(costs) > 1:
        apart = (max(costs) - min(costs)) / min(costs)
        print(f"the peers' costs are {apart:.0e} apart, relative" + ("" if apart <= 1e-6 else ": MORE than 1e-6"))
    if "split" in done and costs and done["split"]["cost"] < min(costs) * (1 - 1e-6):
        print("split's answer costs LESS than the peers' optimum: they do not solve the same model")


def main(words: list[str]) -> None:
    if words[:1] == ["one"]:
        print(json.dumps(one(words[1], words[2])))
        return
    quick = words[:1] == ["quick"]
    for size in ["100k", "100k-guarded"] if quick else words or SIZES:
        report(size, ("split", "highspy-ipm") if quick else FIELD[size])
    print(
        "ratio: seconds over the faster highspy's. cpu s leaves out other processes. added GB: peak less what was held before."
    )
    print("cost: the peers' objective, in money. unevenness: sum(d^2/reference) over the total, lower is more even.")
    print("farthest: the largest relative move of a cell. largest miss: of a parent or rule, minor units (peers do not round).")


if __name__ == "__main__":
    main(sys.argv[1:])
