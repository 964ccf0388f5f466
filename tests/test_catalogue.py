"""The catalogue: what the package knows of models, what users add, and that a project adds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeseek import catalogue, settings
from codeseek.errors import ConfigError, ModelError

WANTED = """
    bundled qwen3-embedding-0.6b qwen3-embedding-4b qwen3-embedding-8b jina-embeddings-v2-base-zh
    jina-embeddings-v2-base-code jina-embeddings-v2-base-en jina-code-embeddings-0.5b jina-code-embeddings-1.5b bge-m3
    embeddinggemma-300m nomic-embed-text-v1.5 all-minilm-l6-v2
""".split()

MINIMAL = """
name = "mine"
family = "Mine"
licence = "MIT"
dimensions = 8
variants = [{ name = "Q8_0", engine = "gguf", files = [{ path = "mine.gguf" }] }]
"""


def write_own(text: str, name: str = "mine.toml") -> Path:
    path = catalogue.user_folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_models_that_are_promised_are_there() -> None:
    assert set(WANTED) == set(catalogue.catalogue())


@pytest.mark.parametrize("name", WANTED)
def test_every_model_is_described_in_its_own_file_with_a_source(name: str) -> None:
    spec = catalogue.find(name)
    assert spec.origin is not None
    assert spec.origin.stem == name
    text = spec.origin.read_text("utf-8")
    assert text.startswith(("# Source: ", "# What comes in the package"))
    assert max(map(len, text.splitlines())) <= 120
    for variant in spec.variants:
        assert variant.memory > variant.size
        assert variant.engine == "static" or (variant.files and variant.sources)
        assert set(variant.sources) <= {"huggingface", "modelscope"}
    assert spec.dimensions >= spec.least_dimensions


def test_quantisations_are_found_in_any_spelling() -> None:
    spec = catalogue.find("qwen3-embedding-4b")
    assert spec.variant("q8_0").name == "Q8_0"
    assert spec.variant() is spec.variants[0]
    with pytest.raises(ModelError) as error:
        spec.variant("Q2_K")
    assert error.value.hint == "it comes as `Q4_K_M`, `Q8_0`"


def test_a_question_is_put_as_the_model_was_taught() -> None:
    qwen = catalogue.find("qwen3-embedding-0.6b")
    assert qwen.template("web").startswith("Instruct: Given a web search query, retrieve relevant passages")
    assert qwen.template("web").endswith("\nQuery:{text}")
    assert qwen.template("找出相关代码") == "Instruct: 找出相关代码\nQuery:{text}"
    assert qwen.template() == qwen.template("retrieval")
    assert qwen.document == "{text}"
    code = catalogue.find("jina-code-embeddings-1.5b")
    assert code.template() == "Find the most relevant code snippet given the following query:\n{text}"


def test_a_licence_that_forbids_commercial_use_is_told() -> None:
    restricted = {name for name, spec in catalogue.catalogue().items() if not spec.commercial}
    assert restricted == {"jina-code-embeddings-0.5b", "jina-code-embeddings-1.5b"}


@pytest.mark.parametrize(
    ("dimensions", "problem"),
    [(0, ""), (2560, ""), (256, ""), (32, ""), (31, "cannot be cut to 31"), (2561, "has 2560 dimensions, not 2561")],
)
def test_vectors_are_cut_as_far_as_the_model_allows(dimensions: int, problem: str) -> None:
    spec = catalogue.find("qwen3-embedding-4b")
    if not problem:
        spec.check_dimensions(dimensions)
        return
    with pytest.raises(ModelError, match=problem):
        spec.check_dimensions(dimensions)


def test_users_add_models_and_describe_known_ones_anew() -> None:
    path = write_own(MINIMAL)
    write_own(MINIMAL.replace("mine", "bge-m3"), "other.toml")
    assert catalogue.find("mine").origin == path
    assert catalogue.find("bge-m3").dimensions == 8


def test_a_project_neither_adds_nor_chooses_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, tmp_path / "models", tmp_path / ".codeseek" / "models"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "evil.toml").write_text(MINIMAL.replace("mine", "evil"))
    assert "evil" not in catalogue.catalogue()
    for line in ('model = "evil"', 'quant = "Q8_0"', "dimensions = 8", "gpu_layers = 0", "threads = 1", 'task = "x"'):
        (tmp_path / settings.PROJECT_FILE).write_text(line)
        with pytest.raises(ConfigError, match="a project may not set"):
            settings.load(tmp_path)


def test_a_mistyped_model_gets_the_one_that_was_meant() -> None:
    with pytest.raises(ModelError) as error:
        catalogue.find("qwen3-embeding-4b")
    assert error.value.hint == "did you mean `qwen3-embedding-4b`?"


@pytest.mark.parametrize(
    ("was", "instead", "problem"),
    [
        ('name = "mine"', "", "`name` is missing"),
        ('name = "mine"', 'name = "../mine"', "`name` cannot be '../mine'"),
        ('name = "mine"', 'name = "mine"\nurls = 1', "unknown key `urls`"),
        ('name = "mine"', 'name = "mine"\norigin = "x"', "unknown key `origin`"),
        ("dimensions = 8", 'dimensions = "8"', "`dimensions` cannot be '8'"),
        ("dimensions = 8", "dimensions = -8", "`dimensions` cannot be -8"),
        ("dimensions = 8", "dimensions = true", "`dimensions` cannot be True"),
        ("dimensions = 8", 'dimensions = 8\npooling = "max"', "`pooling` is one of last, mean, cls"),
        ("dimensions = 8", 'dimensions = 8\nquery = "x"', "need a `{text}`"),
        ("dimensions = 8", "dimensions = 8\ntasks = { a = 1 }", "`tasks` is a table of texts"),
        ('engine = "gguf"', 'engine = "torch"', "`engine` is one of"),
        ('engine = "gguf"', 'engine = "gguf", speed = 1', "unknown key `speed`"),
        ('"mine.gguf"', '"../mine.gguf"', "inside the model's own folder"),
        ('"mine.gguf"', '"/mine.gguf"', "inside the model's own folder"),
        ('"mine.gguf"', "'a\\..\\mine.gguf'", "inside the model's own folder"),
        ("[{ path", "[1, { path", "`files` is a list of tables"),
        ("variants = [{", "variants = 3 # [{", "`variants` is a list of tables"),
        ('name = "mine"', "name = ", "Invalid value"),
    ],
)
def test_a_wrong_description_is_named_with_what_is_wrong(was: str, instead: str, problem: str) -> None:
    path = write_own(MINIMAL.replace(was, instead))
    with pytest.raises(ModelError) as error:
        catalogue.catalogue()
    assert error.value.message.startswith(f"`{path}` does not describe a model: ")
    assert problem in error.value.message
    assert error.value.hint == "mend the file, or move it elsewhere"
