"""Puts a Reply on the socket, misbehaving as it says: late, or cut off after so many bytes."""

from __future__ import annotations

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from integrations.sandbox.server.reply import Reply


class Delivery(Response):
    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.body, reply.status, dict(reply.headers), reply.media_type)
        self.reply = reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.reply.wait_seconds:
            await anyio.sleep(self.reply.wait_seconds)
        cut_after = self.reply.cut_after
        if cut_after is None:
            await super().__call__(scope, receive, send)
            return
        if cut_after >= 0:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            await send({"type": "http.response.body", "body": self.body[:cut_after], "more_body": True})
        cut = scope.get("state", {}).get("cut")  # put there by process.CuttingProtocol
        if cut is None:
            raise ConnectionResetError("a fault cut this connection")
        cut(abrupt=cut_after < 0)
        # Wait for the server to notice, else it would answer 500 on the connection it has just lost.
        while (await receive())["type"] != "http.disconnect":
            pass
