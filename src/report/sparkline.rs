//! A series as one line of text, with what happened marked below it.

use crate::clock::Timestamp;

/// Which characters a line is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Characters {
    /// Blocks, for terminals.
    Blocks,
    /// ASCII, for everything else.
    Plain,
}

impl Characters {
    /// From low to high.
    fn heights(self) -> [char; 8] {
        match self {
            Self::Blocks => ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
            Self::Plain => ['_', '.', '-', '~', '=', '+', '*', '#'],
        }
    }

    /// Where nothing was measured.
    fn gap(self) -> char {
        match self {
            Self::Blocks => '·',
            Self::Plain => ' ',
        }
    }
}

/// What is marked below a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The level changed.
    Change,
    /// An alert fired, or something was deployed or changed.
    Event,
}

impl Mark {
    fn sign(self) -> char {
        match self {
            Self::Change => '^',
            Self::Event => '!',
        }
    }
}

/// A window of so many columns.
#[derive(Debug, Clone, Copy)]
pub struct Sparkline {
    /// Where the first column begins.
    pub from: Timestamp,
    /// Where the last column ends.
    pub to: Timestamp,
    /// How many columns.
    pub width: usize,
    /// What to draw with.
    pub characters: Characters,
}

impl Sparkline {
    /// The column that a moment lies in; `None` outside the window.
    fn column(&self, at: Timestamp) -> Option<usize> {
        let (since, length) = (at.micros() - self.from.micros(), self.to.micros() - self.from.micros());
        let width = i64::try_from(self.width).ok()?;
        let column = since.checked_mul(width)?.checked_div(length)?.min(width - 1);
        usize::try_from(column).ok().filter(|_| (0..=length).contains(&since))
    }

    /// The mean of each column's points, as a height between the smallest and the largest of them. Nothing of no points.
    pub fn line(&self, points: &[(Timestamp, f64)]) -> String {
        let mut columns = vec![(0.0, 0_u32); self.width];
        for (at, value) in points {
            if let Some(column) = self.column(*at) {
                columns[column].0 += value;
                columns[column].1 += 1;
            }
        }
        let means: Vec<Option<f64>> =
            columns.into_iter().map(|(sum, count)| (count > 0).then(|| sum / f64::from(count))).collect();
        let known = || means.iter().flatten().copied();
        let (Some(least), Some(most)) = (known().reduce(f64::min), known().reduce(f64::max)) else {
            return String::new();
        };
        let heights = self.characters.heights();
        let height = |value: f64| {
            let share = if most > least { (value - least) / (most - least) } else { 0.0 };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "one of eight")]
            heights[((share * 8.0) as usize).min(7)]
        };
        means.iter().map(|mean| mean.map_or(self.characters.gap(), height)).collect()
    }

    /// A line with the marks where they belong; changes hide events in the same column. Nothing without marks.
    pub fn marks(&self, marks: &[(Timestamp, Mark)]) -> String {
        let mut signs = vec![' '; self.width];
        let mut marks = marks.to_vec();
        marks.sort_by_key(|(at, mark)| (std::cmp::Reverse(*mark), *at));
        for (at, mark) in marks {
            if let Some(column) = self.column(at) {
                signs[column] = mark.sign();
            }
        }
        signs.into_iter().collect::<String>().trim_end().to_owned()
    }
}
