"""An app that speaks OpenTelemetry: start `tracetui collect`, then run this with
OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 (needs opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http).
"""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(resource=Resource.create({"service.name": "otel-app"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("otel-app")

with tracer.start_as_current_span("invoke_agent support") as agent:
    agent.set_attributes({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support"})
    with tracer.start_as_current_span("chat gpt-4o-mini") as call:
        call.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.usage.input_tokens": 52,
                "gen_ai.usage.output_tokens": 9,
            }
        )

provider.shutdown()
