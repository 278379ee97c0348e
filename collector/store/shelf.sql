-- More of the library (from schema 7 on).

-- What an example was before it changed or went: it was so from updated_ns until until_ns.
create table example_versions(
  example_id text not null,
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
  updated_ns integer not null,
  until_ns integer not null,
  primary key (example_id, until_ns)
);
create index example_versions_dataset on example_versions(dataset_id, until_ns);

-- What a score may say. categories: JSON list of {"label", "value"}.
create table score_configs(
  config_id text primary key,
  name text not null,
  data_type text not null,
  description text,
  min_value real,
  max_value real,
  categories text,
  archived integer not null,
  source text not null,
  created_ns integer not null,
  updated_ns integer not null
);
