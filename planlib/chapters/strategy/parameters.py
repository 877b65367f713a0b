"""The parameters of chapter 01, with the method book's numbers and bounds."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from planlib.chapters.base import ChapterParameters, Share
from planlib.lp.rules import KeptWhole

Count = Annotated[int, Field(ge=0)]
Points = Annotated[float, Field(ge=-0.2, le=0.2, allow_inf_nan=False)]


class Driver(BaseModel):
    """A policy or technology that moves the market: its kind and its effect on the industry's yearly growth (STR-4)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    kind: Annotated[str, Field(pattern="^(policy|technology|economy)$")]
    effect: Points


class Position(BaseModel):
    """Where the company stands in a focus segment, and which target that serves (STR-6)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    proposition: Annotated[str, Field(min_length=1)]
    innovation: str = ""
    target: Annotated[str, Field(min_length=1)]


class Parameters(ChapterParameters):
    """What the year asks for and how its grounds are read (STR-1, STR-2, STR-3)."""

    confirm_growth: bool = False
    growth: Annotated[float, Field(ge=-0.9, le=5, allow_inf_nan=False)] = 0.30
    target: Annotated[float, Field(ge=0, allow_inf_nan=False), *KeptWhole] = 0.0
    damping: Share = 0.5
    usual_error: Annotated[float, Field(ge=0.02, le=0.5)] = 0.15
    confidence: Annotated[float, Field(ge=0.5, le=0.99)] = 0.80
    margin: Share = 0.40
    market_share: Share = 0.0
    new_market_share: Share = 0.15
    marketing_ratio: Annotated[float, Field(gt=0, le=0.5)] = 0.20
    new_leads: Count = 5000
    repurchase_rate: Share = 0.45
    nps_rank: Annotated[float, Field(gt=0, le=1)] = 0.10
    launches: Count = 3
    upgrades: Count = 10
    owner: Annotated[str, Field(min_length=1)] = "Board"
    owners: dict[str, str] = {}
    achievable_from: Share = 0.10
    market_drivers: dict[str, Driver] = {}
    price_band: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    positions: dict[str, Position] = {}
    focus_segments: Annotated[int, Field(ge=1, le=10)] = 3
    departments: dict[str, Share] = {"Sales": 1.0}
    field_department: str = "Sales"
    warn_days: Annotated[int, Field(ge=0, le=366)] = 30
    open_regions: Annotated[int, Field(ge=0, le=100)] = 0
    region_budget: Annotated[float, Field(ge=0, le=1)] = 0.15
    manager_roles: list[str] = ["Regional manager"]
    region_managers: Annotated[int, Field(ge=0, le=20)] = 2
    productivity: Annotated[float, Field(ge=-0.5, le=1)] = 0.10
    pareto: Annotated[float, Field(ge=0.5, le=1)] = 0.80
    most_areas: Annotated[int, Field(ge=3, le=5)] = 5
    benchmarks: dict[str, Share] = {}
    review_days: Annotated[int, Field(ge=1, le=60)] = 10

    @field_validator("growth")
    @classmethod
    def _meant(cls, growth: float, info: ValidationInfo) -> float:
        # `growth: 3` is 300% and most often meant as 3%.
        if growth > 1 and not info.data.get("confirm_growth", False):
            raise ValueError(
                f"expected a share up to 1: write {growth:g}% as {growth / 100:g}, or set `confirm_growth: true` where "
                f"{growth:.0%} over last year is meant"
            )
        return growth

    @field_validator("departments")
    @classmethod
    def _whole(cls, departments: dict[str, float]) -> dict[str, float]:
        if not departments or abs(sum(departments.values()) - 1) > 1e-9:
            raise ValueError(f"departments sum to {sum(departments.values()):g}, expected shares of the target that sum to 1")
        return departments
