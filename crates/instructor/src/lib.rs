//! Instructor.
