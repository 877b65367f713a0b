"""How much of the windows that the customer chapter looks at is known, and what stands in where it is not."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from planlib import periods
from planlib.chapters.customer.parameters import Parameters
from planlib.chapters.customer.profile import groups
from planlib.estimates.windows import Coverage, Window, a_year_before
from planlib.periods import MONTHS, Calendar, Horizon
from planlib.plan import EVERYTHING


@dataclass(frozen=True)
class Known:
    """What the orders can tell of customers.

    coverage   the months the orders cover
    named      the orders name customers
    last_year  the year before the plan year; year_before: the twelve months before it
    recent     the twelve months that end with `as_of`; earlier: the twelve before them
    """

    coverage: Coverage
    named: bool
    last_year: Window
    year_before: Window
    recent: Window
    earlier: Window
    calendar: Calendar = MONTHS

    @property
    def start(self) -> str:
        """The first month after what is known when the plan year begins: its own, or an earlier one in a plan made before."""
        return periods.step(min(self.last_year.months[-1], self.coverage.last), 1)

    @property
    def when(self) -> str:
        """When today's groups are told, as a title says it."""
        early = self.coverage.last < self.last_year.months[-1]
        return f"as of the end of {self.coverage.last}" if early else "at the start of the year"

    @property
    def groups(self) -> bool:
        """Groups can be told: customers are named, and the orders reach back to the start of last year."""
        return self.named and self.coverage.first is not None and self.coverage.first <= self.last_year.months[0]

    @property
    def won(self) -> bool:
        """Who was won last year, and what stayed of the year before, can be told: that year is known in full."""
        return self.groups and self.coverage.looks_back(self.last_year)

    @property
    def change(self) -> bool:
        """The last twelve months can be held against the twelve before."""
        return self.recent.whole and self.earlier.whole

    def looks_back(self, months: int) -> bool:
        """Whether a first order within the last `months` is a first order: the twelve months before them are known."""
        span = periods.span(periods.step(self.coverage.last, 1 - months), self.coverage.last)
        return self.coverage.looks_back(self.coverage.window("the last months", span))

    def says(self) -> list[str]:
        """What cannot be told, what it would need, and what is used instead: sentences, none where all is known."""
        if not self.named:
            return []
        if not self.groups:
            return [
                "Customer groups, the growth bridge and targets for new customers are left out: "
                f"{self.last_year.says()}, and groups need orders from its start on. The target is not split by customer group."
            ]
        told = []
        if not self.won:
            told.append(
                f"Who was won last year, and how much of the year before stayed, is not known: {self.year_before.says()}, so a "
                "first order may be an old customer's. Today's groups stand for last year's, the parameter `retention` for "
                "what stays, and new customers bring what the other sources leave."
            )
        if not self.last_year.whole:
            told.append(
                f"{_capital(self.last_year.says())}: what customers brought is carried to the whole year by the number of "
                "months, and what stayed is told from the months known in both years."
            )
        return told


def known(coverage: Coverage, everyone: pd.DataFrame, horizon: Horizon) -> Known:
    """How much of the chapter's windows is known. `everyone`: customer, all that have orders."""
    recent = horizon.last_twelve
    return Known(
        coverage,
        set(everyone["customer"]) != {EVERYTHING},
        coverage.window("last year", horizon.last_year),
        coverage.window("the year before last year", a_year_before(horizon.last_year)),
        coverage.window("the last twelve months", recent),
        coverage.window("the twelve months before those", a_year_before(recent)),
        horizon.calendar,
    )


def grouped(
    customers: Callable[[str], pd.DataFrame], everyone: pd.DataFrame, seen: Known, parameters: Parameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Everyone's group at the start of last year and at `Known.start` (CUS-1): twice customer, segment.

    `customers`: month -> what each customer bought before it, see `Tables.customers`. Where last year's start cannot tell who
    was there, today's groups stand for last year's; where no group can be told there is one, `All`.
    """
    first, start = seen.last_year.months[0], seen.start
    day = seen.calendar.first
    now = groups(customers(start), everyone, day(start), parameters, seen.groups)
    return (groups(customers(first), everyone, day(first), parameters) if seen.won else now), now


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
