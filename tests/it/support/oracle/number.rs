//! Phone numbers as text, and segments of messages.

use phonenumber::country::Id;

/// E.164 with its `+`, or nothing when the text is no phone number (withheld, an extension, a short code).
pub fn e164(text: &str, default_country: &str) -> Option<String> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('+') {
        let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
        let clean = rest.chars().all(|c| c.is_ascii_digit() || " -().".contains(c));
        return (clean && (7..=15).contains(&digits.len())).then(|| format!("+{digits}"));
    }
    let country: Id = default_country.parse().unwrap_or_else(|_| panic!("no country: {default_country}"));
    let number = phonenumber::parse(Some(country), text).ok()?;
    number.is_valid().then(|| format!("+{}{}", number.code().value(), number.national()))
}

/// One end of a call or message.
#[derive(Clone, Debug)]
pub struct Party {
    /// `ordinary`, `toll-free`, `short-code`, `emergency`, `withheld` or `unparseable`.
    pub class: &'static str,
    /// Of an ordinary or toll-free number.
    pub e164: Option<String>,
    /// Digits of a short code or emergency number.
    pub short: Option<String>,
    /// ISO code of its country and the count of digits of the calling code.
    pub country: Option<(String, usize)>,
}

const TOLL_FREE: [&str; 13] = [
    "+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888", "+44800", "+44808", "+49800", "+61180",
    "+33800", "+81120",
];

impl Party {
    pub fn parse(text: &str, default_country: &str) -> Party {
        let text = text.trim();
        if text.is_empty() || text.eq_ignore_ascii_case("anonymous") {
            return Party { class: "withheld", e164: None, short: None, country: None };
        }
        if text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let emergency = ["911", "933", "988", "999", "112", "000"].contains(&text);
            let class = if emergency { "emergency" } else { "short-code" };
            let short = text.parse::<u64>().ok().map(|digits| digits.to_string());
            return Party { class, e164: None, short, country: None };
        }
        let Some(e164) = e164(text, default_country) else {
            return Party { class: "unparseable", e164: None, short: None, country: None };
        };
        let country = phonenumber::parse(None, &e164).ok().and_then(|number| {
            let id = number.country().id()?;
            Some((id.as_ref().to_string(), number.code().value().to_string().len()))
        });
        let free = TOLL_FREE.iter().any(|prefix| e164.starts_with(prefix));
        Party { class: if free { "toll-free" } else { "ordinary" }, e164: Some(e164), short: None, country }
    }

    /// How precisely an entry of a `to` list (`+digits` or a country) names this number: twice the digits of the prefix; a
    /// country is just longer than its calling code.
    pub fn precision(&self, entry: &str) -> Option<usize> {
        if entry.starts_with('+') {
            return self.e164.as_ref()?.starts_with(entry).then(|| 2 * (entry.len() - 1));
        }
        let (country, calling_code_digits) = self.country.as_ref()?;
        (country == entry).then_some(2 * calling_code_digits + 1)
    }
}

/// The GSM 03.38 basic alphabet: one septet each.
pub const GSM_BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Its extension table: an escape and a septet, which may not be torn apart.
pub const GSM_EXTENSION: &str = "\u{000C}^{}\\[~]|€";

/// Segments of a text message: GSM 7-bit (160, or 153 each) when every character is in that alphabet, else UCS-2 (70, or
/// 67 each). What takes two places never straddles two segments.
pub fn segments_of_text(text: &str) -> i64 {
    let septets = |c: char| match () {
        () if GSM_BASIC.contains(c) => Some(1),
        () if GSM_EXTENSION.contains(c) => Some(2),
        () => None,
    };
    let gsm: Option<Vec<usize>> = text.chars().map(septets).collect();
    let (sizes, alone, each) = match gsm {
        Some(sizes) => (sizes, 160, 153),
        None => (text.chars().map(char::len_utf16).collect(), 70, 67),
    };
    segments_of_sizes(&sizes, alone, each)
}

/// Fills segments with pieces that may not be torn.
pub fn segments_of_sizes(sizes: &[usize], alone: usize, each: usize) -> i64 {
    if sizes.iter().sum::<usize>() <= alone {
        return 1;
    }
    let (mut segments, mut used) = (1, 0);
    for &size in sizes {
        if used + size > each {
            segments += 1;
            used = 0;
        }
        used += size;
    }
    segments
}
