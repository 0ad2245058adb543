//! Polars: reads and writes Parquet and works on whole columns; it feeds the stages.
//!
//! Nothing here prices, counts increments or rounds, and no signature takes a file name.

pub mod segment;
