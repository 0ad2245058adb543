//! Words and figures for people: grouping, quantities, dates, and characters that must not act.

use chrono::NaiveDate;

use crate::domain::charge::Unit;
use crate::domain::money::{Exact, Money};
use crate::domain::outcome::{Channel, Direction};
use crate::domain::time::{Instant, Month, Period, Zone};

/// Whether a character would act on its surroundings instead of showing itself: control characters (terminal escape
/// sequences begin with one), direction overrides and marks, separators that end a line, invisible annotations.
pub(super) fn acts(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{061c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A visible stand-in for a character that acts: `␛` for the escape character, `⟨U+202E⟩` for a direction override.
pub(super) fn stand_in(letter: char) -> String {
    let code = u32::from(letter);
    match code {
        0..=0x1f => char::from_u32(0x2400 + code).map_or_else(|| hexadecimal(code), String::from),
        0x7f => "\u{2421}".to_owned(),
        _ => hexadecimal(code),
    }
}

fn hexadecimal(code: u32) -> String {
    format!("\u{27e8}U+{code:04X}\u{27e9}")
}

/// Digits with a comma between each three of the whole part: `1234567.50` becomes `1,234,567.50`.
pub(super) fn grouped(digits: &str) -> String {
    let (sign, magnitude) = match digits.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", digits),
    };
    let (whole, decimals) = match magnitude.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (magnitude, None),
    };
    let mut text = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(decimals) = decimals {
        text.push('.');
        text.push_str(decimals);
    }
    text
}

/// A count with grouped digits.
pub(super) fn count(value: impl std::fmt::Display) -> String {
    grouped(&value.to_string())
}

/// An amount with grouped digits and without its currency: `1,234.50`.
pub(super) fn amount(money: Money) -> String {
    grouped(&money.digits())
}

/// An amount with grouped digits and its currency: `1,234.50 USD`.
pub(super) fn amount_with_currency(money: Money) -> String {
    format!("{} {}", amount(money), money.currency)
}

/// An exact value for people: all its decimals when they end, else six of them marked as cut.
pub(super) fn exact(value: Exact) -> String {
    let shortest = value.shortest();
    if shortest.contains('/') {
        format!("\u{2248} {}", grouped(&value.digits(6)))
    } else {
        grouped(&shortest)
    }
}

/// `1 record`, `2 records`.
pub(super) fn plural(number: impl std::fmt::Display, noun: &str) -> String {
    let number = number.to_string();
    let ending = if number == "1" || number == "-1" { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(&number))
}

/// A quantity as a person reads it: `12 h 05 min 30 s`, `3 pages`.
pub(super) fn quantity(units: i128, unit: Unit) -> String {
    match unit {
        Unit::Second => duration(units),
        Unit::Amount => String::new(),
        Unit::Call | Unit::Message | Unit::Segment | Unit::Page | Unit::Event => plural(units, unit.word()),
    }
}

/// Whole seconds as hours, minutes and seconds; the largest part that is not zero comes first.
pub(super) fn duration(seconds: i128) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let magnitude = seconds.unsigned_abs();
    let (hours, minutes, rest) = (magnitude / 3600, magnitude / 60 % 60, magnitude % 60);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{rest} s"),
        (0, _) => format!("{sign}{minutes} min {rest:02} s"),
        _ => format!("{sign}{} h {minutes:02} min {rest:02} s", count(hours)),
    }
}

/// Milliseconds as a duration; a fraction of a second keeps its three decimals.
pub(super) fn duration_of_milliseconds(milliseconds: i128) -> String {
    let text = duration(milliseconds / 1000);
    let fraction = (milliseconds % 1000).unsigned_abs();
    if fraction == 0 {
        return text;
    }
    let sign = if milliseconds < 0 && milliseconds > -1000 { "-" } else { "" };
    let seconds = text.strip_suffix(" s").unwrap_or(&text);
    format!("{sign}{seconds}.{fraction:03} s")
}

/// A civil day: `1 October 2026`.
pub(super) fn day(date: NaiveDate) -> String {
    date.format("%-d %B %Y").to_string()
}

/// The civil days of a period: `1 to 31 October 2026`.
pub(super) fn days(period: &Period) -> String {
    if Month::of(period.first_day) == Month::of(period.last_day) {
        format!("{} to {}", period.first_day.format("%-d"), day(period.last_day))
    } else {
        format!("{} to {}", day(period.first_day), day(period.last_day))
    }
}

/// A channel and direction as a service that was used: `Voice, outbound`.
pub(super) fn service(channel: Channel, direction: Direction) -> String {
    let name = match channel {
        Channel::Voice => "Voice",
        Channel::Sms => "SMS",
        Channel::Mms => "MMS",
        Channel::Fax => "Fax",
        Channel::Voicemail => "Voicemail",
    };
    format!("{name}, {direction}")
}

/// A minute of a zone for tables whose heading names the zone: `2026-03-09 14:00 -04:00`.
pub(super) fn minute(zone: Zone, instant: Instant) -> String {
    let shown = zone.show(instant);
    let (time, offset) = shown.rsplit_once(' ').unwrap_or((&shown, ""));
    let time = time.strip_suffix(":00").unwrap_or(time);
    format!("{time} {offset}")
}

/// RFC 3339 with a zone's offset, for machines: `2026-03-09T14:00:00-04:00`.
pub(super) fn rfc3339(zone: Zone, instant: Instant) -> String {
    let shown = zone.show(instant);
    match shown.rsplit_once(' ') {
        Some((time, offset)) => format!("{}{offset}", time.replacen(' ', "T", 1)),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Currency;

    #[test]
    fn digits_are_grouped_by_threes_on_the_left_of_the_point_only() {
        for (plain, expected) in [
            ("0.00", "0.00"),
            ("999", "999"),
            ("1000", "1,000"),
            ("-1234.50", "-1,234.50"),
            ("1234567.8901", "1,234,567.8901"),
        ] {
            assert_eq!(grouped(plain), expected);
        }
        let yen = Currency::from_code("JPY").unwrap();
        assert_eq!(amount_with_currency(Money { minor_units: 1_234_567, currency: yen }), "1,234,567 JPY");
    }

    #[test]
    fn durations_show_the_parts_that_matter() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min 00 s"),
            (3_600, "1 h 00 min 00 s"),
            (43_530, "12 h 05 min 30 s"),
            (3_600_000, "1,000 h 00 min 00 s"),
            (-61, "-1 min 01 s"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
        assert_eq!(duration_of_milliseconds(61_250), "1 min 01.250 s");
        assert_eq!(duration_of_milliseconds(-250), "-0.250 s");
        assert_eq!(quantity(1, Unit::Page), "1 page");
        assert_eq!(quantity(1_200, Unit::Segment), "1,200 segments");
    }

    #[test]
    fn exact_values_say_when_they_are_cut() {
        assert_eq!(exact(Exact::new(-1, 400)), "-0.0025");
        assert_eq!(exact(Exact::new(1, 3)), "\u{2248} 0.333333");
    }

    #[test]
    fn periods_and_services_read_like_sentences() {
        let zone = Zone::from_name("America/New_York").unwrap();
        let mut period = Month::parse("2026-10").unwrap().period(zone);
        assert_eq!(days(&period), "1 to 31 October 2026");
        period.last_day = NaiveDate::from_ymd_opt(2026, 11, 15).unwrap();
        assert_eq!(days(&period), "1 October 2026 to 15 November 2026");
        assert_eq!(service(Channel::Sms, Direction::Outbound), "SMS, outbound");
    }

    #[test]
    fn times_keep_their_offset() {
        let zone = Zone::from_name("America/New_York").unwrap();
        let instant = Instant::parse("2026-03-09T18:00:00Z").unwrap();
        assert_eq!(minute(zone, instant), "2026-03-09 14:00 -04:00");
        assert_eq!(rfc3339(zone, instant), "2026-03-09T14:00:00-04:00");
        assert_eq!(minute(zone, instant.plus_milliseconds(1_000)), "2026-03-09 14:00:01 -04:00");
    }
}
