"""Pages in a real browser without a network: nothing is fetched, nothing complains, and what they show is the JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenure.cli.audit.page import page as audit_page
from tenure.cli.main import run
from tenure.cli.simulate.figures import FIGURES
from tests.requirements.test_h6_audit import story
from tests.support.browser import Page, offline_page

pytestmark = pytest.mark.real
HEADER = "sn,cpu_milli,memory_mib,gpu,model,rack,gpu_power,rated_power"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with offline_page(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six machines and work with deadlines, as given and with more machines while a rack fails."""
    folder = tmp_path_factory.mktemp("report")
    machines = [f"m-{n},96000,2097152,8,H100,rack-{n // 2},700W,10.2kW" for n in range(6)]
    (folder / "fleet.csv").write_text("\n".join((HEADER, *machines)) + "\n")
    jobs = [f"job-{n},{n * 600},3600,{4 + n % 13},1,{n * 600 + 5400 if n % 3 else ''}" for n in range(40)]
    (folder / "trace.csv").write_text("\n".join(("name,arrival_s,duration_s,members,gpus,deadline_s", *jobs)) + "\n")
    what_if = ["--what-if", "add=2", "--what-if", "outage=rack-1@1h"]
    html = folder / "report.html"
    assert run(["simulate", str(folder / "fleet.csv"), str(folder / "trace.csv"), *what_if, "--html", str(html)]) == 0
    return html


def told_of(report: Path) -> list[dict[str, Any]]:
    return list(json.loads(report.with_suffix(".json").read_text())["runs"].values())


def move_to(browser: Page, place: int) -> None:
    browser.js(f"at.value = {place}; at.dispatchEvent(new Event('input'))")


def cells(browser: Page, run_number: int) -> str:
    """What the map shows, in the letters of the JSON."""
    each = "i.classList.contains('x') ? 'x' : i.style.getPropertyValue('--full')"
    return str(browser.js(f"[...document.querySelectorAll('#map{run_number} .cells i')].map(i => {each}).join('')"))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_opens_offline_at_any_width_and_complains_of_nothing(
    browser: Page, report: Path, width: int, dark: bool
) -> None:
    browser.open(report, width=width, dark=dark)
    assert browser.js("document.documentElement.scrollWidth") <= width, "only the table scrolls sideways"
    paper = browser.js("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") is not dark
    assert browser.complaints == []
    assert {address for address in browser.fetched if not address.startswith("file:")} <= {"about:blank"}


def test_the_figures_are_those_of_the_json(browser: Page, report: Path) -> None:
    browser.open(report)
    rows = browser.js("[...figures.rows].slice(1).map(row => [...row.cells].map(cell => cell.textContent))")
    assert rows == [[label, *(value(run) for run in told_of(report))] for label, value in FIGURES]


def test_the_slider_moves_the_map_the_readings_and_the_line_in_the_curves(browser: Page, report: Path) -> None:
    browser.open(report)
    given, changed = told_of(report)
    longest = max((given, changed), key=lambda run: run["series"][-1]["atMs"])["series"]
    seen, lines = set(), set()
    for place in (0, len(longest) // 3, 2 * len(longest) // 3, len(longest) - 1):
        move_to(browser, place)
        for number, told in enumerate((given, changed)):
            point = [p for p in told["series"] if p["atMs"] <= longest[place]["atMs"]][-1]
            assert cells(browser, number) == point["map"]
            read = browser.js(f"document.getElementById('read{number}').textContent")
            assert read.startswith(f"{point['gpus']:g} of {told['fleet']['gpus']} GPUs, ")
            assert read.endswith(f"{point['running']} running, {point['waiting']} waiting")
        seen.add(cells(browser, 0))
        lines.add(browser.js("document.querySelector('.now').getAttribute('x1')"))
    assert len(seen) > 2
    assert len(lines) == 4
    assert "x" in cells(browser, 1), "the rack that failed stays failed"
    assert browser.complaints == []


def test_the_slider_is_moved_by_keys(browser: Page, report: Path) -> None:
    browser.open(report)
    browser.js("at.focus()")
    before = browser.js("+at.value")
    key = {"key": "ArrowRight", "code": "ArrowRight", "windowsVirtualKeyCode": 39}
    browser.call("Input.dispatchKeyEvent", type="keyDown", **key)
    browser.call("Input.dispatchKeyEvent", type="keyUp", **key)
    assert browser.js("+at.value") == before + 1


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_an_audit_opens_offline_at_any_width(browser: Page, tmp_path: Path, width: int, dark: bool) -> None:
    path = tmp_path / "audit.html"
    path.write_text(audit_page(story("kkbbukk")), encoding="utf-8")
    browser.open(path, width=width, dark=dark)
    assert browser.js("document.querySelectorAll('rect').length") == 7
    drawn = browser.js("[...document.querySelectorAll('rect')].map(bar => getComputedStyle(bar).fill)")
    assert len(set(drawn)) == 3, "three verdicts, three colours"
    assert browser.js("document.documentElement.scrollWidth") <= width
    assert browser.complaints == []
