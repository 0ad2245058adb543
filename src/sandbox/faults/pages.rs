//! Lists that move while they are read, and links that lead astray.
//!
//! A shift begins after the page that it hits and lasts until the list's first page is asked for again: a client that
//! repeats a request gets the same answer.

use super::kind::FaultKind;
use serde_json::{Value, json};

/// What has happened to one list since its first page was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) kind: FaultKind,
    /// The page that was hit.
    pub(crate) page: usize,
    pub(crate) records: usize,
    /// A page that is to be repeated has been.
    pub(crate) over: bool,
}

impl Move {
    /// Whether a page with this number is another than in the list at rest.
    fn touches(&self, page: usize) -> bool {
        match self.kind {
            FaultKind::NewRecordsShift | FaultKind::DeletedRecordsShift => page > self.page,
            FaultKind::RepeatedPage => page == self.page + 1 && !self.over,
            FaultKind::PagesSwapped => page == self.page || page == self.page + 1,
            FaultKind::EmptyPage => page >= self.page,
            _ => false,
        }
    }
}

/// The list's records are lost to sight when its page is not an object with a list; then there are none.
fn records(page: &Value) -> Vec<Value> {
    page["records"].as_array().cloned().unwrap_or_default()
}

/// Whether a page says that another follows.
pub(crate) fn has_next(page: &Value) -> bool {
    page["navigation"]["nextPage"].is_object()
}

fn per_page(page: &Value) -> usize {
    let size = page["paging"]["perPage"].as_u64().and_then(|size| usize::try_from(size).ok());
    size.unwrap_or(usize::MAX)
}

/// The page as it is after the moves; `at_rest` gives any page of the list without them.
pub(crate) fn moved(
    own: Value,
    number: usize,
    moves: &[Move],
    at_rest: &mut dyn FnMut(usize) -> Option<Value>,
) -> Value {
    let Some(change) = moves.iter().rev().find(|change| change.touches(number)) else { return own };
    let size = per_page(&own);
    let mut calm =
        |page: usize| at_rest(page).map(|page| (records(&page), has_next(&page))).unwrap_or_default();
    let (mine, next) = (records(&own), has_next(&own));
    let (shown, next) = match change.kind {
        FaultKind::NewRecordsShift => {
            let (before, _) = calm(number - 1);
            let first = size.saturating_sub(change.records).min(before.len());
            let mut all = before[first..].to_vec();
            all.extend(mine);
            let next = next || all.len() > size;
            all.truncate(size);
            (all, next)
        }
        FaultKind::DeletedRecordsShift => {
            let (after, further) = if next { calm(number + 1) } else { Default::default() };
            let gone = change.records.min(mine.len());
            let mut all = mine[gone..].to_vec();
            all.extend(after.iter().take(change.records).cloned());
            (all, further || after.len() > change.records)
        }
        FaultKind::RepeatedPage => (calm(number - 1).0, next),
        FaultKind::PagesSwapped if number == change.page => (calm(number + 1).0, next),
        FaultKind::PagesSwapped => (calm(number - 1).0, next),
        FaultKind::EmptyPage if number == change.page => (Vec::new(), true),
        FaultKind::EmptyPage => calm(number - 1),
        _ => (mine, next),
    };
    rebuilt(own, number, shown, next)
}

/// A page with other records, its paging and links in keeping.
fn rebuilt(mut page: Value, number: usize, shown: Vec<Value>, next: bool) -> Value {
    let first = (number - 1).saturating_mul(per_page(&page));
    let size = shown.len();
    if let Some(paging) = page["paging"].as_object_mut() {
        paging.remove("pageStart");
        paging.remove("pageEnd");
        if size > 0 {
            paging.insert("pageStart".to_owned(), json!(first));
            paging.insert("pageEnd".to_owned(), json!(first + size - 1));
        }
    }
    page["records"] = Value::Array(shown);
    let link = page["uri"].as_str().map(|uri| with_page(uri, number + 1));
    if let Some(navigation) = page["navigation"].as_object_mut() {
        navigation.remove("nextPage");
        if let Some(link) = link.filter(|_| next) {
            navigation.insert("nextPage".to_owned(), json!({ "uri": link }));
        }
    }
    page
}

/// An address with another page number.
fn with_page(uri: &str, number: usize) -> String {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let others = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("page="));
    let mut pairs: Vec<String> = others.map(str::to_owned).collect();
    pairs.push(format!("page={number}"));
    format!("{path}?{}", pairs.join("&"))
}

/// Changes what a page says about itself and its neighbours. Links to other places need a next page to lead astray
/// from; a loop is a loop on the last page too.
pub(crate) fn altered(page: &mut Value, kind: FaultKind, amount: i64) {
    if kind == FaultKind::TotalChanges {
        total_changes(&mut page["paging"], amount);
        return;
    }
    let own = page["uri"].as_str().unwrap_or_default().to_owned();
    let next = page["navigation"]["nextPage"]["uri"].as_str().map(str::to_owned);
    let link = match (kind, next) {
        (FaultKind::NextPageLoop, _) => Some(own),
        (_, Some(next)) => astray(kind, &next),
        (_, None) => None,
    };
    if let (Some(link), Some(navigation)) = (link, page["navigation"].as_object_mut()) {
        navigation.insert("nextPage".to_owned(), json!({ "uri": link }));
    }
}

fn total_changes(paging: &mut Value, amount: i64) {
    let (Some(total), Some(size)) = (paging["totalElements"].as_i64(), paging["perPage"].as_i64()) else {
        return;
    };
    let total = (total + amount).max(0);
    paging["totalElements"] = json!(total);
    paging["totalPages"] = json!(total.unsigned_abs().div_ceil(size.unsigned_abs().max(1)).max(1));
}

fn astray(kind: FaultKind, next: &str) -> Option<String> {
    let (scheme, rest) = next.split_once("://")?;
    let (authority, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    Some(match kind {
        FaultKind::NextPageOtherHost => format!("{scheme}://elsewhere.invalid{target}"),
        FaultKind::NextPageOtherScheme => {
            format!("{}://{authority}{target}", if scheme == "https" { "http" } else { "https" })
        }
        FaultKind::NextPageOtherPort => format!("{scheme}://{host}:1{target}"),
        FaultKind::NextPageUserInfo => format!("{scheme}://{authority}@elsewhere.invalid{target}"),
        FaultKind::NextPageRelative => target.to_owned(),
        FaultKind::NextPageLong => {
            let more = 8192_usize.saturating_sub(next.len() + "&filler=".len());
            format!("{next}&filler={}", "x".repeat(more))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Page `number` of a list of the numbers below `length`, three on a page.
    fn calm(number: usize, length: usize) -> Value {
        let first = (number - 1) * 3;
        let shown: Vec<usize> = (first..length.min(first + 3)).collect();
        let mut page = json!({
            "uri": format!("http://h:1/list?page={number}&perPage=3"), "records": shown,
            "paging": { "page": number, "perPage": 3 }, "navigation": {},
        });
        if first + 3 < length {
            page["navigation"]["nextPage"] =
                json!({ "uri": format!("http://h:1/list?perPage=3&page={}", number + 1) });
        }
        page
    }

    /// All pages of a list after a move, following `nextPage`.
    fn read(kind: FaultKind, page: usize, records: usize, length: usize) -> Vec<Vec<u64>> {
        let moves = [Move { kind, page, records, over: false }];
        let mut pages = Vec::new();
        for number in 1.. {
            let page = moved(calm(number, length), number, &moves, &mut |other| Some(calm(other, length)));
            let shown = page["records"].as_array().expect("records");
            pages.push(shown.iter().filter_map(Value::as_u64).collect());
            if !has_next(&page) {
                break;
            }
            assert!(number < 20, "the list has an end");
        }
        pages
    }

    #[test]
    fn shifts_repeat_and_skip_at_the_seam() {
        for length in 4..12 {
            let all: Vec<u64> = (0..length).collect();
            let size = usize::try_from(length).expect("small");
            let with_new = read(FaultKind::NewRecordsShift, 1, 2, size).concat();
            assert_eq!(with_new, [&[0, 1, 2, 1, 2], &all[3..]].concat(), "{length}");
            let with_gone = read(FaultKind::DeletedRecordsShift, 1, 2, size).concat();
            let rest = &all[all.len().min(5)..];
            assert_eq!(with_gone, [&[0, 1, 2], rest].concat(), "{length}");
        }
        assert_eq!(read(FaultKind::NewRecordsShift, 2, 1, 7), [&[0, 1, 2][..], &[3, 4, 5], &[5, 6]]);
    }

    #[test]
    fn pages_come_twice_or_in_another_order() {
        assert_eq!(read(FaultKind::RepeatedPage, 1, 0, 8), [[0, 1, 2].to_vec(), vec![0, 1, 2], vec![6, 7]]);
        assert_eq!(read(FaultKind::PagesSwapped, 1, 0, 8), [[3, 4, 5].to_vec(), vec![0, 1, 2], vec![6, 7]]);
        let with_empty = [vec![0, 1, 2], vec![], vec![3, 4, 5], vec![6, 7]];
        assert_eq!(read(FaultKind::EmptyPage, 2, 0, 8), with_empty);
    }

    #[test]
    fn links_lead_astray() {
        let link = |kind, page: usize| {
            let mut page = calm(page, 5);
            altered(&mut page, kind, 0);
            page["navigation"]["nextPage"]["uri"].as_str().map(str::to_owned)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(link(FaultKind::NextPageLoop, 2), some("http://h:1/list?page=2&perPage=3"));
        assert_eq!(
            link(FaultKind::NextPageOtherHost, 1),
            some("http://elsewhere.invalid/list?perPage=3&page=2")
        );
        assert_eq!(link(FaultKind::NextPageOtherScheme, 1), some("https://h:1/list?perPage=3&page=2"));
        assert_eq!(
            link(FaultKind::NextPageUserInfo, 1),
            some("http://h:1@elsewhere.invalid/list?perPage=3&page=2")
        );
        assert_eq!(link(FaultKind::NextPageRelative, 1), some("/list?perPage=3&page=2"));
        assert_eq!(link(FaultKind::NextPageLong, 1).map(|link| link.len()), Some(8192));
        assert_eq!(link(FaultKind::NextPageLong, 2), None);
    }
}
