"""The sample company in the hands of a chapter, without running the chain."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from planlib import workbook
from planlib.data.sources import ingest
from planlib.run import params
from planlib.run.chain import CHAPTERS, _mappings
from planlib.run.manifest import run_json
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The run.json of the sample's plan for 2026 as of the end of 2025, its tables read."""
    settings = params.load(ROOT / "params" / "2026Q1.yml")
    ingested, left_out = ingest(_mappings(settings.data), settings.currency, tmp_path_factory.mktemp("inputs"))
    return run_json(settings, ingested, left_out, None)


@pytest.fixture
def open_sample(sample_run: dict[str, Any], tmp_path: Path) -> Callable[..., workbook.Chapter]:
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
        return workbook.open(stem, {**settings["parameters"][stem[3:]], **parameters, "run": str(run)})

    return opened
