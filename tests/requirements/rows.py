"""The table of demands: a proven row names its test, a partial one what is missing. docs/requirements.md is it."""

import re
from dataclasses import dataclass
from typing import Literal

State = Literal["proven", "partly", "not yet"]


@dataclass(frozen=True)
class Row:
    """One demand."""

    id: str
    label: str
    state: State
    tests: tuple[str, ...] = ()  # files in tests/requirements
    missing: str = ""


def row(id: str, label: str, state: State = "not yet", *, test: str = "", missing: str = "") -> Row:
    """A row; `test` names one file, or several with blanks between them."""
    return Row(id, label, state, tuple(test.split()), missing)


ROWS: tuple[Row, ...] = (
    row(
        "A1", "Understand and optimise", "partly", test="test_a1_inventory.py", missing="optimise: use before and after"
    ),
    row("A2", "Silicon to orchestration"),
    row("A3", "Changed by AI, safely"),
    row("A4", "Performance follows hardware"),
    row("A5", "Nothing hidden from those who need it", "proven", test="test_a5_why.py"),
    row(
        "A6",
        "NUMA",
        "partly",
        test="test_a6_pinning.py",
        missing="several memory nodes, GPU and NIC distance, on a machine that has them",
    ),
    row("A7", "PCI lanes"),
    row("A8", "GPU interconnect", "proven", test="test_a8_islands.py"),
    row("B1", "CPUs feed and steer"),
    row("B2", "CPU may win"),
    row("B3", "Bound together, not silos"),
    row("C1", "Data network, both directions"),
    row("C2", "WAN"),
    row("C3", "RDMA"),
    row("C4", "Down to storage"),
    row(
        "D1",
        "GPUs are scarce",
        "partly",
        test="test_d1_replay.py",
        missing="fairness and bounded waiting between teams",
    ),
    row(
        "D2",
        "Power and space are budgets",
        "proven",
        test="test_d2_power.py",
    ),
    row("D3", "Full power, empty floor", "proven", test="test_d3_capacity.py"),
    row("D4", "Dense racks and cooling"),
    row("D5", "Lead times"),
    row("E1", "Data locality", "partly", test="test_e1_residency.py", missing="moving a replica"),
    row("E2", "GDPR, DORA and kin"),
    row("E3", "Where and how models run"),
    row(
        "E4",
        "Availability too",
        "partly",
        test="test_e4_reserve.py",
        missing="a second machine to fail over to: the reserve covers the loss of a core, and not of the host",
    ),
    row("E5", "Provable governance", "proven", test="test_e5_evidence.py"),
    row("E6", "Every agent, model and tool"),
    row("E7", "Three-sided sovereignty"),
    row("E8", "Strict isolation"),
    row("F1", "No minutiae", "proven", test="test_f1_no_minutiae.py"),
    row("F2", "Hide detail, keep control"),
    row("F3", "Predictable without tuning", "proven", test="test_f3_repeat.py"),
    row("F4", "Training and inference on request", "proven", test="test_f4_on_request.py"),
    row("F5", "GPU partitioning"),
    row("F6", "End of life"),
    row("F7", "Portal and API"),
    row("F8", "Catalogue"),
    row("G1", "Four layers", "proven", test="test_g1_layers.py"),
    row(
        "G2",
        "All kinds, both extremes",
        "partly",
        test="test_g2_ten_thousand.py",
        missing="fine-tuning, agents",
    ),
    row("G3", "On premises, cloud, edge"),
    row("G4", "Provisions, monitors, optimises", "partly", test="test_g4_lifecycle.py", missing="optimised"),
    row("G5", "Control apart from data", "proven", test="test_g5_control_dies.py"),
    row("G6", "Templates"),
    row("G7", "Lifecycle upgrades, steady improvement"),
    row("G8", "Not hand-built or brittle"),
    row(
        "G9",
        "Every layer observed",
        "partly",
        test="test_g9_observed.py",
        missing="power and fabric, on a machine that sees them",
    ),
    row("G10", "Performance is mandatory", "proven", test="test_g10_breach.py"),
    row("G11", "Swap layers without rewrite"),
    row("G12", "Sovereignty is won here"),
    row("H1", "Locatable anywhere"),
    row("H2", "Usable anywhere"),
    row("H3", "Secured and observed anywhere"),
    row("H4", "Declare requirements", "proven", test="test_h4_declare.py"),
    row("H5", "Receive guarantees", "proven", test="test_h5_guarantees.py"),
    row("H6", "Predictable response", "proven", test="test_g10_breach.py test_h6_audit.py"),
    row("H7", "Assurance, not illusion", "proven", test="test_h7_sensors.py"),
    row("H8", "Composable and responsive"),
    row("H9", "Fast time to value", "proven", test="test_h9_quickstart.py"),
    row("H10", "Open, evolving, not vendor-gated"),
    row(
        "H11",
        "Where and how they want",
        "partly",
        test="test_e1_residency.py",
        missing="preferring one site of several",
    ),
    row(
        "H12",
        "Scarcity and sovereignty jointly",
        "partly",
        test="test_h12_jointly.py",
        missing="choosing between several sites",
    ),
    row("H13", "Infrastructure they control"),
)


def order(id: str) -> tuple[str, int]:
    """A2 before A10."""
    letter, number = re.fullmatch(r"([A-Z])(\d+)", id).groups()  # type: ignore[union-attr]
    return letter, int(number)


def document() -> str:
    """docs/requirements.md."""
    counts = {state: sum(r.state == state for r in ROWS) for state in ("proven", "partly", "not yet")}
    lines = [
        "# What is demanded, and what is proven",
        "",
        "Made from `tests/requirements/rows.py`; `make requirements` runs every proof with its failing twin.",
        (
            f"Of {len(ROWS)} demands {counts['proven']} are proven, {counts['partly']} partly, "
            f"{counts['not yet']} not yet."
        ),
        "A row is proven only by a test that runs its command, and its twin on a broken input, which must fail for the",
        "reason stated. Where a machine could not run one of them, `make requirements` says `not shown here`, and why.",
        "",
        "| # | Demand | State | Proof | What is missing |",
        "|---|---|---|---|---|",
    ]
    for r in ROWS:
        proof = ", ".join(f"[{file}](../tests/requirements/{file})" for file in r.tests)
        lines.append(f"| {r.id} | {r.label} | {r.state} | {proof} | {r.missing} |")
    return "\n".join(lines) + "\n"
