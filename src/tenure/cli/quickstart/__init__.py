"""`tenure quickstart`: the whole story on this machine, live, told with the ordinary commands and the ordinary API.

Promises: nothing is staged. The model is real, so are requests, interference and the kill; each step prints the command
that a person would type. Refuses: to leave anything behind, unless --keep is said.
"""

import contextlib
import io
import sys
import time
from typing import Annotated

from cyclopts import Parameter

from tenure.cli import exit_codes
from tenure.cli.failures import usage
from tenure.cli.homes import is_empty, make_home, require_own
from tenure.cli.options import Output
from tenure.cli.own.outcome import check_output
from tenure.cli.platforms import must_host
from tenure.cli.quickstart.stage import Stage
from tenure.cli.screen import say_as
from tenure.client import home_directory

FILES_FOLDER = "quickstart"


def quickstart(
    *,
    keep: Annotated[bool, Parameter(negative=(), help="Leave it running afterwards.")] = False,
    short: Annotated[bool, Parameter(negative=(), help="Only as far as contract, refusal and counter-offer.")] = False,
    output: Output = "text",
) -> int:
    """Tell the whole story on this machine: discover, ask, contract, refuse, keep, remedy, control dies, prove.

    It runs in TENURE_HOME (or --home DIR), which must be empty or absent, and takes about a minute and a half once the
    model is here. Everything it started is gone afterwards, unless --keep is said.

    Exits 1 when something that it claims did not hold, and names it. What a busy machine merely could not show is said,
    and is no failure.
    """
    from tenure.cli.quickstart import outcome

    as_json = check_output(output)
    must_host("quickstart")
    home = home_directory()
    require_own(home)
    if home.exists() and not is_empty(home):
        raise usage(
            f"{home} is not empty, and the quickstart begins with nothing",
            f"{sys.argv[0]} --home {home} down --purge, or another --home DIR",
        )
    make_home(home)
    folder = home / FILES_FOLDER  # beside the state: what the shown commands name is there as long as the story is
    folder.mkdir()
    stage = Stage(home=home, folder=folder, whole=not short)
    with contextlib.ExitStack() as silence:
        if as_json:  # its refusals are part of the story, and belong to no error of this command
            silence.enter_context(contextlib.redirect_stdout(io.StringIO()))
            silence.enter_context(contextlib.redirect_stderr(io.StringIO()))
        _tell(stage, keep=keep, short=short)
    broken = outcome.broken(stage.outcomes)
    if as_json:
        told = {"home": str(home), "running": keep, "seconds": round(time.monotonic() - stage.begun, 1)}
        # What could not be shown is not broken, and was not seen to hold either.
        marks = {"broken": bool(broken), "notShown": [one.step for one in outcome.not_shown(stage.outcomes)]}
        say_as("Quickstart", {**told, **marks, "outcomes": [one.to_json() for one in stage.outcomes]})
    return exit_codes.NO if broken else exit_codes.YES


def _tell(stage: Stage, *, keep: bool, short: bool) -> None:
    """The story, step by step."""
    from tenure.cli.quickstart import contract, control, ending, evidence, kept, need, refusal

    try:
        need.discover(stage)
        offer = need.ask(stage)
        name = contract.accept(stage, offer)
        refusal.refuse_and_counter(stage, name)
        if not short:
            kept.keep(stage, name)
            kept.breach_and_remedy(stage, name)
            control.control_dies(stage, name)
            evidence.prove(stage, name)
        ending.what_holds(stage, keep=keep)
    except BaseException:
        if not keep:
            ending.clean(stage)
        raise
