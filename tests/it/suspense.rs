//! What cannot be understood holds back those it could belong to, and nobody else; a decision or a newer version
//! releases them, and what was finalised before stands.

use crate::support::session::Session;

const ROWS: &str = "\
id,start,seconds,channel,direction,from,to,outcome,result
a,2026-10-05T10:00:00-04:00,61,voice,inbound,+19175550100,+12125550143,answered,
b,2026-10-06T10:00:00-04:00,61,voice,inbound,+19175550101,+12125550150,,Quantum Handoff
c,2026-10-07T10:00:00-04:00,61,voice,inbound,+19175550102,+12125550150,answered,
";

const FINALISE: [&str; 6] = ["run", "--period", "2026-10", "--finalise", "--issue-date", "2026-11-05"];

fn import(session: &mut Session, rows: &str) {
    session.write("usage.csv", rows);
    let covers = "2026-10-01..2026-11-01";
    let ended =
        session.run(&["import", "--usage", "usage.csv", "--covers", covers, "--reason", "whole month"]);
    assert_eq!(ended.exit, 0, "{}", ended.talk);
}

fn held_back() -> Session {
    let mut session = Session::with_company();
    import(&mut session, ROWS);
    let ended = session.run(&FINALISE);
    assert_eq!(ended.exit, 0, "{}", ended.talk);
    assert!(ended.output.contains("held back: maple-dental"), "{}", ended.output);
    assert!(session.path("out/2026-10/invoices/INV-000001").is_dir(), "who has no suspense is billed");
    assert!(session.path("out/2026-10/drafts/maple-dental").is_dir(), "who could have it stays a draft");
    session
}

#[test]
fn a_decision_releases_whom_it_held_back() {
    let mut session = held_back();
    let first = session.read("out/2026-10/invoices/INV-000001/invoice.json");
    assert_eq!(session.run(&["accept-suspense", "b", "--reason", " "]).exit, 2);
    assert_eq!(session.run(&["accept-suspense", "b", "--reason", "a test call", "--actor", "anna"]).exit, 0);
    let ended = session.run(&FINALISE);
    assert_eq!(ended.exit, 0, "{}", ended.talk);
    assert!(session.path("out/2026-10/invoices/INV-000002").is_dir());
    assert!(!session.path("out/2026-10/drafts").exists());
    assert_eq!(session.read("out/2026-10/invoices/INV-000001/invoice.json"), first, "what was final stands");
    assert!(session.read("out/2026-10/index.html").contains("accepted by anna: a test call"));
    let tree = session.read("out/2026-10/manifest.json");
    assert_eq!(session.run(&FINALISE).exit, 0);
    assert_eq!(session.read("out/2026-10/manifest.json"), tree, "a third run writes nothing new");
    assert_eq!(session.run(&["verify"]).exit, 0);
}

#[test]
fn a_corrected_row_releases_whom_it_held_back() {
    let mut session = held_back();
    let first = session.read("out/2026-10/invoices/INV-000001/invoice.json");
    import(&mut session, &ROWS.replace(",,Quantum Handoff", ",answered,"));
    assert_eq!(session.run(&FINALISE).exit, 0);
    assert_eq!(session.read("out/2026-10/invoices/INV-000001/invoice.json"), first, "earlier documents stay");
    let second = session.read("out/2026-10/invoices/INV-000002/calls.csv");
    assert!(second.contains("usage:b") && second.contains("usage:c"), "{second}");
    assert!(session.read("out/2026-10/control.json").contains("\"adds_up\": true"));
    let manifest = session.read("out/2026-10/manifest.json");
    assert_eq!(session.run(&FINALISE).exit, 0);
    assert_eq!(session.read("out/2026-10/manifest.json"), manifest, "repeating a run writes nothing new");
    assert_eq!(session.run(&["verify"]).exit, 0);
}
