//! Dates in HTTP headers, and what `Retry-After` says.

use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{DATE, HeaderName, RETRY_AFTER};

const MONTHS: [&[u8; 3]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

/// How long the server wants to be left alone (RFC 9110, section 10.2.3): seconds, or a date.
///
/// A date is compared with the server's own clock, if it told it: the clock of a phone may be wrong by hours.
pub(super) fn retry_after(headers: &HeaderMap, unix_ms: u64) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.as_bytes().trim_ascii();
    if let Some(seconds) = number(text) {
        return Some(Duration::from_secs(seconds));
    }
    let date = |name: HeaderName| parse(headers.get(name)?.as_bytes());
    let now = date(DATE).unwrap_or(unix_ms / 1000);
    Some(Duration::from_secs(parse(text)?.saturating_sub(now)))
}

/// The Unix time in seconds that a date names, 0 for all before 1970. As forgiving as browsers are with the dates of
/// cookies (RFC 6265, section 5.1.1), which takes in the three forms that HTTP has.
pub(super) fn parse(text: &[u8]) -> Option<u64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|byte| is_delimiter(*byte)).filter(|token| !token.is_empty()) {
        if time.is_none()
            && let Some(found) = clock(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some(found) = leading(token, 1, 2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = named(token)
        {
            month = Some(found);
        } else if year.is_none()
            && let Some(found) = leading(token, 2, 4)
        {
            year = Some(match found {
                70..=99 => found + 1900,
                0..=69 => found + 2000,
                _ => found,
            });
        }
    }
    let ((hour, minute, second), day, month, year) = (time?, day?, month?, year?);
    if !(1..=31).contains(&day) || year < 1601 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_since_1970(year, month, day);
    Some(days.checked_mul(86_400)? + hour * 3600 + minute * 60 + second)
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'/' | b';'..=b'@' | b'['..=b'`' | b'{'..=b'~')
}

/// `hh:mm:ss`, each of one or two digits.
fn clock(token: &[u8]) -> Option<(u64, u64, u64)> {
    let mut parts = token.split(|byte| *byte == b':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let two = |digits: &[u8]| (digits.len() <= 2).then(|| number(digits)).flatten();
    Some((two(hour)?, two(minute)?, leading(second, 1, 2)?))
}

/// A number of so many digits, whatever follows them.
fn leading(token: &[u8], least: usize, most: usize) -> Option<u64> {
    let digits = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (least..=most)
        .contains(&digits)
        .then(|| number(&token[..digits]))
        .flatten()
}

/// The month whose name begins so, 1 to 12.
fn named(token: &[u8]) -> Option<u64> {
    let name = token.get(..3)?;
    let at = MONTHS.iter().position(|month| name.eq_ignore_ascii_case(*month))?;
    u64::try_from(at + 1).ok()
}

/// Digits alone. More than fit are as many as fit.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        Some(sum.saturating_mul(10).saturating_add(digit))
    })
}

/// In the calendar that counts from March, where a leap day is a year's last.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    days.saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_http_and_those_of_old_cookies_are_read() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "6 nov 1994 8:49:37",
        ] {
            assert_eq!(parse(text.as_bytes()), Some(784_111_777), "{text}");
        }
        assert_eq!(parse(b"Thu, 29 Feb 2024 12:00:00 GMT"), Some(1_709_208_000));
        assert_eq!(parse(b"Fri, 31 Dec 9999 23:59:59 GMT"), Some(253_402_300_799));
        assert_eq!(parse(b"Thu, 01-Jan-1970 00:00:00 GMT"), Some(0));
        assert_eq!(parse(b"Thu, 01 Jan 1960 00:00:00 GMT"), Some(0));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "soon",
            "06 Nov 1994",
            "06 Nov 1994 08:49",
            "32 Nov 1994 08:49:37",
            "06 Nov 1994 24:49:37",
            "06 Nov 1500 08:49:37",
            "08:49:37 1994",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let retry = |lines: &[(HeaderName, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.insert(name.clone(), hyper::header::HeaderValue::from_static(value));
            }
            retry_after(&headers, 784_111_770_000)
        };
        let date = (RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(retry(&[]), None);
        assert_eq!(retry(&[(RETRY_AFTER, "later")]), None);
        assert_eq!(retry(&[(RETRY_AFTER, " 120 ")]), Some(Duration::from_secs(120)));
        assert_eq!(retry(std::slice::from_ref(&date)), Some(Duration::from_secs(7)));
        let slow = (DATE, "Sun, 06 Nov 1994 07:49:37 GMT");
        assert_eq!(retry(&[date.clone(), slow]), Some(Duration::from_secs(3600)));
        let over = (DATE, "Sun, 06 Nov 1994 09:49:37 GMT");
        assert_eq!(retry(&[date, over]), Some(Duration::ZERO));
    }
}
