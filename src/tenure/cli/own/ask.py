"""`tenure ask`: the question that holds nothing."""

from typing import Annotated

from cyclopts import Parameter

from tenure.cli import exit_codes, failures, screen
from tenure.cli.door import open_door
from tenure.cli.durations import seconds_of
from tenure.cli.manifests import read_one
from tenure.cli.options import HERE, OneFile, Output, Reach
from tenure.cli.own.outcome import ANSWER_CODES, answer_json, check_output, say_answer
from tenure.cli.waiting import waiting
from tenure.client import WaitTimeout
from tenure.resources import Workload


def ask(
    *,
    filename: OneFile,
    timeout: Annotated[str, Parameter(help="How long to wait for the answer.")] = "30s",
    output: Output = "text",
    reach: Reach = HERE,
) -> int:
    """Ask what you would get for a Workload: quotes, a refusal, or the trial that it takes to know.

    Nothing is held, and the Inquiry that carries the question goes with its answer.
    Exits 0 for quotes in full, 6 for lesser ones, 5 for a refusal, 7 where a trial is needed to know.
    """
    as_json = check_output(output)
    patience = seconds_of(timeout)
    manifest = read_one(filename, "Workload")
    assert isinstance(manifest.model, Workload), "read_one saw to it"
    with open_door(reach) as door:
        namespace = manifest.namespace(door.namespace, reach.namespace)
        metadata = manifest.model.metadata.model_copy(update={"namespace": namespace})
        need = manifest.model.model_copy(update={"metadata": metadata})
        try:
            with waiting("asking", quiet=as_json):
                answer = door.client.ask(need, timeout_seconds=patience)
        except WaitTimeout:  # with the question went what could be described
            raise failures.Failure(
                f"nobody answered within {patience:g} s, and the question was taken back",
                exit_code=exit_codes.NO,
                reason="Timeout",
                next_step="wait longer with --timeout; `tenure doctor` says whether the control plane works",
            ) from None
    if as_json:
        screen.say_as("Asked", answer_json(answer, workload=manifest.name, namespace=namespace))
    else:
        say_answer(answer, held=False)
    return ANSWER_CODES[answer.kind]
