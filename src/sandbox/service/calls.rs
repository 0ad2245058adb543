//! Call logs of the company and of extensions: lists, single records, and calls in progress.

use super::call_filter::CallFilter;
use super::error::ApiError;
use super::query::{Parameters, cut};
use super::{Answer, Answered, Ask, Service};
use crate::sandbox::render::{Face, View};
use crate::sandbox::wire::Page;
use crate::sandbox::world::calendar::DAY;
use crate::sandbox::world::cast::Seat;
use crate::sandbox::world::plan::{Look, Version};

/// No call lasts longer.
const LONGEST_CALL_MS: i64 = DAY;

impl Service {
    /// The list of one log.
    pub(crate) fn call_log(&self, log: Option<Seat>, ask: &Ask) -> Answered {
        let parameters = Parameters::of(ask);
        let view = view(&parameters)?;
        let filter = CallFilter::of_list(&parameters, log.is_some())?;
        let unknowns = &self.options.unknowns;
        let now_ms = self.now_ms();
        let window_ms = parameters.window_ms(now_ms, DAY, unknowns)?;
        let dated = parameters.has("dateFrom") || parameters.has("dateTo");
        let everywhere = filter.by_session() && !dated;
        let (from_ms, to_ms) = if everywhere {
            (i64::MIN, i64::MAX)
        } else {
            (window_ms.0, window_ms.1 + i64::from(unknowns.date_to_inclusive))
        };
        let states = self.faces(log, from_ms, to_ms).into_iter();
        let states = states.filter_map(|face| self.state(&face, now_ms).map(|version| (face, version)));
        let window_ms = (!everywhere).then_some(window_ms);
        self.call_page(
            log,
            "call-log",
            &parameters,
            window_ms,
            states.collect(),
            |face, version| filter.wants(face, version, &self.world.cast),
            view,
        )
    }

    /// The calls in progress of one log.
    pub(crate) fn active_calls(&self, log: Option<Seat>, ask: &Ask) -> Answered {
        let parameters = Parameters::of(ask);
        let view = view(&parameters)?;
        let mut filter = CallFilter::of_active(&parameters)?;
        if self.options.unknowns.active_filters_ignored {
            filter = CallFilter::default();
        }
        let now_ms = self.now_ms();
        let states = self.faces(log, now_ms - LONGEST_CALL_MS, now_ms + 1).into_iter();
        let states =
            states.filter_map(|face| Service::active_state(&face, now_ms).map(|version| (face, version)));
        self.call_page(
            log,
            "active-calls",
            &parameters,
            None,
            states.collect(),
            |face, version| filter.wants(face, version, &self.world.cast),
            view,
        )
    }

    /// One page of a list of calls. Depending on what is unknown, records are filtered out before or after it is cut.
    #[expect(clippy::too_many_arguments, reason = "two lists share what they have in common")]
    fn call_page(
        &self,
        log: Option<Seat>,
        name: &str,
        parameters: &Parameters,
        window_ms: Option<(i64, i64)>,
        mut found: Vec<(Face<'_>, Version)>,
        wanted: impl Fn(&Face<'_>, &Version) -> bool,
        view: View,
    ) -> Answered {
        let order = parameters.page_order(self.options.per_page_at_most)?;
        let trim = self.options.unknowns.trim_pages;
        if !trim {
            found.retain(|(face, version)| wanted(face, version));
        }
        let renderer = self.renderer();
        let path = format!("{}/{name}", renderer.log_uri(log));
        let shown: Vec<&(Face<'_>, Version)> =
            cut(&found, order).iter().filter(|(face, version)| !trim || wanted(face, version)).collect();
        let (mut paging, navigation) = parameters.envelope(&path, window_ms, order, found.len(), false);
        if trim && shown.is_empty() {
            (paging.page_start, paging.page_end) = (None, None);
        } else if trim {
            paging.page_end = paging.page_start.map(|first| first + shown.len() - 1);
        }
        let records = shown.into_iter().map(|(face, version)| renderer.call(face, version, view));
        let uri = parameters.page_uri(&path, window_ms, order);
        Answer::json(&Page { uri, records: records.collect(), paging, navigation })
    }

    /// Records by their ids: one as it is, several in parts.
    pub(crate) fn call_record(&self, log: Option<Seat>, ids: &str, ask: &Ask) -> Answered {
        let view = view(&Parameters::of(ask))?;
        self.batch(ids, "callRecordId", &format!("{}/call-log", self.renderer().log_uri(log)), None, |id| {
            let face = self.face_by_id(log, id).ok_or_else(|| ApiError::not_found("callRecordId"))?;
            let version = self.state(&face, self.now_ms()).filter(|version| version.look != Look::Deleted);
            let version = version.ok_or_else(|| ApiError::not_found("callRecordId"))?;
            Answer::json(&self.renderer().call(&face, &version, view))
        })
    }

    fn face_by_id(&self, log: Option<Seat>, id: &str) -> Option<Face<'_>> {
        if log.is_none() {
            return self.world.record(id).map(Face::of_account);
        }
        self.world.records.iter().filter_map(|plan| self.face(plan, log)).find(|face| face.id() == id)
    }
}

pub(crate) fn view(parameters: &Parameters) -> Result<View, ApiError> {
    let name = parameters.choice("view", &["Simple", "Detailed"])?;
    Ok(if name == Some("Detailed") { View::Detailed } else { View::Simple })
}
