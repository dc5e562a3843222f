"""Task sizes by name and by size."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.campaign.profiles import FARGATE, Profile, parse_profile
from harness.errors import CampaignError, ExitCode

pytestmark = pytest.mark.unit

# Counted by hand from the table in AWS's documentation.
PAIRS_BY_VCPU = {0.25: 3, 0.5: 4, 1: 7, 2: 13, 4: 23, 8: 12, 16: 12}


def test_every_legal_fargate_pair_has_a_name_and_no_other_has() -> None:
    counted = {
        vcpu: sum(profile.vcpu == vcpu for profile in FARGATE.values()) for vcpu in PAIRS_BY_VCPU
    }
    assert counted == PAIRS_BY_VCPU
    assert len(FARGATE) == sum(PAIRS_BY_VCPU.values())


@pytest.mark.parametrize(
    ("name", "vcpu", "memory_mib"),
    [
        ("0.25vcpu-0.5gb", 0.25, 512),
        ("0.5vcpu-4gb", 0.5, 4096),
        ("1vcpu-2gb", 1, 2048),
        ("8vcpu-60gb", 8, 61440),
        ("16vcpu-120gb", 16, 122880),
    ],
)
def test_a_fargate_name_means_its_sizes_in_gib(name: str, vcpu: float, memory_mib: int) -> None:
    profile = parse_profile(name)
    assert (profile.name, profile.vcpu, profile.memory_mib) == (name, vcpu, memory_mib)
    assert profile.memory_bytes == memory_mib * 2**20


@pytest.mark.parametrize("name", FARGATE)
def test_every_fargate_profile_passes_its_own_validation(name: str) -> None:
    assert Profile.model_validate(FARGATE[name].model_dump()) == parse_profile(name)


@pytest.mark.parametrize("text", ["1vCPU-2GB", " 1vcpu-2gb ", "1.0vcpu-2.0gib"])
def test_a_name_may_be_spelled_loosely(text: str) -> None:
    assert parse_profile(text).name == "1vcpu-2gb"


@pytest.mark.parametrize(
    ("text", "neighbours"),
    [
        ("1vcpu-1gb", ["1vcpu-2gb", "0.5vcpu-1gb"]),
        ("8vcpu-17gb", ["8vcpu-16gb", "8vcpu-20gb", "4vcpu-17gb"]),
        ("3vcpu-8gb", ["2vcpu-8gb", "4vcpu-8gb"]),
        ("0.25vcpu-3gb", ["0.25vcpu-2gb", "0.5vcpu-3gb"]),
    ],
)
def test_an_illegal_pair_is_refused_with_its_legal_neighbours(
    text: str, neighbours: list[str]
) -> None:
    with pytest.raises(CampaignError) as caught:
        parse_profile(text)
    assert f"Nearest legal: {', '.join(neighbours)}." in caught.value.hint
    assert set(neighbours) <= set(FARGATE)
    assert caught.value.exit_code == ExitCode.BAD_INPUT


def test_an_illegal_pair_is_shown_as_the_free_size_it_could_be() -> None:
    with pytest.raises(CampaignError) as caught:
        parse_profile("1vcpu-1gb")
    assert "{vcpu: 1, memory_mib: 1024}" in caught.value.hint
    assert "1 GiB goes with 0.25, 0.5 vCPU" in caught.value.evidence


def test_a_pair_with_nothing_legal_about_it_still_has_a_way_out() -> None:
    with pytest.raises(CampaignError) as caught:
        parse_profile("1.5vcpu-3.5gb")
    assert "Nearest" not in caught.value.hint
    assert "{vcpu: 1.5, memory_mib: 3584}" in caught.value.hint


def test_something_else_than_a_size_is_refused_with_an_example() -> None:
    with pytest.raises(CampaignError, match=r"'t3\.large' is not a profile") as caught:
        parse_profile("t3.large")
    assert "1vcpu-2gb" in caught.value.evidence


@settings(deadline=None)
@given(
    vcpu=st.floats(0.01, 1024, allow_nan=False),
    memory_mib=st.integers(6, 10**6),
)
def test_a_free_size_is_called_after_its_sizes_and_its_name_means_them(
    vcpu: float, memory_mib: int
) -> None:
    profile = Profile.model_validate({"vcpu": vcpu, "memory_mib": memory_mib})
    assert parse_profile(profile.name) == profile


def test_a_free_size_keeps_the_name_it_is_given() -> None:
    assert Profile.model_validate({"name": "big", "vcpu": 1.5, "memory_mib": 3000}).name == "big"


def test_the_default_name_of_a_free_size_is_readable() -> None:
    profile = Profile.model_validate({"vcpu": 1.5, "memory_mib": 3000})
    assert profile.name == "ec2-1.5vcpu-3000mib"


def test_a_fargate_name_cannot_stand_for_other_sizes() -> None:
    with pytest.raises(ValidationError, match="Fargate size of 1 vCPU and 2048 MiB"):
        Profile(name="1vcpu-2gb", vcpu=4, memory_mib=2048)


@pytest.mark.parametrize("text", ["ec2-0vcpu-512mib", "ec2-1vcpu-5mib", "ec2-4096vcpu-512mib"])
def test_a_free_size_no_engine_would_accept_is_refused(text: str) -> None:
    with pytest.raises(CampaignError, match="too small or too large"):
        parse_profile(text)
