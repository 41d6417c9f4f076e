"""`ramie check`: list everything that is wrong with a corpus."""

from collections import Counter
from collections.abc import Mapping
from itertools import chain, combinations
from pathlib import Path
from typing import Annotated, Any

import typer
from wasabi import msg

from ..corpus.alike import near_duplicates, same_skeletons
from ..corpus.records import scan_records
from .common import SCHEMA_HELP, clear_errors, schema_by_name


def check(
    paths: Annotated[list[Path], typer.Argument(help="Corpus files (.jsonl)")],
    schema: Annotated[str, typer.Option(help=SCHEMA_HELP)] = "supplements",
) -> None:
    """Check corpus files and list every bad record with file, line, id and reason.

    Leaves with status 1 if there is one. Warns of records that are the same but for
    their entities, and of records of one file that are nearly those of another.
    """
    with clear_errors():
        labels = schema_by_name(schema)
        bad = 0
        ids: dict[str, Path] = {}
        good: dict[Path, list[Mapping[str, Any]]] = {path: [] for path in paths}
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
                good[path].append(data)
                for kind in ("entities", "relations", "usage"):
                    for item in data.get(kind, ()):
                        counts[item["label"]] += 1
            listed = ", ".join(f"{n} {name}" for name, n in counts.items())
            msg.info(f"{path}: {listed}")
    if bad:
        msg.fail(f"{bad} problem(s)", exits=1)
    _warn(good)
    msg.good("Every record is as it should be")


def _warn(files: Mapping[Path, list[Mapping[str, Any]]]) -> None:
    """Tell of templates and leaks: a score that rests on them says little."""
    for ids in same_skeletons(chain.from_iterable(files.values())):
        msg.warn(f"The same but for their entities: {', '.join(ids)}")
    for one, other in combinations(files, 2):
        for alike in near_duplicates(files[one], files[other]):
            msg.warn(
                f"{one}, record {alike.one}: {alike.share:.0%} the same as record "
                f"{alike.other} of {other}"
            )
