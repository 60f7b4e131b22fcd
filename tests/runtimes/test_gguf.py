"""What a model file says of itself, and honest refusals of what is no such file."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.runtimes.gguf_files import a_header, write_gguf
from tests.support.models import cached_model

from tenure.runtimes import NotGgufError, read_gguf


def test_sizes_come_from_the_header(tmp_path: Path) -> None:
    facts = read_gguf(write_gguf(tmp_path / "m.gguf", a_header()))
    assert (facts.architecture, facts.layers, facts.vocabulary, facts.context_length_max) == ("llama", 2, 3, 512)
    assert facts.key_length == 16
    assert facts.kv_bytes_per_token == 2 * 2 * (16 + 16) * 2


def test_declared_head_sizes_win_over_derived_ones(tmp_path: Path) -> None:
    header = a_header(**{"llama.attention.key_length": 32, "llama.attention.value_length": 8})
    facts = read_gguf(write_gguf(tmp_path / "m.gguf", header))
    assert (facts.key_length, facts.value_length) == (32, 8)


@pytest.mark.parametrize(
    ("how", "words"),
    [({"magic": b"PK\x03\x04"}, "does not begin"), ({"version": 1}, "version 1")],
)
def test_another_sort_of_file_is_refused_with_the_reason(tmp_path: Path, how: dict, words: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(NotGgufError, match=words):
        read_gguf(write_gguf(tmp_path / "m.gguf", a_header(), **how))


@pytest.mark.parametrize("missing", ["llama.block_count", "llama.context_length", "tokenizer.ggml.tokens"])
def test_a_missing_fact_is_named(tmp_path: Path, missing: str) -> None:
    header = a_header()
    del header[missing]
    with pytest.raises(NotGgufError):
        read_gguf(write_gguf(tmp_path / "m.gguf", header))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(cut=st.integers(0, 400), flip=st.integers(0, 399), value=st.integers(0, 255))
def test_a_torn_or_damaged_file_is_refused_never_hangs(tmp_path: Path, cut: int, flip: int, value: int) -> None:
    data = bytearray(write_gguf(tmp_path / "whole.gguf", a_header()).read_bytes())
    if flip < len(data):
        data[flip] = value
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(bytes(data[:cut]))
    try:
        read_gguf(damaged)
    except NotGgufError:
        return


def test_a_file_is_read_once_until_it_is_another(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf", a_header())
    first = read_gguf(path)
    assert read_gguf(path) is first
    path.unlink()
    write_gguf(path, a_header(**{"llama.block_count": 4}))
    assert read_gguf(path).layers == 4


def test_the_catalogs_own_model_reads_right() -> None:
    facts = read_gguf(cached_model())
    assert (facts.layers, facts.embedding, facts.heads, facts.kv_heads, facts.vocabulary) == (30, 576, 9, 3, 49152)
    assert facts.kv_bytes_per_token == 23040
