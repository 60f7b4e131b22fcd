"""Fleets from files: whole or not at all, and every error says where."""

from pathlib import Path

import pytest

from tenure.discovery.fleets import read_fleet
from tenure.resources.problems import Problem, ProblemsFound

OPENB = "sn,cpu_milli,memory_mib,gpu,model\n"


def written(folder: Path, text: str, name: str = "fleet.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def problems(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(ProblemsFound) as found:
        read_fleet(path)
    return found.value.problems


def test_openbs_columns_are_a_fleet(tmp_path: Path) -> None:
    fleet = read_fleet(written(tmp_path, OPENB + "node-0,32000,262144,0,\nnode-1,64000,262144,2,P100\n"))
    assert [machine.name for machine in fleet.machines] == ["node-0", "node-1"]
    assert fleet.site.name == "simulated"
    assert "2 x P100" in fleet.profiles[1].spec.summary


def test_equal_machines_share_a_profile(tmp_path: Path) -> None:
    rows = "".join(f"node-{n},64000,262144,8,H100\n" for n in range(100))
    fleet = read_fleet(written(tmp_path, OPENB + rows))
    assert len(fleet.profiles) == 1
    assert {machine.spec.profile for machine in fleet.machines} == {fleet.profiles[0].name}


def test_places_links_and_power_are_read_where_they_are_written(tmp_path: Path) -> None:
    header = "sn,cpu_milli,memory_mib,gpu,model,rack,row,leaf,island,gpu_power,rated_power,rack_power,hourly_cost\n"
    fleet = read_fleet(written(tmp_path, header + "n,8000,1024,8,H100,rack-7,a,leaf-1,8,700W,10kW,40kW,24 EUR\n"))
    machine = fleet.machines[0]
    assert (machine.spec.rack, machine.spec.row) == ("rack-7", "a")
    assert machine.metadata.labels == {"topology.tenure.dev/leaf": "leaf-1"}
    assert str(machine.spec.rated_power) == "10kW"
    assert [(b.level, b.domain, str(b.power)) for b in fleet.site.spec.budgets] == [("rack", "rack-7", "40kW")]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("node-1,many,1,0,", "cpu_milli"),
        ("node-1,0,1,0,", "cpu_milli"),
        ("node-1,1000,-1,0,", "memory_mib"),
        ("node-1,1000,1,1.5,P100", "gpu"),
        ("node-0,1000,1,0,", "sn"),
        ("Node 1!,1000,1,0,", "sn"),
        ("node-1,1000,nan,0,", "memory_mib"),
    ],
)
def test_a_wrong_cell_names_file_row_and_column(tmp_path: Path, row: str, column: str) -> None:
    path = written(tmp_path, OPENB + f"node-0,1000,1,0,\n{row}\n")
    (problem,) = problems(path)
    assert (problem.source, problem.line, problem.path) == (str(path), 3, column)
    assert f"row 3, column {column}" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        OPENB,
        "sn,cpu_milli\nn,1000\n",
        OPENB.replace("model", "modle") + "n,1000,1,0,\n",
        OPENB + "n,1000,1\n",
        OPENB + 'n,"1000,1,0,\n',
    ],
)
def test_what_is_no_table_of_machines_is_refused(tmp_path: Path, text: str) -> None:
    assert problems(written(tmp_path, text))


def test_a_machine_is_not_rated_below_its_gpus(tmp_path: Path) -> None:
    header = "sn,cpu_milli,memory_mib,gpu,model,gpu_power,rated_power\n"
    assert read_fleet(written(tmp_path, header + "n,8000,1,8,X,700W,5600W\n"))
    found = problems(written(tmp_path, header + "n,8000,1,8,X,700W,1kW\n"))
    assert "row 2, column rated_power: 8 GPUs of 700W draw more than 1kW" in str(found[0])


@pytest.mark.parametrize("column", ["cpu_milli", "gpu", "nics", "numa_nodes"])
def test_more_than_any_machine_has_is_refused_before_it_is_made(tmp_path: Path, column: str) -> None:
    cells = {
        "sn": "n",
        "cpu_milli": "8000",
        "memory_mib": "1",
        "gpu": "8",
        "model": "X",
        "nics": "1",
        "numa_nodes": "1",
    }
    cells[column] = "1000000000"
    found = problems(written(tmp_path, ",".join(cells) + "\n" + ",".join(cells.values()) + "\n"))
    assert f"row 2, column {column}: '1000000000' is beyond" in str(found[0])


def test_manifests_are_a_fleet_too(tmp_path: Path) -> None:
    table = read_fleet(written(tmp_path, OPENB + "node-0,8000,1024,1,L4\n"))
    site = '{"apiVersion":"tenure.dev/v1alpha1","kind":"Site","metadata":{"name":"simulated"},"spec":{"power":"1MW"}}'
    parts = [site, *(obj.model_dump_json(by_alias=True, exclude_none=True) for obj in table.profiles + table.machines)]
    fleet = read_fleet(written(tmp_path, "\n---\n".join(parts), "fleet.yaml"))
    assert str(fleet.site.spec.power) == "1MW"
    assert fleet.profiles == table.profiles


def test_a_manifest_without_its_profile_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    text = (
        "apiVersion: tenure.dev/v1alpha1\nkind: Machine\nmetadata: {name: m}\nspec: {site: simulated, profile: none}\n"
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n"
    )
    found = problems(written(tmp_path, text, "fleet.yaml"))
    assert {problem.code for problem in found} == {"ReferenceNotFound", "UnknownKind"}
    assert all(problem.line for problem in found)
