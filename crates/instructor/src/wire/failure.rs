//! Error bodies of all protocols: one tolerant reader, since gateways mix them anyway.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderMap;
use instructor_json::{Document, Node};

use super::declined::{Declined, declined};
use super::response::{Usage, text_field};
use crate::error::ErrorKind;

/// What a provider says went wrong.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) status: Option<u16>,
    /// The provider's word for it, such as `rate_limit_exceeded`.
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    /// The field of the request that it blames, such as `response_format`.
    pub(crate) blamed: Option<Box<str>>,
    /// What of the request it does not take, where that is known to be the schema or its form.
    pub(crate) declined: Option<Declined>,
    pub(crate) retry_after: Option<Duration>,
    /// What the model said, where the provider itself rejected it as malformed and shows it.
    pub(crate) generation: Option<String>,
    /// The provider shows what of the prompt its filter found.
    pub(crate) filtered: bool,
    /// What was counted, where an answer had been made.
    pub(crate) usage: Option<Box<Usage>>,
}

/// Reads an answer with an error status.
///
/// `now` is the time since the Unix epoch, for a `Retry-After` that is a date.
pub(crate) fn read_failure(status: u16, headers: &HeaderMap, body: &[u8], now: Duration) -> Failure {
    let text = std::str::from_utf8(body).ok();
    let doc = text.and_then(|text| Document::parse(text).ok());
    let mut failure = match (&doc, text) {
        (Some(doc), _) => Failure::from_body(unwrap_list(doc.root())),
        (None, Some(text)) => Failure { message: plain(text), ..Failure::unknown() },
        (None, None) => Failure::unknown(),
    };
    failure.status = Some(status);
    failure.code = failure.code.or_else(|| error_type(headers));
    failure.decide(status);
    failure.retry_after = retry_after(headers, now).or(failure.retry_after);
    if let (300..400, Some(to)) = (status, headers.get(http::header::LOCATION).and_then(|v| v.to_str().ok())) {
        failure.message = Some(format!("the address has moved to {to}: use that as the base URL"));
    }
    failure
}

/// What proxies say in plain text; a page is no message.
fn plain(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && !text.starts_with(['<', '{', '['])).then(|| String::from(text))
}

/// AWS says what went wrong in a header: `ValidationException:http://internal.amazon.com/..`.
fn error_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("x-amzn-errortype")?.to_str().ok()?;
    let word = text.split(':').next()?.trim();
    (!word.is_empty()).then(|| String::from(word))
}

fn unwrap_list(node: Node<'_>) -> Node<'_> {
    node.at(0).unwrap_or(node)
}

impl Failure {
    const fn unknown() -> Self {
        Self {
            kind: ErrorKind::Overloaded,
            status: None,
            code: None,
            message: None,
            blamed: None,
            declined: None,
            retry_after: None,
            generation: None,
            filtered: false,
            usage: None,
        }
    }

    /// A failure that a protocol tells by a word alone.
    pub(crate) fn of(word: &str, message: Option<String>) -> Self {
        let mut failure = Self { code: Some(String::from(word)), message, ..Self::unknown() };
        failure.decide(500);
        failure
    }

    /// Reads the error object that stands in a body with a success status.
    pub(crate) fn in_success(body: Node<'_>) -> Self {
        let mut failure = Self::from_body(body);
        let base = || body.get("base_resp").and_then(|base| base_status(base.get("status_code")?.as_u64()?));
        let status = body.get("error").and_then(status_field).or_else(|| status_field(body)).or_else(base);
        failure.decide(status.unwrap_or(500));
        failure
    }

    /// Settles the kind: what the status and the code say, but for what only the words tell, and for a bad request that
    /// is about the schema.
    fn decide(&mut self, status: u16) {
        let said = self.message.as_deref().and_then(|message| WORDS.iter().find(|(words, _)| message.contains(words)));
        self.kind = match said {
            _ if self.filtered => ErrorKind::Filtered,
            Some((_, kind)) if (400..500).contains(&status) => *kind,
            _ => kind_of(status, self.code.as_deref()),
        };
        let status = match self.kind {
            // Said in words alone, in an answer with a success status.
            ErrorKind::BadRequest if status >= 500 => 400,
            ErrorKind::BadRequest | ErrorKind::Overloaded => status,
            _ => return,
        };
        self.declined = declined(status, self.code.as_deref(), self.blamed.as_deref(), self.message.as_deref());
        if self.declined.is_some() {
            self.kind = ErrorKind::SchemaRefused;
        }
    }

    /// Takes code and message from whichever of the known shapes this is.
    fn from_body(body: Node<'_>) -> Self {
        let mut failure = Self::unknown();
        let error = body.get("error").unwrap_or(body);
        if let Some(message) = error.as_str() {
            // {"error": "text"}, with {"code": ".."} beside it or not
            failure.message = Some(message.into_owned());
            failure.code = code_field(body);
            return failure;
        }
        let error = error.get("base_resp").unwrap_or(error);
        failure.code = detail(error, "reason").or_else(|| code_field(error)).or_else(|| code_field(body));
        failure.message = ["message", "detail", "Message", "status_msg"]
            .iter()
            .find_map(|key| error.get(key).or_else(|| body.get(key)))
            .filter(|node| !node.is_null())
            .map(|node| node.as_str().map_or_else(|| String::from(node.source()), Cow::into_owned))
            .or_else(|| text_field(body.get("errors").map(unwrap_list)?, "message"));
        // Routers say only that something failed, and put what the upstream said beside it.
        if let Some(raw) = error.get("metadata").and_then(|metadata| text_field(metadata, "raw")) {
            failure.message = Some(failure.message.map_or(raw.clone(), |message| format!("{message}: {raw}")));
        }
        failure.filtered = error.get("metadata").is_some_and(|metadata| metadata.get("flagged_input").is_some());
        failure.generation = text_field(error, "failed_generation");
        failure.retry_after = detail(error, "retryDelay").and_then(|delay| seconds(delay.strip_suffix('s')?));
        let blamed = text_field(error, "param").or_else(|| text_field(body, "param")).or_else(|| violated(error));
        failure.blamed = blamed.map(String::into_boxed_str);
        failure
    }

    /// One line for people. The provider's own words can quote the prompt, so they are cut short.
    pub(crate) fn describe(&self) -> String {
        let mut out = String::new();
        if let Some(status) = self.status {
            out.push_str(&format!("HTTP {status}"));
        }
        if let Some(code) = self.code.as_deref().filter(|c| Some(*c) != self.status.map(|s| s.to_string()).as_deref()) {
            out.push_str(if out.is_empty() { "" } else { " " });
            out.push_str(code);
        }
        if let Some(message) = &self.message {
            out.push_str(if out.is_empty() { "" } else { ": " });
            out.push_str(message);
        }
        let mut short: String = out.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect();
        if short.len() < out.len() {
            short.push('…');
        }
        short
    }
}

/// The most telling of `code` and `type`: a code that is only the status again tells less than the type.
fn code_field(node: Node<'_>) -> Option<String> {
    let number = |key| node.get(key).and_then(Node::as_number).map(String::from);
    let code = text_field(node, "code");
    let is_number = |code: &String| code.bytes().all(|byte| byte.is_ascii_digit());
    code.clone()
        .filter(|code| !is_number(code))
        .or_else(|| text_field(node, "type"))
        .or(code)
        .or_else(|| number("code"))
        .or_else(|| text_field(node, "status"))
        .or_else(|| number("status_code"))
        // com.amazonaws.bedrock#ThrottlingException
        .or_else(|| text_field(node, "__type").map(|kind| String::from(kind.rsplit('#').next().unwrap_or_default())))
}

/// What the codes beside a success status (`base_resp`) would be as a status.
const fn base_status(code: u64) -> Option<u16> {
    match code {
        1002 | 1041 => Some(429),
        1004 | 2049 => Some(401),
        1008 => Some(402),
        1026 | 1027 | 1039 | 2013 => Some(400),
        _ => None,
    }
}

/// Words in the message of a bad request or of a refusal that tell more than its status and code. All are of errors that
/// the same request meets again.
const WORDS: &[(&str, ErrorKind)] = &[
    // 400 invalid_request_error: "Your credit balance is too low to access the Anthropic API."
    ("credit balance is too low", ErrorKind::Quota),
    // 412 of an account that is suspended
    ("monthly spending limit", ErrorKind::Quota),
    // 429 or 413 rate_limit_exceeded, "Request too large for .. on tokens per min (TPM): Limit 6000, Requested 7001"
    ("Request too large for", ErrorKind::BadRequest),
    // beside a success status: "input new_sensitive", "output new_sensitive"
    ("new_sensitive", ErrorKind::Filtered),
];

/// The first text of this name among the details of an error.
fn detail(error: Node<'_>, key: &str) -> Option<String> {
    error.get("details")?.items().find_map(|detail| text_field(detail, key))
}

/// The first field that the details of an error name.
fn violated(error: Node<'_>) -> Option<String> {
    let details = error.get("details")?;
    details.items().filter_map(|detail| detail.get("fieldViolations")?.at(0)).find_map(|v| text_field(v, "field"))
}

/// The HTTP status that an error object says, where the answer itself had none to say it with.
fn status_field(node: Node<'_>) -> Option<u16> {
    ["code", "status_code", "status"]
        .iter()
        .filter_map(|key| node.get(key))
        .find_map(|n| n.as_number().map(Cow::Borrowed).or_else(|| n.as_str())?.parse().ok())
        .filter(|status| (400..600).contains(status))
}

/// Words that mean more than the status they come with.
const CODES: &[(&str, ErrorKind)] = &[
    ("insufficient_quota", ErrorKind::Quota),
    ("billing_error", ErrorKind::Quota),
    ("billing_hard_limit_reached", ErrorKind::Quota),
    ("1113", ErrorKind::Quota), // 429: the account is in arrears
    ("1301", ErrorKind::Filtered),
    ("content_filter", ErrorKind::Filtered),
    ("content_policy_violation", ErrorKind::Filtered),
    ("invalid_prompt", ErrorKind::Filtered),
    ("bio_policy", ErrorKind::Filtered),
    ("image_content_policy_violation", ErrorKind::Filtered),
    ("tool_use_failed", ErrorKind::Malformed),
    ("MALFORMED_FUNCTION_CALL", ErrorKind::Malformed),
    ("json_validate_failed", ErrorKind::Malformed),
    ("overloaded_error", ErrorKind::Overloaded),
    ("api_error", ErrorKind::Overloaded),
    ("timeout_error", ErrorKind::Overloaded),
    ("server_error", ErrorKind::Overloaded),
    ("rate_limit_error", ErrorKind::RateLimited),
    ("rate_limit_exceeded", ErrorKind::RateLimited),
    ("authentication_error", ErrorKind::Auth),
    ("invalid_api_key", ErrorKind::Auth),
    ("API_KEY_INVALID", ErrorKind::Auth),
    ("permission_error", ErrorKind::Auth),
    // A key that is not the gateway's own, with status 400, where it keeps no others.
    ("no_db_connection", ErrorKind::Auth),
    ("invalid_request_error", ErrorKind::BadRequest),
    ("not_found_error", ErrorKind::BadRequest),
    ("model_not_found", ErrorKind::BadRequest),
    ("context_length_exceeded", ErrorKind::BadRequest),
    ("request_too_large", ErrorKind::BadRequest),
    // Said in a response that failed, with a success status.
    ("data_residency_mismatch", ErrorKind::BadRequest),
    ("invalid_image", ErrorKind::BadRequest),
    ("invalid_image_format", ErrorKind::BadRequest),
    ("invalid_base64_image", ErrorKind::BadRequest),
    ("invalid_image_url", ErrorKind::BadRequest),
    ("image_too_large", ErrorKind::BadRequest),
    ("image_too_small", ErrorKind::BadRequest),
    ("image_parse_error", ErrorKind::BadRequest),
    ("invalid_image_mode", ErrorKind::BadRequest),
    ("image_file_too_large", ErrorKind::BadRequest),
    ("unsupported_image_media_type", ErrorKind::BadRequest),
    ("empty_image_file", ErrorKind::BadRequest),
    ("failed_to_download_image", ErrorKind::BadRequest),
    ("image_file_not_found", ErrorKind::BadRequest),
    // AWS
    ("ThrottlingException", ErrorKind::RateLimited),
    ("ServiceQuotaExceededException", ErrorKind::Quota),
    ("AccessDeniedException", ErrorKind::Auth),
    ("ExpiredTokenException", ErrorKind::Auth),
    ("IncompleteSignatureException", ErrorKind::Auth),
    ("InvalidSignatureException", ErrorKind::Auth),
    ("MissingAuthenticationTokenException", ErrorKind::Auth),
    ("UnrecognizedClientException", ErrorKind::Auth),
    // a model that is being loaded comes with 429, one that failed with 424
    ("ModelNotReadyException", ErrorKind::Overloaded),
    ("ModelErrorException", ErrorKind::Overloaded),
    ("ModelStreamErrorException", ErrorKind::Overloaded),
    ("ModelTimeoutException", ErrorKind::Overloaded),
    ("ValidationException", ErrorKind::BadRequest),
    ("ResourceNotFoundException", ErrorKind::BadRequest),
];

fn kind_of(status: u16, code: Option<&str>) -> ErrorKind {
    let by_status = match status {
        401 | 403 => ErrorKind::Auth,
        402 => ErrorKind::Quota,
        429 => ErrorKind::RateLimited,
        408 | 409 | 425 | 500.. => ErrorKind::Overloaded,
        _ => ErrorKind::BadRequest,
    };
    let by_code = code.and_then(|code| CODES.iter().find(|(word, _)| *word == code)).map(|(_, kind)| *kind);
    match by_code {
        // "invalid_request_error" is also the type of a 401 and of a 429 with some gateways: the status says more.
        Some(ErrorKind::BadRequest) if status != 500 => by_status,
        Some(kind) => kind,
        None => by_status,
    }
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// How long the provider asks to wait: `retry-after-ms`, or `retry-after` in seconds or as a date.
pub(super) fn retry_after(headers: &HeaderMap, now: Duration) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(ms) = text("retry-after-ms").and_then(|v| v.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    let value = text("retry-after")?;
    if let Some(wait) = seconds(value) {
        return Some(wait);
    }
    let since_epoch = |v: &str| httpdate::parse_http_date(v).ok()?.duration_since(std::time::UNIX_EPOCH).ok();
    // The provider's own clock, where it shows it, so that a wrong clock here does not matter.
    let now = text("date").and_then(since_epoch).unwrap_or(now);
    Some(since_epoch(value)?.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> (ErrorKind, Option<String>, Option<String>) {
        let failure = read_failure(status, &HeaderMap::new(), body.as_bytes(), Duration::ZERO);
        (failure.kind, failure.code, failure.message)
    }

    #[test]
    fn every_known_shape_gives_kind_code_and_message() {
        let cases = [
            (
                401,
                r#"{"error":{"message":"m","type":"invalid_request_error","code":"invalid_api_key"}}"#,
                ErrorKind::Auth,
                Some("invalid_api_key"),
            ),
            (
                429,
                r#"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#,
                ErrorKind::Quota,
                Some("insufficient_quota"),
            ),
            (
                429,
                r#"{"error":{"message":"m","type":"requests","code":"rate_limit_exceeded"}}"#,
                ErrorKind::RateLimited,
                Some("rate_limit_exceeded"),
            ),
            (
                529,
                r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#,
                ErrorKind::Overloaded,
                Some("overloaded_error"),
            ),
            (400, r#"{"error":{"code":400,"message":"m","metadata":{}}}"#, ErrorKind::BadRequest, Some("400")),
            (
                400,
                r#"{"error":{"code":400,"message":"m","type":"exceed_context"}}"#,
                ErrorKind::BadRequest,
                Some("exceed_context"),
            ),
            (
                400,
                r#"[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}]"#,
                ErrorKind::BadRequest,
                Some("400"),
            ),
            (
                400,
                r#"{"error":{"message":"m","type":"no_db_connection","param":null,"code":"400"}}"#,
                ErrorKind::Auth,
                Some("no_db_connection"),
            ),
            (429, r#"{"error":{"message":"m","code":"429"}}"#, ErrorKind::RateLimited, Some("429")),
            (400, r#"{"code":"bad","error":"m"}"#, ErrorKind::BadRequest, Some("bad")),
            (500, r#"{"error":"m"}"#, ErrorKind::Overloaded, None),
            (422, r#"{"object":"error","message":"m","type":"x","code":null}"#, ErrorKind::BadRequest, Some("x")),
            (401, r#"{"detail":"m"}"#, ErrorKind::Auth, None),
            (400, r#"{"success":false,"errors":[{"code":7,"message":"m"}]}"#, ErrorKind::BadRequest, None),
        ];
        for (status, body, kind, code) in cases {
            assert_eq!(read(status, body), (kind, code.map(String::from), Some(String::from("m"))), "{body}");
        }
        assert_eq!(read(502, "<html>Bad gateway</html>"), (ErrorKind::Overloaded, None, None));
        assert_eq!(
            read(503, " no healthy upstream\n"),
            (ErrorKind::Overloaded, None, Some(String::from("no healthy upstream")))
        );
        let routed = r#"{"error":{"code":429,"message":"failed","metadata":{"raw":"slow down"}}}"#;
        assert_eq!(
            read(429, routed),
            (ErrorKind::RateLimited, Some(String::from("429")), Some(String::from("failed: slow down")))
        );
    }

    #[test]
    fn an_error_object_with_a_success_status_says_its_own() {
        let kind = |body: &str| Failure::in_success(Document::parse(body).unwrap().root()).kind;
        assert_eq!(kind(r#"{"error":{"code":429,"type":"upstream","message":"m"}}"#), ErrorKind::RateLimited);
        assert_eq!(kind(r#"{"error":{"status_code":401,"message":"m"}}"#), ErrorKind::Auth);
        assert_eq!(kind(r#"{"error":{"code":"402","message":"m"}}"#), ErrorKind::Quota);
        assert_eq!(kind(r#"{"error":"m","code":400}"#), ErrorKind::BadRequest);
        assert_eq!(kind(r#"{"error":{"message":"m"}}"#), ErrorKind::Overloaded);
    }

    #[test]
    fn details_tell_what_the_status_does_not() {
        let read = |status: u16, details: &str, headers: &HeaderMap| {
            let body =
                format!(r#"{{"error":{{"code":{status},"message":"m","status":"S","details":[{{}},{details}]}}}}"#);
            let failure = read_failure(status, headers, body.as_bytes(), Duration::ZERO);
            (failure.kind, failure.code.unwrap(), failure.retry_after)
        };
        let none = HeaderMap::new();
        let wrong_key = r#"{"reason":"API_KEY_INVALID","domain":"d"}"#;
        assert_eq!(read(400, wrong_key, &none), (ErrorKind::Auth, String::from("API_KEY_INVALID"), None));
        let wait = |delay: &str, headers| read(429, &format!(r#"{{"retryDelay":"{delay}"}}"#), headers).2;
        assert_eq!(wait("37s", &none), Some(Duration::from_secs(37)));
        assert_eq!(wait("0.25s", &none), Some(Duration::from_millis(250)));
        assert_eq!((wait("soon", &none), wait("-1s", &none)), (None, None));
        let header = [(http::header::RETRY_AFTER, http::HeaderValue::from_static("2"))];
        assert_eq!(wait("37s", &header.into_iter().collect()), Some(Duration::from_secs(2)));
    }

    #[test]
    fn retry_after_in_all_forms() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in pairs {
                map.insert(*name, http::HeaderValue::from_static(value));
            }
            retry_after(&map, Duration::from_secs(784_111_777))
        };
        assert_eq!(headers(&[]), None);
        assert_eq!(headers(&[("retry-after", "2")]), Some(Duration::from_secs(2)));
        assert_eq!(headers(&[("retry-after", "0.25")]), Some(Duration::from_millis(250)));
        assert_eq!(headers(&[("retry-after", "9"), ("retry-after-ms", "1500")]), Some(Duration::from_millis(1500)));
        let date = ("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT");
        assert_eq!(headers(&[date]), Some(Duration::from_secs(3)));
        assert_eq!(headers(&[date, ("date", "Sun, 06 Nov 1994 08:49:30 GMT")]), Some(Duration::from_secs(10)));
        assert_eq!(headers(&[("retry-after", "soon")]), None);
        assert_eq!(headers(&[("retry-after", "-5")]), None);
    }
}
