//! The beginnings of the links since the last checkpoint, so that the next one can say *which* record is not what was
//! signed, and not only that one is.
//!
//! Bounded: when there are too many, every second one is dropped. Whoever walks the same records has the same marks.

use super::link::Link;

/// Enough to tell two links apart. That nothing was changed is proved by the whole link; this only says where to look.
const MARK_BYTES: usize = 8;
/// Between two checkpoints there are fewer records as a rule. Even, so that halving keeps whole groups.
const MARKS_MAX: usize = 256;

type Mark = [u8; MARK_BYTES];

/// One mark for each group of `stride` records, the link of the group's last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marks {
    stride: u64,
    marks: Vec<Mark>,
    /// Records since the last whole group.
    rest: u64,
}

impl Marks {
    pub(super) const fn new() -> Self {
        Self {
            stride: 1,
            marks: Vec::new(),
            rest: 0,
        }
    }

    pub(super) fn add(&mut self, link: &Link) {
        self.rest += 1;
        if self.rest < self.stride {
            return;
        }
        self.rest = 0;
        let mut mark = [0; MARK_BYTES];
        mark.copy_from_slice(&link.bytes()[..MARK_BYTES]);
        self.marks.push(mark);
        if self.marks.len() == MARKS_MAX {
            self.coarsen(2);
        }
    }

    pub(super) const fn stride(&self) -> u64 {
        self.stride
    }

    pub(super) fn text(&self) -> String {
        hex::encode(self.marks.concat())
    }

    /// Reads back what [`Self::text`] gave.
    pub(super) fn read(stride: u64, text: &str) -> Option<Self> {
        let bytes = hex::decode(text).ok()?;
        let (marks, rest) = bytes.as_chunks::<MARK_BYTES>();
        let whole = rest.is_empty() && stride.is_power_of_two() && marks.len() < MARKS_MAX;
        whole.then(|| Self {
            stride,
            marks: marks.to_vec(),
            rest: 0,
        })
    }

    /// The first records that are not the same, counted from 0: the first of them and the last.
    pub(super) fn first_difference(&self, other: &Self) -> (u64, u64) {
        let (mut one, mut other) = (self.clone(), other.clone());
        let stride = one.stride.max(other.stride);
        one.coarsen(stride / one.stride);
        other.coarsen(stride / other.stride);
        let same = one
            .marks
            .iter()
            .zip(&other.marks)
            .take_while(|(one, other)| one == other)
            .count() as u64;
        (same * stride, same * stride + (stride - 1))
    }

    /// Makes groups of `factor` groups each.
    fn coarsen(&mut self, factor: u64) {
        let factor = factor.max(1);
        let step = usize::try_from(factor).unwrap_or(usize::MAX);
        let groups = self.marks.len() / step;
        self.rest += (self.marks.len() - groups * step) as u64 * self.stride;
        self.marks = (1..=groups)
            .map(|group| self.marks[group * step - 1])
            .collect();
        self.stride *= factor;
    }
}
