//! The program's command line.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, ValueEnum};
use rejoin_server::{Database, Features, Limit, RateLimits, ServerConfig};

/// The reference chat server of rejoin. It needs no other service.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Options {
    /// The port to listen on; 0 lets the system choose.
    #[arg(long, default_value_t = 3000)]
    port: u16,

    /// The address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,

    /// The SQLite file that keeps messages and rooms; without it they are kept in memory.
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,

    /// The HS256 key of tokens; random unless given.
    #[arg(
        long,
        env = "REJOIN_JWT_SECRET",
        hide_env_values = true,
        value_name = "TEXT",
        value_parser = NonEmptyStringValueParser::new()
    )]
    secret: Option<String>,

    /// A promise that is neither announced nor kept; may be given several times.
    #[arg(long, value_name = "FEATURE", value_enum)]
    without: Vec<Feature>,

    /// How often a user may do something, e.g. private_message=10/1m; may be given several times.
    #[arg(long, value_name = "EVENT=COUNT/TIME")]
    limit: Vec<LimitOf>,

    /// How many connections one user may have; beyond it the oldest is closed.
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<usize>,

    /// A user who may not connect; may be given several times.
    #[arg(long, value_name = "USER")]
    ban: Vec<String>,

    /// How long a connection may send no event until it is closed, e.g. 5m.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    idle_timeout: Option<Duration>,

    /// When clients are told to come back after a shutdown, e.g. 2s.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    retry_after: Option<Duration>,

    /// Mint tokens for anyone who asks, on a loopback address only:
    /// GET /dev/token?user=u1&name=Alice
    #[arg(long)]
    pub(crate) dev: bool,
}

/// A promise, by the name under which it is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Feature {
    Ack,
    Dedupe,
    Order,
    Receipts,
}

/// A limit of one event.
#[derive(Clone, Copy, Debug)]
struct LimitOf {
    of: fn(&mut RateLimits) -> &mut Limit,
    limit: Limit,
}

impl Options {
    pub(crate) fn config(self) -> ServerConfig {
        let mut config = ServerConfig {
            bind: SocketAddr::new(self.bind, self.port),
            dev_tokens: self.dev,
            max_connections: self.max_connections,
            banned: self.ban,
            idle_timeout: self.idle_timeout,
            retry_after: self.retry_after,
            ..ServerConfig::default()
        };
        if let Some(secret) = self.secret {
            config.secret = secret.into_bytes();
        }
        if let Some(file) = self.database {
            config.database = Database::File(file);
        }
        for feature in self.without {
            *feature.switch(&mut config.features) = false;
        }
        for LimitOf { of, limit } in self.limit {
            *of(&mut config.limits) = limit;
        }
        config
    }
}

impl Feature {
    fn switch(self, features: &mut Features) -> &mut bool {
        match self {
            Self::Ack => &mut features.ack,
            Self::Dedupe => &mut features.dedupe,
            Self::Order => &mut features.order,
            Self::Receipts => &mut features.receipts,
        }
    }
}

impl FromStr for LimitOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (event, limit) = text
            .split_once('=')
            .ok_or("it has the form EVENT=COUNT/TIME, e.g. private_message=10/1m")?;
        Ok(Self {
            of: limit_of(event)?,
            limit: limit_from(limit)?,
        })
    }
}

fn limit_of(event: &str) -> Result<fn(&mut RateLimits) -> &mut Limit, String> {
    Ok(match event {
        "private_message" => |limits| &mut limits.private_message,
        "group_message" => |limits| &mut limits.group_message,
        "typing" => |limits| &mut limits.typing,
        "join_room" => |limits| &mut limits.join_room,
        "create_room" => |limits| &mut limits.create_room,
        "game_invite" => |limits| &mut limits.game_invite,
        "game_move" => |limits| &mut limits.game_move,
        "mark_notifications_read" => |limits| &mut limits.mark_read,
        _ => {
            return Err(format!(
                "{event}: there is a limit of private_message, group_message, typing, join_room, create_room, \
                 game_invite, game_move and mark_notifications_read"
            ));
        }
    })
}

fn limit_from(text: &str) -> Result<Limit, String> {
    let (count, window) = text
        .split_once('/')
        .ok_or_else(|| format!("{text}: a limit has the form COUNT/TIME, e.g. 10/1m"))?;
    let count = count.parse().map_err(|error| format!("{count}: {error}"))?;
    let window = humantime::parse_duration(window).map_err(|error| format!("{window}: {error}"))?;
    Ok(Limit::new(count, window))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<ServerConfig, String> {
        let all = ["rejoin-server"].iter().chain(arguments);
        let options = Options::try_parse_from(all).map_err(|error| error.to_string())?;
        Ok(options.config())
    }

    #[test]
    fn each_promise_can_be_switched_off_by_its_name() {
        assert_eq!(parsed(&[]).expect("nothing to parse").features, Features::default());
        for (name, features) in [
            (
                "ack",
                Features {
                    ack: false,
                    ..Features::default()
                },
            ),
            (
                "dedupe",
                Features {
                    dedupe: false,
                    ..Features::default()
                },
            ),
            (
                "order",
                Features {
                    order: false,
                    ..Features::default()
                },
            ),
            (
                "receipts",
                Features {
                    receipts: false,
                    ..Features::default()
                },
            ),
        ] {
            assert_eq!(parsed(&["--without", name]).expect("a feature").features, features);
        }
        let all = ["ack", "dedupe", "order", "receipts"].map(|name| ["--without", name]);
        assert_eq!(parsed(all.as_flattened()).expect("features").features, Features::NONE);
        let error = parsed(&["--without", "recipts"]).expect_err("no feature");
        assert!(
            error.contains("[possible values: ack, dedupe, order, receipts]"),
            "{error}"
        );
    }

    #[test]
    fn each_limit_can_be_set_by_its_events_name() {
        let arguments = ["--limit", "private_message=10/1m", "--limit", "typing=0/500ms"];
        let limits = parsed(&arguments).expect("limits").limits;
        let expected = RateLimits {
            private_message: Limit::new(10, Duration::from_secs(60)),
            typing: Limit::new(0, Duration::from_millis(500)),
            ..RateLimits::default()
        };
        assert_eq!(limits, expected);
        for (wrong, reason) in [
            ("10/1m", "EVENT=COUNT/TIME"),
            ("message=10/1m", "message: there is a limit of private_message, "),
            ("typing=10", "10: a limit has the form COUNT/TIME"),
            ("typing=many/1m", "many: invalid digit"),
            ("typing=1/soon", "soon: "),
        ] {
            let error = parsed(&["--limit", wrong]).expect_err(wrong);
            assert!(error.contains(reason), "{error}");
        }
    }
}
