//! Months that reach into each other: outcomes that were open at the close of a month, allowances that roll over. All
//! documents together say what one fresh reading of everything says.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::session::{CONFIGURATION, Session};

const RULES: &str = r#"default_tariff = "standard"

[tariff.standard]
currency = "USD"
zone     = "America/New_York"

[[tariff.standard.rate]]
name  = "Texts"
match = { channel = "sms" }
tiers = { mode = "volume", tier = [{ up_to = "2 messages", price = "0.10 per message", fee = "1.00" }, { price = "0.04 per message", fee = "2.00" }] }

[[tariff.standard.discount]]
name = "Loyalty"
off  = "10%"

[tariff.rolling]
currency = "USD"
zone     = "America/New_York"

[[tariff.rolling.rate]]
name  = "Texts"
match = { channel = "sms" }
price = "0.50 per message"

[[tariff.rolling.allowance]]
name          = "2 messages"
grants        = "2 messages"
applies_to    = { channel = "sms" }
rollover      = "all"
expires_after = 1
"#;

const CONTACTS: &str = "\
id,name,numbers,tariff
smith-law,Smith & Partners,+12125550143,
maple-dental,Maple Street Dental,+12125550150,rolling
";

const HEADER: &str = "id,start,channel,direction,from,to,outcome\n";

/// A text to one of the contacts' numbers.
fn text(id: &str, start: &str, to: &str, outcome: &str) -> String {
    format!("{id},{start}T10:00:00-04:00,sms,outbound,+19175550188,{to},{outcome}\n")
}

const SMITH: &str = "+12125550143";
const MAPLE: &str = "+12125550150";

fn session() -> Session {
    let session = Session::new();
    session.write("tollbook.toml", CONFIGURATION);
    session.write("rules/standard.toml", RULES);
    session.write("contacts.csv", CONTACTS);
    session
}

fn import(session: &mut Session, rows: &[String], covers: &str) {
    session.write("usage.csv", format!("{HEADER}{}", rows.concat()));
    let ended =
        session.run(&["import", "--usage", "usage.csv", "--covers", covers, "--reason", "whole month"]);
    assert_eq!(ended.exit, 0, "{}", ended.talk);
}

fn finalise(session: &mut Session, period: &str, date: &str) {
    let ended = session.run(&["run", "--period", period, "--finalise", "--issue-date", date]);
    assert_eq!(ended.exit, 0, "{}", ended.talk);
}

fn json(session: &Session, path: &str) -> Value {
    serde_json::from_str(&session.read(path)).unwrap()
}

/// The document of a contact in a folder of documents.
fn document(session: &Session, folder: &str, contact: &str) -> Value {
    let entries = std::fs::read_dir(session.path(folder)).unwrap();
    let mut found: Vec<Value> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| json(session, &format!("{folder}/{name}/invoice.json")))
        .filter(|document| document["payer"]["contact"] == contact)
        .collect();
    assert_eq!(found.len(), 1, "{contact} in {folder}");
    found.remove(0)
}

/// Amounts in cents by kind, name and tier, of the lines for one service period.
fn amounts(documents: &[&Value], period: &str) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for document in documents {
        for line in document["lines"].as_array().unwrap() {
            let of = line["service_period"].as_str().or(document["period"]["month"].as_str()).unwrap();
            if of == period {
                let key = format!("{} {} {}", line["kind"], line["clause"], line["tier"]);
                let cents =
                    line["amount"]["amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
                *sums.entry(key).or_default() += cents;
            }
        }
    }
    sums.retain(|_, cents| *cents != 0);
    sums
}

fn september(last: &str) -> Vec<String> {
    vec![
        text("a", "2026-09-03", SMITH, "delivered"),
        text("b", "2026-09-04", SMITH, "delivered"),
        text("c", "2026-09-29", SMITH, last),
        text("d", "2026-09-10", SMITH, "queued"),
    ]
}

#[test]
fn an_outcome_that_was_open_is_billed_on_the_next_document() {
    let mut session = session();
    import(&mut session, &september("queued"), "2026-09-01..2026-10-01");
    finalise(&mut session, "2026-09", "2026-10-03");
    let first = document(&session, "out/2026-09/invoices", "smith-law");
    assert_eq!(first["billed_later"], serde_json::json!(["usage:c"]), "the older one is not waited for");
    assert!(session.read("out/2026-09/index.html").contains("indeterminate and not billed"));
    let mut rows = september("delivered");
    rows.push(text("e", "2026-10-05", SMITH, "delivered"));
    import(&mut session, &rows, "2026-10-01..2026-11-01");
    finalise(&mut session, "2026-10", "2026-11-03");
    let second = document(&session, "out/2026-10/invoices", "smith-law");
    let mut fresh = self::session();
    import(&mut fresh, &rows, "2026-09-01..2026-11-01");
    assert_eq!(fresh.run(&["run", "--period", "2026-09"]).exit, 0);
    let whole = document(&fresh, "out/2026-09/drafts", "smith-law");
    assert_eq!(amounts(&[&first, &second], "2026-09"), amounts(&[&whole], "2026-09"));
    assert_ne!(amounts(&[&first], "2026-09"), amounts(&[&whole], "2026-09"));
    assert_eq!(amounts(&[&second], "2026-10").len(), 3, "its own month stands beside it: {second:#}");
    let manifest = session.read("out/2026-10/manifest.json");
    finalise(&mut session, "2026-10", "2026-11-03");
    assert_eq!(session.read("out/2026-10/manifest.json"), manifest, "repeating a run writes nothing new");
    assert_eq!(session.run(&["run", "--period", "2026-09"]).exit, 0);
    let control = session.read("out/2026-09/control.json");
    assert!(
        control.contains("carried to a later document") && control.contains("\"adds_up\": true"),
        "{control}"
    );
    import(&mut session, &[text("f", "2026-11-05", SMITH, "delivered")], "2026-11-01..2026-12-01");
    assert_eq!(session.run(&["run", "--period", "2026-11"]).exit, 0);
    let third = document(&session, "out/2026-11/drafts", "smith-law");
    assert!(amounts(&[&third], "2026-09").is_empty(), "it is billed once: {third:#}");
    assert_eq!(session.run(&["verify"]).exit, 0);
}

#[test]
fn an_outcome_alone_makes_a_document_and_its_lines_are_explained() {
    let mut session = session();
    import(&mut session, &september("queued"), "2026-09-01..2026-10-01");
    finalise(&mut session, "2026-09", "2026-10-03");
    import(&mut session, &september("delivered"), "2026-10-01..2026-11-01");
    finalise(&mut session, "2026-10", "2026-11-03");
    let second = document(&session, "out/2026-10/invoices", "smith-law");
    let lines = second["lines"].as_array().unwrap();
    assert!(lines.iter().all(|line| line["service_period"] == "2026-09"), "{second:#}");
    let reached = lines.iter().find(|line| line["kind"] == "usage" && line["tier"] == 2).unwrap();
    let number = second["number"].as_str().unwrap();
    let line = reached["number"].to_string();
    let ended = session.run(&["explain", number, "--line", &line, "--event", "usage:c"]);
    assert_eq!(ended.exit, 0, "{}", ended.talk);
    assert!(ended.output.contains("usage:c"), "{}", ended.output);
}

#[test]
fn what_an_allowance_left_goes_on_in_the_next_month() {
    let mut session = session();
    import(&mut session, &[text("a", "2026-09-03", MAPLE, "delivered")], "2026-09-01..2026-10-01");
    finalise(&mut session, "2026-09", "2026-10-03");
    let first = document(&session, "out/2026-09/invoices", "maple-dental");
    assert_eq!(first["carried_over"][0]["left"][0]["left"]["numerator"], "1", "{first:#}");
    let october: Vec<String> =
        (1..=4).map(|day| text(&format!("b{day}"), &format!("2026-10-0{day}"), MAPLE, "delivered")).collect();
    import(&mut session, &october, "2026-10-01..2026-11-01");
    finalise(&mut session, "2026-10", "2026-11-03");
    let second = document(&session, "out/2026-10/invoices", "maple-dental");
    let usage = |document: &Value| {
        let lines = document["lines"].as_array().unwrap().clone();
        lines.into_iter().find(|line| line["kind"] == "usage").map(|line| line["units_billed"].clone())
    };
    assert_eq!(usage(&second), Some("1".into()), "one carried and two of its own are included: {second:#}");
    assert_eq!(second.get("carried_over"), None, "nothing is left");
    let manifest = session.read("out/2026-10/manifest.json");
    finalise(&mut session, "2026-10", "2026-11-03");
    assert_eq!(session.read("out/2026-10/manifest.json"), manifest);
    assert_eq!(session.run(&["verify"]).exit, 0);
}

/// A call of 20 minutes from ten to midnight on, at 0.06 a minute: 0.60 stand on each month's document, and each is final.
#[test]
fn a_call_that_periods_split_is_on_both_documents_and_billed_once() {
    let mut session = session();
    let rules = "default_tariff = \"standard\"\n[tariff.standard]\ncurrency = \"USD\"\nzone = \"America/New_York\"\n\
        options = { period_by = \"split\" }\n[[tariff.standard.rate]]\nname = \"Calls\"\nmatch = { channel = \"voice\" }\n\
        price = \"0.06 per minute\"\n";
    session.write("rules/standard.toml", rules);
    session.write("contacts.csv", "id,name,numbers\nsmith-law,Smith & Partners,+12125550143\n");
    let usage = "id,start,seconds,channel,direction,from,to,outcome\n\
        a,2026-09-30T23:50:00-04:00,1200,voice,outbound,+19175550188,+12125550143,answered\n";
    session.write("usage.csv", usage);
    let covers = "2026-09-01..2026-11-01";
    let ended =
        session.run(&["import", "--usage", "usage.csv", "--covers", covers, "--reason", "two months"]);
    assert_eq!(ended.exit, 0, "{}", ended.talk);
    for (period, date) in [("2026-09", "2026-10-05"), ("2026-10", "2026-11-05")] {
        finalise(&mut session, period, date);
        let document = document(&session, &format!("out/{period}/invoices"), "smith-law");
        assert_eq!(document["net"]["amount"].as_str(), Some("0.60"), "{period}: {document}");
        assert_eq!(document["annex"][0]["measured"].as_str(), Some("600"), "{period}: {document}");
    }
    assert_eq!(session.run(&["verify"]).exit, 0);
    finalise(&mut session, "2026-09", "2026-10-05");
}
