from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from collector.errors import SettingsError
from collector.receiver import PortTaken, holder, probe
from collector.receiver.guard import Guard
from collector.receiver.ports import bind, check_exposure
from tests.receiver.running import running, settings_for

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:4318", "127.0.0.1:4318", "127.9.9.9", "[::1]:4318", "app.localhost:1", "LOCALHOST",
     "host.docker.internal:4318", "host.containers.internal", "localhost.", "listed.example:80"],
)  # fmt: skip
def test_names_of_this_machine_are_let_in(host: str) -> None:
    assert Guard(hosts=("listed.example",)).check({"host": host}).status == 0


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:4318", "localhost.evil.example", "127.0.0.1.nip.io", "10.0.0.1", "", "[::1", "a@b"],
)
def test_other_names_are_turned_away(host: str) -> None:
    assert Guard().check({"host": host}).status == 403


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3000",
        "https://127.0.0.1",
        "http://app.localhost",
        "http://[::1]:5173",
        "https://listed.example",
    ],
)
def test_pages_of_local_apps_may_send(origin: str) -> None:
    assert Guard(origins=("https://listed.example",)).check({"host": "localhost", "origin": origin}).status == 0


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "chrome-extension://abc", "file://", ""]
)
def test_pages_of_others_may_not_even_with_the_token(origin: str) -> None:
    headers = {"host": "localhost", "origin": origin, "authorization": "Bearer t"}
    assert Guard(token="t").check(headers).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer t0p"},
        {"authorization": "bearer t0p"},
        {"authorization": f"Basic {b64encode(b'pk-lf-any:t0p').decode()}"},
        {"authorization": "t0p"},
        {"x-api-key": "t0p"},
        {"api-key": "t0p"},
        {"authorization": "Bearer sk-of-the-upstream", "x-tracetui-token": "t0p"},
    ],
)
def test_the_token_opens_under_any_host_name(headers: dict[str, str]) -> None:
    assert Guard(token="t0p").check({"host": "box.example", **headers}).status == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer t0"},
        {"authorization": "Basic t0p"},
        {"x-api-key": ""},
        {"authorization": f"Basic {b64encode(b't0p:wrong').decode()}"},
        {"authorization": "Basic \xff"},
    ],
)
def test_without_the_right_token_it_stays_closed(headers: dict[str, str]) -> None:
    assert Guard(token="t0p").check({"host": "localhost", **headers}).status == 401


def test_no_address_of_the_network_without_a_token() -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        check_exposure(host, None)
    check_exposure("0.0.0.0", "token")
    for host in ("0.0.0.0", "192.168.1.2", "::", "box.example"):
        with pytest.raises(SettingsError, match="token"):
            check_exposure(host, None)


def test_over_the_wire_a_foreign_host_or_page_is_answered_403(tmp_path: Path) -> None:
    with running(settings_for(tmp_path)) as up:
        for headers in ({"host": "evil.example"}, {"origin": "https://evil.example"}):
            answer = up.client.post("/v1/traces", content=b"one", headers=JSON | headers)
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers
        assert up.ingest.names == []


def test_a_local_page_gets_its_preflight_and_may_read_the_answer(tmp_path: Path) -> None:
    origin = "http://localhost:5173"
    with running(settings_for(tmp_path)) as up:
        asked = {
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,x-y",
        }
        preflight = up.client.options("/v1/traces", headers=asked)
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == origin
        assert preflight.headers["access-control-allow-headers"] == "content-type,x-y"
        assert "POST" in preflight.headers["access-control-allow-methods"]
        answer = up.client.post("/v1/traces", content=b"one", headers=JSON | {"origin": origin})
        assert answer.is_success
        assert answer.headers["access-control-allow-origin"] == origin
        denied = up.client.options("/v1/traces", headers=asked | {"origin": "https://evil.example"})
        assert denied.status_code == 403


def test_with_a_token_a_preflight_needs_none_and_the_status_introduces_itself(tmp_path: Path) -> None:
    with running(settings_for(tmp_path, token="t0p")) as up:
        asked = {"origin": "http://localhost:1", "access-control-request-method": "POST"}
        assert up.client.options("/v1/traces", headers=asked).status_code == 204
        assert up.client.post("/v1/traces", content=b"one", headers=JSON).status_code == 401
        assert up.client.post("/v1/traces", content=b"one", headers=JSON | {"x-api-key": "t0p"}).is_success
        stranger = probe("127.0.0.1", up.status.http_port)
        assert stranger is not None
        assert (stranger.file, stranger.token_required) == (None, True)
        friend = probe("127.0.0.1", up.status.http_port, token="t0p")
        assert friend is not None
        assert friend.file == up.status.file


def test_a_taken_port_names_its_holder_and_the_way_out(tmp_path: Path) -> None:
    with running(settings_for(tmp_path)) as up:
        port = up.status.http_port
        with pytest.raises(PortTaken, match=rf"port {port} .* tracetui .* writes .*traces\.db; .* --http-port"):
            bind("127.0.0.1", port, "--http-port")
        with bind("127.0.0.1", port, "--http-port", next_free=True) as other:
            assert port < other.getsockname()[1] <= port + 50


def test_a_port_held_by_another_program_says_so() -> None:
    with bind("127.0.0.1", 0, "--http-port") as taken:
        port = taken.getsockname()[1]
        assert probe("127.0.0.1", port, timeout_s=0.2) is None
        assert "pid" in holder("127.0.0.1", port) or "another program" in holder("127.0.0.1", port)


def test_nobody_at_the_port_is_no_status() -> None:
    with bind("127.0.0.1", 0, "--http-port") as free:
        port = free.getsockname()[1]
    assert probe("127.0.0.1", port) is None


def test_an_address_that_is_not_ours_is_a_sentence() -> None:
    with pytest.raises(SettingsError, match="listen"):
        bind("203.0.113.1", 4318, "--http-port")
