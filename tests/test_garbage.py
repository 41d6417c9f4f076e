"""Garbage is collected again once what stays was made, and that is not looked through."""

import gc

import pytest

from spacy_ramie.garbage import uncollected


@pytest.fixture(params=[True, False])
def collecting(request):
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


def test_collection_goes_on_as_it_did_before_even_after_an_error(collecting):
    with pytest.raises(ValueError, match="within"), uncollected():
        assert not gc.isenabled()
        raise ValueError("within")

    assert gc.isenabled() is collecting


def test_what_was_made_is_not_looked_through_at_once(young):
    with uncollected():
        made = [[] for _ in range(100_000)]

    assert young() < len(made)


def test_what_the_application_has_frozen_stays_so(young):
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with uncollected():
            made = [[] for _ in range(100_000)]

        assert gc.get_freeze_count() == frozen
        assert young() >= len(made)
    finally:
        gc.unfreeze()


@pytest.fixture
def young():
    """How many objects the next collection looks through, with collection put off."""
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    yield lambda: len(gc.get_objects(generation=0))
    if collecting:
        gc.enable()
