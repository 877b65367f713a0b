"""A response as it is handed on: curves in minor units, every return beside its interval, every doubt in words."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from planlib.errors import InputDataError, ParameterError

COLUMNS = (
    *("item", "form", "scale", "half", "elasticity", "decay", "spend", "revenue"),
    *("roi", "roi_low", "roi_high", "return_", "marginal", "marginal_low", "marginal_high", "marginal_"),
    *("scale_low", "scale_high", "half_low", "half_high", "decay_low", "decay_high", "identified", "caveat"),
)
# What is told of a curve is not better known than this; the last bits differ between machines and must not reach a plan.
DIGITS = 9


@dataclass(frozen=True)
class Response:
    """What each channel's money brings in a year, with what is not known of it.

    curves  one row per channel, in order of name:
            item, form ("saturating", or "power" where a prior stands in), scale, half (money of a year, same unit as the
            spend; NaN for power), elasticity (of the response at last year's spend), decay (carry-over per period), spend and
            revenue (of the last year), roi, roi_low, roi_high, return_ (the three as text), marginal, marginal_low,
            marginal_high, marginal_ (return of the next unit at that spend), scale, half and decay with _low and _high,
            identified (bool: the data tell this return), caveat (why not, or what else to know; empty for nothing)
    fit     r2, r2_held_out (on the last fifth, told from the first four), r2_without (the same without any channel), periods,
            draws, level (of the intervals), memory (correlation of errors of neighbouring periods)
    note    one sentence
    draws   per item, what the data leave open: scale and half (saturating) or scale and elasticity (power), one row per draw
    """

    curves: pd.DataFrame
    fit: dict[str, float] = field(default_factory=dict)
    note: str = ""
    draws: dict[str, np.ndarray] = field(default_factory=dict)

    def at(self, spend: pd.Series) -> pd.DataFrame:
        """Returns at another year's spend, say the plan's (BUD-6): item, roi and marginal with _low, _high and their text.

        `spend`: minor units a year, the index the items; items without a curve are left out. For the same `level` as the fit.
        A return does not exist where nothing is spent: the text is a dash.
        """
        rows: list[dict[str, object]] = []
        for curve in self.curves.itertuples():
            if curve.item in spend.index and curve.item in self.draws:
                money = float(spend[curve.item])
                best = np.array([[curve.scale, curve.elasticity if curve.form == "power" else curve.half]])
                drawn, middle = _returns(curve.form, self.draws[curve.item], money), _returns(curve.form, best, money)
                row: dict[str, object] = {"item": curve.item}
                for name, values, one in zip(("roi", "marginal"), drawn, middle, strict=True):
                    row |= between(name, values, float(one[0]), self.fit["level"])
                rows.append(row | ({"roi_low": 0.0, "marginal_low": 0.0} if curve.roi_low == 0 and money > 0 else {}))
        parts = [f"{name}{end}" for name in ("roi", "marginal") for end in ("", "_low", "_high")]
        return _told(pd.DataFrame(rows, columns=["item", *parts]).astype(dict.fromkeys(parts, "float64")))


def _returns(form: str, draws: np.ndarray, money: float) -> tuple[np.ndarray, np.ndarray]:
    """Revenue per money spent, and that of the next unit, on each drawn curve."""
    scale, shape = draws.T
    if money <= 0:
        return np.full(len(draws), np.nan), np.full(len(draws), np.nan)
    if form == "power":
        returns = scale * money ** (shape - 1.0)
        return returns, returns * shape
    return scale / (money + shape), scale * shape / (money + shape) ** 2


def stated(value: float, low: float, high: float) -> str:
    """A return with its interval as text: `3.1 (2.2 to 4.4)`; two decimals where it is small or narrow, a dash for none."""
    if not np.isfinite([value, low, high]).all():
        return "–"
    places = 2 if high < 1 or high - low < 0.5 else 1
    return f"{value:.{places}f} ({low:.{places}f} to {high:.{places}f})"


def finished(rows: list[dict[str, object]], fit: dict[str, float], note: str) -> Response:
    """Response with the rows in order of name, rounded, each return as text beside its interval."""
    draws = {str(row["item"]): np.asarray(row.pop("draws")) for row in rows if "draws" in row}
    if not rows:
        return Response(pd.DataFrame(columns=list(COLUMNS)), fit, note)
    frame = pd.DataFrame(rows).sort_values("item", kind="stable").reset_index(drop=True)
    frame = _told(frame)
    return Response(frame[list(COLUMNS)], {name: settled(value) for name, value in fit.items()}, note, draws)


def _told(frame: pd.DataFrame) -> pd.DataFrame:
    """The table rounded to what is known, each return as text beside its interval; changed in place."""
    for name in frame.select_dtypes("float").columns:
        frame[name] = [settled(value) for value in frame[name]]
    for name, text in (("roi", "return_"), ("marginal", "marginal_")):
        three = zip(frame[name], frame[f"{name}_low"], frame[f"{name}_high"], strict=True)
        frame[text] = [stated(*values) for values in three]
    return frame


def settled(value: float) -> float:
    """The number to nine significant digits."""
    return float(f"{value:.{DIGITS}g}")


def between(name: str, draws: np.ndarray, estimate: float, level: float) -> dict[str, float]:
    """The estimate with the central `level` of its draws; the interval is widened where it would leave the estimate out."""
    low, high = np.quantile(draws, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return {name: estimate, f"{name}_low": min(float(low), estimate), f"{name}_high": max(float(high), estimate)}


def joined(reasons: list[str]) -> str:
    """The reasons as one plain sentence."""
    text = "; ".join(reason for reason in reasons if reason)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def checked_level(level: float) -> float:
    """The level of an interval, 0.5 to 0.99."""
    if not 0.5 <= level <= 0.99:
        raise ParameterError(f"response: found level {level}, expected 0.5 to 0.99; correct it.")
    return level


def refuse(condition: bool, found: str, expected: str) -> None:
    """Raise InputDataError where the condition holds."""
    if condition:
        raise InputDataError(f"response: found {found}, expected {expected}; correct the table.")
