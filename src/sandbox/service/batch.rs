//! Several resources in one request, by comma-separated ids.

use super::error::ApiError;
use super::{Answer, Answered, JSON, Service};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Resources in one request.
const MOST_RESOURCES: usize = 50;
/// The type of the form in which parts are members of one JSON array.
const MULTIPART_JSON: &str = "application/vnd.ringcentral.multipart+json";
const BOUNDARY: &str = "Boundary_50_sandbox";

impl Service {
    /// Answers for one id as it is; for several with status 207, as `multipart/mixed` or, if `accept` asks for it, as
    /// one JSON array.
    pub(crate) fn batch(
        &self,
        ids: &str,
        parameter: &str,
        uri: &str,
        accept: Option<&str>,
        one: impl Fn(&str) -> Answered,
    ) -> Answered {
        let ids: Vec<&str> = ids.split(',').collect();
        if let [id] = ids[..] {
            return one(id);
        }
        if ids.len() > MOST_RESOURCES {
            return Err(ApiError::batch_too_large(MOST_RESOURCES));
        }
        if ids.iter().any(|id| id.is_empty()) {
            return Err(ApiError::invalid_parameter(parameter));
        }
        let parts: Vec<(&str, u16, String)> = ids
            .into_iter()
            .map(|id| match one(id) {
                Ok(answer) => (id, answer.status, answer.body),
                Err(error) => (id, error.status, error.body.to_string()),
            })
            .collect();
        if accept.is_some_and(|accept| accept.contains(MULTIPART_JSON)) {
            return json_parts(&parts);
        }
        Ok(mixed_parts(&parts, uri))
    }
}

fn json_parts(parts: &[(&str, u16, String)]) -> Answered {
    let mut members = Vec::with_capacity(parts.len());
    for (id, status, body) in parts {
        let body: Value = serde_json::from_str(body).map_err(|_| ApiError::fault(500))?;
        members.push(json!({ "resourceId": id, "status": status, "body": body }));
    }
    let answer = Answer::json(&members)?;
    Ok(Answer { status: 207, content_type: MULTIPART_JSON.to_owned(), ..answer })
}

fn mixed_parts(parts: &[(&str, u16, String)], uri: &str) -> Answer {
    let statuses: Vec<Value> = parts
        .iter()
        .map(|(id, status, _)| {
            let word = if *status == 200 { "OK" } else { "Not Found" };
            json!({ "href": format!("{uri}/{id}"), "status": status, "responseDescription": word })
        })
        .collect();
    let mut body = String::new();
    let head = json!({ "response": statuses }).to_string();
    for part in std::iter::once(&head).chain(parts.iter().map(|(_, _, body)| body)) {
        // Writing to a string cannot fail.
        let _ = write!(body, "--{BOUNDARY}\r\nContent-Type: {JSON}\r\n\r\n{part}\r\n");
    }
    let _ = write!(body, "--{BOUNDARY}--\r\n");
    Answer { status: 207, content_type: format!("multipart/mixed; boundary={BOUNDARY}"), body }
}
