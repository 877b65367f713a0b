"""The command line: answers on standard output, all else on standard error, documented exit codes."""

import yaml

from tests.conftest import planlib


def test_params_prints_what_is_in_force():
    ended = planlib("params", "params/2026Q2.yml", "--as-of", "2026-06-30")
    shown = yaml.safe_load(ended.out)

    assert ended.code == 0 and ended.err == ""
    assert str(shown["as_of"]) == "2026-06-30"
    assert shown["region"]["maturity"] == {"incubating": 0.8, "growing": 1.0, "mature": 1.2}  # a default
    assert shown["region"]["priority"]["Zhejiang"] == 0.4  # from the file it extends
    assert shown["baseline"] == "2026Q1.yml"


def test_usage_faults_end_with_2():
    for words in (["run"], ["plan"], ["run", "params/none.yml"], ["run", "params/2026Q2.yml", "--as-of", "yesterday"]):
        ended = planlib(*words)
        assert ended.code == 2, words
        assert ended.out == "" and "Traceback" not in ended.err


def test_an_unknown_run_cannot_be_audited(tmp_path):
    ended = planlib("audit", "1999Q1", "--reports", tmp_path)

    assert ended.code == 2 and "1999Q1" in ended.err


def test_a_run_prints_the_report_and_nothing_else(sample_reports):
    ended = planlib("run", "params/2026Q2.yml", "--reports", sample_reports, "--quiet")

    assert ended.code == 0 and ended.err == ""
    assert ended.out == str(sample_reports / "2026Q2" / "index.html")
