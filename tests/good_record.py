"""A good record to change, files of such, and what a command says of them."""

import json

DS = {"id": "T1", "start": 6, "end": 15, "label": "DS"}
EVENT = {"id": "T2", "start": 20, "end": 25, "label": "EVENT"}
RELATION = {"head": "T1", "tail": "T2", "label": "POSITIVE"}
USAGE = {"entity": "T1", "label": "CONTINUE"}


def record(id="b", **changed):
    return {
        "id": id,
        "text": "Takes melatonin for sleep.",
        "entities": [DS, EVENT],
        "relations": [RELATION],
        "usage": [USAGE],
        **changed,
    }


def write_lines(path, *lines):
    path.write_text(
        "".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines)
    )
    return path


def said(result):
    """What a command printed, without the line breaks of a narrow screen."""
    return " ".join(result.output.split())
