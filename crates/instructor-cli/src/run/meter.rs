//! How far it is: a bar on a terminal, a line now and then where there is none.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use instructor::Cost;

use crate::output;

/// How often something is shown.
const BAR: Duration = Duration::from_millis(200);
const LINES: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Meter {
    shown: Shown,
    started: Instant,
    next: Duration,
    /// How many rows there are, if that is known.
    total: Option<u64>,
    /// How many were done before.
    before: u64,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// In this run.
    pub(crate) done: u64,
    pub(crate) failed: u64,
    /// Of those that are done, how many were kept from before.
    pub(crate) cached: u64,
    pub(crate) cost: Cost,
}

impl Meter {
    pub(crate) fn new(total: Option<u64>, before: u64, quiet: bool) -> Self {
        let shown = match io::stderr().is_terminal() {
            _ if quiet => Shown::Nothing,
            true => {
                let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
                let style = if total.is_some() { "{bar:24} {msg}" } else { "{spinner} {msg}" };
                bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
                Shown::Bar(bar)
            }
            false => Shown::Lines,
        };
        let next = if matches!(shown, Shown::Bar(_)) { Duration::ZERO } else { LINES };
        Self { shown, started: Instant::now(), next, total, before }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Shows it, if it is time to.
    pub(crate) fn tick(&mut self, progress: &Progress) {
        let elapsed = self.started.elapsed();
        if matches!(self.shown, Shown::Nothing) || elapsed < self.next {
            return;
        }
        let text = self.text(progress, elapsed);
        match &self.shown {
            Shown::Bar(bar) => {
                bar.set_position(self.before + progress.done + progress.failed);
                bar.set_message(text);
                bar.tick();
                self.next = elapsed + BAR;
            }
            Shown::Lines => {
                output::say(&text);
                self.next = elapsed + LINES;
            }
            Shown::Nothing => {}
        }
    }

    /// Says something above it.
    pub(crate) fn say(&self, text: &str) {
        match &self.shown {
            Shown::Bar(bar) => bar.suspend(|| output::say(text)),
            Shown::Lines | Shown::Nothing => output::say(text),
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }

    fn text(&self, progress: &Progress, elapsed: Duration) -> String {
        let ended = progress.done + progress.failed;
        let rate = ended as f64 / elapsed.as_secs_f64().max(0.001);
        let mut text = grouped(self.before + ended);
        if let Some(total) = self.total {
            text += &format!(" of {}", grouped(total));
        }
        text += &format!(" rows, {}/s", if rate < 10.0 { format!("{rate:.1}") } else { grouped(rate as u64) });
        let left = self.total.map(|total| total.saturating_sub(self.before + ended));
        if let Some(left) = left.filter(|&left| left > 0 && ended > 0) {
            text += &format!(", {} left", time(left as f64 / rate));
        }
        text += &spent(&progress.cost);
        if progress.failed > 0 {
            text += &format!(", {} failed", grouped(progress.failed));
        }
        text
    }
}

/// What was spent, if anything is known of it.
pub(crate) fn spent(cost: &Cost) -> String {
    let total = cost.total();
    if total == instructor::Money::ZERO {
        return String::new();
    }
    let more = if cost.is_complete() { "" } else { " at least" };
    // Four places, for a cent is much for a row.
    format!(", {total:.4}{more}")
}

/// 1234567 as people read it.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many seconds, roughly.
pub(crate) fn time(seconds: f64) -> String {
    if seconds < 10.0 {
        return format!("{seconds:.1} s");
    }
    match seconds.ceil() as u64 {
        s @ ..60 => format!("{s} s"),
        s @ ..3600 => format!("{} min {:02} s", s / 60, s % 60),
        s => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        for (seconds, text) in [(0.21, "0.2 s"), (59.0, "59 s"), (61.0, "1 min 01 s"), (3700.0, "1 h 01 min")] {
            assert_eq!(time(seconds), text);
        }
    }

    #[test]
    fn it_tells_how_far_it_is() {
        let meter = Meter::new(Some(10_000), 1000, true);
        let progress = Progress { done: 1990, failed: 10, ..Progress::default() };
        let text = meter.text(&progress, Duration::from_secs(10));
        assert_eq!(text, "3,000 of 10,000 rows, 200/s, 35 s left, 10 failed");
        let open = Meter::new(None, 0, true).text(&Progress { done: 5, ..progress }, Duration::from_secs(10));
        assert_eq!(open, "15 rows, 1.5/s, 10 failed");
    }
}
