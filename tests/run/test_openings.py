"""Openings and closings of a params file: read strictly, told by line, and kept in the manifest's header as they were."""

import json

import pytest

from planlib.run.params import load
from planlib.run.settings import RunSettings
from tests.run.test_params import HEAD, params, refused, written

__all__ = ["params"]  # a fixture

OPENING = "openings:\n  - {region: East, like: North, at: 0.3, from: 2026-04, ramp: 6, owner: CEO}\n"


def test_they_are_read_and_come_back_from_the_header(params):
    settings = load(written(params, HEAD + OPENING + "closings:\n  - {product: Lamp, region: West, last: 2026-03}\n"))
    header = json.loads(json.dumps(settings.header()))

    assert header["openings"] == [{"region": "East", "like": "North", "at": 0.3, "from": "2026-04", "ramp": 6, "owner": "CEO"}]
    assert header["closings"] == [{"product": "Lamp", "region": "West", "last": "2026-03"}]
    again = RunSettings(
        **{**header, "as_of": settings.as_of}, run="a", data=settings.data, parameters=settings.parameters,
        source=settings.source, files=(), root=settings.root,
    )  # fmt: skip
    assert again.openings == settings.openings and again.closings == settings.closings and again.header() == settings.header()
    assert settings.openings[0].first == "2026-04" and settings.closings[0].name == "Lamp in West"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("openings:\n  - {region: East, like: North, fro: 2026-04}\n", ["a.yml:8", "openings.0.fro"]),
        ("openings:\n  - {region: East, at: 0.3}\n", ["a.yml:8", "name that member"]),
        ("openings:\n  - {region: East, share: 5}\n", ["a.yml:8", "share", "5"]),
        ("openings:\n  - {region: East, like: North, from: 2027-04}\n", ["a.yml:8", "2027-04", "2026-12"]),
        (OPENING + "  - {region: East, amount: 5}\n", ["a.yml:9", "twice"]),
        ("closings:\n  - {last: 2026-03}\n", ["a.yml:8", "name the member that closes"]),
        ("closings:\n  - {region: West}\n", ["closings.0.last", "is missing"]),
        ("closing:\n  - {region: West, last: 2026-03}\n", ["closing", "closings"]),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(params, text, words):
    message = refused(written(params, HEAD + text))
    for word in words:
        assert word in message
