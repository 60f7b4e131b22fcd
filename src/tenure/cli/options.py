"""Options that many commands share, each with the name that kubectl's users know."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from tenure.cli import completers, failures

CONNECTION = Group("Connection", sort_key=90)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which host, and which namespace of it."""

    namespace: Annotated[
        str | None,
        Parameter(
            name=["--namespace", "-n"],
            group=CONNECTION,
            help="Namespace; without it, the connection's own.",
            completer=completers.namespaces,
        ),
    ] = None
    kubeconfig: Annotated[
        Path | None,
        Parameter(
            name="--kubeconfig", group=CONNECTION, help="Talk to the host of this kubeconfig instead of TENURE_HOME."
        ),
    ] = None
    context: Annotated[str | None, Parameter(name="--context", group=CONNECTION, help="Context of the kubeconfig.")] = (
        None
    )


HERE = Reach()

Objects = Annotated[str, Parameter(completer=completers.objects)]
ContractName = Annotated[str, Parameter(completer=completers.contracts)]

OUTPUT = ("--output", "-o")


def one_of(*formats: str) -> Callable[[Any, str], None]:
    """Whoever takes -o refuses a format that it does not know before it does anything: no other one is taken for it."""

    def check(_type: Any, output: str) -> None:
        if output not in formats:
            known = ", ".join(formats[:-1]) + f" or {formats[-1]}"
            raise failures.usage(f"the output format {output!r} is not known", f"use -o {known}", "UnknownFormat")

    return check


def formats(*known: str) -> Parameter:
    """-o of a command that answers in these formats."""
    words = ", ".join(known[:-1]) + f" or {known[-1]}."
    return Parameter(name=OUTPUT, help=words, validator=one_of(*known), completer=completers.among(*known))


Output = Annotated[str, formats("text", "json")]
OutputOrName = Annotated[str, formats("text", "json", "name")]
ManifestOutput = Annotated[str, formats("text", "json", "yaml", "name")]
Filename = Annotated[
    list[str],
    Parameter(
        name=["--filename", "-f"],
        negative=(),
        allow_leading_hyphen=True,
        help="File, folder or -; may repeat.",
    ),
]
Recursive = Annotated[bool, Parameter(name=["--recursive", "-R"], negative=(), help="Also read the folders below.")]
AllNamespaces = Annotated[bool, Parameter(name=["--all-namespaces", "-A"], negative=(), help="In all namespaces.")]
Selector = Annotated[str, Parameter(name=["--selector", "-l"], help="Label selector, such as app=chat,tier!=test.")]
FieldSelector = Annotated[str, Parameter(name="--field-selector", help="Field selector, such as status.phase=Active.")]
DryRun = Annotated[
    Literal["none", "client", "server"],
    Parameter(
        name="--dry-run",
        help="client judges without asking the host; server asks it to admit without storing.",
    ),
]
DRY_RUN_WORDS = {"none": "", "client": " (dry run)", "server": " (server dry run)"}
"""What follows the words of an outcome."""
Timeout = Annotated[str, Parameter(name="--timeout", help="How long to wait, such as 30s or 2m; 0 looks once.")]

OneFile = Annotated[
    str,
    Parameter(
        name=["--filename", "-f"],
        allow_leading_hyphen=True,
        help="A manifest with one Workload, or -.",
    ),
]
Term = Annotated[str, Parameter(name="--for", allow_leading_hyphen=True, help="For how long, such as 10m or 30d.")]
