"""A share written in percent is told so, with the share it should be (cases README, 12 percent-as-3)."""

from pathlib import Path

import pytest

from planlib.errors import ParameterError
from planlib.run.params import load

HEAD = "company: Acme\nyear: 2026\ncurrency: EUR\nas_of: 2025-12-31\ndata:\n  orders: {file: orders.csv}\n"


def read(folder: Path, text: str):
    (folder / "notebooks").mkdir(exist_ok=True)
    (folder / "params").mkdir(exist_ok=True)
    path = folder / "params" / "a.yml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("strategy: {growth: 3}\n", ["a.yml:7", "strategy.growth", "write 3% as 0.03", "confirm_growth: true"]),
        ("strategy: {growth: 12}\n", ["strategy.growth", "write 12% as 0.12"]),
        ("strategy: {growth: 12, confirm_growth: true}\n", ["write 12% as 0.12"]),
        ("strategy: {margin: 40}\n", ["strategy.margin", "write 40% as 0.4"]),
        ("strategy: {departments: {Sales: 60, Service: 0.4}}\n", ["departments.Sales", "write 60% as 0.6"]),
        ("region: {over_line: 105}\n", ["region.over_line", "write 105% as 1.05"]),
        ("channel: {corridor: 5}\n", ["channel.corridor", "write 5% as 0.05"]),
        ("time: {alert_line: 95}\n", ["time.alert_line", "write 95% as 0.95"]),
        ("region: {rules: [{name: North, where: {region: North}, min: 30}]}\n", ["North", "write 30% as 0.3"]),
    ],
)
def test_a_number_meant_in_percent_is_told(tmp_path, text, told):
    with pytest.raises(ParameterError) as caught:
        read(tmp_path, text)

    assert all(word in str(caught.value) for word in told), str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "strategy: {most_areas: 12}\n",  # a count
        "region: {newcomer_cut: 40}\n",  # 40% is out of range too
        "strategy: {margin: -0.4}\n",
        "strategy: {margin: true}\n",
    ],
)
def test_other_faults_get_no_such_advice(tmp_path, text):
    with pytest.raises(ParameterError) as caught:
        read(tmp_path, text)

    assert "%" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "growth"),
    [("{growth: 1}", 1.0), ("{growth: 0.03}", 0.03), ("{growth: 3, confirm_growth: true}", 3.0)],
)
def test_a_growth_up_to_twice_or_confirmed_is_taken(tmp_path, text, growth):
    assert read(tmp_path, f"strategy: {text}\n").parameters["strategy"]["growth"] == growth
