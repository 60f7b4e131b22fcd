"""The table of kinds: names, scope, columns. Discovery, routes, CRDs, OpenAPI, completion and the CLI come from it."""

from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from tenure.resources.group import GROUP, VERSION

if TYPE_CHECKING:
    from tenure.resources.base import ApiObject


@dataclass(frozen=True, slots=True)
class Column:
    """One printer column: `path` is a JSONPath below the object, as in a CRD; `wide` ones show with -o wide only."""

    name: str
    path: str
    type: str = "string"  # string | integer | number | boolean | date
    wide: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of the API. `controllers_only`: users read it, the controllers alone write it."""

    kind: str
    plural: str
    group: str = GROUP
    version: str = VERSION
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    status_subresource: bool = True
    controllers_only: bool = False
    categories: tuple[str, ...] = ("tenure",)
    columns: tuple[Column, ...] = field(default=())

    @property
    def model(self) -> "type[ApiObject]":
        """The class of its objects, which has the kind's name; built on first use, because tables need none."""
        found: type[ApiObject] = getattr(import_module("tenure.resources"), self.kind)
        return found

    @property
    def singular(self) -> str:
        """The lower-case kind, as kubectl spells it."""
        return self.kind.lower()

    @property
    def api_version(self) -> str:
        """group/version, or the version alone for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version


AGE = Column("Age", ".metadata.creationTimestamp", "date")


def _core(kind: str, plural: str, *short: str, **more: object) -> Kind:
    defaults: dict[str, object] = {"group": "", "version": "v1", "status_subresource": False, "categories": ()}
    return Kind(kind=kind, plural=plural, short_names=short, **{**defaults, **more})  # type: ignore[arg-type]


KINDS: tuple[Kind, ...] = (
    Kind(
        "Workload",
        "workloads",
        short_names=("wl",),
        columns=(
            Column("Phase", ".status.phase"),
            Column("Contract", ".status.contract"),
            Column("Endpoint", ".status.endpoint", wide=True),
            AGE,
        ),
    ),
    Kind(
        "Inquiry",
        "inquiries",
        short_names=("inq",),
        columns=(Column("Phase", ".status.phase"), Column("Answer", ".status.answer.kind"), AGE),
    ),
    Kind(
        "Offer",
        "offers",
        short_names=("of",),
        controllers_only=True,
        columns=(
            Column("Workload", ".spec.workload.name"),
            Column("Phase", ".status.phase"),
            Column("Full", ".spec.meetsInFull", "boolean"),
            Column("Machine", ".spec.machine", wide=True),
            Column("Starts", ".spec.hold.start"),
            Column("Expires", ".spec.expiresAt"),
            Column("Price/h", ".spec.price.hourly", wide=True),
            AGE,
        ),
    ),
    Kind(
        "Contract",
        "contracts",
        short_names=("ct",),
        controllers_only=True,
        columns=(
            Column("Workload", ".spec.workload.name"),
            Column("Phase", ".status.phase"),
            Column("Verdict", ".status.verdict"),
            Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            Column("Machine", ".spec.machine", wide=True),
            Column("Reserve", ".status.reserve.state", wide=True),
            Column("Credit %", ".status.credit.percent", "integer", wide=True),
            Column("Endpoint", ".status.endpoint", wide=True),
            Column("Ends", ".spec.term.end"),
            AGE,
        ),
    ),
    Kind(
        "Site",
        "sites",
        namespaced=False,
        columns=(
            Column("Country", ".spec.location.country"),
            Column("Generation", ".status.ledger.generation", "integer"),
            Column("Cores", ".status.cores", "integer"),
            Column("Held", ".status.coresHeld", "integer"),
            Column("GPUs", ".status.gpus", "integer"),
            Column("GPUs held", ".status.gpusHeld", "integer"),
            AGE,
        ),
    ),
    Kind(
        "Machine",
        "machines",
        short_names=("mc",),
        namespaced=False,
        columns=(
            Column("Site", ".spec.site"),
            Column("State", ".status.state"),
            Column("Cores", ".status.cores", "integer"),
            Column("Memory", ".status.memory"),
            Column("Profile", ".spec.profile", wide=True),
            Column("Cost/h", ".spec.hourlyCost", wide=True),
            AGE,
        ),
    ),
    Kind(
        "HardwareProfile",
        "hardwareprofiles",
        short_names=("hp",),
        namespaced=False,
        columns=(Column("Summary", ".spec.summary"), AGE),
    ),
    Kind(
        "Engine",
        "engines",
        short_names=("eng",),
        namespaced=False,
        columns=(
            Column("Type", ".spec.type"),
            Column("Site", ".spec.site"),
            Column("Reachable", ".status.reachable", "boolean"),
            AGE,
        ),
    ),
    Kind(
        "Model",
        "models",
        namespaced=False,
        columns=(
            Column("Format", ".spec.format"),
            Column("Size", ".spec.size"),
            Column("Licence", ".spec.licence"),
            AGE,
        ),
    ),
    Kind(
        "Runtime",
        "runtimes",
        short_names=("rt",),
        namespaced=False,
        columns=(Column("Type", ".spec.type"), Column("Version", ".spec.version"), AGE),
    ),
    _core(
        "Namespace",
        "namespaces",
        "ns",
        namespaced=False,
        status_subresource=True,
        columns=(Column("Status", ".status.phase"), AGE),
    ),
    _core(
        "Event",
        "events",
        "ev",
        columns=(
            Column("Last Seen", ".lastTimestamp", "date"),
            Column("Type", ".type"),
            Column("Reason", ".reason"),
            Column("Object", ".involvedObject.name"),
            Column("Message", ".message"),
        ),
    ),
    _core("Secret", "secrets", columns=(Column("Type", ".type"), AGE)),
    _core("Lease", "leases", group="coordination.k8s.io", columns=(Column("Holder", ".spec.holderIdentity"), AGE)),
)


@cache
def kind_of(model: "type[ApiObject]") -> Kind:
    """The registry row of a model class."""
    return next(k for k in KINDS if k.kind == model.__name__)


@cache
def kind_named(name: str) -> Kind | None:
    """Look a kind up as a user may spell it: kind, plural, singular, short name, or plural.group; None when unknown."""
    wanted = name.lower()
    for kind in KINDS:
        spellings = {
            kind.plural,
            kind.singular,
            *kind.short_names,
            f"{kind.plural}.{kind.group}",
            f"{kind.singular}.{kind.group}",
        }
        if wanted in spellings:
            return kind
    return None


@cache
def kind_at(group: str, version: str, plural: str) -> Kind | None:
    """The kind behind a path of the API; None when there is none."""
    return next((k for k in KINDS if (k.group, k.version, k.plural) == (group, version, plural)), None)


@cache
def kind_for(api_version: str, kind: str) -> Kind | None:
    """The kind that a manifest names; None when unknown."""
    return next((k for k in KINDS if (k.api_version, k.kind) == (api_version, kind)), None)
