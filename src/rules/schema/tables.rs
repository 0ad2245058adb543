//! The language as data: every table with its keys, what can stand there, and what it means.

use crate::domain::derivation::IdentityRule;
use crate::domain::disposition::EventDisposition;
use crate::domain::number::NumberClass;
use crate::domain::outcome::{Arrived, Channel, Direction, Outcome};
use crate::rules::options::{
    AllowanceDraws, Alphabet, BandBy, BeyondLastTier, ChargeRounding, Crossing, FeeOnChange, GraceBy,
    IncrementsFrom, InsideAllowance, Late, MessageInstant, NegativeRounding, NoUsage, PeriodBy, Proration,
    TextSplit, TierBounds, UnderASecond, UnitsCounted, ZeroSeconds,
};
use crate::rules::ruleset::{DiscountOf, LegPolicy, Per, Scope, WithoutLegs};

use super::{Form, Key, Kind, Shape};

macro_rules! words_of {
    ($words:ident) => {
        || $words::ALL.iter().map(|word| word.word()).collect()
    };
}

const ANY: Form = Form { pattern: "", sample: "" };
const NAME: Form = Form { pattern: r"\S", sample: "Calls" };
const AMOUNT: Form = Form { pattern: r"^[0-9]+(\.[0-9]+)?$", sample: "0.10" };
const PRICE: Form = Form {
    pattern: r"^[0-9]+(\.[0-9]+)? +per +(second|minute|hour|call|message|segment|page) *$",
    sample: "0.0345 per minute",
};
const PRICE_BY_TIME: Form =
    Form { pattern: r"^[0-9]+(\.[0-9]+)? +per +(second|minute|hour) *$", sample: "350.00 per hour" };
pub(super) const PRICE_FORM: Form = Form {
    pattern: r"^([0-9]+(\.[0-9]+)? +(per +(second|minute|hour|call|message|segment|page) *|flat)|deck +\S.*|by timekeeper|(cost|supplier) *(\+ *[0-9]+(\.[0-9]+)? *% *)?(\+ *[0-9]+(\.[0-9]+)? *)?)$",
    sample: "0.0345 per minute",
};
const MONTHLY: Form = Form { pattern: r"^[0-9]+(\.[0-9]+)? +per month$", sample: "500.00 per month" };
pub(super) const FEE_PRICE: Form =
    Form { pattern: r"^[0-9]+(\.[0-9]+)? +(per month|once)$", sample: "25.00 per month" };
pub(super) const REDUCTION: Form = Form { pattern: r"^[0-9]+(\.[0-9]+)? *%?$", sample: "10%" };
const UNITS: Form = Form {
    pattern: r"^[0-9]+(\.[0-9]+)? +(second|minute|hour|call|message|segment|page)s? *$",
    sample: "100 minutes",
};
pub(super) const GRANT: Form = Form {
    pattern: r"^[0-9]+(\.[0-9]+)? +((second|minute|hour|call|message|segment|page)s? *|of charges)$",
    sample: "500 minutes",
};
const ROLLOVER: Form = Form {
    pattern: r"^(all|[0-9]+(\.[0-9]+)? +((second|minute|hour|call|message|segment|page)s? *|of charges))$",
    sample: "100 minutes",
};
pub(super) const LENGTH: Form =
    Form { pattern: r"^[0-9]+(\.[0-9]+)? +(second|minute|hour)s? *$", sample: "30 seconds" };
pub(super) const INCREMENT: Form = Form { pattern: r"^ *[0-9]+ */ *[0-9]+ *$", sample: "60/6" };
const DATE: Form = Form { pattern: r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", sample: "2026-11-26" };
const START: Form =
    Form { pattern: r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].+$", sample: "2026-03-09T14:00:00-04:00" };
pub(super) const DAYS: Form = Form { pattern: r"^ *[A-Za-z]{3}( *[-,] *[A-Za-z]{3})* *$", sample: "mon-fri" };
pub(super) const HOURS: Form =
    Form { pattern: r"^ *[0-9]{1,2}:[0-9]{2} *- *[0-9]{1,2}:[0-9]{2} *$", sample: "08:00-18:00" };
pub(super) const PLACE: Form = Form { pattern: r"^(\+[1-9][0-9]{0,14}|[A-Z]{2})$", sample: "GB" };
const EXTENSION: Form = Form { pattern: r"^[0-9]{1,10}$", sample: "101" };
const CLAIM: Form = Form { pattern: r"^ *[0-9]{1,10} *(@.*\.\..*)?$", sample: "102@2026-01-01..2026-07-01" };
const ERROR_CODE: Form = Form { pattern: r"^[^*]*\*?$", sample: "SMS-UP-*" };
const CSV: Form = Form { pattern: r"\.csv$", sample: "world.csv" };
const CURRENCY: Form = Form { pattern: r"^[A-Z]{3}$", sample: "USD" };
const ZONE: Form = Form { pattern: r"\S", sample: "America/New_York" };
const CONDITION: Form = Form { pattern: r"\S", sample: "seconds > 60" };
const NUMBER: Form = Form { pattern: "", sample: "+12125550143" };

const fn key(name: &'static str, about: &'static str, kind: Kind) -> Key {
    Key { name, required: false, about, kind }
}

const fn required(name: &'static str, about: &'static str, kind: Kind) -> Key {
    Key { name, required: true, about, kind }
}

/// A whole rule file.
pub static TOP: Shape = Shape {
    name: "file",
    about: "Prices and terms, read together with the other rule files of the folder.",
    keys: &[
        key(
            "default_tariff",
            "Tariff of contacts that name none, and the one fallen back to.",
            Kind::Text(NAME),
        ),
        key("identity", "How the payer of usage is found.", Kind::Table(&IDENTITY)),
        key("tariff", "What clients pay.", Kind::Named(&TARIFF)),
        key("band", "Pieces of the week that rates speak of.", Kind::Named(&BAND)),
        key("calendar", "Days with a name, such as holidays.", Kind::Named(&CALENDAR)),
        key("deck", "Prices by destination, in tables beside the rule files.", Kind::Named(&DECK)),
        key("timekeeper", "People whose time is billed, by their ids.", Kind::Named(&TIMEKEEPER)),
        key("coding", "What the coding sheet proposes for usage.", Kind::Tables(&CODING)),
        key("outcome", "Rows of the outcome table that are replaced or added.", Kind::Tables(&OUTCOME)),
        key("example", "Tests that travel with the tariffs.", Kind::Tables(&EXAMPLE)),
    ],
};

static IDENTITY: Shape = Shape {
    name: "identity",
    about: "How the payer of usage is found.",
    keys: &[required(
        "order",
        "Ways of finding the payer, in the order in which they are tried.",
        Kind::Words(words_of!(IdentityRule)),
    )],
};

static TARIFF: Shape = Shape {
    name: "tariff",
    about: "One version of a tariff.",
    keys: &[
        required("currency", "ISO 4217 code.", Kind::Text(CURRENCY)),
        required("zone", "IANA time zone in which bands and valid_from are read.", Kind::Text(ZONE)),
        key("valid_from", "First day of this version; without it, valid since ever.", Kind::Text(DATE)),
        key("legs", "How the legs of a call become one length.", Kind::Word(words_of!(LegPolicy))),
        key(
            "without_legs",
            "What happens to a call whose record has no legs.",
            Kind::Word(words_of!(WithoutLegs)),
        ),
        key("rounding", "Where and how amounts are rounded.", Kind::Table(&ROUNDING)),
        key("options", "Choices where billing systems disagree.", Kind::Table(&OPTIONS)),
        key("supplier", "Tariff that gives the cost of the same usage.", Kind::Text(NAME)),
        key("cap", "The most a period costs.", Kind::Text(MONTHLY)),
        key("commitment", "The least a period costs.", Kind::Text(MONTHLY)),
        key("fees_count", "Whether fees count towards cap and commitment.", Kind::Flag),
        key("rate", "Prices, one for each kind of usage.", Kind::Tables(&RATE)),
        key("allowance", "What each billing month includes.", Kind::Tables(&ALLOWANCE)),
        key("fee", "Recurring and one-off amounts.", Kind::Tables(&FEE)),
        key("discount", "Reductions of lines or of the period.", Kind::Tables(&DISCOUNT)),
    ],
};

static ROUNDING: Shape = Shape {
    name: "rounding",
    about: "Where and how amounts are rounded.",
    keys: &[
        key("line", "How each line of a document is rounded.", Kind::Word(rounding_modes)),
        key("charge", "Whether charges are rounded before that.", Kind::Word(words_of!(ChargeRounding))),
        key("charge_mode", "How charges are rounded.", Kind::Word(rounding_modes)),
        key("charge_scale", "Decimals that a rounded charge keeps.", Kind::Whole { largest: 10 }),
    ],
};

fn rounding_modes() -> Vec<&'static str> {
    vec!["half-away", "half-even", "up", "down"]
}

static OPTIONS: Shape = Shape {
    name: "options",
    about: "Choices where billing systems disagree; the first word of each is what holds without the key.",
    keys: &[
        key(
            "increments_from",
            "Where increments after the first block are counted from.",
            Kind::Word(words_of!(IncrementsFrom)),
        ),
        key("band_by", "Which band prices a call.", Kind::Word(words_of!(BandBy))),
        key("crossing", "An increment that crosses a change of price.", Kind::Word(words_of!(Crossing))),
        key(
            "connection_fee_on_change",
            "The connection fee when the rate changes in mid-call.",
            Kind::Word(words_of!(FeeOnChange)),
        ),
        key(
            "inside_allowance",
            "Fee, floor and cap of usage that is wholly included.",
            Kind::Word(words_of!(InsideAllowance)),
        ),
        key(
            "allowance_draws",
            "Whether allowances take billed or measured units.",
            Kind::Word(words_of!(AllowanceDraws)),
        ),
        key("zero_seconds", "An answered call of zero seconds.", Kind::Word(words_of!(ZeroSeconds))),
        key("under_a_second", "An answered call of less than a second.", Kind::Word(words_of!(UnderASecond))),
        key("no_usage", "What a period without usage pays.", Kind::Word(words_of!(NoUsage))),
        key("grace_by", "Which calls a grace time frees.", Kind::Word(words_of!(GraceBy))),
        key("tier_bounds", "What up_to of a tier counts from.", Kind::Word(words_of!(TierBounds))),
        key("beyond_last_tier", "What happens beyond the last tier.", Kind::Word(words_of!(BeyondLastTier))),
        key("units", "Whether started or completed units count.", Kind::Word(words_of!(UnitsCounted))),
        key(
            "after_offset_seconds",
            "Seconds after its position from which a step applies.",
            Kind::Whole { largest: 86_400 },
        ),
        key("negative", "How negative lines are rounded.", Kind::Word(words_of!(NegativeRounding))),
        key("alphabet", "Alphabets that texts are counted in before UCS-2.", Kind::Word(words_of!(Alphabet))),
        key("text_split", "What the border of two segments never cuts.", Kind::Word(words_of!(TextSplit))),
        key("period_by", "The period a call belongs to.", Kind::Word(words_of!(PeriodBy))),
        key("message_instant", "The instant of a message.", Kind::Word(words_of!(MessageInstant))),
        key("late", "How late usage draws on its period.", Kind::Word(words_of!(Late))),
        key("proration", "How days in force are counted.", Kind::Word(words_of!(Proration))),
    ],
};

static RATE: Shape = Shape {
    name: "rate",
    about: "A price for one kind of usage; of price, steps and tiers it has one.",
    keys: &[
        key("name", "Stands on the invoice line; unique within the version.", Kind::Text(ANY)),
        key("match", "Which usage.", Kind::Table(&CONDITIONS)),
        key("where", "A condition in SQL over the event's columns.", Kind::Text(CONDITION)),
        key(
            "price",
            "An amount for a unit, \"0.10 flat\", \"deck NAME\", \"by timekeeper\", or on top of a cost.",
            Kind::Text(PRICE_FORM),
        ),
        key("steps", "Prices by position in the call.", Kind::Tables(&STEP)),
        key("tiers", "Prices by what the period has used before.", Kind::Table(&TIERS)),
        key("increment", "First block and further steps in seconds.", Kind::Text(INCREMENT)),
        key("minimum", "Shorter calls are billed as if they were so long.", Kind::Text(LENGTH)),
        key("grace", "Shorter calls are free.", Kind::Text(LENGTH)),
        key("scope", "What increments and minimum are rounded over.", Kind::Word(words_of!(Scope))),
        key("connection_fee", "Once for each charged event.", Kind::Text(AMOUNT)),
        key("discount", "Off price and connection fee of each event.", Kind::Text(REDUCTION)),
        key("charge_floor", "Least charge of an event.", Kind::Text(AMOUNT)),
        key("charge_cap", "Largest charge of an event.", Kind::Text(AMOUNT)),
        key(
            "bill_when",
            "Outcomes that are charged, in place of the outcome table.",
            Kind::Words(words_of!(Outcome)),
        ),
    ],
};

static STEP: Shape = Shape {
    name: "step",
    about: "A price by position in the call.",
    keys: &[
        required("price", "The price of the step.", Kind::Text(PRICE)),
        key("first", "How long the step is; the last one has no end.", Kind::Text(UNITS)),
    ],
};

static TIERS: Shape = Shape {
    name: "tiers",
    about: "Prices by what the period has used before.",
    keys: &[
        key(
            "mode",
            "Each unit at its tier's price, all units at that of the tier reached, or whole packages.",
            Kind::Word(|| vec!["graduated", "volume", "package"]),
        ),
        key("tier", "The tiers of a graduated or volume table.", Kind::Tables(&TIER)),
        key("size", "What a package holds.", Kind::Text(UNITS)),
        key("price", "The price of a package.", Kind::Text(AMOUNT)),
    ],
};

static TIER: Shape = Shape {
    name: "tier",
    about: "One tier.",
    keys: &[
        required("price", "The price in the tier.", Kind::Text(PRICE)),
        key("up_to", "Where the tier ends; the last one has no end.", Kind::Text(UNITS)),
        key("fee", "An amount for entering the tier.", Kind::Text(AMOUNT)),
    ],
};

static CONDITIONS: Shape = Shape {
    name: "conditions",
    about: "All of them must hold; each is one value or a list.",
    keys: &[
        key("channel", "The kind of communication.", Kind::Words(words_of!(Channel))),
        key("direction", "Seen from the company.", Kind::Words(words_of!(Direction))),
        key("to", "Destination: a country or leading digits.", Kind::Texts(PLACE)),
        key("from", "Origin: a country or leading digits.", Kind::Texts(PLACE)),
        key("to_class", "Kind of the number that was reached.", Kind::Words(words_of!(NumberClass))),
        key("from_class", "Kind of the number it came from.", Kind::Words(words_of!(NumberClass))),
        key("extension", "Extension numbers.", Kind::Texts(EXTENSION)),
        key("department", "Departments of the extension.", Kind::Texts(NAME)),
        key("site", "Sites of the extension.", Kind::Texts(NAME)),
        key("cost_centre", "Cost centres of the extension.", Kind::Texts(NAME)),
        key("matter", "Matters of the coding.", Kind::Texts(NAME)),
        key("timekeeper", "Ids of timekeepers.", Kind::Texts(NAME)),
        key("task", "Tasks of the coding.", Kind::Texts(NAME)),
        key("outcome", "What became of it.", Kind::Words(words_of!(Outcome))),
        key("error_code", "Error codes, or how they begin.", Kind::Texts(ERROR_CODE)),
        key("band", "Bands, one of which must hold.", Kind::Texts(NAME)),
    ],
};

static ALLOWANCE: Shape = Shape {
    name: "allowance",
    about: "Units or money that each billing month includes.",
    keys: &[
        required("name", "Stands on the invoice, and in examples.", Kind::Text(NAME)),
        required("grants", "Units, or an amount \"of charges\".", Kind::Text(GRANT)),
        key("applies_to", "Which usage draws on it.", Kind::Table(&CONDITIONS)),
        key("where", "A condition in SQL over the event's columns.", Kind::Text(CONDITION)),
        key("shared", "One counter for all contacts of the tariff in one pool.", Kind::Flag),
        key(
            "per",
            "What it is granted for.",
            Kind::Word(|| Per::ALL.iter().map(|per| per.word()).chain(["pool"]).collect()),
        ),
        key("rollover", "The most that is carried into the next period.", Kind::Text(ROLLOVER)),
        key("expires_after", "For how many periods a carried unit lives.", Kind::Whole { largest: 120 }),
        key("prorate", "Grants by days in force.", Kind::Flag),
    ],
};

static FEE: Shape = Shape {
    name: "fee",
    about: "A recurring or one-off amount.",
    keys: &[
        required("name", "Stands on the invoice.", Kind::Text(NAME)),
        required("price", "An amount per month, or once.", Kind::Text(FEE_PRICE)),
        key("per", "What it is counted for.", Kind::Word(words_of!(Per))),
        key("prorate", "Whether days in force count.", Kind::Flag),
        key("in_advance", "Whether it is billed for the next period.", Kind::Flag),
        key("on", "The day on which a one-off amount is due.", Kind::Text(DATE)),
    ],
};

static DISCOUNT: Shape = Shape {
    name: "discount",
    about: "A reduction of lines or of the period.",
    keys: &[
        required("name", "Stands on the invoice.", Kind::Text(NAME)),
        required("off", "A percentage or an amount.", Kind::Text(REDUCTION)),
        key("of", "What it is taken off.", Kind::Word(words_of!(DiscountOf))),
        key("lines", "Names of rates and fees; without it, all usage.", Kind::Texts(NAME)),
    ],
};

static BAND: Shape = Shape {
    name: "band",
    about: "A piece of the week.",
    keys: &[
        key("days", "Days of the week on which it starts.", Kind::Text(DAYS)),
        key("hours", "From and to, the end not included.", Kind::Text(HOURS)),
        key(
            "zone",
            "The clock on the contact's wall, in place of the tariff's zone.",
            Kind::Word(|| vec!["contact"]),
        ),
        key("except", "Dates and calendars on whose days it does not start.", Kind::Texts(NAME)),
        key("on", "Dates and calendars on whose days alone it starts.", Kind::Texts(NAME)),
    ],
};

static CALENDAR: Shape = Shape {
    name: "calendar",
    about: "Days with a name.",
    keys: &[
        key("days", "Dates.", Kind::Texts(DATE)),
        key("file", "A table beside the rule file with the columns date and name.", Kind::Text(CSV)),
    ],
};

static DECK: Shape = Shape {
    name: "deck",
    about: "Prices by destination.",
    keys: &[
        required("file", "A table beside the rule file with the columns prefix and price.", Kind::Text(CSV)),
        required(
            "unit",
            "What a row's price buys.",
            Kind::Word(|| vec!["second", "minute", "hour", "call", "message", "segment", "page", "event"]),
        ),
        key("increment", "Increments of rows without their own.", Kind::Text(INCREMENT)),
    ],
};

static TIMEKEEPER: Shape = Shape {
    name: "timekeeper",
    about: "A person whose time is billed.",
    keys: &[
        required("name", "As it stands on documents.", Kind::Text(NAME)),
        key(
            "extensions",
            "Extension numbers, with the days on which they are this person's.",
            Kind::Texts(CLAIM),
        ),
        key("price", "The price of the person's time.", Kind::Text(PRICE_BY_TIME)),
    ],
};

static CODING: Shape = Shape {
    name: "coding",
    about: "A proposal for the coding sheet.",
    keys: &[
        key("match", "Which usage.", Kind::Table(&CONDITIONS)),
        key("where", "A condition in SQL over the event's columns.", Kind::Text(CONDITION)),
        key("contact", "Whose usage it is.", Kind::Text(NAME)),
        key("matter", "The matter it belongs to.", Kind::Text(NAME)),
        key("timekeeper", "Whose time it was.", Kind::Text(NAME)),
        key("task", "What was done.", Kind::Text(NAME)),
        key("narrative", "What the document says of it.", Kind::Text(NAME)),
    ],
};

static OUTCOME: Shape = Shape {
    name: "outcome",
    about: "A row of the outcome table.",
    keys: &[
        required("channel", "The kind of communication.", Kind::Word(words_of!(Channel))),
        required("outcome", "What became of it.", Kind::Word(words_of!(Outcome))),
        required("arrived", "What reconciliation believes.", Kind::Word(words_of!(Arrived))),
        required("billable", "What the invoice does.", Kind::Flag),
        key("direction", "Only for usage of this direction.", Kind::Word(words_of!(Direction))),
        key("error_code", "Only for this code, or codes that begin so.", Kind::Text(ERROR_CODE)),
    ],
};

static EXAMPLE: Shape = Shape {
    name: "example",
    about: "An event in, a charge out.",
    keys: &[
        required("tariff", "The tariff to price with.", Kind::Text(NAME)),
        required("event", "The event.", Kind::Table(&EVENT)),
        key("given", "What the period has used before.", Kind::Table(&GIVEN)),
        required("expect", "At least one of charge, disposition and because.", Kind::Table(&EXPECT)),
    ],
};

static EVENT: Shape = Shape {
    name: "event",
    about: "The event of an example.",
    keys: &[
        required("channel", "The kind of communication.", Kind::Word(words_of!(Channel))),
        required("start", "A time with an offset.", Kind::Text(START)),
        key("direction", "Without it, outbound.", Kind::Word(words_of!(Direction))),
        key("outcome", "Without it, the usual one of the channel.", Kind::Word(words_of!(Outcome))),
        key("from", "The number it came from.", Kind::Text(NUMBER)),
        key("to", "The number that was reached.", Kind::Text(NUMBER)),
        key("seconds", "Its length.", Kind::Whole { largest: 1_000_000_000 }),
        key("milliseconds", "Its length, finer.", Kind::Whole { largest: 1_000_000_000_000 }),
        key("segments", "Segments of a text.", Kind::Whole { largest: 4_294_967_295 }),
        key("pages", "Pages of a fax.", Kind::Whole { largest: 4_294_967_295 }),
        key("extension", "The company's extension.", Kind::Text(EXTENSION)),
        key("matter", "The matter it is coded to.", Kind::Text(ANY)),
        key("timekeeper", "The timekeeper it is coded to.", Kind::Text(NAME)),
        key("error_code", "The error code of the record.", Kind::Text(ANY)),
        key("carrier_cost", "What the carrier took for it.", Kind::Text(AMOUNT)),
    ],
};

static GIVEN: Shape = Shape {
    name: "given",
    about: "What the period has used before the event.",
    keys: &[
        key(
            "left",
            "What is left of allowances, by name; one that is not named is whole.",
            Kind::Free(GRANT),
        ),
        key("used", "What tiers have counted, by name of the rate.", Kind::Free(UNITS)),
    ],
};

static EXPECT: Shape = Shape {
    name: "expect",
    about: "What the example must come to.",
    keys: &[
        key("charge", "The exact charge, before any rounding.", Kind::Text(AMOUNT)),
        key("disposition", "What becomes of the event.", Kind::Word(words_of!(EventDisposition))),
        key("because", "Steps that the derivation must show.", Kind::Texts(ANY)),
    ],
};
