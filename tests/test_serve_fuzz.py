"""HTTP held to its own description: whatever fits the OpenAPI document, or does not quite, is answered as it says."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from codeseek.embedders import Choice
from codeseek.local import LocalEngine
from codeseek.serve.models import Models
from codeseek.settings import Settings
from fakes import HashEmbedder
from served import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("project")
    (root / "cache.py").write_text("def invalidate(key):\n    '''Forget what is 缓存.'''\n    return key\n")
    chosen = Settings(data_dir=tmp_path_factory.mktemp("data"), workers=1, refresh=False)
    engine = LocalEngine(root, chosen, HashEmbedder)
    engine.refresh()
    with served({root: (chosen, engine)}, Models({"hash": Choice("hash")}, lambda _: HashEmbedder())) as running:
        yield running


@pytest.mark.parametrize("examples", [4, pytest.param(300, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])])
@pytest.mark.parametrize("mode", [*GenerationMode])
def test_every_operation_answers_as_its_description_says(server: Served, examples: int, mode: GenerationMode) -> None:
    # Words that no index knows and places where nothing is fit the description, and are refused all the same.
    excluded = [schemathesis.checks.positive_data_acceptance] if mode.is_positive else []
    for result in schemathesis.openapi.from_url(f"{server.url}/openapi.json").get_all_operations():
        assert isinstance(result, Ok)

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(result.ok().as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(excluded_checks=excluded)

        with contextlib.suppress(Unsatisfiable):  # what takes nothing cannot be asked wrongly
            ask()


def test_only_what_is_useful_to_a_conversation_is_a_tool(server: Served) -> None:
    document = server.ask("GET", "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    tools = {one["operationId"]: one for one in operations if "operationId" in one}
    assert set(tools) == {"gather_context", "search_code", "read_chunk", "index_status"}
    assert all(one["description"] and one["responses"]["200"] for one in tools.values())


def test_the_description_names_every_route(server: Served, tmp_path: Path) -> None:
    for path, methods in server.ask("GET", "/openapi.json").json["paths"].items():
        for method in methods:
            assert (
                server.ask(method.upper(), path.replace("{id}", "cache.py:1").replace("{model}", "hash")).status != 404
            )
