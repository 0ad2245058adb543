//! Same facts, same bytes: however the records came and wherever the program runs.

use std::fs;

use tollbook::sandbox::Running;

use crate::company::{
    Company, EARLY, Ended, FINALISE, FROM, LATE, Tree, Workspace, difference, serve_pages, sunday,
};

/// Two pulls and a finalising run under some environment.
fn billed(company: &Company, services: &[Running; 2], environment: &[(&str, &str)]) -> Workspace {
    let workspace = Workspace::new(&company.world, &services[0]);
    workspace.add_service("late.toml", &services[1].base_url);
    let steps: [&[&str]; 3] = [
        &["pull", "--from", FROM, "--at", EARLY],
        &["pull", "--from", FROM, "--at", LATE, "--reread", "--config", "late.toml"],
        &FINALISE,
    ];
    for step in steps {
        let mut command = workspace.command(step);
        Ended::of(command.envs(environment.iter().copied()).output().unwrap()).expect(0);
    }
    workspace
}

fn services(company: &Company, per_page: usize) -> [Running; 2] {
    [EARLY, LATE].map(|at| company.serve_with(at, |options| options.per_page_at_most = per_page))
}

#[test]
fn the_size_of_pages_does_not_show() {
    let company = Company::new(sunday());
    let whole = billed(&company, &services(&company, 1000), &[]);
    assert!(whole.output().len() > 50);
    for per_page in [7, 50] {
        let other = billed(&company, &services(&company, per_page), &[]);
        assert_eq!(difference(&whole.output(), &other.output()), None, "{per_page} records on a page");
        assert_eq!(whole.counts(), other.counts(), "{per_page} records on a page");
    }
}

#[test]
fn neither_the_place_nor_the_language_nor_the_threads_show() {
    let company = Company::new(sunday());
    let services = services(&company, 1000);
    let environments: [&[(&str, &str)]; 5] = [
        &[("TZ", "UTC"), ("LANG", "C"), ("POLARS_MAX_THREADS", "1"), ("RAYON_NUM_THREADS", "1")],
        &[("TZ", "Asia/Kathmandu"), ("LANG", "tr_TR.UTF-8"), ("LC_ALL", "tr_TR.UTF-8")],
        &[("TZ", "Pacific/Kiritimati"), ("LC_ALL", "de_DE.UTF-8"), ("POLARS_MAX_THREADS", "2")],
        &[("TZ", "America/New_York"), ("LANG", "ja_JP.eucJP"), ("RAYON_NUM_THREADS", "2")],
        &[("TZ", ":/nowhere"), ("LANG", ""), ("NO_COLOR", "1"), ("COLUMNS", "20"), ("USER", "nobody")],
    ];
    let first = billed(&company, &services, environments[0]);
    for environment in &environments[1..] {
        let other = billed(&company, &services, environment);
        assert_eq!(difference(&first.output(), &other.output()), None, "{environment:?}");
        assert_eq!(first.counts(), other.counts(), "{environment:?}");
    }
}

/// A workspace without a service, whose book holds the first page: it has the key of the hashes of texts.
fn begun(company: &Company, service: &Running, first: &(String, String)) -> Workspace {
    let workspace = Workspace::new(&company.world, service);
    let path = workspace.path("tollbook.toml");
    let text = fs::read_to_string(&path).unwrap();
    let files_only: Vec<&str> =
        text.lines().filter(|line| !line.starts_with("[service]") && !line.starts_with("url = ")).collect();
    fs::write(path, files_only.join("\n")).unwrap();
    fs::write(workspace.path(&first.0), &first.1).unwrap();
    workspace.run(&["import", &first.0]).expect(0);
    workspace
}

/// Imports files in an order, each completing the month, and finalises.
fn imported(begun: &Workspace, pages: &[(String, String)], order: &[usize]) -> Tree {
    let workspace = begun.duplicate();
    let mut arguments = vec!["import", "--covers", "2026-09-30..2026-11-02", "--actor", "test"];
    let names: Vec<String> = order.iter().map(|place| format!("{place}-{}", pages[*place].0)).collect();
    for (name, place) in names.iter().zip(order) {
        fs::write(workspace.path(name), &pages[*place].1).unwrap();
        arguments.push(name);
    }
    workspace.run(&arguments).expect(0);
    workspace.run(&FINALISE).expect(0);
    workspace.run(&["verify"]).expect(0);
    workspace.output()
}

#[test]
fn the_order_of_imported_files_does_not_show() {
    let company = Company::new(sunday());
    let services = services(&company, 40);
    // Pages of both times: records are there in several versions.
    let mut pages = serve_pages(&company, &services[0]).pages;
    pages.extend(serve_pages(&company, &services[1]).pages);
    let straight: Vec<usize> = (0..pages.len()).collect();
    let begun = begun(&company, &services[0], &pages[0]);
    let reference = imported(&begun, &pages, &straight);
    assert!(reference.len() > 50, "{}", reference.len());
    let backwards: Vec<usize> = straight.iter().rev().copied().collect();
    // 7 shares no factor with the number of files, or the order would not hold each of them.
    let step = if pages.len().is_multiple_of(7) { 11 } else { 7 };
    let mixed: Vec<usize> = straight.iter().map(|place| place * step % pages.len()).collect();
    for order in [backwards, mixed] {
        let other = imported(&begun, &pages, &order);
        assert_eq!(difference(&reference, &other), None, "{order:?}");
    }
}
