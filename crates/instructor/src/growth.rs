//! Room for what grows to be as long as an answer.

/// What is shorter doubles, as `String` and `Vec` do.
const LONG: usize = 4 << 10;

/// Adds to a text. A long one takes room for an eighth more, so that it is about as large as what is in it.
pub(crate) fn append(text: &mut String, more: &str) {
    let length = text.len();
    if length >= LONG && text.capacity() - length < more.len() {
        text.reserve_exact(more.len().max(length / 8));
    }
    text.push_str(more);
}

/// Makes room for so many more in a list, as [`append`] does in a text.
pub(crate) fn room<T>(list: &mut Vec<T>, more: usize) {
    let length = list.len();
    if length * size_of::<T>() >= LONG && list.capacity() - length < more {
        list.reserve_exact(more.max(length / 8));
    }
}
