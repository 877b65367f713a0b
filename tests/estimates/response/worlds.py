"""Companies whose true returns are known: revenue made from spend by rules stated here, apart from the code under test."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

WEEKS = 52
LEVEL = 1e6  # revenue a week


@dataclass(frozen=True)
class World:
    """Weekly spend, revenue, and per channel the last year's true return, marginal return and carry-over."""

    spend: pd.DataFrame
    revenue: pd.Series
    roi: dict[str, float]
    marginal: dict[str, float]
    decay: dict[str, float]


def world(
    seed: int,
    weeks: int = 156,
    noise: float = 0.03,
    memory: float = 0.0,
    decays: tuple[float, ...] = (0.0, 0.3, 0.6),
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0),
    shares: tuple[float, ...] = (0.05, 0.08, 0.12),
    together: float = 0.0,
) -> World:
    """Three channels that bring `shares` of a million a week above a trend and a yearly wave.

    Parameters
        noise     of a week's revenue, as a share of the million; memory: correlation of one week's noise with the next
        decays    of each channel's adstock per week; ratios: half-saturation over the mean adstock of weeks with money
        together  correlation of the channels' (log) spends; money flows in about four weeks of five
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    time, last = np.arange(weeks), slice(max(weeks - WEEKS, 0), weeks)
    index = pd.Index([str(day.date()) for day in pd.date_range("2022-01-03", periods=weeks, freq="7D")])
    revenue = LEVEL * (1 - sum(shares)) * (1 + 0.1 * time / weeks + 0.08 * np.sin(2 * np.pi * time / WEEKS))
    common, spend = rng.standard_normal(weeks), {}
    truth: dict[str, dict[str, float]] = {"roi": {}, "marginal": {}, "decay": {}}
    for name, decay, ratio, share in zip("ABC", decays, ratios, shares, strict=False):
        waves = together**0.5 * common + (1 - together) ** 0.5 * rng.standard_normal(weeks)
        money = 20_000 * np.exp(0.6 * waves)
        money[rng.random(weeks) < 0.2 * (1 - together)] = 0.0
        stock, held = [], money[:WEEKS].mean() / (1 - decay)
        for week in money:
            held = week + decay * held
            stock.append(held)
        level = np.array(stock)
        filled = level / (level + ratio * level[money > 0].mean())
        brought = share * LEVEL / filled.mean() * filled
        revenue = revenue + brought
        spend[name] = money
        truth["roi"][name] = brought[last].sum() / money[last].sum()
        # A year with one percent more money in every week brings this much more of a percent.
        truth["marginal"][name] = (brought * (1 - filled))[last].sum() / money[last].sum()
        truth["decay"][name] = decay
    error = 0.0
    errors = []
    for shock in rng.standard_normal(weeks) * noise * LEVEL:
        error = memory * error + (1 - memory**2) ** 0.5 * shock
        errors.append(error)
    return World(pd.DataFrame(spend, index=index), pd.Series(revenue + errors, index=index), **truth)


def attributed(
    seed: int, months: int = 36, noise: float = 0.05, memory: float = 0.0, half: float = 1.0, decay: float = 0.0
) -> tuple[pd.DataFrame, float, float]:
    """One activity's months with attributed revenue; the last year's true return and marginal return.

    `half` over the mean spend of 10,000; `noise` of the log of a month's revenue.
    """
    rng = np.random.Generator(np.random.PCG64([7, seed]))
    spend = np.rint(10_000 * (0.3 + 1.4 * rng.random(months)))
    stock, held = [], spend[:12].mean() / (1 - decay)
    for money in spend:
        held = money + decay * held
        stock.append(held)
    level = np.array(stock)
    filled = level / (level + half * 10_000 / (1 - decay))
    error, errors = 0.0, []
    for shock in rng.standard_normal(months) * noise:
        error = memory * error + (1 - memory**2) ** 0.5 * shock
        errors.append(error)
    brought = 60_000 * filled
    names = [str(month) for month in pd.period_range("2023-01", periods=months, freq="M")]
    frame = pd.DataFrame({"month": names, "activity": "Search", "spend": spend, "revenue": np.rint(brought * np.exp(errors))})
    year = slice(months - 12, months)
    true = brought[year].sum() / spend[year].sum()
    return frame, true, (brought * (1 - filled))[year].sum() / spend[year].sum()
