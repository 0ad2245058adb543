//! The rule files: three price lists with examples whose charges were worked out by hand.

use super::CustomerFile;
use crate::sandbox::world::World;
use chrono::Datelike;

/// The year of the examples; the price lists are in force by then at the latest.
const YEAR_OF_EXAMPLES: i32 = 2026;

/// All rule files. They are in force from the start of the world's year, or of the examples' if that is earlier.
pub(super) fn files(world: &World) -> Vec<CustomerFile> {
    let valid_from = format!("{}-01-01", world.calendar.date(0).year().min(YEAR_OF_EXAMPLES));
    [
        ("rules/client-abroad.toml", ABROAD),
        ("rules/client-premium.toml", PREMIUM),
        ("rules/client-standard.toml", STANDARD),
    ]
    .into_iter()
    .map(|(name, text)| (name, text.replace("VALID_FROM", &valid_from).into_bytes()))
    .collect()
}

const STANDARD: &str = r#"# What most clients pay.
default_tariff = "client-standard"

[tariff.client-standard]
currency   = "USD"
zone       = "America/New_York"
legs       = "customer-facing"
valid_from = "VALID_FROM"

# The toll-free lines are ours: whoever calls them costs the client nothing.
[[tariff.client-standard.rate]]
name  = "Toll-free lines"
match = { channel = "voice", direction = "inbound", to = ["+1800", "+1888"] }
price = "0 per call"

[[tariff.client-standard.rate]]
name  = "Answering, business hours"
match = { channel = "voice", direction = "inbound", band = "business" }
price = "0.95 per minute"
increment = "60/6"
connection_fee = "0.25"
charge_cap = "45.00"

[[tariff.client-standard.rate]]
name  = "Answering, evenings"
match = { channel = "voice", direction = "inbound", band = "evening" }
price = "1.25 per minute"
increment = "60/6"
connection_fee = "0.25"
charge_cap = "45.00"

[[tariff.client-standard.rate]]
name  = "Answering, nights and weekends"
match = { channel = "voice", direction = "inbound" }
price = "1.45 per minute"
increment = "60/6"
connection_fee = "0.25"
charge_cap = "45.00"

[[tariff.client-standard.rate]]
name  = "Calls to the United Kingdom"
match = { channel = "voice", direction = "outbound", to = ["GB"] }
price = "1.10 per minute"
increment = "60/60"

[[tariff.client-standard.rate]]
name  = "Calls made for you, business hours"
match = { channel = "voice", direction = "outbound", to = ["US"], band = "business" }
price = "0.65 per minute"
increment = "60/6"
connection_fee = "0.10"

[[tariff.client-standard.rate]]
name  = "Calls made for you"
match = { channel = "voice", direction = "outbound" }
price = "0.80 per minute"
increment = "60/6"
connection_fee = "0.10"

[[tariff.client-standard.rate]]
name  = "Texts"
match = { channel = "sms" }
price = "0.045 per segment"

[[tariff.client-standard.rate]]
name  = "Picture messages"
match = { channel = "mms" }
price = "0.12 per message"

[[tariff.client-standard.rate]]
name  = "Voicemail"
match = { channel = "voicemail" }
price = "0.15 per message"

[[tariff.client-standard.rate]]
name  = "Fax pages"
match = { channel = "fax" }
price = "0.35 per page"
bill_when = ["sent", "delivered", "received"]

[[tariff.client-standard.allowance]]
name = "500 included minutes"
grants = "500 minutes"
applies_to = { channel = "voice" }

[[tariff.client-standard.allowance]]
name = "100 included messages"
grants = "100 messages"
applies_to = { channel = ["voicemail", "mms"] }

[[tariff.client-standard.fee]]
name  = "Service fee"
price = "25.00 per month"

[band.business]
days   = "mon-fri"
hours  = "08:00-18:00"
except = ["2026-11-26", "2026-12-25"]

[band.evening]
days  = "mon-fri"
hours = "18:00-22:00"

# 66 s at 0.95 a minute are 1.045; with 0.25 for the connection 1.295.
[[example]]
tariff = "client-standard"
event  = { channel = "voice", direction = "inbound", from = "+12015550111", to = "+13325550110", start = "2026-10-05T14:00:00-04:00", seconds = 61 }
given  = { left = { "500 included minutes" = "0 minutes" } }
expect = { charge = "1.295", because = ["60/6: 61 s → 66 s"] }

# The first minute at 0.95 in business hours, 30 s at 1.25 in the evening: 0.95 + 0.625 + 0.25.
[[example]]
tariff = "client-standard"
event  = { channel = "voice", direction = "inbound", from = "+12015550111", to = "+13325550110", start = "2026-10-05T17:59:30-04:00", seconds = 90 }
given  = { left = { "500 included minutes" = "0 minutes" } }
expect = { charge = "1.825" }

# Inside the allowance there is no connection fee either.
[[example]]
tariff = "client-standard"
event  = { channel = "voice", direction = "inbound", from = "+12015550111", to = "+13325550110", start = "2026-10-05T14:00:00-04:00", seconds = 61 }
given  = { left = { "500 included minutes" = "10 minutes" } }
expect = { charge = "0" }

# An hour and a half would be 85.50 and 0.25: the cap holds.
[[example]]
tariff = "client-standard"
event  = { channel = "voice", direction = "inbound", from = "+12015550111", to = "+13325550110", start = "2026-10-05T14:00:00-04:00", seconds = 5400 }
given  = { left = { "500 included minutes" = "0 minutes" } }
expect = { charge = "45.00" }

# 66 s at 0.65 a minute are 0.715; with 0.10 for the connection 0.815.
[[example]]
tariff = "client-standard"
event  = { channel = "voice", direction = "outbound", to = "+12125550143", start = "2026-10-05T14:00:00-04:00", seconds = 61 }
given  = { left = { "500 included minutes" = "0 minutes" } }
expect = { charge = "0.815" }

[[example]]
tariff = "client-standard"
event  = { channel = "voice", direction = "outbound", to = "+442079460018", start = "2026-10-05T14:00:00-04:00", seconds = 61 }
given  = { left = { "500 included minutes" = "0 minutes" } }
expect = { charge = "2.20" }

[[example]]
tariff = "client-standard"
event  = { channel = "voice", direction = "inbound", from = "+12015550111", to = "+18885550120", start = "2026-10-05T14:00:00-04:00", seconds = 600 }
given  = { left = { "500 included minutes" = "0 minutes" } }
expect = { charge = "0" }

[[example]]
tariff = "client-standard"
event  = { channel = "sms", direction = "outbound", to = "+12125550143", start = "2026-10-05T14:00:00-04:00", segments = 3, outcome = "delivered" }
expect = { charge = "0.135" }

[[example]]
tariff = "client-standard"
event  = { channel = "fax", direction = "outbound", to = "+15165550138", start = "2026-10-05T14:00:00-04:00", pages = 4, outcome = "sent" }
expect = { charge = "1.40" }
"#;

const PREMIUM: &str = r#"# Software companies: by the second, with a larger allowance.
[tariff.client-premium]
currency   = "USD"
zone       = "America/New_York"
legs       = "customer-facing"
valid_from = "VALID_FROM"

[[tariff.client-premium.rate]]
name  = "Answering"
match = { channel = "voice", direction = "inbound" }
price = "1.10 per minute"
charge_floor = "0.10"

[[tariff.client-premium.rate]]
name  = "Calls made for you"
match = { channel = "voice", direction = "outbound" }
price = "0.012 per second"

[[tariff.client-premium.rate]]
name  = "Texts"
match = { channel = "sms" }
price = "0.06 per message"

[[tariff.client-premium.rate]]
name  = "Picture messages"
match = { channel = "mms" }
price = "0.15 per message"

[[tariff.client-premium.rate]]
name  = "Voicemail"
match = { channel = "voicemail" }
price = "0.10 per message"

[[tariff.client-premium.rate]]
name  = "Fax pages"
match = { channel = "fax" }
price = "0.30 per page"

[[tariff.client-premium.allowance]]
name = "1000 included minutes"
grants = "1000 minutes"
applies_to = { channel = "voice", direction = "inbound" }

[[tariff.client-premium.allowance]]
name = "100 included texts"
grants = "100 messages"
applies_to = { channel = "sms" }

[[tariff.client-premium.fee]]
name  = "Premium service fee"
price = "149.00 per month"

# 90 s at 1.10 a minute.
[[example]]
tariff = "client-premium"
event  = { channel = "voice", direction = "inbound", from = "+12015550111", to = "+13325550131", start = "2026-10-05T14:00:00-04:00", seconds = 90 }
given  = { left = { "1000 included minutes" = "0 minutes" } }
expect = { charge = "1.65" }

# 3 s would be 0.055: the floor holds.
[[example]]
tariff = "client-premium"
event  = { channel = "voice", direction = "inbound", from = "+12015550111", to = "+13325550131", start = "2026-10-05T14:00:00-04:00", seconds = 3 }
given  = { left = { "1000 included minutes" = "0 minutes" } }
expect = { charge = "0.10" }

[[example]]
tariff = "client-premium"
event  = { channel = "voice", direction = "outbound", to = "+12125550143", start = "2026-10-05T14:00:00-04:00", seconds = 61 }
expect = { charge = "0.732" }
"#;

const ABROAD: &str = r#"# Clients who pay in other money than ours.
[tariff.client-uk]
currency   = "GBP"
zone       = "Europe/London"
legs       = "customer-facing"
valid_from = "VALID_FROM"

[[tariff.client-uk.rate]]
name  = "Answering, London office hours"
match = { channel = "voice", direction = "inbound", band = "london-office" }
price = "0.85 per minute"

[[tariff.client-uk.rate]]
name  = "Answering"
match = { channel = "voice", direction = "inbound" }
price = "0.99 per minute"

[[tariff.client-uk.rate]]
name  = "Calls made for you"
match = { channel = "voice", direction = "outbound" }
price = "0.90 per minute"
increment = "60/60"

[[tariff.client-uk.rate]]
name  = "Texts"
match = { channel = ["sms", "mms"] }
price = "0.09 per message"

[[tariff.client-uk.rate]]
name  = "Voicemail"
match = { channel = "voicemail" }
price = "0.12 per message"

[[tariff.client-uk.rate]]
name  = "Fax pages"
match = { channel = "fax" }
price = "0.40 per page"

[[tariff.client-uk.fee]]
name  = "Service fee"
price = "20.00 per month"

[band.london-office]
days  = "mon-fri"
hours = "09:00-17:30"

[tariff.client-japan]
currency   = "JPY"
zone       = "America/New_York"
legs       = "customer-facing"
valid_from = "VALID_FROM"

[[tariff.client-japan.rate]]
name  = "Calls"
match = { channel = "voice", direction = ["inbound", "outbound"] }
price = "130 per minute"
increment = "60/30"

[[tariff.client-japan.rate]]
name  = "Messages"
match = { channel = ["sms", "mms", "voicemail"] }
price = "8 per message"

[[tariff.client-japan.rate]]
name  = "Fax pages"
match = { channel = "fax" }
price = "45 per page"

[[tariff.client-japan.fee]]
name  = "Service fee"
price = "3500 per month"

# Two minutes in London's office hours.
[[example]]
tariff = "client-uk"
event  = { channel = "voice", direction = "inbound", from = "+442079460018", to = "+13325550134", start = "2026-10-05T14:00:00+01:00", seconds = 120 }
expect = { charge = "1.70" }

# 61 s are billed as 90 s.
[[example]]
tariff = "client-japan"
event  = { channel = "voice", direction = "inbound", from = "+12015550111", to = "+13325550135", start = "2026-10-05T14:00:00-04:00", seconds = 61 }
expect = { charge = "195" }
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::Plot;
    use crate::sandbox::world::clients::CLIENTS;

    #[test]
    fn rule_files_are_toml_and_hold_every_tariff_that_a_client_has() {
        let world = World::generate(Plot { days: 1, ..Plot::default() });
        let mut tariffs = Vec::new();
        for (name, bytes) in files(&world) {
            let text = String::from_utf8(bytes).expect("text");
            let read: toml::Table = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
            let named = read["tariff"].as_table().expect("tariffs");
            for (tariff, content) in named {
                assert_eq!(content["valid_from"].as_str(), Some("2026-01-01"));
                tariffs.push(tariff.clone());
            }
            assert!(read["example"].as_array().is_some_and(|examples| !examples.is_empty()));
        }
        for client in CLIENTS {
            assert!(client.tariff.is_empty() || tariffs.contains(&client.tariff.to_owned()), "{}", client.id);
        }
    }
}
