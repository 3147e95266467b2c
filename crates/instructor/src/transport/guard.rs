//! Which hosts a fetch may ask: decided where names become addresses, and no later.

use std::fmt;
use std::net::SocketAddr;

use crate::media::FetchMedia;

/// A host that must not be asked, for a transport to find among the causes of a failed connection.
#[derive(Debug)]
pub(super) struct Forbidden;

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the address must not be asked")
    }
}

impl std::error::Error for Forbidden {}

/// Whether all addresses of a host may be asked: which one is taken is chance.
pub(super) fn permitted(addresses: &[SocketAddr], private: bool) -> Result<(), Forbidden> {
    let policy = if private { FetchMedia::new().with_private_addresses() } else { FetchMedia::new() };
    if addresses.iter().all(|address| policy.permits(address.ip())) { Ok(()) } else { Err(Forbidden) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_closed_address_closes_a_host() {
        let open: SocketAddr = "8.8.8.8:443".parse().unwrap();
        let own: SocketAddr = "[fd12::1]:443".parse().unwrap();
        assert!(permitted(&[open, open], false).is_ok() && permitted(&[open, own], true).is_ok());
        assert!(permitted(&[open, own], false).is_err());
    }
}
