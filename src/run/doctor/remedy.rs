//! What a refusal means and how to get what is missing. Decided on codes, never on the service's sentences.

use crate::ringcentral::client::{Reply, refusal_codes};

/// Why something was not served.
pub(super) struct Refusal {
    /// For people: `refused (CMN-408)`, `no answer: no connection`.
    pub what: String,
    pub remedy: String,
    /// The service does not offer this at all.
    pub not_offered: bool,
}

/// What a feed needs.
pub(super) struct Needs {
    pub scope: &'static str,
    pub permission: &'static str,
}

/// Reads why a question was not answered.
pub(super) fn of(reply: &Reply, needs: &Needs) -> Refusal {
    let response = match reply {
        Reply::Nothing(why) => return no_answer(why),
        Reply::Answer(response) => response,
    };
    let (code, permission) = refusal_codes(response);
    let shown = code.clone().unwrap_or_else(|| format!("HTTP {}", response.status));
    let code = code.unwrap_or_default();
    let not_offered =
        response.status == 501 || (response.status == 404 && code == "CMN-120") || code == "CMN-109";
    let remedy = match (response.status, code.as_str()) {
        _ if not_offered => {
            "Nothing to do; or ask RingCentral whether the account's plan can have it.".to_owned()
        }
        (403, "CMN-401") => format!(
            "Add the permission {} to the app in the developer console, and make a new JWT if it asks for one.",
            needs.scope
        ),
        (401 | 403, _) => {
            let permission = permission.unwrap_or_else(|| needs.permission.to_owned());
            format!(
                "Give the user behind the JWT a role with {permission}: Admin Portal, Users, Roles; or use the JWT of a user who has it."
            )
        }
        (429, _) => {
            "The rate limit is used up, perhaps by another program of the same app: wait a minute.".to_owned()
        }
        (500.., _) => {
            "The service has trouble of its own: try again later, and look at its status page.".to_owned()
        }
        (300..=399, _) => {
            "The address moved and is not followed: set url to where the service is now.".to_owned()
        }
        _ => "Check the url, and that it is the service's own address without a path.".to_owned(),
    };
    Refusal { what: format!("refused ({shown})"), remedy, not_offered }
}

/// Why signing in failed, by the OAuth codes.
pub(super) fn of_sign_in(reply: &Reply) -> Refusal {
    let response = match reply {
        Reply::Nothing(why) => return no_answer(why),
        Reply::Answer(response) => response,
    };
    let shown = refusal_codes(response).0.unwrap_or_else(|| format!("HTTP {}", response.status));
    let told = |what: &str, remedy: &str| Refusal {
        what: format!("{what} ({shown})"),
        remedy: remedy.to_owned(),
        not_offered: false,
    };
    // The list's code comes first; a body with OAuth's word alone gives that.
    match shown.as_str() {
        "unauthorized_client" | "OAU-112" | "OAU-125" | "OAU-251" => told(
            "the app may not sign in with a JWT",
            "Switch the JWT auth flow on for the app in the developer console.",
        ),
        "invalid_grant" | "OAU-210" | "OAU-213" | "OAU-347" => told(
            "the JWT is not accepted",
            "Make a new JWT in the developer console, for this app and this environment, and set it as jwt.",
        ),
        "invalid_client" | "OAU-120" | "OAU-121" | "OAU-123" | "OAU-146" | "OAU-153" => told(
            "the client id and client secret are not accepted",
            "Copy both from the app's credentials page in the developer console; a new secret ends the old one.",
        ),
        _ => {
            let needs = Needs { scope: "ReadAccounts", permission: "the right to sign in" };
            let refusal = of(reply, &needs);
            Refusal { what: format!("the sign-in was {}", refusal.what), ..refusal }
        }
    }
}

fn no_answer(why: &str) -> Refusal {
    Refusal {
        what: format!("no answer: {why}"),
        remedy: "Check url under [service], and that this machine reaches it (network, proxy, firewall)."
            .to_owned(),
        not_offered: false,
    }
}
