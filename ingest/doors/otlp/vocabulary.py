"""Attribute names of every generation of instrumentation, and what each of them means here.

Of several names for one field the first one that has a value wins. Names: OpenTelemetry GenAI (new,
then 1.30 to 1.36), Traceloop, OpenInference, OpenLIT, Anthropic's SDK, pydantic-ai, LiteLLM, Sentry
and Strands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.doors.otlp.records import Pairs
from ingest.doors.people import is_personal

_ASSOCIATION = "traceloop.association.properties."
_LITELLM = "metadata."
_GEN_AI = "gen_ai.usage."
_LLM = "llm.token_count."

NAMES: Mapping[str, tuple[str, ...]] = {
    # What kind of span it is.
    "operation": ("gen_ai.operation.name", "llm.request.type"),
    "span_kind": ("openinference.span.kind",),
    "step": ("traceloop.span.kind",),
    # What answered.
    "provider": ("gen_ai.provider.name", "llm.provider", "gen_ai.system", "llm.system"),
    "server": ("server.address", "gen_ai.openai.api_base"),
    "response_model": (
        "gen_ai.response.model",
        "llm.response.model_name",
        "llm.model_name",
        "embedding.model_name",
        "reranker.model_name",
    ),
    "request_model": ("gen_ai.request.model", "llm.request.model_name", "llm.request.model"),
    "response_id": ("gen_ai.response.id", "llm.openai.id"),
    "response_tier": (
        "openai.response.service_tier",
        "gen_ai.openai.response.service_tier",
        "anthropic.response.service_tier",
    ),
    "request_tier": (
        "openai.request.service_tier",
        "gen_ai.openai.request.service_tier",
        "anthropic.request.service_tier",
    ),
    # Tokens. Totals include their parts, unless the numbers say otherwise (counting.py).
    "input": (
        f"{_GEN_AI}input_tokens",
        f"{_GEN_AI}prompt_tokens",
        f"{_LLM}prompt",
        "llm.usage.prompt_tokens",
    ),
    "output": (
        f"{_GEN_AI}output_tokens",
        f"{_GEN_AI}completion_tokens",
        f"{_LLM}completion",
        "llm.usage.completion_tokens",
    ),
    "total": (f"{_GEN_AI}total_tokens", f"{_LLM}total", "llm.usage.total_tokens"),
    "cache_read": (
        f"{_GEN_AI}cache_read.input_tokens",
        f"{_GEN_AI}cache_read_input_tokens",
        f"{_GEN_AI}input_tokens.cached",
        f"{_LLM}prompt_details.cache_read",
        f"{_GEN_AI}details.cache_read_tokens",
        f"{_GEN_AI}cached_tokens",
        f"{_LLM}prompt_details.cache_input",
    ),
    "cache_write": (
        f"{_GEN_AI}cache_write.input_tokens",
        f"{_GEN_AI}cache_creation.input_tokens",
        f"{_GEN_AI}cache_creation_input_tokens",
        f"{_GEN_AI}cache_write_input_tokens",
        f"{_GEN_AI}input_tokens.cache_write",
        f"{_LLM}prompt_details.cache_write",
        f"{_GEN_AI}details.cache_write_tokens",
    ),
    "cache_write_5m": ("anthropic.usage.cache_creation.ephemeral_5m_input_tokens",),
    "cache_write_1h": ("anthropic.usage.cache_creation.ephemeral_1h_input_tokens",),
    "reasoning": (
        f"{_GEN_AI}reasoning.output_tokens",
        f"{_GEN_AI}reasoning_tokens",
        f"{_GEN_AI}output_tokens.reasoning",
        f"{_LLM}completion_details.reasoning",
        f"{_GEN_AI}details.reasoning_tokens",
        "llm.usage.reasoning_tokens",
        f"{_GEN_AI}details.thoughts_tokens",
    ),
    "input_audio": (f"{_GEN_AI}audio.input_tokens", f"{_LLM}prompt_details.audio"),
    "cached_audio": (f"{_GEN_AI}audio.cache_read.input_tokens",),
    "output_audio": (f"{_GEN_AI}audio.output_tokens", f"{_LLM}completion_details.audio"),
    # The SDK leaves the tokens of compactions out of the usage, and they are billed.
    "compaction_input": ("anthropic.usage.compaction.input_tokens",),
    "compaction_output": ("anthropic.usage.compaction.output_tokens",),
    # Whose it was. What stands in `metadata` (OpenInference, JSON) comes after these.
    "user": (
        "user.id",
        "enduser.id",
        "gen_ai.user",
        "gen_ai.request.user",
        "llm.user",
        f"{_ASSOCIATION}user_id",
        "langfuse.user.id",
        f"{_LITELLM}user_api_key_end_user_id",
        f"{_LITELLM}user_api_key_user_id",
        "user_id",
        "user.name",
        "user.email",
    ),
    "session": ("gen_ai.conversation.id", "session.id", f"{_ASSOCIATION}session_id"),
    "feature": ("feature", f"{_ASSOCIATION}feature"),
    "workflow": ("gen_ai.workflow.name", "traceloop.workflow.name"),
    "agent": ("gen_ai.agent.name", "agent.name", "agent_name"),
    "team": ("team", f"{_ASSOCIATION}team", f"{_LITELLM}user_api_key_team_alias"),
    "environment": (f"{_ASSOCIATION}environment",),
    "variant": ("variant", f"{_ASSOCIATION}variant"),
    "cost_center": ("cost_center",),  # a tag
    # How it went.
    "ttft_seconds": ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token"),
    "error_type": ("error.type",),
    "http_status": ("http.response.status_code",),
    "reported_cost": (
        "operation.cost",
        "gen_ai.cost.total_cost",
        f"{_GEN_AI}cost",
        "llm.cost.total",
    ),
    "cache_hit": ("litellm.cache_hit",),
    # Texts that hold more: read for counts, ids and names, and then forgotten.
    "metadata": ("metadata",),
    "labels": ("tag.tags",),
    "invocation": ("llm.invocation_parameters", "embedding.invocation_parameters"),
    "answer": ("output.value",),
    "usage_object": (f"{_LITELLM}usage_object",),
}
RESOURCE_NAMES: Mapping[str, tuple[str, ...]] = {
    "service": ("service.name",),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "team": ("team",),
    "feature": ("feature",),
    "region": ("cloud.region",),
    "variant": ("variant",),
    "user": ("user.id", "enduser.id"),
}
TOKENS = (
    *("input", "output", "cache_read", "cache_write", "reasoning"),
    *("compaction_input", "compaction_output"),
)


def _table(names: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, int]]:
    return {
        name: (field, rank) for field, known in names.items() for rank, name in enumerate(known)
    }


KNOWN = _table(NAMES)
_KNOWN_OF_RESOURCE = _table(RESOURCE_NAMES)
# Attributes that are a field, and no tag besides.
FIELDS_ALONE = frozenset({*KNOWN, *_KNOWN_OF_RESOURCE} - {"cost_center"})
# Further attributes of a span that become tags, where they are short.
TAG_PREFIXES = (_ASSOCIATION, _LITELLM)
# What a resource says of the machine and the library is no tag; nor is what LiteLLM says of keys,
# and LangChain of itself.
_NO_TAGS = (
    *("telemetry.", "process.", "os.", "host.", "container.", "k8s.", "cloud.", "service.inst"),
    *("user_api_key_", "requester_", "hidden_params", "applied_guardrails", "prompt_"),
    *("ls_", "lc_", "langgraph_"),
)
# Where the operation is one of these, or has one of these words in it, usage is a sum of others'.
_NO_CALLS = (
    *("agent", "workflow", "tool", "retriev", "plan", "task", "memor", "chain", "session"),
    *("fetch_response", "guardrail", "evaluat", "vectordb", "framework"),
)
_CALL_KINDS = {"LLM": "chat", "EMBEDDING": "embeddings", "RERANKER": "rerank"}
_OPERATIONS = {
    "acompletion": "chat",
    "completion": "chat",
    "responses": "chat",
    "aresponses": "chat",
    "anthropic_messages": "chat",
    "embedding": "embeddings",
    "aembedding": "embeddings",
    "atext_completion": "text_completion",
    "arerank": "rerank",
    "agenerate_content": "generate_content",
}
_PLAIN_CALLS = frozenset(
    {"chat", "text_completion", "generate_content", "embeddings", "rerank", *_OPERATIONS}
)


def known(pairs: Pairs) -> dict[str, Any]:
    """The fields of a span's attributes; a null, an empty text and what is no number has none."""
    return _fields(pairs, KNOWN)


def known_of_resource(pairs: Pairs) -> dict[str, Any]:
    return _fields(pairs, _KNOWN_OF_RESOURCE)


def _fields(pairs: Pairs, table: Mapping[str, tuple[str, int]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    for name, value in pairs:
        place = table.get(name)
        if place is None or value is None or value == "" or value != value:
            continue
        field, rank = place
        if rank <= ranks.get(field, rank):
            found[field], ranks[field] = value, rank
    return found


def operation_of(fields: Mapping[str, Any]) -> str | None:
    """What kind of model call these attributes are of; None when of none.

    Agents, workflows and tools carry the sums of the calls within them.
    """
    if kind := fields.get("span_kind"):
        return _CALL_KINDS.get(str(kind).upper())
    if "step" in fields:
        return None
    given = str(fields.get("operation", "")).lower()
    if given in _PLAIN_CALLS:
        return _OPERATIONS.get(given, given)
    if any(word in given for word in _NO_CALLS):
        return None
    if not ("request_model" in fields or "response_model" in fields):
        return None
    has_usage = any(field in fields for field in TOKENS)
    return (given or "chat") if has_usage else None


def tag_name(name: str) -> str | None:
    """The tag that a span's or resource's attribute becomes; None for none."""
    if name in FIELDS_ALONE:
        return None
    bare = bare_name(name)
    return None if bare.startswith(_NO_TAGS) or is_personal(bare) else bare


def bare_name(name: str) -> str:
    """Without what Traceloop and LiteLLM put before names that are not theirs."""
    return name.removeprefix(_ASSOCIATION).removeprefix(_LITELLM)
