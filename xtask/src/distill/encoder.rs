use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use super::matrix::Linear;
use crate::Failure;

/// The numbers of `[CLS]` and `[SEP]` in BERT's vocabularies.
const MARKS: (usize, usize) = (101, 102);
/// An entry stands between its two marks.
const TOKENS: usize = 3;
const LAYERS: usize = 6;
const HEADS: usize = 12;
const EPSILON: f32 = 1e-12;
/// How many entries are encoded at once.
const BATCH: usize = 16;

/// A BERT encoder (Devlin et al., 2018) for texts of a single entry.
#[derive(Debug)]
pub(super) struct Encoder {
    words: Vec<f32>,
    positions: Vec<f32>,
    kind: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    width: usize,
}

#[derive(Debug)]
struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attended_norm: Norm,
    wide: Linear,
    narrow: Linear,
    norm: Norm,
}

#[derive(Debug)]
struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Encoder {
    /// Reads the model's weights.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let bytes = std::fs::read(path).map_err(|cause| format!("{}: {cause}", path.display()))?;
        let tensors = SafeTensors::deserialize(&bytes)?;
        let norm = Norm::read(&tensors, "embeddings.LayerNorm")?;
        Ok(Self {
            words: floats(&tensors, "embeddings.word_embeddings.weight")?,
            positions: floats(&tensors, "embeddings.position_embeddings.weight")?,
            kind: floats(&tensors, "embeddings.token_type_embeddings.weight")?,
            width: norm.weight.len(),
            norm,
            layers: (0..LAYERS)
                .map(|layer| Layer::read(&tensors, &format!("encoder.layer.{layer}")))
                .collect::<Result<_, _>>()?,
        })
    }

    /// How many numbers the model makes of a text.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// What the model makes of each of the first `count` entries: the mean of its three
    /// outputs, one after the other. Threads share the work, not the sums.
    pub(super) fn encode_all(&self, count: usize) -> Vec<f32> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut vectors = vec![0.0; count * self.width];
        let share = count.div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            for (part, vectors) in vectors.chunks_mut(share * self.width).enumerate() {
                scope.spawn(move || {
                    for (at, batch) in vectors.chunks_mut(BATCH * self.width).enumerate() {
                        self.encode(part * share + at * BATCH, batch);
                    }
                });
            }
        });
        vectors
    }

    /// Writes the vectors of the entries from `first` on.
    fn encode(&self, first: usize, vectors: &mut [f32]) {
        let count = vectors.len() / self.width;
        let mut x = Vec::with_capacity(count * TOKENS * self.width);
        for entry in first..first + count {
            for (position, token) in [MARKS.0, entry, MARKS.1].into_iter().enumerate() {
                let rows = [
                    (&self.words, token),
                    (&self.positions, position),
                    (&self.kind, 0),
                ];
                let [a, b, c] =
                    rows.map(|(table, at)| table.iter().skip(at * self.width).take(self.width));
                x.extend(a.zip(b).zip(c).map(|((a, b), c)| a + b + c));
            }
        }
        self.norm.apply(&mut x);
        for layer in &self.layers {
            layer.apply(&mut x);
        }
        let texts = x.chunks_exact(TOKENS * self.width);
        for (text, vector) in texts.zip(vectors.chunks_exact_mut(self.width)) {
            for token in text.chunks_exact(self.width) {
                for (sum, x) in vector.iter_mut().zip(token) {
                    *sum += x / TOKENS as f32;
                }
            }
        }
    }
}

impl Layer {
    fn read(tensors: &SafeTensors<'_>, name: &str) -> Result<Self, Failure> {
        let linear = |part: &str| -> Result<Linear, Failure> {
            let weights = floats(tensors, &format!("{name}.{part}.weight"))?;
            let bias = floats(tensors, &format!("{name}.{part}.bias"))?;
            Ok(Linear::new(&weights, bias))
        };
        Ok(Self {
            query: linear("attention.self.query")?,
            key: linear("attention.self.key")?,
            value: linear("attention.self.value")?,
            attended: linear("attention.output.dense")?,
            attended_norm: Norm::read(tensors, &format!("{name}.attention.output.LayerNorm"))?,
            wide: linear("intermediate.dense")?,
            narrow: linear("output.dense")?,
            norm: Norm::read(tensors, &format!("{name}.output.LayerNorm"))?,
        })
    }

    fn apply(&self, x: &mut [f32]) {
        let attention = self.attend(x);
        add(x, &self.attended.apply(&attention));
        self.attended_norm.apply(x);
        let mut wide = self.wide.apply(x);
        for value in &mut wide {
            // GELU (Hendrycks and Gimpel, 2016).
            *value *= 0.5 * (1.0 + libm::erff(*value * std::f32::consts::FRAC_1_SQRT_2));
        }
        add(x, &self.narrow.apply(&wide));
        self.norm.apply(x);
    }

    /// Scaled dot-product attention (Vaswani et al., 2017), within each text.
    fn attend(&self, x: &[f32]) -> Vec<f32> {
        let width = self.norm.weight.len();
        let head = width / HEADS;
        let (query, key, value) = (self.query.apply(x), self.key.apply(x), self.value.apply(x));
        let mut out = vec![0.0; x.len()];
        let text = TOKENS * width;
        let texts = query
            .chunks_exact(text)
            .zip(key.chunks_exact(text))
            .zip(value.chunks_exact(text))
            .zip(out.chunks_exact_mut(text));
        for (((query, key), value), out) in texts {
            for (query, out) in query.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
                let heads = query.chunks_exact(head).zip(out.chunks_exact_mut(head));
                for (number, (query, out)) in heads.enumerate() {
                    let part = |token: &'_ [f32]| -> Vec<f32> {
                        token
                            .iter()
                            .skip(number * head)
                            .take(head)
                            .copied()
                            .collect()
                    };
                    let mut weights: Vec<f32> = key
                        .chunks_exact(width)
                        .map(|key| dot(query, &part(key)) / (head as f32).sqrt())
                        .collect();
                    softmax(&mut weights);
                    for (value, weight) in value.chunks_exact(width).zip(&weights) {
                        for (out, value) in out.iter_mut().zip(part(value)) {
                            *out += weight * value;
                        }
                    }
                }
            }
        }
        out
    }
}

impl Norm {
    fn read(tensors: &SafeTensors<'_>, name: &str) -> Result<Self, Failure> {
        Ok(Self {
            weight: floats(tensors, &format!("{name}.weight"))?,
            bias: floats(tensors, &format!("{name}.bias"))?,
        })
    }

    /// Layer normalisation (Ba, Kiros and Hinton, 2016) of every row.
    fn apply(&self, x: &mut [f32]) {
        let width = self.weight.len();
        for row in x.chunks_exact_mut(width) {
            let mean = row.iter().sum::<f32>() / width as f32;
            let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / width as f32;
            let deviation = (variance + EPSILON).sqrt();
            for ((x, weight), bias) in row.iter_mut().zip(&self.weight).zip(&self.bias) {
                *x = (*x - mean) / deviation * weight + bias;
            }
        }
    }
}

fn add(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn softmax(weights: &mut [f32]) {
    let greatest = weights.iter().copied().fold(f32::MIN, f32::max);
    for weight in weights.iter_mut() {
        *weight = libm::expf(*weight - greatest);
    }
    let sum: f32 = weights.iter().sum();
    for weight in weights {
        *weight /= sum;
    }
}

fn floats(tensors: &SafeTensors<'_>, name: &str) -> Result<Vec<f32>, Failure> {
    let tensor = tensors.tensor(name)?;
    if tensor.dtype() != Dtype::F32 {
        return Err(format!("{name} is {:?}, not F32", tensor.dtype()).into());
    }
    let bytes = tensor.data().chunks_exact(4);
    Ok(bytes
        .filter_map(|bytes| bytes.try_into().ok())
        .map(f32::from_le_bytes)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_attention_add_up() {
        let mut weights = [1.0, 2.0, 3.0];
        softmax(&mut weights);
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((weights[2] / weights[1] - std::f32::consts::E).abs() < 1e-5);
    }

    #[test]
    fn a_normalised_row_has_no_mean_and_the_length_of_its_width() {
        let norm = Norm {
            weight: vec![1.0; 4],
            bias: vec![0.0; 4],
        };
        let mut row = [1.0, 2.0, 3.0, 6.0];
        norm.apply(&mut row);
        assert!(row.iter().sum::<f32>().abs() < 1e-5);
        assert!((dot(&row, &row) - 4.0).abs() < 1e-4);
    }
}
