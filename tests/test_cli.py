"""The commands: what they print, and that what a user can mend is one clear line."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import spacy
import srsly
from tiny_config import write_tiny
from typer.testing import CliRunner

from spacy_ramie.cli import ramie_cli

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "configs/supplements.cfg"
COMMANDS = (
    *("audit", "base", "baseline", "check", "compare", "convert", "experiment"),
    *("extract", "neighbours", "report", "train", "variants"),
)


def ramie(*arguments):
    return CliRunner().invoke(ramie_cli, [*map(str, arguments)])


def words(text):
    """Without colours and the line breaks of a narrow screen."""
    return " ".join(re.sub(r"\x1b\[[\d;]*m", "", text).split())


def spacy_process(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "spacy", *map(str, arguments)],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )


# Help


def test_commands_hang_under_those_of_spacy():
    result = spacy_process("ramie", "--help")

    assert result.returncode == 0
    listed = re.findall(r"^\W*(\w+)\s{2,}", result.stdout, re.M)
    assert set(COMMANDS) <= set(listed)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("audit", ["MODEL", "TEST", "OTHERS", "--released"]),
        ("base", ["CONFIG", "--code", "[ramie.base]"]),
        ("check", ["PATHS", "--schema", "supplements_paper"]),
        ("baseline", ["CONFIG", "OUTPUT", "--training.max_steps"]),
        ("compare", ["MODEL", "BASELINE", "CORPUS", "OUTPUT"]),
        ("convert", ["SOURCE", "TARGET", "--form", "phee"]),
        ("experiment", ["CONFIG", "OUTPUT", "--code", "--gpu-id"]),
        ("neighbours", ["MODEL", "CORPUS", "OUTPUT"]),
        ("variants", ["MODEL", "CORPUS", "OUTPUT", "--seed", "--gpu-id"]),
        ("extract", ["MODEL", "TEXT"]),
        ("report", ["MODEL", "CORPUS", "METRICS", "OUTPUT", "--experiments"]),
        ("train", ["CONFIG", "--gpu-id", "--code", "--ramie.training.max_steps"]),
    ],
)
def test_help_names_arguments_and_options(command, said):
    result = ramie(command, "--help")

    assert result.exit_code == 0
    assert all(word.lower() in result.output.lower() for word in said)


# Errors


@pytest.fixture
def tiny(tmp_path, corpus_files, tiny_base):
    """Write a config over the tiny base."""

    def write(**changed):
        paths = {
            "paths.train": str(corpus_files["train"]),
            "paths.dev": str(corpus_files["dev"]),
            "paths.base": str(tiny_base),
            "paths.adapter": str(tmp_path / "adapter"),
        }
        return write_tiny(CONFIG, tmp_path / "tiny.cfg", {**paths, **changed})

    return write


def without(config, start, stop=None):
    """Drop the lines of a config from one that starts so to another."""
    text = config.read_text()
    at = text.index(start)
    end = len(text) if stop is None else text.index(stop, at)
    config.write_text(text[:at] + text[end:])
    return config


def mended_by_user(result):
    """Whether a command left with one message and status 1."""
    stopped = isinstance(result.exception, SystemExit)
    return stopped and result.exit_code == 1 and "Traceback" not in result.output


def test_error_of_the_installed_command_has_no_traceback(tmp_path):
    result = spacy_process("ramie", "check", tmp_path / "none.jsonl")

    assert result.returncode == 1
    said = words(result.stdout + result.stderr)
    assert said == (
        f"✘ [R102] {tmp_path / 'none.jsonl'}: no such file."
        " Give the path of a .jsonl or .spacy corpus."
    )


def test_bad_records_are_listed_one_a_line(tmp_path):
    bad = [{"id": f"r{i}", "text": None} for i in range(3)]
    srsly.write_jsonl(tmp_path / "x.jsonl", bad)

    result = ramie("convert", tmp_path / "x.jsonl", tmp_path / "x.spacy")

    assert mended_by_user(result)
    assert "3 bad record(s)" in words(result.output)
    lines = [line for line in result.output.splitlines() if "[R101]" in line]
    assert [re.search(r"line (\d), record (r\d)", x).groups() for x in lines] == [
        ("1", "r0"),
        ("2", "r1"),
        ("3", "r2"),
    ]
    assert not (tmp_path / "x.spacy").exists()


def test_unknown_schema_is_answered_with_the_known_ones(corpus_files):
    result = ramie("check", corpus_files["dev"], "--schema", "drugs")

    assert mended_by_user(result)
    assert "R009" in result.output
    assert "phee, supplements, supplements_paper" in words(result.output)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"paths.train": "none.spacy"}, "[R102] none.spacy: no such file"),
        ({"paths.dev": "none.jsonl"}, "[R102] none.jsonl: no such file"),
        ({"paths.base": "none/base"}, "[R202] Base model 'none/base' cannot be loaded"),
        ({"ramie.training.max_stepss": 3}, "max_stepss"),
        ({"ramie.lora.rank": 3}, "rank"),
        (
            {"components.ramie_extractor.retriever.encoder.@misc": "none.v1"},
            "none.v1",
        ),
        ({"components.ramie_extractor.retriever.k": -1}, "[R002] 'retriever.k'"),
    ],
    ids=str,
)
def test_config_that_cannot_work_is_one_clear_error(tiny, changed, said):
    result = ramie("train", tiny(**changed))

    assert mended_by_user(result), result.exception
    assert said in words(result.output)


@pytest.mark.parametrize(
    ("command", "start", "stop", "said"),
    [
        ("train", "[ramie]", "[components.", "[R006]"),
        ("train", "[paths]", "[nlp]", "paths"),
        ("train", "base = ", "adapter", "paths"),
        ("base", "base = ", "adapter", "paths"),
    ],
)
def test_config_without_a_section_is_one_clear_error(tiny, command, start, stop, said):
    config = without(tiny(), start, stop)
    text = config.read_text()
    if start == "[ramie]":
        config.write_text(re.sub(r"\[ramie\.[^[]*", "", text))

    result = ramie(command, config)

    assert mended_by_user(result), result.exception
    assert said in words(result.output)


def test_what_is_missing_is_to_be_found_in_the_config_that_is_named(tmp_path):
    config = tmp_path / "small.cfg"
    base = tmp_path / "base"
    config.write_text(f'[paths]\nbase = "{base}"\n\n[ramie.base]\nvocabulary = 500\n')

    result = ramie("base", config)

    assert mended_by_user(result), result.exception
    assert "no 'hidden' in its section [ramie.base]" in words(result.output)
    assert "configs/base.cfg" in words(result.output)


def test_config_without_the_component_is_one_clear_error(tmp_path):
    config = tmp_path / "x.cfg"
    config.write_text('[paths]\n[ramie]\n[nlp]\nlang = "en"\npipeline = []\n')

    result = ramie("train", config)

    assert mended_by_user(result)
    assert "[R007]" in result.output


def test_base_that_nobody_can_load_is_one_clear_error(tiny, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    result = ramie("base", tiny(), "--paths.base", "nobody/nothing")

    assert mended_by_user(result)
    assert "[R206] Base model 'nobody/nothing'" in words(result.output)


def test_base_that_is_there_is_left_as_it_is(tiny, tiny_base):
    before = {file: file.stat().st_mtime_ns for file in tiny_base.iterdir()}

    result = ramie("base", tiny())

    assert result.exit_code == 0
    assert f"Base model {tiny_base} is there" in words(result.output)
    assert {f: f.stat().st_mtime_ns for f in tiny_base.iterdir()} == before


def test_base_fetches_the_encoder_of_the_retriever(tiny, monkeypatch, tmp_path):
    asked = []

    def snapshot(name, allow_patterns):
        asked.append((name, "pytorch_model.bin" in allow_patterns))
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    encoder = {"@misc": "spacy_ramie.Contriever.v1", "model": "nobody/encoder"}
    changed = {
        f"components.ramie_extractor.retriever.encoder.{k}": v
        for k, v in encoder.items()
    }
    result = ramie("base", tiny(**changed))

    assert result.exit_code == 0
    # Published without safetensors, it is asked for a second time.
    assert asked == [("nobody/encoder", False), ("nobody/encoder", True)]


@pytest.mark.parametrize("command", ["extract", "report"])
def test_missing_pipeline_is_one_clear_error(command, tmp_path):
    files = ["a note"] if command == "extract" else ["x.spacy", "x.json", "x.html"]

    result = ramie(command, tmp_path / "none", *files)

    assert mended_by_user(result)
    assert "[R010]" in result.output


def test_pipeline_without_the_component_is_one_clear_error(tmp_path):
    spacy.blank("en").to_disk(tmp_path / "model")

    result = ramie("extract", tmp_path / "model", "a note")

    assert mended_by_user(result)
    assert "[R011]" in result.output


def test_own_labels_without_an_adapter_are_one_clear_error(tmp_path):
    nlp = spacy.blank("en")
    labels = {"schema": {"@misc": "spacy_ramie.PHEE.v1"}}
    nlp.add_pipe("ramie_extractor", config=labels)
    nlp.to_disk(tmp_path / "model")

    result = ramie("extract", tmp_path / "model", "Takes garlic.")

    assert mended_by_user(result)
    assert "[R201]" in result.output


# Extract and report

NOTE = "Started melatonin for insomnia. No nausea"
LABELLED = {
    "id": "a",
    "text": "Takes <b> melatonin </b> & lavender for insomnia, not nausea.",
    "entities": [
        {"id": "T1", "start": 10, "end": 19, "label": "DS", "ingredient": "melatonin"},
        {"id": "T2", "start": 27, "end": 35, "label": "DS"},
        {"id": "T3", "start": 40, "end": 48, "label": "EVENT"},
    ],
    "relations": [{"head": "T1", "tail": "T3", "label": "POSITIVE"}],
    "usage": [{"entity": "T1", "label": "CONTINUE"}],
}
EXEMPLAR = {
    "id": "t",
    "text": "Melatonin was stopped: rash.",
    "entities": [
        {"id": "T1", "start": 0, "end": 9, "label": "DS", "ingredient": "melatonin"},
        {"id": "T2", "start": 23, "end": 27, "label": "EVENT"},
    ],
    "relations": [{"head": "T1", "tail": "T2", "label": "NEGATIVE"}],
    "usage": [{"entity": "T1", "label": "DISCONTINUE"}],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory, tiny_base):
    """A saved pipeline whose entities come from rules: the tiny base knows nothing."""
    folder = tmp_path_factory.mktemp("cli")
    srsly.write_jsonl(folder / "train.jsonl", [EXEMPLAR])
    nlp = spacy.blank("en")
    events = [[{"LOWER": "insomnia"}], [{"TEXT": "."}, {"LOWER": "no"}]]
    nlp.add_pipe("entity_ruler").add_patterns(
        [
            {"label": "DS", "pattern": "melatonin"},
            *({"label": "EVENT", "pattern": pattern} for pattern in events),
        ]
    )
    component = nlp.add_pipe(
        "ramie_extractor",
        config={
            "entities": "doc",
            "engine": {"base": str(tiny_base), "max_new_tokens": 8},
        },
    )
    component.initialize(lambda: [], nlp=nlp, exemplars=str(folder / "train.jsonl"))
    nlp.to_disk(folder / "model")
    return folder / "model"


def table_rows(output):
    return [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in output.splitlines()
        if line.startswith("│")
    ]


@pytest.mark.parametrize("source", ["text", "file"])
def test_extract_prints_what_was_found_in_a_note(model, source, tmp_path):
    (tmp_path / "note.txt").write_text(NOTE)
    given = NOTE if source == "text" else tmp_path / "note.txt"

    result = ramie("extract", model, given)

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(NOTE)
    rows = table_rows(result.stdout)
    supplement = next(row for row in rows if row[0] == "melatonin")
    # Text, label, ingredient, usage, confidence.
    assert supplement[1:3] == ["DS", "melatonin"]
    assert supplement[3] in {"CONTINUE", "DISCONTINUE", "START", "UNCERTAIN"}
    assert ["insomnia", "EVENT", "", "", ""] in rows
    (relation,) = [row for row in rows if row[2] == "insomnia" and row[3] == "re"]
    assert relation[0] == "melatonin"
    assert re.fullmatch(r"\d+%", relation[4])


def test_extract_prints_failures(model):
    result = ramie("extract", model, NOTE)

    assert "unasked: the entity crosses a sentence border" in words(result.output)


def test_extract_takes_a_note_too_long_for_a_file_name(model):
    note = NOTE + ". Slept well." * 400

    result = ramie("extract", model, note)

    assert result.exit_code == 0, result.output
    assert ["insomnia", "EVENT", "", "", ""] in table_rows(result.output)


class Page(HTMLParser):
    """Rows of tables, by caption, and everything that would be fetched.

    A reference into the page itself is not.
    """

    def __init__(self, text):
        super().__init__()
        self.tables, self.fetched, self.tags = {}, [], set()
        self._text, self._rows = "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.fetched += [
            value
            for key, value in attrs
            if key in ("src", "href", "xlink:href", "srcset", "data")
            and not value.startswith("#")
        ]
        self._text = ""
        if tag == "caption":
            self._rows = []
        if tag == "tr":
            self._rows.append([])

    def handle_data(self, data):
        self._text += data

    def handle_endtag(self, tag):
        if tag == "caption":
            self.tables[self._text] = self._rows
        if tag in ("td", "th"):
            self._rows[-1].append(self._text)


def prf(p, r, f):
    return {"p": p, "r": r, "f": f}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(None, "R404", id="missing"),
        pytest.param(b"\xff\xfe{", "R40", id="no text"),
        pytest.param(b"not json", "R404", id="no JSON"),
        pytest.param(b"{}", "R402", id="of something else"),
        pytest.param(b"[]", "R402", id="a list"),
    ],
)
def test_metrics_that_are_none_are_one_clear_error(model, tmp_path, content, expected):
    srsly.write_jsonl(tmp_path / "test.jsonl", [LABELLED])
    if content is not None:
        (tmp_path / "test.json").write_bytes(content)
    files = tmp_path / "test.jsonl", tmp_path / "test.json", tmp_path / "report.html"
    result = ramie("report", model, *files)
    assert mended_by_user(result)
    assert f"[{expected}" in result.output


def test_a_note_in_a_file_that_is_not_there_is_no_note(model):
    result = ramie("extract", model, "missing.txt")
    assert mended_by_user(result)
    assert "missing.txt" in words(result.output)


def test_a_note_in_another_encoding_is_one_clear_error(model, tmp_path):
    (tmp_path / "note.txt").write_bytes("naïve".encode("latin-1"))
    result = ramie("extract", model, tmp_path / "note.txt")
    assert mended_by_user(result)
    assert "[R403]" in result.output


def test_a_pipeline_with_a_task_of_a_user_is_given_its_code(model, tmp_path):
    (tmp_path / "own.py").write_text("print('own code')")
    result = ramie("extract", model, "No melatonin.", "--code", tmp_path / "own.py")
    assert result.exit_code == 0
    assert "melatonin" in result.output


# No two numbers are the same, so that none can stand in for another.
METRICS = {
    **{"ents_p": 0.111, "ents_r": 0.122, "ents_f": 0.133},
    **{"ramie_re_p": 0.211, "ramie_re_r": 0.222, "ramie_re_f": 0.233},
    **{"ramie_te_p": 0.311, "ramie_te_r": 0.322, "ramie_te_f": 0.333},
    **{"ramie_triples_p": 0.341, "ramie_triples_r": 0.342, "ramie_triples_f": 0.343},
    **{"ramie_uc_p": 0.411, "ramie_uc_r": 0.422, "ramie_uc_f": 0.433},
    "ramie_re_gold_acc": 0.511,
    "ramie_uc_gold_acc": 0.522,
    "ents_per_type": {"DS": prf(0.611, 0.622, 0.633), "EVENT": prf(0.6, 0.61, 0.62)},
    "ramie_re_per_type": {"POSITIVE": prf(0.711, 0.722, 0.733)},
    "ramie_te_per_type": {"NEGATIVE": prf(0.811, 0.822, 0.833)},
    "ramie_triples_per_type": {"NEGATIVE": prf(0.841, 0.842, 0.843)},
    "ramie_uc_per_type": {"START": prf(0.911, 0.922, 0.933)},
    "ramie_requests": 4711,
    "ramie_unparsable": 12,
    "ramie_ungrounded": 13,
    "ramie_truncated": 14,
    "ramie_too_long": 15,
    "ramie_engine_errors": 16,
    "speed": 17.5,
    **{"ents_ece": 0.541, "ents_brier": 0.542},
    "ents_bins": [
        {"answers": 7, "probability": 0.31, "right": 0.2},
        {"answers": 3, "probability": 0.95, "right": 1.0},
    ],
}


@pytest.fixture(scope="module")
def report(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    srsly.write_jsonl(folder / "test.jsonl", [LABELLED])
    srsly.write_json(folder / "test.json", METRICS)
    page = folder / "new/report.html"
    result = ramie("report", model, folder / "test.jsonl", folder / "test.json", page)
    assert result.exit_code == 0, result.output
    return result.output, page.read_text()


def test_report_has_the_numbers_of_the_metrics_file(report):
    tables = Page(report[1]).tables
    by_title = {title.split(",")[0]: rows[1:] for title, rows in tables.items()}

    assert by_title["Precision"] == [
        ["Entities (NER)", "11.1", "12.2", "13.3", ""],
        ["Relations (RE)", "21.1", "22.2", "23.3", "51.1"],
        ["Triples (TE)", "31.1", "32.2", "33.3", ""],
        ["Triples, RE and TE together", "34.1", "34.2", "34.3", ""],
        ["Usage (UC)", "41.1", "42.2", "43.3", "52.2"],
    ]
    assert by_title["Entities (NER) by label"] == [
        ["DS", "61.1", "62.2", "63.3"],
        ["EVENT", "60.0", "61.0", "62.0"],
    ]
    assert by_title["Relations (RE) by label"] == [["POSITIVE", "71.1", "72.2", "73.3"]]
    assert by_title["Triples (TE) by label"] == [["NEGATIVE", "81.1", "82.2", "83.3"]]
    assert by_title["Usage (UC) by label"] == [["START", "91.1", "92.2", "93.3"]]
    assert tables["Requests and failures"] == [
        ["requests", "4711"],
        ["unparsable", "12"],
        ["ungrounded", "13"],
        ["truncated", "14"],
        ["too long", "15"],
        ["engine errors", "16"],
    ]


def test_report_prints_the_same_numbers(report):
    rows = [row for row in table_rows(report[0]) if row[0]]

    assert rows == [
        ["Entities (NER)", "11.1", "12.2", "13.3", ""],
        ["Relations (RE)", "21.1", "22.2", "23.3", "51.1"],
        ["Triples (TE)", "31.1", "32.2", "33.3", ""],
        ["Triples, RE and TE together", "34.1", "34.2", "34.3", ""],
        ["Usage (UC)", "41.1", "42.2", "43.3", "52.2"],
    ]
    assert "4711 requests, 12 unparsable" in words(report[0])


def test_report_measures_the_recall_of_the_index(report):
    rows = Page(report[1]).tables[
        "Retrieval: recall@1 of the index against exact search"
    ]

    assert {task for task, _ in rows} == {"ner", "re", "te", "uc"}
    # One sentence in the bank: it is always found.
    assert {value for _, value in rows} == {"1.000"}


def test_report_needs_no_network(report):
    page = Page(report[1])

    assert page.fetched == []
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert not re.search(r"url\(|@import|https?://", report[1])


def test_report_draws_how_far_probabilities_can_be_trusted(report):
    (svg,) = re.findall(r"<svg.*?</svg>", report[1], re.S)

    # Its text stays text.
    assert "10 answers" in svg
    assert ["Entities", "0.541", "0.542"] in Page(report[1]).tables[
        "Probabilities: calibration error (ECE, ten bins) and Brier score, both best at 0"
    ]


def test_every_table_and_plot_says_what_made_it(report):
    blocks = re.findall(r"<(?:table|figure)>.*?(?=<table>|<figure>|$)", report[1], re.S)

    assert len(blocks) > 6
    # Tables side by side have one line.
    by_label = [block for block in blocks if "by label" in block]
    said = [block for block in blocks if block not in by_label]
    assert all("Made by <code>python -m spacy" in block for block in said)
    assert "test.jsonl --output" in report[1]


def test_report_shows_every_mistake_as_text(report):
    page = Page(report[1])
    entries = re.findall(r"<article.*?</article>", report[1], re.S)

    # Those of the note are text.
    assert "b" not in page.tags
    assert "&lt;b&gt;" in report[1]
    shown = {
        (
            re.search('data-task="(.*?)"', entry)[1],
            re.search('data-kind="(.*?)"', entry)[1],
            re.search("<dt>gold</dt><dd>(.*?)</dd>", entry)[1],
        )
        for entry in entries
    }
    assert ("ner", "missed", "lavender: DS") in shown
    assert ("te", "missed", "melatonin → insomnia: POSITIVE") in shown
    assert not any("melatonin: DS" in gold for _, _, gold in shown)
    (triple,) = [entry for entry in entries if 'data-task="te"' in entry]
    assert "Melatonin was stopped: rash." in triple
    assert "### Example" in triple


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--experiments", {"strict": {}}, "[R402]"),
        ("--neighbours", METRICS, "[R402]"),
    ],
)
def test_file_of_another_command_is_one_clear_error(
    model, option, content, said, tmp_path
):
    srsly.write_json(tmp_path / "x.json", content)
    srsly.write_json(tmp_path / "test.json", METRICS)
    files = (model, "x.spacy", tmp_path / "test.json", "x.html")

    result = ramie("report", *files, option, tmp_path / "x.json")

    assert mended_by_user(result), result.exception
    assert said in result.output


def test_report_without_matplotlib_says_what_to_install(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    srsly.write_jsonl(tmp_path / "test.jsonl", [LABELLED])
    srsly.write_json(tmp_path / "test.json", METRICS)

    result = ramie(
        *("report", model, tmp_path / "test.jsonl", tmp_path / "test.json"),
        tmp_path / "report.html",
    )

    assert mended_by_user(result), result.exception
    assert 'pip install "spacy-ramie[report]"' in words(result.output)
