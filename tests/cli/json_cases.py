"""Command lines, by where they are run, and the kind of their answer: every command that answers in JSON has one."""

from dataclasses import dataclass

from tenure.cli.schemas import ANSWERS

# Where `chat` holds contract chat-3f2a1c, in the namespace of the test.
IN_A_NAMESPACE = {
    "get wl chat": "Object",
    "get wl": "List",
    "describe wl chat": "Described",
    "apply -f -": "Applied",
    "create -f - --dry-run=client": "Applied",
    "delete wl chat --dry-run=server": "Applied",
    "patch wl chat -p {}": "Object",
    "label wl chat a=b": "Object",
    "annotate wl chat a=b": "Object",
    "diff -f -": "Difference",
    "wait wl/chat --for=create": "Waited",
    "logs chat": "Logs",
    "events": "List",
    "config view": "ConfigView",
    "config kubeconfig": "Kubeconfig",
    "config current-context": "Context",
    "config get-contexts": "Contexts",
    "config use-context tenure": "Context",
    "version": "Version",
    "ask -f -": "Asked",
    "request -f -": "Requested",
    "request -f - --no-wait": "Requested",
    "accept chat-3f2a1c": "Accepted",
    "renew chat": "Renewal",
    "end chat": "Ended",
    "trial -f - --for 10m": "Trialled",
    "why chat": "Why",
    "why contract/chat-3f2a1c": "Why",
    "env chat": "Environment",
    "status": "StatusReport",
    "observe coverage": "Coverage",
    "observe request traced-1": "RequestTrace",
    "contract repeat chat": "Repeated",
    "doctor": "Checkup",
    "model list": "Models",
    "model show smollm2-135m-instruct": "ModelFile",
    "model fetch own": "Fetched",
    "price show": "Prices",
    "price set laptop none": "Price",
    "site show": "Sites",
    "site assert local --country DE --by Somebody": "SiteLocation",
    "inventory show": "ObservedMachines",
    "inventory show laptop": "ObservedMachine",
    "ledger show local": "Holds",
    "ledger check local": "Recount",
}
# Those that need somebody to answer them, or leave another contract, object or context than they found.
CHANGING = (
    "apply -f -",
    "patch wl chat -p {}",
    "label wl chat a=b",
    "annotate wl chat a=b",
    "config use-context tenure",
    "ask -f -",
    "request -f -",
    "request -f - --no-wait",
    "accept chat-3f2a1c",
    "renew chat",
    "end chat",
    "trial -f - --for 10m",
)
# On the same host, by commands that take no namespace.
ON_THE_HOST = {
    "explain workload.spec": "Explanation",
    "api-resources": "ApiResources",
    "backup {folder}/backup": "Backup",
    "get wl nobody": "Status",
    "bogus": "Status",
    "apply -f /dev/null": "Status",
}
# Where there is no host. {folder} is empty, but for what the place has put there.
WITHOUT_A_HOST = {
    "init chat": "Written",
    "init chat --to {folder}/chat.yaml": "Written",
    "lint -f -": "Linted",
    "lint -f {folder}/hardware.yaml --role developer": "Linted",
    "inventory scan --no-try": "ObservedMachine",
    "inventory lint {folder}/machine.json": "InventoryGaps",
    "simulate {folder}/fleet.csv {folder}/trace.csv": "Simulation",
    "capacity --fleet {folder}/fleet.csv": "Capacity",
    "restore {folder}/backup": "Restored",
    "down": "Stopped",
}
# Where a contract's evidence is at hand, exported as b.jsonl, with key.pem and a checkpoint beside it.
WITH_EVIDENCE = {
    "contract audit chat-abc": "Audit",
    "evidence show": "EvidenceLog",
    "evidence show chat-abc": "Statements",
    "evidence show --public-key": "PublicKey",
    "evidence show --history": "KeyHistory",
    "evidence show --checkpoint": "Checkpoint",
    "evidence export chat-abc --to {folder}/c.jsonl": "ExportedEvidence",
    "evidence verify {folder}/b.jsonl --public-key {folder}/key.pem": "Verification",
    "evidence verify {folder}/damaged.jsonl --public-key {folder}/key.pem": "Verification",
    "evidence rotate": "SigningKey",
}
# Tier `real`: starts processes.
STARTING = {"up": "Plane", "down --purge --yes": "Stopped"}

# Where each step of the story is told in a line.
TOLD = {"quickstart": "Quickstart", "quickstart --keep --short": "Quickstart"}


@dataclass(frozen=True)
class Answered:
    """A command and one of its kinds of answer."""

    command: str
    kind: str


def all_answered() -> set[Answered]:
    """What the tables above run."""
    places = (IN_A_NAMESPACE, ON_THE_HOST, WITHOUT_A_HOST, WITH_EVIDENCE, STARTING, TOLD)
    return {Answered(command_of(line), kind) for lines in places for line, kind in lines.items()}


def command_of(line: str) -> str:
    """The command of a line: its first two words where they name one, else the first."""
    words = line.split()
    pair = " ".join(words[:2])
    return pair if pair in ANSWERS else words[0]
