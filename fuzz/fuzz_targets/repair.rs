//! Any text, at every level: no panic, valid JSON out of it, a ledger that is right, and linear work.
//!
//! The first byte chooses the root hint, the limits, and how often the text is repeated.

#![no_main]

use instructor_fuzz::{check_document, each, levels};
use instructor_json::{Level, Limits, Options, RootHint, Severity, read_counted};
use libfuzzer_sys::fuzz_target;

/// The most steps a byte may cost, and the most that a text may cost beside. The look-ahead is at most 512 bytes a
/// decision, and the most that the corpus costs a byte is about 180 (November 2026).
const STEPS_PER_BYTE: u64 = 1024;
const STEPS_BESIDE: u64 = 8192;

fuzz_target!(|data: &[u8]| {
    let Some((&control, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let times = [1, 1, 1, 16][usize::from(control >> 4 & 3)];
    let text = &text.repeat(if text.len() * times > 1 << 15 { 1 } else { times });
    let root = [RootHint::Any, RootHint::Object, RootHint::Array][usize::from(control & 3) % 3];
    let limits = match control >> 2 & 3 {
        0..=2 => Limits::DEFAULT,
        _ => Limits::DEFAULT.with_depth(3),
    };
    let unnamed = Options::new().with_level(Level::Salvage);
    for options in levels().into_iter().chain([unnamed]) {
        check(text, options.with_root(root).with_limits(limits));
    }
});

fn check(text: &str, options: Options) {
    let level = options.level();
    let slice = |span: std::ops::Range<usize>, what: &str| {
        assert!(text.get(span.clone()).is_some(), "{level:?} {what} {span:?} of {text:?}");
    };
    let (reading, steps) = read_counted(text, &options);
    let most = STEPS_PER_BYTE * text.len() as u64 + STEPS_BESIDE;
    assert!(steps <= most, "{level:?}: {steps} steps for {} bytes: {text:?}", text.len());
    let reading = match reading {
        Ok(reading) => reading,
        Err(error) => {
            assert!(error.offset() <= text.len(), "{level:?} offset {} of {text:?}", error.offset());
            if let Some(needs) = error.needs() {
                slice(needs.span(), "the span of a needed repair");
                assert!(!options.allows(needs.kind(), needs.severity()), "{level:?} refused {needs:?}: {text:?}");
            }
            return;
        }
    };
    assert!(!reading.candidates.is_empty());
    for range in &reading.reasoning {
        slice(range.clone(), "reasoning");
    }
    let mut last = 0;
    for candidate in &reading.candidates {
        assert!(candidate.span.start >= last, "{level:?} candidates overlap: {text:?}");
        last = candidate.span.end;
    }
    for candidate in reading.candidates.iter().chain(&reading.passed_over) {
        slice(candidate.span.clone(), "a candidate");
        check_document(&candidate.document);
        each(candidate.document.root(), &mut |node| slice(node.source_span(), "the source of a node"));
        let mut partial = false;
        for repair in &candidate.repairs {
            slice(repair.span(), repair.kind().name());
            let (severity, kind) = (repair.severity(), repair.kind());
            assert!(options.allows(kind, severity), "{level:?} made {kind} {severity:?}: {text:?}");
            assert!(level > Level::Strict, "{level:?} made {kind}: {text:?}");
            partial |= severity == Severity::Partial;
            let _ = (repair.before(text), repair.after(&candidate.document), repair.path(&candidate.document));
        }
        assert!(partial || !candidate.truncated, "{level:?} cut without a word in the ledger: {text:?}");
        assert!(candidate.truncated || !partial, "{level:?} whole, with {:?}: {text:?}", candidate.repairs);
        let borrowed = candidate.document.is_borrowed();
        assert!(!borrowed || candidate.document.root().span() == candidate.span, "{level:?}: {text:?}");
    }
}
