"""The committed build belongs to the committed sources, and carries nothing of a machine."""

from __future__ import annotations

from browser.built import ROOT, STAMP, digest


def test_the_build_is_that_of_the_sources() -> None:
    assert STAMP.read_text().strip() == digest(), "run `make labextension` and commit what it wrote"


def test_the_build_names_no_path_and_asks_nobody() -> None:
    for path in (ROOT / "src" / "nbml" / "labextension" / "static").glob("*.js"):
        text = path.read_text()
        assert "/home/" not in text
        assert "cdn." not in text
