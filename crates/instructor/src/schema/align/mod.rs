//! Fits a tree to a contract: exact coercions by default, guesses where the level allows them, each step in the ledger.
//!
//! Nothing is invented and nothing is dropped without being said. What can't be fitted is written as it came, so that
//! the validation that follows names it with its path.

mod keys;
mod number;
mod prose;
mod scalar;
mod spot;
mod union;
mod view;
mod words;

use std::collections::HashMap;
use std::rc::Rc;

use instructor_json::{Document, Kind, Node, Step};
use serde_json::Value;

pub(crate) use self::spot::{Entry, Spot, Spots, amount, repeated, same_text};
pub(super) use self::view::View;
use crate::repair::{Level, Repair, Severity, allows, short};
use crate::validate::{Issue, Origin, Path};

/// A value in the form that the contract wants, as JSON text, and what was done to it.
#[derive(Debug)]
pub(crate) struct Aligned {
    pub(crate) json: String,
    pub(crate) repairs: Vec<Repair>,
    pub(crate) fit: Fit,
    /// What is no value of the wanted type although the schema's own words take it.
    pub(crate) issues: Vec<Issue>,
}

/// How well a value fits; the least is the best. Compared from the first field to the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fit {
    /// Values that don't fit at all, and required ones that are not there.
    pub(crate) misfits: u32,
    guesses: u32,
    exact: u32,
    /// Keys that the schema does not know.
    unknown: u32,
    /// Known properties that are not there: of two types that fit, the one that uses more of the answer is meant.
    unused: u32,
}

impl Fit {
    const MISFIT: Self = Self { misfits: 1, ..Self::PERFECT };
    const PERFECT: Self = Self { misfits: 0, guesses: 0, exact: 0, unknown: 0, unused: 0 };

    const fn step(severity: Severity) -> Self {
        match severity {
            Severity::Lossless => Self { exact: 1, ..Self::PERFECT },
            _ => Self { guesses: 1, ..Self::PERFECT },
        }
    }

    const fn and(self, other: Self) -> Self {
        Self {
            misfits: self.misfits.saturating_add(other.misfits),
            guesses: self.guesses.saturating_add(other.guesses),
            exact: self.exact.saturating_add(other.exact),
            unknown: self.unknown.saturating_add(other.unknown),
            unused: self.unused.saturating_add(other.unused),
        }
    }
}

/// Fits a value to a schema.
pub(crate) fn align(schema: &Value, node: Node<'_>, level: Level) -> Aligned {
    run(schema, node, level, false)
}

/// [`align`] for a value inside an answer, with its part of the schema.
fn align_part(root: &Value, schema: &Value, node: Node<'_>, level: Level) -> Aligned {
    let mut fitter = Fitter::new(root, node, level, true);
    let fit = fitter.fit(schema, node, 0);
    fitter.aligned(fit)
}

/// [`align`] for a value that was put together, whose spans are not those of the answer.
pub(crate) fn align_assembled(schema: &Value, node: Node<'_>, level: Level) -> Aligned {
    run(schema, node, level, true)
}

fn run(schema: &Value, node: Node<'_>, level: Level, unpacked: bool) -> Aligned {
    let mut fitter = Fitter::new(schema, node, level, unpacked);
    let fit = fitter.root(node);
    fitter.aligned(fit)
}

/// Whether a schema says nothing about what fits.
pub(crate) fn takes_anything(schema: &Value) -> bool {
    View::of(schema, schema).anything()
}

/// Fits a text that holds no JSON to a schema that wants a scalar, or a list of one.
pub(crate) fn bare(schema: &Value, text: &str, level: Level) -> Option<Aligned> {
    let view = View::of(schema, schema);
    if view.anything() {
        // Where anything is wanted, words are a string: likely, and no more than that.
        let word = text.trim();
        let plain = allows(level, Severity::Guess) && !word.contains(['{', '}', '[', ']', '"', '`', '\n']);
        return plain.then(|| prose::text(word));
    }
    let quoted = Value::from(text).to_string();
    if view.takes("string") && view.values.is_empty() && view.branches.is_empty() {
        // What was asked for is text, and this is it.
        return Some(Aligned { json: quoted, repairs: Vec::new(), fit: Fit::PERFECT, issues: Vec::new() });
    }
    let said = |json: String| Document::parse(&json).ok().map(|doc| run(schema, doc.root(), level, true));
    // Words are not the one element of a list: they may hold a list that could not be read.
    if !view.takes("array") {
        let aligned = said(Value::from(text.trim()).to_string())?;
        if aligned.fit.misfits == 0 {
            return Some(aligned);
        }
    }
    if !allows(level, Severity::Guess) {
        return None;
    }
    prose::said(schema, text)
}

/// Steps that any alignment may take, besides those that grow with the answer. Unions inside unions can ask for more;
/// what is left then is written as it came.
const WORK: usize = 200_000;

/// How deep a schema may be followed at one value.
const DEPTH: usize = 400;

struct Fitter<'s> {
    root: &'s Value,
    level: Level,
    out: String,
    repairs: Vec<Repair>,
    issues: Vec<Issue>,
    path: Vec<Step<'static>>,
    /// Views by the place of their schema: the items of a list share one.
    views: HashMap<*const Value, Rc<View<'s>>>,
    work: usize,
    /// Inside text that was unpacked from a string, whose spans are not those of the answer.
    unpacked: bool,
}

/// A point to come back to when one way of fitting is given up for another.
struct Mark {
    out: usize,
    repairs: usize,
    issues: usize,
}

impl<'s> Fitter<'s> {
    fn new(root: &'s Value, node: Node<'_>, level: Level, unpacked: bool) -> Self {
        let length = node.source().len();
        Self {
            root,
            level,
            out: String::with_capacity(length + 16),
            repairs: Vec::new(),
            issues: Vec::new(),
            path: Vec::new(),
            views: HashMap::new(),
            work: WORK + 16 * length,
            unpacked,
        }
    }

    fn aligned(self, fit: Fit) -> Aligned {
        Aligned { json: self.out, repairs: self.repairs, fit, issues: self.issues }
    }

    /// The root may stand in a wrap that nobody asked for.
    fn root(&mut self, node: Node<'_>) -> Fit {
        let mark = self.mark();
        let fit = self.fit(self.root, node, 0);
        let Some(inner) = keys::wrapped(&View::of(self.root, self.root), node).filter(|_| fit.misfits > 0) else {
            return fit;
        };
        if !self.allows(Severity::Guess) {
            return fit;
        }
        let kept = (self.out.split_off(mark.out), self.repairs.split_off(mark.repairs));
        self.log("Unwrap", Severity::Guess, node, inner.source());
        let unwrapped = Fit::step(Severity::Guess).and(self.fit(self.root, inner, 0));
        if unwrapped < fit {
            return unwrapped;
        }
        self.back(&mark);
        self.out.push_str(&kept.0);
        self.repairs.extend(kept.1);
        fit
    }

    fn view(&mut self, schema: &'s Value) -> Rc<View<'s>> {
        let root = self.root;
        Rc::clone(self.views.entry(std::ptr::from_ref(schema)).or_insert_with(|| Rc::new(View::of(schema, root))))
    }

    fn fit(&mut self, schema: &'s Value, node: Node<'_>, depth: usize) -> Fit {
        if self.work == 0 || depth > DEPTH {
            return self.as_it_came(node);
        }
        self.work -= 1;
        let view = self.view(schema);
        if view.anything() {
            self.write_source(node);
            return Fit::PERFECT;
        }
        if !view.branches.is_empty() {
            return self.union(&view, node, depth);
        }
        if !view.values.is_empty() {
            return self.choice(&view, node, depth);
        }
        match node.kind() {
            Kind::Object if view.takes("object") => self.object(&view, node, depth),
            Kind::Array if view.takes("array") => self.array(&view, node, depth),
            Kind::Number if view.takes("number") => self.as_it_is(node),
            Kind::Number if view.takes("integer") => self.integer(node),
            Kind::String if view.takes("string") => self.as_it_is(node),
            Kind::Bool if view.takes("boolean") => self.as_it_is(node),
            Kind::Null if view.takes("null") => self.as_it_is(node),
            _ => self.coerced(&view, node, depth),
        }
    }

    /// A value of a kind that the schema does not take.
    fn coerced(&mut self, view: &View<'s>, node: Node<'_>, depth: usize) -> Fit {
        if let Some(fit) = self.scalar(view, node) {
            return fit;
        }
        if node.kind() == Kind::String
            && (view.takes("object") || view.takes("array"))
            && let Some(fit) = self.stringified(view, node, depth)
        {
            return fit;
        }
        if node.kind() == Kind::Array
            && !view.takes("array")
            && node.len() == 1
            && let Some(only) = node.at(0)
        {
            return self.either("ListToSingle", node, |fitter| fitter.fit_view(view, only, depth));
        }
        if view.takes("array") && !matches!(node.kind(), Kind::Array | Kind::Null) {
            let item = view.item(0);
            return self.either("SingleToList", node, |fitter| {
                fitter.out.push('[');
                let fit = fitter.at(Step::Index(0), |fitter| fitter.fit_item(item, node, depth));
                fitter.out.push(']');
                fit
            });
        }
        self.as_it_came(node)
    }

    /// Takes an exact step if what comes of it fits, and leaves the value as it came otherwise.
    fn either(&mut self, kind: &'static str, node: Node<'_>, step: impl FnOnce(&mut Self) -> Fit) -> Fit {
        let mark = self.mark();
        self.log(kind, Severity::Lossless, node, "");
        let fit = Fit::step(Severity::Lossless).and(step(self));
        let after = self.out.get(mark.out..).map(short).unwrap_or_default();
        if let Some(repair) = self.repairs.get_mut(mark.repairs) {
            repair.after = after;
        }
        if fit.misfits == 0 {
            return fit;
        }
        self.back(&mark);
        self.as_it_came(node)
    }

    /// A string that holds the JSON that was wanted.
    fn stringified(&mut self, view: &View<'s>, node: Node<'_>, depth: usize) -> Option<Fit> {
        let text = node.as_str()?;
        let doc = Document::parse(text.trim()).ok()?;
        let kind = doc.root().kind();
        let wanted = (kind == Kind::Object && view.takes("object")) || (kind == Kind::Array && view.takes("array"));
        if !wanted {
            return None;
        }
        let mark = self.mark();
        let before = std::mem::replace(&mut self.unpacked, true);
        let fit = Fit::step(Severity::Lossless).and(self.fit_view(view, doc.root(), depth));
        self.unpacked = before;
        if fit.misfits > 0 {
            self.back(&mark);
            return None;
        }
        self.log("StringifiedJson", Severity::Lossless, node, doc.root().source());
        Some(fit)
    }

    fn fit_view(&mut self, view: &View<'s>, node: Node<'_>, depth: usize) -> Fit {
        self.fit(view.schema, node, depth + 1)
    }

    fn fit_item(&mut self, item: Option<&'s Value>, node: Node<'_>, depth: usize) -> Fit {
        match item {
            Some(item) => self.fit(item, node, depth + 1),
            None => self.as_it_is(node),
        }
    }

    fn array(&mut self, view: &View<'s>, node: Node<'_>, depth: usize) -> Fit {
        let mut fit = Fit::PERFECT;
        self.out.push('[');
        for (i, item) in node.items().enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            fit = fit.and(self.at(Step::Index(i), |fitter| fitter.fit_item(view.item(i), item, depth)));
        }
        self.out.push(']');
        fit
    }

    /// Runs a step one level further in.
    fn at<T>(&mut self, step: Step<'static>, run: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = run(self);
        self.path.pop();
        result
    }

    fn as_it_is(&mut self, node: Node<'_>) -> Fit {
        self.write_source(node);
        Fit::PERFECT
    }

    fn as_it_came(&mut self, node: Node<'_>) -> Fit {
        self.write_source(node);
        Fit::MISFIT
    }

    fn write_source(&mut self, node: Node<'_>) {
        self.out.push_str(node.source());
    }

    fn write_string(&mut self, text: &str) {
        self.out.push_str(&Value::from(text).to_string());
    }

    fn mark(&self) -> Mark {
        Mark { out: self.out.len(), repairs: self.repairs.len(), issues: self.issues.len() }
    }

    fn back(&mut self, mark: &Mark) {
        self.out.truncate(mark.out);
        self.repairs.truncate(mark.repairs);
        self.issues.truncate(mark.issues);
    }

    /// Writes a value as it came and says what is wrong with it, where no keyword of the schema does.
    fn refuse(&mut self, node: Node<'_>, wanted: &str) -> Fit {
        let path = Path::of_steps(self.path.iter().cloned());
        self.issues.push(Issue::found_by(Origin::Schema, path, wanted).got(short(node.source())));
        self.as_it_came(node)
    }

    fn allows(&self, severity: Severity) -> bool {
        allows(self.level, severity)
    }

    fn log(&mut self, kind: &'static str, severity: Severity, node: Node<'_>, after: &str) {
        let path = Path::of_steps(self.path.iter().cloned());
        let span = (!self.unpacked).then(|| node.source_span());
        self.repairs.push(Repair { kind, severity, path, span, before: short(node.source()), after: short(after) });
    }
}
