"""What `spacy evaluate` writes, and the commands that go on from it."""

import pytest
import spacy
import srsly
from figures import COUNTS, SHARES
from spacy.cli._util import app
from typer.testing import CliRunner

from spacy_ramie.cli import ramie_cli
from spacy_ramie.corpus.docbin import make_corpus, write_docbin
from spacy_ramie.schema import make_supplements


@pytest.fixture(scope="module")
def metrics(tmp_path_factory, tiny_base, corpus_files, records):
    """A saved pipeline over the tiny base, and what `spacy evaluate` writes of it."""
    folder = tmp_path_factory.mktemp("scoring")
    nlp = spacy.blank("en")
    engine = {"base": str(tiny_base), "max_new_tokens": 12}
    component = nlp.add_pipe("ramie_extractor", config={"engine": engine})
    exemplars = str(corpus_files["train"])
    component.initialize(lambda: [], nlp=nlp, exemplars=exemplars)
    nlp.to_disk(folder / "model")
    corpus = folder / "test.spacy"
    write_docbin(records[-4:], corpus, nlp, make_supplements())
    output = folder / "metrics" / "test.json"
    output.parent.mkdir()
    result = CliRunner().invoke(
        app,
        ["evaluate", str(folder / "model"), str(corpus), "--output", str(output)],
    )
    assert result.exit_code == 0, result.output
    return folder / "model", corpus, srsly.read_json(output)


TABLES = [f"{kind}_per_type" for kind in ("ents", "ramie_re", "ramie_te", "ramie_uc")]


def test_variants_command_agrees_with_spacy_evaluate(metrics, tmp_path):
    model, corpus, scores = metrics
    output = tmp_path / "new" / "variants.json"

    result = CliRunner().invoke(
        ramie_cli, ["variants", str(model), str(corpus), str(output)]
    )

    assert result.exit_code == 0, result.output
    written = srsly.read_json(output)
    names = ["as it is", "no exemplar", "random exemplar", "no grammar"]
    assert list(written) == [*names, "cases"]
    assert set(written["cases"]) == {"helped", "harmed"}
    assert {key: written["as it is"][key] for key in SHARES} == pytest.approx(
        {key: scores[key] for key in SHARES}
    )
    assert "Usage, gold mentions" in result.output


def test_no_report_is_written_across_a_leak(metrics, records, tmp_path):
    model, _, scores = metrics
    # One of them is among the exemplars.
    leaky, page = tmp_path / "leaky.spacy", tmp_path / "report.html"
    write_docbin(
        [records[0], records[-1]], leaky, spacy.blank("en"), make_supplements()
    )
    srsly.write_json(tmp_path / "test.json", scores)
    arguments = ["report", *map(str, (model, leaky, tmp_path / "test.json", page))]

    refused = CliRunner().invoke(ramie_cli, arguments)
    written = page.exists()
    told = CliRunner().invoke(ramie_cli, [*arguments, "--despite-leaks"])

    assert refused.exit_code == 1
    assert "[R108] 1 record(s)" in " ".join(refused.output.split())
    assert records[0]["id"] in refused.output
    assert not written
    assert told.exit_code == 0, told.output
    assert "1 leaks: these records" in page.read_text()


def test_spacy_evaluate_writes_every_key(metrics):
    _, _, scores = metrics

    assert all(0 <= scores[key] <= 1 for key in SHARES)
    assert all(type(scores[f"ramie_{key}"]) is int for key in COUNTS)
    assert set(scores["ents_per_type"]) == {"DS", "EVENT"}
    for table in TABLES:
        assert all(set(row) == {"p", "r", "f"} for row in scores[table].values())


def test_spacy_evaluate_writes_what_the_pipeline_scores(metrics):
    model, corpus, scores = metrics
    nlp = spacy.load(model)

    again = nlp.evaluate(list(make_corpus(str(corpus), make_supplements())(nlp)))

    assert scores["ramie_requests"] > 10
    assert scores["ramie_re_gold_acc"] > 0
    for key in [*SHARES, *(f"ramie_{key}" for key in COUNTS)]:
        assert scores[key] == pytest.approx(again[key])
