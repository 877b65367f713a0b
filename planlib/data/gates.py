"""The gate between two chapters, and the only door to Great Expectations.

A gate fails closed: it passes only when every declared expectation was evaluated, none raised, and all succeeded. Great
Expectations skips missing values, passes on empty frames and drops expectations it does not know; so each frame is also
expected to have rows and no gaps, and declared is compared with evaluated. All comparisons are between whole minor units.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from planlib import plan as tables
from planlib.errors import GateError, collected
from planlib.plan import AMOUNT

# frame, title, expectation, its arguments
Check = tuple[str, str, str, dict[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """What a gate found: success, declared and evaluated expectations, and one row per check."""

    chapter: str
    declared: int
    evaluated: int
    checks: tuple[dict[str, Any], ...]

    @property
    def success(self) -> bool:
        return self.declared == self.evaluated > 0 and all(check["success"] for check in self.checks)

    def record(self) -> dict[str, Any]:
        """The verdict as it is written beside the plan."""
        return {
            "chapter": self.chapter,
            "success": self.success,
            "declared": self.declared,
            "evaluated": self.evaluated,
            "checks": list(self.checks),
        }

    def raise_if_failed(self) -> None:
        """Raise GateError with every failed check and its evidence."""
        if self.success:
            return
        faults = [
            f"{check['name']}: found {check['found']}, expected {check['expected']}"
            for check in self.checks
            if not check["success"]
        ]
        if self.declared != self.evaluated or not self.declared:
            faults.append(
                f"{self.evaluated} of {self.declared} declared checks were evaluated; a check that did not run is not passed"
            )
        raise GateError(collected(f"Gate '{self.chapter}' failed; nothing after it runs. Mend what is named here:", faults))


def gate(
    chapter: str,
    plan: pd.DataFrame,
    parent: pd.DataFrame,
    company: int,
    rules: pd.DataFrame | None = None,
    booked: pd.DataFrame | None = None,
    closed: Sequence[str] = (),
    outside: pd.DataFrame | None = None,
) -> Verdict:
    """Check one plan level against the level above.

    Parameters
        plan, parent   text key columns and `amount` (int64 minor units); the parent's keys are among the plan's
        company        the total both must sum to, minor units
        rules          Split.rules; every hard one must be met
        booked         amounts of closed months at the plan's level: no cell may fall below
        closed         months that are closed: where the plan has months, their cells must equal what is booked
        outside        one row per cell of the plan: outside, what it holds outside its members' lives, minor units
    """
    keys = [str(name) for name in plan.columns if name != AMOUNT]
    above = [str(name) for name in parent.columns if name != AMOUNT]
    frames = {"plan": plan, "tie-out": _delta(parent, plan, above), "total": _total(company, plan)}
    checks: list[Check] = [("plan", "has rows", "ExpectTableRowCountToBeBetween", {"min_value": 1, "max_value": 10**9})]
    checks += [("plan", f"no gap in {name}", "ExpectColumnValuesToNotBeNull", {"column": name}) for name in [*keys, AMOUNT]]
    checks += [("plan", "whole minor units", "ExpectColumnValuesToBeOfType", {"column": AMOUNT, "type_": "int64"})]
    if len(keys) > 1:
        checks += [("plan", "one row per cell", "ExpectCompoundColumnsToBeUnique", {"column_list": keys})]
    elif keys:
        checks += [("plan", "one row per cell", "ExpectColumnValuesToBeUnique", {"column": keys[0]})]
    for name in ("tie-out", "total"):
        checks += [(name, f"{name}: has rows", "ExpectTableRowCountToBeBetween", {"min_value": 1, "max_value": 10**9})]
        checks += [(name, f"{name}: no gap", "ExpectColumnValuesToNotBeNull", {"column": "residual"})]
        checks += [(name, f"{name}: residual 0", "ExpectColumnValuesToBeInSet", {"column": "residual", "value_set": [0]})]
    # an amount of 0 in a cell that the level above does not have leaves no residual
    checks += [
        ("tie-out", "no cell outside the level above", "ExpectColumnValuesToBeInSet", {"column": "outside", "value_set": [0]})
    ]
    floor = _over_booked(plan, booked, keys)
    frames["booked"] = floor
    checks += [
        (
            "booked",
            "no cell below what is booked",
            "ExpectColumnValuesToBeBetween",
            {"column": "over", "min_value": 0, "max_value": tables.LARGEST},  # 'at least 0' alone lets infinity through
        )
    ]
    if "month" in keys and closed:
        frames["closed"] = floor[floor["month"].isin(closed)][["over"]]
        checks += [
            ("closed", "closed months: no gap", "ExpectColumnValuesToNotBeNull", {"column": "over"}),
            ("closed", "closed months are what is booked", "ExpectColumnValuesToBeInSet", {"column": "over", "value_set": [0]}),
        ]
    if outside is not None:
        frames["lives"] = outside[["outside"]]
        checks += [
            ("lives", "lives: has rows", "ExpectTableRowCountToBeBetween", {"min_value": len(plan), "max_value": len(plan)}),
            ("lives", "lives: no gap", "ExpectColumnValuesToNotBeNull", {"column": "outside"}),
            ("lives", "no cell outside its life", "ExpectColumnValuesToBeInSet", {"column": "outside", "value_set": [0]}),
        ]
    if rules is not None and len(rules):
        frames["rules"] = rules.assign(met=(rules["met"] | ~rules["hard"].astype(bool)).astype(int))
        checks += [("rules", "every hard rule holds", "ExpectColumnValuesToBeInSet", {"column": "met", "value_set": [1]})]
    return _evaluated(chapter, frames, checks)


def _evaluated(chapter: str, frames: dict[str, pd.DataFrame], checks: list[Check]) -> Verdict:
    import great_expectations as gx  # 4 CPU-seconds: paid where a gate is, and once where kernels are forked

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("stage")
    rows: list[dict[str, Any]] = []
    evaluated = 0
    for name, frame in frames.items():
        mine = [check for check in checks if check[0] == name]
        suite = gx.ExpectationSuite(
            name=name, expectations=[getattr(gx.expectations, kind)(**words) for _, _, kind, words in mine]
        )
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
        result = batch.validate(suite)
        evaluated += int(result.statistics["evaluated_expectations"])
        by_words = {_identity(one.expectation_config): one for one in result.results}
        for _, title, kind, words in mine:
            one = by_words.get((kind, str(words.get("column") or words.get("column_list"))))
            rows.append({"name": title, "frame": name, "kind": kind, **_outcome(one, words)})
    return Verdict(chapter, len(checks), evaluated, tuple(rows))


def _identity(config: Any) -> tuple[str, str]:
    kind = "".join(part.capitalize() for part in config.type.split("_"))
    return kind, str(config.kwargs.get("column") or config.kwargs.get("column_list"))


def _outcome(one: Any, words: dict[str, Any]) -> dict[str, Any]:
    """Success, what was found and what was expected, in words that stand in a message."""
    expected = ", ".join(f"{name} {value}" for name, value in words.items() if name not in ("column", "column_list")) or "all"
    if one is None:
        return {"success": False, "found": "no result", "expected": expected}
    raised = bool((one.exception_info or {}).get("raised_exception", False))
    found = one.result.get("observed_value", one.result.get("partial_unexpected_list") or "as expected")
    if raised:
        found = "an error while checking"
    return {"success": bool(one.success) and not raised, "found": str(found)[:300], "expected": expected[:300]}


def _delta(parent: pd.DataFrame, plan: pd.DataFrame, above: list[str]) -> pd.DataFrame:
    """Every parent cell beside the sum of its children: residual in minor units, and 1 for children outside of every parent."""
    if not above:
        return pd.DataFrame({"residual": [int(parent[AMOUNT].sum()) - int(plan[AMOUNT].sum())], "outside": [0]})
    up = parent.groupby(above, sort=True)[AMOUNT].sum().rename("parent").astype("Int64")
    down = plan.groupby(above, sort=True)[AMOUNT].sum().rename("children").astype("Int64")
    both = pd.concat([up, down], axis=1)
    outside = both["parent"].isna().astype("int64")
    both = both.fillna(0).astype("int64").assign(outside=outside)
    both["residual"] = both["parent"] - both["children"]
    return both.reset_index()


def _total(company: int, plan: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"residual": [company - int(plan[AMOUNT].sum())]})


def _over_booked(plan: pd.DataFrame, booked: pd.DataFrame | None, keys: list[str]) -> pd.DataFrame:
    """By how much each cell exceeds what is booked there; cells without bookings must not be negative."""
    if booked is None or not keys or not len(booked):
        return plan.rename(columns={AMOUNT: "over"})
    floor = tables.rollup(booked, keys).rename(columns={AMOUNT: "floor"}).astype({"floor": "Int64"})
    # A doubled or missing key has a check of its own; here it must not stop the others from being evaluated.
    cells = plan.groupby(keys, dropna=False, sort=True)[AMOUNT].sum().reset_index().astype({AMOUNT: "Int64"})
    both = cells.merge(floor, how="outer", on=keys, validate="one_to_one")
    both[[AMOUNT, "floor"]] = both[[AMOUNT, "floor"]].fillna(0).astype("int64")
    return both.assign(over=both[AMOUNT] - both["floor"])
