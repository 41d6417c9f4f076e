"""The page of a report: its numbers, its mistakes, and nothing that is fetched."""

import re
from html.parser import HTMLParser

import pytest
import srsly
from command_line import ramie, table_rows, words
from report_files import LABELLED, METRICS


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
