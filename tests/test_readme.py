"""README.md: whatever repeats something that the program knows is compared with it."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import codeseek
from codeseek import catalogue, context, schema, scoreboard, scores, settings, vectors
from codeseek.cli import formats, tables
from codeseek.cli.commands import codeseek as group
from codeseek.cli.report import Report
from codeseek.cli.terminal import Terminal
from codeseek.errors import ExitCode
from codeseek.evaluation import Answer, Evaluation, IndexFigures, ModelFigures, Run
from codeseek.mining.question import Question, Target
from codeseek.records import KINDS
from codeseek.scores import Place
from codeseek.serve.clients import clients
from codeseek.serve.http import Api
from codeseek.serve.mcp import Tools
from codeseek.serve.metrics import Metrics
from codeseek.serve.models import Models
from codeseek.serve.pool import Pool
from codeseek.serve.projects import Project, Projects
from codeseek.tui.asking import MOST
from fake_engine import CLUSTER, HITS, RESULT, FakeEngine

PATH = Path(__file__).parents[1] / "README.md"
TEXT = PATH.read_text(encoding="utf-8")
PACKAGE = Path(codeseek.__file__).parent


def section(title: str) -> str:
    """Return the text under a heading."""
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def table(text: str, head: str) -> dict[str, list[str]]:
    """Return a table's rows by their first cell, without ticks."""
    rows = text.split(f"| {head} |")[1].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    return {first.strip("` "): others for first, *others in cells}


def test_the_numbers_beside_filters_are_of_as_many_hits_as_are_listed_at_most() -> None:
    assert f"among the {MOST} best hits" in section("Full screen")


def module_map() -> str:
    """Return every module in the order of folders and names, with its duty."""
    lines = []
    for path in sorted(PACKAGE.rglob("*.py"), key=lambda path: (path.parent.parts, path.name != "__init__.py", path)):
        parts = path.relative_to(PACKAGE).parts
        duty = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()[0]
        name = "/".join(parts[:-1]) + "/" if parts[-1] == "__init__.py" else "  " * (len(parts) - 1) + parts[-1]
        lines.append((name if name != "/" else "codeseek/", duty))
    width = max(len(name) for name, _ in lines)
    return "".join(f"{name:<{width}}  {duty}\n" for name, duty in lines)


def compare(mark: str, made: str, request: pytest.FixtureRequest) -> None:
    """Compare what stands below a mark, up to a blank line, with what is made from the program; or write it anew."""
    head, sign, tail = PATH.read_text(encoding="utf-8").partition(f"<!-- {mark}:")
    comment, end, rest = tail.partition("-->\n")
    shown, gap, after = rest.partition("\n\n")
    if request.config.getoption("--write-golden"):
        PATH.write_text(f"{head}{sign}{comment}{end}{made}{gap}{after}", encoding="utf-8")
    else:
        assert shown == made


def test_the_module_map_is_what_the_modules_say(request: pytest.FixtureRequest) -> None:
    compare("modules", f"```text\n{module_map()}```", request)


def commands(group: click.Command = group, outer: click.Context | None = None) -> Iterator[click.Context]:
    """Yield the context of every command; groups before their own commands."""
    assert isinstance(group, click.Group)
    context = outer or click.Context(group, info_name="codeseek", **group.context_settings)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        own = click.Context(command, info_name=name, parent=context)
        yield own
        if isinstance(command, click.Group):
            yield from commands(command, own)


@pytest.mark.parametrize(("title", "outer"), [("Commands", "codeseek"), ("Models", "codeseek models")])
def test_every_command_is_in_its_table(title: str, outer: str) -> None:
    known = {own.command_path: own.command for own in commands() if own.parent and own.parent.command_path == outer}
    rows = table(section(title), "command")
    rows.pop(outer, None)  # the group alone
    named = {" ".join(row.split()[: len(outer.split()) + 1]): does for row, (does,) in rows.items()}
    assert set(named) == set(known)
    for words, does in named.items():
        told = known[words].get_short_help_str(100).rstrip(".")
        assert does.startswith(told[:1].lower() + told[1:])


def test_the_models_are_those_of_the_catalogue(request: pytest.FixtureRequest) -> None:
    lines = ["| model | dimensions | tokens | languages | licence | forms |", "|---|---|---|---|---|---|"]
    for spec in sorted(catalogue.catalogue().values(), key=lambda spec: (spec.name != settings.BUNDLED, spec.name)):
        least = f"{spec.least_dimensions} to " if spec.least_dimensions else ""
        sizes = [f" {tables.size(variant.size)}" if variant.size else "" for variant in spec.variants]
        forms = ", ".join(variant.name + size for variant, size in zip(spec.variants, sizes, strict=True))
        licence = spec.licence + ("" if spec.commercial else ", no commercial use")
        cells = (f"`{spec.name}`", f"{least}{spec.dimensions}", f"{spec.context:,}", spec.languages, licence, forms)
        lines.append(f"| {' | '.join(cells)} |")
    compare("models", "\n".join(lines), request)


def test_every_option_that_is_named_exists() -> None:
    known = {"--version"}
    for own in commands():
        for param in own.command.get_params(own):
            known.update(param.opts)
    others = {"--write-golden"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT)) <= known | others


def test_every_format_is_in_the_table() -> None:
    assert {name: [does] for name, does in formats.FORMATS.items()} == table(section("Commands"), "format")


def test_every_setting_is_in_the_table_with_its_default() -> None:
    rows = table(section("Configuration"), "setting")
    assert {name: means for name, (_, means) in rows.items()} == dict(settings.MEANINGS)
    defaults = settings.Settings(Path())
    for name, (default, _) in rows.items():
        if name != "data_dir":
            value = getattr(defaults, name)
            assert tomllib.loads(f"x = {default.strip('`')}")["x"] == (list(value) if name == "ignore" else value)


def test_every_exit_status_is_in_the_table() -> None:
    assert {int(status) for status in table(section("Exit status"), "status")} == {int(code) for code in ExitCode}


def test_the_json_schema_is_what_the_program_prints() -> None:
    report = Report(RESULT._replace(hits=HITS), "x", Path("/project"), Path("/project"))
    record = json.loads("".join(formats.render("json", report, Terminal())))
    _, of_set, of_hit = section("JSON").split("| key |")
    assert list(table(f"| key |{of_set}", "key")) == list(record)
    assert list(table(f"| key |{of_hit}", "key")) == list(record["hits"][0])
    assert record["version"] == 1
    line = json.loads("".join(formats.render("jsonl", report, Terminal())).splitlines()[0])
    assert set(line) - set(record["hits"][0]) == {"freshness", "tier", "coverage"}


def test_the_json_of_an_evaluation_is_in_the_table() -> None:
    place, value = Place("a", 1, 2), scores.Ranks(1, (1,), (1,))
    answer = Answer(value, 1.0, (place,))
    measured = Evaluation(
        Path("/project"),
        1,
        (Question("x", "comment", "English", (Target("a"),)),),
        (Run("bundled", "both", (answer,)), Run("", "lexical", (answer,))),
        (ModelFigures("bundled", "int8", 256, 512, 0, 1, 1.0, 1.0),),
        IndexFigures(1, 1, 1, 1.0, 1),
        1.0,
    )
    record = scoreboard.record(scoreboard.board(measured))
    rows = table(section("Measure"), "key")
    assert list(rows) == list(record)
    for name in ("models", "arms", "questions"):
        named = re.findall(r"`(\w+)`", rows[name][0])
        assert set(named) == set(record[name][0])
    assert set(re.findall(r"`(\w+)`", rows["index"][0])) == set(record["index"])
    assert set(record["arms"][0]["scores"]["ndcg@10"]) <= set(re.findall(r"`(\w+)`", section("Measure")))


def test_the_schemas_of_contexts_and_of_duplicates_are_what_the_program_prints() -> None:
    report = Report(RESULT._replace(hits=HITS), "x", Path("/project"), Path("/project"))
    packed = context.pack("x", report.result, 4_000, report.origin, FakeEngine().count_tokens)
    record: Any = context.record(packed, report.result)
    assert list(table(section("Knowledge base"), "key")) == list(record)
    assert list(table(section("Knowledge base"), "key of a passage")) == list(record["passages"][0])
    member: Any = schema.cluster_record(CLUSTER, report.origin)
    assert list(table(section("Near-duplicates"), "key of a member")) == list(member["members"][0])
    assert set(member) == {"lines", "members"}


def test_every_operation_of_the_http_api_and_every_tool_for_agents_is_in_a_table(tmp_path: Path) -> None:
    project = Project(tmp_path, settings.Settings(tmp_path, refresh=False), FakeEngine())
    projects = Projects()
    projects.add(project)
    operations = Api(projects, Models({}), Pool(), Metrics()).operations()
    paths = {f"{one.method} {one.path}" for one in operations} | {"GET /openapi.json"}
    assert set(table(section("HTTP"), "path")) == paths
    tools = [tool.name for tool in Tools(project, Pool(), print).listed()]
    assert list(table(section("Agents"), "tool")) == tools
    assert all(f"`{name}`" in section("Agents") or f" {name}`" in section("Agents") for name in clients(tmp_path))


def test_every_kind_is_named() -> None:
    assert all(f"`{kind}`" in section("JSON") for kind in KINDS)


def test_every_way_to_compare_vectors_is_named() -> None:
    install = section("Install")
    assert all(f"`{way}`" in install for way in ("exact", "sketch", "HNSW"))
    assert f"{vectors.SCANNED_ROWS:,} chunks" in install


def test_there_are_two_lines_to_set_up_which_ci_runs() -> None:
    lines = [line for line in TEXT.splitlines() if line.startswith("pip install ")]
    assert len(lines) == 2
    assert "grep '^pip install ' README.md" in (PATH.parent / ".ci" / "run").read_text(encoding="utf-8")


def test_every_task_that_is_named_exists() -> None:
    project = tomllib.loads((PATH.parent / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(re.findall(r"\bpoe (\w+)", TEXT)) <= set(project["tool"]["poe"]["tasks"])


def test_every_file_that_is_linked_exists() -> None:
    for name in re.findall(r"\]\((?!http)([^)#]+)\)", TEXT):
        assert (PATH.parent / name).exists(), name
