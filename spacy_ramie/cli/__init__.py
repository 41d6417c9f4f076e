"""The command line: `python -m spacy ramie ...`."""

import typer

from .audit import audit
from .base import base
from .baseline import baseline
from .calibrate import calibrate
from .check import check
from .compare import compare
from .convert import convert
from .experiment import experiment
from .extract import extract
from .index_sweep import index_sweep
from .neighbours import neighbours
from .report import report
from .retriever import retriever
from .train import train
from .variants import variants

ramie_cli = typer.Typer(
    name="ramie",
    help="Train and use local LLMs that extract entities, relations, triples and usage.",
    no_args_is_help=True,
    # As in spaCy's own: [sections] of a config are no markup.
    rich_markup_mode=None,
)
_CONFIG = {"allow_extra_args": True, "ignore_unknown_options": True}
ramie_cli.command("check")(check)
ramie_cli.command("convert")(convert)
ramie_cli.command("base", context_settings=_CONFIG)(base)
ramie_cli.command("train", context_settings=_CONFIG)(train)
ramie_cli.command("baseline", context_settings=_CONFIG)(baseline)
ramie_cli.command("calibrate")(calibrate)
ramie_cli.command("compare")(compare)
ramie_cli.command("experiment", context_settings=_CONFIG)(experiment)
ramie_cli.command("retriever", context_settings=_CONFIG)(retriever)
ramie_cli.command("neighbours")(neighbours)
ramie_cli.command("index-sweep")(index_sweep)
ramie_cli.command("variants")(variants)
ramie_cli.command("report")(report)
ramie_cli.command("audit")(audit)
ramie_cli.command("extract")(extract)


def register() -> typer.Typer:
    """Hang the commands under spaCy's own.

    RETURNS (Typer): The commands.
    """
    from spacy.cli._util import app

    app.add_typer(ramie_cli)
    return ramie_cli


register()
