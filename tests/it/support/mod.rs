//! What the tests share: the oracle (a second, deliberately naive biller that never calls the crate under test), the
//! generator of worlds to bill, the comparison of what `tollbook price` wrote with what the oracle says, sessions with the
//! binary, and a validator of answers against the service's own description. Nothing here may use the crate's own code: a mistake shared by both sides would be invisible.

pub mod compare;
pub mod generator;
pub mod oracle;
pub mod schema;
pub mod session;
