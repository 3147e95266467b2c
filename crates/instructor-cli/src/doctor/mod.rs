//! `instructor doctor`: what holds at an endpoint.

mod checks;
mod kit;

use std::fmt;

use instructor::blocking::Client;
use instructor::{ErrorKind, Profile};
use serde_json::{Value, json};

use self::checks::{CHECKS, Check};
use self::kit::Kit;
use crate::args::{Doctor, Whom};
use crate::failure::Failure;
use crate::secret::hidden;
use crate::{output, target};

/// What came of a check, and why in a few words.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    /// Unknown where it could not be told.
    holds: Option<bool>,
    evidence: String,
}

impl Finding {
    fn holds(evidence: impl Into<String>) -> Self {
        Self { holds: Some(true), evidence: evidence.into() }
    }

    fn fails(evidence: impl Into<String>) -> Self {
        Self { holds: Some(false), evidence: evidence.into() }
    }

    fn untold(evidence: impl Into<String>) -> Self {
        Self { holds: None, evidence: evidence.into() }
    }

    const fn word(&self) -> &'static str {
        match self.holds {
            Some(true) => "holds",
            Some(false) => "does not",
            None => "not told",
        }
    }
}

pub(crate) fn run(args: &Doctor) -> Result<(), Failure> {
    let whom = Whom { provider: spec(args)?, ..args.whom.clone() };
    let kit = Kit::new(args.max_calls, |transport| {
        let builder = instructor::Client::builder().timeout(args.timeout).max_retries(0).max_tokens(kit::MAX_TOKENS);
        target::client(builder, &whom, true, |builder| Client::build_with(builder, transport))
    })?;
    let visit = Visit { about: About::of(&kit)?, planned: planned(args.max_calls), json: args.json };
    output::say(&visit.to_string());

    let mut findings = Vec::new();
    let mut stopped = None;
    for Check { name, calls, run } in CHECKS {
        // What costs nothing looks at what came before.
        let finding =
            stopped.clone().filter(|_| *calls > 0).unwrap_or_else(|| run(&kit).unwrap_or_else(|untold| untold));
        stopped = stopped.or_else(|| kit.in_vain().map(|why| Finding::untold(format!("not asked: {why}"))));
        findings.push((*name, finding));
    }
    let text = hidden(&visit.report(&kit, &findings), kit.profile());
    output::result(&text)?;
    match kit.failure() {
        None => Ok(()),
        Some(kind) => Err(Failure::from_kind(kind, "the mode that is preferred here does not work")),
    }
}

/// How many calls it can come to.
fn planned(most: u32) -> u32 {
    CHECKS.iter().map(|check| check.calls).sum::<u32>().min(most)
}

/// Whom to ask as PROVIDER/MODEL, where the model may be named apart or be the provider's default.
fn spec(args: &Doctor) -> Result<Option<String>, Failure> {
    let Some(provider) = args.whom.provider.as_deref().map(str::trim).filter(|spec| !spec.is_empty()) else {
        return match args.model {
            Some(_) => Err(Failure::setup("--model says nothing without --provider")),
            None => Ok(None),
        };
    };
    let (id, named) = provider.split_once('/').map_or((provider, None), |(id, model)| (id, Some(model)));
    let model = args.model.as_deref().or(named).map(String::from);
    let Some(model) = model.or_else(|| Profile::named(id)?.default_model().map(String::from)) else {
        // Who is not known is said better by the library.
        let known = Profile::named(id).is_some() || args.whom.protocol.is_some();
        return match known {
            true => Err(Failure::setup(format!("no model is named for {id}")).hint("add --model MODEL")),
            false => Ok(Some(String::from(provider))),
        };
    };
    Ok(Some(format!("{id}/{model}")))
}

/// Who is asked.
struct About {
    provider: String,
    protocol: &'static str,
    url: String,
    model: String,
    mode: &'static str,
}

impl About {
    fn of(kit: &Kit) -> Result<Self, Failure> {
        let profile = kit.profile();
        let (url, model) = kit.address().map_err(|e| Failure::from_kind(e.kind(), e.to_string()))?;
        Ok(Self {
            provider: String::from(profile.id()),
            protocol: profile.protocol(),
            url: hidden(&url, profile),
            model,
            mode: profile.mode().as_str(),
        })
    }
}

struct Visit {
    about: About,
    planned: u32,
    json: bool,
}

/// What is said before the first call.
impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { about: About { provider, protocol, url, model, .. }, planned, .. } = self;
        let calls = if *planned == 1 { "call" } else { "calls" };
        write!(f, "At most {planned} {calls} of some hundred tokens each: {provider}, {model}, {protocol} at {url}")
    }
}

impl Visit {
    fn report(&self, kit: &Kit, findings: &[(&str, Finding)]) -> String {
        let (calls, usage) = kit.spent();
        let About { provider, protocol, url, model, mode } = &self.about;
        if self.json {
            let checks: Vec<Value> = findings
                .iter()
                .map(|(name, finding)| json!({ "name": name, "holds": finding.holds, "evidence": finding.evidence }))
                .collect();
            let report = json!({
                "provider": provider,
                "protocol": protocol,
                "url": url,
                "model": model,
                "mode": mode,
                "works": kit.failure().is_none(),
                "calls": calls,
                "usage": { "input": usage.input, "output": usage.output },
                "checks": checks,
            });
            return format!("{report:#}");
        }
        let mut rows = vec![["CHECK", "RESULT", "EVIDENCE"].map(String::from)];
        rows.extend(
            findings
                .iter()
                .map(|(name, finding)| [String::from(*name), String::from(finding.word()), finding.evidence.clone()]),
        );
        let count = |holds| findings.iter().filter(|(_, finding)| finding.holds == holds).count();
        format!(
            "{}\n\n{} hold, {} do not, {} could not be told; {calls} calls, {usage}",
            output::table(&rows),
            count(Some(true)),
            count(Some(false)),
            count(None),
        )
    }
}

/// Failures of the service or the account: nothing is told by them of what was asked.
const fn is_outside(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Transport | ErrorKind::RateLimited | ErrorKind::Overloaded | ErrorKind::Auth | ErrorKind::Quota
    )
}
