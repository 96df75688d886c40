-- MeetMax: which companies are announced at which conference, and which of them have been taken off the list. Tables, views and functions; the
-- jobs that fill them stand in meetmax-jobs.sql. Type it as rota_dba. It may be run again: tables stay as they are. One file, since each part
-- stands on the one before it: what is loaded, what people keep, what the lists say, what changed, what was cancelled.
--
-- A schema of its own: what is loaded, what is asked and the lists that people keep belong together, and one grant opens them. The old names
-- (tmeetmaxurlcheck, tmeetmaxurlscan) are views here, with the columns and words that they had.

create schema if not exists meetmax;
comment on schema meetmax is 'Conferences on MeetMax: lists of companies day by day, and what changed. Begin with: select * from meetmax.f_get_event_changes();';

-- What the jobs load. A list is a dataset of its own: label is the number of the event, dataset_date the day.

create table if not exists meetmax.urlcheck (
  urlcheck_id    bigint  generated always as identity primary key,
  dataset_id     bigint  not null,
  url            text,
  state          text,
  status_code    text,
  title          text,
  download_link  text,
  export_buttons text
);
comment on table meetmax.urlcheck is 'Pages that scrape config MeetMax_URL_Check has read, public and private ones. meetmax.tmeetmaxurlcheck has one row per event.';
comment on column meetmax.urlcheck.urlcheck_id is 'Number of the row.';
comment on column meetmax.urlcheck.dataset_id is 'The check it belongs to, a row of dba.dataset.';
comment on column meetmax.urlcheck.url is 'Address of the page; the number of the event stands in it.';
comment on column meetmax.urlcheck.state is 'AccessDenied, Invalid, Private (leads on to a private list), Downloadable or Closed.';
comment on column meetmax.urlcheck.status_code is 'HTTP status.';
comment on column meetmax.urlcheck.title is 'Title of the page without " - MeetMax".';
comment on column meetmax.urlcheck.download_link is 'Address of the .xls, without what follows a semicolon.';
comment on column meetmax.urlcheck.export_buttons is 'How many buttons offer the list: 0 or 1.';

create table if not exists meetmax.urlscan (
  urlscan_id     bigint  generated always as identity primary key,
  dataset_id     bigint  not null,
  url            text,
  state          text,
  status_code    text,
  title          text,
  num_companies  text
);
comment on table meetmax.urlscan is 'Pages that scrape config MeetMax_URL_Scan has read, one per event. meetmax.page_state says it by event and day.';
comment on column meetmax.urlscan.urlscan_id is 'Number of the row.';
comment on column meetmax.urlscan.dataset_id is 'The scan it belongs to, a row of dba.dataset.';
comment on column meetmax.urlscan.url is 'Address of the page; the number of the event stands in it.';
comment on column meetmax.urlscan.state is 'AccessDenied, Invalid, Active or Empty.';
comment on column meetmax.urlscan.status_code is 'HTTP status.';
comment on column meetmax.urlscan.title is 'Title of the page without " - MeetMax".';
comment on column meetmax.urlscan.num_companies is 'Rows of the list.';

create table if not exists meetmax.company (
  company_id     bigint  generated always as identity primary key,
  dataset_id     bigint  not null,
  company_name   text,
  tickers        text,
  ticker_header  text,
  url            text,
  state          text
);
comment on table meetmax.company is 'Lists of companies that scrape config MeetMax_Company_Scrape has read: one dataset per event and day. A list that is empty by its page''s own words is one row without a company. meetmax.company_seen is how to read it.';
comment on column meetmax.company.company_id is 'Number of the row.';
comment on column meetmax.company.dataset_id is 'The list it belongs to, a row of dba.dataset.';
comment on column meetmax.company.company_name is 'As it stands on the page.';
comment on column meetmax.company.tickers is 'As it stands on the page; Private (No Ticker); N/A: none is given.';
comment on column meetmax.company.ticker_header is 'Header of the tickers; null: the list has none, and a name ends at its first colon.';
comment on column meetmax.company.url is 'Address of the page.';
comment on column meetmax.company.state is 'Active or Empty.';

create table if not exists meetmax.eventsheet (
  eventsheet_id  bigint  generated always as identity primary key,
  dataset_id     bigint  not null,
  extra          jsonb   not null default '{}'
);
comment on table meetmax.eventsheet is 'Rows of the downloaded .xls files. Every event has headers of its own, so that all of them stand in one column: select extra ->> ''company_name'' …';
comment on column meetmax.eventsheet.eventsheet_id is 'Number of the row.';
comment on column meetmax.eventsheet.dataset_id is 'The file it belongs to, a row of dba.dataset.';
comment on column meetmax.eventsheet.extra is 'The row: {"company_name": "…", "ticker": "…", …}, headers in lower case, blanks as _.';

create table if not exists meetmax.dealogicevent (
  dealogicevent_id   bigint  generated always as identity primary key,
  dataset_id         bigint  not null,
  ticker             text,
  name               text,
  conference_title   text,
  start_date         text,
  end_date           text,
  location           text,
  hosting_bank       text,
  participants       text,
  meeting_offerings  text,
  created_at         text,
  last_updated_at    text,
  status             text,
  notes              text
);
comment on table meetmax.dealogicevent is 'Cancellations that Dealogic mails as CSV, as they came.';
comment on column meetmax.dealogicevent.dealogicevent_id is 'Number of the row.';
comment on column meetmax.dealogicevent.dataset_id is 'The mails file, a row of dba.dataset.';
comment on column meetmax.dealogicevent.ticker is 'Ticker, as mailed.';
comment on column meetmax.dealogicevent.name is 'The company.';
comment on column meetmax.dealogicevent.conference_title is 'The conference.';
comment on column meetmax.dealogicevent.start_date is 'Its first day.';
comment on column meetmax.dealogicevent.end_date is 'Its last day.';
comment on column meetmax.dealogicevent.location is 'Where it is.';
comment on column meetmax.dealogicevent.hosting_bank is 'Who invites.';
comment on column meetmax.dealogicevent.participants is 'Who takes part.';
comment on column meetmax.dealogicevent.meeting_offerings is 'Kinds of meetings.';
comment on column meetmax.dealogicevent.created_at is 'When Dealogic entered it.';
comment on column meetmax.dealogicevent.last_updated_at is 'When Dealogic last changed it.';
comment on column meetmax.dealogicevent.status is 'What became of it.';
comment on column meetmax.dealogicevent.notes is 'Remarks, whole.';

create index if not exists urlcheck_by_dataset on meetmax.urlcheck (dataset_id);
create index if not exists urlscan_by_dataset on meetmax.urlscan (dataset_id);
create index if not exists urlscan_by_event on meetmax.urlscan (substring(url from '/event_([0-9]+)/'));
create index if not exists company_by_dataset on meetmax.company (dataset_id);
create index if not exists eventsheet_by_dataset on meetmax.eventsheet (dataset_id);
create index if not exists dealogicevent_by_dataset on meetmax.dealogicevent (dataset_id);

-- What the jobs load belongs to the loader.
alter table meetmax.urlcheck owner to rota_target;
alter table meetmax.urlscan owner to rota_target;
alter table meetmax.company owner to rota_target;
alter table meetmax.eventsheet owner to rota_target;
alter table meetmax.dealogicevent owner to rota_target;

-- What people keep.

create table if not exists meetmax.conferenceexception (
  conferenceexception_id  bigint  generated always as identity primary key,
  conferencename          text    not null,
  reason                  text,
  constraint conferencename_is_not_blank check (btrim(conferencename) <> '')
);
create unique index if not exists a_conference_is_excepted_once on meetmax.conferenceexception (upper(btrim(conferencename)));
comment on table meetmax.conferenceexception is 'Conferences that are neither scraped nor reported: insert into meetmax.conferenceexception (conferencename) values (''Investor Day'');';
comment on column meetmax.conferenceexception.conferenceexception_id is 'Number of the row.';
comment on column meetmax.conferenceexception.conferencename is 'Title of the event, in any case, or its number.';
comment on column meetmax.conferenceexception.reason is 'Why.';
comment on constraint conferencename_is_not_blank on meetmax.conferenceexception is 'Write the title of the event, or its number.';
comment on index meetmax.a_conference_is_excepted_once is 'It stands in the list already, perhaps in other case.';

create table if not exists meetmax.tickerexception (
  tickerexception_id  bigint  generated always as identity primary key,
  tickername          text    not null,
  reason              text,
  constraint tickername_is_not_blank check (btrim(tickername) <> '')
);
create unique index if not exists a_ticker_is_excepted_once on meetmax.tickerexception (upper(btrim(tickername)));
comment on table meetmax.tickerexception is 'Tickers that no report of cancellations shows: insert into meetmax.tickerexception (tickername) values (''N/A'');';
comment on column meetmax.tickerexception.tickerexception_id is 'Number of the row.';
comment on column meetmax.tickerexception.tickername is 'The ticker, in any case.';
comment on column meetmax.tickerexception.reason is 'Why.';
comment on constraint tickername_is_not_blank on meetmax.tickerexception is 'Write the ticker.';
comment on index meetmax.a_ticker_is_excepted_once is 'It stands in the list already, perhaps in other case.';

create table if not exists meetmax.dailycancellation (
  dailycancellation_id  bigint       generated always as identity primary key,
  event_id              text         not null,
  event_name            text,
  company_name          text         not null,
  ticker                text         not null,
  min_date              date         not null,
  max_date              date         not null,
  cancellation_date     date         not null,
  status                text         not null default 'Cancelled',
  source                text         not null default 'MeetMax',
  recorded_at           timestamptz  not null default clock_timestamp(),
  constraint a_cancellation_stands_once_a_day unique (cancellation_date, event_id, company_name, ticker)
);
comment on table meetmax.dailycancellation is 'Companies that were taken off a list, by the day on which it was seen. call meetmax.p_insert_daily_cancellations(date) fills it.';
comment on column meetmax.dailycancellation.dailycancellation_id is 'Number of the row.';
comment on column meetmax.dailycancellation.event_id is 'The event.';
comment on column meetmax.dailycancellation.event_name is 'Its title.';
comment on column meetmax.dailycancellation.company_name is 'The company.';
comment on column meetmax.dailycancellation.ticker is 'Its tickers, as listed.';
comment on column meetmax.dailycancellation.min_date is 'First day on which it was listed.';
comment on column meetmax.dailycancellation.max_date is 'Last day on which it was listed.';
comment on column meetmax.dailycancellation.cancellation_date is 'First day on which it was not.';
comment on column meetmax.dailycancellation.status is 'Cancelled.';
comment on column meetmax.dailycancellation.source is 'MeetMax.';
comment on column meetmax.dailycancellation.recorded_at is 'When this row was written.';
comment on constraint a_cancellation_stands_once_a_day on meetmax.dailycancellation is 'Law: however often a day is stored.';

create table if not exists meetmax.historicalcancellation (
  historicalcancellation_id  bigint  generated always as identity primary key,
  source                     text    not null,
  company_name               text,
  ticker                     text,
  event_name                 text,
  min_date                   date,
  max_date                   date,
  cancellation_date          date    not null,
  status                     text,
  snapshot_date              date    not null default current_date
);
comment on table meetmax.historicalcancellation is 'Cancellations from before Rota: copy thistorical_cancellations_snapshot into it once.';
comment on column meetmax.historicalcancellation.historicalcancellation_id is 'Number of the row.';
comment on column meetmax.historicalcancellation.source is 'MeetMax or Dealogic.';
comment on column meetmax.historicalcancellation.company_name is 'The company.';
comment on column meetmax.historicalcancellation.ticker is 'Its tickers, as listed.';
comment on column meetmax.historicalcancellation.event_name is 'Title of the event.';
comment on column meetmax.historicalcancellation.min_date is 'First day on which it was listed.';
comment on column meetmax.historicalcancellation.max_date is 'Last day on which it was listed.';
comment on column meetmax.historicalcancellation.cancellation_date is 'Day on which it was seen to be gone.';
comment on column meetmax.historicalcancellation.status is 'Cancelled.';
comment on column meetmax.historicalcancellation.snapshot_date is 'Day on which they were copied.';

-- What the lists say. The views read dba.dataset with the rights of rota_dba, so that reports (rota_query) and statements (rota_job) can ask them.

create or replace view meetmax.tmeetmaxurlcheck as
  select distinct on (u.dataset_id, e.event_id)
    u.dataset_id,
    d.dataset_date as fulldate,
    e.event_id as eventid,
    u.url,
    case when u.state in ('Invalid', 'AccessDenied') then '0' else '1' end as ifexists,
    case when u.state = 'Invalid' then 'True' else 'False' end as invalideventid,
    case when u.download_link is not null or u.export_buttons > '0' then '1' else '0' end as isdownloadable,
    coalesce(u.download_link, case when u.export_buttons > '0' then format('%s__co-list_cp.xls?event_id=%s', e.folder, e.event_id) end) as downloadlink,
    u.status_code as statuscode,
    u.title
  from meetmax.urlcheck u
  join dba.dataset d on d.dataset_id = u.dataset_id and d.state = 'active'
  cross join lateral (select substring(u.url from '/event_([0-9]+)/') as event_id, substring(u.url from '^.*/') as folder) e
  order by u.dataset_id, e.event_id, u.url like '%\_\_private-co-list\_cp%' desc, u.urlcheck_id;
comment on view meetmax.tmeetmaxurlcheck is 'The URL check with its eight old columns, one row per event: of an event with a private list, the private page.';

create or replace view meetmax.event_to_download as
  select c.eventid as event_id, c.downloadlink
  from meetmax.tmeetmaxurlcheck c
  where c.isdownloadable = '1' and c.dataset_id = (select max(l.dataset_id) from meetmax.tmeetmaxurlcheck l);
comment on view meetmax.event_to_download is 'Events whose list can be downloaded, by the newest URL check.';

create or replace view meetmax.page_state as
  select
    substring(u.url from '/event_([0-9]+)/') as event_id,
    d.dataset_date as fulldate,
    u.state,
    u.title,
    u.url,
    u.status_code,
    case when u.state = 'Active' then u.num_companies::integer else 0 end as num_companies,
    d.dataset_id
  from meetmax.urlscan u
  join dba.dataset d on d.dataset_id = u.dataset_id and d.state = 'active';
comment on view meetmax.page_state is 'In which state the page of each event was, scan by scan.';

create or replace view meetmax.tmeetmaxurlscan as
  select
    s.dataset_id,
    s.fulldate,
    s.event_id as eventid,
    s.url,
    case when s.state = 'Active' then 'True' else 'False' end as isactivewebpage,
    case when s.state = 'Invalid' then 'True' else 'False' end as isinvalideventid,
    s.status_code as statuscode,
    s.title,
    s.state as pagestatus,
    s.num_companies::text as numcompanies
  from meetmax.page_state s;
comment on view meetmax.tmeetmaxurlscan is 'The URL scan with its eight old columns and words.';

create or replace function meetmax.f_page_state(p_event_id text, p_fulldate date default current_date)
returns setof meetmax.page_state
language sql
stable
as $$
  select s.* from meetmax.page_state s where s.event_id = p_event_id and s.fulldate <= p_fulldate order by s.fulldate desc, s.dataset_id desc limit 1
$$;
comment on function meetmax.f_page_state(text, date) is 'What the last scan up to that day said of an event. No row: no scan had met it.';

create or replace function meetmax.f_is_excepted(p_event_id text, p_event_name text)
returns boolean
language sql
stable
as $$
  select exists (select from meetmax.conferenceexception x where upper(btrim(x.conferencename)) in (upper(btrim(p_event_name)), p_event_id))
$$;
comment on function meetmax.f_is_excepted(text, text) is 'Whether a conference stands in meetmax.conferenceexception, by number or title.';

create or replace view meetmax.id_to_scan as
  select id::text as event_id
  from generate_series(115000, greatest(144999, (select max(s.event_id::bigint) + 2000 from meetmax.page_state s where s.state in ('Active', 'Empty', 'AccessDenied')))) as id;
comment on view meetmax.id_to_scan is 'Numbers that the URL scan asks for: from 115000 to 144999, and as it grows to 2000 beyond the highest event that was ever there.';

create or replace view meetmax.event_load as
  with load as (
    select d.dataset_id, d.label as event_id, d.dataset_date as fulldate, d.datasettype, d.state, coalesce(d.valid_from, d.created_at) as loaded_at
    from dba.dataset d
    where d.datasource = 'MeetMax' and d.datasettype in ('MeetMaxEventData', 'MeetMaxEvents')
    union all
    -- a file that is the same as one before, byte for byte, is not loaded again: its list is that one's
    select d.dataset_id, split_part(split_part(f.file_name, '_', 3), '.', 1), to_date(left(f.file_name, 8), 'YYYYMMDD'), d.datasettype, d.state, f.seen_at
    from dba.file f
    join dba.file o on o.config_name = f.config_name and o.sha256 = f.sha256 and o.dataset_id is not null
    join dba.dataset d on d.dataset_id = o.dataset_id
    where f.config_name = 'MeetMax_Events_XLS_Import' and f.state = 'duplicate' and f.file_name ~ '^\d{8}T\d{6}_MeetMax_\d+[.]xls$'
  )
  select distinct on (l.datasettype, l.event_id, l.fulldate) l.dataset_id, l.event_id, l.fulldate, l.datasettype, l.state = 'empty' as is_empty
  from load l
  where l.state = 'active' or l.state = 'empty' and (select s.state from meetmax.f_page_state(l.event_id, l.fulldate) s) = 'Empty'
  order by l.datasettype, l.event_id, l.fulldate, l.loaded_at desc, l.dataset_id desc;
comment on view meetmax.event_load is 'Which list of an event counts for a day: the last that was read well. Failed, quarantined, deleted and superseded ones do not count. One without rows counts only when the last scan up to then found the page Empty: a page that said Invalid Event ID, or nothing, was not read.';
comment on column meetmax.event_load.is_empty is 'The file had no rows.';

create or replace view meetmax.company_listed as
  select c.dataset_id, c.company_name, c.tickers as ticker, c.ticker_header is not null as has_tickers
  from meetmax.company c
  union all
  select
    x.dataset_id,
    coalesce(x.extra ->> 'company_name', x.extra ->> 'company/organization', x.extra ->> 'company_description', x.extra ->> 'company_description_(bio)',
      x.extra ->> 'organization_description', x.extra ->> 'description'),
    coalesce(x.extra ->> 'ticker', x.extra ->> 'company_ticker'),
    true
  from meetmax.eventsheet x;
comment on view meetmax.company_listed is 'Rows of lists as they came, from pages and from files.';

create or replace function meetmax.f_clean_company(p_company_name text, p_has_tickers boolean)
returns text
language sql
immutable
as $$
  select nullif(btrim(case when p_company_name ~ '^[*][*] KOL' then '' when p_has_tickers then p_company_name else split_part(p_company_name, ':', 1) end), '')
$$;
comment on function meetmax.f_clean_company(text, boolean) is 'The name of a company without what stands behind a colon where a list has no tickers; null for a talk, and for nothing.';

create or replace function meetmax.f_clean_ticker(p_ticker text)
returns text
language sql
immutable
as $$
  select case when p_ticker ~* 'private' then 'Private (No Ticker)' else coalesce(nullif(btrim(p_ticker), ''), 'N/A') end
$$;
comment on function meetmax.f_clean_ticker(text) is 'The tickers as listed; Private (No Ticker); N/A: none is given.';

create or replace function meetmax.f_company_key(p_company_name text)
returns text
language sql
immutable
as $$ select upper(regexp_replace(p_company_name, '\s+', ' ', 'g')) $$;
comment on function meetmax.f_company_key(text) is 'A name as it is compared: upper case, single blanks.';

create or replace function meetmax.f_ticker_key(p_ticker text)
returns text
language sql
immutable
as $$ select case when p_ticker not in ('N/A', 'Private (No Ticker)') then upper(p_ticker) end $$;
comment on function meetmax.f_ticker_key(text) is 'A ticker as it is compared; null where none is given.';

create or replace view meetmax.company_seen as
  select l.event_id, l.fulldate, l.datasettype, l.dataset_id, n.company_name, n.ticker, meetmax.f_company_key(n.company_name) as company_key
  from meetmax.event_load l
  join meetmax.company_listed c on c.dataset_id = l.dataset_id
  cross join lateral (values (meetmax.f_clean_company(c.company_name, c.has_tickers), meetmax.f_clean_ticker(c.ticker))) as n (company_name, ticker)
  where n.company_name is not null;
comment on view meetmax.company_seen is 'Company and ticker per event and day, from pages and from files: select * from meetmax.company_seen where event_id = ''120001'' and fulldate = current_date;';

create or replace view meetmax.event_to_scrape as
  select s.event_id, s.title
  from meetmax.page_state s
  where s.dataset_id = (select max(n.dataset_id) from meetmax.page_state n)
    and (s.state = 'Active' or s.state = 'Empty' and exists (select from meetmax.event_load l where l.event_id = s.event_id and l.fulldate > current_date - 30))
    and not meetmax.f_is_excepted(s.event_id, s.title);
comment on view meetmax.event_to_scrape is 'Events whose list is read every night: active ones of the newest scan, and those that became empty within the last 30 days.';

-- What changed.

create or replace function meetmax.f_get_event_changes(p_fulldate date default current_date)
returns table (eventid text, company_name text, ticker text, mindate date, maxdate date, url text, scenario text)
language sql
stable
rows 200
as $$
  with loads as materialized (
    select l.* from meetmax.event_load l where l.fulldate <= p_fulldate
  ), events as materialized (
    select e.event_id, s.state, s.url
    from (select distinct l.event_id from loads l) e
    left join lateral meetmax.f_page_state(e.event_id, p_fulldate) s on true
    where not meetmax.f_is_excepted(e.event_id, s.title)
  ), today as (
    select distinct on (l.event_id) l.*
    from loads l
    join events e using (event_id)
    where l.fulldate = p_fulldate
    order by l.event_id, l.datasettype = 'MeetMaxEventData' desc
  ), former as (
    select distinct on (l.event_id) l.event_id, l.fulldate
    from loads l
    join today t using (event_id, datasettype)
    where l.fulldate < p_fulldate
    order by l.event_id, l.fulldate desc
  ), lists as (
    -- of the events that were fetched: today's list, the former one, and those of the last 30 days
    select l.event_id, l.dataset_id, l.fulldate, l.fulldate = p_fulldate as is_today, coalesce(l.fulldate = f.fulldate, false) as is_former
    from loads l
    join today t using (event_id, datasettype)
    left join former f using (event_id)
    where l.fulldate >= p_fulldate - 30 or l.fulldate = f.fulldate
  ), listed as (
    -- each spelling once, before it is cleaned
    select l.event_id, c.company_name, c.ticker, c.has_tickers, min(l.fulldate) as mindate, max(l.fulldate) as maxdate,
      bool_or(l.is_today) as is_today, bool_or(l.is_former) as is_former
    from lists l
    join meetmax.company_listed c using (dataset_id)
    group by l.event_id, c.company_name, c.ticker, c.has_tickers
  ), named as (
    select l.event_id, n.company_name, n.ticker, l.mindate, l.maxdate, l.is_today, l.is_former, k.company_key, k.ticker_key
    from listed l
    cross join lateral (values (meetmax.f_clean_company(l.company_name, l.has_tickers), meetmax.f_clean_ticker(l.ticker))) as n (company_name, ticker)
    cross join lateral (values (meetmax.f_company_key(n.company_name), meetmax.f_ticker_key(n.ticker))) as k (company_key, ticker_key)
    where n.company_name is not null
  ), met as (
    -- by its name, or by its ticker
    select n.*,
      bool_or(n.is_today) over by_name or n.ticker_key is not null and bool_or(n.is_today) over by_ticker as is_now,
      bool_or(n.is_former) over by_name or n.ticker_key is not null and bool_or(n.is_former) over by_ticker as was_before
    from named n
    window by_name as (partition by n.event_id, n.company_key), by_ticker as (partition by n.event_id, n.ticker_key)
  ), companies as (
    select
      m.event_id,
      (array_agg(m.company_name order by m.maxdate desc))[1] as company_name,
      (array_agg(m.ticker order by m.maxdate desc, m.ticker_key))[1] as ticker,
      min(m.mindate) as mindate,
      max(m.maxdate) as maxdate,
      bool_or(m.is_now) as is_now,
      bool_or(m.was_before) as was_before
    from met m
    group by m.event_id, m.company_key
  ), changes as (
    select c.event_id, c.company_name, c.ticker, c.mindate, c.maxdate,
      case when c.is_now then 'added' when c.was_before then 'removed' else 'removed-previously' end as scenario
    from companies c
    where not (c.is_now and c.was_before) and (not c.is_now or c.maxdate = p_fulldate)
    union all
    select l.event_id, null, null, min(l.fulldate), max(l.fulldate), 'not fetched'
    from loads l
    join events e using (event_id)
    where l.fulldate >= p_fulldate - 30 and e.state is distinct from 'Invalid' and not exists (select from today t where t.event_id = l.event_id)
    group by l.event_id
  )
  select c.event_id, c.company_name, c.ticker, c.mindate, c.maxdate, e.url, c.scenario
  from changes c
  join events e using (event_id)
  order by array_position(array['removed', 'removed-previously', 'added', 'not fetched'], c.scenario), c.ticker, c.company_name, c.event_id
$$;
comment on function meetmax.f_get_event_changes(date) is 'What changed on a day in the list of each event, compared with the last list before that was read well, however long ago: added, removed (stood in that list), removed-previously (was gone from it already, seen in the last 30 days), and not fetched: no list was read on that day, so nothing is known; maxdate is when one was read last. Events that the last scan calls Invalid are over. A company is the same when its name is, or its ticker. Only what was known up to that day counts.';

create or replace function meetmax.f_get_ticker_diff(p_from date, p_to date)
returns table (event_id text, ticker text, company_name text, change text)
language sql
stable
as $$
  with known as (
    select distinct on (l.event_id, w.day) l.event_id, l.fulldate, l.datasettype, w.day
    from (values (p_from), (p_to)) as w (day)
    join meetmax.event_load l on l.fulldate <= w.day
    order by l.event_id, w.day, l.fulldate desc, l.datasettype = 'MeetMaxEventData' desc
  ), listed as (
    select k.day, c.event_id, c.ticker, c.company_name, c.company_key from known k join meetmax.company_seen c using (event_id, fulldate, datasettype)
  ), compared as (
    select k.event_id from known k group by k.event_id having count(*) = 2
  )
  select l.event_id, l.ticker, l.company_name, case when l.day = p_to then 'Added' else 'Removed' end
  from listed l
  join compared using (event_id)
  where p_from <> p_to and not exists (select from listed o where o.day <> l.day and o.event_id = l.event_id and o.company_key = l.company_key)
  order by 4, 2, 3, 1
$$;
comment on function meetmax.f_get_ticker_diff(date, date) is 'What was added to and removed from the lists between two days, of events that were known on both.';

create or replace view meetmax.change_of_45_days as
  select day::date as fulldate, c.*
  from generate_series(current_date - 44, current_date, interval '1 day') as day
  cross join lateral meetmax.f_get_event_changes(day::date) c
  where c.scenario <> 'removed-previously';
comment on view meetmax.change_of_45_days is 'The changes of the last 45 days, day by day.';

-- What was cancelled: stored day by day, joined with what was before and with Dealogic, one ticker a row.

create or replace procedure meetmax.p_insert_daily_cancellations(p_date date default current_date)
language plpgsql
as $$
begin
  -- one at a time: a second call must see what the first has stored
  perform pg_advisory_xact_lock(hashtext('meetmax.dailycancellation'));
  with removed as materialized (
    select distinct on (c.eventid, c.company_name, c.ticker) c.*
    from meetmax.f_get_event_changes(p_date) c
    where c.scenario = 'removed'
  ), corrected as (
    -- what no longer holds, since a list of that day came late, was taken out or was released
    delete from meetmax.dailycancellation k
    where k.cancellation_date = p_date
      and not exists (select from removed r where (r.eventid, r.company_name, r.ticker) = (k.event_id, k.company_name, k.ticker))
  )
  insert into meetmax.dailycancellation (event_id, event_name, company_name, ticker, min_date, max_date, cancellation_date)
  select r.eventid, (select s.title from meetmax.f_page_state(r.eventid, p_date) s), r.company_name, r.ticker, r.mindate, r.maxdate, p_date
  from removed r
  on conflict on constraint a_cancellation_stands_once_a_day do nothing;
end
$$;
comment on procedure meetmax.p_insert_daily_cancellations(date) is 'Stores what was removed from lists on a day: call meetmax.p_insert_daily_cancellations(''2026-11-20''). Called again it stores nothing twice, and corrects the day by what is known by now.';

create or replace function meetmax.f_split_tickers(p_tickers text)
returns table (ticker text)
language sql
immutable
as $$
  with pieces as (
    select upper(btrim(regexp_replace(piece, '^\s*\(?[A-Za-z][A-Za-z .]*:|[()]', '', 'g'))) as piece
    from regexp_split_to_table(p_tickers, '[,;|\n]+|\s+(?:/|&|and)\s+|(?<=[A-Za-z0-9.]{2})/(?=[A-Za-z0-9.]{2})') as piece
    where p_tickers !~* 'private'
  ), plain as (
    select regexp_replace(piece, '\s+(?:US|UN|UW|UQ|LN|GR|GY|FP|CN|CT|JP|JT|HK|KS|AU|AT|SW|SE|IM|NA|SS|SM|BB|NO|DC|FH|PW)(?:\s+EQUITY)?$', '') as piece from pieces
  )
  select 'Private (No Ticker)' where p_tickers ~* 'private'
  union
  select word
  from plain p
  cross join lateral regexp_split_to_table(p.piece, case when p.piece ~ '^[A-Z0-9.]{1,6}(\s+[A-Z0-9.]{1,6})+$' then '\s+' else '^$' end) as word
  where word <> ''
$$;
comment on function meetmax.f_split_tickers(text) is 'The single tickers of a text, in upper case: ''BRK.B, NYSE: VLS / ABC US'' has BRK.B, VLS and ABC. ''Private (No Ticker)'' and ''N/A'' stay as they are.';

create or replace view meetmax.dealogic_load as
  select d.dataset_date as fulldate, l.*
  from meetmax.dealogicevent l
  join dba.dataset d on d.dataset_id = l.dataset_id and d.state = 'active';
comment on view meetmax.dealogic_load is 'Cancellations that Dealogic has mailed, with the day of the mail.';

create or replace function meetmax.f_historical_cancellations()
returns table (source text, company_name text, ticker text, event_name text, min_date date, max_date date, cancellation_date date, status text, event_id text)
language sql
stable
as $$
  with cancelled as (
    select h.source, h.company_name, h.ticker, h.event_name, h.min_date, h.max_date, h.cancellation_date, h.status, null::text as event_id
    from meetmax.historicalcancellation h
    union
    select k.source, k.company_name, k.ticker, k.event_name, k.min_date, k.max_date, k.cancellation_date, k.status, k.event_id
    from meetmax.dailycancellation k
    union
    select 'Dealogic', l.name, l.ticker, l.conference_title, min(l.fulldate), max(l.fulldate), min(l.fulldate), max(l.status), null
    from meetmax.dealogic_load l
    group by l.name, l.ticker, l.conference_title, l.start_date
  )
  select c.source, c.company_name, t.ticker, c.event_name, c.min_date, c.max_date, c.cancellation_date, c.status, c.event_id
  from cancelled c
  cross join lateral meetmax.f_split_tickers(coalesce(nullif(btrim(c.ticker), ''), 'N/A')) t
  where not exists (select from meetmax.tickerexception x where upper(btrim(x.tickername)) = upper(t.ticker))
    and not meetmax.f_is_excepted(c.event_id, c.event_name)
  order by c.cancellation_date desc, c.source, t.ticker, c.company_name
$$;
comment on function meetmax.f_historical_cancellations() is 'All cancellations, newest first, one row per ticker: those from before Rota, those of MeetMax day by day, those of Dealogic; without the tickers and conferences of the exception lists.';

create or replace function meetmax.f_get_ticker_removals(p_date date default current_date, p_offset integer default 31)
returns table (source text, ticker text, company_name text, event_id text, event_name text, cancellation_date date, url text, event_count bigint)
language sql
stable
as $$
  with recent as (
    select distinct on (h.source, h.ticker, coalesce(h.event_id, h.event_name)) h.*, coalesce(h.event_id, h.event_name) as event_key
    from meetmax.f_historical_cancellations() h
    where h.cancellation_date <= p_date and h.cancellation_date > p_date - p_offset and h.ticker not in ('N/A', 'Private (No Ticker)')
    order by h.source, h.ticker, coalesce(h.event_id, h.event_name), h.cancellation_date desc
  ), counted as (
    select r.*, count(*) over (partition by r.source, r.ticker) as event_count from recent r
  )
  select c.source, c.ticker, c.company_name, c.event_id, c.event_name, c.cancellation_date, (select s.url from meetmax.f_page_state(c.event_id, p_date) s), c.event_count
  from counted c
  where c.event_count > 1
  order by c.source, c.event_count desc, c.ticker, c.cancellation_date desc, c.event_name
$$;
comment on function meetmax.f_get_ticker_removals(date, integer) is 'Tickers that were cancelled at more than one event within so many days up to a day, with the events. Companies without a ticker are left out: they would all be one.';

grant usage on schema meetmax to rota_reader;
grant select on all tables in schema meetmax to rota_reader;
