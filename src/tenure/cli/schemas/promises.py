"""Answers of the verbs from a need to an endpoint, and of what is written before one asks."""

from tenure.cli.schemas.parts import (
    ANSWER,
    ANYTHING,
    CAUSE,
    NUMBER,
    OBJECT,
    TEXT,
    TRUTH,
    VERDICT,
    WHOLE,
    Schema,
    answered,
    exactly,
    listed,
    maybe,
    with_at_least,
)

_PROMISE = exactly({"metric": TEXT, "percentile": maybe(TEXT), "promised": TEXT, "measured": maybe(TEXT)})
_CONTRACT_LINE = exactly(
    {
        "name": TEXT,
        "namespace": maybe(TEXT),
        "phase": TEXT,
        "verdict": maybe(VERDICT),
        "endpoint": maybe(TEXT),
        "credit": maybe(ANYTHING),
        "ends": TEXT,
        "promises": listed(_PROMISE),
    },
)
_SPREAD = exactly(
    {
        "metric": TEXT,
        "percentile": maybe(TEXT),
        **{name: maybe(WHOLE) for name in ("boundNs", "leastNs", "seenNs", "mostNs")},
        "verdict": VERDICT,
    }
)
_COVERED = exactly(
    {
        "contract": TEXT,
        "namespace": maybe(TEXT),
        "layers": listed(
            exactly(
                {
                    **dict.fromkeys(("layer", "source", "said"), TEXT),
                    **{name: maybe(WHOLE) for name in ("ageMs", "ageMsMax")},
                    "state": {"enum": ["seen", "hole", "unobservable"]},
                }
            )
        ),
    }
)

PROMISES: dict[str, Schema] = {
    "Written": answered("Written", {"file": maybe(TEXT), "manifest": TEXT, "workload": OBJECT}),
    "Linted": answered("Linted", {"manifests": WHOLE, "findings": listed(CAUSE)}),
    "Asked": answered("Asked", {"workload": TEXT, "namespace": TEXT, "answer": ANSWER}),
    "Requested": answered("Requested", {"workload": TEXT, "namespace": TEXT}, {"answer": ANSWER, "contract": OBJECT}),
    "Accepted": answered(
        "Accepted", {"offer": TEXT, "contract": OBJECT, "checkpoint": maybe(TEXT), "saveCheckpoint": maybe(TEXT)}
    ),
    "Renewal": answered("Renewal", {"renews": TEXT, "answer": ANSWER}, {"contract": OBJECT}),
    "Ended": answered("Ended", {"contract": TEXT, "waited": TRUTH}),
    "Coverage": answered("Coverage", {"holes": WHOLE, "contracts": listed(_COVERED)}),
    "RequestTrace": answered(
        "RequestTrace",
        {
            **dict.fromkeys(("contract", "role", "request"), TEXT),
            **{name: maybe(WHOLE) for name in ("arrivalNs", "firstTokenNs", "endNs")},
            "layers": listed(exactly(dict.fromkeys(("layer", "said", "by"), TEXT))),
        },
    ),
    "Repeated": answered(
        "Repeated",
        {"contract": TEXT, "requests": WHOLE, "failed": WHOLE, "verdict": VERDICT, "spreads": listed(_SPREAD)},
    ),
    "Trialled": answered("Trialled", {"workload": TEXT, "length": TEXT, "answer": ANSWER}),
    "Why": answered(
        "Why",
        {
            "of": with_at_least({"kind": TEXT, "name": TEXT}),
            "events": listed(with_at_least({"reason": TEXT, "message": TEXT, "type": TEXT})),
        },
        {
            "phase": TEXT,
            "answer": ANSWER,
            "conditions": listed(ANYTHING),
            "verdict": TEXT,
            "accounting": listed(ANYTHING),
            "windows": listed(ANYTHING),
            "commissioning": ANYTHING,
            "remedies": listed(ANYTHING),
            "reserve": ANYTHING,
            "credit": ANYTHING,
            "progress": ANYTHING,
            "trialProgress": TEXT,
        },
    ),
    "Environment": answered(
        "Environment",
        {
            "contract": TEXT,
            "model": maybe(TEXT),
            "env": with_at_least({"OPENAI_BASE_URL": TEXT, "OPENAI_API_KEY": TEXT}),
        },
    ),
    "Quickstart": answered(
        "Quickstart",
        {
            "home": TEXT,
            "running": TRUTH,
            "seconds": NUMBER,
            "broken": TRUTH,
            "notShown": listed(TEXT),
            "outcomes": listed(
                exactly({"step": TEXT, "outcome": {"enum": ["Held", "NotShown", "Broken"]}, "said": TEXT})
            ),
        },
    ),
    "StatusReport": answered(
        "StatusReport",
        {
            "verdict": VERDICT,
            "contracts": listed(_CONTRACT_LINE),
            "elsewhere": exactly({"contracts": WHOLE, "verdict": maybe(VERDICT)}),
            "offersHeld": WHOLE,
            "sites": listed(TEXT),
        },
    ),
}
