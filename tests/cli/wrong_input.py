"""Manifests that are wrong, each in one way: with the code and the field's path that every face answers."""

from tests.cli.manifests import CHAT, chat

CASES: dict[str, tuple[str | bytes, str, str]] = {
    "unknown field": (chat(load="{requestsPerSecond: 1, promtTokens: 5}"), "UnknownField", "spec.load.promtTokens"),
    "bad quantity": (chat(term="{duration: 3 fortnights}"), "InvalidQuantity", "spec.term.duration"),
    "negative duration": (chat(term="{duration: -3d}"), "InvalidQuantity", "spec.term.duration"),
    "contradictory objectives": (
        chat(objectives="{timeToFirstToken: {p50: 2s, p95: 1s}}"),
        "ContradictoryObjectives",
        "spec.objectives.timeToFirstToken",
    ),
    "a country that is none": (
        CHAT + "  residency: {countries: [DE, UK]}\n",
        "UnknownCountry",
        "spec.residency.countries[1]",
    ),
    "aliases": ("a: &a [x]\nb: [*a, *a]\n", "AliasesRefused", "a"),
    "duplicate keys": (
        chat(load="{requestsPerSecond: 1, requestsPerSecond: 2}"),
        "DuplicateKey",
        "spec.load.requestsPerSecond",
    ),
    "invalid UTF-8": (CHAT.encode().replace(b"30d", b"30\xff"), "NotUtf8", "spec.term.duration"),
    "ten megabytes": (b"#" * (10 << 20), "DocumentTooLarge", ""),
    "not YAML": ("a: [", "NotYaml", "a[0]"),
    "a tag": ("a: !!python/object/apply:os.system [x]", "TagRefused", "a"),
    "unknown kind": (CHAT.replace("Workload", "Workloat"), "UnknownKind", "kind"),
    "no name": (CHAT.replace("{name: chat}", "{}"), "MissingField", "metadata.name"),
    "no load": (CHAT.replace("  load:", "  #"), "LoadMissing", "spec"),
}
REACHING = {
    "unknown field": "write promptTokens",
    "bad quantity": "write it as",
    "negative duration": "-3d is negative [InvalidQuantity]; write it like 500ms",
    "contradictory objectives": "correct one of them",
    "a country that is none": "write GB",
    "no load": "name load: {requestsPerSecond:",
}
"""Those that other clients send as they stand, and the next step in what they are answered. The rest is no object, or
no object of a kind, before it is sent."""


def written(case: str) -> bytes:
    """The manifest of a case, as it lies in a file."""
    text = CASES[case][0]
    return text if isinstance(text, bytes) else text.encode()
