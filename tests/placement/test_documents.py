"""What is exported is documented, and the example runs by itself."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import tenure.placement

ROOT = Path(__file__).resolve().parents[2]


def test_every_export_is_on_the_reference_page() -> None:
    page = (ROOT / "docs/reference/placement.md").read_text()
    missing = [name for name in tenure.placement.__all__ if name not in page]
    assert missing == []


def test_the_reasons_on_the_page_are_the_ones_in_the_code() -> None:
    page = (ROOT / "docs/reference/placement.md").read_text()
    source = "".join(path.read_text() for path in (ROOT / "src/tenure/placement").glob("*.py"))
    reasons = {line.split('"')[1] for line in source.splitlines() if line.startswith("REASON_")}
    assert reasons
    assert [reason for reason in sorted(reasons) if f"`{reason}`" not in page] == []


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples/placement.py"))
    said = capsys.readouterr().out
    assert "counter-offer: {'less': 14} at 0" in said
    assert "power" in said
    assert "pair, without a choice: {'rack-7'}" in said
    assert "pair, with it: {'rack-8'}" in said
