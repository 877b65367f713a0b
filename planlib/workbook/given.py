"""What a chapter starts from: its parameters and rules, the company's tables, and the plans it follows."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from planlib import plan as tables
from planlib.chapters import gaps, last_year
from planlib.chapters.base import ChapterParameters
from planlib.chapters.base_year import NAME
from planlib.chapters.last_year import BaseYear
from planlib.currency import Currency
from planlib.data import baselines, changes
from planlib.data.calendar import month_names, per_week
from planlib.data.changes import Change
from planlib.data.sources import Tables
from planlib.errors import PlanError
from planlib.estimates.chance import Terms
from planlib.estimates.windows import Coverage, Window
from planlib.formatting import Reader
from planlib.lp import Lock, Rule, Stage
from planlib.lp.rules import in_force, in_keys, in_minor_units
from planlib.periods import Horizon
from planlib.plan import AMOUNT
from planlib.workbook import earlier
from planlib.workbook.measures import measured

UNAIDED = "The year with no new action"
ADDED, BASE = "Expected of last year", "The base year"  # tables of chapter 01, where a part of last year is expected
PLACES = ("region", "product", "channel")


class Given:
    """What one chapter of a run is given: its parameters, rules and months, the tables, and the plans it follows."""

    def __init__(self, stem: str, run: Path, settings: Mapping[str, Any], parameters: ChapterParameters, root: Path) -> None:
        self.stem = stem
        self.run = run
        self.root = root
        self.parameters = parameters
        self.settings = settings["settings"]
        mine = {} if parameters is None else {stem.partition("-")[2]: parameters.model_dump(mode="json")}
        self.sections = {**settings.get("parameters", {}), **mine}
        self.currency = Currency(self.settings["currency"], self.settings.get("decimals"))
        self.reader = Reader(self.settings["language"], self.currency)
        self.exponent = self.reader.exponent
        as_of = date.fromisoformat(self.settings["as_of"])
        self.missing = self.settings.get("missing_months")  # what a month without a line means: see `gaps`
        inputs = {name: root / given["parquet"] for name, given in settings["inputs"].items()}
        self.tables = Tables(inputs, as_of)
        self.horizon = Horizon(self.settings["year"], self.settings["fiscal_start"], as_of, self.tables.calendar)
        if self.missing == "expect":
            as_of = gaps.last_day(self.tables.orders(["month"])["month"], self.horizon)
            self.tables, self.horizon = Tables(inputs, as_of), replace(self.horizon, as_of=as_of)
        rules, locks = getattr(parameters, "rules", []), getattr(parameters, "locks", [])
        names = month_names(self.horizon.calendar)
        self.rules: list[Rule] = in_minor_units(in_keys(in_force(rules, as_of), names), self.exponent)
        self.locks: list[Lock] = in_minor_units(in_keys(in_force(locks, as_of), names), self.exponent)
        stated: list[Any] = [*rules, *locks]
        self.expired = [f'"{old.name}" ({old.expires})' for old in stated if old.expires is not None and old.expires < as_of]
        self.changes: list[Change] = changes.read(self.settings.get("changes", []))
        baseline = settings.get("baseline")
        self.baseline = root / baseline["path"] if baseline else None

    def plan(self, stem: str) -> pd.DataFrame:
        """The plan table another chapter of this run saved."""
        return self._read(self.run, stem)

    def shown(self, stem: str, title: str) -> pd.DataFrame:
        """A table that an earlier chapter of this run showed or kept, by its title."""
        path = self.run / "tables" / stem / f"{file_name(title)}.parquet"
        if not path.exists():
            raise PlanError(
                f"{self.stem}: no table {title!r} of chapter {stem} in run '{self.run.name}'; run that chapter first."
            )
        return pd.read_parquet(path)

    def handed_on(self, stem: str, title: str, in_force: bool = False) -> pd.DataFrame | None:
        """The same, or None where that chapter did not show it; `in_force`: of the baseline run, None in the first plan."""
        folder = self.baseline if in_force else self.run
        path = None if folder is None else folder / "tables" / stem / f"{file_name(title)}.parquet"
        if folder is None or path is None or not path.exists():
            return None
        return self._as_now(folder, pd.read_parquet(path)) if in_force else pd.read_parquet(path)

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
        """The same chapter's plan table in the baseline run, in the members of this run; None in the year's first plan."""
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
            closed = self.horizon.calendar.at(each.as_of)
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
        until = self.horizon.until
        if months is not None and not len(months):
            return self.tables.orders(list(by), since="9999-99", until="9999-99", groups=groups)
        since, until = (None, until) if months is None else (min(months), min(max(months), until))
        if self.longer and "day" not in by:
            sold = self.tables.orders(sorted({*by, "month"}), since=since, until=until, groups=groups)
            found = per_week(sold, by, self.longer)
        else:
            found = self.tables.orders(list(by), since=since, until=until, groups=groups)
        if self.missing != "zero" or "month" not in by or "day" in by:
            return found
        return gaps.as_zero(found, by, [month for month in self._silent if (since or "") <= month <= until])

    @functools.cached_property
    def longer(self) -> dict[str, tuple[int, int]]:
        """Periods before the plan year that have more or fewer weeks than its period of the same place: days there, and here.

        So years of 52 and 53 weeks are compared per week. Nothing where periods are no whole weeks.
        """
        calendar, now = self.horizon.calendar, {month[-2:]: month for month in self.horizon.months}
        if not calendar.weekly:
            return {}
        before = [each.key for each in calendar.own if each.key < self.horizon.months[0]]
        lengths = {key: (calendar.length(key), calendar.length(now[key[-2:]])) for key in before}
        return {key: days for key, days in lengths.items() if days[0] != days[1]}

    @functools.cached_property
    def _silent(self) -> list[str]:
        """The months up to `as_of` that have no line in the orders and should have some."""
        return [month for part in gaps.silent(self.tables.orders(["month"])["month"], self.horizon) for month in part]

    @functools.cached_property
    def base(self) -> BaseYear:
        """Last year as it stands: its months sold and, where it is not whole, what is expected of the others.

        Chapter 01 expects it by its own parameters and keeps it, the others read that.
        """
        year = self.horizon.last_year
        if not self.tables.has("orders"):  # nothing is compared
            return BaseYear(Window(NAME, tuple(year), tuple(year)))
        window = self.coverage.window(NAME, year)
        kept, about = (self.handed_on("01-strategy", title) for title in (ADDED, BASE))
        own = Terms.of(self.parameters)
        if window.whole:
            return BaseYear(window)
        if own is None and kept is not None and about is not None:
            return BaseYear.read(window, kept, about, self.horizon.until)
        level = float(getattr(self.parameters, "confidence", 0.8))
        every = self.orders(*PLACES, "month")
        return last_year.of(every, self.horizon, self.coverage, own or Terms(), level, self.starts)

    def last_year(self, *by: str, groups: pd.DataFrame | None = None) -> pd.DataFrame:
        """Net revenue of the twelve months before the plan year, by dimensions: sold and, where nobody knows yet, expected.

        Of customers and days nothing is expected; see `BaseYear.completed`.
        """
        sold = self.orders(*by, months=self.horizon.last_year, groups=groups)[[*by, AMOUNT]]
        extra = None if groups is None else next((name for name in by if name in groups.columns and name != "customer"), None)
        return self.base.completed(sold, by, lambda: self.orders(*dict.fromkeys((*by, "month")), groups=groups), extra)

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
        return Coverage.of(self.orders("month")["month"], self.horizon.until)

    @functools.cached_property
    def expected_then(self) -> pd.DataFrame | None:
        """What the plan in force expected of last year's months that are sold by now: cells, month, amount; None where none."""
        kept = self.handed_on("01-strategy", ADDED, in_force=True)
        known = None if kept is None else kept[kept["month"].isin(self.base.window.known)].reset_index(drop=True)
        return None if known is None or known.empty else known

    @functools.cached_property
    def drift(self) -> dict[str, float]:
        """What months more than a year ahead have grown by when the others' year begins; see `BaseYear.drift`."""
        return self.base.drift(self.horizon)

    @functools.cached_property
    def starts(self) -> dict[str, dict[str, str]]:
        """First months of members where a table tells them, by dimension: products' launches up to `as_of`."""
        products = self.tables.get("products")
        if products is None or "launched" not in products:
            return {}
        told = products.dropna(subset=["launched"]).drop_duplicates("product").set_index("product")["launched"]
        told = self.horizon.calendar.of(told[told <= pd.Timestamp(self.horizon.as_of)])
        return {"product": told.to_dict()}

    def show(self, value: Any, form: str = "money") -> str:
        """A value as a sentence writes it."""
        raise NotImplementedError(form)

    def named(self, value: Any) -> Any:
        """Text, and whatever holds text, with months called as the company calls its own periods."""
        if not self.horizon.calendar.own or value is None:
            return value
        if isinstance(value, str):
            return self.horizon.calendar.named(value)
        if isinstance(value, Mapping):
            return {name: self.named(each) for name, each in value.items()}
        return [self.named(each) for each in value] if isinstance(value, (list, tuple)) else value

    def customers(self, month: str) -> pd.DataFrame:
        """Each customer's first and last order, number of orders and net amount before `month`; see Tables.customers."""
        day = self.horizon.calendar.first(month) - timedelta(days=1)
        return self.tables.customers(until=f"{day:%Y-%m-%d}")  # or up to as_of, where that is earlier

    def left_out(self, text: str) -> None:
        """What cannot be told for want of data; a chapter shows it."""
        raise NotImplementedError(text)

    def _measured(self, rules: Sequence[Rule]) -> pd.DataFrame | None:
        return measured(rules, self.tables, self._whole_last_year, self.horizon.as_of, self.exponent)

    def _whole_last_year(self, by: str) -> pd.DataFrame:
        """Last year by a dimension; where orders know less than a year, carried to twelve months by their number, and told."""
        if self.base.told or not self.base.window.known:
            return self.last_year(by)
        sold, window = self.orders(by, months=self.horizon.last_year)[[by, AMOUNT]], self.base.window
        self.left_out(f"What rules on ratios measure: {window.says()}, carried to {len(window.months)} months.")
        return sold.assign(**{AMOUNT: sold[AMOUNT].astype(float) * len(window.months) / len(window.known)})

    def _read(self, folder: Path, stem: str, title: str | None = None) -> pd.DataFrame:
        """A chapter's plan in a run, or a table it kept there."""
        place = f"plan/{stem}.parquet" if title is None else f"tables/{stem}/{file_name(title)}.parquet"
        path = folder / place
        if not path.exists():
            what = "plan" if title is None else f"table {title!r}"
            raise PlanError(f"chapter {stem}: no {what} in run '{folder.name}', expected {place}; run that chapter first.")
        found = pd.read_parquet(path)
        return found if folder == self.run else self._as_now(folder, found)

    def _as_now(self, folder: Path, frame: pd.DataFrame) -> pd.DataFrame:
        """What an earlier plan left, in the members of this run, so that differences add up."""
        events, known = self._unknown_to(folder)
        parts = [part for event in events for part in earlier.parts_of(event, self.tables, self.horizon.as_of)]
        return earlier.as_now(frame, parts, known, self.horizon.calendar)

    def _unknown_to(self, folder: Path) -> tuple[list[Change], date]:
        """Events that an earlier plan did not know, and the day up to which it was closed."""
        return earlier.unknown_to(folder, self.settings.get("changes", []), self.horizon.as_of)


def file_name(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower()).strip("-")[:60]
