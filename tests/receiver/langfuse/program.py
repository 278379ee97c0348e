"""An application as the Langfuse SDK sees it; prints what the SDK made of our answers, as one JSON document."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from langfuse import Evaluation, get_client, observe, propagate_attributes
from langfuse.api import DatasetStatus
from langfuse.media import LangfuseMedia

PICTURE = b"\x89PNG a picture"
langfuse = get_client()
said: dict[str, object] = {"auth": langfuse.auth_check()}


@observe(as_type="tool")
def get_weather(city: str) -> dict[str, object]:
    return {"city": city, "sky": "sunny"}


@observe(as_type="agent")
def agent(question: str) -> str:
    get_weather("Patiala")
    prompt = langfuse.get_prompt("folder/greeting")
    said["prompt"] = [prompt.compile(name="Bob"), prompt.version, prompt.labels]
    with langfuse.start_as_current_observation(
        name="answer", as_type="generation", model="gpt-4o-mini", input=[{"role": "user", "content": question}],
        prompt=prompt, metadata={"picture": LangfuseMedia(content_bytes=PICTURE, content_type="image/png")},
    ) as generation:  # fmt: skip
        generation.update(output="Sunny.", usage_details={"input": 12, "output": 3})
        generation.score(name="helpful", value=0.9, comment="ok")
        generation.score_trace(name="verdict", value="good", data_type="CATEGORICAL")
    said["trace_id"] = langfuse.get_current_trace_id()
    return "Sunny."


langfuse.create_prompt(name="folder/greeting", prompt="Hello {{name}}", labels=["production"])
langfuse.create_prompt(
    name="chat",
    type="chat",
    prompt=[{"role": "system", "content": "{{x}}"}, {"type": "placeholder", "name": "history"}],
)
chat = langfuse.get_prompt("chat", label="latest", type="chat")
said["chat"] = chat.compile(x="Be kind", history=[{"role": "user", "content": "hi"}])
said["fallback"] = langfuse.get_prompt("nobody", fallback="instead").prompt

with propagate_attributes(session_id="thread-42", user_id="user-7", tags=["weather"], metadata={"plan": "pro"}):
    agent("What's the weather?")
langfuse.create_score(name="thread", value=1, data_type="BOOLEAN", session_id="thread-42")
langfuse.flush()

found = langfuse.api.observations.get_many(
    trace_id=str(said["trace_id"]), fields="basic,io,usage,prompt,metadata,model"
)
said["observations"] = {
    one.name: [one.type, one.output, one.usage_details, one.prompt_name, one.user_id, one.session_id]
    for one in found.data
}
reference = next(one.metadata["picture"] for one in found.data if one.name == "answer" and one.metadata)
said["reference"] = langfuse.resolve_media_references(obj={"picture": reference}, resolve_with="base64_data_uri")
scores = langfuse.api.scores.get_many(trace_id=str(said["trace_id"])).data
said["scores"] = {one.name: one.value for one in scores}
said["session score"] = [one.value for one in langfuse.api.scores.get_many(session_id="thread-42").data]

config = langfuse.api.score_configs.create(name="quality", data_type="NUMERIC", min_value=0, max_value=1)  # type: ignore[arg-type]
langfuse.api.comments.create(
    project_id="tracetui", object_type="TRACE", object_id=str(said["trace_id"]), content="look at this"
)
said["price"] = langfuse.api.models.list().data[0].prices["output"].price
said["counted"] = langfuse.api.metrics.metrics(
    query=json.dumps({
        "view": "observations", "metrics": [{"measure": "count", "aggregation": "count"}],
        "dimensions": [{"field": "type"}], "orderBy": [{"field": "type", "direction": "asc"}],
        "fromTimestamp": "2020-01-01T00:00:00Z", "toTimestamp": "2100-01-01T00:00:00Z",
    })
).data  # fmt: skip
said["beside"] = [
    langfuse.api.score_configs.get_by_id(config.id).max_value,
    [one.content for one in langfuse.api.comments.get(object_type="TRACE").data],
    [one.name for one in langfuse.api.organizations.get_organization_projects().projects],
]

langfuse.create_dataset(name="sums/small", metadata={"made": "here"})
for n in range(3):
    langfuse.create_dataset_item(dataset_name="sums/small", input={"n": n}, expected_output=n + 1, id=f"item-{n}")
dataset = langfuse.get_dataset("sums/small")
said["items"] = [[item.id, item.input, item.expected_output] for item in dataset.items]
result = dataset.run_experiment(
    name="add one",
    task=lambda *, item, **_: item.input["n"] + 1,
    evaluators=[
        lambda *, output, expected_output, **_: Evaluation(name="right", value=float(output == expected_output))
    ],
)
langfuse.flush()
(experiment,) = langfuse.api.experiments.list(from_start_time=datetime(2020, 1, 1, tzinfo=UTC)).data
runs = langfuse.api.experiments.list_items(
    from_start_time=datetime(2020, 1, 1, tzinfo=UTC), experiment_id=experiment.id, fields="core,dataset,io,scores"
).data
said["experiment"] = [experiment.id == result.experiment_id, experiment.item_count]
said["runs"] = sorted([run.experiment_item_id, run.output, [score.value for score in run.scores or []]] for run in runs)
langfuse.create_dataset_item(dataset_name="sums/small", id="item-0", input={"n": 7})
langfuse.create_dataset_item(dataset_name="sums/small", id="item-2", status=DatasetStatus.ARCHIVED)
versions = (
    langfuse.get_dataset("sums/small"),
    langfuse.get_dataset("sums/small", version=dataset.items[-1].updated_at),
)
said["versions"] = [[item.input["n"] for item in one.items] for one in versions]
langfuse.shutdown()
print(json.dumps(said))
