"""What a checked params file holds, typed: the settings of a run."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from planlib.currency import Currency, minor_exponent
from planlib.estimates.lives import Closing, Opening
from planlib.periods import MONTHS, Calendar, Horizon

RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
RESERVED = ("draft", "latest")  # folders of the reports that are no run: what notebooks opened by hand work on, and a link


def _currency(code: str) -> str:
    from babel.numbers import is_currency

    if not is_currency(code):
        raise ValueError("expected an ISO 4217 code such as CNY or USD")
    return code


def _run_name(name: str) -> str:
    # `x.2` is how the second run of `x` is called
    if not RUN_NAME.fullmatch(name) or re.search(r"\.\d+$", name) or name.casefold() in RESERVED:
        raise ValueError(
            "expected letters, digits, `_`, `-` and `.`, not ending in a dot and a number, not `draft` or `latest`"
        )
    return name


class RunSettings(BaseModel):
    """A checked params file. Sections are held as JSON values, as a notebook receives them.

    `decimals` are those of amounts, by default the currency's (ISO 4217); `currency` knows them.
    `parameters[section]` has every field of the section's model; `data[table]` is the mapping of a table with its
    `file` as an absolute path; `baseline` is the settings of the plan in force; `changes` are the events that
    changed members, see `planlib.data.changes`.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    run: Annotated[str, AfterValidator(_run_name)]
    company: str = Field(min_length=1, max_length=200)
    year: int = Field(ge=1990, le=2200)
    fiscal_start: int = Field(default=1, ge=1, le=12)
    decimals: int | None = Field(default=None, ge=0, le=4)
    currency: Annotated[str, AfterValidator(_currency)]
    as_of: dt.date
    missing_months: Literal["stop", "expect", "zero"] | None = None  # what a month without a line in the orders means
    language: Annotated[str, Field(pattern=r"^en$")] = "en"
    openings: list[Opening] = []
    closings: list[Closing] = []
    data: dict[str, dict[str, Any]]
    parameters: dict[str, dict[str, Any]]
    baseline: RunSettings | None = None
    changes: list[dict[str, Any]] = []
    source: Path
    files: tuple[Path, ...]
    root: Path
    calendar: Calendar = MONTHS

    @property
    def horizon(self) -> Horizon:
        """The plan year, and how much of it is closed."""
        return Horizon(self.year, self.fiscal_start, self.as_of, self.calendar)

    @field_validator("currency")
    @classmethod
    def _with_decimals(cls, code: str, info: ValidationInfo) -> Currency:
        return Currency(code, info.data.get("decimals"))

    def header(self) -> dict[str, Any]:
        """What a chapter may know of the run besides its own section, as JSON."""
        return {
            "company": self.company,
            "year": self.year,
            "fiscal_start": self.fiscal_start,
            "currency": str(self.currency),
            "decimals": minor_exponent(self.currency),
            "as_of": self.as_of.isoformat(),
            "language": self.language,
            "changes": self.changes,
            "openings": [each.model_dump(mode="json", by_alias=True, exclude_defaults=True) for each in self.openings],
            "closings": [each.model_dump(mode="json", exclude_defaults=True) for each in self.closings],
            **({"missing_months": self.missing_months} if self.missing_months else {}),
        }


def calendar_of(data: Mapping[str, Any]) -> Calendar:
    """Calendar months, or the company's own periods where the file maps the table of them."""
    if not data.get("periods"):
        return MONTHS
    from planlib.data import calendar
    from planlib.run.doors import mappings

    return calendar.calendar_of(mappings({"periods": data["periods"]}))
