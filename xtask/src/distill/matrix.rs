/// How many rows are multiplied at once, so that a weight is read once for all.
const ROWS: usize = 12;
/// How many outputs are computed at once, so that they stay in the nearest cache.
const OUTPUTS: usize = 64;

/// A linear layer: y = x·W + b.
#[derive(Debug)]
pub(super) struct Linear {
    /// By input, then by output.
    weights: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
}

impl Linear {
    /// A layer from weights by output, then by input, as models store them.
    pub(super) fn new(stored: &[f32], bias: Vec<f32>) -> Self {
        let outputs = bias.len();
        let inputs = stored.len() / outputs.max(1);
        let mut weights = Vec::with_capacity(stored.len());
        for input in 0..inputs {
            weights.extend(stored.iter().skip(input).step_by(inputs));
        }
        Self {
            weights,
            bias,
            inputs,
        }
    }

    /// The outputs of every row of `x`. Products are added in the order of the inputs,
    /// without fused multiplication, so that every machine gets the same bits.
    pub(super) fn apply(&self, x: &[f32]) -> Vec<f32> {
        let outputs = self.bias.len();
        let rows = x.len() / self.inputs;
        let mut y: Vec<f32> = self
            .bias
            .iter()
            .copied()
            .cycle()
            .take(rows * outputs)
            .collect();
        let blocks = x
            .chunks(ROWS * self.inputs)
            .zip(y.chunks_mut(ROWS * outputs));
        for (x, y) in blocks {
            for start in (0..outputs).step_by(OUTPUTS) {
                self.apply_block(x, y, start);
            }
        }
        y
    }

    fn apply_block(&self, x: &[f32], y: &mut [f32], start: usize) {
        let outputs = self.bias.len();
        let width = OUTPUTS.min(outputs - start);
        for (input, weights) in self.weights.chunks_exact(outputs).enumerate() {
            let Some(weights) = weights.get(start..start + width) else {
                return;
            };
            let rows = x.chunks_exact(self.inputs).zip(y.chunks_exact_mut(outputs));
            for (x, y) in rows {
                let (Some(x), Some(y)) = (x.get(input), y.get_mut(start..start + width)) else {
                    return;
                };
                for (y, weight) in y.iter_mut().zip(weights) {
                    *y += x * weight;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_multiplies_and_adds_its_bias() {
        // y0 = x0 + 2·x1 + 10, y1 = 3·x0 + 4·x1 + 20
        let layer = Linear::new(&[1.0, 2.0, 3.0, 4.0], vec![10.0, 20.0]);
        assert_eq!(layer.apply(&[1.0, 1.0, 0.0, 2.0]), [13.0, 27.0, 14.0, 28.0]);
    }
}
