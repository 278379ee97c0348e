"""What LangSmith's SDKs can ask and is not here: answered 501 with a sentence, never taken as if it were done."""

from __future__ import annotations

from collector.receiver.absent import absent

_SHARED = "tracetui shares nothing: what was sent stays in this file. `tracetui report` makes a page to pass on"
_QUEUES = "tracetui has no annotation queues; give feedback to the runs, or put them into a dataset"
_SAID = {
    "/runs/{id}/share": _SHARED,
    "/datasets/{id}/share": _SHARED,
    "/public/{token:uuid}/{rest:path}": _SHARED,
    "/feedback/tokens": "tracetui gives out no addresses for feedback; send it with create_feedback",
    "/likes/{owner}/{name}": "tracetui counts no likes of prompts",
    "/annotation-queues": _QUEUES,
    "/annotation-queues/{rest:path}": _QUEUES,
    "/comments/{rest:path}": "tracetui keeps no comments on prompts",
}


WAYS = tuple((way.methods, way.path, way.answer) for way in absent(_SAID))
