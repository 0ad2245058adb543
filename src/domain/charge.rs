//! Charges: what one event costs, as exact numerators over its tariff's denominator.

use super::outcome::words;

words! {
    /// What a part of a charge is for.
    ComponentKind {
        Usage = "usage",
        Allowance = "allowance",
        ConnectionFee = "connection-fee",
        Discount = "discount",
        Floor = "floor",
        Cap = "cap",
        Rounding = "rounding",
    }
}

words! {
    /// What a quantity counts.
    Unit {
        Second = "second",
        Call = "call",
        Message = "message",
        Segment = "segment",
        Page = "page",
        /// Once for an event, whatever its length.
        Event = "event",
        /// Money: what a monetary allowance grants.
        Amount = "amount",
    }
}

/// A draw on an allowance: its counter in the compiled rules, and the tariff version that granted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    pub counter: u32,
    pub version: u32,
}

/// One part of the charge of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    pub kind: ComponentKind,
    /// Index of the tariff clause (a rate of a tariff version) in the compiled rules.
    pub clause: u32,
    /// The clause under whose line it stands; another one for the later prices of a destination.
    pub line: u32,
    /// The allowance that was drawn, when `kind` is `Allowance`.
    pub allowance: Option<Draw>,
    pub unit: Unit,
    /// Tier of the clause, from 1; 0 without tiers.
    pub tier: u16,
    /// Matter and timekeeper as numbers of the compiled rules, from 1; 0 is none.
    pub matter: u32,
    pub timekeeper: u32,
    /// Which of the event's time entries this is a part of.
    pub entry: u16,
    /// Index of the month it belongs to in the compiled rules: that of the event, unless periods split calls.
    pub month: u32,
    /// First billed unit of the entry that this part covers.
    pub unit_from: i64,
    /// Billed units.
    pub units: i64,
    /// Amount as a numerator over the denominator of the clause's tariff version, in major units of its currency.
    pub numerator: i128,
}

/// The charge of one event: its components and who pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub event_id: String,
    /// Index of the payer in the compiled rules.
    pub payer: u32,
    pub components: Vec<Component>,
}
