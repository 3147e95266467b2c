//! The formats against the referee's, and the places where they differ on purpose.

use proptest::prelude::*;
use serde_json::json;

use super::super::format::Format;
use super::referee::Referee;

/// Whether the referee agrees; without one, whatever is said stands.
fn agrees(name: &str, text: &str, verdict: bool) -> bool {
    Referee::new(&json!({"format": name}), true).is_none_or(|referee| referee.is_valid(&json!(text)) == verdict)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn dates(text in "[0-9]{4}-(0[0-9]|1[0-3])-[0-3][0-9]|[0-9-]{8,11}") {
        prop_assert!(agrees("date", &text, Format::Date.holds(&text)), "{}", text);
    }

    #[test]
    fn times(text in "[0-2][0-9]:[0-6][0-9]:(60|[0-5][0-9])([.][0-9]{0,9})?([zZ]|[+-][0-2][0-9]:[0-6][0-9]|)") {
        prop_assert!(agrees("time", &text, Format::Time.holds(&text)), "{}", text);
        let moment = format!("2024-02-29T{text}");
        prop_assert!(agrees("date-time", &moment, Format::DateTime.holds(&moment)), "{}", moment);
    }

    #[test]
    fn uuids(text in "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-g]{4}-[0-9a-f]{12}|[0-9a-f-]{36}") {
        prop_assert!(agrees("uuid", &text, Format::Uuid.holds(&text)), "{}", text);
    }

    #[test]
    fn addresses(four in "[0-3]?[0-9]{1,2}([.][0-2]?[0-9]{1,2}){2,4}", six in "[0-9a-f:]{2,12}|::ffff:[0-9.]{7,9}") {
        prop_assert!(agrees("ipv4", &four, Format::Ipv4.holds(&four)), "{}", four);
        prop_assert!(agrees("ipv6", &six, Format::Ipv6.holds(&six)), "{}", six);
    }

    #[test]
    fn uris(text in "[a-z1+]{1,3}:[a-z/.?#%0-9 <|]{0,8}") {
        // What is between `//` and the path is not looked into.
        if !text.contains("//") {
            prop_assert!(agrees("uri", &text, Format::Uri.holds(&text)), "{}", text);
        }
    }

    #[test]
    fn emails(text in "[a-z. +@\"]{1,6}@[a-z.-]{1,8}") {
        // Ours is not less strict, but for a rule about names in other scripts.
        prop_assert!(text.contains("--") || !Format::Email.holds(&text) || agrees("email", &text, true), "{}", text);
    }
}

#[test]
fn texts_in_use_pass() {
    let texts = [
        (Format::DateTime, "2024-05-17 09:30:00Z"),
        (Format::Email, "ada.lovelace+notes@mail.example.co.uk"),
        (Format::Email, "\"ada lovelace\"@example.com"),
        (Format::Email, "jörg@bücher.example"),
        (Format::Email, "a@[127.0.0.1]"),
        (Format::Uri, "https://user@example.com:8080/a;b?c=d%20e&f[]=1#g"),
        (Format::Uri, "mailto:ada@example.com"),
        (Format::Uri, "urn:isbn:0451450523"),
        (Format::Uri, "https://de.wikipedia.org/wiki/Köln"),
    ];
    for (format, text) in texts {
        assert!(format.holds(text), "{format:?} {text}");
    }
}
