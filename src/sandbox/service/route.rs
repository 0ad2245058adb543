//! Which operation an address means, and in which rate group it counts.

use super::ask::{Method, decode};
use super::limits::Group;

pub(crate) const TOKEN: &str = "/restapi/oauth/token";
pub(crate) const REVOKE: &str = "/restapi/oauth/revoke";
pub(crate) const ACCOUNT: &str = "/restapi/v1.0/account/{account}";
pub(crate) const EXTENSIONS: &str = "/restapi/v1.0/account/{account}/extension";
pub(crate) const CALL_LOG: &str = "/restapi/v1.0/account/{account}/call-log";
pub(crate) const CALL_RECORD: &str = "/restapi/v1.0/account/{account}/call-log/{record}";
pub(crate) const CALL_SYNC: &str = "/restapi/v1.0/account/{account}/call-log-sync";
pub(crate) const CALL_EXTRACT: &str = "/restapi/v1.0/account/{account}/call-log-extract-sync";
pub(crate) const ACTIVE_CALLS: &str = "/restapi/v1.0/account/{account}/active-calls";
pub(crate) const EXTENSION_CALL_LOG: &str = "/restapi/v1.0/account/{account}/extension/{extension}/call-log";
pub(crate) const EXTENSION_CALL_RECORD: &str =
    "/restapi/v1.0/account/{account}/extension/{extension}/call-log/{record}";
pub(crate) const EXTENSION_CALL_SYNC: &str =
    "/restapi/v1.0/account/{account}/extension/{extension}/call-log-sync";
pub(crate) const EXTENSION_ACTIVE_CALLS: &str =
    "/restapi/v1.0/account/{account}/extension/{extension}/active-calls";
pub(crate) const MESSAGES: &str = "/restapi/v1.0/account/{account}/extension/{extension}/message-store";
pub(crate) const MESSAGE: &str =
    "/restapi/v1.0/account/{account}/extension/{extension}/message-store/{message}";
pub(crate) const MESSAGE_SYNC: &str = "/restapi/v1.0/account/{account}/extension/{extension}/message-sync";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Token,
    Revoke,
    Account,
    Extensions,
    CallLog,
    CallRecord,
    CallSync,
    CallExtract,
    ActiveCalls,
    Messages,
    Message,
    MessageSync,
    /// The address is known, the method is not.
    WrongMethod,
    Unknown,
}

type Row = (Method, &'static str, Group, Operation);

const ROWS: [Row; 16] = [
    (Method::Post, TOKEN, Group::Auth, Operation::Token),
    (Method::Post, REVOKE, Group::Auth, Operation::Revoke),
    (Method::Get, ACCOUNT, Group::Light, Operation::Account),
    (Method::Get, EXTENSIONS, Group::Medium, Operation::Extensions),
    (Method::Get, CALL_LOG, Group::Heavy, Operation::CallLog),
    (Method::Get, CALL_RECORD, Group::Heavy, Operation::CallRecord),
    (Method::Get, CALL_SYNC, Group::Heavy, Operation::CallSync),
    (Method::Get, CALL_EXTRACT, Group::Heavy, Operation::CallExtract),
    (Method::Get, ACTIVE_CALLS, Group::Heavy, Operation::ActiveCalls),
    (Method::Get, EXTENSION_CALL_LOG, Group::Heavy, Operation::CallLog),
    (Method::Get, EXTENSION_CALL_RECORD, Group::Heavy, Operation::CallRecord),
    (Method::Get, EXTENSION_CALL_SYNC, Group::Heavy, Operation::CallSync),
    (Method::Get, EXTENSION_ACTIVE_CALLS, Group::Heavy, Operation::ActiveCalls),
    (Method::Get, MESSAGES, Group::Light, Operation::Messages),
    (Method::Get, MESSAGE, Group::Light, Operation::Message),
    (Method::Get, MESSAGE_SYNC, Group::Light, Operation::MessageSync),
];

/// A request's place in the service.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
    pub(crate) group: Group,
    /// The path with names in braces for its parts.
    pub(crate) template: &'static str,
    parts: Vec<(&'static str, String)>,
}

impl Route {
    pub(crate) fn find(method: Method, path: &str) -> Route {
        let matching = ROWS.iter().filter_map(|row| capture(row.1, path).map(|parts| (row, parts)));
        let mut elsewhere = None;
        for ((wanted, template, group, operation), parts) in matching {
            if *wanted == method {
                return Route { operation: *operation, group: *group, template, parts };
            }
            elsewhere =
                Some(Route { operation: Operation::WrongMethod, group: *group, template, parts: Vec::new() });
        }
        let unknown = Route {
            operation: Operation::Unknown,
            group: Group::Light,
            template: "(unknown)",
            parts: Vec::new(),
        };
        elsewhere.unwrap_or(unknown)
    }

    /// The part of the path that stands where the template has this name.
    pub(crate) fn part(&self, name: &str) -> &str {
        self.parts.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value.as_str())
    }
}

fn capture(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut parts = Vec::new();
    let mut segments = path.split('/');
    for wanted in template.split('/') {
        let segment = segments.next()?;
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(_) if segment.is_empty() => return None,
            Some(name) => parts.push((name, decode(segment, false))),
            None if wanted == segment => {}
            None => return None,
        }
    }
    segments.next().is_none().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_operations() {
        let route = Route::find(Method::Get, "/restapi/v1.0/account/~/extension/7/message-store/1%2C2");
        assert_eq!((route.operation, route.group), (Operation::Message, Group::Light));
        assert_eq!((route.part("extension"), route.part("message"), route.part("other")), ("7", "1,2", ""));
        let wrong = Route::find(Method::Post, "/restapi/v1.0/account/~/call-log");
        assert_eq!((wrong.operation, wrong.group), (Operation::WrongMethod, Group::Heavy));
        assert_eq!(Route::find(Method::Get, "/restapi/v1.0/account//call-log").operation, Operation::Unknown);
        assert_eq!(Route::find(Method::Get, "/restapi/v1.0/account/~/").operation, Operation::Unknown);
    }
}
