"""llama.cpp, through xllamacpp: what to start for a model file and a shape, and how much memory it takes."""

from __future__ import annotations

from collections.abc import Sequence

from tenure.runtimes.gguf import GgufFacts
from tenure.runtimes.launch import BACKEND_PORT, Launch, Shape
from tenure.runtimes.metrics import MetricRule

BATCH_TOKENS = 512
CONTEXT_STEP = 256  # llama.cpp rounds a slot's context up to this
PROCESS_BYTES = 64 << 20  # interpreter, the library's touched pages, threads' stacks and the server's own buffers
TOKEN_BYTES = 200  # one vocabulary entry in the tokenizer's tables
ACTIVATION_BUFFERS = 8  # widest activations that llama.cpp's compute buffer holds at once
MARGIN = 1.15


def context_tokens(facts: GgufFacts, wanted: int) -> int:
    """Context of one slot: what is wanted, rounded as the server does. Raises ValueError past the trained length."""
    rounded = -(-wanted // CONTEXT_STEP) * CONTEXT_STEP
    if wanted > facts.context_length_max:
        raise ValueError(f"{wanted} tokens of context exceed the {facts.context_length_max} the model was trained for")
    return min(rounded, facts.context_length_max)


def estimate_memory_bytes(facts: GgufFacts, shape: Shape, context: int) -> int:
    """Upper estimate of a server's resident memory, mapped file pages included.

    Weights once (mapped; or, where the CPU backend repacks them into a layout of its own, copied, and then the mapped
    pages can be reclaimed), keys and values of all slots, activations of one batch at the widest layer, logits of one
    output a slot, the tokenizer, and the process itself; 15 % margin. Attention scores are never stored whole (flash
    attention). tests/runtimes/test_llama_real.py holds real servers against it over several shapes.
    """
    weights = facts.size_bytes
    cache = facts.kv_bytes_per_token * context * shape.slots
    activations = 4 * BATCH_TOKENS * ACTIVATION_BUFFERS * max(facts.feed_forward, 3 * facts.embedding)
    logits = 4 * facts.vocabulary * 2 * shape.slots
    tokenizer = TOKEN_BYTES * facts.vocabulary
    return int(MARGIN * (weights + cache + activations + logits + tokenizer + PROCESS_BYTES))


def launch_llamacpp(
    *,
    python: str,
    model_path: str,
    alias: str,
    facts: GgufFacts,
    shape: Shape,
    context: int,
    health_path: str = "/health",
    metrics_path: str | None = "/metrics",
    metrics: Sequence[MetricRule] = (),
    backend_key: str | None = None,
) -> Launch:
    """Serve `model_path` under the name `alias` by OpenAI's protocol on the port `backend`.

    `context` is tokens for each slot (prompt and answer together). With `backend_key` only its holder may ask.
    """
    tokens = context_tokens(facts, context)
    return Launch(
        argv=(
            python,
            "-m",
            "tenure.runtimes.llamacpp",
            "--model",
            model_path,
            "--alias",
            alias,
            "--port",
            "{port." + BACKEND_PORT + "}",
            "--threads",
            str(shape.threads),
            "--slots",
            str(shape.slots),
            "--context",
            str(tokens),
            "--batch",
            str(BATCH_TOKENS),
        ),
        env={"TENURE_BACKEND_KEY": backend_key} if backend_key else {},
        ports={BACKEND_PORT: 0},
        health_port=BACKEND_PORT,
        health_path=health_path,
        protocol="openai",
        endpoint_port=BACKEND_PORT,
        metrics_port=BACKEND_PORT if metrics_path else None,
        metrics_path=metrics_path,
        metrics=tuple(metrics),
        memory_bytes=estimate_memory_bytes(facts, shape, tokens),
    )
