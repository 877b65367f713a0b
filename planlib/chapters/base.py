"""What the parameters of all chapters share."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from planlib.lp.rules import Lock, Rule

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class ChapterParameters(BaseModel):
    """Strict: an unknown name, a wrong type or a value out of range is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Counting = dict[str, Literal["evidence", "stated"]]


class SplitParameters(ChapterParameters):
    """A chapter that splits a plan level also takes `rules` and `locks` that limit the split."""

    rules: list[Rule] = []
    locks: list[Lock] = []
