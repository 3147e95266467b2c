//! Who asks this process to end: Ctrl-C, and on Unix SIGTERM too.

use std::task::{Context, Poll};

use crate::failure::Failure;

#[cfg(unix)]
pub(crate) struct Signal([tokio::signal::unix::Signal; 2]);

#[cfg(unix)]
impl Signal {
    pub(crate) fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let both = signal(SignalKind::interrupt()).and_then(|one| Ok([one, signal(SignalKind::terminate())?]));
        both.map(Self).map_err(|error| unheard(&error))
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut told = Poll::Pending;
        for signal in &mut self.0 {
            if signal.poll_recv(context).is_ready() {
                told = Poll::Ready(());
            }
        }
        told
    }
}

#[cfg(windows)]
pub(crate) struct Signal(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signal {
    pub(crate) fn new() -> Result<Self, Failure> {
        tokio::signal::windows::ctrl_c().map(Self).map_err(|error| unheard(&error))
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.0.poll_recv(context).map(drop)
    }
}

fn unheard(error: &std::io::Error) -> Failure {
    Failure::unexpected(format!("Ctrl-C can't be listened for: {error}"))
}
