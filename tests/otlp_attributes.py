"""One call in the attributes of every generation of instrumentation, and what it comes to."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

CALL = {"model": "gpt-4o-2024-08-06", "provider": "openai", "operation": "chat"}
TOKENS = {"input_tokens": 1200, "cache_read_input_tokens": 1024, "output_tokens": 350}
THOUGHT = {**TOKENS, "reasoning_output_tokens": 200}
WRITTEN = {
    "input_tokens": 1712,
    "cache_read_input_tokens": 1024,
    "cache_creation_input_tokens": 512,
    "output_tokens": 350,
}
ANSWER = {
    "id": "chatcmpl-000000000001",
    "model": "gpt-4o-2024-08-06",
    "service_tier": "flex",
    "choices": [{"message": {"content": "a secret"}}],
    "usage": {"prompt_tokens": 1200, "completion_tokens": 350},
}
PRINTED = (
    "{'prompt_tokens': 1200, 'completion_tokens': 350, 'total_tokens': 1550, "
    "'prompt_tokens_details': {'cached_tokens': 1024, 'audio_tokens': None}, "
    "'completion_tokens_details': {'reasoning_tokens': 200}}"
)
NEW = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 350,
}
OLD = {
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.usage.prompt_tokens": 1200,
    "gen_ai.usage.completion_tokens": 350,
}
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.system": "openai",
    "llm.model_name": "gpt-4o-2024-08-06",
    "llm.token_count.prompt": 1200,
    "llm.token_count.completion": 350,
    "llm.token_count.prompt_details.cache_read": 1024,
    "llm.token_count.completion_details.reasoning": 200,
}
CLAUDE = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.usage.input_tokens": 1712,
    "gen_ai.usage.output_tokens": 350,
    "gen_ai.usage.cache_read.input_tokens": 1024,
}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "OpenTelemetry GenAI": (
        NEW
        | {
            "gen_ai.response.id": "chatcmpl-000000000001",
            "gen_ai.usage.cache_read.input_tokens": 1024,
            "gen_ai.usage.reasoning.output_tokens": 200,
            "openai.request.service_tier": "auto",
            "openai.response.service_tier": "priority",
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.conversation.id": "s-1",
            "gen_ai.agent.name": "planner",
        },
        {
            **CALL,
            **THOUGHT,
            "id": "chatcmpl-000000000001",
            "service_tier": "priority",
            "ttft_ms": 250.0,
            "latency_ms": 500.0,
            "session": "s-1",
            "feature": "planner",
        },
    ),
    "OpenTelemetry GenAI, its first names": (
        OLD | {"gen_ai.operation.name": "chat", "gen_ai.openai.response.service_tier": "flex"},
        {**CALL, "input_tokens": 1200, "output_tokens": 350, "service_tier": "flex"},
    ),
    "Traceloop": (
        NEW
        | {
            "gen_ai.usage.cache_read.input_tokens": 1024,
            "gen_ai.usage.reasoning_tokens": 200,
            "gen_ai.usage.total_tokens": 1550,
            "gen_ai.user": "u-1",
            "traceloop.workflow.name": "answers",
            "traceloop.association.properties.session_id": "s-1",
            "traceloop.association.properties.tenant": "acme",
            "gen_ai.input.messages": "a secret",
        },
        {
            **CALL,
            **THOUGHT,
            "user": "u-1",
            "session": "s-1",
            "feature": "answers",
            "tags": {"tenant": "acme"},
        },
    ),
    "Traceloop, before GenAI": (
        OLD
        | {
            "gen_ai.system": "OpenAI",
            "llm.request.type": "chat",
            "gen_ai.usage.cache_read_input_tokens": 1024,
            "llm.usage.total_tokens": 1550,
            "llm.user": "u-1",
        },
        {**CALL, **TOKENS, "user": "u-1"},
    ),
    "OpenInference": (
        OPENINFERENCE
        | {
            "output.value": json.dumps(ANSWER),
            "llm.invocation_parameters": '{"model": "gpt-4o", "service_tier": "auto"}',
            "session.id": "s-1",
            "user.id": "u-1",
            "metadata": '{"team": "cx", "feature": "answers", "tenant": "acme", "deep": {"a": 1}}',
            "tag.tags": ["beta"],
        },
        {
            **CALL,
            **THOUGHT,
            "id": "chatcmpl-000000000001",
            "service_tier": "flex",
            "session": "s-1",
            "user": "u-1",
            "team": "cx",
            "feature": "answers",
            "tags": {"tenant": "acme", "beta": "true"},
        },
    ),
    "OpenInference of LangChain": (
        OPENINFERENCE
        | {
            "output.value": json.dumps(
                {
                    "generations": [[{"text": "a secret"}]],
                    "llm_output": {
                        "id": "chatcmpl-000000000001",
                        "service_tier": "flex",
                        "token_usage": {"prompt_tokens": 1200, "completion_tokens": 350},
                    },
                }
            ),
            "metadata": '{"ls_provider": "openai", "thread_id": "s-1"}',
        },
        {
            **CALL,
            **THOUGHT,
            "id": "chatcmpl-000000000001",
            "service_tier": "flex",
            "session": "s-1",
            "tags": None,
        },
    ),
    "OpenInference, an error": (
        {
            "openinference.span.kind": "LLM",
            "llm.provider": "openai",
            "llm.invocation_parameters": '{"model": "gpt-4o"}',
            "error.type": "openai.RateLimitError",
        },
        {"model": "gpt-4o", "provider": "openai", "status": "throttled"},
    ),
    "OpenLIT": (
        NEW
        | {
            "gen_ai.usage.cost": 0.0,
            "gen_ai.server.time_to_first_token": 0.1,
            "gen_ai.request.user": "u-1",
        },
        {**CALL, "input_tokens": 1200, "ttft_ms": 100.0, "user": "u-1", "reported_cost": None},
    ),
    "Anthropic's SDK": (
        CLAUDE
        | {
            "gen_ai.usage.cache_write.input_tokens": 512,
            "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 112,
            "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 400,
            "anthropic.response.service_tier": "batch",
        },
        {
            **WRITTEN,
            "model": "claude-sonnet-4-5",
            "cache_creation_1h_input_tokens": 400,
            "service_tier": "batch",
            "normalised": False,
        },
    ),
    "Anthropic's SDK, with a compaction": (
        CLAUDE
        | {
            "gen_ai.usage.cache_write.input_tokens": 512,
            "anthropic.usage.compaction.input_tokens": 1000,
            "anthropic.usage.compaction.output_tokens": 50,
        },
        {**WRITTEN, "input_tokens": 2712, "output_tokens": 400},
    ),
    "Anthropic's own way of counting": (
        CLAUDE
        | {
            "gen_ai.usage.input_tokens": 176,
            "gen_ai.usage.cache_creation_input_tokens": 512,
        },
        {**WRITTEN, "normalised": True},
    ),
    "a total that only adds up with the cache beside the input": (
        NEW
        | {
            "gen_ai.usage.input_tokens": 2000,
            "gen_ai.usage.cache_read.input_tokens": 1024,
            "gen_ai.usage.total_tokens": 3374,
        },
        {"input_tokens": 3024, "cache_read_input_tokens": 1024, "normalised": True},
    ),
    "a total that only adds up with the thoughts beside the output": (
        NEW | {"gen_ai.usage.reasoning_tokens": 200, "gen_ai.usage.total_tokens": 1750},
        {"output_tokens": 550, "reasoning_output_tokens": 200, "normalised": True},
    ),
    "pydantic-ai": (
        NEW
        | {
            "gen_ai.system": "openai",
            "gen_ai.usage.cache_read.input_tokens": 1024,
            "gen_ai.usage.details.cache_read_tokens": 1024,
            "gen_ai.usage.details.reasoning_tokens": 200,
            "operation.cost": 0.00522,
        },
        {**CALL, **THOUGHT, "reported_cost": Decimal("0.00522")},
    ),
    "LiteLLM": (
        NEW
        | {
            "gen_ai.operation.name": "acompletion",
            "gen_ai.cost.total_cost": 0.00522,
            "metadata.usage_object": PRINTED,
            "metadata.user_api_key_team_alias": "cx",
            "metadata.user_api_key_hash": "abc",
            "metadata.cluster": "blue",
            "litellm.cache_hit": False,
        },
        {
            **CALL,
            **THOUGHT,
            "team": "cx",
            "reported_cost": Decimal("0.00522"),
            "tags": {"cluster": "blue"},
            "cache": None,
        },
    ),
    "LiteLLM, from its cache": (
        NEW | {"gen_ai.operation.name": "acompletion", "litellm.cache_hit": True},
        {**CALL, "cache": "memory"},
    ),
    "Sentry": (
        NEW
        | {
            "gen_ai.usage.input_tokens.cached": 1024,
            "gen_ai.usage.output_tokens.reasoning": 200,
        },
        {**CALL, **THOUGHT},
    ),
    "numbers in another form": (
        NEW | {"gen_ai.usage.input_tokens": 1200.0, "gen_ai.usage.output_tokens": "350"},
        {"input_tokens": 1200, "output_tokens": 350},
    ),
    "a tier that nobody knows": (
        NEW | {"openai.response.service_tier": "scale"},
        {"service_tier": None, "unlisted_tier": "scale"},
    ),
    "no provider but its address": (
        {name: value for name, value in NEW.items() if name != "gen_ai.provider.name"}
        | {"server.address": "api.openai.com"},
        CALL,
    ),
}
