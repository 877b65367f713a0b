"""04 channel: potential and capacity, review, incentives, partners, price discipline, online and offline (CHN-1 to CHN-7)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from planlib.chapters.base import Counting, Share, SplitParameters
from planlib.chapters.channel.driving import capacity_caps, carries, drivers, shifts, together
from planlib.chapters.channel.incentives import incentives, rebate, told_incentives
from planlib.chapters.channel.partners import FORMATS as PARTNER_FORMATS
from planlib.chapters.channel.partners import health, partners, scores, warning
from planlib.chapters.channel.prices import corridors, violations
from planlib.chapters.channel.review import moves, review
from planlib.chapters.channel.stock import demand, moving, online_of, routed, served, traffic, unpriced, untold
from planlib.chapters.channel.telling import message, told_effects, told_prices, unknown

QUESTION = "Through which channel does each product reach each region, and what can the channel carry?"
Part = Literal["basics", "development", "operations", "digital"]
Rate = Annotated[float, Field(ge=0, le=0.20)]
Tier = Annotated[list[Annotated[float, Field(ge=0, le=2)]], Field(min_length=2, max_length=2)]


class Parameters(SplitParameters):
    use_capacity: bool = True
    research: dict[str, Annotated[float, Field(ge=0.5, le=2)]] = {}
    review: Literal["month", "quarter"] = "quarter"
    review_line: Annotated[float, Field(ge=0.01, le=0.50)] = 0.05
    review_move: Annotated[float, Field(ge=0, le=0.50)] = 0.10
    review_take: Annotated[float, Field(ge=0, le=1)] = 0.50
    tiers: list[Tier] = [[0.9, 0.01], [1.0, 0.02], [1.1, 0.03]]
    retroactive: bool = False
    store_bonus: Rate = 0.02
    traffic_support: Rate = 0.05
    account_rebate: Rate = 0.01
    score_weights: dict[Part, Share] = {"basics": 0.25, "development": 0.25, "operations": 0.30, "digital": 0.20}
    miss_line: Annotated[float, Field(ge=0.5, le=1)] = 0.85
    help_after: Annotated[int, Field(ge=1, le=12)] = 2
    exit_after: Annotated[int, Field(ge=2, le=24)] = 4
    corridor: Annotated[float, Field(ge=0.01, le=0.50)] = 0.10
    price_tolerance: Annotated[float, Field(ge=0, le=0.10)] = 0.0
    online: list[str] = []
    demand_days: Annotated[int, Field(ge=1, le=120)] = 30
    online_stock: Share = 0.25
    counts: Counting = {}

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if round(sum(self.score_weights.values()), 9) != 1:
            raise ValueError(f"score_weights sum to {sum(self.score_weights.values()):g}; make them sum to 1")
        starts, rates = [tier[0] for tier in self.tiers], [tier[1] for tier in self.tiers]
        if starts != sorted(set(starts)) or rates != sorted(rates) or any(rate > 0.20 for rate in rates):
            raise ValueError(f"tiers {self.tiers} must rise in attainment and rate, up to a rate of 0.20; correct them")
        if self.exit_after <= self.help_after:
            raise ValueError(f"exit_after {self.exit_after} must be more than help_after {self.help_after}; help comes first")
        return self


__all__ = [
    "PARTNER_FORMATS",
    "QUESTION", "Parameters", "capacity_caps", "carries", "corridors", "demand", "drivers", "health", "incentives",
    "message", "moves", "moving", "online_of", "partners", "rebate", "review", "routed", "scores", "served", "shifts",
    "together", "told_effects", "told_incentives", "told_prices", "traffic", "unknown", "unpriced", "untold",
    "violations", "warning",
]  # fmt: skip
