"""Numbers, times and metrics in words, the same in every face of the command line."""

from tenure.cli.typed import typed
from tenure.quantities import Duration, format_instant, parse_instant
from tenure.resources.kinds.allocation import Price, Promises, Shape, StatisticalPromise, Watts

METRICS = {
    "timeToFirstToken": "time to first token",
    "interTokenLatency": "inter-token latency",
    "timePerOutputToken": "time per output token",
    "requestLatency": "request latency",
    "outputTokensPerSecond": "output tokens per second",
    "requestsPerSecond": "requests per second",
    "availability": "availability",
    "samplesPerSecond": "samples per second",
    "stepTime": "step time",
    "startLatency": "start latency",
}
GRADES = {
    "measured-here": "measured here",
    "measured-elsewhere": "measured elsewhere",
    "modelled": "modelled",
}
_DAY_MS = 86_400_000


def duration_text(ms: int) -> str:
    """A length of time in at most two units: 45 s, 9 min, 1 h 20 min, 30 d."""
    seconds = max(0, round(ms / 1000))
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours and days < 7 else f"{days} d"


def instant_text(instant_ms: int, now_ms: int) -> str:
    """A time of day where the day is today, else day and time; always UTC."""
    text = format_instant(instant_ms // 1000 * 1000)
    if abs(instant_ms - now_ms) < _DAY_MS and text[:10] == format_instant(now_ms)[:10]:
        return f"{text[11:19]} UTC"
    return f"{text[:10]} {text[11:16]} UTC"


def when_text(instant_ms: int, now_ms: int) -> str:
    """A time and how far it is: `12:45:10 UTC (in 9 min)`; `now` for what is at hand."""
    ahead = instant_ms - now_ms
    if -1000 <= ahead <= 5000:
        return "now"
    if ahead > 0:
        return f"{instant_text(instant_ms, now_ms)} (in {duration_text(ahead)})"
    return f"{instant_text(instant_ms, now_ms)} ({duration_text(-ahead)} ago)"


def moment_or_text(text: str, now_ms: int) -> str:
    """An RFC 3339 time as `instant_text`; any other text as it is."""
    try:
        return instant_text(parse_instant(text), now_ms)
    except ValueError:
        return text


def metric_text(metric: str) -> str:
    """A metric's name in the field's words."""
    return METRICS.get(metric, metric)


def promise_text(promise: StatisticalPromise) -> str:
    """p95 ≤ 1s, or ≥ 20/s, or ≥ 99.9 % answered."""
    percentile = f"{promise.percentile} " if promise.percentile else ""
    if promise.bound is not None:
        return f"{percentile}≤ {promise.bound}"
    if promise.answered is not None:
        return f"≥ {percent(promise.answered.value)} answered"
    return f"{percentile}≥ {promise.floor}/s"


def assurance_text(promise: StatisticalPromise) -> str:
    """How sure: windows, share, confidence."""
    return (
        f"in windows of {promise.window}, in at least {percent(promise.share.value)} of them, "
        f"with confidence {promise.confidence}"
    )


def load_text(promises: Promises) -> str:
    """The load under which the promises are owed; empty where there is none."""
    load = promises.load
    if load is None:
        return ""
    return f"{load.requests_per_second} requests/s, {load.prompt_tokens} tokens in, {load.output_tokens} out"


def evidence_text(promise: StatisticalPromise) -> str:
    """Grade, amount, method and neighbours of what a promise rests on."""
    evidence = promise.evidence
    return (
        f"{GRADES[evidence.grade]}: {counted(evidence.samples, 'sample')} in {counted(evidence.windows, 'window')}, "
        f"{evidence.method.replace('-', ' ')}, neighbours {evidence.neighbours}"
    )


def shape_text(shape: Shape | None) -> str:
    """2 threads × 4 slots."""
    return f"{counted(shape.threads, 'thread')} × {counted(shape.slots, 'slot')}" if shape else ""


def price_text(price: Price) -> str:
    """An hourly price, the total beside it, or unknown and why."""
    if price.hourly is None:
        return typed(f"unknown: {price.unknown_because or 'nobody has declared it'}")
    total = f", {price.total} in all" if price.total is not None else ""
    reserve = f", {price.reserve_hourly} of it for the reserve" if price.reserve_hourly is not None else ""
    return f"{price.hourly} an hour{reserve}{total}"


def schedule_text(price: Price) -> str:
    """By which schedule the price comes back, the mildest step first."""
    steps = sorted(price.credit, key=lambda band: -band.below_percent)
    said = [
        f"{band.credit_percent} % "
        + (f"under {band.below_percent} % of it" if band.below_percent < 100 else "on any shortfall")
        for band in steps
    ]
    return "comes back when the promised share is missed: " + ", ".join(said)


def watts_text(watts: Watts) -> str:
    """The power drawn, or unknown and why."""
    if watts.power is None:
        return f"unknown: {watts.unknown_because or 'nothing measures it'}"
    return f"{watts.power}" + (f" ({watts.basis})" if watts.basis else "")


def percent(share: float) -> str:
    """0.95 as 95 %."""
    return f"{share * 100:.4g} %"


def counted(number: int, noun: str) -> str:
    """1 core, 2 cores."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def nanoseconds_text(duration: Duration | None) -> str:
    """A duration to three figures, for tables: 423ms, 1.2s."""
    if duration is None:
        return ""
    ns = int(duration)
    for unit, size in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if ns >= size:
            return f"{ns / size:.3g}{unit}"
    return f"{ns}ns"


def burn_text(now: float, lately: float) -> str:
    """How fast an error budget goes now, and has gone for a while; 1 uses it up exactly at the end of the period."""
    from tenure.promises import BurnPolicy  # few answers show it, and it comes with numpy

    policy = BurnPolicy()
    return f"burn rate {now:.3g} over {policy.short_windows} windows, {lately:.3g} over {policy.long_windows}"
