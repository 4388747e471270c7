"""A number that was not counted to its end is never said as if it were."""

import pytest

from lifecycle.insight.amounts import Amount


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (Amount(0), "0"),
        (Amount(9_999), "9,999"),
        (Amount(10_000), "10,000+"),
        (Amount(3_000_000), "10,000+"),
        (Amount(6_482, more=True), "6,000+"),
        (Amount(7, more=True), "7+"),
        (Amount(0, more=True), "0+"),
    ],
)
def test_so_it_is_said(amount: Amount, said: str) -> None:
    assert str(amount) == said


def test_a_sum_is_open_where_a_part_is() -> None:
    assert str(sum([Amount(1_000), Amount(234)], Amount(0))) == "1,234"
    assert str(Amount(1_000) + Amount(234, more=True)) == "1,000+"
