//! Values are read exactly or not at all.

use super::*;

#[test]
fn amounts_are_read_digit_by_digit() {
    assert_eq!(amount("0.0345").unwrap().to_string(), "0.0345");
    for wrong in
        ["", "1e3", "-1", "1.", ".5", "1,5", "NaN", "0.00000000001", "99999999999999999999999999999999"]
    {
        assert!(amount(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn days_and_hours_wrap() {
    assert_eq!(days("sat-mon").unwrap(), [Weekday::Mon, Weekday::Sat, Weekday::Sun]);
    assert_eq!(hours("22:00-06:00").unwrap(), (1320, 360));
    assert_eq!(hours("00:00-24:00").unwrap(), (0, 1440));
    for wrong in ["8-18", "08:00-08:00", "08:00-25:00", "08:60-09:00", "24:00-06:00"] {
        assert!(hours(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn units_are_counted_in_the_smallest() {
    assert_eq!(granted("500 minutes").unwrap(), (Unit::Second, 30_000));
    assert_eq!(granted("1 page").unwrap(), (Unit::Page, 1));
    assert!(granted("many minutes").is_err());
}

#[test]
fn counts_are_whole_in_the_smallest_unit() {
    assert_eq!(granted("1.5 minutes").unwrap(), (Unit::Second, 90));
    assert_eq!(granted("0.25 hours").unwrap(), (Unit::Second, 900));
    assert_eq!(granted("0 messages").unwrap(), (Unit::Message, 0));
    for wrong in [
        "0.001 minutes",
        "1.5 pages",
        "-1 page",
        "1e3 pages",
        "1000000001 pages",
        "5 pagess",
        "5",
        "5 events",
    ] {
        assert!(granted(wrong).is_err(), "{wrong}");
    }
    assert_eq!(grant("20.00 of charges").unwrap(), Grant::Money(Decimal::from(20)));
    assert!(grant("20.00 of charge").is_err());
}

#[test]
fn percentages_have_four_decimals() {
    assert_eq!(percent("12.3456%").unwrap().to_string(), "12.3456");
    assert_eq!(percent("12.34560%").unwrap().to_string(), "12.3456");
    assert_eq!(reduction("0.02").unwrap(), Reduction::Amount(Decimal::new(2, 2)));
    for wrong in ["12.34567%", "-1%", "%", "1", "1%%", "1e2%"] {
        assert!(percent(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn lengths_are_within_a_day() {
    assert_eq!(length("2.5 seconds").unwrap(), 2500);
    assert_eq!(length_seconds("24 hours").unwrap(), 86_400);
    for wrong in ["24.01 hours", "-1 seconds", "1 day", "0.0001 seconds"] {
        assert!(length(wrong).is_err(), "{wrong}");
    }
    assert!(length_seconds("2.5 seconds").is_err());
}
