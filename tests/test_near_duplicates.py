"""Records of one template and records nearly the same are found, and warned of."""

import re

from command_line import ramie
from good_record import record, said, write_lines

from spacy_ramie.corpus.alike import same_skeletons


def test_records_that_differ_in_their_entities_are_one_skeleton():
    other = {**record("c"), "text": "Takes magnesium for sleep."}

    assert same_skeletons([record(), other]) == [["b", "c"]]
    assert same_skeletons([record(), {**record("c"), "text": "Off melatonin."}]) == []


def test_check_warns_of_templates_and_leaks(tmp_path):
    """They are no error: whoever needs them shall know of them."""
    long = "Seen today for review of her knees, which are better. "
    train = {**record("a"), "text": record()["text"] + f" {long}"}
    leak = {**record("b"), "text": record()["text"] + f" {long}Sleeps."}
    fresh = record("c")

    result = ramie(
        "check",
        write_lines(tmp_path / "train.jsonl", train),
        write_lines(tmp_path / "test.jsonl", leak, fresh),
    )

    assert result.exit_code == 0
    shares = re.findall(r"record a: (\d+)% the same as record (\w)", said(result))
    assert [id for _, id in shares] == ["b"]
    assert int(shares[0][0]) > 80
    assert "but for their entities" not in said(result)
