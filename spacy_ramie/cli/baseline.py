"""`ramie baseline`: spaCy's own pipeline on the same records."""

from pathlib import Path
from typing import Annotated

import typer
from spacy.cli._util import import_code, parse_config_overrides
from wasabi import msg

from .common import Code, clear_errors


def baseline(
    ctx: typer.Context,
    config: Annotated[Path, typer.Argument(help="Training config", exists=True)],
    output: Annotated[Path, typer.Argument(help="Folder for the models")],
    code: Code = None,
) -> None:
    """Train spaCy's own CPU pipeline on the records of a config.

    An NER model on its tokens, and for relations and usage a text classifier on the
    sentence with the spans marked: what an LLM has to beat. Settings of spaCy's
    [training] can be overridden: --training.max_steps 1000.
    """
    overrides = parse_config_overrides(ctx.args)
    spacys = {k: v for k, v in overrides.items() if k.startswith("training.")}
    own = {k: v for k, v in overrides.items() if k not in spacys}
    import_code(code)
    with clear_errors():
        from ..baseline.training import train_baseline
        from ..training.config import load_setup

        seconds = train_baseline(load_setup(config, own), output, spacys)
    done = ", ".join(f"{name} in {value:.0f} s" for name, value in seconds.items())
    msg.good(f"Baseline {output}: trained {done}")
