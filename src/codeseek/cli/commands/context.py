"""`codeseek context`."""

from __future__ import annotations

import click

from codeseek import context as contexts
from codeseek import schema
from codeseek.cli import asking, diagnostics, output
from codeseek.cli.commands import options
from codeseek.cli.report import Report
from codeseek.errors import ExitCode


@click.command("context", short_help="Gather the best passages for a language model, within a budget of tokens.")
@click.argument("words", nargs=-1, metavar="QUERY... [PATH]")
@click.option(
    "--tokens",
    metavar="N",
    type=click.IntRange(contexts.LEAST_TOKENS, contexts.MOST_TOKENS),
    default=contexts.TOKENS,
    help=f"Take no more tokens than N, {contexts.TOKENS:,} if it is left out.",
)
@click.option("--format", "format_name", type=click.Choice(["markdown", "json"]), default="markdown", help="Its form.")
@options.narrowing
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the question, or code, from standard input.")
@click.option("--task", metavar="WORDS", help="Tell a chosen model what the question is for, in its terms or your own.")
@click.option("--no-refresh", is_flag=True, help="Answer from the index as it is.")
@options.offline
@options.projects
@click.pass_context
def context_command(
    ctx: click.Context,
    /,
    words: tuple[str, ...],
    tokens: int,
    format_name: str,
    narrowing: options.Narrowing,
    from_stdin: bool,
    task: str | None,
    no_refresh: bool,
    offline: bool | None,
    projects: options.Projects,
) -> int:
    """Gather passages that answer a question, each with where it is from, to paste into a language model.

    The best come first; those that touch are one, and none comes twice. Whole passages go before cut ones. The question
    and its filters are written as for `codeseek search`.

    Tokens are counted by the chosen model's tokenizer (GGUF and ONNX models have one); without it they are estimated,
    rather a third too many than too few.
    """
    asked = asking.question(words, narrowing, projects, from_stdin=from_stdin)
    flags = {"refresh": False if no_refresh else None, "task": task, "offline": offline}
    refresh = asked.where.settings(flags).refresh
    with asked.where.opened(ctx.obj, flags) as engine:
        result = asking.answer(engine, contexts.widened(asked.request, tokens), refresh=refresh)
        report = Report(result, asked.typed, asked.where.root, asked.where.root, projects=asked.where.projects)
        packed = contexts.pack(asked.typed, result, tokens, report.origin, engine.count_tokens)
    if format_name == "json":
        live = output.screen().live
        output.write([schema.dumped(contexts.record(packed, result), indent=2 if live else None) + "\n"])
    elif packed.passages:
        output.write(contexts.rendered(packed))
        diagnostics.packed(packed)
        diagnostics.trust(result)
    if not packed.passages:
        diagnostics.error("nothing found", asking.advice(asked.request, result))
        return ExitCode.NOTHING_FOUND
    return ExitCode.FOUND
