//! That tests ask no real provider, whatever goes wrong in them.

use std::sync::{LazyLock, PoisonError, RwLock};

use crate::error::{TransportError, TransportErrorKind};

/// What holds for the process.
static RULES: RwLock<Rules> = RwLock::new(Rules { bans: 0, allowed: Vec::new() });

struct Rules {
    bans: usize,
    /// Host and port of those that are asked all the same, each as often as it was allowed.
    allowed: Vec<String>,
}

/// Whether the environment says so.
static OFF: LazyLock<bool> = LazyLock::new(|| {
    std::env::var("INSTRUCTOR_NETWORK").is_ok_and(|word| matches!(word.trim(), "off" | "0" | "false" | "no"))
});

/// Whether a transport may send to an address.
#[cfg_attr(not(any(feature = "reqwest", feature = "blocking")), expect(dead_code, reason = "no built-in transport"))]
pub(super) fn permits(uri: &http::Uri) -> Result<(), TransportError> {
    let rules = RULES.read().unwrap_or_else(PoisonError::into_inner);
    if rules.bans == 0 && !*OFF {
        return Ok(());
    }
    let host = uri.authority().map_or("", |authority| authority.as_str());
    if rules.allowed.iter().any(|allowed| allowed == host) {
        return Ok(());
    }
    let by = if rules.bans > 0 { "testing::ban_network()" } else { "INSTRUCTOR_NETWORK=off" };
    let next = "give the client a testing::Script or a testing::Replay as transport, or the model fake/1; or allow the host with NetworkBan::allow";
    Err(TransportError::new(TransportErrorKind::Banned).with_source(format!("{by} keeps requests from {host}; {next}")))
}

/// Keeps the crate's own transports from sending anything as long as it is held; see [`ban_network`].
#[cfg(feature = "testing")]
#[derive(Debug)]
#[must_use = "the ban ends when it is dropped"]
pub struct NetworkBan {
    allowed: Vec<String>,
}

/// Keeps this process from asking real providers: the transports on reqwest and ureq fail with
/// [`TransportErrorKind::Banned`](crate::TransportErrorKind::Banned), fetches of media and of credentials too, in all threads and
/// for all clients, until what this gives is dropped. Scripts, replays, [`Script::serve`](crate::testing::Script::serve) and transports
/// of your own answer as ever.
///
/// `INSTRUCTOR_NETWORK=off` in the environment does the same for a whole program, tests or not.
///
/// ```
/// use instructor::{ErrorKind, testing};
///
/// # #[cfg(feature = "blocking")] {
/// let ban = testing::ban_network();
/// let client = instructor::Client::builder().provider("openai/gpt-5-mini").api_key("secret");
/// let client = instructor::blocking::Client::build(client)?;
/// let error = client.create::<String>("Where is Rome?").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Config);
/// assert!(error.to_string().contains("ban_network"));
/// # }
/// # Ok::<(), instructor::Error>(())
/// ```
#[cfg(feature = "testing")]
pub fn ban_network() -> NetworkBan {
    change(|rules| rules.bans += 1);
    NetworkBan { allowed: Vec::new() }
}

#[cfg(feature = "testing")]
impl NetworkBan {
    /// But for one host, with its port where it is not that of the scheme: `127.0.0.1:8080`.
    pub fn allow(mut self, host: impl Into<String>) -> Self {
        let host = host.into();
        allow(host.clone());
        self.allowed.push(host);
        self
    }
}

#[cfg(feature = "testing")]
impl Drop for NetworkBan {
    fn drop(&mut self) {
        change(|rules| rules.bans -= 1);
        self.allowed.iter().for_each(|host| forbid(host));
    }
}

/// Allows a host whatever is banned, until it is forbidden again.
#[cfg(feature = "testing")]
pub(crate) fn allow(host: String) {
    change(|rules| rules.allowed.push(host));
}

#[cfg(feature = "testing")]
pub(crate) fn forbid(host: &str) {
    change(|rules| {
        if let Some(at) = rules.allowed.iter().position(|allowed| allowed == host) {
            rules.allowed.swap_remove(at);
        }
    });
}

#[cfg(feature = "testing")]
fn change(change: impl FnOnce(&mut Rules)) {
    change(&mut RULES.write().unwrap_or_else(PoisonError::into_inner));
}
