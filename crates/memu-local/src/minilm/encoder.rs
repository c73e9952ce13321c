use std::path::Path;

use memu_core::{Error, Result};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use super::weights::{Linear, Shape, Weights, read};

/// A BERT encoder (Devlin et al., 2018).
pub(super) struct Encoder {
    shape: Shape,
    words: Array2<f32>,
    positions: Array2<f32>,
    kind: Array1<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder")
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

struct Layer {
    /// Queries, keys and values.
    asked: Linear,
    attended: Linear,
    attended_norm: Norm,
    wide: Linear,
    narrow: Linear,
    norm: Norm,
}

struct Norm {
    weight: Array1<f32>,
    bias: Array1<f32>,
    epsilon: f32,
}

impl Encoder {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let shape = Shape::read(folder)?;
        let path = folder.join("model.safetensors");
        let bytes = read(&path)?;
        let weights = Weights::of(&bytes, &path)?;
        let kinds = weights.matrix("embeddings.token_type_embeddings.weight")?;
        let layers = (0..shape.num_hidden_layers)
            .map(|layer| Layer::read(&weights, &format!("encoder.layer.{layer}"), &shape));
        let encoder = Self {
            words: weights.matrix("embeddings.word_embeddings.weight")?,
            positions: weights.matrix("embeddings.position_embeddings.weight")?,
            kind: kinds.row(0).to_owned(),
            norm: Norm::read(&weights, "embeddings.LayerNorm", &shape)?,
            layers: layers.collect::<Result<_>>()?,
            shape,
        };
        let width = encoder.shape.hidden_size;
        let fits = encoder.words.dim() == (encoder.shape.vocab_size, width)
            && encoder.positions.ncols() == width
            && width.is_multiple_of(encoder.shape.num_attention_heads);
        if fits {
            Ok(encoder)
        } else {
            Err(
                Error::config("the model is not of the shape that its config.json says")
                    .with("folder", folder.display()),
            )
        }
    }

    pub(super) fn width(&self) -> usize {
        self.shape.hidden_size
    }

    pub(super) fn vocabulary_size(&self) -> usize {
        self.shape.vocab_size
    }

    /// The vectors of texts, given by their tokens, in order: the mean over the tokens, of
    /// length 1. Texts lie one after the other, so that nothing is computed for padding.
    pub(super) fn encode(&self, texts: &[&[u16]]) -> Vec<Vec<f32>> {
        let mut ends = Vec::with_capacity(texts.len());
        let count: usize = texts.iter().map(|text| text.len()).sum();
        let mut x = Array2::zeros((count, self.width()));
        let mut rows = x.rows_mut().into_iter();
        let mut end = 0;
        for text in texts {
            for (position, (token, mut row)) in text.iter().zip(rows.by_ref()).enumerate() {
                let words = self
                    .words
                    .row(usize::from(*token).min(self.words.nrows() - 1));
                let positions = self.positions.row(position.min(self.positions.nrows() - 1));
                row += &words;
                row += &positions;
                row += &self.kind;
            }
            end += text.len();
            ends.push(end);
        }
        self.norm.apply(&mut x);
        for layer in &self.layers {
            layer.apply(&mut x, &ends, self.shape.num_attention_heads);
        }
        let starts = std::iter::once(&0).chain(&ends);
        starts
            .zip(&ends)
            .map(|(start, end)| unit_mean(&x.slice(s![*start..*end, ..])))
            .collect()
    }
}

fn unit_mean(tokens: &ArrayView2<'_, f32>) -> Vec<f32> {
    let sum = tokens.sum_axis(Axis(0));
    let length = sum.dot(&sum).sqrt();
    let factor = if length > 0.0 { 1.0 / length } else { 0.0 };
    sum.iter().map(|x| x * factor).collect()
}

impl Layer {
    fn read(weights: &Weights<'_>, name: &str, shape: &Shape) -> Result<Self> {
        let asked = ["query", "key", "value"].map(|part| format!("{name}.attention.self.{part}"));
        Ok(Self {
            asked: Linear::read_all(weights, &asked)?,
            attended: Linear::read(weights, &format!("{name}.attention.output.dense"))?,
            attended_norm: Norm::read(
                weights,
                &format!("{name}.attention.output.LayerNorm"),
                shape,
            )?,
            wide: Linear::read(weights, &format!("{name}.intermediate.dense"))?,
            narrow: Linear::read(weights, &format!("{name}.output.dense"))?,
            norm: Norm::read(weights, &format!("{name}.output.LayerNorm"), shape)?,
        })
    }

    /// `ends` tells where each text ends: texts do not attend to each other.
    fn apply(&self, x: &mut Array2<f32>, ends: &[usize], heads: usize) {
        let attention = self.attend(x, ends, heads);
        *x += &self.attended.apply(&attention);
        self.attended_norm.apply(x);
        let mut wide = self.wide.apply(x);
        if let Some(values) = wide.as_slice_mut() {
            gelu(values);
        }
        *x += &self.narrow.apply(&wide);
        self.norm.apply(x);
    }

    /// Scaled dot-product attention (Vaswani et al., 2017).
    fn attend(&self, x: &Array2<f32>, ends: &[usize], heads: usize) -> Array2<f32> {
        let width = x.ncols();
        let head = width / heads;
        let asked = self.asked.apply(x);
        let mut out = Array2::zeros(x.raw_dim());
        let starts = std::iter::once(&0).chain(ends);
        let scale = 1.0 / (head as f32).sqrt();
        for (start, end) in starts.zip(ends) {
            for number in 0..heads {
                let part = |which: usize| {
                    let from = which * width + number * head;
                    asked.slice(s![*start..*end, from..from + head])
                };
                let mut weights = part(0).dot(&part(1).t());
                for mut row in weights.rows_mut() {
                    if let Some(row) = row.as_slice_mut() {
                        softmax(row, scale);
                    }
                }
                let from = number * head;
                out.slice_mut(s![*start..*end, from..from + head])
                    .assign(&weights.dot(&part(2)));
            }
        }
        out
    }
}

impl Norm {
    fn read(weights: &Weights<'_>, name: &str, shape: &Shape) -> Result<Self> {
        Ok(Self {
            weight: weights.vector(&format!("{name}.weight"))?,
            bias: weights.vector(&format!("{name}.bias"))?,
            epsilon: shape.layer_norm_eps,
        })
    }

    /// Layer normalisation (Ba, Kiros and Hinton, 2016) of every row.
    fn apply(&self, x: &mut Array2<f32>) {
        let width = x.ncols() as f32;
        for mut row in x.rows_mut() {
            let mean = row.sum() / width;
            row -= mean;
            let variance = row.dot(&row) / width;
            row /= (variance + self.epsilon).sqrt();
            row *= &self.weight;
            row += &self.bias;
        }
    }
}

/// The weights that scaled products are worth, which add up to 1.
fn softmax(products: &mut [f32], scale: f32) {
    let greatest = products.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for product in products.iter_mut() {
        *product = ((*product - greatest) * scale).exp();
        sum += *product;
    }
    for product in products {
        *product /= sum;
    }
}

/// GELU (Hendrycks and Gimpel, 2016).
fn gelu(values: &mut [f32]) {
    pulp::Arch::new().dispatch(|| {
        for value in values.iter_mut() {
            *value *= 0.5 * (1.0 + erf(*value * std::f32::consts::FRAC_1_SQRT_2));
        }
    });
}

/// The error function by a quotient of polynomials, which vector units can compute; its
/// error is below 10⁻⁶.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the wider instructions"
)]
#[inline(always)]
fn erf(x: f32) -> f32 {
    let x = x.clamp(-3.832_507, 3.832_507);
    let square = x * x;
    let above = [
        -2.726_142_3e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_6e-5,
        -7.349_906_6e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    let below = [
        -1.456_607_2e-5,
        -2.133_740_6e-4,
        -1.682_827e-3,
        -7.373_329e-3,
        -1.426_474e-2,
    ];
    let polynomial = |terms: &[f32]| terms.iter().fold(0.0, |sum, term| sum * square + term);
    x * polynomial(&above) / polynomial(&below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_that_of_the_tables() {
        for (x, expected) in [
            (0.0, 0.0),
            (0.1, 0.112_462_92),
            (0.5, 0.520_499_9),
            (1.0, 0.842_700_8),
            (1.5, 0.966_105_15),
            (2.0, 0.995_322_3),
            (3.0, 0.999_977_9),
            (9.0, 1.0),
        ] {
            assert!((erf(x) - expected).abs() < 1e-6, "{x}: {}", erf(x));
            assert!((erf(-x) + expected).abs() < 1e-6, "-{x}");
        }
    }

    #[test]
    fn weights_of_attention_add_up() {
        let mut weights = [1.0, 2.0, 3.0];
        softmax(&mut weights, 2.0);
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((weights[2] / weights[1] - std::f32::consts::E.powi(2)).abs() < 1e-4);
    }
}
