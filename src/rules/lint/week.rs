//! A week as its minutes, of which a band holds some.

use chrono::Weekday;

use crate::rules::ruleset::TimeBand;

const DAY_MINUTES: usize = 1440;
const WEEK_MINUTES: usize = 7 * DAY_MINUTES;
const WORDS: usize = WEEK_MINUTES.div_ceil(64);

/// A set of minutes of the week, Monday 00:00 first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Week([u64; WORDS]);

impl Week {
    /// No minute.
    pub const NEVER: Week = Week([0; WORDS]);

    /// Every minute.
    pub fn always() -> Week {
        let mut week = Week::NEVER;
        for minute in 0..WEEK_MINUTES {
            week.add(minute);
        }
        week
    }

    /// The minutes at which a band holds in a week without any special day. A band that starts only `on` some dates holds
    /// at most then.
    pub fn of(band: &TimeBand) -> Week {
        let mut week = Week::NEVER;
        let (start, end) = (band.start_minute as usize, band.end_minute as usize);
        let length = if start < end { end - start } else { end + DAY_MINUTES - start };
        for day in &band.days {
            let first = day.num_days_from_monday() as usize * DAY_MINUTES + start;
            for minute in first..first + length {
                week.add(minute % WEEK_MINUTES);
            }
        }
        week
    }

    fn add(&mut self, minute: usize) {
        self.0[minute / 64] |= 1 << (minute % 64);
    }

    fn holds(&self, minute: usize) -> bool {
        self.0[minute / 64] & (1 << (minute % 64)) != 0
    }

    /// Adds all minutes of another set.
    pub fn join(&mut self, other: &Week) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }

    /// The minutes of both.
    pub fn common(&self, other: &Week) -> Week {
        let mut common = Week::NEVER;
        for (at, word) in common.0.iter_mut().enumerate() {
            *word = self.0[at] & other.0[at];
        }
        common
    }

    /// The minutes of this set that the other lacks.
    pub fn without(&self, other: &Week) -> Week {
        let mut rest = Week::NEVER;
        for (at, word) in rest.0.iter_mut().enumerate() {
            *word = self.0[at] & !other.0[at];
        }
        rest
    }

    /// Whether all minutes are in the other set.
    pub fn is_within(&self, other: &Week) -> bool {
        self.without(other).is_empty()
    }

    /// Whether there is no minute.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// For people: `mon 18:00-24:00`, and how many further pieces of the week there are.
    pub fn shown(&self) -> String {
        let mut pieces: Vec<(usize, usize)> = Vec::new();
        for minute in (0..WEEK_MINUTES).filter(|minute| self.holds(*minute)) {
            match pieces.last_mut() {
                Some((_, end)) if *end == minute && !minute.is_multiple_of(DAY_MINUTES) => *end += 1,
                _ => pieces.push((minute, minute + 1)),
            }
        }
        let Some((start, end)) = pieces.first() else { return "at no time".to_owned() };
        let day = start / DAY_MINUTES;
        let clock = |minute: usize| format!("{:02}:{:02}", minute / 60, minute % 60);
        let first = format!(
            "{} {}-{}",
            day_word(day),
            clock(start - day * DAY_MINUTES),
            clock(end - day * DAY_MINUTES)
        );
        match pieces.len() - 1 {
            0 => first,
            1 => format!("{first} and one other piece of the week"),
            further => format!("{first} and {further} other pieces of the week"),
        }
    }
}

fn day_word(day: usize) -> String {
    let days =
        [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
    days.get(day).map(|day| day.to_string().to_ascii_lowercase()).unwrap_or_default()
}
