//! Geometry of the small charts, in whole units of their view boxes; templates only place what is computed here.

use serde::Serialize;

/// A horizontal bar chart: one labelled bar a row.
#[derive(Serialize)]
pub(super) struct Bars {
    pub title: String,
    pub height: i64,
    pub rows: Vec<BarRow>,
}

/// One bar with its label on the left and its value on the right.
#[derive(Serialize)]
pub(super) struct BarRow {
    pub label: String,
    pub value: String,
    /// Names a colour of the style sheet.
    pub class: &'static str,
    pub bar_y: i64,
    pub text_y: i64,
    pub width: i64,
    pub value_x: i64,
}

/// One bar before it is placed.
pub(super) struct Bar {
    pub label: String,
    pub value: String,
    pub class: &'static str,
    /// Proportional length; negative ones have no bar.
    pub size: i128,
}

const BAR_LEFT: i64 = 250;
const BAR_LENGTH: i64 = 580;
const BAR_STEP: i64 = 26;
const LABEL_LETTERS: usize = 30;

/// Places bars from top to bottom.
pub(super) fn bars(title: &str, bars: Vec<Bar>) -> Bars {
    let largest = bars.iter().map(|bar| bar.size).max().unwrap_or(0);
    let height = BAR_STEP * i64::try_from(bars.len()).unwrap_or(0) + 6;
    let mut top = 3;
    let mut rows = Vec::with_capacity(bars.len());
    for bar in bars {
        let width = share(bar.size, largest, BAR_LENGTH);
        rows.push(BarRow {
            label: shortened(&bar.label),
            value: bar.value,
            class: bar.class,
            bar_y: top + 4,
            text_y: top + 17,
            width,
            value_x: BAR_LEFT + width + 8,
        });
        top += BAR_STEP;
    }
    Bars { title: title.to_owned(), height, rows }
}

/// A chart of stacked columns: one column a day.
#[derive(Serialize)]
pub(super) struct Columns {
    pub title: String,
    pub columns: Vec<Column>,
    pub legend: Vec<Legend>,
    pub largest: String,
}

#[derive(Serialize)]
pub(super) struct Column {
    pub title: String,
    /// Empty where labels would stand too close.
    pub label: String,
    pub label_x: i64,
    pub parts: Vec<Part>,
}

#[derive(Serialize)]
pub(super) struct Part {
    pub class: &'static str,
    pub x: i64,
    pub y: i64,
    pub width: i64,
    pub height: i64,
}

#[derive(Serialize)]
pub(super) struct Legend {
    pub class: &'static str,
    pub label: String,
    pub x: i64,
    pub text_x: i64,
}

/// One column before it is placed: the parts from the bottom up, each with its colour.
pub(super) struct Stack {
    pub title: String,
    pub label: String,
    pub parts: Vec<(&'static str, u64)>,
}

const CHART_LEFT: i64 = 44;
const CHART_WIDTH: i64 = 940;
const CHART_BOTTOM: i64 = 176;
const CHART_HEIGHT: i64 = 150;
const LEGEND_STEP: i64 = 110;

/// Places columns from left to right; the tallest fills the height.
pub(super) fn columns(title: &str, stacks: Vec<Stack>, legend: Vec<(&'static str, String)>) -> Columns {
    let total = |stack: &Stack| stack.parts.iter().map(|(_, size)| i128::from(*size)).sum::<i128>();
    let largest = stacks.iter().map(total).max().unwrap_or(0);
    let number = i64::try_from(stacks.len()).unwrap_or(1).max(1);
    let step = (CHART_WIDTH / number).clamp(2, 60);
    let width = (step * 7 / 10).max(1);
    let mut left = CHART_LEFT;
    let mut placed = Vec::with_capacity(stacks.len());
    for stack in stacks {
        let mut below = 0_i128;
        let mut parts = Vec::with_capacity(stack.parts.len());
        for (class, size) in &stack.parts {
            // Heights are differences of scaled running sums, so that rounding never makes a stack too tall.
            let bottom = share(below, largest, CHART_HEIGHT);
            below += i128::from(*size);
            let top = share(below, largest, CHART_HEIGHT);
            if top > bottom {
                parts.push(Part { class, x: left, y: CHART_BOTTOM - top, width, height: top - bottom });
            }
        }
        placed.push(Column { title: stack.title, label: stack.label, label_x: left + width / 2, parts });
        left += step;
    }
    let mut legend_left = CHART_LEFT;
    let legend = legend
        .into_iter()
        .map(|(class, label)| {
            let entry = Legend { class, label, x: legend_left, text_x: legend_left + 16 };
            legend_left += LEGEND_STEP;
            entry
        })
        .collect();
    Columns { title: title.to_owned(), columns: placed, legend, largest: super::text::count(largest) }
}

fn share(size: i128, largest: i128, length: i64) -> i64 {
    if size <= 0 || largest <= 0 {
        return 0;
    }
    // Beyond this a bar cannot be told from a longer one; cutting both keeps the product inside 128 bits.
    let scale = (largest >> 64).max(1);
    i64::try_from((size / scale) * i128::from(length) / (largest / scale)).unwrap_or(length).clamp(0, length)
}

fn shortened(label: &str) -> String {
    if label.chars().count() <= LABEL_LETTERS {
        return label.to_owned();
    }
    let mut short: String = label.chars().take(LABEL_LETTERS - 1).collect();
    short.push('\u{2026}');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_its_space_and_none_leaves_it() {
        let bar = |size| Bar { label: "x".repeat(99), value: String::new(), class: "ok", size };
        let chart = bars("t", vec![bar(i128::MAX), bar(i128::MAX / 2), bar(0), bar(-5)]);
        let widths: Vec<i64> = chart.rows.iter().map(|row| row.width).collect();
        assert_eq!(widths[0], BAR_LENGTH);
        assert!((BAR_LENGTH / 2 - 1..=BAR_LENGTH / 2).contains(&widths[1]));
        assert_eq!(widths[2..], [0, 0]);
        assert_eq!(chart.rows[0].label.chars().count(), LABEL_LETTERS);
    }

    #[test]
    fn stacked_parts_touch_and_fill_the_tallest_column() {
        let stack =
            Stack { title: String::new(), label: String::new(), parts: vec![("a", 1), ("b", 1), ("c", 1)] };
        let chart = columns("t", vec![stack], vec![]);
        let parts = &chart.columns[0].parts;
        assert_eq!(parts.iter().map(|part| part.height).sum::<i64>(), CHART_HEIGHT);
        assert!(parts.windows(2).all(|pair| pair[1].y + pair[1].height == pair[0].y));
    }
}
