//! The files of one document: the page for the payer, the facts for machines, the annex of its events.
//!
//! Nothing here adds up money to be billed: every amount is printed as the document carries it. What is added is
//! added to check it, and a document that contradicts itself is refused.

mod annex;
mod charges;
mod facts;
mod sheet;

use super::{OutputFile, SafeFileStem};
use crate::domain::document::Document;
use crate::domain::money::Exact;
use crate::domain::{Exit, Failure, Result};

/// The folder of a document, relative to the output folder: `invoices/<number>` when it is finalised,
/// `drafts/<contact>` before.
///
/// # Errors
/// A finalised document asked for as a draft, or the reverse (exit 1).
pub fn folder(document: &Document, draft: bool) -> Result<String> {
    let contact = &document.invoice.payer.contact_id;
    match (&document.invoice.finalisation, draft) {
        (None, true) => Ok(format!("drafts/{}", SafeFileStem::of(contact))),
        (Some(finalisation), false) => Ok(format!("invoices/{}", SafeFileStem::of(&finalisation.number))),
        (Some(finalisation), true) => Err(Failure::new(
            Exit::Bug,
            format!("the finalised document {} was to be written as a draft", finalisation.number),
        )),
        (None, false) => Err(Failure::new(
            Exit::Bug,
            format!("the draft for contact {contact:?} was to be written as a finalised document"),
        )),
    }
}

/// `invoice.html`, `invoice.json` and `calls.csv` in the document's [`folder`].
///
/// # Errors
/// A document whose parts do not add up (exit 7); see [`folder`] for the other one.
pub fn files(document: &Document, draft: bool) -> Result<Vec<OutputFile>> {
    let folder = folder(document, draft)?;
    check(document).map_err(|failure| failure.while_doing(format!("checking {folder}")))?;
    let file = |name: &str, bytes: Vec<u8>| OutputFile { path: format!("{folder}/{name}"), bytes };
    Ok(vec![
        file("calls.csv", annex::table(document)?),
        file("invoice.html", sheet::page(document)?),
        file("invoice.json", facts::json(document)),
    ])
}

/// The sums a reader of the document could try: lines, net, tax, total, residual, and the annex of each line.
fn check(document: &Document) -> Result<()> {
    let invoice = &document.invoice;
    let fail = |message: String| Err(Failure::new(Exit::Verification, message));
    let mut net_minor_units = 0_i128;
    let mut residual = Exact::ZERO;
    for (index, line) in invoice.lines.iter().enumerate() {
        if usize::try_from(line.number) != Ok(index + 1) {
            return fail(format!("line {} stands at place {}", line.number, index + 1));
        }
        if line.amount.currency != invoice.currency {
            return fail(format!(
                "line {} is in {}, not {}",
                line.number, line.amount.currency, invoice.currency
            ));
        }
        if line.exact.plus(line.residual)? != line.amount.exact() {
            return fail(format!("the amount of line {} is not its charges and residual", line.number));
        }
        let charged = annex::charged(document, line.number)?;
        let itemised = line.key.kind.is_itemised() || charged.is_some();
        if itemised && charged.unwrap_or(Exact::ZERO) != line.exact {
            return fail(format!("the annex of line {} does not add up to its charges", line.number));
        }
        net_minor_units = net_minor_units
            .checked_add(line.amount.minor_units)
            .ok_or_else(|| Failure::new(Exit::Verification, "the sum of the lines left 128 bits"))?;
        residual = residual.plus(line.residual)?;
    }
    if let Some(row) =
        document.annex.iter().find(|row| row.line == 0 || row.line as usize > invoice.lines.len())
    {
        return fail(format!("event {:?} names line {}, which does not exist", row.event_id, row.line));
    }
    if invoice.net.minor_units != net_minor_units {
        return fail("the net amount is not the sum of the lines".to_owned());
    }
    if invoice.residual != residual {
        return fail("the rounding residual is not the sum of the lines' residuals".to_owned());
    }
    let tax = invoice.tax.as_ref().map_or(0, |tax| tax.amount.minor_units);
    if net_minor_units.checked_add(tax) != Some(invoice.total.minor_units) {
        return fail("the total is not net and tax".to_owned());
    }
    let mut currencies = vec![invoice.net.currency, invoice.total.currency];
    currencies.extend(invoice.tax.iter().flat_map(|tax| [tax.amount.currency, tax.taxable.currency]));
    if currencies.iter().any(|currency| *currency != invoice.currency) {
        return fail(format!("a total is not in {}", invoice.currency));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Money;
    use crate::output::{golden, samples};

    #[test]
    fn the_files_of_a_document_are_as_agreed() {
        for (name, document, draft) in [
            ("finalised", samples::invoice(), false),
            ("draft", samples::draft(), true),
            ("yen", samples::yen(), false),
            ("legal", samples::legal(), false),
        ] {
            for file in files(&document, draft).unwrap() {
                golden::check(&format!("document-{name}"), &file);
            }
        }
    }

    #[test]
    fn a_document_that_contradicts_itself_is_refused() {
        let tamper: [fn(&mut Document); 8] = [
            |document| document.invoice.net.minor_units += 1,
            |document| document.invoice.total.minor_units -= 1,
            |document| document.invoice.residual = Exact::new(1, 7),
            |document| document.invoice.lines[0].amount.minor_units += 1,
            |document| document.invoice.lines[1].number = 7,
            |document| document.annex[0].exact = Exact::new(1, 2),
            |document| document.annex[0].line = 99,
            |document| {
                document.invoice.total = Money {
                    currency: crate::domain::Currency::from_code("EUR").unwrap(),
                    ..document.invoice.total
                }
            },
        ];
        for change in tamper {
            let mut document = samples::invoice();
            change(&mut document);
            assert_eq!(files(&document, false).unwrap_err().exit(), Exit::Verification);
        }
    }

    #[test]
    fn a_draft_has_no_number_and_a_number_is_no_draft() {
        assert_eq!(files(&samples::invoice(), true).unwrap_err().exit(), Exit::Bug);
        assert_eq!(files(&samples::draft(), false).unwrap_err().exit(), Exit::Bug);
        assert_eq!(folder(&samples::invoice(), false).unwrap(), "invoices/INV-000042");
    }
}
