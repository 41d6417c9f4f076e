"""Garbage is collected again once what stays was made."""

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
