-- How each web host is treated, by all workers together.

create table dba.scrapehost (
  host           text         primary key,
  min_gap        interval     not null default '1 second',
  parallel       integer      not null default 2,
  user_agent     text,
  obey_robots    boolean      not null default true,
  robots_reason  text,
  active_from    time,
  active_to      time,
  time_zone      text         not null default 'UTC',
  description    text,
  owner          text,
  created_at     timestamptz  not null default clock_timestamp(),
  created_by     text         not null default session_user,
  updated_at     timestamptz  not null default clock_timestamp(),
  updated_by     text         not null default session_user,
  version        integer      not null default 1,
  constraint host_is_a_name_or_a_star check (host = '*' or host ~ '^[a-z0-9.:_-]+$'),
  constraint min_gap_is_between_0_and_1_hour check (min_gap between '0' and '1 hour'),
  constraint parallel_is_between_1_and_64 check (parallel between 1 and 64),
  constraint user_agent_is_one_line check (btrim(user_agent) <> '' and user_agent !~ '[[:cntrl:]]'),
  constraint robots_are_disobeyed_for_a_reason check (obey_robots or btrim(coalesce(robots_reason, '')) <> ''),
  constraint a_window_has_both_ends check ((active_from is null) = (active_to is null)),
  constraint a_window_is_not_empty check (active_from <> active_to)
);
comment on table dba.scrapehost is 'How politely a web host is asked, by all workers and schedules together; * is every host without a row. Least: insert into dba.scrapehost (host, min_gap) values (''www.example.com'', ''5 seconds'');';
comment on column dba.scrapehost.host is 'Its name in lower case, without port; * for all others.';
comment on column dba.scrapehost.min_gap is 'Least time between the starts of two requests: 5 seconds. A longer Crawl-delay of robots.txt counts.';
comment on column dba.scrapehost.parallel is 'Most requests under way at a time.';
comment on column dba.scrapehost.user_agent is 'What Rota calls itself. Null: Rota with its version.';
comment on column dba.scrapehost.obey_robots is 'False: robots.txt is not asked. Say why in robots_reason.';
comment on column dba.scrapehost.robots_reason is 'Why robots.txt is not obeyed: agreed with the owner on 3 May.';
comment on column dba.scrapehost.active_from is 'Requests only from this time of day; with active_to before it the window spans midnight. Null: at any time.';
comment on column dba.scrapehost.active_to is 'Until this time of day.';
comment on column dba.scrapehost.time_zone is 'Zone of active_from and active_to: an IANA name.';
comment on column dba.scrapehost.description is 'Whose it is, what was agreed.';
comment on column dba.scrapehost.owner is 'Who answers for it.';
comment on constraint host_is_a_name_or_a_star on dba.scrapehost is 'Write the host in lower case, without https://, port and path: www.example.com.';
comment on constraint min_gap_is_between_0_and_1_hour on dba.scrapehost is 'Write for example 5 seconds.';
comment on constraint parallel_is_between_1_and_64 on dba.scrapehost is 'Write 1 to 64.';
comment on constraint user_agent_is_one_line on dba.scrapehost is 'Write one line, for example Rota/1.0 (+https://example.com/bot).';
comment on constraint robots_are_disobeyed_for_a_reason on dba.scrapehost is 'Write robots_reason: who allowed it, and when.';
comment on constraint a_window_has_both_ends on dba.scrapehost is 'Give active_from and active_to, or neither.';
comment on constraint a_window_is_not_empty on dba.scrapehost is 'Give two different times, or neither for the whole day.';

create function dba.scrapehost_rules()
returns trigger
language plpgsql
as $$
begin
  if not exists (select from dba.timezone t where t.time_zone = new.time_zone) then
    perform dba.refuse(format('time zone "%s" is not known', new.time_zone),
      coalesce(format('Did you mean "%s"? ', dba.nearest_name(new.time_zone, array(select t.time_zone from dba.timezone t))), '') || 'Write an IANA name such as Europe/Warsaw: select * from dba.timezone.');
  end if;
  return new;
end
$$;
comment on function dba.scrapehost_rules() is 'BEFORE trigger of dba.scrapehost: refuses unknown zones.';
create trigger m_scrapehost_rules before insert or update on dba.scrapehost for each row when (current_user <> 'rota_worker') execute function dba.scrapehost_rules();
select dba.adopt_people_table('scrapehost', 'host');
insert into dba.scrapehost (host, description) values ('*', 'Every host without a row of its own.');

create unlogged table dba.hoststate (
  host            text         primary key,
  next_at         timestamptz  not null default '-infinity',
  blocked_until   timestamptz,
  blocked_reason  text,
  robots_text     text,
  robots_kind     text,
  robots_at       timestamptz,
  constraint robots_kind_is_file_open_or_away check (robots_kind in ('file', 'open', 'away'))
);
comment on table dba.hoststate is 'Where each web host stands: when it may be asked again, and what its robots.txt said. Kept by the workers; forgotten in a crash of Postgres, which costs nothing.';
comment on column dba.hoststate.host is 'The host''s name; for robots.txt its origin: https://www.example.com.';
comment on column dba.hoststate.next_at is 'The next request starts at this moment or later.';
comment on column dba.hoststate.blocked_until is 'It asked to be left alone until then; null: it did not.';
comment on column dba.hoststate.blocked_reason is 'Why: 429 with Retry-After 120, error 1015.';
comment on column dba.hoststate.robots_text is 'Its robots.txt, at most 500 KB of it.';
comment on column dba.hoststate.robots_kind is 'file (its text counts), open (there is none, all is allowed) or away (the server failed: nothing is allowed for now).';
comment on column dba.hoststate.robots_at is 'When it was fetched; after a day it is fetched again.';
comment on constraint robots_kind_is_file_open_or_away on dba.hoststate is 'Set by Rota.';

create unlogged table dba.hostlease (
  host    text         not null,
  run_id  uuid         not null,
  slots   integer      not null,
  until   timestamptz  not null,
  primary key (host, run_id)
);
comment on table dba.hostlease is 'How many requests at a time each run may have under way at a host. Kept by the workers; lapses by itself.';
comment on column dba.hostlease.host is 'The host.';
comment on column dba.hostlease.run_id is 'The run.';
comment on column dba.hostlease.slots is 'Its share of dba.scrapehost.parallel; 0: it waits for one.';
comment on column dba.hostlease.until is 'When the share lapses, unless it is asked for again.';

create function dba.host_terms(of_host text)
returns dba.scrapehost
language sql
stable
as $$
  select h from dba.scrapehost h where h.host in (of_host, '*') order by h.host = '*' limit 1
$$;
comment on function dba.host_terms(text) is 'How a host is treated: its row of dba.scrapehost, else that of *.';

create function dba.lease_host(of_host text, of_run uuid, lease interval default '30 seconds')
returns table (slots integer, wait_seconds double precision, reason text, min_gap_seconds double precision)
language plpgsql
as $$
declare
  moment constant timestamptz := clock_timestamp();
  terms constant dba.scrapehost := dba.host_terms(of_host);
  local_time time;
  opens timestamptz;
  state dba.hoststate;
  runs integer;
  taken integer;
begin
  insert into dba.hoststate (host) values (of_host) on conflict do nothing;
  select * into state from dba.hoststate h where h.host = of_host for update;
  min_gap_seconds := extract(epoch from terms.min_gap);
  insert into dba.hostlease (host, run_id, slots, until) values (of_host, of_run, 0, moment + lease)
  on conflict (host, run_id) do update set until = excluded.until;
  delete from dba.hostlease l where l.host = of_host and l.until < moment;

  if terms.active_from is not null then
    local_time := moment at time zone terms.time_zone;
    if not (case when terms.active_from < terms.active_to then local_time >= terms.active_from and local_time < terms.active_to
                 else local_time >= terms.active_from or local_time < terms.active_to end) then
      opens := ((moment at time zone terms.time_zone)::date + terms.active_from) at time zone terms.time_zone;
      if opens <= moment then
        opens := ((moment at time zone terms.time_zone)::date + 1 + terms.active_from) at time zone terms.time_zone;
      end if;
      update dba.hostlease l set slots = 0 where l.host = of_host and l.run_id = of_run;
      return query select 0, extract(epoch from opens - moment)::double precision, format('host %s is asked only from %s to %s %s', of_host, terms.active_from, terms.active_to, terms.time_zone), min_gap_seconds;
      return;
    end if;
  end if;
  if state.blocked_until > moment then
    return query select 0, extract(epoch from state.blocked_until - moment)::double precision, format('host %s asked to be left alone: %s', of_host, state.blocked_reason), min_gap_seconds;
    return;
  end if;

  select count(*), coalesce(sum(l.slots) filter (where l.run_id <> of_run), 0) into runs, taken from dba.hostlease l where l.host = of_host;
  slots := least(greatest(1, ceil(terms.parallel::numeric / runs)::integer), greatest(0, terms.parallel - taken));
  update dba.hostlease l set slots = lease_host.slots where l.host = of_host and l.run_id = of_run;
  return query select lease_host.slots, case when lease_host.slots > 0 then 0 else 0.5 end::double precision,
    case when lease_host.slots = 0 then format('%s other runs ask host %s', runs - 1, of_host) end, min_gap_seconds;
end
$$;
comment on function dba.lease_host(text, uuid, interval) is 'For workers: this run''s share of the requests that may be under way at a host, for so long; with 0 how many seconds to wait, and why.';

create function dba.reserve_host_turn(of_host text, min_gap interval)
returns double precision
language sql
as $$
  update dba.hoststate h
  set next_at = greatest(h.next_at, clock_timestamp()) + reserve_host_turn.min_gap
  where h.host = of_host
  returning greatest(0, extract(epoch from h.next_at - reserve_host_turn.min_gap - clock_timestamp()))::double precision
$$;
comment on function dba.reserve_host_turn(text, interval) is 'For workers: takes the next moment at which a request to the host may start, and returns how many seconds it is away.';

create function dba.block_host(of_host text, until timestamptz, reason text)
returns void
language sql
as $$
  insert into dba.hoststate (host, blocked_until, blocked_reason) values (of_host, block_host.until, block_host.reason)
  on conflict (host) do update set blocked_until = greatest(hoststate.blocked_until, excluded.blocked_until),
    blocked_reason = case when excluded.blocked_until > coalesce(hoststate.blocked_until, '-infinity') then excluded.blocked_reason else hoststate.blocked_reason end
$$;
comment on function dba.block_host(text, timestamptz, text) is 'For workers: nobody asks the host before that moment.';

grant select on dba.hoststate, dba.hostlease to rota_reader;
grant select, insert, update, delete on dba.hoststate, dba.hostlease to rota_worker;
