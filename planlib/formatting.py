"""Values as a reader sees them: money in a readable scale, shares as percent, dates and separators of the reader's language.

The formats are those of the items a notebook emits: text, money (int, minor units), share and points (0-1), int, factor, date.
Nothing here computes; the exact value always stays beside the rounded one (`full`).
"""

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Any, NamedTuple

import pandas as pd
from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal

from planlib.currency import minor_exponent
from planlib.errors import ParameterError
from planlib.plan import EXACT

FORMATS = ("text", "money", "share", "points", "int", "factor", "date")
NUMERIC = ("money", "share", "points", "int", "factor")
NOTHING = "–"
NOISE = 1e-12  # what is left of a float's zero after adding and taking away
# Largest first: (major units, short sign beside a number, from this many of the unit on).
SCALES = {
    "en": ((10**9, "bn", 10), (10**6, "m", 1), (10**3, "k", 10), (1, "", 0)),
    "zh": ((10**8, "亿", 1), (10**4, "万", 1), (1, "", 0)),
}


class Scale(NamedTuple):
    """A unit for amounts: its size in major units, its sign (`m`), and the decimals shown."""

    size: int
    sign: str
    places: int


class Reader:
    """How one language and one currency write values."""

    def __init__(self, language: str, currency: str) -> None:
        try:
            self.locale = Locale.parse(language.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            raise ParameterError(f"language: found {language!r}, expected a code such as en or zh; correct it.") from None
        self.language = self.locale.language
        self.currency = currency
        self.exponent = minor_exponent(currency)

    def scale(self, amounts: list[Any]) -> Scale:
        """The unit in which a whole column of minor-unit amounts is shown."""
        largest = self.major(max((abs(amount) for amount in amounts if not missing(amount)), default=0))
        found = Scale(1, "", 0 if largest >= 1000 else self.exponent)
        for size, sign, least in reversed(SCALES.get(self.language, SCALES["en"])[:-1]):
            # As written in the smaller unit: 999,999.99 is no 1,000.0 k but 1.00 m.
            if round(largest / found.size, found.places) * found.size < size * least:
                break
            found = Scale(size, sign, 2 if round(largest / size, 2) < 10 else 1)
        return found

    def major(self, amount: Any) -> Decimal:
        """Minor units as the exact decimal in major units; an average, which need not be whole, to the nearest unit.

        An estimate beyond 2^53, which is a float, has no digits after its fifteenth.
        """
        vague = isinstance(amount, float) and abs(amount) > EXACT
        return Decimal(f"{amount:.15g}" if vague else round(amount)).scaleb(-self.exponent)

    def digits(self, amount: int) -> str:
        """`major` of a whole amount as text, quick enough for every cell of a plan."""
        if not self.exponent:
            return str(amount)
        text = str(abs(amount)).zfill(self.exponent + 1)
        return f"{'-' if amount < 0 else ''}{text[: -self.exponent]}.{text[-self.exponent :]}"

    def show(self, value: Any, form: str, scale: Scale | None = None) -> str:
        """A value for the eye. With `scale` (a column's), money stands without its unit."""
        if missing(value):
            return NOTHING
        if isinstance(value, bool):
            return (("否", "是") if self.language == "zh" else ("no", "yes"))[value]
        if form == "money":
            unit = scale or self.scale([value])
            number = self._decimal(self.major(value) / unit.size, unit.places)
            return f"{number} {unit.sign}" if unit.sign and scale is None else number
        if form == "share":
            return self._decimal(float(value) * 100, 1) + "%"
        if form == "points":
            # A change too small to show is none: a table of effects would be full of them.
            points = self._decimal(round(float(value) * 100, 1), 1)
            plus = "+" if float(value) > 0 and any(digit in points for digit in "123456789") else ""
            return f"{plus}{points}{'个百分点' if self.language == 'zh' else ' pp'}"
        if form == "int":
            return self._decimal(round(value) or float(value), 0)
        if form == "factor":
            return self._decimal(float(value), 2 if value == 0 or abs(value) >= 0.1 else 4)
        if form == "date":
            return format_date(dt.date.fromisoformat(str(value)[:10]), "medium", locale=self.locale)
        return str(value)

    def exactly(self, amount: Any) -> str:
        """Minor units in major units with every digit."""
        return self._decimal(self.major(amount), self.exponent)

    def full(self, value: Any, form: str) -> str:
        """The exact value, for the title of a rounded number; empty where nothing was rounded."""
        if missing(value):
            return ""
        if form == "money":
            return "" if isinstance(value, float) and abs(value) > EXACT else f"{self.exactly(value)} {self.currency}"
        return repr(float(value)) if form in ("share", "points", "factor") else ""

    def _decimal(self, value: Any, places: int) -> str:
        pattern = "#,##0" + ("." + "0" * places if places else "")
        text = format_decimal(value, format=pattern, locale=self.locale)
        if any(digit in text for digit in "123456789"):
            return text
        if abs(value) <= NOISE:
            return text.lstrip("-")
        # What is not nothing is never shown as nothing.
        least = format_decimal(Decimal(1).scaleb(-places), format=pattern, locale=self.locale)
        return f"<{least}" if value > 0 else f">-{least}"


def missing(value: Any) -> bool:
    """Not available: null, or a number that is none."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value))


def plain(value: Any, form: str, reader: Reader) -> str:
    """A value for a CSV file: exact, no separators, nothing for a gap, and text that no spreadsheet runs as a formula."""
    if missing(value):
        return ""
    if form == "money":
        return f"{reader.major(value):f}"
    if form in ("share", "points", "factor"):
        return repr(float(value))
    return str(round(value)) if form == "int" else guarded(str(value))


def in_currency(text: str, currency: str) -> str:
    """A message of the chain with its amounts in minor units as a params file states money: "26,979.66 EUR"."""
    places = minor_exponent(currency)
    return re.sub(r"(-?\d[\d,]*(?:\.\d+)?) minor units?\b", lambda found: _major(found[1], places) + f" {currency}", text)


def _major(number: str, places: int) -> str:
    return f"{Decimal(number.replace(',', '')).scaleb(-places):f}"


# A formula starts a cell, and a cell starts after any mark that some spreadsheet takes for a separator; some skip blanks there.
FORMULA = re.compile(r"(^|[;,|\t\r\n\"])(\s*)(?=[=+\-@＝＋－＠])")


def guarded(text: str) -> str:
    """Text with an apostrophe wherever a spreadsheet could start a formula (OWASP, CSV injection; ASVS 1.2.10)."""
    safe = FORMULA.sub(r"\1\2'", text)
    return "'" + safe if safe[:1] in ("\t", "\r", "\n") else safe
