CREATE TABLE "attachments" (
   "id" TEXT PRIMARY KEY,
   "type" TEXT,
   "path" TEXT,
   "url" TEXT,
   "content" BLOB
);
CREATE TABLE "conversations" (
   "id" TEXT PRIMARY KEY,
   "name" TEXT,
   "model" TEXT
);
insert into "conversations" values ('01m7yzxv6axt1545prd6znz1t8', 'What''s the weather?', 'echo');
insert into "conversations" values ('01m7yzy204xp6h84xqc4dn8x41', '{"prompt": "weather", "tool_cal…', 'echo');
CREATE TABLE "fragments" (
   "id" INTEGER PRIMARY KEY,
   "hash" TEXT,
   "content" TEXT,
   "datetime_utc" TEXT,
   "source" TEXT
);
CREATE TABLE "prompt_attachments" (
   "response_id" TEXT REFERENCES "responses"("id"),
   "attachment_id" TEXT REFERENCES "attachments"("id"),
   "order" INTEGER,
   PRIMARY KEY ("response_id", "attachment_id")
);
CREATE TABLE "prompt_fragments" (
   "response_id" TEXT REFERENCES "responses"("id"),
   "fragment_id" INTEGER REFERENCES "fragments"("id"),
   "order" INTEGER,
   PRIMARY KEY ("response_id", "fragment_id", "order")
);
CREATE TABLE "responses" (
   "id" TEXT PRIMARY KEY,
   "model" TEXT,
   "prompt" TEXT,
   "system" TEXT,
   "prompt_json" TEXT,
   "options_json" TEXT,
   "response" TEXT,
   "response_json" TEXT,
   "conversation_id" TEXT REFERENCES "conversations"("id"),
   "duration_ms" INTEGER,
   "datetime_utc" TEXT,
   "input_tokens" INTEGER,
   "output_tokens" INTEGER,
   "token_details" TEXT,
   "schema_id" TEXT REFERENCES "schemas"("id")
, "resolved_model" TEXT);
insert into "responses" values ('01m7yzxv6681dq7r0pg90zwczd', 'echo', 'What''s the weather?', 'You are a weather assistant.', NULL, '{"example_bool": true}', '{
  "prompt": "What''s the weather?",
  "system": "You are a weather assistant.",
  "attachments": [],
  "stream": true,
  "previous": [],
  "options": {
    "example_bool": true
  }
}', NULL, '01m7yzxv6axt1545prd6znz1t8', 0, '2026-11-21T12:05:04.838682+00:00', 3, 23, NULL, NULL, NULL);
insert into "responses" values ('01m7yzxz6bdf4w5cqakwe469nc', 'echo', 'And tomorrow?', NULL, NULL, '{}', '{
  "prompt": "And tomorrow?",
  "system": "",
  "attachments": [],
  "stream": true,
  "previous": [
    {
      "prompt": "What''s the weather?"
    }
  ]
}', NULL, '01m7yzxv6axt1545prd6znz1t8', 0, '2026-11-21T12:05:08.939782+00:00', 2, 20, NULL, NULL, NULL);
insert into "responses" values ('01m7yzy20cxc4431rcxcka0c1h', 'echo', '{"prompt": "weather", "tool_calls": [{"name": "get_weather", "arguments": {"city": "Patiala"}}]}', NULL, NULL, '{}', '{
  "prompt": "weather",
  "system": "",
  "attachments": [],
  "stream": true,
  "previous": []
}', NULL, '01m7yzy204xp6h84xqc4dn8x41', 0, '2026-11-21T12:05:11.820356+00:00', 8, 12, NULL, NULL, NULL);
insert into "responses" values ('01m7yzy20cxc4431rcxcka0c1j', 'echo', '', NULL, NULL, '{}', '{
  "prompt": "",
  "system": "",
  "attachments": [],
  "stream": true,
  "previous": [
    {
      "prompt": "{\"prompt\": \"weather\", \"tool_calls\": [{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Patiala\"}}]}"
    }
  ],
  "tool_results": [
    {
      "name": "get_weather",
      "output": "31 C",
      "tool_call_id": null
    }
  ]
}', NULL, '01m7yzy204xp6h84xqc4dn8x41', 0, '2026-11-21T12:05:11.820750+00:00', 0, 36, NULL, NULL, NULL);
CREATE TABLE "system_fragments" (
   "response_id" TEXT REFERENCES "responses"("id"),
   "fragment_id" INTEGER REFERENCES "fragments"("id"),
   "order" INTEGER,
   PRIMARY KEY ("response_id", "fragment_id", "order")
);
CREATE TABLE "tool_calls" (
   "id" INTEGER PRIMARY KEY,
   "response_id" TEXT REFERENCES "responses"("id"),
   "tool_id" INTEGER REFERENCES "tools"("id"),
   "name" TEXT,
   "arguments" TEXT,
   "tool_call_id" TEXT
);
insert into "tool_calls" values (1, '01m7yzy20cxc4431rcxcka0c1h', 1, 'get_weather', '{"city": "Patiala"}', NULL);
CREATE TABLE "tool_responses" (
   "tool_id" INTEGER REFERENCES "tools"("id"),
   "response_id" TEXT REFERENCES "responses"("id"),
   PRIMARY KEY ("tool_id", "response_id")
);
insert into "tool_responses" values (1, '01m7yzy20cxc4431rcxcka0c1h');
insert into "tool_responses" values (1, '01m7yzy20cxc4431rcxcka0c1j');
CREATE TABLE "tool_results" (
   "id" INTEGER PRIMARY KEY,
   "response_id" TEXT REFERENCES "responses"("id"),
   "tool_id" INTEGER REFERENCES "tools"("id"),
   "name" TEXT,
   "output" TEXT,
   "tool_call_id" TEXT,
   "instance_id" INTEGER REFERENCES "tool_instances"("id")
, "exception" TEXT);
insert into "tool_results" values (1, '01m7yzy20cxc4431rcxcka0c1j', 1, 'get_weather', '31 C', NULL, NULL, NULL);
CREATE TABLE "tools" (
   "id" INTEGER PRIMARY KEY,
   "hash" TEXT,
   "name" TEXT,
   "description" TEXT,
   "input_schema" TEXT
, "plugin" TEXT);
insert into "tools" values (1, '595bead79aa0a8beb9fd4e8a846cad478e6729769c6384a7f2fa3c540e0c51d2', 'get_weather', 'Weather of a city', '{"properties": {"city": {"type": "string"}}, "required": ["city"], "type": "object"}', NULL);
