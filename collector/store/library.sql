-- What an application keeps beside its traces (from schema 2 on). Columns of JSON hold it as text.

-- One row a version of a prompt. body: JSON, a text or a list of messages.
create table prompts(
  prompt_id text primary key,
  name text not null,
  version integer not null,
  body text not null,
  config text,
  tags text,
  message text,
  source text not null,
  created_ns integer not null
);
create unique index prompts_version on prompts(name, version);

-- A label names one version at a time. The newest version is "latest" without a row here.
create table prompt_labels(
  name text not null,
  label text not null,
  version integer not null,
  primary key (name, label)
) without rowid;

-- extra: what the client's own API wants back and nobody here reads (JSON).
create table datasets(
  dataset_id text primary key,
  name text not null unique,
  description text,
  metadata text,
  input_schema text,
  output_schema text,
  extra text,
  source text not null,
  created_ns integer not null,
  updated_ns integer not null
);

-- status: active or archived. output is what should come out.
create table examples(
  example_id text primary key,
  dataset_id text not null,
  input text,
  output text,
  metadata text,
  status text not null,
  split text,
  source_trace_id text,
  source_span_id text,
  extra text,
  created_ns integer not null,
  updated_ns integer not null
);
create index examples_dataset on examples(dataset_id, created_ns, example_id);

-- One go over a dataset; dataset_id is null where the examples are kept nowhere.
create table experiments(
  experiment_id text primary key,
  name text not null,
  dataset_id text,
  description text,
  metadata text,
  extra text,
  source text not null,
  created_ns integer not null,
  updated_ns integer not null,
  ended_ns integer
);
create index experiments_dataset on experiments(dataset_id, created_ns, experiment_id);
create index experiments_name on experiments(name);

-- What one example led to, in one experiment.
create table experiment_runs(
  run_id text primary key,
  experiment_id text not null,
  example_id text,
  trace_id text not null,
  span_id text,
  extra text,
  created_ns integer not null,
  updated_ns integer not null
);
create index experiment_runs_experiment on experiment_runs(experiment_id, created_ns, run_id);
create index experiment_runs_trace on experiment_runs(trace_id);

-- Files by the hash of what is in them, once.
create table blobs(
  hash text primary key,
  size integer not null,
  data blob not null
);

-- A client's name for a file. hash is null while it is only announced.
create table media(
  media_id text primary key,
  hash text,
  mime_type text,
  size integer,
  sha256 text,
  extra text,
  created_ns integer not null,
  updated_ns integer not null
);

-- Where a file is spoken of. '' where not known.
create table media_uses(
  media_id text not null,
  trace_id text not null,
  span_id text not null,
  example_id text not null,
  field text not null,
  primary key (media_id, trace_id, span_id, example_id, field)
) without rowid;
create index media_uses_span on media_uses(trace_id, span_id);
