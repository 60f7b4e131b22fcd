"""What a promise means: objectives, bounds from samples, verdicts, error budgets.

Promises: pure functions of their arguments (no clock, no I/O, no chance), so that every bound and every verdict can be
recomputed by a stranger from the recorded samples. Durations are integer nanoseconds, instants Unix milliseconds (of
requests: nanoseconds), rates micro-units per second.
Refuses: to bound what the samples do not carry (it says what would), and to call kept what was not seen.
"""

from tenure.promises.accounting import (
    DEFAULT_CREDIT,
    Account,
    BurnPolicy,
    CreditStep,
    Tally,
    account,
    account_of,
    budget_of,
    credit_micro,
    credit_share,
    evidence_until_ms,
    period_ms_of,
    ready,
    tally,
)
from tenure.promises.autocorrelation import (
    Exchangeability,
    exchangeability,
)
from tenure.promises.availability import share_carried_micro, window_share_micro
from tenure.promises.binomial import (
    binomial_interval,
    poisson_quantile,
)
from tenure.promises.bounds import (
    Bound,
    Method,
    NoBound,
    bound_by_requests,
    bound_by_windows,
    confidence_carried,
    request_content,
    samples_needed,
    tolerance_rank,
)
from tenure.promises.completion import Forecast, Outlook, ProgressMark, forecast, outlook
from tenure.promises.deadline import COMPLETION, DeadlineReason, DeadlineVerdict, Work, WorkSeen, judge_deadline
from tenure.promises.hard import (
    ReadBack,
    hard_verdict,
    judge_read_back,
)
from tenure.promises.judging import JUDGE_VERSION, JUDGED_ALIKE, PROBE_PATIENCE_MS, ended_text, judge, limit_of
from tenure.promises.objectives import (
    Assurance,
    AvailabilityObjective,
    LatencyObjective,
    Load,
    Metric,
    Objective,
    Promise,
    RateObjective,
)
from tenure.promises.percentiles import (
    nearest_rank,
    percentile_of,
)
from tenure.promises.pooled import window_percentile, window_reading
from tenure.promises.rates import window_rate_micro
from tenure.promises.samples import (
    Outcome,
    Reading,
    RequestSample,
    Window,
    outcome_of_status,
    percentile_reading,
    readings,
)
from tenure.promises.shapes import (
    choose,
    split,
)
from tenure.promises.verdicts import (
    FAULTS,
    Fault,
    Reason,
    Verdict,
    WindowVerdict,
    worst,
)
from tenure.promises.views import (
    Counters,
    Finding,
    Probe,
    Tolerance,
    View,
    WindowEvidence,
    disagreement,
)

__all__ = [
    "COMPLETION",
    "DEFAULT_CREDIT",
    "FAULTS",
    "JUDGED_ALIKE",
    "JUDGE_VERSION",
    "PROBE_PATIENCE_MS",
    "Account",
    "Assurance",
    "AvailabilityObjective",
    "Bound",
    "BurnPolicy",
    "Counters",
    "CreditStep",
    "DeadlineReason",
    "DeadlineVerdict",
    "Exchangeability",
    "Fault",
    "Finding",
    "Forecast",
    "LatencyObjective",
    "Load",
    "Method",
    "Metric",
    "NoBound",
    "Objective",
    "Outcome",
    "Outlook",
    "Probe",
    "ProgressMark",
    "Promise",
    "RateObjective",
    "ReadBack",
    "Reading",
    "Reason",
    "RequestSample",
    "Tally",
    "Tolerance",
    "Verdict",
    "View",
    "Window",
    "WindowEvidence",
    "WindowVerdict",
    "Work",
    "WorkSeen",
    "account",
    "account_of",
    "binomial_interval",
    "bound_by_requests",
    "bound_by_windows",
    "budget_of",
    "choose",
    "confidence_carried",
    "credit_micro",
    "credit_share",
    "disagreement",
    "ended_text",
    "evidence_until_ms",
    "exchangeability",
    "forecast",
    "hard_verdict",
    "judge",
    "judge_deadline",
    "judge_read_back",
    "limit_of",
    "nearest_rank",
    "outcome_of_status",
    "outlook",
    "percentile_of",
    "percentile_reading",
    "period_ms_of",
    "poisson_quantile",
    "readings",
    "ready",
    "request_content",
    "samples_needed",
    "share_carried_micro",
    "split",
    "tally",
    "tolerance_rank",
    "window_percentile",
    "window_rate_micro",
    "window_reading",
    "window_share_micro",
    "worst",
]
