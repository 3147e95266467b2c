//! The loop that drives the engine over a transport.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;

use super::{Body, BoxFuture, Idle, Repr, Transport, too_large};
use crate::credential::{Credential, Exchange, Http};
use crate::error::{Error, TransportError, TransportErrorKind};
use crate::limiter::{Progress, Turn};
use crate::media::Get;
use crate::run::{
    Answer, Authorise, CheckTime, Completion, Ending, Event, Follow, Halt, Heard, Listener, Run, Step, Stop,
};
use crate::validate::{Checked, Checking, Issues, each};

/// Follows an answer, and hands what it has made of it over to whoever drives the request.
///
/// The driver is a future that stops wherever there is something to show: it gives the thing away, is pending until it
/// is polled again, and takes it back. It is given away too while the driver waits for something else.
pub(crate) trait Show: Follow {
    /// Gives it away, and says whether it shows something new.
    fn give(&mut self, news: bool);

    fn take(&mut self);

    /// Whether something is ready to be shown but for its checks.
    fn has_checks(&self) -> bool {
        false
    }

    /// Begins the checks of what is ready to be shown but for them.
    fn checks(&self) -> Vec<Checking<'_>> {
        Vec::new()
    }

    /// Takes what came of them, in their order, within a time; whether there is something new to show.
    fn checked(&mut self, checked: Vec<Checked>, time: Duration) -> bool {
        let _ = (checked, time);
        false
    }
}

/// Checks what is ready to be shown; whether there is something new to show.
pub(crate) async fn checked(transport: &dyn Transport, show: &mut dyn Show, time: CheckTime) -> bool {
    if !show.has_checks() {
        return false;
    }
    // What is there already can be looked at meanwhile.
    show.give(false);
    let checks = show.checks();
    let time = time.from(transport.now());
    let found = each(checks, || transport.bell(time)).await;
    show.take();
    show.checked(found, time)
}

pub(crate) async fn shown(show: &mut dyn Show) {
    let mut given = false;
    poll_fn(|_| {
        if std::mem::replace(&mut given, true) {
            show.take();
            return Poll::Ready(());
        }
        show.give(true);
        // Nothing has to wake it: who asks for the next thing polls it.
        Poll::Pending
    })
    .await;
}

/// Who looks on while answers arrive.
pub(crate) struct Watching<'s> {
    pub(crate) show: &'s mut dyn Show,
    /// How long nothing may come.
    pub(crate) idle: Option<Duration>,
    /// How long an attempt may take, from sending the request to the end of the answer.
    pub(crate) time: Option<Duration>,
}

impl Watching<'_> {
    /// For another request.
    pub(crate) fn again(&mut self) -> Watching<'_> {
        Watching { show: &mut *self.show, idle: self.idle, time: self.time }
    }
}

/// Drives a request to its end. Whoever looks on is shown answers while they arrive.
pub(crate) async fn drive(
    transport: &dyn Transport,
    run: &mut Run<'_>,
    limit: usize,
    watching: Option<Watching<'_>>,
) -> Result<Completion, Error> {
    let scope = run.scope();
    scope.around(steps(Underway { run, transport }, limit, watching)).await
}

async fn steps(
    mut underway: Underway<'_, '_, '_>,
    limit: usize,
    mut watching: Option<Watching<'_>>,
) -> Result<Completion, Error> {
    let Underway { ref mut run, transport } = underway;
    let mut event = Event::Begin;
    loop {
        if let Some(watching) = &mut watching {
            watching.show.give(false);
        }
        event = match run.step(event, transport.now()) {
            Step::Done(result) => return result,
            Step::Wait(wait) => {
                transport.sleep(wait).await;
                Event::Woke
            }
            Step::Enter(turn) => enter(transport, turn).await,
            Step::Authorise(wanted) => Event::Authorised(credential(transport, &wanted, limit).await),
            Step::Send { mut request, mut timeout } => {
                let sent = transport.now().monotonic;
                if let Some(Watching { idle, time, .. }) = &watching {
                    timeout = timeout.into_iter().chain(*time).min();
                    idle.map(|idle| request.extensions_mut().insert(Idle(idle)));
                }
                let scope = run.call_scope();
                let (run, watching) = (&mut *run, &mut watching);
                let call = async move {
                    let response = transport.send(request, timeout).await;
                    match (response, watching) {
                        (Ok(response), Some(watching)) if response.status().is_success() => {
                            watching.show.take();
                            let listener = run.listener(watching.show, transport.now());
                            let times = (sent, run.check_time());
                            listen(transport, response, listener, (limit, times), watching).await
                        }
                        (response, _) => arrived(response, limit).await.map_or_else(Event::Failed, Event::Answer),
                    }
                };
                scope.around(call).await
            }
            Step::Check(time) => {
                let scope = run.call_scope();
                let checks = run.checks().into_iter().collect();
                let found = scope.around(each(checks, || transport.bell(time))).await.pop();
                // A value that has no checks any more has passed them.
                Event::Checked(found.unwrap_or_else(|| Checked::Found(Issues::new())))
            }
            Step::Cache(ask) => Event::Cached(match within(ask.put(), || transport.bell(ask.time)).await {
                Some(word) => word,
                None => ask.late(),
            }),
            Step::Fetch(Get { request, policy, timeout }) => {
                let response = transport.fetch(request, policy, timeout).await;
                Event::Fetched(arrived(response, policy.max_bytes()).await)
            }
        };
    }
}

/// What comes of a future until a bell rings. No clock is set where it is there at once.
async fn within<'b, T>(future: impl Future<Output = T>, bell: impl FnOnce() -> BoxFuture<'b, ()>) -> Option<T> {
    let mut future = pin!(future);
    let (mut bell, mut ringing) = (Some(bell), None);
    poll_fn(|context| {
        if let Poll::Ready(value) = future.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        if let Some(bell) = bell.take() {
            ringing = Some(bell());
        }
        ringing
            .as_mut()
            .map_or(Poll::Pending, |bell: &mut BoxFuture<'b, ()>| bell.as_mut().poll(context).map(|()| None))
    })
    .await
}

/// A request on its way. Where it is dropped there, whoever looks on is told.
struct Underway<'m, 'r, 't> {
    run: &'m mut Run<'r>,
    transport: &'t dyn Transport,
}

impl Drop for Underway<'_, '_, '_> {
    fn drop(&mut self) {
        let Self { run, transport } = self;
        if run.has_ended() {
            return;
        }
        let mut cancel = || run.cancel(transport.now());
        if std::thread::panicking() {
            // A second panic would end the process; the first one is on its way to the caller.
            let _ = catch_unwind(AssertUnwindSafe(&mut cancel));
        } else {
            cancel();
        }
    }
}

/// Waits for a turn: until it is woken, or the time comes.
async fn enter(transport: &dyn Transport, mut turn: Turn) -> Event {
    let mut alarm: Option<(Duration, BoxFuture<'_, ()>)> = None;
    let entered = poll_fn(|context| {
        loop {
            let now = transport.now().monotonic;
            let until = match turn.poll(now, context.waker()) {
                Progress::Over(entered) => return Poll::Ready(entered),
                Progress::Waits(until) => until,
            };
            let Some(until) = until else { return Poll::Pending };
            if alarm.as_ref().is_none_or(|(at, _)| *at != until) {
                alarm = Some((until, transport.sleep(until.saturating_sub(now))));
            }
            let Some((_, rings)) = &mut alarm else { return Poll::Pending };
            if rings.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            alarm = None;
        }
    });
    Event::Entered(entered.await)
}

/// Gets what the engine wants to be authorised with.
pub(super) async fn credential(
    transport: &dyn Transport,
    wanted: &Authorise,
    limit: usize,
) -> Result<Arc<Credential>, Error> {
    struct Over<'a>(&'a dyn Transport, usize);
    impl Exchange for Over<'_> {
        fn exchange(
            &self,
            request: http::Request<Bytes>,
            timeout: Option<Duration>,
        ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
            Box::pin(async move {
                let (parts, body) = self.0.send(request, timeout).await?.into_parts();
                Ok(http::Response::from_parts(parts, body.collect(self.1).await?))
            })
        }

        fn unix(&self) -> Duration {
            self.0.now().unix
        }
    }
    let exchange = Over(transport, limit);
    wanted.from(&Http::new(&exchange, wanted.timeout)).await
}

/// An answer that is all there.
pub(super) async fn arrived(
    response: Result<http::Response<Body>, TransportError>,
    limit: usize,
) -> Result<Answer, TransportError> {
    let (parts, body) = response?.into_parts();
    let length = parts.headers.get(http::header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    let body = body.collect(limit).await?;
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}

/// An answer that is followed while it arrives.
async fn listen(
    transport: &dyn Transport,
    response: http::Response<Body>,
    listener: Listener<'_>,
    (limit, (sent, check)): (usize, (Duration, CheckTime)),
    watching: &mut Watching<'_>,
) -> Event {
    let (parts, mut body) = response.into_parts();
    let Watching { show, idle, time } = watching;
    let mut pieces = Pieces { sent, time: *time, ..Pieces::new(transport, &mut body, *idle) };
    let (ending, size, tail) = hear(&mut pieces, listener, (limit, check), *show).await;
    if checked(transport, *show, check).await {
        shown(*show).await;
    }
    let given = show.given();
    Event::Heard(Box::new(Heard { status: parts.status.as_u16(), headers: parts.headers, size, tail, given, ending }))
}

/// Reads an answer to its end, or to where it need not be read any further. When it returns, the connection may go.
async fn hear(
    pieces: &mut Pieces<'_>,
    mut listener: Listener<'_>,
    (limit, check): (usize, CheckTime),
    show: &mut dyn Show,
) -> (Ending, usize, Bytes) {
    loop {
        show.give(false);
        let piece = pieces.next().await;
        show.take();
        match piece {
            Ok(Some(bytes)) if listener.size() + bytes.len() > limit => {
                return listener.halt(Halt::Broken(too_large()));
            }
            Ok(Some(bytes)) => match pieces.late() {
                Some(stop) => return listener.halt(Halt::Stop(stop)),
                None => listener.push(&bytes),
            },
            Ok(None) => break,
            Err(error) => {
                let late = pieces.late().filter(|_| error.kind() == TransportErrorKind::Timeout);
                return listener.halt(late.map_or(Halt::Broken(error), Halt::Stop));
            }
        }
        loop {
            match listener.next(show) {
                Ok(Some(true)) => shown(show).await,
                Ok(Some(false)) => {}
                Ok(None) => break,
                Err(halt) => return listener.halt(halt),
            }
            if checked(pieces.transport, show, check).await {
                shown(show).await;
            }
        }
    }
    let (ending, shows, size, tail) = listener.finish(show);
    if shows {
        shown(show).await;
    }
    (ending, size, tail)
}

/// A body piece by piece, none of which may take longer than the idle time, and all of them no longer than the time that
/// an attempt has.
pub(super) struct Pieces<'t> {
    transport: &'t dyn Transport,
    body: &'t mut Body,
    idle: Option<Duration>,
    /// When the request was sent.
    sent: Duration,
    time: Option<Duration>,
    /// Wakes when one of the times may be over. It is not set anew for each piece, but looks at the clock when it rings.
    wake: Option<BoxFuture<'t, ()>>,
    /// Since when nothing came.
    since: Option<Duration>,
}

impl<'t> Pieces<'t> {
    pub(super) fn new(transport: &'t dyn Transport, body: &'t mut Body, idle: Option<Duration>) -> Self {
        Self { transport, body, idle, sent: Duration::ZERO, time: None, wake: None, since: None }
    }

    /// Why nothing more may come, if the time is over.
    fn late(&self) -> Option<Stop> {
        let time = self.time.filter(|time| self.transport.now().monotonic >= self.sent + *time)?;
        Some(Stop::runaway(&format!("nothing complete after {time:?}")))
    }

    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, TransportError> {
        let Self { transport, body, idle, sent, time, wake, since } = self;
        let stream = match &mut body.0 {
            Repr::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                return Ok((!bytes.is_empty()).then_some(bytes));
            }
            Repr::Arriving(stream) => stream,
        };
        poll_fn(|context| {
            if let Poll::Ready(piece) = stream.as_mut().poll_next(context) {
                *since = None;
                return Poll::Ready(piece.transpose());
            }
            let now = || transport.now().monotonic;
            let since = *since.get_or_insert_with(now);
            let end = idle.map(|idle| since + idle).into_iter().chain(time.map(|time| *sent + time)).min();
            let Some(end) = end else { return Poll::Pending };
            loop {
                let ring = wake.get_or_insert_with(|| transport.sleep(end.saturating_sub(now())));
                match Pin::as_mut(ring).poll(context) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) => *wake = None,
                }
                if now() >= end {
                    return Poll::Ready(Err(quiet(idle.unwrap_or_default())));
                }
            }
        })
        .await
    }
}

/// Nothing came for so long.
fn quiet(time: Duration) -> TransportError {
    TransportError::new(TransportErrorKind::Timeout).with_source(format!("nothing came for {time:?}"))
}
