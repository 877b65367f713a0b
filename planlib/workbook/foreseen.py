"""What a chapter is given of the time ahead: what is expected of every cell, who opens and closes, how far it may be off."""

import functools
from dataclasses import replace
from typing import Any

import pandas as pd

from planlib import plan as tables
from planlib.chapters.lives import held, told
from planlib.drivers import Driver
from planlib.estimates import shares
from planlib.estimates.evidence import Evidence
from planlib.estimates.lives import Lives, lived
from planlib.estimates.outlook import Outlook
from planlib.estimates.shares import Expected
from planlib.estimates.trust import likely
from planlib.lp import Rule
from planlib.plan import AMOUNT
from planlib.workbook.given import PLACES, UNAIDED, Given
from planlib.workbook.lives import caps, lives, stated_closings

# Where a run keeps what is expected of every cell and month.
FORESEEN, EXPECTED, SKILL, WEIGHED = (
    "02-region",
    "Expected shares",
    "Skill of the expected shares",
    "Weights of the expected shares",
)
UNLIVED = "Expected shares before openings and closings"
METHODS = {"region": "REG-1", "product": "PRD-1", "channel": "CHN-1"}


class Foreseen(Given):
    """`Given`, and what is expected of the open months."""

    def declared(self, dim: str) -> int:
        """How many members of a dimension the params file opens."""
        return sum(dim in one for one in self.settings.get("openings", []))

    @functools.cached_property
    def lives(self) -> Lives:
        """The members that open and close; see `planlib.workbook.lives`."""
        return lives(
            self.settings,
            self.sections,
            self.horizon,
            lambda dim: self.orders(dim, "month"),
            self._listed,
            lambda: int(self.plan("01-strategy")[AMOUNT].sum()),
            self.exponent,
        )

    def lived(self, found: Outlook) -> Outlook:
        """An outlook with the cells of openings in its table and nothing outside a life."""
        return replace(found, table=lived(found.table, self.lives)) if self.lives else found

    def expected(self, into: str, *within: str) -> Expected:
        """The shares of `into` within each cell of `within` expected of the open months, as chapter 02 foresaw them.

        By history alone: what openings and closings make of them is a driver of its own, see `opened`.
        """
        return shares.of(self._by_history(), self.shown(FORESEEN, SKILL), into, within)

    def opened(self, into: str, *within: str) -> Driver | None:
        """What openings and closings make of the shares of `into`, as the driver after the trend; None where there are none.

        It holds the members that open: their share is a statement, which no claim and nobody's lack of data moves.
        """
        if not self.lives:
            return None
        found = shares.of(lived(self._by_history(), self.lives), self.shown(FORESEEN, SKILL), into, within).shares
        stated = Evidence(why="it is stated for this plan")
        source = "parameters openings, closings, exits"
        return Driver("lives", source, METHODS[into], found, evidence=stated, holds=tuple(self.lives.opens(into)))

    def lives_told(self, plan: pd.DataFrame) -> list[str]:
        """Where each opening and closing of the plan's last dimension stands, as sentences."""
        if not self.lives:
            return []
        into, booked = tables.level(plan)[-1], self.booked("region")
        open_ = int(plan[AMOUNT].sum()) - (0 if booked is None else int(booked[AMOUNT].sum()))
        return told(self.lives, into, plan, self._by_history(), open_, self.show)

    def closings_told(self) -> list[str]:
        """What momentum still holds of the members that close in the plan year, as sentences."""
        closings = stated_closings(self.settings, self.sections)
        return held(closings, self.last_year(*PLACES, "month"), self.horizon, self.show) if closings else []

    def caps(self, *dims: str) -> list[Rule]:
        """The lives as rules of a level: nothing outside; none where no rule and no lock of the chapter could ask for it."""
        return caps(self.lives, dims, self.booked(*dims)) if self.lives and (self.rules or self.locks) else []

    def misses(self, *dims: str, ahead: Outlook | None = None) -> dict[str, Any]:
        """What each cell of `dims` is expected to sell with no new action, and how far it may be off, as arguments of `split`.

        The year's momentum (chapter 01) falls over the cells as is expected of them (`ahead`; by default what chapter 02
        foresaw). Returns misses (dims, mean, deviation; minor units) and common (what the whole year may be off, a share);
        nothing where no past tells how far a cell may be off.
        """
        table, skill = (
            (lived(self._by_history(), self.lives), self.shown(FORESEEN, SKILL))
            if ahead is None
            else (ahead.table, ahead.skill)
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

    def _by_history(self) -> pd.DataFrame:
        """What chapter 02 foresaw of every cell and month by history alone, whatever opens and closes."""
        found = self.handed_on(FORESEEN, UNLIVED)
        return self.shown(FORESEEN, EXPECTED) if found is None else found

    def _listed(self, dim: str) -> dict[str, str]:
        """The members that a dimension's own table lists, with the month of their launch, "" where it is not told."""
        table = self.tables.get(f"{dim}s")
        if table is None:
            return {}
        months = self.horizon.calendar.of(table["launched"]).fillna("") if "launched" in table else [""] * len(table)
        return dict(zip(table[dim], months, strict=True))
