"""The rules of several fields in CEL, for a Kubernetes that knows nothing of this package: twins of the validators.

A rule lets through what it cannot read (`1e3s`, ` 5 s`): the validators judge it, and a rule may never refuse what they
take. `tests/resources/test_crds_in_kubernetes.py` puts the same objects before both.
"""

from tenure.quantities.grammar import SECONDS
from tenure.resources.base import CelRule

_NS = {unit: float(seconds * 10**9) for unit, seconds in SECONDS.items()}
_PLAIN = rf"^[0-9]+([.][0-9]+)?({'|'.join(_NS)})$"
_RATE = "(has(self.objectives.{0}) && self.objectives.{0} > 0.0)"
_RATES = f"{_RATE.format('outputTokensPerSecond')} || {_RATE.format('requestsPerSecond')}"
_PERCENTILES = ("p50", "p90", "p95", "p99")


def _plain(text: str) -> str:
    """Whether a duration is written as most are: digits and a unit."""
    return f"{text}.matches('{_PLAIN}')"


def _ns(text: str) -> str:
    """A plain duration in nanoseconds. CEL's own `duration` knows neither days nor weeks."""
    units = ", ".join(f"'{unit}': {size}" for unit, size in _NS.items())
    return f"int(double({text}.find('[0-9.]+')) * {{{units}}}[{text}.find('[a-z]+')] + 0.5)"


def _above_zero(text: str) -> str:
    return f"{text}.matches('[1-9]')"


def _list(*named: tuple[str, str]) -> str:
    """Those values whose condition holds, as one list."""
    return "(" + " + ".join(f"({condition} ? [{value}] : [])" for condition, value in named) + ")"


_BOUNDS = _list(*((f"has(self.{p})", f"self.{p}") for p in _PERCENTILES))
LATENCY = (
    CelRule("has(self.p50) || has(self.p90) || has(self.p95) || has(self.p99)", "name at least one percentile"),
    CelRule(f"{_BOUNDS}.all(b, {_above_zero('b')})", "a bound of zero is one that nothing can keep"),
    CelRule(
        f"{_BOUNDS}.filter(b, {_plain('b')}).map(b, {_ns('b')}).isSorted()",
        "a lower percentile is never slower than a higher one",
    ),
)

COMPLETION = (
    CelRule("has(self.by) != has(self.within)", "name exactly one of by and within"),
    CelRule(f"!has(self.within) || {_above_zero('self.within')}", "within is above zero"),
)

_BOTH = _list(
    *(
        (
            f"has(self.timeToFirstToken.{p}) && has(self.requestLatency.{p})",
            f"[self.timeToFirstToken.{p}, self.requestLatency.{p}]",
        )
        for p in _PERCENTILES
    )
)
OBJECTIVES = (
    CelRule(
        f"!has(self.timeToFirstToken) || !has(self.requestLatency) || {_BOTH}.all(b, !b.all(x, {_plain('x')}) || "
        f"b.map(x, {_ns('x')}).isSorted())",
        "no percentile of timeToFirstToken is above the same of requestLatency: the first token is part of the request",
    ),
)

LOAD = (CelRule("self.requestsPerSecond > 0.0", "nothing is promised under no load: requestsPerSecond is above 0"),)

ASSURANCE = (
    CelRule(
        f"!has(self.window) || !{_plain('self.window')} || ({_ns('self.window')} >= {int(_NS['s'])} && "
        f"{_ns('self.window')} <= {30 * int(_NS['d'])})",
        "a window is at least 1s and at most 30d long",
    ),
)

RESIDENCY = (
    CelRule(
        "(has(self.jurisdictions) && self.jurisdictions.size() > 0) || "
        "(has(self.countries) && self.countries.size() > 0)",
        "name jurisdictions or countries, or leave residency out",
    ),
)

_YEAR_8999_S = 221_844_700_800
TERM = (
    CelRule("!(has(self.start) && has(self.duration) && has(self.end))", "of start, duration and end two say it all"),
    CelRule("!has(self.start) || !has(self.end) || self.end > self.start", "end is after start"),
    CelRule("!has(self.start) || !has(self.startBy) || self.startBy >= self.start", "startBy is not before start"),
    CelRule(f"!has(self.duration) || {_above_zero('self.duration')}", "duration is above zero"),
    CelRule(
        "[has(self.start) ? int(self.start) : 0, has(self.startBy) ? int(self.startBy) : 0, "
        f"has(self.end) ? int(self.end) : 0].max() + (has(self.duration) && {_plain('self.duration')} ? "
        f"{_ns('self.duration')} / {int(_NS['s'])} : 0) <= {_YEAR_8999_S}",
        "a term ends before the year 9000",
    ),
)

BUDGET = (
    CelRule(
        "!has(self.hourlyMax) || !has(self.totalMax) || "
        "self.hourlyMax.find('[A-Z]{3}') == self.totalMax.find('[A-Z]{3}')",
        "write both in one currency, none is converted",
    ),
)

_WINDOW = "(has(self.assurance) && has(self.assurance.window) ? self.assurance.window : '60s')"
_NO_TERM = "!has(self.inference) || !has(self.term)"
INFERENCE = (
    CelRule(
        "!has(self.inference) || (has(self.objectives) && (has(self.objectives.timeToFirstToken) || "
        "has(self.objectives.interTokenLatency) || has(self.objectives.timePerOutputToken) || "
        f"has(self.objectives.requestLatency) || has(self.objectives.availability) || {_RATES}))",
        "inference needs an objective, for example objectives: {timeToFirstToken: {p95: 1s}}",
    ),
    CelRule(
        f"!has(self.inference) || has(self.load) || (has(self.objectives) && ({_RATES}))",
        "a latency is promised under a load: name load: {requestsPerSecond: 0.25, promptTokens: 50, outputTokens: 40}",
    ),
    CelRule(
        "!has(self.inference) || !has(self.objectives) || !(has(self.objectives.samplesPerSecond) || "
        "has(self.objectives.stepTime) || has(self.objectives.completion) || has(self.objectives.startLatency))",
        "samplesPerSecond, stepTime, completion and startLatency do not apply to inference",
    ),
    CelRule(
        f"{_NO_TERM} || !has(self.term.duration) || [{_WINDOW}].all(w, !{_plain('w')} || "
        f"!{_plain('self.term.duration')} || {_ns('w')} <= {_ns('self.term.duration')})",
        "assurance.window is at most the term, or none would ever be judged",
    ),
    CelRule(
        f"{_NO_TERM} || !has(self.term.start) || !has(self.term.end) || [{_WINDOW}].all(w, !{_plain('w')} || "
        # CEL reads instants as whole seconds: what differs by less than one is let through.
        f"{_ns('w')} / {int(_NS['s'])} <= (self.term.end - self.term.start).getSeconds())",
        "assurance.window is at most the term, or none would ever be judged",
    ),
)

ENV = (CelRule("!(has(self.value) && has(self.secret))", "give a variable a value or a secret, not both"),)

DEVICES = (CelRule("!(has(self.model) && has(self.models))", "give model or models, not both"),)

ROLES = (
    CelRule(
        "!has(self.roles) || !(has(self.membersMin) || has(self.sizes) || has(self.memory) || has(self.localDisk) || "
        "has(self.network) || (has(self.members) && self.members != 1) || (has(self.cores) && self.cores != 1) || "
        "(has(self.devices) && self.devices.size() > 0) || (has(self.draws) && self.draws.size() > 0))",
        "with roles, each role says what its members take",
    ),
    CelRule(
        "!has(self.roles) || self.roles.all(r, r.name != 'reserve' && self.roles.exists_one(t, t.name == r.name))",
        "each role has a name of its own, and none is called reserve",
    ),
)

TOPOLOGY_RULE = (
    CelRule(
        "[has(self.share), has(self.spread), has(self.linkBandwidthMin), has(self.numaDistanceMax)]"
        ".exists_one(said, said)",
        "name exactly one of share, spread, linkBandwidthMin and numaDistanceMax",
    ),
    CelRule("!has(self.membersMax) || has(self.spread)", "membersMax goes with spread"),
)


def _at_most_one(field: str) -> CelRule:
    """At most one rule with this field in either list; the older form of one in `must`, beside it, is one, too."""
    must, prefer = (
        f"(has(self.{where}) ? self.{where}.filter(r, has(r.{field})).size() : 0)" for where in ("must", "prefer")
    )
    one = f"{must} + (has(self.{field}) ? 1 : 0) <= 1 && {prefer} <= 1"
    return CelRule(one, f"must and prefer name {field} once each")


TOPOLOGY = (
    CelRule(
        "(has(self.must) ? self.must.filter(r, has(r.spread)).size() : 0) + "
        "(has(self.prefer) ? self.prefer.filter(r, has(r.spread)).size() : 0) <= 1",
        "members are spread over one level; leave one rule with spread",
    ),
    _at_most_one("linkBandwidthMin"),
    _at_most_one("numaDistanceMax"),
)
