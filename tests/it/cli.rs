//! The binary as its user meets it: what it says, and with which exit code, when the input is wrong. Each golden file in
//! `fixtures/golden/cli` reads like a terminal: command, exit code, output, talk.

use std::collections::BTreeSet;

use crate::support::session::{CONFIGURATION, CONTACTS, RULES, Session, USAGE};

const SECRET: &str = "s3cr3t-never-shown";

#[test]
fn a_first_folder_passes_its_own_checks() {
    let mut session = Session::new();
    for arguments in [
        &["init"][..],
        &["rules", "check"],
        &["rules", "test"],
        &["contacts", "check"],
        &["rules", "test", "--format", "json"],
    ] {
        assert_eq!(session.run(arguments).exit, 0, "{arguments:?}");
    }
    assert_eq!(session.run(&["init"]).exit, 2, "nothing is overwritten");
    session.golden("init");
}

#[test]
fn a_usage_file_becomes_finalised_invoices() {
    let mut session = Session::with_company();
    session.write("usage.csv", USAGE);
    let covers =
        ["import", "--usage", "usage.csv", "--covers", "2026-10-01..2026-11-01", "--reason", "whole month"];
    for arguments in [
        &covers[..],
        &covers,
        &["run", "--period", "2026-10"],
        &["run", "--period", "2026-10", "--finalise", "--issue-date", "2026-11-05"],
        &["run", "--period", "2026-10", "--finalise", "--issue-date", "2026-11-06"],
        &["invoice", "list"],
        &["explain", "INV-000002"],
        &["verify"],
    ] {
        assert_eq!(session.run(arguments).exit, 0, "{arguments:?}");
    }
    assert_eq!(session.run(&["explain", "INV-000009"]).exit, 2);
    assert_eq!(session.run(&["explain", "INV-000002", "--line", "9"]).exit, 2);
    assert!(session.read("out/2026-10/control.json").contains("\"adds_up\": true"));
    session.golden("usage");
}

#[test]
fn wrong_usage_of_the_command_line() {
    let mut session = Session::with_company();
    assert_eq!(session.run(&["bill"]).exit, 2);
    assert_eq!(session.run(&["run", "--period", "October"]).exit, 2);
    assert_eq!(session.run(&["import", "--covers", "october", "x.csv"]).exit, 2);
    assert_eq!(session.run(&["pull", "--from", "yesterday"]).exit, 3, "no [service] to pull from");
    assert_eq!(session.run(&["status"]).exit, 2, "there is no book yet");
    assert_eq!(session.run(&["run", "--period", "2026-10"]).exit, 2, "there is no book yet");
    session.golden("wrong-usage");
}

#[test]
fn a_configuration_that_cannot_be_read() {
    let mut session = Session::new();
    assert_eq!(session.run(&["status"]).exit, 2);
    assert_eq!(session.run(&["run", "--config", "elsewhere/tollbook.toml"]).exit, 2);
    session.write("folder.toml/inside", "");
    assert_eq!(session.run(&["contacts", "check", "--config", "folder.toml"]).exit, 2);
    session.write("latin.toml", b"zone = \"America/New_York\"\n# caf\xe9\n");
    assert_eq!(session.run(&["status", "--config", "latin.toml"]).exit, 3);
    session.write("broken.toml", "zone = \"America/New_York\nbook = \n");
    assert_eq!(session.run(&["status", "--config", "broken.toml"]).exit, 3);
    session.golden("configuration-unreadable");
}

#[test]
fn a_configuration_with_mistakes_shows_all_of_them() {
    let mut session = Session::with_company();
    let text = "zoned = \"UTC\"\nzone = \"America/Newyork\"\ncountry = \"Utopia\"\nbook = 7\n\n[collect]\noverlap = \"soon\"\n\
        callog = true\n\n[invoice]\nseries = \"INV/\"\ndue_days = 99999\n";
    session.write("tollbook.toml", text);
    assert_eq!(session.run(&["status"]).exit, 3);
    session.golden("configuration-mistakes");
}

#[test]
fn a_secret_in_the_configuration_is_refused_and_never_quoted() {
    let mut session = Session::with_company();
    let head = format!("{CONFIGURATION}\n[service]\nurl = \"https://platform.ringcentral.com\"\n");
    for body in [
        format!("client_id = \"{SECRET}\"\nclient_secret = \"{SECRET}\"\njwt = \"{SECRET}\"\n"),
        format!("client_secrets = \"{SECRET}\"\n"),
        format!("password = '{SECRET}'\n"),
        format!("jwt = \"{SECRET}\n"),
        format!("JWT = {SECRET}\n"),
    ] {
        session.write("tollbook.toml", format!("{head}{body}"));
        let ended = session.run(&["status"]);
        assert_eq!(ended.exit, 3);
        assert!(!ended.talk.contains(SECRET) && !ended.output.contains(SECRET), "{}", ended.talk);
    }
    let inline = format!("service = {{ client_secret = \"{SECRET}\" }}\n{CONFIGURATION}");
    session.write("tollbook.toml", inline);
    let ended = session.run(&["status"]);
    assert_eq!(ended.exit, 3);
    assert!(!ended.talk.contains(SECRET), "{}", ended.talk);
    session.golden("secret-in-configuration");
}

#[test]
fn credentials_that_are_missing_or_open_to_others() {
    let mut session = Session::with_company();
    let service = "[service]\nurl = \"http://127.0.0.1:9\"\n";
    session.write("tollbook.toml", format!("{CONFIGURATION}\n{service}"));
    assert_eq!(session.run(&["pull"]).exit, 3);
    assert_eq!(session.run_with(&["pull"], &[("TOLLBOOK_CLIENT_ID", "x"), ("TOLLBOOK_JWT", " ")]).exit, 3);
    session.write("tollbook.toml", format!("{CONFIGURATION}\n{service}secrets = \"secrets.toml\"\n"));
    assert_eq!(session.run(&["pull"]).exit, 2, "the file is not there");
    session.write("secrets.toml", format!("client_id = \"x\"\nclient_secret = \"{SECRET}\"\n"));
    set_mode(&session, "secrets.toml", 0o644);
    assert_eq!(session.run(&["pull"]).exit, 3, "others may read it");
    set_mode(&session, "secrets.toml", 0o600);
    let ended = session.run(&["pull"]);
    assert_eq!(ended.exit, 3, "the jwt is missing");
    assert!(!ended.talk.contains(SECRET));
    session.write("tollbook.toml", format!("{CONFIGURATION}\n[service]\nurl = \"http://example.com\"\n"));
    assert_eq!(session.run(&["pull"]).exit, 3, "secrets do not travel in the clear");
    session.golden("credentials");
}

fn set_mode(session: &Session, name: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(session.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn collection_settings_with_mistakes_show_all_of_them() {
    let mut session = Session::with_company();
    let text = "[collect]\ncall_log = false\ncall_sync = true\nactive_calls = \"yes\"\nextension_calls = [\"101\", \"x1\", \"101\"]\n\
        reread_daily_for = \"40 days\"\nreread_weekly_for = \"35 days\"\nmessage_window = \"2 seconds\"\n\n\
        [collect.retention]\ncalls = \"1 year\"\ncall_log = \"9 months\"\nsent_faxes = \"1 hour\"\ntexts = \"no limit\"\n";
    session.write("tollbook.toml", format!("{CONFIGURATION}\n{text}"));
    assert_eq!(session.run(&["status"]).exit, 3);
    session.golden("collect-mistakes");
}

#[test]
fn accounts_with_mistakes_show_all_of_them() {
    let mut session = Session::with_company();
    let text = "[invoice]\nseries = \"INV\"\n\n[service]\nurl = \"https://service.example\"\n\n\
        [account.north]\nurl = \"https://north.example\"\nbook = \"one.book\"\nseries = \"A\"\n\n\
        [account.South_1]\nbook = \"one.book\"\nseries = \"A\"\nsecret = \"south.toml\"\n\n\
        [account.west]\nurl = \"https://west.example\"\nseries = \"W-W\"\n";
    session.write("tollbook.toml", format!("{CONFIGURATION}\n{text}"));
    assert_eq!(session.run(&["status"]).exit, 3);
    session.golden("accounts-mistakes");
}

#[test]
fn an_account_is_named_where_there_are_several() {
    let mut session = Session::with_company();
    assert_eq!(session.run(&["status", "--account", "north"]).exit, 2, "there are no accounts");
    let one = "[account.north]\nurl = \"https://north.example\"\n";
    session.write("tollbook.toml", format!("{CONFIGURATION}\n{one}"));
    assert_eq!(session.run(&["pull"]).exit, 3, "the only one needs no name; its secrets are not there");
    let two = format!("{one}\n[account.south]\nurl = \"https://south.example\"\nrules = \"southern\"\n");
    session.write("tollbook.toml", format!("{CONFIGURATION}\n{two}"));
    for arguments in [
        &["status"][..],
        &["run", "--period", "2026-10"],
        &["verify"],
        &["contacts", "check"],
        &["accept-gap", "call-log", "--period", "2026-10", "--reason", "x"],
        &["pull"],
        &["pull", "--account", "east"],
        &["contacts", "check", "--account", "south"],
        &["pull", "--all", "--account", "south"],
    ] {
        assert_eq!(session.run(arguments).exit, 2, "{arguments:?}");
    }
    assert_eq!(session.run(&["contacts", "check", "--account", "north"]).exit, 0);
    assert_eq!(session.run(&["pull", "--account", "south"]).exit, 3, "its secrets have names of their own");
    session.golden("accounts");
}

#[test]
fn a_plan_is_shown_before_anything_is_there() {
    let mut session = Session::with_company();
    let service = "[service]\nurl = \"https://service.example\"\n\n[collect]\nextension_calls = [\"101\"]\n";
    session.write("tollbook.toml", format!("{CONFIGURATION}\n{service}"));
    let plan = ["pull", "--dry-run", "--period", "2026-10", "--at", "2026-11-05T10:00:00Z"];
    assert_eq!(session.run(&plan).exit, 0);
    assert_eq!(session.run(&[&plan[..], &["--format", "json"]].concat()).exit, 0);
    assert!(!session.path("tollbook.book").exists());
    for wrong in [
        &["pull", "--dry-run", "--from", "2026-10-01T00:00:00Z", "--to", "2026-09-01T00:00:00Z"][..],
        &["pull", "--period", "2026-13"],
        &["pull", "--again"],
        &["session", "nobody's"],
        &["session", "12345", "--offline"],
    ] {
        assert_eq!(session.run(wrong).exit, 2, "{wrong:?}");
    }
    session.golden("pull-plan");
}

#[test]
fn five_mistakes_in_a_rule_file_are_shown_together() {
    let mut session = Session::new();
    let text = r#"default_tariff = "standart"

[tariff.standard]
currency = "USD"
zone     = "America/New_York"
leggs    = "master"

[[tariff.standard.rate]]
name  = "Calls"
match = { channel = "voice", to = ["USA"], band = "busines" }
price = 0.60

[[tariff.standard.rate]]
name  = "Faxes"
match = { channel = "faks" }
price = "0.05 per page"

[band.business]
days  = "mon-fri"
hours = "08:00-18:00"
"#;
    session.write("rules/standard.toml", text);
    let ended = session.run(&["rules", "check"]);
    assert_eq!(ended.exit, 3);
    for code in ["unknown-tariff", "unknown-key", "wrong-place", "unknown-band", "wrong-type", "unknown-word"]
    {
        assert!(ended.talk.contains(&format!("[{code}]")), "{code}");
    }
    session.golden("rules-mistakes");
}

/// Fourteen kinds of mistake in a rule file and in the tables beside it.
const MANY_MISTAKES: &str = r#"default_tariff = "standart"

[identity]
order = ["account-code", "extention"]

[tariff.standard]
currency = "USD"
zone     = "America/New_York"
legs     = "longest"
rounding = { charge = "per-event" }

[[tariff.standard.rate]]
name      = "Calls abroad"
match     = { channel = "voice", direction = "outbound" }
price     = "deck world"
increment = "60"

[[tariff.standard.rate]]
name  = "Calls"
match = { channel = "voice", band = "busines" }
price = 0.60

[[tariff.standard.rate]]
name  = "Long calls"
match = { channel = "voice", to = ["USA"] }
steps = [{ price = "0.10 per minute", first = "3 minutes" }, { price = "0.05 per page" }]

[[tariff.standard.rate]]
name  = "By volume"
match = { channel = "sms" }
tiers = { mode = "graduated", tier = [
    { up_to = "100 messages", price = "0.05 per message" },
    { up_to = "50 messages", price = "0.04 per message" },
] }

[[tariff.standard.rate]]
name  = "Faxes"
price = "0.05 per page"
where = ""
charge_floor = "2.00"
charge_cap   = "1.00"

[[tariff.standard.allowance]]
name     = "Included"
grants   = "a lot"
rollover = "100 minutes"

[[tariff.standard.fee]]
name  = "Line"
price = "25.00 per month"
on    = "2026-10-05"

[tariff.standard.options]
crossing = "peices"

[band.business]
hours  = "08:00-18:00"
except = ["holidays"]

[deck.world]
file = "world.csv"
unit = "minute"

[calendar.us]
file = "../holidays.csv"
"#;

const WRONG_DECK: &str = "prefix,price,valid_from,valid_to\n\
    44,0.01,2026-01-01,\n\
    049,0.02,,\n\
    33,\"0,05\",,\n\
    44,0.02,2026-07-01,\n\
    39,0.00000000001,,\n\
    46,0.01,2026-05-01,2026-05-01\n";

#[test]
fn mistakes_of_many_kinds_are_shown_together() {
    let mut session = Session::new();
    session.write("rules/standard.toml", MANY_MISTAKES);
    session.write("rules/world.csv", WRONG_DECK);
    let ended = session.run(&["rules", "check"]);
    assert_eq!(ended.exit, 3);
    let named = ended.talk.lines().filter_map(|line| line.strip_prefix("error[")?.split_once(']'));
    let kinds: BTreeSet<&str> = named.map(|(code, _)| code).collect();
    assert!(kinds.len() >= 10, "{kinds:?}");
    for code in
        ["wrong-companion", "deck-overlap", "wrong-prefix", "unknown-band", "unknown-word", "wrong-type"]
    {
        assert!(kinds.contains(code), "{code}");
    }
    session.golden("rules-ten-mistakes");
}

#[test]
fn what_nobody_can_have_meant_is_a_warning() {
    let mut session = Session::new();
    let rules = "[tariff.standard]\ncurrency = \"USD\"\nzone = \"America/New_York\"\n\
        rounding = { charge = \"per-event\", charge_scale = 2 }\n\n\
        [[tariff.standard.rate]]\nname = \"Night\"\nmatch = { channel = \"voice\", band = \"night\" }\n\
        price = \"0.0345 per minute\"\n\n\
        [[tariff.standard.rate]]\nname = \"Texts\"\nmatch = { channel = \"sms\" }\nprice = \"0.01 per message\"\n\n\
        [[tariff.standard.rate]]\nname = \"Texts abroad\"\nmatch = { channel = \"sms\", direction = \"outbound\" }\n\
        price = \"0.05 per message\"\n\n\
        [[tariff.standard.allowance]]\nname = \"Pages\"\ngrants = \"10 pages\"\n\n\
        [band.night]\nhours = \"22:00-02:30\"\n";
    session.write("rules/standard.toml", rules);
    assert_eq!(session.run(&["rules", "check"]).exit, 0);
    assert_eq!(session.run(&["rules", "check", "--strict"]).exit, 3);
    session.golden("rules-warnings");
}

#[test]
fn a_rate_that_matched_nothing_in_the_last_run_is_told() {
    let mut session = Session::with_company();
    session.write("usage.csv", USAGE);
    let covers =
        ["import", "--usage", "usage.csv", "--covers", "2026-10-01..2026-11-01", "--reason", "whole month"];
    let quaint = "\n[[tariff.standard.rate]]\nname = \"Antarctica\"\nmatch = { channel = \"voice\", to = \"+6721\" }\n\
        price = \"9 per minute\"\n";
    session.write("rules/standard.toml", format!("{RULES}{quaint}"));
    assert!(!session.run(&["rules", "check"]).talk.contains("rate-matched-nothing"), "there is no run yet");
    assert_eq!(session.run(&covers).exit, 0);
    assert_eq!(session.run(&["run", "--period", "2026-10"]).exit, 0);
    for arguments in [&["rules", "check"][..], &["rules", "check", "--book", "tollbook.book"]] {
        let ended = session.run(arguments);
        assert!(
            ended
                .talk
                .contains("the rate \"Antarctica\" of tariff standard matched nothing in the run of 2026-10"),
            "{}",
            ended.talk
        );
    }
    session.write("rules/standard.toml", RULES);
    assert!(!session.run(&["rules", "check"]).talk.contains("Antarctica"), "the rate is gone");
}

#[test]
fn examples_that_fail_show_their_steps() {
    let mut session = Session::new();
    let example = "\n[[example]]\ntariff = \"standard\"\nevent = { channel = \"voice\", start = \"2026-03-09T14:00:00-04:00\", \
        seconds = 61 }\nexpect = { charge = \"0.60\", because = [\"60/6: 61 s → 66 s\", \"no such step\"] }\n";
    session.write("rules/standard.toml", format!("{RULES}{example}"));
    assert_eq!(session.run(&["rules", "test"]).exit, 3);
    let empty = "\n[[example]]\ntariff = \"standard\"\nevent = { channel = \"sms\", start = \"2026-03-09T14:00:00-04:00\" }\n\
        given = { left = { \"500 minutes\" = \"0 minutes\" } }\nexpect = {}\n";
    session.write("rules/standard.toml", format!("{RULES}{empty}"));
    assert_eq!(session.run(&["rules", "test"]).exit, 3, "an example that expects nothing proves nothing");
    assert_eq!(session.run(&["rules", "check", "nowhere"]).exit, 2);
    session.write("empty/readme.txt", "");
    assert_eq!(session.run(&["rules", "check", "empty"]).exit, 2);
    session.golden("examples");
}

#[test]
fn a_contact_list_with_mistakes_names_the_rows() {
    let mut session = Session::with_company();
    let text = "id,name,numbers,tariff,zone,tax_rate,valid_from,valid_to,do_not_bill\n\
        smith-law,Smith & Partners,+12125550143,,,8.875,,,\n\
        smith-law,Smith again,+12125550144,,,,,,\n\
        maple,Maple Street Dental,12-34;+12125550143@2026-10-01..,,,,,,\n\
        oak,,+12125550151@october,gold,Mars/Olympus,eight,2026-13-01,,maybe\n\
        elm,Elm,+12125550152,,,,2026-10-02,2026-10-01,\n\
        ash,Ash & Co,+12125550153,,\n";
    session.write("contacts.csv", text);
    assert_eq!(session.run(&["contacts", "check"]).exit, 3);
    let without_ash = text.lines().take(6).collect::<Vec<_>>().join("\n");
    session.write("contacts.csv", without_ash);
    assert_eq!(session.run(&["contacts", "check"]).exit, 3);
    session.golden("contacts-mistakes");
}

#[test]
fn a_number_claimed_twice_is_refused_and_one_that_changes_hands_is_not() {
    let mut session = Session::with_company();
    session.write("contacts.csv", "id,name,numbers\na,A,+12125550143\nb,B,(212) 555-0143\n");
    assert_eq!(session.run(&["contacts", "check"]).exit, 3);
    let hands = "id,name,numbers\na,A,+12125550143@..2026-10-15\nb,B,(212) 555-0143@2026-10-15..\n";
    session.write("contacts.csv", hands);
    assert_eq!(session.run(&["contacts", "check"]).exit, 0);
    session.golden("claimed-twice");
}

#[test]
fn tables_with_wrong_columns_or_encoding() {
    let mut session = Session::with_company();
    session.write("contacts.csv", "id,nmae,numbers\na,A,+12125550143\n");
    assert_eq!(session.run(&["contacts", "check"]).exit, 3);
    session.write("contacts.csv", b"id,name,numbers\na,Caf\xe9 Alma,+12125550143\n");
    assert_eq!(session.run(&["contacts", "check"]).exit, 3);
    session.write("contacts.csv", format!("\u{feff}{}", CONTACTS.replace('\n', "\r\n")));
    assert_eq!(
        session.run(&["contacts", "check"]).exit,
        0,
        "a byte order mark and the other line ends are fine"
    );
    session.write("usage.csv", USAGE.replace("direction", "way"));
    assert_eq!(session.run(&["import", "--usage", "usage.csv"]).exit, 3);
    session.write(
        "usage.csv",
        USAGE.replace(",61,", ",sixty,").replace("2026-10-06T10:00:00-04:00", "2026-10-06 10:00"),
    );
    assert_eq!(session.run(&["import", "--usage", "usage.csv"]).exit, 3);
    session.write("usage.csv", USAGE.replace(",61,", ",9223372036854775807,"));
    assert_eq!(
        session.run(&["import", "--usage", "usage.csv"]).exit,
        3,
        "beyond any call, and never silently absent"
    );
    session.write("usage.csv", USAGE.replace("\nb,", "\na,"));
    assert_eq!(session.run(&["import", "--usage", "usage.csv"]).exit, 3);
    session.write("usage.txt", USAGE);
    assert_eq!(session.run(&["import", "--usage", "usage.txt"]).exit, 3);
    session.write("usage.csv", USAGE);
    assert_eq!(session.run(&["import", "usage.csv"]).exit, 3, "a table nobody said is usage");
    session.golden("tables");
}

#[test]
fn expectations_with_mistakes_name_the_rows() {
    let mut session = Session::with_company();
    session.write("tollbook.toml", format!("expectations = [\"expectations.csv\"]\n{CONFIGURATION}"));
    let text = "id,contact,number,channel,direction,due_from,due_to,pages\n\
        e1,smith-law,,sms,outbound,2026-10-05T09:00:00-04:00,2026-10-05T08:00:00-04:00,\n\
        e1,,,telex,internal,tomorrow,2026-10-05T08:00:00-04:00,many\n\
        ,smith-law,12-34,sms,outbound,2026-10-05T09:00:00-04:00,2026-10-05T10:00:00-04:00,\n";
    session.write("expectations.csv", text);
    assert_eq!(session.run(&["contacts", "check"]).exit, 3);
    session.golden("expectations-mistakes");
}

#[test]
fn a_page_that_was_cut_short_is_refused_whole() {
    let mut session = Session::with_company();
    let page = include_str!("../../fixtures/ringcentral/call-log-fax-200.json");
    session.write("page.json", &page[..page.len() * 2 / 3]);
    assert_eq!(session.run(&["import", "page.json"]).exit, 3);
    session.write("page.json", "{\"records\": \"none\"}");
    assert_eq!(session.run(&["import", "page.json"]).exit, 3);
    session.write("page.json", page);
    assert_eq!(session.run(&["import", "page.json"]).exit, 0);
    session.golden("page-cut-short");
}

#[test]
fn a_period_without_records_gives_no_document() {
    let mut session = Session::with_company();
    session.write("usage.csv", USAGE);
    session.run(&[
        "import",
        "--usage",
        "usage.csv",
        "--covers",
        "2026-09-01..2026-11-01",
        "--reason",
        "two months",
    ]);
    assert_eq!(session.run(&["run", "--period", "2026-09"]).exit, 0);
    assert_eq!(
        session.run(&["run", "--period", "2026-09", "--finalise", "--issue-date", "2026-11-05"]).exit,
        0
    );
    assert_eq!(session.run(&["invoice", "list"]).exit, 0);
    session.golden("period-empty");
}

#[test]
fn an_open_period_is_not_finalised() {
    let mut session = Session::with_company();
    session.write("usage.csv", USAGE);
    session.run(&["import", "--usage", "usage.csv"]);
    assert_eq!(
        session.run(&["run", "--period", "2026-10", "--finalise", "--issue-date", "2026-11-05"]).exit,
        9
    );
    assert!(session.path("out/2026-10/drafts").is_dir(), "the drafts are there to be seen");
    assert_eq!(session.run(&["accept-gap", "usage", "--period", "2026-10", "--reason", " "]).exit, 2);
    assert_eq!(session.run(&["accept-gap", "telex", "--period", "2026-10", "--reason", "x"]).exit, 2);
    assert_eq!(
        session
            .run(&["accept-gap", "usage", "--period", "2026-10", "--reason", "the file is the whole month"])
            .exit,
        0
    );
    assert_eq!(
        session.run(&["run", "--period", "2026-10", "--finalise", "--issue-date", "2026-11-05"]).exit,
        0
    );
    session.write("usage.csv", USAGE.replace("2026-10", "2026-09").replace("\na,", "\nz,"));
    session.run(&["import", "--usage", "usage.csv"]);
    let september = ["run", "--period", "2026-09", "--finalise", "--issue-date", "2026-11-05"];
    assert_eq!(session.run(&september).exit, 9, "a gap is accepted for one month only");
    session.golden("period-open");
}

#[test]
fn breaks_above_the_threshold_have_an_exit_code_of_their_own() {
    let mut session = Session::with_company();
    session.write("tollbook.toml", format!("expectations = [\"expectations.csv\"]\n{CONFIGURATION}"));
    let text = "id,number,channel,direction,due_from,due_to\n\
        met,+12125550150,sms,outbound,2026-10-07T09:00:00-04:00,2026-10-07T11:00:00-04:00\n\
        missed,+12125550150,sms,outbound,2026-10-14T09:00:00-04:00,2026-10-14T11:00:00-04:00\n";
    session.write("expectations.csv", text);
    session.write("usage.csv", USAGE);
    session.run(&["import", "--usage", "usage.csv"]);
    assert_eq!(session.run(&["run", "--period", "2026-10", "--breaks-allowed", "1"]).exit, 0);
    assert_eq!(session.run(&["run", "--period", "2026-10", "--breaks-allowed", "0"]).exit, 4);
    session.golden("breaks");
}

#[test]
fn a_second_run_is_told_who_holds_the_book() {
    let mut session = Session::with_company();
    session.write("usage.csv", USAGE);
    session.run(&["import", "--usage", "usage.csv"]);
    let book = tollbook::book::Book::open(&session.path("tollbook.book")).unwrap();
    let lock = book.lock("run").unwrap();
    assert_eq!(session.run(&["run", "--period", "2026-10"]).exit, 5);
    assert_eq!(session.run(&["status"]).exit, 0, "looking is always allowed");
    drop(lock);
    drop(book);
    assert_eq!(session.run(&["run", "--period", "2026-10"]).exit, 0);
    assert!(session.path("out/2026-10/index.html").is_file());
}

#[test]
fn a_flipped_byte_fails_verification() {
    let mut session = Session::with_company();
    session.write("usage.csv", USAGE);
    session.run(&[
        "import",
        "--usage",
        "usage.csv",
        "--covers",
        "2026-10-01..2026-11-01",
        "--reason",
        "whole month",
    ]);
    session.run(&["run", "--period", "2026-10", "--finalise", "--issue-date", "2026-11-05"]);
    assert_eq!(session.run(&["verify"]).exit, 0);
    let segment =
        std::fs::read_dir(session.path("tollbook.book/charges")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    assert_eq!(session.run(&["verify"]).exit, 7);
}
