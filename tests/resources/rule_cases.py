"""Needs that break one rule of several fields each, and others that lie just within it, for both judges of rules."""

from typing import Any

WIRE: dict[str, Any] = {
    "inference": {"model": "m"},
    "load": {"requestsPerSecond": 1},
    "objectives": {"timeToFirstToken": {"p95": "100ms"}},
    "term": {"duration": "10m"},
}
_JOB = {"inference": None, "load": None, "objectives": None, "command": {}, "run": {"command": ["true"]}}
_START, _LATER = "2027-01-01T00:00:00Z", "2027-01-01T01:00:00Z"


def _roles(*names: str, **beside: Any) -> dict[str, Any]:
    return {**_JOB, "resources": {"roles": [{"name": name} for name in names], **beside}}


def _env(**sources: str) -> dict[str, Any]:
    return {**_JOB, "run": {"command": ["true"], "env": [{"name": "A", **sources}]}}


def _gpu(**models: Any) -> dict[str, Any]:
    return {**_JOB, "resources": {"devices": [{"class": "gpu", **models}]}}


def _topology(**rules: Any) -> dict[str, Any]:
    return {**_JOB, "topology": rules}


REFUSED: dict[str, dict[str, Any]] = {
    "two sorts of work": {"command": {}},
    "no way to start": {**_JOB, "run": None},
    "no objective": {"objectives": None},
    "an objective of none": {"objectives": {"outputTokensPerSecond": 0}},
    "no load": {"load": None},
    "an objective of other work": {"objectives": {"timeToFirstToken": {"p95": "1s"}, "completion": {"within": "1h"}}},
    "no requests": {"load": {"requestsPerSecond": 0}},
    "no percentile": {"objectives": {"timeToFirstToken": {}}},
    "a bound of zero": {"objectives": {"timeToFirstToken": {"p95": "0.0s"}}},
    "percentiles that fall": {"objectives": {"timeToFirstToken": {"p50": "1s", "p99": "999ms"}}},
    "a first token after the last": {
        "objectives": {"timeToFirstToken": {"p95": "1.5m"}, "requestLatency": {"p95": "89s"}}
    },
    "two deadlines": {**_JOB, "objectives": {"completion": {"by": _START, "within": "1h"}}},
    "no time to the deadline": {**_JOB, "objectives": {"completion": {"within": "0h"}}},
    "a window too short": {"assurance": {"window": "999ms"}},
    "a window too long": {"assurance": {"window": "5w"}, "term": {"duration": "9w"}},
    "a window beyond the term": {"assurance": {"window": "1d"}, "term": {"duration": "23.5h"}},
    "the usual window beyond the term": {"term": {"duration": "59s"}},
    "a window beyond the end": {"assurance": {"window": "61m"}, "term": {"start": _START, "end": _LATER}},
    "a term that says it twice": {"term": {"start": _START, "duration": "1h", "end": _LATER}},
    "an end before the start": {"term": {"start": _LATER, "end": _START}},
    "a latest start before the start": {"term": {"start": _LATER, "startBy": _START}},
    "a term of nothing": {**_JOB, "term": {"duration": "0s"}},
    "a term beyond the calendar": {**_JOB, "term": {"start": "8900-01-01T00:00:00Z", "duration": "5218w"}},
    "nowhere": {"residency": {"countries": []}},
    "two currencies": {"budget": {"hourlyMax": "1 EUR", "totalMax": "30USD"}},
    "a variable twice": _env(value="a", secret="s/k"),
    "a model twice": _gpu(model="H100", models=["H100"]),
    "roles beside members": _roles("a", members=2),
    "roles beside memory": _roles("a", memory="1Gi"),
    "roles beside devices": _roles("a", devices=[{"class": "gpu"}]),
    "two roles of a name": _roles("a", "b", "a"),
    "a role of the reserve's name": _roles("reserve"),
    "a rule of nothing": _topology(must=[{}]),
    "two rules in one": _topology(prefer=[{"share": "rack", "linkBandwidthMin": "1GB/s"}]),
    "three rules in one": _topology(must=[{"spread": "rack", "linkBandwidthMin": "1GB/s", "numaDistanceMax": 10}]),
    "a most without a spread": _topology(prefer=[{"numaDistanceMax": 10, "membersMax": 2}]),
    "two spreads": _topology(must=[{"spread": "rack"}], prefer=[{"spread": "row"}]),
    "two bandwidths": _topology(must=[{"linkBandwidthMin": "1GB/s"}, {"linkBandwidthMin": "1GB/s"}]),
    "two distances": _topology(prefer=[{"numaDistanceMax": 10}, {"share": "rack"}, {"numaDistanceMax": 20}]),
    "a bandwidth in both forms": _topology(must=[{"linkBandwidthMin": "1GB/s"}], linkBandwidthMin="1GB/s"),
    "a distance in both forms": _topology(must=[{"numaDistanceMax": 10}], numaDistanceMax=20),
    "nearer than by itself": _topology(must=[{"numaDistanceMax": 9}]),
}
TAKEN: dict[str, dict[str, Any]] = {
    "the usual": {},
    "a rate alone": {"load": None, "objectives": {"outputTokensPerSecond": 40}},
    "availability": {"objectives": {"availability": 0.99}},
    "percentiles alike in other units": {"objectives": {"timeToFirstToken": {"p50": "1.1h", "p90": "3960s"}}},
    "a first token that is the last": {
        "objectives": {"timeToFirstToken": {"p95": "1.5m"}, "requestLatency": {"p50": "1s", "p95": "90s"}}
    },
    "units and forms that few write": {
        "objectives": {"timeToFirstToken": {"p50": "1e3us", "p90": " 1 ms", "p95": "+1e0ms", "p99": ".5s"}},
        "assurance": {"window": "1e1s"},
        "term": {"duration": "10 s"},
    },
    "a window as long as the term": {"assurance": {"window": "1d"}, "term": {"duration": "24h"}},
    "a window of a month": {"assurance": {"window": "30d"}, "term": {"duration": "5w"}},
    "a window until the end": {"assurance": {"window": "60m"}, "term": {"start": _START, "end": _LATER}},
    "a term up to the calendar's end": {**_JOB, "term": {"start": "8900-01-01T00:00:00Z", "duration": "5200w"}},
    "the longest term": {**_JOB, "term": {"duration": "15250w"}},
    "a job with a short term": {**_JOB, "term": {"duration": "1s"}},
    "a job by a time": {**_JOB, "objectives": {"completion": {"by": _START}}},
    "a place": {"residency": {"jurisdictions": [], "countries": ["DE"]}},
    "one currency": {"budget": {"hourlyMax": "1 EUR", "totalMax": "30EUR"}},
    "two variables": _env(value="a"),
    "several models": _gpu(models=["H100", "H200"], fraction="500m"),
    "what must be, preferred too": _topology(
        must=[{"linkBandwidthMin": "1GB/s"}, {"numaDistanceMax": 20}, {"share": "rack"}],
        prefer=[{"linkBandwidthMin": "400Gb/s"}, {"numaDistanceMax": 10}, {"spread": "machine", "membersMax": 2}],
    ),
    "what must be in the older form": _topology(
        linkBandwidthMin="1GB/s", numaDistanceMax=10, prefer=[{"linkBandwidthMin": "2GB/s"}, {"numaDistanceMax": 10}]
    ),
    "roles beside what nobody said": _roles("a", "b", members=1, cores=1, devices=[], draws=[]),
}
LET_THROUGH: dict[str, dict[str, Any]] = {
    "part of a device that is none": _gpu(fraction="2"),
    "a window beyond the term, written strangely": {"assurance": {"window": "1e2s"}, "term": {"duration": "60s"}},
}
"""What the validators refuse and no rule in CEL does: it is found Unreadable once it is stored."""


def workload(changes: dict[str, Any]) -> dict[str, Any]:
    """The whole object, as it goes over the wire."""
    spec = {name: value for name, value in (WIRE | changes).items() if value is not None}
    return {"apiVersion": "tenure.dev/v1alpha1", "kind": "Workload", "metadata": {"name": "w"}, "spec": spec}
