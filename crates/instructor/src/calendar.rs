//! Days and times of the calendar, in UTC.

use std::time::Duration;

/// A day as `2015-08-30`.
pub(crate) fn day(unix: Duration) -> String {
    let (year, month, day) = date(unix);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A time as `20150830T123600Z`, which is how AWS writes it.
pub(crate) fn stamp(unix: Duration) -> String {
    let (year, month, day) = date(unix);
    let of_day = unix.as_secs() % 86_400;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

fn date(unix: Duration) -> (u64, u64, u64) {
    let days = unix.as_secs() / 86_400;
    // Years from March on, so that the leap day is the last: eras of 400 years begin in March of the year 0.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

/// The time of `2015-08-30T12:36:00Z`, since the Unix epoch. Parts of a second are left out, and so is the zone: AWS has
/// one.
#[cfg(feature = "cloud")]
pub(crate) fn unix(text: &str) -> Option<Duration> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    // As above: January and February belong to the year before.
    let year = year.checked_sub(u64::from(month <= 2))?;
    let month = (month + 9) % 12;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    let seconds = days.checked_sub(719_469)? * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The time of a stamp, day by day.
    pub(crate) fn time(stamp: &str) -> Duration {
        let number = |range: std::ops::Range<usize>| stamp[range].parse::<u64>().unwrap();
        let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let (year, month) = (number(0..4), number(4..6));
        let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let years: u64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
        let months: u64 = lengths.iter().take(month as usize - 1).sum();
        let days = years + months + number(6..8) - 1;
        Duration::from_secs(days * 86_400 + number(9..11) * 3_600 + number(11..13) * 60 + number(13..15))
    }

    #[test]
    fn every_day_has_its_date() {
        for day in 0..80_000_u64 {
            let now = Duration::from_secs(day * 86_400 + day % 86_400);
            let stamp = stamp(now);
            assert_eq!(time(&stamp), now);
            assert_eq!(super::day(now).replace('-', ""), stamp[..8]);
            #[cfg(feature = "cloud")]
            {
                let (date, of_day) = (format!("{}-{}-{}", &stamp[..4], &stamp[4..6], &stamp[6..8]), &stamp[9..]);
                let written = format!("{date}T{}:{}:{}.123Z", &of_day[..2], &of_day[2..4], &of_day[4..6]);
                assert_eq!(unix(&written), Some(now), "{written}");
            }
        }
        assert_eq!(stamp(Duration::ZERO), "19700101T000000Z");
        assert_eq!(stamp(Duration::from_millis(1_440_938_160_999)), "20150830T123600Z");
    }
}
