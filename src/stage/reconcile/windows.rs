//! Points in time to windows, one to one: as many as can be, those that arrived before those that did not.
//!
//! Which points can be matched together is found point by point (a chosen point stays chosen, its window may change);
//! who gets which window is decided last, by one sweep in which each point takes the open window that ends first.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};

use crate::domain::Instant;
use crate::domain::time::Span;

/// An observation as far as matching in time looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub start: Instant,
    pub arrived: bool,
}

/// Pairs of window and point, by the start of the point. Of equal windows and equal points the first in order comes
/// first; nothing else depends on the order.
pub fn assign(windows: &[Span], points: &[Point]) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by_key(|point| points[*point].start);
    let arrived: Vec<usize> = order.iter().copied().filter(|point| points[*point].arrived).collect();
    let mut pairs = sweep(windows, points, &arrived);
    if arrived.len() == points.len() || windows.len() == pairs.len() {
        return pairs;
    }
    let mut state = State::new(windows, points, &pairs);
    for point in order.iter().copied().filter(|point| !points[*point].arrived) {
        state.admit(point);
    }
    let chosen: Vec<usize> =
        order.iter().copied().filter(|point| state.window_of[*point].is_some()).collect();
    pairs = sweep(windows, points, &chosen);
    debug_assert_eq!(pairs.len(), chosen.len(), "what was admitted can be matched together");
    pairs
}

/// Each point, by its start, takes the open window that ends first: no other way matches more of them.
fn sweep(windows: &[Span], points: &[Point], order: &[usize]) -> Vec<(usize, usize)> {
    let mut by_start: Vec<usize> = (0..windows.len()).collect();
    by_start.sort_by_key(|window| (windows[*window].from, *window));
    let mut coming = by_start.into_iter().peekable();
    let mut open: BinaryHeap<Reverse<(Instant, usize)>> = BinaryHeap::new();
    let mut pairs = Vec::new();
    for point in order.iter().copied() {
        let start = points[point].start;
        while let Some(window) = coming.next_if(|window| windows[*window].from <= start) {
            open.push(Reverse((windows[window].to, window)));
        }
        while open.peek().is_some_and(|Reverse((to, _))| *to <= start) {
            open.pop();
        }
        if let Some(Reverse((_, window))) = open.pop() {
            pairs.push((window, point));
        }
    }
    pairs
}

/// A matching that grows by alternating paths.
struct State<'a> {
    windows: &'a [Span],
    points: &'a [Point],
    /// Windows by their start.
    by_start: Vec<usize>,
    longest_milliseconds: i64,
    point_of: Vec<Option<usize>>,
    window_of: Vec<Option<usize>>,
}

impl<'a> State<'a> {
    fn new(windows: &'a [Span], points: &'a [Point], pairs: &[(usize, usize)]) -> State<'a> {
        let mut by_start: Vec<usize> = (0..windows.len()).collect();
        by_start.sort_by_key(|window| (windows[*window].from, *window));
        let length = |window: &Span| window.to.milliseconds().saturating_sub(window.from.milliseconds());
        let mut state = State {
            windows,
            points,
            by_start,
            longest_milliseconds: windows.iter().map(length).max().unwrap_or_default(),
            point_of: vec![None; windows.len()],
            window_of: vec![None; points.len()],
        };
        for (window, point) in pairs {
            state.point_of[*window] = Some(*point);
            state.window_of[*point] = Some(*window);
        }
        state
    }

    /// Windows that contain a point.
    fn around(&self, point: usize) -> impl Iterator<Item = usize> + '_ {
        let start = self.points[point].start;
        let earliest = start.plus_milliseconds(-self.longest_milliseconds);
        let first = self.by_start.partition_point(|window| self.windows[*window].from < earliest);
        let last = self.by_start.partition_point(|window| self.windows[*window].from <= start);
        let candidates = &self.by_start[first..last.max(first)];
        candidates.iter().copied().filter(move |window| self.windows[*window].contains(start))
    }

    /// Matches one more point when that is possible with all that are matched already.
    fn admit(&mut self, newcomer: usize) {
        let mut came_from: Vec<(usize, usize)> = Vec::new();
        let mut visited: BTreeSet<usize> = BTreeSet::new();
        let mut queue = VecDeque::from([newcomer]);
        while let Some(point) = queue.pop_front() {
            let around: Vec<usize> = self.around(point).collect();
            for window in around {
                if !visited.insert(window) {
                    continue;
                }
                came_from.push((window, point));
                match self.point_of[window] {
                    Some(holder) => queue.push_back(holder),
                    None => return self.turn(window, &came_from),
                }
            }
        }
    }

    /// Gives a free window to the point that reached it, that point's former window to the one before, and so on.
    fn turn(&mut self, free: usize, came_from: &[(usize, usize)]) {
        let mut window = free;
        while let Some((_, point)) = came_from.iter().find(|(reached, _)| *reached == window) {
            let former = self.window_of[*point];
            self.point_of[window] = Some(*point);
            self.window_of[*point] = Some(window);
            match former {
                Some(former) => window = former,
                None => return,
            }
        }
    }
}
