-- What is read from a page, and what tells in which state it is.

create table dba.scrapefield (
  config_name    text         not null references dba.scrapeconfig (config_name) on update cascade on delete cascade,
  column_name    text         not null,
  position       integer,
  headers        text[],
  selector       text,
  attribute      text,
  pattern        text,
  page_text      boolean      not null default false,
  page_fact      text,
  is_count       boolean      not null default false,
  type           text         not null default 'text',
  format         text,
  transform      text,
  is_required    boolean      not null default false,
  default_value  text,
  null_tokens    text[],
  skip_when      text,
  state_word     text,
  status_codes   integer[],
  description    text,
  created_at     timestamptz  not null default clock_timestamp(),
  created_by     text         not null default session_user,
  updated_at     timestamptz  not null default clock_timestamp(),
  updated_by     text         not null default session_user,
  version        integer      not null default 1,
  primary key (config_name, column_name),
  constraint column_name_is_a_name_that_a_column_can_have check (dba.are_column_names(array[column_name])),
  constraint headers_are_texts check (cardinality(headers) > 0 and array_position(headers, null) is null),
  constraint selector_is_not_blank check (btrim(selector) <> ''),
  constraint attribute_is_a_name check (attribute ~ '^[A-Za-z_][-A-Za-z0-9_:.]*$'),
  constraint attribute_is_of_what_a_selector_finds check (attribute is null or selector is not null or headers is not null),
  constraint pattern_can_be_read check (dba.check_regex(pattern, 'pattern') is not null or pattern is null),
  constraint skip_when_can_be_read check (dba.check_regex(skip_when, 'skip_when') is not null or skip_when is null),
  constraint regular_expressions_mean_the_same_everywhere check (concat_ws(' ', pattern, skip_when) !~ '\[\[[:.=]|\\[mMyYAZ]|\(\?(?!:|=|!|<=|<!)|(^| )\*\*\*'),
  constraint what_is_counted_has_a_selector check (not is_count or selector is not null),
  constraint the_text_of_the_page_has_no_selector check (not page_text or (selector is null and headers is null)),
  constraint page_fact_is_known check (page_fact in ('id', 'url', 'final_url', 'status_code', 'state', 'title', 'row_count', 'fetched_at')),
  constraint a_fact_of_the_page_is_read_nowhere_else check (page_fact is null or coalesce(selector, pattern, state_word) is null and headers is null and not page_text and not is_count),
  constraint type_is_not_blank check (btrim(type) <> ''),
  constraint format_fits_the_type check (dba.check_format(format, type) is not null or format is null),
  constraint transform_can_be_read check (dba.check_transform(transform) is not null or transform is null),
  constraint null_tokens_are_texts check (array_position(null_tokens, null) is null),
  constraint state_word_is_a_word check (state_word ~ '^[[:alpha:]][[:alnum:]_]{0,39}$'),
  constraint a_state_is_told_by_something check (state_word is null or selector is not null or page_text and pattern is not null or status_codes is not null)
);
comment on table dba.scrapefield is 'What is read from a page of dba.scrapeconfig: a row is a column of the target, or with state_word a rule that says what state the page is in. Least: insert into dba.scrapefield (config_name, column_name, selector) values (''rates'', ''currency'', ''td:nth-child(1)'');';
comment on column dba.scrapefield.config_name is 'Row of dba.scrapeconfig.';
comment on column dba.scrapefield.column_name is 'Column of the target; of a rule with state_word just its name. What Rota knows of the page by itself has the names of page_fact: a row with such a name and nothing else puts it into the target.';
comment on column dba.scrapefield.position is 'Order of the columns in a new table, and of the rules: the first that matches says the state. Null: after the numbered ones, by name.';
comment on column dba.scrapefield.headers is 'In a table with a header row: the cell below the first of these headers that the table has, upper or lower case: {company name,organization}; #1 is the first cell whatever its header.';
comment on column dba.scrapefield.selector is 'CSS selector within the row (with row_selector) or the page; the first that it finds. Prefix page: looks in the whole page: page: h1.';
comment on column dba.scrapefield.attribute is 'Attribute that is read: href. Addresses become absolute. Null: the text.';
comment on column dba.scrapefield.pattern is 'Regular expression on what was found; its first group is the value, or the whole match. No match: null.';
comment on column dba.scrapefield.page_text is 'True: pattern looks at all visible text of the page.';
comment on column dba.scrapefield.page_fact is 'What Rota itself knows of the page, put under column_name: id, url, final_url (after redirects), status_code, state, title, row_count or fetched_at. Null: what column_name says, where it is one of these words and nothing else is given.';
comment on column dba.scrapefield.is_count is 'True: the value is how many elements the selector finds; where a page is one row.';
comment on column dba.scrapefield.type is 'Type of Postgres: text (default), integer, numeric(12,2), date, timestamptz, boolean …';
comment on column dba.scrapefield.format is 'How the page writes it, as in dba.importcolumn: 1.234,56 or d MMM yyyy.';
comment on column dba.scrapefield.transform is 'Steps before all else, joined by |, as in dba.importcolumn: trim | upper | regexp_replace(/[*]+/g, "").';
comment on column dba.scrapefield.is_required is 'True: a row without a value is refused.';
comment on column dba.scrapefield.default_value is 'What stands in for null, written as Postgres writes the type.';
comment on column dba.scrapefield.null_tokens is 'Texts that mean null: {N/A,-}.';
comment on column dba.scrapefield.skip_when is 'Regular expression: a row whose value matches is left out: ^[*][*] KOL|^$.';
comment on column dba.scrapefield.state_word is 'Makes this row a rule: a page that it matches is in this state: Invalid.';
comment on column dba.scrapefield.status_codes is 'Of a rule: it matches pages answered with one of these codes: {403}.';
comment on column dba.scrapefield.description is 'What it is.';
comment on constraint scrapefield_config_name_fkey on dba.scrapefield is 'Insert the config into dba.scrapeconfig first.';
comment on constraint column_name_is_a_name_that_a_column_can_have on dba.scrapefield is 'Write the name of the target''s column, 1 to 63 bytes, without blanks at its ends.';
comment on constraint headers_are_texts on dba.scrapefield is 'Write the headers of the table on the page: ''{company name,organization}''; null: selector says where.';
comment on constraint selector_is_not_blank on dba.scrapefield is 'Write a CSS selector, for example td:nth-child(2), or null.';
comment on constraint attribute_is_a_name on dba.scrapefield is 'Write the name of an attribute, for example href.';
comment on constraint attribute_is_of_what_a_selector_finds on dba.scrapefield is 'Write the selector of the element that carries the attribute.';
comment on constraint pattern_can_be_read on dba.scrapefield is 'Write a regular expression, for example Event ([0-9]+).';
comment on constraint skip_when_can_be_read on dba.scrapefield is 'Write a regular expression, for example ^Total.';
comment on constraint regular_expressions_mean_the_same_everywhere on dba.scrapefield is 'Classes as [[:alpha:]], the escapes \m \M \y \Y \A \Z and options as (?i) are Postgres''s alone, and the workers read these expressions. Write [A-Za-z], \b, [Aa].';
comment on constraint what_is_counted_has_a_selector on dba.scrapefield is 'Write the selector of what is counted.';
comment on constraint the_text_of_the_page_has_no_selector on dba.scrapefield is 'Set page_text = false, or take selector and headers out.';
comment on constraint page_fact_is_known on dba.scrapefield is 'Write id, url, final_url, status_code, state, title, row_count or fetched_at; or null.';
comment on constraint a_fact_of_the_page_is_read_nowhere_else on dba.scrapefield is 'Leave selector, headers, pattern, page_text, is_count and state_word out; transform may change the value.';
comment on constraint type_is_not_blank on dba.scrapefield is 'Write text, or another type of Postgres.';
comment on constraint format_fits_the_type on dba.scrapefield is 'Write a format for numbers, dates, times or true and false that fits type; or leave it empty.';
comment on constraint transform_can_be_read on dba.scrapefield is 'Join steps by |: trim | upper.';
comment on constraint null_tokens_are_texts on dba.scrapefield is 'Write texts: ''{N/A,-}''.';
comment on constraint state_word_is_a_word on dba.scrapefield is 'Write one word: Active, Empty, Invalid, AccessDenied.';
comment on constraint a_state_is_told_by_something on dba.scrapefield is 'Give the rule a selector, or page_text = true with a pattern, or status_codes.';

create function dba.scrapefield_rules()
returns trigger
language plpgsql
as $$
begin
  if new.config_name is not null and not exists (select from dba.scrapeconfig c where c.config_name = new.config_name) then
    perform dba.refuse(format('no config "%s" in dba.scrapeconfig', new.config_name),
      dba.known_names_hint(new.config_name, array(select c.config_name from dba.scrapeconfig c)), null, '23503');
  end if;
  if new.state_word is null and new.column_name = (select c.dataset_column from dba.scrapeconfig c where c.config_name = new.config_name) then
    perform dba.refuse(format('column "%s" is filled by Rota with the number of the dataset', new.column_name),
      'Give the field another name, or set dataset_column in dba.scrapeconfig.');
  end if;
  perform dba.check_regex(new.pattern, 'pattern');
  perform dba.check_regex(new.skip_when, 'skip_when');
  if new.type is not null and btrim(new.type) <> '' then
    new.type := dba.known_type(new.type);
    perform dba.check_format(new.format, new.type);
    perform dba.check_transform(new.transform);
    if new.default_value is not null then
      perform dba.check_default(new.default_value, new.type);
    end if;
  end if;
  return new;
end
$$;
comment on function dba.scrapefield_rules() is 'BEFORE trigger of dba.scrapefield: the type as Postgres calls it; refuses in words what cannot be read.';
create trigger m_scrapefield_rules before insert or update on dba.scrapefield for each row when (current_user <> 'rota_worker') execute function dba.scrapefield_rules();

select dba.adopt_people_table('scrapefield', 'config_name,column_name');

-- Another field is another version of the config.
create trigger scrapeconfig_touched after insert or update or delete on dba.scrapefield for each row
  when (current_user not in ('rota_worker', 'rota_owner')) execute function dba.count_up_version('scrapeconfig', 'config_name');
