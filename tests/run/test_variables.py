"""The environment of the command: it points here, and what the user has set is kept or talked about."""

from __future__ import annotations

from pathlib import Path

from collector.receiver.status import Status
from tracetui.run.variables import prepare, with_run

RUN = "20261121-074148-3fa9c2"
HERE = Status("0.1.0", 41, http_port=4320, grpc_port=4319)
DB = Path("/app/traces.db")


def prepared(env: dict[str, str], **more: str) -> tuple[dict[str, str], list[str]]:
    found = prepare(env, HERE, db=DB, run=RUN, **more)
    return found.env, found.talk


def test_an_empty_environment_is_pointed_here_without_a_word():
    env, talk = prepared({"PATH": "/bin"})
    assert talk == []
    assert env == {
        "PATH": "/bin",
        "TRACETUI_DB": "/app/traces.db",
        "TRACETUI_RUN": RUN,
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4320",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BLRP_SCHEDULE_DELAY": "200",
        "OTEL_RESOURCE_ATTRIBUTES": f"tracetui.run.id={RUN}",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true",
        "TRACELOOP_BASE_URL": "http://127.0.0.1:4320",
        "PHOENIX_COLLECTOR_ENDPOINT": "http://127.0.0.1:4320",
        "PHOENIX_GRPC_PORT": "4319",
        "LANGFUSE_BASE_URL": "http://127.0.0.1:4320",
        "LANGFUSE_HOST": "http://127.0.0.1:4320",
        "LANGFUSE_BASEURL": "http://127.0.0.1:4320",
        "LANGFUSE_PUBLIC_KEY": "pk-lf-tracetui",
        "LANGFUSE_SECRET_KEY": "sk-lf-tracetui",
        "LOGFIRE_BASE_URL": "http://127.0.0.1:4320",
        "LOGFIRE_TOKEN": "tracetui",
    }


def test_who_sends_to_logfire_still_does():
    env, _ = prepared({"LOGFIRE_TOKEN": "pylf_v1_theirs"})
    assert (env["LOGFIRE_TOKEN"], "LOGFIRE_BASE_URL" in env) == ("pylf_v1_theirs", False)


def test_who_has_set_up_langfuse_keeps_it_and_is_told():
    given = {"LANGFUSE_HOST": "https://key:s3cret@langfuse.example.com", "LANGFUSE_SECRET_KEY": "s3cret"}
    env, talk = prepared(given)
    assert {name: value for name, value in env.items() if name.startswith("LANGFUSE_")} == given
    assert talk == [
        "LANGFUSE_HOST points to https://langfuse.example.com: Langfuse's SDK stays there, where its prompts are; "
        "set LANGFUSE_BASE_URL to http://127.0.0.1:4320 to have it here"
    ]
    env, talk = prepared({"LANGFUSE_PUBLIC_KEY": "pk"})
    assert ("LANGFUSE_HOST" in env, talk[0][:58]) == (
        False,
        "LANGFUSE_PUBLIC_KEY is set: Langfuse's SDK stays there, wh",
    )
    assert prepared({"LANGFUSE_HOST": "http://localhost:4320"})[1] == []


def test_langfuse_gets_the_token_as_its_secret_key():
    assert prepared({}, token="t0ken")[0]["LANGFUSE_SECRET_KEY"] == "t0ken"


def test_what_points_elsewhere_is_turned_round_and_said_without_its_secrets():
    env, talk = prepared({
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://key:s3cret@api.example.com:443/otlp?k=s3cret",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://traces.example.com/v1/traces",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-key=s3cret",
        "TRACETUI_URL": "http://team:4318",
    })  # fmt: skip
    assert env["OTEL_EXPORTER_OTLP_ENDPOINT"] == HERE.url
    assert not {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "TRACETUI_URL"} & env.keys()
    assert talk == [
        "OTEL_EXPORTER_OTLP_ENDPOINT points to https://api.example.com:443; for this run it points here",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT points to https://traces.example.com; for this run it points here",
        "TRACETUI_URL points to http://team:4318; for this run it points here",
    ]


def test_metrics_that_go_elsewhere_still_do_with_their_keys():
    env, _ = prepared({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "https://m", "OTEL_EXPORTER_OTLP_HEADERS": "x-key=1"})
    assert env["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"] == "https://m"
    assert env["OTEL_EXPORTER_OTLP_METRICS_HEADERS"] == "x-key=1"
    assert "OTEL_EXPORTER_OTLP_HEADERS" not in env


def test_what_already_points_here_is_no_news():
    assert prepared({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4320"})[1] == []
    assert prepared({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4319"})[1] == []


def test_the_users_own_protocol_delays_and_content_setting_stay():
    said = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "false",
    }  # fmt: skip
    env, talk = prepared(said)
    assert talk == []
    assert {name: env[name] for name in said} == said


def test_content_is_asked_for_in_the_words_of_the_chosen_conventions():
    env, _ = prepared({"OTEL_SEMCONV_STABILITY_OPT_IN": "http,gen_ai_latest_experimental"})
    assert env["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] == "SPAN_ONLY"


def test_an_exporter_is_added_to_those_that_the_user_chose():
    env, talk = prepared({"OTEL_TRACES_EXPORTER": "console", "OTEL_LOGS_EXPORTER": "none"})
    assert (env["OTEL_TRACES_EXPORTER"], env["OTEL_LOGS_EXPORTER"]) == ("console,otlp", "otlp")
    assert len(talk) == 2
    assert prepared({"OTEL_TRACES_EXPORTER": "otlp_proto_grpc"})[0]["OTEL_TRACES_EXPORTER"] == "otlp_proto_grpc"


def test_the_users_resource_attributes_stay_and_the_run_is_added_once():
    assert with_run("service.name=shop, team=a%20b", RUN) == f"service.name=shop,team=a%20b,tracetui.run.id={RUN}"
    assert with_run(with_run("a=b", "20250101-000000-000000"), RUN) == f"a=b,tracetui.run.id={RUN}"


def test_a_token_is_handed_to_all_who_send():
    env, _ = prepared({}, token="s3 cret")
    assert env["OTEL_EXPORTER_OTLP_HEADERS"] == "authorization=Bearer%20s3%20cret"
    assert "TRACETUI_TOKEN" not in env
    assert prepared({}, token="t", url="http://elsewhere")[0]["TRACETUI_TOKEN"] == "t"


def test_an_sdk_that_would_send_by_its_settings_file_sends_here():
    assert prepared({}, url="http://elsewhere:4318")[0]["TRACETUI_URL"] == HERE.url


def test_what_is_switched_off_stays_so_and_is_said():
    env, talk = prepared({"OTEL_SDK_DISABLED": "true", "TRACETUI_DISABLED": "0"})
    assert env["OTEL_SDK_DISABLED"] == "true"
    assert talk == ["OTEL_SDK_DISABLED=true is set: no OpenTelemetry SDK records anything"]


def test_a_proxy_is_not_asked_for_what_is_on_this_machine():
    env, _ = prepared({"http_proxy": "http://proxy:3128", "NO_PROXY": "intranet"})
    assert env["no_proxy"] == env["NO_PROXY"] == "intranet,127.0.0.1,localhost"
    assert "no_proxy" not in prepared({})[0]


def test_langsmith_that_was_switched_on_and_sends_nowhere_sends_here():
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        env, talk = prepared({name: "true"}, token="t")
        assert (env["LANGSMITH_ENDPOINT"], env["LANGSMITH_API_KEY"], talk) == (HERE.url, "t", [])
    assert "LANGSMITH_ENDPOINT" not in prepared({})[0]


def test_langsmith_that_is_set_up_stays_where_it_is_and_says_so():
    env, talk = prepared({"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "lsv2_x"})
    assert "LANGSMITH_ENDPOINT" not in env
    assert talk[0].startswith("LANGSMITH_API_KEY is set: LangSmith's SDK stays there")
    assert prepared({"LANGSMITH_TRACING": "true", "LANGSMITH_ENDPOINT": HERE.url})[1] == []
    assert prepared({"LANGSMITH_API_KEY": "lsv2_x"})[1] == []
