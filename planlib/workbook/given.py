"""What a chapter starts from: its parameters and rules, the company's tables, and the plans it follows."""

import functools
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from planlib import plan as tables
from planlib.chapters import gaps, last_year
from planlib.chapters.base import ChapterParameters
from planlib.chapters.base_year import NAME
from planlib.chapters.last_year import BaseYear
from planlib.data import baselines
from planlib.data.sources import Tables
from planlib.errors import PlanError
from planlib.estimates import shares
from planlib.estimates.chance import Terms
from planlib.estimates.outlook import Outlook
from planlib.estimates.shares import Expected
from planlib.estimates.trust import likely
from planlib.estimates.windows import Coverage, Window
from planlib.formatting import Reader
from planlib.lp import Lock, Rule, Stage
from planlib.lp.rules import in_force, in_minor_units
from planlib.plan import AMOUNT, Horizon
from planlib.workbook.measures import measured

# Where a run keeps what is expected of every cell and month.
FORESEEN, EXPECTED, SKILL, WEIGHED = (
    "02-region",
    "Expected shares",
    "Skill of the expected shares",
    "Weights of the expected shares",
)
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
        self.currency: str = self.settings["currency"]
        self.reader = Reader(self.settings["language"], self.currency)
        self.exponent = self.reader.exponent
        as_of = date.fromisoformat(self.settings["as_of"])
        self.missing = self.settings.get("missing_months")  # what a month without a line means: see `gaps.MEANINGS`
        inputs = {name: root / given["parquet"] for name, given in settings["inputs"].items()}
        if self.missing == "expect":
            as_of = gaps.last_day(Tables(inputs, as_of).orders(["month"])["month"], as_of)
        self.horizon = Horizon(self.settings["year"], self.settings["fiscal_start"], as_of)
        self.tables = Tables(inputs, as_of)
        rules, locks = getattr(parameters, "rules", []), getattr(parameters, "locks", [])
        self.rules: list[Rule] = in_minor_units(in_force(rules, as_of), self.exponent)
        self.locks: list[Lock] = in_minor_units(in_force(locks, as_of), self.exponent)
        stated: list[Any] = [*rules, *locks]
        self.expired = [f'"{old.name}" ({old.expires})' for old in stated if old.expires is not None and old.expires < as_of]
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
        if months is not None and not len(months):
            return self.tables.orders(list(by), since="9999-12", until="9999-12", groups=groups)
        since, until = (None, until) if months is None else (min(months), min(max(months), until))
        found = self.tables.orders(list(by), since=since, until=until, groups=groups)
        if self.missing != "zero" or "month" not in by or "day" in by:
            return found
        return gaps.as_zero(found, by, [month for month in self._silent if (since or "") <= month <= until])

    @functools.cached_property
    def _silent(self) -> list[str]:
        """The months up to `as_of` that have no line in the orders and should have some."""
        return [month for part in gaps.silent(self.tables.orders(["month"])["month"], self.horizon.as_of) for month in part]

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
            return BaseYear.read(window, kept, about, f"{self.horizon.as_of:%Y-%m}")
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
        return Coverage.of(self.orders("month")["month"], f"{self.horizon.as_of:%Y-%m}")

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
        told = (
            products.dropna(subset=["launched"])
            .drop_duplicates("product")
            .set_index("product")["launched"]
            .dt.strftime("%Y-%m")
        )
        return {"product": told[told <= f"{self.horizon.as_of:%Y-%m}"].to_dict()}

    def expected(self, into: str, *within: str) -> Expected:
        """The shares of `into` within each cell of `within` expected of the open months, as chapter 02 foresaw them."""
        return shares.of(self.shown(FORESEEN, EXPECTED), self.shown(FORESEEN, SKILL), into, within)

    def misses(self, *dims: str, ahead: Outlook | None = None) -> dict[str, Any]:
        """What each cell of `dims` is expected to sell with no new action, and how far it may be off, as arguments of `split`.

        The year's momentum (chapter 01) falls over the cells as is expected of them (`ahead`; by default what chapter 02
        foresaw). Returns misses (dims, mean, deviation; minor units) and common (what the whole year may be off, a share);
        nothing where no past tells how far a cell may be off.
        """
        table, skill = (
            (self.shown(FORESEEN, EXPECTED), self.shown(FORESEEN, SKILL)) if ahead is None else (ahead.table, ahead.skill)
        )
        unaided = self.handed_on("01-strategy", UNAIDED)
        open_ = table[table["month"].isin(self.horizon.open)]
        if unaided is None or not open_["share"].sum() > 0:
            return {}
        year, booked = unaided.iloc[0], self.booked(*dims)
        open_ = open_.assign(share=open_["share"] / open_["share"].sum())
        plan = open_.assign(amount=(open_["share"] * float(year["expected"])).round().astype("int64"))
        plan = tables.rollup(plan if booked is None else pd.concat([plan, booked]), list(dims))
        found = likely(open_, skill, plan, dims, booked)
        if found["mean"].isna().any():
            return {}
        common = float(year["spread"]) * float(year["expected"]) / max(1.0, float(year["expected"] + year["booked"]))
        return {"misses": found[[*dims, "mean", "deviation"]], "common": common}

    def customers(self, month: str) -> pd.DataFrame:
        """Each customer's first and last order, number of orders and net amount before `month`; see Tables.customers."""
        day = pd.Period(month, freq="M").start_time - pd.Timedelta(days=1)
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
        return sold.assign(**{AMOUNT: sold[AMOUNT] * len(window.months) / len(window.known)})

    def _read(self, folder: Path, stem: str, title: str | None = None) -> pd.DataFrame:
        """A chapter's plan in a run, or a table it kept there."""
        place = f"plan/{stem}.parquet" if title is None else f"tables/{stem}/{file_name(title)}.parquet"
        path = folder / place
        if not path.exists():
            what = "plan" if title is None else f"table {title!r}"
            raise PlanError(f"chapter {stem}: no {what} in run '{folder.name}', expected {place}; run that chapter first.")
        return pd.read_parquet(path)


def file_name(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower()).strip("-")[:60]
