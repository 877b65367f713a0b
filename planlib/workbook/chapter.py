"""One chapter of a run: what it starts from, what it shows, what it leaves."""

import functools
import html
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from IPython.display import display

from planlib import charts, reasons, smart
from planlib import plan as tables
from planlib.chapters.base import ChapterParameters
from planlib.columns import shown_as
from planlib.data import baselines
from planlib.data.gates import gate
from planlib.data.sources import Tables
from planlib.errors import GateError, PlanError
from planlib.estimates.chance import Terms
from planlib.estimates.windows import Coverage
from planlib.formatting import Reader, missing
from planlib.lp import Lock, Rule, Spend, Split, Stage
from planlib.lp.rules import in_force, in_minor_units
from planlib.plan import AMOUNT, Horizon
from planlib.workbook.measures import measured

ITEM = "application/vnd.planlib.v1+json"
TERMS = "How chances are told"  # table of chapter 01 that every later SMART check reads
WIDTH = 720  # pixels of a chart in a notebook


class Chapter:
    """One chapter of a run; made by `open`."""

    def __init__(self, stem: str, run: Path, settings: Mapping[str, Any], parameters: ChapterParameters, root: Path) -> None:
        self.stem = stem
        self.run = run
        self.root = root
        self.parameters = parameters
        self.settings = settings["settings"]
        self.currency: str = self.settings["currency"]
        self.reader = Reader(self.settings["language"], self.currency)
        self.exponent = self.reader.exponent
        as_of = date.fromisoformat(self.settings["as_of"])
        self.horizon = Horizon(self.settings["year"], self.settings["fiscal_start"], as_of)
        self.tables = Tables({name: root / given["parquet"] for name, given in settings["inputs"].items()})
        rules, locks = getattr(parameters, "rules", []), getattr(parameters, "locks", [])
        self.rules: list[Rule] = in_minor_units(in_force(rules, as_of), self.exponent)
        self.locks: list[Lock] = in_minor_units(in_force(locks, as_of), self.exponent)
        stated: list[Any] = [*rules, *locks]
        self.expired = [f'"{old.name}" ({old.expires})' for old in stated if old.expires is not None and old.expires < as_of]
        baseline = settings.get("baseline")
        self.baseline = root / baseline["path"] if baseline else None
        self._passed: str | None = None
        self._kept: dict[str, str] = {}

    # What it starts from

    def plan(self, stem: str) -> pd.DataFrame:
        """The plan table another chapter of this run saved."""
        return self._read(self.run, stem)

    def shown(self, stem: str, title: str) -> pd.DataFrame:
        """A table that an earlier chapter of this run showed or kept, by its title."""
        path = self.run / "tables" / stem / f"{_file_name(title)}.parquet"
        if not path.exists():
            raise PlanError(
                f"{self.stem}: no table {title!r} of chapter {stem} in run '{self.run.name}'; run that chapter first."
            )
        return pd.read_parquet(path)

    def handed_on(self, stem: str, title: str, in_force: bool = False) -> pd.DataFrame | None:
        """The same, or None where that chapter did not show it; `in_force`: of the baseline run, None in the first plan."""
        folder = self.baseline if in_force else self.run
        path = None if folder is None else folder / "tables" / stem / f"{_file_name(title)}.parquet"
        return None if path is None or not path.exists() else pd.read_parquet(path)

    def stage(self, stem: str) -> Stage:
        """What an earlier chapter of this run split by: its dimension, weights, rules and locks."""
        stated = self.shown(stem, "stated")
        texts = {kind: stated.loc[stated["kind"] == kind, "limit"] for kind in ("Rule", "Lock")}
        rules = tuple(Rule.model_validate_json(text) for text in texts["Rule"])
        locks = tuple(Lock.model_validate_json(text) for text in texts["Lock"])
        return Stage(tables.level(self.plan(stem))[-1], self.shown(stem, "weights"), rules, locks, self._measured(rules))

    @functools.cached_property
    def measures(self) -> pd.DataFrame | None:
        """What this chapter's rules on ratios measure, as `split` takes it; None without such a rule. See `measured`."""
        return self._measured(self.rules)

    def in_force(self, stem: str | None = None) -> pd.DataFrame | None:
        """The same chapter's plan table in the baseline run, or None in the year's first plan."""
        return None if self.baseline is None else self._read(self.baseline, stem or self.stem)

    def stood_before(self, stem: str, title: str | None = None) -> pd.DataFrame | None:
        """A plan by month, each month as it stood before it closed, along the chain of baselines; None in the first plan.

        With a `title` a table of months and amounts that the chapter kept, instead of its plan.

        A closed month comes from the newest plan in which it was open, an open one from the plan in force. A month that no plan
        had open is absent: there is nothing to hold it against. So are the months before a report of the chain that is gone,
        which the chapter then says. Raises PlanError when the plan in force itself cannot be read.
        """
        if self.baseline is None:
            return None
        plans, lost = baselines.chain(self.baseline, self.root)
        frames, later = [], self.horizon.months
        for each in plans:
            closed = f"{each.as_of:%Y-%m}"
            plan = self._read(each.folder, stem, title)
            frames.append(plan[plan["month"].isin(later) & (plan["month"] > closed)])
            later = [month for month in later if month <= closed]
        if lost and later:
            self.left_out(f"{lost}: the months up to {later[-1]} are held against no plan. Restore its folder to compare them.")
        return tables.canonical(pd.concat(frames, ignore_index=True))

    def rules_in_force(self) -> pd.DataFrame | None:
        """Every rule of the plan in force with its price: `Split.rules` of all its chapters, and chapter; None without one."""
        if self.baseline is None:
            return None
        found = sorted((self.baseline / "tables").glob("*/rules.parquet"))
        frames = [pd.read_parquet(path).assign(chapter=path.parent.name) for path in found]
        frames = [frame for frame in frames if len(frame)]
        return pd.concat(frames, ignore_index=True) if frames else None

    def orders(self, *by: str, months: Sequence[str] | None = None, groups: pd.DataFrame | None = None) -> pd.DataFrame:
        """Net revenue by dimensions up to `as_of`, or in some consecutive months; see Tables.orders."""
        until = f"{self.horizon.as_of:%Y-%m}"
        if months is None:
            return self.tables.orders(list(by), until=until, groups=groups)
        if not len(months):
            return self.tables.orders(list(by), since="9999-12", until="9999-12", groups=groups)
        return self.tables.orders(list(by), since=min(months), until=min(max(months), until), groups=groups)

    def last_year(self, *by: str, groups: pd.DataFrame | None = None) -> pd.DataFrame:
        """Net revenue of the twelve months before the plan year, by dimensions."""
        return self.orders(*by, months=self.horizon.last_year, groups=groups)[[*by, AMOUNT]]

    def last_twelve(self, *by: str) -> pd.DataFrame:
        """Net revenue of the twelve months that end with `as_of`, by dimensions."""
        return self.orders(*by, months=self.horizon.last_twelve)[[*by, AMOUNT]]

    def booked(self, *by: str, groups: pd.DataFrame | None = None) -> pd.DataFrame | None:
        """Net revenue of the plan year's closed months, by dimensions; None before the first one closes."""
        if not self.horizon.closed:
            return None
        return self.orders(*by, months=self.horizon.closed, groups=groups)[[*by, AMOUNT]]

    @functools.cached_property
    def coverage(self) -> Coverage:
        """The months that the orders cover, up to `as_of`: ask it for every window of months."""
        return Coverage.of(self.orders("month")["month"], f"{self.horizon.as_of:%Y-%m}")

    def customers(self, month: str) -> pd.DataFrame:
        """Each customer's first and last order, number of orders and net amount before `month`; see Tables.customers."""
        day = pd.Period(month, freq="M").start_time - pd.Timedelta(days=1)
        return self.tables.customers(until=f"{day:%Y-%m-%d}")

    # What it shows

    def head(self, title: str, question: str) -> None:
        """The chapter's heading and its question."""
        self._emit({"kind": "chapter", "stem": self.stem, "title": title, "question": question}, f"{title}. {question}")

    def kpi(
        self,
        label: str,
        value: float | None,
        form: str = "money",
        compare: tuple[str, float | None] | None = None,
        good: bool | None = None,
    ) -> None:
        """One key figure, with what it is compared with; `good` says how the comparison reads."""
        beside = None if compare is None else {"label": compare[0], "value": _plain(compare[1]), "format": form}
        item = {"kind": "kpi", "label": label, "value": _plain(value), "format": form, "compare": beside, "good": good}
        self._emit(
            item, f"{label}: {self.show(value, form)}" + (f" ({compare[0]} {self.show(compare[1], form)})" if compare else "")
        )

    def table(self, frame: pd.DataFrame, title: str, role: str | None = None, formats: Mapping[str, str] | None = None) -> None:
        """A table with its title; money columns in minor units. `formats` overrides COLUMNS."""
        columns = [shown_as(str(name), frame[name], formats or {}) for name in frame.columns]
        rows = [[_plain(value) for value in row] for row in frame.itertuples(index=False, name=None)]
        if role != "rules":  # the split's own rules table is kept with its numbers
            self.keep(frame, title)
        shown = pd.DataFrame({c["label"]: [self.show(row[i], c["format"]) for row in rows] for i, c in enumerate(columns)})
        self._emit(
            {"kind": "table", "title": title, "columns": columns, "rows": rows, "role": role},
            title,
            shown.to_html(index=False, escape=True, border=0),
        )

    def figure(self, chart: Any, title: str, alt: str = "", role: str | None = None) -> None:
        """A chart whose title is its message."""
        item = {"kind": "figure", "title": title, "alt": alt or title, "role": role}
        # JupyterLab hangs on a chart that takes the width of its own output; the report gives the page's width back.
        display({ITEM: item, charts.MIME: {**charts.spec(chart), "width": WIDTH}, "text/plain": title}, raw=True)

    def why(self, result: Split) -> None:
        """Which rules and locks bind and what each costs, the plan's proof, and how it compares with simple splits."""
        if self.expired:
            self.note(f"Expired and no longer applied: {self.listed(self.expired)}.")
        if result.rules.empty:
            self.note(reasons.unlimited(result))
            return
        for text in reasons.sentences(result, self.show):
            self.note(text)
        count, binding = len(result.rules), int(result.rules["binds"].sum())
        title = f"Rules and their prices: {binding} of {count} {'binds' if binding == 1 else 'bind'}"
        self.table(reasons.rules(result.rules, self.show), title, role="rules")
        if result.certificate["method"] != "proportional":
            self.table(reasons.beside(result, self.show), "This plan beside simple splits", role="drivers")
        self.note(reasons.proof(result, self.show))

    def why_spent(self, result: Spend) -> None:
        """What each limit of a budget holds back, and how well the spend is proven."""
        if result.prices.empty:
            return
        binding = int(result.prices["binds"].sum())
        self.table(
            reasons.limits(result.prices, self.show),
            f"Limits and their prices: {binding} of {len(result.prices)} bind",
            role="rules",
        )
        self.note(reasons.proof_of_spend(result.certificate, self.show))

    def targets(
        self,
        of: Split | pd.DataFrame,
        last_year: pd.DataFrame | None = None,
        history: pd.DataFrame | None = None,
        owners: Mapping[str, str] | None = None,
        at_most: bool = False,
    ) -> pd.DataFrame:
        """The SMART check of the targets this chapter sets (MET-1): says how many pass and what the others lack.

        Parameters
            of         a split: one target per member of its new dimension; or members and amount, such as activities; or a
                       table of targets, see `smart.check`
            last_year  the dimension and amount, where orders alone do not have it (customer groups); history, with month, where
                       it is known: without, chances come from the company's months
            owners     who answers, by member; without, the owner of a rule on the member, then a region's manager, then whoever
                       answers for the company's target
            at_most    the amounts are money to spend, not to earn
        Returns the checked table, kept as "SMART check".
        """
        terms = self._terms()
        if isinstance(of, Split) or "metric" not in of:
            planned = of.by(of.into) if isinstance(of, Split) else of
            into = str(next(name for name in planned.columns if name != AMOUNT))
            if last_year is None:
                last_year, history = self.last_year(into), self.orders(*sorted({into, "month"}))
            history = self.orders("month") if history is None else history
            served = "Marketing cost, at most" if at_most else "Revenue"
            who = owners or self._owners(into, served)
            of = smart.of_members(planned, last_year, history, self.horizon, who, served, terms, at_most)
        first, last = (pd.Period(self.horizon.months[place], freq="M") for place in (0, -1))
        checked = smart.check(of, first.start_time.date(), last.end_time.date(), terms.achievable_from)
        self.keep(checked, "SMART check")
        self.note(smart.summary(checked, self.listed))
        return checked

    def say(self, text: str) -> None:
        """The chapter in one sentence, rendered from values."""
        self._emit({"kind": "say", "text": text}, text)

    def note(self, text: str) -> None:
        """A remark beside the tables."""
        self._emit({"kind": "note", "text": text}, text)

    def left_out(self, text: str) -> None:
        """What this chapter could not do for want of data; the report lists it."""
        self._emit({"kind": "left_out", "text": text}, f"Left out: {text}")

    def show(self, value: Any, form: str = "money") -> str:
        """A value as a sentence writes it."""
        text = self.reader.show(value, form)
        return f"{text} {self.currency}" if form == "money" and not missing(value) else text

    @staticmethod
    def listed(names: Sequence[str]) -> str:
        """Names as a sentence writes them: a, b and c."""
        return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))

    # What it leaves

    def gate(self, result: Split | pd.DataFrame, parent: pd.DataFrame, booked: pd.DataFrame | None = None) -> None:
        """Check the plan against the level above; writes the verdict, and raises GateError with the evidence if it fails."""
        plan = result.plan if isinstance(result, Split) else result
        rules = result.rules if isinstance(result, Split) else None
        verdict = gate(self.stem, plan, parent, int(parent[AMOUNT].sum()), rules, booked, self.horizon.closed)
        _write(self.run / "gates" / f"{self.stem}.json", json.dumps(verdict.record(), indent=1, sort_keys=True).encode())
        item = {"kind": "gate", "success": verdict.success, "checks": verdict.evaluated, "residual": _residual(plan, parent)}
        self._emit(item, f"Gate: {verdict.evaluated} checks, {'passed' if verdict.success else 'failed'}")
        verdict.raise_if_failed()
        if isinstance(result, Split) and result.certificate["digest"] != tables.digest(plan):
            raise GateError(f"{self.stem}: the plan is not the one the split made; gate and save what `split` returned.")
        self._passed = tables.digest(plan)

    def save(self, result: Split | pd.DataFrame) -> None:
        """Write the plan table; only what has passed the gate."""
        plan = result.plan if isinstance(result, Split) else result
        if self._passed is None or self._passed != tables.digest(plan):
            raise GateError(
                f"{self.stem}: this plan has not passed its gate; run `chapter.gate(...)` before `chapter.save(...)`."
            )
        if isinstance(result, Split):
            self.keep(result.rules, "rules")
            self.keep(result.reference, "reference")
            self.keep(result.measures, "measures")
            self.keep(result.weights, "weights")
            kinds = [type(limit).__name__ for limit in result.stated]
            limits = [limit.model_dump_json() for limit in result.stated]
            self.keep(pd.DataFrame({"kind": kinds, "limit": limits}, dtype="str"), "stated")
            facts = pd.DataFrame(
                {"fact": list(result.certificate), "value": [str(value) for value in result.certificate.values()]}
            )
            self.keep(facts, "certificate")
        path = self.run / "plan" / f"{self.stem}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        plan.to_parquet(path.with_suffix(".part"), index=False)
        path.with_suffix(".part").replace(path)

    def keep(self, frame: pd.DataFrame, title: str) -> None:
        """Write a table beside the plan, without showing it; a later chapter reads it with `shown`.

        Raises PlanError when another title of this chapter has the same file name: one table would replace the other.
        """
        name = _file_name(title)
        if self._kept.setdefault(name, title) != title:
            raise PlanError(
                f"{self.stem}: found two tables in one file {name}.parquet, {self._kept[name]!r} and {title!r}, expected "
                "titles that differ in their first 60 letters and digits; rename one."
            )
        folder = self.run / "tables" / self.stem
        folder.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(folder / f"{name}.parquet", index=False)

    # Inside

    def _measured(self, rules: Sequence[Rule]) -> pd.DataFrame | None:
        return measured(rules, self.tables, self.last_year, self.horizon.as_of, self.exponent)

    def _read(self, folder: Path, stem: str, title: str | None = None) -> pd.DataFrame:
        """A chapter's plan in a run, or a table it kept there."""
        place = f"plan/{stem}.parquet" if title is None else f"tables/{stem}/{_file_name(title)}.parquet"
        path = folder / place
        if not path.exists():
            what = "plan" if title is None else f"table {title!r}"
            raise PlanError(f"chapter {stem}: no {what} in run '{folder.name}', expected {place}; run that chapter first.")
        return pd.read_parquet(path)

    def _terms(self) -> Terms:
        """What chances rest on: the parameters of chapter 01, which hands them on; the usual ones where it has not."""
        own = Terms.of(self.parameters)
        if own is not None:
            self.keep(own.table(), TERMS)
            return own
        given = self.handed_on("01-strategy", TERMS)
        if given is not None:
            return Terms.read(given)
        usual = Terms()
        self.note(
            f"Chapter 01 has not said what chances rest on: a damping of {usual.damping:g}, a usual error of "
            f"{usual.usual_error:.0%} and {usual.achievable_from:.0%} as the least chance are used."
        )
        return usual

    def _owners(self, into: str, served: str) -> dict[str, str]:
        path = self.run / "tables" / "01-strategy" / "targets.parquet"
        above = pd.read_parquet(path).set_index("metric")["owner"] if path.exists() else pd.Series({served: ""})
        default = str(above[served])
        named = [
            (members, rule.owner) for rule in self.rules for dim, members in rule.where.items() if rule.owner and dim == into
        ]
        leads = [role for role, rank in getattr(self.parameters, "roles", {}).items() if rank == "manager"]
        return smart.owners(default, self.tables.get("staff") if into == "region" else None, named, self.horizon.as_of, leads)

    def _emit(self, item: dict[str, Any], text: str, table: str = "") -> None:
        """Show an item: to the report as data, to a reader of the notebook as plain text, whatever marks a name in it holds."""
        tag = TAGS.get(item["kind"], "p")
        plain = item.get("text") or item.get("title") or item.get("label") or item["kind"]
        # the classes keep the formula renderers of notebooks off what stands between two dollar signs
        shown = f'<div class="mathjax_ignore tex2jax_ignore"><{tag}>{html.escape(text)}</{tag}>{table}</div>'
        display({ITEM: item, "text/plain": plain, "text/html": shown}, raw=True)


TAGS = {"chapter": "h4", "say": "blockquote", "left_out": "em", "kpi": "b", "table": "b"}  # how a notebook sets an item apart


def _residual(plan: pd.DataFrame, parent: pd.DataFrame) -> int:
    return int(plan[AMOUNT].sum()) - int(parent[AMOUNT].sum())


def _plain(value: Any) -> Any:
    """A cell as JSON writes it: numbers and text, None for what is missing."""
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return None if value != value or value in (float("inf"), float("-inf")) else value
    return value if isinstance(value, (int, str, bool)) else str(value)


def _file_name(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower()).strip("-")[:60]


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
