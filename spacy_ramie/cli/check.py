"""`ramie check`: list everything that is wrong with a corpus."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..corpus.records import scan_records
from .common import SCHEMA_HELP, clear_errors, schema_by_name


def check(
    paths: Annotated[list[Path], typer.Argument(help="Corpus files (.jsonl)")],
    schema: Annotated[str, typer.Option(help=SCHEMA_HELP)] = "supplements",
) -> None:
    """Check corpus files and list every bad record with file, line, id and reason.

    Leaves with status 1 if there is one.
    """
    with clear_errors():
        labels = schema_by_name(schema)
        bad = 0
        ids: dict[str, Path] = {}
        for path in paths:
            counts: Counter[str] = Counter()
            for data, problems in scan_records(path, labels):
                for problem in problems:
                    msg.fail(str(problem))
                bad += len(problems)
                counts["records"] += 1
                if problems:
                    continue
                other = ids.setdefault(data["id"], path)
                if other != path:
                    msg.fail(f"{path}, record {data['id']}: the id is also in {other}")
                    bad += 1
                for kind in ("entities", "relations", "usage"):
                    for item in data.get(kind, ()):
                        counts[item["label"]] += 1
            listed = ", ".join(f"{n} {name}" for name, n in counts.items())
            msg.info(f"{path}: {listed}")
    if bad:
        msg.fail(f"{bad} problem(s)", exits=1)
    msg.good("Every record is as it should be")
