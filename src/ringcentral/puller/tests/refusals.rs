//! What the service refuses, and what has no end.

use super::*;

#[test]
fn a_missing_permission_for_the_call_log_ends_the_run_and_is_named() {
    for (file, hint) in [
        ("error-403-app-permission.json", "Give the application the permission ReadCallLog."),
        ("error-403-user-permission.json", "Give the user behind the JWT the permission ReadCompanyCallLog."),
    ] {
        let failure = Run::new()
            .pull(calls_only(), |request, _| usual(request).unwrap_or_else(|| sample(file)))
            .unwrap()
            .unwrap_err();
        assert_eq!(failure.exit(), Exit::Service);
        assert_eq!(failure.hints(), [hint]);
    }
}

#[test]
fn a_refused_sign_in_names_the_credential() {
    for (file, words) in [
        ("error-oauth-invalid-client.json", "client id and client secret"),
        ("error-oauth-400-invalid-grant-expired.json", "does not accept the JWT"),
        ("error-oauth-400-unauthorized-client.json", "may not sign in with a JWT"),
        ("error-oauth-400-unsupported-grant.json", "refused to sign in"),
    ] {
        let mut run = Run::new();
        let failure = run.pull(calls_only(), |_, _| sample(file)).unwrap().unwrap_err();
        assert_eq!(failure.exit(), Exit::Service);
        assert!(failure.message().contains(words), "{file}: {failure}");
        assert_eq!(run.asked.len(), 1, "a refused sign-in is not repeated");
    }
}

#[test]
fn too_many_sign_ins_wait_out_the_penalty() {
    let mut run = Run::new();
    let mut count = 0;
    run.pull(calls_only(), |request, _| {
        count += 1;
        if count == 1 {
            return sample("error-429-auth.json");
        }
        usual(request).unwrap_or_else(|| page("A", false))
    })
    .unwrap()
    .unwrap();
    assert!(run.waits[0].0 >= SECOND * 60);
}

#[test]
fn a_listing_past_the_last_page_and_a_foreign_account_end_the_run() {
    let endless = Settings { listings_at_most: 1, ..calls_only() };
    let mut count = 0;
    let mut another = || {
        count += 1;
        page(&format!("A{count}"), true)
    };
    let failure = Run::new()
        .pull(endless, |request, _| usual(request).unwrap_or_else(&mut another))
        .unwrap()
        .unwrap_err();
    assert!(failure.message().contains("more than 1000 pages"), "{failure}");
    let foreign = r#"{"uri":"https://x/restapi/v1.0/account/43/call-log","records":[]}"#;
    let failure = Run::new()
        .pull(calls_only(), |request, _| usual(request).unwrap_or_else(|| ok(foreign)))
        .unwrap()
        .unwrap_err();
    assert!(failure.message().contains("account 43"), "{failure}");
}

#[test]
fn an_unbearable_wait_and_endless_refusals_end_the_run() {
    let refused = |wait: &str| {
        let wait = wait.to_owned();
        move |request: &Request, _: Duration| {
            usual(request).unwrap_or_else(|| {
                Answer::Served(Response {
                    status: 429,
                    retry_after: Some(wait.clone()),
                    ..Response::default()
                })
            })
        }
    };
    let failure = Run::new().pull(calls_only(), refused("86400")).unwrap().unwrap_err();
    assert_eq!(failure.message(), "the service asks to wait 86401 seconds");
    let mut run = Run::new();
    let failure = run.pull(calls_only(), refused("1")).unwrap().unwrap_err();
    assert!(failure.message().contains("11 times in a row"), "{failure}");
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let scope = || Scope { span_from: at("2026-03-08T00:00:00Z"), span_to: None, reread: None };
    for settings in [
        Settings { call_log_window: Duration::ZERO, ..calls_only() },
        Settings { message_window: Duration::from_millis(90_500), ..calls_only() },
        Settings { per_page: 1001, ..calls_only() },
        Settings { listings_at_most: 0, ..calls_only() },
    ] {
        assert_eq!(Puller::new(settings, scope()).unwrap_err().exit(), Exit::Mistakes);
    }
}
