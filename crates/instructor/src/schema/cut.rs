//! An answer that broke off: what is there of it, and where it broke.

use instructor_json::{Document, Kind, Level, Node, Options, Reading, RepairKind, Severity, Step, read};

use super::lift::lift;
use super::locate::locate;
use super::lower::Lowered;

/// What is there of an answer that broke off, in the canonical form.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    /// Whole JSON: what was open is closed where it broke.
    pub(crate) json: String,
    /// The way to the innermost value that was open; all around it were open too.
    pub(crate) open: Vec<Step<'static>>,
}

/// A value as far as it came, in the form in which the model wrote it.
struct Written<'t> {
    document: Document<'t>,
    /// The text ended in a string of it.
    in_string: bool,
    /// Nothing shows that it was cut: any list at its end may be short of items.
    closed: bool,
}

impl Cut {
    /// Reads a text that is known to have been cut.
    pub(crate) fn read(text: &str, options: Options, lowered: Option<&Lowered>) -> Option<Self> {
        let Written { document, in_string, closed } = written(text, options)?;
        let written = document.root();
        let end = written.source_span().end;
        let open = |node: Node<'_>| match node.kind() {
            Kind::Array | Kind::Object => closed || node.source_span().end >= end,
            Kind::String => closed || in_string && node.source_span().end >= end,
            _ => false,
        };
        let Some(lowered) = lowered else {
            let open = way(written, |_, node| open(node))?;
            return Some(Self { json: String::from(written.source()), open });
        };
        let json = lift(&lowered.plan, written).json;
        let canonical = Document::parse(&json).ok()?;
        let open = way(canonical.root(), |steps, node| {
            let there = locate(&lowered.plan, written, steps).node;
            !matches!(node.kind(), Kind::Null | Kind::Bool | Kind::Number) && there.is_none_or(open)
        })?;
        drop(canonical);
        Some(Self { json, open })
    }

    /// A list of which these items are there.
    pub(crate) fn of_items(items: &[String]) -> Self {
        Self { json: format!("[{}]", items.join(",")), open: Vec::new() }
    }
}

/// The way along the last values of each, as far as they are open; none if the value itself is not.
pub(super) fn way(root: Node<'_>, open: impl Fn(&[Step<'_>], Node<'_>) -> bool) -> Option<Vec<Step<'static>>> {
    let (mut steps, mut node): (Vec<Step<'static>>, _) = (Vec::new(), root);
    if !open(&steps, root) {
        return None;
    }
    while let Some((step, inner)) = last(node) {
        steps.push(step);
        if !open(&steps, inner) {
            steps.pop();
            break;
        }
        node = inner;
    }
    Some(steps)
}

fn last(node: Node<'_>) -> Option<(Step<'static>, Node<'_>)> {
    let item = node.items().enumerate().last().map(|(index, item)| (Step::Index(index), item));
    let member = || {
        node.entries()
            .last()
            .map(|(key, value)| (Step::Key(key.as_str().unwrap_or_default().into_owned().into()), value))
    };
    item.or_else(member)
}

fn written(text: &str, options: Options) -> Option<Written<'static>> {
    let strict = options.level() == Level::Strict;
    let options = options.with_level(Level::Syntax);
    let in_string = |reading: &Reading<'_>| {
        let kinds = || reading.candidates.last().into_iter().flat_map(|candidate| &candidate.repairs);
        kinds().any(|repair| matches!(repair.kind(), RepairKind::TruncatedString | RepairKind::TruncatedKey))
    };
    let mut reading = read(text, &options);
    let sure = reading.as_ref().is_ok_and(|reading| {
        let whole = |last: &instructor_json::Candidate<'_>| last.repairs.is_empty();
        in_string(reading) || reading.is_truncated() || reading.candidates.last().is_some_and(whole)
    });
    // What ends with a bracket is not taken for a text that was cut. This one was: something comes after it.
    let longer = format!("{},", text.trim_end());
    if !sure && text.trim_end().ends_with([']', '}']) {
        reading = read(&longer, &options);
    }
    let reading = reading.ok()?;
    let in_string = reading.candidates.last()?.repairs.iter().any(|r| r.kind() == RepairKind::TruncatedString);
    let last = reading.candidates.into_iter().last()?;
    let as_written = last.repairs.iter().all(|repair| repair.severity() == Severity::Partial);
    if strict && !as_written {
        return None;
    }
    let closed = !last.truncated;
    Some(Written { document: last.document.into_owned(), in_string, closed })
}
