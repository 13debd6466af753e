"""A chat in the browser: `python docs/examples/apps/web_chat.py`, and open the address it prints.

Without a key it talks to a small provider that it starts on this machine; with one, name a model:

    python docs/examples/apps/web_chat.py --model anthropic:claude-sonnet-4-5
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from app_engine import app_engine, parser
from web_answers import Answer, Talk

from allm_rx import Engine, errors
from allm_rx.integrations.sse_response import sse_response

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = Path(__file__).with_suffix(".html")
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'unsafe-inline'",
        "style-src 'unsafe-inline'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
    ]
)
"""What the page may do, which is to speak to this server: what a model writes is text and fetches nothing."""


class Chat:
    """The routes, over conversations in memory."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._talks: dict[str, Talk] = {}
        self._answers: dict[str, Answer] = {}

    def app(self) -> web.Application:
        app = web.Application(middlewares=[only_this_site])
        app.add_routes(
            [
                web.get("/", self.page),
                web.get("/model", self.model),
                web.post("/conversations", self.begin),
                web.get("/conversations/{id}", self.tell),
                web.post("/conversations/{id}/answers", self.ask),
                web.get("/answers/{id}", self.listen),
                web.post("/answers/{id}/stop", self.stop),
            ]
        )
        return app

    async def page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGE, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"})

    async def model(self, request: web.Request) -> web.Response:
        return web.json_response({"model": self._engine.model})

    async def begin(self, request: web.Request) -> web.Response:
        talk = Talk(self._engine)
        self._talks[talk.id] = talk
        return web.json_response({"id": talk.id}, status=201)

    async def tell(self, request: web.Request) -> web.Response:
        """Tell what was said, and which answer is not part of it yet: a page that comes back needs no more."""
        talk = found(self._talks, request)
        return web.json_response(
            {
                "messages": [message.model_dump(mode="json") for message in talk.conversation.thread.messages],
                "answer": talk.answer and talk.answer.id,
            }
        )

    async def ask(self, request: web.Request) -> web.Response:
        """Begin an answer to the text that came; without one, to the question that was not answered."""
        talk = found(self._talks, request)
        text = (await request.json()).get("text")
        if talk.answer is not None and talk.answer.running:
            raise problem(web.HTTPConflict, "An answer is under way: stop it first.")
        try:
            answer = talk.ask(text, self._forget)
        except errors.UsageError as error:  # found before anything was sent, such as a missing key
            raise problem(web.HTTPUnprocessableEntity, error.message) from error
        self._answers[answer.id] = answer
        return web.json_response({"answer": answer.id}, status=201)

    async def listen(self, request: web.Request) -> web.StreamResponse:
        """Send an answer's events: all of them, or the rest after `Last-Event-ID`."""
        answer = found(self._answers, request)
        first = int(request.headers.get("Last-Event-ID", "-1")) + 1
        if first >= answer.count and not answer.running:
            return web.Response(status=204)  # tells an `EventSource` not to come again
        with answer.heard(first) as events:
            return await sse_response(request, events, first_id=first)

    async def stop(self, request: web.Request) -> web.Response:
        found(self._answers, request).stop()
        return web.Response(status=204)

    def _forget(self, answer_id: str) -> None:
        self._answers.pop(answer_id, None)


@web.middleware
async def only_this_site(request: web.Request, handler: Any) -> web.StreamResponse:
    """Refuse what the pages of others send from the same browser: it would be paid for here."""
    own = request.headers.get("Origin") in (None, f"{request.scheme}://{request.host}")
    if not own or request.url.host not in ("127.0.0.1", "localhost"):
        raise problem(web.HTTPForbidden, "This chat answers its own page only.")
    return await handler(request)


def found(where: Mapping[str, Any], request: web.Request) -> Any:
    try:
        return where[request.match_info["id"]]
    except KeyError:
        raise problem(web.HTTPNotFound, "It is no longer kept: begin a new conversation.") from None


def problem(status: type[web.HTTPException], message: str) -> web.HTTPException:
    return status(text=json.dumps({"message": message}), content_type="application/json")


async def serve(engine: Engine, port: int) -> None:
    """Serve until cancelled; the first line printed is the address."""
    runner = web.AppRunner(Chat(engine).app(), access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}/", flush=True)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def main() -> None:
    reader = parser("A chat in the browser.")
    reader.add_argument("--port", type=int, default=0, help="default: a free one")
    options = reader.parse_args()
    with suppress(KeyboardInterrupt), app_engine(options.model) as engine:
        asyncio.run(serve(engine, options.port))


if __name__ == "__main__":
    main()
