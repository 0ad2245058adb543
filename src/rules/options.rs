//! What a tariff may choose where respected engines disagree. The first word of each list is the default.

use crate::domain::RoundingMode;
use crate::domain::outcome::words;

words! {
    /// Where increments after the first block are counted from.
    IncrementsFrom { FirstBlock = "first-block", Zero = "zero" }
}
words! {
    /// Which band prices a call: each increment's own, or that of the call's start.
    BandBy { Increment = "increment", CallStart = "call-start" }
}
words! {
    /// An increment that crosses a change of band or price: whole at the rate where it started, or second by second.
    Crossing { Start = "start", Pieces = "pieces" }
}
words! {
    /// The connection fee when the rate changes in mid-call.
    FeeOnChange { First = "first", Each = "each" }
}
words! {
    /// A call wholly inside allowances: no fee, floor or cap, or charged like any other.
    InsideAllowance { NoFee = "no-fee", Fee = "fee" }
}
words! {
    /// What allowances take: billed units, or measured units before minimum and increments.
    AllowanceDraws { Billed = "billed", Measured = "measured" }
}
words! {
    /// An answered call of zero seconds.
    ZeroSeconds { Nothing = "nothing", FirstBlock = "first-block" }
}
words! {
    /// An answered call of less than a second, where the source counts milliseconds.
    UnderASecond { FirstBlock = "first-block", Nothing = "nothing" }
}
words! {
    /// What a period without usage pays: nothing, the fee of the first tier, or one package.
    NoUsage { Nothing = "nothing", TierFee = "tier-fee", Package = "package" }
}
words! {
    /// Which calls a grace time frees.
    GraceBy { ShorterThan = "shorter-than", NotLongerThan = "not-longer-than" }
}
words! {
    /// Whether `up_to` of a tier counts from the start of the period or from the tier below.
    TierBounds { UpTo = "up-to", Widths = "widths" }
}
words! {
    /// What happens beyond the last tier.
    BeyondLastTier { Mistake = "mistake", LastPrice = "last-price", Unbilled = "unbilled" }
}
words! {
    /// Whether a started increment or package counts, or only a completed one.
    UnitsCounted { Started = "started", Completed = "completed" }
}
words! {
    /// How negative lines are rounded: as the positive ones mirrored, or ties toward plus infinity.
    NegativeRounding { Mirror = "mirror", TowardPlusInfinity = "toward-plus-infinity" }
}
words! {
    /// Alphabets that texts without a segment count are counted in before UCS-2.
    Alphabet { Gsm7 = "gsm7", National = "national" }
}
words! {
    /// What the border of two segments never cuts: escape and surrogate pairs, or whole graphemes.
    TextSplit { Pairs = "pairs", Graphemes = "graphemes" }
}
words! {
    /// The period a call belongs to.
    PeriodBy { Start = "start", End = "end", Split = "split" }
}
words! {
    /// The instant of a message.
    MessageInstant { Creation = "creation", LastChange = "last-change" }
}
words! {
    /// How usage that comes after a period is final draws on its counters.
    Late { Append = "append", Replay = "replay" }
}
words! {
    /// How the days in force are counted.
    Proration { EndExclusive = "end-exclusive", BothInclusive = "both-inclusive" }
}
words! {
    /// When charges are rounded before the line is.
    ChargeRounding { None = "none", PerEvent = "per-event", PerIncrement = "per-increment" }
}

/// All options of one tariff version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TariffOptions {
    pub increments_from: IncrementsFrom,
    pub band_by: BandBy,
    pub crossing: Crossing,
    pub connection_fee_on_change: FeeOnChange,
    pub inside_allowance: InsideAllowance,
    pub allowance_draws: AllowanceDraws,
    pub zero_seconds: ZeroSeconds,
    pub under_a_second: UnderASecond,
    pub no_usage: NoUsage,
    pub grace_by: GraceBy,
    pub tier_bounds: TierBounds,
    pub beyond_last_tier: BeyondLastTier,
    pub units: UnitsCounted,
    /// A price step applies from `elapsed >= n + offset`.
    pub after_offset_seconds: i64,
    pub negative: NegativeRounding,
    pub alphabet: Alphabet,
    pub text_split: TextSplit,
    pub period_by: PeriodBy,
    pub message_instant: MessageInstant,
    pub late: Late,
    pub proration: Proration,
}

impl Default for TariffOptions {
    fn default() -> TariffOptions {
        TariffOptions {
            increments_from: IncrementsFrom::FirstBlock,
            band_by: BandBy::Increment,
            crossing: Crossing::Start,
            connection_fee_on_change: FeeOnChange::First,
            inside_allowance: InsideAllowance::NoFee,
            allowance_draws: AllowanceDraws::Billed,
            zero_seconds: ZeroSeconds::Nothing,
            under_a_second: UnderASecond::FirstBlock,
            no_usage: NoUsage::Nothing,
            grace_by: GraceBy::ShorterThan,
            tier_bounds: TierBounds::UpTo,
            beyond_last_tier: BeyondLastTier::Mistake,
            units: UnitsCounted::Started,
            after_offset_seconds: 0,
            negative: NegativeRounding::Mirror,
            alphabet: Alphabet::Gsm7,
            text_split: TextSplit::Pairs,
            period_by: PeriodBy::Start,
            message_instant: MessageInstant::Creation,
            late: Late::Append,
            proration: Proration::EndExclusive,
        }
    }
}

impl TariffOptions {
    /// Every option with its value in force, in the order of the documentation.
    pub fn in_force(&self) -> Vec<(&'static str, String)> {
        let word = |word: &str| word.to_owned();
        vec![
            ("increments_from", word(self.increments_from.word())),
            ("band_by", word(self.band_by.word())),
            ("crossing", word(self.crossing.word())),
            ("connection_fee_on_change", word(self.connection_fee_on_change.word())),
            ("inside_allowance", word(self.inside_allowance.word())),
            ("allowance_draws", word(self.allowance_draws.word())),
            ("zero_seconds", word(self.zero_seconds.word())),
            ("under_a_second", word(self.under_a_second.word())),
            ("no_usage", word(self.no_usage.word())),
            ("grace_by", word(self.grace_by.word())),
            ("tier_bounds", word(self.tier_bounds.word())),
            ("beyond_last_tier", word(self.beyond_last_tier.word())),
            ("units", word(self.units.word())),
            ("after_offset_seconds", self.after_offset_seconds.to_string()),
            ("negative", word(self.negative.word())),
            ("alphabet", word(self.alphabet.word())),
            ("text_split", word(self.text_split.word())),
            ("period_by", word(self.period_by.word())),
            ("message_instant", word(self.message_instant.word())),
            ("late", word(self.late.word())),
            ("proration", word(self.proration.word())),
        ]
    }
}

/// The stages of rounding that a tariff declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounding {
    pub line: RoundingMode,
    pub charge: ChargeRounding,
    pub charge_mode: RoundingMode,
    /// Decimals that a rounded charge keeps; without meaning when charges are not rounded.
    pub charge_scale: u32,
}

impl Default for Rounding {
    fn default() -> Rounding {
        Rounding {
            line: RoundingMode::HalfAway,
            charge: ChargeRounding::None,
            charge_mode: RoundingMode::HalfAway,
            charge_scale: 0,
        }
    }
}
