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
CREATE TABLE "fragments" (
   "id" INTEGER PRIMARY KEY,
   "hash" TEXT,
   "content" TEXT,
   "datetime_utc" TEXT,
   "source" TEXT
);
CREATE TABLE "messages" (
   "hash" TEXT PRIMARY KEY,
   "parent_hash" TEXT REFERENCES "messages"("hash"),
   "role" TEXT,
   "provider_metadata" TEXT
);
insert into "messages" values ('b2:8882d40c56fa3386b6a214c634251c68', NULL, 'system', NULL);
insert into "messages" values ('b2:db860f9a39baaff9b605641d5836e1f0', 'b2:8882d40c56fa3386b6a214c634251c68', 'user', NULL);
insert into "messages" values ('b2:4ba2dd7dc14657a53a5007305f004b97', 'b2:db860f9a39baaff9b605641d5836e1f0', 'assistant', NULL);
insert into "messages" values ('b2:56d1ec720b483d2ee3099c447eb41a33', 'b2:4ba2dd7dc14657a53a5007305f004b97', 'user', NULL);
insert into "messages" values ('b2:c888e542c07fa87e7ac7426ba4b7c314', 'b2:56d1ec720b483d2ee3099c447eb41a33', 'assistant', NULL);
insert into "messages" values ('b2:67f1ff225742d397551af903f8291e92', 'b2:db860f9a39baaff9b605641d5836e1f0', 'assistant', NULL);
insert into "messages" values ('b2:8a5ea3a3e339b997042c81b718d54a65', 'b2:67f1ff225742d397551af903f8291e92', 'tool', NULL);
insert into "messages" values ('b2:466398cfde565203e1ef1b5137b93351', 'b2:8a5ea3a3e339b997042c81b718d54a65', 'assistant', NULL);
CREATE TABLE "part_attachments" (
   "part_id" INTEGER REFERENCES "parts"("id"),
   "attachment_id" TEXT REFERENCES "attachments"("id"),
   "order" INTEGER,
   PRIMARY KEY ("part_id", "attachment_id", "order")
);
CREATE TABLE "part_fragments" (
   "part_id" INTEGER REFERENCES "parts"("id"),
   "fragment_id" INTEGER REFERENCES "fragments"("id"),
   "order" INTEGER,
   PRIMARY KEY ("part_id", "fragment_id", "order")
);
CREATE TABLE "parts" (
   "id" INTEGER PRIMARY KEY,
   "message_hash" TEXT REFERENCES "messages"("hash"),
   "position" INTEGER,
   "type" TEXT,
   "tool_name" TEXT,
   "text" TEXT,
   "payload" TEXT
);
insert into "parts" values (1, 'b2:8882d40c56fa3386b6a214c634251c68', 0, 'text', NULL, 'You are a weather assistant.', NULL);
insert into "parts" values (2, 'b2:db860f9a39baaff9b605641d5836e1f0', 0, 'text', NULL, 'What''s the weather in Patiala?', NULL);
insert into "parts" values (3, 'b2:4ba2dd7dc14657a53a5007305f004b97', 0, 'text', NULL, '{
  "prompt": "What''s the weather in Patiala?",
  "system": "You are a weather assistant.",
  "attachments": [],
  "stream": true,
  "previous": []
}', NULL);
insert into "parts" values (4, 'b2:56d1ec720b483d2ee3099c447eb41a33', 0, 'text', NULL, 'and tomorrow?', NULL);
insert into "parts" values (5, 'b2:c888e542c07fa87e7ac7426ba4b7c314', 0, 'text', NULL, '{
  "prompt": "and tomorrow?",
  "system": "",
  "attachments": [],
  "stream": true,
  "previous": []
}', NULL);
insert into "parts" values (6, 'b2:67f1ff225742d397551af903f8291e92', 0, 'tool_call', 'get_weather', NULL, '{"name": "get_weather", "arguments": {"city": "Patiala"}, "tool_call_id": "call_get_weather_1"}');
insert into "parts" values (7, 'b2:8a5ea3a3e339b997042c81b718d54a65', 0, 'tool_result', 'get_weather', NULL, '{"name": "get_weather", "output": "{\"city\": \"Patiala\", \"temp_c\": 31, \"sky\": \"sunny\"}", "tool_call_id": "call_get_weather_1"}');
insert into "parts" values (8, 'b2:466398cfde565203e1ef1b5137b93351', 0, 'text', NULL, 'It is 31 degrees Celsius and sunny in Patiala.', NULL);
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
, "resolved_model" TEXT, "reasoning" TEXT);
CREATE TABLE "system_fragments" (
   "response_id" TEXT REFERENCES "responses"("id"),
   "fragment_id" INTEGER REFERENCES "fragments"("id"),
   "order" INTEGER,
   PRIMARY KEY ("response_id", "fragment_id", "order")
);
CREATE TABLE "threads" (
   "id" TEXT PRIMARY KEY,
   "name" TEXT,
   "tip_message_hash" TEXT REFERENCES "messages"("hash"),
   "forked_from" TEXT REFERENCES "threads"("id"),
   "datetime_utc" TEXT
);
insert into "threads" values ('01m7xz6h9nkcs2hzarssdn9jw5', 'What''s the weather in Patiala?', 'b2:c888e542c07fa87e7ac7426ba4b7c314', NULL, '2026-11-21 02:33:06.616906+00:00');
insert into "threads" values ('01m7xz6n1be39ztyspzj9qca71', 'What''s the weather in Patiala?', 'b2:466398cfde565203e1ef1b5137b93351', NULL, '2026-11-21 02:33:11.126283+00:00');
CREATE TABLE "tool_calls" (
   "id" INTEGER PRIMARY KEY,
   "response_id" TEXT REFERENCES "responses"("id"),
   "tool_id" INTEGER REFERENCES "tools"("id"),
   "name" TEXT,
   "arguments" TEXT,
   "tool_call_id" TEXT
);
CREATE TABLE "tool_responses" (
   "tool_id" INTEGER REFERENCES "tools"("id"),
   "response_id" TEXT REFERENCES "responses"("id"),
   PRIMARY KEY ("tool_id", "response_id")
);
CREATE TABLE "tool_results" (
   "id" INTEGER PRIMARY KEY,
   "response_id" TEXT REFERENCES "responses"("id"),
   "tool_id" INTEGER REFERENCES "tools"("id"),
   "name" TEXT,
   "output" TEXT,
   "tool_call_id" TEXT,
   "instance_id" INTEGER REFERENCES "tool_instances"("id")
, "exception" TEXT);
CREATE TABLE "tools" (
   "id" INTEGER PRIMARY KEY,
   "hash" TEXT,
   "name" TEXT,
   "description" TEXT,
   "input_schema" TEXT
, "plugin" TEXT);
insert into "tools" values (1, '623c30da0601061f61a3a91aaf056555589ce1b5d8064184b5cc10147cd0d706', 'get_weather', 'Current weather for a city', '{"properties": {"city": {"type": "string"}}, "required": ["city"], "type": "object"}', NULL);
CREATE TABLE "turn_tools" (
   "turn_id" TEXT REFERENCES "turns"("id"),
   "tool_id" INTEGER REFERENCES "tools"("id"),
   "instance_id" INTEGER REFERENCES "tool_instances"("id"),
   PRIMARY KEY ("turn_id", "tool_id")
);
insert into "turn_tools" values ('01m7xz6n1e656kvwvnr59t6kvm', 1, NULL);
insert into "turn_tools" values ('01m7xz6nfmx86fgbwhsc6hrbva', 1, NULL);
CREATE TABLE "turns" (
   "id" TEXT PRIMARY KEY,
   "thread_id" TEXT REFERENCES "threads"("id"),
   "parent_message_hash" TEXT REFERENCES "messages"("hash"),
   "tip_message_hash" TEXT REFERENCES "messages"("hash"),
   "model" TEXT,
   "resolved_model" TEXT,
   "options_json" TEXT,
   "schema_id" TEXT REFERENCES "schemas"("id"),
   "input_tokens" INTEGER,
   "output_tokens" INTEGER,
   "token_details" TEXT,
   "duration_ms" INTEGER,
   "datetime_utc" TEXT
, "response_json" TEXT);
insert into "turns" values ('01m7xz6h9qq1xkv7t1cfe7wvmq', '01m7xz6h9nkcs2hzarssdn9jw5', 'b2:db860f9a39baaff9b605641d5836e1f0', 'b2:4ba2dd7dc14657a53a5007305f004b97', 'echo', NULL, NULL, NULL, 10, 20, NULL, 0, '2026-11-21T02:33:06.616035+00:00', NULL);
insert into "turns" values ('01m7xz6k872byb50mk1y1p1776', '01m7xz6h9nkcs2hzarssdn9jw5', 'b2:56d1ec720b483d2ee3099c447eb41a33', 'b2:c888e542c07fa87e7ac7426ba4b7c314', 'echo', NULL, NULL, NULL, 2, 13, NULL, 0, '2026-11-21T02:33:08.615265+00:00', NULL);
insert into "turns" values ('01m7xz6n1e656kvwvnr59t6kvm', '01m7xz6n1be39ztyspzj9qca71', 'b2:db860f9a39baaff9b605641d5836e1f0', 'b2:67f1ff225742d397551af903f8291e92', 'fake-4o', NULL, NULL, NULL, 101, 53, '{"prompt_tokens_details": {"cached_tokens": 8}}', 453, '2026-11-21T02:33:10.446657+00:00', '{"content": "", "finish_reason": "tool_calls", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"$": "m.completion_tokens_details_0"}, "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 8}}, "id": "chatcmpl-fake01010053", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2024-07-18", "created": 1767225600}');
insert into "turns" values ('01m7xz6nfmx86fgbwhsc6hrbva', '01m7xz6n1be39ztyspzj9qca71', 'b2:8a5ea3a3e339b997042c81b718d54a65', 'b2:466398cfde565203e1ef1b5137b93351', 'fake-4o', NULL, NULL, NULL, 185, 10, '{"prompt_tokens_details": {"cached_tokens": 8}}', 225, '2026-11-21T02:33:10.900521+00:00', '{"content": "It is 31 degrees Celsius and sunny in Patiala.", "finish_reason": "stop", "usage": {"completion_tokens": 10, "prompt_tokens": 185, "total_tokens": 195, "completion_tokens_details": {"$": "m.completion_tokens_details_0"}, "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 8}}, "id": "chatcmpl-fake01850010", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2024-07-18", "created": 1767225600}');
