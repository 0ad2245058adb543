//! From the text of a condition to an expression of Polars: parsed, checked against the allow-list, costs rewritten.

use std::ops::Range;

use polars::prelude::Expr as Expression;
use polars::sql::sql_expr;
use rust_decimal::Decimal;
use sqlparser::ast::{BinaryOperator, CaseWhen, Expr, Ident, Spanned, UnaryOperator, Value, ValueWithSpan};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::ConditionMistake;
use super::columns::{COLUMNS, ColumnKind, SUB_UNIT_DECIMALS, kind_of, sub_units};

/// A condition that may be evaluated.
pub struct Checked {
    pub expression: Expression,
    /// The columns it names.
    pub columns: Vec<&'static str>,
}

/// What a part of a condition is. A number that was written down becomes what it stands beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Cost,
    Boolean,
    WrittenInteger,
    WrittenDecimal,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Kind::Text => "a text",
            Kind::Integer => "a whole number",
            Kind::Cost => "a cost",
            Kind::Boolean => "a condition",
            Kind::WrittenInteger => "a whole number",
            Kind::WrittenDecimal => "a number with decimals",
        }
    }

    fn is_written(self) -> bool {
        matches!(self, Kind::WrittenInteger | Kind::WrittenDecimal)
    }
}

/// Parts within parts; a chain of as many ANDs counts as much. Polars walks them by recursion.
const DEPTH_MAX: usize = 40;

/// Names, operators and parentheses of one condition. The parser builds chains without recursion, but everything that
/// walks them, even what frees them, recurses.
const JOINTS_MAX: usize = 400;

type Checks<T> = Result<T, ConditionMistake>;

/// Reads and checks a condition.
///
/// # Errors
/// The first mistake.
pub fn read(text: &str) -> Checks<Checked> {
    let syntax = parse(text)?;
    let mut reading = Reading { text, columns: Vec::new(), edits: Vec::new(), depth: 0 };
    let kind = reading.kind(&syntax)?;
    if kind != Kind::Boolean {
        let message = format!("this is {}, not a condition", kind.noun());
        return Err(reading.mistake(&syntax, message).hint("Compare it with something."));
    }
    let expression = sql_expr(reading.rewritten()).map_err(|error| ConditionMistake {
        span: 0..text.len(),
        message: format!("the condition cannot be evaluated: {error}"),
        hint: None,
    })?;
    Ok(Checked { expression, columns: reading.columns })
}

fn parse(text: &str) -> Checks<Expr> {
    let refused = |error: ParserError| {
        let told = match error {
            ParserError::TokenizerError(told) | ParserError::ParserError(told) => told,
            ParserError::RecursionLimitExceeded => "it is nested too deeply".to_owned(),
        };
        // The parser tells the place in its message only.
        let (message, place) = match told.split_once(" at Line: ") {
            Some((message, place)) => (message.to_owned(), place_in(text, place)),
            None => (told, 0..text.len()),
        };
        let message = match message.strip_prefix("sql parser error: ").unwrap_or(&message) {
            told if told.starts_with("Expected: ") => format!("expected {}", &told[10..]),
            told => told.to_owned(),
        };
        ConditionMistake { span: place, message, hint: None }
    };
    let tokens = Tokenizer::new(&GenericDialect, text).tokenize_with_location();
    let tokens = tokens.map_err(|error| refused(error.into()))?;
    let joins = |token: &&TokenWithSpan| {
        use Token::{Comma, Number, SingleQuotedString, Whitespace};
        !matches!(token.token, Comma | Number(..) | SingleQuotedString(_) | Whitespace(_))
    };
    if let Some(token) = tokens.iter().filter(joins).nth(JOINTS_MAX) {
        let start = offset(text, token.span.start);
        return Err(too_many_parts(start..text.len()));
    }
    let mut parser = Parser::new(&GenericDialect).with_tokens_with_locations(tokens);
    let syntax = parser.parse_expr().map_err(refused)?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let start = offset(text, rest.span.start);
        let message = "the condition should end here".to_owned();
        let hint = Some("Join conditions with AND or OR.".to_owned());
        return Err(ConditionMistake { span: start..text.len(), message, hint });
    }
    Ok(syntax)
}

fn too_many_parts(span: Range<usize>) -> ConditionMistake {
    let message = "the condition has too many parts".to_owned();
    ConditionMistake { span, message, hint: Some("Use IN for long lists.".to_owned()) }
}

/// The bytes of a place told as `3, Column: 7`: from there to the end of the word.
fn place_in(text: &str, place: &str) -> Range<usize> {
    let mut numbers = place.split(", Column: ").map(|number| number.trim().parse::<u64>());
    match (numbers.next(), numbers.next()) {
        (Some(Ok(line)), Some(Ok(column))) => {
            let start = offset(text, Location { line, column });
            let word = text[start..].find(char::is_whitespace).unwrap_or(text.len() - start);
            start..start + word
        }
        _ => 0..text.len(),
    }
}

/// Lines and columns count from 1, columns in characters.
fn offset(text: &str, location: Location) -> usize {
    let line = usize::try_from(location.line.saturating_sub(1)).unwrap_or(usize::MAX);
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let column = usize::try_from(location.column.saturating_sub(1)).unwrap_or(usize::MAX);
    let rest = &text[before..];
    before + rest.char_indices().nth(column).map_or(rest.len(), |(place, _)| place)
}

impl ConditionMistake {
    fn hint(mut self, hint: impl Into<String>) -> ConditionMistake {
        self.hint = Some(hint.into());
        self
    }
}

struct Reading<'t> {
    text: &'t str,
    columns: Vec<&'static str>,
    /// What stands in place of a literal.
    edits: Vec<(Range<usize>, String)>,
    depth: usize,
}

impl Reading<'_> {
    fn mistake(&self, part: &Expr, message: impl Into<String>) -> ConditionMistake {
        ConditionMistake { span: self.span(part), message: message.into(), hint: None }
    }

    fn span(&self, part: &Expr) -> Range<usize> {
        let span = part.span();
        let (start, end) = (offset(self.text, span.start), offset(self.text, span.end));
        // The parser leaves the parenthesis of a call out.
        let call = matches!(part, Expr::Function(_)) && self.text[end..].starts_with(')');
        if span.start.line == 0 || end <= start { 0..self.text.len() } else { start..end + usize::from(call) }
    }

    /// What a part is; the names in it are noted and its literals settled.
    fn kind(&mut self, part: &Expr) -> Checks<Kind> {
        if self.depth == DEPTH_MAX {
            return Err(self
                .mistake(part, "the condition has too many parts")
                .hint("Use IN for long lists."));
        }
        self.depth += 1;
        let kind = self.kind_of_part(part);
        self.depth -= 1;
        kind
    }

    fn kind_of_part(&mut self, part: &Expr) -> Checks<Kind> {
        match part {
            Expr::Identifier(name) => self.column(part, name),
            Expr::Value(value) => self.literal(part, value),
            Expr::Nested(inner) => self.kind(inner),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => self.conditions(&[&**expr]),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } if matches!(**expr, Expr::Value(_)) => {
                let kind = self.kind(expr)?;
                if kind.is_written() { Ok(kind) } else { Err(self.not_allowed(part, "a sign before a text")) }
            }
            Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, right } => {
                self.conditions(&[&**left, &**right])
            }
            Expr::BinaryOp { left, op, right } if is_comparison(op) => self.compared(&[&**left, &**right]),
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => {
                let kind = self.kind(inner)?;
                self.settle_alone(inner, kind)?;
                Ok(Kind::Boolean)
            }
            Expr::InList { expr, list, .. } => self.listed(expr, list),
            Expr::Between { expr, low, high, .. } => self.compared(&[&**expr, &**low, &**high]),
            Expr::Like { any: false, expr, pattern, escape_char: None, .. } => self.like(expr, pattern),
            Expr::Like { .. } => Err(self.not_allowed(part, "LIKE with ANY or ESCAPE")),
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            other => Err(self.not_allowed(part, &noun_of(other))),
        }
    }

    fn not_allowed(&self, part: &Expr, noun: &str) -> ConditionMistake {
        self.mistake(part, format!("{noun} cannot stand in a condition")).hint(
            "A condition has columns, texts, whole numbers, comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, CASE and IS NULL.",
        )
    }

    fn column(&mut self, part: &Expr, name: &Ident) -> Checks<Kind> {
        let Some(known) = COLUMNS.iter().find(|column| column.0 == name.value) else {
            let message = format!("there is no column `{}`", name.value);
            let lower = name.value.to_ascii_lowercase();
            let hint = match name.quote_style {
                Some('"') => "A text stands in single quotes.".to_owned(),
                _ if kind_of(&lower).is_some() => format!("Write it as `{lower}`."),
                _ => {
                    let names: Vec<&str> = COLUMNS.iter().map(|column| column.0).collect();
                    format!("The columns are {}.", names.join(", "))
                }
            };
            return Err(self.mistake(part, message).hint(hint));
        };
        self.columns.push(known.0);
        Ok(match known.1 {
            ColumnKind::Text => Kind::Text,
            ColumnKind::Integer => Kind::Integer,
            ColumnKind::Cost => Kind::Cost,
        })
    }

    fn literal(&self, part: &Expr, value: &ValueWithSpan) -> Checks<Kind> {
        match &value.value {
            Value::SingleQuotedString(_) => Ok(Kind::Text),
            Value::Boolean(_) => Ok(Kind::Boolean),
            Value::Number(digits, false) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                match digits.parse::<i64>() {
                    Ok(_) => Ok(Kind::WrittenInteger),
                    Err(_) => Err(self.mistake(part, "the number is too large")),
                }
            }
            Value::Number(digits, false) if !digits.contains(['e', 'E']) => Ok(Kind::WrittenDecimal),
            Value::Number(..) => Err(self.not_allowed(part, "a number with an exponent")),
            Value::Null => Err(self.not_allowed(part, "NULL").hint("Ask with IS NULL.")),
            _ => Err(self.not_allowed(part, "this literal")),
        }
    }

    /// Parts that must be conditions themselves.
    fn conditions(&mut self, parts: &[&Expr]) -> Checks<Kind> {
        for part in parts {
            let kind = self.kind(part)?;
            if kind != Kind::Boolean {
                let message = format!("this is {}, not a condition", kind.noun());
                return Err(self.mistake(part, message).hint("Compare it with something."));
            }
        }
        Ok(Kind::Boolean)
    }

    /// Parts that are compared with each other.
    fn compared(&mut self, parts: &[&Expr]) -> Checks<Kind> {
        if self.united(parts)? == Kind::WrittenDecimal {
            let decimal = |part: &&&Expr| self.text[self.span(part)].contains('.');
            return Err(self.decimals(parts.iter().find(decimal).unwrap_or(&parts[0])));
        }
        Ok(Kind::Boolean)
    }

    /// The one kind of some parts; numbers among them become that kind.
    fn united(&mut self, parts: &[&Expr]) -> Checks<Kind> {
        let kinds: Vec<Kind> = parts.iter().map(|part| self.kind(part)).collect::<Checks<_>>()?;
        let common = kinds.iter().copied().find(|kind| !kind.is_written());
        let decimal = kinds.contains(&Kind::WrittenDecimal);
        let common = common.unwrap_or(if decimal { Kind::WrittenDecimal } else { Kind::WrittenInteger });
        for (part, kind) in parts.iter().zip(kinds) {
            match (common, kind) {
                (Kind::Cost, kind) if kind.is_written() => self.settle(part)?,
                (Kind::Integer, Kind::WrittenInteger) => {}
                (Kind::Integer, Kind::WrittenDecimal) => return Err(self.decimals(part)),
                // Nothing but numbers: what they are is not known until they stand beside something.
                (common, kind) if common.is_written() && kind.is_written() => {}
                (common, kind) if common == kind => {}
                (common, kind) => {
                    let message = format!("{} is compared with {}", common.noun(), kind.noun());
                    return Err(self.mistake(part, message).hint(match (common, kind) {
                        (Kind::Integer | Kind::Cost, Kind::Text) => "Write a number without quotes.",
                        (Kind::Text, _) => "Write a text in single quotes.",
                        _ => "Compare values of one kind.",
                    }));
                }
            }
        }
        Ok(common)
    }

    fn decimals(&self, part: &Expr) -> ConditionMistake {
        self.mistake(part, "a number with decimals can be compared with `carrier_cost` only")
            .hint("Other columns hold whole numbers.")
    }

    /// A number with decimals that stands beside nothing that has them.
    fn settle_alone(&self, part: &Expr, kind: Kind) -> Checks<()> {
        if kind == Kind::WrittenDecimal { Err(self.decimals(part)) } else { Ok(()) }
    }

    fn listed(&mut self, value: &Expr, list: &[Expr]) -> Checks<Kind> {
        for item in list {
            let literal = match item {
                Expr::UnaryOp { op: UnaryOperator::Minus, expr } => matches!(**expr, Expr::Value(_)),
                other => matches!(other, Expr::Value(_)),
            };
            if !literal {
                return Err(self.not_allowed(item, "anything but a text or number in a list"));
            }
        }
        let parts: Vec<&Expr> = std::iter::once(value).chain(list).collect();
        let kind = self.united(&parts)?;
        if kind.is_written() || kind == Kind::Boolean {
            return Err(self.mistake(value, "this is no column to look for in a list"));
        }
        Ok(Kind::Boolean)
    }

    fn like(&mut self, value: &Expr, pattern: &Expr) -> Checks<Kind> {
        let kind = self.kind(value)?;
        if kind != Kind::Text {
            return Err(self.mistake(value, format!("LIKE takes a text, this is {}", kind.noun())));
        }
        match pattern {
            Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(_), .. }) => Ok(Kind::Boolean),
            other => Err(self.mistake(other, "the pattern of LIKE must be a text in single quotes")),
        }
    }

    fn case(&mut self, operand: Option<&Expr>, cases: &[CaseWhen], last: Option<&Expr>) -> Checks<Kind> {
        let tests: Vec<&Expr> = cases.iter().map(|case| &case.condition).collect();
        match operand {
            Some(operand) => {
                let parts: Vec<&Expr> = std::iter::once(operand).chain(tests).collect();
                let kind = self.united(&parts)?;
                self.settle_alone(operand, kind)?;
            }
            None => {
                self.conditions(&tests)?;
            }
        }
        let results: Vec<&Expr> = cases.iter().map(|case| &case.result).chain(last).collect();
        self.united(&results)
    }

    /// Numbers beside a cost become sub-units.
    fn settle(&mut self, part: &Expr) -> Checks<()> {
        match part {
            Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => self.settle(inner),
            Expr::Case { conditions, else_result, .. } => {
                let results = conditions.iter().map(|case| &case.result).chain(else_result.as_deref());
                results.into_iter().try_for_each(|result| self.settle(result))
            }
            Expr::Value(ValueWithSpan { value: Value::Number(digits, _), .. }) => {
                let cost = Decimal::from_str_exact(digits).ok();
                let units = cost.and_then(|cost| sub_units(cost.mantissa(), cost.scale()));
                let Some(units) = units.filter(|units| *units < i64::MAX) else {
                    let message =
                        format!("the cost has more than {SUB_UNIT_DECIMALS} decimals, or is too large");
                    return Err(self.mistake(part, message));
                };
                self.edits.push((self.span(part), units.to_string()));
                Ok(())
            }
            other => Err(self.not_allowed(other, "this number")),
        }
    }

    fn rewritten(&mut self) -> String {
        self.edits.sort_by_key(|(span, _)| span.start);
        let mut rewritten = String::with_capacity(self.text.len());
        let mut reached = 0;
        for (span, written) in &self.edits {
            rewritten.push_str(&self.text[reached..span.start]);
            rewritten.push_str(written);
            reached = span.end;
        }
        rewritten.push_str(&self.text[reached..]);
        rewritten
    }
}

fn is_comparison(operator: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// What a part that is not allowed is called.
fn noun_of(part: &Expr) -> String {
    match part {
        Expr::Function(function) if function.over.is_some() => "a window".to_owned(),
        Expr::Function(function) => format!("the function {}", function.name),
        Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => "a query".to_owned(),
        Expr::BinaryOp { op, .. } => format!("the operator {op}"),
        Expr::UnaryOp { op, .. } => format!("the sign {op}"),
        Expr::Cast { .. } => "a cast".to_owned(),
        Expr::ILike { .. } => "ILIKE".to_owned(),
        Expr::CompoundIdentifier(_) => "a name with a dot".to_owned(),
        _ => "this".to_owned(),
    }
}
