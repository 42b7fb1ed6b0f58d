"""Wire: HTTP/1.1 on 127.0.0.1, with keep-alive, chunked streams, and a way to see that the client is gone."""

import json
import selectors
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias


class Reply:
    """The way back to one client. Writing raises OSError once the client is gone."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._handler = handler

    def gone(self) -> bool:
        """Tell whether the client has hung up."""
        connection = self._handler.connection
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            if not selector.select(0):
                return False
        try:
            return connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True

    def json(self, status: int, payload: object, headers: Mapping[str, str]) -> None:
        """Send a whole response."""
        data = json.dumps(payload, ensure_ascii=False).encode()
        self._head(status, {**headers, "content-type": "application/json", "content-length": str(len(data))})
        self._handler.wfile.write(data)

    def open_stream(self, headers: Mapping[str, str]) -> None:
        """Begin a stream of server-sent events."""
        self._head(200, {**headers, "content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked"})

    def write(self, data: bytes) -> None:
        """Send one chunk of a stream."""
        self._handler.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def close_stream(self) -> None:
        """End a stream as HTTP requires; the connection lives on."""
        self._handler.wfile.write(b"0\r\n\r\n")

    def drop(self) -> None:
        """Close the connection as it is: a stream then ends without its last chunk, which clients report as an error."""
        self._handler.close_connection = True

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self._handler.send_response(status)
        for name, value in headers.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()


Handle: TypeAlias = Callable[[str, dict[str, Any], Reply], None]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    handle_call: Handle

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.handle_call(self.path.partition("?")[0], json.loads(data), Reply(self))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a test's output is the test's."""


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for the handlers
    request_queue_size = 256  # a fan-out connects all at once

    def __init__(self, handle: Handle) -> None:
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), type("Handler", (_Handler,), {"handle_call": staticmethod(handle)}))

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that left is part of the test, and what else fails is answered with status 500."""


class Wire:
    """A listening server and its threads.

    Args:
        handle: Called in a thread per connection with path, body and the way back.
    """

    def __init__(self, handle: Handle) -> None:
        self._server = _Server(handle)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="loopback", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return self._server.server_port

    def close(self) -> None:
        """Stop listening, hang up on every client, and wait for the threads."""
        self._server.shutdown()
        self._thread.join()
        for connection in list(self._server.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # it is closed already
                continue
        self._server.server_close()
