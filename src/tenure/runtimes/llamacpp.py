"""The llama.cpp server process: `python -m tenure.runtimes.llamacpp --model FILE --port N --threads N --slots N ...`.

llama.cpp's own OpenAI-compatible server, out of the wheel xllamacpp: /v1/chat/completions (streaming), /v1/models,
/health, /metrics. This file only says what the options mean and waits; serving happens inside the library.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys

EXIT_UNAVAILABLE = 69  # sysexits.h: a service that this needs is missing


def parse(arguments: list[str]) -> argparse.Namespace:
    """The process's options. All sizes are exact; nothing is left to the library's own guessing."""
    parser = argparse.ArgumentParser(prog="python -m tenure.runtimes.llamacpp", description=__doc__)
    parser.add_argument("--model", required=True, help="GGUF file")
    parser.add_argument("--alias", required=True, help="name that the endpoint answers to")
    parser.add_argument("--port", type=int, required=True, help="TCP port on loopback")
    parser.add_argument("--threads", type=int, required=True, help="threads that compute")
    parser.add_argument("--slots", type=int, required=True, help="requests answered at once")
    parser.add_argument("--context", type=int, required=True, help="tokens of context for each slot")
    parser.add_argument("--batch", type=int, default=512, help="prompt tokens computed in one go")
    return parser.parse_args(arguments)


def serve(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    try:
        import xllamacpp
    except ImportError:
        print("xllamacpp is not installed; next: install the extra tenure[llama]", file=sys.stderr)
        return EXIT_UNAVAILABLE
    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.model_alias = {options.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = options.port
    params.n_parallel = options.slots
    params.n_ctx = options.context * options.slots
    params.n_batch = params.n_ubatch = options.batch
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.n_threads_http = options.slots + 4
    params.n_gpu_layers = 0
    # Web pages in the user's browser may not talk to it, and with a key only who holds it (the tap) may.
    params.cors_origins, params.cors_origins_explicit = f"http://127.0.0.1:{options.port}", True
    if key := os.environ.get("TENURE_BACKEND_KEY"):
        params.api_keys = [key]
    params.endpoint_metrics = True
    params.endpoint_slots = False
    params.ui = False
    # The library would size the context by free memory and keep up to 8 GiB of old prompts beside it; a contract's
    # memory is decided beforehand.
    params.fit_params = False
    params.cache_ram_mib = 0
    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)  # the library's threads must not take them
    server = xllamacpp.Server(params)
    print(f"serving {options.alias} at {server.listening_address}", flush=True)
    signal.sigwait(stop)
    # Tearing the library down can take longer than a restart may; the process's memory goes with the process.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(serve(parse(sys.argv[1:])))
