"""JSON Schemas of what the commands answer with -o json, by the `kind` of the answer, and which command answers what.

Promises: every command of the table is here or says why not; an answer has the members of its schema and no others.
Objects of the API are open here; `tenure explain` and the OpenAPI document say what is in them.
"""

from tenure.cli.schemas.books import BOOKS
from tenure.cli.schemas.commands import ANSWERS, ERROR, WITHOUT_JSON
from tenure.cli.schemas.machine import MACHINE
from tenure.cli.schemas.objects import OBJECTS
from tenure.cli.schemas.parts import Schema
from tenure.cli.schemas.promises import PROMISES

OUTPUTS: dict[str, Schema] = {**OBJECTS, **PROMISES, **MACHINE, **BOOKS}

__all__ = ["ANSWERS", "ERROR", "OUTPUTS", "WITHOUT_JSON", "Schema"]
