//! `tollbook verify`.

use clap::Args;

use crate::book::{Book, Damage, REOPEN_DAMAGED};
use crate::domain::{Exit, Result};
use crate::run::facts::codec;

use super::BookArgument;
use super::printer::Printer;

/// The arguments of `verify`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    book: BookArgument,
}

/// Checks the book; problems end with exit code 7.
pub fn run(arguments: &Arguments, printer: &mut Printer) -> Result<Exit> {
    let book = Book::open(&arguments.book.folder()?)?;
    let problems = book.verify(&codec())?;
    let rows: Vec<_> = problems
        .iter()
        .map(|problem| serde_json::json!({ "place": problem.place, "message": problem.message }))
        .collect();
    let given_up = given_up(&book)?;
    let text = match problems.is_empty() {
        true if given_up.is_empty() => "the book is as it was written".to_owned(),
        true => format!("the book is as it was written, but for what was given up\n{}", given_up.join("\n")),
        false => problems
            .iter()
            .map(|problem| format!("{}: {}", problem.place, problem.message))
            .collect::<Vec<_>>()
            .join("\n"),
    };
    printer.result(&serde_json::json!({ "problems": rows, "given_up": given_up }), &text);
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Verification })
}

/// Damaged files that somebody gave up and whose windows were listed again: what they held stays told.
fn given_up(book: &Book) -> Result<Vec<String>> {
    if book.decisions(REOPEN_DAMAGED)?.is_empty() {
        return Ok(Vec::new());
    }
    Ok(book.damage()?.iter().filter(|damage| damage.is_settled()).map(Damage::describe).collect())
}
