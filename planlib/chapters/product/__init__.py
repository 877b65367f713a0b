"""03 product: life-cycle stage, portfolio and launches from data, and what each asks of the plan (PRD-1 to PRD-3)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from planlib.chapters.base import Counting, Share, SplitParameters
from planlib.chapters.product.goals import collected, of_quadrants, of_stages, readable, sentence, verdict
from planlib.chapters.product.launches import of_launches, says_none, won_by
from planlib.chapters.product.portfolio import floors_and_caps, matrix, planned, positions, says_own
from planlib.chapters.product.stages import drivers, on_sale, replayed, says, stages, starts, told_effects

QUESTION = "Which product carries how much, given where it stands in its life?"
Stage = Literal["introduction", "growth", "maturity", "decline"]
Factor = Annotated[float, Field(ge=0, le=3)]
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2]|P(0[1-9]|1[0-3]))$")]


class Parameters(SplitParameters):
    introduction_months: Annotated[int, Field(ge=1, le=36)] = 12
    growth_line: Annotated[float, Field(ge=0, le=2)] = 0.15
    decline_line: Annotated[float, Field(ge=-1, le=0)] = -0.10
    silent_months: Annotated[int, Field(ge=1, le=12)] = 3
    stage_factor: dict[Stage, Factor] = {"introduction": 1.2, "growth": 1.05, "maturity": 1.0, "decline": 0.95}
    exits: dict[str, Month] = {}
    reach: Annotated[float, Field(ge=0.05, le=1)] = 0.30
    quarter_growth: Annotated[float, Field(ge=0, le=1)] = 0.15
    acquisition_cut: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    longer_life: Annotated[int, Field(ge=0, le=36)] = 6
    growth_cut: Annotated[float, Field(ge=-0.10, le=0.50)] = 0.10
    share_cut: Annotated[float, Field(ge=0.2, le=3)] = 1.0
    use_portfolio: bool = True
    portfolio_hard: bool = False
    portfolio_penalty: Annotated[float, Field(ge=0.1, le=100)] = 1.0
    star_share: Annotated[float, Field(ge=0, le=0.80)] = 0.40
    star_growth: Annotated[float, Field(ge=0, le=1)] = 0.25
    star_marketing: Annotated[float, Field(ge=0.20, le=0.80)] = 0.50
    cow_share: Annotated[float, Field(ge=0, le=0.80)] = 0.35
    cow_margin: Annotated[float, Field(ge=0, le=0.50)] = 0.10
    question_months: Annotated[int, Field(ge=3, le=24)] = 6
    dog_share: Annotated[float, Field(ge=0, le=0.50)] = 0.05
    dog_months: Annotated[int, Field(ge=1, le=12)] = 3
    stop_loss: Annotated[float, Field(ge=-0.50, le=0.30)] = 0.0
    overhead: Annotated[float, Field(ge=0, le=0.60)] = 0.0
    core_channels: Share = 0.80
    launch_months: Annotated[int, Field(ge=1, le=12)] = 3
    converted: Annotated[float, Field(ge=0.01, le=0.50)] = 0.05
    payback_months: Annotated[int, Field(ge=1, le=24)] = 6
    ltv_over_cac: Annotated[float, Field(ge=1, le=10)] = 3.0
    feedback: Annotated[int, Field(ge=10, le=100_000)] = 1000
    improvements: Annotated[int, Field(ge=0, le=20)] = 2
    counts: Counting = {}

    @model_validator(mode="after")
    def _floors_leave_room(self) -> Self:
        if self.star_share + self.cow_share > 1:
            raise ValueError(f"star_share {self.star_share} and cow_share {self.cow_share} exceed the whole; lower one")
        return self


__all__ = [
    "QUESTION", "Parameters", "collected", "drivers", "floors_and_caps", "matrix", "of_launches", "of_quadrants",
    "of_stages", "on_sale", "planned", "positions", "readable", "replayed", "says", "says_none", "says_own", "sentence",
    "stages", "starts", "told_effects", "verdict", "won_by",
]  # fmt: skip
