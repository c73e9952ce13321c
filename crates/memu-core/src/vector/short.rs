//! Numbers in 16 bits: the upper half of an f32 (the field's `bfloat16`), good for eight bits of
//! precision where what is left out is kept elsewhere.

pub(super) type Short = u16;

/// The nearest number in 16 bits; of two just as near, the one that is further from zero.
#[inline]
pub(super) fn short(number: f32) -> Short {
    (number.to_bits().saturating_add(1 << 15) >> 16) as Short
}

/// The number that this is.
#[inline]
pub(super) fn number(short: Short) -> f32 {
    f32::from_bits(u32::from(short) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_to_eight_bits() {
        for x in [0.0, 1.0, -1.5, 0.25, 255.0] {
            assert_eq!(number(short(x)), x);
        }
        for x in [0.1, -0.003, 1e-7, 0.999, -1.003_906_3] {
            let error = (number(short(x)) - x).abs();
            assert!(error <= x.abs() / 256.0, "{x}: {error}");
        }
        assert!(number(short(f32::NAN)).is_nan());
    }
}
