from __future__ import annotations

import datetime

import pytest

from harness.campaign.pricing import price_table
from harness.errors import CampaignError
from harness.scenarios.sizing import fargate_price, shipped_prices

pytestmark = pytest.mark.unit

TABLE = """
source: somewhere
as_of: 2026-01-02
currency: USD
regions:
  nowhere-1:
    x86: {vcpu_hour: 0.05, gib_hour: 0.005}
"""


def test_a_table_tells_the_price_of_an_hour_there() -> None:
    table = price_table(TABLE)
    hour = table.price("nowhere-1", "x86")
    assert (hour.vcpu_hour, hour.gib_hour) == (0.05, 0.005)
    assert table.as_of == datetime.date(2026, 1, 2)


@pytest.mark.parametrize(
    ("region", "architecture", "words"),
    [("mars-1", "x86", "no region 'mars-1'"), ("nowhere-1", "arm", "no architecture 'arm'")],
)
def test_what_is_not_in_it_is_bad_input_with_a_way_out(
    region: str, architecture: str, words: str
) -> None:
    with pytest.raises(CampaignError, match=words) as caught:
        price_table(TABLE).price(region, architecture)
    assert "--price" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("source: x", "no price table"),
        (TABLE.replace("0.05,", "-1,"), "no price table"),
        (TABLE.replace("0.05,", ".inf,"), "no price table"),
        (TABLE.replace("USD", "dollars"), "no price table"),
        (TABLE + "extra: 1\n", "no price table"),
    ],
)
def test_what_is_no_table_is_refused(text: str, words: str) -> None:
    with pytest.raises(CampaignError, match=words):
        price_table(text)


def test_the_table_that_ships_has_both_architectures_a_date_and_a_source() -> None:
    table = shipped_prices()
    assert set(table.regions["us-east-1"]) == {"x86", "arm"}
    assert table.as_of <= datetime.date(2026, 6, 17)
    assert "Fargate" in table.source


def test_prices_that_are_given_replace_those_of_the_table() -> None:
    shipped = fargate_price("us-east-1", "x86", {})
    assert (shipped.per_vcpu_hour, shipped.per_gib_hour) == (0.04048, 0.004445)
    assert shipped.as_of == "2026-06-17"
    half = fargate_price("us-east-1", "arm", {"vcpu": 0.01})
    assert (half.per_vcpu_hour, half.per_gib_hour) == (0.01, 0.00356)
    assert "vcpu as given" in half.source
    whole = fargate_price("mars-1", "x86", {"vcpu": 0.01, "gib": 0.002})
    assert (whole.per_vcpu_hour, whole.per_gib_hour) == (0.01, 0.002)
    assert whole.source == "as given with --price"
