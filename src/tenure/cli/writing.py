"""`tenure init` and `tenure lint`: a need in ten lines without a hardware word, and a judge of what people write."""

import re
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from tenure.cli import exit_codes
from tenure.cli.failures import Failure, usage
from tenure.cli.files import write_text
from tenure.cli.manifests import read_manifests
from tenure.cli.options import Filename, Output
from tenure.cli.own.outcome import check_output
from tenure.cli.screen import say, say_as
from tenure.cli.typed import typed
from tenure.cli.words import counted
from tenure.resources import Inquiry, Workload
from tenure.resources.documents import parse_documents

TEMPLATE = """\
apiVersion: tenure.dev/v1alpha1
kind: Workload
metadata: {{name: {name}, namespace: default}}
spec:
  inference: {{model: {model}}}
  load: {{requestsPerSecond: {rate:g}, promptTokens: 50, outputTokens: 40}}
  objectives: {{timeToFirstToken: {{p95: 1s}}, interTokenLatency: {{p95: 60ms}}}}
  term: {{duration: 24h}}
"""
# Words of hardware and vendors: a developer states what must be achieved, never on what.
HARDWARE = re.compile(
    r"\b(numa\w*|pcie?\w*|nvlink\w*|rdma|infiniband|roce|socket|core|cores|cpu|cpus|gpu|gpus|vram|hbm|mig|cuda|nvidia|amd|"
    r"intel|h100|h200|b200|gb200|a100|l40s|mi300\w*|epyc|xeon|rail|leaf|rack|switch|thread|threads)\b",
    re.IGNORECASE,
)
NOT_A_DEVELOPERS = ("resources", "topology", "power")


def init(
    name: str = "chat",
    *,
    model: Annotated[str, Parameter(help="A Model's name; see tenure model list.")] = "smollm2-135m-instruct",
    rate: Annotated[float, Parameter(help="Requests a second.")] = 0.25,
    to: Annotated[Path | None, Parameter(name=["--to", "-f"], help="The file; without it the screen.")] = None,
    force: Annotated[bool, Parameter(negative=(), help="Write over a file that is there.")] = False,
    output: Output = "text",
) -> int:
    """Write a need to begin with: at most ten lines, no hardware word."""
    as_json = check_output(output)
    text = TEMPLATE.format(name=name, model=model, rate=rate)
    if to is not None and to.exists() and not force:
        raise usage(f"{to} is there already", "choose another name, or add --force", "FileExists")
    if to is not None:
        write_text("--to", to, text)
    if as_json:
        workload = parse_documents(text)[0].content
        say_as("Written", {"file": str(to) if to else None, "manifest": text, "workload": workload})
    elif to is None:
        say(text.rstrip())
    else:
        say(typed(f"{to}: edit it, then tenure lint -f {to}, tenure ask -f {to}, tenure request -f {to}"))
    return exit_codes.YES


def lint(
    *,
    filename: Filename,
    role: Annotated[
        Literal["developer", "platform"],
        Parameter(help="developer: also no hardware word; platform engineers may be explicit."),
    ] = "platform",
    output: Output = "text",
) -> int:
    """Judge manifests before anybody else does: fields, quantities, and objectives that contradict each other.

    Exits 0 when all is well, 1 when a developer's file speaks of hardware, 2 when a manifest is wrong.
    """
    manifests = read_manifests(filename)
    words = [finding for manifest in manifests for finding in _hardware(manifest.model)] if role == "developer" else []
    if output == "json":
        say_as("Linted", {"manifests": len(manifests), "findings": words})
    elif not words:
        say(f"{counted(len(manifests), 'manifest')}: all is well")
    if words:
        raise Failure(
            f"{counted(len(words), 'hardware word')} in what a developer writes",
            exit_code=exit_codes.NO,
            reason="HardwareWord",
            causes=words,
        )
    return exit_codes.YES


def _hardware(obj: object) -> list[dict[str, str]]:
    if isinstance(obj, Workload):
        spec = obj.spec.to_json()
    elif isinstance(obj, Inquiry):
        spec = obj.spec.workload.to_json()
    else:
        return []
    found = [
        {
            "code": "HardwareWord",
            "path": f"spec.{field}",
            "message": f"{field} speaks of hardware",
            "nextStep": "say what must be achieved (objectives, load); --role platform lets it stand",
        }
        for field in NOT_A_DEVELOPERS
        if field in spec
    ]
    for path, text in _texts({k: v for k, v in spec.items() if k not in NOT_A_DEVELOPERS}, "spec"):
        word = HARDWARE.search(text)
        if word is not None:
            found.append(
                {
                    "code": "HardwareWord",
                    "path": path,
                    "message": f"{word.group()!r} is a hardware or vendor term",
                    "nextStep": "leave it to Tenure to find what keeps the objectives",
                }
            )
    return found


def _texts(value: object, path: str) -> list[tuple[str, str]]:
    """Every text in a need, but the names of models, which may well contain a vendor's."""
    if isinstance(value, dict):
        return [t for k, v in value.items() if k not in ("model", "command") for t in _texts(v, f"{path}.{k}")]
    if isinstance(value, list):
        return [t for i, v in enumerate(value) for t in _texts(v, f"{path}[{i}]")]
    return [(path, value)] if isinstance(value, str) else []
