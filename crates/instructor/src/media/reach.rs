//! Which addresses are public, and which are somebody's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The open network.
    Public,
    /// This machine or its own network.
    Private,
    /// What serves no media to anybody: link-local addresses, where clouds keep credentials, groups, and what is
    /// reserved.
    Never,
}

const V4: &[(Ipv4Addr, u32, Reach)] = &[
    // Where clouds answer with the credentials of the machine, besides 169.254/16.
    (Ipv4Addr::new(168, 63, 129, 16), 32, Reach::Never),
    (Ipv4Addr::new(100, 100, 100, 200), 32, Reach::Never),
    (Ipv4Addr::new(192, 0, 0, 192), 32, Reach::Never),
    (Ipv4Addr::new(0, 0, 0, 0), 8, Reach::Never),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Reach::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Reach::Private),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Reach::Private),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Reach::Never),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Reach::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Reach::Never),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Reach::Never),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Reach::Never),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Reach::Private),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Reach::Never),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Reach::Never),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Reach::Never),
    (Ipv4Addr::new(224, 0, 0, 0), 3, Reach::Never),
];

const V6: &[(Ipv6Addr, u32, Reach)] = &[
    (Ipv6Addr::LOCALHOST, 128, Reach::Private),
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128, Reach::Never),
    (Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128, Reach::Never),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, Reach::Private),
    // Ways to say an IPv4 address that nobody has to use, and the documentation's.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, Reach::Never),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, Reach::Never),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, Reach::Never),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, Reach::Never),
    (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, Reach::Public),
    (Ipv6Addr::UNSPECIFIED, 0, Reach::Never),
];

/// The prefix of IPv4 addresses in networks that have IPv6 only.
const NAT64: u128 = 0x0064_ff9b_u128 << 96;

impl Reach {
    pub(super) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                let inside = address.to_ipv4_mapped().or_else(|| {
                    (bits >> 32 == NAT64 >> 32).then(|| Ipv4Addr::from_bits((bits & u128::from(u32::MAX)) as u32))
                });
                if let Some(inside) = inside {
                    return Self::of_v4(inside);
                }
                let within = |net: Ipv6Addr, size| (bits ^ net.to_bits()).leading_zeros() >= size;
                V6.iter().find(|&&(net, size, _)| within(net, size)).map_or(Self::Never, |&(_, _, reach)| reach)
            }
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let within = |net: Ipv4Addr, size| (address.to_bits() ^ net.to_bits()).leading_zeros() >= size;
        V4.iter().find(|&&(net, size, _)| within(net, size)).map_or(Self::Public, |&(_, _, reach)| reach)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_public_private_or_neither() {
        let cases = [
            (Reach::Public, "8.8.8.8 1.1.1.1 172.32.0.1 172.15.255.255 100.128.0.1 11.0.0.1 223.255.255.255 192.0.1.1"),
            (Reach::Public, "2606:4700::1111 2a00:1450:4001::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8"),
            (Reach::Private, "127.0.0.1 127.255.255.254 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1"),
            (Reach::Private, "::1 fc00::1 fd12:3456::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::192.168.0.1"),
            (Reach::Never, "0.0.0.0 0.1.2.3 169.254.169.254 169.254.170.2 168.63.129.16 100.100.100.200 192.0.0.192"),
            (Reach::Never, "192.0.2.1 198.18.0.1 203.0.113.9 224.0.0.1 240.0.0.1 255.255.255.255"),
            (Reach::Never, ":: ::7f00:1 fe80::1 ff02::1 fec0::1 2002:7f00:1:: 2001::1 2001:db8::1 fd00:ec2::254"),
            (Reach::Never, "::ffff:169.254.169.254 64:ff9b::169.254.169.254 64:ff9b:1::7f00:1 100::1 3fff::1"),
        ];
        for (reach, addresses) in cases {
            for address in addresses.split(' ') {
                assert_eq!(Reach::of(address.parse().unwrap()), reach, "{address}");
            }
        }
    }
}
