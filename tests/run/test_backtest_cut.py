"""The cut: what lies in the future cannot be in the files that a past plan reads."""

import pytest

from planlib.errors import InputDataError
from planlib.run import params
from planlib.run.backtest_cut import as_known
from tests.conftest import ROOT


@pytest.mark.parametrize("later", ["c,2025-01-01,North,P,1,9", "d,2025-06-01,West,Q,1,1000\ne,2025-12-31,North,P,1,7"])
def test_the_cut_files_are_the_same_bytes_whatever_comes_later(later, tmp_path):
    (tmp_path / "notebooks").mkdir()
    past = "order_id,date,region,product,quantity,revenue\na,2023-05-01,North,P,1,1\nb,2024-12-31,East,P,1,2\n"
    (tmp_path / "orders.csv").write_text(past + later + "\n")
    (tmp_path / "p.yml").write_text("company: X\nyear: 2026\ncurrency: EUR\ndata: {orders: {file: orders.csv}}\n")
    settings, told = as_known(params.load(tmp_path / "p.yml"), 2025, tmp_path / "cut")
    # by hand: the two lines before 2025-01-01
    text = (tmp_path / "cut" / "orders.csv").read_text().replace('"', "")
    rows = [sorted(line.split(",")) for line in text.split()]  # columns may come in another order
    assert rows == [sorted(line.split(",")) for line in past.split()]
    assert f"{settings.as_of}" == "2024-12-31" and settings.year == 2025 and told == []
    with pytest.raises(InputDataError, match="no order before 2023-01-01"):
        as_known(params.load(tmp_path / "p.yml"), 2023, tmp_path / "cut3")


def test_the_sample_is_cut_and_what_has_no_date_is_named(tmp_path):
    settings, told = as_known(params.load(ROOT / "params" / "2026Q1.yml"), 2025, tmp_path)
    dates = [line.replace('"', "") for line in (tmp_path / "marketing.csv").read_text().splitlines()]
    assert not any("2025-" in line for line in dates)
    assert settings.baseline is None and settings.parameters["product"]["exits"] == {}
    calendar, customers, exits = told[-3:]
    assert "calendar" in calendar and "customers" in customers and "exits of today" in exits
