"""One region, product, channel and customer: nothing can be split, and yet there is a plan that ties out."""

import itertools
import os

import pandas as pd
import pytest

from planlib import plan as tables
from planlib.periods import months
from tests.conftest import copy_project, planlib

pytestmark = pytest.mark.slow

PARAMS = """\
company: Solo
year: 2026
currency: EUR
as_of: 2025-12-31
data: {orders: {file: orders.csv}}
strategy:
  growth: 0.1
  positions: {Hotels: {proposition: clean water in every room, target: Revenue}}
"""


def test_one_of_everything_is_planned(tmp_path):
    project = copy_project(tmp_path / "project")
    lines = ["order_id,date,region,product,channel,customer,quantity,revenue"]
    lines += [f"{number},{month}-15,North,Filter,Web,C1,1,100.00" for number, month in enumerate(months(2025, 1))]
    (project / "params" / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (project / "params" / "solo.yml").write_text(PARAMS, encoding="utf-8")
    ended = planlib("run", "params/solo.yml", cwd=project, env={**os.environ, "PYTHONPATH": str(project)})
    assert ended.code == 0, ended.err

    run = project / "reports" / "solo"
    stems = ["01-strategy", "02-region", "03-product", "04-channel", "05-time", "06-customer"]
    plans = {stem: pd.read_parquet(run / "plan" / f"{stem}.parquet") for stem in stems}
    assert plans["01-strategy"]["amount"].tolist() == [132_000]  # 12 x 100.00 + 10%
    for parent, child in itertools.pairwise(stems):
        assert tables.residuals(plans[parent], plans[child]).empty
    # Segments by industry cannot be known from orders alone: a position in one is left out, and said.
    assert "Hotels" in (run / "index.html").read_text(encoding="utf-8")
