"""A page in a real headless Chromium sends OTLP: one of localhost may, and reads the answer; a foreign one may not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from collector.store import open_reader
from tests.receiver.running import running, settings_for
from tests.web.browser import CHROMIUM

SEND = """async ([url, name]) => {
  const span = {traceId: "a".repeat(32), spanId: "b".repeat(16), name,
                startTimeUnixNano: "1000000000", endTimeUnixNano: "2000000000"};
  const body = JSON.stringify({resourceSpans: [{scopeSpans: [{spans: [span]}]}]});
  try {
    const headers = {"content-type": "application/json", "x-app": "mine"};  // neither is one that needs no preflight
    const answer = await fetch(url, {method: "POST", headers, body});
    return [answer.status, await answer.text()];
  } catch (error) { return [0, String(error)]; }
}"""


@pytest.fixture
def site() -> Iterator[int]:
    """A web page on a port of 127.0.0.1, whatever name it is asked by."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>an app</title>")

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_page_of_localhost_may_send_and_a_foreign_one_may_not(site: int, tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    with running(settings_for(tmp_path), real=True) as up, sync_api.sync_playwright() as playwright:
        rules = "--host-resolver-rules=MAP evil.example 127.0.0.1"  # DNS rebinding, as seen from the page
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", rules])
        try:
            page = browser.new_page()
            page.goto(f"http://localhost:{site}/")
            assert page.evaluate(SEND, [f"{up.status.url}/v1/traces", "local"]) == [200, "{}"]
            page.goto(f"http://evil.example:{site}/")
            assert page.evaluate(SEND, [f"{up.status.url}/v1/traces", "foreign"])[0] == 0
            rebound = up.status.url.replace("127.0.0.1", "evil.example")
            assert page.evaluate(SEND, [f"{rebound}/v1/traces", "rebound"])[0] in (0, 403)
        finally:
            browser.close()
        with open_reader(up.status.file or "") as reader:
            assert [trace.name for trace in reader.traces()] == ["local"]
