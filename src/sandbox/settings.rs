//! Settings of the sandbox from a file: what it keeps, how long, and what it does where nobody knows.

use super::reading::{Mistake, Reading, Table};
use super::service::{Deletions, InProgress, LegOrder, Options, Rounding, Spelling, TimeStyle, Unknowns};
use std::time::Duration;

impl Options {
    /// Reads settings from TOML; what the text does not say stays as it is by default.
    ///
    /// # Errors
    /// All mistakes of the text with their places.
    pub fn parse(text: &str) -> Result<Options, Vec<Mistake>> {
        let reading = Reading::new(text);
        let parsed = reading.parse();
        let top = Table::new("the settings file", 0..0, parsed.get_ref(), &reading);
        let mut options = Options::default();
        read_options(&mut options, &top);
        if let Some(table) = top.table("unknowns") {
            read_unknowns(&mut options.unknowns, &table);
            table.finish();
        }
        top.finish();
        reading.finish(options)
    }
}

/// Puts a value in its place where one is given.
fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn read_options(options: &mut Options, top: &Table<'_, '_>) {
    let real_time = |key| top.span(key).and_then(|span| span.to_std().ok());
    put(&mut options.rate_window, real_time("rate_window").map(|window| window.max(Duration::from_secs(1))));
    put(&mut options.limits_lifted, top.flag("limits_lifted"));
    put(&mut options.token_life, real_time("token_life"));
    let size = top.integer("per_page_at_most", 1, 1000).and_then(|size| usize::try_from(size).ok());
    put(&mut options.per_page_at_most, size);
    let numbers = top.texts("refused_mailboxes");
    let numbers = numbers.map(|numbers| numbers.into_iter().map(|number| number.value).collect());
    put(&mut options.refused_mailboxes, numbers);
    put(&mut options.advertised_origin, top.text("advertised_origin").map(|text| Some(text.value)));
    put(&mut options.sent_fax_retention, top.span_or_none("sent_fax_retention"));
    put(&mut options.call_log_retention, top.span_or_none("call_log_retention"));
    put(&mut options.texts_per_folder, top.count_or_none("texts_per_folder"));
    put(&mut options.sync_token_life, top.span_or_none("sync_token_life"));
}

const DELETIONS: [(&str, Deletions); 4] = [
    ("marked", Deletions::Marked),
    ("stub", Deletions::Stub),
    ("bare", Deletions::Bare),
    ("absent", Deletions::Absent),
];

fn read_unknowns(unknowns: &mut Unknowns, table: &Table<'_, '_>) {
    let flags: [(&'static str, &mut bool); 20] = [
        ("date_to_inclusive", &mut unknowns.date_to_inclusive),
        ("cut_request_times", &mut unknowns.cut_request_times),
        ("dates_are_local", &mut unknowns.dates_are_local),
        ("internal_sides", &mut unknowns.internal_sides),
        ("list_marks_deleted", &mut unknowns.list_marks_deleted),
        ("extension_ids_differ", &mut unknowns.extension_ids_differ),
        ("trim_pages", &mut unknowns.trim_pages),
        ("simple_last_modified", &mut unknowns.simple_last_modified),
        ("simple_billing", &mut unknowns.simple_billing),
        ("simple_extension", &mut unknowns.simple_extension),
        ("finished_absent", &mut unknowns.finished_absent),
        ("message_ids_are_text", &mut unknowns.message_ids_are_text),
        ("segments_absent", &mut unknowns.segments_absent),
        ("queued_pages_absent", &mut unknowns.queued_pages_absent),
        ("cover_is_a_page", &mut unknowns.cover_is_a_page),
        ("deleted_messages_gone", &mut unknowns.deleted_messages_gone),
        ("extract_page_reversed", &mut unknowns.extract_page_reversed),
        ("record_count_refused", &mut unknowns.record_count_refused),
        ("active_filters_ignored", &mut unknowns.active_filters_ignored),
        ("queues_need_owner", &mut unknowns.queues_need_owner),
    ];
    for (key, place) in flags {
        put(place, table.flag(key));
    }
    put(&mut unknowns.members_see_shared, table.flag("members_see_shared"));
    put(&mut unknowns.widest_window, table.span_or_none("widest_window"));
    put(&mut unknowns.extract_history, table.span_or_none("extract_history"));
    put(&mut unknowns.sync_history, table.span_or_none("sync_history"));
    put(&mut unknowns.message_sync_span, table.span("message_sync_span"));
    put(&mut unknowns.extract_isync_count, table.count_or_none("extract_isync_count"));
    put(&mut unknowns.extract_deletions, table.word("extract_deletions", &DELETIONS));
    put(&mut unknowns.sync_deletions, table.word("sync_deletions", &DELETIONS));
    let words = [("some", InProgress::Some), ("never", InProgress::Never), ("always", InProgress::Always)];
    put(&mut unknowns.in_progress, table.word("in_progress", &words));
    let words = [("executed", LegOrder::Executed), ("most-recent-first", LegOrder::MostRecentFirst)];
    put(&mut unknowns.leg_order, table.word("leg_order", &words));
    let words = [("nearest", Rounding::Nearest), ("up", Rounding::Up), ("down", Rounding::Down)];
    put(&mut unknowns.duration_rounding, table.word("duration_rounding", &words));
    let words = [("zulu", TimeStyle::Zulu), ("offset", TimeStyle::Offset)];
    put(&mut unknowns.time_style, table.word("time_style", &words));
    let words = [("published", Spelling::Published), ("varied", Spelling::Varied)];
    put(&mut unknowns.result_spelling, table.word("result_spelling", &words));
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("README.md");

    fn manual() -> &'static str {
        let section = PAGE.split_once("\n## Settings\n").expect("the section").1;
        section.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block")
    }

    #[test]
    fn the_manual_shows_every_setting_with_its_default() {
        let read = Options::parse(manual()).expect("settings");
        assert_eq!(format!("{read:?}"), format!("{:?}", Options::default()));
        for (text, known) in [("?", "the settings file"), ("[unknowns]\n", "[unknowns]")] {
            let mistakes = Options::parse(&format!("{}no-such-key-at-all = 1", text.trim_start_matches('?')));
            let mistakes = mistakes.expect_err("an unknown key");
            assert!(mistakes[0].message.starts_with(known), "{mistakes:?}");
            let keys = mistakes[0].hint.trim_start_matches("Known are: ").trim_end_matches('.').split(", ");
            for key in keys.filter(|key| *key != "unknowns") {
                assert!(manual().contains(&format!("{key} ")), "{key} is not in the manual");
            }
        }
    }

    #[test]
    fn the_manual_shows_a_fault_plan() {
        let section = PAGE.split_once("\n## Fault plans\n").expect("the section").1;
        let block = section.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
        let plan = crate::sandbox::FaultPlan::parse(block.expect("a block")).expect("a plan");
        assert_eq!(plan.kinds().count(), 3);
    }

    #[test]
    fn settings_are_read_and_mistakes_told() {
        let text = "token_life = \"10 minutes\"\nsent_fax_retention = \"30 days\"\ncall_log_retention = \"none\"\n\
            refused_mailboxes = [\"107\"]\n[unknowns]\nleg_order = \"most-recent-first\"\nsync_deletions = \"bare\"\n";
        let options = Options::parse(text).expect("settings");
        assert_eq!(options.token_life, Duration::from_secs(600));
        assert_eq!(options.sent_fax_retention, chrono::TimeDelta::try_days(30));
        assert_eq!(
            (options.call_log_retention, options.unknowns.leg_order),
            (None, LegOrder::MostRecentFirst)
        );
        assert_eq!(options.refused_mailboxes, ["107"]);
        let text = "token_life = \"an hour\"\nfaults = 3\n[unknowns]\ntrim_pages = \"yes\"\nleg_order = \"random\"\n";
        let mistakes = Options::parse(text).expect_err("mistakes");
        let told: Vec<(usize, &str)> = mistakes.iter().map(|mistake| (mistake.line, mistake.code)).collect();
        assert_eq!(told, [(1, "wrong-value"), (2, "unknown-key"), (4, "wrong-type"), (5, "unknown-word")]);
    }
}
