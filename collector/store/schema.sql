-- The file format of tracetui, version 1: what a fresh traces.db is made from.
--
-- Public: read it with anything that speaks SQLite, preferably through the v_ views at the end.
-- Written only by collector.store. Times are Unix nanoseconds, money is nano-dollars, null is "not known".
--
-- Content is stored once and named by its hash: 22 characters, base64url of the first 16 bytes of a sha256.
-- Wherever JSON here holds {"$t": HASH}, the string is texts.text of that hash; {"$j": HASH} is that text read as JSON.

create table meta(
  key text primary key,
  value text
) without rowid;

-- One row. `seq` numbers every change of a span; `spans` is the last spans.id given out.
create table counters(
  id integer primary key check (id = 1),
  seq integer not null,
  spans integer not null
);
insert into counters values (1, 0, 0);

-- Every text once. `id` grows with arrival: search runs on it, newest first.
create table texts(
  id integer primary key,
  hash text not null unique,
  text text not null
);

-- parts: JSON list in the public shape, strings replaced by {"$t": HASH}.
create table messages(
  hash text primary key,
  role text not null,
  name text,
  parts text not null
) without rowid;

-- A conversation is a path in a Merkle tree: parent is '' at the root; depth counts from 1.
create table nodes(
  hash text primary key,
  parent text not null,
  message text not null,
  depth integer not null
) without rowid;

-- How attributes that repeat a conversation are spelt, element by element: a path like that of nodes.
-- body: JSON list of glue strings and [text hash, spelling].
create table recipes(
  hash text primary key,
  parent text not null,
  body text not null,
  depth integer not null
) without rowid;

-- OTLP resources and instrumentation scopes, as sent (JSON).
create table contexts(
  hash text primary key,
  kind text not null,
  body text not null
) without rowid;

-- One row a span. status: running, ok, error ("abandoned" is computed by who reads, see v_spans).
-- start_ns is null while only late parts (log records, scores) of a span are here: a ghost, not listed.
-- rank: greatest part seen (1 started, 2 update, 3 finished). seen_ns: when its last part arrived.
-- counted: 1 when usage and cost count in sums; 0 when another span reports the same call.
-- below: 1 when a descendant carries usage.
create table spans(
  id integer primary key,
  seq integer not null,
  trace_id text not null,
  span_id text not null,
  parent_id text,
  name text,
  kind text not null,
  status text not null,
  start_ns integer,
  end_ns integer,
  duration_ns integer,
  ttft_ns integer,
  rank integer not null,
  seen_ns integer not null,
  process_id text,
  service text,
  operation text,
  provider text,
  model text,
  request_model text,
  response_id text,
  input_tokens integer,
  output_tokens integer,
  cache_read_tokens integer,
  cache_write_tokens integer,
  reasoning_tokens integer,
  audio_input_tokens integer,
  audio_output_tokens integer,
  cost_nanousd integer,
  cost_source text,
  counted integer not null,
  below integer not null,
  session_id text,
  user_id text,
  environment text,
  release text,
  project text,
  level text,
  tool_name text,
  agent_name text,
  prompt_name text,
  prompt_version text,
  error_type text,
  status_message text,
  tags text,
  metadata text,
  source_id text
);
create unique index spans_key on spans(trace_id, span_id);
create index spans_parent on spans(trace_id, parent_id, start_ns, span_id);
create index spans_start on spans(start_ns, id);
create index spans_session on spans(session_id, start_ns) where session_id is not null;
create index spans_model on spans(model, start_ns) where model is not null;
create index spans_kind on spans(kind, name collate nocase, start_ns);
create index spans_asked on spans(request_model, start_ns) where request_model is not null and request_model <> model;
create index spans_error on spans(start_ns) where status = 'error';
create index spans_running on spans(trace_id) where status = 'running';
create index spans_seq on spans(seq);
create index spans_response on spans(response_id) where response_id is not null;
create index spans_source on spans(source_id) where source_id is not null;

-- The heavy half of a span, id = spans.id. JSON columns may hold references to texts and recipes.
-- parts: the parts it was folded from, when one alone does not carry all of it.
-- own: 1 when the sender gave the reading itself (our SDK), 0 when conventions read it from attributes.
create table bodies(
  id integer primary key,
  attributes text,
  events text,
  links text,
  logs text,
  resource text,
  scope text,
  trace_state text,
  flags integer not null default 0,
  otel_kind integer not null default 0,
  otel_status integer not null default 0,
  sent_status text,
  sent_message text,
  dropped text,
  at_ns integer not null,
  own integer not null default 0,
  convention text,
  system_node text,
  in_node text,
  out_node text,
  in_value text,
  out_value text,
  in_preview text,
  out_preview text,
  params text,
  tool text,
  tool_definitions text,
  documents text,
  finish_reasons text,
  replay_of text,
  notes text,
  source_trace_id text,
  parts text
);

-- One row a trace, kept by difference in the transaction that changes its spans.
-- root_status is the root's; models is JSON {model: calls}; dims is JSON of the declared dimensions.
create table traces(
  id integer primary key,
  seq integer not null,
  trace_id text not null unique,
  name text,
  root_span_id text,
  root_status text,
  start_ns integer,
  end_ns integer,
  service text,
  session_id text,
  user_id text,
  environment text,
  release text,
  project text,
  level text,
  tags text,
  metadata text,
  dims text not null default '{}',
  models text not null default '{}',
  span_count integer not null default 0,
  running_count integer not null default 0,
  error_count integer not null default 0,
  llm_calls integer not null default 0,
  tool_calls integer not null default 0,
  unpriced_calls integer not null default 0,
  cost_nanousd integer,
  input_tokens integer,
  output_tokens integer,
  cache_read_tokens integer,
  cache_write_tokens integer,
  reasoning_tokens integer,
  audio_input_tokens integer,
  audio_output_tokens integer,
  in_preview text,
  out_preview text,
  source_id text,
  state text
);
create index traces_start on traces(start_ns, trace_id);
create index traces_session on traces(session_id, start_ns) where session_id is not null;
create index traces_error on traces(start_ns, trace_id) where root_status = 'error';
create index traces_seq on traces(seq);
create index traces_user on traces(user_id, start_ns) where user_id is not null;

-- Sums over the traces of a session, and of a user. A sum is null while nothing in it is known.
create table sessions(
  session_id text primary key,
  user_id text,
  first_ns integer,
  last_ns integer,
  trace_count integer not null default 0,
  span_count integer not null default 0,
  error_count integer not null default 0,
  llm_calls integer not null default 0,
  tool_calls integer not null default 0,
  unpriced_calls integer not null default 0,
  cost_nanousd integer,
  input_tokens integer,
  output_tokens integer,
  cache_read_tokens integer,
  cache_write_tokens integer,
  reasoning_tokens integer
) without rowid;
create index sessions_last on sessions(last_ns, session_id);

create table users(
  user_id text primary key,
  first_ns integer,
  last_ns integer,
  trace_count integer not null default 0,
  error_count integer not null default 0,
  llm_calls integer not null default 0,
  unpriced_calls integer not null default 0,
  cost_nanousd integer,
  input_tokens integer,
  output_tokens integer
) without rowid;

-- Sums per quarter hour of a span's start. key: hash of the seven columns after it. '' where not known.
create table rollups(
  key text primary key,
  quarter integer not null,
  model text not null,
  provider text not null,
  service text not null,
  environment text not null,
  kind text not null,
  dims text not null,
  spans integer not null,
  errors integer not null,
  calls integer not null,
  unpriced_calls integer not null,
  cost_nanousd integer not null,
  input_tokens integer not null,
  output_tokens integer not null,
  cache_read_tokens integer not null,
  cache_write_tokens integer not null,
  reasoning_tokens integer not null,
  audio_input_tokens integer not null,
  audio_output_tokens integer not null,
  duration_ns integer not null
) without rowid;
create index rollups_quarter on rollups(quarter);

-- metric: duration or ttft. bucket b holds values in [2^(b/4), 2^((b+1)/4)) nanoseconds.
create table histograms(
  key text not null,
  metric text not null,
  bucket integer not null,
  n integer not null,
  primary key (key, metric, bucket)
) without rowid;

create table scores(
  score_id text primary key,
  trace_id text,
  span_id text,
  session_id text,
  name text not null,
  data_type text not null,
  value real,
  label text,
  comment text,
  time_ns integer not null,
  source text not null,
  metadata text
) without rowid;
create index scores_trace on scores(trace_id, span_id) where trace_id is not null;
create index scores_session on scores(session_id) where session_id is not null;

create table processes(
  process_id text primary key,
  pid integer not null,
  started_ns integer not null,
  host text not null,
  boot_id text not null,
  pid_namespace text not null,
  service text not null,
  command text not null,
  heartbeat_ns integer not null,
  ended_ns integer
) without rowid;

-- What the collector did with what it was sent, per hour (Unix hours).
-- outcome: received, stored, duplicate, clipped, rejected, sampled_out are of spans; kept is what is none (scores, prompts,
-- datasets, files; reason says which). sample: one line of the latest.
create table ledger(
  hour integer not null,
  source text not null,
  convention text not null,
  outcome text not null,
  reason text not null,
  n integer not null,
  sample text,
  primary key (hour, source, convention, outcome, reason)
) without rowid;

-- Texts that full-text search has yet to take in.
-- spaced: 1 when it must go in character by character.
create table todo(
  text_id integer primary key,
  spaced integer not null
);

-- Which span brought a text (its newest messages, its output, its own values and name; not resent history).
create table mentions(
  text_id integer not null,
  span_id integer not null,
  primary key (text_id, span_id)
) without rowid;

create index mentions_span on mentions(span_id);

-- rowid = texts.id. Scripts written without spaces go in character by character, symbols as two private letters each.
create virtual table search using fts5(text, content='', tokenize='unicode61');
insert into search(search, rank) values ('hashsize', 8388608);
