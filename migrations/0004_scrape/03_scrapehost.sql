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
  constraint host_is_a_name_or_a_star check (host = '*' or host ~ '^[][a-z0-9.:_-]+$'),
  constraint min_gap_is_between_0_and_1_hour check (min_gap between '0' and '1 hour'),
  constraint parallel_is_between_1_and_64 check (parallel between 1 and 64),
  constraint user_agent_is_one_line check (user_agent ~ '^[!-~]([ -~]*[!-~])?$'),
  constraint robots_are_disobeyed_for_a_reason check (obey_robots or btrim(coalesce(robots_reason, '')) <> ''),
  constraint a_window_has_both_ends check ((active_from is null) = (active_to is null)),
  constraint a_window_is_not_empty check (active_from <> active_to)
);
comment on table dba.scrapehost is 'How politely a web host is asked, by all workers and schedules together; * is every host without a row. Least: insert into dba.scrapehost (host, min_gap) values (''www.example.com'', ''5 seconds'');';
comment on column dba.scrapehost.host is 'Its name in lower case, for all its ports, or with the one that is meant: localhost:8080; * for all others.';
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
comment on constraint host_is_a_name_or_a_star on dba.scrapehost is 'Write the host in lower case, without https:// and path: www.example.com.';
comment on constraint min_gap_is_between_0_and_1_hour on dba.scrapehost is 'Write for example 5 seconds.';
comment on constraint parallel_is_between_1_and_64 on dba.scrapehost is 'Write 1 to 64.';
comment on constraint user_agent_is_one_line on dba.scrapehost is 'Write one line of ASCII, for example Rota/1.0 (+https://example.com/bot).';
comment on constraint robots_are_disobeyed_for_a_reason on dba.scrapehost is 'Write robots_reason: who allowed it, and when.';
comment on constraint a_window_has_both_ends on dba.scrapehost is 'Give active_from and active_to, or neither.';
comment on constraint a_window_is_not_empty on dba.scrapehost is 'Give two different times, or neither for the whole day.';

create function dba.scrapehost_rules()
returns trigger
language plpgsql
as $$
begin
  if tg_op <> 'INSERT' and old.host = '*' and (tg_op = 'DELETE' or new.host <> '*') then
    perform dba.refuse('host "*" stands for all hosts without a row, and stays', 'Change what it says, or insert a row for the host that you mean.');
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  if not exists (select from dba.timezone t where t.time_zone = new.time_zone) then
    perform dba.refuse(format('time zone "%s" is not known', new.time_zone),
      coalesce(format('Did you mean "%s"? ', dba.nearest_name(new.time_zone, array(select t.time_zone from dba.timezone t))), '') || 'Write an IANA name such as Europe/Warsaw: select * from dba.timezone.');
  end if;
  return new;
end
$$;
comment on function dba.scrapehost_rules() is 'BEFORE trigger of dba.scrapehost: refuses unknown zones, and to do without the row of *.';
create trigger m_scrapehost_rules before insert or update or delete on dba.scrapehost for each row when (current_user <> 'rota_worker') execute function dba.scrapehost_rules();
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
  host         text         not null,
  run_id       uuid         not null,
  slots        integer      not null,
  has_since    timestamptz,
  waits_since  timestamptz,
  until        timestamptz  not null,
  primary key (host, run_id)
);
comment on table dba.hostlease is 'How many requests at a time each run may have under way at a host. Kept by the workers; lapses by itself.';
comment on column dba.hostlease.host is 'The host.';
comment on column dba.hostlease.run_id is 'The run.';
comment on column dba.hostlease.slots is 'Its part of dba.scrapehost.parallel, and what is still under way of a larger one.';
comment on column dba.hostlease.has_since is 'Since when it has a part; null: it has none.';
comment on column dba.hostlease.waits_since is 'Since when it waits for one; null: it does not.';
comment on column dba.hostlease.until is 'When the part lapses, unless it is asked for again.';

create function dba.host_terms(of_host text)
returns dba.scrapehost
language sql
stable
as $$
  select h from dba.scrapehost h
  where h.host in (of_host, regexp_replace(of_host, ':\d+$', ''), '*')
  order by h.host = of_host desc, h.host = '*'
  limit 1
$$;
comment on function dba.host_terms(text) is 'How a host is treated: its row of dba.scrapehost, with its port, then without, else that of *.';

create function dba.window_opens(terms dba.scrapehost, moment timestamptz)
returns timestamptz
language sql
stable
as $$
  with here as (select moment at time zone terms.time_zone as clock)
  select case
    when terms.active_from is null then moment
    when terms.active_from < terms.active_to and clock::time >= terms.active_from and clock::time < terms.active_to then moment
    when terms.active_from > terms.active_to and (clock::time >= terms.active_from or clock::time < terms.active_to) then moment
    else (clock::date + case when clock::time < terms.active_from then 0 else 1 end + terms.active_from) at time zone terms.time_zone end
  from here
$$;
comment on function dba.window_opens(dba.scrapehost, timestamptz) is 'The first moment from then on at which a host may be asked by its window.';

create function dba.lease_host(of_host text, of_run uuid, in_use integer default 0, lease interval default '30 seconds')
returns table (slots integer, wait_seconds double precision, reason text, min_gap_seconds double precision)
language plpgsql
as $$
declare
  moment constant timestamptz := clock_timestamp();
  -- A run that has a part keeps it so long before it lets another one go on.
  turn constant interval := '3 seconds';
  terms constant dba.scrapehost := dba.host_terms(of_host);
  opens constant timestamptz := dba.window_opens(terms, moment);
  state dba.hoststate;
  mine dba.hostlease;
  runs integer;
  taken integer;
  ahead integer;
begin
  insert into dba.hoststate (host) values (of_host) on conflict do nothing;
  -- Whoever asks for the same host takes turns here.
  select * into state from dba.hoststate h where h.host = of_host for update;
  delete from dba.hostlease l where l.host = of_host and l.until < moment and l.run_id <> of_run;
  insert into dba.hostlease as l (host, run_id, slots, waits_since, until) values (of_host, of_run, in_use, moment, moment + lease)
  on conflict (host, run_id) do update set until = excluded.until, slots = excluded.slots
  returning * into mine;
  min_gap_seconds := extract(epoch from terms.min_gap);

  if opens > moment or state.blocked_until > moment then
    update dba.hostlease l set has_since = null, waits_since = null where l.host = of_host and l.run_id = of_run;
    slots := 0;
    wait_seconds := extract(epoch from greatest(opens, state.blocked_until) - moment);
    reason := case when state.blocked_until > opens then state.blocked_reason
      else format('it is asked from %s to %s %s only', to_char(terms.active_from, 'HH24:MI'), to_char(terms.active_to, 'HH24:MI'), terms.time_zone) end;
    return next;
    return;
  end if;

  select count(*), coalesce(sum(l.slots) filter (where l.run_id <> of_run), 0),
    count(*) filter (where l.run_id <> of_run and l.waits_since < coalesce(mine.waits_since, moment))
  into runs, taken, ahead
  from dba.hostlease l where l.host = of_host;
  slots := least(ceil(terms.parallel::numeric / runs), greatest(0, terms.parallel - taken - case when mine.has_since is null then ahead else 0 end));
  if mine.has_since < moment - turn and ahead > 0 and runs > terms.parallel then
    slots := 0;
  end if;
  update dba.hostlease l
  set slots = greatest(lease_host.slots, in_use),
      has_since = case when lease_host.slots > 0 then coalesce(l.has_since, moment) end,
      waits_since = case when lease_host.slots = 0 then case when l.has_since is null then coalesce(l.waits_since, moment) else moment end end
  where l.host = of_host and l.run_id = of_run;
  wait_seconds := 0;
  reason := case when slots = 0 then format('%s other runs ask it', runs - 1) end;
  return next;
end
$$;
comment on function dba.lease_host(text, uuid, integer, interval) is 'For workers: this run''s part of the requests that may be under way at a host, for so long; in_use are its requests that are. With 0: how many seconds nobody asks the host, and why.';

create function dba.reserve_host_turn(of_host text, min_gap interval)
returns double precision
language sql
as $$
  update dba.hoststate h
  set next_at = greatest(h.next_at, h.blocked_until, clock_timestamp()) + reserve_host_turn.min_gap
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

-- Rests on the right to execute it, given to rota_operator below.
create function dba.ask_host_again(host text)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  was dba.hoststate;
  robots integer;
begin
  select * into was from dba.hoststate h where h.host = lower(btrim(ask_host_again.host)) for update;
  update dba.hoststate h set blocked_until = null, blocked_reason = null, next_at = least(h.next_at, clock_timestamp()) where h.host = was.host;
  update dba.hoststate h set robots_text = null, robots_kind = null, robots_at = null
  where h.robots_at is not null and h.host in ('http://' || lower(btrim(ask_host_again.host)), 'https://' || lower(btrim(ask_host_again.host)));
  get diagnostics robots = row_count;
  if was.host is null and robots = 0 then
    perform dba.refuse(format('host "%s" has not been asked yet', coalesce(ask_host_again.host, '')),
      dba.known_names_hint(coalesce(ask_host_again.host, ''), array(select h.host from dba.hoststate h where h.host !~ '^https?://')));
  end if;
  return case when was.blocked_until > clock_timestamp() then format('it was left alone until %s: %s', was.blocked_until, was.blocked_reason) else 'it was not left alone' end
    || case when robots > 0 then '; its robots.txt is fetched anew' else '' end;
end
$$;
comment on function dba.ask_host_again(text) is 'Ends the time for which a host asked to be left alone, and forgets its robots.txt, when its people have said that it may be asked: select dba.ask_host_again(''www.example.com''). Returns what was. Runs that wait notice within some seconds.';
revoke execute on function dba.ask_host_again(text) from rota_reader, public;
grant execute on function dba.ask_host_again(text) to rota_operator;

grant select on dba.hoststate, dba.hostlease to rota_reader;
grant select, insert, update, delete on dba.hoststate, dba.hostlease to rota_worker;
