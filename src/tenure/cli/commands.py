"""The table of commands: each name, where its code is (imported only when it runs), one line of help, and its group."""

from collections.abc import Collection
from dataclasses import dataclass
from importlib.util import find_spec

from cyclopts import App, Group

import tenure
from tenure.cli import exit_codes

OBJECTS = Group("Objects (as kubectl does it)", sort_key=30)
PROMISES = Group("Promises", sort_key=10)
HOST = Group("This machine", sort_key=20)
OTHER = Group("Other", sort_key=40)


@dataclass(frozen=True, slots=True)
class Command:
    """One command or group of commands."""

    name: str
    target: str  # module:attribute
    help: str
    group: Group


COMMANDS: tuple[Command, ...] = (
    Command("init", "tenure.cli.writing:init", "Write a need to begin with, in ten lines.", PROMISES),
    Command("lint", "tenure.cli.writing:lint", "Judge what you wrote before you ask.", PROMISES),
    Command("ask", "tenure.cli.own.ask:ask", "Ask what you would get; holds nothing.", PROMISES),
    Command("request", "tenure.cli.own.request:request", "State a need and get held offers.", PROMISES),
    Command("accept", "tenure.cli.own.accept:accept", "Accept a held offer; wait for its contract.", PROMISES),
    Command("status", "tenure.cli.own.status:status", "What holds: promised beside measured.", PROMISES),
    Command("why", "tenure.cli.own.why:why", "Why the answer is what it is: what binds, by numbers.", PROMISES),
    Command("env", "tenure.cli.own.env:env", "Print a contract's endpoint and key for the shell.", PROMISES),
    Command("renew", "tenure.cli.own.contracts:renew", "Ask for an offer that continues a contract.", PROMISES),
    Command("end", "tenure.cli.own.contracts:end", "End a contract before its term.", PROMISES),
    Command("trial", "tenure.cli.own.trial:trial", "Measure longer, to be surer.", PROMISES),
    Command("contract", "tenure.cli.audit:app", "Audit a contract from its evidence.", PROMISES),
    Command("observe", "tenure.cli.observe:app", "Which layer is seen by what, and how fresh.", PROMISES),
    Command("evidence", "tenure.cli.evidence:app", "Export and verify what verdicts rest on.", PROMISES),
    Command("quickstart", "tenure.cli.quickstart:quickstart", "The whole story on this machine, live.", HOST),
    Command("up", "tenure.cli.running:up", "Start Tenure on this machine.", HOST),
    Command("down", "tenure.cli.running:down", "Stop Tenure on this machine.", HOST),
    Command("doctor", "tenure.cli.own.doctor:doctor", "What works here, what does not, and why.", HOST),
    Command("inventory", "tenure.cli.inventory:app", "The hardware as Tenure sees it.", HOST),
    Command("model", "tenure.cli.own.models:app", "Models: list, show, fetch.", HOST),
    Command("site", "tenure.cli.own.site:app", "Assert where a site stands.", HOST),
    Command("price", "tenure.cli.own.price:app", "Declare what a machine costs.", HOST),
    Command("capacity", "tenure.cli.own.capacity:show", "What a site can still carry, and what binds.", HOST),
    Command("simulate", "tenure.cli.simulate:simulate", "Run a trace on a fleet, in virtual time.", HOST),
    Command("ledger", "tenure.cli.ledger:app", "Recount what is held.", HOST),
    Command("backup", "tenure.cli.keeping:backup", "Copy its state into one file, while it runs.", HOST),
    Command("restore", "tenure.cli.keeping:restore", "Put a backup into an empty home, and recount it.", HOST),
    Command("get", "tenure.cli.verbs.get:get", "Show objects.", OBJECTS),
    Command("describe", "tenure.cli.verbs.describe:describe", "Show objects in full, with events.", OBJECTS),
    Command("apply", "tenure.cli.verbs.apply:apply", "Make objects as manifests say.", OBJECTS),
    Command("create", "tenure.cli.verbs.apply:create", "Create objects from manifests.", OBJECTS),
    Command("delete", "tenure.cli.verbs.delete:delete", "Delete objects and wait until they are gone.", OBJECTS),
    Command("edit", "tenure.cli.verbs.edit:edit", "Edit an object in your editor.", OBJECTS),
    Command("patch", "tenure.cli.verbs.change:patch", "Change some fields of an object.", OBJECTS),
    Command("label", "tenure.cli.verbs.change:label", "Set or take away labels.", OBJECTS),
    Command("annotate", "tenure.cli.verbs.change:annotate", "Set or take away annotations.", OBJECTS),
    Command("diff", "tenure.cli.verbs.diff:diff", "Show what apply would change.", OBJECTS),
    Command("wait", "tenure.cli.verbs.wait:wait", "Wait for a condition, a value or a deletion.", OBJECTS),
    Command("logs", "tenure.cli.verbs.logs:logs", "Show what a contract's work printed.", OBJECTS),
    Command("events", "tenure.cli.verbs.events:events", "Show what happened.", OBJECTS),
    Command("explain", "tenure.cli.verbs.explain:explain", "Say what a kind's fields mean.", OBJECTS),
    Command("api-resources", "tenure.cli.verbs.about:api_resources", "List the kinds.", OBJECTS),
    Command("config", "tenure.cli.verbs.config:app", "Where state lives; the kubeconfig for kubectl.", OTHER),
    Command("version", "tenure.cli.verbs.about:version", "Show versions.", OTHER),
    Command("completion", "tenure.cli.verbs.completion:completion", "Complete commands in bash, zsh or fish.", OTHER),
)

_EPILOGUE = (
    "Every command takes --home DIR (where all state lives; else TENURE_HOME) and, where it answers, -o json.\n"
    "Exit codes: " + "; ".join(f"{code} {text}" for code, text in exit_codes.MEANINGS.items()) + "."
)


def make_app(detailed: Collection[str] = ()) -> App:
    """The application with every command that this installation has; none of their code is imported yet.

    `detailed` commands are described by their own docstrings, which only their code knows; the others by one line.
    """
    app = App(
        name="tenure",
        help="A guaranteed hold on infrastructure for AI workloads.",
        help_format="plaintext",
        help_epilogue=_EPILOGUE,
        version=tenure.__version__,
        version_flags=["--version"],
        group_commands=OTHER,
        group_parameters=Group("Options", sort_key=50),
    )
    for command in COMMANDS:
        if _is_here(command.target):
            # Groups of commands are one object a process; what it says of itself must not depend on who asked before.
            one_line = command.name not in detailed or command.target.endswith(":app")
            about = {"help": command.help} if one_line else {}
            app.command(command.target, name=command.name, group=command.group, **about)
    app["--help"].group = app["--version"].group = (OTHER,)
    return app


def _is_here(target: str) -> bool:
    return find_spec(target.partition(":")[0]) is not None
