"""The loopback athena of the bench: one process that hands out the pre-encoded pages of a corpus as fast as it can.

`python -m bench.sync.stub CORPUS_DIRECTORY` prints its port. A thread a connection, one sendmsg a page out of mapped
files. `/bench?version=2&latency=0.1` says which version it plays and how long it waits before each page (seconds).
"""

from __future__ import annotations

import json
import mmap
import socket
import socketserver
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bench.sync.corpus import LISTS, PAGE

TOKEN = b'{"access_token":"bench","token_type":"Bearer","expires_in":"3600"}'
Pages = dict[tuple[str, str, int], memoryview]
"""(version, path, offset) → body."""


def load(directory: Path) -> Pages:
    pages: Pages = {}
    for name, sizes in json.loads((directory / "index.json").read_text()).items():
        feed, _, version = name.partition(".")
        with (directory / name).open("rb") as file:
            view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        position = 0
        for number, size in enumerate(sizes):
            pages[version, LISTS[feed][0], number * PAGE] = view[position : position + size]
            position += size
    return pages


class Stub(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, pages: Pages) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.pages = pages
        self.version, self.latency = "1", 0.0


class Connection(socketserver.BaseRequestHandler):
    server: Stub

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        reader = self.request.makefile("rb")
        while line := reader.readline():
            length = 0
            while (header := reader.readline()) not in (b"\r\n", b""):
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            reader.read(length)
            self.answer(*self.find(line.split()[1].decode()))

    def find(self, target: str) -> tuple[int, bytes | memoryview]:
        url = urlsplit(target)
        asked = {name.lower(): values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/bench":
            self.server.version, self.server.latency = asked["version"], float(asked["latency"])
            return 200, b"{}"
        if url.path == "/oauth2/v1/token":
            return 200, TOKEN
        offset = int(asked.get("cursor") or asked.get("offset") or 0)
        body = self.server.pages.get((self.server.version, url.path, offset))
        if body is not None and self.server.latency:
            time.sleep(self.server.latency)
        return (404, b'{"error":"no such page"}') if body is None else (200, body)

    def answer(self, status: int, body: bytes | memoryview) -> None:
        head = f"HTTP/1.1 {status} .\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        sent = self.request.sendmsg([head, body])
        if rest := len(head) + len(body) - sent:
            self.request.sendall(body[-rest:])


def main(directory: str) -> None:
    with Stub(load(Path(directory))) as stub:
        print(stub.server_address[1], flush=True)
        stub.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
