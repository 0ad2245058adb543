//! One command at a time: whoever comes second is told at once who holds the book.

use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::company::{Company, EARLY, Ended, FROM, Workspace, sunday};

/// More than any of these commands takes on a machine that does other things as well.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A service that takes connections and never answers, so that a pull holds its book for as long as a test needs.
struct Silent {
    url: String,
    _connections: Arc<Mutex<Vec<TcpStream>>>,
}

impl Silent {
    fn new() -> Silent {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&connections);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                kept.lock().unwrap().extend(connection);
            }
        });
        Silent { url, _connections: connections }
    }
}

/// Starts several pulls at once; returns the one that goes on and how the others ended, after how long.
fn race(workspace: &Workspace, contestants: usize) -> (Child, Vec<(Ended, Duration)>) {
    let pull = ["pull", "--from", FROM, "--at", EARLY, "--config", "silent.toml"];
    let began = Instant::now();
    let mut running: Vec<Child> = (0..contestants).map(|_| workspace.start(&pull)).collect();
    let mut ended = Vec::new();
    while running.len() > 1 && began.elapsed() < Duration::from_secs(20) {
        let (over, going): (Vec<Child>, Vec<Child>) =
            running.into_iter().partition_map_over(|child| child.try_wait().unwrap().is_some());
        for child in over {
            ended.push((Ended::of(child.wait_with_output().unwrap()), began.elapsed()));
        }
        running = going;
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(running.len(), 1, "one goes on; the others: {ended:?}");
    (running.pop().unwrap(), ended)
}

/// `partition` with a test that changes what it looks at.
trait PartitionOver {
    fn partition_map_over(self, test: impl FnMut(&mut Child) -> bool) -> (Vec<Child>, Vec<Child>);
}

impl<I: Iterator<Item = Child>> PartitionOver for I {
    fn partition_map_over(self, mut test: impl FnMut(&mut Child) -> bool) -> (Vec<Child>, Vec<Child>) {
        let (mut yes, mut no) = (Vec::new(), Vec::new());
        for mut child in self {
            if test(&mut child) { yes.push(child) } else { no.push(child) }
        }
        (yes, no)
    }
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn one_proceeds_and_the_others_are_told_who() {
    let company = Company::new(sunday());
    let service = company.serve(EARLY);
    let workspace = Workspace::new(&company.world, &service);
    let silent = Silent::new();
    workspace.add_service("silent.toml", &silent.url);
    workspace.pull(EARLY).expect(0);
    let (holder, others) = race(&workspace, 4);
    assert_eq!(others.len(), 3);
    for (ended, after) in others {
        assert_eq!(ended.code, Some(5), "{}", ended.err);
        let named = format!("the book is held by process {}: pull", holder.id());
        assert!(ended.err.contains(&named), "{} instead of {named}", ended.err);
        assert!(after < AT_ONCE, "{after:?}");
    }
    // Readers need no lock.
    workspace.run(&["status"]).expect(0);
    workspace.run(&["run", "--period", "2026-10"]).expect(5);
    kill(holder);
    let began = Instant::now();
    workspace.run(&["run", "--period", "2026-10"]).expect(0);
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    workspace.run(&["verify"]).expect(0);
}

#[test]
fn one_proceeds_where_there_is_no_book_yet() {
    let company = Company::new(sunday());
    let service = company.serve(EARLY);
    let silent = Silent::new();
    for round in 0..8 {
        let workspace = Workspace::new(&company.world, &service);
        workspace.add_service("silent.toml", &silent.url);
        let (holder, others) = race(&workspace, 4);
        for (ended, _) in &others {
            assert_eq!(ended.code, Some(5), "round {round}: {}", ended.err);
            assert!(ended.err.contains("the book is held by "), "{}", ended.err);
        }
        kill(holder);
        workspace.pull(EARLY).expect(0);
        workspace.run(&["verify"]).expect(0);
    }
}
