"""What LangSmith's SDKs can ask and is not here: answered 501 with a sentence, never taken as if it were done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response

from collector.receiver.absent import EVERY, absent
from collector.receiver.answers import json_response
from collector.receiver.call import Call

Answer = Callable[[Call], Awaitable[Response]]

_SHARED = "tracetui shares nothing: what was sent stays in this file. `tracetui report` makes a page to pass on"
_QUEUES = "tracetui has no annotation queues; give feedback to the runs, or put them into a dataset"
_ONLINE = "tracetui runs no evaluators of its own; use evaluate(), or give feedback to the runs"
_INSIGHTS = "tracetui writes no insights and finds no issues; see `tracetui errors` and `tracetui signals`"
_SECRETS = "tracetui keeps no secrets of a workspace; give models their keys where they run"
_HUB = "tracetui's hub holds prompts only, neither agents nor skills"
_CONFIGS = "tracetui keeps no rules for feedback keys: scores are kept as they are given"
_SEARCH = "tracetui keeps no index of examples by likeness; list_examples has all of them"
_OLDER = "this is not here in the newer API yet; the client's own methods (list_projects, list_datasets …) are"
_SAID = {
    "/public/{token:uuid}/{rest:path}": _SHARED,
    "/likes/{owner}/{name}": "tracetui counts no likes of prompts",
    "/annotation-queues": _QUEUES,
    "/annotation-queues/{rest:path}": _QUEUES,
    "/comments/{rest:path}": "tracetui keeps no comments on prompts",
    "/feedback-configs": _CONFIGS,
    "/feedback-formulas": _CONFIGS,
    "/runs/rules": _ONLINE,
    "/runs/rules/{rest:path}": _ONLINE,
    "/sessions/{id}/insights": _INSIGHTS,
    "/sessions/{id}/insights/{rest:path}": _INSIGHTS,
    "/sessions/{id}/dashboard": "tracetui draws no dashboards here; see `tracetui overview` and `tracetui costs`",
    "/sessions/resolutions": "tracetui knows projects and experiments alone: list_projects(reference_free=…)",
    "/workspaces/current/secrets": _SECRETS,
    "/workspaces/current/secrets/{rest:path}": _SECRETS,
    "/datasets/{id}/index": _SEARCH,
    "/datasets/{id}/search": _SEARCH,
    "/datasets/{id}/openai_ft": "tracetui writes no files for fine-tuning; list_examples has all examples",
    "/prompt-webhooks": "tracetui calls nobody when a prompt changes",
    "/agents": _HUB,
    "/agents/{rest:path}": _HUB,
}
_PLATFORM = {
    "/issues": _INSIGHTS,
    "/issues/{rest:path}": _INSIGHTS,
    "/evaluators": _ONLINE,
    "/evaluators/{rest:path}": _ONLINE,
    "/hub/repos": _HUB,
    "/hub/repos/{rest:path}": _HUB,
    "/annotation-queues/{rest:path}": _QUEUES,
    "/product-feedbacks": "tracetui has nobody to send that to",
}
_NEWER = {
    "/public/{rest:path}": _SHARED,
    "/runs/{id}/share": _SHARED,
    "/threads/{id}/share": _SHARED,
    "/threads/stats": "the threads of a project are not summed here; see `tracetui sessions` and `tracetui costs`",
    "/threads/{id}/feedback": "feedback is given to runs and traces here, not to threads",
    "/sessions": _OLDER,
    "/sessions/{id}": _OLDER,
    "/datasets": _OLDER,
    "/datasets/{id}/experiment-runs": _OLDER,
    "/runs/{id}/url": "tracetui has no pages on the web; see the trace with `tracetui show`",
    "/runs/rules": _ONLINE,
    "/sql/query": "LangSmith's SQL is not spoken here; `tracetui sql` asks the file itself",
    "/ai-search/parse": "tracetui asks no model for a filter; write one",
    "/sandboxes": "tracetui runs no sandboxes",
    "/sandboxes/{rest:path}": "tracetui runs no sandboxes",
}


async def unshared(call: Call) -> Response:
    """GET …/share: nothing is shared, which is true of every run."""
    return json_response(None)


def _ways(said: Mapping[str, str], methods: str = EVERY) -> tuple[tuple[str, str, Answer], ...]:
    return tuple((way.methods, way.path, way.answer) for way in absent(said, methods))


_SHARES = {"/runs/{id}/share": _SHARED, "/datasets/{id}/share": _SHARED}
WAYS = (*_ways(_SAID), ("GET", "/runs/{id}/share", unshared), *_ways(_SHARES))
PLATFORM_WAYS = _ways(_PLATFORM)
V2_WAYS = _ways(_NEWER)
