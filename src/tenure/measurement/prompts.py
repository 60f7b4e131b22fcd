"""Prompts of a given length in tokens, made from real words; the server's own count is what decides.

Every prompt starts with different words, so that a server that keeps the prefixes of earlier prompts gains no more from
them than from strangers' questions.
"""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass
from importlib import resources

from tenure.measurement.endpoint import Endpoint, Prompt, ask

_WORDS = tuple(resources.files("tenure.measurement").joinpath("words.txt").read_text("utf-8").split())


class NoTokenCountError(Exception):
    """The server answers without saying how many tokens a prompt had, so the load of a trial could not be checked."""


@dataclass(frozen=True, slots=True)
class PromptMaker:
    """Linear model of prompt length: `tokens = overhead + per_word * words`, measured on the server itself."""

    overhead: float = 31.0
    per_word: float = 1.0

    def words(self, tokens: int) -> int:
        """How many words make a prompt of at least this many tokens, chat template included.

        One word is added, since a few words are two tokens and none is less than one: a trial that was lighter than
        declared would bound nothing.
        """
        return max(1, math.ceil((tokens - self.overhead) / self.per_word) + 1)

    def prompt(self, tokens: int, output_tokens: int, source: random.Random, request_id: str = "") -> Prompt:
        """A prompt of about `tokens` tokens in all."""
        return Prompt(" ".join(source.choices(_WORDS, k=self.words(tokens))), output_tokens, request_id)


async def calibrate(endpoint: Endpoint, source: random.Random, timeout_s: float = 60.0) -> PromptMaker:
    """Measure the two numbers with a short and a long prompt.

    Raises NoTokenCountError where the server does not count, ConnectionError where it does not answer.
    """
    counts = []
    for words in (10, 110):
        prompt = Prompt(" ".join(source.choices(_WORDS, k=words)), 1)
        sample = await ask(
            endpoint,
            prompt,
            timeout_s=timeout_s,
            due_wall_ns=time.time_ns(),
            due_monotonic_ns=time.monotonic_ns(),
        )
        if not 200 <= sample.status < 300:
            said = f"answered a first request with status {sample.status}" if sample.status else "does not answer"
            raise ConnectionError(f"the endpoint {said}")
        if sample.prompt_tokens is None:
            raise NoTokenCountError("the endpoint reports no prompt token count (usage or timings)")
        counts.append(sample.prompt_tokens)
    per_word = max(0.1, (counts[1] - counts[0]) / 100)
    return PromptMaker(overhead=max(0.0, counts[0] - 10 * per_word), per_word=per_word)
