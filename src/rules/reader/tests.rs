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
