//! The same net over imported files and decisions.

use std::fs;

use super::{Kill, killed, traced};
use crate::company::{Company, EARLY, Workspace, difference, sunday};

const USAGE: &str = "id,start,seconds,channel,direction,from,to,outcome\n\
    one,2026-10-05T14:00:00-04:00,61,voice,outbound,+12125550120,+12125550143,answered\n\
    two,2026-10-06T09:30:00-04:00,600,voice,outbound,+12125550120,+12125550143,answered\n\
    three,2026-10-07T18:00:00-04:00,0,voice,inbound,+12125550143,+12125550120,unanswered\n";

const STEPS: [&[&str]; 5] = [
    &["import", "--usage", "usage.csv", "--actor", "test"],
    &["import", "--usage", "usage.csv", "--actor", "test", "--covers", "2026-09-30..2026-11-02"],
    &[
        "accept-gap",
        "call-log",
        "--period",
        "2026-10",
        "--reason",
        "the calls came as files",
        "--actor",
        "test",
    ],
    &[
        "accept-gap",
        "messages",
        "--period",
        "2026-10",
        "--reason",
        "no messages are billed",
        "--actor",
        "test",
    ],
    &["run", "--period", "2026-10", "--finalise", "--actor", "test", "--issue-date", "2026-11-20"],
];

#[test]
fn a_kill_while_files_and_decisions_are_taken_in_changes_nothing() {
    let company = Company::new(sunday());
    // The configuration names a service, so that its call log is a gap until somebody accepts it.
    let service = company.serve(EARLY);
    let workspace = Workspace::new(&company.world, &service);
    fs::write(workspace.path("usage.csv"), USAGE).unwrap();
    let undisturbed = workspace.duplicate();
    let passes: Vec<_> = STEPS.iter().map(|step| traced(&undisturbed, step)).collect();
    let output = undisturbed.output();
    assert!(output.contains_key("2026-10/index.html"));
    let points: [(usize, &'static str); 9] = [
        (0, "create.committed"),
        (0, "import.file-renamed"),
        (0, "import.before-commit"),
        (0, "import.committed"),
        (1, "import.before-commit"),
        (1, "import.committed"),
        (2, "decision.before-commit"),
        (2, "decision.committed"),
        (4, "finalise.committed"),
    ];
    for (killed_step, point) in points {
        assert!(passes[killed_step].contains_key(point), "{point} is not passed by step {killed_step}");
        let workspace = workspace.duplicate();
        for (number, step) in STEPS.iter().enumerate() {
            if number == killed_step {
                killed(workspace.command(step), &Kill::Point(point, 1)).unwrap();
            }
            workspace.run(step).expect(0);
        }
        assert_eq!(difference(&output, &workspace.output()), None, "{point}");
        workspace.run(&["verify"]).expect(0);
    }
}
