use std::path::Path;

use memu_core::{Error, Result};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde::Deserialize;

/// What `config.json` says of the model's shape.
#[derive(Debug, Deserialize)]
pub(super) struct Shape {
    pub(super) vocab_size: usize,
    pub(super) hidden_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    pub(super) layer_norm_eps: f32,
    hidden_act: String,
}

impl Shape {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let bytes = read(&path)?;
        let shape: Self = serde_json::from_slice(&bytes).map_err(|cause| {
            Error::config(format!("{} is no model's configuration", path.display()))
                .caused_by(cause)
        })?;
        if shape.hidden_act != "gelu" || shape.num_attention_heads == 0 {
            return Err(Error::config(format!(
                "{} is not that of all-MiniLM-L6-v2",
                path.display()
            )));
        }
        Ok(shape)
    }
}

/// Reads a file of the model.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|cause| {
        Error::config(format!(
            "{} cannot be read; `memu model pull` fetches the model",
            path.display()
        ))
        .caused_by(cause)
    })
}

/// The model's numbers, by name.
pub(super) struct Weights<'b>(SafeTensors<'b>);

impl<'b> Weights<'b> {
    pub(super) fn of(bytes: &'b [u8], path: &Path) -> Result<Self> {
        SafeTensors::deserialize(bytes).map(Self).map_err(|cause| {
            Error::config(format!("{} is damaged", path.display())).caused_by(cause)
        })
    }

    pub(super) fn vector(&self, name: &str) -> Result<Array1<f32>> {
        let (numbers, _) = self.numbers(name)?;
        Ok(Array1::from(numbers))
    }

    pub(super) fn matrix(&self, name: &str) -> Result<Array2<f32>> {
        let (numbers, shape) = self.numbers(name)?;
        let &[rows, columns] = shape.as_slice() else {
            return Err(unusable(name));
        };
        Array2::from_shape_vec((rows, columns), numbers)
            .map_err(|cause| unusable(name).caused_by(cause))
    }

    fn numbers(&self, name: &str) -> Result<(Vec<f32>, Vec<usize>)> {
        let tensor = self
            .0
            .tensor(name)
            .map_err(|cause| unusable(name).caused_by(cause))?;
        if tensor.dtype() != Dtype::F32 {
            return Err(unusable(name).with("type", format!("{:?}", tensor.dtype())));
        }
        let (numbers, _) = tensor.data().as_chunks::<4>();
        let numbers = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes));
        Ok((numbers.collect(), tensor.shape().to_vec()))
    }
}

fn unusable(name: &str) -> Error {
    Error::config(format!("the model's {name} is missing or unusable"))
}

/// x · Wᵀ + b.
#[derive(Debug)]
pub(super) struct Linear {
    /// Inputs by outputs.
    weight: Array2<f32>,
    bias: Array1<f32>,
}

impl Linear {
    pub(super) fn read(weights: &Weights<'_>, name: &str) -> Result<Self> {
        Self::read_all(weights, &[name.to_owned()])
    }

    /// Several of the same inputs, one after the other.
    pub(super) fn read_all(weights: &Weights<'_>, names: &[String]) -> Result<Self> {
        let mut parts = Vec::new();
        let mut bias = Vec::new();
        for name in names {
            parts.push(weights.matrix(&format!("{name}.weight"))?);
            bias.extend(weights.vector(&format!("{name}.bias"))?);
        }
        let views: Vec<ArrayView2<'_, f32>> = parts.iter().map(|part| part.view()).collect();
        let weight = ndarray::concatenate(Axis(0), &views)
            .map_err(|cause| Error::config("the model's layers do not fit").caused_by(cause))?;
        if weight.nrows() != bias.len() {
            return Err(Error::config("the model's layers do not fit"));
        }
        Ok(Self {
            weight: weight.t().as_standard_layout().into_owned(),
            bias: Array1::from(bias),
        })
    }

    pub(super) fn apply(&self, x: &Array2<f32>) -> Array2<f32> {
        x.dot(&self.weight) + &self.bias
    }
}
