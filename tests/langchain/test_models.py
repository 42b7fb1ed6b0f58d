"""What is said of a model call: what was asked, and what came back."""

# The framework leaves its own types partly unknown.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false, reportDeprecated=false

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.documents import Document
from langchain_core.language_models import LLM
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool

from token_otel import Settings, Usage
from token_otel.events import Ended, ModelEnded, ModelStarted, RetrievalStarted, ToolStarted
from token_otel.testing import Tape
from token_otel_langchain.messages import Memo
from token_otel_langchain.request import model_of, parameters, provider_of, schemas
from token_otel_langchain.usage import model_ended

ASK: Any = {"messages": [("user", "hello there")]}
USAGE: Any = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}


class Completer(LLM):
    """A text-completion model."""

    @property
    def _llm_type(self) -> str:
        return "completer"

    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        return "completed"


class Shelf(BaseRetriever):
    """A retriever with two documents, one of which has an id."""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [Document("first text", id="d1"), Document("second text")]


def answered(message: AIMessage, **about: Any) -> ModelEnded:
    """Translate one answer."""
    return model_ended("r", LLMResult(generations=[[ChatGeneration(message=message)]], **about), Memo().message)


def test_a_call_says_model_and_provider(watch: Any, scripted: Any):
    """As asked for."""
    scripted("hi").invoke("hello", watch.config)

    [start] = watch.of(ModelStarted)
    assert (start.model, start.provider, start.operation, start.attempt) == ("scripted-1", "scripted", "chat", 1)


def test_invoke_and_async_and_streams_say_the_same(new_watch: Any, scripted: Any):
    """The ways to call a model differ in nothing that is reported but the chunks."""

    async def drain(model: Any, config: Any) -> None:
        [chunk async for chunk in model.astream("hello", config)]

    ways: list[Any] = [
        lambda config: scripted("one two").invoke("hello", config),
        lambda config: asyncio.run(scripted("one two").ainvoke("hello", config)),
        lambda config: scripted("one two").batch(["hello"], config),
        lambda config: list(scripted("one two", streams=True).stream("hello", config)),
        lambda config: asyncio.run(drain(scripted("one two", streams=True), config)),
    ]
    seen = []
    for way in ways:
        watch = new_watch()
        way(watch.config)
        [start], [end] = watch.of(ModelStarted), watch.of(ModelEnded)
        seen.append((start.model, [part.text for part in start.prompt], end.usage, end.model, end.finish_reasons, end.status))

    assert seen == [("scripted-1", ["hello"], Usage(input=10, output=5), "scripted-1", ("stop",), "ok")] * 5


def test_the_third_way_to_stream_is_seen_too(watch: Any, scripted: Any):
    """Protocol events instead of tokens, the same call."""
    model = scripted("one two", streams=True)
    if not hasattr(model, "stream_events"):
        pytest.skip("this langchain-core has no stream_events")
    list(model.stream_events("hello", config=watch.config, version="v3"))

    assert [type(event).__name__ for event in watch.tape.events] == ["ModelStarted", "FirstChunk", "UsageSeen", "ModelEnded"]
    assert watch.of(ModelEnded)[0].usage == Usage(input=10, output=5)


def test_a_batch_is_as_many_calls(watch: Any, scripted: Any):
    """Each is billed; they run on threads."""
    scripted("hi").batch(["a", "b", "c"], watch.config)

    assert len({event.run_id for event in watch.of(ModelEnded)}) == 3


def test_completion_models_are_text_completions(watch: Any):
    """Their prompt is one text, and here nobody reports usage."""
    Completer().invoke("say", watch.config)

    [start], [end] = watch.of(ModelStarted), watch.of(ModelEnded)
    assert (start.operation, [part.text for part in start.prompt]) == ("text_completion", ["say"])
    assert (end.usage, [part.text for part in end.output]) == (None, ["completed"])


def test_a_completion_reports_in_llm_output():
    """Older models put the bill beside the generations."""
    bill = {"token_usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}, "model_name": "gpt-3.5-turbo-instruct"}
    end = model_ended("r", LLMResult(generations=[[Generation(text="x")]], llm_output=bill), Memo().message)

    assert (end.usage, end.model) == (Usage(input=7, output=3), "gpt-3.5-turbo-instruct")


def test_retries_are_attempts(watch: Any, scripted: Any):
    """Each try is a call of its own; the tag says which."""
    scripted(ValueError("no"), "hi").with_retry(wait_exponential_jitter=False).invoke("hello", watch.config)

    assert [event.attempt for event in watch.of(ModelStarted)] == [1, 2]
    assert [event.status for event in watch.of(ModelEnded)] == ["error", "ok"]


def test_a_retry_around_a_chain_counts_for_the_call_in_it(watch: Any, scripted: Any):
    """The tag stands on the chain."""
    from langchain_core.prompts import ChatPromptTemplate

    chain = ChatPromptTemplate.from_messages([("user", "{x}")]) | scripted(ValueError("no"), "hi")
    chain.with_retry(wait_exponential_jitter=False).invoke({"x": "hello"}, watch.config)

    assert [event.attempt for event in watch.of(ModelStarted)] == [1, 2]


def test_a_fallback_is_another_call(watch: Any, scripted: Any):
    """The failed one cost nothing that is known."""
    scripted(ValueError("no")).with_fallbacks([scripted("hi", model_name="scripted-2")]).invoke("hello", watch.config)

    assert [event.model for event in watch.of(ModelStarted)] == ["scripted-1", "scripted-2"]
    assert [event.status for event in watch.of(ModelEnded)] == ["error", "ok"]


def test_an_answer_from_the_local_cache_is_no_call(watch: Any, scripted: Any):
    """LangChain marks it by a cost of 0; the usage is what it once was."""
    model = scripted("hi", cache=InMemoryCache())
    model.invoke("hello", watch.config)
    model.invoke("hello", watch.config)

    assert [event.local_cache for event in watch.of(ModelEnded)] == [False, True]


def test_several_choices_are_billed_once(watch: Any, scripted: Any):
    """Each of them repeats the bill of the whole call."""
    scripted("hi", choices=2).invoke("hello", watch.config)

    [end] = watch.of(ModelEnded)
    assert (end.usage, len(end.output), end.finish_reasons) == (Usage(input=10, output=5), 2, ("stop", "stop"))


def test_no_report_is_none():
    """Unknown is not 0."""
    assert answered(AIMessage("hi")).usage is None


def test_no_output_beside_text_is_a_missing_report():
    """Servers that do not count say 0."""
    usage: Any = {"input_tokens": 10, "output_tokens": 0, "total_tokens": 10}

    assert answered(AIMessage("hi", usage_metadata=usage)).usage == Usage(input=10)


def test_zeros_throughout_are_no_report():
    """Neither total is believed."""
    usage: Any = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}

    assert answered(AIMessage("hi", usage_metadata=usage)).usage is None


@pytest.mark.parametrize(
    "about",
    [
        {"token_usage": {"prompt_tokens": 7, "completion_tokens": 3}},
        {"usage": {"input_tokens": 7, "output_tokens": 3}},
        {"usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3}},
        {"prompt_eval_count": 7, "eval_count": 3},
        {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 7, "outputTokenCount": 3}},
        {"token_count": {"input_tokens": 7.0, "output_tokens": 3.0}},
    ],
)
def test_raw_reports_are_read_where_langchain_made_none(about: Any):
    """Integrations that fill no usage_metadata leave the provider's own words."""
    usage = answered(AIMessage("hi", response_metadata=about)).usage

    assert usage is not None
    assert (usage.input, usage.output) == (7, 3)


def test_searches_of_the_provider_are_counted():
    """LangChain's usage has no place for them; Anthropic's own report has."""
    about = {"usage": {"input_tokens": 10, "output_tokens": 5, "server_tool_use": {"web_search_requests": 2}, "service_tier": "standard"}}
    end = answered(AIMessage("hi", usage_metadata=USAGE, response_metadata=about))

    assert (end.usage, end.service_tier) == (Usage(input=10, output=5, web_searches=2), "standard")


def test_the_speed_of_claude_is_its_tier():
    """Anthropic bills its fast service at rates of its own."""
    about = {"usage": {"input_tokens": 10, "output_tokens": 5, "service_tier": "standard", "speed": "fast"}}

    assert answered(AIMessage("hi", response_metadata=about)).service_tier == "fast"


def test_compactions_are_billed_though_langchain_reads_the_totals_alone():
    """Anthropic's own report lists them: 10 + 1,000 in, 5 + 50 out."""
    compaction = {"type": "compaction", "input_tokens": 1000, "output_tokens": 50}
    about = {"usage": {"input_tokens": 10, "output_tokens": 5, "iterations": [compaction, {"type": "message", "input_tokens": 10}]}}

    assert answered(AIMessage("hi", usage_metadata=USAGE, response_metadata=about)).usage == Usage(input=1010, output=55)


@pytest.mark.parametrize(
    ("details", "usage"),
    [
        # what LangChain has no place for is added
        ({"image_tokens": 4}, Usage(input=10, output=5, cache_read=2, image_input=4)),
        # what it has stays
        ({"cached_tokens": 3}, Usage(input=10, output=5, cache_read=2)),
        # and what would exceed a total beside it is left out
        ({"cache_write_tokens": 9}, Usage(input=10, output=5, cache_read=2)),
    ],
)
def test_the_providers_own_report_completes_langchains(details: Any, usage: Usage):
    """Where both tell the same totals."""
    said: Any = {**USAGE, "input_token_details": {"cache_read": 2}}
    about = {"token_usage": {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": details}}

    assert answered(AIMessage("hi", usage_metadata=said, response_metadata=about)).usage == usage


def test_a_report_with_other_totals_is_not_believed():
    """A stream's may be the sum of what was told again and again."""
    about = {"token_usage": {"prompt_tokens": 30, "completion_tokens": 15, "prompt_tokens_details": {"image_tokens": 4}}}

    assert answered(AIMessage("hi", usage_metadata=USAGE, response_metadata=about)).usage == Usage(input=10, output=5)


def test_searches_in_a_stream_are_counted_by_their_blocks():
    """There the report does not say."""
    content: Any = [{"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}}, {"type": "text", "text": "hi"}]

    usage = answered(AIMessage(content, usage_metadata=USAGE)).usage
    assert usage is not None
    assert usage.web_searches == 1


def test_the_tier_of_the_response_is_said():
    """In its metadata, or in the names of LangChain's details."""
    usage: Any = {**USAGE, "input_token_details": {"flex": 6, "flex_cache_read": 4}}

    assert answered(AIMessage("hi", response_metadata={"service_tier": "priority"})).service_tier == "priority"
    assert answered(AIMessage("hi", usage_metadata=usage)).service_tier == "flex"


@pytest.mark.parametrize(
    ("about", "usd"),
    [
        ({"token_usage": {"prompt_tokens": 7, "completion_tokens": 3, "cost": 0.00014}}, "0.00014"),
        # a key of the user's own: OpenRouter's charge, and the provider's
        ({"token_usage": {"cost": 0.0001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.002}}}, "0.0021"),
        # as OpenRouter's integration keeps it of a stream
        ({"cost": 0.00014, "cost_details": {"upstream_inference_cost": 0.00014}}, "0.00014"),
    ],
)
def test_a_cost_that_the_provider_reports_is_kept(about: Any, usd: str):
    """OpenRouter says what it charges."""
    assert str(answered(AIMessage("hi", response_metadata=about)).cost_usd) == usd


def test_the_id_of_the_response_is_the_providers():
    """LangChain's own ids are not the provider's."""
    assert answered(AIMessage("hi", id="lc_run--1-0")).response_id is None
    assert answered(AIMessage("hi", id="resp_1")).response_id == "resp_1"
    assert answered(AIMessage("hi", id="lc_run--1-0", response_metadata={"id": "chatcmpl-1"})).response_id == "chatcmpl-1"


def test_an_invoked_answer_comes_back_under_the_id_it_left_with(watch: Any, scripted: Any):
    """The next prompt holds the very same parts."""
    model = scripted("a fine answer")
    answer = model.invoke("hello", watch.config)
    model.invoke([HumanMessage("hello"), answer], watch.config)

    assert watch.of(ModelEnded)[0].output[0] is watch.of(ModelStarted)[1].prompt[1]


def test_a_streamed_answer_comes_back_under_the_id_it_left_with(watch: Any, scripted: Any):
    """Streams give another form of id, without a suffix."""
    model = scripted("a fine answer", streams=True)
    chunks = list(model.stream("hello", watch.config))
    whole: Any = sum(chunks[1:], chunks[0])
    model.invoke([HumanMessage("hello"), whole], watch.config)

    left, back = watch.of(ModelEnded)[0].output[0], watch.of(ModelStarted)[1].prompt[1]
    assert (left.message_id, left.text) == (back.message_id, back.text) == (whole.id, "a fine answer ")


def test_tool_schemas_are_read_first(watch: Any, scripted: Any, call: Any):
    """Tools, system prompt, messages: the order in which providers cache them."""

    @tool
    def search(q: str) -> str:
        """Look something up."""
        return "found"

    agent = create_agent(scripted(call("search", q="x"), "done"), [search], system_prompt="be kind")
    agent.invoke(ASK, watch.config)

    prompt = watch.of(ModelStarted)[1].prompt
    assert [(part.kind, part.name, part.opens) for part in prompt] == [
        ("tools", "search", False),
        ("system", None, True),
        ("user", None, True),
        ("tool_call", "search", True),
        ("tool_result", "search", True),
    ]


def test_a_tool_says_which_call_it_answers(watch: Any, scripted: Any, call: Any):
    """The id of the call joins the model that asked, the tool and the result."""

    @tool
    def search(q: str) -> str:
        """Look something up."""
        return f"found {q}"

    create_agent(scripted(call("search", "c7", q="x"), "done"), [search]).invoke(ASK, watch.config)

    [start] = watch.of(ToolStarted)
    [end] = [event for event in watch.of(Ended) if event.run_id == start.run_id]
    assert start.call_id == "c7"
    assert [(part.kind, part.text, part.call_id, part.name) for part in end.output] == [("tool_result", "found x", "c7", "search")]
    assert watch.of(ModelEnded)[0].output[0].call_id == "c7"


def test_a_tool_called_directly_returns_its_value(watch: Any):
    """Without a call id there is no message; what is no text is JSON."""

    @tool
    def numbers() -> dict[str, int]:
        """Count."""
        return {"a": 1}

    numbers.invoke({}, watch.config)

    [end] = watch.of(Ended)
    assert [part.text for part in end.output] == ['{"a":1}']


def test_a_retriever_returns_documents(watch: Any):
    """Each under its own id, if it has one."""
    Shelf().invoke("query", watch.config)

    [start], [end] = watch.of(RetrievalStarted), watch.of(Ended)
    assert start.name == "Shelf"
    assert [(part.kind, part.text, part.message_id) for part in end.output] == [
        ("document", "first text", "d1"),
        ("document", "second text", None),
    ]


def test_a_conversation_is_a_thread(watch: Any, scripted: Any):
    """Or a session; the thread comes first."""
    model = scripted("hi")
    model.invoke("hello", {**watch.config, "metadata": {"session_id": "s1"}})
    model.invoke("hello", {**watch.config, "metadata": {"session_id": "s1", "thread_id": "t1"}})

    assert [event.conversation_id for event in watch.of(ModelStarted)] == ["s1", "t1"]


def test_metadata_that_the_user_asks_for_is_copied(scripted: Any):
    """Only the keys that the settings name; LangChain's own tags are left out."""
    from token_otel_langchain import TokenOtelHandler

    tape: Any = Tape()
    tape.settings = Settings(metadata=("tenant", "tags"))
    config: Any = {"callbacks": [TokenOtelHandler(recorder=tape)], "metadata": {"tenant": "a", "secret": "b"}, "tags": ["beta"]}
    create_agent(scripted("hi"), [], name="alice").invoke(ASK, config)

    starts = [event for event in tape.events if hasattr(event, "attributes")]
    assert [event.attributes for event in starts] == [{"tenant": "a", "tags": ("beta",)}] * 2


@pytest.mark.parametrize(
    ("said", "provider"),
    [
        ("openai", "openai"),
        ("azure", "azure.ai.openai"),
        ("amazon_bedrock", "aws.bedrock"),
        ("google_genai", "gcp.gen_ai"),
        ("google_vertexai", "gcp.vertex_ai"),
        ("mistralai", "mistral_ai"),
        ("xai", "x_ai"),
        ("my-model", "my-model"),
    ],
)
def test_providers_have_the_names_of_semconv(said: str, provider: str):
    """What semconv does not name stays as it is."""
    assert provider_of({"ls_provider": said}) == provider


def test_request_parameters_have_the_names_of_semconv():
    """Those that are set."""
    params = {
        "model": "gpt-5",
        "temperature": 0.2,
        "max_completion_tokens": 9,
        "top_p": None,
        "seed": 4,
        "stop": ["END"],
        "stream": True,
        "n": 2,
        "reasoning": {"effort": "low"},
    }

    assert parameters(params, {}) == {
        "temperature": 0.2,
        "max_tokens": 9,
        "seed": 4,
        "stop_sequences": ("END",),
        "stream": True,
        "choice.count": 2,
        "reasoning.level": "low",
    }


def test_what_langchain_says_itself_fills_the_gaps():
    """Its own metadata name model, temperature and limit."""
    told = {"ls_model_name": "claude-sonnet-5", "ls_temperature": 0.5, "ls_max_tokens": 100}

    assert model_of({}, told) == "claude-sonnet-5"
    assert parameters({}, told) == {"temperature": 0.5, "max_tokens": 100}


def test_the_schema_of_the_answer_is_sent_along():
    """It is billed like a tool's."""
    form = {"type": "json_schema", "json_schema": {"name": "Person", "schema": {}}}

    assert schemas({"tools": [{"name": "a"}], "response_format": form}, {}) == [{"name": "a"}, form]


def test_the_schema_of_an_answer_that_is_a_class_is_sent_along():
    """The client makes it while it sends, and LangChain tells it beside; where it does not, nothing is made up."""
    schema = {"title": "Person", "type": "object"}
    told = {"ls_structured_output_format": {"kwargs": {"method": "json_schema"}, "schema": schema}}

    assert schemas({"response_format": dict}, told) == [schema]
    assert schemas({"response_format": dict}, {}) == []
    assert schemas({"response_format": {"type": "json_object"}}, told) == []
