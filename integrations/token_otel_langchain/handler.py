"""`TokenOtelHandler`: LangChain's callbacks, translated into events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import LLMResult

from token_otel import Recorder, wire
from token_otel.events import Event, FirstChunk, ModelEnded, ModelStarted, Operation, Part, RetrievalStarted, Status, ToolStarted, UsageSeen
from token_otel_langchain.boundary import enter_tool
from token_otel_langchain.graph import Run
from token_otel_langchain.guard import guarded
from token_otel_langchain.outcome import goes_to, interrupted, left_for, verdict
from token_otel_langchain.request import mapping_of, model_of, name_of, parameters, provider_of, schemas
from token_otel_langchain.results import document_parts, tool_results
from token_otel_langchain.runs import Runs, conversation_id
from token_otel_langchain.usage import model_ended, retold, so_far

T = TypeVar("T")

_HANDOFF = "__handoff_destination"


class TokenOtelHandler(BaseCallbackHandler):
    """Reports every agent, model call, tool and retrieval of LangChain and LangGraph to a recorder.

    It never touches the ambient context, keeps no text beyond a bounded memo, and may be shared by threads and tasks.

    Args:
        tracer_provider: Where spans go; the global one by default.
        meter_provider: Where metrics go; the global one by default.
        recorder: A recorder of your own instead.
    """

    run_inline = True  # else an async run would call it from a thread, after the fact and in any order
    raise_error = True  # all that gets out of `guarded` is that a budget is spent

    def __init__(self, *, tracer_provider: Any = None, meter_provider: Any = None, recorder: Recorder | None = None) -> None:
        self.recorder = recorder if recorder is not None else Recorder.shared(tracer_provider, meter_provider)
        self._runs = Runs.of(self.recorder)

    @property
    def ignore_retry(self) -> bool:
        """Retries are seen by the tag of the attempt."""
        return True

    @property
    def ignore_custom_event(self) -> bool:
        """Custom events are the application's."""
        return True

    @guarded
    def on_chain_start(
        self, serialized: dict[str, Any], inputs: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        name = kwargs.get("name") or name_of(serialized)
        run = self._runs.start("chain", name, run_id, parent_run_id, kwargs, at_ns=time.time_ns())
        if run is not None and name == "tools" and isinstance(inputs, dict):
            run.prebuilt = cast("dict[str, Any]", inputs).get("__type") == "tool_call_with_context"

    @guarded
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        run = self._runs.end(run_id)
        if run is None:
            return
        if run.role == "node" and run.shown == "agent":
            self._runs.handoff(run, [name for name in self._read([], goes_to, outputs, beyond=False) if name != run.name])
        self._runs.close(run, "interrupted" if run.interrupted or self._read(False, interrupted, outputs) else "ok")

    @guarded
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        run = self._runs.end(run_id)
        if run is None:
            return
        status, error_type = verdict(error)
        if status == "interrupted" and run.graph is not None:
            run.graph.interrupted = True
        if run.shown == "agent" or (run.role == "node" and run.graph is not None and run.graph.shown == "agent"):
            self._runs.handoff(run, left_for(error))
        self._runs.close(run, status, error_type)

    @guarded
    def on_interrupt(self, event: Any) -> None:
        """Note that a graph waits: some releases of LangGraph tell every handler."""
        run_id = getattr(event, "run_id", None)
        run = self._runs.find(run_id) if isinstance(run_id, UUID) else None
        if run is not None:
            run.interrupted = True

    def on_resume(self, event: Any) -> None:
        """Say nothing: the run that resumes is a run of its own."""

    @guarded
    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> None:
        run = self._runs.start("model", kwargs.get("name") or name_of(serialized), run_id, parent_run_id, kwargs)
        if run is not None:
            params = mapping_of(kwargs.get("invocation_params"))
            prompt = self._read((), self._prompt, messages, params, mapping_of(kwargs.get("options")))
            self._model_started(run, "chat", params, prompt)

    @guarded
    def on_llm_start(
        self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        run = self._runs.start("model", kwargs.get("name") or name_of(serialized), run_id, parent_run_id, kwargs)
        if run is not None:
            prompt = self._read((), _completed, prompts)
            self._model_started(run, "text_completion", mapping_of(kwargs.get("invocation_params")), prompt)

    @guarded
    def on_llm_new_token(self, token: Any, *, chunk: Any = None, run_id: UUID, **kwargs: Any) -> None:
        run = self._runs.find(run_id)
        if run is None:
            return
        if not run.streaming:
            self._first_chunk(run)
        usage = getattr(getattr(chunk, "message", None), "usage_metadata", None)
        if usage:
            self._usage_seen(run, so_far(run, usage))

    @guarded
    def on_stream_event(self, event: Any, *, run_id: UUID, **kwargs: Any) -> None:
        run = self._runs.find(run_id)
        if run is None:
            return
        if not run.streaming and event.get("event") != "message-start":
            self._first_chunk(run)
        # The whole bill of the message, which a client may have told token by token already.
        usage = event.get("usage")
        if usage and usage != run.seen:
            self._usage_seen(run, usage)

    @guarded
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        run = self._runs.end(run_id)
        if run is not None:
            self._model_ended(run, response, "ok", None)

    @guarded
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        run = self._runs.end(run_id)
        if run is not None:
            self._model_ended(run, kwargs.get("response"), *verdict(error))

    @guarded
    def on_tool_start(
        self, serialized: dict[str, Any], input_str: str, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        name = name_of(serialized) or kwargs.get("name") or "tool"
        run = self._runs.start("tool", name, run_id, parent_run_id, kwargs)
        if run is None:
            return
        call_id = kwargs.get("tool_call_id")
        run.seen = (call_id, run.metadata.get(_HANDOFF))
        self._record(
            ToolStarted(
                run_id=run.id,
                parent_id=self._runs.parent_of(run),
                at_ns=self.recorder.now_ns(),
                conversation_id=conversation_id(run.metadata),
                attributes=self._runs.attributes(run),
                name=name,
                call_id=call_id,
            )
        )
        enter_tool(self.recorder, run_id)

    @guarded
    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        run = self._runs.end(run_id)
        if run is None:
            return
        call_id, destination = run.seen
        left = self._read([], goes_to, output, beyond=True)
        if destination and not left and getattr(output, "status", None) != "error":
            left = [destination]
        self._runs.handoff(run, left)
        self._runs.close(run, "ok", output=self._read((), tool_results, output, call_id, run.name))

    @guarded
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        run = self._runs.end(run_id)
        if run is not None:
            self._runs.handoff(run, left_for(error))
            self._runs.close(run, *verdict(error))

    @guarded
    def on_retriever_start(
        self, serialized: dict[str, Any], query: str, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        name = kwargs.get("name") or name_of(serialized) or "retriever"
        run = self._runs.start("retriever", name, run_id, parent_run_id, kwargs)
        if run is not None:
            self._record(
                RetrievalStarted(
                    run_id=run.id,
                    parent_id=self._runs.parent_of(run),
                    conversation_id=conversation_id(run.metadata),
                    attributes=self._runs.attributes(run),
                    name=name,
                )
            )

    @guarded
    def on_retriever_end(self, documents: Sequence[Document], *, run_id: UUID, **kwargs: Any) -> None:
        run = self._runs.end(run_id)
        if run is not None:
            self._runs.close(run, "ok", output=self._read((), document_parts, documents))

    @guarded
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        run = self._runs.end(run_id)
        if run is not None:
            self._runs.close(run, *verdict(error))

    def _model_started(self, run: Run, operation: Operation, params: Mapping[str, Any], prompt: tuple[Part, ...]) -> None:
        self._record(
            ModelStarted(
                run_id=run.id,
                parent_id=self._runs.admit(run, self.recorder),
                at_ns=self.recorder.now_ns(),
                conversation_id=conversation_id(run.metadata),
                attributes=self._runs.attributes(run),
                model=model_of(params, run.metadata),
                provider=provider_of(run.metadata),
                operation=operation,
                prompt=prompt,
                attempt=self._runs.attempt_of(run),
                request=self._read({}, parameters, params, run.metadata),
            )
        )

    def _model_ended(self, run: Run, response: Any, status: Status, error_type: str | None) -> None:
        bare = ModelEnded(run_id=run.id, status=status, error_type=error_type)
        end = self._read(bare, model_ended, run.id, response, self._parts, self.recorder.now_ns(), status=status, error_type=error_type)
        if status != "ok" and run.seen is not None and not end.finish_reasons:
            end = replace(end, usage=None)  # what was used until then, and has been told: not the whole bill
        self._record(retold(run, end))

    def _prompt(self, messages: Sequence[Sequence[BaseMessage]], params: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[Part, ...]:
        asked = self._read([], schemas, params, options)
        return self._runs.memo.prompt([message for batch in messages for message in batch], asked)

    def _parts(self, message: BaseMessage) -> tuple[Part, ...]:
        return self._read((), self._runs.memo.message, message)

    def _first_chunk(self, run: Run) -> None:
        run.streaming = True
        self._record(FirstChunk(run_id=run.id, at_ns=self.recorder.now_ns()))

    def _usage_seen(self, run: Run, usage: UsageMetadata) -> None:
        run.seen = usage
        seen = wire.langchain(cast("Mapping[str, object]", usage))
        self._record(UsageSeen(run_id=run.id, usage=seen, at_ns=self.recorder.now_ns()))

    def _read(self, otherwise: T, read: Callable[..., T], *args: Any, **options: Any) -> T:
        """Return what is read of what LangChain tells, or `otherwise`: what cannot be read costs itself, never the run or its bill."""
        try:
            return read(*args, **options)
        except Exception as error:
            self.recorder.failed(error)
            return otherwise

    def _record(self, event: Event) -> None:
        self.recorder.record(event)


def _completed(prompts: Iterable[str]) -> tuple[Part, ...]:
    return tuple(Part(kind="user", text=prompt) for prompt in prompts)
