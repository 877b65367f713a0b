"""The numbers of chapter 02, each within the bounds of the method book."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from planlib.chapters.base import Counting, Share, SplitParameters

Maturity = Literal["incubating", "growing", "mature"]
Part = Literal["base", "incentive", "risk reserve"]
Rank = Literal["manager", "supervisor", "specialist"]
Rivals = Literal["share", "coverage", "price"]
Uplift = Annotated[float, Field(ge=0.30, le=0.50)]
Factor = Annotated[float, Field(gt=0, le=3)]
Heads = Annotated[int, Field(ge=0, le=200)]

PARTS: tuple[Part, ...] = ("base", "incentive", "risk reserve")
RANKS: tuple[Rank, ...] = ("manager", "supervisor", "specialist")


class Parameters(SplitParameters):
    """What the region chapter may be told (REG-1 to REG-8)."""

    potential_weight: Share = 0.25
    reach_weight: Share = 0.10
    dormant_months: Annotated[int, Field(ge=1, le=36)] = 6
    dormant_counts: Share = 0.40
    competition_weight: Share = 0.50
    rival_parts: dict[Rivals, Share] = {"share": 0.5, "coverage": 0.3, "price": 0.2}
    priority: dict[str, Uplift] = {}
    over_line: Annotated[float, Field(ge=1.0, le=2.0)] = 1.05
    over_uplift: Annotated[float, Field(ge=0.15, le=0.20)] = 0.15
    under_line: Annotated[float, Field(ge=0.0, le=1.0)] = 0.90
    maturity: dict[Maturity, Factor] = {"incubating": 0.8, "growing": 1.0, "mature": 1.2}
    newcomer_line: Share = 0.40
    newcomer_cut: Annotated[float, Field(ge=0.0, le=0.30)] = 0.10
    newcomer_months: Annotated[int, Field(ge=1, le=36)] = 12
    span_most: Annotated[int, Field(ge=3, le=20)] = 8
    capacity_rule: Literal["off", "soft", "hard"] = "off"
    roles: dict[str, Rank] = {"Regional manager": "manager", "Supervisor": "supervisor", "Specialist": "specialist"}
    base_share: Annotated[float, Field(ge=0.40, le=0.80)] = 0.60
    incentive_share: Annotated[float, Field(ge=0.10, le=0.50)] = 0.30
    risk_share: Annotated[float, Field(ge=0.0, le=0.20)] = 0.10
    pool_exceptions: dict[str, dict[Part, Share]] = {}
    release_from: Annotated[float, Field(ge=0.5, le=1.0)] = 0.80
    release_full: Annotated[float, Field(ge=0.8, le=1.5)] = 1.00
    class_a_share: Share = 0.30
    pattern_a: dict[Rank, Heads] = {"manager": 1, "supervisor": 3, "specialist": 15}
    pattern_b: dict[Rank, Heads] = {"manager": 1, "supervisor": 5, "specialist": 10}
    full_tools_share: Share = 0.30
    counts: Counting = {}

    @model_validator(mode="after")
    def _parts_are_whole(self) -> Self:
        pools = {"base_share, incentive_share and risk_share": [self.base_share, self.incentive_share, self.risk_share]}
        pools |= {f"pool_exceptions of {name}": list(parts.values()) for name, parts in self.pool_exceptions.items()}
        pools |= {"rival_parts": list(self.rival_parts.values())}
        for name, parts in pools.items():
            if round(sum(parts), 9) != 1:
                raise ValueError(f"{name} sum to {sum(parts):.3f}, expected 1; correct them")
        short = sorted(name for name, parts in self.pool_exceptions.items() if set(parts) != set(PARTS))
        if short:
            raise ValueError(f"pool_exceptions of {short}: expected each of {list(PARTS)}; state all three")
        if self.release_from > self.release_full:
            raise ValueError("release_from lies above release_full; the incentive is released from the lower to the higher")
        return self
