-- What stands in a report, and who gets it besides the lists of its own row.

create table dba.reportquery (
  config_name  text         not null references dba.reportconfig (config_name) on update cascade on delete cascade,
  query_name   text         not null,
  query_text   text         not null,
  shown_as     text         not null default 'table',
  title        text,
  file_name    text,
  position     integer,
  max_rows     integer,
  change_keys  text[],
  description  text,
  created_at   timestamptz  not null default clock_timestamp(),
  created_by   text         not null default session_user,
  updated_at   timestamptz  not null default clock_timestamp(),
  updated_by   text         not null default session_user,
  version      integer      not null default 1,
  primary key (config_name, query_name),
  constraint query_name_is_a_plain_name check (query_name ~ '^[A-Za-z][A-Za-z0-9_]{0,62}$' and lower(query_name) not in ('timestamp', 'date')),
  constraint query_text_is_not_blank check (btrim(query_text) <> ''),
  constraint shown_as_is_known check (shown_as in ('table', 'value', 'line_chart', 'bar_chart', 'sparkline', 'csv', 'xlsx', 'json', 'pdf')),
  constraint title_is_one_line check (btrim(title) <> '' and title !~ '[[:cntrl:]]'),
  constraint only_a_file_has_a_file_name check (file_name is null or shown_as in ('csv', 'xlsx', 'json', 'pdf')),
  constraint file_name_is_a_name check (file_name !~ '[/\\[:cntrl:]]' and btrim(file_name) <> ''),
  constraint max_rows_is_positive check (max_rows > 0),
  constraint change_keys_are_names_of_columns check (cardinality(change_keys) > 0 and array_position(change_keys, null) is null),
  constraint changes_are_those_of_a_table check (change_keys is null or shown_as = 'table')
);
comment on table dba.reportquery is 'The queries of a report, one row each: insert into dba.reportquery (config_name, query_name, query_text) values (''open orders'', ''orders'', ''select * from feeds.order where open''); its place in body_html is {{orders}}.';
comment on column dba.reportquery.config_name is 'Row of dba.reportconfig.';
comment on column dba.reportquery.query_name is 'Its name in {{…}}: letters, digits, underscores.';
comment on column dba.reportquery.query_text is 'One SELECT. It runs as rota_query in a read-only transaction. :column is the value of that column of recipient_query; :as_of is the moment of the fire (timestamptz).';
comment on column dba.reportquery.shown_as is 'In the mail: table (default), value (one value within the text), line_chart, bar_chart, sparkline (first column along the axis, each further number one line). Attached: csv, xlsx, json, pdf.';
comment on column dba.reportquery.title is 'Heading of the table or chart, or name of the sheet. Null: the name, save for a table at a place of its own.';
comment on column dba.reportquery.file_name is 'Name of the attached file: orders_{date}.xlsx. Null: {query_name}_{timestamp} with the ending of its kind.';
comment on column dba.reportquery.position is 'Order of tables and files. Null: after the numbered ones, by name.';
comment on column dba.reportquery.max_rows is 'Most rows; the mail says how many there are in all. Null: max_rows_inline of the report for a table, 5000 for a chart or pdf, 1,000,000 for other files.';
comment on column dba.reportquery.change_keys is 'Columns that tell a row of a table again: {order_id}. Below the table then stands what was added, removed and changed since the last mail that this recipient got.';
comment on column dba.reportquery.description is 'What it answers.';
comment on constraint reportquery_config_name_fkey on dba.reportquery is 'Insert the report into dba.reportconfig first.';
comment on constraint query_name_is_a_plain_name on dba.reportquery is 'Write letters, digits and underscores, beginning with a letter: open_orders. timestamp and date are Rota''s own.';
comment on constraint query_text_is_not_blank on dba.reportquery is 'Write a SELECT.';
comment on constraint shown_as_is_known on dba.reportquery is 'Write table, value, line_chart, bar_chart, sparkline, csv, xlsx, json or pdf.';
comment on constraint title_is_one_line on dba.reportquery is 'Write it on one line, or null.';
comment on constraint only_a_file_has_a_file_name on dba.reportquery is 'Set shown_as to csv, xlsx, json or pdf, or take file_name out.';
comment on constraint file_name_is_a_name on dba.reportquery is 'Write a name without folder: orders_{date}.xlsx.';
comment on constraint max_rows_is_positive on dba.reportquery is 'Write 1 or more, or null.';
comment on constraint change_keys_are_names_of_columns on dba.reportquery is 'Write columns of the query: ''{order_id}''.';
comment on constraint changes_are_those_of_a_table on dba.reportquery is 'Set shown_as = ''table'', or take change_keys out.';

create table dba.reportrecipient (
  config_name  text         not null references dba.reportconfig (config_name) on update cascade on delete cascade,
  address      text         not null,
  kind         text         not null default 'to',
  is_active    boolean      not null default true,
  description  text,
  created_at   timestamptz  not null default clock_timestamp(),
  created_by   text         not null default session_user,
  updated_at   timestamptz  not null default clock_timestamp(),
  updated_by   text         not null default session_user,
  version      integer      not null default 1,
  primary key (config_name, address),
  constraint address_is_a_mail_address check (dba.is_mail_address(address)),
  constraint kind_is_to_cc_or_bcc check (kind in ('to', 'cc', 'bcc'))
);
comment on table dba.reportrecipient is 'People who get a report, beside the lists of its own row: insert into dba.reportrecipient (config_name, address) values (''open orders'', ''ann@example.com'').';
comment on column dba.reportrecipient.config_name is 'Row of dba.reportconfig.';
comment on column dba.reportrecipient.address is 'Address: ann@example.com, or "Ann A" <ann@example.com>.';
comment on column dba.reportrecipient.kind is 'to (default), cc (a copy that all see) or bcc (one that nobody sees).';
comment on column dba.reportrecipient.is_active is 'False: gets none for now.';
comment on column dba.reportrecipient.description is 'Who it is.';
comment on constraint reportrecipient_config_name_fkey on dba.reportrecipient is 'Insert the report into dba.reportconfig first.';
comment on constraint address_is_a_mail_address on dba.reportrecipient is 'Write one address: ann@example.com.';
comment on constraint kind_is_to_cc_or_bcc on dba.reportrecipient is 'Write to, cc or bcc.';

create function dba.reportpart_rules()
returns trigger
language plpgsql
as $$
declare
  report dba.reportconfig;
begin
  select * into report from dba.reportconfig c where c.config_name = new.config_name;
  if not found and new.config_name is not null then
    perform dba.refuse(format('no config "%s" in dba.reportconfig', new.config_name),
      dba.known_names_hint(new.config_name, array(select c.config_name from dba.reportconfig c)), null, '23503');
  end if;
  if tg_table_name = 'reportrecipient' and report.allowed_domains is not null
    and lower(substring(to_jsonb(new) ->> 'address' from '@([^@> ]+)>?\s*$')) <> all (report.allowed_domains) then
    perform dba.refuse(format('recipient "%s" is outside allowed_domains of the report', to_jsonb(new) ->> 'address'),
      'Add the domain to allowed_domains in dba.reportconfig, or take another address.');
  end if;
  return new;
end
$$;
comment on function dba.reportpart_rules() is 'BEFORE trigger of dba.reportquery and dba.reportrecipient: the report must be there, and its domains count.';
create trigger m_reportquery_rules before insert or update on dba.reportquery for each row when (current_user <> 'rota_worker') execute function dba.reportpart_rules();
create trigger m_reportrecipient_rules before insert or update on dba.reportrecipient for each row when (current_user <> 'rota_worker') execute function dba.reportpart_rules();

select dba.adopt_people_table('reportquery', 'config_name,query_name');
select dba.adopt_people_table('reportrecipient', 'config_name,address');

create trigger reportconfig_touched after insert or update or delete on dba.reportquery for each row
  when (current_user not in ('rota_worker', 'rota_owner')) execute function dba.count_up_version('reportconfig', 'config_name');
create trigger reportconfig_touched after insert or update or delete on dba.reportrecipient for each row
  when (current_user not in ('rota_worker', 'rota_owner')) execute function dba.count_up_version('reportconfig', 'config_name');
