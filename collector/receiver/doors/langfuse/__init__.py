"""Langfuse's API, as far as its SDKs (Python 2 to 5, JavaScript 3 to 5) use it: `LANGFUSE_HOST` or
`LANGFUSE_BASE_URL` is our address, the keys are any.

    spans     OTLP, batches of events, scores            prompts   versions and labels
    queries   traces, observations, sessions, scores     datasets  items, runs
    media     files                                      notes     comments, score configs
    metrics   counts, sums, quantiles                    models    prices
    experiments  and what each example led to            shapes    rows as the API's documents

What the SDKs can do and is not here (NOT_HERE) is answered 405 with a sentence, and never taken.
"""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from collector.receiver.absent import absent
from collector.receiver.answers import json_response
from collector.receiver.call import Call, Door, Way
from collector.receiver.doors.langfuse import (
    datasets,
    experiments,
    media,
    metrics,
    models,
    notes,
    prompts,
    queries,
    spans,
)
from collector.receiver.doors.langfuse.asking import knowing
from collector.receiver.doors.langfuse.shapes import EPOCH, PROJECT
from collector.version import VERSION

API = "/api/public"
NOT_HERE = {
    "annotation-queues": "annotation queues", "integrations": "integrations",
    "llm-connections": "connections to models",
    "feedback": "feedback to Langfuse", "unstable": "dashboards or skills", "v2/evaluators": "evaluators",
    "v2/evaluation-rules": "rules of evaluation", "scim": "users", "organizations/memberships": "members",
    "organizations/apiKeys": "keys", f"projects/{PROJECT['id']}": "other projects, members or keys",
}  # fmt: skip
"""What the API has and this has not, by path."""
PRICES = "prices are in tracetui's settings, under [prices]; nothing was changed"
UNDELETED = "traces are not deleted through this API; nothing was changed"


async def health(call: Call) -> Response:
    return json_response({"status": "OK", "version": VERSION})


async def projects(call: Call) -> Response:
    """The one project: the file. `auth_check` and addresses of traces ask for it."""
    return json_response({"data": [PROJECT]})


def _said() -> dict[str, str]:
    """What is not here, by path."""
    return {
        f"{API}/{path}{rest}": f"tracetui keeps no {what}; nothing was stored"
        for path, what in NOT_HERE.items()
        for rest in ("", "/{rest:path}")
    }


async def of_organization(call: Call) -> Response:
    return json_response({"projects": [{**PROJECT, "createdAt": EPOCH, "updatedAt": EPOCH}]})


async def see(call: Call) -> Response:
    """The SDKs print addresses of traces and experiments; who follows one is told how to see it."""
    if "id" not in call.path:
        return PlainTextResponse("See it with `tracetui`.\n")
    return PlainTextResponse(
        f"Trace {call.path['id']}: see it with `tracetui show {call.path['id']}`, or in `tracetui`.\n"
    )


DOOR = Door(
    "langfuse",
    (
        Way("POST", f"{API}/otel/v1/traces", spans.export),
        Way("POST", f"{API}/ingestion", spans.ingest),
        Way("POST", f"{API}/scores", spans.score),
        Way("GET", f"{API}/scores", queries.scores_v1),
        Way("GET", f"{API}/v2/scores", queries.scores),
        Way("GET", f"{API}/v3/scores", queries.scores_v3),
        Way("GET", f"{API}/v2/scores/{{id}}", knowing("", queries.score)),
        Way("GET", f"{API}/scores/{{id}}", knowing("", queries.score)),
        Way("DELETE", f"{API}/scores/{{id}}", spans.delete_score),
        Way("GET", f"{API}/v2/prompts", prompts.listed),
        Way("POST", f"{API}/v2/prompts", prompts.create),
        Way("GET", f"{API}/prompts", knowing("name version label", prompts.get_v1)),
        Way("POST", f"{API}/prompts", prompts.create),
        Way("PATCH", f"{API}/v2/prompts/{{name:path}}/versions/{{version:int}}", prompts.label),
        Way("GET", f"{API}/v2/prompts/{{name:path}}", knowing("version label resolve", prompts.get)),
        Way("DELETE", f"{API}/v2/prompts/{{name:path}}", prompts.delete),
        Way("GET", f"{API}/v2/datasets", datasets.listed),
        Way("POST", f"{API}/v2/datasets", datasets.create),
        Way("GET", f"{API}/datasets", datasets.listed),
        Way("POST", f"{API}/datasets", datasets.create),
        Way("GET", f"{API}/v2/datasets/{{name:path}}", knowing("", datasets.get)),
        Way("DELETE", f"{API}/v2/datasets/{{name:path}}", datasets.delete),
        Way("GET", f"{API}/datasets/{{name:path}}/runs", datasets.runs),
        Way("GET", f"{API}/datasets/{{name:path}}/runs/{{run:path}}", knowing("", datasets.run)),
        Way("DELETE", f"{API}/datasets/{{name:path}}/runs/{{run:path}}", datasets.delete_run),
        Way("GET", f"{API}/datasets/{{name:path}}", knowing("", datasets.get_v1)),
        Way("GET", f"{API}/dataset-items", datasets.items),
        Way("POST", f"{API}/dataset-items", datasets.create_item),
        Way("GET", f"{API}/dataset-items/{{id}}", knowing("", datasets.get_item)),
        Way("DELETE", f"{API}/dataset-items/{{id}}", datasets.delete_item),
        Way("GET", f"{API}/dataset-run-items", datasets.links),
        Way("POST", f"{API}/dataset-run-items", datasets.link),
        Way("GET", f"{API}/experiments", experiments.experiments),
        Way("GET", f"{API}/experiment-items", experiments.experiment_items),
        Way("POST", f"{API}/media", media.announce),
        Way("PUT", f"{API}/media/{{id}}/data", media.put),
        Way("GET", f"{API}/media/{{id}}/data", media.fetch),
        Way("PATCH", f"{API}/media/{{id}}", media.sent),
        Way("GET", f"{API}/media/{{id}}", media.get),
        Way("GET", f"{API}/traces", queries.traces),
        Way("GET", f"{API}/traces/{{id:path}}", knowing("fields", queries.trace)),
        Way("GET", f"{API}/v2/observations", queries.observations),
        Way("GET", f"{API}/observations", queries.observations_v1),
        Way("GET", f"{API}/observations/{{id:path}}", knowing("", queries.observation)),
        Way("GET", f"{API}/sessions", queries.sessions),
        Way("GET", f"{API}/sessions/{{id:path}}", knowing("", queries.session)),
        Way("GET", f"{API}/models", models.models),
        Way("GET", f"{API}/models/{{id:path}}", knowing("", models.model)),
        *absent({f"{API}/models": PRICES, f"{API}/models/{{id:path}}": PRICES}, "POST PUT PATCH DELETE"),
        *absent(_said()),
        *absent({f"{API}/traces": UNDELETED, f"{API}/traces/{{id:path}}": UNDELETED}, "DELETE"),
        Way("GET", f"{API}/metrics", metrics.metrics),
        Way("GET", f"{API}/v2/metrics", metrics.metrics),
        Way("GET", f"{API}/metrics/daily", metrics.daily),
        Way("GET", f"{API}/comments", notes.comments),
        Way("POST", f"{API}/comments", notes.comment),
        Way("GET", f"{API}/comments/{{id}}", knowing("", notes.comment_by_id)),
        Way("GET", f"{API}/score-configs", notes.configs),
        Way("POST", f"{API}/score-configs", notes.create_config),
        Way("GET", f"{API}/score-configs/{{id}}", knowing("", notes.config_by_id)),
        Way("PATCH", f"{API}/score-configs/{{id}}", notes.update_config),
        Way("GET", f"{API}/health", health),
        Way("GET", f"{API}/projects", projects),
        Way("GET", f"{API}/organizations/projects", of_organization),
        Way("GET", "/project/{project}/traces/{id:path}", see),
        Way("GET", "/project/{project}/{rest:path}", see),
    ),
    fail=spans.fail,
)
