"""A program as its author would write it: OpenAI's SDK, instrumented, and nothing of Farthing's.

    python otlp_program.py [at-once] INSTRUMENTATION…

The environment says where the API is and where telemetry goes. `at-once` exports every span by
itself, as it ends.
"""

from __future__ import annotations

import contextlib
import sys

import openai
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor as GenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

HELLO = [{"role": "user", "content": "a secret"}]


def calls(client: openai.OpenAI) -> None:
    client.chat.completions.create(model="gpt-4o", messages=HELLO, user="u-17")
    list(
        client.chat.completions.create(
            model="gpt-4o", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    client.chat.completions.create(model="gpt-5-mini", messages=HELLO, service_tier="flex")
    client.responses.create(model="gpt-5-mini", input="a secret")
    client.embeddings.create(model="text-embedding-3-small", input="a secret")
    with contextlib.suppress(openai.RateLimitError):
        client.chat.completions.create(model="fail-429", messages=HELLO)


def main(names: list[str]) -> None:
    provider = TracerProvider()
    processor = SimpleSpanProcessor if "at-once" in names else BatchSpanProcessor
    provider.add_span_processor(processor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    for name, instrumentor in (("genai", GenAI), ("openinference", OpenInference)):
        if name in names:
            instrumentor().instrument(tracer_provider=provider)
    client = openai.OpenAI(max_retries=0)
    with (
        trace.get_tracer("program").start_as_current_span("handle_request"),
        using_attributes(session_id="s-1", user_id="u-17", metadata={"feature": "answers"}),
    ):
        calls(client)
    provider.shutdown()


if __name__ == "__main__":
    main(sys.argv[1:])
