"""The whole product of hostile hosts: every type of key on every form of table.

In parts, each a site of its own: they say how far it is, and one that failed is run again alone.
"""

import re

import pytest

from tests.hostile.test_hostile import printed

PARTS = 13  # of 486 tables: no divisor of how many keys or forms there are


@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_no_cell_of_the_whole_product_is_wrong(database_server: None, part: int) -> None:
    page = printed(f"test_hostile_part_{part}", "--part", f"{part}/{PARTS}")
    cells = re.search(r"^(\d+) cells: .*", page, re.MULTILINE)
    assert cells
    assert int(cells[1]) > 300
    print(part, cells[0])
