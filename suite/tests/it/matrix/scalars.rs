//! Numbers, text, time, and the types of other crates.

use std::borrow::Cow;
use std::net::IpAddr;
use std::num::{NonZeroI64, NonZeroU8, Wrapping};
use std::ops::{Bound, Range, RangeInclusive};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc, Weekday};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use url::Url;
use uuid::Uuid;

use super::{read, types};

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Numbers {
    i8: i8,
    i16: i16,
    i32: i32,
    i64: i64,
    i128: i128,
    isize: isize,
    u8: u8,
    u16: u16,
    u32: u32,
    u64: u64,
    u128: u128,
    usize: usize,
    f32: f32,
    f64: f64,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Chrono {
    at: DateTime<Utc>,
    local: DateTime<FixedOffset>,
    day: NaiveDate,
    clock: NaiveTime,
    both: NaiveDateTime,
    weekday: Weekday,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Jiff {
    at: jiff::Timestamp,
    zoned: jiff::Zoned,
    day: jiff::civil::Date,
    clock: jiff::civil::Time,
    both: jiff::civil::DateTime,
    length: jiff::SignedDuration,
}

/// Spans are equal field by field.
#[derive(Serialize, Deserialize, JsonSchema, Debug)]
#[serde(transparent)]
struct Span(jiff::Span);

impl PartialEq for Span {
    fn eq(&self, other: &Self) -> bool {
        self.0.fieldwise() == other.0.fieldwise()
    }
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Ids {
    id: Uuid,
    link: Url,
    price: Decimal,
    version: semver::Version,
    address: IpAddr,
    path: PathBuf,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Blobs {
    bytes: Bytes,
    list: Vec<u8>,
    maybe: Option<Bytes>,
    four: [u8; 4],
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Standard {
    length: Duration,
    since: SystemTime,
    result: Result<i32, String>,
    range: Range<u8>,
    inclusive: RangeInclusive<i64>,
    bound: Bound<i32>,
    unit: (),
    nothing: std::marker::PhantomData<i32>,
    count: NonZeroU8,
    not_zero: NonZeroI64,
    wrapping: Wrapping<u16>,
    cow: Cow<'static, str>,
    boxed: Box<str>,
}

fn numbers(least: bool) -> Numbers {
    macro_rules! end {
        ($($name:ident)*) => { Numbers { $($name: if least { $name::MIN } else { $name::MAX }),* } };
    }
    end!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64)
}

fn chrono(text: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(text).unwrap()
}

fn ids(price: &str, address: &str) -> Ids {
    Ids {
        id: Uuid::from_u128(0x1234_5678_9abc_def0),
        link: Url::parse("https://example.org/a?b=c#d").unwrap(),
        price: price.parse().unwrap(),
        version: semver::Version::parse("1.2.3-rc.1+b").unwrap(),
        address: address.parse().unwrap(),
        path: PathBuf::from("a/b c"),
    }
}

fn standard(result: Result<i32, String>, bound: Bound<i32>) -> Standard {
    Standard {
        length: Duration::new(3, 500),
        since: SystemTime::UNIX_EPOCH + Duration::from_secs(7),
        result,
        range: 1..9,
        inclusive: -1..=i64::MAX,
        bound,
        unit: (),
        nothing: std::marker::PhantomData,
        count: NonZeroU8::MAX,
        not_zero: NonZeroI64::MIN,
        wrapping: Wrapping(9),
        cow: Cow::Borrowed("c"),
        boxed: Box::from("b"),
    }
}

types! {
    every_number: Numbers = [numbers(true), numbers(false)];
    root_bool: bool = [true, false];
    root_i8: i8 = [i8::MIN, 0];
    root_u32: u32 = [u32::MAX];
    root_i64: i64 = [i64::MIN, i64::MAX, 9_007_199_254_740_993];
    root_u64: u64 = [u64::MAX];
    root_i128: i128 = [i128::MIN, i128::MAX];
    root_u128: u128 = [u128::MAX];
    list_of_u128: Vec<u128> = [vec![u128::MAX, 0]];
    map_of_i128: std::collections::BTreeMap<String, i128> = [[(String::from("k"), i128::MIN)].into()];
    root_f32: f32 = [0.1, f32::MIN_POSITIVE, -0.0];
    root_f64: f64 = [0.1, 1e300, 5e-324, -1.0];
    root_char: char = ['a', '"', 'é', '\u{1f600}', '\n'];
    root_text: String = ["", "text", "5", "null", "{\"a\": 1}", "\"", "line\nbreak", "日本 \u{1f600}", "\u{7f}\u{1}"].map(String::from);
    root_unit: () = [()];
    root_option: Option<i32> = [None, Some(0)];
    root_option_text: Option<String> = [None, Some(String::new()), Some(String::from("null"))];
    root_option_list: Option<Vec<i32>> = [None, Some(vec![]), Some(vec![1])],
        told "a list of none or one says absence, so a list of one is its item";
    root_result: Result<Vec<i32>, String> = [Ok(vec![1]), Err(String::from("e"))];
    root_number: Number = [Number::from(7), Number::from(-1), Number::from_f64(0.5).unwrap()];
    root_decimal: Decimal = ["1.2345678901234567", "0", "-79228162514264337593543950335", "1.10"].map(|text| text.parse().unwrap());
    root_bytes: Bytes = [Bytes::new(), Bytes::from_static(b"\0\xff")];
    root_duration: Duration = [Duration::ZERO, Duration::new(u64::MAX, 999_999_999)];
    chrono_types: Chrono = [Chrono {
        at: chrono("2024-02-29T23:59:59.123456789Z").into(), local: chrono("1969-12-31T00:00:00+05:30"),
        day: NaiveDate::from_ymd_opt(2024, 2, 29).unwrap(), clock: NaiveTime::from_hms_milli_opt(1, 2, 3, 4).unwrap(),
        both: NaiveDate::from_ymd_opt(1, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap(), weekday: Weekday::Sun,
    }];
    jiff_types: Jiff = [Jiff {
        at: "2024-02-29T23:59:59.123456789Z".parse().unwrap(),
        zoned: "2024-02-29T12:00:00Z".parse::<jiff::Timestamp>().unwrap().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(-5))),
        day: jiff::civil::date(2024, 2, 29), clock: jiff::civil::time(1, 2, 3, 4),
        both: jiff::civil::date(1, 1, 1).at(0, 0, 0, 0), length: jiff::SignedDuration::new(-3, -500),
    }];
    jiff_span: Span = [Span(jiff::Span::new().years(1).days(2).hours(3).milliseconds(4)), Span(jiff::Span::new().seconds(-5))];
    list_of_days: Vec<NaiveDate> = [vec![], vec![NaiveDate::from_ymd_opt(0, 1, 1).unwrap(), NaiveDate::from_ymd_opt(2024, 1, 1).unwrap()]];
    identifiers: Ids = [ids("1.2345678901234567", "127.0.0.1"), ids("-0.10", "::1")];
    optional_ids: Vec<Option<Uuid>> = [vec![None, Some(Uuid::nil())]];
    blobs: Blobs = [
        Blobs { bytes: Bytes::from_static(b"\x01\xfe"), list: vec![0, 255], maybe: None, four: [1, 2, 3, 4] },
        Blobs { bytes: Bytes::new(), list: vec![], maybe: Some(Bytes::from_static(b"x")), four: [0; 4] },
    ],
        told "a list of none or one says absence, so a list of one is its item";
    standard_types: Standard = [
        standard(Ok(1), Bound::Unbounded), standard(Err(String::from("e")), Bound::Included(1)),
        standard(Ok(0), Bound::Excluded(-1)),
    ];
}

read! {
    decimal_as_it_is_written: Decimal = [r#""0.1""#, "0.5", "7"];
    bytes_as_text: Bytes = [r#""abc""#, "[1,2]"];
    integers_with_an_exponent: f64 = ["1e3", "1.0", "-0"];
    long_numbers: Vec<i128> = ["[170141183460469231731687303715884105727, 10000000000000000000000]"];
}
