"""Our peers beside published curves: a difference that chance explains is allowed, one that it does not is told."""

from pathlib import Path
from typing import Any

from benchmarks.placement.curves import against, read_published, shown


def published(folder: Path, **curves: list[tuple[float, float]]) -> Path:
    rows = [f"lot,0-{policy},{seed},{a},{b}" for policy, seeds in curves.items() for seed, (a, b) in enumerate(seeds)]
    path = folder / "published.csv"
    path.write_text("\n".join(["workload,sc_policy,seed,50,100", *rows]) + "\n")
    return path


def ours(seeds: int, **curves: tuple[float, float]) -> list[dict[str, Any]]:
    policies = {name: {"curve_pct": {"0": 9.0, "50": a, "100": b}} for name, (a, b) in curves.items()}
    return [{"tasks": "lot", "seeds": seeds, "policies": policies}]


def test_every_published_peer_is_compared_at_the_level_that_is_furthest(tmp_path: Path) -> None:
    path = published(tmp_path, FGD=[(50.0, 95.0)], BestFit=[(50.0, 93.0)], Random=[(50.0, 86.0)], DotProd=[(1, 1)])
    told = against(read_published(path), ours(1, fgd=(50.0, 95.2), bestfit=(50.1, 93.0), random=(50.0, 86.0)))["lot"]
    assert sorted(told) == ["bestfit", "fgd", "random"]
    assert (told["fgd"]["level"], round(told["fgd"]["points"], 3)) == (100, 0.2)
    assert all(one["within"] for one in told.values())


def test_what_seeds_vary_by_is_allowed_and_more_seeds_allow_less(tmp_path: Path) -> None:
    path = published(tmp_path, Random=[(50.0, 85.5), (50.0, 86.0), (50.0, 86.5)] * 3)
    few, many = (against(read_published(path), ours(n, random=(50.0, 86.8)))["lot"]["random"] for n in (1, 90))
    assert few["within"]
    assert not many["within"]
    assert many["allowed_points"] < few["allowed_points"]


def test_a_peer_that_is_another_is_said_to_be_beyond_and_pwr_has_no_figures(tmp_path: Path) -> None:
    told = against(read_published(published(tmp_path, FGD=[(50.0, 95.0)] * 9)), ours(9, fgd=(49.0, 95.0)))
    assert "FGD: lot 1.00 at 50 (0.30) BEYOND" in shown(told)
    assert "PWR: its authors published plots" in shown(told)
