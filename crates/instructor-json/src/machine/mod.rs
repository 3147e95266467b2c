//! The tolerant state machine: one value out of a text that may go on arriving.
//!
//! A step looks at the text, and at a bounded window after its position, before it changes anything. If a byte that
//! decides is not there yet, the step asks to wait and is taken again when there is more. So what is decided follows
//! from the text alone, never from how it was split.

mod bare;
mod bracket;
mod close;
mod draft;
mod escape;
mod gap;
mod judge;
mod scalar;
mod skip;
mod string;

use crate::document::{Document, Kind};
use crate::input::{Input, Wait};
use crate::options::Options;
use crate::repair::{Repair, RepairKind, Severity};
use crate::{Error, ErrorKind};

use self::bare::Bare;
use self::skip::Skip;
use self::string::Text;

pub(crate) use self::scalar::classify;

/// What the machine came to.
#[derive(Debug)]
pub(crate) enum Progress {
    /// More text is needed.
    Wait,
    /// The value has ended.
    Done,
    /// A repair above the level is needed.
    Blocked(Repair),
    /// A limit, or a text that no repair fits.
    Failed(Error),
}

/// Why a step did not happen.
#[derive(Debug)]
pub(crate) enum Stop {
    Wait,
    Error(Error),
}

impl From<Wait> for Stop {
    fn from(_: Wait) -> Self {
        Self::Wait
    }
}

/// Whether the value goes on.
#[derive(PartialEq, Eq)]
pub(crate) enum Flow {
    Go,
    Done,
}

pub(crate) type Step = Result<Flow, Stop>;

/// What kind of container is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    Object,
    Array,
    /// `(1, 2)`, read as an array.
    Tuple,
    /// `{"x", "y"}`, read as an array.
    Set,
    /// `(1)` or `ObjectId("x")`: no container, only a parenthesis to close.
    Group,
}

impl Shape {
    pub(crate) const fn is_list(self) -> bool {
        matches!(self, Self::Array | Self::Tuple | Self::Set)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    shape: Shape,
    slot: u32,
    items: u32,
    /// Doubled braces: how many more closers belong to it.
    extra: u32,
    /// An object that was opened by a repair, around a member of an array.
    implied: bool,
    /// If its bracket turns out to be missing, it may have stood earlier too, with another value.
    loose: bool,
    /// A comma stands before its first item.
    led: bool,
}

impl Frame {
    const fn new(shape: Shape, slot: u32) -> Self {
        Self { shape, slot, items: 0, extra: 0, implied: false, loose: false, led: false }
    }
}

/// What may come next.
#[derive(Debug)]
pub(crate) enum Expect {
    /// An element, or the bracket that closes the array.
    Item,
    /// A key, or the brace that closes the object.
    Key,
    Colon,
    Value,
    /// A separator or a closing bracket.
    Next,
    /// After the root.
    After,
    Text(Text),
    Bare(Bare),
}

/// What the last value was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Last {
    Nothing,
    Text,
    Scalar,
    Container,
}

/// Where the draft stood before a key.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    text: usize,
    slots: usize,
    source: usize,
}

#[derive(Debug)]
pub(crate) struct Machine {
    doc: Document<'static>,
    repairs: Vec<Repair>,
    /// Which kinds of them there are, a bit each.
    kinds: u64,
    blocked: Option<Repair>,
    truncated: bool,
    options: Options,
    /// In a fence, whose end ends the value too.
    fenced: bool,
    frames: Vec<Frame>,
    at: usize,
    expect: Expect,
    skip: Option<Skip>,
    /// Commas since the last item, and where the first stands.
    commas: u32,
    comma_at: usize,
    last: Last,
    key: Mark,
    /// A line comment that ended with the text had closing brackets in it.
    swallowed: bool,
    failed: Option<Error>,
    /// Where the draft stands without a scalar that is shown before its end is certain.
    early: Option<(usize, usize)>,
    /// How long the text was when the machine waited last; none once it is refused, and shows what was certain.
    waited: Option<usize>,
    /// The root has ended and is shown as open, since members may follow it.
    held_open: bool,
    /// The string slot that is open, and how much of it has been told of.
    told: usize,
    /// Where a string that is the whole text has its closing quote.
    root_end: Option<usize>,
    quoted_root: bool,
    /// A key in doubled quotes was read: they are a habit of the text.
    doubled: bool,
    /// An array that holds nothing but an array was read.
    nested: bool,
}

impl Machine {
    pub(crate) fn new(at: usize, fenced: bool, options: Options) -> Self {
        Self {
            doc: Document::empty(),
            repairs: Vec::new(),
            kinds: 0,
            blocked: None,
            truncated: false,
            options,
            fenced,
            frames: Vec::new(),
            at,
            expect: Expect::Value,
            skip: None,
            commas: 0,
            comma_at: 0,
            last: Last::Nothing,
            key: Mark::default(),
            swallowed: false,
            failed: None,
            early: None,
            waited: Some(at),
            held_open: false,
            told: 0,
            root_end: None,
            quoted_root: false,
            doubled: false,
            nested: false,
        }
    }

    /// For a text that is one string with quotes inside.
    pub(crate) const fn with_root_end(mut self, at: usize) -> Self {
        self.root_end = Some(at);
        self
    }

    /// Where it stands in the text.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// Whether the root is a string with a quote inside that did not close it.
    pub(crate) const fn is_quoted_prose(&self) -> bool {
        self.quoted_root
    }

    pub(crate) const fn document(&self) -> &Document<'static> {
        &self.doc
    }

    pub(crate) fn into_parts(mut self) -> (Document<'static>, Vec<Repair>, bool) {
        self.doc.shown = self.doc.node_count() as u32;
        (self.doc, self.repairs, self.truncated)
    }

    /// Reads on as far as the text allows.
    pub(crate) fn run(&mut self, input: &Input<'_>) -> Progress {
        if let Some(refusal) = self.refusal() {
            return refusal;
        }
        self.take_back();
        loop {
            input.step(1);
            let step = self.step(input);
            if let Err(Stop::Error(error)) = step {
                self.failed = Some(error);
            }
            if let Some(refusal) = self.refusal() {
                return refusal;
            }
            match step {
                Ok(Flow::Go) => {}
                Ok(Flow::Done) => {
                    self.settle();
                    return Progress::Done;
                }
                Err(_) => {
                    self.show_early(input);
                    self.settle();
                    self.hold_open();
                    self.waited = Some(input.len());
                    return Progress::Wait;
                }
            }
        }
    }

    /// After a refusal: shows what was certain before the first byte with which the text is refused, however it came.
    /// It is read again up to there, from where the value begins.
    pub(crate) fn show_unrefused(&mut self, input: &Input<'_>, start: usize) {
        let Some(mut certain) = self.waited.take() else { return };
        let read = |end: usize| {
            let end = (start..=end).rev().find(|&at| input.text.is_char_boundary(at))?;
            let before = Input { text: input.slice(0, end), eof: false, steps: 0.into() };
            let mut machine = Self::new(start, self.fenced, self.options);
            machine.run(&before);
            input.step(before.steps.get() as usize);
            machine.refusal().is_none().then_some(machine.doc)
        };
        // A text that goes on after what is refused is refused too.
        let mut refused = input.len() + usize::from(input.eof);
        let mut last = None;
        while certain + 1 < refused {
            let end = certain.midpoint(refused);
            match read(end) {
                Some(document) => (certain, last) = (end, Some(document)),
                None => refused = end,
            }
        }
        if let Some(document) = last.or_else(|| read(certain)) {
            self.doc = document;
        }
    }

    /// Why it goes no further: of two reasons, the repair.
    fn refusal(&self) -> Option<Progress> {
        self.blocked.map(Progress::Blocked).or_else(|| self.failed.map(Progress::Failed))
    }

    fn step(&mut self, input: &Input<'_>) -> Step {
        match self.expect {
            Expect::Text(_) => return self.text_step(input),
            Expect::Bare(_) => return self.bare_step(input),
            Expect::After => return self.after_root(input),
            _ => {}
        }
        if self.skip.is_some() {
            return self.skip_step(input);
        }
        self.at = crate::parse::skip_space(input.bytes(), self.at);
        let Some(byte) = input.byte(self.at)? else {
            return Ok(self.end(false));
        };
        if self.skips(input, byte)? {
            return Ok(Flow::Go);
        }
        if self.is_marker(input, byte)? {
            return Ok(self.end(true));
        }
        match self.expect {
            Expect::Item => self.item(input, byte),
            Expect::Key => self.key(input, byte),
            Expect::Colon => self.colon(input, byte),
            Expect::Value => self.member(input, byte),
            _ => self.next(input, byte),
        }
    }

    /// Whether what encloses the value ends here.
    fn is_marker(&self, input: &Input<'_>, byte: u8) -> Result<bool, Wait> {
        if self.frames.is_empty() {
            return Ok(false);
        }
        Ok(match byte {
            b'`' => self.fenced && input.starts(self.at, "```")?,
            b'~' => self.fenced && input.starts(self.at, "~~~")?,
            b'<' => input.starts(self.at, "</")?,
            _ => false,
        })
    }

    fn repair(&mut self, kind: RepairKind, severity: Severity, from: usize, to: usize) {
        let node = self.doc.node_count().saturating_sub(1) as u32;
        self.record(Repair::new(kind, severity, (from as u32, to as u32), node));
    }

    fn record(&mut self, repair: Repair) {
        if self.blocked.is_none() && !self.options.allows(repair.kind(), repair.severity()) {
            self.blocked = Some(repair);
        }
        self.kinds |= 1 << repair.kind() as u32;
        self.repairs.push(repair);
    }

    /// Goes on after a repair of the bytes up to `to`.
    fn pass(&mut self, kind: RepairKind, severity: Severity, to: usize) -> Step {
        self.repair(kind, severity, self.at, to);
        self.at = to;
        Ok(Flow::Go)
    }

    fn refuse(&self) -> Step {
        Err(Stop::Error(Error::new(ErrorKind::UnexpectedByte, self.at)))
    }

    fn top(&self) -> Option<&Frame> {
        self.frames.last()
    }

    fn top_shape(&self) -> Option<Shape> {
        self.frames.last().map(|f| f.shape)
    }

    /// The shape of the container around the innermost one.
    fn outer_shape(&self) -> Option<Shape> {
        self.frames.len().checked_sub(2).and_then(|i| self.frames.get(i)).map(|f| f.shape)
    }

    /// The innermost container that is one, not a parenthesis.
    fn in_object(&self) -> bool {
        self.frames.iter().rev().find(|f| f.shape != Shape::Group).is_some_and(|f| f.shape == Shape::Object)
    }

    fn in_array(&self) -> bool {
        self.top_shape().is_some_and(Shape::is_list)
    }

    fn too_deep(&self) -> Result<(), Stop> {
        if self.frames.len() >= self.options.limits().depth {
            return Err(Stop::Error(Error::new(ErrorKind::TooDeep, self.at)));
        }
        Ok(())
    }

    /// The shape a value of this kind opens.
    const fn shape_kind(shape: Shape) -> Kind {
        match shape {
            Shape::Object => Kind::Object,
            _ => Kind::Array,
        }
    }
}
