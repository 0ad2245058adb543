use crate::domain::Country;
use crate::rules::diagnostic::{Diagnostic, SourceFile};
use crate::rules::load::rule_set;

use super::*;

const RULES: &str = r#"
default_tariff = "plain"
[tariff.plain]
currency = "USD"
zone = "America/New_York"
[[tariff.plain.rate]]
match = { channel = "voice" }
price = "0.60 per minute"
[tariff.euro]
currency = "EUR"
zone = "Europe/Berlin"
[[tariff.euro.rate]]
match = { channel = "voice" }
price = "0.60 per minute"
"#;

fn read(text: &str) -> Result<(ContactList, Vec<Diagnostic>), Vec<Diagnostic>> {
    let home = Country::from_code("US").unwrap();
    let rules = SourceFile { name: "rules.toml".to_owned(), text: RULES.to_owned() };
    let (rules, _) = rule_set(&[rules], home).unwrap();
    contact_list(&SourceFile { name: "contacts.csv".to_owned(), text: text.to_owned() }, &rules, home)
}

fn codes(text: &str) -> Vec<(&'static str, String)> {
    let mistakes = read(text).unwrap_err();
    mistakes.into_iter().map(|mistake| (mistake.code, mistake.message)).collect()
}

#[test]
fn every_kind_of_claim_is_read_with_its_days() {
    let text = "id,name,matters,departments,sites,cost_centres,ringcentral_accounts,pool,account\n\
        a,A,M-1@2026-10-05..;M-2,Sales,Berlin@..2026-10-05,4711,37439510,family,\n\
        b,B,M-1@..2026-10-05,,Berlin@2026-10-05..,,,family,a\n";
    let (list, warnings) = read(text).unwrap();
    assert!(warnings.is_empty());
    let a = &list.contacts[0];
    let values: Vec<&str> = a.matters.iter().map(|claim| claim.value.as_str()).collect();
    assert_eq!(values, ["M-1", "M-2"]);
    assert_eq!(a.matters[0].span.from.rfc3339(), "2026-10-05T04:00:00.000Z");
    assert_eq!((a.departments[0].value.as_str(), a.cost_centres[0].value.as_str()), ("Sales", "4711"));
    assert_eq!(a.ringcentral_accounts[0].value, "37439510");
    assert_eq!(list.contacts[1].account.as_deref(), Some("a"));
    assert_eq!(a.pool, list.contacts[1].pool);
}

#[test]
fn what_two_contacts_claim_at_one_time_is_refused_in_every_column() {
    for column in [
        "numbers",
        "prefixes",
        "extensions",
        "account_codes",
        "matters",
        "departments",
        "sites",
        "cost_centres",
    ] {
        let value = if column == "numbers" { "+12125550143" } else { "+1212" };
        let value = if column == "extensions" { "101" } else { value };
        let found = codes(&format!("id,name,{column}\na,A,{value}\nb,B,{value}\n"));
        assert_eq!(found.len(), 1, "{column}: {found:?}");
        assert_eq!(found[0].0, "claimed-twice");
        assert!(found[0].1.contains("a (line 2)") && found[0].1.contains("b (line 3)"), "{}", found[0].1);
    }
    // An account code that is somebody else's matter would name two payers.
    let found = codes("id,name,account_codes,matters\na,A,77,\nb,B,,77\n");
    assert_eq!(found[0].0, "claimed-twice");
    // A short claim inside a long one, with a third between them in the order of their beginnings.
    let nested = "id,name,sites\n\
        a,A,Berlin@2026-01-01..2026-12-31\n\
        a2,A2,Bonn@2026-02-01..2026-02-02\n\
        b,B,Berlin@2026-03-01..2026-03-02\n\
        c,C,Berlin@2026-04-01..2026-04-02\n";
    assert_eq!(codes(nested).len(), 2);
}

#[test]
fn accounts_have_one_level_and_pools_one_tariff_and_period() {
    let text = "id,name,account,pool,tariff,zone\n\
        firm,Firm,,p,,\n\
        a,A,firm,p,,America/Chicago\n\
        b,B,a,p,euro,America/New_York\n\
        c,C,c,,,\n\
        d,D,nobody,,,\n";
    let found: Vec<&str> = codes(text).into_iter().map(|(code, _)| code).collect();
    let expected = [
        "pool-of-several-zones",
        "account-chain",
        "account-currency",
        "pool-of-several-tariffs",
        "account-chain",
        "unknown-account",
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_account_in_another_currency_is_a_warning() {
    let (list, warnings) = read("id,name,account,tariff\nfirm,Firm,,euro\na,A,firm,plain\n").unwrap();
    assert_eq!(list.contacts.len(), 2);
    assert_eq!((warnings.len(), warnings[0].code), (1, "account-currency"));
    assert_eq!(warnings[0].severity, Severity::Warning);
}
