//! Who pays: claims of every kind, coding sheets out and back, one person's time once, and usage that is nobody's yet.

use crate::support::session::{CONFIGURATION, CONTACTS, RULES, Session, USAGE};

const FINALISE: [&str; 6] = ["run", "--period", "2026-10", "--finalise", "--issue-date", "2026-11-05"];

/// Two calls of one person at one time, for two clients; a text of nobody.
const CALLS: &str = "\
id,start,seconds,channel,direction,from,to,extension,outcome
a,2026-10-05T10:00:00-04:00,600,voice,outbound,+12125550199,+12125550143,101,answered
b,2026-10-05T10:05:00-04:00,600,voice,outbound,+12125550199,+12125550150,101,answered
c,2026-10-06T09:00:00-04:00,61,voice,inbound,+19175550100,+12125550199,102,answered
";

const PEOPLE: &str = r#"
[timekeeper.ada]
name = "Ada Lindqvist"
extensions = ["101"]

[timekeeper.bob]
name = "Bob"

[[coding]]
match = { channel = "voice" }
task = "L120"
narrative = "=call with client"
"#;

const CLIENTS: &str = "\
id,name,numbers,matters,departments
smith-law,Smith & Partners,+12125550143,M-1;M-2,
maple-dental,Maple Street Dental,+12125550150,M-3,
sales,Our own sales,,,Sales
";

fn import(session: &mut Session, rows: &str) {
    session.write("usage.csv", rows);
    let covers = "2026-10-01..2026-11-01";
    let ended =
        session.run(&["import", "--usage", "usage.csv", "--covers", covers, "--reason", "whole month"]);
    assert_eq!(ended.exit, 0, "{}", ended.talk);
}

fn office() -> Session {
    let mut session = Session::with_company();
    let places = "coding = \"coding\"\ndirectory = \"directory.csv\"\n";
    session.write("tollbook.toml", format!("{places}{CONFIGURATION}"));
    session.write("rules/people.toml", PEOPLE);
    session.write("contacts.csv", CLIENTS);
    session.write("directory.csv", "extension,name,department\n101,Ada,Legal\n102,Bob,Sales\n");
    import(&mut session, CALLS);
    session
}

fn export(session: &mut Session) -> String {
    let ended = session.run(&["coding", "export", "--period", "2026-10", "--out", "sheet.csv"]);
    assert_eq!(ended.exit, 0, "{}", ended.talk);
    session.read("sheet.csv")
}

/// The sheet with both overlapping calls coded and confirmed.
fn coded(sheet: &str) -> String {
    let lines = sheet.replace("usage:a,,,", "usage:a,,M-1,").replace("usage:b,,,", "usage:b,,M-3,");
    let confirmed = |line: &str| match line.starts_with("usage:a") || line.starts_with("usage:b") {
        true => line.replace(",proposed,", ",confirmed,"),
        false => line.to_owned(),
    };
    lines.lines().map(|line| confirmed(line) + "\r\n").collect()
}

#[test]
fn a_sheet_goes_out_with_proposals_and_comes_back() {
    let mut session = office();
    let sheet = export(&mut session);
    assert!(
        sheet.contains(
            "usage:a,,,ada,L120,'=call with client,proposed,2026-10-05 10:00:00 -04:00,voice,outbound,\
             '+12125550143,10.00,101,smith-law\r\n"
        ),
        "{sheet}"
    );
    assert!(sheet.contains("usage:c,,,,L120,'=call with client,proposed,"), "{sheet}");
    assert!(sheet.contains(",'+19175550100,1.02,102,sales\r\n"), "found by the department: {sheet}");
    session.write("back.csv", coded(&sheet));
    let checked = session.run(&["coding", "check", "back.csv"]);
    assert_eq!(checked.exit, 0, "{}", checked.talk);
    assert!(checked.output.contains("3 rows, 2 confirmed"), "{}", checked.output);
    assert!(
        checked.talk.contains(
            "ada is billed twice from 2026-10-05 10:05:00 -04:00 to 2026-10-05 10:10:00 -04:00: \
             usage:a for smith-law, M-1; usage:b for maple-dental, M-3"
        ),
        "{}",
        checked.talk
    );
    assert!(!session.path("coding").exists(), "checking takes nothing in");
    assert_eq!(session.run(&["coding", "import", "back.csv", "--actor", "anna"]).exit, 0);
    let taken = session.read("coding/2026-10.csv");
    assert_eq!(session.run(&["coding", "import", "back.csv", "--actor", "anna"]).exit, 0);
    assert_eq!(session.read("coding/2026-10.csv"), taken, "taking it in again changes nothing");
    let again = export(&mut session);
    assert!(again.contains("usage:a,,M-1,ada,L120,'=call with client,confirmed,"), "{again}");
    assert_eq!(again, taken, "what is confirmed stays");
    // A part of the sheet leaves the rest alone.
    let part: Vec<&str> = again.lines().filter(|line| !line.starts_with("usage:b")).collect();
    session.write("part.csv", part.join("\r\n").replace(",M-1,", ",M-2,"));
    assert_eq!(session.run(&["coding", "import", "part.csv"]).exit, 0);
    let merged = session.read("coding/2026-10.csv");
    assert!(merged.contains("usage:a,,M-2,") && merged.contains("usage:b,,M-3,"), "{merged}");
}

#[test]
fn a_sheet_with_mistakes_is_refused_with_all_of_them() {
    let mut session = office();
    let sheet = coded(&export(&mut session));
    let wrong = sheet
        .replace("usage:a,,M-1,ada,", "usage:a,nobody,M-1,zoe,")
        .replace("2026-10-05 10:05:00", "2026-10-05 11:05:00")
        .replace("usage:b,,M-3,", "b,,M-1,")
        .replace("usage:c", "usage:x");
    session.write("back.csv", &wrong);
    assert_eq!(session.run(&["coding", "check", "back.csv"]).exit, 3);
    session.write("words.csv", sheet.replace(",confirmed,", ",done,").replace("usage:b", "usage:a"));
    assert_eq!(session.run(&["coding", "import", "words.csv"]).exit, 3);
    session.write("bare.csv", "record,status\nusage:a,confirmed\n");
    assert_eq!(session.run(&["coding", "check", "bare.csv"]).exit, 2);
    assert_eq!(session.run(&["coding", "check", "bare.csv", "--period", "2026-10"]).exit, 0);
    assert!(!session.path("coding").exists());
    session.golden("coding-mistakes");
}

#[test]
fn time_on_two_matters_at_once_holds_both_payers_until_somebody_decides() {
    let mut session = office();
    let sheet = coded(&export(&mut session));
    session.write("back.csv", &sheet);
    assert_eq!(session.run(&["coding", "import", "back.csv", "--actor", "anna"]).exit, 0);
    let ended = session.run(&FINALISE);
    assert_eq!(ended.exit, 0, "{}", ended.talk);
    for client in ["smith-law", "maple-dental"] {
        assert!(ended.output.contains(&format!("held back: {client}")), "{}", ended.output);
        assert!(session.path(&format!("out/2026-10/drafts/{client}")).is_dir());
    }
    assert!(session.read("out/2026-10/index.html").contains("ada is billed twice from"));
    let accepted = ["accept-suspense", "usage:b", "--reason", "a conference of both", "--actor", "anna"];
    assert_eq!(session.run(&accepted).exit, 0);
    assert_eq!(session.run(&FINALISE).exit, 0);
    assert!(!session.path("out/2026-10/drafts").exists());
    let page = session.read("out/2026-10/index.html");
    assert!(page.contains("accepted by anna: a conference of both"), "{page}");
    assert_eq!(session.run(&["verify"]).exit, 0);
}

#[test]
fn a_corrected_coding_releases_both_payers() {
    let mut session = office();
    let sheet = coded(&export(&mut session)).replace("usage:b,,M-3,ada,", "usage:b,,M-3,bob,");
    session.write("back.csv", &sheet);
    assert_eq!(session.run(&["coding", "import", "back.csv"]).exit, 0);
    let ended = session.run(&FINALISE);
    assert_eq!(ended.exit, 0, "{}", ended.talk);
    assert!(!session.path("out/2026-10/drafts").exists(), "{}", ended.output);
    let manifest = session.read("out/2026-10/manifest.json");
    assert!(manifest.contains("coding/coding/2026-10.csv") && manifest.contains("directory/directory.csv"));
    assert_eq!(session.run(&FINALISE).exit, 0);
    assert_eq!(session.read("out/2026-10/manifest.json"), manifest, "repeating a run writes nothing new");
}

#[test]
fn usage_of_nobody_is_valued_and_priced_once_the_contact_list_knows_it() {
    let mut session = Session::with_company();
    let september = USAGE.replace("2026-10-", "2026-09-").replace("\na,", "\nsa,").replace("\nb,", "\nsb,");
    let september = september.replace("\nc,", "\nsc,").replace("\nd,", "\nsd,");
    for (rows, covers) in [(USAGE, "2026-10-01..2026-11-01"), (&september, "2026-09-01..2026-10-01")] {
        session.write("usage.csv", rows);
        let arguments = ["import", "--usage", "usage.csv", "--covers", covers, "--reason", "whole month"];
        assert_eq!(session.run(&arguments).exit, 0);
    }
    for period in ["2026-09", "2026-10"] {
        assert_eq!(session.run(&["run", "--period", period]).exit, 0);
        let table = session.read(&format!("out/{period}/unmatched.csv"));
        assert_eq!(table.lines().count(), 2, "{table}");
        // Twenty seconds are billed as the first minute.
        assert!(table.contains(",'+19175550188,") && table.contains(",0.600000,USD,"), "{table}");
        let page = session.read(&format!("out/{period}/index.html"));
        assert!(page.contains("1 event, worth 0.6 USD at the default tariff before any allowance"), "{page}");
        let control = session.read(&format!("out/{period}/control.json"));
        assert!(
            control.contains("\"unmatched\": {") && control.contains("\"without_value\": 0"),
            "{control}"
        );
    }
    let table = session.read("out/2026-10/unmatched.csv");
    assert!(table.contains("usage:d,2026-10-08 10:00:00 -04:00,24,"), "twenty-four days old: {table}");
    session.write("contacts.csv", format!("{CONTACTS}oak,Oak Street,+19175550188,,\n"));
    for period in ["2026-09", "2026-10"] {
        assert_eq!(session.run(&["run", "--period", period]).exit, 0);
        assert_eq!(session.read(&format!("out/{period}/unmatched.csv")).lines().count(), 1);
        assert!(session.read(&format!("out/{period}/drafts/oak/calls.csv")).contains("0.60"));
        assert!(session.read(&format!("out/{period}/control.json")).contains("\"adds_up\": true"));
    }
}

#[test]
fn the_order_of_the_rules_decides_who_pays() {
    let mut session = Session::with_company();
    session.write(
        "contacts.csv",
        "id,name,numbers,extensions,account_codes\nby-number,A,+12125550143,,\nby-extension,B,,101,\nby-code,C,,,77\n",
    );
    let row = "id,start,seconds,channel,direction,from,to,extension,account_code,outcome\n\
        a,2026-10-05T10:00:00-04:00,60,voice,outbound,+12125550199,+12125550143,101,77,answered\n";
    session.write("usage.csv", row);
    for (order, expected) in [
        ("", "by-code"),
        ("[identity]\norder = [\"extension\", \"account-code\"]\n", "by-extension"),
        ("[identity]\norder = [\"other-number\"]\n", "by-number"),
        ("[identity]\norder = [\"site\"]\n", ""),
    ] {
        session.write("rules/standard.toml", format!("{RULES}\n{order}"));
        let priced = ["price", "--rules", "rules", "--contacts", "contacts.csv", "--usage", "usage.csv"];
        let ended = session.run(&[&priced[..], &["--out", "charges.csv"]].concat());
        assert_eq!(ended.exit, 0, "{}", ended.talk);
        let charges = session.read("charges.csv");
        let cells: Vec<&str> = charges.lines().nth(1).unwrap().split(',').collect();
        assert_eq!(cells[3], expected, "{order}: {charges}");
    }
}
