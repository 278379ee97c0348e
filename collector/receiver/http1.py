"""uvicorn's HTTP/1.1 on httptools, which is written in C, with the limit on heads that it leaves to others."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD = 65_536
TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n"
    b"connection: close\r\n\r\n%s"
)
SENTENCE = b"the headers of a request may take no more than %d bytes\n" % MOST_HEAD


class Http1(HttpToolsProtocol):
    """Ends a connection whose head, or whose trailer, goes on without end: httptools would keep all of it."""

    _unheard = 0
    """Bytes since something was made of them: the whole of a head, or a piece of a body."""

    def data_received(self, data: bytes) -> None:
        self._unheard += len(data)
        super().data_received(data)
        if self._unheard > MOST_HEAD and not self.transport.is_closing():
            self.transport.write(TOO_LONG % (len(SENTENCE), SENTENCE))
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._unheard = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unheard = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unheard = 0
        super().on_message_complete()
