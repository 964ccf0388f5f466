"""`codeseek models use` and `codeseek models add`: the model that is chosen, and servers as models."""

from __future__ import annotations

import os
from importlib.util import find_spec
from urllib.parse import urlsplit

import click

from codeseek import catalogue, installed, network, settings
from codeseek.catalogue import ModelSpec, Variant
from codeseek.cli import diagnostics
from codeseek.cli.commands.models import arguments
from codeseek.errors import ExitCode, ModelError, UsageError
from codeseek.settings import BUNDLED

_RUN_BY = {"gguf": (("llama_cpp", "xllamacpp"), "gguf"), "onnx": (("onnxruntime",), "onnx")}
"""For each engine the packages of which one runs it, and the extra that installs one."""


@click.command("use", short_help="Choose the model that places text by meaning.")
@arguments.name()
@click.option("--dimensions", metavar="N", type=click.IntRange(0), help="Cut its vectors to N numbers; 0: leave them.")
@arguments.quant
def use_command(name: str, dimensions: int | None, quant: str | None) -> int:
    """Write a model into your own settings; `codeseek models use bundled` goes back.

    All else in your settings stays as it is. The model has to be here: `codeseek models pull` or `models import`.
    """
    chosen = arguments.load(None)
    spec = catalogue.find(name)
    variant = arguments.variant(spec, quant, chosen)
    spec.check_dimensions(dimensions or 0)
    if not installed.is_installed(chosen.data_dir, spec, variant):
        form = f" --quant {variant.name}" if variant is not spec.variants[0] else ""
        raise ModelError(f"`{name}` {variant.name} is not here", hint=f"`codeseek models pull {name}{form}` fetches it")
    values = {
        "model": None if name == BUNDLED else name,
        "quant": None if variant is spec.variants[0] else variant.name,
        "dimensions": dimensions or None,
    }
    path = settings.change(values)
    length = dimensions or spec.dimensions
    diagnostics.note(f"{name} is chosen: {variant.name}{f', {length} dimensions' if length else ''}, in {path}")
    _warn(spec)
    if overruled := os.environ.get("CODESEEK_MODEL"):
        diagnostics.note(f"CODESEEK_MODEL={overruled} overrules your settings in this shell")
    modules, extra = _RUN_BY.get(variant.engine, ((), ""))
    if modules and not any(map(find_spec, modules)):
        diagnostics.note(f"what runs it is not installed yet: `pip install 'codeseek[{extra}]'`")
    if name != BUNDLED:
        diagnostics.note(f"`codeseek index` reads a project with it{_time(spec, variant)}; bundled answers meanwhile")
    return ExitCode.FOUND


@click.command("add", short_help="Add a model that an OpenAI-compatible server runs.")
@arguments.name()
@click.option("--url", metavar="URL", required=True, help="The server's address, up to and with /v1.")
@click.option("--remote-name", metavar="M", required=True, help="What the server calls the model.")
@click.option("--key-variable", metavar="VAR", default="", help="The environment variable that holds the key.")
@click.option("--dimensions", metavar="N", type=click.IntRange(0), default=0, help="Of its vectors; 0: ask the server.")
@click.option("--context", metavar="N", type=click.IntRange(64), default=2048, help="Tokens of a text that it takes.")
def add_command(name: str, url: str, remote_name: str, key_variable: str, dimensions: int, context: int) -> int:
    """Describe a model on a server that answers as OpenAI's `/v1/embeddings` does.

    vLLM, llama-server, Ollama, TEI, LM Studio and many services do. The key itself is never written down, only the
    name of the variable that holds it.
    """
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise UsageError(f"`{url}` is no server's address", "such as http://127.0.0.1:8080/v1")
    if address.username or address.password:
        raise UsageError("the address holds a password", "name a variable that holds it with `--key-variable`")
    try:
        catalogue.check_name(name)
    except ValueError as error:
        raise UsageError(str(error), "choose another name") from error
    known = catalogue.catalogue().get(name)
    if known is not None and not (known.url and known.origin == catalogue.user_folder() / f"{name}.toml"):
        raise UsageError(f"there is a model `{name}` already", "choose another name")
    spec = ModelSpec(
        name=name,
        family=remote_name,
        licence="as the server's",
        dimensions=dimensions,
        variants=(Variant("server", "remote"),),
        languages="as the server's",
        context=context,
        url=url.rstrip("/"),
        remote_name=remote_name,
        key_variable=key_variable,
    )
    diagnostics.note(f"{name} is described in {catalogue.write(spec)}")
    _warn(spec)
    if key_variable and not os.environ.get(key_variable):
        diagnostics.note(f"the variable {key_variable} is not set: it has to hold the key when the server is asked")
    diagnostics.note(f"`codeseek models use {name}` chooses it")
    return ExitCode.FOUND


def _warn(spec: ModelSpec) -> None:
    """Say what a user should know before the model is at work."""
    if not spec.commercial:
        diagnostics.note(f"its licence, {spec.licence}, forbids commercial use")
    host = urlsplit(spec.url).hostname
    if host and not network.is_loopback(host):
        plain = "" if spec.url.startswith("https:") else ", and not encrypted"
        diagnostics.note(f"the text of what you index and ask will be sent to {host}{plain}")


def _time(spec: ModelSpec, variant: Variant) -> str:
    from codeseek import capacity
    from codeseek.cli.commands.models.recommend import span

    time = capacity.indexing_time(spec, variant, 1000, capacity.look())
    return f": {span(time)} for 1,000 chunks on this processor, by estimate" if time else ""
