use crate::domain::event::{BillableEvent, Coding};
use crate::domain::number::NumberReader;
use crate::domain::source::UsageRow;
use crate::domain::{Country, Zone};
use crate::rules::CompiledRules;
use crate::rules::coding::{CodingSheet, coding_sheet};
use crate::rules::contacts::contact_list;
use crate::rules::diagnostic::SourceFile;
use crate::rules::directory::directory;
use crate::rules::load::rule_set;
use crate::stage::enrich::enrich;
use crate::stage::explain::span_of;
use crate::stage::mediate::usage_event;

use super::*;

const RULES: &str = r#"
default_tariff = "plain"
[tariff.plain]
currency = "USD"
zone = "America/New_York"
[[tariff.plain.rate]]
match = { channel = "voice" }
price = "0.60 per minute"
[timekeeper.ada]
name = "Ada"
extensions = ["101@..2026-10-05"]
[timekeeper.bob]
name = "Bob"
extensions = ["101@2026-10-05.."]
"#;

/// One contact for each way of being found, by the name of the way.
const CONTACTS: &str = "\
id,name,numbers,prefixes,extensions,account_codes,matters,departments,sites,cost_centres,ringcentral_accounts\n\
coding,1,,,,,,,,,\n\
named,2,,,,,,,,,\n\
account-code,3,,,,77,M-1,,,,\n\
own-number,4,+12125550143,,,,,,,,\n\
other-number,5,+19175550100,,,,,,,,\n\
other-prefix,6,,+1917555;+1917,,,,,,,\n\
extension,7,,,101,,,,,,\n\
department,8,,,,,,Legal,,,\n\
site,9,,,,,,,Bonn,,\n\
cost-centre,10,,,,,,,,4711,\n\
account,11,,,,,,,,,a-1\n";

fn file(name: &str, text: &str) -> SourceFile {
    SourceFile { name: name.to_owned(), text: text.to_owned() }
}

fn compiled(rules: &str, contacts: &str, events: &[BillableEvent]) -> CompiledRules {
    let home = Country::from_code("US").unwrap();
    let (rules, _) = rule_set(&[file("rules.toml", rules)], home).unwrap();
    let (contacts, _) = contact_list(&file("contacts.csv", contacts), &rules, home).unwrap();
    let span = span_of(events.iter().map(BillableEvent::view));
    let zone = Zone::from_name("America/New_York").unwrap();
    CompiledRules::new(&rules, &contacts, zone, span).unwrap().learn(events)
}

/// A call that every way of finding a payer knows.
fn call() -> BillableEvent {
    let row = UsageRow {
        id: "1".to_owned(),
        start: Instant::parse("2026-10-05T10:00:00-04:00"),
        milliseconds: Some(60_000),
        channel: "voice".to_owned(),
        direction: "inbound".to_owned(),
        from: Some("+19175550100".to_owned()),
        to: Some("+12125550143".to_owned()),
        extension: Some("101".to_owned()),
        outcome: Some("answered".to_owned()),
        account_code: Some("77".to_owned()),
        contact: Some("named".to_owned()),
        ..UsageRow::default()
    };
    let event = usage_event(&mut NumberReader::new(Country::from_code("US").unwrap()), &row).unwrap();
    BillableEvent {
        site: Some("Bonn".to_owned()),
        department: Some("Legal".to_owned()),
        cost_centre: Some("4711".to_owned()),
        ringcentral_account: Some("a-1".to_owned()),
        coding: Some(Coding { contact: Some("coding".to_owned()), ..Coding::default() }),
        ..event
    }
}

fn who(rules: &CompiledRules, event: &BillableEvent) -> Option<(String, &'static str, u32)> {
    let found = identify(&rules.identity, &event.view())?;
    let contact = rules.payers[found.payer as usize].contact.id.clone();
    Some((contact, found.rule.word(), found.matter))
}

#[test]
fn every_way_finds_its_contact_when_those_before_it_do_not() {
    let mut event = call();
    let rules = compiled(RULES, CONTACTS, std::slice::from_ref(&event));
    for rule in IdentityRule::ALL {
        let (contact, word, matter) = who(&rules, &event).unwrap();
        assert_eq!((contact.as_str(), word, matter), (rule.word(), rule.word(), 0));
        match rule {
            IdentityRule::Coding => event.coding = None,
            IdentityRule::Named => event.contact = None,
            IdentityRule::AccountCode => event.account_code = Some("78".to_owned()),
            IdentityRule::OwnNumber => event.to.number = crate::domain::PartyNumber::Withheld,
            IdentityRule::OtherNumber => {
                event.from.number = crate::domain::PartyNumber::E164(19_175_550_101);
            }
            IdentityRule::OtherPrefix => {
                event.from.number = crate::domain::PartyNumber::E164(19_145_550_101);
            }
            IdentityRule::Extension => event.extension = Some(102),
            IdentityRule::Department => event.department = None,
            IdentityRule::Site => event.site = Some("Berlin".to_owned()),
            IdentityRule::CostCentre => event.cost_centre = None,
            IdentityRule::Account => event.ringcentral_account = None,
        }
    }
    assert_eq!(who(&rules, &event), None);
}

#[test]
fn whom_a_row_or_coding_names_pays_or_nobody() {
    let mut event = call();
    event.contact = Some("gone".to_owned());
    let contacts = format!("{CONTACTS}gone,12,,,,,,,,,\n").replace("cost_centres,", "cost_centres,valid_to,");
    let contacts: String = contacts
        .lines()
        .map(|line| match line.split_once(',') {
            Some(("id", _)) => format!("{line}\n"),
            Some((id, rest)) => {
                let (head, account) = rest.rsplit_once(',').unwrap();
                let end = if id == "gone" { "2026-10-05" } else { "" };
                format!("{id},{head},{end},{account}\n")
            }
            None => String::new(),
        })
        .collect();
    let rules = compiled(RULES, &contacts, std::slice::from_ref(&event));
    assert_eq!(who(&rules, &event).unwrap().0, "coding");
    event.coding = Some(Coding { contact: Some("gone".to_owned()), ..Coding::default() });
    assert_eq!(who(&rules, &event), None, "a coding that names somebody who is gone is not overruled");
    event.coding = None;
    assert_eq!(who(&rules, &event), None, "nor is a row");
    event.start = event.start.plus_milliseconds(-86_400_000);
    assert_eq!(who(&rules, &event).unwrap().0, "gone");
}

#[test]
fn a_matter_is_found_by_its_code_and_by_the_coding() {
    let mut event = call();
    (event.coding, event.contact) = (None, None);
    event.account_code = Some("M-1".to_owned());
    let coded = BillableEvent {
        coding: Some(Coding { matter: Some("A-9".to_owned()), ..Coding::default() }),
        ..event.clone()
    };
    let rules = compiled(RULES, CONTACTS, &[event.clone(), coded.clone()]);
    assert_eq!(rules.identity.matters, ["A-9", "M-1"]);
    assert_eq!(who(&rules, &event).unwrap(), ("account-code".to_owned(), "account-code", 2));
    assert_eq!(who(&rules, &coded).unwrap().2, 1, "the coding stands before the account code");
    // Found in another way: the code's matter is somebody else's then.
    let order = format!("{RULES}[identity]\norder = [\"own-number\"]\n");
    let rules = compiled(&order, CONTACTS, std::slice::from_ref(&event));
    assert_eq!(who(&rules, &event).unwrap(), ("own-number".to_owned(), "own-number", 0));
}

#[test]
fn timekeepers_change_at_midnight_of_the_company() {
    let event = call();
    let rules = compiled(RULES, CONTACTS, std::slice::from_ref(&event));
    let at = |text: &str| Instant::parse(text).unwrap();
    let view = event.view();
    let person = |extension, start| {
        let number = timekeeper(&rules.identity, &view, extension, start);
        number.checked_sub(1).map(|place| rules.identity.timekeepers[place as usize].as_str())
    };
    assert_eq!(person(Some(101), at("2026-10-05T03:59:59.999Z")), Some("ada"));
    assert_eq!(person(Some(101), at("2026-10-05T04:00:00Z")), Some("bob"));
    assert_eq!(person(Some(102), at("2026-10-05T04:00:00Z")), None);
    assert_eq!(person(None, at("2026-10-05T04:00:00Z")), None);
}

#[test]
fn directory_and_sheets_fill_in_what_the_source_left_open() {
    let places = directory(&file(
        "directory.csv",
        "extension,department,site,valid_to\n101,Sales,Berlin,2026-10-05\n101,Tax,Bonn,\n"
            .replace("101,Tax,Bonn,", "102,Tax,Bonn,")
            .as_str(),
    ))
    .unwrap();
    let home = Country::from_code("US").unwrap();
    let (rules, _) = rule_set(&[file("rules.toml", RULES)], home).unwrap();
    let (contacts, _) = contact_list(&file("contacts.csv", CONTACTS), &rules, home).unwrap();
    let text = "record,matter,task,status\nusage:1,M-1,,confirmed\n";
    let sheet = coding_sheet(&[file("a.csv", text)], &rules, &contacts).unwrap();
    let zone = Zone::from_name("America/New_York").unwrap();
    let own = Coding { task: Some("L100".to_owned()), matter: Some("X".to_owned()), ..Coding::default() };
    let bare = BillableEvent { site: None, department: None, coding: Some(own), ..call() };
    let early = BillableEvent { start: bare.start.plus_milliseconds(-86_400_000), ..bare.clone() };
    let mut events = [bare, early];
    enrich(&mut events, &places, &sheet, zone);
    assert_eq!((events[0].site.as_deref(), events[1].site.as_deref()), (None, Some("Berlin")));
    assert_eq!(events[1].cost_centre.as_deref(), Some("4711"), "what the source says stands");
    let coding = events[0].coding.as_ref().unwrap();
    assert_eq!((coding.matter.as_deref(), coding.task.as_deref()), (Some("M-1"), Some("L100")));
    let before = events.clone();
    enrich(&mut events, &places, &CodingSheet::default(), zone);
    assert_eq!(events, before);
}
