//! The traps of the domain that concern rating, one test each, by their numbers in the list that `tests/README.md` keeps.
//! The money that is expected was computed by hand and stands in a comment.

mod arithmetic;
mod records;
mod reductions;
mod time;
