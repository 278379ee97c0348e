CREATE TABLE "attachments" (
   "id" TEXT PRIMARY KEY,
   "type" TEXT,
   "path" TEXT,
   "url" TEXT,
   "content" BLOB
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
CREATE TABLE "parts" (
   "id" INTEGER PRIMARY KEY,
   "message_hash" TEXT REFERENCES "messages"("hash"),
   "position" INTEGER,
   "type" TEXT,
   "tool_name" TEXT,
   "text" TEXT,
   "payload" TEXT
);
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
CREATE TABLE "schemas" (
   "id" TEXT PRIMARY KEY,
   "content" TEXT
);
CREATE TABLE "threads" (
   "id" TEXT PRIMARY KEY,
   "name" TEXT,
   "tip_message_hash" TEXT REFERENCES "messages"("hash"),
   "forked_from" TEXT REFERENCES "threads"("id"),
   "datetime_utc" TEXT
);
CREATE TABLE "tools" (
   "id" INTEGER PRIMARY KEY,
   "hash" TEXT,
   "name" TEXT,
   "description" TEXT,
   "input_schema" TEXT
, "plugin" TEXT);
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
CREATE TABLE "turn_tools" (
   "turn_id" TEXT REFERENCES "turns"("id"),
   "tool_id" INTEGER REFERENCES "tools"("id"),
   "instance_id" INTEGER REFERENCES "tool_instances"("id"),
   PRIMARY KEY ("turn_id", "tool_id")
);
insert into "attachments" values ('6b7fa434f92a8b80aab02d9bf1a12e49ffcae424e4013a1c4f68b67e3d2bbcd0', 'image/png', '/home/ada/p.png', NULL, NULL);
insert into "fragments" values (1, '22878d21c62cd9970eb580c1fd7a704436f61d4b798b39af418ec9864595893b', '# Notes
The weather is hot.
', '2026-11-21 17:29:16', '/home/ada/notes.md');
insert into "messages" values ('b2:3872118df35877d06ec10c9c0dad2f3f', NULL, 'system', NULL);
insert into "messages" values ('b2:76fcb2c8b8fb010da122166933b8ba1f', 'b2:3872118df35877d06ec10c9c0dad2f3f', 'user', NULL);
insert into "messages" values ('b2:cd96806c7d4d730d0f73a0d51d195cee', 'b2:76fcb2c8b8fb010da122166933b8ba1f', 'assistant', NULL);
insert into "messages" values ('b2:982efb0c146f18d727c5cb36aca0c0ea', 'b2:cd96806c7d4d730d0f73a0d51d195cee', 'user', NULL);
insert into "messages" values ('b2:d8d86352d5678d5f785f4a92e10dc975', 'b2:982efb0c146f18d727c5cb36aca0c0ea', 'assistant', NULL);
insert into "messages" values ('b2:946391f452cddfce5ebacba330866f91', NULL, 'user', NULL);
insert into "messages" values ('b2:9f7339ef46d879ca64254dcba071e508', 'b2:946391f452cddfce5ebacba330866f91', 'assistant', NULL);
insert into "messages" values ('b2:72f084ecd5ee4e1687e1b5b40411c2ef', 'b2:9f7339ef46d879ca64254dcba071e508', 'tool', NULL);
insert into "messages" values ('b2:63d7f126a7108af93700c833384b2feb', 'b2:72f084ecd5ee4e1687e1b5b40411c2ef', 'assistant', NULL);
insert into "messages" values ('b2:3d25a4f004b76735004fa2afbb2aa2a2', NULL, 'user', NULL);
insert into "messages" values ('b2:e7f84fb82ab93dc0e3ee0cba0ba6809a', 'b2:3d25a4f004b76735004fa2afbb2aa2a2', 'assistant', NULL);
insert into "messages" values ('b2:7f3525e54df67aaf5441b49c1e770315', NULL, 'user', NULL);
insert into "messages" values ('b2:66ec69f592648d02712ddcfa069251ac', 'b2:7f3525e54df67aaf5441b49c1e770315', 'assistant', NULL);
insert into "messages" values ('b2:2d43553538631f314e7247f52f1b1f31', NULL, 'user', NULL);
insert into "messages" values ('b2:1ef720b20797359ea74a844aff45804d', 'b2:2d43553538631f314e7247f52f1b1f31', 'assistant', NULL);
insert into "parts" values (1, 'b2:3872118df35877d06ec10c9c0dad2f3f', 0, 'text', NULL, 'You are kind.', NULL);
insert into "parts" values (2, 'b2:76fcb2c8b8fb010da122166933b8ba1f', 0, 'text', NULL, 'Say hello', NULL);
insert into "parts" values (3, 'b2:cd96806c7d4d730d0f73a0d51d195cee', 0, 'reasoning', NULL, '', '{"redacted": true}');
insert into "parts" values (4, 'b2:cd96806c7d4d730d0f73a0d51d195cee', 1, 'text', NULL, 'Hello.', NULL);
insert into "parts" values (5, 'b2:982efb0c146f18d727c5cb36aca0c0ea', 0, 'text', NULL, 'And again', NULL);
insert into "parts" values (6, 'b2:d8d86352d5678d5f785f4a92e10dc975', 0, 'reasoning', NULL, '', '{"redacted": true}');
insert into "parts" values (7, 'b2:d8d86352d5678d5f785f4a92e10dc975', 1, 'text', NULL, 'Hello.', NULL);
insert into "parts" values (8, 'b2:946391f452cddfce5ebacba330866f91', 0, 'text', NULL, 'Weather?
PLAN
tool get_weather {"city":"Patiala"} && tool get_weather {"city":"Atlantis"}
say It is sunny.', NULL);
insert into "parts" values (9, 'b2:9f7339ef46d879ca64254dcba071e508', 0, 'reasoning', NULL, '', '{"redacted": true}');
insert into "parts" values (10, 'b2:9f7339ef46d879ca64254dcba071e508', 1, 'tool_call', 'get_weather', NULL, '{"name": "get_weather", "arguments": {"city": "Patiala"}, "tool_call_id": "call_sim5031890"}');
insert into "parts" values (11, 'b2:9f7339ef46d879ca64254dcba071e508', 2, 'tool_call', 'get_weather', NULL, '{"name": "get_weather", "arguments": {"city": "Atlantis"}, "tool_call_id": "call_sim5031891"}');
insert into "parts" values (12, 'b2:72f084ecd5ee4e1687e1b5b40411c2ef', 0, 'tool_result', 'get_weather', NULL, '{"name": "get_weather", "output": "31 C, sunny in Patiala", "tool_call_id": "call_sim5031890"}');
insert into "parts" values (13, 'b2:72f084ecd5ee4e1687e1b5b40411c2ef', 1, 'tool_result', 'get_weather', NULL, '{"name": "get_weather", "output": "Error: no such city", "tool_call_id": "call_sim5031891", "exception": "ValueError: no such city"}');
insert into "parts" values (14, 'b2:63d7f126a7108af93700c833384b2feb', 0, 'reasoning', NULL, '', '{"redacted": true}');
insert into "parts" values (15, 'b2:63d7f126a7108af93700c833384b2feb', 1, 'text', NULL, 'It is sunny.', NULL);
insert into "parts" values (16, 'b2:3d25a4f004b76735004fa2afbb2aa2a2', 0, 'text', NULL, NULL, '{"text_ref": [{"fragment": 1}, {"literal": "\nWhat do the notes say?"}]}');
insert into "parts" values (17, 'b2:e7f84fb82ab93dc0e3ee0cba0ba6809a', 0, 'reasoning', NULL, '', '{"redacted": true}');
insert into "parts" values (18, 'b2:e7f84fb82ab93dc0e3ee0cba0ba6809a', 1, 'text', NULL, 'Hello.', NULL);
insert into "parts" values (19, 'b2:7f3525e54df67aaf5441b49c1e770315', 0, 'text', NULL, 'What is in the picture?', NULL);
insert into "parts" values (20, 'b2:7f3525e54df67aaf5441b49c1e770315', 1, 'attachment', NULL, NULL, '{"attachment": {"id": "6b7fa434f92a8b80aab02d9bf1a12e49ffcae424e4013a1c4f68b67e3d2bbcd0"}}');
insert into "parts" values (21, 'b2:66ec69f592648d02712ddcfa069251ac', 0, 'reasoning', NULL, '', '{"redacted": true}');
insert into "parts" values (22, 'b2:66ec69f592648d02712ddcfa069251ac', 1, 'text', NULL, 'Hello.', NULL);
insert into "parts" values (23, 'b2:2d43553538631f314e7247f52f1b1f31', 0, 'text', NULL, 'Invent a person
PLAN
say {"name":"Ada","age":36}', NULL);
insert into "parts" values (24, 'b2:1ef720b20797359ea74a844aff45804d', 0, 'reasoning', NULL, '', '{"redacted": true}');
insert into "parts" values (25, 'b2:1ef720b20797359ea74a844aff45804d', 1, 'text', NULL, '{"name":"Ada","age":36}', NULL);
insert into "part_attachments" values (20, '6b7fa434f92a8b80aab02d9bf1a12e49ffcae424e4013a1c4f68b67e3d2bbcd0', 0);
insert into "part_fragments" values (16, 1, 0);
insert into "schemas" values ('848bffbc260a905ad40888a4518f40ef', '{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"]}');
insert into "threads" values ('01m7zjemjj47sxjaneea66q0hr', 'Say hello', 'b2:d8d86352d5678d5f785f4a92e10dc975', NULL, '2026-11-21 17:28:52.432889+00:00');
insert into "threads" values ('01m7zjf3njpezxcs608ra0aqn3', 'Weather? PLAN tool get_weather …', 'b2:63d7f126a7108af93700c833384b2feb', NULL, '2026-11-21 17:29:05.881957+00:00');
insert into "threads" values ('01m7zjfdx8ezef7vnpz8j4jd0n', '# Notes The weather is hot. Wha…', 'b2:e7f84fb82ab93dc0e3ee0cba0ba6809a', NULL, '2026-11-21 17:29:16.260107+00:00');
insert into "threads" values ('01m7zjfp4c00r7hqm5dzhprz8z', 'What is in the picture?', 'b2:66ec69f592648d02712ddcfa069251ac', NULL, '2026-11-21 17:29:24.628098+00:00');
insert into "threads" values ('01m7zjg15eakh2c4h653k29wk3', 'Invent a person PLAN say {"name…', 'b2:1ef720b20797359ea74a844aff45804d', NULL, '2026-11-21 17:29:36.684787+00:00');
insert into "tools" values (1, '595bead79aa0a8beb9fd4e8a846cad478e6729769c6384a7f2fa3c540e0c51d2', 'get_weather', 'Weather of a city', '{"properties": {"city": {"type": "string"}}, "required": ["city"], "type": "object"}', NULL);
insert into "turns" values ('01m7zjemjmeqwfvtqfdgt7a7ex', '01m7zjemjj47sxjaneea66q0hr', 'b2:76fcb2c8b8fb010da122166933b8ba1f', 'b2:cd96806c7d4d730d0f73a0d51d195cee', 'sim', NULL, '{"temperature": 0.2}', NULL, 101, 53, '{"completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}', 2938, '2026-11-21T17:28:49.493031+00:00', '{"content": "Hello.", "finish_reason": "stop", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}, "id": "chatcmpl-sim503186", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2026-01-01", "created": 1795282132}');
insert into "turns" values ('01m7zjeypgd2e2std8b1jce9d5', '01m7zjemjj47sxjaneea66q0hr', 'b2:982efb0c146f18d727c5cb36aca0c0ea', 'b2:d8d86352d5678d5f785f4a92e10dc975', 'sim', NULL, NULL, NULL, 101, 53, '{"completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}', 790, '2026-11-21T17:28:59.856843+00:00', '{"content": "Hello.", "finish_reason": "stop", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}, "id": "chatcmpl-sim503187", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2026-01-01", "created": 1795282140}');
insert into "turns" values ('01m7zjf3p5rj6j25r1a16mrgjw', '01m7zjf3njpezxcs608ra0aqn3', 'b2:946391f452cddfce5ebacba330866f91', 'b2:9f7339ef46d879ca64254dcba071e508', 'sim', NULL, NULL, NULL, 101, 53, '{"completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}', 741, '2026-11-21T17:29:04.965818+00:00', '{"id": "chatcmpl-sim503189", "choices": [{"finish_reason": "tool_calls", "index": 0, "message": {"role": "assistant", "tool_calls": [{"id": "call_sim5031890", "function": {"arguments": "{\"city\": \"Patiala\"}", "name": "get_weather"}, "type": "function", "index": 0}, {"id": "call_sim5031891", "function": {"arguments": "{\"city\": \"Atlantis\"}", "name": "get_weather"}, "type": "function", "index": 1}]}}], "created": 1795282145, "model": "gpt-4o-mini-2026-01-01", "object": "chat.completion", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}}');
insert into "turns" values ('01m7zjf4dbeeb22bfp6bt5sq1k', '01m7zjf3njpezxcs608ra0aqn3', 'b2:72f084ecd5ee4e1687e1b5b40411c2ef', 'b2:63d7f126a7108af93700c833384b2feb', 'sim', NULL, NULL, NULL, 101, 53, '{"completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}', 172, '2026-11-21T17:29:05.707620+00:00', '{"id": "chatcmpl-sim503190", "choices": [{"finish_reason": "stop", "index": 0, "message": {"content": "It is sunny.", "role": "assistant"}}], "created": 1795282145, "model": "gpt-4o-mini-2026-01-01", "object": "chat.completion", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}}');
insert into "turns" values ('01m7zjfdxnzvt2xv26whks6xg3', '01m7zjfdx8ezef7vnpz8j4jd0n', 'b2:3d25a4f004b76735004fa2afbb2aa2a2', 'b2:e7f84fb82ab93dc0e3ee0cba0ba6809a', 'sim', NULL, NULL, NULL, 101, 53, '{"completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}', 814, '2026-11-21T17:29:15.445330+00:00', '{"content": "Hello.", "finish_reason": "stop", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}, "id": "chatcmpl-sim503191", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2026-01-01", "created": 1795282156}');
insert into "turns" values ('01m7zjfp4p073ewxrq70a9nzkr', '01m7zjfp4c00r7hqm5dzhprz8z', 'b2:7f3525e54df67aaf5441b49c1e770315', 'b2:66ec69f592648d02712ddcfa069251ac', 'sim', NULL, NULL, NULL, 101, 53, '{"completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}', 751, '2026-11-21T17:29:23.862767+00:00', '{"content": "Hello.", "finish_reason": "stop", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}, "id": "chatcmpl-sim503193", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2026-01-01", "created": 1795282164}');
insert into "turns" values ('01m7zjg16h27zb3zqe19e9tqzg', '01m7zjg15eakh2c4h653k29wk3', 'b2:2d43553538631f314e7247f52f1b1f31', 'b2:1ef720b20797359ea74a844aff45804d', 'sim', NULL, NULL, '848bffbc260a905ad40888a4518f40ef', 101, 53, '{"completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}', 1497, '2026-11-21T17:29:35.185938+00:00', '{"content": "{\"name\":\"Ada\",\"age\":36}", "finish_reason": "stop", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}, "id": "chatcmpl-sim503195", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2026-01-01", "created": 1795282176}');
insert into "turn_tools" values ('01m7zjf3p5rj6j25r1a16mrgjw', 1, NULL);
insert into "turn_tools" values ('01m7zjf4dbeeb22bfp6bt5sq1k', 1, NULL);
