//! Exit codes: what a script can branch on.

use std::process::ExitCode;

use instructor::ErrorKind;

/// Why the program ended, when it did not do what it was asked to. The numbers are a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Unexpected = 1,
    Setup = 2,
    Unfit = 3,
    Truncated = 4,
    Refused = 5,
    Provider = 6,
    Service = 7,
    Budget = 8,
    Rows = 9,
    Interrupted = 130,
}

/// The same, for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  a file could not be read or written, or something unexpected
  2  wrong usage or set-up: arguments, provider, missing key, schema; or not supported
  3  no answer fitted the schema
  4  the answer was cut off
  5  the model refused, or a content filter stopped it
  6  the provider said no: key, credit, bad request
  7  the service failed: connection, timeout, rate limit, overload
  8  the budget ended: deadline, attempts, tokens, cost
  9  some rows failed
  130  interrupted";

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Config | ErrorKind::Unsupported | ErrorKind::Media => Self::Setup,
            ErrorKind::Malformed | ErrorKind::SchemaMismatch | ErrorKind::Rejected | ErrorKind::Runaway => Self::Unfit,
            ErrorKind::Truncated => Self::Truncated,
            ErrorKind::Refused | ErrorKind::Filtered => Self::Refused,
            ErrorKind::Auth | ErrorKind::Quota | ErrorKind::BadRequest | ErrorKind::SchemaRefused => Self::Provider,
            ErrorKind::Transport | ErrorKind::RateLimited | ErrorKind::Overloaded => Self::Service,
            ErrorKind::Budget => Self::Budget,
            // Kinds that the library may get later.
            _ => Self::Unexpected,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
