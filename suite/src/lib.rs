//! Nothing: the tests of the workspace are in `tests/it`.
