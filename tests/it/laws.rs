//! Laws of rating: what must hold of every world and every rule, whatever the numbers are. Each is held against drawn cases,
//! which a seed plays again (`TOLLBOOK_SEED=n`), says how many they were, and is shown a fault that it must see.

mod changes;
mod facts;
mod shapes;
mod sums;
mod tiers;
mod values;
mod zones;
