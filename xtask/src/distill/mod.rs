//! Word vectors from a sentence encoder: what all-MiniLM-L6-v2 makes of each entry of
//! its vocabulary, alone between its two marks, centred, and projected onto the main
//! directions.

mod encoder;
mod matrix;
mod projection;
mod table;

use std::path::Path;

use crate::{Failure, report};
use encoder::Encoder;

/// How many numbers a vector keeps.
const DIMENSION: usize = 256;
/// The entries whose vectors are centred on: whole words of ordinary frequency. Those
/// before are characters and marks, those after are rare.
const ORDINARY: std::ops::Range<usize> = 2_000..20_000;

/// Makes the table, or compares it with the one that is there.
pub(crate) fn run(model: &Path, out: &Path, check: bool) -> Result<(), Failure> {
    let vocabulary = table::vocabulary(&model.join("tokenizer.json"))?;
    let encoder = Encoder::open(&model.join("model.safetensors"))?;
    report(&format!("encoding {} entries", vocabulary.len()));
    let mut vectors = encoder.encode_all(vocabulary.len());
    let kept = projection::project(&mut vectors, encoder.width(), ORDINARY, DIMENSION)?;
    report(&format!("{:.1}% of the variance kept", kept * 100.0));
    let bytes = table::write(&vocabulary, &vectors, DIMENSION)?;
    let checksum = blake3::hash(&bytes);
    report(&format!("{} bytes, BLAKE3 {checksum}", bytes.len()));
    if check {
        let there = blake3::hash(&std::fs::read(out)?);
        if there != checksum {
            return Err(format!("{} is another: {there}", out.display()).into());
        }
        report(&format!("{} is the same", out.display()));
        return Ok(());
    }
    std::fs::write(out, bytes)?;
    report(&format!("wrote {}", out.display()));
    Ok(())
}
