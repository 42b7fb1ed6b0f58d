"""Server: takes a request from the wire to its bill."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, ClassVar, Self

from token_otel.testing.loopback.answers import Answer, Answers, Script, ScriptError, new_id
from token_otel.testing.loopback.api import Api
from token_otel.testing.loopback.bills import PRICES, Bill, Rates, Status, rates_of
from token_otel.testing.loopback.prompts import BadRequest, truths
from token_otel.testing.loopback.turns import Choice, Delta, Event, Turn, measure, sent, speak, tool_calls
from token_otel.testing.loopback.wire import Reply, Wire


class Loopback(ABC):
    """A provider on 127.0.0.1: a context manager, or `start()` and `close()`.

    Args:
        answers: Per model a queue of answers, or a thread-safe callable that gives one for a `Request`.
        prices: Rates to add to the server's own table, or to put in place of some.
    """

    provider: ClassVar[str]
    request_id_header: ClassVar[str]

    def __init__(self, answers: Answers, *, apis: Mapping[str, Api], prices: Mapping[str, Rates] | None = None) -> None:
        self.prices: Mapping[str, Rates] = {**PRICES, **(prices or {})}
        self._script = Script(answers)
        self._apis = apis
        self._wire: Wire | None = None
        self._closing = threading.Event()
        self._bills: list[Bill] = []
        self._billed = threading.Condition()

    def start(self) -> Self:
        """Listen on a free port."""
        self._closing.clear()
        self._wire = Wire(self._handle)
        return self

    def close(self) -> None:
        """Hang up on all clients and wait for the threads. Does nothing if closed already."""
        self._closing.set()
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    @property
    def origin(self) -> str:
        """Scheme, host and port.

        Raises:
            RuntimeError: The server is not started.
        """
        if self._wire is None:
            raise RuntimeError("the loopback server is not started")
        return f"http://127.0.0.1:{self._wire.port}"

    @property
    def bills(self) -> list[Bill]:
        """The bills so far, in the order of their settlement: a copy. A call's bill is there before the client has its whole answer."""
        with self._billed:
            return list(self._bills)

    def wait_for_bills(self, count: int, *, timeout_s: float = 5.0) -> list[Bill]:
        """Wait until there are `count` bills: that of a client which hung up comes after it left.

        Raises:
            TimeoutError: There are fewer after `timeout_s`.
        """
        with self._billed:
            if not self._billed.wait_for(lambda: len(self._bills) >= count, timeout_s):
                raise TimeoutError(f"{len(self._bills)} bills after {timeout_s} s, not {count}")
            return list(self._bills)

    @abstractmethod
    def error_body(self, status: int, message: str, request_id: str) -> dict[str, Any]:
        """Write an error as the provider does."""

    def _handle(self, path: str, body: dict[str, Any], reply: Reply) -> None:
        request_id = new_id("req_")
        api = self._apis.get(path)
        model = str(body.get("model"))
        if api is None:
            reply.json(404, self.error_body(404, f"no such path: {path}; there are {sorted(self._apis)}", request_id), {})
            return
        try:
            prompt = api.prompt(body)
            answers = self._answers(api, model, body)
            self._closing.wait(sum(answer.delay_s for answer in answers))
            if status := next((answer.error for answer in answers if answer.error), None):
                raise ScriptError(status, f"scripted error {status} for {model!r}")
            choices = tuple(choice for answer in answers for choice in speak(answer, n=body.get("n") or 1, call_prefix=api.call_prefix))
            turn = Turn(
                body=body,
                model=model,
                answers=answers,
                prompt=prompt,
                cached=api.settle(model, prompt),
                choices=choices,
                parts=measure(choices, api.count),
                response_id=api.id_prefix and new_id(api.id_prefix),
                request_id=request_id,
                created=int(time.time()),
                service_tier=api.service_tier(body, answers[0]),
            )
            if body.get("stream"):
                self._stream(api, turn, reply)
            else:
                self._respond(api, turn, reply)
        except BadRequest as error:
            self._refuse(api, model, 400, str(error), request_id, reply)
        except ScriptError as error:
            self._refuse(api, model, error.status, str(error), request_id, reply)
        except OSError:
            raise
        except Exception as error:
            self._refuse(api, model, 500, f"the loopback server failed: {error!r}", request_id, reply)

    def _answers(self, api: Api, model: str, body: dict[str, Any]) -> tuple[Answer, ...]:
        if not api.scripted and model not in self._script:
            return (Answer(),)
        return tuple(self._script.answer(api=api.name, model=model, messages=messages, body=body) for messages in api.requests(body))

    def _refuse(self, api: Api, model: str, status: int, message: str, request_id: str, reply: Reply) -> None:
        bill = Bill(
            provider=self.provider,
            api=api.name,
            model=model,
            request_id=request_id,
            response_id=None,
            status="error",
            delivered=False,
        )
        self._enter(bill)
        # The SDKs take 0 seconds for no advice and back off for half a second; milliseconds come first where given.
        retry = {"retry-after": "0", "retry-after-ms": "1"} if status in (429, 503, 529) else {}
        reply.json(status, self.error_body(status, message, request_id), {self.request_id_header: request_id, **retry})

    def _respond(self, api: Api, turn: Turn, reply: Reply) -> None:
        response = api.response(turn)
        if reply.gone():
            self._enter(self._bill(api, turn, turn.choices, "hung_up", delivered=False))
            reply.drop()
            return
        entry = self._enter(self._bill(api, turn, turn.choices, "ok", delivered=True))
        try:
            reply.json(200, response, {self.request_id_header: turn.request_id})
        except OSError:
            self._amend(entry, "hung_up")
            raise

    def _stream(self, api: Api, turn: Turn, reply: Reply) -> None:
        cut_after = turn.answers[0].cut_after
        delivered: list[Delta] = []
        content = 0
        status: Status = "ok"
        ending: list[Event] = []
        try:
            reply.open_stream({self.request_id_header: turn.request_id})
            for event in api.events(turn):
                if event.terminal or ending:
                    ending.append(event)
                    continue
                counts = event.delta is not None and event.delta.text != ""
                if counts and content == cut_after:
                    status = "cut"
                    break
                if counts and turn.answers[0].chunk_delay_s:
                    self._closing.wait(turn.answers[0].chunk_delay_s)
                if reply.gone():
                    status = "hung_up"
                    break
                reply.write(event.data)
                if event.delta is not None:
                    delivered.append(event.delta)
                    content += counts
        except OSError:
            status = "hung_up"
        if status == "ok" and cut_after is not None:
            status = "cut"  # also a short answer ends without its usage
        elif status == "ok" and reply.gone():
            status = "hung_up"
        if status != "ok":
            self._enter(self._bill(api, turn, sent(turn.choices, delivered), status, delivered=False))
            reply.drop()
            return
        entry = self._enter(self._bill(api, turn, turn.choices, "ok", delivered=api.streams_usage(turn.body)))
        try:
            reply.write(b"".join(event.data for event in ending))
            reply.close_stream()
        except OSError:
            self._amend(entry, "hung_up")
            raise

    def _bill(self, api: Api, turn: Turn, choices: tuple[Choice, ...], status: Status, *, delivered: bool) -> Bill:
        parts = measure(choices, api.count)
        cached = turn.cached
        rates = rates_of(turn.model, turn.service_tier, self.prices)
        return Bill(
            provider=self.provider,
            api=api.name,
            model=turn.model,
            request_id=turn.request_id,
            response_id=turn.response_id or None,
            status=status,
            delivered=delivered,
            input=turn.prompt.tokens,
            cache_read=cached.read,
            cache_write_5m=cached.write_5m,
            cache_write_1h=cached.write_1h,
            output=parts.total,
            reasoning=parts.reasoning,
            text_tokens=parts.text,
            tool_call_tokens=parts.tool_calls,
            service_tier=turn.service_tier,
            usage=api.usage(replace(turn, choices=choices, parts=parts)),
            output_text=choices[0].text if choices else "",
            tool_calls=tool_calls(choices),
            messages=truths(turn.prompt, cached),
            cost_usd=None
            if rates is None
            else rates.cost(
                input=turn.prompt.tokens,
                cache_read=cached.read,
                write_5m=cached.write_5m,
                write_1h=cached.write_1h,
                output=parts.total,
            ),
        )

    def _enter(self, bill: Bill) -> int:
        with self._billed:
            self._bills.append(bill)
            self._billed.notify_all()
            return len(self._bills) - 1

    def _amend(self, entry: int, status: Status) -> None:
        with self._billed:
            self._bills[entry] = replace(self._bills[entry], status=status, delivered=False)
