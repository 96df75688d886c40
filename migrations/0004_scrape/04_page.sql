-- What has been seen of the web, and how far a scan has come.

create table dba.page (
  page_id        bigint       primary key generated always as identity,
  config_name    text         not null,
  url            text         not null,
  item           text,
  life           text,
  state_word     text,
  status_code    integer,
  title          text,
  row_count      integer,
  etag           text,
  last_modified  text,
  sha256         text,
  fingerprint    text,
  run_id         uuid,
  error_code     text,
  error_message  text,
  first_seen_at  timestamptz,
  last_seen_at   timestamptz,
  changed_at     timestamptz,
  gone_at        timestamptz,
  visited_at     timestamptz  not null default clock_timestamp(),
  body           bytea,
  body_type      text,
  body_status    integer,
  body_sha256    text,
  body_at        timestamptz,
  constraint a_page_stands_once_per_config unique (config_name, url),
  constraint life_is_new_seen_changed_or_gone check (life in ('new', 'seen', 'changed', 'gone'))
);
comment on table dba.page is 'Every page that job scrape has asked for: what state it was in last, since when it is known, when it changed and when it went.';
comment on column dba.page.page_id is 'Number of the page.';
comment on column dba.page.config_name is 'Row of dba.scrapeconfig.';
comment on column dba.page.url is 'Its address as it was asked for.';
comment on column dba.page.item is 'The id in that address.';
comment on column dba.page.life is 'new (first there at the last look), seen (what is read from it is as it was), changed, gone (it was there, and is not any more); null: it was never there.';
comment on column dba.page.state_word is 'State by the rules of dba.scrapefield: Active, Empty, Invalid, …';
comment on column dba.page.status_code is 'HTTP status of the last answer.';
comment on column dba.page.title is 'Its title.';
comment on column dba.page.row_count is 'Rows that were read from it.';
comment on column dba.page.etag is 'What the server calls this version of it; sent back to be told whether it changed.';
comment on column dba.page.last_modified is 'When the server says that it changed.';
comment on column dba.page.sha256 is 'Hash of its bytes, hexadecimal.';
comment on column dba.page.fingerprint is 'Hash of what was read: state, title, values and links, without what stands behind a semicolon in these. A page that differs only in what nobody reads (a time stamp, a nonce) has the same; so that by it, not by the bytes, a page is changed. Other rules read other things: the first run after an edit of them may call pages changed.';
comment on column dba.page.run_id is 'The run that looked last.';
comment on column dba.page.error_code is 'Stable word for what went wrong at the last look; null: nothing.';
comment on column dba.page.error_message is 'The same in words.';
comment on column dba.page.first_seen_at is 'When it was first there; null: never.';
comment on column dba.page.last_seen_at is 'When it was last there.';
comment on column dba.page.changed_at is 'When what is read from it last changed.';
comment on column dba.page.gone_at is 'When it was first found to be gone.';
comment on column dba.page.visited_at is 'When it was last asked for.';
comment on column dba.page.body is 'Its bytes, packed with gzip, where keep_pages wants them; for rota scrape --replay.';
comment on column dba.page.body_type is 'Content-Type that the bytes came with.';
comment on column dba.page.body_status is 'HTTP status that they came with.';
comment on column dba.page.body_sha256 is 'Their hash; another one than sha256 when the page has changed since.';
comment on column dba.page.body_at is 'When these bytes were fetched; they go after replay_days.';
comment on constraint a_page_stands_once_per_config on dba.page is 'Set by Rota.';
comment on constraint life_is_new_seen_changed_or_gone on dba.page is 'Set by Rota.';
create index page_by_item on dba.page (config_name, item);
create index page_by_body on dba.page (body_at) where body is not null;

create table dba.pagefile (
  pagefile_id  bigint       primary key generated always as identity,
  page_id      bigint       not null references dba.page (page_id) on delete cascade,
  run_id       uuid,
  url          text         not null,
  file_name    text         not null,
  saved_path   text         not null,
  size_bytes   bigint       not null,
  sha256       text         not null,
  etag         text,
  last_modified text,
  page_values  jsonb,
  file_id      bigint       references dba.file (file_id) on delete set null,
  planned_at   timestamptz  not null default clock_timestamp(),
  saved_at     timestamptz
);
comment on table dba.pagefile is 'Files downloaded from pages. A row is written before its file gets its name, so that an import that takes it at once knows the page.';
comment on column dba.pagefile.pagefile_id is 'Number of the download.';
comment on column dba.pagefile.page_id is 'The page that led to it.';
comment on column dba.pagefile.run_id is 'The run that fetched it.';
comment on column dba.pagefile.url is 'Address of the file.';
comment on column dba.pagefile.file_name is 'Name that it was given.';
comment on column dba.pagefile.saved_path is 'Where it was saved.';
comment on column dba.pagefile.size_bytes is 'Its size.';
comment on column dba.pagefile.sha256 is 'Hash of its bytes, hexadecimal.';
comment on column dba.pagefile.etag is 'What the server calls this version of it; sent back to be told whether it changed.';
comment on column dba.pagefile.last_modified is 'When the server says that it changed.';
comment on column dba.pagefile.file_id is 'Its row in the file ledger, once an import has taken it.';
comment on column dba.pagefile.page_values is 'What was read from the page, of several rows the first, and its title: {"event": "Spring Forum", "title": "Events"}. label_spec and date_spec of dba.importconfig name these.';
comment on column dba.pagefile.planned_at is 'When all of it was on the disk.';
comment on column dba.pagefile.saved_at is 'When its page had been dealt with, and the file had its name. Null: not yet, or the run died before.';
comment on constraint pagefile_page_id_fkey on dba.pagefile is 'Set by Rota.';
comment on constraint pagefile_file_id_fkey on dba.pagefile is 'Set by Rota.';
create index pagefile_by_page on dba.pagefile (page_id);
create index pagefile_by_path on dba.pagefile (saved_path) where file_id is null;
create index pagefile_by_file on dba.pagefile (file_id);

create table dba.visit (
  scan_id      uuid         not null,
  position     bigint       not null,
  url          text         not null,
  item         text,
  depth        integer      not null default 0,
  part         integer      not null default 1,
  state        text         not null default 'waiting',
  state_word   text,
  status_code  integer,
  is_there     boolean,
  label        text,
  rows         jsonb,
  row_count    integer      not null default 0,
  files        integer      not null default 0,
  counts       jsonb,
  error_code   text,
  error_message text,
  may_pass     boolean,
  visited_at   timestamptz,
  primary key (scan_id, position),
  constraint a_scan_visits_a_page_once unique (scan_id, url),
  constraint visit_state_is_a_known_word check (state in ('waiting', 'done', 'failed', 'skipped'))
);
comment on table dba.visit is 'How far a scan has come: one row per page of a run that is under way or did not end well. An attempt after an interruption, or a rerun, goes on where it stood; the rows leave when the scan has been loaded.';
comment on column dba.visit.scan_id is 'The run that began the scan.';
comment on column dba.visit.position is 'Order of the visits.';
comment on column dba.visit.url is 'Address of the page.';
comment on column dba.visit.item is 'The id in that address.';
comment on column dba.visit.depth is 'Links away from the start.';
comment on column dba.visit.part is 'Which page of a list that goes over several.';
comment on column dba.visit.state is 'waiting (found, not asked for yet), done, failed, or skipped (robots.txt, outside the limits).';
comment on column dba.visit.state_word is 'State of the page.';
comment on column dba.visit.status_code is 'HTTP status.';
comment on column dba.visit.is_there is 'Whether there is such a page; null: not known.';
comment on column dba.visit.label is 'Label of the dataset that its rows belong to.';
comment on column dba.visit.rows is 'The rows that were read, until they are loaded.';
comment on column dba.visit.row_count is 'How many they were.';
comment on column dba.visit.files is 'Files that were downloaded.';
comment on column dba.visit.counts is 'How often each selector matched.';
comment on column dba.visit.error_code is 'Stable word for what went wrong.';
comment on column dba.visit.error_message is 'The same in words.';
comment on column dba.visit.may_pass is 'Whether another try may mend the error.';
comment on column dba.visit.visited_at is 'When it was asked for.';
comment on constraint a_scan_visits_a_page_once on dba.visit is 'Law: however many links lead to a page, a scan asks for it once.';
comment on constraint visit_state_is_a_known_word on dba.visit is 'Set by Rota.';
create index visit_by_state on dba.visit (scan_id, position) where state = 'waiting';

create table dba.scrapecount (
  run_id       uuid     not null,
  config_name  text     not null,
  subject      text     not null,
  pages        bigint   not null,
  matched      bigint   not null,
  usual        numeric,
  is_good      boolean  not null,
  counted_at   timestamptz not null default clock_timestamp(),
  primary key (run_id, subject)
);
comment on table dba.scrapecount is 'How often each selector and field matched, run by run. What falls far below the usual number quarantines the dataset.';
comment on column dba.scrapecount.run_id is 'The run.';
comment on column dba.scrapecount.config_name is 'Row of dba.scrapeconfig.';
comment on column dba.scrapecount.subject is 'pages, rows, files, files saved, pages failed, pages skipped, state:<word>, field:<column of dba.scrapefield>, or selector:<row_selector, file_selector …, or name of a rule>.';
comment on column dba.scrapecount.pages is 'Pages that were read; of a field the rows.';
comment on column dba.scrapecount.matched is 'How often it matched: of a field the rows in which it had a value.';
comment on column dba.scrapecount.usual is 'Median of the last five good runs, when this run ended; null: fewer than three.';
comment on column dba.scrapecount.is_good is 'Whether the run loaded what it read; only such runs count as usual.';
comment on column dba.scrapecount.counted_at is 'When.';
create index scrapecount_by_config on dba.scrapecount (config_name, subject, counted_at desc) where is_good;

-- Who releases a quarantined dataset says that its numbers are right: they count as usual from then on.
create function dba.counts_are_good()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update dba.scrapecount set is_good = true where run_id = new.run_id and not is_good;
  return null;
end
$$;
comment on function dba.counts_are_good() is 'AFTER trigger of dba.dataset: the counts of a run whose dataset was released are good ones.';
create trigger counts_are_good after update on dba.dataset for each row
  when (old.state = 'quarantined' and new.state = 'active' and new.job = 'scrape') execute function dba.counts_are_good();

grant select on dba.page, dba.pagefile, dba.visit, dba.scrapecount to rota_reader;
grant select, insert, update, delete on dba.page, dba.pagefile, dba.visit, dba.scrapecount to rota_worker;
