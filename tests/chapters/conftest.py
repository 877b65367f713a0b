"""The sample company in the hands of a chapter, without running the chain."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from planlib import workbook
from planlib.data.ingest import ingest
from planlib.data.sources import Tables
from planlib.run import params
from planlib.run.chain import CHAPTERS
from planlib.run.doors import mappings
from planlib.run.manifest import run_json
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The run.json of the sample's plan for 2026 as of the end of 2025, its tables read."""
    settings = params.load(ROOT / "params" / "2026Q1.yml")
    ingested, left_out = ingest(mappings(settings.data), settings.currency, tmp_path_factory.mktemp("inputs"))
    return run_json(settings, ingested, left_out, None)


class Remembered(Tables):
    """The run's tables, each sum of the orders asked of the database only once."""

    def __init__(self, inputs: Mapping[str, Path], known: dict[str, pd.DataFrame]) -> None:
        super().__init__(inputs)
        self.known = known

    def orders(
        self, by: list[str], since: str | None = None, until: str | None = None, groups: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        if groups is not None:
            return super().orders(by, since, until, groups)
        return self._once(f"orders {by} {since} {until}", lambda: super(Remembered, self).orders(by, since, until))

    def customers(self, until: str) -> pd.DataFrame:
        return self._once(f"customers {until}", lambda: super(Remembered, self).customers(until))

    def _once(self, asked: str, answer: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        if asked not in self.known:
            self.known[asked] = answer()
        return self.known[asked].copy()


@pytest.fixture(scope="session")
def known() -> dict[str, pd.DataFrame]:
    return {}


@pytest.fixture
def open_sample(sample_run: dict[str, Any], known: dict[str, pd.DataFrame], tmp_path: Path) -> Callable[..., workbook.Chapter]:
    """Opens a chapter on the sample as a notebook does: `open_sample("02-region", priority={"Zhejiang": 0.5})`.

    Parameters not named take the sample's values. `upstream` is a finished run whose plans and tables are there to start from
    (`sample_reports / "2026Q1"`); `as_of` another last closed day.
    """

    def opened(stem: str, upstream: Path | None = None, as_of: str | None = None, **parameters: Any) -> workbook.Chapter:
        assert stem in CHAPTERS
        settings = json.loads(json.dumps(sample_run))
        if as_of is not None:
            settings["settings"]["as_of"] = as_of
        run = tmp_path / "run"
        if upstream is not None:
            for made in ("plan", "tables"):
                shutil.copytree(upstream / made, run / made, dirs_exist_ok=True)
        run.mkdir(exist_ok=True)
        (run / "run.json").write_text(json.dumps(settings))
        chapter = workbook.open(stem, {**settings["parameters"][stem[3:]], **parameters, "run": str(run)})
        chapter.tables = Remembered(chapter.tables.inputs, known)
        return chapter

    return opened


def once(seen: dict[str, Any], look: Callable[..., Any]) -> Callable[..., Any]:
    """`look`, each set of parameters only once for a module's tests: `seen` is the module's, since fixtures begin anew."""

    def at(**words: Any) -> Any:
        if str(words) not in seen:
            seen[str(words)] = look(**words)
        return seen[str(words)]

    return at
