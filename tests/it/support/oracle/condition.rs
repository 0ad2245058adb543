//! The small part of SQL that generated rules use in `where`: comparisons, IN, BETWEEN, IS NULL, AND, OR, NOT.

use super::tables::{Event, Facts};

#[derive(Clone, Debug)]
pub enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Null(Value),
    Compare(Value, String, Value),
    In(Value, Vec<Value>),
}

#[derive(Clone, Debug)]
pub enum Value {
    Column(String),
    Text(String),
    Number(i64),
}

/// What a value is for one event; nothing is null.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Text(String),
    Number(i64),
}

impl Condition {
    pub fn parse(text: &str) -> Condition {
        let words = words(text);
        let mut reader = Reader { words: &words, at: 0 };
        let condition = reader.or();
        assert_eq!(reader.at, words.len(), "not understood: {text}");
        condition
    }

    /// True, false or null.
    pub fn truth(&self, event: &Event, facts: &Facts) -> Option<bool> {
        match self {
            Condition::And(left, right) => match (left.truth(event, facts), right.truth(event, facts)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Condition::Or(left, right) => match (left.truth(event, facts), right.truth(event, facts)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Condition::Not(inner) => inner.truth(event, facts).map(|truth| !truth),
            Condition::Null(value) => Some(value.of(event, facts).is_none()),
            Condition::Compare(left, operator, right) => {
                let order = left.of(event, facts)?.cmp(&right.of(event, facts)?);
                Some(match operator.as_str() {
                    "=" => order.is_eq(),
                    "<>" => order.is_ne(),
                    "<" => order.is_lt(),
                    "<=" => order.is_le(),
                    ">" => order.is_gt(),
                    ">=" => order.is_ge(),
                    other => panic!("no comparison: {other}"),
                })
            }
            Condition::In(value, list) => {
                let value = value.of(event, facts)?;
                Some(list.iter().any(|item| item.of(event, facts).as_ref() == Some(&value)))
            }
        }
    }
}

impl Value {
    fn of(&self, event: &Event, facts: &Facts) -> Option<Found> {
        let text = |text: &str| Some(Found::Text(text.to_string())).filter(|_| !text.is_empty());
        let country = |party: &super::number::Party| party.country.as_ref().map(|(code, _)| code.clone());
        match self {
            Value::Text(text) => Some(Found::Text(text.clone())),
            Value::Number(number) => Some(Found::Number(*number)),
            Value::Column(column) => match column.as_str() {
                "seconds" => event.thousandths.map(|ms| Found::Number((ms + 999) / 1000)),
                "segments" => event.segments.map(Found::Number),
                "extension" => facts.known(event, "extension").parse().ok().map(Found::Number),
                "pages" => event.pages.map(Found::Number),
                "from_number" => event.from.e164.clone().or(event.from.short.clone()).map(Found::Text),
                "to_number" => event.to.e164.clone().or(event.to.short.clone()).map(Found::Text),
                "from_country" => country(&event.from).map(Found::Text),
                "to_country" => country(&event.to).map(Found::Text),
                name => text(facts.known(event, name)),
            },
        }
    }
}

/// Words, numbers, texts in quotes (which keep one quote in front) and signs.
fn words(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let mut word = letter.to_string();
        if letter.is_whitespace() {
            continue;
        } else if letter == '\'' {
            while let Some(inner) = letters.next() {
                if inner == '\'' && letters.next_if_eq(&'\'').is_none() {
                    break;
                }
                word.push(inner);
            }
        } else if letter.is_alphanumeric() || letter == '_' {
            while let Some(more) = letters.next_if(|next| next.is_alphanumeric() || *next == '_') {
                word.push(more);
            }
        } else if "<>!".contains(letter)
            && let Some(more) = letters.next_if(|next| "=>".contains(*next))
        {
            word.push(more);
        }
        found.push(word);
    }
    found
}

struct Reader<'a> {
    words: &'a [String],
    at: usize,
}

impl Reader<'_> {
    /// Steps over a word, written in any case, if it comes next.
    fn met(&mut self, word: &str) -> bool {
        let met = self.words.get(self.at).is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.at += usize::from(met);
        met
    }

    fn must(&mut self, word: &str) {
        assert!(self.met(word), "{word} is missing at {} of {:?}", self.at, self.words);
    }

    fn or(&mut self) -> Condition {
        let mut left = self.and();
        while self.met("or") {
            left = Condition::Or(Box::new(left), Box::new(self.and()));
        }
        left
    }

    fn and(&mut self) -> Condition {
        let mut left = self.not();
        while self.met("and") {
            left = Condition::And(Box::new(left), Box::new(self.not()));
        }
        left
    }

    fn not(&mut self) -> Condition {
        if self.met("not") {
            return Condition::Not(Box::new(self.not()));
        }
        if self.met("(") {
            let inner = self.or();
            self.must(")");
            return inner;
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Condition {
        let left = self.value();
        if self.met("is") {
            let not = self.met("not");
            self.must("null");
            return negated(Condition::Null(left), not);
        }
        let not = self.met("not");
        if self.met("between") {
            let least = self.value();
            self.must("and");
            let most = self.value();
            let above = Condition::Compare(left.clone(), ">=".into(), least);
            let below = Condition::Compare(left, "<=".into(), most);
            return negated(Condition::And(Box::new(above), Box::new(below)), not);
        }
        if self.met("in") {
            self.must("(");
            let mut list = vec![self.value()];
            while self.met(",") {
                list.push(self.value());
            }
            self.must(")");
            return negated(Condition::In(left, list), not);
        }
        let operator = self.words[self.at].replace("!=", "<>");
        self.at += 1;
        Condition::Compare(left, operator, self.value())
    }

    fn value(&mut self) -> Value {
        let word = &self.words[self.at];
        self.at += 1;
        match word.strip_prefix('\'') {
            Some(text) => Value::Text(text.to_string()),
            None => match word.parse() {
                Ok(number) => Value::Number(number),
                Err(_) => Value::Column(word.to_lowercase()),
            },
        }
    }
}

fn negated(condition: Condition, not: bool) -> Condition {
    if not { Condition::Not(Box::new(condition)) } else { condition }
}
