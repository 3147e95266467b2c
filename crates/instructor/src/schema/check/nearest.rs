//! The allowed name that someone who wrote another one most likely meant.

/// Names longer than this are compared for equality only.
const LONGEST: usize = 64;

/// The nearest of the allowed names: the same letters and digits first, then the fewest typing mistakes, and none if
/// more than about a third of the name would be mistakes.
pub(crate) fn nearest<'n>(given: &str, allowed: impl Iterator<Item = &'n str> + Clone) -> Option<&'n str> {
    let key = letters(given);
    if !key.is_empty()
        && let Some(same) = allowed.clone().find(|name| letters(name) == key)
    {
        return Some(same);
    }
    let given: Vec<char> = given.trim().chars().flat_map(char::to_lowercase).take(LONGEST + 1).collect();
    if given.len() > LONGEST {
        return None;
    }
    let mut best = None;
    for name in allowed {
        let letters: Vec<char> = name.chars().flat_map(char::to_lowercase).take(LONGEST + 1).collect();
        let longer = letters.len().max(given.len());
        let most = if longer < 3 { 0 } else { (longer / 3).max(1) };
        if longer > LONGEST || letters.len().abs_diff(given.len()) > most {
            continue;
        }
        let mistakes = distance(&given, &letters);
        if mistakes <= most && best.is_none_or(|(fewest, _)| mistakes < fewest) {
            best = Some((mistakes, name));
        }
    }
    best.map(|(_, name)| name)
}

/// Lower-case letters and digits only, so that `in_progress`, `InProgress` and `in progress` are the same.
pub(crate) fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours from one to the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut last_a = None;
    for (i, &x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        let mut left = i + 1;
        let mut last_b = None;
        for (j, &y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let mut cost = (at(&above, j) + usize::from(x != y)).min(left + 1).min(at(&above, j + 1) + 1);
            if last_a == Some(y) && last_b == Some(x) {
                cost = cost.min(at(&before, j.saturating_sub(1)) + 1);
            }
            row.push(cost);
            left = cost;
            last_b = Some(y);
        }
        before = std::mem::replace(&mut above, row);
        last_a = Some(x);
    }
    above.last().copied().unwrap_or_default()
}
