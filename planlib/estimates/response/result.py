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
    """

    curves: pd.DataFrame
    fit: dict[str, float] = field(default_factory=dict)
    note: str = ""


def stated(value: float, low: float, high: float) -> str:
    """A return with its interval as text: `3.1 (2.2 to 4.4)`; two decimals where it is small or narrow, a dash for none."""
    if not np.isfinite([value, low, high]).all():
        return "–"
    places = 2 if high < 1 or high - low < 0.5 else 1
    return f"{value:.{places}f} ({low:.{places}f} to {high:.{places}f})"


def finished(rows: list[dict[str, object]], fit: dict[str, float], note: str) -> Response:
    """Response with the rows in order of name, rounded, each return as text beside its interval."""
    frame = pd.DataFrame(rows).sort_values("item", kind="stable").reset_index(drop=True)
    for name in frame.select_dtypes("float").columns:
        frame[name] = [settled(value) for value in frame[name]]
    for name, text in (("roi", "return_"), ("marginal", "marginal_")):
        three = zip(frame[name], frame[f"{name}_low"], frame[f"{name}_high"], strict=True)
        frame[text] = [stated(*values) for values in three]
    return Response(frame[list(COLUMNS)], {name: settled(value) for name, value in fit.items()}, note)


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
