//! Refusals: every status, code and parameter of the service, in a body as described.

use super::*;

pub static REFUSALS: OnceLock<()> = OnceLock::new();

/// The description of a refusal of an operation; operations of the message store declare none.
fn schema_of(method: &str, path: &str, status: u16) -> &'static Value {
    let declared = DESCRIPTION.answer(method, path, status, "application/json");
    let general = if status == 400 { "ParameterizedErrorResponseModel" } else { "ApiErrorResponseModel" };
    declared.unwrap_or_else(|| DESCRIPTION.schema(general))
}

/// Checks a refusal's body, and returns its code and parameter.
fn refused(reply: &Reply, method: &str, path: &str, status: u16) -> (String, String) {
    let value: Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(reply.status, status, "{path}: {value}");
    assert!(DESCRIPTION.has(method, path) || path == "(unknown)", "{path} is not described");
    let faults = left(DESCRIPTION.check(schema_of(method, path, status), &value), &ALWAYS);
    assert_eq!(faults, [], "{path}: {value}");
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    (text(&value["errors"][0]["errorCode"]), text(&value["parameterName"]))
}

pub fn all() {
    parameters();
    tokens();
    others();
}

/// Wrong parameters: the operation, the end of its address, the query, the code, and the parameter.
const WRONG: [(&str, &str, &str, &str); 33] = [
    ("call-log", "view=Everything", "CMN-101", "view"),
    ("call-log", "dateFrom=yesterday", "CMN-101", "dateFrom"),
    ("call-log", "dateTo=2026-13-01", "CMN-101", "dateTo"),
    ("call-log", "dateFrom=2026-10-02&dateTo=2026-10-01", "CMN-101", "dateFrom"),
    ("call-log", "page=0", "CMN-101", "page"),
    ("call-log", "perPage=few", "CMN-101", "perPage"),
    ("call-log", "type=SMS", "CMN-101", "type"),
    ("call-log", "direction=Up", "CMN-101", "direction"),
    ("call-log", "transport=Pigeon", "CMN-101", "transport"),
    ("call-log", "recordingType=Loud", "CMN-101", "recordingType"),
    ("call-log", "withRecording=1", "CMN-101", "withRecording"),
    ("call-log", "showDeleted=1", "CMN-101", "showDeleted"),
    ("call-log", "phoneNumber=me", "CMN-101", "phoneNumber"),
    ("call-log", "sessionId=1&direction=Inbound", "CLG-110", "sessionId"),
    ("call-log", "extensionNumber=101&phoneNumber=12125550143", "CLG-110", "extensionNumber"),
    ("call-log-sync", "syncType=FSync", "CMN-101", "recordCount"),
    ("call-log-sync", "syncType=Sync", "CMN-101", "syncType"),
    ("call-log-sync", "syncType=ISync", "CMN-101", "syncToken"),
    ("call-log-sync", "syncType=ISync&syncToken=abc", "CMN-101", "syncToken"),
    ("call-log-sync", "recordCount=1&statusGroup=Some", "CMN-101", "statusGroup"),
    ("call-log-sync", "recordCount=1&showDeleted=x", "CMN-101", "showDeleted"),
    ("active-calls", "view=Everything", "CMN-101", "view"),
    ("active-calls", "conferenceType=Big", "CMN-101", "conferenceType"),
    ("call-log-extract-sync", "recordCount=-1", "CMN-101", "recordCount"),
    ("call-log-extract-sync", "dateFrom=then", "CMN-101", "dateFrom"),
    ("call-log-extract-sync", "syncType=ISync", "CMN-101", "syncToken"),
    ("message-store", "messageType=Letter", "CMN-101", "messageType"),
    ("message-store", "availability=Lost", "CMN-101", "availability"),
    ("message-store", "readStatus=Burnt", "CMN-101", "readStatus"),
    ("message-store", "owner=Nobody", "CMN-101", "owner"),
    ("message-store", "distinctConversations=x", "CMN-101", "distinctConversations"),
    ("message-sync", "syncType=ISync", "MSG-333", "syncToken"),
    ("message-sync", "recordCount=0", "CMN-101", "recordCount"),
];

fn parameters() {
    let desk = Desk::plain();
    for (name, query, code, parameter) in WRONG {
        let mailbox = name.starts_with("message");
        for (path, address) in [(ACCOUNT, ""), (EXTENSION, "/extension/~")] {
            let path = format!("{path}/{name}");
            if mailbox && address.is_empty() || name.contains("extract") && !address.is_empty() {
                continue;
            }
            let reply = desk.ask(&format!("{address}/{name}?{query}"));
            let expected = (code.to_owned(), parameter.to_owned());
            assert_eq!(refused(&reply, "get", &path, 400), expected, "{name}?{query}");
        }
    }
    let many = vec!["x"; 51].join(",");
    let path = format!("{ACCOUNT}/call-log/{{callRecordId}}");
    let reply = desk.ask(&format!("/call-log/{many}"));
    assert_eq!(refused(&reply, "get", &path, 400).0, "CMN-106");
}

/// Tokens of synchronisation that are too old or too far behind.
fn tokens() {
    let life = Some(TimeDelta::days(5));
    let options = Options { limits_lifted: true, sync_token_life: life, ..Options::default() };
    let desk = Desk::open(options, &[]);
    desk.clock.set(instant("2026-10-01T06:00:00Z"));
    let token = |address: &str| {
        let value: Value = serde_json::from_slice(&desk.ask(address).body).expect("JSON");
        value["syncInfo"]["syncToken"].as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
    };
    let sync = token("/call-log-sync?syncType=FSync&recordCount=250&dateFrom=2026-09-30");
    let extract = token("/call-log-extract-sync");
    let mailbox = token("/extension/~/message-sync");
    let again = |name: &str, token: &str| desk.ask(&format!("{name}?syncType=ISync&syncToken={token}"));
    desk.clock.set(instant("2026-10-03T06:00:00Z"));
    let path = format!("{ACCOUNT}/call-log-sync");
    let behind = again("/call-log-sync", &sync);
    assert!(String::from_utf8_lossy(&behind.body).contains("max sync record number limit is exceeded"));
    assert_eq!(refused(&behind, "get", &path, 400), ("CMN-101".to_owned(), "syncToken".to_owned()));
    desk.clock.set(instant("2026-10-09T06:00:00Z"));
    assert_eq!(refused(&again("/call-log-sync", &sync), "get", &path, 400).0, "CLG-101");
    let path = format!("{ACCOUNT}/call-log-extract-sync");
    assert_eq!(refused(&again("/call-log-extract-sync", &extract), "get", &path, 400).0, "CLG-101");
    let counted = desk.ask("/call-log-extract-sync?syncType=ISync&syncToken=x&recordCount=5");
    assert_eq!(refused(&counted, "get", &path, 400).1, "recordCount");
    let path = format!("{EXTENSION}/message-sync");
    assert_eq!(refused(&again("/extension/~/message-sync", &mailbox), "get", &path, 400).0, "MSG-333");
}

/// Tokens of access, permissions, what is not there, and limits.
fn others() {
    let desk = Desk::open(
        Options { limits_lifted: true, refused_mailboxes: vec!["105".to_owned()], ..Options::default() },
        &[],
    );
    let list = format!("{ACCOUNT}/call-log");
    let bearer = |token: &str| {
        let ask = Ask::get(&format!("{ROOT}/call-log")).with_header("authorization", token);
        refused(&desk.service.answer(&ask, Duration::from_secs(1)), "get", &list, 401).0
    };
    assert_eq!(bearer("Bearer nonsense"), "OAU-213");
    assert_eq!(bearer("Basic abc"), "OAU-151");
    let ask = Ask::get(&format!("{ROOT}/call-log")).with_header("authorization", &desk.bearer);
    let late = desk.service.answer(&ask, Duration::from_secs(7200));
    assert_eq!(refused(&late, "get", &list, 401).0, "OAU-128");

    let refused_mailbox = desk.extensions()[4];
    for name in ["message-store", "message-sync"] {
        let reply = desk.ask(&format!("/extension/{refused_mailbox}/{name}"));
        assert_eq!(refused(&reply, "get", &format!("{EXTENSION}/{name}"), 403).0, "CMN-408");
    }
    for (path, address, parameter) in [
        (format!("{EXTENSION}/call-log"), "/extension/77/call-log", "extensionId"),
        (format!("{EXTENSION}/active-calls"), "/extension/77/active-calls", "extensionId"),
        (format!("{EXTENSION}/message-sync"), "/extension/77/message-sync", "extensionId"),
        (format!("{ACCOUNT}/call-log/{{callRecordId}}"), "/call-log/none", "callRecordId"),
        (format!("{EXTENSION}/call-log/{{callRecordId}}"), "/extension/~/call-log/none", "callRecordId"),
        (format!("{EXTENSION}/message-store/{{messageId}}"), "/extension/~/message-store/1", "messageId"),
    ] {
        let expected = ("CMN-102".to_owned(), parameter.to_owned());
        assert_eq!(refused(&desk.ask(address), "get", &path, 404), expected);
    }
    assert_eq!(refused(&desk.ask("/nothing"), "get", "(unknown)", 404).0, "CMN-120");
    let post = Ask { method: Method::Post, ..ask.clone() };
    let wrong = desk.service.answer(&post, Duration::from_secs(1));
    assert_eq!(refused(&wrong, "get", &list, 405).0, "CMN-120");
    oauth(&desk);
    limits();
}

fn oauth(desk: &Desk) {
    let path = "/restapi/oauth/token";
    let schema = DESCRIPTION.answer("post", path, 200, "application/json").expect("a schema");
    let token: Value = serde_json::from_slice(&desk.token().body).expect("JSON");
    assert_eq!(left(DESCRIPTION.check(schema, &token), &ALWAYS), []);
    let jwt = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let short = [("grant_type", jwt), ("assertion", desk.service.jwt()), ("access_token_ttl", "5")];
    let forms: [(&[(&str, &str)], &str); 4] = [
        (&[("grant_type", "refresh_token")], "OAU-251"),
        (&[("grant_type", "magic")], "OAU-250"),
        (&[("grant_type", jwt), ("assertion", "no")], "OAU-213"),
        (&short, "CMN-101"),
    ];
    for (form, code) in forms {
        let reply = desk.service.answer(&desk.signed(Ask::post(path, form)), Duration::from_secs(1));
        assert_eq!(refused(&reply, "post", path, 400).0, code);
    }
    let formless = desk.signed(Ask { form: None, ..Ask::post(path, &[]) });
    let reply = desk.service.answer(&formless, Duration::from_secs(1));
    assert_eq!(refused(&reply, "post", path, 400).0, "OAU-250");
    for (header, code) in
        [(None, "OAU-123"), (Some(base64("who:what")), "OAU-153"), (Some("%".to_owned()), "OAU-123")]
    {
        let ask = Ask::post(path, &[]);
        let ask = match header {
            Some(header) => ask.with_header("authorization", &format!("Basic {header}")),
            None => ask,
        };
        let reply = desk.service.answer(&ask, Duration::from_secs(1));
        assert_eq!(refused(&reply, "post", path, 401).0, code);
    }
}

fn limits() {
    let desk = Desk::open(Options::default(), &[]);
    let list = format!("{ACCOUNT}/active-calls");
    let statuses: Vec<u16> = (0..10).map(|_| desk.ask("/active-calls").status).collect();
    assert_eq!(statuses, [200; 10]);
    let reply = desk.ask("/active-calls");
    assert_eq!(reply.header("retry-after"), Some("60"));
    assert_eq!(refused(&reply, "get", &list, 429).0, "CMN-301");
}

#[test]
fn every_refusal_is_as_described() {
    once(&REFUSALS, all);
}
