"""The reference of the command line, made from its code: `python -m tenure.cli.reference FOLDER` writes both files."""

import json
import sys
from pathlib import Path

from tenure.cli import exit_codes
from tenure.cli.commands import COMMANDS, make_app
from tenure.cli.schemas import ANSWERS, OUTPUTS, WITHOUT_JSON

PAGE = "cli.md"
SCHEMAS = "cli-output.schema.json"

_HEAD = """\
# The command line

Made from the code by `make docs`; change the docstrings there.

Every command takes `--home DIR` anywhere (where all state lives; else `TENURE_HOME`) and, where it answers, `-o json`.
Errors go to standard error: what is wrong, a stable code, where, and what to do; with `-o json` as a `Status` object
with `exitCode` and `nextStep`.

## Exit codes

| code | meaning |
|---|---|
{codes}

## Answers in JSON

Each answer has an `apiVersion` and a `kind`; [{schemas}]({schemas}) holds the schema of each kind.

| command | kinds of answer |
|---|---|
{answers}

"""


def page() -> str:
    """The Markdown page."""
    codes = "\n".join(f"| {code} | {meaning} |" for code, meaning in exit_codes.MEANINGS.items())
    answers = "\n".join(
        [
            *(f"| `{command}` | {', '.join(kinds)} |" for command, kinds in ANSWERS.items()),
            *(f"| `{command}` | none: {reason} |" for command, reason in WITHOUT_JSON.items()),
        ]
    )
    app = make_app(detailed=[command.name for command in COMMANDS])
    # Usage lines begin with how this process was started; the page is about `tenure`, whoever writes it.
    started_as, sys.argv = sys.argv, ["tenure"]
    try:
        body = app.generate_docs(output_format="markdown", heading_level=2)
    finally:
        sys.argv = started_as
    return _HEAD.format(codes=codes, schemas=SCHEMAS, answers=answers) + body.rstrip() + "\n"


def schemas() -> str:
    """The JSON Schemas of what commands answer with -o json, by kind."""
    return json.dumps(OUTPUTS, indent=2, ensure_ascii=False) + "\n"


def main(folder: Path) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_text(page())
    (folder / SCHEMAS).write_text(schemas())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
