//! Query strings: parameters with their defaults and mistakes, and the addresses of further pages.

use super::ask::{Ask, encode};
use super::error::ApiError;
use super::unknowns::Unknowns;
use crate::sandbox::wire::{Link, Navigation, Paging};
use crate::sandbox::world::calendar::stamp;
use chrono::{DateTime, NaiveDate, TimeZone};
use chrono_tz::America::New_York;
use std::fmt::Write as _;

/// A page never holds more.
pub(crate) const MOST_PER_PAGE: usize = 1000;
const USUAL_PER_PAGE: usize = 100;

/// The parameters of one request, in their order.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

/// Which page of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageOrder {
    pub(crate) page: usize,
    pub(crate) per_page: usize,
}

impl Parameters {
    pub(crate) fn of(ask: &Ask) -> Parameters {
        Parameters(ask.query.clone())
    }

    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a repeated parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a repeated parameter, each checked against the known ones; empty when it is absent.
    pub(crate) fn many(
        &self,
        name: &'static str,
        known: &[&'static str],
    ) -> Result<Vec<&'static str>, ApiError> {
        let values = self.0.iter().filter(|(key, _)| key == name);
        let known = |value: &str| known.iter().find(|candidate| **candidate == value).copied();
        values.map(|(_, value)| known(value).ok_or_else(|| ApiError::invalid_parameter(name))).collect()
    }

    /// The one value of a parameter, if given, checked against the known ones.
    pub(crate) fn choice(
        &self,
        name: &'static str,
        known: &[&'static str],
    ) -> Result<Option<&'static str>, ApiError> {
        Ok(self.many(name, known)?.first().copied())
    }

    pub(crate) fn flag(&self, name: &'static str) -> Result<bool, ApiError> {
        Ok(self.choice(name, &["true", "false"])? == Some("true"))
    }

    /// The page asked for; `most` is what a page of this server holds.
    pub(crate) fn page_order(&self, most: usize) -> Result<PageOrder, ApiError> {
        let page = self.positive("page")?.unwrap_or(1);
        let per_page = match self.one("perPage") {
            Some("max") => MOST_PER_PAGE,
            _ => self.positive("perPage")?.unwrap_or(USUAL_PER_PAGE),
        };
        Ok(PageOrder { page, per_page: per_page.min(most.clamp(1, MOST_PER_PAGE)) })
    }

    /// A time among the parameters, in milliseconds.
    pub(crate) fn time_ms(&self, name: &'static str, unknowns: &Unknowns) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.one(name) else { return Ok(None) };
        let millis =
            parse_time(text, unknowns.dates_are_local).ok_or_else(|| ApiError::invalid_parameter(name))?;
        Ok(Some(if unknowns.cut_request_times { millis.div_euclid(1000) * 1000 } else { millis }))
    }

    /// `dateFrom` and `dateTo` as milliseconds: by default `span_ms` before `dateTo`, which is now by default.
    pub(crate) fn window_ms(
        &self,
        now_ms: i64,
        span_ms: i64,
        unknowns: &Unknowns,
    ) -> Result<(i64, i64), ApiError> {
        let to_ms = self.time_ms("dateTo", unknowns)?.unwrap_or(now_ms);
        let from_ms = self.time_ms("dateFrom", unknowns)?.unwrap_or(to_ms - span_ms);
        let too_wide =
            unknowns.widest_window.is_some_and(|widest| to_ms - from_ms > widest.num_milliseconds());
        if from_ms > to_ms || too_wide {
            return Err(ApiError::invalid_parameter("dateFrom"));
        }
        Ok((from_ms, to_ms))
    }

    /// A number of at least 1, if given.
    pub(crate) fn positive(&self, name: &'static str) -> Result<Option<usize>, ApiError> {
        let read = |text: &str| text.parse().ok().filter(|value| *value > 0);
        self.one(name).map(|text| read(text).ok_or_else(|| ApiError::invalid_parameter(name))).transpose()
    }

    /// `recordCount`, at most `most`.
    pub(crate) fn record_count(&self, most: usize, refuse_more: bool) -> Result<Option<usize>, ApiError> {
        let count = self.positive("recordCount")?;
        if refuse_more && count.is_some_and(|count| count > most) {
            return Err(ApiError::invalid_parameter("recordCount"));
        }
        Ok(count.map(|count| count.min(most)))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.one(name).is_some()
    }

    /// The address of this very request, on the served origin.
    pub(crate) fn own_uri(&self, path: &str) -> String {
        let pairs: Vec<String> =
            self.0.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }

    /// The address of another page of the same list. A window that was given by default is written out, so that it
    /// does not move while a client turns pages.
    pub(crate) fn page_uri(&self, path: &str, window_ms: Option<(i64, i64)>, order: PageOrder) -> String {
        let mut uri = format!("{path}?");
        let paging = ["page", "perPage"];
        for (key, value) in self.0.iter().filter(|(key, _)| !paging.contains(&key.as_str())) {
            // Writing to a string cannot fail.
            let _ = write!(uri, "{}={}&", encode(key), encode(value));
        }
        if let Some((from_ms, to_ms)) = window_ms {
            for (name, millis) in [("dateFrom", from_ms), ("dateTo", to_ms)] {
                if self.one(name).is_none() {
                    let _ = write!(uri, "{name}={}&", stamp(millis));
                }
            }
        }
        let _ = write!(uri, "page={}&perPage={}", order.page, order.per_page);
        uri
    }

    /// Paging and navigation of one page. `totals` says whether the list tells how long it is: the call log does not.
    pub(crate) fn envelope(
        &self,
        path: &str,
        window_ms: Option<(i64, i64)>,
        order: PageOrder,
        found: usize,
        totals: bool,
    ) -> (Paging, Navigation) {
        let first = (order.page - 1).saturating_mul(order.per_page);
        let shown = found.saturating_sub(first).min(order.per_page);
        let pages = found.div_ceil(order.per_page).max(1);
        let link = |page: usize| {
            let order = PageOrder { page, ..order };
            Link { uri: self.page_uri(path, window_ms, order) }
        };
        let paging = Paging {
            page: order.page,
            total_pages: totals.then_some(pages),
            per_page: order.per_page,
            total_elements: totals.then_some(found),
            page_start: (shown > 0).then_some(first),
            page_end: (shown > 0).then(|| first + shown - 1),
        };
        let navigation = Navigation {
            next_page: (first.saturating_add(order.per_page) < found).then(|| link(order.page + 1)),
            previous_page: (order.page > 1 && shown > 0).then(|| link(order.page - 1)),
            first_page: link(1),
            last_page: totals.then(|| link(pages)),
        };
        (paging, navigation)
    }
}

/// One page of a list.
pub(crate) fn cut<T>(found: &[T], order: PageOrder) -> &[T] {
    let first = (order.page - 1).saturating_mul(order.per_page).min(found.len());
    let last = first.saturating_add(order.per_page).min(found.len());
    &found[first..last]
}

/// A time with offset, or a date alone, which is taken as midnight in UTC or in the account's own zone.
fn parse_time(text: &str, dates_are_local: bool) -> Option<i64> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.timestamp_millis());
    }
    let date: NaiveDate = text.parse().ok()?;
    let midnight = date.and_hms_opt(0, 0, 0)?;
    if dates_are_local {
        return Some(New_York.from_local_datetime(&midnight).earliest()?.timestamp_millis());
    }
    Some(midnight.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::calendar::DAY;

    fn parameters(query: &str) -> Parameters {
        Parameters::of(&Ask::get(&format!("/list?{query}")))
    }

    #[test]
    fn page_sizes_are_cut() {
        let cut = |query: &str, most: usize| {
            parameters(query).page_order(most).map(|order| (order.page, order.per_page)).ok()
        };
        let order = |query: &str| cut(query, MOST_PER_PAGE);
        assert_eq!(order(""), Some((1, 100)));
        assert_eq!(order("page=3&perPage=5000"), Some((3, 1000)));
        assert_eq!(order("perPage=max"), Some((1, 1000)));
        assert_eq!(order("page=0"), None);
        assert_eq!(order("perPage=many"), None);
        assert_eq!(cut("page=3&perPage=5000", 30), Some((3, 30)), "a server with smaller pages");
        assert_eq!(cut("perPage=20", 30), Some((1, 20)));
    }

    #[test]
    fn the_default_window_is_a_day() {
        let now_ms = 1_790_000_000_500;
        let window = |query: &str| parameters(query).window_ms(now_ms, DAY, &Unknowns::default()).ok();
        assert_eq!(window(""), Some((now_ms - DAY, now_ms)));
        let (from_ms, to_ms) =
            window("dateFrom=2026-10-01T00:00:00.999Z&dateTo=2026-10-02").expect("a window");
        assert_eq!(
            (stamp(from_ms).as_str(), stamp(to_ms).as_str()),
            ("2026-10-01T00:00:00.000Z", "2026-10-02T00:00:00.000Z")
        );
        assert_eq!(window("dateFrom=yesterday"), None);
        assert_eq!(window("dateFrom=2026-10-02&dateTo=2026-10-01"), None);
    }

    #[test]
    fn navigation_ends_with_the_list() {
        let parameters = parameters("view=Simple&page=2&perPage=4");
        let order = parameters.page_order(MOST_PER_PAGE).expect("an order");
        let (paging, navigation) = parameters.envelope("/list", None, order, 9, false);
        assert_eq!((paging.page_start, paging.page_end, paging.total_pages), (Some(4), Some(7), None));
        let next = navigation.next_page.map(|link| link.uri);
        assert_eq!(next.as_deref(), Some("/list?view=Simple&page=3&perPage=4"));
        let (_, navigation) = parameters.envelope("/list", None, order, 8, true);
        assert!(navigation.next_page.is_none());
        let (paging, _) = parameters.envelope("/list", None, order, 3, true);
        assert_eq!((paging.page_start, paging.total_elements), (None, Some(3)));
    }
}
