//! AWS's signature, version 4: a request is signed with a key that is never sent. Pure: the time comes in.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use hmac_sha256::{HMAC, Hash};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};

use crate::calendar::stamp;
use crate::credential::AwsKeys;
use crate::error::Error;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Headers that are not signed: transports and proxies write them anew.
const UNSIGNED: &[HeaderName] = &[
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::USER_AGENT,
];

/// Signs the requests to one service.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub(crate) region: String,
    pub(crate) service: &'static str,
}

impl Signer {
    /// Signs a request as it stands, at a time since the Unix epoch.
    pub(crate) fn sign(&self, request: &mut Request<Bytes>, keys: &AwsKeys, now: Duration) -> Result<(), Error> {
        let stamp = stamp(now);
        let date = stamp.split('T').next().unwrap_or_default();
        let value = |text: &str| {
            HeaderValue::from_str(text)
                .map_err(|_| Error::config("the AWS credentials have characters that no header can carry"))
        };
        let secret = |text: &str| {
            value(text).map(|mut value| {
                value.set_sensitive(true);
                value
            })
        };
        let headers = request.headers_mut();
        headers.insert(DATE, value(&stamp)?);
        if let Some(token) = &keys.token {
            headers.insert(TOKEN, secret(token.expose())?);
        }
        let (names, lines) = signed_headers(request.uri(), request.headers());
        let canonical = format!(
            "{}\n{}\n{}\n{lines}\n{names}\n{}",
            request.method(),
            escaped_path(request.uri().path()),
            sorted_query(request.uri().query().unwrap_or_default()),
            hex(&Hash::hash(request.body())),
        );
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("{ALGORITHM}\n{stamp}\n{scope}\n{}", hex(&Hash::hash(canonical.as_bytes())));
        let mut key = HMAC::mac(date, format!("AWS4{}", keys.secret.expose()));
        for part in [&self.region, self.service, "aws4_request"] {
            key = HMAC::mac(part, key);
        }
        let signature = hex(&HMAC::mac(text, key));
        let access_key = &keys.id;
        let authorization =
            format!("{ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}");
        request.headers_mut().insert(header::AUTHORIZATION, secret(&authorization)?);
        Ok(())
    }
}

/// The names of the signed headers in order, and a line for each: without spaces around its value, and with one where
/// there are several in it.
fn signed_headers(uri: &Uri, headers: &HeaderMap) -> (String, String) {
    let text = |value: &HeaderValue| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let mut signed: Vec<(&str, String)> = headers
        .keys()
        .filter(|name| !UNSIGNED.contains(name))
        .map(|name| (name.as_str(), headers.get_all(name).iter().map(text).collect::<Vec<_>>().join(",")))
        .chain([("host", host(uri))])
        .collect();
    signed.sort_unstable();
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    (names.join(";"), lines)
}

/// The host as it is sent: a port is told unless it is the scheme's own.
fn host(uri: &Uri) -> String {
    let name = uri.host().unwrap_or_default().to_ascii_lowercase();
    match (uri.port_u16(), uri.scheme_str()) {
        (None, _) | (Some(443), Some("https")) | (Some(80), Some("http")) => name,
        (Some(port), _) => format!("{name}:{port}"),
    }
}

/// The path as it is sent, escaped once more, as all services but one want it.
fn escaped_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 16);
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The query in the order of its names.
fn sorted_query(query: &str) -> String {
    let mut pairs: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::Value;

    use super::*;
    use crate::calendar::tests::time;
    use crate::credential::Secret;

    /// Requests and their `Authorization`: those that AWS publishes, and others that botocore signed.
    const CASES: &str = include_str!("../../../../tests/data/auth/sigv4.json");

    fn text<'c>(case: &'c Value, key: &str) -> &'c str {
        case[key].as_str().unwrap_or_else(|| panic!("{key}"))
    }

    #[test]
    fn signatures_are_those_of_others() {
        let cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
        for case in &cases {
            let mut request = Request::new(Bytes::from(String::from(text(case, "body"))));
            *request.method_mut() = text(case, "method").parse::<Method>().unwrap();
            *request.uri_mut() = text(case, "url").parse().unwrap();
            for pair in case["headers"].as_array().unwrap() {
                let name: HeaderName = pair[0].as_str().unwrap().parse().unwrap();
                request.headers_mut().insert(name, pair[1].as_str().unwrap().parse().unwrap());
            }
            let length = HeaderValue::from(request.body().len());
            request.headers_mut().insert(header::CONTENT_LENGTH, length);
            let keys = AwsKeys {
                id: String::from(text(case, "access_key")),
                secret: Secret::new(text(case, "secret_key")),
                token: case["token"].as_str().map(Secret::new),
            };
            let signer = Signer {
                region: String::from(text(case, "region")),
                service: String::from(text(case, "service")).leak(),
            };
            signer.sign(&mut request, &keys, time(text(case, "time"))).unwrap();
            let headers = request.headers();
            assert_eq!(headers[header::AUTHORIZATION], text(case, "authorization"), "{}", text(case, "name"));
            assert_eq!(headers[DATE], text(case, "time"));
            assert_eq!(headers.get(TOKEN).map(|v| v.to_str().unwrap()), case["token"].as_str());
            let shown = format!("{:?} {headers:?}", keys.secret);
            let secrets = [Some(text(case, "secret_key")), case["token"].as_str(), Some("Signature=")];
            assert!(secrets.into_iter().flatten().all(|secret| !shown.contains(secret)), "{shown}");
        }
        assert_eq!(cases.len(), 36);
    }
}
