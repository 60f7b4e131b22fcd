"""`tenure api-resources` and `version`: what is served, and by whom."""

from typing import Annotated, Any

from cyclopts import Parameter

import tenure
from tenure.cli import screen
from tenure.cli.door import open_door
from tenure.cli.options import HERE, Output, OutputOrName, Reach
from tenure.client import ApiError
from tenure.resources import KINDS


def api_resources(
    *,
    namespaced: Annotated[
        bool | None, Parameter(help="Only kinds that live in namespaces, or only those that do not.")
    ] = None,
    api_group: Annotated[str | None, Parameter(help="Only kinds of this group; empty for the core group.")] = None,
    output: OutputOrName = "text",
) -> None:
    """List the kinds that Tenure knows; works without a host."""
    kinds = [
        kind
        for kind in KINDS
        if (namespaced is None or kind.namespaced is namespaced) and (api_group is None or kind.group == api_group)
    ]
    match output:
        case "json":
            screen.say_as(
                "ApiResources",
                {
                    "items": [
                        {
                            "name": kind.plural,
                            "shortNames": list(kind.short_names),
                            "apiVersion": kind.api_version,
                            "namespaced": kind.namespaced,
                            "kind": kind.kind,
                            "writtenBy": "Tenure" if kind.controllers_only else "users",
                        }
                        for kind in kinds
                    ],
                },
            )
        case "name":
            for kind in kinds:
                screen.say(f"{kind.plural}.{kind.group}" if kind.group else kind.plural)
        case _:
            rows = [(k.plural, ",".join(k.short_names), k.api_version, k.namespaced, k.kind) for k in kinds]
            table = [[cell if cell != "" else " " for cell in row] for row in rows]
            screen.say_table(("Name", "Shortnames", "APIVersion", "Namespaced", "Kind"), table)


def version(
    *,
    client: Annotated[bool, Parameter(negative=(), help="Ask no host.")] = False,
    output: Output = "text",
    reach: Reach = HERE,
) -> None:
    """Show the versions of this command and of the host; a host that does not answer is no error."""
    host: dict[str, Any] | None = None
    silence = ""
    if not client:
        try:
            with open_door(reach) as door:
                host = door.client.version()
        except ApiError as error:
            silence = str(error)
    if output == "json":
        answer: dict[str, Any] = {"clientVersion": tenure.__version__}
        screen.say_as(
            "Version",
            answer | ({"serverVersion": host} if host else {}) | ({"silence": silence} if silence else {}),
        )
        return
    screen.say(f"Client Version: {tenure.__version__}")
    if host:
        screen.say(f"Server Version: {host.get('gitVersion', 'unknown')}")
    elif silence:
        screen.note(f"No host: {silence}")
