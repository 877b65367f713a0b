"""A project of three tiny notebooks that import nothing heavy; a file `stop-NN` in the reports folder makes one fail."""

import datetime as dt
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from planlib.run import chain
from planlib.run.params import load
from planlib.run.settings import RunSettings

HERE = Path(__file__).parent
CHAPTERS = ("01-one", "02-two", "03-three")


class One(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    amount: int = Field(default=100, ge=1, le=1000)


class Two(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    share: float = Field(default=0.5, ge=0, le=1)
    since: dt.date | None = None


class Three(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    names: dict[str, int] = {"a": 1}


class Mapping(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    file: str
    columns: dict[str, str] = {}


class TwoOfTheNotebook(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    share: float = Field(default=0.5, ge=0, le=1)


MODELS: dict[str, type[BaseModel]] = {"one": One, "two": Two, "three": Three}
TABLES: tuple[list[str], type[BaseModel]] = (["orders", "regions"], Mapping)
PARAMS = "company: Acme\nyear: 2026\ncurrency: CNY\ndata:\n  orders: {file: ../data/orders.csv}\n"


@dataclass(frozen=True)
class Input:
    parquet: Path
    sha256: str
    rows: int = 1
    control_total: int | None = 100
    notes: tuple[str, ...] = ()


def fingerprint(data: dict[str, Any]) -> dict[str, str]:
    return {table: hashlib.sha256(Path(each["file"]).read_bytes()).hexdigest() for table, each in data.items()}


def ingest(data: dict[str, Any], currency: str, store: Path, changes: Sequence[Any] = ()) -> tuple[dict[str, Input], list[str]]:
    return {table: Input(store / f"{table}.parquet", sha) for table, sha in fingerprint(data).items()}, ["line"]


def summary(path: Path) -> dict[str, Any]:
    return {"digest": hashlib.sha256(path.read_bytes()).hexdigest(), "rows": 1, "total": 100}


def report(folder: Path) -> None:
    (folder / "index.html").write_text("a report")


DOORS = chain.Doors(
    fingerprint=fingerprint, ingest=ingest, months=lambda *_: [], report=report, warm=lambda: None, summary=summary
)


class Heard(chain.Progress):
    def __init__(self) -> None:
        self.said: list[str] = []
        self.states: list[tuple[str, str]] = []

    def chapter(self, stem: str, state: str, seconds: float = 0.0) -> None:
        self.states.append((stem, state))

    def say(self, text: str) -> None:
        self.said.append(text)


@dataclass
class Project:
    root: Path
    heard: Heard = field(default_factory=Heard)

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    def write(self, name: str, text: str) -> Path:
        path = self.root / "params" / name
        path.write_text(text)
        return path

    def load(self, name: str = "q1.yml", **more: Any) -> RunSettings:
        models = MODELS | {"two": TwoOfTheNotebook}
        return load(self.root / "params" / name, models=models, tables=TABLES, **more)

    def run(self, name: str = "q1.yml", **more: Any) -> Path:
        return chain.run(self.load(name), chapters=CHAPTERS, doors=DOORS, preload=("json",), progress=self.heard, **more)

    def stop(self, number: str, fault: str) -> None:
        self.reports.mkdir(exist_ok=True)
        (self.reports / f"stop-{number}").write_text(fault)

    def go_on(self) -> None:
        for path in self.reports.glob("stop-*"):
            path.unlink()

    def executed(self) -> list[str]:
        """The chapters that ran since the last look."""
        log = self.reports / "executed"
        lines = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines


def make_project(root: Path) -> Project:
    for name in ("params", "data"):
        (root / name).mkdir(parents=True)
    shutil.copytree(HERE / "notebooks", root / "notebooks")
    (root / "data" / "orders.csv").write_text("order_id\n1\n")
    project = Project(root)
    project.write("q1.yml", PARAMS)
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "company")


@pytest.fixture
def second_project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "elsewhere" / "a {brace}" / "company")
