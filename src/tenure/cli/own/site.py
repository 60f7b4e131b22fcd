"""`tenure site`: where a site stands, as somebody asserts it. No hardware proves geography."""

from typing import Annotated, Any

from cyclopts import App, Parameter

from tenure.cli import completers, exit_codes, failures, screen
from tenure.cli.door import open_door, readable
from tenure.cli.options import HERE, Output, Reach
from tenure.cli.own.outcome import check_output
from tenure.quantities import SystemClock, format_instant
from tenure.resources import Site
from tenure.resources.countries import CODES, wrong_code
from tenure.resources.kinds.site import Location

app = App(name="site", help="Where sites stand, as somebody asserts it.", help_format="plaintext")
TRUSTS = ("declared", "contracted", "audited")


@app.command(name="assert")
def assert_location(
    site: Annotated[str, Parameter(completer=completers.sites)],
    *,
    country: Annotated[str, Parameter(help="ISO 3166-1 code, such as DE.")],
    by: Annotated[str, Parameter(help="The person or body who says so.")],
    region: Annotated[str | None, Parameter(help="A region or city within the country.")] = None,
    trust: Annotated[str, Parameter(help="declared, contracted or audited.")] = "declared",
    output: Output = "text",
    reach: Reach = HERE,
) -> None:
    """Assert where a site stands; residency is judged by it, and contracts say who asserted it.

    Parameters
    ----------
    site
        The site, such as local.
    """
    as_json = check_output(output)
    if trust not in TRUSTS:
        raise failures.usage(f"--trust {trust!r} is not known", f"one of {', '.join(TRUSTS)}")
    if country.upper() not in CODES:
        wrong = wrong_code(country)
        path = "spec.location.country"
        raise failures.Failure(
            f"--country {wrong}",
            exit_code=exit_codes.USAGE,
            reason="UnknownCountry",
            next_step=f"`tenure explain site.{path}` says what is written there",
            causes=[{"code": "UnknownCountry", "path": path, "message": wrong}],
        )
    if not by.strip():
        raise failures.usage("--by names nobody", "write --by NAME", "InvalidValue")
    location: dict[str, Any] = {
        "country": country.upper(),
        "region": region,
        "assertedBy": by,
        "assertedAt": format_instant(SystemClock().now_ms() // 1000 * 1000),
        "trust": trust,
    }
    with open_door(reach) as door:
        changed = door.client.patch(Site, site, {"spec": {"location": location}})
    if as_json:
        screen.say_as("SiteLocation", _json(changed))
    else:
        screen.say(f"site {site} stands in {_words(changed.spec.location)}")


@app.command
def show(*, output: Output = "text", reach: Reach = HERE) -> None:
    """Show where each site stands and who says so."""
    as_json = check_output(output)
    with open_door(reach) as door:
        sites = readable(door.client.list(Site))
    if as_json:
        screen.say_as("Sites", {"items": [_json(site) for site in sites]})
        return
    screen.say_table(("Site", "Stands in"), [(site.name, _words(site.spec.location)) for site in sites])


def _words(location: Location | None) -> str:
    if location is None:
        return "unknown: nobody has asserted it"
    place = f"{location.country}, {location.region}" if location.region else location.country
    at = f" at {format_instant(int(location.asserted_at))}" if location.asserted_at is not None else ""
    return f"{place} ({location.trust} by {location.asserted_by}{at})"


def _json(site: Site) -> dict[str, Any]:
    location = site.spec.location.to_json() if site.spec.location else None
    return {"site": site.name, "location": location}
