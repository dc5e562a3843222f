"""A deployment that exists: reached with headers and certificates, stopped by its guard rails, and
left without a run of ours.
"""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_webserver import LOCATION, Behaviour, FakeWebserver, serving

from harness.campaign.external import External
from harness.errors import GeneratorFailed, TargetFailed
from harness.facts.model import Limits
from harness.masking import hiding, masked
from harness.rig.code_server_rpc import PingMetrics
from harness.rig.ledger import Ledger
from harness.rig.leftovers import remove_leftovers
from harness.rig.load import cancelling
from harness.rig.load import dagster_graphql as graphql
from harness.rig.load.cancelling import cancel_runs, give_up_runs
from harness.rig.load.commands import Staff
from harness.rig.load.driver import LocustDriver
from harness.rig.load.web_date import ask_date, look_at_date
from harness.rig.orders import Access, JobOrder, LoadOrder, LoadOutcome
from harness.rig.server_word import NOT_SAID, ServerWord
from harness.rig.target.external import ExternalOptions, ExternalTarget
from harness.rig.target.quiet import TAG, Waiting

pytestmark = pytest.mark.integration

HALF = Limits(cpu_cores=0.5, memory_bytes=2**30)
TELLING = ServerWord(memory_bytes=1e8, cpu_s=1.0, cgroup="V1", limits=HALF)
HEADER = "X-Dagster-Token"
TOKEN = "a-token-nobody-may-read"
AT_ONCE = Waiting(sleep=lambda _: None)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-keyout", str(key), "-out", str(cert), "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


@pytest.fixture
def secure(certificate: tuple[Path, Path]) -> Iterator[FakeWebserver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with serving(Behaviour(), context) as fake:
        yield fake


@pytest.fixture
def plain() -> Iterator[FakeWebserver]:
    with serving(Behaviour(run_s=60)) as fake:
        yield fake


def order(fake: FakeWebserver, **changes: Any) -> LoadOrder:
    fields: dict[str, Any] = {
        "step": 1, "webserver_url": fake.url, "location": LOCATION,
        "jobs": (JobOrder(job="load", share=1, run_config={}),), "tags": {TAG: "mine"},
        "concurrency": 2, "ramp_s": 0.2, "settle_s": 0, "hold_s": 1.5, "drain_s": 5, "burst": False,
    }  # fmt: skip
    return LoadOrder(**{**fields, **changes})


def run(folder: Path, asked: LoadOrder, staff: Staff | None = None) -> LoadOutcome:
    driver = LocustDriver(folder, staff=staff)
    return driver.execute(asked, abort=lambda: "", progress=lambda _: None)


def target(
    fake: FakeWebserver,
    tmp_path: Path,
    *,
    word: ServerWord | None = None,
    waiting: Waiting = AT_ONCE,
    **changes: Any,
) -> ExternalTarget:
    """A target there; its code servers say `word`, or that their metrics are off."""
    place = External(webserver=fake.url, location=LOCATION, **changes)
    options = ExternalOptions(
        cancel=cancel_runs, compare=look_at_date, waiting=waiting,
        ask=lambda _: PingMetrics(container=word or ServerWord(why=NOT_SAID)),
    )  # fmt: skip
    return ExternalTarget(place, options=options, ledger=Ledger(tmp_path / "ledger.jsonl"))


def test_every_request_carries_the_headers_and_trusts_the_certificate(
    tmp_path: Path, secure: FakeWebserver, certificate: tuple[Path, Path]
) -> None:
    access = Access(headers={HEADER: TOKEN}, ca_file=str(certificate[0]))
    outcome = run(tmp_path, order(secure, access=access))
    assert outcome.runs
    assert {each.status for each in outcome.runs} == {"SUCCESS"}
    assert {headers.get(HEADER) for headers in secure.headers} == {TOKEN}
    post = graphql.connect(secure.url, access=access)
    post(graphql.location_status())
    assert secure.headers[-1][HEADER] == TOKEN


def test_load_workers_carry_and_trust_the_same(
    tmp_path: Path, secure: FakeWebserver, certificate: tuple[Path, Path]
) -> None:
    access = Access(headers={HEADER: TOKEN}, ca_file=str(certificate[0]))
    outcome = run(tmp_path, order(secure, access=access), Staff(workers=2))
    assert {each.status for each in outcome.runs} == {"SUCCESS"}
    assert {headers.get(HEADER) for headers in secure.headers} == {TOKEN}
    assert not [path for path in tmp_path.iterdir() if TOKEN in path.read_text()]


def test_a_certificate_nobody_trusts_is_refused(tmp_path: Path, secure: FakeWebserver) -> None:
    with pytest.raises(GeneratorFailed, match="could not begin its step") as caught:
        run(tmp_path, order(secure))
    assert "CERTIFICATE_VERIFY_FAILED" in caught.value.evidence
    assert secure.runs == {}


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(graphql.GraphQLError, match="certificates cannot be read"):
        graphql.connect("https://127.0.0.1:1", access=Access(ca_file=str(tmp_path / "none.pem")))


def test_a_step_ends_once_too_many_runs_have_failed(tmp_path: Path) -> None:
    with serving(Behaviour(run_s=0.2, final_status="FAILURE")) as fake:
        outcome = run(tmp_path, order(fake, hold_s=60, most_failures=3))
    assert "runs failed: no more are sent" in outcome.abort_reason
    assert len(outcome.runs) < 30


@pytest.mark.parametrize("workers", [1, 2])
def test_open_arrivals_never_have_more_there_than_the_peak(tmp_path: Path, workers: int) -> None:
    """What would be one too many is dropped, and counted."""
    with serving(Behaviour(run_s=60)) as fake:
        asked = order(fake, model="uniform", rate_per_s=10.0, most_at_once=3, drain_s=0.1)
        outcome = run(tmp_path, asked, Staff(workers=workers))
        assert fake.most_in_flight <= 3
        assert len(outcome.runs) == len(fake.runs) == 3
    assert outcome.dropped_arrivals > 0


def test_only_runs_of_ours_are_ended(tmp_path: Path, plain: FakeWebserver) -> None:
    post = graphql.connect(plain.url)
    selector = graphql.JobSelector(location=LOCATION, repository="some_repository", job="load")
    for tags in ({TAG: "mine"}, {TAG: "theirs"}, {}):
        post(graphql.launch_run(selector, {}, tags))
    found = cancel_runs(plain.url, Access(), {TAG: "mine"})
    (ended,) = plain.cancelled
    assert found == {ended}
    assert plain.runs[ended].tags == {TAG: "mine"}
    with pytest.raises(ValueError, match="without a tag"):
        cancel_runs(plain.url, Access(), {})


def test_more_runs_than_one_page_are_all_ended(
    plain: FakeWebserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancelling, "PAGE", 3)
    post = graphql.connect(plain.url)
    selector = graphql.JobSelector(location=LOCATION, repository="some_repository", job="load")
    for _ in range(7):
        post(graphql.launch_run(selector, {}, {TAG: "mine"}))
    assert cancel_runs(plain.url, Access(), {TAG: "mine"}) == set(plain.runs)
    assert sorted(plain.cancelled) == sorted(plain.runs)
    assert not cancel_runs(plain.url, Access(), {TAG: "mine"})


def test_a_launch_that_was_on_its_way_is_ended_too(tmp_path: Path) -> None:
    """Its generator was killed, and the webserver had not made the run yet."""
    with serving(Behaviour(run_s=60)) as fake:
        post = graphql.connect(fake.url)
        selector = graphql.JobSelector(location=LOCATION, repository="some_repository", job="load")
        pauses: list[float] = []

        def sleep(pause_s: float) -> None:
            pauses.append(pause_s)
            if len(pauses) == 1:
                post(graphql.launch_run(selector, {}, dict(endpoints.tags)))

        found = target(fake, tmp_path, waiting=Waiting(sleep=sleep))
        endpoints = found.start()
        found.stop()
        assert fake.cancelled == list(fake.runs)
        assert len(fake.runs) == 1
    assert Ledger(tmp_path / "ledger.jsonl").entries() == ()


def launched(fake: FakeWebserver, *tags: dict[str, str]) -> None:
    post = graphql.connect(fake.url)
    selector = graphql.JobSelector(location=LOCATION, repository="some_repository", job="load")
    for each in tags:
        post(graphql.launch_run(selector, {}, each))


def test_runs_of_a_dead_server_are_given_up_and_no_others() -> None:
    with serving(Behaviour(run_s=3600)) as fake:
        launched(fake, {"step": "1"}, {"step": "1"}, {"step": "2"})
        assert give_up_runs(fake.url, Access(), {"step": "1"}) == 2
        assert {fake.runs[each].tags["step"] for each in fake.cancelled} == {"1"}
        assert give_up_runs(fake.url, Access(), {"step": "1"}) == 0
        with pytest.raises(ValueError, match="without a tag"):
            give_up_runs(fake.url, Access(), {})


def test_runs_that_dagster_does_not_give_up_end_the_measurement() -> None:
    with serving(Behaviour(run_s=3600, keeps_runs=True)) as fake:
        launched(fake, {"step": "1"})
        with pytest.raises(TargetFailed, match="still under way"):
            give_up_runs(fake.url, Access(), {"step": "1"})


def test_a_target_tags_its_runs_and_ends_them_when_it_stops(
    tmp_path: Path, plain: FakeWebserver
) -> None:
    found = target(plain, tmp_path, code_servers=("127.0.0.1:4000",))
    endpoints = found.start()
    assert endpoints.tags[TAG].startswith("dlh-")
    assert [replica.grpc_address for replica in endpoints.replicas] == ["127.0.0.1:4000"]
    assert found.effective_limits() is None
    run(tmp_path, order(plain, tags=dict(endpoints.tags), drain_s=0.1))
    assert plain.runs
    found.restart()  # what it has instead of a fresh server: a quiet one
    assert set(plain.cancelled) == set(plain.runs)
    found.stop()
    found.stop()
    assert Ledger(tmp_path / "ledger.jsonl").entries() == ()


@pytest.mark.parametrize("status", [200, 403])
def test_any_answer_tells_the_time_with_the_headers_of_all_requests(
    secure: FakeWebserver, certificate: tuple[Path, Path], status: int
) -> None:
    secure.behaviour.status = status
    access = Access(headers={HEADER: TOKEN}, ca_file=str(certificate[0]))
    before_s = time.time()
    told_s = ask_date(secure.url, access)
    assert before_s - 1 <= told_s <= time.time()
    assert secure.headers[-1][HEADER] == TOKEN


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (Behaviour(date=False), "no Date header"),
        (Behaviour(extra={"Age": "3"}), "from memory"),
        (Behaviour(date=False, extra={"Date": "yesterday"}), "is none: 'yesterday'"),
    ],
)
def test_an_answer_without_a_date_that_counts_leaves_the_clock_unknown(
    tmp_path: Path, behaviour: Behaviour, why: str
) -> None:
    with serving(behaviour) as fake:
        found = target(fake, tmp_path)
        clock = found.start().clock
        assert clock.look() is None
        record = clock.record()
        found.stop()
    assert (record["measured"], record["uncertainty_s"]) == (False, None)
    assert why in record["why"]


def test_its_clock_is_held_against_ours(tmp_path: Path, plain: FakeWebserver) -> None:
    found = target(plain, tmp_path)
    clock = found.start().clock
    record = clock.record()
    assert (record["measured"], record["offset_s"]) == (True, 0.0)
    assert found.restart().clock is clock
    found.stop()


def test_a_webserver_that_is_not_there_yet_does_not_fail_for_want_of_its_clock(
    tmp_path: Path,
) -> None:
    with serving(Behaviour()) as fake:
        found = target(fake, tmp_path)
    clock = found.start().clock
    assert "refused" in clock.record()["why"]


def test_the_limits_its_servers_tell_are_the_limits_of_its_replicas(
    tmp_path: Path, plain: FakeWebserver
) -> None:
    found = target(plain, tmp_path, code_servers=("127.0.0.1:4000",), word=TELLING)
    (replica,) = found.start().replicas
    assert (replica.limits, replica.tells) == (HALF, True)
    assert found.effective_limits() == HALF
    assert found.describe()["server_words"]["code-server-1"]["cpu_cores"] == 0.5
    assert "cgroup" not in found.describe()["unavailable"]
    (again,) = found.restart().replicas
    assert again == replica
    found.stop()


def test_a_size_that_was_said_comes_before_what_they_tell(
    tmp_path: Path, plain: FakeWebserver
) -> None:
    found = target(
        plain, tmp_path, code_servers=("127.0.0.1:4000",), size="1vcpu-2gb", word=TELLING
    )
    (replica,) = found.start().replicas
    assert (replica.limits.cpu_cores, replica.limits.memory_bytes) == (1.0, 2 * 2**30)
    found.stop()


def test_servers_that_tell_nothing_are_told_with_the_reason(
    tmp_path: Path, plain: FakeWebserver
) -> None:
    found = target(plain, tmp_path, code_servers=("127.0.0.1:4000",))
    (replica,) = found.start().replicas
    assert (replica.limits.memory_bytes, replica.tells) == (None, False)
    assert found.describe()["unavailable"]["cgroup"] == NOT_SAID
    found.stop()


def test_down_ends_what_a_dead_harness_left_there(tmp_path: Path, plain: FakeWebserver) -> None:
    headers = tmp_path / "headers.env"
    headers.write_text(f"{HEADER}={TOKEN}\n", encoding="utf-8")
    found = target(plain, tmp_path, headers_file=str(headers))
    with hiding({}):
        endpoints = found.start()
        assert masked(TOKEN) == f"[{HEADER}]"
        run(tmp_path, order(plain, tags=dict(endpoints.tags), drain_s=0.1))
        ledger = Ledger(tmp_path / "ledger.jsonl")
        (entry,) = ledger.entries()
        ledger.remove(entry.id)
        ledger.add(replace(entry, owner_pid=2**22 - 1, owner_created_s=1.0))
        (cleaned,) = remove_leftovers(ledger, waiting=AT_ONCE)
    assert (cleaned.removed, cleaned.problem) == (len(plain.runs), "")
    assert plain.headers[-1][HEADER] == TOKEN


def test_a_deployment_that_does_not_answer_is_told_with_the_tag(tmp_path: Path) -> None:
    with serving(Behaviour()) as fake:
        found = target(fake, tmp_path)
        found.start()
    with pytest.raises(TargetFailed, match="cannot be ended") as caught:
        found.stop()
    assert TAG in caught.value.hint


def test_a_header_that_the_webserver_repeats_in_an_error_is_masked_in_the_records(
    tmp_path: Path,
) -> None:
    told = {"__typename": "PythonError", "message": f"refused {TOKEN}", "className": "Denied"}
    with serving(Behaviour(reject=told)) as fake:
        run(tmp_path, order(fake, access=Access(headers={HEADER: TOKEN}), ramp_s=0))
    written = [path.read_text(encoding="utf-8") for path in tmp_path.iterdir() if path.is_file()]
    assert any(f"[{HEADER}]" in text for text in written)
    assert not any(TOKEN in text for text in written)
