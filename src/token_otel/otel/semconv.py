"""Every attribute, metric and link name, and no logic.

`gen_ai.*` is pinned to open-telemetry/semantic-conventions-genai at commit 024a4f944a1291fcb627c9c47da69e79868dd15e (October
2026, no release yet). Link types are those of its draft PR #370. `token_otel.*` is ours. No other module spells a name.
"""

from __future__ import annotations

from typing import Final

SCOPE: Final = "token_otel"

# Semantic conventions: all spans.
OPERATION_NAME: Final = "gen_ai.operation.name"
AGENT_NAME: Final = "gen_ai.agent.name"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
ERROR_TYPE: Final = "error.type"
WORKFLOW_NAME: Final = "gen_ai.workflow.name"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_TYPE: Final = "gen_ai.tool.type"
DATA_SOURCE_ID: Final = "gen_ai.data_source.id"

# Semantic conventions: model calls.
PROVIDER_NAME: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
REQUEST: Final = {
    name: f"gen_ai.request.{name}"
    for name in (
        "temperature",
        "top_p",
        "top_k",
        "max_tokens",
        "frequency_penalty",
        "presence_penalty",
        "seed",
        "stop_sequences",
        "stream",
        "choice.count",
        "reasoning.level",
        "previous_response.id",
    )
}
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
OPENAI_SERVICE_TIER: Final = "openai.response.service_tier"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
CACHE_CREATION_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"  # its name until August 2026
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
AUDIO_INPUT_TOKENS: Final = "gen_ai.usage.audio.input_tokens"
AUDIO_OUTPUT_TOKENS: Final = "gen_ai.usage.audio.output_tokens"
IMAGE_INPUT_TOKENS: Final = "gen_ai.usage.image.input_tokens"
IMAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.image.output_tokens"

# Ours: how a run ended and how well a call is known.
RUN_STATUS: Final = "token_otel.run.status"
ATTEMPT: Final = "token_otel.attempt"
LATE: Final = "token_otel.late"
USAGE_STATUS: Final = "token_otel.usage.status"
USAGE_ADJUSTED: Final = "token_otel.usage.adjusted"
COST_STATUS: Final = "token_otel.cost.status"
PRICE_SOURCE: Final = "token_otel.price.source"
PRICE_VERSION: Final = "token_otel.price.version"
PRICE_MODEL: Final = "token_otel.price.model"
ESTIMATED_INPUT: Final = "token_otel.estimated.input_tokens"
ESTIMATED_OUTPUT: Final = "token_otel.estimated.output_tokens"
LOCAL_CACHE: Final = "token_otel.cache.local"
SAVED_INPUT: Final = "token_otel.saved.input_tokens"
SAVED_OUTPUT: Final = "token_otel.saved.output_tokens"
SAVED_COST: Final = "token_otel.saved.cost_usd"
MESSAGE_IDS: Final = "token_otel.message.ids"

# Ours: cost of one call, USD.
COST_INPUT: Final = "token_otel.cost.input_usd"
COST_OUTPUT: Final = "token_otel.cost.output_usd"
COST_FEES: Final = "token_otel.cost.fees_usd"
COST_TOTAL: Final = "token_otel.cost.total_usd"
COST_CACHE_READ: Final = "token_otel.cost.cache_read_usd"
COST_CACHE_WRITE: Final = "token_otel.cost.cache_write_usd"
COST_REASONING: Final = "token_otel.cost.reasoning_usd"
COST_UNCACHED: Final = "token_otel.cost.uncached_usd"
COST_REREAD: Final = "token_otel.cost.reread_usd"

# Ours: what a tool itself has cost, USD; not among the costs of calls, which add up to what providers bill.
TOOL_COST: Final = "token_otel.tool.cost_usd"

# Ours: who produced the input of one call. The scalars sum to gen_ai.usage.input_tokens.
INPUT_BY_ROLE: Final = {
    role: f"token_otel.input.{role}_tokens"
    for role in ("system", "tools", "user", "self", "agents", "tool_results", "documents", "media", "external", "unexplained")
}
INPUT_NEW: Final = "token_otel.input.new_tokens"
INPUT_REREAD: Final = "token_otel.input.reread_tokens"
OUTPUT_TEXT: Final = "token_otel.output.text_tokens"
OUTPUT_TOOL_CALL: Final = "token_otel.output.tool_call_tokens"
OUTPUT_REASONING: Final = "token_otel.output.reasoning_tokens"
FLOW_ORIGINS: Final = "token_otel.flow.origins"
FLOW_TOKENS: Final = "token_otel.flow.tokens"
FLOW_CACHE_READ: Final = "token_otel.flow.cache_read_tokens"
FLOW_NEW: Final = "token_otel.flow.new_tokens"
FLOW_COST: Final = "token_otel.flow.cost_usd"
FLOW_PRODUCERS: Final = "token_otel.flow.producers"
FLOW_PRODUCER_TOKENS: Final = "token_otel.flow.producer_tokens"
FLOW_PRODUCER_COST: Final = "token_otel.flow.producer_cost_usd"
FLOW_EXTERNAL_IDS: Final = "token_otel.flow.external_ids"
FLOW_EXTERNAL_TOKENS: Final = "token_otel.flow.external_tokens"
FLOW_METHOD: Final = "token_otel.flow.method"

# Ours: roll-ups of agents and workflows; never a gen_ai.usage.* name, or backends count every token twice.
OWN: Final = "own"
SUBTREE: Final = "subtree"


def rollup(scope: str, what: str) -> str:
    """Return the name of a roll-up: `scope` is `own` or `subtree`."""
    return f"token_otel.agent.{scope}.{what}"


ROLLUPS: Final = ("input_tokens", "output_tokens", "cost_usd", "calls", "reread_tokens")
AGENT_INCOMPLETE: Final = "token_otel.agent.incomplete"
AGENT_HANDOFFS: Final = "token_otel.agent.handoffs"
AGENT_MESSAGE_PRODUCERS: Final = "token_otel.agent.messages.producers"
AGENT_MESSAGE_READS: Final = "token_otel.agent.messages.reads"
AGENT_MESSAGE_TOKENS: Final = "token_otel.agent.messages.tokens"
AGENT_MESSAGE_COST: Final = "token_otel.agent.messages.cost_usd"
AGENT_MESSAGE_AT_LEAST: Final = "token_otel.agent.messages.at_least"

# Links.
LINK_TYPE: Final = "gen_ai.attribution.link_type"
INFORMED_BY: Final = "INFORMED_BY"
CAUSED_BY_GENERATION: Final = "CAUSED_BY_GENERATION"
CONTINUES: Final = "CONTINUES"  # the real end of a call whose span had to be closed before it
LINK_TOKENS: Final = "token_otel.flow.tokens"
LINK_ORIGIN: Final = "token_otel.flow.origin"

# Cost under the names that backends read.
OPENLIT_COST: Final = "gen_ai.usage.cost"
LOGFIRE_COST: Final = "operation.cost"
DRAFT_COST_AMOUNT: Final = "gen_ai.usage.cost.amount"
DRAFT_COST_CURRENCY: Final = "gen_ai.usage.cost.currency"
DRAFT_COST_SOURCE: Final = "gen_ai.usage.cost.source"
MLFLOW_COST: Final = "mlflow.llm.cost"
MLFLOW_SPAN_TYPE: Final = "mlflow.spanType"
LANGFUSE_COST: Final = "langfuse.observation.cost_details"
LANGFUSE_USAGE: Final = "langfuse.observation.usage_details"
LANGFUSE_TYPE: Final = "langfuse.observation.type"
LANGFUSE_SESSION: Final = "langfuse.session.id"
OPENINFERENCE_KIND: Final = "openinference.span.kind"
OPENINFERENCE_SESSION: Final = "session.id"
OPENINFERENCE_MODEL: Final = "llm.model_name"
OPENINFERENCE_COST_INPUT: Final = "llm.cost.prompt"
OPENINFERENCE_COST_OUTPUT: Final = "llm.cost.completion"
OPENINFERENCE_COST_TOTAL: Final = "llm.cost.total"
OPENINFERENCE_COST_CACHE_READ: Final = "llm.cost.prompt_details.cache_read"
OPENINFERENCE_COST_CACHE_WRITE: Final = "llm.cost.prompt_details.cache_write"
OPENINFERENCE_COST_REASONING: Final = "llm.cost.completion_details.reasoning"
OPENINFERENCE_INPUT: Final = "llm.token_count.prompt"
OPENINFERENCE_OUTPUT: Final = "llm.token_count.completion"
OPENINFERENCE_TOTAL: Final = "llm.token_count.total"
OPENINFERENCE_CACHE_READ: Final = "llm.token_count.prompt_details.cache_read"
OPENINFERENCE_CACHE_WRITE: Final = "llm.token_count.prompt_details.cache_write"
OPENINFERENCE_AUDIO_INPUT: Final = "llm.token_count.prompt_details.audio"
OPENINFERENCE_REASONING: Final = "llm.token_count.completion_details.reasoning"
OPENINFERENCE_AUDIO_OUTPUT: Final = "llm.token_count.completion_details.audio"

# Metrics.
M_INFERENCE_DURATION: Final = "gen_ai.client.inference.duration"
M_FIRST_CHUNK: Final = "gen_ai.client.inference.time_to_first_chunk"
M_INPUT: Final = "gen_ai.client.inference.usage.input_tokens"
M_OUTPUT: Final = "gen_ai.client.inference.usage.output_tokens"
M_CACHE_READ: Final = "gen_ai.client.inference.usage.cache_read.input_tokens"
M_CACHE_WRITE: Final = "gen_ai.client.inference.usage.cache_write.input_tokens"
M_REASONING: Final = "gen_ai.client.inference.usage.reasoning.output_tokens"
M_OPERATION_INPUT: Final = "gen_ai.client.inference.operation.input_tokens"
M_OPERATION_OUTPUT: Final = "gen_ai.client.inference.operation.output_tokens"
M_OPERATION_DURATION: Final = "gen_ai.client.operation.duration"
M_OPERATION_FIRST_CHUNK: Final = "gen_ai.client.operation.time_to_first_chunk"
M_TOKEN_USAGE: Final = "gen_ai.client.token.usage"  # removed from the spec in September 2026, read by every dashboard
M_AGENT_DURATION: Final = "gen_ai.invoke_agent.duration"
M_TOOL_DURATION: Final = "gen_ai.execute_tool.duration"
M_WORKFLOW_DURATION: Final = "gen_ai.invoke_workflow.duration"
M_COST: Final = "token_otel.cost"
M_FLOW: Final = "token_otel.flow.tokens"
M_UNPRICED: Final = "token_otel.unpriced_tokens"
TOKEN_TYPE: Final = "gen_ai.token.type"
TOKEN_MODALITY: Final = "gen_ai.token.modality"
PRODUCER_KIND: Final = "token_otel.flow.producer.kind"
FLOW_CACHE: Final = "token_otel.flow.cache"
FLOW_REREAD: Final = "token_otel.flow.reread"

BUCKETS_CLIENT_S: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
BUCKETS_AGENT_S: Final = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6)
BUCKETS_WORKFLOW_S: Final = (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
BUCKETS_TOKENS: Final = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
