-- Job inbox and its settings.

insert into dba.job (job, description, config_table) values
  ('inbox', 'Looks through a mailbox (IMAP, Gmail, or a folder of .eml files) by rules in order, saves attachments for import, and files the mails away.', 'inboxconfig');

create table dba.inboxconfig (
  config_name            text         primary key,
  is_active              boolean      not null default true,
  connection_name        text         not null references dba.connection (connection_name) on update cascade on delete restrict,
  folder                 text         not null default 'INBOX',
  wait_for               interval,
  rule_order             integer      not null default 100,
  sender_pattern         text,
  recipient_pattern      text,
  subject_pattern        text,
  body_pattern           text,
  has_attachment         boolean,
  attachment_pattern     text,
  attachment_types       text[],
  max_age                interval,
  max_size_bytes         bigint       default 104857600,
  save_to                text,
  import_config          text         references dba.importconfig (config_name) on update cascade on delete restrict,
  save_raw               boolean      not null default false,
  name_prefix            text,
  processed_action       text         not null default 'label',
  processed_label        text         not null default 'Processed',
  error_label            text         not null default 'ErrorFolder',
  stop_on_match          boolean      not null default true,
  allowed_senders        text[],
  require_authenticated  boolean      not null default false,
  authserv_id            text,
  blocked_types          text[]       not null default '{macro,executable,script,disk_image}',
  description            text,
  owner                  text,
  created_at             timestamptz  not null default clock_timestamp(),
  created_by             text         not null default session_user,
  updated_at             timestamptz  not null default clock_timestamp(),
  updated_by             text         not null default session_user,
  version                integer      not null default 1,

  constraint config_name_is_not_blank check (btrim(config_name) <> ''),
  constraint folder_is_not_blank check (btrim(folder) <> ''),
  constraint wait_for_is_between_1_second_and_25_minutes check (wait_for between '1 second' and '25 minutes'),
  constraint sender_pattern_can_be_read check (dba.check_regex(sender_pattern, 'sender_pattern') is not null or sender_pattern is null),
  constraint recipient_pattern_can_be_read check (dba.check_regex(recipient_pattern, 'recipient_pattern') is not null or recipient_pattern is null),
  constraint subject_pattern_can_be_read check (dba.check_regex(subject_pattern, 'subject_pattern') is not null or subject_pattern is null),
  constraint body_pattern_can_be_read check (dba.check_regex(body_pattern, 'body_pattern') is not null or body_pattern is null),
  constraint attachment_pattern_can_be_read check (dba.check_regex(attachment_pattern, 'attachment_pattern') is not null or attachment_pattern is null),
  constraint regular_expressions_mean_the_same_everywhere check (
    concat_ws(' ', sender_pattern, recipient_pattern, subject_pattern, body_pattern, attachment_pattern) !~ '\[\[[:.=]|\\[mMyYAZ]|\(\?(?!:|=|!|<=|<!)|(^| )\*\*\*'),
  constraint a_rule_says_which_mails_it_means check (
    num_nonnulls(sender_pattern, recipient_pattern, subject_pattern, body_pattern, attachment_pattern, allowed_senders) > 0),
  constraint attachment_types_are_texts check (cardinality(attachment_types) > 0 and array_position(attachment_types, null) is null),
  constraint max_age_is_positive check (max_age > '0'),
  constraint max_size_bytes_is_positive check (max_size_bytes > 0),
  constraint a_rule_has_one_place_for_its_files check (save_to is null or import_config is null),
  constraint a_rule_that_saves_has_a_place check (save_to is not null or import_config is not null),
  constraint save_to_is_not_blank check (btrim(save_to) <> '' and save_to !~ '[[:cntrl:]]'),
  constraint name_prefix_is_part_of_a_name check (name_prefix !~ '[/\\[:cntrl:]]' and btrim(name_prefix) <> ''),
  constraint name_prefix_holds_known_words check (regexp_replace(name_prefix, '\{(date|timestamp|message_date|sender|uid)\}', '', 'g') !~ '[{}]'),
  constraint processed_action_is_label_move_flag_mark_read_or_leave check (processed_action in ('label', 'move', 'flag', 'mark_read', 'leave')),
  constraint labels_are_not_blank check (btrim(processed_label) <> '' and btrim(error_label) <> ''),
  constraint the_two_labels_differ check (lower(processed_label) <> lower(error_label)),
  constraint allowed_senders_are_addresses_or_domains check (array_position(allowed_senders, null) is null and array_to_string(allowed_senders, chr(10)) ~ '^([^@[:space:]]*@?[^@[:space:]]+(\n|$))+$'),
  constraint whom_to_believe_is_named check (not require_authenticated or authserv_id is not null),
  constraint blocked_types_are_groups_or_endings check (array_position(blocked_types, null) is null and array_to_string(blocked_types, chr(10)) ~ '^([a-z0-9_-]{1,30}(\n|$))*$')
);

comment on table dba.inboxconfig is 'Rules of job inbox: which mails of a mailbox are taken, what is saved of them, and where they go. The rules of one connection and folder are tried in rule_order; mails that none of them matches are left alone. Least: insert into dba.inboxconfig (config_name, connection_name, subject_pattern, import_config) values (''price mails'', ''office'', ''^Daily prices'', ''prices'');';
comment on column dba.inboxconfig.config_name is 'Its name; dba.scheduler.config_name refers to it. A run looks with all active rules of the same connection and folder, in order.';
comment on column dba.inboxconfig.is_active is 'False: the rule is left out, and fires of its schedules are skipped.';
comment on column dba.inboxconfig.connection_name is 'Row of dba.connection of kind imap, gmail or folder (a folder of .eml files).';
comment on column dba.inboxconfig.folder is 'Folder or label of the mailbox: INBOX, or Feeds/Prices.';
comment on column dba.inboxconfig.wait_for is 'A run of this rule stays connected for so long after it has looked, and takes new mail the moment the IMAP server tells of it: 4 minutes with cron @every 5m leaves hardly a gap. The run takes up one place of its worker meanwhile. Null (default): it looks once; the schedule says how often. Only for connections of kind imap.';
comment on column dba.inboxconfig.rule_order is 'Smaller numbers are tried first, then by name.';
comment on column dba.inboxconfig.sender_pattern is 'Regular expression on the sender''s address and name, upper or lower case: @example[.]com$.';
comment on column dba.inboxconfig.recipient_pattern is 'Regular expression on any of the recipients (to, cc, delivered-to).';
comment on column dba.inboxconfig.subject_pattern is 'Regular expression on the subject: ^Daily prices.';
comment on column dba.inboxconfig.body_pattern is 'Regular expression on the text of the mail, its first 256 KB.';
comment on column dba.inboxconfig.has_attachment is 'True: only mails with a file; false: only those without. Null: either.';
comment on column dba.inboxconfig.attachment_pattern is 'Regular expression on the name of a file; only those that match are saved, and a mail without one does not match: [.](csv|xlsx)$. Null: all but the pictures within the text.';
comment on column dba.inboxconfig.attachment_types is 'Only files of these endings or media types: {csv,application/zip,image/*}. Null: any.';
comment on column dba.inboxconfig.max_age is 'Older mails are left alone: 7 days. Null: of any age.';
comment on column dba.inboxconfig.max_size_bytes is 'A mail with a larger file that would be saved goes under error_label instead: 104857600 (100 MB). Null: no limit.';
comment on column dba.inboxconfig.save_to is 'Folder for the files: absolute, or relative to the data folder. Or give import_config.';
comment on column dba.inboxconfig.import_config is 'Row of dba.importconfig whose source folder gets the files.';
comment on column dba.inboxconfig.save_raw is 'True: the whole mail is saved as .eml too.';
comment on column dba.inboxconfig.name_prefix is 'Put before the names of the files: {date}_ (20261122, today in the zone of the schedule), {timestamp}_ (20261122T061500), {message_date}_ (when it was received), {sender}_, {uid}_. Null: nothing; a name that is taken gets a number.';
comment on column dba.inboxconfig.processed_action is 'What becomes of a mail once its files are safe: label (default; with Gmail it stays in the folder too, elsewhere it is moved), move, flag (a star; it stays unread where it is), mark_read, or leave: then the mailbox is not touched at all, whatever happens. Where several rules take a mail (stop_on_match = false), the strongest is carried out, once: move before label, flag, mark_read, leave; of equals that of the first rule, with its processed_label. A connection that is_read_only leaves all mails as they are.';
comment on column dba.inboxconfig.processed_label is 'Label or folder of mails that were dealt with; made when missing.';
comment on column dba.inboxconfig.error_label is 'Label or folder of mails that matched and were refused: not trusted, blocked, too large; made when missing.';
comment on column dba.inboxconfig.stop_on_match is 'True: later rules do not look at a mail that this one took. False: each that matches saves its files too; what becomes of the mail then, see processed_action.';
comment on column dba.inboxconfig.allowed_senders is 'Addresses and domains whose mails may be taken: {boss@example.com,example.org}. Others that match go under error_label. Null: anybody''s.';
comment on column dba.inboxconfig.require_authenticated is 'True: only mails whose sender the receiving server has verified (DMARC, or DKIM or SPF of the sender''s domain).';
comment on column dba.inboxconfig.authserv_id is 'Name by which the receiving server signs its verdict in Authentication-Results: mx.google.com. Headers of others are not believed. * means the topmost one, for servers that write no name and take foreign ones out, as Microsoft 365 does.';
comment on column dba.inboxconfig.blocked_types is 'Files that are never saved; a mail with one among those that attachment_pattern and attachment_types would save goes under error_label. The groups macro, executable, script and disk_image are known by name and by content, also within archives in archives (three deep; what lies deeper, or has more than 256 MB, is refused); endings (zip, html) by name. Default: the four groups.';
comment on column dba.inboxconfig.description is 'What these mails are and who sends them.';
comment on column dba.inboxconfig.owner is 'Who answers for it.';

comment on constraint inboxconfig_connection_name_fkey on dba.inboxconfig is 'Insert the connection into dba.connection first.';
comment on constraint inboxconfig_import_config_fkey on dba.inboxconfig is 'Insert the config into dba.importconfig first.';
comment on constraint config_name_is_not_blank on dba.inboxconfig is 'Give it a name, for example price mails.';
comment on constraint folder_is_not_blank on dba.inboxconfig is 'Write INBOX, or the name of another folder or label.';
comment on constraint wait_for_is_between_1_second_and_25_minutes on dba.inboxconfig is 'Write for example 4 minutes, or null.';
comment on constraint sender_pattern_can_be_read on dba.inboxconfig is 'Write a regular expression, for example @example[.]com$.';
comment on constraint recipient_pattern_can_be_read on dba.inboxconfig is 'Write a regular expression, for example ^feeds@.';
comment on constraint subject_pattern_can_be_read on dba.inboxconfig is 'Write a regular expression, for example ^Daily prices.';
comment on constraint body_pattern_can_be_read on dba.inboxconfig is 'Write a regular expression, for example settlement.';
comment on constraint attachment_pattern_can_be_read on dba.inboxconfig is 'Write a regular expression, for example [.]csv$.';
comment on constraint regular_expressions_mean_the_same_everywhere on dba.inboxconfig is 'Classes as [[:alpha:]], the escapes \m \M \y \Y \A \Z and options as (?i) are Postgres''s alone, and the workers read these expressions; upper and lower case are the same anyway.';
comment on constraint a_rule_says_which_mails_it_means on dba.inboxconfig is 'Give at least one of sender_pattern, recipient_pattern, subject_pattern, body_pattern, attachment_pattern, allowed_senders; . means any.';
comment on constraint attachment_types_are_texts on dba.inboxconfig is 'Write endings or media types such as ''{csv,application/zip}'', or null for any.';
comment on constraint max_age_is_positive on dba.inboxconfig is 'Write for example 7 days, or null.';
comment on constraint max_size_bytes_is_positive on dba.inboxconfig is 'Write bytes, for example 104857600, or null for no limit.';
comment on constraint a_rule_has_one_place_for_its_files on dba.inboxconfig is 'Give save_to or import_config, not both.';
comment on constraint a_rule_that_saves_has_a_place on dba.inboxconfig is 'Name import_config, or a folder in save_to: inbox/prices.';
comment on constraint save_to_is_not_blank on dba.inboxconfig is 'Write a folder: inbox/prices is below the data folder, /srv/prices is absolute.';
comment on constraint name_prefix_is_part_of_a_name on dba.inboxconfig is 'Write it without slashes, for example {date}_.';
comment on constraint name_prefix_holds_known_words on dba.inboxconfig is 'Between braces: date, timestamp, message_date, sender or uid.';
comment on constraint processed_action_is_label_move_flag_mark_read_or_leave on dba.inboxconfig is 'Write label, move, flag, mark_read or leave.';
comment on constraint labels_are_not_blank on dba.inboxconfig is 'Write the name of a label or folder, for example Processed.';
comment on constraint the_two_labels_differ on dba.inboxconfig is 'Mails that failed must not lie among those that were dealt with: give error_label another name.';
comment on constraint allowed_senders_are_addresses_or_domains on dba.inboxconfig is 'Write addresses or domains: ''{boss@example.com,example.org}''.';
comment on constraint whom_to_believe_is_named on dba.inboxconfig is 'Write into authserv_id the receiving server''s name as its Authentication-Results header begins: mx.google.com, or * for Microsoft 365.';
comment on constraint blocked_types_are_groups_or_endings on dba.inboxconfig is 'Write the groups macro, executable, script, disk_image, or endings in lower case without dot: ''{macro,executable,zip}''; ''{}'' blocks nothing.';

create function dba.inboxconfig_rules()
returns trigger
language plpgsql
as $$
declare
  kind_found text;
begin
  perform dba.check_regex(new.sender_pattern, 'sender_pattern');
  perform dba.check_regex(new.recipient_pattern, 'recipient_pattern');
  perform dba.check_regex(new.subject_pattern, 'subject_pattern');
  perform dba.check_regex(new.body_pattern, 'body_pattern');
  perform dba.check_regex(new.attachment_pattern, 'attachment_pattern');
  if new.import_config is not null then
    perform dba.require_importconfig(new.import_config);
  end if;
  if new.connection_name is not null then
    select kind into kind_found from dba.connection where connection_name = new.connection_name;
    if coalesce(kind_found not in ('imap', 'gmail', 'folder'), true) then
      perform dba.refuse(
        case when kind_found is null then format('no connection "%s"', new.connection_name) else format('connection "%s" is of kind %s', new.connection_name, kind_found) end,
        'Job inbox takes a connection of kind imap, gmail or folder. ' || dba.known_names_hint(new.connection_name, array(select connection_name from dba.connection where kind in ('imap', 'gmail', 'folder'))), null, '23503');
    end if;
    if new.wait_for is not null and kind_found <> 'imap' then
      perform dba.refuse(format('connection "%s" is of kind %s, which tells nobody of new mail', new.connection_name, kind_found), 'Write null into wait_for, and let the schedule look often: cron @every 1m.');
    end if;
  end if;
  return new;
end
$$;
comment on function dba.inboxconfig_rules() is 'BEFORE trigger of dba.inboxconfig: refuses unreadable patterns and unknown names.';
create trigger m_inboxconfig_rules before insert or update on dba.inboxconfig for each row when (current_user <> 'rota_worker') execute function dba.inboxconfig_rules();

select dba.adopt_config_table('inbox');

create function dba.inbox_rules(of_connection text, of_folder text, but_not text default null)
returns setof jsonb
language sql
stable
as $$
  select dba.present_settings('inbox', c.config_name)
  from dba.inboxconfig c
  where c.connection_name = of_connection and c.folder = of_folder and c.is_active and c.config_name is distinct from but_not
  order by c.rule_order, c.config_name
$$;
comment on function dba.inbox_rules(text, text, text) is 'The active rules of a folder, in the order in which they are asked: select dba.inbox_rules(''office'', ''INBOX'').';
