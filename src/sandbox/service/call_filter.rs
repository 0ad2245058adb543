//! The filters of the call log.

use super::error::ApiError;
use super::query::Parameters;
use crate::sandbox::render::Face;
use crate::sandbox::world::cast::Cast;
use crate::sandbox::world::plan::{Look, Style, Version, telephony_id};

/// Which records a request wants.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallFilter {
    kinds: Vec<&'static str>,
    directions: Vec<&'static str>,
    transports: Vec<&'static str>,
    recording: Option<&'static str>,
    extension_number: Option<String>,
    /// Digits only.
    phone_number: Option<String>,
    session: Option<String>,
    telephony_session: Option<String>,
    /// Records carry no metadata here, so a filter by its category finds none.
    category: bool,
    missed: bool,
    pub(crate) show_deleted: bool,
    hide_blocked: bool,
}

/// Filters that may not stand beside `sessionId`.
const NOT_WITH_SESSION: [&str; 8] = [
    "extensionNumber",
    "phoneNumber",
    "direction",
    "type",
    "transport",
    "recordingType",
    "withRecording",
    "telephonySessionId",
];

const RECORDINGS: [&str; 3] = ["Automatic", "OnDemand", "All"];

impl CallFilter {
    /// The filters of a list.
    pub(crate) fn of_list(parameters: &Parameters, of_extension: bool) -> Result<CallFilter, ApiError> {
        if parameters.has("sessionId")
            && let Some(other) = NOT_WITH_SESSION.iter().find(|name| parameters.has(name))
        {
            return Err(ApiError::not_along_with("sessionId", other));
        }
        if parameters.has("extensionNumber") && parameters.has("phoneNumber") {
            return Err(ApiError::not_along_with("extensionNumber", "phoneNumber"));
        }
        let phone_number = parameters.one("phoneNumber").map(digits).transpose();
        let owned = |name: &str| parameters.one(name).map(str::to_owned);
        Ok(CallFilter {
            extension_number: owned("extensionNumber"),
            phone_number: phone_number.map_err(|()| ApiError::invalid_parameter("phoneNumber"))?,
            session: owned("sessionId"),
            telephony_session: owned("telephonySessionId"),
            show_deleted: parameters.flag("showDeleted")?,
            hide_blocked: of_extension
                && parameters.choice("showBlocked", &["true", "false"])? == Some("false"),
            ..CallFilter::of_active(parameters)?.and_recording(parameters)?
        })
    }

    /// The filters of the list of active calls.
    pub(crate) fn of_active(parameters: &Parameters) -> Result<CallFilter, ApiError> {
        parameters.many("conferenceType", &["AudioConferencing", "Meetings"])?;
        Ok(CallFilter {
            kinds: parameters.many("type", &["Voice", "Fax"])?,
            directions: parameters.many("direction", &["Inbound", "Outbound"])?,
            transports: parameters.many("transport", &["PSTN", "VoIP"])?,
            show_deleted: true,
            ..CallFilter::default()
        })
    }

    /// The filters of synchronisation.
    pub(crate) fn of_sync(parameters: &Parameters) -> Result<CallFilter, ApiError> {
        let groups = parameters.many("statusGroup", &["Missed", "All"])?;
        let missed = !groups.is_empty() && !groups.contains(&"All");
        CallFilter { missed, ..CallFilter::default() }.and_recording(parameters)
    }

    fn and_recording(self, parameters: &Parameters) -> Result<CallFilter, ApiError> {
        let kind = parameters.choice("recordingType", &RECORDINGS)?;
        let any = parameters.flag("withRecording")?.then_some("All");
        Ok(CallFilter { recording: kind.or(any), category: parameters.has("metadataCategory"), ..self })
    }

    /// Whether records are asked for by their session, whatever their time.
    pub(crate) fn by_session(&self) -> bool {
        self.session.is_some() || self.telephony_session.is_some()
    }

    /// The filters that a token carries.
    pub(crate) fn bits(&self) -> u64 {
        let recording = RECORDINGS.iter().zip(1..).find(|(kind, _)| self.recording == Some(**kind));
        u64::from(self.missed) | u64::from(self.category) << 1 | recording.map_or(0, |(_, bits)| bits) << 2
    }

    pub(crate) fn from_bits(bits: u64) -> CallFilter {
        let recording = RECORDINGS.iter().zip(1..).find(|(_, number)| *number == bits >> 2 & 3);
        CallFilter {
            missed: bits & 1 == 1,
            category: bits >> 1 & 1 == 1,
            recording: recording.map(|(kind, _)| *kind),
            ..CallFilter::default()
        }
    }

    /// Whether a record is wanted in the version that is shown.
    pub(crate) fn wants(&self, face: &Face<'_>, version: &Version, cast: &Cast) -> bool {
        let plan = &*face.plan;
        let inbound = plan.inbound && !matches!(version.look, Look::Ringing(_));
        let kind = if plan.fax { "Fax" } else { "Voice" };
        let direction = if inbound { "Inbound" } else { "Outbound" };
        let holds = |wanted: &[&str], value: &str| wanted.is_empty() || wanted.contains(&value);
        let result = match version.look {
            Look::OtherResult(result) => result,
            Look::Ringing(_) | Look::Underway => "In Progress",
            _ => plan.result,
        };
        !self.category
            && (self.show_deleted || version.look != Look::Deleted)
            && holds(&self.kinds, kind)
            && holds(&self.directions, direction)
            && holds(&self.transports, plan.transport)
            // All recordings of this account are automatic.
            && self.recording.is_none_or(|wanted| plan.recorded && wanted != "OnDemand")
            && (!self.missed || inbound && matches!(result, "Missed" | "Voicemail"))
            && !(self.hide_blocked && result == "Blocked")
            && self.extension_number.as_ref().is_none_or(|wanted| {
                [Some(plan.seat), plan.peer].into_iter().flatten().any(|seat| cast.extension(seat).number == *wanted)
            })
            && self.phone_number.as_ref().is_none_or(|wanted| {
                let shown = plan.outside.filter(|outside| outside.style != Style::Withheld);
                let numbers = [plan.own, shown.map(|outside| outside.number)];
                numbers.into_iter().flatten().any(|number| number.to_string() == *wanted)
            })
            && self.session.as_ref().is_none_or(|wanted| plan.session_id() == *wanted)
            && self.telephony_session.as_ref().is_none_or(|wanted| telephony_id(plan.telephony_of) == *wanted)
    }
}

/// The digits of a number in E.164 form, with or without its plus.
pub(crate) fn digits(text: &str) -> Result<String, ()> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let right = !digits.is_empty() && digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if right { Ok(digits.to_owned()) } else { Err(()) }
}
