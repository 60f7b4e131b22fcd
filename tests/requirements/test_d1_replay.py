"""D1: the same files and seed give the same bytes; another seed, another order."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from tenure.cli.schemas import OUTPUTS
from tests.requirements.fleets import fleet, hopper
from tests.requirements.home import House
from tests.support.data import data_dir


def files(folder: Path) -> tuple[Path, Path]:
    """Two machines, and more work than they carry, without times: the seed orders it."""
    sizes = [1, 8, 2, 4, 8, 1, 3, 2, 8, 5, 1, 6]
    trace = folder / "trace.csv"
    rows = [f"job-{n},4000,8192,{gpus},1000" for n, gpus in enumerate(sizes)]
    trace.write_text("\n".join(("name,cpu_milli,memory_mib,num_gpu,gpu_milli", *rows)) + "\n")
    return fleet(folder / "fleet.csv", hopper("m-0", "rack-0"), hopper("m-1", "rack-1")), trace


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    machines, trace = files(tmp_path)
    home = House(tmp_path / "home")
    first, again = (
        home.must("simulate", machines, trace, "--seed", 1, "--html", tmp_path / f"{name}.html", "-o", "json").out
        for name in "ab"
    )
    assert first == again
    jsonschema_rs.validate(OUTPUTS["Simulation"], json.loads(first))
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert (tmp_path / "a.json").read_text() == first


def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    machines, trace = files(tmp_path)
    House(tmp_path / "home").must("simulate", machines, trace, "--html", tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text()
    assert "src=" not in text
    assert "href=" not in text
    assert text.replace("http://www.w3.org/2000/svg", "").count("http") == 0


def test_twin_another_seed_is_another_history(tmp_path: Path) -> None:
    machines, trace = files(tmp_path)
    home = House(tmp_path / "home")
    runs = [home.must("simulate", machines, trace, "--seed", seed, "-o", "json").json["runs"] for seed in (1, 2)]
    assert runs[0] != runs[1]


def test_what_if_shows_what_changes_side_by_side(tmp_path: Path) -> None:
    machines, trace = files(tmp_path)
    said = House(tmp_path / "home").must("simulate", machines, trace, "--what-if", "add=2", "-o", "json").json
    given, more = said["runs"].values()
    assert more["fleet"]["gpus"] == 2 * given["fleet"]["gpus"]
    assert more["jobs"]["started"] > given["jobs"]["started"]


def test_an_outage_breaks_what_was_promised_and_says_so(tmp_path: Path) -> None:
    machines, _ = files(tmp_path)
    trace = tmp_path / "promised.csv"
    trace.write_text("name,arrival_s,duration_s,members,gpus,deadline_s\nlong,0,3600,2,8,3700\nend,7200,1,1,1,\n")
    said = House(tmp_path / "home").must("simulate", machines, trace, "--what-if", "outage=rack-1@10m", "-o", "json")
    given, failed = json.loads(said.out)["runs"].values()
    assert (given["promises"]["kept"], given["promises"]["broken"]) == (1, 0)
    assert (failed["promises"]["kept"], failed["promises"]["broken"]) == (0, 1)


def test_a_malformed_file_names_itself_its_row_and_its_column(tmp_path: Path) -> None:
    machines, trace = files(tmp_path)
    trace.write_text(trace.read_text().replace("job-3,4000", "job-3,many"))
    said = House(tmp_path / "home").tenure("simulate", machines, trace)
    assert said.code == 2
    assert "trace.csv" in said.err
    assert "row 5, column cpu_milli" in said.err


@pytest.mark.real
def test_a_published_list_is_promised_at_arrival_and_nothing_promised_is_broken(tmp_path: Path) -> None:
    trace = data_dir("chronus-philly") / "trace_job_Philly_SLO.csv"
    machines = fleet(tmp_path / "fleet.csv", *(hopper(f"m-{n:03d}", f"rack-{n // 8}") for n in range(120)))
    said = House(tmp_path / "home").must("simulate", machines, trace, "-o", "json").json
    promises = said["runs"]["as given"]["promises"]
    assert promises["madeAt"] == "arrival"
    assert promises["broken"] == 0
    assert promises["keptShare"] > 0.85
    assert promises["keptGpuTimeShare"] > 0.88
