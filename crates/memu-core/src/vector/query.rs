use super::bits::GroupQuery;
use super::planes::PlaneQuery;
use super::rotation::rotate;
use super::{dot, push_signed_bytes, unit};

/// A query in the forms that codes are compared with.
#[derive(Clone, Debug)]
pub struct CodedQuery {
    pub(super) rotated: Vec<f32>,
    pub(super) length: f32,
    /// The sum of its numbers.
    pub(super) sum: f32,
    /// Its bytes, to be multiplied with the first two bits of many vectors and with the others of
    /// some.
    pub(super) groups: GroupQuery,
    pub(super) planes: PlaneQuery,
    /// What one step of its bytes is worth.
    pub(super) byte_scale: f32,
    pub(super) byte_sum: i32,
    /// The length of what its bytes leave out.
    pub(super) byte_error: f32,
    /// How far the rounding of its bytes makes sums over four bits spread around the truth
    /// (standard deviation).
    pub(super) rounding: f32,
    /// More than what rounding to f32 can add to a cosine, its estimate and the rotation of
    /// numbers of length 1 together: each is a sum of at most `dimension / 16 + 64` steps. What is
    /// beyond what bytes say is added up one after the other, but is so short that it counts less.
    pub(super) slack: f32,
}

impl CodedQuery {
    /// Prepares a query vector, of any length.
    pub fn new(vector: &[f32]) -> Self {
        let mut rotated = unit(vector);
        rotate(&mut rotated);
        let mut bytes = Vec::with_capacity(rotated.len());
        let byte_scale = push_signed_bytes(&rotated, &mut bytes);
        let error: f64 = bytes
            .iter()
            .zip(&rotated)
            .map(|(code, x)| (f64::from(*x) - f64::from(*code) * f64::from(byte_scale)).powi(2))
            .sum();
        Self {
            length: dot(&rotated, &rotated).sqrt() * (1.0 + 1e-5),
            sum: rotated.iter().sum(),
            // Four bits are a number from -7.5 to 7.5, whose mean square is 21.25; what a byte is
            // rounded by has one of 1/12.
            rounding: byte_scale * (rotated.len() as f32 * 21.25 / 12.0).sqrt(),
            groups: GroupQuery::new(&bytes),
            planes: PlaneQuery::new(&bytes),
            byte_scale,
            byte_sum: bytes.iter().copied().map(i32::from).sum(),
            byte_error: (error.sqrt() as f32).next_up(),
            slack: (rotated.len() as f32 / 16.0 + 64.0) * 4.0 * f32::EPSILON,
            rotated,
        }
    }
}
