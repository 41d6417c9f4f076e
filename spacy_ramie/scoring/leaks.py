"""Test records that a pipeline has as exemplars: what is measured then says nothing."""

from collections import defaultdict
from collections.abc import Sequence

from spacy.tokens import Doc

from ..corpus.alike import Alike, near_duplicates
from ..corpus.docbin import record_of
from ..retrieval.retriever import Retriever


def find_leaks(retriever: Retriever, docs: Sequence[Doc]) -> list[Alike]:
    """Find records that are nearly a note that exemplars were made of.

    retriever (Retriever): Its banks are looked through.
    docs (Sequence[Doc]): What is to be measured on.
    RETURNS (list[Alike]): Note of the exemplars and record, the most alike first.
    """
    # Single sentences would not do: short ones come again in notes that differ.
    notes: dict[str, dict[str, None]] = defaultdict(dict)
    for bank in retriever.banks.values():
        for exemplar in bank.exemplars:
            notes[exemplar.group][exemplar.sentence] = None
    exemplars = [{"id": id, "text": " ".join(note)} for id, note in notes.items()]
    records = [record for doc in docs if (record := record_of(doc)) is not None]
    return near_duplicates(exemplars, records)
