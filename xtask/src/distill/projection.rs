use std::ops::Range;

use crate::Failure;

/// When what lies beside the diagonal is this small a share of it, it is zero.
const TOLERANCE: f64 = 1e-22;
const MAX_SWEEPS: usize = 60;

/// Centres vectors of `width` numbers on the mean of the `ordinary` ones, and projects
/// them onto the `dimension` directions in which the ordinary ones vary most (Pearson
/// 1901). Returns the share of the variance that is kept.
pub(super) fn project(
    vectors: &mut Vec<f32>,
    width: usize,
    ordinary: Range<usize>,
    dimension: usize,
) -> Result<f64, Failure> {
    let chosen = vectors
        .get(ordinary.start * width..ordinary.end * width)
        .ok_or("the vocabulary is too small")?;
    let mean = mean(chosen, width);
    let mut covariance = covariance(chosen, &mean);
    let mut directions = identity(width);
    diagonalise(&mut covariance, &mut directions, width)?;
    let mut order: Vec<(f64, usize)> = (0..width)
        .filter_map(|at| Some((*covariance.get(at * width + at)?, at)))
        .collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let total: f64 = order.iter().map(|(variance, _)| variance).sum();
    let kept: f64 = order
        .iter()
        .take(dimension)
        .map(|(variance, _)| variance)
        .sum();
    let axes: Vec<Vec<f64>> = order
        .iter()
        .take(dimension)
        .map(|(_, at)| oriented(directions.iter().skip(*at).step_by(width)))
        .collect();
    let projected = vectors.chunks_exact(width).flat_map(|vector| {
        let centred: Vec<f64> = vector
            .iter()
            .zip(&mean)
            .map(|(x, mean)| f64::from(*x) - mean)
            .collect();
        let onto = |axis: &Vec<f64>| axis.iter().zip(&centred).map(|(a, x)| a * x).sum::<f64>();
        axes.iter()
            .map(|axis| onto(axis) as f32)
            .collect::<Vec<_>>()
    });
    *vectors = projected.collect();
    Ok(kept / total)
}

fn mean(vectors: &[f32], width: usize) -> Vec<f64> {
    let mut mean = vec![0.0; width];
    for vector in vectors.chunks_exact(width) {
        for (sum, x) in mean.iter_mut().zip(vector) {
            *sum += f64::from(*x);
        }
    }
    let count = (vectors.len() / width) as f64;
    mean.iter().map(|sum| sum / count).collect()
}

fn covariance(vectors: &[f32], mean: &[f64]) -> Vec<f64> {
    let width = mean.len();
    let mut sums = vec![0.0; width * width];
    for vector in vectors.chunks_exact(width) {
        let centred: Vec<f64> = vector
            .iter()
            .zip(mean)
            .map(|(x, m)| f64::from(*x) - m)
            .collect();
        for (row, a) in sums.chunks_exact_mut(width).zip(&centred) {
            for (sum, b) in row.iter_mut().zip(&centred) {
                *sum += a * b;
            }
        }
    }
    sums
}

fn identity(width: usize) -> Vec<f64> {
    (0..width * width)
        .map(|at| f64::from(u8::from(at / width == at % width)))
        .collect()
}

/// Jacobi's method (1846): turns two axes at a time until `matrix`, which is symmetric,
/// is diagonal; `directions` gathers the turns as columns. Additions, products and
/// square roots only, so every machine gets the same bits.
fn diagonalise(matrix: &mut [f64], directions: &mut [f64], width: usize) -> Result<(), Failure> {
    for _ in 0..MAX_SWEEPS {
        if beside_diagonal(matrix, width) <= TOLERANCE {
            return Ok(());
        }
        for p in 0..width {
            for q in p + 1..width {
                turn(matrix, directions, width, p, q);
            }
        }
    }
    Err("the directions of the projection were not found".into())
}

/// The square sum beside the diagonal, as a share of that on it.
fn beside_diagonal(matrix: &[f64], width: usize) -> f64 {
    let (mut on, mut beside) = (0.0, 0.0);
    for (at, x) in matrix.iter().enumerate() {
        if at / width == at % width {
            on += x * x;
        } else {
            beside += x * x;
        }
    }
    beside / on
}

/// Turns the axes p and q so that their covariance becomes zero.
fn turn(matrix: &mut [f64], directions: &mut [f64], width: usize, p: usize, q: usize) {
    let at = |matrix: &[f64], row: usize, column: usize| {
        matrix
            .get(row * width + column)
            .copied()
            .unwrap_or_default()
    };
    let shared = at(matrix, p, q);
    if shared == 0.0 {
        return;
    }
    let theta = (at(matrix, q, q) - at(matrix, p, p)) / (2.0 * shared);
    let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    turn_columns(matrix, width, (p, q), (cosine, sine));
    turn_columns(directions, width, (p, q), (cosine, sine));
    for column in 0..width {
        let (a, b) = (at(matrix, p, column), at(matrix, q, column));
        if let Some(x) = matrix.get_mut(p * width + column) {
            *x = cosine * a - sine * b;
        }
        if let Some(x) = matrix.get_mut(q * width + column) {
            *x = sine * a + cosine * b;
        }
    }
}

fn turn_columns(
    matrix: &mut [f64],
    width: usize,
    (p, q): (usize, usize),
    (cosine, sine): (f64, f64),
) {
    for row in matrix.chunks_exact_mut(width) {
        let (Some(a), Some(b)) = (row.get(p).copied(), row.get(q).copied()) else {
            return;
        };
        if let Some(x) = row.get_mut(p) {
            *x = cosine * a - sine * b;
        }
        if let Some(x) = row.get_mut(q) {
            *x = sine * a + cosine * b;
        }
    }
}

/// The axis or its opposite, whichever has its greatest part positive: both are right,
/// and it must not be left to chance.
fn oriented<'a>(axis: impl Iterator<Item = &'a f64>) -> Vec<f64> {
    let axis: Vec<f64> = axis.copied().collect();
    let greatest = axis.iter().copied().fold(
        0.0_f64,
        |most, x| {
            if x.abs() > most.abs() { x } else { most }
        },
    );
    axis.iter().map(|x| x * greatest.signum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_direction_is_the_one_of_most_variance() {
        // Along (3, 4) far, across it a little, around (10, 20, 5).
        let mut vectors = Vec::new();
        for (along, across) in [(5.0, 0.1), (-5.0, 0.1), (2.0, -0.1), (-2.0, -0.1)] {
            vectors.extend([
                10.0 + 0.6 * along - 0.8 * across,
                20.0 + 0.8 * along + 0.6 * across,
                5.0,
            ]);
        }
        let kept = project(&mut vectors, 3, 0..4, 1).unwrap();
        assert!(kept > 0.999 && kept < 1.0, "{kept}");
        for (found, expected) in vectors.iter().zip([5.0, -5.0, 2.0, -2.0]) {
            assert!((found - expected).abs() < 1e-4, "{vectors:?}");
        }
    }
}
