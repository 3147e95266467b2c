//! The spans, by the conventions as they were in autumn 2026 (`gen_ai.*`, still in development).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tracing::field::{DebugValue, Empty, debug};
use tracing::{Instrument, Level, Span};

use super::content;
use crate::hooks::{
    Cache, Done, End, Failure, Fetch, Hooks, Hopped, Next, Reask, Repaired, Request, Response, StepDown,
};
use crate::run::Job;

/// Whose spans they are, for filters.
const TARGET: &str = "instructor";

/// Makes the spans of one request of what its hooks are told.
pub(crate) struct Trace<'a> {
    job: &'a Job<'a>,
    request: Span,
    /// The call that is being made, if one is.
    call: Mutex<Span>,
}

/// A span to be in.
pub(crate) struct Scope(Span);

impl Scope {
    /// The future inside the span: entered for each poll, so that it is no other task's.
    pub(crate) fn around<F: Future>(self, future: F) -> impl Future<Output = F::Output> + use<F> {
        future.instrument(self.0)
    }

    pub(crate) fn within<T>(self, work: impl FnOnce() -> T) -> T {
        self.0.in_scope(work)
    }
}

impl<'a> Trace<'a> {
    pub(crate) fn new(job: &'a Job<'a>, id: u64) -> Self {
        let contract = job.contract.name();
        let request = tracing::info_span!(
            target: TARGET,
            "extract",
            otel.name = format_args!("extract {contract}"),
            otel.kind = "internal",
            otel.status_code = Empty,
            instructor.request.id = id,
            instructor.response_model = contract,
            instructor.attempts = Empty,
            instructor.cache = Empty,
            "error.type" = Empty,
        );
        Self { job, request, call: Mutex::new(Span::none()) }
    }

    /// The same request at another target.
    pub(crate) fn resumed(job: &'a Job<'a>, request: Scope) -> Self {
        Self { job, request: request.0, call: Mutex::new(Span::none()) }
    }

    /// Whether anybody wants the spans.
    pub(crate) fn is_on(&self) -> bool {
        !self.request.is_disabled()
    }

    pub(crate) fn request(&self) -> Scope {
        Scope(self.request.clone())
    }

    pub(crate) fn call(&self) -> Scope {
        Scope(self.calling().clone())
    }

    fn calling(&self) -> std::sync::MutexGuard<'_, Span> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call is over, with an error or without.
    fn end_call(&self, error: Option<&str>) {
        let call = std::mem::replace(&mut *self.calling(), Span::none());
        fail(&call, error);
    }
}

fn fail(span: &Span, error: Option<&str>) {
    if let Some(kind) = error {
        span.record("error.type", kind);
        span.record("otel.status_code", "ERROR");
    }
}

/// A count as the only kind of integer that OpenTelemetry has.
fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

impl Hooks for Trace<'_> {
    fn on_cache(&self, event: &Cache<'_>) {
        let word = event.event.as_str();
        // The last word is what came of it.
        self.request.record("instructor.cache", word);
        let detail = tracing::field::display(event.event);
        tracing::event!(target: TARGET, parent: &self.request, Level::INFO, cache = word, detail, "cache");
    }

    fn on_fetch(&self, event: &Fetch<'_>) {
        let fetched = event.fetched;
        tracing::event!(
            target: TARGET,
            parent: &self.request,
            Level::INFO,
            server.address = fetched.host.as_str(),
            mime = fetched.mime.as_str(),
            bytes = count(fetched.bytes as u64),
            "fetched",
        );
    }

    fn on_request(&self, event: &Request<'_>) {
        let Job { endpoint, settings, .. } = self.job;
        let wire = endpoint.profile.wire();
        let operation = wire.operation();
        let uri = event.http.uri();
        let default_port = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let extra = |key: &str| settings.extra.get(key);
        let span = tracing::info_span!(
            target: TARGET,
            parent: &self.request,
            "inference",
            otel.name = format_args!("{operation} {}", event.about.model),
            otel.kind = "client",
            otel.status_code = Empty,
            gen_ai.operation.name = operation,
            gen_ai.provider.name = endpoint.profile.telemetry_name(),
            gen_ai.request.model = event.about.model,
            gen_ai.request.max_tokens = settings.max_tokens.map(count),
            gen_ai.request.temperature = settings.temperature,
            gen_ai.request.top_p = extra("top_p").and_then(serde_json::Value::as_f64),
            gen_ai.request.seed = extra("seed").and_then(serde_json::Value::as_i64),
            gen_ai.request.stream = event.streamed.then_some(true),
            gen_ai.output.type = "json",
            gen_ai.response.id = Empty,
            gen_ai.response.model = Empty,
            gen_ai.response.finish_reasons = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.usage.cache_read.input_tokens = Empty,
            gen_ai.usage.cache_write.input_tokens = Empty,
            gen_ai.usage.reasoning.output_tokens = Empty,
            gen_ai.input.messages = Empty,
            gen_ai.output.messages = Empty,
            server.address = uri.host(),
            server.port = i64::from(uri.port_u16().unwrap_or(default_port)),
            http.response.status_code = Empty,
            "error.type" = Empty,
            instructor.attempt = i64::from(event.attempt),
            instructor.mode = event.mode.as_str(),
        );
        if self.job.trace_content {
            span.record("gen_ai.input.messages", content::input(event.messages, event.turns));
        }
        *self.calling() = span;
    }

    fn on_response(&self, event: &Response<'_>) {
        let call = self.calling().clone();
        call.record("http.response.status_code", i64::from(event.status));
        let usage = event.usage;
        for (name, tokens) in [
            ("gen_ai.usage.input_tokens", usage.input),
            ("gen_ai.usage.output_tokens", usage.output),
            ("gen_ai.usage.cache_read.input_tokens", usage.cached),
            ("gen_ai.usage.cache_write.input_tokens", usage.cache_write),
            ("gen_ai.usage.reasoning.output_tokens", usage.reasoning),
        ] {
            call.record(name, tokens.map(count));
        }
        let Some(response) = event.response else { return };
        call.record("gen_ai.response.id", response.id.as_deref());
        call.record("gen_ai.response.model", response.model.as_deref());
        let finish = response.finish.as_ref().map(content::finish);
        if let Some(finish) = finish {
            call.record("gen_ai.response.finish_reasons", reasons(&[finish]));
        }
        if self.job.trace_content {
            call.record("gen_ai.output.messages", content::output(response, finish));
        }
    }

    fn on_repair(&self, event: &Repaired<'_>) {
        let call = self.calling().clone();
        let repairs = &event.attempt.repairs;
        let first = repairs.first().map(|repair| repair.kind);
        let count = count(repairs.len() as u64);
        tracing::event!(target: TARGET, parent: &call, Level::INFO, count, first, "repaired");
    }

    fn on_error(&self, event: &Failure<'_>) {
        self.failed(event);
    }

    fn on_parse_error(&self, event: &Failure<'_>) {
        self.failed(event);
    }

    fn on_reask(&self, event: &Reask<'_>) {
        let attempt = i64::from(event.attempt);
        let turns = count(event.turns.len() as u64);
        tracing::event!(target: TARGET, parent: &self.request, Level::INFO, attempt, turns, "re-ask");
    }

    fn on_step_down(&self, event: &StepDown<'_>) {
        let (mode, strict) = (event.mode.as_str(), event.strict);
        tracing::event!(target: TARGET, parent: &self.request, Level::INFO, mode, strict, "step down");
    }

    fn on_hop(&self, event: &Hopped<'_>) {
        let (to, from, kind) = (event.about.provider, event.hop.provider.as_str(), event.hop.kind.as_str());
        tracing::event!(target: TARGET, parent: &self.request, Level::WARN, from, to, kind, "hop");
    }

    fn on_done(&self, event: &Done<'_>) {
        let error = match event.end {
            End::Ok(_) => None,
            End::Err(error) => Some(error.kind().as_str()),
            End::Cancelled(_) => Some("cancelled"),
        };
        // What a call failed of was told when it failed; it is still there if it was dropped.
        self.end_call(error.filter(|_| matches!(event.end, End::Cancelled(_))));
        self.request.record("instructor.attempts", count(event.report().attempts().len() as u64));
        fail(&self.request, error);
    }
}

impl Trace<'_> {
    fn failed(&self, event: &Failure<'_>) {
        let attempt = event.attempt;
        let kind = event.kind().as_str();
        let (number, detail) = (i64::from(attempt.number), attempt.detail.as_str());
        tracing::event!(
            target: TARGET,
            parent: &self.request,
            Level::WARN,
            attempt = number,
            "error.type" = kind,
            detail,
            "attempt failed",
        );
        self.end_call(Some(kind));
        if let Next::Resend { wait } = event.next {
            let wait_ms = millis(wait);
            tracing::event!(target: TARGET, parent: &self.request, Level::INFO, attempt = number + 1, wait_ms, "resend");
        }
    }
}

/// A list, which `tracing` has no kind of value for.
fn reasons<'r>(reasons: &'r [&'r str]) -> DebugValue<&'r [&'r str]> {
    debug(reasons)
}
