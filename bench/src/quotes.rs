//! What looking for a quote in its source costs, beside one look at each of the source's characters.

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use instructor::Source;

use crate::codec::pairs;
use crate::report::Options;
use crate::table::{Limit, Table};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SOURCE: usize = 1 << 20;
/// Microseconds.
const MOST: Limit = Limit::Most(50_000.0);

const WORDS: &[(&str, &str)] = &[
    ("english", "the supplier shall deliver within thirty days of any order and gives notice upon late payment"),
    ("accents", "thời gian được người những không phải trong của và là một các có cho với Résumé Zürich garçon"),
    ("cjk", "東京 会議 契約 支払い 期限 通知 当事者 供給者 請求書 責任 条項 合意 解除 損害 賠償"),
];

/// Measures folding a source, and quotes that stand there, nearly do, and don't.
pub(crate) fn quotes(options: Options) -> Result<()> {
    let (rounds, batch) = if options.quick { (3, 10) } else { (11, 40) };
    let batch = Duration::from_millis(batch);
    let mut table = Table::new(!options.json);
    for (name, words) in WORDS {
        let (text, other) = (words_of(words, SOURCE, 7), words_of(words, 1 << 14, 99));
        let look = || assert!(black_box(text.chars().filter(|c| c.is_whitespace()).count()) > 0);
        let mut row =
            |what, measure, ours: &dyn Fn()| table.pairs(what, measure, pairs(rounds, batch, &look, ours), MOST);

        row("quotes: a source, once", format!("us, {name}"), &|| {
            drop(black_box(Source::new(text.as_str()).find("nowhere at all")));
        });
        let source = Source::new(text.as_str());
        for length in [80, 300, 1000] {
            let stands = cut(&text, SOURCE - 4096, length);
            let near = with_mistakes(stands);
            let misses = cut(&other, 100, length);
            if source.find(stands).is_none() || source.find(&near).is_none() || source.find(misses).is_some() {
                return Err(format!("{name}, {length}: found what is not there, or not what is").into());
            }
            let find = |quote: &str| drop(black_box(source.find(quote)));
            row("quotes: one that stands there", format!("us, {name}, {length} B"), &|| find(stands));
            row("quotes: one with mistakes", format!("us, {name}, {length} B"), &|| find(&near));
            row("quotes: one that is not there", format!("us, {name}, {length} B"), &|| find(misses));
        }
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&table.rows)?);
    }
    Ok(())
}

/// Words in an order of their own.
fn words_of(words: &str, size: usize, mut seed: u64) -> String {
    let words: Vec<&str> = words.split(' ').collect();
    let mut text = String::with_capacity(size + 32);
    while text.len() < size {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(words[(seed >> 33) as usize % words.len()]);
        text.push(if seed >> 60 == 0 { '\n' } else { ' ' });
    }
    text
}

fn cut(text: &str, from: usize, length: usize) -> &str {
    let boundary = |at: usize| (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    &text[boundary(from)..boundary(from + length)]
}

/// With a character of another kind in each hundred bytes.
fn with_mistakes(text: &str) -> String {
    let mut wrong = String::with_capacity(text.len());
    let mut next = 50;
    for (at, c) in text.char_indices() {
        let mistake = at >= next;
        wrong.push(if mistake { 'q' } else { c });
        next += if mistake { 100 } else { 0 };
    }
    wrong
}
