"""One chapter of a run: what it shows and what it leaves; what it starts from is in `given`."""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from IPython.display import display

from planlib import charts, reasons, smart
from planlib import plan as tables
from planlib.chapters import gaps
from planlib.chapters.base import ChapterParameters
from planlib.chapters.members import listed
from planlib.columns import shown_as
from planlib.data import calendar
from planlib.data.gates import gate
from planlib.data.restated import both_views
from planlib.errors import GateError, PlanError
from planlib.estimates.chance import Terms
from planlib.estimates.lives import outside
from planlib.estimates.outlook import Outlook, outlook
from planlib.formatting import missing
from planlib.lp import Spend, Split
from planlib.plan import AMOUNT
from planlib.workbook import earlier
from planlib.workbook.foreseen import EXPECTED, SKILL, UNLIVED, WEIGHED, Foreseen
from planlib.workbook.given import ADDED, BASE, PLACES, file_name

ITEM = "application/vnd.planlib.v1+json"
TERMS = "How chances are told"  # table of chapter 01 that every later SMART check reads
WIDTH = 720  # pixels of a chart in a notebook
MEMBERS = (*tables.DIMENSIONS, "member", "customer", "partner", "activity", "item", "project")


class Chapter(Foreseen):
    """One chapter of a run; made by `open`."""

    def __init__(self, stem: str, run: Path, settings: Mapping[str, Any], parameters: ChapterParameters, root: Path) -> None:
        super().__init__(stem, run, settings, parameters, root)
        self._passed: str | None = None
        self._kept: dict[str, str] = {}

    # What it shows

    def head(self, title: str, question: str) -> None:
        """The chapter's heading and its question, and what it is compared with where a part of last year is expected."""
        known = {"as_of": self.horizon.as_of.isoformat(), "base": self.base.name if self.base.estimated else ""}
        item = {"kind": "chapter", "stem": self.stem, "title": title, "question": question, **known}
        self._emit(item, f"{title}. {question}")
        for text in self.base.says(self.show):
            self.note(text)
        if self.longer and self.stem[:2] in ("01", "05"):
            self.note(calendar.says(self.longer, self.horizon))
        if self.stem != "01-strategy" or not self.tables.has("orders"):
            return
        if lacking := [month for month in self.coverage.gaps if month not in self.base.window.months]:
            self.note(gaps.inside_told(self.orders(*PLACES, "month"), self.horizon, lacking, self.show))
        if self.base.added is not None:
            self.keep(self.base.added, ADDED)
            self.keep(self.base.kept(int(self.last_year()[AMOUNT].sum())), BASE)

    def kpi(
        self,
        label: str,
        value: float | None,
        form: str = "money",
        compare: tuple[str, float | None] | None = None,
        good: bool | None = None,
    ) -> None:
        """One key figure, with what it is compared with; `good` says how the comparison reads."""
        label, compare = self.base.named(label), compare and (self.base.named(compare[0]), compare[1])
        beside = None if compare is None else {"label": compare[0], "value": _plain(compare[1]), "format": form}
        item = {"kind": "kpi", "label": label, "value": _plain(value), "format": form, "compare": beside, "good": good}
        self._emit(
            item, f"{label}: {self.show(value, form)}" + (f" ({compare[0]} {self.show(compare[1], form)})" if compare else "")
        )

    def table(self, frame: pd.DataFrame, title: str, role: str | None = None, formats: Mapping[str, str] | None = None) -> None:
        """A table with its title; money columns in minor units. `formats` overrides COLUMNS."""
        named = self.base.named
        columns = [shown_as(str(name), frame[name], formats or {}) for name in frame.columns]
        own = {"Month": "Period"} if self.horizon.calendar.own else {}
        columns = [{**column, "label": own.get(column["label"], named(column["label"], short=True))} for column in columns]
        rows = [[_plain(value) for value in row] for row in frame.itertuples(index=False, name=None)]
        told = [column["name"] not in MEMBERS for column in columns]  # a member keeps its name
        rows = [[named(v) if said and isinstance(v, str) else v for v, said in zip(row, told, strict=True)] for row in rows]
        if role != "rules":  # the split's own rules table is kept with its numbers
            self.keep(frame, title)  # under the title as it is called, whatever last year is
        title = named(title)
        shown = pd.DataFrame({c["label"]: [self.show(row[i], c["format"]) for row in rows] for i, c in enumerate(columns)})
        self._emit(
            {"kind": "table", "title": title, "columns": columns, "rows": rows, "role": role},
            title,
            shown.to_html(index=False, escape=True, border=0),
        )

    def figure(self, chart: Any, title: str, alt: str = "", role: str | None = None) -> None:
        """A chart whose title is its message."""
        title, alt = self.base.named(title), self.base.named(alt)
        item = self.named({"kind": "figure", "title": title, "alt": alt or title, "role": role})
        spec, own = self.base.named_in(charts.spec(chart)), self.horizon.calendar.own
        if own:
            spec = charts.named(spec, {each.key: each.label for each in own})
        # JupyterLab hangs on a chart that takes the width of its own output; the report gives the page's width back.
        display({ITEM: item, charts.MIME: {**spec, "width": WIDTH}, "text/plain": item["title"]}, raw=True)

    def why(self, result: Split, aims: pd.DataFrame | None = None) -> None:
        """Which rules and locks bind and what each costs, the plan's proof, and how it compares with simple splits.

        `aims`: the aims of the same level side by side, see `planlib.lp.aims`.
        """
        if aims is not None:
            # The chance of the total is chapter 01's, and no way to split it changes it.
            self.table(aims.drop(columns="total_chance", errors="ignore"), "What each aim would bring", role="drivers")
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
                known = self.orders(into, months=self.horizon.last_year)[[into, AMOUNT]]
                last_year = self.last_year(into) if self.base.told else known
                history = self.orders(*sorted({into, "month"}))
            history = self.orders("month") if history is None else history
            served = "Marketing cost, at most" if at_most else "Revenue"
            who = owners or self._owners(into, served)
            of = smart.of_members(planned, last_year, history, self.horizon, who, served, terms, at_most)
        months, days = self.horizon.months, self.horizon.calendar
        checked = smart.check(of, days.first(months[0]), days.last(months[-1]), terms.achievable_from)
        self.keep(checked, "SMART check")
        self.note(smart.summary(checked, self.listed))
        return checked

    def say(self, text: str) -> None:
        """The chapter in one sentence, rendered from values."""
        text = self.base.named(text)
        self._emit({"kind": "say", "text": text}, text)

    def note(self, text: str, role: str | None = None) -> None:
        """A remark beside the tables; one with the role `trust` stands on the report's page of that name."""
        text = self.base.named(text)
        self._emit({"kind": "note", "text": text, **({"role": role} if role else {})}, text)

    def left_out(self, text: str) -> None:
        """What this chapter could not do for want of data; the report lists it."""
        text = self.base.named(text)
        self._emit({"kind": "left_out", "text": text}, f"Left out: {text}")

    def show(self, value: Any, form: str = "money") -> str:
        """A value as a sentence writes it."""
        text = self.reader.show(value, form)
        return f"{text} {self.currency}" if form == "money" and not missing(value) else text

    @staticmethod
    def listed(names: Sequence[str]) -> str:
        """Names as a sentence writes them: a, b and c."""
        return listed(names)

    # What it leaves

    def gate(self, result: Split | pd.DataFrame, parent: pd.DataFrame, booked: pd.DataFrame | None = None) -> None:
        """Check the plan against the level above; writes the verdict, and raises GateError with the evidence if it fails."""
        plan = result.plan if isinstance(result, Split) else result
        rules = result.rules if isinstance(result, Split) else None
        apart = outside(plan, self.lives, booked) if set(PLACES) & set(plan.columns) and self.lives else None
        verdict = gate(self.stem, plan, parent, int(parent[AMOUNT].sum()), rules, booked, self.horizon.closed, apart)
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
        name = file_name(title)
        if self._kept.setdefault(name, title) != title:
            raise PlanError(
                f"{self.stem}: found two tables in one file {name}.parquet, {self._kept[name]!r} and {title!r}, expected "
                "titles that differ in their first 60 letters and digits; rename one."
            )
        folder = self.run / "tables" / self.stem
        folder.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(folder / f"{name}.parquet", index=False)

    def restated(self, column: str) -> None:
        """What renames, merges, splits and moves did to a dimension's history: a sentence each, and both views side by side."""
        new = self._unknown_to(self.baseline)[0] if self.baseline else []
        for event in (event for event in self.changes if column in (event.column, event.dimension)):
            self.note(event.says() if not self.horizon.calendar.own else event.says().replace(event.since, f"{event.start}"))
            for text in earlier.taken_along(event, self.tables, self.horizon.as_of) if event in new else []:
                self.note(text)
        cells = self.tables.both_views(column, self.horizon.until)
        if cells is None or (cells["booked"] == cells["restated"]).all():
            return
        first = int(cells["month"].min()[:4]) - 1
        spans = {str(year): self.horizon.year_of(year) for year in range(first, self.horizon.year)}
        spans = {name: span for name, span in spans.items() if cells["month"].isin(span).any()}
        both = both_views(cells, spans | {month: [month] for month in self.horizon.closed})
        self.table(both, f"History by {column}: as it was booked, and as it counts now")
        self.note("What is booked stays as it was booked; every period sums to the same on both sides.")

    def foresee(self) -> Outlook:
        """What is expected of every region, product and channel in every open month; kept, so that later chapters read it."""
        found = outlook(self.orders(*PLACES, "month"), PLACES, self.horizon, self.starts, months=self.drift)
        if self.lives:
            self.keep(found.table, UNLIVED)
            found = self.lived(found)
        for frame, title in ((found.table, EXPECTED), (found.skill, SKILL), (found.weights, WEIGHED)):
            self.keep(frame, title)
        return found

    # Inside

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
        item, text, table = self.named(item), self.named(text), self.named(table)
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


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
