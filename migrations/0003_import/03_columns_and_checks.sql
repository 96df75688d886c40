-- What the columns of a file become, and what has to be true of its rows. Rows beside dba.importconfig, which they follow in a rename and in a DELETE.

create table dba.importcolumn (
  config_name    text         not null references dba.importconfig (config_name) on update cascade on delete cascade,
  column_name    text         not null,
  source_name    text,
  type           text         not null default 'text',
  format         text,
  is_required    boolean      not null default false,
  default_value  text,
  null_tokens    text[],
  transform      text,
  description    text,
  created_at     timestamptz  not null default clock_timestamp(),
  created_by     text         not null default session_user,
  updated_at     timestamptz  not null default clock_timestamp(),
  updated_by     text         not null default session_user,
  version        integer      not null default 1,
  primary key (config_name, column_name),
  constraint column_name_is_a_name_that_a_column_can_have check (dba.are_column_names(array[column_name])),
  constraint source_name_is_not_blank check (btrim(source_name) <> ''),
  constraint source_name_can_be_read check (source_name !~ '^/.+/$' or dba.check_regex(substring(source_name from '^/(.+)/$'), 'source_name') is not null),
  constraint source_name_means_the_same_everywhere check (dba.reads_everywhere(substring(source_name from '^/(.+)/$'))),
  constraint type_is_not_blank check (btrim(type) <> ''),
  constraint format_fits_the_type check (dba.check_format(format, type) is not null or format is null),
  constraint null_tokens_are_texts check (array_position(null_tokens, null) is null),
  constraint transform_can_be_read check (dba.check_transform(transform) is not null or transform is null)
);
comment on table dba.importcolumn is 'What a column of a file becomes; columns without a row here come as they are, as text or as the target has them. Least: insert into dba.importcolumn (config_name, column_name, type) values (''prices'', ''amount'', ''numeric'');';
comment on column dba.importcolumn.config_name is 'Row of dba.importconfig.';
comment on column dba.importcolumn.column_name is 'Column of the target.';
comment on column dba.importcolumn.source_name is 'Header of the file, as it stands there, or /pattern/: a regular expression that one header matches. Null: the header that name_rule makes column_name of. Two columns may come from one header.';
comment on column dba.importcolumn.type is 'Type of Postgres: text (default), integer, numeric(12,2), date, timestamptz, boolean, jsonb … Kept as Postgres calls it.';
comment on column dba.importcolumn.format is 'How the file writes it. Numbers by an example: 1.234,56 or 12,5 %, with round to let decimals be rounded. Dates and times: dd.MM.yyyy, d. MMMM@de yyyy, several with " | " between them. True and false: ja/nein. Null: as Postgres writes the type.';
comment on column dba.importcolumn.is_required is 'True: a row without a value is refused.';
comment on column dba.importcolumn.default_value is 'What stands in for null, written as Postgres writes the type: 0, 2026-01-31, true.';
comment on column dba.importcolumn.null_tokens is 'Texts that mean null: {NA,n/a,-}. An empty token makes blank texts null.';
comment on column dba.importcolumn.transform is 'Steps before all else, joined by |: trim, upper, lower, collapse, digits, nullif_blank, prefix("x"), suffix("x"), lpad(5, "0"), replace("a", "b"), regexp_replace(/[^0-9]+/g, ""), date("dd.MM.yyyy").';
comment on column dba.importcolumn.description is 'What it is.';
comment on constraint importcolumn_config_name_fkey on dba.importcolumn is 'Insert the config into dba.importconfig first.';
comment on constraint column_name_is_a_name_that_a_column_can_have on dba.importcolumn is 'Write the name of the target''s column, 1 to 63 bytes, without blanks at its ends, none of Postgres''s own (ctid, xmin …).';
comment on constraint source_name_is_not_blank on dba.importcolumn is 'Write the header as it stands in the file; null: the header that becomes column_name.';
comment on constraint source_name_can_be_read on dba.importcolumn is 'Write a regular expression between slashes, for example /^Price \(/.';
comment on constraint source_name_means_the_same_everywhere on dba.importcolumn is 'Classes as [[:alpha:]], the escapes \m \M \y \Y \A \Z and options as (?i) are Postgres''s alone, and the workers read this expression. Write [A-Za-z], \b, [Aa].';
comment on constraint type_is_not_blank on dba.importcolumn is 'Write text, or another type of Postgres.';
comment on constraint format_fits_the_type on dba.importcolumn is 'Write a format for numbers, dates, times or true and false that fits type; or leave it empty.';
comment on constraint null_tokens_are_texts on dba.importcolumn is 'Write texts: ''{NA,n/a}''; a token NULL is written in quotes: ''{"NULL"}''.';
comment on constraint transform_can_be_read on dba.importcolumn is 'Join steps by |: trim | upper.';

create function dba.importcolumn_rules()
returns trigger
language plpgsql
as $$
declare
  kept_column text;
begin
  perform dba.require_importconfig(new.config_name);
  select c.dataset_column into kept_column from dba.importconfig c where c.config_name = new.config_name;
  if new.column_name = kept_column then
    perform dba.refuse(format('column "%s" is filled by Rota with the number of the dataset', new.column_name),
      'Give the column of the file another name, or dataset_column of dba.importconfig.');
  end if;
  if new.type is null or btrim(new.type) = '' then
    return new;
  end if;
  new.type := dba.known_type(new.type);
  perform dba.check_format(new.format, new.type);
  perform dba.check_transform(new.transform);
  perform dba.check_regex(substring(new.source_name from '^/(.+)/$'), 'source_name');
  if new.default_value is not null then
    perform dba.check_default(new.default_value, new.type);
  end if;
  return new;
end
$$;
comment on function dba.importcolumn_rules() is 'BEFORE trigger of dba.importcolumn: the type as Postgres calls it; refuses in words what cannot be read.';
create trigger m_importcolumn_rules before insert or update on dba.importcolumn for each row when (current_user <> 'rota_worker') execute function dba.importcolumn_rules();

create function dba.require_importconfig(config_name text)
returns void
language plpgsql
stable
as $$
begin
  if config_name is not null and not exists (select from dba.importconfig c where c.config_name = require_importconfig.config_name) then
    perform dba.refuse(format('no config "%s" in dba.importconfig', config_name),
      dba.known_names_hint(config_name, array(select c.config_name from dba.importconfig c)), null, '23503');
  end if;
end
$$;
comment on function dba.require_importconfig(text) is 'Refuses the name of a config that there is not, with the nearest one.';

create function dba.check_default(value text, type text)
returns void
language plpgsql
stable
as $$
declare
  room constant integer := substring(type from '^character(?: varying)?\((\d+)\)$');
  is_rounded boolean;
begin
  -- An explicit cast would cut a text that is too long.
  if length(value) > room then
    perform dba.refuse(format('default_value "%s" is longer than %s', left(value, 100), type), 'Write a shorter one, or give type more room.');
  end if;
  if type ~ '^(date|time)' and value !~ '[0-9]' then
    perform dba.refuse(format('default_value "%s" is no %s', left(value, 100), type), 'Write the moment itself: 2026-01-31, 2026-01-31 06:20:00+01, 06:20. A column default of the target may say now().');
  end if;
  begin
    execute format(case when type like 'numeric(%' then 'select %L::%s <> %1$L::numeric' else 'select %L::%s is null' end, value, type) into is_rounded;
  exception when data_exception or check_violation or not_null_violation then
    perform dba.refuse(format('default_value "%s" is no %s', left(value, 100), type), 'Write it as Postgres writes the type, whatever format says: 1234.5, 2026-01-31, true.', sqlerrm);
  end;
  if is_rounded then
    perform dba.refuse(format('default_value "%s" has more decimals than %s', left(value, 100), type), 'Write it rounded, or give type more decimals.');
  end if;
end
$$;
comment on function dba.check_default(text, text) is 'Refuses a default that the type does not take.';

create table dba.importcheck (
  config_name  text         not null references dba.importconfig (config_name) on update cascade on delete cascade,
  check_name   text         not null,
  kind         text         not null,
  column_name  text,
  expression   text,
  allowed      text[],
  low          numeric,
  high         numeric,
  severity     text         not null default 'fail',
  is_active    boolean      not null default true,
  description  text,
  created_at   timestamptz  not null default clock_timestamp(),
  created_by   text         not null default session_user,
  updated_at   timestamptz  not null default clock_timestamp(),
  updated_by   text         not null default session_user,
  version      integer      not null default 1,
  primary key (config_name, check_name),
  constraint check_name_is_not_blank check (btrim(check_name) <> ''),
  constraint check_kind_is_known check (kind in ('min_rows', 'max_rows', 'rows_near_median', 'null_share', 'unique', 'allowed', 'expression')),
  constraint min_rows_stands_in_low check (kind <> 'min_rows' or low is not null and high is null),
  constraint max_rows_stands_in_high check (kind <> 'max_rows' or high is not null and low is null),
  constraint low_and_high_are_not_negative check (low >= 0 and low < 'infinity' and high >= 0 and high < 'infinity'),
  constraint low_is_not_above_high check (low <= high),
  constraint a_share_is_between_0_and_1 check (kind <> 'null_share' or coalesce(low, 0) <= 1 and coalesce(high, 0) <= 1),
  constraint rows_broken_is_a_whole_number_in_high check (kind <> 'expression' or low is null and (high is null or high = trunc(high))),
  constraint kind_takes_no_low_and_high check (kind not in ('unique', 'allowed') or low is null and high is null),
  constraint kind_needs_column_name check (kind not in ('null_share', 'unique', 'allowed') or btrim(coalesce(column_name, '')) <> ''),
  constraint only_kinds_of_one_column_take_column_name check (kind in ('null_share', 'unique', 'allowed') or column_name is null),
  constraint kind_allowed_needs_the_values check (kind <> 'allowed' or coalesce(cardinality(allowed), 0) > 0),
  constraint allowed_values_are_texts check (array_position(allowed, null) is null),
  constraint only_kind_allowed_takes_values check (kind = 'allowed' or allowed is null),
  constraint kind_expression_needs_an_expression check (kind <> 'expression' or btrim(coalesce(expression, '')) <> ''),
  constraint only_kind_expression_takes_an_expression check (kind = 'expression' or expression is null),
  constraint severity_is_warn_quarantine_or_fail check (severity in ('warn', 'quarantine', 'fail'))
);
comment on table dba.importcheck is 'What has to be true of the rows of a file before they come into force. insert into dba.importcheck (config_name, check_name, kind, low) values (''prices'', ''not too few'', ''min_rows'', 100);';
comment on column dba.importcheck.config_name is 'Row of dba.importconfig.';
comment on column dba.importcheck.check_name is 'Its name; stands in the reason of what it holds back.';
comment on column dba.importcheck.kind is 'min_rows (low), max_rows (high), rows_near_median (low and high times the median of the last good datasets, else 0.5 and 2), null_share (column_name; at most high of 1, else none; at least low), unique (column_name, or several joined by commas), allowed (column_name, allowed) or expression (expression).';
comment on column dba.importcheck.column_name is 'Column of the target.';
comment on column dba.importcheck.expression is 'SQL over the target''s columns. A condition for each row, broken where it is false: price > 0. Or a query over the rows of the file, whose one value must be true: select sum(price) > 0 from staging. It runs as rota_job.';
comment on column dba.importcheck.allowed is 'The values there may be, as text; null is one always: {EUR,USD}.';
comment on column dba.importcheck.low is 'Least: rows, times the median, share of nulls.';
comment on column dba.importcheck.high is 'Most: rows, times the median, share of nulls; for a condition: rows that may break it, else none.';
comment on column dba.importcheck.severity is 'fail (default: the file fails), quarantine (its rows are held back until update dba.dataset set state = ''active'' or ''deleted'') or warn (a line in the log).';
comment on column dba.importcheck.is_active is 'False: it is not looked at.';
comment on column dba.importcheck.description is 'What it is for.';
comment on constraint importcheck_config_name_fkey on dba.importcheck is 'Insert the config into dba.importconfig first.';
comment on constraint check_name_is_not_blank on dba.importcheck is 'Give it a name, for example not too few.';
comment on constraint check_kind_is_known on dba.importcheck is 'Write min_rows, max_rows, rows_near_median, null_share, unique, allowed or expression.';
comment on constraint min_rows_stands_in_low on dba.importcheck is 'Put the number of rows into low, and leave high empty.';
comment on constraint max_rows_stands_in_high on dba.importcheck is 'Put the number of rows into high, and leave low empty.';
comment on constraint low_and_high_are_not_negative on dba.importcheck is 'Write a number, 0 or more.';
comment on constraint low_is_not_above_high on dba.importcheck is 'Put the smaller number into low.';
comment on constraint a_share_is_between_0_and_1 on dba.importcheck is 'Write a share of 1: 0.05 for five percent.';
comment on constraint rows_broken_is_a_whole_number_in_high on dba.importcheck is 'Put how many rows may break it into high, or leave both empty for none. Bounds of a value belong into the expression.';
comment on constraint kind_takes_no_low_and_high on dba.importcheck is 'Leave low and high empty.';
comment on constraint kind_needs_column_name on dba.importcheck is 'Name the column in column_name.';
comment on constraint only_kinds_of_one_column_take_column_name on dba.importcheck is 'Leave column_name empty; an expression names its columns itself.';
comment on constraint kind_allowed_needs_the_values on dba.importcheck is 'Write the values: allowed = ''{EUR,USD}''.';
comment on constraint allowed_values_are_texts on dba.importcheck is 'Leave null out: an empty value is always allowed (see kind null_share). The word NULL is written in quotes: ''{EUR,"NULL"}''.';
comment on constraint only_kind_allowed_takes_values on dba.importcheck is 'Leave allowed empty, or write kind = ''allowed''.';
comment on constraint kind_expression_needs_an_expression on dba.importcheck is 'Write what is true of good rows: expression = ''price > 0''.';
comment on constraint only_kind_expression_takes_an_expression on dba.importcheck is 'Leave expression empty, or write kind = ''expression''.';
comment on constraint severity_is_warn_quarantine_or_fail on dba.importcheck is 'Write warn, quarantine or fail.';

create function dba.importcheck_rules()
returns trigger
language plpgsql
as $$
begin
  perform dba.require_importconfig(new.config_name);
  if new.kind = 'expression' and btrim(new.expression) <> '' and (tg_op = 'INSERT' or new.expression is distinct from old.expression) then
    perform dba.check_expression(new.expression);
  end if;
  return new;
end
$$;
comment on function dba.importcheck_rules() is 'BEFORE trigger of dba.importcheck: refuses in words what cannot be read.';
create trigger m_importcheck_rules before insert or update on dba.importcheck for each row when (current_user <> 'rota_worker') execute function dba.importcheck_rules();

select dba.adopt_people_table('importcolumn', 'config_name,column_name');
select dba.adopt_people_table('importcheck', 'config_name,check_name');

-- Another column or check is another version of the config.
create trigger importconfig_touched after insert or update or delete on dba.importcolumn for each row
  when (current_user not in ('rota_worker', 'rota_owner')) execute function dba.count_up_version('importconfig', 'config_name');
create trigger importconfig_touched after insert or update or delete on dba.importcheck for each row
  when (current_user not in ('rota_worker', 'rota_owner')) execute function dba.count_up_version('importconfig', 'config_name');
