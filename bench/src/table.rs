//! Rows of two figures and their ratio, printed as they come.

use serde::Serialize;

/// What a row may not go over.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Limit {
    None,
    /// So many times the floor.
    Ratio(f64),
    /// So much more than the floor.
    More(f64),
    /// So much.
    Most(f64),
}

/// One measure of one scenario: medians over the rounds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    pub(crate) measure: String,
    pub(crate) floor: f64,
    pub(crate) ours: f64,
    /// The median of the rounds' ratios, which moves less than the figures.
    pub(crate) ratio: f64,
    pub(crate) limit: Limit,
    pub(crate) within: Option<bool>,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
    pub(crate) notes: Vec<String>,
    print: bool,
}

impl Table {
    pub(crate) fn new(print: bool) -> Self {
        if print {
            println!("{:<34} {:<26} {:>11} {:>11} {:>7}  limit", "scenario", "per call", "floor", "ours", "ratio");
        }
        Self { rows: Vec::new(), notes: Vec::new(), print }
    }

    /// Adds a row from the figures of each round: the floor's and ours.
    pub(crate) fn pairs(
        &mut self,
        scenario: &'static str,
        measure: impl Into<String>,
        pairs: Vec<(f64, f64)>,
        limit: Limit,
    ) {
        if pairs.is_empty() {
            return;
        }
        let floor = median(pairs.iter().map(|(floor, _)| *floor));
        let ours = median(pairs.iter().map(|(_, ours)| *ours));
        let ratio = median(pairs.iter().map(|(floor, ours)| ours / floor));
        let within = match limit {
            Limit::None => None,
            Limit::Ratio(most) => Some(ratio <= most),
            Limit::More(most) => Some(ours - floor <= most),
            Limit::Most(most) => Some(ours <= most),
        };
        let row = Row { scenario, measure: measure.into(), floor, ours, ratio, limit, within };
        if self.print {
            println!("{}", line(&row));
        }
        self.rows.push(row);
    }

    pub(crate) fn note(&mut self, note: &str) {
        if self.print {
            println!("note: {note}");
        }
        self.notes.push(String::from(note));
    }
}

fn line(row: &Row) -> String {
    let Row { scenario, measure, floor, ours, ratio, limit, within } = row;
    let limit = match limit {
        Limit::None => String::new(),
        Limit::Ratio(most) => format!("<= {most:.2}x"),
        Limit::More(most) => format!("<= +{most}"),
        Limit::Most(most) => format!("<= {most}"),
    };
    let over = if *within == Some(false) { "  OVER" } else { "" };
    let line = format!(
        "{scenario:<34} {measure:<26} {:>11} {:>11} {ratio:>6.2}x  {limit}{over}",
        figure(*floor),
        figure(*ours)
    );
    String::from(line.trim_end())
}

/// Three digits at least, and whole numbers where they are large.
pub(crate) fn figure(number: f64) -> String {
    if number >= 1000.0 {
        let whole = format!("{number:.0}");
        let groups: Vec<&str> = whole.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
        return groups.join(",");
    }
    match number {
        n if n >= 100.0 => format!("{n:.0}"),
        n if n >= 10.0 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}

pub(crate) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
    if figures.len().is_multiple_of(2) && middle > 0 { (at(middle - 1) + at(middle)) / 2.0 } else { at(middle) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert_eq!(median([7.0].into_iter()), 7.0);
    }

    #[test]
    fn figures_have_three_digits() {
        let shown = [1234567.4, 1000.0, 321.4, 32.14, 3.214].map(figure);
        assert_eq!(shown, ["1,234,567", "1,000", "321", "32.1", "3.21"]);
    }
}
