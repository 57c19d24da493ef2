//! Cookies of one server (RFC 6265), so that a balancer in front of several sends a client to the same one again.
//!
//! A jar belongs to a client, which talks to one server; so `Domain`, which would let other hosts see a cookie, means
//! nothing here. Values are secrets, and nothing in this file can be printed.

use super::date;

/// So many cookies are kept; the oldest gives way.
const COOKIES: usize = 64;

/// The longest name and value that are kept, together, in bytes.
const LENGTH: usize = 4096;

/// The longest `Path` that is listened to, in bytes.
const PATH: usize = 1024;

/// What the server set, the oldest first.
#[derive(Default)]
pub(super) struct Jar {
    cookies: Vec<Cookie>,
}

struct Cookie {
    name: Box<[u8]>,
    value: Box<[u8]>,
    path: Box<[u8]>,
    secure: bool,
    /// Unix time in milliseconds. None: as long as the jar.
    expires: Option<u64>,
}

impl Jar {
    /// Takes in one `Set-Cookie` of the answer to a request for `target`. What cannot be read is ignored.
    pub(super) fn set(&mut self, unix_ms: u64, target: &str, line: &[u8]) {
        let Some(cookie) = Cookie::parse(unix_ms, target, line) else {
            return;
        };
        let same = |other: &Cookie| other.name == cookie.name && other.path == cookie.path;
        if let Some(known) = self.cookies.iter_mut().find(|other| same(other)) {
            *known = cookie;
        } else {
            self.cookies.push(cookie);
        }
        self.expire(unix_ms);
        if self.cookies.len() > COOKIES {
            self.cookies.remove(0);
        }
    }

    /// Adds the cookies for a request to a `Cookie` line, the most specific path first.
    pub(super) fn write(&mut self, unix_ms: u64, target: &str, secure: bool, line: &mut Vec<u8>) {
        self.expire(unix_ms);
        let path = path(target).as_bytes();
        let fits = |cookie: &&Cookie| (secure || !cookie.secure) && covers(&cookie.path, path);
        let mut cookies: Vec<&Cookie> = self.cookies.iter().filter(fits).collect();
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        for cookie in cookies {
            if !line.is_empty() {
                line.extend_from_slice(b"; ");
            }
            line.extend_from_slice(&cookie.name);
            line.push(b'=');
            line.extend_from_slice(&cookie.value);
        }
    }

    fn expire(&mut self, unix_ms: u64) {
        self.cookies
            .retain(|cookie| cookie.expires.is_none_or(|at| at > unix_ms));
    }
}

impl Cookie {
    /// Section 5.2 and 5.3 of the RFC.
    fn parse(unix_ms: u64, target: &str, line: &[u8]) -> Option<Self> {
        let mut parts = line.split(|byte| *byte == b';');
        let (name, value) = pair(parts.next()?);
        let value = value?;
        if name.is_empty() || name.len() + value.len() > LENGTH {
            return None;
        }
        let mut cookie = Self {
            name: name.into(),
            value: value.into(),
            path: directory(path(target)).as_bytes().into(),
            secure: false,
            expires: None,
        };
        let default_path = cookie.path.clone();
        let mut max_age = None;
        for (name, value) in parts.map(pair) {
            let value = value.unwrap_or_default();
            if name.eq_ignore_ascii_case(b"secure") {
                cookie.secure = true;
            } else if name.eq_ignore_ascii_case(b"path") && value.len() <= PATH {
                cookie.path = match value {
                    [b'/', ..] => value.into(),
                    _ => default_path.clone(),
                };
            } else if name.eq_ignore_ascii_case(b"max-age") {
                max_age = age(value).map(|age| unix_ms.saturating_add(age)).or(max_age);
            } else if name.eq_ignore_ascii_case(b"expires") {
                cookie.expires = date::parse(value).map(|at| at.saturating_mul(1000)).or(cookie.expires);
            }
        }
        cookie.expires = max_age.map_or(cookie.expires, Some);
        Some(cookie)
    }
}

/// Name and value around the first `=`, without spaces around them.
fn pair(part: &[u8]) -> (&[u8], Option<&[u8]>) {
    match part.iter().position(|byte| *byte == b'=') {
        Some(at) => (part[..at].trim_ascii(), Some(part[at + 1..].trim_ascii())),
        None => (part.trim_ascii(), None),
    }
}

/// Milliseconds. An age below zero is over.
fn age(value: &[u8]) -> Option<u64> {
    match value {
        [b'-', digits @ ..] => date::number(digits).map(|_| 0),
        digits => date::number(digits).map(|seconds| seconds.saturating_mul(1000)),
    }
}

fn path(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

/// What a cookie without `Path` is for (section 5.1.4).
fn directory(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(at) => &path[..at],
    }
}

/// Whether a cookie with `Path` is for a request of `path` (section 5.1.4).
fn covers(cookie: &[u8], path: &[u8]) -> bool {
    match path.strip_prefix(cookie) {
        Some([] | [b'/', ..]) => true,
        Some(_) => cookie.ends_with(b"/"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 784_111_777_000;
    const TARGET: &str = "/socket.io/?EIO=4";

    fn jar(lines: &[&str]) -> Jar {
        let mut jar = Jar::default();
        for line in lines {
            jar.set(NOW, TARGET, line.as_bytes());
        }
        jar
    }

    fn sent(jar: &mut Jar, unix_ms: u64, target: &str, secure: bool) -> String {
        let mut line = Vec::new();
        jar.write(unix_ms, target, secure, &mut line);
        String::from_utf8_lossy(&line).into_owned()
    }

    #[test]
    fn cookies_come_back_in_the_order_in_which_they_were_first_set() {
        let mut jar = jar(&["a=1", "b = 2 ; HttpOnly", "c=", "d=x=y; SameSite=Lax", "a=3"]);
        assert_eq!(sent(&mut jar, NOW, TARGET, false), "a=3; b=2; c=; d=x=y");
    }

    #[test]
    fn what_is_no_cookie_is_ignored() {
        let long = ["a=", &"x".repeat(LENGTH)].concat();
        let mut jar = jar(&["", "a", "=1", ";a=1", &long]);
        assert_eq!(sent(&mut jar, NOW, TARGET, false), "");
    }

    #[test]
    fn a_cookie_goes_to_its_path_and_below() {
        let mut jar = jar(&[
            "here=1",
            "root=1; Path=/",
            "deep=1; path=/socket.io/deep",
            "odd=1; Path=odd",
        ]);
        assert_eq!(sent(&mut jar, NOW, "/socket.io", false), "here=1; odd=1; root=1");
        assert_eq!(
            sent(&mut jar, NOW, "/socket.io/deep/er", false),
            "deep=1; here=1; odd=1; root=1"
        );
        assert_eq!(sent(&mut jar, NOW, "/socket.iox", false), "root=1");
        assert_eq!(sent(&mut jar, NOW, "/other/socket.io", false), "root=1");
    }

    #[test]
    fn a_secure_cookie_goes_over_tls_alone() {
        let mut jar = jar(&["a=1; SECURE", "b=1"]);
        assert_eq!(sent(&mut jar, NOW, TARGET, false), "b=1");
        assert_eq!(sent(&mut jar, NOW, TARGET, true), "a=1; b=1");
    }

    #[test]
    fn a_cookie_lasts_as_long_as_it_says() {
        let mut jar = jar(&[
            "age=1; Max-Age=10; Expires=Sun, 06 Nov 1994 08:49:39 GMT",
            "date=1; Expires=Sun, 06-Nov-1994 08:49:39 GMT",
            "odd=1; Max-Age=soon; Expires=later",
            "ever=1; max-age=99999999999999999999999",
        ]);
        assert_eq!(
            sent(&mut jar, NOW + 1999, TARGET, false),
            "age=1; date=1; odd=1; ever=1"
        );
        assert_eq!(sent(&mut jar, NOW + 2000, TARGET, false), "age=1; odd=1; ever=1");
        assert_eq!(sent(&mut jar, NOW + 10_000, TARGET, false), "odd=1; ever=1");
        jar.set(NOW, TARGET, b"odd=; Max-Age=0");
        jar.set(NOW, TARGET, b"ever=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; max-age=-1");
        assert_eq!(sent(&mut jar, NOW, TARGET, false), "");
    }

    #[test]
    fn cookies_are_bounded_and_the_oldest_gives_way() {
        let mut jar = Jar::default();
        for number in 0..100 {
            jar.set(NOW, TARGET, format!("c{number}=1").as_bytes());
        }
        let line = sent(&mut jar, NOW, TARGET, false);
        assert_eq!(line.split("; ").count(), COOKIES);
        assert!(line.starts_with("c36=1") && line.ends_with("c99=1"), "{line}");
    }
}
