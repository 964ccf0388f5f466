"""Models on this machine: taken in from files, described by their own headers, compared with their pins, given up."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from codeseek import catalogue, installed, weights
from codeseek.catalogue import ModelSpec, Variant
from codeseek.errors import ModelError
from codeseek.installed import Transfer
from gguf_file import write_gguf

MINILM = catalogue.find("all-minilm-l6-v2")


def take_in(source: Path, data: Path, spec: ModelSpec = MINILM, variant: Variant | None = None, **how: bool) -> None:
    installed.adopt(source, data, spec, variant or spec.variants[0], link=how.get("link", False))


@pytest.mark.parametrize("link", [False, True])
def test_a_file_is_taken_in_and_pinned(link: bool, tmp_path: Path) -> None:
    source = write_gguf(tmp_path / "mini.gguf")
    take_in(source, tmp_path / "data", link=link)
    variant = MINILM.variants[0]
    folder = catalogue.files_folder(tmp_path / "data", MINILM, variant)
    target = folder / variant.files[0].path
    assert target.read_bytes() == source.read_bytes()
    assert target.is_symlink() is link
    assert installed.variants(tmp_path / "data", MINILM) == (variant,)
    assert installed.pins(folder)[variant.files[0].path].source == source.as_uri()
    assert set(installed.verify(tmp_path / "data", MINILM, variant).values()) == {""}


def test_an_onnx_model_brings_its_tokenizer(tmp_path: Path) -> None:
    variant = MINILM.variant("onnx")
    source = tmp_path / "in" / "onnx" / "model.onnx"
    source.parent.mkdir(parents=True)
    source.write_bytes(b"\x08\x07rest")
    with pytest.raises(ModelError, match=r"`tokenizer.json` is not beside"):
        take_in(source, tmp_path, variant=variant)
    (tmp_path / "in" / "tokenizer.json").write_text("{}")
    take_in(source, tmp_path, variant=variant)
    assert installed.is_installed(tmp_path, MINILM, variant)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"general.architecture": "qwen3", "qwen3.embedding_length": 1024}, "is a qwen3 model of 1024 dimensions"),
        ({"bert.embedding_length": 768}, "is a bert model of 768 dimensions"),
    ],
)
def test_another_models_file_is_refused(change: dict[str, str | int], problem: str, tmp_path: Path) -> None:
    source = write_gguf(tmp_path / "other.gguf", change)
    with pytest.raises(ModelError, match=problem) as error:
        take_in(source, tmp_path)
    assert error.value.hint == "import it `--as` another name"


@pytest.mark.parametrize(
    ("data", "problem", "hint"),
    [
        (b"", "is not a GGUF file", "pointer"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is not a GGUF file", "pointer"),
        (b"<!doctype html>" + b" " * 5000, "is not a GGUF file", "fetch it again"),
        (b"GGUF", "its header is cut off", "fetch it again"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1", "fetch it again"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 40), "version 3", "fetch it again"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 60), "its header is cut off", "fetch it again"),
        (b"GGUF" + struct.pack("<IQQQsI", 3, 0, 1, 1, b"a", 99), "cannot be read", "fetch it again"),
        (b"GGUF" + struct.pack("<IQQQsI", 3, 0, 1, 1, b"a", 9) + struct.pack("<IQ", 9, 1) * 5000, "cannot be read", ""),
    ],
)
def test_a_file_that_is_no_model_is_refused(data: bytes, problem: str, hint: str, tmp_path: Path) -> None:
    source = tmp_path / "odd.gguf"
    source.write_bytes(data)
    with pytest.raises(ModelError, match=problem) as error:
        take_in(source, tmp_path)
    assert hint in error.value.hint


def test_every_prefix_of_a_header_is_refused_or_read(tmp_path: Path) -> None:
    whole = write_gguf(tmp_path / "whole.gguf").read_bytes()
    path = tmp_path / "part.gguf"
    for end in range(0, len(whole) - 32, 7):
        path.write_bytes(whole[:end])
        with pytest.raises(ModelError):
            weights.read_header(path)


def test_a_header_says_what_the_model_is(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "a.gguf", {"general.file_type": 15, "general.license": "mit", "bert.pooling_type": 2})
    assert weights.read_header(path) == weights.Header("bert", "Tiny", "mit", "Q4_K_M", 384, 512, "cls")


def test_an_unknown_model_is_described_by_its_own_header(tmp_path: Path) -> None:
    spec = installed.described(write_gguf(tmp_path / "tiny.gguf", {"general.license": "mit"}), "tiny")
    assert (spec.name, spec.family, spec.licence, spec.dimensions, spec.pooling) == ("tiny", "Tiny", "mit", 384, "mean")
    assert (spec.variants[0].name, spec.variants[0].files[0].path) == ("F16", "tiny.gguf")
    path = catalogue.write(spec)
    assert catalogue.find("tiny") == spec._replace(origin=path)


def test_another_form_of_a_known_model_keeps_its_instructions(tmp_path: Path) -> None:
    source = write_gguf(
        tmp_path / "Qwen3-Embedding-4B.Q6_K.gguf",
        {"general.architecture": "qwen3", "qwen3.embedding_length": 2560, "general.file_type": 18},
    )
    spec = installed.described(source, "qwen-4b-q6")
    known = catalogue.find("qwen3-embedding-4b")
    assert (spec.query, spec.tasks, spec.pooling, spec.name) == (known.query, known.tasks, "last", "qwen-4b-q6")
    assert [variant.name for variant in spec.variants] == ["Q6_K"]


def test_a_model_that_makes_no_vectors_is_told_from_one_that_does(tmp_path: Path) -> None:
    source = write_gguf(
        tmp_path / "chat.gguf",
        {"general.architecture": "llama", "llama.embedding_length": 64, "bert.pooling_type": 1},
    )
    with pytest.raises(ModelError, match="is no embedding model"):
        installed.described(source, "chat")


def test_what_changed_since_it_was_pinned_is_found(tmp_path: Path) -> None:
    take_in(write_gguf(tmp_path / "mini.gguf"), tmp_path)
    variant = MINILM.variants[0]
    folder, name = catalogue.files_folder(tmp_path, MINILM, variant), variant.files[0].path
    path = folder / name
    data = path.read_bytes()

    def wrong() -> str:
        return installed.verify(tmp_path, MINILM, variant)[name]

    path.write_bytes(data[:-1] + b"x")
    assert wrong() == "not what was pinned: its sha256 differs"
    path.write_bytes(data[:-1])
    assert wrong() == f"has {len(data) - 1:,} bytes instead of {len(data):,}"
    (folder / "pin.json").write_text('{"files": []}')
    assert wrong() == "not pinned: nothing to compare it with"
    path.unlink()
    assert wrong() == "missing"


def test_removing_frees_all_that_a_model_took(tmp_path: Path) -> None:
    source = write_gguf(tmp_path / "mini.gguf")
    take_in(source, tmp_path, link=True)
    take_in(source, tmp_path)
    variant = MINILM.variants[0]
    (catalogue.files_folder(tmp_path, MINILM, variant) / "x.0.part").write_bytes(b"12345")
    assert installed.remove(tmp_path, MINILM, variant) > source.stat().st_size
    assert not (tmp_path / "models" / MINILM.name).exists()
    assert source.exists()
    assert installed.remove(tmp_path, MINILM, variant) == 0


def test_progress_is_told_while_a_file_is_copied(tmp_path: Path) -> None:
    told: list[Transfer] = []
    source = write_gguf(tmp_path / "mini.gguf")
    installed.adopt(source, tmp_path, MINILM, MINILM.variants[0], link=False, listener=told.append)
    assert told == [Transfer("copying", "mini.gguf", source.stat().st_size, source.stat().st_size)]
