use std::path::Path;

use serde_json::Value;

use crate::Failure;

/// The entries of a WordPiece tokenizer, in order.
pub(super) fn vocabulary(path: &Path) -> Result<Vec<String>, Failure> {
    let text = std::fs::read(path).map_err(|cause| format!("{}: {cause}", path.display()))?;
    let json: Value = serde_json::from_slice(&text)?;
    let entries = json
        .pointer("/model/vocab")
        .and_then(Value::as_object)
        .ok_or("the tokenizer has no /model/vocab")?;
    let mut numbered: Vec<(u64, &String)> = entries
        .iter()
        .map(|(entry, number)| Some((number.as_u64()?, entry)))
        .collect::<Option<_>>()
        .ok_or("an entry of the vocabulary has no number")?;
    numbered.sort();
    let dense = numbered
        .iter()
        .zip(0..)
        .all(|((number, _), at)| *number == at);
    let plain = numbered.iter().all(|(_, entry)| !entry.contains('\n'));
    if !dense || !plain {
        return Err("the vocabulary has gaps, or entries of several lines".into());
    }
    Ok(numbered
        .into_iter()
        .map(|(_, entry)| entry.clone())
        .collect())
}

/// The table's bytes; `memu_local::words::WordTable` describes and reads them.
pub(super) fn write(
    vocabulary: &[String],
    vectors: &[f32],
    dimension: usize,
) -> Result<Vec<u8>, Failure> {
    let mut text = vocabulary.join("\n");
    text.push('\n');
    let mut bytes = b"MEMUWORD".to_vec();
    for number in [1, dimension, vocabulary.len(), text.len()] {
        bytes.extend(u32::try_from(number)?.to_le_bytes());
    }
    let mut codes = Vec::with_capacity(vectors.len());
    for vector in vectors.chunks_exact(dimension) {
        let greatest = vector.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let scale = greatest / 127.0;
        bytes.extend(scale.to_le_bytes());
        let code = |x: &f32| {
            if scale > 0.0 {
                (x / scale).round() as i8
            } else {
                0
            }
        };
        codes.extend(vector.iter().map(code).map(i8::cast_unsigned));
    }
    bytes.extend(codes);
    bytes.extend(text.into_bytes());
    Ok(bytes)
}
