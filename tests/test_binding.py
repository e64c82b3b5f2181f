"""Values are bound without a look for pandas, and only there."""

import sys

import pytest

from mi_core.binding import plain_values


def find_pandas() -> object:
    """What this package's finder says of pandas."""
    [finder] = [each for each in sys.meta_path if type(each).__module__ == "mi_core.binding"]
    return finder.find_spec("pandas", None)


def test_a_block_within_a_block_leaves_the_outer_one_as_it_was():
    with plain_values():
        with plain_values():
            pass
        with pytest.raises(ModuleNotFoundError):
            find_pandas()
    assert find_pandas() is None
