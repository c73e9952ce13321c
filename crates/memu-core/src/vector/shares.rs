//! Numbers in a byte each, rather too great than too small.

/// Positive numbers as 255ths of the greatest, rounded up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shares {
    pub(super) greatest: f32,
    pub(super) steps: Vec<u8>,
}

impl Shares {
    pub(super) fn new(values: impl Iterator<Item = f32> + Clone) -> Self {
        let greatest = values.clone().fold(0.0, f32::max);
        let steps = values.map(|value| {
            let step = (value / greatest.max(f32::MIN_POSITIVE) * 255.0).ceil() as u8;
            // Division and multiplication round.
            if share(greatest, step) < value {
                step.saturating_add(1)
            } else {
                step
            }
        });
        Self {
            greatest,
            steps: steps.collect(),
        }
    }

    /// Not less than the number at this place, and at most a 255th of the greatest more.
    pub(super) fn get(&self, place: usize) -> f32 {
        let step = self.steps.get(place).copied().unwrap_or_default();
        share(self.greatest, step)
    }
}

/// In this order, so that the greatest is told as it is.
fn share(greatest: f32, step: u8) -> f32 {
    greatest / 255.0 * f32::from(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_they_were_or_a_little_greater() {
        for factor in [1.0, 0.1, 3e-7] {
            let values: Vec<f32> = (0..1000_u16).map(|i| f32::from(i) * factor / 7.0).collect();
            let shares = Shares::new(values.iter().copied());
            for (place, value) in values.iter().enumerate() {
                let told = shares.get(place);
                let most = value + shares.greatest / 254.0;
                assert!(
                    told >= *value * (1.0 - 1e-6) && told <= most,
                    "{value}: {told}"
                );
            }
        }
        assert_eq!(Shares::new([0.0, 0.0].into_iter()).get(1), 0.0);
    }
}
