"""`tenure edit`: the object in one's editor; what comes back wrong is reopened with the errors on top."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from tenure.cli import failures, requests, screen
from tenure.cli.door import open_door
from tenure.cli.formats import qualified_name
from tenure.cli.options import HERE, Objects, Reach
from tenure.cli.requests import JsonObject
from tenure.cli.targets import one_target
from tenure.cli.three_way import additions, deletions, merged
from tenure.cli.yaml_text import yaml_text
from tenure.client import ApiError
from tenure.resources.documents import decode, parse_documents
from tenure.resources.problems import ProblemsFound

_HEAD = """\
# Edit the object below and save; lines that start with # are left out, an empty file gives up.
"""


def edit(*what: Objects, reach: Reach = HERE) -> None:
    """Edit an object in the editor that TENURE_EDITOR, KUBE_EDITOR, VISUAL or EDITOR names (else vi).

    Parameters
    ----------
    what
        KIND NAME or KIND/NAME.
    """
    target = one_target(what)
    with open_door(reach) as door:
        before = door.get(target.kind, str(target.name))
        before["metadata"].pop("managedFields", None)
        text, trouble = yaml_text(before), ""
        while True:
            written = _edited(_HEAD + _commented(trouble), text)
            if written == text and trouble:
                raise failures.usage("nothing was corrected; the object is as it was", "edit it again", "EditGivenUp")
            if not written.strip() or written == text:
                screen.say("Edit cancelled, no changes made.")
                return
            text = written
            try:
                change = _change(before, text)
                if not change:
                    screen.say("Edit cancelled, no changes made.")
                    return
                after = door.send(requests.patch(target.kind, str(target.name), change, door.namespace))
            except ProblemsFound as found:
                trouble = failures.failure_of(found, ()).to_text()
                continue
            except ApiError as error:
                if error.code not in (400, 403, 409, 422):
                    raise
                trouble = failures.failure_of(error, ()).to_text()
                continue
            screen.say(f"{qualified_name(after)} edited")
            return


def _change(before: JsonObject, text: str) -> JsonObject:
    documents = parse_documents(text)
    if len(documents) != 1:
        raise failures.usage("one object is edited at a time", "keep one document", "OneObject")
    decode(documents[0])
    after = documents[0].content
    change = merged(deletions(before, after, before), additions(after, before))
    if change:
        change.setdefault("metadata", {})["resourceVersion"] = before["metadata"]["resourceVersion"]
    return change


def _edited(head: str, text: str) -> str:
    editors = (os.environ.get(name) for name in ("TENURE_EDITOR", "KUBE_EDITOR", "VISUAL", "EDITOR"))
    editor = next((found for found in editors if found), "vi")
    with tempfile.TemporaryDirectory(prefix="tenure-edit-") as folder:
        path = Path(folder) / "object.yaml"
        path.write_text(head + text)
        try:
            code = subprocess.run([*shlex.split(editor), str(path)], check=False).returncode
        except (OSError, ValueError) as error:  # not installed, or a command line that the shell would refuse as well
            step = "set EDITOR to an editor that is installed"
            raise failures.usage(f"the editor {editor!r} cannot be started: {error}", step, "NoEditor") from None
        if code:
            raise failures.usage(f"the editor {editor!r} ended with {code}; nothing was changed", reason="EditorFailed")
        try:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        except UnicodeDecodeError:
            raise failures.usage("what was edited is no UTF-8 text; nothing was changed", reason="NotUtf8") from None
    return "".join(line for line in lines if not line.startswith("#"))


def _commented(trouble: str) -> str:
    return "".join(f"# {line}\n" for line in trouble.splitlines()) + ("#\n" if trouble else "")
