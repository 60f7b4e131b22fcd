"""Residency: may this need run at this site? Pure, and never relaxed by a counter-offer.

A location is asserted by someone and carries that name; where nobody has asserted one, the answer is no, with the
command that asserts it.
"""

from dataclasses import dataclass

from tenure.placement import Constraint
from tenure.resources import Site
from tenure.resources.kinds.contract import PolicyDecision
from tenure.resources.kinds.objectives import Residency
from tenure.resources.kinds.workload import WorkloadSpec

# Member states of the European Union, ISO 3166-1 alpha-2; source: Publications Office of the EU, country list, 2020-02.
EU_CODES = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
EU = frozenset(EU_CODES.split())
# The European Economic Area: the EU and the EFTA states party to the Agreement (Iceland, Liechtenstein, Norway).
EEA = EU | {"IS", "LI", "NO"}
JURISDICTIONS = {"EU": EU, "EEA": EEA}


@dataclass(frozen=True, slots=True)
class ResidencyVerdict:
    """Whether the site may serve, the rule and the facts that it rests on, and the next step where it may not."""

    allowed: bool
    rule: str
    fact: str
    reason: str = ""  # a code of resources.reasons when not allowed
    next_step: str = ""

    def decision(self) -> PolicyDecision:
        """What goes into the contract."""
        return PolicyDecision(
            allowed=self.allowed, rules=[self.rule] if self.rule else [], facts=[self.fact] if self.fact else []
        )


def judge_residency(residency: Residency | None, site: Site) -> ResidencyVerdict:
    """Judge one need against one site."""
    location = site.spec.location
    if residency is None:
        return ResidencyVerdict(True, "", "")
    wanted = [*residency.jurisdictions, *residency.countries]
    rule = f"residency: {', '.join(wanted)}"
    if location is None:
        return ResidencyVerdict(
            False,
            rule,
            f"nobody has asserted where site {site.name} stands",
            "LocationUnknown",
            f'tenure site assert {site.name} --country CC --by "WHO SAYS SO"',
        )
    fact = f"site {site.name} stands in {location.country}, as {location.asserted_by} says ({location.trust})"
    within = location.country in residency.countries or any(
        location.country in JURISDICTIONS[name] for name in residency.jurisdictions
    )
    if within:
        return ResidencyVerdict(True, rule, fact)
    return ResidencyVerdict(
        False, rule, fact, "PolicyForbids", "offer capacity there: `tenure get sites` shows which stand where"
    )


def residency_constraints(spec: WorkloadSpec, site: Site) -> tuple[Constraint, ...]:
    """Residency as a constraint of policy: it removes every machine of a site that may not serve."""
    if spec.residency is None:
        return ()
    verdict = judge_residency(spec.residency, site)
    return (
        Constraint(
            id=verdict.rule,
            imposed_by="workload policy",
            machines=None if verdict.allowed else frozenset(),
            policy=True,
            hint="" if verdict.allowed else f"{verdict.fact}; {verdict.next_step}",
        ),
    )
