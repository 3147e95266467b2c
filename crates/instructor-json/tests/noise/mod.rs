//! Texts for properties, and how they are read.

use instructor_json::{Level, Options, RepairKind};
use proptest::prelude::*;

/// With everything that may be salvaged.
pub(crate) fn salvage() -> Options {
    RepairKind::ALL.iter().fold(Options::new().with_level(Level::Salvage), |options, &kind| options.salvage(kind))
}

/// Every level.
pub(crate) fn levels() -> [Options; 4] {
    [Options::new().with_level(Level::Strict), Options::new(), Options::new().with_level(Level::Lenient), salvage()]
}

/// Text made of the pieces that models get wrong.
pub(crate) fn noise() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just("\""),
        Just("'"),
        Just(","),
        Just(":"),
        Just("\n"),
        Just(" "),
        Just("\"a\""),
        Just("\"b\": "),
        Just("key"),
        Just("1"),
        Just("12,345"),
        Just("-"),
        Just("true"),
        Just("tru"),
        Just("None"),
        Just("\\"),
        Just("\\\""),
        Just("\\u00e9"),
        Just("\\ud83d"),
        Just("\\x41"),
        Just("//"),
        Just("/*"),
        Just("*/"),
        Just("#"),
        Just("<!--"),
        Just("-->"),
        Just("```"),
        Just("```json\n"),
        Just("\n```\n"),
        Just("<think>"),
        Just("</think>"),
        Just("..."),
        Just("+"),
        Just("("),
        Just(")"),
        Just("“"),
        Just("”"),
        Just("é"),
        Just("="),
        Just("=>"),
        Just(";"),
        Just("ObjectId("),
        Just("0x1F"),
        Just(".5"),
        Just("\"\"\""),
        Just("{\"a\": 1"),
        Just("`"),
        Just("\u{a0}"),
        Just("😀"),
        Just("words of prose, and more. "),
        Just("</a>"),
        Just("r\"x\""),
        Just("NaN"),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}
