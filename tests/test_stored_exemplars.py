"""Exemplars come back from disk as they were, whatever is written in them."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from spacy_ramie.retrieval.exemplars import read_exemplars, write_exemplars
from spacy_ramie.types import Exemplar

TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\n\r\x0b\x85\u2028")
)
EXEMPLARS = st.lists(st.builds(Exemplar, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT))


@given(st.dictionaries(st.sampled_from(["ner", "re", "te"]), EXEMPLARS))
def test_what_was_written_is_read(banks):
    with TemporaryDirectory() as folder:
        write_exemplars(Path(folder), banks)
        found = read_exemplars(Path(folder))

    assert {task: [*exemplars] for task, exemplars in found.items()} == banks
    for task, exemplars in found.items():
        assert [*exemplars[1:]] == banks[task][1:]
        assert [*exemplars[-1:]] == banks[task][-1:]
