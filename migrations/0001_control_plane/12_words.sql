-- Moments and lengths of time as people say them, and whether anybody is there to do the work.

create function dba.span_words(span interval)
returns text
language sql
immutable
as $$
  select case
    when span is null then null
    when s < 1 then 'less than a second'
    when s < 60 then format('%s s', s)
    when s < 3600 then concat_ws(' ', format('%s min', s / 60), case when s < 600 and s % 60 > 0 then format('%s s', s % 60) end)
    when s < 86400 then concat_ws(' ', format('%s h', s / 3600), case when s % 3600 >= 60 then format('%s min', s % 3600 / 60) end)
    else concat_ws(' ', format('%s d', s / 86400), case when s < 864000 and s % 86400 >= 3600 then format('%s h', s % 86400 / 3600) end)
  end
  from (select abs(extract(epoch from span))::bigint as s) as seconds
$$;
comment on function dba.span_words(interval) is 'A length of time as people say it: select dba.span_words(''130 minutes'') answers 2 h 10 min.';

create function dba.in_words(moment timestamptz, seen_from timestamptz default statement_timestamp())
returns text
language sql
stable
as $$
  select case
    when moment is null then null
    when moment = 'infinity' then 'never'
    when moment = '-infinity' then 'always'
    when abs(extract(epoch from moment - seen_from)) < 1 then 'now'
    when moment > seen_from then 'in ' || dba.span_words(moment - seen_from)
    else dba.span_words(seen_from - moment) || ' ago'
  end
$$;
comment on function dba.in_words(timestamptz, timestamptz) is 'How far away a moment is: in 2 h 10 min, 45 s ago. Seen from now, or from another moment.';

create function dba.lane_is_alive(lane text)
returns boolean
language sql
stable
as $$
  select exists (
    select from dba.worker w
    where w.state = 'running' and w.heartbeat_at > statement_timestamp() - interval '20 seconds' and lane_is_alive.lane = any (w.lanes))
$$;
comment on function dba.lane_is_alive(text) is 'Does a live worker take part in that lane? Live: running, with a sign of life within 20 seconds.';
