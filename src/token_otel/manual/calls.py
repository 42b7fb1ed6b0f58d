"""`model()`: a call of a model, from what is asked to what it answers, whole or as a stream."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar, overload

from token_otel.bills.budget import money
from token_otel.door import Misfit
from token_otel.events import Attributes, Ended, FirstChunk, ModelEnded, ModelStarted, Operation, Start, Status, UsageSeen
from token_otel.manual.blocks import Block, Tags
from token_otel.manual.messages import message_parts, prompt_of
from token_otel.manual.objects import mapping, several
from token_otel.manual.outcome import verdict
from token_otel.manual.responses import Answer, answer_of, usage_of
from token_otel.manual.streams import AsyncStream, Stream
from token_otel.recorder import Recorder
from token_otel.usage import Usage

T = TypeVar("T")
C = TypeVar("C")

# What people call them, in the names of semconv.
_PROVIDERS = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertexai": "gcp.vertex_ai",
    "xai": "x_ai",
}


class ModelCall(Block):
    """A block in which one model call is made; `end` or `stream` takes what came of it."""

    def __init__(
        self,
        model: str | None,
        provider: str | None,
        asked: tuple[object, object, object],
        operation: Operation,
        attempt: int,
        request: Attributes,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.model = model
        self.provider = _PROVIDERS.get(provider, provider) if provider is not None else None
        self.operation: Operation = operation
        self.attempt = attempt
        self.request = request
        self._asked_of_it = asked
        self._stream: Stream[Any] | AsyncStream[Any] | None = None
        self._told = False

    def open(self) -> None:
        """Report the start.

        Raises:
            BudgetExceeded: A budget around is spent, and it was asked to raise then.
        """
        self.recorder.check_budget()
        self._told, self._stream = False, None
        super().open()

    def started(self) -> Start:
        """Return how it starts, with everything that it reads."""
        return ModelStarted(
            run_id=self.run_id,
            conversation_id=self.conversation,
            model=self.model,
            provider=self.provider,
            operation=self.operation,
            prompt=self.read(prompt_of, *self._asked_of_it),
            attempt=self.attempt,
            request=self.request,
        )

    def end(
        self,
        response: T = None,
        *,
        usage: Usage | Mapping[str, Any] | object | None = None,
        output: object = None,
        model: str | None = None,
        cost_usd: Decimal | str | float | None = None,
    ) -> T:
        """Say what came of the call, and return the response.

        Args:
            response: What the SDK of OpenAI, Anthropic, Google, Mistral or Bedrock returned, or a mapping of that form.
            usage: Instead of the response's, or without one: a `Usage`, or what a provider says in its own words.
            output: What the model produced: a text, a message, or several.
            model: The model that answered.
            cost_usd: What the provider says it has cost.

        Raises:
            ValueError: The cost is none.
        """
        usd = None if cost_usd is None else money(cost_usd, "cost_usd")
        if self._told:
            return response
        answer = self._answer(response)
        try:
            if usage is not None:
                answer = replace(answer, usage=usage if isinstance(usage, Usage) else usage_of(mapping(usage), self.operation))
            if output is not None:
                said = several(output) or [output]
                answer = replace(answer, output=tuple([part for each in said for part in message_parts(each, "assistant")]))
        except Exception as error:
            self.recorder.failed(error)
        if response is not None and usage is None and output is None and answer.says_nothing:
            self.recorder.failed(Misfit(f"call.end() cannot read a {type(response).__name__}: give it usage= and output="))
        self.answered(replace(answer, model=model or answer.model, cost_usd=answer.cost_usd if usd is None else usd))
        return response

    @overload
    def stream(self, chunks: AsyncIterable[C]) -> AsyncStream[C]: ...
    @overload
    def stream(self, chunks: Iterable[C]) -> Stream[C]: ...
    def stream(self, chunks: Any) -> Any:
        """Go through a stream of chunks, as the SDK gives it, and take from it what `end` takes from a response.

        What the stream has said of usage and text counts also if it is broken off. A stream that is given away from inside
        the block, to be gone through later, ends the call when it ends.
        """
        self._stream = AsyncStream(chunks, self) if hasattr(chunks, "__aiter__") else Stream(chunks, self)
        return self._stream

    def leave(self, error: BaseException | None) -> None:
        """Report the end, unless it is reported or a stream has yet to begin."""
        stream, self._stream = self._stream, None
        if self._told:
            return
        if stream is not None and not stream.over:
            if error is None and not stream.begun:
                return
            stream.stop(error or GeneratorExit())
        elif error is None:
            # Nobody has said what came of it: that may come yet.
            self.finish(Ended(run_id=self.run_id))
        else:
            self.answered(Answer(), *verdict(error))

    def returned(self, result: Any) -> None:
        """Take what a decorated function returns."""
        self.end(result)

    def chunk(self) -> None:
        """Report the first chunk of a stream."""
        self.recorder.record(FirstChunk(run_id=self.run_id))

    def seen(self, usage: Usage, model: str | None) -> None:
        """Report what a stream has used so far."""
        self.recorder.record(UsageSeen(run_id=self.run_id, usage=usage, model=model))

    def answered(self, answer: Answer, status: Status = "ok", error_type: str | None = None, *, dropped: bool = False) -> None:
        """Report what came of it; of a stream that was `dropped`, from a destructor."""
        if self._told:
            return
        self._told = self._over = True
        event = ModelEnded(
            run_id=self.run_id,
            status=status,
            error_type=error_type,
            usage=answer.usage,
            output=answer.output,
            model=answer.model,
            response_id=answer.response_id,
            finish_reasons=answer.finish_reasons,
            service_tier=answer.service_tier,
            cost_usd=answer.cost_usd,
        )
        self.recorder.record_later(event) if dropped else self.recorder.record(event)

    def _answer(self, response: object) -> Answer:
        try:
            return Answer() if response is None else answer_of(response, self.operation)
        except Exception as error:
            self.recorder.failed(error)
            return Answer()


def model(
    model: str | None,
    *,
    provider: str | None = None,
    messages: object = None,
    system: object = None,
    tools: object = None,
    operation: Operation = "chat",
    attempt: int = 1,
    request: Attributes | None = None,
    conversation: str | None = None,
    tags: Tags | None = None,
    recorder: Recorder | None = None,
) -> ModelCall:
    """Let a `with` block be one model call; `end` takes the response, `stream` the chunks.

    Args:
        model: The model asked for.
        provider: `openai`, `anthropic`, `gcp.gemini`, `mistral_ai`, `aws.bedrock`, ...: a price may depend on it.
        messages: What it reads, as the SDK takes it: `messages`, the `input` of OpenAI's Responses, Google's `contents`, a text.
        system: What the SDK takes apart from the messages: `system`, `instructions`, `system_instruction`.
        tools: The tools, as the SDK takes them; Bedrock's `toolConfig` too.
        operation: `text_completion` and `embeddings` are the others.
        attempt: 2 for a first retry.
        request: Parameters to see on the span, by what follows `gen_ai.request.`: `temperature`, `max_tokens`, ...
        conversation: As for `agent`, as are `tags` and `recorder`.
        tags: What to see on its span.
        recorder: A recorder of your own instead of the shared one.

    Raises:
        BudgetExceeded: When the block is entered, if a budget around is spent and was asked to raise then.
    """
    options: dict[str, Any] = {"conversation": conversation, "tags": tags, "recorder": recorder}
    return ModelCall(model, provider, (messages, system, tools), operation, attempt, dict(request or {}), **options)
