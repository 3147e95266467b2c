//! Reads standard input at each level and prints what came of it: `echo '{a: 1' | cargo run --example one`.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::io::Read as _;

use instructor_json::{Level, Options, RepairKind, read};

fn main() {
    let mut text = String::new();
    if std::io::stdin().read_to_string(&mut text).is_err() {
        println!("not UTF-8");
        return;
    }
    let salvage = RepairKind::ALL.iter().fold(Options::new().with_level(Level::Salvage), |o, &k| o.salvage(k));
    for options in
        [Options::new().with_level(Level::Strict), Options::new(), Options::new().with_level(Level::Lenient), salvage]
    {
        println!("{:?}", options.level());
        match read(&text, &options) {
            Err(error) => println!("  {error}"),
            Ok(reading) => {
                for c in &reading.candidates {
                    println!("  {:?} {:?} truncated {}: {}", c.found, c.span, c.truncated, c.document.root().source());
                    for r in &c.repairs {
                        println!(
                            "    {} {:?} {:?} {:?} {:?} -> {:?}",
                            r.kind(),
                            r.severity(),
                            r.path(&c.document),
                            r.span(),
                            r.before(&text),
                            r.after(&c.document)
                        );
                    }
                }
            }
        }
    }
}
