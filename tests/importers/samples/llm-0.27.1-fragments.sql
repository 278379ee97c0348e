CREATE TABLE "conversations" (
   "id" TEXT PRIMARY KEY,
   "name" TEXT,
   "model" TEXT
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
CREATE TABLE "attachments" (
   "id" TEXT PRIMARY KEY,
   "type" TEXT,
   "path" TEXT,
   "url" TEXT,
   "content" BLOB
);
CREATE TABLE "prompt_attachments" (
   "response_id" TEXT REFERENCES "responses"("id"),
   "attachment_id" TEXT REFERENCES "attachments"("id"),
   "order" INTEGER,
   PRIMARY KEY ("response_id", "attachment_id")
);
CREATE TABLE "schemas" (
   "id" TEXT PRIMARY KEY,
   "content" TEXT
);
CREATE TABLE "fragments" (
   "id" INTEGER PRIMARY KEY,
   "hash" TEXT,
   "content" TEXT,
   "datetime_utc" TEXT,
   "source" TEXT
);
CREATE TABLE "prompt_fragments" (
   "response_id" TEXT REFERENCES "responses"("id"),
   "fragment_id" INTEGER REFERENCES "fragments"("id"),
   "order" INTEGER,
   PRIMARY KEY ("response_id", "fragment_id", "order")
);
CREATE TABLE "system_fragments" (
   "response_id" TEXT REFERENCES "responses"("id"),
   "fragment_id" INTEGER REFERENCES "fragments"("id"),
   "order" INTEGER,
   PRIMARY KEY ("response_id", "fragment_id", "order")
);
CREATE TABLE "tools" (
   "id" INTEGER PRIMARY KEY,
   "hash" TEXT,
   "name" TEXT,
   "description" TEXT,
   "input_schema" TEXT
, "plugin" TEXT);
CREATE TABLE "tool_responses" (
   "tool_id" INTEGER REFERENCES "tools"("id"),
   "response_id" TEXT REFERENCES "responses"("id"),
   PRIMARY KEY ("tool_id", "response_id")
);
CREATE TABLE "tool_calls" (
   "id" INTEGER PRIMARY KEY,
   "response_id" TEXT REFERENCES "responses"("id"),
   "tool_id" INTEGER REFERENCES "tools"("id"),
   "name" TEXT,
   "arguments" TEXT,
   "tool_call_id" TEXT
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
insert into "conversations" values ('01m7zjw34wbqbn40byn1wmxwjw', 'Say hello', 'sim');
insert into "conversations" values ('01m7zjwy12rzeqxfz8w6qwzxz9', 'Weather? PLAN tool get_weather …', 'sim');
insert into "conversations" values ('01m7zjxes4m21y7js3e8bmj90r', '# Notes The weather is hot. Wha…', 'sim');
insert into "conversations" values ('01m7zjxvfxt1ysjscg2vrzgcwd', 'What is in the picture?', 'sim');
insert into "conversations" values ('01m7zjy5knhe92k1rky32fwsw3', 'Invent a person PLAN say {"name…', 'sim');
insert into "responses" values ('01m7zjvzs6b3n0e0kdffhja2ba', 'sim', 'Say hello', 'You are kind.', '{"messages": [{"role": "system", "content": "You are kind."}, {"role": "user", "content": "Say hello"}]}', '{"temperature": 0.2}', 'Hello.', '{"content": {"$": "r:01m7zjvzs6b3n0e0kdffhja2ba"}, "finish_reason": "stop", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}, "id": "chatcmpl-sim503202", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2026-01-01", "created": 1795282570}', '01m7zjw34wbqbn40byn1wmxwjw', 3446, '2026-11-21T17:36:06.950135+00:00', 101, 53, '{"completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}', NULL, NULL);
insert into "responses" values ('01m7zjwah9agk3qhswz356q6y7', 'sim', 'And again', NULL, '{"messages": [{"role": "system", "content": "You are kind."}, {"role": "user", "content": "Say hello"}, {"role": "assistant", "content": {"$": "r:01m7zjwah9agk3qhswz356q6y7"}}, {"role": "user", "content": "And again"}]}', '{}', 'Hello.', '{"content": {"$": "r:01m7zjwah9agk3qhswz356q6y7"}, "finish_reason": "stop", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}, "id": "chatcmpl-sim503203", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2026-01-01", "created": 1795282581}', '01m7zjw34wbqbn40byn1wmxwjw', 4095, '2026-11-21T17:36:17.962046+00:00', 101, 53, '{"completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}', NULL, NULL);
insert into "responses" values ('01m7zjwy2sk5vpg5rxwyzpcjhd', 'sim', 'Weather?
PLAN
tool get_weather {"city":"Patiala"} && tool get_weather {"city":"Atlantis"}
say It is sunny.', NULL, '{"messages": [{"role": "user", "content": "Weather?\nPLAN\ntool get_weather {\"city\":\"Patiala\"} && tool get_weather {\"city\":\"Atlantis\"}\nsay It is sunny."}]}', '{}', '', '{"id": "chatcmpl-sim503204", "choices": [{"finish_reason": "tool_calls", "index": 0, "message": {"role": "assistant", "tool_calls": [{"id": "call_sim5032040", "function": {"arguments": "{\"city\": \"Patiala\"}", "name": "get_weather"}, "type": "function", "index": 0}, {"id": "call_sim5032041", "function": {"arguments": "{\"city\": \"Atlantis\"}", "name": "get_weather"}, "type": "function", "index": 1}]}}], "created": 1795282601, "model": "gpt-4o-mini-2026-01-01", "object": "chat.completion", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}}', '01m7zjwy12rzeqxfz8w6qwzxz9', 4103, '2026-11-21T17:36:37.977745+00:00', 101, 53, '{"completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}', NULL, NULL);
insert into "responses" values ('01m7zjx231va0gn1c00pnf2jdm', 'sim', '', NULL, '{"messages": [{"role": "user", "content": {"$r": ["Weather?\nPLAN\ntool get_weather {\"city\":\"Patiala\"} && tool get_weather {\"city\":\"Atlantis\"}\nsay ", {"$": "r:01m7zjx231va0gn1c00pnf2jdm"}]}}, {"role": "assistant", "tool_calls": [{"type": "function", "id": "call_sim5032040", "function": {"name": "get_weather", "arguments": "{\"city\": \"Patiala\"}"}}, {"type": "function", "id": "call_sim5032041", "function": {"name": "get_weather", "arguments": "{\"city\": \"Atlantis\"}"}}]}, {"role": "tool", "tool_call_id": "call_sim5032040", "content": "31 C, sunny in Patiala"}, {"role": "tool", "tool_call_id": "call_sim5032041", "content": "Error: no such city"}]}', '{}', 'It is sunny.', '{"id": "chatcmpl-sim503205", "choices": [{"finish_reason": "stop", "index": 0, "message": {"content": {"$": "r:01m7zjx231va0gn1c00pnf2jdm"}, "role": "assistant"}}], "created": 1795282602, "model": "gpt-4o-mini-2026-01-01", "object": "chat.completion", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}}', '01m7zjwy12rzeqxfz8w6qwzxz9', 866, '2026-11-21T17:36:42.081628+00:00', 101, 53, '{"completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}', NULL, NULL);
insert into "responses" values ('01m7zjxcnp41xeq0r8jsjnxbws', 'sim', 'What do the notes say?', NULL, '{"messages": [{"role": "user", "content": {"$r": [{"$": "f1"}, "\nWhat do the notes say?"]}}]}', '{}', 'Hello.', '{"content": {"$": "r:01m7zjxcnp41xeq0r8jsjnxbws"}, "finish_reason": "stop", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}, "id": "chatcmpl-sim503206", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2026-01-01", "created": 1795282615}', '01m7zjxes4m21y7js3e8bmj90r', 2157, '2026-11-21T17:36:52.919071+00:00', 101, 53, '{"completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}', NULL, NULL);
insert into "responses" values ('01m7zjxrmg415xps7we5rt6wm7', 'sim', 'What is in the picture?', NULL, '{"messages": [{"role": "user", "content": [{"type": "text", "text": "What is in the picture?"}, {"type": "image_url", "image_url": {"url": "data:..."}}]}]}', '{}', 'Hello.', '{"content": {"$": "r:01m7zjxrmg415xps7we5rt6wm7"}, "finish_reason": "stop", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}, "id": "chatcmpl-sim503207", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2026-01-01", "created": 1795282628}', '01m7zjxvfxt1ysjscg2vrzgcwd', 2924, '2026-11-21T17:37:05.168789+00:00', 101, 53, '{"completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}', NULL, NULL);
insert into "responses" values ('01m7zjy4h09mbmwz8qcdxtk2sv', 'sim', 'Invent a person
PLAN
say {"name":"Ada","age":36}', NULL, '{"messages": [{"role": "user", "content": {"$r": ["Invent a person\nPLAN\nsay ", {"$": "r:01m7zjy4h09mbmwz8qcdxtk2sv"}]}}]}', '{}', '{"name":"Ada","age":36}', '{"content": {"$": "r:01m7zjy4h09mbmwz8qcdxtk2sv"}, "finish_reason": "stop", "usage": {"completion_tokens": 53, "prompt_tokens": 101, "total_tokens": 154, "completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}, "id": "chatcmpl-sim503208", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2026-01-01", "created": 1795282638}', '01m7zjy5knhe92k1rky32fwsw3', 1108, '2026-11-21T17:37:17.344609+00:00', 101, 53, '{"completion_tokens_details": {"reasoning_tokens": 16}, "prompt_tokens_details": {"cached_tokens": 8}}', '848bffbc260a905ad40888a4518f40ef', NULL);
insert into "attachments" values ('6b7fa434f92a8b80aab02d9bf1a12e49ffcae424e4013a1c4f68b67e3d2bbcd0', 'image/png', '/home/ada/p.png', NULL, NULL);
insert into "prompt_attachments" values ('01m7zjxrmg415xps7we5rt6wm7', '6b7fa434f92a8b80aab02d9bf1a12e49ffcae424e4013a1c4f68b67e3d2bbcd0', 0);
insert into "schemas" values ('848bffbc260a905ad40888a4518f40ef', '{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"]}');
insert into "fragments" values (1, '22878d21c62cd9970eb580c1fd7a704436f61d4b798b39af418ec9864595893b', '# Notes
The weather is hot.
', '2026-11-21 17:36:55', '/home/ada/notes.md');
insert into "prompt_fragments" values ('01m7zjxcnp41xeq0r8jsjnxbws', 1, 0);
insert into "tools" values (1, '595bead79aa0a8beb9fd4e8a846cad478e6729769c6384a7f2fa3c540e0c51d2', 'get_weather', 'Weather of a city', '{"properties": {"city": {"type": "string"}}, "required": ["city"], "type": "object"}', NULL);
insert into "tool_responses" values (1, '01m7zjwy2sk5vpg5rxwyzpcjhd');
insert into "tool_responses" values (1, '01m7zjx231va0gn1c00pnf2jdm');
insert into "tool_calls" values (1, '01m7zjwy2sk5vpg5rxwyzpcjhd', 1, 'get_weather', '{"city": "Patiala"}', 'call_sim5032040');
insert into "tool_calls" values (2, '01m7zjwy2sk5vpg5rxwyzpcjhd', 1, 'get_weather', '{"city": "Atlantis"}', 'call_sim5032041');
insert into "tool_results" values (1, '01m7zjx231va0gn1c00pnf2jdm', 1, 'get_weather', '31 C, sunny in Patiala', 'call_sim5032040', NULL, NULL);
insert into "tool_results" values (2, '01m7zjx231va0gn1c00pnf2jdm', 1, 'get_weather', 'Error: no such city', 'call_sim5032041', NULL, 'ValueError: no such city');
