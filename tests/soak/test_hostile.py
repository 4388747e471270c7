"""The whole product of hostile hosts: every type of key on every form of table."""

from tests.hostile.test_hostile import printed


def test_no_cell_of_the_whole_product_is_wrong(database_server: None) -> None:
    assert "cells:" in printed("test_hostile_whole", "--all")
