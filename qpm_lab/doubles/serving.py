"""Serves a double on the loopback interface, with its faults; `/_double/…` is how tests steer it."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from dataclasses import asdict, fields, replace
from typing import Any

from tornado import httpserver, httputil, web

from qpm_lab.doubles.double import Call, Double, Reply
from qpm_lab.doubles.faults import Faults

LARGEST_REQUEST = 64 * 2**20


def application(double: Double) -> web.Application:
    """The double as a tornado application."""
    routes = [(r"/_double/(faults|submissions|received|reset)", _Control), (r".*", _Vendor)]
    # Refusals are what it is for; nobody wants each in a log.
    return web.Application(routes, double=double, log_function=lambda handler: None)


class _Vendor(web.RequestHandler):
    """The vendor's own API."""

    async def prepare(self) -> None:
        await self._answer()

    async def _answer(self) -> None:
        double: Double = self.settings["double"]
        double.received.append(
            f"{self.request.method} {self.request.uri}\n{self.request.body.decode(errors='replace')}"
        )
        faults = double.faults if _hit(double.faults, self.request) else Faults()
        if faults.late_seconds and self.request.method in ("POST", "PUT"):
            await asyncio.sleep(faults.late_seconds)
        refused = _refused(double, faults)
        reply = refused or _reply(double, self.request)
        if faults.latency_seconds:
            await asyncio.sleep(faults.latency_seconds)
        if refused is None and double.random.random() < faults.lost_answer:
            self._hang_up()
            return
        await self._send(reply, faults)

    async def _send(self, reply: Reply, faults: Faults) -> None:
        body, content_type = _body(reply, faults)
        self.set_status(200 if faults.wrong_type else reply.status)
        self.set_header("Content-Type", content_type)
        for name, value in reply.headers.items():
            self.set_header(name, value)
        if faults.drip_seconds:
            self.set_header("Content-Length", str(len(body)))
            for n in range(len(body)):
                self.write(body[n : n + 1])
                await self.flush()
                await asyncio.sleep(faults.drip_seconds)
        else:
            if body:
                self.write(body)
        await self.finish()

    def _hang_up(self) -> None:
        """Ends the connection without a word."""
        self.detach().close()

    def on_connection_close(self) -> None:
        """Whoever asked is gone; what was asked is carried out all the same."""


class _Control(web.RequestHandler):
    """Faults, the submissions and requests received so far, and a fresh start."""

    def get(self, what: str) -> None:
        double: Double = self.settings["double"]
        if what == "faults":
            self.write(asdict(double.faults))
        elif what == "received":
            self.write({"received": list(double.received)})
        else:
            jobs = [{"id": job.id, "token": job.token, "cancelled": job.cancelled} for job in double.jobs.values()]
            self.write({"submissions": jobs})

    def put(self, what: str) -> None:
        double: Double = self.settings["double"]
        told = json.loads(self.request.body)
        known = {each.name for each in fields(Faults)}
        if what != "faults" or not isinstance(told, dict) or not told.keys() <= known:
            self.set_status(400)
            self.write({"error": f"faults are {', '.join(sorted(known))}"})
            return
        double.faults = replace(double.faults, **told)
        double.random.seed(double.faults.seed)
        self.write(asdict(double.faults))

    def post(self, what: str) -> None:
        double: Double = self.settings["double"]
        double.jobs.clear()
        double.received.clear()
        double.faults = Faults()
        self.write({})


def _hit(faults: Faults, request: httputil.HTTPServerRequest) -> bool:
    return faults.only in f"{request.method} {request.path}"


def _refused(double: Double, faults: Faults) -> Reply | None:
    if faults.expired_token:
        return double.error(401, "The token has expired.")
    if double.random.random() < faults.outage:
        return double.error(503, "The service is temporarily unavailable.")
    if double.random.random() < faults.rate_limit:
        return replace(double.error(429, "Too many requests."), headers={"Retry-After": "1"})
    return None


def _reply(double: Double, request: httputil.HTTPServerRequest) -> Reply:
    for method, pattern, handler in double.routes():
        found = re.fullmatch(pattern, request.path)
        if found is None or method != request.method:
            continue
        query = {name: [v.decode() for v in values] for name, values in request.query_arguments.items()}
        headers = {name.lower(): value for name, value in request.headers.get_all()}
        call = Call(method, request.path, found.groupdict(), query, headers, request.body)
        try:
            return handler(call)
        except (ValueError, KeyError, TypeError) as error:
            return double.error(400, f"{type(error).__name__}: {error}")
    return double.error(404, f"{request.method} {request.path} is not known.")


def _body(reply: Reply, faults: Faults) -> tuple[bytes, str]:
    if faults.wrong_type:
        return b"<html><body>Please log in to the network.</body></html>", "text/html"
    if isinstance(reply.body, bytes):
        return reply.body, reply.headers.get("Content-Type", "application/octet-stream")
    document = _without(reply.body, faults.schema_change) if faults.schema_change else reply.body
    if faults.extra_field and isinstance(document, dict):
        document = _with(document, faults.extra_field)
    text = json.dumps(document).encode()
    if faults.large_bytes > len(text):
        text = text[:1] + b" " * (faults.large_bytes - len(text)) + text[1:]
    return (text[: len(text) // 2] if faults.malformed else text), "application/json"


def _without(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _without(each, name) for key, each in value.items() if key != name}
    return [_without(each, name) for each in value] if isinstance(value, list) else value


def _with(value: Any, path: str) -> Any:
    """A copy with one field more; a list on the way has it in each of its items."""
    name, _, rest = path.partition(".")
    if isinstance(value, list):
        return [_with(each, path) for each in value]
    if not isinstance(value, dict) or (rest and name not in value):
        return value
    return {**value, name: _with(value[name], rest) if rest else "new"}


class Server:
    """A double that listens, in a thread of its own."""

    def __init__(self, double: Double, port: int = 0) -> None:
        self.double = double
        self._port = port
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name=f"double-{double.name}", daemon=True)

    def start(self) -> None:
        """Returns once it listens; OSError when the port is taken."""
        self._thread.start()
        self._ready.wait()
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        """Returns once it no longer listens."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = httpserver.HTTPServer(
            application(self.double), ssl_options=_tls(self.double), max_buffer_size=LARGEST_REQUEST
        )
        try:
            server.listen(self._port, "127.0.0.1")
        except OSError as error:
            self._failure = error
            self._ready.set()
            return
        port = next(iter(server._sockets.values())).getsockname()[1]
        self.double.url = f"{'http' if _tls(self.double) is None else 'https'}://127.0.0.1:{port}"
        self._ready.set()
        await self._stop.wait()
        server.stop()
        await server.close_all_connections()


def _tls(double: Double) -> dict[str, str] | None:
    files = double.certificate()
    return None if files is None else {"certfile": files[0], "keyfile": files[1]}
