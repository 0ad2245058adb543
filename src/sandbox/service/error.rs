//! Error answers: status, and the body with its list of codes.

use serde_json::{Value, json};

/// An answer that is not a success.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl ApiError {
    fn new(status: u16, word: &str, code: &str, message: &str) -> ApiError {
        let body = json!({
            "errorCode": word,
            "message": message,
            "errors": [{ "errorCode": code, "message": message }],
        });
        ApiError { status, body }
    }

    /// Adds a field to the body and to its first error, as the service does.
    fn with(mut self, name: &str, value: &str) -> ApiError {
        self.body[name] = json!(value);
        self.body["errors"][0][name] = json!(value);
        self
    }

    pub(crate) fn invalid_parameter(name: &str) -> ApiError {
        let message = format!("Parameter [{name}] value is invalid");
        ApiError::new(400, "InvalidParameter", "CMN-101", &message).with("parameterName", name)
    }

    /// Two parameters that do not go together.
    pub(crate) fn not_along_with(name: &str, other: &str) -> ApiError {
        let message = format!("Parameter [{name}] is not allowed for usage along with parameter [{other}]");
        ApiError::new(400, "InvalidParameter", "CLG-110", &message).with("parameterName", name)
    }

    /// A token of call-log synchronisation that is too old.
    pub(crate) fn sync_token_expired() -> ApiError {
        let message = "Parameter [syncToken] is invalid [Sync token expired, call log was reset]";
        ApiError::new(400, "InvalidParameter", "CLG-101", message).with("parameterName", "syncToken")
    }

    /// More has changed since a token than one answer holds.
    pub(crate) fn too_many_changes() -> ApiError {
        let message = "Parameter [syncToken] is invalid [max sync record number limit is exceeded]";
        ApiError::new(400, "InvalidParameter", "CMN-101", message).with("parameterName", "syncToken")
    }

    /// A token of message synchronisation that is no good: a full synchronisation is required.
    pub(crate) fn full_sync_required() -> ApiError {
        let message = "Parameter [syncToken] is invalid";
        ApiError::new(400, "InvalidParameter", "MSG-333", message).with("parameterName", "syncToken")
    }

    pub(crate) fn batch_too_large(most: usize) -> ApiError {
        let message = format!("Batch request is too large: at most {most} resources are allowed");
        ApiError::new(400, "CMN-106", "CMN-106", &message)
    }

    pub(crate) fn not_found(name: &str) -> ApiError {
        let message = format!("Resource for parameter [{name}] is not found");
        ApiError::new(404, "CMN-102", "CMN-102", &message).with("parameterName", name)
    }

    pub(crate) fn invalid_uri() -> ApiError {
        ApiError::new(404, "CMN-120", "CMN-120", "Invalid URI")
    }

    pub(crate) fn wrong_method() -> ApiError {
        ApiError::new(405, "CMN-120", "CMN-120", "Method is not supported for this URI")
    }

    pub(crate) fn forbidden(permission: &str) -> ApiError {
        let message = format!(
            "In order to call this API endpoint, user needs to have [{permission}] permission for requested resource."
        );
        ApiError::new(403, "InsufficientPermissions", "CMN-408", &message).with("permissionName", permission)
    }

    pub(crate) fn token_not_found() -> ApiError {
        ApiError::new(401, "TokenInvalid", "OAU-213", "Token not found")
    }

    pub(crate) fn token_expired() -> ApiError {
        ApiError::new(401, "TokenExpired", "OAU-128", "Access token expired")
    }

    pub(crate) fn no_authorization() -> ApiError {
        let message = "Authorization method not supported";
        ApiError::new(401, "OAU-151", "OAU-151", message)
    }

    pub(crate) fn rate_exceeded() -> ApiError {
        ApiError::new(429, "CMN-301", "CMN-301", "Request rate exceeded")
    }

    /// What a fault plan asks for: 503 is the documented limited mode, everything else an internal error.
    pub(crate) fn fault(status: u16) -> ApiError {
        if status == 503 {
            let message = "Service is temporarily limited";
            return ApiError::new(503, "CMN-211", "CMN-211", message);
        }
        ApiError::new(status, "CMN-203", "CMN-203", "Internal Server Error")
    }

    /// Errors of the token endpoint have OAuth's fields.
    pub(crate) fn oauth(status: u16, error: &str, code: &str, description: &str) -> ApiError {
        let body = json!({
            "error": error,
            "error_description": description,
            "errors": [{ "errorCode": code, "message": description }],
        });
        ApiError { status, body }
    }
}
