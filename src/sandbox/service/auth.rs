//! Tokens: the JWT grant, Basic client authentication, and the life and death of access tokens.

use super::ask::Ask;
use super::error::ApiError;
use crate::sandbox::wire::Token;
use crate::sandbox::world::cast::ACCOUNT_ID;
use crate::sandbox::world::random::mix;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const JWT_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What a client must show to get a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) jwt: String,
}

impl Credentials {
    /// Credentials of a world: made up, but the same for the same seed.
    pub(crate) fn of_seed(seed: u64) -> Credentials {
        let word = |salt: u64| format!("{:016x}", mix(seed ^ mix(salt)));
        Credentials {
            client_id: format!("sandbox-{}", word(1)),
            client_secret: format!("{}{}", word(2), word(3)),
            jwt: format!("sandbox.{}.{}", word(4), word(5)),
        }
    }
}

#[derive(Debug)]
struct Issued {
    expires: Duration,
}

/// The tokens that have been issued. Lives are measured in elapsed time, which whoever asks brings along.
#[derive(Debug)]
pub(crate) struct Tokens {
    credentials: Credentials,
    life: Duration,
    seed: u64,
    issued: Mutex<BTreeMap<String, Issued>>,
}

fn invalid_client(code: &str, description: &str) -> ApiError {
    ApiError::oauth(401, "invalid_client", code, description)
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

impl Tokens {
    pub(crate) fn new(credentials: Credentials, life: Duration, seed: u64) -> Tokens {
        Tokens { credentials, life, seed, issued: Mutex::default() }
    }

    fn issued(&self) -> MutexGuard<'_, BTreeMap<String, Issued>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn authenticate_client(&self, ask: &Ask) -> Result<(), ApiError> {
        let header = ask.header("authorization");
        let encoded = header.and_then(|value| value.strip_prefix("Basic "));
        let Some(encoded) = encoded else {
            return Err(invalid_client("OAU-123", "Client authentication is required"));
        };
        let decoded = decode_base64(encoded.trim()).and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((id, secret)) = decoded.as_deref().and_then(|text| text.split_once(':')) else {
            return Err(invalid_client("OAU-123", "Invalid Authorization header value"));
        };
        if id != self.credentials.client_id {
            return Err(invalid_client("OAU-153", &format!("Invalid client: {id}")));
        }
        if secret != self.credentials.client_secret {
            return Err(invalid_client("OAU-146", "Invalid client credentials"));
        }
        Ok(())
    }

    /// The token endpoint. Refresh tokens are not issued: the app's setting for them is off, as it is by default.
    pub(crate) fn grant(
        &self,
        ask: &Ask,
        form: &[(String, String)],
        now: Duration,
    ) -> Result<Token, ApiError> {
        self.authenticate_client(ask)?;
        let refuse = |error, code, description| ApiError::oauth(400, error, code, description);
        match field(form, "grant_type") {
            Some(JWT_GRANT) => {}
            Some("refresh_token" | "authorization_code" | "password") => {
                return Err(refuse("unauthorized_client", "OAU-251", "Unauthorized for this grant type"));
            }
            _ => return Err(refuse("invalid_request", "OAU-250", "Unsupported grant type")),
        }
        match field(form, "assertion") {
            Some(assertion) if assertion == self.credentials.jwt => {}
            _ => return Err(refuse("invalid_grant", "OAU-213", "Token not found")),
        }
        let life = match field(form, "access_token_ttl").map(str::parse::<u64>) {
            None => self.life,
            Some(Ok(seconds)) if (600..=3600).contains(&seconds) => {
                self.life.min(Duration::from_secs(seconds))
            }
            Some(_) => return Err(ApiError::invalid_parameter("access_token_ttl")),
        };
        let mut issued = self.issued();
        let number = mix(self.seed ^ (issued.len() as u64 + 1));
        let access_token = format!("SANDBOX{number:016X}{:016X}", mix(number));
        issued.insert(access_token.clone(), Issued { expires: now + life });
        Ok(Token {
            access_token,
            token_type: "bearer",
            expires_in: life.as_secs().max(1),
            scope: "ReadAccounts ReadCallLog ReadMessages",
            owner_id: ACCOUNT_ID.to_string(),
            endpoint_id: format!("{:016x}", mix(number ^ 1)),
            session_id: format!("{:016x}", mix(number ^ 2)),
        })
    }

    /// Checks the bearer token of a request.
    pub(crate) fn check(&self, ask: &Ask, now: Duration) -> Result<(), ApiError> {
        let header = ask.header("authorization");
        let Some(token) = header.and_then(|value| value.split_once(' ')) else {
            return Err(ApiError::no_authorization());
        };
        if !token.0.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::no_authorization());
        }
        let issued = self.issued();
        let Some(state) = issued.get(token.1.trim()) else { return Err(ApiError::token_not_found()) };
        if now >= state.expires {
            return Err(ApiError::token_expired());
        }
        Ok(())
    }

    /// Ends the life of the token that a request brings, if it is one.
    pub(crate) fn expire(&self, ask: &Ask, now: Duration) {
        let token = ask.header("authorization").and_then(|value| value.split_once(' '));
        let mut issued = self.issued();
        if let Some(state) = token.and_then(|(_, token)| issued.get_mut(token.trim())) {
            state.expires = now.min(state.expires);
        }
    }

    /// Ends a token's session. An unknown token is no error.
    pub(crate) fn revoke(&self, ask: &Ask, form: &[(String, String)], now: Duration) -> Result<(), ApiError> {
        self.authenticate_client(ask)?;
        // The entry stays, so that later tokens keep their numbers; its life is over.
        if let Some(state) = field(form, "token").and_then(|token| self.issued().remove(token)) {
            let gone = Issued { expires: now.min(state.expires) };
            let number = self.issued().len();
            self.issued().insert(format!("revoked {number}"), gone);
        }
        Ok(())
    }
}

/// Decodes standard base64, with or without padding.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut held) = (0_u32, 0_u32);
    for character in text.trim_end_matches('=').bytes() {
        let sextet = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(sextet);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens::new(Credentials::of_seed(1), Duration::from_secs(3600), 1)
    }

    fn basic(user: &str) -> Ask {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut encoded = String::new();
        for chunk in user.as_bytes().chunks(3) {
            let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
                << (8 * (3 - chunk.len()));
            for place in 0..=chunk.len() {
                let sextet = usize::try_from(word >> (18 - 6 * place) & 63).expect("six bits");
                encoded.push(char::from(ALPHABET[sextet]));
            }
        }
        Ask::post("/", &[]).with_header("authorization", &format!("Basic {encoded}"))
    }

    fn form(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn code(error: &ApiError) -> String {
        error.body["errors"][0]["errorCode"].as_str().unwrap_or("none").to_owned()
    }

    #[test]
    fn a_token_lives_as_long_as_it_says() {
        let tokens = tokens();
        let known = Credentials::of_seed(1);
        let headers = basic(&format!("{}:{}", known.client_id, known.client_secret));
        let grant = form(&[("grant_type", JWT_GRANT), ("assertion", &known.jwt)]);
        let now = Duration::ZERO;
        let token = tokens.grant(&headers, &grant, now).expect("a token");
        let value = format!("Bearer {}", token.access_token);
        let bearer = Ask::get("/").with_header("authorization", &value);
        assert!(tokens.check(&bearer, now + Duration::from_secs(3599)).is_ok());
        let late = tokens.check(&bearer, now + Duration::from_secs(3600)).expect_err("it has expired");
        assert_eq!((late.status, code(&late).as_str()), (401, "OAU-128"));
        tokens.revoke(&headers, &form(&[("token", &token.access_token)]), now).expect("revoked");
        let gone = tokens.check(&bearer, now).expect_err("it was revoked");
        assert_eq!((gone.status, code(&gone).as_str()), (401, "OAU-213"));
        let second = tokens.grant(&headers, &grant, now).expect("another token");
        assert_ne!(second.access_token, token.access_token);
    }

    #[test]
    fn refusals_have_the_documented_codes() {
        let tokens = tokens();
        let known = Credentials::of_seed(1);
        let good = basic(&format!("{}:{}", known.client_id, known.client_secret));
        let grant = form(&[("grant_type", JWT_GRANT), ("assertion", &known.jwt)]);
        let refused = |ask: &Ask, form: &[(String, String)]| {
            let error = tokens.grant(ask, form, Duration::ZERO).expect_err("refused");
            (error.status, code(&error))
        };
        assert_eq!(refused(&Ask::get("/"), &grant), (401, "OAU-123".to_owned()));
        assert_eq!(refused(&basic("someone:else"), &grant), (401, "OAU-153".to_owned()));
        assert_eq!(refused(&basic(&format!("{}:no", known.client_id)), &grant), (401, "OAU-146".to_owned()));
        assert_eq!(refused(&good, &form(&[("grant_type", "refresh_token")])), (400, "OAU-251".to_owned()));
        assert_eq!(refused(&good, &form(&[("grant_type", "magic")])), (400, "OAU-250".to_owned()));
        let wrong = form(&[("grant_type", JWT_GRANT), ("assertion", "not it")]);
        assert_eq!(refused(&good, &wrong), (400, "OAU-213".to_owned()));
        let short = form(&[("grant_type", JWT_GRANT), ("assertion", &known.jwt), ("access_token_ttl", "5")]);
        assert_eq!(refused(&good, &short), (400, "CMN-101".to_owned()));
    }
}
